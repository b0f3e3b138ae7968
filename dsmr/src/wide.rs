//! Eight octets at a time, for machines with registers that wide: what most lines and numbers look like. Everything else
//! is left to the plain way, which is also what the tests compare with.

use obis::{Decimal, Obis, Prefix, Scaled, Unit};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each octet that is not a decimal digit.
#[inline]
const fn not_digits(octets: u64) -> u64 {
    let value = octets ^ (ONES * 0x30);
    // No octet carries into the next one: 7F and 76 make F5.
    (((value & !HIGH).wrapping_add(ONES * 0x76)) | value) & HIGH
}

/// Which octet the lowest of some high bits is in; 8 for none.
#[inline]
const fn lowest(marks: u64) -> u32 {
    marks.trailing_zeros() / 8
}

/// `A-B:C.D.E(` with A and B of one digit, the others of one or two, and seven octets at most behind the colon up to the
/// parenthesis: the code, and the octets before the parenthesis. Only `99.99.99(` is longer, and it is rare.
#[inline]
pub(crate) fn code(octets: &[u8]) -> Option<(Obis, usize)> {
    let (front, rest) = octets.split_first_chunk::<4>()?;
    let groups = u64::from_le_bytes(*rest.first_chunk::<8>()?);
    let [a, dash, b, colon] = *front;
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    if dash != b'-' || colon != b':' || a > 9 || b > 9 {
        return None;
    }
    let marks = not_digits(groups);
    // The most frequent shapes first.
    let (c, d, e, len) = shape::<1, 1, 1>(groups, marks)
        .or_else(|| shape::<2, 1, 1>(groups, marks))
        .or_else(|| shape::<2, 2, 1>(groups, marks))
        .or_else(|| shape::<2, 1, 2>(groups, marks))
        .or_else(|| shape::<1, 1, 2>(groups, marks))
        .or_else(|| shape::<1, 2, 1>(groups, marks))?;
    Some((Obis::new(a, b, c, d, e, 255), len))
}

/// Three groups of so many digits, two points and a parenthesis, if they are.
#[inline]
fn shape<const C: u32, const D: u32, const E: u32>(groups: u64, marks: u64) -> Option<(u8, u8, u8, usize)> {
    let at = |octet: u64, place: u32| octet.wrapping_shl(place.wrapping_mul(8));
    let (one, two, three) =
        (C, C.wrapping_add(D).wrapping_add(1), C.wrapping_add(D).wrapping_add(E).wrapping_add(2));
    let all = !0u64 >> 56u32.wrapping_sub(three.wrapping_mul(8));
    let places = at(0xFF, one) | at(0xFF, two) | at(0xFF, three);
    let points = at(0x2E, one) | at(0x2E, two) | at(0x28, three);
    if groups & places != points || marks & all != places & HIGH {
        return None;
    }
    let group = |from: u32, digits: u32| {
        let [first, second, ..] = groups.wrapping_shr(from.wrapping_mul(8)).to_le_bytes();
        let (first, second) = (first & 0x0F, second & 0x0F);
        if digits == 2 { first.wrapping_mul(10).wrapping_add(second) } else { first }
    };
    Some((
        group(0, C),
        group(one.wrapping_add(1), D),
        group(two.wrapping_add(1), E),
        (three as usize).wrapping_add(4),
    ))
}

/// Digits, perhaps a point and digits, at most eight on each side, in the first 24 octets of `octets`: the number without
/// its point, the digits behind the point, and the octets all that takes. `None`: no digit, or more of them, or fewer
/// octets.
#[inline]
pub(crate) fn number(octets: &[u8]) -> Option<(u64, u8, usize)> {
    let octets = octets.first_chunk::<24>()?;
    let front = u64::from_le_bytes(*octets.first_chunk()?);
    let whole = lowest(not_digits(front));
    let at = whole as usize;
    let integer = digits(front, whole);
    let mark = *octets.get(at)?;
    if mark != b'.' {
        // A ninth digit is not for here.
        return (whole != 0 && !mark.is_ascii_digit()).then_some((integer, 0, at));
    }
    let from = at.wrapping_add(1);
    let back = u64::from_le_bytes(*octets.get(from..)?.first_chunk()?);
    let decimals = lowest(not_digits(back));
    let scale = match decimals {
        3 => 1_000,
        2 => 100,
        1 => 10,
        0 => 1,
        4 => 10_000,
        5 => 100_000,
        6 => 1_000_000,
        7 => 10_000_000,
        _ => return None,
    };
    if whole == 0 {
        return None;
    }
    let value = integer.wrapping_mul(scale).wrapping_add(digits(back, decimals));
    let [short, ..] = decimals.to_le_bytes();
    Some((value, short, from.wrapping_add(decimals as usize)))
}

/// A number with one of the units that most lines have, in the first `len` octets of `text`.
#[inline]
pub(crate) fn scaled(text: &[u8], len: usize) -> Option<Scaled> {
    let (mantissa, decimals, at) = number(text)?;
    let width = len.checked_sub(at).filter(|width| *width < 8)?;
    let behind = u64::from_le_bytes(*text.get(at..)?.first_chunk()?);
    let [shift, ..] = width.wrapping_mul(8).to_le_bytes();
    let (prefix, unit) = match behind & !(!0u64).wrapping_shl(shift.into()) {
        0 => (Prefix::None, Unit::NONE),
        KILOWATT_HOUR => (Prefix::Kilo, Unit::WATT_HOUR),
        KILOWATT => (Prefix::Kilo, Unit::WATT),
        VOLT => (Prefix::None, Unit::VOLT),
        AMPERE => (Prefix::None, Unit::AMPERE),
        SECOND => (Prefix::None, Unit::SECOND),
        CUBIC_METRE => (Prefix::None, Unit::CUBIC_METRE),
        KILOVAR | KILOVAR_UPPER => (Prefix::Kilo, Unit::VAR),
        KILOVAR_HOUR | KILOVAR_HOUR_UPPER => (Prefix::Kilo, Unit::VAR_HOUR),
        _ => return None,
    };
    let mantissa = i64::try_from(mantissa).ok()?;
    Some(Scaled { value: Decimal::new(mantissa, 0i8.wrapping_sub_unsigned(decimals)), prefix, unit })
}

const KILOWATT_HOUR: u64 = u64::from_le_bytes(*b"*kWh\0\0\0\0");
const KILOWATT: u64 = u64::from_le_bytes(*b"*kW\0\0\0\0\0");
const VOLT: u64 = u64::from_le_bytes(*b"*V\0\0\0\0\0\0");
const AMPERE: u64 = u64::from_le_bytes(*b"*A\0\0\0\0\0\0");
const SECOND: u64 = u64::from_le_bytes(*b"*s\0\0\0\0\0\0");
const CUBIC_METRE: u64 = u64::from_le_bytes(*b"*m3\0\0\0\0\0");
const KILOVAR: u64 = u64::from_le_bytes(*b"*kvar\0\0\0");
const KILOVAR_UPPER: u64 = u64::from_le_bytes(*b"*kVAr\0\0\0");
const KILOVAR_HOUR: u64 = u64::from_le_bytes(*b"*kvarh\0\0");
const KILOVAR_HOUR_UPPER: u64 = u64::from_le_bytes(*b"*kVArh\0\0");

/// The number that the first `count` of eight octets write down; they are digits.
#[inline]
const fn digits(octets: u64, count: u32) -> u64 {
    // Leading zeros in front, then pairs, fours and eight digits at once. A shift by 64 is two of 32.
    let half = 32u32.wrapping_sub(count.wrapping_mul(4));
    let octets = (octets & (ONES * 0x0F)).wrapping_shl(half).wrapping_shl(half);
    let pairs = octets.wrapping_mul(10).wrapping_add(octets >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF
}

/// The octets before the first parenthesis or control character, if that is a closing parenthesis.
#[inline]
pub(crate) fn value_end(octets: &[u8]) -> Option<usize> {
    let (blocks, rest) = octets.as_chunks::<8>();
    let mut at = 0usize;
    for block in blocks {
        let wide = u64::from_le_bytes(*block);
        // 28 and 29, and what is below 20. The lowest is right; only higher ones can be found wrongly.
        let parenthesis = (wide & (ONES * 0xFE)) ^ (ONES * 0x28);
        let found = ((parenthesis.wrapping_sub(ONES) & !parenthesis)
            | (wide.wrapping_sub(ONES * 0x20) & !wide))
            & HIGH;
        if found != 0 {
            let at = at.wrapping_add(lowest(found) as usize);
            return (octets.get(at) == Some(&b')')).then_some(at);
        }
        at = at.wrapping_add(8);
    }
    at = at.wrapping_add(rest.iter().position(|octet| matches!(octet, b'(' | b')' | 0..0x20))?);
    (octets.get(at) == Some(&b')')).then_some(at)
}

/// Where the first `/` or `!` stands; `None` if there is none.
#[inline]
pub(crate) fn find_mark(octets: &[u8]) -> Option<usize> {
    let is_mark = |octet: &u8| (*octet == b'/') | (*octet == b'!');
    let mut at = 0usize;
    let (blocks, _) = octets.as_chunks::<32>();
    for block in blocks {
        // Arithmetic without an early exit: the compiler makes a few wide comparisons of it.
        if block.iter().map(|octet| u8::from(is_mark(octet))).fold(0, |any, mark| any | mark) != 0 {
            break;
        }
        at = at.wrapping_add(32);
    }
    octets.get(at..)?.iter().position(is_mark).map(|more| at.wrapping_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataLine, Value};
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    proptest! {
        #[test]
        fn numbers_are_those_of_the_plain_way(whole in "[0-9]{0,10}", decimals in "(\\.[0-9]{0,9})?", unit in "(\\*?([a-zA-Z3]{0,4}|kWh|kW|V|A|s|m3|kVAr|kvarh))?") {
            let text = whole + &decimals + &unit;
            let tail = text.clone() + ")\r\n1-0:2.8.0(00000000.000*kWh)\r\n";
            // Alone there is no room for wide steps.
            let plain = Value::new(text.as_bytes()).decimal();
            prop_assert_eq!(Value::within(tail.as_bytes(), text.len()).decimal(), plain);
            let (alone, within) = (Value::new(text.as_bytes()), Value::within(tail.as_bytes(), text.len()));
            prop_assert_eq!(within.scaled(), alone.scaled());
            prop_assert_eq!(within.content(), alone.content());
        }

        #[test]
        fn codes_are_those_of_the_plain_way(
            line in "[0-9]{1,2}-[0-9]{1,2}:[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}[(*.]?.{0,9}",
            at in 0usize..14,
            octet: u8,
            damage: bool,
        ) {
            let mut line = line.into_bytes();
            if damage && at < line.len() {
                line[at] = octet;
            }
            if let Some((found, len)) = code(&line) {
                let (front, rest) = line.split_at(len);
                prop_assert_eq!(rest.first(), Some(&b'('));
                prop_assert_eq!(Ok(found), Obis::parse(front));
                prop_assert_eq!(DataLine::parse(&line).code(), Some(found));
            }
        }

        #[test]
        fn searches_find_the_first(octets in prop::collection::vec(prop::sample::select(b"()/!1\xA9\xAF\x28\x2A".to_vec()), 0..80), zeros in 0usize..70) {
            let mut all = vec![b'0'; zeros];
            all.extend(octets);
            let end = all.iter().position(|octet| matches!(octet, b'(' | b')' | 0..0x20));
            prop_assert_eq!(value_end(&all), end.filter(|end| all[*end] == b')'));
            prop_assert_eq!(find_mark(&all), all.iter().position(|octet| matches!(octet, b'/' | b'!')));
        }
    }
}
