//! Points in time as telegrams write them, the impossible ones included.

use core::fmt;

/// The letter behind a timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Season {
    /// `S`: daylight saving time.
    Summer,
    /// `W`: standard time.
    Winter,
    /// None, as in DSMR 2.2 and 3.0.
    Unknown,
    /// Another letter.
    Other(u8),
}

/// A point in time, `YYMMDDhhmmssX`: the digits as sent, whether or not there is such a date.
///
/// M-Bus channels with no device send `632525252525S`, meters that never had the time `000101010000W`.
/// [`Timestamp::is_valid`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Timestamp {
    /// Of the century that starts with 2000, 0–99.
    pub year: u8,
    /// 1–12, if possible.
    pub month: u8,
    /// 1–31, if possible.
    pub day: u8,
    /// 0–23, if possible.
    pub hour: u8,
    /// 0–59, if possible.
    pub minute: u8,
    /// 0–59, if possible; 0 where it is not sent.
    pub second: u8,
    /// Daylight saving or standard time.
    pub season: Season,
}

impl Timestamp {
    /// Reads any form seen in telegrams: `YYMMDDhhmmss` with or without a letter, `YYMMDDhhmm`, `20YYMMDD hh:mm:ss`,
    /// `20YYMMDDhhmmss`, `YY-MM-DD hh:mm:ss`, `20YY-MM-DD hh:mm:ss`.
    ///
    /// `None`: it is none of them. As numbers of 10, 12 or 14 digits are read too, ask only where a time is due;
    /// [`Value::content`](crate::Value::content) takes only forms that cannot be numbers.
    #[must_use]
    #[inline]
    pub fn parse(text: &[u8]) -> Option<Self> {
        match text {
            [y0, y1, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1, letter] => {
                let season = match letter {
                    b'W' | b'w' => Season::Winter,
                    b'S' | b's' => Season::Summer,
                    other if other.is_ascii_alphabetic() => Season::Other(*other),
                    _ => return None,
                };
                Self::of([y0, y1, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1].map(|digit| *digit), season)
            }
            _ => Self::parse_odd(text),
        }
    }

    fn parse_odd(text: &[u8]) -> Option<Self> {
        let mut digits = [b'0'; 14];
        let mut count = 0usize;
        for octet in text {
            match octet {
                b'0'..=b'9' => {
                    *digits.get_mut(count)? = *octet;
                    count = count.checked_add(1)?;
                }
                // Only between groups, of which each has two digits at least.
                b' ' | b':' | b'-' | b'T' if count >= 2 && count.is_multiple_of(2) => {}
                _ => return None,
            }
        }
        let digits = match (count, digits) {
            (10 | 12, [front @ .., _, _]) => front,
            (14, [b'2', b'0', rest @ ..]) => rest,
            _ => return None,
        };
        Self::of(digits, Season::Unknown)
    }

    #[inline]
    fn of(digits: [u8; 12], season: Season) -> Option<Self> {
        // All digits at once: each is 30 to 39 exactly if adding 6 to its low half does not carry, and its high half is 3.
        let (mut high, mut low) = (0u8, 0u8);
        for digit in digits {
            high |= digit ^ 0x30;
            low |= (digit & 0x0F).wrapping_add(6);
        }
        if (high & 0xF0) | (low & 0x10) != 0 {
            return None;
        }
        let [y0, y1, m0, m1, d0, d1, h0, h1, n0, n1, s0, s1] = digits;
        let two = |tens: u8, ones: u8| (tens & 0x0F).wrapping_mul(10).wrapping_add(ones & 0x0F);
        Some(Self {
            year: two(y0, y1),
            month: two(m0, m1),
            day: two(d0, d1),
            hour: two(h0, h1),
            minute: two(n0, n1),
            second: two(s0, s1),
            season,
        })
    }

    /// Whether the calendar and the clock have such a point in time.
    #[must_use]
    pub const fn is_valid(self) -> bool {
        self.month >= 1
            && self.month <= 12
            && self.day >= 1
            && self.day <= days(self.year, self.month)
            && self.hour <= 23
            && self.minute <= 59
            && self.second <= 59
    }

    /// The year with its century, 2000–2099.
    #[must_use]
    pub const fn full_year(self) -> u16 {
        (self.year as u16).wrapping_add(2000)
    }

    /// Seconds since 2000-01-01 00:00:00 by the clock on the wall; `None` for an impossible time.
    ///
    /// An hour repeats when daylight saving ends; [`Timestamp::unix_seconds`] does not.
    #[must_use]
    pub fn local_seconds(self) -> Option<u32> {
        if !self.is_valid() {
            return None;
        }
        let year = u32::from(self.year);
        // Every fourth year from 2000 to 2099 is a leap year.
        let mut total = year.wrapping_mul(365).wrapping_add(year.div_ceil(4));
        let mut month = 1;
        while month < self.month {
            total = total.wrapping_add(days(self.year, month).into());
            month = month.wrapping_add(1);
        }
        let total = total.wrapping_add(u32::from(self.day)).wrapping_sub(1);
        let hours = total.wrapping_mul(24).wrapping_add(self.hour.into());
        let minutes = hours.wrapping_mul(60).wrapping_add(self.minute.into());
        Some(minutes.wrapping_mul(60).wrapping_add(self.second.into()))
    }

    /// How far the clock is ahead of UTC, minutes: `winter` (60 in the Netherlands, 120 in Lithuania) and an hour more
    /// in summer. `None` where the season is not known.
    #[must_use]
    pub const fn offset(self, winter: i16) -> Option<i16> {
        match self.season {
            Season::Winter => Some(winter),
            Season::Summer => Some(winter.saturating_add(60)),
            Season::Unknown | Season::Other(_) => None,
        }
    }

    /// Seconds since 1970-01-01 00:00:00 UTC; `None` for an impossible time or one with no season.
    #[must_use]
    pub fn unix_seconds(self, winter: i16) -> Option<i64> {
        let local = i64::from(self.local_seconds()?);
        let offset = i64::from(self.offset(winter)?).wrapping_mul(60);
        Some(local.wrapping_add(946_684_800).wrapping_sub(offset))
    }

    /// ISO 8601 text, `2016-11-13T20:57:57+01:00`; without the offset where the season is not known. `winter` as in
    /// [`Timestamp::offset`]. An impossible time is written the same way, digits as sent.
    #[must_use]
    pub const fn iso(self, winter: i16) -> Iso {
        Iso { time: self, winter }
    }
}

const fn days(year: u8, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Timestamp {
    /// `2016-11-13T20:57:57W`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)?;
        match self.season {
            Season::Summer => f.write_str("S"),
            Season::Winter => f.write_str("W"),
            Season::Unknown => Ok(()),
            Season::Other(letter) => write!(f, "{}", char::from(letter)),
        }
    }
}

impl Timestamp {
    fn write(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second, .. } = self;
        let date = [(b'0', year), (b'-', month), (b'-', day)];
        let time = [(b'T', hour), (b':', minute), (b':', second)];
        f.write_str("2")?;
        date.into_iter().chain(time).try_for_each(|(mark, number)| marked(f, mark, number.into()))
    }
}

/// A mark and a number of two digits or more. A telegram has a dozen of these, and the general way takes as long as reading them.
fn marked(f: &mut fmt::Formatter<'_>, mark: u8, number: u16) -> fmt::Result {
    if number > 99 {
        return write!(f, "{}{number}", char::from(mark));
    }
    let digit = |number: u16| b'0' | u8::try_from(number.rem_euclid(10)).unwrap_or(0);
    let text = [mark, digit(number.div_euclid(10)), digit(number)];
    f.write_str(str::from_utf8(&text).unwrap_or_default())
}

/// Text of [`Timestamp::iso`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iso {
    time: Timestamp,
    winter: i16,
}

impl fmt::Display for Iso {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.time.write(f)?;
        match self.time.offset(self.winter) {
            None => Ok(()),
            Some(offset) => {
                let size = offset.unsigned_abs();
                marked(f, if offset < 0 { b'-' } else { b'+' }, size.div_euclid(60))?;
                marked(f, b':', size.rem_euclid(60))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn every_form_seen() {
        let expected = Timestamp { season: Season::Unknown, ..time("240111093500W") };
        for text in [
            "240111093500",
            "2401110935",
            "20240111 09:35:00",
            "20240111093500",
            "24-01-11 09:35:00",
            "2024-01-11 09:35:00",
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        assert_eq!(time("220201000000T").season, Season::Other(b'T'));
        for text in
            ["", "24011109350", "2401110935001", "24011109350OW", "19990111093500", "24:01", "-240111093500"]
        {
            assert_eq!(Timestamp::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn impossible_times_are_kept_and_told() {
        for text in ["632525252525S", "250000000000W", "230229000000W", "000101240000W", "000100000000W"] {
            assert!(!time(text).is_valid(), "{text}");
            assert_eq!(time(text).local_seconds(), None);
        }
        assert_eq!(time("632525252525S").minute, 25);
        assert!(time("240229235959W").is_valid());
        assert!(time("000101000000W").is_valid());
    }

    #[test]
    fn seconds_and_text() {
        assert_eq!(time("000101000000W").local_seconds(), Some(0));
        assert_eq!(time("161113205757W").unix_seconds(60), Some(1_479_067_077));
        assert_eq!(time("200512135409S").unix_seconds(60), Some(1_589_284_449));
        assert_eq!(time("161113205757W").iso(60).to_string(), "2016-11-13T20:57:57+01:00");
        assert_eq!(time("200512135409S").iso(120).to_string(), "2020-05-12T13:54:09+03:00");
        assert_eq!(time("200512135409").iso(60).to_string(), "2020-05-12T13:54:09");
        assert_eq!(time("200512135409W").iso(-30).to_string(), "2020-05-12T13:54:09-00:30");
        assert_eq!(time("632525252525S").to_string(), "2063-25-25T25:25:25S");
    }
}
