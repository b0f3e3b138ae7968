//! Serialize and Deserialize of the vocabulary (feature `serde`).
//!
//! | type | human-readable formats | others |
//! |---|---|---|
//! | `Obis` | its full text | six octets |
//! | `Decimal` | its text, as a string: a JSON number would lose digits on the way through a float | mantissa, exponent |
//! | `Unit` | its code | its code |
//! | `Prefix` | its letter | its letter |
//! | `Scaled` | `{value, prefix, unit}` | the same |
//!
//! A `Decimal` is also read from an integer. Text has no digits left of the unit's place, so a positive exponent comes
//! back as zeros: the number is the same, its digits are more.

use core::fmt;

use ::serde::de::{self, SeqAccess, Visitor};
use ::serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Decimal, Obis, Prefix, Unit};

impl Serialize for Obis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.text().as_str())
        } else {
            self.octets().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Obis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(ObisText)
        } else {
            <[u8; 6]>::deserialize(deserializer).map(Self::from_octets)
        }
    }
}

struct ObisText;

impl Visitor<'_> for ObisText {
    type Value = Obis;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an obis code")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Obis, E> {
        Obis::parse(text.as_bytes()).map_err(E::custom)
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(self.text().as_str())
        } else {
            (self.mantissa, self.exponent).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(DecimalText)
        } else {
            <(i64, i8)>::deserialize(deserializer).map(|(mantissa, exponent)| Self::new(mantissa, exponent))
        }
    }
}

struct DecimalText;

impl<'de> Visitor<'de> for DecimalText {
    type Value = Decimal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a decimal number as text, or an integer")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
        Decimal::parse(text.as_bytes()).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
        Ok(Decimal::new(number, 0))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
        i64::try_from(number).map(|number| Decimal::new(number, 0)).map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Decimal, A::Error> {
        match (parts.next_element()?, parts.next_element()?) {
            (Some(mantissa), Some(exponent)) => Ok(Decimal::new(mantissa, exponent)),
            _ => Err(de::Error::invalid_length(2, &self)),
        }
    }
}

impl Serialize for Unit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

impl<'de> Deserialize<'de> for Unit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(Self::new)
    }
}

impl Serialize for Prefix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.symbol())
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Letter)
    }
}

struct Letter;

impl Visitor<'_> for Letter {
    type Value = Prefix;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("k, M, G, m or nothing")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Prefix, E> {
        Ok(match text {
            "" => Prefix::None,
            "k" => Prefix::Kilo,
            "M" => Prefix::Mega,
            "G" => Prefix::Giga,
            "m" => Prefix::Milli,
            _ => return Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        })
    }
}

#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, reason = "test code")]
mod tests {
    extern crate std;
    use super::*;
    use ::serde::de::IntoDeserializer;
    use ::serde::de::value::{Error, I64Deserializer, StrDeserializer, U8Deserializer};
    use std::string::ToString;

    /// A formatter is a serializer of plain values.
    struct Shown<T>(T);

    impl<T: Serialize> fmt::Display for Shown<T> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.serialize(f)
        }
    }

    fn text<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Error> {
        T::deserialize(StrDeserializer::new(text))
    }

    #[test]
    fn values_are_text_where_people_read_them() {
        let code = crate::obis!("1-0:1.8.0");
        assert_eq!(Shown(code).to_string(), "1-0:1.8.0*255");
        assert_eq!(text("1-0:1.8.0*255"), Ok(code));
        assert!(text::<Obis>("1-0:1.8.256").is_err());
        let number = Decimal::new(-23920, -2);
        assert_eq!(Shown(number).to_string(), "-239.20");
        assert_eq!(text("-239.20"), Ok(number));
        assert!(text::<Decimal>("1e3").is_err());
        let integer: I64Deserializer<Error> = 42i64.into_deserializer();
        assert_eq!(Decimal::deserialize(integer), Ok(Decimal::new(42, 0)));
        assert_eq!(Shown(Unit::WATT_HOUR).to_string(), "30");
        let unit: U8Deserializer<Error> = 30u8.into_deserializer();
        assert_eq!(Unit::deserialize(unit), Ok(Unit::WATT_HOUR));
        for prefix in [Prefix::None, Prefix::Kilo, Prefix::Mega, Prefix::Giga, Prefix::Milli] {
            assert_eq!(text(prefix.symbol()), Ok(prefix));
            assert_eq!(Shown(prefix).to_string(), prefix.symbol());
        }
        assert!(text::<Prefix>("T").is_err());
    }
}
