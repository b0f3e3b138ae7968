//! The leaves and brackets of COSEM data, under the names of the standard.

use super::decoder::Part;
use super::error::ErrorKind;
use super::length;
use crate::Obis;
use crate::datetime::{Date, DateTime, Time};

/// One value of COSEM data: every type of the Blue Book 4.1.5 that is not a container, with its tag in brackets.
///
/// Strings borrow from the octets read. Floats keep their bits: this crate does no float arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Value<'a> {
    /// null-data \[0\].
    Null,
    /// boolean \[3\]; any octet but 0 is true.
    Boolean(bool),
    /// bit-string \[4\], the first bit in bit 7 of the first octet.
    BitString {
        /// How many bits.
        bits: u32,
        /// The octets that hold them, the last one filled up.
        octets: &'a [u8],
    },
    /// double-long \[5\].
    DoubleLong(i32),
    /// double-long-unsigned \[6\].
    DoubleLongUnsigned(u32),
    /// octet-string \[9\].
    OctetString(&'a [u8]),
    /// visible-string \[10\], ASCII by the standard, any octet in the field.
    VisibleString(&'a [u8]),
    /// utf8-string \[12\], not checked.
    Utf8String(&'a [u8]),
    /// bcd \[13\], one octet of two digits.
    Bcd(u8),
    /// integer \[15\].
    Integer(i8),
    /// long \[16\].
    Long(i16),
    /// unsigned \[17\].
    Unsigned(u8),
    /// long-unsigned \[18\].
    LongUnsigned(u16),
    /// long64 \[20\].
    Long64(i64),
    /// long64-unsigned \[21\].
    Long64Unsigned(u64),
    /// enum \[22\].
    Enum(u8),
    /// float32 \[23\], the bits of an IEEE 754 single.
    Float32(u32),
    /// float64 \[24\], the bits of an IEEE 754 double.
    Float64(u64),
    /// date-time \[25\].
    DateTime(DateTime),
    /// date \[26\].
    Date(Date),
    /// time \[27\].
    Time(Time),
    /// delta-integer \[28\]: a change against the value before, as in compressed buffers.
    DeltaInteger(i8),
    /// delta-long \[29\].
    DeltaLong(i16),
    /// delta-double-long \[30\].
    DeltaDoubleLong(i32),
    /// delta-unsigned \[31\].
    DeltaUnsigned(u8),
    /// delta-long-unsigned \[32\].
    DeltaLongUnsigned(u16),
    /// delta-double-long-unsigned \[33\].
    DeltaDoubleLongUnsigned(u32),
    /// dont-care \[255\].
    DontCare,
    /// A cosem-attribute-descriptor **without any tags**, which is not A-XDR data; only with
    /// [`Quirks::untagged_descriptors`](super::Quirks::untagged_descriptors).
    AttributeDescriptor(AttributeDescriptor),
}

/// A cosem-attribute-descriptor (Green Book 9.5): class-id (2, high first) · instance-id (6) · attribute-id, 9 octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AttributeDescriptor {
    /// Interface class, e.g. 3 register.
    pub class: u16,
    /// Logical name of the object.
    pub obis: Obis,
    /// Attribute, from 1; 2 is the value of most classes.
    pub attribute: i8,
}

/// What opens a level of COSEM data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Container {
    /// array \[1\] of so many elements.
    Array(u32),
    /// structure \[2\] of so many members.
    Structure(u32),
    /// compact-array \[19\]: elements without tags, until its contents are used up.
    CompactArray {
        /// Octets of contents.
        octets: u32,
    },
}

/// What comes next in COSEM data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Event<'a> {
    /// An array, structure or compact-array opens.
    Begin(Container),
    /// The innermost container ends.
    End,
    /// A value.
    Value(Value<'a>),
    /// A piece of a string too long for the [`Decoder`](super::Decoder) to hold; never from a slice.
    Part(Part<'a>),
}

impl<'a> Value<'a> {
    /// The tag octet on the wire; `None` for the attribute descriptor, which has none.
    #[must_use]
    pub const fn tag(&self) -> Option<u8> {
        Some(match self {
            Self::Null => 0,
            Self::Boolean(_) => 3,
            Self::BitString { .. } => 4,
            Self::DoubleLong(_) => 5,
            Self::DoubleLongUnsigned(_) => 6,
            Self::OctetString(_) => 9,
            Self::VisibleString(_) => 10,
            Self::Utf8String(_) => 12,
            Self::Bcd(_) => 13,
            Self::Integer(_) => 15,
            Self::Long(_) => 16,
            Self::Unsigned(_) => 17,
            Self::LongUnsigned(_) => 18,
            Self::Long64(_) => 20,
            Self::Long64Unsigned(_) => 21,
            Self::Enum(_) => 22,
            Self::Float32(_) => 23,
            Self::Float64(_) => 24,
            Self::DateTime(_) => 25,
            Self::Date(_) => 26,
            Self::Time(_) => 27,
            Self::DeltaInteger(_) => 28,
            Self::DeltaLong(_) => 29,
            Self::DeltaDoubleLong(_) => 30,
            Self::DeltaUnsigned(_) => 31,
            Self::DeltaLongUnsigned(_) => 32,
            Self::DeltaDoubleLongUnsigned(_) => 33,
            Self::DontCare => 255,
            Self::AttributeDescriptor(_) => return None,
        })
    }

    /// The number, if this is one of the integer types (5, 6, 15 to 18, 20, 21; not enum, bcd or a delta).
    ///
    /// `None` also for a long64-unsigned above `i64::MAX`.
    #[inline]
    #[must_use]
    pub fn as_integer(&self) -> Option<i64> {
        match *self {
            Self::DoubleLong(value) => Some(i64::from(value)),
            Self::DoubleLongUnsigned(value) => Some(i64::from(value)),
            Self::Integer(value) => Some(i64::from(value)),
            Self::Long(value) => Some(i64::from(value)),
            Self::Unsigned(value) => Some(i64::from(value)),
            Self::LongUnsigned(value) => Some(i64::from(value)),
            Self::Long64(value) => Some(value),
            Self::Long64Unsigned(value) => i64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The octets of an octet-string, visible-string or utf8-string.
    #[inline]
    #[must_use]
    pub const fn as_octets(&self) -> Option<&'a [u8]> {
        match *self {
            Self::OctetString(octets) | Self::VisibleString(octets) | Self::Utf8String(octets) => {
                Some(octets)
            }
            _ => None,
        }
    }

    /// The text of an octet-string, visible-string or utf8-string, without the NULs some meters pad it with;
    /// `None` if it is not UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&'a str> {
        let text = core::str::from_utf8(self.as_octets()?).ok()?;
        Some(text.trim_end_matches('\0'))
    }

    /// The code in an octet-string of six octets.
    #[inline]
    #[must_use]
    pub fn as_obis(&self) -> Option<Obis> {
        match *self {
            Self::OctetString(octets) => octets.try_into().ok().map(Obis::from_octets),
            _ => None,
        }
    }

    /// The date-time of a date-time, or of an octet-string of twelve octets.
    #[must_use]
    pub fn as_date_time(&self) -> Option<DateTime> {
        match *self {
            Self::DateTime(date_time) => Some(date_time),
            Self::OctetString(octets) => DateTime::from_slice(octets),
            _ => None,
        }
    }
}

impl AttributeDescriptor {
    /// The descriptor in its nine octets.
    #[must_use]
    pub const fn from_octets(octets: [u8; 9]) -> Self {
        let [class_high, class_low, a, b, c, d, e, f, attribute] = octets;
        Self {
            class: u16::from_be_bytes([class_high, class_low]),
            obis: Obis::new(a, b, c, d, e, f),
            attribute: i8::from_be_bytes([attribute]),
        }
    }

    /// The nine octets.
    #[must_use]
    pub const fn octets(self) -> [u8; 9] {
        let [class_high, class_low] = self.class.to_be_bytes();
        let [a, b, c, d, e, f] = self.obis.octets();
        let [attribute] = self.attribute.to_be_bytes();
        [class_high, class_low, a, b, c, d, e, f, attribute]
    }
}

/// How many octets a value of this type takes after its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    Fixed(u8),
    /// A length and that many octets.
    Octets,
    /// A length in bits and the octets to hold them.
    Bits,
    /// A container (1, 2, 19) or no type at all.
    NoLeaf,
}

pub(crate) const fn size(tag: u8) -> Size {
    match tag {
        0 | 255 => Size::Fixed(0),
        3 | 13 | 15 | 17 | 22 => Size::Fixed(1),
        16 | 18 => Size::Fixed(2),
        5 | 6 | 23 | 27 => Size::Fixed(4),
        // The rare differences are worked out: each tag more in the match is two octets of table in the RAM of an AVR.
        28..=30 => Size::Fixed(1u8.wrapping_shl((tag as u32).wrapping_sub(28))),
        31..=33 => Size::Fixed(1u8.wrapping_shl((tag as u32).wrapping_sub(31))),
        26 => Size::Fixed(5),
        20 | 21 | 24 => Size::Fixed(8),
        25 => Size::Fixed(12),
        9 | 10 | 12 => Size::Octets,
        4 => Size::Bits,
        _ => Size::NoLeaf,
    }
}

/// The tagged value at the front of `octets`, of the types that lists are full of, and the rest. `None` does not say
/// that there is none: [`leaf`] does.
///
/// Expanded where it is used, so that the value goes from the octets to its place without a move, which would cost
/// more than reading it.
#[inline(always)]
pub(crate) fn common(octets: &[u8]) -> Option<(Value<'_>, &[u8])> {
    Some(match octets {
        [6, a, b, c, d, rest @ ..] => (Value::DoubleLongUnsigned(u32::from_be_bytes([*a, *b, *c, *d])), rest),
        [18, a, b, rest @ ..] => (Value::LongUnsigned(u16::from_be_bytes([*a, *b])), rest),
        [16, a, b, rest @ ..] => (Value::Long(i16::from_be_bytes([*a, *b])), rest),
        [9, length @ 0..0x80, rest @ ..] => {
            let (content, rest) = rest.split_at_checked(usize::from(*length))?;
            (Value::OctetString(content), rest)
        }
        [10, length @ 0..0x80, rest @ ..] => {
            let (content, rest) = rest.split_at_checked(usize::from(*length))?;
            (Value::VisibleString(content), rest)
        }
        _ => return None,
    })
}

/// The value of type `tag` at the front of `octets` (its tag taken off), and the rest.
#[inline(never)]
pub(crate) fn leaf(tag: u8, octets: &[u8]) -> Result<(Value<'_>, &[u8]), ErrorKind> {
    Ok(match tag {
        0 => (Value::Null, octets),
        3 => fixed(octets, |[b]: [u8; 1]| Value::Boolean(b != 0))?,
        4 => {
            let (bits, rest) = length::length(octets)?;
            let (octets, rest) = length::split(rest, bits.div_ceil(8))?;
            (Value::BitString { bits, octets }, rest)
        }
        5 => fixed(octets, |b| Value::DoubleLong(i32::from_be_bytes(b)))?,
        6 => fixed(octets, |b| Value::DoubleLongUnsigned(u32::from_be_bytes(b)))?,
        9 => string(octets, Value::OctetString)?,
        10 => string(octets, Value::VisibleString)?,
        12 => string(octets, Value::Utf8String)?,
        13 => fixed(octets, |[b]| Value::Bcd(b))?,
        15 => fixed(octets, |b| Value::Integer(i8::from_be_bytes(b)))?,
        16 => fixed(octets, |b| Value::Long(i16::from_be_bytes(b)))?,
        17 => fixed(octets, |[b]| Value::Unsigned(b))?,
        18 => fixed(octets, |b| Value::LongUnsigned(u16::from_be_bytes(b)))?,
        20 => fixed(octets, |b| Value::Long64(i64::from_be_bytes(b)))?,
        21 => fixed(octets, |b| Value::Long64Unsigned(u64::from_be_bytes(b)))?,
        22 => fixed(octets, |[b]| Value::Enum(b))?,
        23 => fixed(octets, |b| Value::Float32(u32::from_be_bytes(b)))?,
        24 => fixed(octets, |b| Value::Float64(u64::from_be_bytes(b)))?,
        25 => fixed(octets, |b| Value::DateTime(DateTime::from_octets(b)))?,
        26 => fixed(octets, |b| Value::Date(Date::from_octets(b)))?,
        27 => fixed(octets, |b| Value::Time(Time::from_octets(b)))?,
        28 => fixed(octets, |b| Value::DeltaInteger(i8::from_be_bytes(b)))?,
        29 => fixed(octets, |b| Value::DeltaLong(i16::from_be_bytes(b)))?,
        30 => fixed(octets, |b| Value::DeltaDoubleLong(i32::from_be_bytes(b)))?,
        31 => fixed(octets, |[b]| Value::DeltaUnsigned(b))?,
        32 => fixed(octets, |b| Value::DeltaLongUnsigned(u16::from_be_bytes(b)))?,
        33 => fixed(octets, |b| Value::DeltaDoubleLongUnsigned(u32::from_be_bytes(b)))?,
        255 => (Value::DontCare, octets),
        tag => return Err(ErrorKind::Type(tag)),
    })
}

#[inline]
fn fixed<'a, const N: usize>(
    octets: &'a [u8],
    value: impl FnOnce([u8; N]) -> Value<'a>,
) -> Result<(Value<'a>, &'a [u8]), ErrorKind> {
    match octets.split_first_chunk() {
        Some((chunk, rest)) => Ok((value(*chunk), rest)),
        None => Err(ErrorKind::Truncated),
    }
}

#[inline]
fn string<'a>(
    octets: &'a [u8],
    value: impl FnOnce(&'a [u8]) -> Value<'a>,
) -> Result<(Value<'a>, &'a [u8]), ErrorKind> {
    let (content, rest) = length::counted(octets)?;
    Ok((value(content), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_and_leaf_agree_for_every_tag() {
        let zeros = [0; 16];
        for tag in 0..=255 {
            match (size(tag), leaf(tag, &zeros)) {
                (Size::Fixed(n), Ok((value, rest))) => {
                    assert_eq!(16 - rest.len(), usize::from(n));
                    assert_eq!(value.tag(), Some(tag));
                    if let Some(short) = usize::from(n).checked_sub(1) {
                        assert_eq!(leaf(tag, &zeros[..short]), Err(ErrorKind::Truncated));
                    }
                }
                (Size::Octets | Size::Bits, Ok((value, rest))) => {
                    assert_eq!((rest.len(), value.tag()), (15, Some(tag)));
                }
                (Size::NoLeaf, Err(kind)) => assert_eq!(kind, ErrorKind::Type(tag)),
                (size, leaf) => panic!("{tag}: {size:?} {leaf:?}"),
            }
        }
    }

    #[test]
    fn values_read_as_numbers_text_codes_and_times() {
        assert_eq!(Value::Long64Unsigned(u64::MAX).as_integer(), None);
        assert_eq!(Value::Integer(-3).as_integer(), Some(-3));
        assert_eq!(Value::Enum(27).as_integer(), None);
        assert_eq!(Value::VisibleString(b"ZMF1\0\0").as_text(), Some("ZMF1"));
        assert_eq!(Value::OctetString(&[0xFF]).as_text(), None);
        assert_eq!(Value::OctetString(&[1, 0, 1, 8, 0, 255]).as_obis(), Some(Obis::new(1, 0, 1, 8, 0, 255)));
        assert_eq!(Value::VisibleString(b"123456").as_obis(), None);
        assert!(Value::OctetString(&[0; 12]).as_date_time().is_some());
    }

    #[test]
    fn an_attribute_descriptor_is_nine_octets() {
        let octets = [0, 3, 1, 0, 1, 7, 0, 255, 2];
        let descriptor = AttributeDescriptor::from_octets(octets);
        assert_eq!((descriptor.class, descriptor.attribute), (3, 2));
        assert_eq!(descriptor.octets(), octets);
    }

    #[test]
    fn a_value_is_no_larger_than_a_slice_and_a_word() {
        assert!(size_of::<Value<'_>>() <= size_of::<&[u8]>() + 8);
    }
}
