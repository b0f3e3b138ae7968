//! What the sender puts around what it says: nothing, or envelopes ([`crate::security`]).

use super::To;
use crate::error::BufferTooSmall;
use crate::package::Address;
use crate::security::{
    COMMAND_OVERHEAD, Mac, MacKey, open_reply, seal_command_in_place, seal_group_in_place,
};

/// Seals what is said to meters and opens what they answer.
pub trait Seal {
    /// Octets that an envelope adds, at most.
    const OVERHEAD: u16;

    /// Whether the group can be told things that need its key: rows, roll calls, initiate. Without, each meter is asked alone and repair is
    /// by plain blocks and XOR, which tags vouch for.
    fn has_group(&self) -> bool;

    /// Seals the message of `len` octets at the start of `out`, in place; the octets it takes then.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when it does not fit, there is no key, or no number is left.
    fn seal(&mut self, to: To, out: &mut [u8], len: usize) -> Result<usize, BufferTooSmall>;

    /// The message in an answer to the question sealed last; `None` when it is none, or not from `from`.
    fn open<'a>(&mut self, from: Address, octets: &'a [u8]) -> Option<&'a [u8]>;
}

/// Seals nothing: for meters whose [`Policy::sealed`](crate::install::Policy) is false.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoSeal;

impl Seal for NoSeal {
    const OVERHEAD: u16 = 0;

    fn has_group(&self) -> bool {
        true
    }

    fn seal(&mut self, _: To, _: &mut [u8], len: usize) -> Result<usize, BufferTooSmall> {
        Ok(len)
    }

    fn open<'a>(&mut self, _: Address, octets: &'a [u8]) -> Option<&'a [u8]> {
        Some(octets)
    }
}

/// Whose key.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The meter's at this address.
    Meter(Address),
    /// The group's.
    Group,
}

/// The concentrator's keys, in memory or in a secure element.
pub trait KeyRing {
    /// AES-CMAC over the parts one after the other (`security::cmac` with feature `control`); `None` when there is no such key.
    fn mac(&mut self, whose: Whose, parts: &[&[u8]]) -> Option<[u8; 16]>;

    /// Whether there is a group's key.
    fn has_group(&self) -> bool;
}

struct Of<'k, K>(&'k mut K, Address);

impl<K: KeyRing> Mac for Of<'_, K> {
    fn mac(&mut self, key: MacKey, parts: &[&[u8]]) -> Option<[u8; 16]> {
        let whose = match key {
            MacKey::Meter => Whose::Meter(self.1),
            MacKey::Group => Whose::Group,
        };
        self.0.mac(whose, parts)
    }
}

/// Envelopes under the keys of a ring: everything to one meter under its key, what is for the group under the group's. Data and XOR blocks to the
/// group go as they are: tags say what they are worth.
///
/// Every envelope to one meter has a number, above all before it, of whatever job. The caller keeps [`number`](Self::number) where it survives:
/// before a frame is sent, what is kept must not be below it. Keeping a number some hundreds ahead, and writing only when that is reached, is
/// as good: gaps do no harm.
pub struct Envelopes<K> {
    keys: K,
    number: u32,
    /// What answers must carry.
    question: u32,
}

impl<K> core::fmt::Debug for Envelopes<K> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Envelopes").field("number", &self.number).finish_non_exhaustive()
    }
}

impl<K: KeyRing> Envelopes<K> {
    /// Envelopes whose numbers start above `number`, the last one that may have been used.
    pub const fn new(keys: K, number: u32) -> Self {
        Envelopes { keys, number, question: 0 }
    }

    /// The number used last.
    pub const fn number(&self) -> u32 {
        self.number
    }
}

impl<K: KeyRing> Seal for Envelopes<K> {
    #[expect(clippy::cast_possible_truncation, reason = "13")]
    const OVERHEAD: u16 = COMMAND_OVERHEAD as u16;

    fn has_group(&self) -> bool {
        self.keys.has_group()
    }

    fn seal(&mut self, to: To, out: &mut [u8], len: usize) -> Result<usize, BufferTooSmall> {
        match to {
            To::Meter(address) => {
                self.number = self.number.checked_add(1).ok_or(BufferTooSmall)?;
                self.question = self.number;
                seal_command_in_place(&mut Of(&mut self.keys, address), address, self.number, len, out)
            }
            // Blocks and XOR.
            To::Group(_) if out.first().is_some_and(|kind| (0x10..0x16).contains(kind)) => Ok(len),
            To::Group(_) => {
                let (len, tag) = seal_group_in_place(&mut Of(&mut self.keys, Address::default()), len, out)?;
                self.question = tag;
                Ok(len)
            }
        }
    }

    fn open<'a>(&mut self, from: Address, octets: &'a [u8]) -> Option<&'a [u8]> {
        open_reply(&mut Of(&mut self.keys, from), from, self.question, octets)
    }
}
