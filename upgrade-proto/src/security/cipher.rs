//! AES-128: check values, wrapped keys, enciphered images.

use crate::install::{Decrypt, Enciphered};
use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt as _, KeyInit, KeyIvInit, StreamCipher, StreamCipherSeek};

type Ctr = ctr::Ctr32BE<Aes128>;

/// AES-CMAC (RFC 4493) over the parts one after the other. Not by crate `cmac`, whose buffer brings panic code into firmware.
#[must_use]
pub fn cmac(key: &[u8; 16], parts: &[&[u8]]) -> [u8; 16] {
    let cipher = Aes128::new(key.into());
    let encrypted = |block: u128| {
        let mut block = block.to_be_bytes().into();
        cipher.encrypt_block(&mut block);
        u128::from_be_bytes(block.into())
    };
    // The blocks before the last, enciphered, and those octets of the last that have come added to them.
    let (mut block, mut room) = (0u128, u128::BITS);
    for octet in parts.iter().copied().flatten() {
        if room == 0 {
            (block, room) = (encrypted(block), u128::BITS);
        }
        room = room.saturating_sub(u8::BITS);
        block ^= u128::from(*octet) << room;
    }
    let double = |key: u128| key << 1 ^ if key >> 127 == 1 { 0x87 } else { 0 };
    let mut last = double(encrypted(0));
    if room > 0 {
        last = double(last);
        block ^= 0x80 << room.saturating_sub(u8::BITS);
    }
    encrypted(block ^ last).to_be_bytes()
}

/// Wraps an image's key for a meter (RFC 3394): what [`seal_image_key`](super::seal_image_key) brings it.
#[must_use]
pub fn wrap(meter: &[u8; 16], image: &[u8; 16]) -> Option<[u8; 24]> {
    let mut out = [0u8; 24];
    aes_kw::KwAes128::new(meter.into()).wrap_key(image, &mut out).ok()?;
    Some(out)
}

/// A meter's key in memory, under which images' keys are wrapped; takes the cipher (AES-128 in counter mode, 12 octets of nonce and a
/// counter of 16 octet blocks from 0) off an image. Never printed.
pub struct MeterKey {
    meter: [u8; 16],
    image: Option<Ctr>,
}

impl core::fmt::Debug for MeterKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MeterKey")
    }
}

impl MeterKey {
    /// The key that images' keys are wrapped under; another one than commands are authenticated with.
    #[must_use]
    pub const fn new(meter: [u8; 16]) -> Self {
        MeterKey { meter, image: None }
    }

    /// With the image's key itself: for who enciphers.
    #[must_use]
    pub fn image(key: &[u8; 16], nonce: &[u8; 12]) -> Self {
        MeterKey { meter: [0; 16], image: Some(stream(key, nonce)) }
    }
}

fn stream(key: &[u8; 16], nonce: &[u8; 12]) -> Ctr {
    let mut block = [0u8; 16];
    if let Some(head) = block.first_chunk_mut() {
        *head = *nonce;
    }
    Ctr::new(key.into(), &block.into())
}

impl Decrypt for MeterKey {
    fn begin(&mut self, enciphered: &Enciphered) -> bool {
        let mut key = [0u8; 16];
        let unwrapped =
            aes_kw::KwAes128::new((&self.meter).into()).unwrap_key(&enciphered.key, &mut key).is_ok();
        self.image = unwrapped.then(|| stream(&key, &enciphered.nonce));
        unwrapped
    }

    fn apply(&mut self, offset: u32, octets: &mut [u8]) {
        if let Some(image) = &mut self.image
            && image.try_seek(offset).is_ok()
        {
            // Cannot run out: 2^32 blocks are more than an offset can reach.
            let _ = image.try_apply_keystream(octets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cmac_of_rfc_4493() {
        let key =
            [0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf, 0x4f, 0x3c];
        let empty =
            [0xbb, 0x1d, 0x69, 0x29, 0xe9, 0x59, 0x37, 0x28, 0x7f, 0xa3, 0x7d, 0x12, 0x9b, 0x75, 0x67, 0x46];
        assert_eq!(cmac(&key, &[]), empty);
        let message =
            [0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93, 0x17, 0x2a];
        let tag =
            [0x07, 0x0a, 0x16, 0xb4, 0x6b, 0x4d, 0x41, 0x44, 0xf7, 0x9b, 0xdd, 0x9d, 0xd0, 0x4a, 0x28, 0x7c];
        assert_eq!(cmac(&key, &[&message[..5], &message[5..]]), tag);
        let longer = [
            0xae, 0x2d, 0x8a, 0x57, 0x1e, 0x03, 0xac, 0x9c, 0x9e, 0xb7, 0x6f, 0xac, 0x45, 0xaf, 0x8e, 0x51,
            0x30, 0xc8, 0x1c, 0x46, 0xa3, 0x5c, 0xe4, 0x11,
        ];
        let tag =
            [0xdf, 0xa6, 0x67, 0x47, 0xde, 0x9a, 0xe6, 0x30, 0x30, 0xca, 0x32, 0x61, 0x14, 0x97, 0xc8, 0x27];
        assert_eq!(cmac(&key, &[&message, &longer]), tag);
    }

    #[test]
    fn wrapped_key_of_rfc_3394_opens_and_a_changed_one_does_not() {
        let kek = 0x0001_0203_0405_0607_0809_0A0B_0C0D_0E0F_u128.to_be_bytes();
        let key = 0x0011_2233_4455_6677_8899_AABB_CCDD_EEFF_u128.to_be_bytes();
        let wrapped = wrap(&kek, &key).unwrap();
        assert_eq!(wrapped[..4], [0x1F, 0xA6, 0x8B, 0x0A]);
        let mut meter = MeterKey::new(kek);
        assert!(meter.begin(&Enciphered { nonce: [1; 12], key: wrapped }));
        let mut wrong = wrapped;
        wrong[9] ^= 1;
        assert!(!meter.begin(&Enciphered { nonce: [1; 12], key: wrong }));
        assert!(!meter.begin(&Enciphered::default()));
    }

    #[test]
    fn deciphers_from_any_place() {
        let (mut a, mut b) = (MeterKey::image(&[3; 16], &[4; 12]), MeterKey::image(&[3; 16], &[4; 12]));
        let mut whole = [0u8; 300];
        a.apply(0, &mut whole);
        for from in [0u16, 16, 64, 128] {
            let mut part = [0u8; 33];
            b.apply(from.into(), &mut part);
            assert_eq!(part, whole[usize::from(from)..][..33]);
        }
        // NIST SP 800-38A F.5.1: key, counter block, plaintext and ciphertext.
        let key = 0x2b7e_1516_28ae_d2a6_abf7_1588_09cf_4f3c_u128.to_be_bytes();
        let mut nist = MeterKey {
            meter: [0; 16],
            image: Some(Ctr::new(
                &key.into(),
                &0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff_u128.to_be_bytes().into(),
            )),
        };
        let mut text = 0x6bc1_bee2_2e40_9f96_e93d_7e11_7393_172a_u128.to_be_bytes();
        nist.apply(0, &mut text);
        assert_eq!(text, 0x874d_6191_b620_e326_1bef_6864_990d_b6ce_u128.to_be_bytes());
    }
}
