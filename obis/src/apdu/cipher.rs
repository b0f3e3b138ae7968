//! Ciphered APDUs (Green Book 9.2, 9.5): the security header, always; decryption with feature `aes-gcm`.

use core::fmt;

use super::error::{ApduError, ApduErrorKind};
use super::tag::Tag;
use crate::data::ErrorKind;
use crate::data::length;

#[cfg(feature = "aes-gcm")]
#[path = "decrypt.rs"]
mod decrypt;
#[cfg(feature = "aes-gcm")]
pub use decrypt::{CipherError, Compressed, Decrypted, Key, TagCheck};

/// A ciphered APDU: general-glo-ciphering DB, general-ded-ciphering DC, or a glo- or ded- service.
///
/// Octets: tag · system title (length, octets; not in a service) · length · security control · invocation counter (4) ·
/// content, ending in a 12-octet authentication tag where the security control says so.
///
/// What the header says is reported as it stands: some logs hold APDUs that were decrypted in place behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ciphered<'a> {
    /// The tag.
    pub tag: Tag,
    /// System title of the sender: 8 octets, of which the first three name the maker. Empty in a service APDU and in the
    /// headless form; set it before decrypting.
    pub system_title: &'a [u8],
    /// How the content is protected.
    pub security: SecurityControl,
    /// Invocation counter (frame counter): with the system title it makes the initialization vector.
    pub invocation_counter: u32,
    /// The content, without the authentication tag: plaintext if the security control says it is not encrypted.
    pub content: &'a [u8],
    /// The authentication tag, if the security control says there is one.
    pub authentication_tag: Option<[u8; 12]>,
}

/// Security control: bits 0 to 3 suite · bit 4 authenticated · bit 5 encrypted · bit 6 key set · bit 7 compressed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SecurityControl(pub u8);

impl<'a> Ciphered<'a> {
    /// Takes one ciphered APDU off the front of `octets`, and gives what follows.
    ///
    /// # Errors
    /// [`ApduErrorKind::Tag`], [`ApduErrorKind::Truncated`], [`ApduErrorKind::Length`],
    /// [`ApduErrorKind::SecurityHeader`].
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ApduError> {
        let [tag, rest @ ..] = octets else { return Err(ApduErrorKind::Truncated.at(0)) };
        let tag = Tag(*tag);
        let (system_title, rest) = match tag {
            Tag::GENERAL_GLO_CIPHERING | Tag::GENERAL_DED_CIPHERING => title(octets, rest)?,
            _ if tag.service_key().is_some() => (&[][..], rest),
            Tag(other) => return Err(ApduErrorKind::Tag(other).at(0)),
        };
        Self::secured(tag, system_title, octets, rest)
    }

    /// As [`Ciphered::parse`] for a general-glo-ciphering **without its tag**, as some P1 ports send it: system title
    /// (length, octets) · length · security control · invocation counter · content.
    ///
    /// # Errors
    /// [`ApduErrorKind::Truncated`], [`ApduErrorKind::Length`], [`ApduErrorKind::SecurityHeader`].
    pub fn parse_body(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ApduError> {
        let (system_title, rest) = title(octets, octets)?;
        Self::secured(Tag::GENERAL_GLO_CIPHERING, system_title, octets, rest)
    }

    /// Length · security header · content, in the tail `rest` of `all`.
    fn secured(
        tag: Tag,
        system_title: &'a [u8],
        all: &'a [u8],
        rest: &'a [u8],
    ) -> Result<(Self, &'a [u8]), ApduError> {
        let at = all.len().saturating_sub(rest.len());
        let (secured, rest) = length::counted(rest).map_err(|kind| ApduErrorKind::from(kind).at(at))?;
        let Some((&[security, a, b, c, d], content)) = secured.split_first_chunk() else {
            return Err(ApduErrorKind::SecurityHeader.at(at));
        };
        let security = SecurityControl(security);
        let (content, authentication_tag) = if security.is_authenticated() {
            let Some((content, tag)) = content.split_last_chunk() else {
                return Err(ApduErrorKind::SecurityHeader.at(at));
            };
            (content, Some(*tag))
        } else {
            (content, None)
        };
        let invocation_counter = u32::from_be_bytes([a, b, c, d]);
        Ok((Self { tag, system_title, security, invocation_counter, content, authentication_tag }, rest))
    }
}

impl SecurityControl {
    /// Security suite: 0 and 1 are AES-128, 2 is AES-256.
    #[must_use]
    pub const fn suite(self) -> u8 {
        self.0 & 0x0F
    }

    /// Bit 4: there is an authentication tag.
    #[must_use]
    pub const fn is_authenticated(self) -> bool {
        self.0 & 0x10 != 0
    }

    /// Bit 5: the content is encrypted.
    #[must_use]
    pub const fn is_encrypted(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// Bit 6: protected with the broadcast key rather than the unicast key.
    #[must_use]
    pub const fn uses_broadcast_key(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Bit 7: the content is compressed (V.44), which this crate does not undo.
    #[must_use]
    pub const fn is_compressed(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// `suite 0, authenticated, encrypted`.
impl fmt::Display for SecurityControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "suite {}", self.suite())?;
        for (is, name) in [
            (self.is_authenticated(), ", authenticated"),
            (self.is_encrypted(), ", encrypted"),
            (self.uses_broadcast_key(), ", broadcast key"),
            (self.is_compressed(), ", compressed"),
        ] {
            if is {
                f.write_str(name)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for SecurityControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecurityControl({:#04x}: {self})", self.0)
    }
}

/// A system title in the tail `rest` of `all`.
fn title<'a>(all: &[u8], rest: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), ApduError> {
    let at = all.len().saturating_sub(rest.len());
    length::counted(rest).map_err(|kind: ErrorKind| ApduErrorKind::from(kind).at(at))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn every_length_form_of_the_content() {
        for head in [&[20][..], &[0x81, 20], &[0x82, 0, 20], &[0x83, 0, 0, 20], &[0x84, 0, 0, 0, 20]] {
            let mut octets = Vec::from([0xDB, 8, b'A', b'B', b'C', 1, 2, 3, 4, 5]);
            octets.extend(head);
            octets.extend([0x30, 0, 0, 1, 0]);
            octets.extend([0xEE; 3]);
            octets.extend([0x77; 12]);
            octets.push(0x7E);
            let (read, rest) = Ciphered::parse(&octets).unwrap();
            assert_eq!((read.system_title, read.invocation_counter), (&b"ABC\x01\x02\x03\x04\x05"[..], 256));
            assert_eq!((read.content, read.authentication_tag), (&[0xEE; 3][..], Some([0x77; 12])));
            assert_eq!(rest, [0x7E]);
            for cut in 0..octets.len() - 1 {
                assert_eq!(Ciphered::parse(&octets[..cut]).unwrap_err().kind, ApduErrorKind::Truncated);
            }
        }
    }

    #[test]
    fn a_length_of_more_than_four_octets_is_refused() {
        let octets = [0xDB, 0, 0xF8, 1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(Ciphered::parse(&octets), Err(ApduErrorKind::Length.at(2)));
    }

    #[test]
    fn content_too_short_for_its_header_or_tag_is_refused() {
        assert_eq!(Ciphered::parse(&[0xDB, 0, 4, 0x20, 0, 0, 0]), Err(ApduErrorKind::SecurityHeader.at(2)));
        let octets = [0xC8, 9, 0x30, 0, 0, 0, 1, 1, 2, 3, 4];
        assert_eq!(Ciphered::parse(&octets), Err(ApduErrorKind::SecurityHeader.at(1)));
    }

    #[test]
    fn the_headless_form_and_services_have_no_title() {
        let octets = [0x00, 0x82, 0x00, 0x06, 0x20, 0, 0, 0, 9, 0xAA];
        let (read, _) = Ciphered::parse_body(&octets).unwrap();
        assert_eq!((read.system_title, read.invocation_counter, read.content), (&[][..], 9, &[0xAA][..]));
        let (read, _) = Ciphered::parse(&[0xD4, 6, 0x21, 0, 0, 0, 9, 0xAA]).unwrap();
        assert_eq!((read.tag.name(), read.system_title.len()), (Some("ded-get-response"), 0));
        assert_eq!(std::format!("{}", read.security), "suite 1, encrypted");
        assert_eq!(Ciphered::parse(&[0x0F, 0, 0]), Err(ApduErrorKind::Tag(0x0F).at(0)));
    }
}
