//! Values: an integer, a power of ten and a unit. Nothing is ever rounded.

use core::cmp::Ordering;
use core::fmt;
use core::str::FromStr;

use crate::Unit;

/// An exact decimal number: `mantissa × 10^exponent`.
///
/// The digits are kept as they came: `2390 × 10^-1` shows as `239.0`. Equality is therefore that of the digits;
/// [`Decimal::compare`] compares the numbers.
///
/// ```
/// use obis::Decimal;
/// let voltage = Decimal::new(2392, -1);
/// assert_eq!(voltage.to_string(), "239.2");
/// assert_eq!(Decimal::parse(b"000239.2"), Ok(voltage));
/// assert!(voltage.compare(Decimal::new(239, 0)).is_gt());
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Decimal {
    /// The digits, with their sign.
    pub mantissa: i64,
    /// The power of ten, as a COSEM scaler: -1 for tenths.
    pub exponent: i8,
}

impl Decimal {
    /// The number zero.
    pub const ZERO: Self = Self::new(0, 0);

    /// `mantissa × 10^exponent`.
    #[must_use]
    pub const fn new(mantissa: i64, exponent: i8) -> Self {
        Self { mantissa, exponent }
    }

    /// Whether it is zero, with any number of digits.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// Whether it is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// Compares the numbers, whatever their digits: `0.10` is equal to `0.1`.
    #[must_use]
    pub fn compare(self, other: Self) -> Ordering {
        let (left, right) = (self.mantissa, other.mantissa);
        if self.exponent == other.exponent || left.signum() != right.signum() || left == 0 {
            return left.cmp(&right);
        }
        let (left, right) = (left.unsigned_abs(), right.unsigned_abs());
        let place = |digits: u64, exponent: i8| i32::from(digit_count(digits)).wrapping_add(exponent.into());
        let order = place(left, self.exponent).cmp(&place(right, other.exponent)).then_with(|| {
            // As many digits before the point, so the one with fewer digits in all can be filled up to the other's.
            let gap = self.exponent.abs_diff(other.exponent);
            if self.exponent > other.exponent {
                times_ten(left, gap).unwrap_or(u64::MAX).cmp(&right)
            } else {
                left.cmp(&times_ten(right, gap).unwrap_or(u64::MAX))
            }
        });
        if self.mantissa < 0 { order.reverse() } else { order }
    }

    /// The same number with this exponent; `None` where digits would be lost or the mantissa would not fit.
    #[must_use]
    pub fn rescale(self, exponent: i8) -> Option<Self> {
        let gap = self.exponent.abs_diff(exponent);
        if self.mantissa == 0 || gap == 0 {
            return Some(Self { mantissa: self.mantissa, exponent });
        }
        let mut mantissa = self.mantissa;
        for _ in 0..gap {
            mantissa = if self.exponent > exponent {
                mantissa.checked_mul(10)?
            } else if mantissa.checked_rem(10)? == 0 {
                mantissa.checked_div(10)?
            } else {
                return None;
            };
        }
        Some(Self { mantissa, exponent })
    }

    /// The number as an integer; `None` where it has a fraction or does not fit.
    #[must_use]
    pub fn to_integer(self) -> Option<i64> {
        Some(self.rescale(0)?.mantissa)
    }

    /// The same number with no zeros at the end of its digits.
    #[must_use]
    pub fn normalized(self) -> Self {
        let Self { mut mantissa, mut exponent } = self;
        if mantissa == 0 {
            return Self::ZERO;
        }
        while let (Some(0), Some(next)) = (mantissa.checked_rem(10), exponent.checked_add(1)) {
            mantissa = mantissa.checked_div(10).unwrap_or(mantissa);
            exponent = next;
        }
        Self { mantissa, exponent }
    }

    /// The number times `10^power`: the digits stay. `None` where the exponent leaves its range.
    #[must_use]
    pub fn checked_shift(self, power: i8) -> Option<Self> {
        Some(Self { mantissa: self.mantissa, exponent: self.exponent.checked_add(power)? })
    }

    /// The sum, with as many decimals as the longer of the two; `None` where it does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let mantissa = self.rescale(exponent)?.mantissa.checked_add(other.rescale(exponent)?.mantissa)?;
        Some(Self { mantissa, exponent })
    }

    /// The difference, with as many decimals as the longer of the two; `None` where it does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let exponent = self.exponent.min(other.exponent);
        let mantissa = self.rescale(exponent)?.mantissa.checked_sub(other.rescale(exponent)?.mantissa)?;
        Some(Self { mantissa, exponent })
    }

    /// The number with its sign turned; `None` where it does not fit.
    #[must_use]
    pub fn checked_neg(self) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_neg()?, exponent: self.exponent })
    }

    /// The product with an integer; `None` where it does not fit.
    #[must_use]
    pub fn checked_mul(self, factor: i64) -> Option<Self> {
        Some(Self { mantissa: self.mantissa.checked_mul(factor)?, exponent: self.exponent })
    }

    /// Reads a plain decimal number, all of it: an optional sign, digits, and at most one point among them.
    ///
    /// Leading zeros are dropped, zeros at the end kept.
    ///
    /// # Errors
    ///
    /// [`DecimalError`]: it is something else, or has more digits than fit.
    pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, text),
        };
        let (mut mantissa, mut exponent, mut point, mut any) = (0u64, 0i8, false, false);
        for octet in digits {
            match octet {
                b'0'..=b'9' => {
                    let digit = u64::from(octet.wrapping_sub(b'0'));
                    // Below 10^18 neither step can overflow, and nearly every number is.
                    mantissa = if mantissa < 1_000_000_000_000_000_000 {
                        mantissa.wrapping_mul(10).wrapping_add(digit)
                    } else {
                        let tens = mantissa.checked_mul(10).ok_or(DecimalError::Range)?;
                        tens.checked_add(digit).ok_or(DecimalError::Range)?
                    };
                    any = true;
                    if point {
                        exponent = exponent.checked_sub(1).ok_or(DecimalError::Range)?;
                    }
                }
                b'.' if !point => point = true,
                _ => return Err(DecimalError::Syntax),
            }
        }
        if !any {
            return Err(DecimalError::Syntax);
        }
        let mantissa =
            if negative { 0i64.checked_sub_unsigned(mantissa) } else { i64::try_from(mantissa).ok() };
        Ok(Self { mantissa: mantissa.ok_or(DecimalError::Range)?, exponent })
    }

    /// The number as text in a buffer of its own: the fast way to text.
    #[must_use]
    pub fn text(self) -> DecimalText {
        let mut text = DecimalText { text: [0; DecimalText::CAPACITY], len: 0 };
        text.len = self.encode(&mut text.text).and_then(|len| u8::try_from(len).ok()).unwrap_or(0);
        text
    }

    /// Writes the number as plain decimal text to the front of `out` and says how many octets that took.
    ///
    /// `None` where `out` is too small; [`DecimalText::CAPACITY`] octets always suffice, and 21 do for every
    /// exponent from -18 to 0. What stands in `out` behind the text is undefined.
    #[must_use]
    pub fn encode(self, out: &mut [u8]) -> Option<usize> {
        let sign = usize::from(self.mantissa < 0);
        if let Some(first) = out.first_mut().filter(|_| self.mantissa < 0) {
            *first = b'-';
        }
        let body = out.get_mut(sign..)?;
        let len = encode_magnitude(self.mantissa.unsigned_abs(), self.exponent, body)?;
        len.checked_add(sign)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::new(value, 0)
    }
}

impl From<u32> for Decimal {
    fn from(value: u32) -> Self {
        Self::new(value.into(), 0)
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        let text = text.as_str();
        f.pad_integral(self.mantissa >= 0, "", text.strip_prefix('-').unwrap_or(text))
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

/// What is wrong with the text of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DecimalError {
    /// It is no plain decimal number.
    Syntax,
    /// It has more digits than 64 bits hold.
    Range,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Syntax => "not a decimal number",
            Self::Range => "too many digits",
        })
    }
}

impl core::error::Error for DecimalError {}

/// The text of a [`Decimal`], held inline.
#[derive(Clone, Copy)]
pub struct DecimalText {
    text: [u8; Self::CAPACITY],
    len: u8,
}

impl DecimalText {
    /// Octets that the longest text takes: a sign, 19 digits, 127 zeros; or `-0.` and 128 decimals.
    pub const CAPACITY: usize = 148;

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The text as ASCII octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl AsRef<str> for DecimalText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for DecimalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for DecimalText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The prefix of a unit as it is written: the `k` of `kWh`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Prefix {
    /// No prefix.
    #[default]
    None,
    /// `k`, 10^3.
    Kilo,
    /// `M`, 10^6.
    Mega,
    /// `G`, 10^9.
    Giga,
    /// `m`, 10^-3.
    Milli,
}

impl Prefix {
    /// The power of ten it stands for.
    #[must_use]
    pub const fn exponent(self) -> i8 {
        match self {
            Self::None => 0,
            Self::Kilo => 3,
            Self::Mega => 6,
            Self::Giga => 9,
            Self::Milli => -3,
        }
    }

    /// The letter; empty for [`Prefix::None`].
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Kilo => "k",
            Self::Mega => "M",
            Self::Giga => "G",
            Self::Milli => "m",
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

/// A number with its unit, as the meter wrote it: `1581.123 kWh`.
///
/// ```
/// use obis::{Decimal, Prefix, Scaled, Unit};
/// let energy = Scaled { value: Decimal::new(1581123, -3), prefix: Prefix::Kilo, unit: Unit::WATT_HOUR };
/// assert_eq!(energy.to_string(), "1581.123 kWh");
/// assert_eq!(energy.to_base().to_string(), "1581123");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scaled {
    /// The number, in the unit with its prefix.
    pub value: Decimal,
    /// The prefix of the unit.
    pub prefix: Prefix,
    /// The unit; [`Unit::NONE`] where there is none.
    pub unit: Unit,
}

impl Scaled {
    /// A number in a unit without prefix.
    #[must_use]
    pub const fn new(value: Decimal, unit: Unit) -> Self {
        Self { value, prefix: Prefix::None, unit }
    }

    /// The number in the unit without its prefix: 1581.123 kWh gives 1581123 (Wh).
    ///
    /// Past the ends of the exponent's range (10^127, 10^-128), which no meter comes near, the exponent stays there.
    #[must_use]
    pub const fn to_base(self) -> Decimal {
        Decimal::new(self.value.mantissa, self.value.exponent.saturating_add(self.prefix.exponent()))
    }
}

impl fmt::Display for Scaled {
    /// With a width, the number is padded and the unit follows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.value, f)?;
        if self.unit == Unit::NONE {
            return Ok(());
        }
        f.write_str(" ")?;
        f.write_str(self.prefix.symbol())?;
        match self.unit.symbol() {
            Some(symbol) => f.write_str(symbol),
            None => fmt::Display::fmt(&self.unit, f),
        }
    }
}

/// Plain decimal text of `digits × 10^exponent` at the front of `out`; its length.
fn encode_magnitude(mut digits: u64, exponent: i8, out: &mut [u8]) -> Option<usize> {
    let count = usize::from(digit_count(digits));
    let decimals = usize::from(exponent.min(0).unsigned_abs());
    let zeros = if digits == 0 { 0 } else { usize::from(exponent.max(0).unsigned_abs()) };
    // `0.00` takes a digit before the point and as many zeros behind it as the digits do not fill.
    let shown = count.max(decimals.checked_add(1)?);
    let point = usize::from(decimals != 0);
    let written = shown.checked_add(point)?;
    let len = written.checked_add(zeros)?;
    let (number, trailing) = out.get_mut(..len)?.split_at_mut_checked(written)?;
    trailing.fill(b'0');
    let (whole, fraction) = number.split_at_mut_checked(shown.checked_sub(decimals)?)?;
    let fraction = match fraction {
        [point, fraction @ ..] => {
            *point = b'.';
            fraction
        }
        [] => fraction,
    };
    for place in fraction.iter_mut().rev().chain(whole.iter_mut().rev()) {
        *place = b'0'.wrapping_add(last_digit(&mut digits));
    }
    Some(len)
}

/// Takes the last digit off.
fn last_digit(digits: &mut u64) -> u8 {
    // Meters send 32-bit numbers; dividing those as such is several times cheaper on small processors.
    let digit = match u32::try_from(*digits) {
        Ok(small) => {
            *digits = u64::from(small / 10);
            small % 10
        }
        Err(_) => {
            let digit = *digits % 10;
            *digits /= 10;
            u32::try_from(digit).unwrap_or(0)
        }
    };
    digit.to_le_bytes()[0]
}

/// How many digits a number takes; 1 for zero.
fn digit_count(digits: u64) -> u8 {
    digits.checked_ilog10().map_or(1, |log| log.wrapping_add(1).to_le_bytes()[0])
}

/// `digits × 10^power`, if that fits.
fn times_ten(digits: u64, power: u8) -> Option<u64> {
    digits.checked_mul(10u64.checked_pow(power.into())?)
}

#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::{String, ToString};

    /// The text of a number, written the slow and obvious way.
    fn naive(mantissa: i64, exponent: i8) -> String {
        let mut digits = mantissa.unsigned_abs().to_string();
        if exponent >= 0 {
            if mantissa != 0 {
                digits.push_str(&"0".repeat(exponent.unsigned_abs().into()));
            }
        } else {
            let decimals = usize::from(exponent.unsigned_abs());
            while digits.len() <= decimals {
                digits.insert(0, '0');
            }
            digits.insert(digits.len() - decimals, '.');
        }
        if mantissa < 0 { format!("-{digits}") } else { digits }
    }

    #[test]
    fn text_of_numbers() {
        for (mantissa, exponent, text) in [
            (2392, -1, "239.2"),
            (-63, -3, "-0.063"),
            (10, -2, "0.10"),
            (0, 0, "0"),
            (0, -2, "0.00"),
            (0, 5, "0"),
            (12, 3, "12000"),
            (-1, 0, "-1"),
            (1_581_123, -3, "1581.123"),
            (i64::MIN, 0, "-9223372036854775808"),
            (i64::MAX, -19, "0.9223372036854775807"),
            (5_000_000_000, -1, "500000000.0"),
        ] {
            assert_eq!(Decimal::new(mantissa, exponent).to_string(), text);
        }
    }

    #[test]
    fn the_longest_texts_fit() {
        for (mantissa, exponent) in [(i64::MIN, 127), (i64::MIN, -128), (-1, -128), (i64::MAX, 127)] {
            let text = Decimal::new(mantissa, exponent).text();
            assert_eq!(text.as_str(), naive(mantissa, exponent));
            assert!(text.as_bytes().len() < DecimalText::CAPACITY);
        }
    }

    #[test]
    fn text_honours_width() {
        let value = Decimal::new(-2392, -1);
        assert_eq!(
            format!("[{value:9}] [{value:<9}] [{value:^10}] [{value:09}]"),
            "[   -239.2] [-239.2   ] [  -239.2  ] [-000239.2]"
        );
        assert_eq!(format!("{:+}", Decimal::new(5, 0)), "+5");
        let scaled = Scaled::new(Decimal::new(2392, -1), Unit::VOLT);
        assert_eq!(format!("[{scaled:8}] [{scaled}]"), "[   239.2 V] [239.2 V]");
        assert_eq!(Scaled::new(Decimal::new(7, 0), Unit::NONE).to_string(), "7");
    }

    #[test]
    fn prefixes_scale_exactly() {
        for (prefix, text) in [
            (Prefix::None, "1.5"),
            (Prefix::Kilo, "1500"),
            (Prefix::Mega, "1500000"),
            (Prefix::Giga, "1500000000"),
            (Prefix::Milli, "0.0015"),
        ] {
            let value = Scaled { value: Decimal::new(15, -1), prefix, unit: Unit::WATT };
            assert_eq!(value.to_base().to_string(), text);
            assert_eq!(value.to_string(), format!("1.5 {prefix}W"));
        }
        let edge = Scaled { value: Decimal::new(1, 127), prefix: Prefix::Giga, unit: Unit::WATT };
        assert_eq!(edge.to_base(), Decimal::new(1, 127));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "-", ".", "+.", "1.2.3", "1,2", " 1", "1 ", "1e3", "--1", "0x1", "1-"] {
            assert_eq!(Decimal::parse(text.as_bytes()), Err(DecimalError::Syntax), "{text}");
        }
        assert_eq!(Decimal::parse(b"9223372036854775808"), Err(DecimalError::Range));
        assert_eq!(Decimal::parse(b"-9223372036854775808"), Ok(Decimal::new(i64::MIN, 0)));
        assert_eq!(Decimal::parse(b"99999999999999999999"), Err(DecimalError::Range));
        assert_eq!(Decimal::parse(b".5"), Ok(Decimal::new(5, -1)));
        assert_eq!(Decimal::parse(b"5."), Ok(Decimal::new(5, 0)));
    }

    #[test]
    fn sums_are_exact_or_nothing() {
        let (a, b) = (Decimal::new(15, -1), Decimal::new(25, -2));
        assert_eq!(a.checked_add(b), Some(Decimal::new(175, -2)));
        assert_eq!(a.checked_sub(b), Some(Decimal::new(125, -2)));
        assert_eq!(a.checked_mul(-3), Some(Decimal::new(-45, -1)));
        assert_eq!(Decimal::new(i64::MIN, 0).checked_neg(), None);
        assert_eq!(Decimal::new(i64::MAX, 0).checked_add(Decimal::new(1, 0)), None);
        assert_eq!(Decimal::new(1, 127).checked_add(Decimal::new(1, -128)), None);
        assert_eq!(Decimal::new(1, 127).checked_shift(1), None);
        assert_eq!(Decimal::new(1500, -3).to_integer(), None);
        assert_eq!(Decimal::new(15000, -3).to_integer(), Some(15));
        assert_eq!(Decimal::new(100, 126).normalized(), Decimal::new(10, 127));
    }

    proptest! {
        #[test]
        fn text_is_that_of_the_naive_model(mantissa: i64, small in -100_000i64..100_000, exponent: i8) {
            for mantissa in [mantissa, small] {
                let decimal = Decimal::new(mantissa, exponent);
                let text = naive(mantissa, exponent);
                prop_assert_eq!(decimal.to_string(), &*text);
                let mut exact = std::vec![0; text.len()];
                prop_assert_eq!(decimal.encode(&mut exact), Some(text.len()));
                prop_assert_eq!(decimal.encode(&mut exact[1..]), None);
            }
        }

        #[test]
        fn text_round_trips(mantissa: i64, exponent in -128i8..=0) {
            let decimal = Decimal::new(mantissa, exponent);
            prop_assert_eq!(decimal.to_string().parse(), Ok(decimal));
        }

        /// Text of equal length and equal places orders like the numbers.
        #[test]
        fn comparison_is_that_of_the_text(
            a: i64, b: i64, small_a in -2000i64..2000, small_b in -2000i64..2000, x in -25i8..25, y in -25i8..25,
        ) {
            for (a, b) in [(a, b), (small_a, small_b), (a, small_b)] {
                let key = |mantissa: i64, exponent: i8| {
                    let text = naive(mantissa.abs_diff(0).try_into().unwrap_or(i64::MAX), exponent);
                    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                    format!("{whole:0>50}.{fraction:0<50}")
                };
                let expected = match (a.signum(), b.signum()) {
                    (1, 1) => key(a, x).cmp(&key(b, y)),
                    (-1, -1) => key(b, y).cmp(&key(a, x)),
                    (a, b) => a.cmp(&b),
                };
                prop_assert_eq!(Decimal::new(a, x).compare(Decimal::new(b, y)), expected);
            }
        }

        #[test]
        fn rescaling_and_normalising_keep_the_number(mantissa: i64, small: i16, exponent: i8, to: i8) {
            for mantissa in [mantissa, small.into()] {
                let decimal = Decimal::new(mantissa, exponent);
                prop_assert!(decimal.compare(decimal.normalized()).is_eq());
                if let Some(other) = decimal.rescale(to) {
                    prop_assert_eq!(other.exponent, to);
                    prop_assert!(decimal.compare(other).is_eq());
                }
            }
        }
    }
}
