//! What the octets of a data item are: fields with format, scale, sign and unit.

use core::fmt;

use crate::data::Data;
use crate::identifier::Identifier;
use crate::moment::{Moment, TimeForm};
use crate::octets::to_bcd1;
use crate::value::{Bits, Decimal, Digits, Text, Unit, Value, ValueError};

/// What bit 7 of a number's last octet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sign {
    /// Part of the highest digit.
    Unsigned,
    /// The sign, 1 = negative; the highest digit is 0..=7.
    Signed,
    /// The sign in meters that follow the 2013 filing, part of the magnitude in the base text. Read as a sign: no
    /// meter carries the 800 A that it would add.
    Optional,
    /// None, and the highest half octet is no digit: XXX in two octets. One that is not 0 is an error.
    HalfOctet,
}

/// How the octets of one field are read. Everything is sent least significant octet first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Format {
    /// A BCD number with an implied point.
    Number {
        /// Octets, two digits each.
        octets: u8,
        /// Digits behind the point.
        decimals: u8,
        /// What the top bit is.
        sign: Sign,
    },
    /// So many octets of BCD digits that are no quantity.
    Digits(u8),
    /// A date or time.
    Time(TimeForm),
    /// A date or time and, sent before it, a number of one octet.
    Scheduled(TimeForm),
    /// So many octets of text.
    Text(u8),
    /// So many octets of bits.
    Bits(u8),
    /// A data identifier of the 2007 standard.
    Identifier,
    /// So many plain octets.
    Octets(u8),
}

impl Format {
    /// Octets on the wire.
    #[must_use]
    pub const fn octets(self) -> u8 {
        match self {
            Self::Number { octets, .. }
            | Self::Digits(octets)
            | Self::Text(octets)
            | Self::Bits(octets)
            | Self::Octets(octets) => octets,
            Self::Time(form) => form.octets(),
            Self::Scheduled(form) => form.octets().wrapping_add(1),
            Self::Identifier => 4,
        }
    }
}

/// As the standard writes it: `XXXXXX.XX`, `YYMMDDhhmm`, `ASCII[6]`, `BIN16`.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { octets, decimals, .. } => {
                let whole = octets.saturating_mul(2).saturating_sub(*decimals);
                (0..whole).try_for_each(|_| f.write_str("X"))?;
                if *decimals != 0 {
                    f.write_str(".")?;
                }
                (0..*decimals).try_for_each(|_| f.write_str("X"))
            }
            Self::Digits(octets) => (0..*octets).try_for_each(|_| f.write_str("NN")),
            Self::Time(form) => form.fmt(f),
            Self::Scheduled(form) => write!(f, "{form}NN"),
            Self::Text(octets) => write!(f, "ASCII[{octets}]"),
            Self::Bits(octets) => write!(f, "BIN{}", u16::from(*octets).wrapping_mul(8)),
            Self::Identifier => f.write_str("XXXXXXXX"),
            Self::Octets(octets) => write!(f, "octets[{octets}]"),
        }
    }
}

/// One field: format and unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Field {
    /// How its octets are read.
    pub format: Format,
    /// Unit of a number.
    pub unit: Unit,
}

impl Field {
    /// A number.
    #[must_use]
    pub const fn number(octets: u8, decimals: u8, sign: Sign, unit: Unit) -> Self {
        Self { format: Format::Number { octets, decimals, sign }, unit }
    }

    /// A field that is no number.
    #[must_use]
    pub const fn plain(format: Format) -> Self {
        Self { format, unit: Unit::None }
    }

    /// Reads the field from exactly its octets.
    ///
    /// # Errors
    /// [`ValueError`] naming the octet that is wrong, or the length.
    #[inline]
    pub fn value<'a>(&self, data: Data<'a>) -> Result<Value<'a>, ValueError> {
        let expected = self.format.octets();
        if data.len() != usize::from(expected) {
            let found = u16::try_from(data.len()).unwrap_or(u16::MAX);
            return Err(ValueError::Length { expected: u16::from(expected), found });
        }
        if let Format::Number { decimals, sign, .. } = self.format {
            let number = match sign {
                Sign::Unsigned | Sign::HalfOctet => data.bcd().map(u64::cast_signed),
                Sign::Signed | Sign::Optional => data.signed_bcd(),
            };
            let top = data.iter().next_back().unwrap_or_default();
            return match number {
                Ok(_) if sign == Sign::HalfOctet && top > 0x0F => Err(ValueError::HalfOctet { octet: top }),
                Ok(number) => {
                    Ok(Value::Number(Decimal::new(number, decimals.cast_signed().wrapping_neg()), self.unit))
                }
                Err(_) if data.is_no_data() => Ok(Value::NoData),
                Err(error) => Err(error),
            };
        }
        self.other(data)
    }

    fn other<'a>(&self, data: Data<'a>) -> Result<Value<'a>, ValueError> {
        let no_data = data.is_no_data();
        Ok(match self.format {
            Format::Bits(_) => Value::Bits(Bits(data)),
            Format::Octets(_) => Value::Octets(data),
            _ if no_data => Value::NoData,
            Format::Digits(_) => {
                match data.iter().enumerate().find(|(_, o)| crate::octets::bcd1(*o).is_none()) {
                    Some((at, octet)) => return Err(ValueError::not_bcd(at, octet)),
                    None => Value::Digits(Digits(data)),
                }
            }
            Format::Time(form) => Value::Time(Moment::parse(form, data)?),
            Format::Scheduled(form) => {
                let (number, time) = data.split_at(1).ok_or(ValueError::length(data.len()))?;
                let octet = number.octet(0).unwrap_or_default();
                let number = crate::octets::bcd1(octet).ok_or(ValueError::not_bcd(0, octet))?;
                Value::Scheduled(Moment::parse(form, time)?, number)
            }
            Format::Text(_) => Value::Text(Text(data)),
            Format::Identifier => {
                let octets = data.array::<4>(0).ok_or(ValueError::length(data.len()))?;
                Value::Identifier(Identifier::V2007(u32::from_le_bytes(octets)))
            }
            Format::Number { .. } => return Err(ValueError::length(data.len())),
        })
    }

    /// Writes `value` as this field, its width and scale those of the format, to the front of `out`; the number of
    /// octets. [`Value::NoData`] writes FFH.
    ///
    /// # Errors
    /// [`EncodeError`] if the value is of another kind, has more digits than fit, or `out` is too small.
    pub fn encode(&self, value: &Value<'_>, out: &mut [u8]) -> Result<usize, EncodeError> {
        let len = usize::from(self.format.octets());
        let out = out.get_mut(..len).ok_or(EncodeError::BufferTooSmall)?;
        match (self.format, value) {
            (_, Value::NoData) => out.fill(0xFF),
            (Format::Number { decimals, sign, .. }, Value::Number(number, _)) => {
                let number =
                    number.rescale(decimals.cast_signed().wrapping_neg()).ok_or(EncodeError::Range)?;
                let mut rest = number.unsigned_abs();
                for octet in out.iter_mut() {
                    *octet = to_bcd1(u8::try_from(rest % 100).unwrap_or_default());
                    rest /= 100;
                }
                let signed = matches!(sign, Sign::Signed | Sign::Optional);
                let top = out.last_mut().ok_or(EncodeError::Range)?;
                // A magnitude may use the top bit of an optional sign as long as nothing is negative about it.
                let half = sign == Sign::HalfOctet && *top > 0x0F;
                if rest != 0 || half || (signed && *top >= 0x80) || (!signed && number < 0) {
                    return Err(EncodeError::Range);
                }
                if number < 0 {
                    *top |= 0x80;
                }
            }
            (Format::Time(form), Value::Time(time)) => fill(out, time.with_form(form).octets()),
            (Format::Scheduled(form), Value::Scheduled(time, number)) => {
                fill(out, core::iter::once(to_bcd1(*number)).chain(time.with_form(form).octets()));
            }
            (Format::Text(_), Value::Text(text)) => {
                let n = text.octets().count();
                let padding = len.checked_sub(n).ok_or(EncodeError::Range)?;
                let (front, back) = out.split_at_mut_checked(padding).ok_or(EncodeError::Range)?;
                front.fill(0);
                for (place, octet) in back.iter_mut().rev().zip(text.octets()) {
                    *place = octet;
                }
            }
            (Format::Identifier, Value::Identifier(identifier)) => fill(out, identifier.octets()),
            (
                Format::Digits(_) | Format::Bits(_) | Format::Octets(_),
                Value::Digits(Digits(data)) | Value::Bits(Bits(data)) | Value::Octets(data),
            ) => {
                if data.len() > len {
                    return Err(EncodeError::Range);
                }
                fill(out, data.iter().chain(core::iter::repeat(0)));
            }
            _ => return Err(EncodeError::Kind),
        }
        Ok(len)
    }
}

fn fill(out: &mut [u8], octets: impl Iterator<Item = u8>) {
    for (place, octet) in out.iter_mut().zip(octets) {
        *place = octet;
    }
}

/// Why a value cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum EncodeError {
    /// The format is for values of another kind.
    Kind,
    /// More digits, decimals or characters than the format has, or a sign where it has none.
    Range,
    /// The caller's buffer is too small.
    BufferTooSmall,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "value of another kind than the format",
            Self::Range => "value does not fit the format",
            Self::BufferTooSmall => "buffer too small",
        })
    }
}

impl core::error::Error for EncodeError {}

/// How often the fields of a layout follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Count {
    /// Exactly so often.
    Times(u8),
    /// As often as the meter is configured for (rates, harmonics, table entries), at most so often.
    UpTo(u8),
}

/// Which fields: one, or a row that is known by rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Shape {
    One(Field),
    /// Maximum demand and its time.
    Demand(Unit, Sign),
    /// A data identifier and, since the 2013 filing, the number of the screen.
    Screen,
    #[cfg(feature = "events")]
    /// An event record, and the octets of its operator code.
    Event(crate::event::Record, u8),
    #[cfg(feature = "freeze")]
    FrozenVariables,
    #[cfg(feature = "load")]
    Load(u8),
    Own(&'static [Field]),
}

/// The octets of a data item: fields, and how often they repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layout {
    pub(crate) shape: Shape,
    pub(crate) count: Count,
}

impl Layout {
    /// One field.
    #[must_use]
    pub const fn field(field: Field) -> Self {
        Self::shape(Shape::One(field))
    }

    /// A row of fields, for identifiers of the caller's own.
    #[must_use]
    pub const fn fields(fields: &'static [Field]) -> Self {
        Self::shape(Shape::Own(fields))
    }

    pub(crate) const fn shape(shape: Shape) -> Self {
        Self { shape, count: Count::Times(1) }
    }

    /// The same, so many times.
    #[must_use]
    pub const fn times(self, count: u8) -> Self {
        Self { count: Count::Times(count), ..self }
    }

    /// The same, at most so many times.
    #[must_use]
    pub const fn up_to(self, count: u8) -> Self {
        Self { count: Count::UpTo(count), ..self }
    }

    /// The same event record with an operator code of 2 octets instead of the standard's 4, as some implementations
    /// send it; `None` for a layout without operator code. [`items`](crate::items()) tells them apart by the length.
    #[must_use]
    pub const fn with_short_operator(self) -> Option<Self> {
        #[cfg(feature = "events")]
        if let Shape::Event(record, _) = self.shape
            && record.has_operator()
        {
            return Some(Self { shape: Shape::Event(record, 2), ..self });
        }
        None
    }

    /// How often the fields follow each other.
    #[must_use]
    pub const fn count(&self) -> Count {
        self.count
    }

    /// Field `index` of one item.
    #[must_use]
    #[inline]
    pub fn get(&self, index: u16) -> Option<Field> {
        match self.shape {
            Shape::One(field) => (index == 0).then_some(field),
            Shape::Demand(unit, sign) => match index {
                0 => Some(Field::number(3, 4, sign, unit)),
                1 => Some(Field::plain(Format::Time(TimeForm::TO_MINUTE))),
                _ => None,
            },
            Shape::Screen => match index {
                0 => Some(Field::plain(Format::Identifier)),
                1 => Some(Field::number(1, 0, Sign::Unsigned, Unit::None)),
                _ => None,
            },
            #[cfg(feature = "events")]
            Shape::Event(record, operator) => record.field(index, operator),
            #[cfg(feature = "freeze")]
            Shape::FrozenVariables => crate::freeze::variable(index),
            #[cfg(feature = "load")]
            Shape::Load(class) => crate::load::field(class, index),
            Shape::Own(fields) => fields.get(usize::from(index)).copied(),
        }
    }

    /// The fields of one item.
    pub fn iter(&self) -> impl Iterator<Item = Field> {
        let layout = *self;
        (0..).map_while(move |index| layout.get(index))
    }

    /// Octets of one item, all fields.
    #[must_use]
    pub fn item_len(&self) -> u16 {
        if let Shape::One(field) = self.shape {
            return u16::from(field.format.octets());
        }
        self.iter().fold(0, |sum, field| sum.saturating_add(u16::from(field.format.octets())))
    }

    /// Least and most octets of all items, without separators.
    #[must_use]
    pub fn len(&self) -> (u16, u16) {
        let item = self.item_len();
        match (self.shape, self.count) {
            (Shape::Screen, _) => (4, 5),
            (_, Count::Times(n)) => (item.saturating_mul(u16::from(n)), item.saturating_mul(u16::from(n))),
            (_, Count::UpTo(n)) => (item, item.saturating_mul(u16::from(n))),
        }
    }

    /// Whether there are no octets at all; only a layout of no fields is so.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len().1 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWER: Field = Field::number(3, 4, Sign::Signed, Unit::Kilowatt);

    #[test]
    fn minus_1_5_kw_is_not_81_5() {
        // WKJay, peace0phmind and themeyic read the sign bit as a digit.
        let value = POWER.value(Data::plain(&[0x00, 0x50, 0x81])).unwrap();
        assert_eq!(value, Value::Number(Decimal::new(-15_000, -4), Unit::Kilowatt));
    }

    #[test]
    fn a_number_is_as_wide_as_its_format() {
        // ng-gateway writes as many octets as the value has digits.
        let energy = Field::number(4, 2, Sign::Unsigned, Unit::KilowattHour);
        let mut out = [0x55; 6];
        let value = Value::Number(Decimal::new(15, -1), Unit::KilowattHour);
        assert_eq!(energy.encode(&value, &mut out), Ok(4));
        assert_eq!(out, [0x50, 0x01, 0, 0, 0x55, 0x55]);
        let encode = |field: Field, mantissa, exponent| {
            let mut out = [0; 4];
            field.encode(&Value::Number(Decimal::new(mantissa, exponent), Unit::None), &mut out).map(|_| out)
        };
        assert_eq!(encode(POWER, -15, -1), Ok([0x00, 0x50, 0x81, 0]));
        assert_eq!(encode(POWER, 80, 0), Err(EncodeError::Range));
        assert_eq!(encode(POWER, 1, -5), Err(EncodeError::Range));
        assert_eq!(encode(energy, -1, 0), Err(EncodeError::Range));
        assert_eq!(encode(energy, 99_999_999, -2), Ok([0x99; 4]));
        assert_eq!(encode(energy, 1_000_000, 0), Err(EncodeError::Range));
        assert_eq!(energy.encode(&value, &mut [0; 3]), Err(EncodeError::BufferTooSmall));
        assert_eq!(energy.encode(&Value::Time(Moment::time(1, 2, 3)), &mut [0; 4]), Err(EncodeError::Kind));
    }

    #[test]
    fn every_format_writes_what_it_reads() {
        let octets = [0x12, 0x11, 0x10, 0x09, 0x08, 0x07, 0x06, 0x35];
        for format in [
            Format::Number { octets: 4, decimals: 2, sign: Sign::Signed },
            Format::Digits(6),
            Format::Time(TimeForm::WHOLE),
            Format::Scheduled(TimeForm::MONTH_DAY),
            Format::Text(8),
            Format::Bits(2),
            Format::Identifier,
            Format::Octets(5),
        ] {
            let field = Field::plain(format);
            let data = &octets[..usize::from(format.octets())];
            let value = field.value(Data::plain(data)).unwrap();
            let mut out = [0; 8];
            assert_eq!(field.encode(&value, &mut out), Ok(data.len()), "{format}");
            assert_eq!(&out[..data.len()], data, "{format}");
        }
    }

    #[test]
    fn three_digits_in_two_octets_are_three_digits() {
        // Some meters send B61x as XXX.X; 2203 V would be wrong in silence.
        let voltage = Identifier::V1997(0xB611).layout().unwrap().get(0).unwrap();
        let value = |octets| voltage.value(Data::plain(octets));
        assert_eq!(value(&[0x20, 0x02]), Ok(Value::Number(Decimal::new(220, 0), Unit::Volt)));
        assert_eq!(value(&[0x03, 0x22]), Err(ValueError::HalfOctet { octet: 0x22 }));
        assert_eq!(value(&[0xFF, 0xFF]), Ok(Value::NoData));
        let mut out = [0; 2];
        assert_eq!(voltage.encode(&Value::Number(Decimal::new(999, 0), Unit::Volt), &mut out), Ok(2));
        assert_eq!(
            voltage.encode(&Value::Number(Decimal::new(1_000, 0), Unit::Volt), &mut out),
            Err(EncodeError::Range)
        );
    }

    #[test]
    fn ff_is_no_data_except_in_bits() {
        assert_eq!(POWER.value(Data::plain(&[0xFF; 3])), Ok(Value::NoData));
        assert_eq!(Field::plain(Format::Text(2)).value(Data::plain(&[0xFF; 2])), Ok(Value::NoData));
        let bits = Field::plain(Format::Bits(1)).value(Data::plain(&[0xFF])).unwrap();
        assert_eq!(bits, Value::Bits(Bits(Data::plain(&[0xFF]))));
        assert_eq!(
            POWER.value(Data::plain(&[0xFF, 0xFF, 0x00])),
            Err(ValueError::NotBcd { at: 1, octet: 0xFF })
        );
    }
}
