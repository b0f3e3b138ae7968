//! Eight octets at a time, for machines with registers that wide: what most lines and numbers look like. Everything else
//! is left to the plain way, which is also what the tests compare with.

use crate::text::Text;
use crate::timestamp::{Season, Timestamp};
use crate::value::{Content, Value};
use obis::{Decimal, Obis, Prefix, Scaled, Unit};

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Which octet the lowest of some high bits is in; 8 for none.
#[inline]
const fn lowest(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// What a value proved to be while its end was looked for, in two registers: it is handed through all iterators, and an
/// enum of many shapes would go through memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    /// A mantissa, the fields of a time, the groups of a code.
    payload: u64,
    /// From the lowest octet: which of them, the exponent, the prefix, the unit; in the upper half how long the value is.
    shape: u64,
}

/// Its end was found, and nothing was seen of it.
const UNKNOWN: u8 = 1;
const EMPTY: u8 = 2;
const NUMBER: u8 = 3;
const TIME: u8 = 4;
const CODE: u8 = 5;
const TEXT: u8 = 6;
/// A number with a prefix that is rare.
const PREFIXED: u8 = 7;

impl Known {
    /// Nobody has looked.
    pub(crate) const NOTHING: Self = Self { payload: 0, shape: 0 };

    #[inline(always)]
    const fn new(kind: u8, payload: u64, len: usize) -> Self {
        Self { payload, shape: kind as u64 | (len as u64) << 32 }
    }

    #[inline(always)]
    const fn kind(self) -> u8 {
        let [kind, ..] = self.shape.to_le_bytes();
        kind
    }

    #[inline(always)]
    pub(crate) const fn is_nothing(self) -> bool {
        self.shape == 0
    }

    /// Octets of the value without its parentheses.
    #[inline(always)]
    pub(crate) const fn len(self) -> usize {
        (self.shape >> 32) as usize
    }

    #[inline(always)]
    pub(crate) fn number(self) -> Option<Scaled> {
        let [kind, exponent, prefix, unit, ..] = self.shape.to_le_bytes();
        let value = Decimal::new(self.payload.cast_signed(), exponent.cast_signed());
        let prefix = if prefix == KILO { Prefix::Kilo } else { Prefix::None };
        (kind == NUMBER).then_some(Scaled { value, prefix, unit: Unit::new(unit) })
    }

    #[inline(always)]
    pub(crate) fn time(self) -> Option<Timestamp> {
        let [year, minute, month, second, day, letter, hour, _] = self.payload.to_le_bytes();
        let season = match letter {
            0 => Season::Unknown,
            b'S' => Season::Summer,
            b'W' => Season::Winter,
            other => Season::Other(other),
        };
        (self.kind() == TIME).then_some(Timestamp { year, month, day, hour, minute, second, season })
    }

    /// What was seen of the value of these octets, or is seen now.
    #[inline(always)]
    pub(crate) fn content(self, octets: &[u8], unclosed: bool) -> Content<'_> {
        let known = if self.kind() > UNKNOWN { self } else { Self::look(octets, unclosed) };
        if let Some(number) = known.number() {
            return Content::Number(number);
        }
        if let Some(time) = known.time() {
            return Content::Time(time);
        }
        let [a, b, c, d, e, f, ..] = known.payload.to_le_bytes();
        let [_, exponent, prefix, unit, ..] = known.shape.to_le_bytes();
        match known.kind() {
            PREFIXED => {
                let prefix = match prefix {
                    MEGA => Prefix::Mega,
                    GIGA => Prefix::Giga,
                    _ => Prefix::Milli,
                };
                let value = Decimal::new(known.payload.cast_signed(), exponent.cast_signed());
                Content::Number(Scaled { value, prefix, unit: Unit::new(unit) })
            }
            EMPTY => Content::Empty,
            CODE => Content::Code(Obis::new(a, b, c, d, e, f)),
            _ => Content::Text(Text::new(octets)),
        }
    }

    #[inline(never)]
    fn look(octets: &[u8], unclosed: bool) -> Self {
        let value = if unclosed { Value::unclosed(octets) } else { Value::new(octets) };
        match value.content_by_octets() {
            Content::Empty => Self::new(EMPTY, 0, 0),
            Content::Number(Scaled { value: Decimal { mantissa, exponent }, prefix, unit }) => {
                let (kind, prefix) = match prefix {
                    Prefix::None => (NUMBER, 0),
                    Prefix::Kilo => (NUMBER, KILO),
                    Prefix::Mega => (PREFIXED, MEGA),
                    Prefix::Giga => (PREFIXED, GIGA),
                    Prefix::Milli => (PREFIXED, MILLI),
                };
                let shape = u32::from_le_bytes([kind, exponent.cast_unsigned(), prefix, unit.code()]);
                Self { payload: mantissa.cast_unsigned(), shape: shape.into() }
            }
            Content::Time(Timestamp { year, month, day, hour, minute, second, season }) => {
                let letter = match season {
                    Season::Unknown => 0,
                    Season::Summer => b'S',
                    Season::Winter => b'W',
                    Season::Other(letter) => letter,
                };
                let fields = [year, minute, month, second, day, letter, hour, 0];
                Self::new(TIME, u64::from_le_bytes(fields), 0)
            }
            Content::Code(code) => Self::new(CODE, groups(code), 0),
            Content::Text(_) => Self::new(TEXT, 0, 0),
        }
    }
}

const KILO: u8 = 1;
const MEGA: u8 = 2;
const GIGA: u8 = 3;
const MILLI: u8 = 4;

#[inline]
const fn groups(code: Obis) -> u64 {
    let [a, b, c, d, e, f] = code.octets();
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

/// A line of which everything frequent is seen at once.
const WINDOW: usize = 40;

/// A plain line.
pub(crate) struct Line {
    pub(crate) code: Obis,
    /// Octets before the first parenthesis.
    pub(crate) at: usize,
    /// The first value, which holds no parenthesis and no control character.
    pub(crate) first: Known,
}

/// The line at the front of `octets`, if it is plain, ends with CR LF, and is not continued; its octets, and what stands
/// behind its line end.
#[inline(always)]
pub(crate) fn frequent_line(octets: &[u8]) -> Option<(Line, usize, &[u8])> {
    let window = octets.first_chunk()?;
    let (code, at) = code::<b'('>(window, 0)?;
    let mut first = frequent_value(window, at.wrapping_add(1));
    if first.is_nothing() {
        first = other_value(octets, at.wrapping_add(1));
    }
    let end = at.wrapping_add(1).wrapping_add(first.len());
    let behind = octets.get(end..)?;
    let mark = u32::from_le_bytes(*behind.first_chunk()?);
    // A digit is no more than likely there, but neither what continues the line nor another line end.
    if mark << 8 == LINE_END && mark >> 28 == 3 {
        return Some((Line { code, at, first }, end.wrapping_add(1), behind.get(3..)?));
    }
    let len = end_of_line(octets, end)?;
    Some((Line { code, at, first }, len, octets.get(len.wrapping_add(2)..)?))
}

const LINE_END: u32 = u32::from_le_bytes(*b"\0)\r\n");

/// Octets of the line at the front, of which all before the parenthesis at `end` are known, if other values follow, and
/// then CR LF and what neither continues the line nor is another line end.
#[inline(never)]
fn end_of_line(octets: &[u8], end: usize) -> Option<usize> {
    let behind = octets.get(end..)?;
    if !matches!(behind, [b')', b'(', ..]) {
        return None;
    }
    let (blocks, _) = behind.as_chunks::<8>();
    let mut at = 0usize;
    for block in blocks {
        let wide = u64::from_le_bytes(*block);
        // What is below 20. The lowest is right; only higher ones can be found wrongly.
        let found = wide.wrapping_sub(ONES * 0x20) & !wide & HIGH;
        if found != 0 {
            at = at.wrapping_add(lowest(found));
            return match behind.get(at.wrapping_sub(1)..)? {
                [b')', b'\r', b'\n', next, ..] if next.is_ascii_digit() => Some(end.wrapping_add(at)),
                _ => None,
            };
        }
        at = at.wrapping_add(8);
    }
    None
}

/// The line at the front of `octets`, if it is plain.
#[inline(never)]
pub(crate) fn line(octets: &[u8]) -> Option<Line> {
    let (code, at) = match octets.first_chunk() {
        Some(window) => code::<b'('>(window, 0)?,
        None => code::<b'('>(&padded(octets), 0)?,
    };
    let first = value(octets.get(at.wrapping_add(1)..)?);
    (!first.is_nothing()).then_some(Line { code, at, first })
}

/// The plain value at the front of `octets`, which begin behind its parenthesis.
#[inline(never)]
pub(crate) fn value(octets: &[u8]) -> Known {
    let frequent = match octets.first_chunk() {
        Some(window) => frequent_value(window, 0),
        None => frequent_value(&padded(octets), 0),
    };
    if frequent.is_nothing() { other_value(octets, 0) } else { frequent }
}

/// Any other plain value.
#[inline(never)]
fn other_value(octets: &[u8], at: usize) -> Known {
    let Some(octets) = octets.get(at..) else { return Known::NOTHING };
    let Some(len) = value_end(octets) else { return Known::NOTHING };
    Known::new(if is_surely_text(octets, len) { TEXT } else { UNKNOWN }, 0, len)
}

/// Whether the first `len` octets are nothing but text by a look at few of them, as serial numbers in hexadecimal digits:
/// a letter behind the first digits, and more than a unit takes behind that, or more digits than a number has.
fn is_surely_text(octets: &[u8], len: usize) -> bool {
    let Some(front) = octets.get(..len).and_then(<[u8]>::first_chunk::<24>) else { return false };
    let (words, _) = front.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word) ^ (ONES * 0x30));
    // Of a number with zeros in front nobody knows the length.
    let [first, ..] = *front;
    if words.clone().all(are_digits) {
        return first != b'0';
    }
    let digits = front.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let letter = front.get(digits).is_some_and(|octet| octet.is_ascii_alphabetic() && *octet != b'T');
    digits != 0 && letter && len > digits.wrapping_add(LONGEST_UNIT)
}

/// No unit has so many letters.
const LONGEST_UNIT: usize = 12;

fn padded(octets: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    window.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
    window
}

/// Eight octets from `at` on.
#[inline(always)]
fn load(window: &[u8; WINDOW], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*window.get(at..at.wrapping_add(8))?.first_chunk()?))
}

/// `A-B:C.D.E` and `END`, A and B of one digit, the others of one or two, and seven octets at most behind the colon up to
/// the mark: the code, and the octets before the mark. Only `99.99.99(` is longer, and it is rare.
#[inline(always)]
fn code<const END: u8>(window: &[u8; WINDOW], at: usize) -> Option<(Obis, usize)> {
    let [a, dash, b, colon, ..] = load(window, at)?.to_le_bytes();
    let front = u32::from_le_bytes([a, dash, b, colon]) ^ u32::from_le_bytes(*b"0-0:");
    // Left are A and B, and nothing else: each below 10 exactly if adding 6 leaves its high half zero.
    if (front.wrapping_add(0x0006_0006) | front) & 0xFFF0_FFF0 != 0 {
        return None;
    }
    let groups = load(window, at.wrapping_add(4))?;
    // The most frequent shapes first.
    let (groups, len) = if groups & 0xFF00 == 0x2E00 {
        shape::<1, 1, 1, END>(groups)
            .or_else(|| shape::<1, 1, 2, END>(groups))
            .or_else(|| shape::<1, 2, 1, END>(groups))?
    } else {
        shape::<2, 1, 1, END>(groups)
            .or_else(|| shape::<2, 2, 1, END>(groups))
            .or_else(|| shape::<2, 1, 2, END>(groups))?
    };
    let front = u64::from(front & 0xFF | front >> 8 & 0xFF00);
    let [a, b, c, d, e, f, ..] = (front | groups | 0xFF << 40).to_le_bytes();
    Some((Obis::new(a, b, c, d, e, f), len))
}

/// Three groups of so many digits, two points and `END`, if they are: the groups in the third to fifth octet.
#[inline(always)]
fn shape<const C: u32, const D: u32, const E: u32, const END: u8>(groups: u64) -> Option<(u64, usize)> {
    let (d, e) = (C.wrapping_add(1), C.wrapping_add(D).wrapping_add(2));
    let end = e.wrapping_add(E);
    let octet = |octet: u8, place: u32| u64::from(octet).wrapping_shl(place.wrapping_mul(8));
    let all = !0u64 >> 56u32.wrapping_sub(end.wrapping_mul(8));
    let marks = octet(0xFF, C) | octet(0xFF, e.wrapping_sub(1)) | octet(0xFF, end);
    let points = octet(b'.', C) | octet(b'.', e.wrapping_sub(1)) | octet(END, end);
    let digits = all & !marks;
    let rest = groups ^ (points | (digits & (ONES * 0x30)));
    // As above. A carry can only come out of an octet that is refused already.
    if (rest.wrapping_add(digits & (ONES * 6)) | rest) & (marks | (digits & (ONES * 0xF0))) != 0 {
        return None;
    }
    // Ten times the first digit and the second, where the first stood.
    let tens = rest.wrapping_mul(10).wrapping_add(rest >> 8);
    let group = |from: u32, digits: u32, to: u32| {
        let octets = if digits == 2 { tens } else { rest };
        (octets >> from.wrapping_mul(8) & 0xFF).wrapping_shl(to.wrapping_mul(8))
    };
    Some((group(0, C, 2) | group(d, D, 3) | group(e, E, 4), end.wrapping_add(4) as usize))
}

/// The value from `at` on, if it looks like most: nothing, a number of up to 16 digits and perhaps three decimals with one
/// of the units that most lines have, a time with its letter, or a code.
#[inline(always)]
fn frequent_value(window: &[u8; WINDOW], at: usize) -> Known {
    let Some(front) = load(window, at) else { return Known::NOTHING };
    // Digits have this bit, and what ends a number has not. Whether they are digits is seen when they are summed up.
    let marks = !front & (ONES * 0x10);
    if marks == 0 {
        return long_value(window, at);
    }
    let mark = marks.trailing_zeros();
    let whole = (mark / 8) as usize;
    if whole == 0 {
        return if front & 0xFF == u64::from(b')') { Known::new(EMPTY, 0, 0) } else { Known::NOTHING };
    }
    let digits = (front ^ (ONES * 0x30)).wrapping_shl(0u32.wrapping_sub(mark & 0x38));
    number(window, at, whole, digits)
}

/// As [`frequent_value`], where the first eight octets may be digits.
#[inline(never)]
fn long_value(window: &[u8; WINDOW], at: usize) -> Known {
    let (Some(front), Some(back)) = (load(window, at), load(window, at.wrapping_add(8))) else {
        return Known::NOTHING;
    };
    let (front, digits) = (front ^ (ONES * 0x30), back ^ (ONES * 0x30));
    let season = back >> 32 & 0xFFFF;
    if (season == WINTER || season == SUMMER) && are_digits(front) && are_digits(digits & 0xFFFF_FFFF) {
        // Each pair has an octet to spare: the minute goes behind the year, the second behind the month.
        let fields = pairs(front) | pairs(digits & 0xFFFF_FFFF) << 8;
        return Known::new(TIME, fields | (season & 0xFF) << 40, 13);
    }
    let marks = !back & (ONES * 0x10);
    let mark = marks.trailing_zeros();
    let more = (mark / 8) as usize;
    if more == 0 {
        return number(window, at, 8, front);
    }
    if marks == 0 {
        return Known::NOTHING;
    }
    let all = front.wrapping_shr(mark & 0x38) | digits.wrapping_shl(0u32.wrapping_sub(mark & 0x38));
    let above = front.wrapping_shl(0u32.wrapping_sub(mark & 0x38));
    add_above(window, at, more.wrapping_add(8), all, above, 0)
}

const WINTER: u64 = u16::from_le_bytes(*b"W)") as u64;
const SUMMER: u64 = u16::from_le_bytes(*b"S)") as u64;

/// As [`frequent_value`], from behind the `whole` octets at the front, up to eight, which are `digits`, the last of them
/// uppermost.
#[inline(always)]
fn number(window: &[u8; WINDOW], at: usize, whole: usize, digits: u64) -> Known {
    let Some(behind) = load(window, at.wrapping_add(whole)) else { return Known::NOTHING };
    // Left are decimals, and the bits that tell what is none.
    let behind = behind ^ u64::from_le_bytes(*b".0000000");
    let (all, exponent, width) = if behind & 0xFF != 0 {
        (digits, 0, whole)
    } else if behind & 0x10_1010_1000 == 0x10_0000_0000 {
        // Decimals are added to the other digits, and as many of those in front, mostly zeros, have to give way.
        let (all, above) = (digits >> 24 | behind << 32, digits << 40);
        if above != 0 {
            return add_above(window, at, whole.wrapping_add(4), all, above, -3);
        }
        (all, -3, whole.wrapping_add(4))
    } else {
        return other_decimals(window, at, whole, digits, behind);
    };
    if !are_digits(all) {
        return Known::NOTHING;
    }
    with_unit(window, at, width, sum(all), exponent)
}

/// One decimal or two.
#[inline(never)]
fn other_decimals(window: &[u8; WINDOW], at: usize, whole: usize, digits: u64, behind: u64) -> Known {
    let (all, above, exponent, more) = if behind & 0x10_1000 == 0x10_0000 {
        (digits >> 8 | behind << 48, digits << 56, -1, 2)
    } else if behind & 0x1010_1000 == 0x1000_0000 {
        (digits >> 16 | behind << 40, digits << 48, -2, 3)
    } else {
        return Known::NOTHING;
    };
    let width = whole.wrapping_add(more);
    if above != 0 {
        return add_above(window, at, width, all, above, exponent);
    }
    if are_digits(all) { with_unit(window, at, width, sum(all), exponent) } else { Known::NOTHING }
}

/// Eight digits and some above them, the last of which is uppermost.
#[inline(never)]
fn add_above(window: &[u8; WINDOW], at: usize, width: usize, digits: u64, above: u64, exponent: i8) -> Known {
    if !are_digits(digits) || !are_digits(above) {
        return Known::NOTHING;
    }
    let mantissa = sum(above).wrapping_mul(100_000_000).wrapping_add(sum(digits));
    with_unit(window, at, width, mantissa, exponent)
}

/// The value from `at` on, of which `width` octets are a number, if its unit is one that most lines have.
#[inline(always)]
fn with_unit(window: &[u8; WINDOW], at: usize, width: usize, mantissa: u64, exponent: i8) -> Known {
    let Some(behind) = load(window, at.wrapping_add(width)) else { return Known::NOTHING };
    let [one, two, three, four, ..] = behind.to_le_bytes();
    let short = u32::from_le_bytes([one, two, three, four]);
    let (prefix, unit, more) = if short == KILOWATT {
        (KILO, Unit::WATT, 3)
    } else if behind << 24 == KILOWATT_HOUR {
        (KILO, Unit::WATT_HOUR, 4)
    } else if one == b')' {
        (0, Unit::NONE, 0)
    } else if short << 8 == VOLT {
        (0, Unit::VOLT, 2)
    } else if short << 8 == AMPERE {
        (0, Unit::AMPERE, 2)
    } else if short == CUBIC_METRE {
        (0, Unit::CUBIC_METRE, 3)
    } else if short << 8 == SECOND {
        (0, Unit::SECOND, 2)
    } else if matches!(behind << 16, KILOVAR | KILOVAR_UPPER) {
        (KILO, Unit::VAR, 5)
    } else if matches!(behind << 8, KILOVAR_HOUR | KILOVAR_HOUR_UPPER) {
        (KILO, Unit::VAR_HOUR, 6)
    } else {
        return code_value(window, at);
    };
    let shape = u32::from_le_bytes([NUMBER, exponent.cast_unsigned(), prefix, unit.code()]);
    let len = width.wrapping_add(more) as u64;
    Known { payload: mantissa, shape: u64::from(shape) | len << 32 }
}

const KILOWATT: u32 = u32::from_le_bytes(*b"*kW)");
const CUBIC_METRE: u32 = u32::from_le_bytes(*b"*m3)");
const VOLT: u32 = u32::from_le_bytes(*b"\0*V)");
const AMPERE: u32 = u32::from_le_bytes(*b"\0*A)");
const SECOND: u32 = u32::from_le_bytes(*b"\0*s)");
const KILOWATT_HOUR: u64 = u64::from_le_bytes(*b"\0\0\0*kWh)");
const KILOVAR: u64 = u64::from_le_bytes(*b"\0\0*kvar)");
const KILOVAR_UPPER: u64 = u64::from_le_bytes(*b"\0\0*kVAr)");
const KILOVAR_HOUR: u64 = u64::from_le_bytes(*b"\0*kvarh)");
const KILOVAR_HOUR_UPPER: u64 = u64::from_le_bytes(*b"\0*kVArh)");

#[inline(never)]
fn code_value(window: &[u8; WINDOW], at: usize) -> Known {
    let Some((code, len)) = code::<b')'>(window, at) else { return Known::NOTHING };
    Known::new(CODE, groups(code), len)
}

/// Whether each octet is below 10.
#[inline(always)]
const fn are_digits(octets: u64) -> bool {
    // Adding 6 leaves the high half zero. A carry can only come out of an octet that is refused already.
    (octets.wrapping_add(ONES * 6) | octets) & (ONES * 0xF0) == 0
}

/// What two digits each write down, in each second octet.
#[inline(always)]
const fn pairs(digits: u64) -> u64 {
    digits.wrapping_mul(10 << 8 | 1) >> 8 & 0x00FF_00FF_00FF_00FF
}

/// What eight digits write down, the first in the lowest octet.
#[inline(always)]
const fn sum(digits: u64) -> u64 {
    let fours = pairs(digits).wrapping_mul(100 << 16 | 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000 << 32 | 1) >> 32
}

/// The octets before the first parenthesis or control character, if that is a closing parenthesis.
fn value_end(octets: &[u8]) -> Option<usize> {
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
            let at = at.wrapping_add(lowest(found));
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
    let (blocks, _) = octets.as_chunks::<64>();
    for block in blocks {
        // Arithmetic without an early exit: the compiler makes a few wide comparisons of it.
        if block.iter().map(|octet| u8::from(is_mark(octet))).fold(0, |any, mark| any | mark) != 0 {
            break;
        }
        at = at.wrapping_add(64);
    }
    find_either::<b'/', b'!'>(octets.get(at..)?).map(|more| at.wrapping_add(more))
}

/// Where the first CR or LF stands; `None` if there is none.
#[inline]
pub(crate) fn find_line_end(octets: &[u8]) -> Option<usize> {
    find_either::<b'\r', b'\n'>(octets)
}

#[inline]
fn find_either<const ONE: u8, const OTHER: u8>(octets: &[u8]) -> Option<usize> {
    let (words, rest) = octets.as_chunks::<8>();
    let mut at = 0usize;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let (one, other) = (word ^ u64::from_le_bytes([ONE; 8]), word ^ u64::from_le_bytes([OTHER; 8]));
        // Zeros, of which the lowest is right; only higher ones can be found wrongly.
        let found = ((one.wrapping_sub(ONES) & !one) | (other.wrapping_sub(ONES) & !other)) & HIGH;
        if found != 0 {
            return Some(at.wrapping_add(lowest(found)));
        }
        at = at.wrapping_add(8);
    }
    rest.iter().position(|octet| *octet == ONE || *octet == OTHER).map(|more| at.wrapping_add(more))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    proptest! {
        #[test]
        fn searches_find_the_first(octets in prop::collection::vec(prop::sample::select(b"()/!1\xA9\xAF\x28\x2A".to_vec()), 0..80), zeros in 0usize..70) {
            let mut all = vec![b'0'; zeros];
            all.extend(octets);
            let end = all.iter().position(|octet| matches!(octet, b'(' | b')' | 0..0x20));
            prop_assert_eq!(value_end(&all), end.filter(|end| all[*end] == b')'));
            prop_assert_eq!(find_mark(&all), all.iter().position(|octet| matches!(octet, b'/' | b'!')));
            all.iter_mut().filter(|octet| matches!(octet, b'/' | b'(')).for_each(|octet| *octet ^= b'/' ^ b'\n');
            prop_assert_eq!(find_line_end(&all), all.iter().position(|octet| matches!(octet, b'\r' | b'\n')));
        }

        #[test]
        fn digits_are_summed_up(number in 0u64..100_000_000) {
            let text = format!("{number:08}");
            let digits = u64::from_le_bytes(*text.as_bytes().first_chunk().unwrap()) ^ (ONES * 0x30);
            prop_assert!(are_digits(digits));
            prop_assert_eq!(sum(digits), number);
        }

        #[test]
        fn digits_are_all_of_them(octets: u64) {
            prop_assert_eq!(are_digits(octets), octets.to_le_bytes().iter().all(|octet| *octet < 10));
        }
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        for text in
            ["", "12.5*GJ", "-3*mA", "00.001*MW", "220201000000T", "240111093500 ", "1:8.0", "TARIFF 1"]
        {
            let value = Value::new(text.as_bytes());
            assert_eq!(value.content(), value.content_by_octets(), "{text}");
        }
    }
}
