//! The TCP/UDP wrapper (IEC 62056-47; DLMS UA Green Book, 7.3): eight octets of header before each APDU.

use crate::assembly::{Carrier, Link, Segment};
use crate::decoder::{Framing, Step, longest_frame, sealed};
use crate::error::{BufferTooSmall, Error, ErrorKind};
use crate::frames::{Frames, front};

const HEADER: usize = 8;
const VERSION: [u8; 2] = [0, 1];

/// A wrapper protocol data unit: version 2 (`00 01`), source port 2, destination port 2, length 2, APDU n; high octet
/// first. There is no check value: TCP or UDP has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    octets: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The unit at the front of `octets`, and what follows it.
    ///
    /// # Errors
    /// Why there is none at the front; [`frames`] goes on behind what is wrong.
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        front::<Wrapper>(octets)
    }

    /// All octets, header first.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Source wrapper port, 0..=65535.
    #[must_use]
    pub fn source(&self) -> u16 {
        self.word(2)
    }

    /// Destination wrapper port, 0..=65535.
    #[must_use]
    pub fn destination(&self) -> u16 {
        self.word(4)
    }

    /// The APDU.
    #[must_use]
    pub fn apdu(&self) -> &'a [u8] {
        self.octets.get(HEADER..).unwrap_or_default()
    }

    fn word(&self, at: usize) -> u16 {
        let word = self.octets.get(at..).and_then(<[u8]>::first_chunk::<2>);
        u16::from_be_bytes(word.copied().unwrap_or_default())
    }
}

impl<'a> Carrier<'a> for Frame<'a> {
    fn segment(&self) -> Option<Segment<'a>> {
        let ([a, b], [c, d]) = (self.source().to_be_bytes(), self.destination().to_be_bytes());
        let link = Link::from([a, b, c, d]);
        Some(Segment { octets: self.apdu(), link, first: Some(true), last: true, number: None })
    }
}

/// A wrapper protocol data unit to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builder<'a> {
    /// Source wrapper port.
    pub source: u16,
    /// Destination wrapper port.
    pub destination: u16,
    /// APDU, at most 65,535 octets.
    pub apdu: &'a [u8],
}

impl Builder<'_> {
    /// Octets of the unit.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.apdu.len().saturating_add(HEADER)
    }

    /// Writes the unit to the front of `out` and returns it.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len), or the APDU longer than 65,535 octets.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let length = u16::try_from(self.apdu.len()).map_err(|_| BufferTooSmall)?;
        let out = out.get_mut(..self.encoded_len()).ok_or(BufferTooSmall)?;
        let ([a, b], [c, d], [e, f]) =
            (self.source.to_be_bytes(), self.destination.to_be_bytes(), length.to_be_bytes());
        let [v, w] = VERSION;
        let octets = [v, w, a, b, c, d, e, f].into_iter().chain(self.apdu.iter().copied());
        for (place, octet) in out.iter_mut().zip(octets) {
            *place = octet;
        }
        Ok(out)
    }
}

/// The units of a whole slice, borrowed from it.
#[must_use]
pub const fn frames(input: &[u8]) -> Frames<'_, Wrapper> {
    Frames::new(input)
}

/// A stream decoder for the wrapper over `B`.
pub type Decoder<B> = crate::decoder::Decoder<Wrapper, B>;

/// The framing of the wrapper: the version says where a unit may start, the length where it ends.
#[derive(Clone, Copy, Debug)]
pub struct Wrapper {
    length: u16,
    /// Octets to pass over of a unit longer than the storage. There is no check value, so its APDU is not searched.
    passed_over: u32,
}

impl sealed::Sealed for Wrapper {}

impl Framing for Wrapper {
    type Frame<'a> = Frame<'a>;
    const START: Self = Self { length: 0, passed_over: 0 };

    fn feed(&mut self, held: usize, octet: u8, capacity: usize) -> Step {
        let [version, low_version] = VERSION;
        if self.passed_over > 0 && held == 0 {
            self.passed_over = self.passed_over.saturating_sub(1);
            return Step::Noise;
        }
        match held {
            0 if octet != version => return Step::Noise,
            1 if octet != low_version => return Step::Reject(ErrorKind::Format),
            6 => self.length = u16::from(octet) << 8,
            7 => self.length |= u16::from(octet),
            _ => {}
        }
        let len = HEADER.saturating_add(usize::from(self.length));
        if held < 7 {
            Step::More
        } else if held == 7 && len > longest_frame(capacity) {
            // The first octet is given up with the error; the rest of the header and the APDU follow.
            self.passed_over = u32::from(self.length).saturating_add(7);
            Step::Reject(ErrorKind::TooLong)
        } else if held.saturating_add(1) < len {
            Step::More
        } else {
            Step::Frame
        }
    }

    fn feed_many(&mut self, held: usize, octets: &[u8]) -> usize {
        if held < HEADER {
            return 0;
        }
        let undecided =
            HEADER.saturating_add(usize::from(self.length)).saturating_sub(held).saturating_sub(1);
        octets.len().min(undecided)
    }

    #[inline]
    fn whole(&self, octets: &[u8], capacity: usize) -> Option<Result<usize, ErrorKind>> {
        let [v, w, _, _, _, _, high, low, ..] = octets else { return None };
        if self.passed_over > 0 {
            return None;
        }
        let len = HEADER.saturating_add(usize::from(u16::from_be_bytes([*high, *low])));
        ([*v, *w] == VERSION && len <= octets.len().min(longest_frame(capacity))).then_some(Ok(len))
    }

    #[inline]
    fn noise(&self, octets: &[u8]) -> usize {
        let [version, _] = VERSION;
        if self.passed_over > 0 {
            return 0;
        }
        octets.iter().position(|&octet| octet == version).unwrap_or(octets.len())
    }

    fn restart(&mut self, _delivered: bool) {
        self.length = 0;
    }

    #[inline]
    fn view(octets: &[u8]) -> Frame<'_> {
        Frame { octets }
    }
}
