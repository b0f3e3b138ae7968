//! What can be wrong with an APDU.

use core::fmt;

use crate::data;

/// What is wrong with an APDU, and where: octets from its tag to what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ApduError {
    /// What is wrong.
    pub kind: ApduErrorKind,
    /// Octets before what is wrong.
    pub offset: u32,
}

/// What is wrong with an APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ApduErrorKind {
    /// The APDU goes on after the last octet.
    Truncated,
    /// Another tag than the one asked for.
    Tag(u8),
    /// A length in a form that is not allowed: indefinite, or of more than four octets.
    Length,
    /// The date-time is neither absent nor twelve octets, untagged or tagged.
    DateTime,
    /// Ciphered content too short for its security header and, where there is one, its authentication tag.
    SecurityHeader,
    /// An exception-response that is none of the standard's.
    Exception,
    /// The data in it.
    Data(data::ErrorKind),
}

impl ApduErrorKind {
    #[cold]
    pub(crate) fn at(self, offset: usize) -> ApduError {
        ApduError { kind: self, offset: u32::try_from(offset).unwrap_or(u32::MAX) }
    }
}

impl From<data::ErrorKind> for ApduErrorKind {
    fn from(kind: data::ErrorKind) -> Self {
        match kind {
            data::ErrorKind::Truncated => Self::Truncated,
            data::ErrorKind::Length => Self::Length,
            kind => Self::Data(kind),
        }
    }
}

impl fmt::Display for ApduError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at octet {}", self.kind, self.offset)
    }
}

impl fmt::Display for ApduErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("APDU truncated"),
            Self::Tag(tag) => write!(f, "unexpected APDU tag {tag:#04x}"),
            Self::Length => f.write_str("length form not allowed"),
            Self::DateTime => f.write_str("date-time of a length that is not 0 or 12"),
            Self::SecurityHeader => f.write_str("ciphered content too short"),
            Self::Exception => f.write_str("unknown exception-response"),
            Self::Data(kind) => kind.fmt(f),
        }
    }
}

impl core::error::Error for ApduError {}
impl core::error::Error for ApduErrorKind {}
