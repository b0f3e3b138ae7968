//! Wired M-Bus data link (EN 13757-2, 5) and the DLMS transport on it (EN 13757-3, CI 00..1F).

use crate::assembly::{Carrier, Link, Segment};
use crate::check::sum;
use crate::decoder::{Framing, Step, longest_frame, sealed};
use crate::error::{BufferTooSmall, Error, ErrorKind};
use crate::frames::{Frames, front};

const LONG: u8 = 0x68;
const SHORT: u8 = 0x10;
const STOP: u8 = 0x16;
/// The whole of an acknowledging frame.
pub const ACKNOWLEDGE: u8 = 0xE5;
/// Octets around the L octets that a long frame counts: `68 L L 68` and checksum, stop.
const AROUND: usize = 6;
const SHORT_LEN: usize = 5;
/// With C, A and CI that makes L = 258, sent as 02.
const LONGEST_DATA: usize = 255;

/// A frame whose checksum and stop octet are right.
///
/// Layouts: long and control `68 L L 68 C A CI data CS 16` (L counts C to data; a control frame has no data), short
/// `10 C A CS 16`, acknowledgement `E5`. CS is the sum modulo 256 of what L counts, or of C and A.
/// L below 3 is impossible, so such a value is L modulo 256 of a longer frame: 01 is 257, as Sagemcom T210-D sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    octets: &'a [u8],
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the front of `octets`, and what follows it.
    ///
    /// # Errors
    /// Why there is no frame at the front; [`frames`] goes on behind what is wrong.
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        front::<MBus>(octets)
    }

    /// All octets, start to stop.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// C field; `None` in an acknowledgement.
    #[must_use]
    pub fn control(&self) -> Option<u8> {
        self.body.first().copied()
    }

    /// A field: 1..=250 a meter, 253 by secondary address, 254 and 255 all; `None` in an acknowledgement.
    #[must_use]
    pub fn address(&self) -> Option<u8> {
        self.body.get(1).copied()
    }

    /// CI field of a long or control frame.
    #[must_use]
    pub fn control_information(&self) -> Option<u8> {
        self.body.get(2).copied()
    }

    /// What stands behind the CI field; empty in a short or control frame.
    #[must_use]
    pub fn data(&self) -> &'a [u8] {
        self.body.get(3..).unwrap_or_default()
    }

    /// Source and destination service access points (STSAP, DTSAP) and the octets behind them, where the CI field
    /// says that DLMS is carried (00..1F: bits 3–0 number of the segment, bit 4 set in the last).
    #[must_use]
    pub fn transport(&self) -> Option<(u8, u8, &'a [u8])> {
        match (self.control_information()?, self.data()) {
            (0x00..=0x1F, [source, destination, octets @ ..]) => Some((*source, *destination, octets)),
            _ => None,
        }
    }
}

impl<'a> Carrier<'a> for Frame<'a> {
    fn segment(&self) -> Option<Segment<'a>> {
        let ci = self.control_information()?;
        let (source, destination, octets) = self.transport()?;
        // Of the C field only the direction: bits 5 and 4 change from frame to frame (FCB, FCV; ACD, DFC).
        let link = Link::from([self.control()? & 0x40, self.address()?, source, destination]);
        Some(Segment {
            octets,
            link,
            first: Some(ci & 0x0F == 0),
            last: ci & 0x10 != 0,
            number: Some((ci & 0x0F, 16)),
        })
    }
}

/// A long frame to send; without data it is a control frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builder<'a> {
    /// C field; 53 in a push.
    pub control: u8,
    /// A field; FF in a push.
    pub address: u8,
    /// CI field.
    pub control_information: u8,
    /// Data, 0..=255 octets: 252 within the standard, more with L modulo 256.
    pub data: &'a [u8],
}

impl Builder<'_> {
    /// Octets of the frame.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.data.len().saturating_add(3 + AROUND)
    }

    /// Writes the frame to the front of `out` and returns it.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len), or there are more than 255 octets of data.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let len = self.encoded_len();
        let out = out.get_mut(..len).filter(|_| self.data.len() <= LONGEST_DATA).ok_or(BufferTooSmall)?;
        for (place, octet) in out.iter_mut().zip(self.octets()) {
            *place = octet;
        }
        Ok(out)
    }

    /// The octets of the frame one by one, for a transmit interrupt without a buffer; none if there is too much data.
    pub fn octets(&self) -> impl Iterator<Item = u8> + Clone {
        let len = if self.data.len() <= LONGEST_DATA { self.encoded_len() } else { 0 };
        let fields = [self.control, self.address, self.control_information];
        let [length, ..] = self.data.len().saturating_add(3).to_le_bytes();
        let check = sum(&fields).wrapping_add(sum(self.data));
        [LONG, length, length, LONG]
            .into_iter()
            .chain(fields)
            .chain(self.data.iter().copied())
            .chain([check, STOP])
            .take(len)
    }
}

/// The frames of a whole slice, borrowed from it.
#[must_use]
pub const fn frames(input: &[u8]) -> Frames<'_, MBus> {
    Frames::new(input)
}

/// A stream decoder for wired M-Bus over `B`; 318 octets of storage serve every frame.
pub type Decoder<B> = crate::decoder::Decoder<MBus, B>;

/// The framing of wired M-Bus. An acknowledgement has nothing to check, so it counts only where a frame is due: at the
/// start of the line or right behind another frame.
#[derive(Clone, Copy, Debug)]
pub struct MBus {
    due: bool,
    sum: u8,
    /// Length octet; its meaning is [`counted`].
    length: u8,
    short: bool,
}

/// Octets that the length octet counts.
fn counted(length: u8) -> usize {
    let length = usize::from(length);
    if length < 3 { length.saturating_add(256) } else { length }
}

impl MBus {
    /// First octet counted, and the index of the checksum.
    fn extent(&self) -> (usize, usize) {
        if self.short { (1, 3) } else { (4, counted(self.length).saturating_add(4)) }
    }
}

impl sealed::Sealed for MBus {}

impl Framing for MBus {
    type Frame<'a> = Frame<'a>;
    const START: Self = Self { due: true, sum: 0, length: 0, short: false };

    #[inline]
    fn feed(&mut self, held: usize, octet: u8, capacity: usize) -> Step {
        if held == 0 {
            self.short = octet == SHORT;
            return match octet {
                LONG | SHORT => Step::More,
                ACKNOWLEDGE if self.due => Step::Frame,
                _ => {
                    self.due = false;
                    Step::Noise
                }
            };
        }
        if !self.short {
            match held {
                1 => {
                    self.length = octet;
                    let long = counted(octet).saturating_add(AROUND) > longest_frame(capacity);
                    return if long { Step::Reject(ErrorKind::TooLong) } else { Step::More };
                }
                2 if octet != self.length => return Step::Reject(ErrorKind::Length),
                3 if octet != LONG => return Step::Reject(ErrorKind::Format),
                2 | 3 => return Step::More,
                _ => {}
            }
        }
        let (_, check) = self.extent();
        if held < check {
            self.sum = self.sum.wrapping_add(octet);
            Step::More
        } else if held == check {
            if octet == self.sum { Step::More } else { Step::Reject(ErrorKind::Checksum) }
        } else if octet == STOP {
            Step::Frame
        } else {
            Step::Reject(ErrorKind::Stop)
        }
    }

    #[inline]
    fn feed_many(&mut self, held: usize, octets: &[u8]) -> usize {
        let (start, check) = self.extent();
        if held < start {
            return 0;
        }
        let undecided = check.saturating_sub(held);
        let many = octets.get(..undecided).unwrap_or(octets);
        self.sum = self.sum.wrapping_add(sum(many));
        many.len()
    }

    #[inline]
    fn whole(&self, octets: &[u8], capacity: usize) -> Option<Result<usize, ErrorKind>> {
        let [LONG, length, second, LONG, ..] = octets else { return None };
        let len = counted(*length).saturating_add(AROUND);
        let frame = octets.get(..len).filter(|_| length == second && len <= longest_frame(capacity))?;
        let [_, _, _, _, counted @ .., check, STOP] = frame else { return None };
        (sum(counted) == *check).then_some(Ok(len))
    }

    #[inline]
    fn noise(&self, octets: &[u8]) -> usize {
        if self.due {
            return 0;
        }
        octets.iter().position(|&octet| octet == LONG || octet == SHORT).unwrap_or(octets.len())
    }

    fn restart(&mut self, delivered: bool) {
        *self = Self { due: delivered, ..Self::START };
    }

    #[inline]
    fn view(octets: &[u8]) -> Frame<'_> {
        let body = match octets {
            [SHORT, body @ .., _, _] if octets.len() == SHORT_LEN => body,
            [_, _, _, _, body @ .., _, _] => body,
            _ => &[],
        };
        Frame { octets, body }
    }
}
