//! A whole telegram, borrowed.

use crate::check::Check;
use crate::error::{Error, ErrorKind};
use crate::framing::is_line_end;
use crate::line::{DataLine, DataLines};

/// A telegram from `/` to the line end of its check line.
///
/// `/` identification CR LF CR LF { data line CR LF } `!` check CR LF
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Telegram<'a> {
    octets: &'a [u8],
    check: Check,
}

impl<'a> Telegram<'a> {
    /// The telegram at the front of `octets` with a check that is good or absent, and what follows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] where the octets end, or another telegram begins, before the check line is ended;
    /// [`ErrorKind::Check`]; [`ErrorKind::Noise`] where `octets` does not begin with a telegram.
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        if octets.first() != Some(&b'/') {
            let lost = octets.iter().position(|octet| *octet == b'/').unwrap_or(octets.len());
            return Err(Error { kind: ErrorKind::Noise, lost: crate::decoder::wrapped(lost) });
        }
        let mut telegrams = crate::decoder::telegrams(octets);
        let first = telegrams.next().unwrap_or(Err(Error { kind: ErrorKind::Noise, lost: 0 }))?;
        Ok((first, octets.get(telegrams.position()..).unwrap_or_default()))
    }

    /// A telegram that is taken as one whatever it is: for a look into what failed its check or was cut short.
    #[must_use]
    pub const fn lenient(octets: &'a [u8]) -> Self {
        Self { octets, check: Check::Bad }
    }

    pub(crate) const fn framed(octets: &'a [u8], check: Check) -> Self {
        Self { octets, check }
    }

    /// From `/` to the line end of the check line.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// What is known of the check. `Missing` is told from `Absent` here, by a look at the lines.
    #[must_use]
    pub fn check(&self) -> Check {
        match self.check {
            Check::Absent if self.says_four_or_later() => Check::Missing,
            check => check,
        }
    }

    fn says_four_or_later(&self) -> bool {
        identification_says(self.identification()) || self.any_line(line_says_four_or_later)
    }

    /// Whether a check must have been cut off: the version says so, or the time has a season, which came with the check.
    pub(crate) fn should_have_check(&self) -> bool {
        self.says_four_or_later() || self.any_line(line_has_season)
    }

    /// Whether a line says so, with what follows it. Line by line as they stand, as line mode looks at them: what continues a line says
    /// nothing of its own.
    fn any_line(&self, says: fn(&[u8]) -> bool) -> bool {
        let mut rest = self.octets;
        while let Some(at) = crate::wide::find_line_end(rest) {
            rest = rest.get(at.saturating_add(1)..).unwrap_or_default();
            if says(rest) {
                return true;
            }
        }
        false
    }

    /// The identification without `/`: the manufacturer's three letters, a digit for the speed, the meter's own text.
    #[must_use]
    pub fn identification(&self) -> &'a [u8] {
        let text = self.octets.strip_prefix(b"/").unwrap_or(self.octets);
        let len = text.iter().position(|octet| is_line_end(*octet)).unwrap_or(text.len());
        text.get(..len).unwrap_or_default().trim_ascii_end()
    }

    /// The data lines, each with the lines that continue it.
    #[must_use]
    #[inline]
    pub fn lines(&self) -> DataLines<'a> {
        let len = crate::wide::find_line_end(self.octets).unwrap_or(self.octets.len());
        DataLines::new(self.octets.get(len..).unwrap_or_default())
    }

    /// The first line with this code; F does not matter.
    #[must_use]
    pub fn line(&self, code: obis::Obis) -> Option<DataLine<'a>> {
        let [a, b, c, d, e, _] = code.octets();
        self.lines().find(|line| {
            line.code().is_some_and(
                |found| matches!(found.octets(), [x, y, z, v, w, _] if [x, y, z, v, w] == [a, b, c, d, e]),
            )
        })
    }
}

impl core::fmt::Debug for Telegram<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Telegram")
            .field("identification", &format_args!("{}", self.identification().escape_ascii()))
            .field("check", &self.check())
            .field("lines", &self.lines().count())
            .finish()
    }
}

/// What an identification says of its version so far, octet by octet: `SMR 5.5`, `DSMR4.0` and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(u8);

impl Version {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const FOUR_OR_LATER: Self = Self(4);

    /// Takes the next octet.
    pub(crate) fn feed(&mut self, octet: u8) {
        // How many letters of SMR were the last ones.
        self.0 = match (self.0, octet) {
            (4, _) | (3, b'4'..=b'9') => 4,
            (3, b' ' | b'\t' | b'\x0C') => 3,
            (2, b'R' | b'r') => 3,
            (1, b'M' | b'm') => 2,
            (_, b'S' | b's') => 1,
            _ => 0,
        };
    }
}

fn identification_says(identification: &[u8]) -> bool {
    let mut version = Version::NONE;
    identification.iter().for_each(|octet| version.feed(*octet));
    version == Version::FOUR_OR_LATER
}

/// The time object with the letter that came with DSMR 4: `0-0:1.0.0(161113205757W)`.
// As a pattern the code costs half the cycles that a comparison of slices takes on an AVR.
pub(crate) fn line_has_season(line: &[u8]) -> bool {
    let [b'0', b'-', b'0', b':', b'1', b'.', b'0', b'.', b'0', rest @ ..] = line else { return false };
    // A line end among the digits, or what the next line goes on with, makes no time of them: line mode has neither.
    value(rest).split_first_chunk::<12>().is_some_and(|(digits, rest)| {
        rest.first().is_some_and(u8::is_ascii_alphabetic) && digits.iter().all(|octet| *octet >= b'0')
    })
}

/// The version object of DSMR 4 and later, or of e-MUCS.
pub(crate) fn line_says_four_or_later(line: &[u8]) -> bool {
    let ([b'1', b'-', b'3', b':', b'0', b'.', b'2', b'.', b'8', rest @ ..]
    | [b'0', b'-', b'0', b':', b'9', b'6', b'.', b'1', b'.', b'4', rest @ ..]) = line
    else {
        return false;
    };
    matches!(value(rest.strip_prefix(b"*255").unwrap_or(rest)), [b'4'..=b'9', b'0'..=b'9', ..])
}

/// What stands in the parenthesis at the front, which may stand on a line of its own, and behind it.
fn value(rest: &[u8]) -> &[u8] {
    let at = rest.iter().take_while(|octet| is_line_end(**octet)).count();
    rest.get(at..).and_then(|rest| rest.strip_prefix(b"(")).unwrap_or_default()
}
