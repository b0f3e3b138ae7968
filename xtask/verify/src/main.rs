//! Hashes a manifest of 181 octets and checks a signature over the digest, as a meter does when an image is offered.
//!
//! Prints the ticks of TIM2, which QEMU's netduinoplus2 under `-icount shift=0` runs at one an instruction, and ends.
#![no_std]
#![no_main]

use core::hint::black_box;

use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use sha2::Sha256;
use upgrade_proto::hash::Hash256;
use upgrade_proto::install::PublicKey;
use upgrade_proto::security::Verify;

const CONTROL: *mut u32 = 0x4000_0000 as *mut u32;
const COUNTER: *mut u32 = 0x4000_0024 as *mut u32;

/// What was signed: digest, key and signature made by `openssl`.
const DIGEST: [u8; 32] = *b"\x26\x10\x6a\xe8\x52\x8e\x5b\xe7\x66\xea\xe8\x0b\x72\xb9\x3f\xfc\
\x26\xff\xfb\x02\x2e\xdf\x9f\x11\x34\xf2\xf3\x5f\xa6\x8c\x44\x0a";

#[cfg(any(feature = "salty", feature = "ed25519"))]
mod vector {
    use upgrade_proto::install::PublicKey;

    pub const KEY: PublicKey = PublicKey::ed25519(
        b"\x77\x48\x5c\xb4\xaa\x8a\x67\xed\xb7\xa3\xe5\x1a\x6f\x06\x42\xad\
\x6f\xb4\x5d\xa9\x6f\xc0\xd4\x92\xb4\xdb\x3b\xf0\x54\x28\x09\x36",
    );
    pub const SIGNATURE: [u8; 64] = *b"\xee\x59\xf1\x62\xb4\x56\x5c\xa8\x80\x10\x8a\x76\xeb\x73\x2c\xd8\
\x46\xbf\x13\x3d\x1d\x34\xa4\x15\x5b\x87\xc3\xe2\xd7\x4c\x00\x35\
\x6b\x61\x9e\xdb\x95\xf2\xb0\x60\xb4\xab\xa6\xb8\x7d\xe1\x25\x24\
\xf2\x35\x7b\x2e\x78\x4a\x76\x13\xa9\x9d\x9c\x35\x67\xca\x54\x09";
}

#[cfg(feature = "p256")]
mod vector {
    use upgrade_proto::install::PublicKey;

    pub const KEY: PublicKey = PublicKey {
        algorithm: 2,
        octets: *b"\x02\xfe\xb0\xf1\xe1\x65\xb5\x50\x43\xda\xb3\x67\x62\xb6\x0a\x24\
\xac\x0f\xe7\xc4\xe5\x9e\xb3\xdd\x98\xcc\x44\xdc\xae\x33\x0a\x89\x59",
    };
    pub const SIGNATURE: [u8; 64] = *b"\x65\xe6\x7c\x7e\xac\x9e\xda\x9c\xc4\x6e\x95\xfb\xe0\xff\xbc\x74\
\xd1\x73\x76\x8c\xaf\xd1\x2b\x96\x0b\x86\x88\x6a\x72\x26\x9b\xe7\
\x7b\x4d\x44\x60\xff\xf4\x91\x55\x08\xb3\x89\xe6\xf1\x2d\x5e\xf8\
\x2e\xe2\x1b\x3b\x0e\x71\x80\x72\x71\x63\xa4\xf5\xd0\x4b\x46\xf1";
}

#[entry]
fn main() -> ! {
    // SAFETY: TIM2 stands there on the STM32F405, and nothing else uses it.
    let now = || unsafe { COUNTER.read_volatile() };
    // SAFETY: as above; counts from here on.
    unsafe { CONTROL.write_volatile(1) };
    let before = now();
    black_box(Sha256::of(black_box(&[0x5A; 181])));
    let good = verify(&vector::KEY, &vector::SIGNATURE);
    let ticks = now().wrapping_sub(before);
    let mut forged = vector::SIGNATURE;
    forged[40] ^= 1;
    let right = good && !verify(&vector::KEY, &forged);
    hprintln!("{}", ticks);
    debug::exit(if right { debug::EXIT_SUCCESS } else { debug::EXIT_FAILURE });
    loop {
        cortex_m::asm::nop();
    }
}

#[inline(never)]
fn verify(key: &PublicKey, signature: &[u8; 64]) -> bool {
    let (key, signature) = (black_box(key), black_box(signature));
    #[cfg(feature = "salty")]
    let mut method = upgrade_proto::security::Salty;
    #[cfg(feature = "ed25519")]
    let mut method = upgrade_proto::security::Ed25519;
    #[cfg(feature = "p256")]
    let mut method = upgrade_proto::security::P256;
    method.verify(key, &DIGEST, signature)
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    debug::exit(debug::EXIT_FAILURE);
    loop {
        cortex_m::asm::nop();
    }
}
