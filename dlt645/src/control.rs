//! Control codes and the services they stand for (clause 5.2.3; facts differ by version).

use core::fmt;

/// Edition of the standard that a meter speaks.
///
/// A parameter of every reading: codes 01H to 04H are reading and writing in 1997 and vendor or security services in
/// 2007, so a control code alone does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Version {
    /// DL/T 645-1997: identifiers of 2 octets.
    V1997,
    /// DL/T 645-2007, with the extensions of its 2013 filing: identifiers of 4 octets.
    V2007,
}

/// Control code C: `D7` 1 from the meter, `D6` 1 refused, `D5` 1 more frames follow, `D4..D0` function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Control(u8);

impl Control {
    /// From the octet of the wire; every octet is kept.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        Self(octet)
    }

    /// The octet of the wire.
    #[must_use]
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// `D7`: sent by a meter.
    #[must_use]
    pub const fn from_meter(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// `D6`: the meter refuses.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// `D5`: more frames follow.
    #[must_use]
    pub const fn more(self) -> bool {
        self.0 & 0x20 != 0
    }

    /// `D4..D0`.
    #[must_use]
    pub const fn function(self) -> u8 {
        self.0 & 0x1F
    }

    /// What the function means in `version`.
    #[must_use]
    pub const fn service(self, version: Version) -> Service {
        Service::from_function(version, self.function())
    }

    /// The good reply to this request, `D5` set if more frames follow.
    #[must_use]
    pub const fn reply(self, more: bool) -> Self {
        Self(self.function() | 0x80 | if more { 0x20 } else { 0 })
    }

    /// The refusal of this request.
    #[must_use]
    pub const fn refusal(self) -> Self {
        Self(self.function() | 0xC0)
    }

    /// Whether `self` is a reply, good or not, to the request `asked`.
    #[must_use]
    pub const fn answers(self, asked: Self) -> bool {
        self.from_meter() && self.function() == asked.function()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({self})")
    }
}

/// Two hexadecimal digits.
impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

/// What a control code asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Service {
    /// Read data: 11H, 1997 01H.
    Read,
    /// Read what follows: 12H, 1997 02H.
    ReadNext,
    /// Send the last reply again: 1997 03H.
    ReRead,
    /// Read the address: 13H.
    ReadAddress,
    /// Write data: 14H, 1997 04H.
    Write,
    /// Write the address: 15H, 1997 0AH.
    WriteAddress,
    /// Broadcast time: 08H.
    BroadcastTime,
    /// Freeze: 16H.
    Freeze,
    /// Change the rate of the line: 17H, 1997 0CH.
    ChangeRate,
    /// Change a password: 18H, 1997 0FH.
    ChangePassword,
    /// Clear the maximum demand: 19H, 1997 10H.
    ClearDemand,
    /// Clear the meter: 1AH.
    ClearMeter,
    /// Clear events: 1BH.
    ClearEvents,
    /// Relay, alarm and supply keeping: 1CH (2013 filing).
    Relay,
    /// What the multi-function terminal puts out: 1DH (2013 filing).
    Terminal,
    /// Security with a security module: 03H (State Grid).
    Security,
    /// Another function code, vendors' ones included.
    Other(u8),
}

impl Service {
    /// What function `D4..D0` means in `version`.
    #[must_use]
    pub const fn from_function(version: Version, function: u8) -> Self {
        match (version, function) {
            (_, 0x08) => Self::BroadcastTime,
            (Version::V1997, 0x01) | (Version::V2007, 0x11) => Self::Read,
            (Version::V1997, 0x02) | (Version::V2007, 0x12) => Self::ReadNext,
            (Version::V1997, 0x03) => Self::ReRead,
            (Version::V1997, 0x04) | (Version::V2007, 0x14) => Self::Write,
            (Version::V1997, 0x0A) | (Version::V2007, 0x15) => Self::WriteAddress,
            (Version::V1997, 0x0C) | (Version::V2007, 0x17) => Self::ChangeRate,
            (Version::V1997, 0x0F) | (Version::V2007, 0x18) => Self::ChangePassword,
            (Version::V1997, 0x10) | (Version::V2007, 0x19) => Self::ClearDemand,
            (Version::V2007, 0x03) => Self::Security,
            (Version::V2007, 0x13) => Self::ReadAddress,
            (Version::V2007, 0x16) => Self::Freeze,
            (Version::V2007, 0x1A) => Self::ClearMeter,
            (Version::V2007, 0x1B) => Self::ClearEvents,
            (Version::V2007, 0x1C) => Self::Relay,
            (Version::V2007, 0x1D) => Self::Terminal,
            (_, function) => Self::Other(function & 0x1F),
        }
    }

    /// Function `D4..D0` of this service in `version`; `None` if that edition has none.
    #[must_use]
    pub const fn function(self, version: Version) -> Option<u8> {
        let (of1997, of2007) = match self {
            Self::BroadcastTime => (0x08, 0x08),
            Self::Read => (0x01, 0x11),
            Self::ReadNext => (0x02, 0x12),
            Self::ReRead => (0x03, 0),
            Self::Write => (0x04, 0x14),
            Self::WriteAddress => (0x0A, 0x15),
            Self::ChangeRate => (0x0C, 0x17),
            Self::ChangePassword => (0x0F, 0x18),
            Self::ClearDemand => (0x10, 0x19),
            Self::Security => (0, 0x03),
            Self::ReadAddress => (0, 0x13),
            Self::Freeze => (0, 0x16),
            Self::ClearMeter => (0, 0x1A),
            Self::ClearEvents => (0, 0x1B),
            Self::Relay => (0, 0x1C),
            Self::Terminal => (0, 0x1D),
            Self::Other(function) => return Some(function & 0x1F),
        };
        match (version, of1997, of2007) {
            (Version::V1997, 0, _) | (Version::V2007, _, 0) => None,
            (Version::V1997, function, _) | (Version::V2007, _, function) => Some(function),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::ReadNext => "read next",
            Self::ReRead => "re-read",
            Self::ReadAddress => "read address",
            Self::Write => "write",
            Self::WriteAddress => "write address",
            Self::BroadcastTime => "broadcast time",
            Self::Freeze => "freeze",
            Self::ChangeRate => "change rate",
            Self::ChangePassword => "change password",
            Self::ClearDemand => "clear demand",
            Self::ClearMeter => "clear meter",
            Self::ClearEvents => "clear events",
            Self::Relay => "relay control",
            Self::Terminal => "multi-function terminal",
            Self::Security => "security",
            Self::Other(function) => return write!(f, "function {function:02X}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_maps_there_and_back() {
        for version in [Version::V1997, Version::V2007] {
            for function in 0..32 {
                let service = Service::from_function(version, function);
                assert_eq!(service.function(version), Some(function), "{version:?} {service}");
            }
        }
        assert_eq!(Service::ReadAddress.function(Version::V1997), None);
        assert_eq!(Service::ReRead.function(Version::V2007), None);
    }

    #[test]
    fn the_bits_of_a_reply() {
        let read = Control::from_octet(0x11);
        assert_eq!(read.reply(false).octet(), 0x91);
        assert_eq!(read.reply(true).octet(), 0xB1);
        assert_eq!(read.refusal().octet(), 0xD1);
        assert!(read.refusal().answers(read) && !read.answers(read));
    }
}
