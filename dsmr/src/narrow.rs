//! What module `wide` does, an octet at a time: for machines with narrow registers and little memory for code.

use crate::timestamp::Timestamp;
use crate::value::{Content, Value};
use obis::{Obis, Scaled};

/// How many octets a value takes. What it is is not looked for here, but when it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known(Option<usize>);

impl Known {
    /// Nobody has looked.
    pub(crate) const NOTHING: Self = Self(None);

    pub(crate) const fn is_nothing(self) -> bool {
        self.0.is_none()
    }

    /// Octets of the value without its parentheses.
    pub(crate) fn len(self) -> usize {
        self.0.unwrap_or_default()
    }

    pub(crate) const fn number(self) -> Option<Scaled> {
        None
    }

    pub(crate) const fn time(self) -> Option<Timestamp> {
        None
    }

    pub(crate) fn content(self, octets: &[u8], unclosed: bool) -> Content<'_> {
        if unclosed { Value::unclosed(octets) } else { Value::new(octets) }.content_by_octets()
    }
}

/// A plain line.
pub(crate) struct Line {
    pub(crate) code: Obis,
    /// Octets before the first parenthesis.
    pub(crate) at: usize,
    /// The first value, which holds no parenthesis and no control character.
    pub(crate) first: Known,
}

/// None: there is no shorter way here than that of all plain lines.
pub(crate) const fn frequent_line(_: &[u8]) -> Option<(Line, usize, &[u8])> {
    None
}

/// The line at the front of `octets`, if it is plain.
pub(crate) fn line(octets: &[u8]) -> Option<Line> {
    let (code, at) = code(octets)?;
    let first = value(octets.get(at.wrapping_add(1)..)?);
    (!first.is_nothing()).then_some(Line { code, at, first })
}

/// `A-B:C.D.E(` with A and B of one digit, the others of one or two: the code, and the octets before the parenthesis.
fn code(octets: &[u8]) -> Option<(Obis, usize)> {
    let [a, b'-', b, b':', rest @ ..] = octets else { return None };
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    let (c, rest) = group(rest)?;
    let [b'.', rest @ ..] = rest else { return None };
    let (d, rest) = group(rest)?;
    let [b'.', rest @ ..] = rest else { return None };
    let (e, rest) = group(rest)?;
    let len = octets.len().wrapping_sub(rest.len());
    (a < 10 && b < 10 && rest.first() == Some(&b'(')).then(|| (Obis::new(a, b, c, d, e, 255), len))
}

/// A value group of one or two digits.
#[inline]
fn group(octets: &[u8]) -> Option<(u8, &[u8])> {
    let [first, rest @ ..] = octets else { return None };
    let first = first.wrapping_sub(b'0');
    if first > 9 {
        return None;
    }
    match rest {
        [second, rest @ ..] if second.is_ascii_digit() => {
            Some((first.wrapping_mul(10).wrapping_add(second.wrapping_sub(b'0')), rest))
        }
        _ => Some((first, rest)),
    }
}

/// The plain value at the front of `octets`, which begin behind its parenthesis.
pub(crate) fn value(octets: &[u8]) -> Known {
    let at = octets.iter().position(|octet| matches!(octet, b'(' | b')' | 0..0x20));
    Known(at.filter(|at| octets.get(*at) == Some(&b')')))
}

/// Where the first `/` or `!` stands; `None` if there is none.
#[inline]
pub(crate) fn find_mark(octets: &[u8]) -> Option<usize> {
    octets.iter().position(|octet| matches!(octet, b'/' | b'!'))
}

/// Where the first CR or LF stands; `None` if there is none.
pub(crate) fn find_line_end(octets: &[u8]) -> Option<usize> {
    octets.iter().position(|octet| matches!(octet, b'\r' | b'\n'))
}
