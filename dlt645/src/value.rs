//! Values: exact decimals with a unit, times, text, bits, and what can be wrong with them.

use core::fmt;

/// Why data octets are not the value that the identifier's layout says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ValueError {
    /// The octet at `at` (from the first octet of this value) has a nibble above 9.
    NotBcd {
        /// Place in the value.
        at: u8,
        /// The plain octet, 33H taken off.
        octet: u8,
    },
    /// So many octets cannot be split as the layout says.
    Length {
        /// What the layout needs at this place, 0 where there is no one number.
        expected: u16,
        /// What there is.
        found: u16,
    },
}

impl ValueError {
    pub(crate) fn not_bcd(at: usize, octet: u8) -> Self {
        Self::NotBcd { at: u8::try_from(at).unwrap_or(u8::MAX), octet }
    }

    pub(crate) fn length(found: usize) -> Self {
        Self::Length { expected: 0, found: u16::try_from(found).unwrap_or(u16::MAX) }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBcd { at, octet } => write!(f, "octet {at} is {octet:02X}, not BCD"),
            Self::Length { expected: 0, found } => write!(f, "{found} octets do not fit the layout"),
            Self::Length { expected, found } => write!(f, "{found} octets where {expected} are needed"),
        }
    }
}

impl core::error::Error for ValueError {}
