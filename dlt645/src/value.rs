//! Values: exact decimals with a unit, times, text, bits, and what can be wrong with them.

use core::fmt;

use crate::data::Data;
use crate::identifier::Identifier;
use crate::moment::Moment;

/// An exact decimal number: `mantissa` × 10^`exponent`. Display keeps the digits: 9.17, 0.00, -1.5000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decimal {
    /// The digits with their sign.
    pub mantissa: i64,
    /// Power of ten; a value with two decimals has -2.
    pub exponent: i8,
}

impl Decimal {
    /// `mantissa` × 10^`exponent`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// The mantissa for another exponent, if the value can be written so exactly.
    #[must_use]
    pub const fn rescale(self, exponent: i8) -> Option<i64> {
        let mut mantissa = self.mantissa;
        let mut at = self.exponent;
        while at > exponent {
            mantissa = match mantissa.checked_mul(10) {
                Some(mantissa) => mantissa,
                None => return None,
            };
            at = at.wrapping_sub(1);
        }
        while at < exponent {
            if mantissa % 10 != 0 {
                return None;
            }
            mantissa /= 10;
            at = at.wrapping_add(1);
        }
        Some(mantissa)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.mantissa < 0 { "-" } else { "" };
        let digits = self.mantissa.unsigned_abs();
        if self.exponent >= 0 {
            write!(f, "{sign}{digits}")?;
            let zeros = if digits == 0 { 0 } else { self.exponent };
            return (0..zeros).try_for_each(|_| f.write_str("0"));
        }
        let decimals = u32::from(self.exponent.unsigned_abs());
        match 10u64.checked_pow(decimals) {
            Some(unit) => {
                let (whole, part) =
                    (digits.checked_div(unit).unwrap_or(0), digits.checked_rem(unit).unwrap_or(0));
                write!(f, "{sign}{whole}.{part:0width$}", width = usize::try_from(decimals).unwrap_or(0))
            }
            None => write!(f, "{sign}{digits}e{}", self.exponent),
        }
    }
}

/// Unit of a number, as the standard writes its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Unit {
    /// A count, factor or code.
    None,
    KilowattHour,
    KilovarHour,
    KilovoltAmpereHour,
    AmpereHour,
    Kilowatt,
    Kilovar,
    KilovoltAmpere,
    Volt,
    Ampere,
    Hertz,
    Percent,
    Degree,
    DegreeCelsius,
    Minute,
    Second,
    Millisecond,
    ImpulsePerKilowattHour,
    ImpulsePerKilovarHour,
    Yuan,
    YuanPerKilowattHour,
}

impl Unit {
    /// "kWh"; empty for [`Unit::None`].
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::None => "",
            Self::KilowattHour => "kWh",
            Self::KilovarHour => "kvarh",
            Self::KilovoltAmpereHour => "kVAh",
            Self::AmpereHour => "Ah",
            Self::Kilowatt => "kW",
            Self::Kilovar => "kvar",
            Self::KilovoltAmpere => "kVA",
            Self::Volt => "V",
            Self::Ampere => "A",
            Self::Hertz => "Hz",
            Self::Percent => "%",
            Self::Degree => "deg",
            Self::DegreeCelsius => "degC",
            Self::Minute => "min",
            Self::Second => "s",
            Self::Millisecond => "ms",
            Self::ImpulsePerKilowattHour => "imp/kWh",
            Self::ImpulsePerKilovarHour => "imp/kvarh",
            Self::Yuan => "CNY",
            Self::YuanPerKilowattHour => "CNY/kWh",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}

/// What one field of a data item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Value<'a> {
    /// A number with its unit.
    Number(Decimal, Unit),
    /// A date or time.
    Time(Moment),
    /// A start date or time and the number of the table, rate or day type that begins with it.
    Scheduled(Moment, u8),
    /// Digits that are no quantity: numbers of meters, passwords.
    Digits(Digits<'a>),
    /// Text.
    Text(Text<'a>),
    /// Bits.
    Bits(Bits<'a>),
    /// A data identifier, as stored in programming records and display lists.
    Identifier(Identifier),
    /// Plain octets, least significant first: operator codes, and what no layout is known for.
    Octets(Data<'a>),
    /// All octets FFH: the meter has no such data.
    NoData,
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number, Unit::None) => number.fmt(f),
            Self::Number(number, unit) => write!(f, "{number} {unit}"),
            Self::Time(time) => time.fmt(f),
            Self::Scheduled(time, number) => write!(f, "{time} -> {number}"),
            Self::Digits(digits) => digits.fmt(f),
            Self::Text(text) => text.fmt(f),
            Self::Bits(bits) => bits.fmt(f),
            Self::Identifier(identifier) => identifier.fmt(f),
            Self::Octets(octets) => octets.fmt(f),
            Self::NoData => f.write_str("no data"),
        }
    }
}

/// A row of BCD digits, the lowest pair first on the wire. Display: high digit first.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Digits<'a>(pub(crate) Data<'a>);

impl<'a> Digits<'a> {
    /// The octets in the order of the wire.
    #[must_use]
    pub const fn data(&self) -> Data<'a> {
        self.0
    }
}

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Text, which is sent last character first with 00 before it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Text<'a>(pub(crate) Data<'a>);

impl<'a> Text<'a> {
    /// The octets in the order of the wire, last character first.
    #[must_use]
    pub const fn data(&self) -> Data<'a> {
        self.0
    }

    /// The octets in reading order, without 00 and FFH padding at either end.
    pub fn octets(&self) -> impl Iterator<Item = u8> + use<'a> {
        let padding = |octet: &u8| matches!(octet, 0 | 0xFF);
        let data = self.0;
        let front = data.iter().rev().take_while(padding).count();
        let back = data.iter().take_while(padding).count();
        let len = data.len().saturating_sub(front).saturating_sub(back);
        data.iter().rev().skip(front).take(len)
    }
}

/// Octets that are not printable ASCII show as U+FFFD: nothing is assumed about a vendor's code page.
impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.octets().try_for_each(|octet| {
            f.write_char(match octet {
                b' '..=b'~' => char::from(octet),
                _ => char::REPLACEMENT_CHARACTER,
            })
        })
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A bit string: bit 0 is bit 0 of the first octet.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Bits<'a>(pub(crate) Data<'a>);

impl<'a> Bits<'a> {
    /// The octets in the order of the wire.
    #[must_use]
    pub const fn data(&self) -> Data<'a> {
        self.0
    }

    /// Bit `n`; `None` beyond the end.
    #[must_use]
    pub fn bit(&self, n: u16) -> Option<bool> {
        self.0.octet(usize::from(n / 8)).map(|octet| octet >> (n % 8) & 1 != 0)
    }

    /// The first 64 bits as a number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.iter().take(8).rev().fold(0, |number, octet| number << 8 | u64::from(octet))
    }
}

/// Hexadecimal, highest octet first.
impl fmt::Display for Bits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for Bits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why data octets are not the value that the identifier's layout says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ValueError {
    /// The octet at `at` (from the first octet of this value) has a nibble above 9.
    NotBcd {
        /// Place in the value.
        at: u8,
        /// The plain octet, 33H taken off.
        octet: u8,
    },
    /// The format has an odd number of digits, and the highest half octet, which is none of them, is not 0: the meter
    /// sends more digits than the standard gives the identifier, and where its point stands is not known.
    HalfOctet {
        /// The plain last octet.
        octet: u8,
    },
    /// So many octets cannot be split as the layout says.
    Length {
        /// What the layout needs at this place, 0 where there is no one number.
        expected: u16,
        /// What there is.
        found: u16,
    },
}

impl ValueError {
    pub(crate) fn not_bcd(at: usize, octet: u8) -> Self {
        Self::NotBcd { at: u8::try_from(at).unwrap_or(u8::MAX), octet }
    }

    pub(crate) fn length(found: usize) -> Self {
        Self::Length { expected: 0, found: u16::try_from(found).unwrap_or(u16::MAX) }
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBcd { at, octet } => write!(f, "octet {at} is {octet:02X}, not BCD"),
            Self::HalfOctet { octet } => write!(f, "{octet:02X} has a digit too many for the format"),
            Self::Length { expected: 0, found } => write!(f, "{found} octets do not fit the layout"),
            Self::Length { expected, found } => write!(f, "{found} octets where {expected} are needed"),
        }
    }
}

impl core::error::Error for ValueError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn decimals_keep_their_digits() {
        assert_eq!(Decimal::new(26, -2).to_string(), "0.26");
        assert_eq!(Decimal::new(-15_000, -4).to_string(), "-1.5000");
        assert_eq!(Decimal::new(0, -2).to_string(), "0.00");
        assert_eq!(Decimal::new(12, 2).to_string(), "1200");
        assert_eq!(Decimal::new(5, -30).to_string(), "5e-30");
        assert_eq!(Decimal::new(150, -2).rescale(-1), Some(15));
        assert_eq!(Decimal::new(155, -2).rescale(-1), None);
        assert_eq!(Decimal::new(i64::MAX, 0).rescale(-1), None);
    }

    #[test]
    fn text_is_sent_backwards_with_padding_in_front() {
        let text = |octets: &'static [u8]| Text(Data::plain(octets)).to_string();
        assert_eq!(text(b"V0.022"), "220.0V");
        assert_eq!(text(b"\0\0A0.5"), "5.0A");
        assert_eq!(text(b"\0\0\0"), "");
        assert_eq!(text(b"B\x80A\0"), "A\u{FFFD}B");
    }

    #[test]
    fn bits_count_from_the_first_octet() {
        let bits = Bits(Data::plain(&[0x01, 0x80]));
        assert_eq!(
            (bits.bit(0), bits.bit(1), bits.bit(15), bits.bit(16)),
            (Some(true), Some(false), Some(true), None)
        );
        assert_eq!((bits.number(), bits.to_string().as_str()), (0x8001, "8001"));
    }
}
