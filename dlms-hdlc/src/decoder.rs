//! The stream decoder: how octets that come in any pieces become frames and errors.
//!
//! A framing is a small machine fed one octet at a time. When a candidate frame turns out bad, its first octet is
//! given up and the octets behind it are fed again, in place. Octets that arrive meanwhile queue up behind them, and
//! each pays for at most eight octets fed again, so no octet is slow and the state depends on the octets alone,
//! not on how they were cut into calls.

use crate::error::{Error, ErrorKind, Stats};
use core::cell::Cell;
use core::fmt;

/// Octets fed again for each octet that arrives.
const EFFORT: u8 = 8;
const EACH: usize = EFFORT as usize;
/// Octets of input from which looking at them together pays.
const WORTH: usize = 7;
/// Room kept behind the longest frame for the octets that arrive while a header is fed again.
const HEADER_ROOM: usize = 16;

/// Storage below this holds no header, so nothing is decoded in it.
const SMALLEST: usize = 18;
/// Octets of noise after which it is reported, though no frame ends it: a wrong baud rate must not look like silence.
pub(crate) const REPORTED: u32 = 1024;

/// Longest frame, in octets, that a decoder with `capacity` octets of storage can take: 7/8 of it, less 16.
///
/// The rest is room for the octets that arrive while a bad frame is searched again. An Aidon list of 579 octets
/// needs 678; 2,356 serve every HDLC frame (2,047 octets at most).
#[must_use]
pub const fn longest_frame(capacity: usize) -> usize {
    let room = capacity.saturating_sub(HEADER_ROOM);
    // Of nine octets fed, eight are fed again and one arrives.
    room.saturating_sub(room.div_ceil(EACH))
}

/// What a framing says of one octet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// May stand between frames.
    Fill,
    /// Belongs to no frame.
    Noise,
    /// Belongs to the candidate, which goes on.
    More,
    /// Completes a frame.
    Frame,
    /// Stands behind a whole frame and is fill itself.
    FrameBefore,
    /// Shows that the candidate is no frame.
    Reject(ErrorKind),
}

/// A framing: where a frame starts, how long it is, and whether its check values hold.
///
/// Sealed: the framings of this crate are all there are.
pub trait Framing: Sized + sealed::Sealed {
    /// The borrowed view of a whole frame.
    type Frame<'a>: Copy + fmt::Debug;
    /// The machine at the start of the input or of an idle line.
    #[doc(hidden)]
    const START: Self;
    /// Takes one octet in, at index `held` of the candidate; `capacity` octets of storage hold it.
    #[doc(hidden)]
    fn feed(&mut self, held: usize, octet: u8, capacity: usize) -> Step;
    /// Takes in the front octets of `octets` that decide nothing, and says how many. The first of a frame always does.
    #[doc(hidden)]
    fn feed_many(&mut self, held: usize, octets: &[u8]) -> usize;
    /// Takes in one octet, if it decides nothing.
    #[doc(hidden)]
    #[inline]
    fn feed_one(&mut self, held: usize, octet: u8) -> bool {
        self.feed_many(held, &[octet]) > 0
    }
    /// Length of the whole good frame at the front of `octets`, where a frame may start now, or why a whole one is not
    /// good. `None`: go octet by octet.
    #[doc(hidden)]
    fn whole(&self, octets: &[u8], capacity: usize) -> Option<Result<usize, ErrorKind>>;
    /// How many octets at the front are fill, no candidate being held. They are taken in.
    #[doc(hidden)]
    fn fill(&mut self, _octets: &[u8]) -> usize {
        0
    }
    /// How many octets at the front are noise for certain, no candidate being held.
    #[doc(hidden)]
    fn noise(&self, octets: &[u8]) -> usize;
    /// The candidate was delivered (`true`) or given up.
    #[doc(hidden)]
    fn restart(&mut self, delivered: bool);
    /// The view of a frame found whole.
    #[doc(hidden)]
    fn view(octets: &[u8]) -> Self::Frame<'_>;
}

pub(crate) mod sealed {
    /// Keeps other crates from adding framings.
    #[expect(unnameable_types, reason = "that nobody can name it is the point")]
    pub trait Sealed {}
}

/// A stream decoder over storage that the caller lends: `[u8; N]`, `&mut [u8]`, `Box<[u8]>`, …
///
/// The storage must hold the longest frame expected and some room; see [`longest_frame`]. Given octet by octet, one
/// octet costs at most nine steps of the framing, whatever the stream; where bad frames with good headers lie inside
/// one another, what is held is moved within the storage as well. In chunks, each false start with a good header
/// costs the octets that it claims once more.
///
/// Behind a bad frame the octets held are searched again, eight for each octet that arrives: a good frame among them
/// comes out a little later than with its last octet, or with [`finish`](Self::finish) when the line falls idle.
/// False starts with good headers that follow one another closer than an eighth of what they claim can outrun that;
/// then the one in progress is given up as [`Overrun`](ErrorKind::Overrun).
pub struct Decoder<F, B> {
    storage: B,
    core: Core<F>,
}

/// What the decoder knows beside the octets. In the storage stand, from the front: the candidate (`held` octets), a
/// gap left by octets fed again, the octets still to be fed again (`read..end`), and those committed by the caller
/// that have not arrived yet (`end..committed`). With nothing behind the gap, `committed` is 0.
#[derive(Clone, Copy, Debug)]
struct Core<F> {
    framing: F,
    held: usize,
    read: usize,
    end: usize,
    committed: usize,
    /// The gap as it would be had the octets come one at a time; this one decides about overruns.
    gap: usize,
    credit: u8,
    /// The candidate is a whole frame, held back until the loss before it has been reported.
    ready: bool,
    noise: u32,
    stats: Stats,
}

/// Where a frame was found. Not borrowing, so that loops can end before the borrow starts.
enum Found<'i> {
    Input(&'i [u8]),
    Stored(usize),
}

impl<F: Framing, B> Decoder<F, B> {
    /// A decoder at the start of a line, over `storage`.
    pub const fn new(storage: B) -> Self {
        Self { storage, core: Core::new(Stats::ZERO) }
    }

    /// What came out so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }

    /// Octets taken in and not yet reported as part of a frame, as lost or as fill.
    #[must_use]
    pub const fn pending(&self) -> usize {
        let queued = self.core.committed.saturating_sub(self.core.read);
        self.core.held.saturating_add(queued).saturating_add(self.core.noise as usize)
    }

    /// Forgets everything held, as at the start of a line; the counters stay.
    pub fn reset(&mut self) {
        self.core = Core::new(self.core.stats);
    }
}

impl<F: Framing, B: AsRef<[u8]> + AsMut<[u8]>> Decoder<F, B> {
    /// Takes octets off the front of `input` until there is something to report, and reports it.
    ///
    /// `None` means that `input` is empty now. Call in a loop. An empty input hands out what is due: octets committed,
    /// and a frame whose preceding loss has just been reported.
    ///
    /// # Errors
    /// Octets given up, with the reason. Decoding goes on with the next call.
    #[inline]
    pub fn decode<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Result<F::Frame<'s>, Error>> {
        if self.core.is_one_more(self.storage.as_mut(), input) {
            *input = &[];
            return None;
        }
        let found = self.core.advance(self.storage.as_mut(), input)?;
        Some(found.map(|found| self.view(found)))
    }

    /// Ends the frame in progress: the line is idle, or the input at its end. Call until `None`.
    ///
    /// # Errors
    /// [`Truncated`](ErrorKind::Truncated) for a frame cut short; whole frames inside it still come out.
    pub fn finish(&mut self) -> Option<Result<F::Frame<'_>, Error>> {
        let found = self.core.finish(self.storage.as_mut())?;
        Some(found.map(|found| self.view(found)))
    }

    /// Free storage behind what is held, to receive into; then [`commit`](Self::commit).
    /// Never empty after [`decode`](Self::decode) returned `None`, given storage of 18 octets or more.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        let storage = self.storage.as_mut();
        if storage.len() < SMALLEST {
            return &mut [];
        }
        if self.core.committed >= storage.len() {
            self.core.close_gap(storage);
        }
        storage.get_mut(self.core.behind()..).unwrap_or_default()
    }

    /// Says that `n` octets were received into [`spare_mut`](Self::spare_mut). They are decoded by the next calls of
    /// [`decode`](Self::decode), for which an empty input will do. More than there was room for counts as the room.
    pub fn commit(&mut self, n: usize) {
        let from = self.core.behind();
        let len = self.storage.as_ref().len();
        let to = from.saturating_add(n).min(len);
        if to > from && len >= SMALLEST {
            if self.core.committed == 0 {
                (self.core.read, self.core.end) = (from, from);
            }
            self.core.committed = to;
        }
    }

    fn view<'s, 'i: 's>(&'s self, found: Found<'i>) -> F::Frame<'s> {
        F::view(match found {
            Found::Input(octets) => octets,
            Found::Stored(len) => self.storage.as_ref().get(..len).unwrap_or_default(),
        })
    }

    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn due(&mut self) -> Option<Result<usize, Error>> {
        let found = self.core.advance(self.storage.as_mut(), &mut &[][..])?;
        Some(found.map(Found::stored))
    }

    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn last(&mut self) -> Option<Result<usize, Error>> {
        let found = self.core.finish(self.storage.as_mut())?;
        Some(found.map(Found::stored))
    }

    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn stored(&self, len: usize) -> F::Frame<'_> {
        self.view(Found::Stored(len))
    }
}

#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
impl Found<'_> {
    fn stored(self) -> usize {
        match self {
            Self::Input(octets) => octets.len(),
            Self::Stored(len) => len,
        }
    }
}

impl<F: Framing> Core<F> {
    const fn new(stats: Stats) -> Self {
        Self {
            framing: F::START,
            held: 0,
            read: 0,
            end: 0,
            committed: 0,
            gap: 0,
            credit: 0,
            ready: false,
            noise: 0,
            stats,
        }
    }

    /// Takes in a single octet, as an interrupt has it, that belongs to the frame in progress and decides nothing. On
    /// an AVR a third of the cycles of the long way.
    #[inline]
    fn is_one_more(&mut self, buf: &mut [u8], input: &[u8]) -> bool {
        let [octet] = *input else { return false };
        if self.committed > 0 || !self.framing.feed_one(self.held, octet) {
            return false;
        }
        self.hold(buf, octet);
        true
    }

    /// One copy of the machine code for each framing, whatever the storage. On an AVR not expanded in `decode`, which would
    /// then save all its registers, 80 cycles, for the sake of one octet.
    #[cfg_attr(target_pointer_width = "16", inline(never))]
    fn advance<'i>(&mut self, buf: &mut [u8], input: &mut &'i [u8]) -> Option<Result<Found<'i>, Error>> {
        if buf.len() < SMALLEST {
            return self.too_small(input);
        }
        loop {
            if self.ready {
                return Some(Ok(self.deliver()));
            }
            let event = if self.committed == 0 {
                // A few octets are fed one by one sooner than looked at together.
                if input.len() >= WORTH
                    && let Some(event) = self.bulk(buf, input)
                {
                    return Some(event);
                }
                let (&octet, rest) = input.split_first()?;
                *input = rest;
                self.take(buf, octet)
            } else if self.read < self.end && self.credit > 0 {
                self.take_queued(buf, self.credit)
            } else {
                // On small targets input comes octet by octet, and the flash is worth more.
                if cfg!(target_pointer_width = "64") && self.bulk_queued(buf, input) {
                    continue;
                }
                let waiting = self.end.wrapping_sub(self.read);
                if waiting == 0 {
                    self.gap = 0;
                } else if self.held.wrapping_add(self.gap).wrapping_add(waiting) >= buf.len() {
                    // Closing the gap makes room; for a few octets it is not worth the move.
                    if self.gap < HEADER_ROOM {
                        return Some(Err(self.overrun(waiting)));
                    }
                    self.gap = 0;
                    self.close_gap(buf);
                }
                if self.end == self.committed {
                    if self.end >= buf.len() {
                        self.close_gap(buf);
                    }
                    let (&octet, rest) = input.split_first()?;
                    *input = rest;
                    put(buf, self.end, octet);
                    self.committed = self.end.wrapping_add(1);
                }
                self.end = self.end.wrapping_add(1);
                self.credit = EFFORT;
                None
            };
            if event.is_some() {
                return event;
            }
        }
    }

    /// Passes whole frames, noise and octets that decide nothing, with nothing queued.
    fn bulk<'i>(&mut self, buf: &mut [u8], input: &mut &'i [u8]) -> Option<Result<Found<'i>, Error>> {
        if self.held > 0 {
            let n = self.framing.feed_many(self.held, input);
            let to = self.held.wrapping_add(n);
            if let (Some((many, rest)), Some(behind)) = (input.split_at_checked(n), buf.get_mut(self.held..))
                && let Some(place) = behind.get_mut(..many.len())
            {
                place.copy_from_slice(many);
                self.held = to;
                *input = rest;
            }
            return None;
        }
        let fill = self.framing.fill(input);
        *input = input.get(fill..).unwrap_or_default();
        self.stats.fill = self.stats.fill.wrapping_add(wrapped(fill));
        if let Some(Ok(len)) = self.framing.whole(input, buf.len())
            && let Some((frame, rest)) = input.split_at_checked(len)
        {
            if self.noise > 0 {
                return Some(Err(self.error(ErrorKind::Noise)));
            }
            *input = rest;
            self.stats.frames = self.stats.frames.wrapping_add(1);
            self.framing.restart(true);
            return Some(Ok(Found::Input(frame)));
        }
        let noise = self.noise_in(input);
        *input = input.get(noise..).unwrap_or_default();
        self.lose(noise);
        self.much_noise()
    }

    /// Feeds queued octets that decide nothing, and lets as many arrive as pay for that: as one at a time would have.
    /// `false`: not even one, for lack of room or because it might decide something.
    fn bulk_queued(&mut self, buf: &mut [u8], input: &mut &[u8]) -> bool {
        let waiting = self.end.wrapping_sub(self.read);
        if self.held == 0 || self.end != self.committed {
            return false;
        }
        // Each that arrives takes a place in the storage.
        let room = buf.len().saturating_sub(self.held.saturating_add(self.gap).saturating_add(waiting));
        let places = buf.len().saturating_sub(self.end);
        let most = input.len().min(waiting / EACH).min(room).min(places);
        let paid = self.read.wrapping_add(most.wrapping_mul(EACH));
        let fed = self.framing.feed_many(self.held, buf.get(self.read..paid).unwrap_or_default());
        if fed == 0 {
            return false;
        }
        let arrived = fed.div_ceil(EACH);
        let Some((arriving, rest)) = input.split_at_checked(arrived) else { return false };
        *input = rest;
        for octet in arriving {
            put(buf, self.end, *octet);
            self.end = self.end.wrapping_add(1);
        }
        self.committed = self.end;
        let behind = self.read.wrapping_add(fed);
        move_down(buf, self.read, behind, self.held);
        (self.read, self.held) = (behind, self.held.wrapping_add(fed));
        self.credit = u8::try_from(arrived.wrapping_mul(EACH).wrapping_sub(fed)).unwrap_or_default();
        true
    }

    fn finish<'i>(&mut self, buf: &mut [u8]) -> Option<Result<Found<'i>, Error>> {
        if buf.len() < SMALLEST {
            return (self.noise > 0).then(|| Err(self.error(ErrorKind::Noise)));
        }
        loop {
            if self.ready {
                return Some(Ok(self.deliver()));
            }
            self.end = self.committed;
            if self.committed > 0 {
                let event = self.take_queued(buf, u8::MAX);
                if event.is_some() {
                    return event;
                }
            } else if self.held > 0 {
                return Some(self.reject(buf, ErrorKind::Truncated));
            } else {
                self.framing = F::START;
                return (self.noise > 0).then(|| Err(self.error(ErrorKind::Noise)));
            }
        }
    }

    /// Feeds one queued octet, or passes what noise there is among the first `most`.
    fn take_queued<'i>(&mut self, buf: &mut [u8], most: u8) -> Option<Result<Found<'i>, Error>> {
        let queued = buf.get(self.read..self.end)?;
        let octet = *queued.first()?;
        let noise =
            if self.held > 0 { 0 } else { self.noise_in(queued.get(..most.into()).unwrap_or(queued)) };
        let passed = noise.max(1);
        self.read = self.read.wrapping_add(passed);
        self.credit = self.credit.saturating_sub(u8::try_from(passed).unwrap_or(u8::MAX));
        let event = if noise > 0 {
            self.gap = self.gap.wrapping_add(noise);
            self.lose(noise);
            self.much_noise()
        } else {
            self.take(buf, octet)
        };
        if self.read == self.committed {
            self.clear_queue();
        }
        event
    }

    /// How many octets at the front are noise for certain; no more than make a report.
    fn noise_in(&self, octets: &[u8]) -> usize {
        let most = usize::try_from(REPORTED.saturating_sub(self.noise)).unwrap_or(usize::MAX);
        self.framing.noise(octets).min(most)
    }

    /// Feeds one octet, which has left the queue or the input, to the framing.
    #[inline]
    fn take<'i>(&mut self, buf: &mut [u8], octet: u8) -> Option<Result<Found<'i>, Error>> {
        match self.framing.feed(self.held, octet, buf.len()) {
            Step::More => {
                self.hold(buf, octet);
                None
            }
            Step::Fill => {
                self.gap = self.gap.wrapping_add(1);
                self.stats.fill = self.stats.fill.wrapping_add(1);
                None
            }
            Step::Noise => {
                self.gap = self.gap.wrapping_add(1);
                self.lose(1);
                self.much_noise()
            }
            step => self.decided(buf, octet, step),
        }
    }

    /// The candidate ends with this octet.
    #[inline(never)]
    fn decided<'i>(&mut self, buf: &mut [u8], octet: u8, step: Step) -> Option<Result<Found<'i>, Error>> {
        if step == Step::FrameBefore {
            self.gap = self.gap.wrapping_add(1);
            self.stats.fill = self.stats.fill.wrapping_add(1);
        } else {
            self.hold(buf, octet);
        }
        if let Step::Reject(kind) = step {
            return Some(self.reject(buf, kind));
        }
        if self.noise > 0 {
            self.ready = true;
            return Some(Err(self.error(ErrorKind::Noise)));
        }
        Some(Ok(self.deliver()))
    }

    fn hold(&mut self, buf: &mut [u8], octet: u8) {
        put(buf, self.held, octet);
        self.held = self.held.wrapping_add(1);
    }

    fn deliver<'i>(&mut self) -> Found<'i> {
        self.ready = false;
        self.framing.restart(true);
        self.stats.frames = self.stats.frames.wrapping_add(1);
        self.gap = self.gap.wrapping_add(self.held);
        Found::Stored(core::mem::take(&mut self.held))
    }

    /// Gives up the first octet of the candidate and queues the others to be fed again.
    fn reject<'i>(&mut self, buf: &mut [u8], kind: ErrorKind) -> Result<Found<'i>, Error> {
        if self.committed == 0 {
            (self.read, self.end, self.committed) = (self.held, self.held, self.held);
            (self.gap, self.credit) = (0, EFFORT.wrapping_sub(1));
        }
        let again = self.held.wrapping_sub(1);
        let to = self.read.wrapping_sub(again);
        if self.read > self.held {
            move_up(buf, 1, self.held, to);
        }
        self.read = to;
        self.held = 0;
        self.gap = self.gap.wrapping_add(1);
        if self.read == self.committed {
            self.clear_queue();
        }
        self.framing.restart(false);
        self.lose(1);
        Err(self.error(kind))
    }

    /// Gives up what makes room at once: the candidate in progress or, where none is, all that waits.
    fn overrun(&mut self, waiting: usize) -> Error {
        if self.held > 0 {
            self.gap = self.gap.wrapping_add(self.held);
            let held = core::mem::take(&mut self.held);
            self.lose(held);
        } else {
            self.lose(waiting);
            self.gap = 0;
            self.read = self.end;
            if self.read == self.committed {
                self.clear_queue();
            }
        }
        self.framing.restart(false);
        self.error(ErrorKind::Overrun)
    }

    /// In storage too small for any header all octets are noise.
    #[cold]
    fn too_small<'i>(&mut self, input: &mut &[u8]) -> Option<Result<Found<'i>, Error>> {
        self.lose(core::mem::take(input).len());
        self.much_noise()
    }

    #[inline]
    fn much_noise<'i>(&mut self) -> Option<Result<Found<'i>, Error>> {
        (self.noise >= REPORTED).then(|| Err(self.error(ErrorKind::Noise)))
    }

    /// Index behind all that the storage holds.
    const fn behind(&self) -> usize {
        if self.committed > 0 { self.committed } else { self.held }
    }

    /// With nothing queued there is no gap, and the storage behind the candidate is free.
    fn clear_queue(&mut self) {
        (self.read, self.end, self.committed) = (0, 0, 0);
        (self.gap, self.credit) = (0, 0);
    }

    fn close_gap(&mut self, buf: &mut [u8]) {
        if buf.get(self.read..self.committed).is_some() && self.read > self.held {
            move_down(buf, self.read, self.committed, self.held);
            let by = self.read.wrapping_sub(self.held);
            self.read = self.held;
            self.end = self.end.wrapping_sub(by);
            self.committed = self.committed.wrapping_sub(by);
        }
    }

    fn lose(&mut self, octets: usize) {
        self.noise = self.noise.wrapping_add(wrapped(octets));
    }

    fn error(&mut self, kind: ErrorKind) -> Error {
        let lost = core::mem::take(&mut self.noise);
        self.stats.errors = self.stats.errors.wrapping_add(1);
        self.stats.lost = self.stats.lost.wrapping_add(lost);
        Error { kind, lost }
    }
}

/// Octets as the counters have them, which wrap at 2^32.
#[expect(clippy::cast_possible_truncation, reason = "the counters wrap")]
pub(crate) const fn wrapped(octets: usize) -> u32 {
    octets as u32
}

/// Moves octets within the storage to a place in front of them. Octet by octet: `copy_within` would link 750 octets of
/// text on a Cortex-M0, and what is moved has been fed octet by octet before.
fn move_down(buf: &mut [u8], from: usize, to: usize, at: usize) {
    let octets = Cell::from_mut(buf).as_slice_of_cells();
    if let (Some(from), Some(at)) = (octets.get(from..to), octets.get(at..)) {
        at.iter().zip(from).for_each(|(to, octet)| to.set(octet.get()));
    }
}

/// Moves octets within the storage to a place behind their front, the last one first.
fn move_up(buf: &mut [u8], from: usize, to: usize, at: usize) {
    let octets = Cell::from_mut(buf).as_slice_of_cells();
    let end = at.wrapping_add(to.wrapping_sub(from));
    if let (Some(from), Some(at)) = (octets.get(from..to), octets.get(at..end)) {
        at.iter().zip(from).rev().for_each(|(to, octet)| to.set(octet.get()));
    }
}

fn put(buf: &mut [u8], at: usize, octet: u8) {
    if let Some(place) = buf.get_mut(at) {
        *place = octet;
    }
}

impl<F, B> fmt::Debug for Decoder<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("held", &self.core.held)
            .field("stats", &self.core.stats)
            .finish_non_exhaustive()
    }
}
