//! The slice iterator: the same events as from the stream decoder, with nothing copied.

use crate::decoder::{Framing, REPORTED, Step, wrapped};
use crate::error::{Error, ErrorKind};

/// A frame and the octets behind it.
pub(crate) type Front<'a, F> = (<F as Framing>::Frame<'a>, &'a [u8]);

/// The frame at the front of `octets`, fill before it skipped.
pub(crate) fn front<F: Framing + Clone>(octets: &[u8]) -> Result<Front<'_, F>, Error> {
    let mut frames = Frames::<F>::new(octets);
    match frames.next() {
        Some(Ok(frame)) => Ok((frame, frames.rest())),
        Some(Err(error)) => Err(error),
        None => Err(Error { kind: ErrorKind::Truncated, lost: 0 }),
    }
}

/// The frames of a whole slice, borrowed from it; see [`frames`](crate::frames).
///
/// Gives the same events as a [`Decoder`](crate::decoder::Decoder) whose storage is large enough. Work is linear in the input, but where
/// somebody has packed good headers that claim long frames back to back: then each of them is checked in full, which
/// with eight octets a header and the longest claim is 256 times an octet. A [`Decoder`](crate::decoder::Decoder) gives
/// up sooner: nine times.
#[derive(Clone, Debug)]
pub struct Frames<'i, F> {
    rest: &'i [u8],
    framing: F,
    noise: u32,
    fill: u32,
}

impl<'i, F: Framing> Frames<'i, F> {
    pub(crate) const fn new(input: &'i [u8]) -> Self {
        Self { rest: input, framing: F::START, noise: 0, fill: 0 }
    }

    /// What has not been looked at yet.
    #[must_use]
    pub const fn rest(&self) -> &'i [u8] {
        self.rest
    }

    /// Fill octets passed so far.
    #[must_use]
    pub const fn fill(&self) -> u32 {
        self.fill
    }

    fn skip(&mut self, n: usize) -> &'i [u8] {
        let (front, rest) = self.rest.split_at_checked(n).unwrap_or((self.rest, &[]));
        self.rest = rest;
        front
    }

    /// `true`: so much that it is to be reported.
    fn pass_noise(&mut self, n: usize) -> bool {
        self.skip(n);
        self.noise = self.noise.wrapping_add(wrapped(n));
        self.noise >= REPORTED
    }

    fn error(&mut self, kind: ErrorKind) -> Option<Result<F::Frame<'i>, Error>> {
        Some(Err(Error { kind, lost: core::mem::take(&mut self.noise) }))
    }

    fn reject(&mut self, kind: ErrorKind) -> Option<Result<F::Frame<'i>, Error>> {
        self.skip(1);
        self.noise = self.noise.wrapping_add(1);
        self.framing.restart(false);
        self.error(kind)
    }

    /// Follows the candidate at the front to its end: its length, or why it is none.
    fn candidate(&mut self) -> Result<(usize, usize), ErrorKind> {
        let mut at = 0;
        loop {
            let behind = self.rest.get(at..).unwrap_or_default();
            at = at.saturating_add(self.framing.feed_many(at, behind));
            let Some(&octet) = self.rest.get(at) else { return Err(ErrorKind::Truncated) };
            let next = at.saturating_add(1);
            match self.framing.feed(at, octet, usize::MAX) {
                Step::Reject(kind) => return Err(kind),
                Step::Frame => return Ok((next, 0)),
                Step::FrameBefore => return Ok((at, 1)),
                Step::More => at = next,
                // Only at index 0, where `next` looks first.
                Step::Fill | Step::Noise => return Err(ErrorKind::Format),
            }
        }
    }
}

impl<'i, F: Framing + Clone> Iterator for Frames<'i, F> {
    type Item = Result<F::Frame<'i>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let fill = self.framing.fill(self.rest);
            self.skip(fill);
            self.fill = self.fill.wrapping_add(wrapped(fill));
            let Some(&octet) = self.rest.first() else {
                return if self.noise > 0 { self.error(ErrorKind::Noise) } else { None };
            };
            let before = self.framing.clone();
            let (len, fill) = if let Some(whole) = self.framing.whole(self.rest, usize::MAX) {
                match whole {
                    Ok(len) => (len, 0),
                    Err(kind) => return self.reject(kind),
                }
            } else {
                let most = usize::try_from(REPORTED.saturating_sub(self.noise)).unwrap_or(usize::MAX);
                let noise = self.framing.noise(self.rest).min(most);
                if noise > 0 {
                    if self.pass_noise(noise) {
                        return self.error(ErrorKind::Noise);
                    }
                    continue;
                }
                match self.framing.feed(0, octet, usize::MAX) {
                    // Fill has been taken in.
                    Step::Fill | Step::Noise => {
                        if self.pass_noise(1) {
                            return self.error(ErrorKind::Noise);
                        }
                        continue;
                    }
                    Step::Reject(kind) => return self.reject(kind),
                    Step::Frame => (1, 0),
                    Step::FrameBefore | Step::More => {
                        self.framing = before.clone();
                        match self.candidate() {
                            Ok(found) => found,
                            Err(kind) => return self.reject(kind),
                        }
                    }
                }
            };
            if self.noise > 0 {
                self.framing = before;
                return self.error(ErrorKind::Noise);
            }
            let frame = self.skip(len);
            self.skip(fill);
            self.fill = self.fill.wrapping_add(wrapped(fill));
            self.framing.restart(true);
            return Some(Ok(F::view(frame)));
        }
    }
}
