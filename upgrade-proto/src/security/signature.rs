//! Signatures, each behind a feature.

#[cfg(any(feature = "ed25519", feature = "salty", feature = "p256"))]
use super::Verify;
#[cfg(any(feature = "ed25519", feature = "salty", feature = "p256"))]
use crate::install::PublicKey;

#[cfg(any(feature = "ed25519", feature = "salty"))]
fn ed25519_key(key: &PublicKey) -> Option<&[u8; 32]> {
    if key.algorithm == 1 { key.octets.first_chunk() } else { None }
}

/// Ed25519 by the `ed25519-dalek` crate: fast, 30 kB.
#[cfg(feature = "ed25519")]
#[derive(Copy, Clone, Debug, Default)]
pub struct Ed25519;

#[cfg(feature = "ed25519")]
impl Verify for Ed25519 {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let Some(Ok(key)) = ed25519_key(key).map(ed25519_dalek::VerifyingKey::from_bytes) else {
            return false;
        };
        key.verify_strict(digest, &ed25519_dalek::Signature::from_bytes(signature)).is_ok()
    }
}

/// Ed25519 by the `salty` crate: for Cortex-M0, 12 kB.
#[cfg(feature = "salty")]
#[derive(Copy, Clone, Debug, Default)]
pub struct Salty;

#[cfg(feature = "salty")]
impl Verify for Salty {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let Some(Ok(key)) = ed25519_key(key).map(salty::PublicKey::try_from) else { return false };
        key.verify(digest, &salty::Signature::from(signature)).is_ok()
    }
}

/// ECDSA P-256 with SHA-256 by the `p256` crate. The digest stands for the SHA-256 of a message.
#[cfg(feature = "p256")]
#[derive(Copy, Clone, Debug, Default)]
pub struct P256;

#[cfg(feature = "p256")]
impl Verify for P256 {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        use p256::ecdsa::signature::hazmat::PrehashVerifier;
        if key.algorithm != 2 {
            return false;
        }
        let (Ok(key), Ok(signature)) = (
            p256::ecdsa::VerifyingKey::from_sec1_bytes(&key.octets),
            p256::ecdsa::Signature::from_slice(signature),
        ) else {
            return false;
        };
        key.verify_prehash(digest, &signature).is_ok()
    }
}
