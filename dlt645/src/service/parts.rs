//! What requests are made of.

use core::fmt;

use crate::control::Version;
use crate::data::Data;
use crate::moment::{Moment, TimeForm};

/// PA P0 P1 P2: level 0..=9 (0 the highest; 98H, 99H for security modules) and six digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Password {
    /// PA.
    pub level: u8,
    /// P0 P1 P2, low octet first.
    pub digits: [u8; 3],
}

impl Password {
    /// Octets on the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 4] {
        let [p0, p1, p2] = self.digits;
        [self.level, p0, p1, p2]
    }

    pub(crate) const fn from_octets([level, p0, p1, p2]: [u8; 4]) -> Self {
        Self { level, digits: [p0, p1, p2] }
    }
}

/// The digits stay out of logs.
impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Password {{ level: {:02X}, .. }}", self.level)
    }
}

/// Who asks: password and, in 2007, operator code C0..C3, which the meter records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Access {
    /// PA P0 P1 P2.
    pub password: Password,
    /// C0..C3; not sent in 1997.
    pub operator: [u8; 4],
}

impl Access {
    pub(crate) const fn width(version: Version) -> usize {
        match version {
            Version::V1997 => 4,
            Version::V2007 => 8,
        }
    }

    pub(crate) fn octets(self, version: Version) -> impl Iterator<Item = u8> {
        self.password.octets().into_iter().chain(self.operator).take(Self::width(version))
    }

    pub(crate) fn split(version: Version, data: Data<'_>) -> Option<(Self, Data<'_>)> {
        let (front, rest) = data.split_at(Self::width(version))?;
        let operator = if version == Version::V2007 { front.array(4)? } else { [0; 4] };
        Some((Self { password: Password::from_octets(front.array(0)?), operator }, rest))
    }
}

/// What a read of load records asks besides the identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Query {
    /// Nothing: a read of anything else.
    All,
    /// So many records.
    Records(u8),
    /// So many records from a time on (YYMMDDhhmm).
    Since(u8, Moment),
}

impl Query {
    pub(crate) fn octets(self) -> impl Iterator<Item = u8> {
        let (count, since) = match self {
            Self::All => (None, None),
            Self::Records(count) => (Some(count), None),
            Self::Since(count, time) => (Some(count), Some(time.with_form(TimeForm::TO_MINUTE))),
        };
        count.into_iter().chain(since.into_iter().flat_map(Moment::octets))
    }

    /// From all octets behind the identifier; `None` for another number than 0, 1 or 6.
    pub(crate) fn parse(data: Data<'_>) -> Option<Result<Self, crate::ValueError>> {
        match (data.len(), data.octet(0)) {
            (0, _) => Some(Ok(Self::All)),
            (1, Some(count)) => Some(Ok(Self::Records(count))),
            (6, Some(count)) => {
                let (_, time) = data.split_at(1)?;
                Some(Moment::parse(TimeForm::TO_MINUTE, time).map(|time| Self::Since(count, time)))
            }
            _ => None,
        }
    }
}

/// When to freeze: `mm hh DD MM`, 99 for "every" from the month down.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FreezeTime(pub(crate) Moment);

impl FreezeTime {
    const EVERY: u8 = 99;

    /// At once: 99999999.
    pub const NOW: Self = Self::new(Self::EVERY, Self::EVERY, Self::EVERY, Self::EVERY);

    const fn new(month: u8, day: u8, hour: u8, minute: u8) -> Self {
        Self(Moment::month_to_minute(month, day, hour, minute))
    }

    /// Every hour at `minute`: 999999mm.
    #[must_use]
    pub const fn hourly(minute: u8) -> Self {
        Self::new(Self::EVERY, Self::EVERY, Self::EVERY, minute)
    }

    /// Every day: 9999hhmm.
    #[must_use]
    pub const fn daily(hour: u8, minute: u8) -> Self {
        Self::new(Self::EVERY, Self::EVERY, hour, minute)
    }

    /// Every month: 99DDhhmm.
    #[must_use]
    pub const fn monthly(day: u8, hour: u8, minute: u8) -> Self {
        Self::new(Self::EVERY, day, hour, minute)
    }

    /// Once a year: MMDDhhmm.
    #[must_use]
    pub const fn yearly(month: u8, day: u8, hour: u8, minute: u8) -> Self {
        Self::new(month, day, hour, minute)
    }

    /// Month, day, hour, minute; 99 is "every".
    #[must_use]
    pub const fn moment(self) -> Moment {
        self.0
    }
}

impl fmt::Debug for FreezeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FreezeTime({})", self.0)
    }
}

/// The rate octet Z: one bit per rate, other bits in the two versions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Rate(pub u8);

impl Rate {
    /// The octet for a rate in bit/s: 300 (1997 only), 600, 1200, 2400, 4800, 9600, 19200 (2007 only).
    #[must_use]
    pub const fn from_bits_per_second(version: Version, rate: u16) -> Option<Self> {
        let bit = match (version, rate) {
            (Version::V1997, 300) | (Version::V2007, 600) => 1,
            (Version::V1997, 600) | (Version::V2007, 1200) => 2,
            (Version::V1997, 1200) | (Version::V2007, 2400) => 3,
            (Version::V1997, 2400) | (Version::V2007, 4800) => 4,
            (Version::V1997, 4800) | (Version::V2007, 9600) => 5,
            (Version::V1997, 9600) | (Version::V2007, 19_200) => 6,
            _ => return None,
        };
        Some(Self(1 << bit))
    }

    /// The rate in bit/s; `None` unless exactly one of bits 1..=6 is set.
    #[must_use]
    pub const fn bits_per_second(self, version: Version) -> Option<u16> {
        // Doublings of 300 bit/s.
        let steps: u8 = match (self.0, version) {
            (0x02, Version::V1997) => 0,
            (0x02, Version::V2007) | (0x04, Version::V1997) => 1,
            (0x04, Version::V2007) | (0x08, Version::V1997) => 2,
            (0x08, Version::V2007) | (0x10, Version::V1997) => 3,
            (0x10, Version::V2007) | (0x20, Version::V1997) => 4,
            (0x20, Version::V2007) | (0x40, Version::V1997) => 5,
            (0x40, Version::V2007) => 6,
            _ => return None,
        };
        Some(300 << steps)
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({:02X})", self.0)
    }
}

/// N1 of a relay command (2013 filing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Relay {
    /// 1A: trip.
    Trip,
    /// 1B: permit to close.
    PermitClose,
    /// 1C: close.
    Close,
    /// 1D: trip, closed again by itself.
    TripRecovering,
    /// 1E: trip, permitted to close by itself.
    TripPermitting,
    /// 2A: alarm on.
    AlarmOn,
    /// 2B: alarm off.
    AlarmOff,
    /// 3A: keep the supply whatever happens.
    KeepOn,
    /// 3B: no longer.
    KeepOff,
    /// Another octet.
    Other(u8),
}

impl Relay {
    /// From the octet.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            0x1A => Self::Trip,
            0x1B => Self::PermitClose,
            0x1C => Self::Close,
            0x1D => Self::TripRecovering,
            0x1E => Self::TripPermitting,
            0x2A => Self::AlarmOn,
            0x2B => Self::AlarmOff,
            0x3A => Self::KeepOn,
            0x3B => Self::KeepOff,
            octet => Self::Other(octet),
        }
    }

    /// The octet.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::Trip => 0x1A,
            Self::PermitClose => 0x1B,
            Self::Close => 0x1C,
            Self::TripRecovering => 0x1D,
            Self::TripPermitting => 0x1E,
            Self::AlarmOn => 0x2A,
            Self::AlarmOff => 0x2B,
            Self::KeepOn => 0x3A,
            Self::KeepOff => 0x3B,
            Self::Other(octet) => octet,
        }
    }
}

/// What the multi-function terminal puts out (2013 filing).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Terminal {
    /// 00: clock pulses, one a second.
    ClockPulse,
    /// 01: the end of demand periods.
    DemandPeriod,
    /// 02: the switch of tariff periods.
    PeriodSwitch,
    /// Another octet.
    Other(u8),
}

impl Terminal {
    /// From the octet.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Self {
        match octet {
            0 => Self::ClockPulse,
            1 => Self::DemandPeriod,
            2 => Self::PeriodSwitch,
            octet => Self::Other(octet),
        }
    }

    /// The octet.
    #[must_use]
    pub const fn octet(self) -> u8 {
        match self {
            Self::ClockPulse => 0,
            Self::DemandPeriod => 1,
            Self::PeriodSwitch => 2,
            Self::Other(octet) => octet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_bits_are_one_per_rate_and_differ_by_version() {
        // 600888 sends 4800 as 16H (its digits), ng-gateway one bit too low; meters mask with 7EH.
        let z = |version, rate| Rate::from_bits_per_second(version, rate).map(|z| z.0);
        let of2007 = [600, 1200, 2400, 4800, 9600, 19200].map(|rate| z(Version::V2007, rate).unwrap());
        assert_eq!(of2007, [0x02, 0x04, 0x08, 0x10, 0x20, 0x40]);
        let of1997 = [300, 600, 1200, 2400, 4800, 9600].map(|rate| z(Version::V1997, rate).unwrap());
        assert_eq!(of1997, of2007);
        assert_eq!((z(Version::V2007, 300), z(Version::V1997, 19200)), (None, None));
        for version in [Version::V1997, Version::V2007] {
            for bit in 1..7 {
                let rate = Rate(1 << bit).bits_per_second(version).unwrap();
                assert_eq!(z(version, rate), Some(1 << bit));
            }
        }
        assert_eq!(Rate(0x16).bits_per_second(Version::V2007), None);
        assert_eq!(Rate(0x01).bits_per_second(Version::V2007), None);
    }

    #[test]
    fn octets_of_commands_are_kept() {
        for octet in 0..=255 {
            assert_eq!(Relay::from_octet(octet).octet(), octet);
            assert_eq!(Terminal::from_octet(octet).octet(), octet);
        }
    }
}
