//! Frames over any octet pipe: `A5 5A | length u16 | to 6 | from 6 | message | CRC-32 u32`, 20 octets around a message.
//!
//! The CRC-32 (ISO-HDLC) covers everything after `A5 5A`. A group's address is `FF FF 00 00` and its number.

use crate::codec::Writer;
use crate::error::BufferTooSmall;
use crate::hash::crc32;
use crate::package::Address;

/// Octets around a message.
pub const OVERHEAD: usize = 20;
const SYNC: [u8; 2] = [0xA5, 0x5A];
const HEAD: usize = 16;
/// Longest message a frame may claim.
pub const MESSAGE_MAX: usize = 8192;

/// The address of a group.
#[must_use]
pub const fn group_address(group: u16) -> Address {
    let [high, low] = group.to_be_bytes();
    Address([0xFF, 0xFF, 0, 0, high, low])
}

/// The group an address means, if it means one.
#[must_use]
pub const fn address_group(address: Address) -> Option<u16> {
    match address.0 {
        [0xFF, 0xFF, 0, 0, high, low] => Some(u16::from_be_bytes([high, low])),
        _ => None,
    }
}

/// A frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// For whom.
    pub to: Address,
    /// From whom.
    pub from: Address,
    /// The message.
    pub message: &'a [u8],
}

impl Frame<'_> {
    /// Writes the frame.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when it does not fit, or the message is longer than [`MESSAGE_MAX`].
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let len = self.message.len();
        if len > MESSAGE_MAX {
            return Err(BufferTooSmall);
        }
        let mut w = Writer::new(&mut *out);
        w.put(&SYNC)?;
        w.u16(u16::try_from(len).map_err(|_| BufferTooSmall)?)?;
        w.put(&self.to.0)?;
        w.put(&self.from.0)?;
        w.put(self.message)?;
        let end = w.finish().len();
        let crc = crc32(out.get(2..end).ok_or(BufferTooSmall)?);
        let all = end.checked_add(4).ok_or(BufferTooSmall)?;
        out.get_mut(end..all).ok_or(BufferTooSmall)?.copy_from_slice(&crc.to_be_bytes());
        out.get(..all).ok_or(BufferTooSmall)
    }
}

enum Look {
    More,
    Bad,
    Frame(usize),
}

fn look(octets: &[u8], most: usize) -> Look {
    if octets.iter().zip(SYNC).any(|(octet, sync)| *octet != sync) {
        return Look::Bad;
    }
    let Some(&[_, _, high, low]) = octets.first_chunk::<4>() else { return Look::More };
    let len = usize::from(u16::from_be_bytes([high, low]));
    let all = len.saturating_add(OVERHEAD);
    if len > MESSAGE_MAX || all > most {
        return Look::Bad;
    }
    let Some(frame) = octets.get(..all) else { return Look::More };
    match frame.split_last_chunk::<4>() {
        Some((body, crc)) if body.get(2..).map(crc32) == Some(u32::from_be_bytes(*crc)) => Look::Frame(all),
        _ => Look::Bad,
    }
}

/// Finds frames in a stream; `B` holds the longest frame.
#[derive(Debug)]
pub struct Decoder<B> {
    storage: B,
    len: usize,
    given: usize,
    lost: u32,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// A decoder with nothing in it.
    pub const fn new(storage: B) -> Self {
        Decoder { storage, len: 0, given: 0, lost: 0 }
    }

    /// Octets that were in no frame.
    pub const fn lost(&self) -> u32 {
        self.lost
    }

    fn drop_front(&mut self, count: usize) {
        // Bounded first, so that nothing in the copy can panic.
        let len = self.len.min(self.storage.as_ref().len());
        let count = count.min(len);
        if let Some(held) = self.storage.as_mut().get_mut(..len) {
            held.copy_within(count.min(held.len()).., 0);
        }
        self.len = len.saturating_sub(count);
    }

    /// Takes octets from `input` up to the end of a frame; `None`: all are taken in.
    pub fn decode(&mut self, input: &mut &[u8]) -> Option<Frame<'_>> {
        let given = core::mem::take(&mut self.given);
        self.drop_front(given);
        let most = self.storage.as_ref().len();
        loop {
            match look(self.storage.as_ref().get(..self.len)?, most) {
                Look::Frame(all) => {
                    self.given = all;
                    let frame = self.storage.as_ref().get(..all)?;
                    let (head, rest) = frame.split_first_chunk::<HEAD>()?;
                    let (message, _) = rest.split_last_chunk::<4>()?;
                    let [_, _, _, _, a, b, c, d, e, f, g, h, i, j, k, l] = *head;
                    return Some(Frame {
                        to: Address([a, b, c, d, e, f]),
                        from: Address([g, h, i, j, k, l]),
                        message,
                    });
                }
                Look::Bad => {
                    // One octet is given up; the scan goes on at the next that may start a frame.
                    let held = self.storage.as_ref().get(1..self.len).unwrap_or(&[]);
                    let skip =
                        held.iter().position(|&octet| octet == 0xA5).unwrap_or(held.len()).saturating_add(1);
                    let skip = skip.min(self.len);
                    self.lost = self.lost.wrapping_add(u32::try_from(skip).unwrap_or(u32::MAX));
                    self.drop_front(skip);
                }
                Look::More => {
                    let (&octet, rest) = input.split_first()?;
                    let place = self.storage.as_mut().get_mut(self.len)?;
                    *place = octet;
                    self.len = self.len.saturating_add(1);
                    *input = rest;
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;
    use std::vec;

    proptest! {
        #[test]
        fn frames_between_noise_come_out(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 1..6), noise in prop::collection::vec(0u8..0xA5, 0..20), chunk in 1usize..50) {
            let mut stream = Vec::new();
            let mut buffer = vec![0; 200];
            for message in &messages {
                stream.extend_from_slice(&noise);
                let frame = Frame { to: group_address(3), from: Address([1; 6]), message };
                stream.extend_from_slice(frame.encode(&mut buffer).unwrap());
            }
            let mut decoder = Decoder::new([0u8; 128]);
            let mut got = Vec::new();
            for part in stream.chunks(chunk) {
                let mut input = part;
                while let Some(frame) = decoder.decode(&mut input) {
                    prop_assert_eq!(address_group(frame.to), Some(3));
                    got.push(frame.message.to_vec());
                }
                prop_assert!(input.is_empty());
            }
            prop_assert_eq!(&got, &messages);
            prop_assert_eq!(decoder.lost() as usize, noise.len() * messages.len());
        }

        #[test]
        fn a_false_start_never_loses_a_frame(junk in prop::collection::vec(any::<u8>(), 0..30), message in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut buffer = vec![0; 200];
            let frame = Frame { to: Address([2; 6]), from: Address([1; 6]), message: &message };
            let mut stream = junk;
            stream.extend_from_slice(&[0xA5, 0x5A, 0, 60]);
            stream.extend_from_slice(frame.encode(&mut buffer).unwrap());
            stream.extend_from_slice(&[0; 128]);
            let mut decoder = Decoder::new([0u8; 128]);
            let mut input = &stream[..];
            let mut found = false;
            while let Some(frame) = decoder.decode(&mut input) { found |= frame.message == message; }
            prop_assert!(found);
        }
    }
}
