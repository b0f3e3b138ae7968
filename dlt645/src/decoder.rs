//! The stream decoder and the slice iterator.

use crate::error::Error;
use crate::frame::{Frame, LONGEST};
use crate::machine::{self, Found, Machine, Stats};
use crate::slices::Slices;
use crate::wire::Line;

/// Storage octets that hold any frame: 267 octets, room for the rescan after a false start, and its running sums.
///
/// A smaller storage works for shorter frames, see [`Decoder::longest`]; a longer claim is then
/// [`ErrorKind::TooLong`](crate::ErrorKind::TooLong). Below 46 octets not even a frame without data fits, and all input
/// is given up so.
pub const STORAGE: usize = 367;

const _: () = assert!(machine::longest(46) >= 12 && machine::longest(45) < 12, "as documented");
const _: () = assert!(machine::longest(STORAGE) >= LONGEST, "a decoder of STORAGE octets takes any frame");

/// Finds frames in a stream of octets that comes in pieces of any size.
///
/// ```
/// use dlt645::{Decoder, STORAGE};
/// let mut decoder = Decoder::new([0; STORAGE]);
/// let received = *b"\xFE\xFE\x68\x61\x01\x00\x00\x00\x00\x68\x91\x08\x33\x33\x34\x33\x59\x33\x33\x33\x8A\x16";
/// for octet in received {
///     let mut input = &[octet][..];
///     while let Some(event) = decoder.decode(&mut input) {
///         assert_eq!(event.unwrap().address().to_string(), "000000000161");
///     }
/// }
/// assert_eq!(decoder.stats().frames, 1);
/// ```
#[derive(Debug, Clone)]
pub struct Decoder<B> {
    machine: Machine<Line>,
    storage: B,
}

impl<B> Decoder<B> {
    /// Works in a `static`.
    #[must_use]
    pub const fn new(storage: B) -> Self {
        Self { machine: Machine::new(), storage }
    }

    /// What has passed so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.machine.stats()
    }

    /// Octets taken in that are in no frame handed out, no error reported and no fill counted.
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.machine.held()
    }

    /// Forgets what is held, unreported; the counters stay.
    pub fn reset(&mut self) {
        self.machine.reset();
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// The next frame or error from `input`, which is advanced by what was taken. `None`: all has been taken in.
    ///
    /// A good frame comes with its last octet. After a false start the rescan is spread over the octets that follow,
    /// so that no octet is slow: a good frame inside a false one may come a little later, or with
    /// [`finish`](Self::finish).
    #[inline]
    pub fn decode<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Result<Frame<'s>, Error>> {
        let found = self.machine.advance(self.storage.as_mut(), input)?;
        Some(found.map(|found| self.frame(found)))
    }

    /// The line has been idle for [`GAP`](crate::GAP), or the input has ended: what is held is worked off. Call until
    /// `None`.
    pub fn finish(&mut self) -> Option<Result<Frame<'_>, Error>> {
        let found = self.machine.finish(self.storage.as_mut())?;
        Some(found.map(|found| self.frame(found)))
    }

    /// Storage for octets to be written in place (DMA, `read`); never empty after [`decode`](Self::decode) returned
    /// `None`. Say how many came with [`commit`](Self::commit).
    pub fn spare_mut(&mut self) -> &mut [u8] {
        let storage = self.storage.as_mut();
        let spare = self.machine.spare(storage.len());
        storage.get_mut(spare).unwrap_or_default()
    }

    /// The first `n` octets of [`spare_mut`](Self::spare_mut) have been written; `decode(&mut &[][..])` takes them in.
    pub fn commit(&mut self, n: usize) {
        self.machine.commit(n, self.storage.as_ref().len());
    }

    /// Longest frame, in octets, that this storage takes.
    #[must_use]
    pub fn longest(&self) -> u16 {
        machine::longest(self.storage.as_ref().len())
    }

    /// What is due without new input; everything that is left with `ended`.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn due(&mut self, ended: bool) -> Option<Result<Found<'static>, Error>> {
        let storage = self.storage.as_mut();
        if ended { self.machine.finish(storage) } else { self.machine.advance(storage, &mut &[][..]) }
    }

    #[inline]
    pub(crate) fn frame<'s, 'i: 's>(&'s self, found: Found<'i>) -> Frame<'s> {
        Frame::checked(match found {
            Found::Input(octets) => octets,
            Found::Stored(from, to) => {
                self.storage.as_ref().get(usize::from(from)..usize::from(to)).unwrap_or_default()
            }
        })
    }
}

/// All frames and errors of a whole slice, nothing copied; the same events as a [`Decoder`] gives.
#[must_use]
pub const fn frames(input: &[u8]) -> Frames<'_> {
    Frames { slices: Slices::new(input) }
}

/// See [`frames`].
#[derive(Debug, Clone)]
pub struct Frames<'i> {
    slices: Slices<'i, Line>,
}

impl Frames<'_> {
    /// What has passed so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.slices.stats()
    }
}

impl<'i> Iterator for Frames<'i> {
    type Item = Result<Frame<'i>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.slices.next(LONGEST).map(|event| event.map(Frame::checked))
    }
}
