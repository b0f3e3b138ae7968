//! HDLC frame format type 3 (IEC 62056-46, 6.4; DLMS UA Green Book, 8.4): the view, the builder and the framing.

use crate::address::{self, Address};
use crate::check::Fcs;
use crate::control::Control;
use crate::decoder::{Framing, Step, longest_frame, sealed};
use crate::error::{BufferTooSmall, Error, ErrorKind};
use crate::frames::{Frames, front};

/// The octet that stands before, between and after frames.
pub const FLAG: u8 = 0x7E;
/// Longest frame that the eleven bits of the length field can tell, octets from frame format to FCS.
pub const LONGEST: usize = 0x7FF;
const FORMAT_LEN: u8 = 2;
/// Frame format, two one-octet addresses, control and FCS.
const SHORTEST: usize = 7;

/// A frame whose check sequences hold, from frame format to FCS; flags are not part of it.
///
/// Layout: format 2 (`1010 S LLL`, `LLLL LLLL`; S segmented, L octets from here to the FCS), destination address
/// 1|2|4, source address 1|2|4, control 1, then either FCS 2, or HCS 2, information n, FCS 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    octets: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame at the front of `octets`, flags before it skipped, and what follows its FCS.
    ///
    /// # Errors
    /// Why there is no frame at the front; [`frames`] goes on behind what is wrong.
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        front::<Hdlc>(octets)
    }

    /// All octets, frame format to FCS.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The S bit: this is a segment, and more follow.
    #[must_use]
    pub fn segmented(&self) -> bool {
        self.octets.first().is_some_and(|format| format & 0x08 != 0)
    }

    /// Destination address.
    #[must_use]
    pub fn destination(&self) -> Address {
        self.address(FORMAT_LEN)
    }

    /// Source address.
    #[must_use]
    pub fn source(&self) -> Address {
        self.address(self.places().0)
    }

    /// Control field.
    #[must_use]
    pub fn control(&self) -> Control {
        let (_, control) = self.places();
        Control(self.octets.get(usize::from(control)).copied().unwrap_or_default())
    }

    /// Information field; empty where there is none. Then there should be no HCS either, but one is accepted.
    #[must_use]
    #[inline]
    pub fn information(&self) -> &'a [u8] {
        let (_, control) = self.places();
        match self.octets.get(usize::from(control)..) {
            Some([_, _, _, information @ .., _, _]) => information,
            _ => &[],
        }
    }

    /// Where the source address and the control field stand; a frame found whole has them.
    #[inline]
    fn places(&self) -> (u8, u8) {
        self.octets.get(usize::from(FORMAT_LEN)..).and_then(places).unwrap_or_default()
    }

    /// The address field at `at`; a frame found whole has it.
    fn address(&self, at: u8) -> Address {
        let field = self.octets.get(usize::from(at)..).and_then(Address::parse);
        field.map_or(Address::one(0), |(address, _)| address)
    }
}

/// A frame to send: plain fields in, octets out.
///
/// [`encode`](Self::encode) and [`octets`](Self::octets) give the frame alone; send a [`FLAG`] before and after it,
/// one flag serving between two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builder<'a> {
    /// The S bit: more segments follow.
    pub segmented: bool,
    /// Destination address.
    pub destination: Address,
    /// Source address.
    pub source: Address,
    /// Control field.
    pub control: Control,
    /// Information field, 0..=2030 octets or a little more, so that the frame keeps within [`LONGEST`].
    pub information: &'a [u8],
}

impl Builder<'_> {
    /// Octets of the frame, without flags.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let header = self.header_len();
        let checked = if self.information.is_empty() { 0 } else { self.information.len().saturating_add(2) };
        header.saturating_add(checked).saturating_add(2)
    }

    /// Writes the frame to the front of `out` and returns it.
    ///
    /// # Errors
    /// `out` is shorter than [`encoded_len`](Self::encoded_len), or the frame would be longer than [`LONGEST`].
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let len = self.encoded_len();
        let out = out.get_mut(..len).filter(|_| len <= LONGEST).ok_or(BufferTooSmall)?;
        for (place, octet) in out.iter_mut().zip(self.octets()) {
            *place = octet;
        }
        Ok(out)
    }

    /// The octets of the frame one by one, for a transmit interrupt without a buffer. A frame that would be longer
    /// than [`LONGEST`] has none.
    #[must_use]
    pub fn octets(&self) -> Octets<'_> {
        let len = if self.encoded_len() <= LONGEST { self.encoded_len() } else { 0 };
        Octets { frame: *self, at: 0, len, fcs: Fcs::START, sequence: [0; 2] }
    }

    const fn header_len(&self) -> usize {
        self.destination.len().saturating_add(self.source.len()).saturating_add(3)
    }

    fn header_octet(&self, at: usize) -> u8 {
        let len = self.encoded_len();
        let [low, high, ..] = len.to_le_bytes();
        let source = self.destination.len().saturating_add(2);
        let control = source.saturating_add(self.source.len());
        let field = |address: &Address, start: usize| {
            address.octets().get(at.saturating_sub(start)).copied().unwrap_or_default()
        };
        match at {
            0 => 0xA0 | u8::from(self.segmented) << 3 | high & 7,
            1 => low,
            _ if at < source => field(&self.destination, 2),
            _ if at < control => field(&self.source, source),
            _ => self.control.0,
        }
    }
}

/// Octets of a frame to send; see [`Builder::octets`].
#[derive(Clone, Debug)]
pub struct Octets<'a> {
    frame: Builder<'a>,
    at: usize,
    len: usize,
    fcs: Fcs,
    sequence: [u8; 2],
}

impl Iterator for Octets<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let at = self.at;
        if at >= self.len {
            return None;
        }
        self.at = at.saturating_add(1);
        let header = self.frame.header_len();
        let information = header.saturating_add(2);
        let end = self.len.saturating_sub(2);
        if at == header || at == end {
            self.sequence = self.fcs.sequence();
        }
        let [first, second] = self.sequence;
        let octet = match at {
            _ if at < header => self.frame.header_octet(at),
            _ if at == end || at == header => first,
            _ if at > end || at < information => second,
            _ => self.frame.information.get(at.saturating_sub(information)).copied().unwrap_or_default(),
        };
        self.fcs = self.fcs.octet(octet);
        Some(octet)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len.saturating_sub(self.at);
        (left, Some(left))
    }
}

impl ExactSizeIterator for Octets<'_> {}

/// The frames of a whole slice, borrowed from it.
#[must_use]
pub const fn frames(input: &[u8]) -> Frames<'_, Hdlc> {
    Frames::new(input)
}

/// A stream decoder for HDLC frame format type 3 over `B`.
pub type Decoder<B> = crate::decoder::Decoder<Hdlc, B>;

/// The framing of HDLC frame format type 3: length-delimited, no octet stuffing.
///
/// A frame starts after a flag, or where one is due: at the start of the line, right behind a frame, or one damaged
/// octet after that.
#[derive(Clone, Copy, Debug)]
pub struct Hdlc {
    fcs: Fcs,
    /// Octets in which a frame may still start without another flag.
    chances: u8,
    field: Field,
    /// Index at which the field in progress started; for `Body`, the length of the frame.
    mark: u16,
    length: u16,
}

/// Which field the next octet belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Format,
    Destination,
    Source,
    Control,
    /// HCS, second octet at `mark`.
    Hcs,
    /// Information and FCS, or the FCS alone.
    Body,
}

const BEHIND_FRAME: u8 = 2;
const BEHIND_FLAG: u8 = 1;

impl Hdlc {
    /// An address field, begun at `mark`, takes an octet in at index `held`. `true`: this one ends it.
    fn address(&self, held: u16, octet: u8) -> Result<bool, ErrorKind> {
        let last = octet & 1 == 1;
        match held.wrapping_sub(self.mark) {
            0 | 1 => Ok(last),
            2 if !last => Ok(false),
            3 if last => Ok(true),
            _ => Err(ErrorKind::Address),
        }
    }

    fn header_field(&mut self, held: u16, octet: u8, capacity: usize) -> Result<(), ErrorKind> {
        let next = held.wrapping_add(1);
        match self.field {
            Field::Format if held == 0 => self.length = u16::from(octet & 7) << 8,
            Field::Format => {
                self.length |= u16::from(octet);
                let length = usize::from(self.length);
                if length < SHORTEST {
                    return Err(ErrorKind::Length);
                }
                (self.field, self.mark) = (Field::Destination, next);
            }
            Field::Destination => {
                if self.address(held, octet)? {
                    (self.field, self.mark) = (Field::Source, next);
                }
            }
            Field::Source => {
                if self.address(held, octet)? {
                    self.field = Field::Control;
                }
            }
            Field::Control => match self.length.wrapping_sub(next) {
                2 => self.field = Field::Body,
                4..=LONGEST_U16 => (self.field, self.mark) = (Field::Hcs, next.wrapping_add(1)),
                _ => return Err(ErrorKind::Length),
            },
            Field::Hcs if held == self.mark => {
                if self.fcs != Fcs::GOOD {
                    return Err(ErrorKind::Hcs);
                }
                // Only now: before its HCS a length is as good as noise.
                if usize::from(self.length) > longest_frame(capacity) {
                    return Err(ErrorKind::TooLong);
                }
                self.field = Field::Body;
            }
            Field::Hcs | Field::Body => {}
        }
        Ok(())
    }
}

const LONGEST_U16: u16 = 0x7FF;

impl sealed::Sealed for Hdlc {}

impl Framing for Hdlc {
    type Frame<'a> = Frame<'a>;
    const START: Self =
        Self { fcs: Fcs::START, chances: BEHIND_FRAME, field: Field::Format, mark: 0, length: 0 };

    #[inline]
    fn feed(&mut self, held: usize, octet: u8, capacity: usize) -> Step {
        #[expect(clippy::cast_possible_truncation, reason = "a candidate is at most 2047 octets long")]
        let held = held as u16;
        if held == 0 {
            if octet == FLAG {
                self.chances = BEHIND_FLAG;
                return Step::Fill;
            }
            if self.chances == 0 || octet & 0xF0 != 0xA0 {
                self.chances = self.chances.saturating_sub(1);
                return Step::Noise;
            }
        }
        self.fcs = self.fcs.octet(octet);
        if self.field == Field::Body {
            if held.wrapping_add(1) < self.length {
                return Step::More;
            }
            return if self.fcs == Fcs::GOOD { Step::Frame } else { Step::Reject(ErrorKind::Fcs) };
        }
        match self.header_field(held, octet, capacity) {
            Ok(()) => Step::More,
            Err(kind) => Step::Reject(kind),
        }
    }

    #[inline]
    fn feed_many(&mut self, held: usize, octets: &[u8]) -> usize {
        if self.field != Field::Body {
            return 0;
        }
        let undecided = usize::from(self.length).saturating_sub(held).saturating_sub(1);
        let many = octets.get(..undecided).unwrap_or(octets);
        self.fcs = self.fcs.octets(many);
        many.len()
    }

    #[inline]
    fn feed_one(&mut self, held: usize, octet: u8) -> bool {
        let is_undecided = self.field == Field::Body && held.wrapping_add(1) < usize::from(self.length);
        if is_undecided {
            self.fcs = self.fcs.octet(octet);
        }
        is_undecided
    }

    #[inline]
    fn whole(&self, octets: &[u8], capacity: usize) -> Option<Result<usize, ErrorKind>> {
        let [format, low, behind @ ..] = octets else { return None };
        if self.chances == 0 || format & 0xF0 != 0xA0 {
            return None;
        }
        let length = usize::from(u16::from_be_bytes([format & 7, *low]));
        let frame = octets.get(..length).filter(|_| length <= longest_frame(capacity))?;
        let (_, control) = places(behind)?;
        // Control, then the HCS unless only the FCS is left.
        let header = usize::from(control).saturating_add(1);
        let (so_far, body) = match length.checked_sub(header)? {
            2 => (Fcs::START, frame),
            // A false start must not cost the length that it claims. Behind a good HCS the FCS goes on from a value
            // that is known, so it does not wait for the other.
            4.. => {
                let (header, body) = frame.split_at_checked(header.saturating_add(2))?;
                if !Fcs::is_good(frame, header.len()) {
                    return None;
                }
                (Fcs::GOOD, body)
            }
            _ => return None,
        };
        Some(if so_far.octets(body) == Fcs::GOOD { Ok(length) } else { Err(ErrorKind::Fcs) })
    }

    #[inline]
    fn fill(&mut self, octets: &[u8]) -> usize {
        let fill = octets.iter().take_while(|octet| **octet == FLAG).count();
        if fill > 0 {
            self.chances = BEHIND_FLAG;
        }
        fill
    }

    #[inline]
    fn noise(&self, octets: &[u8]) -> usize {
        if self.chances > 0 {
            return 0;
        }
        octets.iter().position(|&octet| octet == FLAG).unwrap_or(octets.len())
    }

    fn restart(&mut self, delivered: bool) {
        *self = Self { chances: if delivered { BEHIND_FRAME } else { 0 }, ..Self::START };
    }

    #[inline]
    fn view(octets: &[u8]) -> Frame<'_> {
        Frame { octets }
    }
}

/// Where in a frame the source address and the control field stand, told by the octets behind the frame format.
fn places(behind: &[u8]) -> Option<(u8, u8)> {
    let destination = address::field_len(behind)?;
    let source = address::field_len(behind.get(usize::from(destination)..)?)?;
    let at_source = FORMAT_LEN.wrapping_add(destination);
    Some((at_source, at_source.wrapping_add(source)))
}
