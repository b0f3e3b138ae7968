//! What can be wrong with a frame.

use core::fmt;

/// Why octets of a stream were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorKind {
    /// Octets that are no part of any frame.
    Noise,
    /// No second start octet 68H seven octets after the first (on the bus: a header that cannot be).
    Header,
    /// The sum over first start octet to last data octet is not the check octet.
    Checksum,
    /// The octet after the check octet is not the end octet 16H.
    End,
    /// The frame claims more octets than the decoder's storage holds, or, on the bus, than a frame can have.
    TooLong,
    /// The line went idle, or the input ended, inside a frame.
    Truncated,
}

/// Octets were given up: the reason, and how many since the last event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Error {
    /// Reason of the last of them.
    pub kind: ErrorKind,
    /// Octets given up since the last event, this one's included; 0 from [`Frame::parse`](crate::Frame::parse),
    /// which takes nothing.
    pub lost: u32,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noise => "octets outside of frames",
            Self::Header => "no second start octet",
            Self::Checksum => "wrong check sum",
            Self::End => "no end octet",
            Self::TooLong => "frame longer than the storage",
            Self::Truncated => "frame cut short",
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} octets lost", self.kind, self.lost)
    }
}

impl core::error::Error for Error {}

/// The caller's buffer cannot hold what was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferTooSmall;

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("buffer too small")
    }
}

impl core::error::Error for BufferTooSmall {}
