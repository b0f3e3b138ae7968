//! APDUs (DLMS Green Book 9.5): what a meter pushes, opened far enough to reach the data in it.
//!
//! [`Apdu::parse`] takes one APDU off the front of a slice and gives what follows it: a notification carries no length, so
//! only reading its data tells where it ends. Association and get/set/action APDUs are known by name and left unopened.
//!
//! The layers of a push, outermost first, any of them absent: general-block-transfer ([`Gbt`] puts the blocks together),
//! ciphering ([`Ciphered`], decrypted with feature `aes-gcm`), the notification, and its [data](crate::data).
//!
//! ```
//! use obis::apdu::Apdu;
//! use obis::data::{Reader, Value};
//! let octets = [0x0F, 0x40, 0, 0, 0, 0x00, 0x02, 0x01, 0x06, 0, 0, 0x0F, 0xBB, 0xE6, 0xE7, 0x00];
//! let (apdu, tail) = Apdu::parse(&octets)?;
//! let Apdu::DataNotification(notification) = apdu else { panic!("{apdu:?}") };
//! assert_eq!(notification.date_time, None);
//! let mut body = Reader::new(notification.body);
//! assert_eq!(body.structure()?, 1);
//! assert_eq!(body.value()?, Value::DoubleLongUnsigned(4027));
//! assert_eq!(tail, &[0xE6, 0xE7, 0x00]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod cipher;
mod error;
mod gbt;
mod notification;
mod tag;

#[cfg(feature = "aes-gcm")]
pub use cipher::{CipherError, Compressed, Decrypted, Key, TagCheck};
pub use cipher::{Ciphered, SecurityControl};
pub use error::{ApduError, ApduErrorKind};
pub use gbt::{Block, BlockControl, Gbt, GbtProblem, GbtStep};
pub use notification::{
    DataNotification, DateTimeForm, EventNotification, ExceptionResponse, LongInvokeIdAndPriority,
};
pub use tag::{KeyUse, Tag};

use crate::data::length;

/// One APDU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Apdu<'a> {
    /// data-notification, 0x0F: a push.
    DataNotification(DataNotification<'a>),
    /// event-notification-request, 0xC2: one attribute pushed.
    EventNotification(EventNotification<'a>),
    /// exception-response, 0xD8.
    ExceptionResponse(ExceptionResponse),
    /// general-block-transfer, 0xE0: one block; [`Gbt`] puts them together.
    Block(Block<'a>),
    /// general-glo-ciphering 0xDB, general-ded-ciphering 0xDC, or a glo- or ded- service.
    Ciphered(Ciphered<'a>),
    /// Any other APDU, known by name or not, unopened.
    Opaque {
        /// The tag.
        tag: Tag,
        /// The whole APDU with its tag: up to its end where it says its length (AARQ, AARE, RLRQ, RLRE), else all.
        octets: &'a [u8],
    },
}

impl<'a> Apdu<'a> {
    /// Takes one APDU off the front of `octets`, and gives what follows it.
    ///
    /// The data of a notification is walked once to find its end; code on a hot path that walks it anyway calls
    /// [`DataNotification::parse_header`].
    ///
    /// # Errors
    /// [`ApduErrorKind::Truncated`] if the octets end inside it, and what is wrong with it otherwise. An unknown tag is not an
    /// error but [`Apdu::Opaque`].
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ApduError> {
        let [tag, ..] = octets else { return Err(ApduErrorKind::Truncated.at(0)) };
        match Tag(*tag) {
            Tag::DATA_NOTIFICATION => {
                DataNotification::parse(octets).map(|(apdu, rest)| (Self::DataNotification(apdu), rest))
            }
            Tag::EVENT_NOTIFICATION => {
                EventNotification::parse(octets).map(|(apdu, rest)| (Self::EventNotification(apdu), rest))
            }
            Tag::EXCEPTION_RESPONSE => {
                ExceptionResponse::parse(octets).map(|(apdu, rest)| (Self::ExceptionResponse(apdu), rest))
            }
            Tag::GENERAL_BLOCK_TRANSFER => Block::parse(octets).map(|(apdu, rest)| (Self::Block(apdu), rest)),
            Tag::GENERAL_GLO_CIPHERING | Tag::GENERAL_DED_CIPHERING => {
                Ciphered::parse(octets).map(|(apdu, rest)| (Self::Ciphered(apdu), rest))
            }
            tag if tag.service_key().is_some() => {
                Ciphered::parse(octets).map(|(apdu, rest)| (Self::Ciphered(apdu), rest))
            }
            tag if tag.is_association() => {
                let after = octets.get(1..).unwrap_or_default();
                let (_, rest) = length::counted(after).map_err(|kind| ApduErrorKind::from(kind).at(1))?;
                let whole = octets.len().saturating_sub(rest.len());
                Ok((Self::Opaque { tag, octets: octets.get(..whole).unwrap_or_default() }, rest))
            }
            tag => Ok((Self::Opaque { tag, octets }, &[])),
        }
    }

    /// The tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        match self {
            Self::DataNotification(_) => Tag::DATA_NOTIFICATION,
            Self::EventNotification(_) => Tag::EVENT_NOTIFICATION,
            Self::ExceptionResponse(_) => Tag::EXCEPTION_RESPONSE,
            Self::Block(_) => Tag::GENERAL_BLOCK_TRANSFER,
            Self::Ciphered(ciphered) => ciphered.tag,
            Self::Opaque { tag, .. } => *tag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_association_apdu_is_named_and_ends_where_it_says() {
        let octets = [0x60, 0x03, 1, 2, 3, 0xE6];
        let (apdu, rest) = Apdu::parse(&octets).unwrap();
        assert_eq!(apdu, Apdu::Opaque { tag: Tag(0x60), octets: &octets[..5] });
        assert_eq!((apdu.tag().name(), rest), (Some("AARQ"), &[0xE6][..]));
        assert_eq!(Apdu::parse(&octets[..4]), Err(ApduErrorKind::Truncated.at(1)));
    }

    #[test]
    fn what_is_not_known_is_not_opened() {
        let octets = [0x7A, 0xB1, 0xD0];
        assert_eq!(Apdu::parse(&octets), Ok((Apdu::Opaque { tag: Tag(0x7A), octets: &octets }, &[][..])));
        assert_eq!(Tag(0xDD).name(), Some("general-ciphering"));
        let general_ciphering = [0xDD, 0, 0, 0];
        assert!(matches!(Apdu::parse(&general_ciphering), Ok((Apdu::Opaque { tag: Tag(0xDD), .. }, _))));
        assert_eq!(Apdu::parse(&[]), Err(ApduErrorKind::Truncated.at(0)));
    }
}
