//! Error words: ERR of both versions (annex C) and SERR of the security service.

use core::fmt;

use crate::control::Version;

/// Why a meter refuses: the bits of ERR, several of which may be set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ErrorWord {
    /// Edition, which decides what bits 0 to 3 mean.
    pub version: Version,
    /// The octet.
    pub bits: u8,
}

/// One reason in an error word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reason {
    /// 2007 bit 0: another error.
    Other,
    /// 2007 bit 1: no such data.
    NoData,
    /// Bit 2: wrong password, or no authority.
    Password,
    /// 2007 bit 3: the rate of the line cannot be changed.
    Rate,
    /// Bit 4: too many year zones.
    YearZones,
    /// Bit 5: too many day periods.
    DayPeriods,
    /// Bit 6: too many rates.
    Rates,
    /// 1997 bit 0: illegal data.
    IllegalData,
    /// 1997 bit 1: wrong data identifier.
    Identifier,
    /// A bit that the standard reserves.
    Reserved(u8),
}

impl Reason {
    /// Its bit in an error word of `version`; `None` if that edition has no such reason.
    #[must_use]
    pub const fn bit(self, version: Version) -> Option<u8> {
        match (self, version) {
            (Self::Other, Version::V2007) | (Self::IllegalData, Version::V1997) => Some(0),
            (Self::NoData, Version::V2007) | (Self::Identifier, Version::V1997) => Some(1),
            (Self::Password, _) => Some(2),
            (Self::Rate, Version::V2007) => Some(3),
            (Self::YearZones, _) => Some(4),
            (Self::DayPeriods, _) => Some(5),
            (Self::Rates, _) => Some(6),
            (Self::Reserved(bit @ 0..=7), _) => Some(bit),
            _ => None,
        }
    }

    /// What `bit` means in `version`.
    #[must_use]
    pub const fn of(version: Version, bit: u8) -> Self {
        match (bit, version) {
            (0, Version::V2007) => Self::Other,
            (0, Version::V1997) => Self::IllegalData,
            (1, Version::V2007) => Self::NoData,
            (1, Version::V1997) => Self::Identifier,
            (2, _) => Self::Password,
            (3, Version::V2007) => Self::Rate,
            (4, _) => Self::YearZones,
            (5, _) => Self::DayPeriods,
            (6, _) => Self::Rates,
            _ => Self::Reserved(bit),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Other => "other error",
            Self::NoData => "no such data",
            Self::Password => "wrong password or no authority",
            Self::Rate => "rate cannot be changed",
            Self::YearZones => "too many year zones",
            Self::DayPeriods => "too many day periods",
            Self::Rates => "too many rates",
            Self::IllegalData => "illegal data",
            Self::Identifier => "wrong data identifier",
            Self::Reserved(bit) => return write!(f, "reserved bit {bit}"),
        })
    }
}

impl ErrorWord {
    /// A word of one reason; a reason that the edition lacks becomes its bit 0 (other error, illegal data).
    #[must_use]
    pub const fn new(version: Version, reason: Reason) -> Self {
        let bits = match reason.bit(version) {
            Some(bit) => 1 << bit,
            None => 1,
        };
        Self { version, bits }
    }

    /// Whether `reason` is among its reasons.
    #[must_use]
    pub const fn has(self, reason: Reason) -> bool {
        match reason.bit(self.version) {
            Some(bit) => self.bits & 1 << bit != 0,
            None => false,
        }
    }

    /// Its reasons, lowest bit first.
    pub fn reasons(self) -> impl Iterator<Item = Reason> {
        (0..8).filter(move |bit| self.bits >> bit & 1 != 0).map(move |bit| Reason::of(self.version, bit))
    }
}

impl fmt::Display for ErrorWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ERR {:02X}", self.bits)?;
        for (index, reason) in self.reasons().enumerate() {
            write!(f, "{} {reason}", if index == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

impl fmt::Debug for ErrorWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// SERR, two octets, of the security service (State Grid).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SecurityError(pub u16);

impl fmt::Display for SecurityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SERR {:04X}", self.0)?;
        let mut separator = ":";
        for bit in (0..16u8).filter(|bit| self.0 >> bit & 1 != 0) {
            let reason = match bit {
                0 => "other error",
                1 => "repeated top-up",
                2 => "security module check",
                3 => "identity authentication",
                4 => "customer number does not match",
                5 => "top-up count",
                6 => "credit over limit",
                _ => "reserved",
            };
            write!(f, "{separator} {reason}")?;
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for SecurityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn bit_0_and_1_depend_on_the_version() {
        let word = |version, bits| ErrorWord { version, bits }.to_string();
        assert_eq!(word(Version::V1997, 0x01), "ERR 01: illegal data");
        assert_eq!(word(Version::V1997, 0x02), "ERR 02: wrong data identifier");
        assert_eq!(word(Version::V2007, 0x02), "ERR 02: no such data");
        assert_eq!(word(Version::V2007, 0x84), "ERR 84: wrong password or no authority, reserved bit 7");
        assert_eq!(ErrorWord::new(Version::V2007, Reason::Rate).bits, 8);
        assert!(ErrorWord::new(Version::V1997, Reason::NoData).has(Reason::IllegalData));
        assert_eq!(SecurityError(0x0008).to_string(), "SERR 0008: identity authentication");
        for version in [Version::V1997, Version::V2007] {
            for bit in 0..8 {
                assert_eq!(Reason::of(version, bit).bit(version), Some(bit));
            }
        }
    }
}
