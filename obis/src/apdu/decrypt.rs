//! Decryption and authentication of ciphered APDUs: AES-GCM with a 12-octet tag (Green Book 9.2.3, NIST SP 800-38D).

use core::fmt;

use aes_gcm::aead::consts::U12;
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::aes::cipher::{BlockCipherEncrypt, BlockSizeUser, KeyIvInit, StreamCipher, consts::U16};
use aes_gcm::aes::{Aes128, Aes256};
use aes_gcm::{AesGcm, Nonce};

use super::Ciphered;

/// An AES key. Its octets are never printed and cannot be read back.
#[derive(Clone)]
pub struct Key(Octets);

#[derive(Clone)]
enum Octets {
    Aes128([u8; 16]),
    Aes256([u8; 32]),
}

/// What came out of a ciphered APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decrypted<'s> {
    /// The plaintext, compressed if [`Decrypted::is_compressed`].
    pub octets: &'s [u8],
    /// Whether the authentication tag was there and checked.
    pub tag: TagCheck,
    /// Whether the security control says the plaintext is compressed (V.44).
    pub is_compressed: bool,
}

/// What is known of the authenticity of a plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TagCheck {
    /// The tag fits: the plaintext is what the owner of both keys sent.
    Verified,
    /// There is a tag, but no authentication key to check it with: **anything may have been changed**.
    NotChecked,
    /// The meter sends no tag: **anything may have been changed**.
    Absent,
}

/// The plaintext is compressed (V.44), which this crate does not undo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Compressed;

/// Why a ciphered APDU could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CipherError {
    /// The authentication tag does not fit: another key, or changed octets.
    Tag,
    /// The system title is not of 8 octets.
    SystemTitle,
    /// A security suite that the standard does not define.
    Suite(u8),
    /// The encryption key is not of the length the suite asks for (0 and 1: 16 octets, 2: 32).
    KeyLength,
    /// The storage is shorter than [`Ciphered::storage_needed`].
    BufferTooSmall,
}

impl Key {
    /// A key of 16 octets, for suites 0 and 1.
    #[must_use]
    pub const fn aes128(octets: [u8; 16]) -> Self {
        Self(Octets::Aes128(octets))
    }

    /// A key of 32 octets, for suite 2.
    #[must_use]
    pub const fn aes256(octets: [u8; 32]) -> Self {
        Self(Octets::Aes256(octets))
    }

    /// A key of 16 or 32 octets.
    #[must_use]
    pub fn from_slice(octets: &[u8]) -> Option<Self> {
        match octets.len() {
            16 => octets.try_into().ok().map(Self::aes128),
            32 => octets.try_into().ok().map(Self::aes256),
            _ => None,
        }
    }

    /// Bits of the key: 128 or 256.
    #[must_use]
    pub const fn bits(&self) -> u16 {
        match self.0 {
            Octets::Aes128(_) => 128,
            Octets::Aes256(_) => 256,
        }
    }

    const fn octets(&self) -> &[u8] {
        match &self.0 {
            Octets::Aes128(octets) => octets,
            Octets::Aes256(octets) => octets,
        }
    }
}

impl<'s> Decrypted<'s> {
    /// The inner APDU.
    ///
    /// # Errors
    /// [`Compressed`] if the plaintext would have to be expanded first.
    pub const fn apdu(&self) -> Result<&'s [u8], Compressed> {
        if self.is_compressed { Err(Compressed) } else { Ok(self.octets) }
    }
}

impl Ciphered<'_> {
    /// Octets of storage that decryption needs: those of the content, and 33 more where it is authenticated but not
    /// encrypted.
    #[must_use]
    pub const fn storage_needed(&self) -> usize {
        let room =
            if self.security.is_authenticated() && !self.security.is_encrypted() { AAD_MAX } else { 0 };
        self.content.len().saturating_add(room)
    }

    /// Decrypts into `storage` and checks the authentication tag, if there is one; the APDU itself stays as it is.
    ///
    /// Whether there was a tag is in [`Decrypted::tag`]: who needs certainty accepts [`TagCheck::Verified`] only.
    ///
    /// # Errors
    /// [`CipherError`]. After [`CipherError::Tag`] the storage holds no plaintext of encrypted content.
    pub fn decrypt<'s>(
        &self,
        encryption: &Key,
        authentication: &Key,
        storage: &'s mut [u8],
    ) -> Result<Decrypted<'s>, CipherError> {
        let Some(tag) = self.authentication_tag else {
            return self.decrypt_unauthenticated(encryption, storage);
        };
        self.check_key(encryption)?;
        let nonce = self.nonce()?;
        let octets = match &encryption.0 {
            Octets::Aes128(key) => {
                self.open(&Gcm::<Aes128>::new(key.into()), &nonce, authentication, &tag, storage)?
            }
            Octets::Aes256(key) => {
                self.open(&Gcm::<Aes256>::new(key.into()), &nonce, authentication, &tag, storage)?
            }
        };
        Ok(Decrypted { octets, tag: TagCheck::Verified, is_compressed: self.security.is_compressed() })
    }

    /// Decrypts into `storage` **without checking anything**, for owners who were given the encryption key alone.
    ///
    /// A wrong key gives garbage, and changed octets change the plaintext: the caller can only see whether what comes
    /// out reads as an APDU.
    ///
    /// # Errors
    /// [`CipherError`], but never [`CipherError::Tag`].
    pub fn decrypt_unauthenticated<'s>(
        &self,
        encryption: &Key,
        storage: &'s mut [u8],
    ) -> Result<Decrypted<'s>, CipherError> {
        let out = storage.get_mut(..self.content.len()).ok_or(CipherError::BufferTooSmall)?;
        if self.security.is_encrypted() {
            self.check_key(encryption)?;
            // GCM counts its first block of plaintext 2; block 1 masks the tag.
            let mut counter = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
            let (front, _) = counter.split_at_mut(NONCE);
            front.copy_from_slice(&self.nonce()?);
            let keyed = match &encryption.0 {
                Octets::Aes128(key) => ctr::Ctr32BE::<Aes128>::new(key.into(), (&counter).into())
                    .try_apply_keystream_b2b(self.content, out),
                Octets::Aes256(key) => ctr::Ctr32BE::<Aes256>::new(key.into(), (&counter).into())
                    .try_apply_keystream_b2b(self.content, out),
            };
            // Both slices are of one length, so only a buffer too short could be reported here.
            keyed.map_err(|_| CipherError::BufferTooSmall)?;
        } else {
            out.copy_from_slice(self.content);
        }
        let tag = if self.authentication_tag.is_some() { TagCheck::NotChecked } else { TagCheck::Absent };
        Ok(Decrypted { octets: out, tag, is_compressed: self.security.is_compressed() })
    }

    fn open<'s, C>(
        &self,
        cipher: &Gcm<C>,
        nonce: &[u8; NONCE],
        authentication: &Key,
        tag: &[u8; 12],
        storage: &'s mut [u8],
    ) -> Result<&'s [u8], CipherError>
    where
        C: BlockSizeUser<BlockSize = U16> + BlockCipherEncrypt,
    {
        // AAD = security control ‖ authentication key, and behind it the plaintext where that is not encrypted.
        let mut aad = [0; AAD_MAX];
        let header = authentication.octets().len().saturating_add(1);
        let aad = aad.get_mut(..header).ok_or(CipherError::KeyLength)?;
        if let [security, key @ ..] = aad {
            *security = self.security.0;
            key.copy_from_slice(authentication.octets());
        }
        let nonce: &Nonce<U12> = nonce.into();
        if self.security.is_encrypted() {
            let out = storage.get_mut(..self.content.len()).ok_or(CipherError::BufferTooSmall)?;
            let buffer = InOutBuf::new(self.content, out).map_err(|_| CipherError::BufferTooSmall)?;
            cipher.decrypt_inout_detached(nonce, aad, buffer, tag.into()).map_err(|_| CipherError::Tag)?;
            return Ok(storage.get(..self.content.len()).unwrap_or_default());
        }
        let all = header.saturating_add(self.content.len());
        let whole = storage.get_mut(..all).ok_or(CipherError::BufferTooSmall)?;
        let (front, plaintext) = whole.split_at_mut(header);
        front.copy_from_slice(aad);
        plaintext.copy_from_slice(self.content);
        let checked = cipher.decrypt_inout_detached(nonce, whole, InOutBuf::from(&mut [][..]), tag.into());
        // The key does not stay behind in the caller's storage.
        let (front, plaintext) = whole.split_at_mut(header);
        front.fill(0);
        checked.map_err(|_| CipherError::Tag)?;
        Ok(plaintext)
    }

    /// Initialization vector: system title (8) ‖ invocation counter (4).
    fn nonce(&self) -> Result<[u8; NONCE], CipherError> {
        let &[a, b, c, d, e, f, g, h] = self.system_title else { return Err(CipherError::SystemTitle) };
        let [i, j, k, l] = self.invocation_counter.to_be_bytes();
        Ok([a, b, c, d, e, f, g, h, i, j, k, l])
    }

    fn check_key(&self, encryption: &Key) -> Result<(), CipherError> {
        match (self.security.suite(), encryption.bits()) {
            (0 | 1, 128) | (2, 256) => Ok(()),
            (0..=2, _) => Err(CipherError::KeyLength),
            (suite, _) => Err(CipherError::Suite(suite)),
        }
    }
}

type Gcm<C> = AesGcm<C, U12, U12>;

const NONCE: usize = 12;
/// Security control and the longest authentication key.
const AAD_MAX: usize = 33;

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bits)", self.bits())
    }
}

impl fmt::Display for TagCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verified => "authentication tag verified",
            Self::NotChecked => "authentication tag not checked",
            Self::Absent => "no authentication tag",
        })
    }
}

impl fmt::Display for CipherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag => f.write_str("authentication tag does not fit"),
            Self::SystemTitle => f.write_str("system title is not of 8 octets"),
            Self::Suite(suite) => write!(f, "unknown security suite {suite}"),
            Self::KeyLength => f.write_str("encryption key of the wrong length for the security suite"),
            Self::BufferTooSmall => f.write_str("storage too small to decrypt into"),
        }
    }
}

impl fmt::Display for Compressed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("compressed content is not supported")
    }
}

impl core::error::Error for CipherError {}
impl core::error::Error for Compressed {}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::apdu::Tag;
    use std::vec::Vec;

    // The example of the Green Book 9.2.3.6: keys, system title and invocation counter, a get-request of the clock.
    const PLAINTEXT: [u8; 13] = [0xC0, 1, 0, 0, 8, 0, 0, 1, 0, 0, 0xFF, 2, 0];
    const CIPHERTEXT: [u8; 13] =
        [0x41, 0x13, 0x12, 0xFF, 0x93, 0x5A, 0x47, 0x56, 0x68, 0x27, 0xC4, 0x67, 0xBC];
    const TAG: [u8; 12] = [0x7D, 0x82, 0x5C, 0x3B, 0xE4, 0xA7, 0x7C, 0x3F, 0xCC, 0x05, 0x6B, 0x6B];
    const TAG_OF_PLAINTEXT: [u8; 12] =
        [0x06, 0x72, 0x5D, 0x91, 0x0F, 0x92, 0x21, 0xD2, 0x63, 0x87, 0x75, 0x16];
    const TITLE: [u8; 8] = [0x4D, 0x4D, 0x4D, 0x00, 0x00, 0xBC, 0x61, 0x4E];

    fn counting<const N: usize>(from: u8) -> [u8; N] {
        let mut octets = [0; N];
        for (octet, value) in octets.iter_mut().zip(from..) {
            *octet = value;
        }
        octets
    }

    fn keys() -> (Key, Key) {
        (Key::aes128(counting(0)), Key::aes128(counting(0xD0)))
    }

    /// A glo-get-request; its system title is known from elsewhere.
    fn request(security: u8, content: &[u8], tag: &[u8]) -> Vec<u8> {
        let secured = [&[security, 0x01, 0x23, 0x45, 0x67], content, tag].concat();
        [&[0xC8, u8::try_from(secured.len()).unwrap()], &secured[..]].concat()
    }

    fn parse(octets: &[u8]) -> Ciphered<'_> {
        let (read, rest) = Ciphered::parse(octets).unwrap();
        assert!(rest.is_empty());
        assert_eq!(read.tag, Tag(0xC8));
        Ciphered { system_title: &TITLE, ..read }
    }

    #[test]
    fn authenticated_and_encrypted() {
        let (encryption, authentication) = keys();
        let octets = request(0x30, &CIPHERTEXT, &TAG);
        let mut storage = [0; 13];
        let read = parse(&octets);
        let plain = read.decrypt(&encryption, &authentication, &mut storage).unwrap();
        assert_eq!((plain.apdu(), plain.tag), (Ok(&PLAINTEXT[..]), TagCheck::Verified));
        let plain = read.decrypt_unauthenticated(&encryption, &mut storage).unwrap();
        assert_eq!((plain.octets, plain.tag), (&PLAINTEXT[..], TagCheck::NotChecked));
    }

    #[test]
    fn a_changed_octet_or_key_is_no_plaintext() {
        let (encryption, authentication) = keys();
        let whole = request(0x30, &CIPHERTEXT, &TAG);
        for at in 2..whole.len() {
            let mut octets = whole.clone();
            // Bit 6 of the security control is the key set: authenticated, and nothing else about the parse changes.
            octets[at] ^= 0x40;
            let mut storage = [0; 64];
            let read = parse(&octets);
            assert_eq!(
                read.decrypt(&encryption, &authentication, &mut storage),
                Err(CipherError::Tag),
                "{at}"
            );
            assert!(!storage.windows(13).any(|window| window == PLAINTEXT));
        }
        let read = parse(&whole);
        assert_eq!(read.decrypt(&authentication, &encryption, &mut [0; 64]), Err(CipherError::Tag));
    }

    #[test]
    fn authenticated_only_is_plaintext_with_a_tag() {
        let (encryption, authentication) = keys();
        let octets = request(0x10, &PLAINTEXT, &TAG_OF_PLAINTEXT);
        let read = parse(&octets);
        assert_eq!(read.content, PLAINTEXT, "readable without any key");
        let mut storage = [0xEE; 13 + 33];
        assert_eq!(read.storage_needed(), storage.len());
        let plain = read.decrypt(&encryption, &authentication, &mut storage).unwrap();
        assert_eq!((plain.octets, plain.tag), (&PLAINTEXT[..], TagCheck::Verified));
        assert!(!storage.windows(4).any(|window| window == [0xD0, 0xD1, 0xD2, 0xD3]), "no key left behind");
        let plain = read.decrypt_unauthenticated(&encryption, &mut storage).unwrap();
        assert_eq!((plain.octets, plain.tag), (&PLAINTEXT[..], TagCheck::NotChecked));
        let mut changed = octets.clone();
        changed[8] ^= 1;
        assert_eq!(
            parse(&changed).decrypt(&encryption, &authentication, &mut storage),
            Err(CipherError::Tag)
        );
    }

    #[test]
    fn encrypted_only_has_no_tag_and_says_so() {
        let (encryption, authentication) = keys();
        for security in [0x20, 0x21] {
            let octets = request(security, &CIPHERTEXT, &[]);
            let mut storage = [0; 13];
            let plain = parse(&octets).decrypt(&encryption, &authentication, &mut storage).unwrap();
            assert_eq!((plain.octets, plain.tag), (&PLAINTEXT[..], TagCheck::Absent));
        }
    }

    #[test]
    fn suite_2_is_aes_256() {
        let encryption = Key::aes256(counting(0));
        let authentication = Key::aes256(counting(0xD0));
        for (security, content, tag) in SUITE_2 {
            let octets = request(security, &content, &tag);
            let mut storage = [0; 13 + 33];
            let plain = parse(&octets).decrypt(&encryption, &authentication, &mut storage).unwrap();
            assert_eq!((plain.octets, plain.tag), (&PLAINTEXT[..], TagCheck::Verified));
        }
        let octets = request(0x22, &CIPHERTEXT, &[]);
        assert_eq!(
            parse(&octets).decrypt(&keys().0, &authentication, &mut [0; 13]),
            Err(CipherError::KeyLength)
        );
        let octets = request(0x23, &CIPHERTEXT, &[]);
        assert_eq!(
            parse(&octets).decrypt(&keys().0, &authentication, &mut [0; 13]),
            Err(CipherError::Suite(3))
        );
    }

    #[test]
    fn what_is_needed_is_asked_for() {
        let (encryption, authentication) = keys();
        let octets = request(0x30, &CIPHERTEXT, &TAG);
        let read = parse(&octets);
        for storage in [&mut [0; 12][..], &mut []] {
            let result = read.decrypt(&encryption, &authentication, storage);
            assert_eq!(result, Err(CipherError::BufferTooSmall));
            assert_eq!(read.decrypt_unauthenticated(&encryption, storage), Err(CipherError::BufferTooSmall));
        }
        let untitled = Ciphered { system_title: &[], ..read };
        assert_eq!(
            untitled.decrypt(&encryption, &authentication, &mut [0; 13]),
            Err(CipherError::SystemTitle)
        );
        assert_eq!(
            untitled.decrypt_unauthenticated(&encryption, &mut [0; 13]),
            Err(CipherError::SystemTitle)
        );
    }

    #[test]
    fn compressed_content_is_named_and_not_taken_for_an_apdu() {
        let octets = request(0xA0, &CIPHERTEXT, &[]);
        let mut storage = [0; 13];
        let plain = parse(&octets).decrypt_unauthenticated(&keys().0, &mut storage).unwrap();
        assert_eq!(plain.apdu(), Err(Compressed));
    }

    #[test]
    fn keys_do_not_print() {
        assert_eq!(std::format!("{:?}", keys().0), "Key(128 bits)");
        assert!(Key::from_slice(&[0; 32]).is_some_and(|key| key.bits() == 256));
        assert!(Key::from_slice(&[0; 24]).is_none());
    }

    // Made with another implementation (OpenSSL): keys 00…1F and D0…EF, the same title, counter and plaintext.
    const SUITE_2: [(u8, [u8; 13], [u8; 12]); 2] = [
        (
            0x32,
            [0xE8, 0x2B, 0x2A, 0xD3, 0xEE, 0x8C, 0x12, 0xA6, 0xFB, 0x27, 0x03, 0x8F, 0x08],
            [0x44, 0x21, 0x93, 0x49, 0x8C, 0x6A, 0x53, 0xDE, 0x55, 0xEE, 0xB9, 0xD2],
        ),
        (0x12, PLAINTEXT, [0xB2, 0xD2, 0xB6, 0xA0, 0xA8, 0xDD, 0x79, 0xBA, 0x67, 0xB3, 0xC7, 0xEE]),
    ];
}
