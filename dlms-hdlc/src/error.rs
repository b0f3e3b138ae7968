//! What can be wrong with received octets, and how much of them was whole.

use core::fmt;

/// Why octets were given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorKind {
    /// Octets that belong to no frame: line noise, or what was left of a frame given up before.
    Noise,
    /// A length that the standard does not allow, or two copies of it that differ (M-Bus).
    Length,
    /// A frame longer than the storage can take; see [`longest_frame`](crate::longest_frame).
    TooLong,
    /// An address field that does not end after 1, 2 or 4 octets (ISO/IEC 13239).
    Address,
    /// A start, version or escape octet where the standard wants another.
    Format,
    /// Header check sequence (HCS) wrong.
    Hcs,
    /// Frame check sequence (FCS) wrong.
    Fcs,
    /// Checksum of a wired M-Bus frame wrong (EN 13757-2).
    Checksum,
    /// Stop octet `16` of a wired M-Bus frame missing (EN 13757-2).
    Stop,
    /// The input ended, or the line fell idle, inside a frame.
    Truncated,
    /// More came than the storage can hold while bad frames were searched again, their false starts closer to each
    /// other than an eighth of the lengths that they claim. More storage helps.
    Overrun,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noise => "octets outside any frame",
            Self::Length => "invalid length field",
            Self::TooLong => "frame longer than the storage",
            Self::Address => "invalid address field",
            Self::Format => "invalid frame format",
            Self::Hcs => "header check sequence wrong",
            Self::Fcs => "frame check sequence wrong",
            Self::Checksum => "checksum wrong",
            Self::Stop => "stop octet missing",
            Self::Truncated => "truncated frame",
            Self::Overrun => "storage overrun",
        })
    }
}

/// Octets given up: why the scan gave up, and how many octets went with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Error {
    /// What was wrong.
    pub kind: ErrorKind,
    /// Octets lost since the last frame or error, up to and including the one given up here.
    pub lost: u32,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} octets lost)", self.kind, self.lost)
    }
}

impl core::error::Error for Error {}

/// The output buffer is shorter than the frame, or the frame longer than the standard allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferTooSmall;

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("buffer too small for the frame")
    }
}

impl core::error::Error for BufferTooSmall {}

/// Counters since the decoder was made; each wraps at 2³².
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Stats {
    /// Frames delivered.
    pub frames: u32,
    /// Errors delivered.
    pub errors: u32,
    /// Octets reported lost in those errors.
    pub lost: u32,
    /// Octets that the standard lets stand between frames (HDLC flags).
    pub fill: u32,
}

impl Stats {
    pub(crate) const ZERO: Self = Self { frames: 0, errors: 0, lost: 0, fill: 0 };
}
