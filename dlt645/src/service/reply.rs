//! Replies: what a meter answers.

use super::{BuildError, Password, Rate, ServiceError, Terminal, Writer};
use crate::address::Address;
use crate::control::{Control, Service, Version};
use crate::data::Data;
use crate::frame::{Frame, MAX_READ};
use crate::identifier::Identifier;
use crate::word::{ErrorWord, SecurityError};

/// A reply of either version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Reply<'a> {
    /// Data read: `DI data`, and SEQ behind them in a 2007 reply to "read next".
    Data {
        /// Answer to a read, a "read next" or a re-read.
        service: Service,
        /// What.
        identifier: Identifier,
        /// Octets behind the identifier, without SEQ.
        data: Data<'a>,
        /// Number of the frame, where it has one.
        sequence: Option<u8>,
        /// More frames follow.
        more: bool,
    },
    /// The meter's address.
    Address(Address),
    /// Done as asked; nothing to say.
    Done(Service),
    /// The rate octet again; the rate changes after this reply.
    Rate(Rate),
    /// The new password.
    Password(Password),
    /// What the multi-function terminal puts out from now on.
    Terminal(Terminal),
    /// Answer of the security module: `DI data`.
    Security {
        /// What.
        identifier: Identifier,
        /// Octets behind it.
        data: Data<'a>,
    },
    /// Refused.
    Refused(Service, ErrorWord),
    /// Refused by the security module.
    SecurityRefused(Service, SecurityError),
    /// Any other reply, data as they are.
    Other {
        /// The whole control code.
        control: Control,
        /// The data field.
        data: Data<'a>,
    },
}

impl<'a> Reply<'a> {
    /// Reads a reply of `version`. What the edition does not know comes as [`Reply::Other`].
    ///
    /// # Errors
    /// [`ServiceError`] if the frame is a request or its data are too short for the service.
    #[inline]
    pub fn parse(frame: &Frame<'a>, version: Version) -> Result<Self, ServiceError> {
        let control = frame.control();
        if !control.from_meter() {
            return Err(ServiceError::Direction);
        }
        let data = frame.data();
        // Most replies are to reads; one comparison tells.
        let (service, read) = (Service::Read, if matches!(version, Version::V1997) { 0x81 } else { 0x91 });
        if control.octet() & !0x20 == read {
            let short = ServiceError::Length(service, u8::try_from(data.len()).unwrap_or(u8::MAX));
            let (identifier, data) = Identifier::split(version, data).ok_or(short)?;
            return Ok(Self::Data { service, identifier, data, sequence: None, more: control.more() });
        }
        Self::other(control, control.service(version), version, data)
    }

    fn other(
        control: Control,
        service: Service,
        version: Version,
        data: Data<'a>,
    ) -> Result<Self, ServiceError> {
        let short = ServiceError::Length(service, u8::try_from(data.len()).unwrap_or(u8::MAX));
        if control.is_refusal() {
            // One octet ERR; two are SERR, of the security service and of relay control through it.
            return match (data.len(), data.array::<2>(0), data.octet(0)) {
                (2, Some(word), _) if secured(service, version) => {
                    Ok(Self::SecurityRefused(service, SecurityError(u16::from_le_bytes(word))))
                }
                (1.., _, Some(bits)) => Ok(Self::Refused(service, ErrorWord { version, bits })),
                _ => Err(short),
            };
        }
        let one = || if data.len() == 1 { data.octet(0) } else { None };
        Ok(match service {
            Service::ReadNext | Service::ReRead => {
                let (identifier, data) = Identifier::split(version, data).ok_or(short)?;
                let (data, sequence) = match version {
                    Version::V1997 => (data, None),
                    Version::V2007 => {
                        let (data, last) = data.split_end(1).ok_or(short)?;
                        (data, last.octet(0))
                    }
                };
                Self::Data { service, identifier, data, sequence, more: control.more() }
            }
            Service::ReadAddress if data.len() == 6 => {
                Self::Address(Address::from_octets(data.array(0).ok_or(short)?))
            }
            Service::ReadAddress => return Err(short),
            Service::ChangeRate => Self::Rate(Rate(one().ok_or(short)?)),
            Service::ChangePassword if data.len() == 4 => {
                Self::Password(Password::from_octets(data.array(0).ok_or(short)?))
            }
            Service::Terminal => Self::Terminal(Terminal::from_octet(one().ok_or(short)?)),
            Service::Security => {
                // Function 03 is also a vendor's, with data of its own.
                match Identifier::split(version, data) {
                    Some((identifier, data)) => Self::Security { identifier, data },
                    None => Self::Other { control, data },
                }
            }
            Service::Other(_) => Self::Other { control, data },
            _ if data.is_empty() => Self::Done(service),
            _ => Self::Other { control, data },
        })
    }

    /// Its control code.
    ///
    /// # Errors
    /// [`BuildError::Version`] if the edition has no such service.
    pub fn control(&self, version: Version) -> Result<Control, BuildError> {
        let (service, more, refused) = match *self {
            Self::Data { service, more, .. } => (service, more, false),
            Self::Address(_) => (Service::ReadAddress, false, false),
            Self::Done(service) => (service, false, false),
            Self::Rate(_) => (Service::ChangeRate, false, false),
            Self::Password(_) => (Service::ChangePassword, false, false),
            Self::Terminal(_) => (Service::Terminal, false, false),
            Self::Security { .. } => (Service::Security, false, false),
            Self::Refused(service, _) | Self::SecurityRefused(service, _) => (service, false, true),
            Self::Other { control, .. } => return Ok(control),
        };
        let asked = Control::from_octet(service.function(version).ok_or(BuildError::Version)?);
        Ok(if refused { asked.refusal() } else { asked.reply(more) })
    }

    /// Writes the frame, with `wake_up` octets FEH before it, to the front of `out`.
    ///
    /// # Errors
    /// [`BuildError`]; [`BuildError::TooLong`] above 200 data octets.
    pub fn encode<'o>(
        &self,
        version: Version,
        address: Address,
        wake_up: u8,
        out: &'o mut [u8],
    ) -> Result<&'o [u8], BuildError> {
        self.write(version, address, wake_up, out, MAX_READ)
    }

    /// As [`encode`](Self::encode), with up to 255 data octets: vendors' replies and security frames exceed the limit.
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
        let mut writer = Writer::new(out, wake_up, address, self.control(version)?);
        match *self {
            Self::Data { service, identifier, data, sequence, .. } => {
                // A number is the last octet of these and of no others: a reader takes one there for it.
                let numbered = version == Version::V2007 && service == Service::ReadNext;
                let reads = matches!(service, Service::Read | Service::ReadNext | Service::ReRead);
                if !reads || sequence.is_some() != numbered {
                    return Err(BuildError::Service);
                }
                if identifier.version() != version {
                    return Err(BuildError::Version);
                }
                writer.octets(identifier.octets());
                writer.data(data);
                writer.octets(sequence);
            }
            Self::Address(address) => writer.octets(address.octets()),
            Self::Done(_) => {}
            Self::Rate(rate) => writer.octet(rate.0),
            Self::Password(password) => writer.octets(password.octets()),
            Self::Terminal(output) => writer.octet(output.octet()),
            Self::Security { identifier, data } => {
                writer.octets(identifier.octets());
                writer.data(data);
            }
            Self::Refused(_, word) => writer.octet(word.bits),
            Self::SecurityRefused(service, _) if !secured(service, version) => {
                return Err(BuildError::Service);
            }
            Self::SecurityRefused(_, word) => writer.octets(word.0.to_le_bytes()),
            Self::Other { data, .. } => writer.data(data),
        }
        if writer.len() > usize::from(limit) {
            return Err(BuildError::TooLong);
        }
        writer.finish()
    }
}

/// Whether a service can be refused with SERR: the security service, and relay control through it.
fn secured(service: Service, version: Version) -> bool {
    version == Version::V2007 && matches!(service, Service::Security | Service::Relay)
}
