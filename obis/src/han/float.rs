//! Floats as text, without float arithmetic: the shortest decimal that lies nearer to the float than to its neighbours.

use core::fmt;

use crate::Decimal;

/// The text of an IEEE 754 single.
pub(super) fn single(f: &mut fmt::Formatter<'_>, bits: u32) -> fmt::Result {
    let exponent = i32::from(u16::try_from((bits >> 23) & 0xFF).unwrap_or(0));
    text(f, bits >> 31 != 0, exponent, 0xFF, u64::from(bits & 0x7F_FFFF), 23)
}

/// The text of an IEEE 754 double.
pub(super) fn double(f: &mut fmt::Formatter<'_>, bits: u64) -> fmt::Result {
    let exponent = i32::from(u16::try_from((bits >> 52) & 0x7FF).unwrap_or(0));
    text(f, bits >> 63 != 0, exponent, 0x7FF, bits & 0xF_FFFF_FFFF_FFFF, 52)
}

fn text(
    f: &mut fmt::Formatter<'_>,
    is_negative: bool,
    exponent: i32,
    no_number: i32,
    fraction: u64,
    fraction_bits: i32,
) -> fmt::Result {
    if exponent == no_number {
        return f.write_str(match (fraction, is_negative) {
            (0, false) => "inf",
            (0, true) => "-inf",
            _ => "NaN",
        });
    }
    let mantissa = if exponent == 0 { fraction } else { fraction | (1 << fraction_bits) };
    // The biases are 127 and 1023: half of the highest exponent.
    let bias = no_number.div_euclid(2).saturating_add(fraction_bits);
    let power = exponent.max(1).saturating_sub(bias);
    // Below a power of two, the next float is only half as far away.
    let is_edge = fraction == 0 && exponent > 1;
    let (digits, exponent) = shortest(mantissa, power, is_edge).ok_or(fmt::Error)?;
    let digits = if is_negative { digits.saturating_neg() } else { digits };
    match i8::try_from(exponent) {
        Ok(exponent @ -40..=20) => fmt::Display::fmt(&Decimal::new(digits, exponent), f),
        // Too many zeros to read.
        _ => write!(f, "{digits}e{exponent}"),
    }
}

/// Digits and power of ten of `mantissa` times 2 to the `power`.
fn shortest(mantissa: u64, mut power: i32, is_edge: bool) -> Option<(i64, i32)> {
    if mantissa == 0 {
        return Some((0, 0));
    }
    // In quarters: the value, and halfway to its neighbours.
    let mut value = u128::from(mantissa).checked_mul(4)?;
    let mut low = value.checked_sub(if is_edge { 1 } else { 2 })?;
    let mut high = value.checked_add(2)?;
    power = power.checked_sub(2)?;
    let mut exponent: i32 = 0;
    while power != 0 {
        // What the division drops is far below the distance between floats.
        if high >> 124 != 0 {
            (value, low, high) = (value.div_euclid(10), low.div_euclid(10), high.div_euclid(10));
            exponent = exponent.checked_add(1)?;
        }
        let factor = if power > 0 {
            power = power.checked_sub(1)?;
            2
        } else {
            // A half is five tenths.
            power = power.checked_add(1)?;
            exponent = exponent.checked_sub(1)?;
            5
        };
        value = value.checked_mul(factor)?;
        low = low.checked_mul(factor)?;
        high = high.checked_mul(factor)?;
    }
    let (mut digits, mut unit) = (value, 1u128);
    while let Some(ten) = unit.checked_mul(10) {
        let Some(half_up) = value.checked_add(ten.div_euclid(2)) else { break };
        let rounded = half_up.div_euclid(ten);
        let shown = rounded.checked_mul(ten)?;
        if shown <= low || shown >= high {
            break;
        }
        (digits, unit) = (rounded, ten);
        exponent = exponent.checked_add(1)?;
    }
    Some((i64::try_from(digits).ok()?, exponent))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::std_instead_of_alloc, reason = "test code")]
    extern crate std;
    use std::string::{String, ToString};

    use proptest::prelude::*;

    use crate::data;
    use crate::han::Value;

    fn single(value: f32) -> String {
        Value::Other(data::Value::Float32(value.to_bits())).to_string()
    }

    fn double(value: f64) -> String {
        Value::Other(data::Value::Float64(value.to_bits())).to_string()
    }

    #[test]
    fn floats_are_shown_in_the_fewest_digits() {
        for (value, shown) in [
            (0.0, "0"),
            (-0.0, "0"),
            (230.1, "230.1"),
            (-0.063, "-0.063"),
            (12_345_678.0, "12345678"),
            (1_000.0, "1000"),
            (f32::INFINITY, "inf"),
            (f32::NEG_INFINITY, "-inf"),
            (f32::NAN, "NaN"),
        ] {
            assert_eq!(single(value), shown);
        }
        assert_eq!(double(230.1), "230.1");
        assert_eq!(double(0.1 + 0.2), "0.30000000000000004");
        assert_eq!(double(1e300), "1e300");
        assert_eq!(double(-5e-324), "-5e-324");
        assert_eq!(double(f64::MAX), "17976931348623157e292");
        assert_eq!(single(1e20), "100000000000000000000");
    }

    proptest! {
        #[test]
        fn the_text_gives_the_float_again(bits: u32, wide: u64) {
            let (value, wide) = (f32::from_bits(bits), f64::from_bits(wide));
            if value.is_finite() {
                prop_assert_eq!(single(value).parse::<f32>().unwrap(), value);
            }
            if wide.is_finite() {
                prop_assert_eq!(double(wide).parse::<f64>().unwrap(), wide);
            }
        }
    }
}
