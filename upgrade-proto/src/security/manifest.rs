//! The signed manifest: its extensions, what is signed, what a meter takes.

use super::Verify;
use crate::error::Refusal;
use crate::hash::Hash256;
use crate::install::{Enciphered, Program, PublicKey, Record};
use crate::package::{MANIFEST_LEN, Manifest};

/// Longest manifest that is looked at, in octets: fixed fields and every extension once.
pub const MANIFEST_MAX: u16 = 320;

/// Kinds of a manifest's extensions.
pub mod extension {
    /// `algorithm u8 | slot u8 | signature 64`; the last one.
    pub const SIGNATURE: u8 = 1;
    /// `nonce 12`: the image is ciphertext (AES-128 in counter mode).
    pub const NONCE: u8 = 2;
    /// `SHA-256 32` of the image as it runs, where that is not as it is sent.
    pub const PLAIN: u8 = 3;
    /// `flags u8 | algorithm u8 | key 33`: a key for the second slot; flag 1 ([`RETIRE`](super::RETIRE)): the built-in key is not taken
    /// any more from then on.
    pub const ROLL: u8 = 4;
}

/// Octets of the signature extension with kind and length.
pub const SIGNATURE_LEN: u16 = 69;
/// Octets of the extension for the plain image's SHA-256, with kind and length.
pub const PLAIN_LEN: u16 = 35;
/// Octets of the extension for a new key, with kind and length.
pub const ROLL_LEN: u16 = 38;
/// Flag of a new key: the built-in one is retired.
pub const RETIRE: u8 = 1;

const CONTEXT: &[u8] = b"upgrade-proto manifest 1";

/// What is signed: `SHA-256("upgrade-proto manifest 1" | manifest without its signature extension)`. `None` when the octets do not end with one.
#[must_use]
pub fn signed_digest<H: Hash256>(manifest: &[u8]) -> Option<[u8; 32]> {
    let (body, tail) = manifest.split_last_chunk::<{ SIGNATURE_LEN as usize }>()?;
    let [kind, high, low, ..] = *tail;
    if body.len() < usize::from(MANIFEST_LEN)
        || kind != extension::SIGNATURE
        || [high, low] != (SIGNATURE_LEN - 3).to_be_bytes()
    {
        return None;
    }
    let mut hash = H::start();
    hash.feed(CONTEXT);
    hash.feed(body);
    Some(hash.done())
}

/// What a manifest that was accepted says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The program it makes.
    pub upload: Program,
    /// SHA-256 of the image as sent.
    pub sent: [u8; 32],
    /// How it is enciphered.
    pub enciphered: Option<Enciphered>,
    /// Its security counter.
    pub counter: u32,
    /// A key for the second slot.
    pub next_key: PublicKey,
    /// That key retires the built-in one.
    pub retires: bool,
}

/// Checks the signature of a whole manifest and what it says against what the meter has done before.
///
/// # Errors
/// [`Refusal::Manifest`] for octets that are no manifest, too many or too few, or without the extensions it needs;
/// [`Refusal::Signature`] for a missing or wrong signature or a key that is not taken; [`Refusal::Counter`] for an image older than what was confirmed.
pub fn check_manifest<H: Hash256, V: Verify + ?Sized>(
    octets: &[u8],
    verify: Option<&mut V>,
    root: &PublicKey,
    record: &Record,
) -> Result<Accepted, Refusal> {
    if octets.len() > usize::from(MANIFEST_MAX) {
        return Err(Refusal::Manifest);
    }
    let Ok((manifest, [])) = Manifest::parse(octets) else { return Err(Refusal::Manifest) };
    let mut accepted = Accepted {
        upload: Program { size: manifest.size, version: manifest.version, sha256: manifest.sha256 },
        sent: manifest.sha256,
        enciphered: None,
        counter: manifest.counter,
        next_key: PublicKey::NONE,
        retires: false,
    };
    let mut signature = None;
    let mut plain = None;
    let mut length = usize::from(MANIFEST_LEN);
    for (kind, octets) in manifest.extensions() {
        // Nothing may follow the signature, and nothing stands twice.
        if signature.is_some() {
            return Err(Refusal::Manifest);
        }
        length = length.saturating_add(3).saturating_add(octets.len());
        match (kind, octets) {
            (extension::SIGNATURE, [algorithm, slot, rest @ ..]) => {
                let Ok(octets) = <&[u8; 64]>::try_from(rest) else { return Err(Refusal::Manifest) };
                signature = Some((*algorithm, *slot, octets));
            }
            (extension::NONCE, octets) if accepted.enciphered.is_none() => {
                let Ok(nonce) = octets.try_into() else { return Err(Refusal::Manifest) };
                accepted.enciphered = Some(Enciphered { nonce, key: [0; 24] });
            }
            (extension::PLAIN, octets) if plain.is_none() => {
                let Ok(sha256) = octets.try_into() else { return Err(Refusal::Manifest) };
                plain = Some(sha256);
            }
            (extension::ROLL, [flags, algorithm, key @ ..]) if accepted.next_key.algorithm == 0 => {
                let Ok(octets) = key.try_into() else { return Err(Refusal::Manifest) };
                accepted.next_key = PublicKey { algorithm: *algorithm, octets };
                accepted.retires = flags & RETIRE != 0;
            }
            (extension::SIGNATURE..=extension::ROLL, _) => return Err(Refusal::Manifest),
            // Others are signed too, and of no concern here.
            _ => {}
        }
    }
    let enciphered = accepted.enciphered.is_some();
    if length != octets.len() || manifest.encrypted != enciphered || enciphered != plain.is_some() {
        return Err(Refusal::Manifest);
    }
    if let Some(sha256) = plain {
        accepted.upload.sha256 = sha256;
    }
    if let Some(verify) = verify {
        let (Some((algorithm, slot, signature)), Some(digest)) = (signature, signed_digest::<H>(octets))
        else {
            return Err(Refusal::Signature);
        };
        let key = match slot {
            0 if record.retired & 1 == 0 => root,
            1 => &record.key,
            _ => return Err(Refusal::Signature),
        };
        if key.algorithm == 0 || key.algorithm != algorithm || !verify.verify(key, &digest, signature) {
            return Err(Refusal::Signature);
        }
    } else {
        // Nobody vouches for a key without a signature.
        accepted.next_key = PublicKey::NONE;
        accepted.retires = false;
    }
    if manifest.counter < record.floor {
        return Err(Refusal::Counter);
    }
    Ok(accepted)
}
