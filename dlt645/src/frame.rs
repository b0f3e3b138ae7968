//! One frame: `68 | A0..A5 | 68 | C | L | DATA[L] | CS | 16` (clause 5.2).

use core::fmt;

use crate::address::Address;
use crate::control::Control;
use crate::data::{Data, MASK};
use crate::error::{BufferTooSmall, Error, ErrorKind};
use crate::octets;
use crate::wire::{Front, front};

/// Start octet, at +0 and +7.
pub const START: u8 = 0x68;
/// End octet.
pub const END: u8 = 0x16;
/// Wake-up octet that may stand before a frame.
pub const WAKE_UP: u8 = 0xFE;
/// Octets of a frame that are not data.
pub const OVERHEAD: u16 = 12;
/// Octets of the longest frame that can be claimed: 255 data octets.
pub const LONGEST: u16 = 255 + OVERHEAD;
/// Most data octets of a reply to a read (clause 5.2.4).
pub const MAX_READ: u8 = 200;
/// Most data octets of a write (clause 5.2.4); security frames of some filings are longer.
pub const MAX_WRITE: u8 = 50;

/// A whole frame whose start octets, length, sum and end octet have been checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    octets: &'a [u8],
}

impl<'a> Frame<'a> {
    /// One frame at the front of `octets`, behind any wake-up octets, and what follows it.
    ///
    /// # Errors
    /// The kind says what is wrong at the first octet that is no wake-up octet; [`ErrorKind::Truncated`] if more
    /// octets are needed; nothing is taken, so `lost` is 0.
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Result<(Frame<'a>, &'a [u8]), Error> {
        let mut rest = octets;
        // Four are the rule, and one comparison of a word.
        if let Some((four, after)) = rest.split_first_chunk::<4>()
            && u32::from_le_bytes(*four) == u32::from_le_bytes([WAKE_UP; 4])
        {
            rest = after;
        }
        while let Some((&WAKE_UP, after)) = rest.split_first() {
            rest = after;
        }
        let kind = match front(rest, LONGEST, |n| octets::sum(rest.get(..usize::from(n)).unwrap_or_default()))
        {
            Front::Frame(n) => match rest.split_at_checked(usize::from(n)) {
                Some((octets, rest)) => return Ok((Frame { octets }, rest)),
                None => ErrorKind::Truncated,
            },
            Front::Wait(_) => ErrorKind::Truncated,
            Front::Noise | Front::Fill => ErrorKind::Noise,
            Front::Reject(kind) => kind,
        };
        Err(Error { kind, lost: 0 })
    }

    /// For octets that the decoder has just checked.
    #[inline]
    pub(crate) const fn checked(octets: &'a [u8]) -> Self {
        Self { octets }
    }

    /// The octets 68H to 16H.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Address field A0..A5: of the meter that is asked, or that answers.
    #[must_use]
    #[inline]
    pub fn address(&self) -> Address {
        Address::from_octets(self.octets.get(1..7).and_then(|a| a.first_chunk().copied()).unwrap_or_default())
    }

    /// Control code C.
    #[must_use]
    #[inline]
    pub fn control(&self) -> Control {
        Control::from_octet(self.octets.get(8).copied().unwrap_or_default())
    }

    /// Data field, 33H taken off on reading.
    #[must_use]
    #[inline]
    pub fn data(&self) -> Data<'a> {
        let end = self.octets.len().saturating_sub(2);
        Data::masked(self.octets.get(10..end).unwrap_or_default())
    }

    /// Whether this is the request `sent`, wake-up octets included or not, heard again by its own sender: what
    /// half-duplex adapters do.
    #[must_use]
    pub fn is_echo_of(&self, sent: &[u8]) -> bool {
        !self.control().from_meter() && sent.ends_with(self.octets)
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("address", &self.address())
            .field("control", &self.control())
            .field("data", &self.data())
            .finish()
    }
}

/// A frame to be sent, from its parts.
///
/// [`MAX_READ`] and [`MAX_WRITE`] are not enforced here (vendors exceed them); the service builders do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Builder<'a> {
    /// Wake-up octets FEH before the frame; the 2007 standard sends 4, the 1997 one 1 to 4.
    pub wake_up: u8,
    /// Address field.
    pub address: Address,
    /// Control code.
    pub control: Control,
    /// Data field; 33H is added on writing.
    pub data: Data<'a>,
}

impl<'a> Builder<'a> {
    /// Octets on the wire, wake-up included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.octets().len()
    }

    /// Writes the frame to the front of `out`. A data field above 255 octets does not fit in any buffer.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        if self.data.len() > 255 {
            return Err(BufferTooSmall);
        }
        let octets = self.octets();
        let out = out.get_mut(..octets.len()).ok_or(BufferTooSmall)?;
        for (place, octet) in out.iter_mut().zip(octets) {
            *place = octet;
        }
        Ok(out)
    }

    /// The same octets one at a time, for a transmit interrupt without a buffer. At most 255 data octets are sent.
    #[must_use]
    pub fn octets(&self) -> Sending<'a> {
        Sending { builder: *self, at: 0, sum: 0 }
    }
}

/// The octets of a [`Builder`], in the order of the wire.
#[derive(Debug, Clone)]
pub struct Sending<'a> {
    builder: Builder<'a>,
    at: u16,
    sum: u8,
}

impl Sending<'_> {
    fn data_len(&self) -> u8 {
        u8::try_from(self.builder.data.len()).unwrap_or(u8::MAX)
    }
}

impl Iterator for Sending<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let wake_up = u16::from(self.builder.wake_up);
        let len = self.data_len();
        let octet = match self.at.checked_sub(wake_up) {
            None => WAKE_UP,
            Some(at) => {
                let octet = match at {
                    0 | 7 => START,
                    1..=6 => {
                        let address = self.builder.address.octets();
                        *address.get(usize::from(at.wrapping_sub(1)))?
                    }
                    8 => self.builder.control.octet(),
                    9 => len,
                    _ => match at.wrapping_sub(10) {
                        at if at < u16::from(len) => {
                            self.builder.data.octet(usize::from(at))?.wrapping_add(MASK)
                        }
                        at if at == u16::from(len) => self.sum,
                        at if at == u16::from(len).wrapping_add(1) => END,
                        _ => return None,
                    },
                };
                self.sum = self.sum.wrapping_add(octet);
                octet
            }
        };
        self.at = self.at.wrapping_add(1);
        Some(octet)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let whole =
            u16::from(self.builder.wake_up).wrapping_add(OVERHEAD).wrapping_add(u16::from(self.data_len()));
        let left = usize::from(whole.saturating_sub(self.at));
        (left, Some(left))
    }
}

impl ExactSizeIterator for Sending<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder<'a>(data: &'a [u8], wake_up: u8) -> Builder<'a> {
        Builder {
            wake_up,
            address: Address::from_number(123_456_789_012),
            control: Control::from_octet(0x91),
            data: Data::plain(data),
        }
    }

    #[test]
    fn what_is_built_parses_back() {
        let data: [u8; 255] = core::array::from_fn(|i| u8::try_from(i).unwrap());
        for len in [0, 1, 4, 200, 255] {
            for wake_up in [0, 4] {
                let builder = builder(&data[..len], wake_up);
                let mut out = [0; 300];
                let octets = builder.encode(&mut out).unwrap();
                assert_eq!(octets.len(), builder.encoded_len());
                assert!(octets.iter().copied().eq(builder.octets()));
                let (frame, rest) = Frame::parse(octets).unwrap();
                assert!(rest.is_empty());
                assert_eq!(frame.address(), builder.address);
                assert_eq!(frame.control(), builder.control);
                assert_eq!(frame.data(), builder.data);
                let mut small = [0; 300];
                assert_eq!(builder.encode(&mut small[..octets.len() - 1]), Err(BufferTooSmall));
            }
        }
        assert_eq!(builder(&[0; 256], 0).encode(&mut [0; 400]), Err(BufferTooSmall));
    }

    #[test]
    fn each_check_has_its_reason() {
        let mut out = [0; 30];
        let len = builder(&[1, 2, 3, 4], 0).encode(&mut out).unwrap().len();
        let kind = |octets: &[u8]| Frame::parse(octets).unwrap_err().kind;
        for cut in 0..len {
            assert_eq!(kind(&out[..cut]), ErrorKind::Truncated);
        }
        let with = |at: usize, octet: u8| {
            let mut bad = out;
            bad[at] = octet;
            kind(&bad)
        };
        assert_eq!(with(0, 0x69), ErrorKind::Noise);
        assert_eq!(with(7, 0x69), ErrorKind::Header);
        // rs-dlt645 checks neither the sum nor the end octet.
        assert_eq!(with(len - 2, !out[len - 2]), ErrorKind::Checksum);
        assert_eq!(with(len - 1, 0x17), ErrorKind::End);
        assert_eq!(with(11, !out[11]), ErrorKind::Checksum);
    }
}
