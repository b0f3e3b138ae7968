//! Matching codes by value groups.

use core::fmt;
use core::str::FromStr;

use crate::{Obis, ObisError};

/// A set of OBIS codes: each value group is fixed or free.
///
/// ```
/// use obis::{Obis, Pattern};
/// const VOLTAGE_L1: Pattern = Pattern::ANY.a(1).c(32).d(7).e(0);
/// assert!(VOLTAGE_L1.matches(Obis::new(1, 1, 32, 7, 0, 255)));
/// assert_eq!(Pattern::parse(b"1-x:32.7.0*x"), Ok(VOLTAGE_L1));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pattern([Option<u8>; 6]);

impl Pattern {
    /// Every code.
    pub const ANY: Self = Self([None; 6]);

    /// A pattern from its six value groups, `None` being free.
    #[must_use]
    pub const fn new(groups: [Option<u8>; 6]) -> Self {
        Self(groups)
    }

    /// The pattern that only this code matches.
    #[must_use]
    pub const fn exactly(code: Obis) -> Self {
        let [a, b, c, d, e, f] = code.octets();
        Self([Some(a), Some(b), Some(c), Some(d), Some(e), Some(f)])
    }

    /// The pattern of one quantity on any channel and in any billing period: B and F are free.
    #[must_use]
    pub const fn quantity_of(code: Obis) -> Self {
        let [a, _, c, d, e, _] = code.octets();
        Self([Some(a), None, Some(c), Some(d), Some(e), None])
    }

    /// Fixes value group A, the medium.
    #[must_use]
    pub const fn a(self, value: u8) -> Self {
        let Self([_, b, c, d, e, f]) = self;
        Self([Some(value), b, c, d, e, f])
    }

    /// Fixes value group B, the channel.
    #[must_use]
    pub const fn b(self, value: u8) -> Self {
        let Self([a, _, c, d, e, f]) = self;
        Self([a, Some(value), c, d, e, f])
    }

    /// Fixes value group C, the quantity.
    #[must_use]
    pub const fn c(self, value: u8) -> Self {
        let Self([a, b, _, d, e, f]) = self;
        Self([a, b, Some(value), d, e, f])
    }

    /// Fixes value group D, the processing.
    #[must_use]
    pub const fn d(self, value: u8) -> Self {
        let Self([a, b, c, _, e, f]) = self;
        Self([a, b, c, Some(value), e, f])
    }

    /// Fixes value group E, the tariff.
    #[must_use]
    pub const fn e(self, value: u8) -> Self {
        let Self([a, b, c, d, _, f]) = self;
        Self([a, b, c, d, Some(value), f])
    }

    /// Fixes value group F, the billing period.
    #[must_use]
    pub const fn f(self, value: u8) -> Self {
        let Self([a, b, c, d, e, _]) = self;
        Self([a, b, c, d, e, Some(value)])
    }

    /// The six value groups, `None` being free.
    #[must_use]
    pub const fn groups(self) -> [Option<u8>; 6] {
        self.0
    }

    /// Whether `code` belongs to the set.
    #[must_use]
    pub fn matches(self, code: Obis) -> bool {
        self.0.into_iter().zip(code.octets()).all(|(group, value)| group.is_none_or(|group| group == value))
    }

    /// Reads `A-B:C.D.E*F`, where `x`, `X` or `?` stands for a free group. `A-B:` and `*F` may be left out, and
    /// those groups are then free: `1.8.0` is that quantity of any medium.
    ///
    /// # Errors
    ///
    /// As [`Obis::parse`].
    pub fn parse(text: &[u8]) -> Result<Self, ObisError> {
        let mut groups = [None; 6];
        let [a, b, c, d, e, f] = &mut groups;
        let mut rest = text;
        if text.contains(&b':') {
            rest = group(rest, a)?;
            rest = separator(rest, b'-')?;
            rest = group(rest, b)?;
            rest = separator(rest, b':')?;
        }
        rest = group(rest, c)?;
        rest = separator(rest, b'.')?;
        rest = group(rest, d)?;
        rest = separator(rest, b'.')?;
        rest = group(rest, e)?;
        if let [b'*', tail @ ..] = rest {
            rest = group(tail, f)?;
        }
        if rest.is_empty() { Ok(Self(groups)) } else { Err(ObisError::Trailing) }
    }
}

impl From<Obis> for Pattern {
    fn from(code: Obis) -> Self {
        Self::exactly(code)
    }
}

impl FromStr for Pattern {
    type Err = ObisError;

    fn from_str(text: &str) -> Result<Self, ObisError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (group, mark) in self.0.into_iter().zip(["", "-", ":", ".", ".", "*"]) {
            f.write_str(mark)?;
            match group {
                Some(value) => write!(f, "{value}")?,
                None => f.write_str("x")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Pattern {
    fn format(&self, fmt: defmt::Formatter<'_>) {
        defmt::write!(fmt, "{}", self.0);
    }
}

fn group<'a>(text: &'a [u8], group: &mut Option<u8>) -> Result<&'a [u8], ObisError> {
    if let [b'x' | b'X' | b'?', rest @ ..] = text {
        *group = None;
        return Ok(rest);
    }
    let (mut value, mut rest) = (None, text);
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        let digit = digit.wrapping_sub(b'0');
        let next = value.unwrap_or(0u8).checked_mul(10).and_then(|value| value.checked_add(digit));
        value = Some(next.ok_or(ObisError::Group)?);
        rest = tail;
    }
    *group = Some(value.ok_or(ObisError::Syntax)?);
    Ok(rest)
}

fn separator(text: &[u8], mark: u8) -> Result<&[u8], ObisError> {
    match text {
        [first, rest @ ..] if *first == mark => Ok(rest),
        _ => Err(ObisError::Syntax),
    }
}

#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn text_forms() {
        assert_eq!(Pattern::parse(b"1.8.x"), Ok(Pattern::ANY.c(1).d(8)));
        assert_eq!(Pattern::parse(b"x-?:X.x.x*x"), Ok(Pattern::ANY));
        assert_eq!(Pattern::parse(b"1-0:1.8.0*255"), Ok(Pattern::exactly(Obis::new(1, 0, 1, 8, 0, 255))));
        for (text, error) in [
            ("", ObisError::Syntax),
            ("1-0:1.8", ObisError::Syntax),
            ("1.8.256", ObisError::Group),
            ("1.8.0*", ObisError::Syntax),
            ("1.8.0 ", ObisError::Trailing),
            ("0:1.8.0", ObisError::Syntax),
        ] {
            assert_eq!(Pattern::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn free_groups_match_anything_and_fixed_ones_themselves(groups: [Option<u8>; 6], octets: [u8; 6]) {
            let pattern = Pattern::new(groups);
            let expected = groups.iter().zip(octets).all(|(group, octet)| group.is_none() || *group == Some(octet));
            prop_assert_eq!(pattern.matches(Obis::from_octets(octets)), expected);
            let mut inside = octets;
            for (octet, group) in inside.iter_mut().zip(groups) {
                *octet = group.unwrap_or(*octet);
            }
            prop_assert!(pattern.matches(Obis::from_octets(inside)));
            prop_assert_eq!(pattern.to_string().parse(), Ok(pattern));
        }
    }
}
