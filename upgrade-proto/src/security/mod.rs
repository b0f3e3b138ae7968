//! Who may say what: signed manifests, authenticated commands, enciphered images.
//!
//! # Who vouches for what
//! | what | covers | stops |
//! |---|---|---|
//! | CRC-32 | the image as sent | damage (paper 002 2.2); nothing that is meant |
//! | tag, 8 octets of SHA-256 | one block as sent | a forged block, before it is programmed |
//! | SHA-256 | the image as sent; extension 3: as it runs | anything that is not the signed image, tags that collide included |
//! | signature | the manifest: all of the above, for whom, version, counter | an image the maker did not make |
//! | CMAC under the meter's key | one command or answer, with its freshness number and the meter's address | forged and replayed control |
//! | CMAC under the group's key | one coded row, roll call, initiate or activate to the group | who does not have the key; **not** a meter of the group |
//! | security counter | an image older than what was confirmed | replay of an authentic image |
//!
//! A block as sent of an enciphered image is ciphertext: nobody needs the key to check or repair it. CRC-32 stays because paper 002, IC 18 and F001 have it; nothing is decided on it alone.
//!
//! # What remains
//! * The application checks the signature, when the manifest is there, and the boot loader trusts the record it leaves. Who opens the meter and
//!   rewrites the external flash **and** the record can install any program. Feature `boot-verify` takes that away for images
//!   ([`Boot::check_manifest`](crate::boot::Boot)); the copy to go back to has no manifest beside it, so whoever forges a record that says
//!   "go back" is still believed. Records in the processor's own flash or a secure element close that.
//! * An insider with the group's key can spoil a generation of coded rows; the tags find it, and the generation is sent again as XOR.
//! * Anyone can jam.
//!
//! # Limits
//! A signed manifest is at most [`MANIFEST_MAX`] octets, one block or several. Every length, count and index is checked against the announced
//! sizes before it is used.

mod envelope;
mod manifest;
mod signature;

#[cfg(feature = "control")]
mod cipher;

#[cfg(feature = "control")]
pub use cipher::{MeterKey, cmac, wrap};
pub use envelope::{
    COMMAND_OVERHEAD, GROUP_OVERHEAD, IMAGE_KEY_LEN, open_reply, seal_command, seal_group, seal_image_key,
};
pub(crate) use envelope::{
    Envelope, ImageKey, REPLY_HEAD, seal_command_in_place, seal_group_in_place, seal_reply,
};
pub use manifest::{
    Accepted, MANIFEST_MAX, PLAIN_LEN, RETIRE, ROLL_LEN, SIGNATURE_LEN, check_manifest, extension,
    signed_digest,
};
#[cfg(feature = "ed25519")]
pub use signature::Ed25519;
#[cfg(feature = "p256")]
pub use signature::P256;
#[cfg(feature = "salty")]
pub use signature::Salty;

use crate::install::PublicKey;

/// Checks a signature over the digest of a manifest ([`signed_digest`]). One long call in most implementations: feed the watchdog before it,
/// and choose its period for it, or let a secure element do it.
pub trait Verify {
    /// Whether `signature` is `key`'s over `digest`; `false` for an algorithm it does not know.
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool;
}

/// Two kinds of signature.
impl<A: Verify, B: Verify> Verify for (A, B) {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        self.0.verify(key, digest, signature) || self.1.verify(key, digest, signature)
    }
}

/// Takes no signature.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoVerify;

impl Verify for NoVerify {
    fn verify(&mut self, _: &PublicKey, _: &[u8; 32], _: &[u8; 64]) -> bool {
        false
    }
}

/// Which key a check value is under.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MacKey {
    /// One meter's, shared with its concentrator.
    Meter,
    /// A group's.
    Group,
}

/// AES-CMAC (or a secure element's like) under a key that the caller does not see.
pub trait Mac {
    /// The check value over the parts one after the other; `None` when there is no such key.
    fn mac(&mut self, key: MacKey, parts: &[&[u8]]) -> Option<[u8; 16]>;
}

/// What a meter trusts.
pub trait Trust: Verify + Mac {
    /// The built-in public key, first slot.
    fn root(&self) -> PublicKey;
}

/// A meter's keys in memory. Never printed.
#[derive(Clone)]
pub struct Keys<V> {
    /// Checks signatures.
    pub verify: V,
    /// The built-in public key.
    pub root: PublicKey,
    /// The meter's AES-128 key for commands, if it has one.
    pub meter: Option<[u8; 16]>,
    /// The group's AES-128 key, if it has one.
    pub group: Option<[u8; 16]>,
}

impl<V> core::fmt::Debug for Keys<V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Keys")
    }
}

impl<V: Verify> Verify for Keys<V> {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        self.verify.verify(key, digest, signature)
    }
}

impl<V> Mac for Keys<V> {
    #[cfg(feature = "control")]
    fn mac(&mut self, key: MacKey, parts: &[&[u8]]) -> Option<[u8; 16]> {
        let key = match key {
            MacKey::Meter => self.meter.as_ref()?,
            MacKey::Group => self.group.as_ref()?,
        };
        Some(cmac(key, parts))
    }

    #[cfg(not(feature = "control"))]
    fn mac(&mut self, _: MacKey, _: &[&[u8]]) -> Option<[u8; 16]> {
        None
    }
}

impl<V: Verify> Trust for Keys<V> {
    fn root(&self) -> PublicKey {
        self.root
    }
}

/// Compares without telling where the difference is by the time it takes.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0u8, |all, (a, b)| all | (a ^ b)) == 0
}
