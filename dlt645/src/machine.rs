//! The machine under the decoders: how octets that come in pieces become frames and errors.
//!
//! Storage is split in cells, which hold the octets from the position that is being looked at, and sums, one running
//! sum per eight cells. So the sum over any stretch is a difference of two sums and at most seven additions, a start
//! position is looked at once however often its claim turns out wrong, and no stream, hostile ones included, can
//! make the work per octet more than a constant.
//!
//! A frame that starts in empty cells is followed octet by octet ([`Stage`]), at a cost that an 8-bit controller can
//! bear in an interrupt. Behind a false start the octets held are looked at again ([`Stage::Work`]): every octet that
//! arrives pays for [`CREDIT`] of them. Dead cells in front are taken back by moving [`MOVE`] cells per octet.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::error::{Error, ErrorKind};
use crate::frame::{END, OVERHEAD, START};
use crate::octets;
use crate::wire::{First, Front, Wire};

/// Work that one arriving octet pays for; noise costs 1, a start octet [`START_COST`].
const CREDIT: u8 = 6;
/// So at least two positions are done per arriving octet, and the machine catches up on any stream.
const START_COST: u8 = 3;
/// Cells moved per arriving octet when dead cells are taken back; a multiple of eight.
const MOVE: u16 = 32;

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

/// What the machine is about to take. Outside `Work` and `Idle` the candidate at `front` waits for octets, and the next
/// `left` of them decide nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Between frames; nothing is held.
    Idle,
    /// The second start octet of a candidate in the first cell; also the three below.
    Header,
    /// Its length.
    Length,
    /// Its sum.
    Check,
    /// Its end octet.
    End,
    /// An octet that brings a candidate elsewhere to its next decision.
    Hold,
    /// Whatever is pending.
    Work,
}

/// What [`Machine::look`] found.
enum Looked {
    Nothing,
    Error(ErrorKind),
    /// From `wait` to `front`.
    Frame,
}

/// How far [`Machine::quick`] came.
enum Quick {
    Taken,
    Frame(u16),
    Work,
}

/// State of a decoder apart from its storage. Indices are of cells. All fields are 0 at first, so that a decoder in a
/// `static` needs no initial values in flash.
#[derive(Debug, Clone)]
pub(crate) struct Machine<W> {
    /// Octets that decide nothing and come before the one that `stage` names.
    left: u8,
    stage: Stage,
    /// Work that is paid for.
    credit: u8,
    /// Sum of all cells before `end`, from an arbitrary origin.
    sum: u8,
    /// The same before `front`.
    base: u8,
    /// Position that is being looked at; cells before it are dead.
    front: u16,
    /// Behind the last octet that has arrived.
    end: u16,
    /// Octets committed behind `end` that have not arrived yet.
    ahead: u16,
    /// At work: `end` must be here, and behind `front`, before another look makes sense.
    wait: u16,
    /// Cells to be taken back (a multiple of 8), 0 when nothing is being moved; and how many have been moved.
    shift: u16,
    moved: u16,
    stats: Stats,
    /// `stats.lost` at the last report.
    reported: u32,
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

/// Cells that may come in from the start of a move to its end: one before it, one per step, four if the front lags, one
/// spare.
const fn margin(cells: u16) -> u16 {
    (cells / MOVE).saturating_add(7)
}

/// Longest frame for a storage of `len` octets. What is pending when a move starts is at most this; it grows by a
/// margin until the move ends, and shrinks by at least one per octet for two margins until the next move starts.
pub(crate) const fn longest(len: usize) -> u16 {
    let cells = cells(len);
    cells.saturating_sub(margin(cells).saturating_mul(3))
}

/// From here on dead cells in front are taken back; the room behind is for what comes in meanwhile.
const fn trigger(cells: u16) -> u16 {
    cells.saturating_sub(margin(cells))
}

impl<W> Machine<W> {
    pub(crate) const fn new() -> Self {
        Self {
            left: 0,
            stage: Stage::Idle,
            credit: 0,
            sum: 0,
            base: 0,
            front: 0,
            end: 0,
            ahead: 0,
            wait: 0,
            shift: 0,
            moved: 0,
            stats: Stats { frames: 0, errors: 0, lost: 0, fill: 0 },
            reported: 0,
            wire: PhantomData,
        }
    }

    pub(crate) const fn stats(&self) -> Stats {
        self.stats
    }

    /// Octets taken in and neither handed out nor reported.
    pub(crate) const fn held(&self) -> u32 {
        let cells = self.filled().wrapping_sub(self.front);
        self.unreported().wrapping_add(cells as u32)
    }

    pub(crate) fn reset(&mut self) {
        *self = Self { stats: self.stats, reported: self.stats.lost, ..Self::new() };
    }

    pub(crate) fn spare(&self, len: usize) -> core::ops::Range<usize> {
        usize::from(self.filled())..usize::from(cells(len))
    }

    pub(crate) fn commit(&mut self, n: usize, len: usize) {
        let room = cells(len).saturating_sub(self.filled());
        let n = u16::try_from(n).unwrap_or(room).min(room);
        self.work();
        self.ahead = self.ahead.wrapping_add(n);
    }

    /// Behind the last octet written.
    const fn filled(&self) -> u16 {
        self.end.wrapping_add(self.ahead)
    }

    /// So many octets start no frame.
    pub(crate) fn lose(&mut self, n: u32) {
        self.stats.lost = self.stats.lost.wrapping_add(n);
    }

    const fn unreported(&self) -> u32 {
        self.stats.lost.wrapping_sub(self.reported)
    }

    fn fill(&mut self) {
        self.stats.fill = self.stats.fill.wrapping_add(1);
    }

    pub(crate) fn error(&mut self, kind: ErrorKind) -> Error {
        let lost = self.unreported();
        self.reported = self.stats.lost;
        self.stats.errors = self.stats.errors.wrapping_add(1);
        Error { kind, lost }
    }

    /// At the end of the input.
    pub(crate) fn noise_before_end(&mut self) -> Option<Error> {
        (self.unreported() != 0).then(|| self.error(ErrorKind::Noise))
    }

    fn framed(&mut self) {
        self.stats.frames = self.stats.frames.wrapping_add(1);
    }

    const fn can_look(&self) -> bool {
        self.end > self.front && self.end >= self.wait
    }

    /// Whether something can be done at work without more input.
    #[inline(never)]
    const fn due(&self) -> bool {
        let paid =
            if self.shift == 0 { self.credit >= START_COST && self.can_look() } else { self.credit != 0 };
        paid || self.ahead != 0
    }

    /// Nothing is held.
    const fn idle(&mut self) {
        self.stage = Stage::Idle;
        (self.left, self.sum, self.base) = (0, 0, 0);
        (self.front, self.end, self.wait) = (0, 0, 0);
    }

    /// Leaves the stages that [`quick`](Self::quick) knows.
    fn work(&mut self) {
        match self.stage {
            Stage::Work => return,
            Stage::Idle => (self.sum, self.wait) = (0, 0),
            _ => self.wait = self.end.wrapping_add(u16::from(self.left)).wrapping_add(1),
        }
        (self.stage, self.left) = (Stage::Work, 0);
    }

    /// Enters one of them if there is nothing to do but wait, and no move is due before that ends.
    fn rest(&mut self, len: usize) -> bool {
        if self.stage == Stage::Idle {
            return true;
        }
        let next = self.wait.min(trigger(cells(len)));
        if self.ahead != 0 || self.end <= self.front || self.end >= next {
            return false;
        }
        let left = next.wrapping_sub(self.end).wrapping_sub(1);
        self.left = u8::try_from(left).unwrap_or(u8::MAX);
        self.stage = Stage::Hold;
        true
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
    /// The next event; `None` when `input` and what is committed have been taken in.
    #[inline]
    pub(crate) fn advance<'i>(
        &mut self,
        storage: &mut [u8],
        input: &mut &'i [u8],
    ) -> Option<Result<Found<'i>, Error>> {
        loop {
            // With long input and nothing held the frames are found in the input itself, where that pays.
            if cfg!(target_pointer_width = "16") || self.stage != Stage::Idle || input.len() <= 1 {
                match self.quick(storage, input) {
                    Quick::Taken => return None,
                    Quick::Frame(len) => return Some(Ok(Found::Stored(0, len))),
                    Quick::Work => {}
                }
            }
            let event = self.locate(storage, input);
            if event.is_some() || input.is_empty() {
                return event;
            }
        }
    }

    /// The input has ended: what is pending is worked off, and what can never be whole is given up.
    pub(crate) fn finish(&mut self, storage: &mut [u8]) -> Option<Result<Found<'static>, Error>> {
        loop {
            self.credit = CREDIT;
            let event = self.locate(storage, &mut &[][..]);
            if event.is_some() {
                return event;
            }
            self.work();
            if self.shift == 0 && self.ahead == 0 && !self.can_look() {
                return self.abandon(storage).map(Err);
            }
        }
    }

    /// Takes the front octets of `input` that decide nothing; how many.
    // On an AVR not expanded: where octets come one at a time, its registers are not to be saved.
    #[cfg_attr(target_pointer_width = "16", inline(never))]
    fn run(&mut self, storage: &mut [u8], input: &[u8]) -> usize {
        let (cells, sums) =
            storage.split_at_mut_checked(usize::from(cells(storage.len()))).unwrap_or_default();
        let cells = cells.get_mut(usize::from(self.end)..).unwrap_or_default();
        let run = input.get(..usize::from(self.left)).unwrap_or(input);
        let (mut sum, mut end) = (self.sum, self.end);
        for (place, octet) in cells.iter_mut().zip(run) {
            *place = *octet;
            sum = sum.wrapping_add(*octet);
            end = end.wrapping_add(1);
            if end & 7 == 0 {
                store(sums, end >> 3, sum);
            }
        }
        let taken = end.wrapping_sub(self.end);
        (self.sum, self.end) = (sum, end);
        #[expect(clippy::cast_possible_truncation, reason = "no more than what was left")]
        {
            self.left = self.left.wrapping_sub(taken as u8);
        }
        taken.into()
    }

    /// Takes octets between frames and of a good frame that starts in the first cell, which are most.
    #[inline]
    fn quick(&mut self, storage: &mut [u8], input: &mut &[u8]) -> Quick {
        loop {
            if self.stage == Stage::Work && self.due() {
                return Quick::Work;
            }
            match *input {
                [] => return Quick::Taken,
                [octet] if self.left != 0 => {
                    self.left = self.left.wrapping_sub(1);
                    self.hold(storage, *octet);
                    *input = &[];
                    return Quick::Taken;
                }
                _ if self.left != 0 => {
                    let taken = self.run(storage, input);
                    *input = input.get(taken..).unwrap_or_default();
                }
                _ => {}
            }
            let Some((&octet, rest)) = input.split_first() else { return Quick::Taken };
            match self.step(storage, octet) {
                Quick::Taken => *input = rest,
                Quick::Frame(len) => {
                    *input = rest;
                    return Quick::Frame(len);
                }
                Quick::Work => return Quick::Work,
            }
        }
    }

    /// Takes one octet, nothing being due, or leaves it for work. This is what an octet costs in an interrupt: no loop and no call, so
    /// that it needs no registers that must be saved.
    #[inline(never)]
    fn step(&mut self, storage: &mut [u8], octet: u8) -> Quick {
        if self.left != 0 {
            self.left = self.left.wrapping_sub(1);
        } else {
            match self.stage {
                Stage::Idle => match W::first(octet) {
                    First::Fill => {
                        self.fill();
                        return Quick::Taken;
                    }
                    First::Noise => {
                        self.lose(1);
                        return Quick::Taken;
                    }
                    First::Start if longest(storage.len()) < OVERHEAD => return Quick::Work,
                    First::Start => {
                        store(storage, cells(storage.len()), 0);
                        self.sum = 0;
                        (self.stage, self.left) =
                            if W::IS_LINE { (Stage::Header, 6) } else { (Stage::Hold, 0) };
                    }
                },
                Stage::Header if octet == START => (self.stage, self.left) = (Stage::Length, 1),
                Stage::Length if u16::from(octet).wrapping_add(OVERHEAD) <= longest(storage.len()) => {
                    (self.stage, self.left) = (Stage::Check, octet);
                }
                Stage::Check if octet == self.sum => self.stage = Stage::End,
                Stage::End if octet == END && self.unreported() == 0 => {
                    store(storage, self.end, octet);
                    let len = self.end.wrapping_add(1);
                    self.framed();
                    (self.stage, self.end) = (Stage::Idle, 0);
                    return Quick::Frame(len);
                }
                Stage::Work if self.shift != 0 => {
                    self.arrive_moving(storage, octet);
                    return Quick::Taken;
                }
                // Back between frames.
                Stage::Work if self.front == self.end => return Quick::Work,
                Stage::Work => {
                    store(storage, self.end, octet);
                    self.arrive(storage, octet);
                    return Quick::Taken;
                }
                // What the octet means, `look` decides.
                _ => {
                    self.work();
                    self.credit = CREDIT;
                }
            }
        }
        self.hold(storage, octet);
        Quick::Taken
    }

    #[inline]
    fn hold(&mut self, storage: &mut [u8], octet: u8) {
        store(storage, self.end, octet);
        self.sum = self.sum.wrapping_add(octet);
        self.end = self.end.wrapping_add(1);
        if self.end & 7 == 0 {
            store(storage, cells(storage.len()).wrapping_add(self.end >> 3), self.sum);
        }
    }

    /// The next event, whatever the stage; `None` when there is none before more octets come, or before
    /// [`quick`](Self::quick) has taken some of `input`.
    // Its parts are not inlined, here or in `advance`: each would pay for the registers of all.
    #[inline(never)]
    fn locate<'i>(&mut self, storage: &mut [u8], input: &mut &'i [u8]) -> Option<Result<Found<'i>, Error>> {
        if longest(storage.len()) < OVERHEAD {
            return self.no_room(input);
        }
        self.work();
        loop {
            if self.shift == 0 {
                if self.credit >= START_COST && self.can_look() {
                    match self.look(storage) {
                        Looked::Nothing => {}
                        Looked::Error(kind) => return Some(Err(self.error(kind))),
                        Looked::Frame => return Some(Ok(Found::Stored(self.wait, self.front))),
                    }
                }
                if self.front == self.end && self.ahead == 0 {
                    self.idle();
                    if cfg!(target_pointer_width = "16") {
                        return None;
                    }
                    let event = self.bulk(input, longest(storage.len()));
                    if event.is_none()
                        && let Some((&octet, rest)) = input.split_first()
                    {
                        self.step(storage, octet);
                        *input = rest;
                    }
                    return event;
                }
                // With the octet at hand that is waited for, there is nothing to rest from.
                let is_due = cfg!(target_pointer_width = "64")
                    && self.end.wrapping_add(1) == self.wait
                    && !input.is_empty();
                if !is_due && self.rest(storage.len()) {
                    return None;
                }
            } else if self.credit != 0 {
                self.credit = 0;
                self.move_down(storage);
                continue;
            }
            let octet = if self.ahead != 0 {
                self.ahead = self.ahead.wrapping_sub(1);
                storage.get(usize::from(self.place(self.end))).copied().unwrap_or_default()
            } else {
                let (&octet, rest) = input.split_first()?;
                *input = rest;
                store(storage, self.end, octet);
                octet
            };
            self.arrive(storage, octet);
        }
    }

    /// A storage that takes no frame at all takes octets all the same, so that a caller's loop ends.
    #[cold]
    fn no_room<'i>(&mut self, input: &mut &'i [u8]) -> Option<Result<Found<'i>, Error>> {
        let held = self.filled().wrapping_sub(self.front);
        #[expect(clippy::cast_possible_truncation, reason = "counters are modulo 2^32")]
        let given_up = (input.len() as u32).wrapping_add(u32::from(held));
        self.idle();
        self.ahead = 0;
        *input = &[];
        self.lose(given_up);
        (self.unreported() != 0).then(|| Err(self.error(ErrorKind::TooLong)))
    }

    /// Looks at positions from the front one on, which has what the last look waited for, as far as is paid for.
    #[inline]
    fn look(&mut self, storage: &[u8]) -> Looked {
        let mut run = storage.get(usize::from(self.front)..usize::from(self.end)).unwrap_or_default();
        let (mut credit, mut base) = (self.credit, self.base);
        let (mut lost, mut fill) = (0u8, 0u8);
        while credit != 0
            && let Some((&octet, rest)) = run.split_first()
        {
            match W::first(octet) {
                First::Start => break,
                First::Fill => fill = fill.wrapping_add(1),
                First::Noise => lost = lost.wrapping_add(1),
            }
            credit = credit.wrapping_sub(1);
            base = base.wrapping_add(octet);
            run = rest;
        }
        let mut front = self.front.wrapping_add(u16::from(lost)).wrapping_add(u16::from(fill));
        let mut looked = Looked::Nothing;
        if credit >= START_COST && !run.is_empty() {
            // How far the sum is known once this has been looked at.
            let mut known = (0, base);
            let verdict = W::front(run, longest(storage.len()), |start, end| {
                let before = |at| sum_before(storage, front.wrapping_add(at));
                known = (end, before(end));
                known.1.wrapping_sub(if start == 0 { base } else { before(start) })
            });
            match verdict {
                Front::Wait(n) => self.wait = front.wrapping_add(n),
                // The frame is due with its last octet, so this look is not charged for: it happens again.
                Front::Frame(_) if lost != 0 || self.unreported() != 0 => {
                    looked = Looked::Error(ErrorKind::Noise);
                }
                Front::Frame(n) => {
                    self.framed();
                    self.wait = front;
                    front = front.wrapping_add(n);
                    let rest = run.get(usize::from(known.0)..usize::from(n)).unwrap_or_default();
                    base = rest.iter().fold(known.1, |sum, octet| sum.wrapping_add(*octet));
                    credit = credit.wrapping_sub(START_COST);
                    looked = Looked::Frame;
                }
                Front::Reject(kind) => {
                    lost = lost.wrapping_add(1);
                    front = front.wrapping_add(1);
                    base = base.wrapping_add(START);
                    credit = credit.wrapping_sub(START_COST);
                    looked = Looked::Error(kind);
                    // In a flood of starts the next one mostly waits: to know that now saves a look.
                    if cfg!(target_pointer_width = "64")
                        && let Some((_, next)) = run.split_first()
                        && let Front::Wait(n) = W::front(next, longest(storage.len()), |start, end| {
                            let before = |at| sum_before(storage, front.wrapping_add(at));
                            before(end).wrapping_sub(if start == 0 { base } else { before(start) })
                        })
                    {
                        self.wait = front.wrapping_add(n);
                    }
                }
                // A first octet that may start a frame is neither.
                Front::Fill | Front::Noise => {}
            }
        }
        (self.front, self.base, self.credit) = (front, base, credit);
        if lost != 0 {
            self.lose(lost.into());
        }
        if fill != 0 {
            self.stats.fill = self.stats.fill.wrapping_add(fill.into());
        }
        looked
    }

    /// With nothing held, the input itself is looked at and nothing is copied. Leaves at the first start octet that
    /// needs more octets or whose claim is wrong: the cells decide such, so that a call costs what its octets pay for.
    #[inline]
    pub(crate) fn bulk<'i>(
        &mut self,
        input: &mut &'i [u8],
        longest: u16,
    ) -> Option<Result<Found<'i>, Error>> {
        loop {
            let run: &'i [u8] = input;
            let verdict = W::front(run, longest, |start, end| {
                octets::sum(run.get(usize::from(start)..usize::from(end)).unwrap_or_default())
            });
            match verdict {
                Front::Fill => {
                    self.fill();
                    *input = run.get(1..)?;
                }
                Front::Noise => {
                    let n = W::noise(run);
                    let (_, rest) = run.split_at_checked(n)?;
                    #[expect(clippy::cast_possible_truncation, reason = "counters are modulo 2^32")]
                    self.lose(n as u32);
                    *input = rest;
                }
                Front::Reject(kind @ (ErrorKind::Header | ErrorKind::TooLong)) => {
                    *input = run.get(1..)?;
                    self.lose(1);
                    return Some(Err(self.error(kind)));
                }
                Front::Frame(_) if self.unreported() != 0 => return Some(Err(self.error(ErrorKind::Noise))),
                Front::Frame(n) => {
                    let (octets, rest) = run.split_at_checked(usize::from(n))?;
                    *input = rest;
                    self.framed();
                    return Some(Ok(Found::Input(octets)));
                }
                Front::Wait(_) | Front::Reject(_) => return None,
            }
        }
    }

    /// One octet arrives while cells are being moved, and pays for that.
    #[inline(never)]
    fn arrive_moving(&mut self, storage: &mut [u8], octet: u8) {
        store(storage, self.end, octet);
        self.arrive(storage, octet);
        self.credit = 0;
        self.move_down(storage);
    }

    /// One octet arrives; its cell holds it already.
    #[inline(never)]
    fn arrive(&mut self, storage: &mut [u8], octet: u8) {
        let cells = cells(storage.len());
        if self.end == 0 {
            // The storage may be as the caller left it.
            store(storage, cells, 0);
        }
        self.sum = self.sum.wrapping_add(octet);
        self.end = self.end.wrapping_add(1);
        if self.end & 7 == 0 {
            let after = self.place(self.end.wrapping_sub(1)).wrapping_add(1);
            store(storage, cells.wrapping_add(after >> 3), self.sum);
        }
        self.credit = CREDIT;
        if self.shift == 0 && self.front >= 8 && self.end >= trigger(cells) {
            self.shift = self.front & !7;
            self.moved = 0;
            // From the next octet on.
            self.credit = 0;
            let (_, sums) = storage.split_at_mut_checked(usize::from(cells)).unwrap_or_default();
            copy_down(sums, self.shift >> 3, 0, 1);
        }
    }

    /// One step of taking dead cells back. Behind each eight moves the sum that follows them: if their last octet has
    /// arrived already it has been written, otherwise it will be written at its new place.
    #[inline(never)]
    fn move_down(&mut self, storage: &mut [u8]) {
        let (cells, sums) =
            storage.split_at_mut_checked(usize::from(cells(storage.len()))).unwrap_or_default();
        let from = self.moved.wrapping_add(self.shift);
        copy_down(cells, from, self.moved, MOVE);
        copy_down(sums, (from >> 3).wrapping_add(1), (self.moved >> 3).wrapping_add(1), MOVE >> 3);
        self.moved = self.moved.wrapping_add(MOVE);
        if self.moved.wrapping_add(self.shift) >= self.filled() {
            let shift = core::mem::take(&mut self.shift);
            self.front = self.front.wrapping_sub(shift);
            self.end = self.end.wrapping_sub(shift);
            // What was waited for may have come long ago.
            self.wait = self.wait.saturating_sub(shift);
        }
    }

    /// Nothing more will come: the front position is given up, or what has been lost is reported.
    fn abandon(&mut self, storage: &[u8]) -> Option<Error> {
        if self.front == self.end {
            return self.noise_before_end();
        }
        self.lose(1);
        self.base = self.base.wrapping_add(storage.get(usize::from(self.front)).copied().unwrap_or_default());
        self.front = self.front.wrapping_add(1);
        self.wait = self.front;
        Some(self.error(ErrorKind::Truncated))
    }
}

/// Sum of all cells before `at`, which has arrived: the octets of the last eight are added to the sum before them.
// Captures nothing, so that nothing goes by way of the stack.
fn sum_before(storage: &[u8], at: u16) -> u8 {
    let sums = cells(storage.len());
    let eights = storage.get(usize::from(sums.wrapping_add(at >> 3))).copied().unwrap_or_default();
    let rest = storage.get(usize::from(at & !7)..usize::from(at)).unwrap_or_default();
    rest.iter().fold(eights, |sum, octet| sum.wrapping_add(*octet))
}

#[inline]
fn store(storage: &mut [u8], at: u16, octet: u8) {
    if let Some(place) = storage.get_mut(usize::from(at)) {
        *place = octet;
    }
}

/// Copies `n` octets to a place in front of them, or as many as there are. Octet by octet, since the stretches may overlap,
/// and `memmove` takes AVR three times as long.
#[inline]
fn copy_down(octets: &mut [u8], from: u16, to: u16, n: u16) {
    let octets = Cell::from_mut(octets).as_slice_of_cells();
    let source = octets.get(usize::from(from)..).unwrap_or_default();
    let source = source.get(..usize::from(n)).unwrap_or(source);
    let target = octets.get(usize::from(to)..).unwrap_or_default();
    source.iter().zip(target).for_each(|(from, to)| to.set(from.get()));
}
