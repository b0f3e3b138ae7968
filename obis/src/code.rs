//! The OBIS code itself: six value groups, and every way they are written (IEC 62056-6-1, clause 4).

use core::fmt;
use core::str::FromStr;

use nom::branch::alt;
use nom::combinator::opt;
use nom::error::{ErrorKind, ParseError};
use nom::sequence::{preceded, terminated};
use nom::{Err, IResult, Parser};

/// An OBIS code: the name of one quantity of one meter, as six value groups A to F (IEC 62056-6-1).
///
/// Octets: `A B C D E F`. A is the medium (0 abstract, 1 electricity, 7 gas, …), B the channel, C the quantity,
/// D how it is processed, E the tariff (or harmonic, or direction), F the billing period (255: the current one).
///
/// Codes order by group, A first, which is also the order of their octets.
///
/// ```
/// use obis::Obis;
/// const IMPORT: Obis = Obis::new(1, 0, 1, 8, 0, 255);
/// assert_eq!(Obis::parse(b"1-0:1.8.0"), Ok(IMPORT));
/// assert_eq!(format!("{IMPORT} {IMPORT:#}"), "1-0:1.8.0*255 1-0:1.8.0");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Obis([u8; 6]);

impl Obis {
    /// A code from its six value groups.
    #[must_use]
    pub const fn new(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) -> Self {
        Self([a, b, c, d, e, f])
    }

    /// A code from the six octets that stand for it on the wire (a COSEM logical name).
    #[must_use]
    pub const fn from_octets(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// A code from a slice, if that is exactly six octets.
    #[must_use]
    pub const fn from_slice(octets: &[u8]) -> Option<Self> {
        match *octets {
            [a, b, c, d, e, f] => Some(Self([a, b, c, d, e, f])),
            _ => None,
        }
    }

    /// The six octets on the wire, A first.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Value group A: the medium.
    #[must_use]
    pub const fn a(self) -> u8 {
        let [a, ..] = self.0;
        a
    }

    /// Value group B: the channel.
    #[must_use]
    pub const fn b(self) -> u8 {
        let [_, b, ..] = self.0;
        b
    }

    /// Value group C: the quantity.
    #[must_use]
    pub const fn c(self) -> u8 {
        let [_, _, c, ..] = self.0;
        c
    }

    /// Value group D: the type of processing.
    #[must_use]
    pub const fn d(self) -> u8 {
        let [_, _, _, d, ..] = self.0;
        d
    }

    /// Value group E: tariff, harmonic, direction or a further distinction.
    #[must_use]
    pub const fn e(self) -> u8 {
        let [_, _, _, _, e, _] = self.0;
        e
    }

    /// Value group F: the billing period; 255 where there is none.
    #[must_use]
    pub const fn f(self) -> u8 {
        let [.., f] = self.0;
        f
    }

    /// Reads a code from text, all of it.
    ///
    /// | form | example | taken as |
    /// |---|---|---|
    /// | full | `1-0:1.8.0*255`, `1-0:1.8.0.255`, `1-0:1.8.0&255` | |
    /// | reduced | `1-0:1.8.0` | F = 255 |
    /// | without medium and channel | `1.8.0`, `1.8.0*1` | A = 1, B = 0 |
    /// | without one of the two | `0:96.7.19`, `0-96.7.19` | the number is A; B = 0 |
    /// | without E | `1-0:1.8`, `F.F` | E = 0 |
    /// | six decimal groups | `1.0.1.8.0.255` | |
    /// | letters for C and D (IEC 62056-21) | `C.1.0`, `L.1.0` | C, F, L, P = 96, 97, 98, 99 |
    /// | twelve hexadecimal digits | `0100010800FF` | the octets |
    ///
    /// # Errors
    ///
    /// [`ObisError`] says what is wrong with the text. No white space is skipped.
    pub fn parse(text: &[u8]) -> Result<Self, ObisError> {
        match Self::parse_prefix(text)? {
            (code, []) => Ok(code),
            _ => Err(ObisError::Trailing),
        }
    }

    /// Reads a code at the front of `text`, in any form of [`Obis::parse`], and hands back what follows it.
    ///
    /// # Errors
    ///
    /// As [`Obis::parse`], without [`ObisError::Trailing`].
    pub fn parse_prefix(text: &[u8]) -> Result<(Self, &[u8]), ObisError> {
        match any_form(text) {
            Ok((rest, code)) => Ok((code, rest)),
            Err(Err::Error(error) | Err::Failure(error)) => Err(error),
            Err(Err::Incomplete(_)) => Err(ObisError::Syntax),
        }
    }

    /// Reads the plain forms `A-B:C.D.E` and `A-B:C.D.E*F` in a constant; `None` for anything else.
    ///
    /// The macro [`obis!`](crate::obis!) uses it so that a wrong code does not compile.
    #[must_use]
    pub const fn from_text(text: &str) -> Option<Self> {
        let mut groups = [0u16, 0, 0, 0, 0, 255];
        let (mut at, mut digits) = (0u8, 0u8);
        let mut rest = text.as_bytes();
        while let [first, tail @ ..] = rest {
            rest = tail;
            let [a, b, c, d, e, f] = &mut groups;
            // What ends a group; nothing ends the last.
            let (group, end) = match at {
                0 => (a, Some(b'-')),
                1 => (b, Some(b':')),
                2 => (c, Some(b'.')),
                3 => (d, Some(b'.')),
                4 => (e, Some(b'*')),
                _ => (f, None),
            };
            if first.is_ascii_digit() {
                if digits == 3 {
                    return None;
                }
                let so_far = if digits == 0 { 0 } else { *group };
                *group = so_far.wrapping_mul(10).wrapping_add(first.wrapping_sub(b'0') as u16);
                digits = digits.wrapping_add(1);
                if *group > 255 {
                    return None;
                }
            } else if let Some(end) = end
                && *first == end
                && digits != 0
            {
                at = at.wrapping_add(1);
                digits = 0;
            } else {
                return None;
            }
        }
        if at < 4 || digits == 0 {
            return None;
        }
        let [a, b, c, d, e, f] = groups;
        Some(Self([low(a), low(b), low(c), low(d), low(e), low(f)]))
    }

    /// The full text form, `1-0:1.8.0*255`, in a small buffer of its own: the fast way to text.
    #[must_use]
    pub fn text(self) -> ObisText {
        ObisText::of(self, true)
    }

    /// The reduced text form, `1-0:1.8.0`; F is written only where it is not 255, so that nothing is lost.
    #[must_use]
    pub fn reduced_text(self) -> ObisText {
        ObisText::of(self, self.f() != 255)
    }
}

/// An [`Obis`] code from text, checked when the program is compiled: `obis!("1-0:1.8.0")`.
///
/// ```
/// let import = obis::obis!("1-0:1.8.0");
/// assert_eq!(import, obis::Obis::new(1, 0, 1, 8, 0, 255));
/// ```
/// ```compile_fail
/// let wrong = obis::obis!("1-0:1.8.256");
/// ```
#[macro_export]
macro_rules! obis {
    ($text:expr) => {
        const {
            match $crate::Obis::from_text($text) {
                ::core::option::Option::Some(code) => code,
                ::core::option::Option::None => {
                    panic!("not an OBIS code of the form A-B:C.D.E or A-B:C.D.E*F")
                }
            }
        }
    };
}

impl From<[u8; 6]> for Obis {
    fn from(octets: [u8; 6]) -> Self {
        Self(octets)
    }
}

impl From<Obis> for [u8; 6] {
    fn from(code: Obis) -> Self {
        code.0
    }
}

impl FromStr for Obis {
    type Err = ObisError;

    fn from_str(text: &str) -> Result<Self, ObisError> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for Obis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if f.alternate() { self.reduced_text() } else { self.text() };
        f.pad(text.as_str())
    }
}

impl fmt::Debug for Obis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_str())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Obis {
    fn format(&self, fmt: defmt::Formatter<'_>) {
        let [a, b, c, d, e, f] = self.0;
        defmt::write!(fmt, "{=u8}-{=u8}:{=u8}.{=u8}.{=u8}*{=u8}", a, b, c, d, e, f);
    }
}

/// The text of an [`Obis`] code, at most 23 octets, held inline.
#[derive(Clone, Copy)]
pub struct ObisText {
    text: [u8; 24],
    len: u8,
}

impl ObisText {
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

    fn of(code: Obis, with_f: bool) -> Self {
        let mut text = Self { text: [0; 24], len: 0 };
        let [a, b, c, d, e, f] = code.0;
        text.group(a);
        text.push(b'-');
        text.group(b);
        text.push(b':');
        text.group(c);
        text.push(b'.');
        text.group(d);
        text.push(b'.');
        text.group(e);
        if with_f {
            text.push(b'*');
            text.group(f);
        }
        text
    }

    fn push(&mut self, octet: u8) {
        if let Some(place) = self.text.get_mut(usize::from(self.len)) {
            *place = octet;
            self.len = self.len.wrapping_add(1);
        }
    }

    fn group(&mut self, value: u8) {
        let (hundreds, rest) = (value / 100, value % 100);
        if hundreds != 0 {
            self.push(b'0'.wrapping_add(hundreds));
        }
        if value >= 10 {
            self.push(b'0'.wrapping_add(rest / 10));
        }
        self.push(b'0'.wrapping_add(rest % 10));
    }
}

impl AsRef<str> for ObisText {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ObisText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ObisText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// What is wrong with the text of an OBIS code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ObisError {
    /// It has the shape of no form of an OBIS code.
    Syntax,
    /// A value group is above 255.
    Group,
    /// A code, and then something else.
    Trailing,
}

impl fmt::Display for ObisError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Syntax => "not an obis code",
            Self::Group => "value group above 255",
            Self::Trailing => "text after the obis code",
        })
    }
}

impl core::error::Error for ObisError {}

impl ParseError<&[u8]> for ObisError {
    fn from_error_kind(_: &[u8], _: ErrorKind) -> Self {
        Self::Syntax
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, ObisError>;

/// Tries the forms that cannot be mistaken for one another; the commonest first.
fn any_form(text: &[u8]) -> Parsed<'_, Obis> {
    alt((separated, hexadecimal)).parse(text)
}

/// One given octet. nom's `char` steps by the length of a UTF-8 character, which leaves panic code in programs for AVR.
fn octet<'a>(wanted: u8) -> impl Fn(&'a [u8]) -> Parsed<'a, u8> {
    move |text| match text {
        [octet, rest @ ..] if *octet == wanted => Ok((rest, *octet)),
        _ => Err(Err::Error(ObisError::from_error_kind(text, ErrorKind::Char))),
    }
}

/// `[A-][B:]C.D[.E][*F]`, and the all-dots form `A.B.C.D.E.F`.
fn separated(text: &[u8]) -> Parsed<'_, Obis> {
    let (rest, (a, b)) = medium_and_channel(text)?;
    let (rest, c) = terminated(quantity, octet(b'.')).parse(rest)?;
    let (rest, d) = quantity(rest)?;
    let (rest, e) = opt(preceded(octet(b'.'), group)).parse(rest)?;
    let (rest, f) = match e {
        Some(_) => opt(preceded(alt((octet(b'*'), octet(b'.'), octet(b'&'))), group)).parse(rest)?,
        None => opt(preceded(alt((octet(b'*'), octet(b'&'))), group)).parse(rest)?,
    };
    // Two groups more without a medium in front: it was A.B.C.D.E.F all along.
    if let (None, Some(e), Some(f), [b'.', ..]) = (a, e, f, rest) {
        let (rest, e5) = preceded(octet(b'.'), group).parse(rest)?;
        let (rest, f6) = preceded(octet(b'.'), group).parse(rest)?;
        return Ok((rest, Obis([c, d, e, f, e5, f6])));
    }
    Ok((rest, Obis([a.unwrap_or(1), b.unwrap_or(0), c, d, e.unwrap_or(0), f.unwrap_or(255)])))
}

/// `A-B:`, `A-`, `A:` or nothing.
fn medium_and_channel(text: &[u8]) -> Parsed<'_, (Option<u8>, Option<u8>)> {
    let Ok((rest, first)) = group(text) else { return Ok((text, (None, None))) };
    match rest {
        [b':', rest @ ..] => Ok((rest, (Some(first), None))),
        [b'-', after @ ..] => match terminated(group, octet(b':')).parse(after) {
            Ok((rest, second)) => Ok((rest, (Some(first), Some(second)))),
            Err(Err::Failure(error)) => Err(Err::Failure(error)),
            Err(_) => Ok((after, (Some(first), None))),
        },
        _ => Ok((text, (None, None))),
    }
}

/// Value group C or D: a number, or the letter that IEC 62056-21 shortens it to.
fn quantity(text: &[u8]) -> Parsed<'_, u8> {
    match text {
        [b'C', rest @ ..] => Ok((rest, 96)),
        [b'F', rest @ ..] => Ok((rest, 97)),
        [b'L', rest @ ..] => Ok((rest, 98)),
        [b'P', rest @ ..] => Ok((rest, 99)),
        _ => group(text),
    }
}

/// One to three decimal digits, at most 255.
fn group(text: &[u8]) -> Parsed<'_, u8> {
    let (mut value, mut rest, mut digits) = (0u16, text, 0u8);
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        if digits == 3 {
            return Err(hard(text));
        }
        value = value.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0')));
        digits = digits.wrapping_add(1);
        rest = tail;
    }
    match u8::try_from(value) {
        Ok(value) if digits != 0 => Ok((rest, value)),
        Ok(_) => Err(Err::Error(ObisError::Syntax)),
        Err(_) => Err(hard(text)),
    }
}

/// A number above 255 ends the matter, unless it may be the start of twelve hexadecimal digits.
fn hard(text: &[u8]) -> Err<ObisError> {
    match text.get(..12) {
        Some(front) if front.iter().all(u8::is_ascii_hexdigit) => Err::Error(ObisError::Group),
        _ => Err::Failure(ObisError::Group),
    }
}

/// Twelve hexadecimal digits in either case.
fn hexadecimal(text: &[u8]) -> Parsed<'_, Obis> {
    let mut octets = [0u8; 6];
    let mut rest = text;
    for octet in &mut octets {
        let [high, low, tail @ ..] = rest else { return Err(Err::Error(ObisError::Syntax)) };
        let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low)) else {
            return Err(Err::Error(ObisError::Syntax));
        };
        *octet = (high << 4) | low;
        rest = tail;
    }
    Ok((rest, Obis(octets)))
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(digit.wrapping_sub(b'a').wrapping_add(10)),
        b'A'..=b'F' => Some(digit.wrapping_sub(b'A').wrapping_add(10)),
        _ => None,
    }
}

const fn low(value: u16) -> u8 {
    let [_, low] = value.to_be_bytes();
    low
}

#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    fn code(text: &str) -> Result<[u8; 6], ObisError> {
        Obis::parse(text.as_bytes()).map(Obis::octets)
    }

    #[test]
    fn nothing_follows_the_last_group_of_a_constant() {
        for text in ["1-0:1.8.0*2\0", "1-0:1.8.0*2\x006", "1-0:1.8.0*255*1", "1-0:1.8.0*"] {
            assert_eq!(Obis::from_text(text), None, "{text:?}");
        }
        assert_eq!(Obis::from_text("1-0:1.8.0*26"), Some(Obis::new(1, 0, 1, 8, 0, 26)));
    }

    #[test]
    fn every_written_form_is_read() {
        let import = Ok([1, 0, 1, 8, 0, 255]);
        for text in [
            "1-0:1.8.0*255",
            "1-0:1.8.0",
            "1.8.0",
            "1-0:1.8.0.255",
            "1.8.0.255",
            "1.8.0*255",
            "1.0.1.8.0.255",
            "0100010800FF",
            "0100010800ff",
            "1-0:01.08.00",
            "1:1.8.0",
            "1-1.8.0",
            "1-0:1.8",
            "1-0:1.8*255",
        ] {
            assert_eq!(code(text), import, "{text}");
        }
        assert_eq!(code("0:96.7.19"), Ok([0, 0, 96, 7, 19, 255]));
        assert_eq!(code("1.8.0*12"), Ok([1, 0, 1, 8, 0, 12]));
        assert_eq!(code("1.8.0&12"), Ok([1, 0, 1, 8, 0, 12]));
        assert_eq!(code("F.F"), Ok([1, 0, 97, 97, 0, 255]));
        assert_eq!(code("0-0:C.1.0"), Ok([0, 0, 96, 1, 0, 255]));
        assert_eq!(code("255.255.255.255.255.255"), Ok([255; 6]));
        assert_eq!(code("999999999999"), Ok([0x99; 6]));
    }

    #[test]
    fn what_is_no_code_is_refused() {
        use ObisError::{Group, Syntax, Trailing};
        for (text, error) in [
            ("", Syntax),
            ("1", Syntax),
            ("1-0:", Syntax),
            ("1-0:1", Syntax),
            ("1-0:1.", Syntax),
            ("hello", Syntax),
            ("-0:1.8.0", Syntax),
            ("1--0:1.8.0", Syntax),
            ("1-0:1.8.0*", Trailing),
            ("1-0:1.8.0 ", Trailing),
            ("1-0:1.8.0*255*1", Trailing),
            ("1-0:256.8.0", Group),
            ("256-0:1.8.0", Group),
            ("1-256:1.8.0", Group),
            ("1-0:1.8.1000", Group),
            ("0100010800F", Group),
            ("0100010800FF0", Trailing),
            ("1.0.1.8.0", Syntax),
            ("1.0.1.8.0.255.7", Trailing),
        ] {
            assert_eq!(Obis::parse(text.as_bytes()), Err(error), "{text}");
        }
    }

    #[test]
    fn a_code_in_front_of_a_value_is_split_off() {
        let (code, rest) = Obis::parse_prefix(b"1-0:1.8.0(000123.456*kWh)").unwrap();
        assert_eq!((code, rest), (Obis::new(1, 0, 1, 8, 0, 255), &b"(000123.456*kWh)"[..]));
    }

    #[test]
    fn text_honours_width_and_alternate() {
        let import = crate::obis!("1-0:1.8.0");
        assert_eq!(format!("[{import:>15}] [{import:<#11}]"), "[  1-0:1.8.0*255] [1-0:1.8.0  ]");
        assert_eq!(format!("{:#}", Obis::new(1, 0, 1, 8, 0, 3)), "1-0:1.8.0*3");
        assert_eq!(Obis::from_octets([255; 6]).text().as_str(), "255-255:255.255.255*255");
    }

    proptest! {
        #[test]
        fn text_round_trips(octets: [u8; 6]) {
            let code = Obis::from_octets(octets);
            prop_assert_eq!(code.to_string().parse(), Ok(code));
            prop_assert_eq!(format!("{code:#}").parse(), Ok(code));
            let [a, b, c, d, e, f] = octets;
            prop_assert_eq!(code.to_string(), format!("{a}-{b}:{c}.{d}.{e}*{f}"));
            prop_assert_eq!(format!("{a}.{b}.{c}.{d}.{e}.{f}").parse(), Ok(code));
            prop_assert_eq!(format!("{a:02X}{b:02x}{c:02X}{d:02X}{e:02X}{f:02x}").parse(), Ok(code));
            prop_assert_eq!(Obis::from_text(&code.to_string()), Some(code));
        }

        /// The parser for constants knows fewer forms, and reads them alike.
        #[test]
        fn both_parsers_agree(text in "[0-9]{1,3}[-:.][0-9]{1,4}[-:.][0-9]{0,3}[.][0-9]{1,3}[.*][0-9]{1,3}([*.][0-9]{1,3})?") {
            if let Some(code) = Obis::from_text(&text) {
                prop_assert_eq!(text.parse(), Ok(code));
            }
        }

        #[test]
        fn any_octets_are_an_answer(text: std::vec::Vec<u8>) {
            let _ = Obis::parse(&text);
        }

        #[test]
        fn order_is_by_groups(left: [u8; 6], right: [u8; 6]) {
            prop_assert_eq!(Obis::from_octets(left).cmp(&Obis::from_octets(right)), left.cmp(&right));
        }
    }
}
