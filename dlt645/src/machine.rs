//! The machine under the decoders: where a frame starts and ends, and what is given up.
//!
//! Storage is split in cells, which hold the octets from the position that is being looked at, and sums, one running
//! sum per eight cells. So the sum over any stretch is a difference of two sums and at most 14 additions, a start
//! position is looked at once however often its claim turns out wrong, and no stream, hostile ones included, can
//! make the work per octet more than a constant. What a rescan has not reached is pending in the cells; every octet
//! that arrives pays for [`CREDIT`] of it. Dead cells in front are taken back by moving [`MOVE`] cells per octet.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::error::{Error, ErrorKind};
use crate::frame::{END, OVERHEAD, START, WAKE_UP};
use crate::octets;

/// Work that one arriving octet pays for; noise costs 1, a start octet [`START_COST`].
const CREDIT: u8 = 8;
/// So at least two positions are done per arriving octet, and the machine catches up on any stream.
const START_COST: u8 = 4;
/// Cells moved per arriving octet when dead cells are taken back; a multiple of 8.
const MOVE: u16 = 32;

/// What stands at the front of a run of octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    /// Cannot be told before there are so many octets.
    Wait(u16),
    /// One octet that the standard lets stand between frames.
    Fill,
    /// One octet that starts nothing.
    Noise,
    /// A whole good frame of so many octets.
    Frame(u16),
    /// A start octet that starts no frame.
    Reject(ErrorKind),
}

/// A wire format: what is at the front of a run. `sum(from, to)` is the sum of these octets of the run.
pub(crate) trait Wire {
    fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16, u16) -> u8) -> Front;
    /// What one octet is with nothing before it: as `front` of a run of one.
    fn first(octet: u8) -> Front;
    /// The next octet of `octets` that is not plain noise, for skipping in bulk.
    fn noise(octets: &[u8]) -> usize;
}

/// DL/T 645 itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line;

impl Wire for Line {
    #[inline]
    fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16, u16) -> u8) -> Front {
        front(octets, longest, |n| sum(0, n))
    }
    #[inline]
    fn first(octet: u8) -> Front {
        match octet {
            START => Front::Wait(8),
            WAKE_UP => Front::Fill,
            _ => Front::Noise,
        }
    }
    #[inline]
    fn noise(octets: &[u8]) -> usize {
        octets.iter().position(|&octet| octet == START || octet == WAKE_UP).unwrap_or(octets.len())
    }
}

/// The one place that knows where a frame starts and ends: start octets at +0 and +7, length, sum, end octet. `sum(n)`
/// is the sum of the first `n` octets.
#[inline]
pub(crate) fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16) -> u8) -> Front {
    match octets.first() {
        None => return Front::Wait(1),
        Some(&START) => {}
        Some(&WAKE_UP) => return Front::Fill,
        Some(_) => return Front::Noise,
    }
    match octets.get(7) {
        None => return Front::Wait(8),
        Some(&START) => {}
        Some(_) => return Front::Reject(ErrorKind::Header),
    }
    let Some(&len) = octets.get(9) else { return Front::Wait(10) };
    let whole = u16::from(len).wrapping_add(OVERHEAD);
    if whole > longest {
        return Front::Reject(ErrorKind::TooLong);
    }
    let body = whole.wrapping_sub(2);
    let mut tail = octets.get(usize::from(body)..).unwrap_or_default().iter();
    match tail.next() {
        None => return Front::Wait(body.wrapping_add(1)),
        Some(&check) if check == sum(body) => {}
        Some(_) => return Front::Reject(ErrorKind::Checksum),
    }
    match tail.next() {
        None => Front::Wait(whole),
        Some(&END) => Front::Frame(whole),
        Some(_) => Front::Reject(ErrorKind::End),
    }
}

/// Octets that have passed through a decoder, each counter modulo 2^32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Good frames handed out.
    pub frames: u32,
    /// Errors handed out.
    pub errors: u32,
    /// Octets given up.
    pub lost: u32,
    /// Wake-up octets FEH between frames.
    pub fill: u32,
}

/// Where a frame lies; borrows no storage, so that callers can loop before they borrow.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Found<'i> {
    Input(&'i [u8]),
    Stored(u16, u16),
}

/// State of a decoder apart from its storage. Indices are of cells.
#[derive(Debug, Clone)]
pub(crate) struct Machine<W> {
    /// Position that is being looked at; cells before it are dead.
    front: u16,
    /// Behind the last octet that has arrived.
    end: u16,
    /// Behind the last octet written; ahead of `end` only after a commit.
    filled: u16,
    /// `end` must be here, and behind `front`, before another look makes sense. All fields are 0 at first, so that a
    /// decoder in a `static` needs no initial values in flash.
    wait: u16,
    /// Octets up to here lead to no decision; 0 when that cannot be said.
    quiet: u16,
    /// Work that is paid for.
    credit: u8,
    /// Sum of all cells before `end`, from an arbitrary origin.
    sum: u8,
    /// Cells to be taken back (a multiple of 8), 0 when nothing is being moved; and how many have been moved.
    shift: u16,
    moved: u16,
    lost: u32,
    stats: Stats,
    wire: PhantomData<W>,
}

/// Cells in a storage of `len` octets; behind them is one sum per eight cells and one more. Shifts only: a division
/// takes AVR longer than an octet's whole work.
pub(crate) const fn cells(len: usize) -> u16 {
    let len = if len > 0x7FFF { 0x7FFF } else { len };
    #[expect(clippy::cast_possible_truncation, reason = "cut to 15 bits above")]
    let len = len as u16;
    len.saturating_sub((len >> 3).wrapping_add(1)) & !7
}

/// Cells that may come in from the start of a move to its end: one per step, four if the front lags, one spare.
const fn margin(cells: u16) -> u16 {
    (cells / MOVE).saturating_add(6)
}

/// Longest frame for a storage of `len` octets. What is pending when a move starts is at most this; it grows by a
/// margin until the move ends, and shrinks by at least one per octet for two margins until the next move starts.
pub(crate) const fn longest(len: usize) -> u16 {
    let cells = cells(len);
    cells.saturating_sub(margin(cells).saturating_mul(3))
}

impl<W> Machine<W> {
    pub(crate) const fn new() -> Self {
        Self {
            front: 0,
            end: 0,
            filled: 0,
            wait: 0,
            quiet: 0,
            credit: 0,
            sum: 0,
            shift: 0,
            moved: 0,
            lost: 0,
            stats: Stats { frames: 0, errors: 0, lost: 0, fill: 0 },
            wire: PhantomData,
        }
    }

    pub(crate) const fn stats(&self) -> Stats {
        self.stats
    }

    /// Octets taken in and neither handed out nor reported.
    pub(crate) const fn held(&self) -> u32 {
        let cells = self.filled.wrapping_sub(self.front);
        self.lost.wrapping_add(cells as u32)
    }

    pub(crate) fn reset(&mut self) {
        *self = Self { stats: self.stats, ..Self::new() };
    }

    pub(crate) fn spare(&self, len: usize) -> core::ops::Range<usize> {
        usize::from(self.filled)..usize::from(cells(len))
    }

    pub(crate) fn commit(&mut self, n: usize, len: usize) {
        let room = cells(len).saturating_sub(self.filled);
        let n = u16::try_from(n).unwrap_or(room).min(room);
        self.filled = self.filled.wrapping_add(n);
    }

    /// One position is done: `lost` or filled.
    fn give_up(&mut self, lost: bool) {
        if lost {
            self.lost = self.lost.wrapping_add(1);
            self.stats.lost = self.stats.lost.wrapping_add(1);
        } else {
            self.stats.fill = self.stats.fill.wrapping_add(1);
        }
    }

    fn skip(&mut self, n: u16) {
        self.front = self.front.wrapping_add(n);
        self.wait = self.front;
    }

    const fn can_look(&self) -> bool {
        self.end > self.front && self.end >= self.wait
    }

    fn error(&mut self, kind: ErrorKind) -> Error {
        self.stats.errors = self.stats.errors.wrapping_add(1);
        Error { kind, lost: core::mem::take(&mut self.lost) }
    }

    /// Where the octet of a position lies while cells are being moved.
    const fn place(&self, position: u16) -> u16 {
        if position < self.shift.wrapping_add(self.moved) {
            position.wrapping_sub(self.shift)
        } else {
            position
        }
    }
}

impl<W: Wire> Machine<W> {
    /// Takes octets that lead to no decision, which are most: between frames, and inside one up to the next check.
    /// True if `input` has been taken in. Inlined, so that the size of the storage is a constant here.
    #[inline]
    pub(crate) fn quick(&mut self, storage: &mut [u8], input: &mut &[u8]) -> bool {
        let sums = usize::from(cells(storage.len()));
        if self.front == self.filled && self.shift == 0 {
            (self.front, self.end, self.filled, self.wait) = (0, 0, 0, 0);
        }
        loop {
            // With long input and nothing held the frames are found in the input itself, where that pays.
            let idle = self.end == 0 && self.filled == 0;
            if idle && !cfg!(target_pointer_width = "16") && input.len() > 1 {
                return false;
            }
            if !idle && (self.end >= self.quiet || self.end != self.filled) {
                return false;
            }
            let Some((&octet, rest)) = input.split_first() else { return true };
            if idle {
                let verdict = W::first(octet);
                match verdict {
                    Front::Wait(n) if n < longest(storage.len()) => {
                        if let Some(origin) = storage.get_mut(sums) {
                            *origin = 0;
                        }
                        (self.front, self.sum, self.wait) = (0, 0, n);
                        self.quiet = n.wrapping_sub(1);
                    }
                    Front::Fill | Front::Noise => {
                        self.give_up(verdict == Front::Noise);
                        *input = rest;
                        continue;
                    }
                    _ => return false,
                }
            }
            let Some(cell) = storage.get_mut(usize::from(self.end)) else { return false };
            *cell = octet;
            *input = rest;
            self.sum = self.sum.wrapping_add(octet);
            self.end = self.end.wrapping_add(1);
            self.filled = self.end;
            if self.end & 7 == 0
                && let Some(sum) = storage.get_mut(sums.wrapping_add(usize::from(self.end >> 3)))
            {
                *sum = self.sum;
            }
        }
    }

    /// The next event; `None` when `input` and what is committed have been taken in. With `finish`, what is pending
    /// is worked off without limit and what can never be whole is given up.
    // Never inlined: its many registers would be saved for every octet that `quick` takes.
    #[inline(never)]
    pub(crate) fn locate<'i>(
        &mut self,
        storage: &mut [u8],
        input: &mut &'i [u8],
        finish: bool,
    ) -> Option<Result<Found<'i>, Error>> {
        self.quiet = 0;
        let longest = longest(storage.len());
        if longest < OVERHEAD {
            return self.no_room(input);
        }
        let (cells, sums) = storage.split_at_mut_checked(usize::from(cells(storage.len())))?;
        if self.end == 0 {
            // What has been committed before the first look finds the storage as the caller left it.
            self.sum = 0;
            if let Some(origin) = sums.first_mut() {
                *origin = 0;
            }
        }
        loop {
            if finish {
                self.credit = CREDIT;
            }
            while self.shift == 0 && self.credit != 0 && self.can_look() {
                if let Some(event) = self.look(cells, sums, longest) {
                    return Some(event);
                }
            }
            if self.shift != 0 && self.credit != 0 {
                self.credit = 0;
                self.move_down(cells, sums);
                continue;
            }
            if self.front == self.filled && self.shift == 0 {
                (self.front, self.end, self.filled, self.wait, self.sum) = (0, 0, 0, 0, 0);
                self.quiet = 0;
                if let Some(origin) = sums.first_mut() {
                    *origin = 0;
                }
                if !cfg!(target_pointer_width = "16")
                    && let Some(event) = self.bulk(input, longest)
                {
                    return Some(event);
                }
            }
            if !self.arrive(cells, sums, input, longest) {
                if !finish {
                    if self.shift == 0 && self.end == self.filled {
                        let trigger = longest.saturating_add(margin_of(cells).saturating_mul(2));
                        self.quiet = self.wait.min(trigger).saturating_sub(1);
                    }
                    return None;
                }
                if self.shift != 0 || self.can_look() {
                    continue;
                }
                return self.abandon().map(Err);
            }
        }
    }

    /// A storage that takes no frame at all takes octets all the same, so that a caller's loop ends.
    #[cold]
    fn no_room<'i>(&mut self, input: &mut &'i [u8]) -> Option<Result<Found<'i>, Error>> {
        let held = self.filled.wrapping_sub(self.front);
        #[expect(clippy::cast_possible_truncation, reason = "counters are modulo 2^32")]
        let given_up = (input.len() as u32).wrapping_add(u32::from(held));
        (self.front, self.end, self.filled, self.wait) = (0, 0, 0, 0);
        *input = &[];
        self.lost = self.lost.wrapping_add(given_up);
        self.stats.lost = self.stats.lost.wrapping_add(given_up);
        (self.lost != 0).then(|| Err(self.error(ErrorKind::TooLong)))
    }

    /// Looks at the front position, which has what the last look waited for.
    fn look<'i>(&mut self, cells: &[u8], sums: &[u8], longest: u16) -> Option<Result<Found<'i>, Error>> {
        let octets = cells.get(usize::from(self.front)..usize::from(self.end))?;
        let from = self.front;
        let verdict = W::front(octets, longest, |start, end| {
            let before = |at: u16| {
                let at = from.wrapping_add(at);
                let rest = cells.get(usize::from(at & !7)..usize::from(at)).unwrap_or_default();
                rest.iter().fold(sums.get(usize::from(at / 8)).copied().unwrap_or_default(), |s, o| {
                    s.wrapping_add(*o)
                })
            };
            before(end).wrapping_sub(before(start))
        });
        match verdict {
            Front::Wait(n) => {
                self.wait = from.wrapping_add(n);
                None
            }
            Front::Fill | Front::Noise => {
                self.credit = self.credit.wrapping_sub(1);
                self.give_up(verdict == Front::Noise);
                self.skip(1);
                None
            }
            Front::Reject(kind) => {
                self.credit = self.credit.saturating_sub(START_COST);
                self.give_up(true);
                self.skip(1);
                Some(Err(self.error(kind)))
            }
            // The frame is due with its last octet, so this look is not charged for: it happens again.
            Front::Frame(_) if self.lost != 0 => Some(Err(self.error(ErrorKind::Noise))),
            Front::Frame(n) => {
                self.credit = self.credit.saturating_sub(START_COST);
                self.stats.frames = self.stats.frames.wrapping_add(1);
                self.skip(n);
                Some(Ok(Found::Stored(from, from.wrapping_add(n))))
            }
        }
    }

    /// With nothing held, the input itself is looked at and nothing is copied. Leaves at the first start octet that
    /// needs more octets or whose claim is wrong: the cells decide such, so that a call costs what its octets pay for.
    #[inline]
    fn bulk<'i>(&mut self, input: &mut &'i [u8], longest: u16) -> Option<Result<Found<'i>, Error>> {
        loop {
            let run: &'i [u8] = input;
            let verdict = W::front(run, longest, |start, end| {
                octets::sum(run.get(usize::from(start)..usize::from(end)).unwrap_or_default())
            });
            match verdict {
                Front::Fill => {
                    self.give_up(false);
                    *input = run.get(1..)?;
                }
                Front::Noise => {
                    let n = W::noise(run);
                    let (_, rest) = run.split_at_checked(n)?;
                    #[expect(clippy::cast_possible_truncation, reason = "counters are modulo 2^32")]
                    let n = n as u32;
                    self.lost = self.lost.wrapping_add(n);
                    self.stats.lost = self.stats.lost.wrapping_add(n);
                    *input = rest;
                }
                Front::Reject(kind @ (ErrorKind::Header | ErrorKind::TooLong)) => {
                    *input = run.get(1..)?;
                    self.give_up(true);
                    return Some(Err(self.error(kind)));
                }
                Front::Frame(_) if self.lost != 0 => return Some(Err(self.error(ErrorKind::Noise))),
                Front::Frame(n) => {
                    let (octets, rest) = run.split_at_checked(usize::from(n))?;
                    *input = rest;
                    self.stats.frames = self.stats.frames.wrapping_add(1);
                    return Some(Ok(Found::Input(octets)));
                }
                Front::Wait(_) | Front::Reject(_) => return None,
            }
        }
    }

    /// Octets arrive, those that were written in place first, until there is something to do; false if they ran out.
    #[inline]
    fn arrive(&mut self, cells: &mut [u8], sums: &mut [u8], input: &mut &[u8], longest: u16) -> bool {
        // From here on dead cells in front are taken back; the room behind is for what comes in meanwhile.
        let trigger = longest.saturating_add(margin_of(cells).saturating_mul(2));
        loop {
            let octet = if self.end < self.filled {
                cells.get(usize::from(self.place(self.end))).copied().unwrap_or_default()
            } else {
                let Some((&octet, rest)) = input.split_first() else { return false };
                let Some(cell) = cells.get_mut(usize::from(self.filled)) else { return false };
                *cell = octet;
                *input = rest;
                self.filled = self.filled.wrapping_add(1);
                octet
            };
            self.sum = self.sum.wrapping_add(octet);
            self.end = self.end.wrapping_add(1);
            if self.end & 7 == 0
                && let Some(sum) =
                    sums.get_mut(usize::from(self.place(self.end.wrapping_sub(1)).wrapping_add(1) / 8))
            {
                *sum = self.sum;
            }
            self.credit = CREDIT;
            if self.end >= trigger && self.shift == 0 && self.front >= 8 {
                self.shift = self.front & !7;
                self.moved = 0;
            }
            if self.can_look() || self.shift != 0 {
                return true;
            }
        }
    }

    /// One step of taking dead cells back.
    fn move_down(&mut self, cells: &mut [u8], sums: &mut [u8]) {
        let from = self.shift.wrapping_add(self.moved);
        let n = self.filled.saturating_sub(from).min(MOVE);
        let to = from.wrapping_add(n);
        copy_down(cells, from, to, self.moved);
        // The sum at `from` moved with the step before, and may have been written since.
        let again = u16::from(self.moved != 0);
        copy_down(
            sums,
            (from / 8).wrapping_add(again),
            (to / 8).wrapping_add(1),
            (self.moved / 8).wrapping_add(again),
        );
        self.moved = self.moved.wrapping_add(n);
        if to == self.filled {
            for index in [&mut self.front, &mut self.end, &mut self.filled, &mut self.wait] {
                *index = index.wrapping_sub(self.shift);
            }
            self.shift = 0;
        }
    }

    /// Nothing more will come: the front position is given up, or what has been lost is reported.
    fn abandon(&mut self) -> Option<Error> {
        if self.front == self.filled {
            return (self.lost != 0).then(|| self.error(ErrorKind::Noise));
        }
        self.give_up(true);
        self.skip(1);
        Some(self.error(ErrorKind::Truncated))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "cells() cuts to 15 bits")]
fn margin_of(cells: &[u8]) -> u16 {
    margin(cells.len() as u16)
}

/// Moves octets within the storage to a place in front of them. Asks first all that `copy_within` would panic about,
/// in its terms, so that no panic code is linked.
/// Moves cells towards the front. Octet by octet: the stretches overlap, and `memmove` takes AVR three times as long.
fn copy_down(octets: &mut [u8], from: u16, to: u16, at: u16) {
    let octets = Cell::from_mut(octets).as_slice_of_cells();
    let source = octets.get(usize::from(from)..).unwrap_or_default();
    let target = octets.get(usize::from(at)..).unwrap_or_default();
    for ((from, to), _) in source.iter().zip(target).zip(from..to) {
        to.set(from.get());
    }
}

/// The same events over a whole slice, nothing copied.
#[derive(Debug, Clone)]
pub(crate) struct Slices<'i, W> {
    rest: &'i [u8],
    machine: Machine<W>,
}

impl<'i, W: Wire> Slices<'i, W> {
    pub(crate) const fn new(input: &'i [u8]) -> Self {
        Self { rest: input, machine: Machine::new() }
    }

    pub(crate) const fn stats(&self) -> Stats {
        self.machine.stats
    }

    #[inline]
    pub(crate) fn next(&mut self, longest: u16) -> Option<Result<&'i [u8], Error>> {
        match self.machine.bulk(&mut self.rest, longest) {
            Some(Ok(Found::Input(octets))) => return Some(Ok(octets)),
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(Found::Stored(..))) | None => {}
        }
        let run = self.rest;
        let verdict = W::front(run, longest, |s, e| {
            octets::sum(run.get(usize::from(s)..usize::from(e)).unwrap_or_default())
        });
        let kind = match verdict {
            Front::Reject(kind) => kind,
            _ if run.is_empty() => {
                return (self.machine.lost != 0).then(|| Err(self.machine.error(ErrorKind::Noise)));
            }
            _ => ErrorKind::Truncated,
        };
        self.rest = run.get(1..)?;
        self.machine.give_up(true);
        Some(Err(self.machine.error(kind)))
    }
}
