//! The first octet of an APDU, by name (Green Book 9.5, the xDLMS-APDU and ACSE-APDU choices).

use core::fmt;

/// The tag of an APDU.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Tag(pub u8);

/// How a ciphered service APDU is protected: with the global or the dedicated key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum KeyUse {
    /// With the global key of the meter (glo-…).
    Global,
    /// With a key that lasts as long as the association (ded-…).
    Dedicated,
}

impl Tag {
    /// data-notification.
    pub const DATA_NOTIFICATION: Self = Self(0x0F);
    /// event-notification-request.
    pub const EVENT_NOTIFICATION: Self = Self(0xC2);
    /// exception-response.
    pub const EXCEPTION_RESPONSE: Self = Self(0xD8);
    /// general-glo-ciphering.
    pub const GENERAL_GLO_CIPHERING: Self = Self(0xDB);
    /// general-ded-ciphering.
    pub const GENERAL_DED_CIPHERING: Self = Self(0xDC);
    /// general-ciphering.
    pub const GENERAL_CIPHERING: Self = Self(0xDD);
    /// general-signing.
    pub const GENERAL_SIGNING: Self = Self(0xDF);
    /// general-block-transfer.
    pub const GENERAL_BLOCK_TRANSFER: Self = Self(0xE0);

    /// The standard's name; `None` for a tag the standard does not use.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0x01 => "initiate-request",
            0x05 => "read-request",
            0x06 => "write-request",
            0x08 => "initiate-response",
            0x0C => "read-response",
            0x0D => "write-response",
            0x0E => "confirmed-service-error",
            0x0F => "data-notification",
            0x10 => "data-notification-confirm",
            0x16 => "unconfirmed-write-request",
            0x18 => "information-report-request",
            0x21 => "glo-initiate-request",
            0x25 => "glo-read-request",
            0x26 => "glo-write-request",
            0x28 => "glo-initiate-response",
            0x2C => "glo-read-response",
            0x2D => "glo-write-response",
            0x2E => "glo-confirmed-service-error",
            0x36 => "glo-unconfirmed-write-request",
            0x38 => "glo-information-report-request",
            0x41 => "ded-initiate-request",
            0x45 => "ded-read-request",
            0x46 => "ded-write-request",
            0x48 => "ded-initiate-response",
            0x4C => "ded-read-response",
            0x4D => "ded-write-response",
            0x4E => "ded-confirmed-service-error",
            0x56 => "ded-unconfirmed-write-request",
            0x58 => "ded-information-report-request",
            0x60 => "AARQ",
            0x61 => "AARE",
            0x62 => "RLRQ",
            0x63 => "RLRE",
            0xC0 => "get-request",
            0xC1 => "set-request",
            0xC2 => "event-notification-request",
            0xC3 => "action-request",
            0xC4 => "get-response",
            0xC5 => "set-response",
            0xC7 => "action-response",
            0xC8 => "glo-get-request",
            0xC9 => "glo-set-request",
            0xCA => "glo-event-notification-request",
            0xCB => "glo-action-request",
            0xCC => "glo-get-response",
            0xCD => "glo-set-response",
            0xCF => "glo-action-response",
            0xD0 => "ded-get-request",
            0xD1 => "ded-set-request",
            0xD2 => "ded-event-notification-request",
            0xD3 => "ded-action-request",
            0xD4 => "ded-get-response",
            0xD5 => "ded-set-response",
            0xD7 => "ded-action-response",
            0xD8 => "exception-response",
            0xD9 => "access-request",
            0xDA => "access-response",
            0xDB => "general-glo-ciphering",
            0xDC => "general-ded-ciphering",
            0xDD => "general-ciphering",
            0xDF => "general-signing",
            0xE0 => "general-block-transfer",
            _ => return None,
        })
    }

    /// For a glo- or ded- service tag (0x21 to 0x58, 0xC8 to 0xD7), which key protects it.
    #[must_use]
    pub const fn service_key(self) -> Option<KeyUse> {
        match self.0 {
            0x21 | 0x25 | 0x26 | 0x28 | 0x2C..=0x2E | 0x36 | 0x38 | 0xC8..=0xCD | 0xCF => {
                Some(KeyUse::Global)
            }
            0x41 | 0x45 | 0x46 | 0x48 | 0x4C..=0x4E | 0x56 | 0x58 | 0xD0..=0xD5 | 0xD7 => {
                Some(KeyUse::Dedicated)
            }
            _ => None,
        }
    }

    /// Whether the tag is of the ACSE (AARQ, AARE, RLRQ, RLRE), which says its own length (BER).
    #[must_use]
    pub const fn is_association(self) -> bool {
        matches!(self.0, 0x60..=0x63)
    }
}

/// The standard's name, or `unknown APDU 0x7a`.
impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "unknown APDU {:#04x}", self.0),
        }
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({:#04x} {self})", self.0)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn glo_and_ded_names_match_their_keys() {
        for tag in 0..=255 {
            let tag = Tag(tag);
            let name = tag.name().unwrap_or_default();
            assert_eq!(tag.service_key() == Some(KeyUse::Global), name.starts_with("glo-"), "{tag:?}");
            assert_eq!(tag.service_key() == Some(KeyUse::Dedicated), name.starts_with("ded-"), "{tag:?}");
        }
        assert_eq!(std::format!("{}", Tag(0x7A)), "unknown APDU 0x7a");
    }
}
