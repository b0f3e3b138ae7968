//! Requests: what a master asks.

use super::{Access, BuildError, FreezeTime, Password, Query, Rate, Relay, ServiceError, Terminal, Writer};
use crate::address::Address;
use crate::control::{Control, Service, Version};
use crate::data::Data;
use crate::frame::{Frame, MAX_READ, MAX_WRITE};
use crate::identifier::Identifier;
use crate::moment::{Moment, TimeForm};

/// A request of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Request<'a> {
    /// Read: `DI`, load records `DI N` or `DI N mm hh DD MM YY`.
    Read {
        /// What.
        identifier: Identifier,
        /// Which load records.
        query: Query,
    },
    /// Read what follows: 2007 `DI [query] SEQ`, 1997 `DI`.
    ReadNext {
        /// What.
        identifier: Identifier,
        /// As in the read.
        query: Query,
        /// Number of the frame, from 1; 0 and not sent in 1997.
        sequence: u8,
    },
    /// The last reply again (1997).
    ReRead,
    /// Read the address.
    ReadAddress,
    /// Write: `DI PA P0..P2 [C0..C3] data`.
    Write {
        /// What.
        identifier: Identifier,
        /// Who.
        access: Access,
        /// The new value.
        data: Data<'a>,
    },
    /// Write the address.
    WriteAddress(Address),
    /// The time, to all: `ss mm hh DD MM YY`.
    BroadcastTime(Moment),
    /// Freeze: `mm hh DD MM`.
    Freeze(FreezeTime),
    /// Change the rate of the line: `Z`.
    ChangeRate(Rate),
    /// Change a password: 2007 `DI PAo P0..P2o PAn P0..P2n`, 1997 without DI.
    ChangePassword {
        /// 04000C01 and following; `None` in 1997.
        identifier: Option<Identifier>,
        /// The old one, or one of a higher level.
        old: Password,
        /// The new one.
        new: Password,
    },
    /// Clear the maximum demand.
    ClearDemand(Access),
    /// Clear the meter.
    ClearMeter(Access),
    /// Clear events: `PA.. C.. DI`, FFFFFFFF for all, DI0 = FF for one class.
    ClearEvents {
        /// Who.
        access: Access,
        /// Which.
        identifier: Identifier,
    },
    /// Relay, alarm, supply keeping: `PA.. C.. N1 N2 ss mm hh DD MM YY`.
    Relay {
        /// Who.
        access: Access,
        /// N1.
        command: Relay,
        /// N2: minutes of delay, or reserved.
        option: u8,
        /// Valid until.
        until: Moment,
    },
    /// As above, but with data after N2 that are no time: encrypted, or of a vendor.
    RelaySealed {
        /// Who.
        access: Access,
        /// N1 and following, or cipher text.
        data: Data<'a>,
    },
    /// What the multi-function terminal puts out.
    Terminal(Terminal),
    /// Security: `DI C0..C3 data`.
    Security {
        /// 07xxxxxx.
        identifier: Identifier,
        /// C0..C3.
        operator: [u8; 4],
        /// For the security module.
        data: Data<'a>,
    },
    /// Any other function, data as they are.
    Other {
        /// `D4..D0`.
        function: u8,
        /// The data field.
        data: Data<'a>,
    },
}

impl<'a> Request<'a> {
    /// Reads a request of `version`. Functions that the edition does not know come as [`Request::Other`].
    ///
    /// # Errors
    /// [`ServiceError`] if the frame comes from a meter or its data do not fit the service.
    pub fn parse(frame: &Frame<'a>, version: Version) -> Result<Self, ServiceError> {
        if frame.control().from_meter() {
            return Err(ServiceError::Direction);
        }
        let service = frame.control().service(version);
        let data = frame.data();
        let found = u8::try_from(data.len()).unwrap_or(u8::MAX);
        let wrong = ServiceError::Length(service, found);
        Self::read(service, version, data, wrong)
    }

    fn read(
        service: Service,
        version: Version,
        data: Data<'a>,
        wrong: ServiceError,
    ) -> Result<Self, ServiceError> {
        let exactly = |n: usize| if data.len() == n { Ok(()) } else { Err(wrong) };
        let identified = || Identifier::split(version, data).ok_or(wrong);
        let access = || Access::split(version, data).ok_or(wrong);
        let query = |rest| match Query::parse(rest) {
            Some(Ok(Query::All)) => Ok(Query::All),
            Some(Ok(query)) if version == Version::V2007 => Ok(query),
            Some(Err(_)) if version == Version::V2007 => Err(ServiceError::Time(service)),
            _ => Err(wrong),
        };
        Ok(match service {
            Service::Read => {
                let (identifier, rest) = identified()?;
                Self::Read { identifier, query: query(rest)? }
            }
            Service::ReadNext => {
                let (identifier, rest) = identified()?;
                if version == Version::V1997 {
                    exactly(2)?;
                    return Ok(Self::ReadNext { identifier, query: Query::All, sequence: 0 });
                }
                let (rest, last) = rest.split_end(1).ok_or(wrong)?;
                let sequence = last.octet(0).ok_or(wrong)?;
                Self::ReadNext { identifier, query: query(rest)?, sequence }
            }
            Service::ReRead => {
                exactly(0)?;
                Self::ReRead
            }
            Service::ReadAddress => {
                exactly(0)?;
                Self::ReadAddress
            }
            Service::Write => {
                let (identifier, rest) = identified()?;
                let (access, data) = Access::split(version, rest).ok_or(wrong)?;
                Self::Write { identifier, access, data }
            }
            Service::WriteAddress => {
                exactly(6)?;
                Self::WriteAddress(Address::from_octets(data.array(0).ok_or(wrong)?))
            }
            Service::BroadcastTime => {
                exactly(6)?;
                let time = Moment::parse(TimeForm::TO_SECOND, data);
                Self::BroadcastTime(time.map_err(|_| ServiceError::Time(service))?)
            }
            Service::Freeze => {
                exactly(4)?;
                let time = Moment::parse(TimeForm::MONTH_TO_MINUTE, data);
                Self::Freeze(FreezeTime(time.map_err(|_| ServiceError::Time(service))?))
            }
            Service::ChangeRate => {
                exactly(1)?;
                Self::ChangeRate(Rate(data.octet(0).ok_or(wrong)?))
            }
            Service::ChangePassword => {
                let (identifier, rest) = match version {
                    Version::V1997 => (None, data),
                    Version::V2007 => identified().map(|(identifier, rest)| (Some(identifier), rest))?,
                };
                if rest.len() != 8 {
                    return Err(wrong);
                }
                let old = Password::from_octets(rest.array(0).ok_or(wrong)?);
                let new = Password::from_octets(rest.array(4).ok_or(wrong)?);
                Self::ChangePassword { identifier, old, new }
            }
            Service::ClearDemand => {
                exactly(Access::width(version))?;
                Self::ClearDemand(access()?.0)
            }
            Service::ClearMeter => {
                exactly(Access::width(version))?;
                Self::ClearMeter(access()?.0)
            }
            Service::ClearEvents => {
                let (access, rest) = access()?;
                let (identifier, rest) = Identifier::split(version, rest).ok_or(wrong)?;
                if !rest.is_empty() {
                    return Err(wrong);
                }
                Self::ClearEvents { access, identifier }
            }
            Service::Relay => {
                let (access, rest) = access()?;
                // Data that are no time are sealed, or a vendor's.
                let until = rest.split_at(2).map(|(_, time)| Moment::parse(TimeForm::TO_SECOND, time));
                match (rest.len(), rest.array(0), until) {
                    (8, Some([command, option]), Some(Ok(until))) => {
                        Self::Relay { access, command: Relay::from_octet(command), option, until }
                    }
                    _ => Self::RelaySealed { access, data: rest },
                }
            }
            Service::Terminal => {
                exactly(1)?;
                Self::Terminal(Terminal::from_octet(data.octet(0).ok_or(wrong)?))
            }
            Service::Security => {
                // Function 03 is also a vendor's, with data of its own.
                let other = Self::Other { function: 0x03, data };
                let Ok((identifier, rest)) = identified() else { return Ok(other) };
                match (rest.split_at(4), rest.array(0)) {
                    (Some((_, data)), Some(operator)) => Self::Security { identifier, operator, data },
                    _ => other,
                }
            }
            Service::Other(function) => Self::Other { function, data },
        })
    }

    /// Its service.
    #[must_use]
    pub const fn service(&self) -> Service {
        match self {
            Self::Read { .. } => Service::Read,
            Self::ReadNext { .. } => Service::ReadNext,
            Self::ReRead => Service::ReRead,
            Self::ReadAddress => Service::ReadAddress,
            Self::Write { .. } => Service::Write,
            Self::WriteAddress(_) => Service::WriteAddress,
            Self::BroadcastTime(_) => Service::BroadcastTime,
            Self::Freeze(_) => Service::Freeze,
            Self::ChangeRate(_) => Service::ChangeRate,
            Self::ChangePassword { .. } => Service::ChangePassword,
            Self::ClearDemand(_) => Service::ClearDemand,
            Self::ClearMeter(_) => Service::ClearMeter,
            Self::ClearEvents { .. } => Service::ClearEvents,
            Self::Relay { .. } | Self::RelaySealed { .. } => Service::Relay,
            Self::Terminal(_) => Service::Terminal,
            Self::Security { .. } => Service::Security,
            Self::Other { function, .. } => Service::Other(*function),
        }
    }

    /// The identifier that it names.
    #[must_use]
    pub const fn identifier(&self) -> Option<Identifier> {
        match self {
            Self::Read { identifier, .. }
            | Self::ReadNext { identifier, .. }
            | Self::Write { identifier, .. }
            | Self::ClearEvents { identifier, .. }
            | Self::Security { identifier, .. } => Some(*identifier),
            Self::ChangePassword { identifier, .. } => *identifier,
            _ => None,
        }
    }

    /// Its control code.
    ///
    /// # Errors
    /// [`BuildError::Version`] if the edition has no such service.
    pub fn control(&self, version: Version) -> Result<Control, BuildError> {
        self.service().function(version).map(Control::from_octet).ok_or(BuildError::Version)
    }

    /// Writes the frame, with `wake_up` octets FEH before it, to the front of `out`.
    ///
    /// # Errors
    /// [`BuildError`]; [`BuildError::TooLong`] above 50 data octets in a write, 200 elsewhere.
    pub fn encode<'o>(
        &self,
        version: Version,
        address: Address,
        wake_up: u8,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], BuildError> {
        let limit = if matches!(self, Self::Write { .. }) { MAX_WRITE } else { MAX_READ };
        self.write(version, address, wake_up, out, limit)
    }

    /// As [`encode`](Self::encode), with up to 255 data octets: vendors' writes and security frames exceed the limits.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn encode_unlimited<'o>(
        &self,
        version: Version,
        address: Address,
        wake_up: u8,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], BuildError> {
        self.write(version, address, wake_up, out, u8::MAX)
    }

    fn write<'o>(
        &self,
        version: Version,
        address: Address,
        wake_up: u8,
        out: &'o mut [u8],
        limit: u8,
    ) -> Result<&'o [u8], BuildError> {
        if self.identifier().is_some_and(|identifier| identifier.version() != version) {
            return Err(BuildError::Version);
        }
        let mut writer = Writer::new(out, wake_up, address, self.control(version)?);
        match *self {
            Self::ReRead | Self::ReadAddress => {}
            Self::Read { identifier, query } | Self::ReadNext { identifier, query, .. } => {
                if version == Version::V1997 && query != Query::All {
                    return Err(BuildError::Version);
                }
                writer.octets(identifier.octets());
                writer.octets(query.octets());
                if let Self::ReadNext { sequence, .. } = *self
                    && version == Version::V2007
                {
                    writer.octet(sequence);
                }
            }
            Self::Write { identifier, access, data } => {
                writer.octets(identifier.octets());
                writer.octets(access.octets(version));
                writer.data(data);
            }
            Self::WriteAddress(address) => writer.octets(address.octets()),
            Self::BroadcastTime(time) => writer.octets(time.with_form(TimeForm::TO_SECOND).octets()),
            Self::Freeze(time) => writer.octets(time.0.octets()),
            Self::ChangeRate(rate) => writer.octet(rate.0),
            Self::ChangePassword { identifier, old, new } => {
                if identifier.is_some() != (version == Version::V2007) {
                    return Err(BuildError::Version);
                }
                writer.octets(identifier.into_iter().flat_map(Identifier::octets));
                writer.octets(old.octets());
                writer.octets(new.octets());
            }
            Self::ClearDemand(access) | Self::ClearMeter(access) => writer.octets(access.octets(version)),
            Self::ClearEvents { access, identifier } => {
                writer.octets(access.octets(version));
                writer.octets(identifier.octets());
            }
            Self::Relay { access, command, option, until } => {
                writer.octets(access.octets(version));
                writer.octets([command.octet(), option]);
                writer.octets(until.with_form(TimeForm::TO_SECOND).octets());
            }
            Self::RelaySealed { access, data } => {
                writer.octets(access.octets(version));
                writer.data(data);
            }
            Self::Terminal(output) => writer.octet(output.octet()),
            Self::Security { identifier, operator, data } => {
                writer.octets(identifier.octets());
                writer.octets(operator);
                writer.data(data);
            }
            Self::Other { data, .. } => writer.data(data),
        }
        if writer.len() > usize::from(limit) {
            return Err(BuildError::TooLong);
        }
        writer.finish()
    }
}
