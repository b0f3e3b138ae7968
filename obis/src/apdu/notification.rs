//! What a meter sends unasked: data-notification, event-notification, exception-response (Green Book 9.5).

use core::fmt;

use super::error::{ApduError, ApduErrorKind};
use super::tag::Tag;
use crate::data::{self, AttributeDescriptor, Events, Quirks, Reader};
use crate::datetime::DateTime;

/// A data-notification: tag 0F · long-invoke-id-and-priority (4) · date-time (length, octets) · data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DataNotification<'a> {
    /// Number and priority of the push.
    pub invoke: LongInvokeIdAndPriority,
    /// When the meter sent it; `None` where it does not say.
    pub date_time: Option<DateTime>,
    /// How the date-time is written.
    pub date_time_form: DateTimeForm,
    /// The data: from [`DataNotification::parse`], one data element to its end; from
    /// [`DataNotification::parse_header`], all octets from its front.
    pub body: &'a [u8],
}

/// How a data-notification writes its date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum DateTimeForm {
    /// `00`: no date-time.
    Absent,
    /// `0C` and twelve octets, as the standard has it.
    Untagged,
    /// `09 0C` and twelve octets (or `09 00`), as if it were data: Kaifa.
    Tagged,
}

/// long-invoke-id-and-priority, 4 octets, high first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct LongInvokeIdAndPriority(pub u32);

/// An event-notification-request: tag C2 · time (`00`, or `01 0C` and twelve octets) · cosem-attribute-descriptor (9) · data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EventNotification<'a> {
    /// When the event was noticed.
    pub time: Option<DateTime>,
    /// The attribute whose value is sent.
    pub attribute: AttributeDescriptor,
    /// The value, one data element.
    pub value: &'a [u8],
}

/// An exception-response: tag D8 · state-error · service-error, and after service-error 6 the invocation counter (4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ExceptionResponse {
    /// 1 service not allowed, 2 service unknown.
    pub state_error: u8,
    /// 1 operation not possible, 2 service not supported, 3 other reason, 4 PDU too long, 5 deciphering error,
    /// 6 invocation counter error.
    pub service_error: u8,
    /// The lowest invocation counter the meter would take, with service-error 6.
    pub invocation_counter: Option<u32>,
}

impl<'a> DataNotification<'a> {
    /// Takes one data-notification off the front of `octets`, its data walked to the end, and gives what follows.
    ///
    /// The walk finds the end as [`Reader::skip`] does: the contents of a compact-array and the depth are checked by who
    /// reads the data.
    ///
    /// # Errors
    /// [`ApduErrorKind::Tag`], [`ApduErrorKind::Truncated`], [`ApduErrorKind::DateTime`], [`ApduErrorKind::Data`].
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ApduError> {
        let header = Self::parse_header(octets)?;
        let (body, rest) = whole_element(octets, header.body)?;
        Ok((Self { body, ..header }, rest))
    }

    /// As [`DataNotification::parse`], with departures from the standard accepted in the data. Its nesting is bounded by
    /// [`MAX_DEPTH`](crate::data::MAX_DEPTH).
    ///
    /// # Errors
    /// As [`DataNotification::parse`].
    pub fn parse_with_quirks(octets: &'a [u8], quirks: Quirks) -> Result<(Self, &'a [u8]), ApduError> {
        let header = Self::parse_header(octets)?;
        let mut events = Events::with_quirks(header.body, quirks);
        if let Err(error) = events.by_ref().try_for_each(|event| event.map(drop)) {
            return Err(within(octets, header.body, error));
        }
        let rest = events.rest();
        let body = header.body.get(..header.body.len().saturating_sub(rest.len())).unwrap_or_default();
        Ok((Self { body, ..header }, rest))
    }

    /// Reads the header alone: `body` is everything behind it, whatever it holds.
    ///
    /// # Errors
    /// [`ApduErrorKind::Tag`], [`ApduErrorKind::Truncated`], [`ApduErrorKind::DateTime`].
    #[inline]
    pub fn parse_header(octets: &'a [u8]) -> Result<Self, ApduError> {
        let rest = tag(octets, Tag::DATA_NOTIFICATION)?;
        let Some((invoke, rest)) = rest.split_first_chunk() else {
            return Err(ApduErrorKind::Truncated.at(1));
        };
        let invoke = LongInvokeIdAndPriority(u32::from_be_bytes(*invoke));
        let (date_time, date_time_form, body) = match rest {
            [0, body @ ..] => (None, DateTimeForm::Absent, body),
            [12, rest @ ..] => {
                let (date_time, body) = date_time(octets, rest)?;
                (Some(date_time), DateTimeForm::Untagged, body)
            }
            [9, 12, rest @ ..] => {
                let (date_time, body) = date_time(octets, rest)?;
                (Some(date_time), DateTimeForm::Tagged, body)
            }
            [9, 0, body @ ..] => (None, DateTimeForm::Tagged, body),
            [] | [9] => return Err(ApduErrorKind::Truncated.at(5)),
            _ => return Err(ApduErrorKind::DateTime.at(5)),
        };
        Ok(Self { invoke, date_time, date_time_form, body })
    }
}

impl LongInvokeIdAndPriority {
    /// Number of the push, bits 0 to 23.
    #[must_use]
    pub const fn id(self) -> u32 {
        self.0 & 0x00FF_FFFF
    }

    /// Bit 28: the data describes itself.
    #[must_use]
    pub const fn is_self_descriptive(self) -> bool {
        self.0 & 0x1000_0000 != 0
    }

    /// Bit 29: break on error rather than continue.
    #[must_use]
    pub const fn breaks_on_error(self) -> bool {
        self.0 & 0x2000_0000 != 0
    }

    /// Bit 30: the service class is confirmed.
    #[must_use]
    pub const fn is_confirmed(self) -> bool {
        self.0 & 0x4000_0000 != 0
    }

    /// Bit 31: high priority.
    #[must_use]
    pub const fn is_high_priority(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }
}

impl fmt::Debug for LongInvokeIdAndPriority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LongInvokeIdAndPriority({:#010x})", self.0)
    }
}

impl<'a> EventNotification<'a> {
    /// Takes one event-notification-request off the front of `octets`, its value walked to the end, and gives what follows.
    ///
    /// # Errors
    /// [`ApduErrorKind::Tag`], [`ApduErrorKind::Truncated`], [`ApduErrorKind::DateTime`], [`ApduErrorKind::Data`].
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ApduError> {
        let rest = tag(octets, Tag::EVENT_NOTIFICATION)?;
        let (time, rest) = match rest {
            [0, rest @ ..] | [1, 0, rest @ ..] => (None, rest),
            [1, 12, rest @ ..] => {
                let (time, rest) = date_time(octets, rest)?;
                (Some(time), rest)
            }
            [] | [1] => return Err(ApduErrorKind::Truncated.at(1)),
            _ => return Err(ApduErrorKind::DateTime.at(1)),
        };
        let Some((descriptor, rest)) = rest.split_first_chunk() else {
            return Err(ApduErrorKind::Truncated.at(octets.len().saturating_sub(rest.len())));
        };
        let attribute = AttributeDescriptor::from_octets(*descriptor);
        let (value, rest) = whole_element(octets, rest)?;
        Ok((Self { time, attribute, value }, rest))
    }
}

impl ExceptionResponse {
    /// Takes one exception-response off the front of `octets`, and gives what follows.
    ///
    /// # Errors
    /// [`ApduErrorKind::Tag`], [`ApduErrorKind::Truncated`], [`ApduErrorKind::Exception`].
    pub fn parse(octets: &[u8]) -> Result<(Self, &[u8]), ApduError> {
        let rest = tag(octets, Tag::EXCEPTION_RESPONSE)?;
        let (state_error, service_error, rest) = match rest {
            [state_error @ 1..=2, service_error @ 1..=6, rest @ ..] => (*state_error, *service_error, rest),
            [] | [_] => return Err(ApduErrorKind::Truncated.at(1)),
            _ => return Err(ApduErrorKind::Exception.at(1)),
        };
        if service_error < 6 {
            return Ok((Self { state_error, service_error, invocation_counter: None }, rest));
        }
        let Some((counter, rest)) = rest.split_first_chunk() else {
            return Err(ApduErrorKind::Truncated.at(3));
        };
        Ok((
            Self { state_error, service_error, invocation_counter: Some(u32::from_be_bytes(*counter)) },
            rest,
        ))
    }

    /// What went wrong, in the standard's words.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.service_error {
            1 => "operation not possible",
            2 => "service not supported",
            4 => "PDU too long",
            5 => "deciphering error",
            6 => "invocation counter error",
            _ => "other reason",
        }
    }
}

#[inline]
fn tag(octets: &[u8], wanted: Tag) -> Result<&[u8], ApduError> {
    match octets {
        [tag, rest @ ..] if *tag == wanted.0 => Ok(rest),
        [tag, ..] => Err(ApduErrorKind::Tag(*tag).at(0)),
        [] => Err(ApduErrorKind::Truncated.at(0)),
    }
}

#[inline]
fn date_time<'a>(all: &[u8], rest: &'a [u8]) -> Result<(DateTime, &'a [u8]), ApduError> {
    match rest.split_first_chunk() {
        Some((octets, rest)) => Ok((DateTime::from_octets(*octets), rest)),
        None => Err(ApduErrorKind::Truncated.at(all.len().saturating_sub(rest.len()))),
    }
}

/// The data element at the front of `rest`, a tail of the APDU `all`.
fn whole_element<'a>(all: &[u8], rest: &'a [u8]) -> Result<(&'a [u8], &'a [u8]), ApduError> {
    let mut reader = Reader::new(rest);
    match reader.skip() {
        Ok(element) => Ok((element, reader.rest())),
        Err(error) => Err(within(all, rest, error)),
    }
}

/// What is wrong with the data at the front of `rest`, a tail of the APDU `all`.
#[cold]
fn within(all: &[u8], rest: &[u8], error: data::Error) -> ApduError {
    let header = all.len().saturating_sub(rest.len());
    let offset = usize::try_from(error.offset).unwrap_or(usize::MAX).saturating_add(header);
    ApduErrorKind::from(error.kind).at(offset)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::Obis;
    use crate::data::ErrorKind;
    use std::vec::Vec;

    const CLOCK: [u8; 12] = [0x07, 0xE6, 1, 2, 7, 14, 37, 20, 0xFF, 0x80, 0, 0];

    fn notification(date_time: &[&[u8]]) -> Vec<u8> {
        let mut octets = Vec::from([0x0F, 0x40, 0, 0, 7]);
        octets.extend(date_time.concat());
        octets.extend([2, 1, 17, 5]);
        octets
    }

    #[test]
    fn the_date_time_is_absent_untagged_or_tagged() {
        for (date_time, form, is_some) in [
            (&[&[0][..]][..], DateTimeForm::Absent, false),
            (&[&[12][..], &CLOCK], DateTimeForm::Untagged, true),
            (&[&[9, 12][..], &CLOCK], DateTimeForm::Tagged, true),
            (&[&[9, 0][..]], DateTimeForm::Tagged, false),
        ] {
            let mut octets = notification(date_time);
            let whole = octets.len();
            octets.extend([0xE6, 0xE7, 0]);
            let (read, rest) = DataNotification::parse(&octets).unwrap();
            assert_eq!((read.date_time_form, read.date_time.is_some()), (form, is_some));
            assert_eq!((read.body, rest), (&[2, 1, 17, 5][..], &[0xE6, 0xE7, 0][..]));
            assert_eq!((read.invoke.id(), read.invoke.is_confirmed()), (7, true));
            for cut in 0..whole {
                let error = DataNotification::parse(&octets[..cut]).unwrap_err();
                assert!(matches!(
                    error.kind,
                    ApduErrorKind::Truncated | ApduErrorKind::Data(ErrorKind::Count)
                ));
            }
        }
    }

    #[test]
    fn a_date_time_of_another_length_is_not_guessed_at() {
        for wrong in [&[11][..], &[0x19], &[9, 11]] {
            let octets = notification(&[wrong, &CLOCK]);
            assert_eq!(DataNotification::parse(&octets), Err(ApduErrorKind::DateTime.at(5)));
        }
    }

    #[test]
    fn the_offset_of_wrong_data_counts_from_the_tag() {
        let octets = [0x0F, 0, 0, 0, 0, 0, 2, 1, 0x2A, 0];
        let error = DataNotification::parse(&octets).unwrap_err();
        assert_eq!(error, ApduErrorKind::Data(ErrorKind::Type(0x2A)).at(8));
    }

    #[test]
    fn an_event_notification_with_and_without_time() {
        let attribute = [0, 1, 0, 0, 96, 11, 0, 255, 2];
        let mut octets = Vec::from([0xC2, 1, 12]);
        octets.extend(CLOCK);
        octets.extend(attribute);
        octets.extend([17, 3, 0xAA]);
        let (event, rest) = EventNotification::parse(&octets).unwrap();
        assert_eq!(event.time, Some(DateTime::from_octets(CLOCK)));
        assert_eq!((event.attribute.class, event.attribute.obis), (1, Obis::new(0, 0, 96, 11, 0, 255)));
        assert_eq!((event.value, rest), (&[17, 3][..], &[0xAA][..]));
        let mut octets = Vec::from([0xC2, 0]);
        octets.extend(attribute);
        octets.push(0);
        assert_eq!(EventNotification::parse(&octets).map(|(event, _)| event.time), Ok(None));
        for cut in 0..octets.len() {
            assert_eq!(EventNotification::parse(&octets[..cut]).unwrap_err().kind, ApduErrorKind::Truncated);
        }
    }

    #[test]
    fn an_exception_response_with_and_without_counter() {
        let (exception, rest) = ExceptionResponse::parse(&[0xD8, 1, 2, 0xE6]).unwrap();
        assert_eq!((exception.reason(), rest), ("service not supported", &[0xE6][..]));
        let (exception, _) = ExceptionResponse::parse(&[0xD8, 2, 6, 0, 0, 1, 0]).unwrap();
        assert_eq!(exception.invocation_counter, Some(256));
        assert_eq!(ExceptionResponse::parse(&[0xD8, 3, 1]), Err(ApduErrorKind::Exception.at(1)));
        assert_eq!(ExceptionResponse::parse(&[0xD8, 1]), Err(ApduErrorKind::Truncated.at(1)));
    }
}
