//! What can be wrong with a stream of telegrams, and the counters.

use core::fmt;

/// What happened to the octets that were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ErrorKind {
    /// Octets outside of any telegram.
    Noise,
    /// The check does not agree with the telegram, or the check line is none.
    Check,
    /// The telegram does not fit in the storage.
    TooLong,
    /// Another telegram began, or the line fell idle, before the telegram's check line was ended.
    Truncated,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Noise => "noise between telegrams",
            Self::Check => "check does not agree",
            Self::TooLong => "telegram longer than the storage",
            Self::Truncated => "telegram cut short",
        })
    }
}

/// Octets were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Error {
    /// Why.
    pub kind: ErrorKind,
    /// How many octets since the last report, wrapping.
    pub lost: u32,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} octets lost", self.kind, self.lost)
    }
}

impl core::error::Error for Error {}

/// The space for an encoded telegram is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferTooSmall;

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("buffer too small")
    }
}

impl core::error::Error for BufferTooSmall {}

/// Counters since the start or the last reset. They wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Stats {
    /// Telegrams handed out.
    pub telegrams: u32,
    /// Errors reported.
    pub errors: u32,
    /// Octets lost, those not reported yet included.
    pub lost: u32,
    /// CR, LF and NUL between telegrams.
    pub fill: u32,
}
