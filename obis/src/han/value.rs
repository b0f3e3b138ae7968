//! What comes out: an entry, its place and its value.

use core::fmt;

use super::float;
use crate::data;
use crate::datetime::{Date, DateTime, Time};
use crate::{Decimal, Obis, Scaled, Unit};

/// Containers inside one another that are walked; what lies deeper comes out whole, as [`Value::Nested`].
pub const MAX_DEPTH: usize = 6;

/// One value of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry<'a> {
    /// The code, where the list or a profile names the value.
    pub obis: Option<Obis>,
    /// Attribute of the COSEM object: 2, its value, unless an object list says otherwise.
    pub attribute: u8,
    /// Place in the tree.
    pub path: Path,
    /// The value.
    pub value: Value<'a>,
}

/// Place of a value in the tree of the data: the number of the member at each level, from 0. Shown as `0.3.1`.
#[derive(Clone, Copy)]
pub struct Path {
    members: [u16; MAX_DEPTH],
    depth: u8,
}

/// A value, as far as it is understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Value<'a> {
    /// A number whose scale and unit are known, from the meter or from a profile.
    Scaled(Scaled),
    /// A number as sent: nobody says how it is scaled.
    Plain(Decimal),
    /// Text, without the NULs that some meters pad it with.
    Text(&'a str),
    /// Date and time. The deviation is not specified where the profile says that what the meter sends is not to be trusted
    /// ([`Profile::is_zero_deviation_sound`](super::Profile::is_zero_deviation_sound)).
    DateTime(DateTime),
    /// A date alone.
    Date(Date),
    /// A time alone.
    Time(Time),
    /// Yes or no.
    Boolean(bool),
    /// The code of another object (a logical name).
    Code(Obis),
    /// Octets that are none of these.
    Octets(&'a [u8]),
    /// Another COSEM data type: enum, bit-string, float, null, …; also a long64-unsigned above `i64::MAX`.
    Other(data::Value<'a>),
    /// A compact-array, or what is nested too deep to be walked, as its octets; [`data::Events`] reads them.
    Nested(&'a [u8]),
}

impl Path {
    pub(super) const ROOT: Self = Self { members: [0; MAX_DEPTH], depth: 0 };

    /// The numbers of the members, from the outermost container inwards; none for data that is one value alone.
    #[must_use]
    pub fn members(&self) -> &[u16] {
        self.members.get(..usize::from(self.depth)).unwrap_or_default()
    }

    /// The place of this member of the innermost container.
    #[inline]
    pub(super) fn member(mut self, member: u16) -> Self {
        // Each in turn: storing one of them just before the path is copied would hold the copy up.
        for (depth, place) in (1..).zip(&mut self.members) {
            *place = if depth == self.depth { member } else { *place };
        }
        self
    }

    /// One level further in.
    #[inline]
    pub(super) const fn inner(mut self) -> Self {
        self.depth = self.depth.saturating_add(1);
        self
    }

    /// One level further out.
    pub(super) const fn outer(mut self) -> Self {
        self.depth = self.depth.saturating_sub(1);
        self
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.members() == other.members()
    }
}

impl Eq for Path {}

impl core::hash::Hash for Path {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.members().hash(state);
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Path {
    fn format(&self, fmt: defmt::Formatter<'_>) {
        defmt::write!(fmt, "{}", self.members());
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut members = self.members().iter();
        write!(f, "{}", members.next().unwrap_or(&0))?;
        members.try_for_each(|member| write!(f, ".{member}"))
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Path {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.collect_seq(self.members())
        }
    }
}

impl<'a> Value<'a> {
    /// The number, scaled or plain.
    #[must_use]
    pub const fn number(&self) -> Option<Decimal> {
        match self {
            Self::Scaled(scaled) => Some(scaled.to_base()),
            Self::Plain(number) => Some(*number),
            _ => None,
        }
    }

    /// The unit, where there is a number and one is known; [`Unit::NONE`] for a number known to have none.
    #[must_use]
    pub const fn unit(&self) -> Option<Unit> {
        match self {
            Self::Scaled(scaled) => Some(scaled.unit),
            _ => None,
        }
    }

    /// The text.
    #[must_use]
    pub const fn as_text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The date and time.
    #[must_use]
    pub const fn as_date_time(&self) -> Option<DateTime> {
        match self {
            Self::DateTime(date_time) => Some(*date_time),
            _ => None,
        }
    }

    /// A value with no scale: what it is by its type and, for an octet-string, its octets and the code it stands for.
    pub(super) fn plain(value: data::Value<'a>, code: Option<Obis>) -> Self {
        match value {
            data::Value::Boolean(value) => Self::Boolean(value),
            data::Value::DateTime(value) => Self::DateTime(value),
            data::Value::Date(value) => Self::Date(value),
            data::Value::Time(value) => Self::Time(value),
            data::Value::OctetString(octets) => octet_string(octets, code),
            data::Value::VisibleString(octets) | data::Value::Utf8String(octets) => {
                core::str::from_utf8(unpadded(octets)).map_or(Self::Octets(octets), Self::Text)
            }
            other => match number(&other) {
                Some(number) => Self::Plain(Decimal::new(number, 0)),
                None => Self::Other(other),
            },
        }
    }
}

/// The number of an integer type, or of two BCD digits.
pub(super) fn number(value: &data::Value<'_>) -> Option<i64> {
    match *value {
        data::Value::Bcd(octet) => {
            let (tens, ones) = (octet >> 4, octet & 0x0F);
            let is_decimal = tens < 10 && ones < 10;
            is_decimal.then(|| i64::from(tens.saturating_mul(10).saturating_add(ones)))
        }
        _ => value.as_integer(),
    }
}

/// Whether this is a number that [`number`] does not give: a scale sent with it cannot be applied.
pub(super) fn is_other_number(value: &data::Value<'_>) -> bool {
    use data::Value as V;
    let is_number = matches!(
        value,
        V::Bcd(_)
            | V::Long64Unsigned(_)
            | V::Float32(_)
            | V::Float64(_)
            | V::DeltaInteger(_)
            | V::DeltaLong(_)
            | V::DeltaDoubleLong(_)
            | V::DeltaUnsigned(_)
            | V::DeltaLongUnsigned(_)
            | V::DeltaDoubleLongUnsigned(_)
    );
    is_number && number(value).is_none()
}

/// Octet-strings carry times, texts and octets alike; only their octets tell, and now and then the code.
fn octet_string<'a>(octets: &'a [u8], code: Option<Obis>) -> Value<'a> {
    let is = |c, d, e| code.is_some_and(|code| code.c() == c && code.d() == d && e == code.e());
    match *octets {
        // A clock's, or what can be nothing else: a serial number of twelve octets is none.
        _ if octets.len() == 12 && (is(1, 0, 0) || is(1, 1, 0) || is_date_time(octets)) => {
            DateTime::from_slice(octets).map_or(Value::Octets(octets), Value::DateTime)
        }
        [hour, minute, second, hundredths] if is(0, 9, 1) => {
            Value::Time(Time::from_octets([hour, minute, second, hundredths]))
        }
        [high, low, month, day, weekday] if is(0, 9, 2) => {
            Value::Date(Date::from_octets([high, low, month, day, weekday]))
        }
        _ => printable(octets).map_or(Value::Octets(octets), Value::Text),
    }
}

/// Whether every part of a date-time is in its range or not specified, in this century. No text is: years begin with 07
/// or 08.
fn is_date_time(octets: &[u8]) -> bool {
    let [y1, y0, month, day, weekday, hour, minute, second, hundredths, d1, d0, _] = *octets else {
        return false;
    };
    matches!(u16::from_be_bytes([y1, y0]), 2000..=2099 | 0xFFFF)
        && matches!(month, 1..=12 | 0xFD..)
        && matches!(day, 1..=31 | 0xFD..)
        // Some meters send 0 for a day of the week that they do not know.
        && matches!(weekday, 0..=7 | 0xFF)
        && matches!(hour, 0..=23 | 0xFF)
        && matches!(minute, 0..=59 | 0xFF)
        && matches!(second, 0..=59 | 0xFF)
        && matches!(hundredths, 0..=99 | 0xFF)
        && matches!(i16::from_be_bytes([d1, d0]), -720..=840 | i16::MIN)
}

/// Text, if all octets but NULs at the end are printable ASCII. NULs alone are no text.
fn printable(octets: &[u8]) -> Option<&str> {
    let text = unpadded(octets);
    if text.is_empty() && !octets.is_empty() {
        return None;
    }
    // Without a branch for each octet: 0x20 to 0x7E become 0 to 0x5E, everything else more.
    let highest = text.iter().fold(0, |highest: u8, octet| highest.max(octet.wrapping_sub(0x20)));
    if highest <= 0x5E { core::str::from_utf8(text).ok() } else { None }
}

/// Without the NULs at the end.
fn unpadded(mut octets: &[u8]) -> &[u8] {
    while let [front @ .., 0] = octets {
        octets = front;
    }
    octets
}

impl fmt::Display for Value<'_> {
    /// Numbers with their unit, text as it is, times as they are written, octets in hexadecimal, floats as the shortest
    /// decimal that gives them again, a bcd octet that is none in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scaled(scaled) => fmt::Display::fmt(scaled, f),
            Self::Plain(number) => fmt::Display::fmt(number, f),
            Self::Text(text) => f.pad(text),
            Self::DateTime(value) => fmt::Display::fmt(value, f),
            Self::Date(value) => fmt::Display::fmt(value, f),
            Self::Time(value) => fmt::Display::fmt(value, f),
            Self::Boolean(value) => fmt::Display::fmt(value, f),
            Self::Code(code) => fmt::Display::fmt(code, f),
            Self::Octets(octets) | Self::Nested(octets) => {
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
            Self::Other(data::Value::Enum(value)) => fmt::Display::fmt(value, f),
            Self::Other(data::Value::Null) => Ok(()),
            Self::Other(data::Value::Long64Unsigned(value)) => fmt::Display::fmt(value, f),
            Self::Other(data::Value::Float32(bits)) => float::single(f, *bits),
            Self::Other(data::Value::Float64(bits)) => float::double(f, *bits),
            Self::Other(data::Value::Bcd(octet)) => write!(f, "{octet:02x}"),
            Self::Other(value) => write!(f, "{value:?}"),
        }
    }
}
