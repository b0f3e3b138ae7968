//! Ciphered APDUs built with the cipher itself: AES-GCM with a 12-octet tag (Green Book 9.2.3).

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use obis::apdu::Key;

/// What goes around a plaintext.
#[derive(Clone, Copy, Debug)]
pub struct Sealed<'a> {
    /// DB, DC, or a service's own.
    pub tag: u8,
    /// Bits 0–3 suite, 4 authenticated, 5 encrypted, 6 broadcast key, 7 compressed.
    pub security: u8,
    pub title: &'a [u8; 8],
    pub counter: u32,
    /// Of these, suites 0 and 1 take the first 16 octets.
    pub encryption: &'a [u8; 32],
    pub authentication: &'a [u8; 32],
    pub plain: &'a [u8],
}

impl Sealed<'_> {
    /// Whether the APDU holds the system title.
    pub fn is_general(&self) -> bool {
        matches!(self.tag, 0xDB | 0xDC)
    }

    pub fn is_authenticated(&self) -> bool {
        self.security & 0x10 != 0
    }

    pub fn is_encrypted(&self) -> bool {
        self.security & 0x20 != 0
    }

    /// Octets of a key in this suite.
    pub fn key_len(&self) -> usize {
        if self.security & 0x0F == 2 { 32 } else { 16 }
    }

    pub fn key(&self, octets: &[u8; 32]) -> Key {
        Key::from_slice(&octets[..self.key_len()]).expect("16 or 32 octets")
    }

    /// The APDU.
    pub fn octets(&self) -> Vec<u8> {
        let mut secured = vec![self.security];
        secured.extend(self.counter.to_be_bytes());
        let mut aad = vec![self.security];
        aad.extend(&self.authentication[..self.key_len()]);
        let (text, tag) = if self.is_encrypted() {
            self.gcm(self.plain, &aad)
        } else {
            aad.extend(self.plain);
            (self.plain.to_vec(), self.gcm(&[], &aad).1)
        };
        secured.extend(text);
        if self.is_authenticated() {
            secured.extend(tag);
        }
        let mut octets = vec![self.tag];
        if self.is_general() {
            octets.push(8);
            octets.extend(self.title);
        }
        let len = u16::try_from(secured.len()).expect("a short plaintext");
        match len {
            0..=0x7F => octets.push(len.to_be_bytes()[1]),
            _ => octets.extend([&[0x82], &len.to_be_bytes()[..]].concat()),
        }
        octets.extend(secured);
        octets
    }

    /// The ciphertext, and the 12 octets that are sent of the tag.
    fn gcm(&self, msg: &[u8], aad: &[u8]) -> (Vec<u8>, [u8; 12]) {
        let mut nonce = [0; 12];
        nonce[..8].copy_from_slice(self.title);
        nonce[8..].copy_from_slice(&self.counter.to_be_bytes());
        let payload = Payload { msg, aad };
        let sealed = match self.encryption.first_chunk::<16>() {
            Some(key) if self.key_len() == 16 => Aes128Gcm::new(key.into()).encrypt(&nonce.into(), payload),
            _ => Aes256Gcm::new(self.encryption.into()).encrypt(&nonce.into(), payload),
        };
        let mut text = sealed.expect("a short plaintext");
        let tag = text.split_off(msg.len());
        (text, *tag.first_chunk().expect("16 octets of tag"))
    }
}
