//! What can be wrong with COSEM data.

use core::fmt;

/// What is wrong with COSEM data, and where: the offset is that of the element that is wrong, from the front of the slice
/// (or of the octets fed) that the reader was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Octets before the element that is wrong.
    pub offset: u32,
}

/// What is wrong with COSEM data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ErrorKind {
    /// The data goes on after the last octet.
    Truncated,
    /// This octet stands where a type should and is none of those of the Blue Book.
    Type(u8),
    /// The data is of this type (its tag), where another was asked for.
    Unexpected(u8),
    /// A length in a form that is not allowed: indefinite, or of more than four octets.
    Length,
    /// An array or structure of more elements than there are octets left.
    Count,
    /// Nested deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    Depth,
    /// A compact-array whose type description is broken, too long, describes values of no octets without end, or does
    /// not fit the contents.
    CompactArray,
}

/// The slice to write into is too short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BufferTooSmall;

impl ErrorKind {
    #[cold]
    pub(crate) const fn at(self, offset: u32) -> Error {
        Error { kind: self, offset }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}", self.kind, self.offset)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("data truncated"),
            Self::Type(tag) => write!(f, "unknown data type {tag:#04x}"),
            Self::Unexpected(tag) => write!(f, "unexpected data type {tag:#04x}"),
            Self::Length => f.write_str("length form not allowed"),
            Self::Count => f.write_str("more elements than octets left"),
            Self::Depth => f.write_str("nested too deep"),
            Self::CompactArray => f.write_str("compact-array does not fit its type description"),
        }
    }
}

impl fmt::Display for BufferTooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("buffer too small")
    }
}

impl core::error::Error for Error {}
impl core::error::Error for ErrorKind {}
impl core::error::Error for BufferTooSmall {}
