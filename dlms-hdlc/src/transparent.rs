//! HDLC with control-octet transparency (ISO/IEC 13239, 4.5.2; RFC 1662, 4.2), for links that are **not** DLMS.
//!
//! Frames end at a flag; `7E` and `7D` inside are sent as `7D` and the octet with bit 5 complemented. A DLMS meter
//! does none of this: use [`frame`](crate::frame) for it.

use crate::check::Fcs;
use crate::decoder::{Framing, Step, longest_frame, sealed};
use crate::error::{BufferTooSmall, ErrorKind};
use crate::frame::FLAG;
use crate::frames::Frames;

/// The control octet.
pub const CONTROL_OCTET: u8 = 0x7D;
const COMPLEMENT: u8 = 0x20;
/// Address, control and FCS: shorter frames are invalid (ISO/IEC 13239, 4.2.3).
const SHORTEST: u16 = 4;

/// A frame whose FCS holds; flags are not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    octets: &'a [u8],
}

impl<'a> Frame<'a> {
    /// All octets as they stood on the wire, control octets and FCS included.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Address, control and information, without control octets and FCS.
    #[must_use]
    pub fn content(&self) -> Content<'a> {
        let mut content = Content { octets: self.octets, next: [0; 2] };
        content.next = [content.undone().unwrap_or_default(), content.undone().unwrap_or_default()];
        content
    }

    /// Writes [`content`](Self::content) to the front of `out` and returns it.
    ///
    /// # Errors
    /// `out` is too short.
    pub fn copy_to<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let len = self.content().count();
        let out = out.get_mut(..len).ok_or(BufferTooSmall)?;
        for (place, octet) in out.iter_mut().zip(self.content()) {
            *place = octet;
        }
        Ok(out)
    }
}

/// Octets of a frame with the control octets undone. Two are held back: the last two are the FCS.
#[derive(Clone, Debug)]
pub struct Content<'a> {
    octets: &'a [u8],
    next: [u8; 2],
}

impl Content<'_> {
    fn undone(&mut self) -> Option<u8> {
        let (octet, rest) = match self.octets {
            [CONTROL_OCTET, octet, rest @ ..] => (octet ^ COMPLEMENT, rest),
            [octet, rest @ ..] => (*octet, rest),
            [] => return None,
        };
        self.octets = rest;
        Some(octet)
    }
}

impl Iterator for Content<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let behind = self.undone()?;
        let [octet, then] = self.next;
        self.next = [then, behind];
        Some(octet)
    }
}

/// The octets to send for `content`, 2 or more octets from the address on; FCS and both flags are added.
pub fn octets(content: &[u8]) -> impl Iterator<Item = u8> + Clone {
    let check = Fcs::START.octets(content).sequence();
    let escape = |octet: u8| {
        let escaped = octet == FLAG || octet == CONTROL_OCTET;
        let octet = if escaped { octet ^ COMPLEMENT } else { octet };
        escaped.then_some(CONTROL_OCTET).into_iter().chain([octet])
    };
    [FLAG].into_iter().chain(content.iter().copied().chain(check).flat_map(escape)).chain([FLAG])
}

/// The frames of a whole slice, borrowed from it.
#[must_use]
pub const fn frames(input: &[u8]) -> Frames<'_, Transparent> {
    Frames::new(input)
}

/// A stream decoder for HDLC with control-octet transparency over `B`. A frame comes out with the flag that ends it.
pub type Decoder<B> = crate::decoder::Decoder<Transparent, B>;

/// The framing of HDLC with control-octet transparency.
#[derive(Clone, Copy, Debug)]
pub struct Transparent {
    fcs: Fcs,
    len: u16,
    /// A flag has been seen, or may have been while the line was idle, and nothing given up since.
    started: bool,
    escaped: bool,
}

impl sealed::Sealed for Transparent {}

impl Framing for Transparent {
    type Frame<'a> = Frame<'a>;
    const START: Self = Self { fcs: Fcs::START, len: 0, started: true, escaped: false };

    fn feed(&mut self, held: usize, octet: u8, capacity: usize) -> Step {
        if octet == FLAG {
            return match (held, self) {
                (0, state) => {
                    *state = Self::START;
                    Step::Fill
                }
                // `7D 7E` aborts a frame.
                (_, Self { escaped: true, .. }) => Step::Reject(ErrorKind::Format),
                (_, Self { len, .. }) if *len < SHORTEST => Step::Reject(ErrorKind::Length),
                (_, Self { fcs: Fcs::GOOD, .. }) => Step::FrameBefore,
                _ => Step::Reject(ErrorKind::Fcs),
            };
        }
        if !self.started {
            return Step::Noise;
        }
        if held.saturating_add(1) > longest_frame(capacity) {
            return Step::Reject(ErrorKind::TooLong);
        }
        if octet == CONTROL_OCTET && !self.escaped {
            self.escaped = true;
        } else {
            self.fcs = self.fcs.octet(if self.escaped { octet ^ COMPLEMENT } else { octet });
            self.len = self.len.saturating_add(1);
            self.escaped = false;
        }
        Step::More
    }

    fn feed_many(&mut self, _held: usize, _octets: &[u8]) -> usize {
        0
    }

    fn whole(&self, _octets: &[u8], _capacity: usize) -> Option<Result<usize, ErrorKind>> {
        None
    }

    fn fill(&mut self, octets: &[u8]) -> usize {
        let fill = octets.iter().take_while(|octet| **octet == FLAG).count();
        if fill > 0 {
            *self = Self::START;
        }
        fill
    }

    fn noise(&self, octets: &[u8]) -> usize {
        if self.started {
            return 0;
        }
        octets.iter().position(|&octet| octet == FLAG).unwrap_or(octets.len())
    }

    fn restart(&mut self, delivered: bool) {
        *self = Self { started: delivered, ..Self::START };
    }

    fn view(octets: &[u8]) -> Frame<'_> {
        Frame { octets }
    }
}
