//! A signature over the SHA-256 of a manifest checked: ECDSA P-256 by p256, hash by sha2.
//!
//! Not among the cores that are looked through for panic code: the libraries hold some. Its text is what counts:
//! `cargo build -Z build-std=core --release --target thumbv6m-none-eabi --features verify-p256 --bin verify-p256`
//! with `RUSTFLAGS='--cfg sha2_backend="soft" --cfg sha2_backend_soft="compact"'` and `CARGO_PROFILE_RELEASE_OPT_LEVEL=z`.
#![no_std]
#![no_main]

use sha2::Sha256;
use upgrade_proto::hash::Hash256;
use upgrade_proto::install::PublicKey;
use upgrade_proto::security::{P256, Verify};

probe::probe!(PublicKey = PublicKey::NONE, |root, octets| {
    let Some((manifest, signature)) = octets.split_last_chunk::<64>() else { return 2 };
    u32::from(P256.verify(&core::hint::black_box(*root), &Sha256::of(manifest), signature))
});
