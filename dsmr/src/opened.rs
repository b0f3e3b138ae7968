//! Decryption of encrypted telegrams, and what may be trusted afterwards.

use crate::check::{Check, CheckKind};
use crate::encrypted::Frame;
use crate::framing::{Framing, Options, Step};
use crate::line::DataLines;
use crate::telegram::Telegram;
use core::fmt;
use obis::apdu::{CipherError, Key, TagCheck};

/// Keys, and what has to be right for a telegram to be handed out.
///
/// The safe default: the tag must verify, and then the check inside is reported but need not agree (a Luxembourg meter
/// sends a good tag and a wrong check). Where the caller waives the tag, the check inside must agree.
#[derive(Clone, Debug)]
pub struct Security {
    /// Encryption key, from the grid operator.
    pub encryption: Key,
    /// Authentication key; [`Security::PUBLIC_AUTHENTICATION_KEY`] unless the grid operator gave another. `None`: not
    /// known, so no tag can be checked.
    pub authentication: Option<Key>,
    /// For the form that sends none.
    pub system_title: Option<[u8; 8]>,
    /// What the tag decides.
    pub tag: TagPolicy,
    /// What the check inside decides.
    pub check: CheckPolicy,
    /// Which check that is.
    pub check_kind: CheckKind,
}

/// What the authentication tag decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TagPolicy {
    /// It must be there and verify.
    #[default]
    Require,
    /// Nothing: [`Opened::tag`] says what is known of it.
    Report,
}

/// What the check inside the telegram decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CheckPolicy {
    /// It must agree, always.
    Require,
    /// It must agree unless the tag verified.
    #[default]
    RequireWithoutTag,
    /// Nothing: [`Opened::check`] says what is known of it.
    Report,
}

/// What is known of the authentication tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum TagVerdict {
    /// It fits both keys and every octet.
    Verified,
    /// It does not fit: another authentication key, or changed octets.
    Failed,
    /// There is no authentication key to check it with.
    NotChecked,
    /// The meter sends none.
    Absent,
}

/// Why an encrypted telegram was not handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum OpenError {
    /// The tag must verify and did not, or there is none to verify.
    Tag(TagVerdict),
    /// The check inside must agree and did not: another encryption key, or changed octets.
    Check(Check),
    /// The form without a system title, and none was supplied.
    SystemTitle,
    /// The plaintext is compressed.
    Compressed,
    /// The storage is shorter than the ciphertext.
    BufferTooSmall,
    /// The cipher cannot be run: suite, length of a key.
    Cipher,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tag(TagVerdict::Failed) => "authentication tag does not fit",
            Self::Tag(_) => "authentication tag not verified",
            Self::Check(_) => "check inside the telegram does not agree",
            Self::SystemTitle => "no system title",
            Self::Compressed => "plaintext is compressed",
            Self::BufferTooSmall => "buffer too small",
            Self::Cipher => "security suite or length of a key",
        })
    }
}

impl core::error::Error for OpenError {}

/// A decrypted telegram, in the caller's storage.
#[derive(Clone, Copy, Debug)]
pub struct Opened<'s> {
    octets: &'s [u8],
    telegram: Option<Telegram<'s>>,
    /// What is known of the authentication tag.
    pub tag: TagVerdict,
}

impl<'s> Opened<'s> {
    /// All of the plaintext.
    #[must_use]
    pub const fn octets(&self) -> &'s [u8] {
        self.octets
    }

    /// The telegram in it. `None`: the plaintext does not begin with `/`; there may be data lines all the same.
    #[must_use]
    pub const fn telegram(&self) -> Option<Telegram<'s>> {
        self.telegram
    }

    /// What is known of the check inside.
    #[must_use]
    pub fn check(&self) -> Check {
        self.telegram.map_or(Check::Absent, |telegram| telegram.check())
    }

    /// The data lines, also of a plaintext that has no identification.
    #[must_use]
    pub fn lines(&self) -> DataLines<'s> {
        self.telegram.map_or(DataLines::new(self.octets), |telegram| telegram.lines())
    }
}

impl Security {
    /// The authentication key that the Luxembourg specification publishes; Austrian meters use it too.
    pub const PUBLIC_AUTHENTICATION_KEY: Key = Key::aes128([
        0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF,
    ]);

    /// The safe default with the public authentication key.
    #[must_use]
    pub const fn new(encryption: Key) -> Self {
        Self {
            encryption,
            authentication: Some(Self::PUBLIC_AUTHENTICATION_KEY),
            system_title: None,
            tag: TagPolicy::Require,
            check: CheckPolicy::RequireWithoutTag,
            check_kind: CheckKind::Arc,
        }
    }
}

impl Frame<'_> {
    /// Decrypts the telegram into `storage`, which must be as long as the ciphertext: a little less than the frame.
    ///
    /// # Errors
    ///
    /// [`OpenError`], as [`Security`] decides. Behind an error the storage holds nothing to be trusted.
    pub fn open<'s>(&self, security: &Security, storage: &'s mut [u8]) -> Result<Opened<'s>, OpenError> {
        let mut ciphered = self.ciphered();
        if ciphered.system_title.is_empty() {
            ciphered.system_title = security.system_title.as_ref().ok_or(OpenError::SystemTitle)?;
        }
        let out = storage.get_mut(..ciphered.content.len()).ok_or(OpenError::BufferTooSmall)?;
        let tag = match &security.authentication {
            _ if ciphered.authentication_tag.is_none() => TagVerdict::Absent,
            None => TagVerdict::NotChecked,
            Some(key) => match ciphered.decrypt(&security.encryption, key, out).map(|plain| plain.tag) {
                Ok(TagCheck::Verified) => TagVerdict::Verified,
                Ok(TagCheck::NotChecked) => TagVerdict::NotChecked,
                Ok(TagCheck::Absent) => TagVerdict::Absent,
                Err(CipherError::Tag) => TagVerdict::Failed,
                Err(error) => return Err(error.into()),
            },
        };
        if security.tag == TagPolicy::Require && tag != TagVerdict::Verified {
            return Err(OpenError::Tag(tag));
        }
        if tag != TagVerdict::Verified {
            ciphered.decrypt_unauthenticated(&security.encryption, out)?;
        }
        if ciphered.security.is_compressed() {
            return Err(OpenError::Compressed);
        }
        let octets: &'s [u8] = out;
        let opened = Opened { octets, telegram: telegram(octets, security.check_kind), tag };
        let must_agree = match security.check {
            CheckPolicy::Require => true,
            CheckPolicy::RequireWithoutTag => tag != TagVerdict::Verified,
            CheckPolicy::Report => false,
        };
        let check = opened.check();
        if must_agree && check != Check::Verified { Err(OpenError::Check(check)) } else { Ok(opened) }
    }
}

impl From<CipherError> for OpenError {
    fn from(error: CipherError) -> Self {
        match error {
            CipherError::Tag => Self::Tag(TagVerdict::Failed),
            CipherError::SystemTitle => Self::SystemTitle,
            CipherError::BufferTooSmall => Self::BufferTooSmall,
            _ => Self::Cipher,
        }
    }
}

/// The telegram at the front of a plaintext. The end of the plaintext ends the check line too.
fn telegram(octets: &[u8], check: CheckKind) -> Option<Telegram<'_>> {
    let blank = octets.iter().take_while(|octet| crate::framing::is_line_end(**octet)).count();
    let octets = octets.get(blank..)?;
    if octets.first() != Some(&b'/') {
        return None;
    }
    let mut framing = Framing::new(Options { check, ..Options::DEFAULT });
    let mut len = 0usize;
    for octet in octets {
        match framing.feed(*octet) {
            Step::Start | Step::More => len = len.saturating_add(1),
            Step::End(check) => {
                return Some(Telegram::framed(octets.get(..len.saturating_add(1)).unwrap_or(octets), check));
            }
            Step::Fill | Step::Noise | Step::Reject(_) => break,
        }
    }
    let check = match framing.in_check_line().then(|| framing.feed(b'\n')) {
        Some(Step::End(check)) => check,
        _ => Check::Bad,
    };
    Some(Telegram::framed(octets.get(..len).unwrap_or(octets), check))
}
