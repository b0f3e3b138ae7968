//! One parenthesised value of a data line: borrowed text, read as a number, a time, a code or a text on demand.

use crate::text::Text;
use crate::timestamp::Timestamp;
use crate::wide::Known;
use obis::{Decimal, Obis, Prefix, Scaled, Unit};

/// What stands between two parentheses.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    octets: &'a [u8],
    /// What it is, if that was seen when its end was looked for.
    known: Known,
    /// Its parenthesis is missing: no number and no time can be had of it, as nobody knows what else is missing.
    unclosed: bool,
}

/// Numbers stay below this.
const LARGEST: u64 = 1_000_000_000_000_000_000;

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.octets == other.octets
    }
}

impl Eq for Value<'_> {}

/// What a value looks like by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content<'a> {
    /// `()`.
    Empty,
    /// A number, with a unit or without.
    Number(Scaled),
    /// A point in time that cannot be a number.
    Time(Timestamp),
    /// The code of another object, as in failure logs.
    Code(Obis),
    /// Anything else. [`Value::decimal`] may still find a number in it, with a unit that is not known.
    Text(Text<'a>),
}

impl<'a> Value<'a> {
    /// A value from its text, without the parentheses.
    #[must_use]
    #[inline]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets, known: Known::NOTHING, unclosed: false }
    }

    /// A value that goes to the end of its line for want of a parenthesis.
    pub(crate) const fn unclosed(octets: &'a [u8]) -> Self {
        Self { octets, known: Known::NOTHING, unclosed: true }
    }

    /// A value of which it may be known what it is.
    #[inline]
    pub(crate) const fn known(octets: &'a [u8], known: Known) -> Self {
        Self { octets, known, unclosed: false }
    }

    /// The octets as sent.
    #[must_use]
    pub const fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// Whether it is `()`, or only spaces.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.octets.trim_ascii().is_empty()
    }

    /// The number at the front, exact and with as many decimals as sent, and the text of its unit without `*` and
    /// spaces around. `None`: there is no number, or it has more digits than 18, leading zeros aside.
    #[must_use]
    pub fn decimal(self) -> Option<(Decimal, &'a [u8])> {
        if self.unclosed {
            return None;
        }
        let (negative, rest) = match self.octets.trim_ascii_start() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        self.decimal_by_octets(negative, rest)
    }

    /// The same, an octet at a time.
    fn decimal_by_octets(self, negative: bool, mut rest: &'a [u8]) -> Option<(Decimal, &'a [u8])> {
        let mut mantissa = 0u64;
        let (mut exponent, mut point, mut any) = (0i8, 0i8, false);
        while let [octet, tail @ ..] = rest {
            let digit = octet.wrapping_sub(b'0');
            if digit < 10 {
                // Below this bound one more digit fits in every case; leading zeros cost nothing.
                if mantissa >= LARGEST / 10 {
                    return None;
                }
                mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into());
                exponent = exponent.checked_sub(point)?;
                any = true;
            } else if *octet == b'.' && point == 0 {
                point = 1;
            } else {
                break;
            }
            rest = tail;
        }
        if !any {
            return None;
        }
        let mantissa = i64::try_from(mantissa).ok()?;
        let mantissa = if negative { mantissa.wrapping_neg() } else { mantissa };
        Some((Decimal::new(mantissa, exponent), unit_text(rest)))
    }

    /// The number with its unit. Without a unit that is [`Unit::NONE`]; `None` where there is one that is not known.
    ///
    /// The unit may lack its `*`, have spaces around it and be of either case, and it is compared, never assumed:
    /// `kW` is not `W`, and `mw` is neither mega nor milli.
    #[must_use]
    #[inline]
    pub fn scaled(self) -> Option<Scaled> {
        match self.known.number() {
            Some(number) => Some(number),
            None => self.scaled_by_octets(),
        }
    }

    fn scaled_by_octets(self) -> Option<Scaled> {
        // A unit may lack its `*`, so the letter of a timestamp would pass for watt.
        if is_dated(self.octets.trim_ascii()) {
            return None;
        }
        let (value, text) = self.decimal()?;
        let (prefix, unit) = unit(text)?;
        Some(Scaled { value, prefix, unit })
    }

    /// The value as a point in time, numbers of 10, 12 and 14 digits included.
    #[must_use]
    pub fn timestamp(self) -> Option<Timestamp> {
        if let Some(time) = self.known.time() {
            return Some(time);
        }
        if self.unclosed {
            return None;
        }
        Timestamp::parse(self.octets.trim_ascii())
    }

    /// The value as the code of an object.
    #[must_use]
    pub fn code(self) -> Option<Obis> {
        if self.unclosed || !self.octets.contains(&b':') {
            return None;
        }
        Obis::parse(self.octets).ok()
    }

    /// The value as text, in hexadecimal digits or not.
    #[must_use]
    pub const fn text(self) -> Text<'a> {
        Text::new(self.octets)
    }

    /// A unit that stands alone, as in the gas line of DSMR 2.2 and 3.0.
    #[must_use]
    pub fn lone_unit(self) -> Option<(Prefix, Unit)> {
        if !self.octets.first()?.is_ascii_alphabetic() {
            return None;
        }
        unit(self.octets)
    }

    /// What the value looks like by itself. The object may know better: `0-0:96.1.1(09610)` is a text.
    #[must_use]
    #[inline]
    pub fn content(self) -> Content<'a> {
        self.known.content(self.octets, self.unclosed)
    }

    pub(crate) fn content_by_octets(self) -> Content<'a> {
        let text = self.octets.trim_ascii();
        if text.is_empty() {
            return Content::Empty;
        }
        if self.unclosed {
            return Content::Text(self.text());
        }
        // Only times that cannot be numbers: with a letter behind them or something between the digits.
        let time = if text.iter().all(u8::is_ascii_digit) { None } else { Timestamp::parse(text) };
        if let Some(time) = time {
            Content::Time(time)
        } else if let Some(number) = self.scaled_by_octets() {
            Content::Number(number)
        } else if let Some(code) = self.code() {
            Content::Code(code)
        } else {
            Content::Text(self.text())
        }
    }
}

impl core::fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "({})", self.octets.escape_ascii())
    }
}

#[inline]
fn unit_text(rest: &[u8]) -> &[u8] {
    let rest = match rest {
        [b' ', ..] => rest.trim_ascii_start(),
        rest => rest,
    };
    match rest {
        [b'*', unit @ ..] | unit => match unit {
            [b' ', ..] | [.., b' '] => unit.trim_ascii(),
            unit => unit,
        },
    }
}

/// Ten digits or more and a bare `W` or `S`: a time, of whatever length, and no power.
fn is_dated(text: &[u8]) -> bool {
    match text {
        [digits @ .., b'W' | b'w' | b'S' | b's'] => {
            digits.len() >= 10 && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

/// The unit that the text spells.
#[inline]
fn unit(text: &[u8]) -> Option<(Prefix, Unit)> {
    Some(match text {
        [] => (Prefix::None, Unit::NONE),
        b"kWh" => (Prefix::Kilo, Unit::WATT_HOUR),
        b"kW" => (Prefix::Kilo, Unit::WATT),
        b"V" => (Prefix::None, Unit::VOLT),
        b"A" => (Prefix::None, Unit::AMPERE),
        b"s" => (Prefix::None, Unit::SECOND),
        b"m3" => (Prefix::None, Unit::CUBIC_METRE),
        b"kVAr" | b"kvar" => (Prefix::Kilo, Unit::VAR),
        b"kVArh" | b"kvarh" => (Prefix::Kilo, Unit::VAR_HOUR),
        // In small letters alone the prefix may be milli or mega.
        [b'm', rest @ ..] if rest.iter().all(u8::is_ascii_lowercase) => match Unit::parse(text)? {
            (Prefix::Milli, _) => return None,
            unit => unit,
        },
        _ => return Unit::parse(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    fn scaled(text: &str) -> Option<String> {
        Value::new(text.as_bytes()).scaled().map(|value| value.to_string())
    }

    #[test]
    fn units_are_compared_and_scales_kept() {
        for (text, expected) in [
            ("001581.123*kWh", "1581.123 kWh"),
            ("000000621*W", "621 W"),
            ("003.94*A", "3.94 A"),
            ("-063*A", "-63 A"),
            ("00012.384m3", "12.384 m3"),
            ("00003668.743*kWh ", "3668.743 kWh"),
            ("0.999", "0.999"),
            ("01.193*kw", "1.193 kW"),
            ("  12.5*kWh", "12.5 kWh"),
            ("12.5 *kWh", "12.5 kWh"),
            (" -12.5 * kWh ", "-12.5 kWh"),
            ("  12.5", "12.5"),
            ("123456789W", "123456789 W"),
            ("1234567890*W", "1234567890 W"),
            ("00012.5*mA", "12.5 mA"),
            ("00012.5*gj", "12.5 GJ"),
            ("00.001*MW", "0.001 MW"),
            ("0000.242*kV", "0.242 kV"),
            ("0000.049*kHz", "0.049 kHz"),
            ("0000.000*kVAr", "0.000 kvar"),
            ("12785.333*GJ", "12785.333 GJ"),
            ("00066982.7369255*kWh", "66982.7369255 kWh"),
            ("2147583646*s", "2147583646 s"),
            ("000000000000000000000000012345.678*m3", "12345.678 m3"),
            ("-00000000000000000000000000012345.678*m3", "-12345.678 m3"),
        ] {
            assert_eq!(scaled(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "161113205757W",
            "161113205757S",
            " 161113205757W ",
            "1611132057W",
            "20161113205757S",
            "12.5*mw",
            "12.5*mj",
            "12.5*mwh",
            "",
            "kWh",
            "12*furlong",
            "1.2.3*kW",
            "12345678901234567890*Wh",
            "--1*A",
            "*kWh",
            ".",
            "ON",
            "k0.000*kW",
        ] {
            assert_eq!(scaled(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_unit_leaves_the_number() {
        let value = Value::new(b"00012.50*furlong ");
        let (number, unit) = value.decimal().unwrap_or((Decimal::ZERO, b""));
        assert_eq!((number.to_string().as_str(), unit), ("12.50", b"furlong".as_slice()));
    }

    #[test]
    fn content_by_shape() {
        let content = |text: &'static str| Value::new(text.as_bytes()).content();
        assert_eq!(content(""), Content::Empty);
        assert_eq!(content("0-0:96.7.19"), Content::Code(Obis::new(0, 0, 96, 7, 19, 255)));
        assert!(matches!(content("632525252525S"), Content::Time(time) if !time.is_valid()));
        assert!(matches!(content("20240111 09:35:00"), Content::Time(_)));
        assert!(matches!(content("TARIFF 1"), Content::Text(_)));
        assert!(matches!(content("0002"), Content::Number(_)));
    }
}
