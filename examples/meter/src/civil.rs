//! Calendar time without zones: seconds since 1970 as a clock on the wall counts them.

use dlt645::Moment;
use std::time::{SystemTime, UNIX_EPOCH};

pub const DAY: i64 = 86_400;

/// A point in time on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    pub year: i64,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Civil {
    /// From seconds since 1970.
    pub fn from_seconds(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
        // Years counted from March, in eras of 400 years.
        let shifted = days + 719_468;
        let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let small = |number: i64| u8::try_from(number).unwrap_or_default();
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(of_year - (153 * from_march + 2) / 5 + 1),
            hour: small(rest / 3600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
        }
    }

    /// Seconds since 1970.
    pub fn seconds(self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let from_march = (i64::from(self.month) + 9) % 12;
        let of_year = (153 * from_march + 2) / 5 + i64::from(self.day) - 1;
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        days * DAY + i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second)
    }

    /// `YYYY-MM-DDThh:mm[:ss]`, a day that the month has.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once(['T', ' '])?;
        let numbers = |text: &str, separator| {
            text.split(separator)
                .map(|part| part.parse::<u16>().ok().filter(|_| part.len() <= 4))
                .collect::<Option<Vec<u16>>>()
        };
        let ([year, month, day], [hour, minute, rest @ ..]) =
            (&numbers(date, '-')?[..], &numbers(time, ':')?[..])
        else {
            return None;
        };
        let small = |number: u16| u8::try_from(number).ok();
        let time = Self {
            year: i64::from(*year),
            month: small(*month)?,
            day: small(*day)?,
            hour: small(*hour)?,
            minute: small(*minute)?,
            second: match rest {
                [] => 0,
                [second] => small(*second)?,
                _ => return None,
            },
        };
        // What comes back otherwise does not exist: 31 February, 24:00.
        ((2000..2100).contains(&time.year)
            && (1..=12).contains(&time.month)
            && Self::from_seconds(time.seconds()) == time)
            .then_some(time)
    }

    /// 0 = Sunday.
    pub fn weekday(self) -> u8 {
        u8::try_from((self.seconds().div_euclid(DAY) + 4).rem_euclid(7)).unwrap_or_default()
    }

    fn short_year(self) -> u8 {
        u8::try_from(self.year.rem_euclid(100)).unwrap_or_default()
    }

    /// With the year of the century, as meters write it.
    pub fn moment(self) -> Moment {
        Moment::to_second(self.short_year(), self.month, self.day, self.hour, self.minute, self.second)
    }

    /// Date and weekday.
    pub fn date(self) -> Moment {
        Moment::date_weekday(self.short_year(), self.month, self.day, self.weekday())
    }

    /// Hour, minute and second.
    pub fn time(self) -> Moment {
        Moment::time(self.hour, self.minute, self.second)
    }
}

/// Seconds since 1970, UTC.
pub fn utc() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs().cast_signed())
}

/// `+08:00` in seconds.
pub fn offset(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text}: expected an offset such as +08:00");
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return Err(wrong()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(wrong)?;
    match (hours.parse::<u8>(), minutes.parse::<u8>()) {
        (Ok(hours @ 0..=14), Ok(minutes @ 0..=59)) => {
            Ok(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        for (text, seconds, weekday) in [
            ("2000-02-29T00:00:00", 951_782_400, 2),
            ("2026-11-21T01:08:44", 1_795_223_324, 6),
            ("2099-12-31T23:59:59", 4_102_444_799, 4),
        ] {
            let time = Civil::parse(text).unwrap();
            assert_eq!((time.seconds(), time.weekday()), (seconds, weekday), "{text}");
            assert_eq!(Civil::from_seconds(seconds), time);
        }
        for text in ["2026-02-31T00:00", "2026-01-01T24:00", "2026-13-01T00:00", "2026-01-01", "now"] {
            assert_eq!(Civil::parse(text), None, "{text}");
        }
        assert_eq!((offset("+08:00"), offset("-03:30")), (Ok(28_800), Ok(-12_600)));
        assert!(offset("8").is_err());
    }
}
