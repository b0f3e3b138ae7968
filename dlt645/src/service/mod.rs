//! The services as types: what a request asks and what a reply says, both versions (clause 7).

mod parts;
mod reply;
mod request;

pub use parts::{Access, FreezeTime, Password, Query, Rate, Relay, Terminal};
pub use reply::Reply;
pub use request::Request;

use core::fmt;

use crate::address::Address;
use crate::control::{Control, Service};
use crate::data::{Data, MASK};
use crate::error::BufferTooSmall;
use crate::frame::{END, START, WAKE_UP};

/// Why the data of a good frame are not what its control code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ServiceError {
    /// A reply where a request was expected, or the other way round.
    Direction,
    /// The service needs another number of data octets than these.
    Length(Service, u8),
    /// A date or time of the service has a nibble above 9.
    Time(Service),
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direction => f.write_str("sent in the other direction"),
            Self::Length(service, found) => write!(f, "{service}: {found} data octets do not fit"),
            Self::Time(service) => write!(f, "{service}: time is not BCD"),
        }
    }
}

impl core::error::Error for ServiceError {}

/// Why a request or reply cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BuildError {
    /// The edition has no such service, or an identifier is of the other edition.
    Version,
    /// The service has no such reply: data from a write, a number of the frame where none is sent or none where one
    /// is, SERR from a service without security.
    Service,
    /// More data octets than the standard allows for the service; see `encode_unlimited`.
    TooLong,
    /// The caller's buffer is too small, or there are more than 255 data octets.
    BufferTooSmall,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "not in this edition of the standard",
            Self::Service => "no such reply to this service",
            Self::TooLong => "more data octets than the standard allows",
            Self::BufferTooSmall => "buffer too small",
        })
    }
}

impl core::error::Error for BuildError {}

impl From<BufferTooSmall> for BuildError {
    fn from(_: BufferTooSmall) -> Self {
        Self::BufferTooSmall
    }
}

/// Writes a frame in place: header, data as they come, then length, sum and end.
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    /// Where the first 68H stands.
    start: usize,
    at: usize,
    full: bool,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut [u8], wake_up: u8, address: Address, control: Control) -> Self {
        let mut writer = Self { out, start: usize::from(wake_up), at: 0, full: false };
        for _ in 0..wake_up {
            writer.raw(WAKE_UP);
        }
        writer.raw(START);
        for octet in address.octets() {
            writer.raw(octet);
        }
        writer.raw(START);
        writer.raw(control.octet());
        writer.raw(0);
        writer
    }

    fn raw(&mut self, octet: u8) {
        match self.out.get_mut(self.at) {
            Some(place) => *place = octet,
            None => self.full = true,
        }
        self.at = self.at.saturating_add(1);
    }

    /// One data octet.
    pub(crate) fn octet(&mut self, octet: u8) {
        self.raw(octet.wrapping_add(MASK));
    }

    pub(crate) fn octets(&mut self, octets: impl IntoIterator<Item = u8>) {
        for octet in octets {
            self.octet(octet);
        }
    }

    /// Passes over data octets that stand in their place already.
    pub(crate) fn skip(&mut self, n: usize) {
        self.at = self.at.saturating_add(n);
        self.full |= self.at > self.out.len();
    }

    pub(crate) fn data(&mut self, data: Data<'_>) {
        self.octets(data);
    }

    /// Data octets so far.
    pub(crate) fn len(&self) -> usize {
        self.at.saturating_sub(self.start.saturating_add(10))
    }

    pub(crate) fn finish(mut self) -> Result<&'o [u8], BuildError> {
        let len = u8::try_from(self.len()).map_err(|_| BuildError::BufferTooSmall)?;
        if let Some(place) = self.out.get_mut(self.start.saturating_add(9)) {
            *place = len;
        }
        let sum = crate::octets::sum(self.out.get(self.start..self.at).unwrap_or_default());
        self.raw(sum);
        self.raw(END);
        if self.full {
            return Err(BuildError::BufferTooSmall);
        }
        self.out.get(..self.at).ok_or(BuildError::BufferTooSmall)
    }
}
