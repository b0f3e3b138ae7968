//! Messages in DL/T 645-2007 frames, cut by [`crate::fragment`]. No public standard fixes a control code or identifier for upgrades, so both
//! are parameters.
//!
//! Frame: `68 | address 6, lowest first | 68 | control | length | identifier 4, lowest first, and fragment, each + 33 | checksum | 16`, 16 octets around
//! a fragment. The standard limits data (the identifier's 4 octets included) to 50 octets when writing and 200 when reading.
//! A block of 512 is 521 octets of message: 737 on the line in 12 writes (44 % more than the block), 575 in 3 reads (12 %).

use crate::codec::Writer;
use crate::error::BufferTooSmall;
use crate::package::Address;

/// Octets around a fragment.
pub const OVERHEAD: usize = 16;
/// Longest fragment in a frame that writes.
pub const WRITE_FRAGMENT: usize = 46;
/// Longest fragment in a frame that answers a read.
pub const READ_FRAGMENT: usize = 196;

/// The parameters that no standard fixes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Control code of the concentrator's frames; an answer has bit 7 set.
    pub control: u8,
    /// Data identifier, as printed (highest octet first).
    pub identifier: [u8; 4],
}

impl Carrier {
    /// Wraps a fragment.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when it does not fit, or is longer than [`READ_FRAGMENT`].
    pub fn encode<'b>(
        &self,
        address: Address,
        answer: bool,
        fragment: &[u8],
        out: &'b mut [u8],
    ) -> Result<&'b [u8], BufferTooSmall> {
        if fragment.len() > READ_FRAGMENT {
            return Err(BufferTooSmall);
        }
        let len = u8::try_from(fragment.len().saturating_add(4)).map_err(|_| BufferTooSmall)?;
        let mut w = Writer::new(&mut *out);
        w.u8(0x68)?;
        for octet in address.0.iter().rev() {
            w.u8(*octet)?;
        }
        w.u8(0x68)?;
        w.u8(self.control | if answer { 0x80 } else { 0 })?;
        w.u8(len)?;
        for octet in self.identifier.iter().rev().chain(fragment) {
            w.u8(octet.wrapping_add(0x33))?;
        }
        let end = w.finish().len();
        let sum = out.iter().take(end).fold(0u8, |sum, octet| sum.wrapping_add(*octet));
        let tail = out.get_mut(end..).and_then(<[u8]>::first_chunk_mut::<2>).ok_or(BufferTooSmall)?;
        *tail = [sum, 0x16];
        out.get(..end.saturating_add(2)).ok_or(BufferTooSmall)
    }

    /// The address and fragment of a frame with these parameters, the fragment written to `out`; `None` when the frame is another.
    pub fn parse<'b>(&self, frame: &[u8], out: &'b mut [u8]) -> Option<(Address, bool, &'b [u8])> {
        let (head, rest) = frame.split_first_chunk::<10>()?;
        let &[0x68, a, b, c, d, e, f, 0x68, control, len] = head else { return None };
        let (data, tail) = rest.split_at_checked(len.into())?;
        let &[sum, 0x16] = tail.first_chunk::<2>()? else { return None };
        let counted = head.iter().chain(data).fold(0u8, |sum, octet| sum.wrapping_add(*octet));
        let (identifier, fragment) = data.split_first_chunk::<4>()?;
        let same =
            identifier.iter().rev().zip(self.identifier).all(|(is, want)| is.wrapping_sub(0x33) == want);
        if sum != counted || !same || control & 0x7F != self.control & 0x7F {
            return None;
        }
        let out = out.get_mut(..fragment.len())?;
        for (to, octet) in out.iter_mut().zip(fragment) {
            *to = octet.wrapping_sub(0x33);
        }
        Some((Address([f, e, d, c, b, a]), control & 0x80 != 0, out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    #[test]
    fn octet_for_octet_and_back() {
        let carrier = Carrier { control: 0x0F, identifier: [0x0F, 0x01, 0x02, 0x03] };
        let mut buffer = [0; 80];
        let address = Address([0, 0, 0, 0, 0x12, 0x34]);
        let octets = carrier.encode(address, false, &[0xAA, 0x00], &mut buffer).unwrap();
        let want =
            [0x68, 0x34, 0x12, 0, 0, 0, 0, 0x68, 0x0F, 6, 0x36, 0x35, 0x34, 0x42, 0xDD, 0x33, 0x00, 0x16];
        assert_eq!(octets[..16], want[..16]);
        assert_eq!(octets.len(), OVERHEAD + 2);
        let mut out = [0; 80];
        assert_eq!(carrier.parse(octets, &mut out), Some((address, false, &[0xAA, 0x00][..])));
        let mut wrong = octets.to_vec();
        wrong[15] ^= 1;
        assert_eq!(carrier.parse(&wrong, &mut out), None);
        let other = Carrier { control: 0x0E, ..carrier };
        assert_eq!(other.parse(octets, &mut out), None);
    }

    #[test]
    fn a_block_of_512_takes_12_writes_or_3_reads() {
        for (size, frames) in [(WRITE_FRAGMENT, 12usize), (READ_FRAGMENT, 3)] {
            let mut fragments = crate::fragment::Fragments::new(&[5; 521], 0, size).unwrap();
            let mut buffer = [0; 256];
            let mut count = 0;
            while let Some(fragment) = fragments.next(&mut buffer) {
                let mut frame = [0; 256];
                let carrier = Carrier { control: 0x14, identifier: [4, 0, 0, 1] };
                assert!(carrier.encode(Address::default(), false, fragment, &mut frame).is_ok());
                count += 1;
            }
            assert_eq!(count, frames);
        }
    }
}
