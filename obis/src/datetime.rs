//! COSEM date-time, date and time (DLMS Blue Book 4.1.6.1), every "not specified" octet kept.
//!
//! The three types hold the octets as they came; the accessors give `None` for what the meter left open. UTC is
//! computed only where the meter says its deviation: **local time + deviation = UTC**, in minutes. Some meters send a
//! deviation of 0 with their local standard time (Aidon); only a profile that knows the meter can tell.

use core::fmt;

/// A COSEM date, 5 octets: year (2, high first) · month · day of month · day of week.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Date([u8; 5]);

/// A COSEM time, 4 octets: hour · minute · second · hundredths of a second.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Time([u8; 4]);

/// A COSEM date-time, 12 octets: date (5) · time (4) · deviation (2, high first, minutes) · clock status.
///
/// Two values are equal when their octets are; compare [`DateTime::unix_seconds`] for the moment they name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DateTime([u8; 12]);

/// The clock status octet of a date-time (Blue Book 4.1.6.1); 0xFF, not specified, is not a `ClockStatus`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ClockStatus(pub u8);

impl Date {
    /// Month octet: the day daylight saving ends.
    pub const MONTH_DAYLIGHT_SAVING_END: u8 = 0xFD;
    /// Month octet: the day daylight saving begins.
    pub const MONTH_DAYLIGHT_SAVING_BEGIN: u8 = 0xFE;
    /// Day octet: the second last day of the month.
    pub const DAY_SECOND_LAST: u8 = 0xFD;
    /// Day octet: the last day of the month.
    pub const DAY_LAST: u8 = 0xFE;
    /// Year value: not specified.
    pub const YEAR_NOT_SPECIFIED: u16 = 0xFFFF;

    /// A date of its parts; `0xFF` (year: `0xFFFF`) leaves a part open. Nothing is checked, see [`Date::is_calendar_date`].
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8, day_of_week: u8) -> Self {
        let [high, low] = year.to_be_bytes();
        Self([high, low, month, day, day_of_week])
    }

    /// The date in these octets, kept as they are.
    #[must_use]
    pub const fn from_octets(octets: [u8; 5]) -> Self {
        Self(octets)
    }

    /// The octets on the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 5] {
        self.0
    }

    /// Year, 0 to 65534.
    #[must_use]
    pub const fn year(self) -> Option<u16> {
        let [high, low, ..] = self.0;
        match u16::from_be_bytes([high, low]) {
            Self::YEAR_NOT_SPECIFIED => None,
            year => Some(year),
        }
    }

    /// Month, 1 to 12; the daylight saving codes and anything else are `None` (their octet is in [`Date::octets`]).
    #[must_use]
    pub const fn month(self) -> Option<u8> {
        let [_, _, month, ..] = self.0;
        within(month, 1, 12)
    }

    /// Day of the month, 1 to 31; the codes for the last and second last day are `None`.
    #[must_use]
    pub const fn day(self) -> Option<u8> {
        let [_, _, _, day, _] = self.0;
        within(day, 1, 31)
    }

    /// Day of the week, 1 Monday to 7 Sunday. Meters send 0, 0xFF and wrong days here; nothing is derived from it.
    #[must_use]
    pub const fn day_of_week(self) -> Option<u8> {
        let [.., day_of_week] = self.0;
        within(day_of_week, 1, 7)
    }

    /// Whether year, month and day are all given and name a day of the Gregorian calendar.
    #[must_use]
    pub fn is_calendar_date(self) -> bool {
        self.days().is_some()
    }

    /// Days since 1970-01-01, for a calendar date.
    fn days(self) -> Option<i64> {
        let (year, month, day) = (self.year()?, self.month()?, self.day()?);
        if day > days_in_month(year, month) {
            return None;
        }
        // Years that start in March put the leap day last, so the days before a month follow one line.
        let (year, month) = (i64::from(year), i64::from(month));
        let (shifted_year, shifted_month) = if month > 2 {
            (year, month.checked_sub(3)?)
        } else {
            (year.checked_sub(1)?, month.checked_add(9)?)
        };
        let leap_days = shifted_year.div_euclid(4).checked_sub(shifted_year.div_euclid(100))?;
        let leap_days = leap_days.checked_add(shifted_year.div_euclid(400))?;
        let month_days = shifted_month.checked_mul(153)?.checked_add(2)?.div_euclid(5);
        shifted_year
            .checked_mul(365)?
            .checked_add(leap_days)?
            .checked_add(month_days)?
            .checked_add(i64::from(day))?
            .checked_sub(DAYS_TO_1970)
    }
}

impl Time {
    /// A time of its parts; `0xFF` leaves a part open. Nothing is checked, see [`Time::is_clock_time`].
    #[must_use]
    pub const fn new(hour: u8, minute: u8, second: u8, hundredths: u8) -> Self {
        Self([hour, minute, second, hundredths])
    }

    /// The time in these octets, kept as they are.
    #[must_use]
    pub const fn from_octets(octets: [u8; 4]) -> Self {
        Self(octets)
    }

    /// The octets on the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 4] {
        self.0
    }

    /// Hour, 0 to 23.
    #[must_use]
    pub const fn hour(self) -> Option<u8> {
        let [hour, ..] = self.0;
        within(hour, 0, 23)
    }

    /// Minute, 0 to 59.
    #[must_use]
    pub const fn minute(self) -> Option<u8> {
        let [_, minute, ..] = self.0;
        within(minute, 0, 59)
    }

    /// Second, 0 to 59.
    #[must_use]
    pub const fn second(self) -> Option<u8> {
        let [_, _, second, _] = self.0;
        within(second, 0, 59)
    }

    /// Hundredths of a second, 0 to 99.
    #[must_use]
    pub const fn hundredths(self) -> Option<u8> {
        let [.., hundredths] = self.0;
        within(hundredths, 0, 99)
    }

    /// Whether hour, minute and second are all given (hundredths may be left open).
    #[must_use]
    pub fn is_clock_time(self) -> bool {
        self.seconds().is_some()
    }

    /// Seconds since midnight; a second left open is not taken for 0.
    fn seconds(self) -> Option<i64> {
        let (hour, minute, second) = (self.hour()?, self.minute()?, self.second()?);
        let minutes = i64::from(hour).checked_mul(60)?.checked_add(i64::from(minute))?;
        minutes.checked_mul(60)?.checked_add(i64::from(second))
    }
}

impl DateTime {
    /// Deviation value: not specified.
    pub const DEVIATION_NOT_SPECIFIED: i16 = i16::MIN;

    /// A date-time of its parts. `deviation` in minutes, local time + deviation = UTC; `status` 0xFF is not specified.
    #[must_use]
    pub const fn new(date: Date, time: Time, deviation: Option<i16>, status: u8) -> Self {
        let [year_high, year_low, month, day, day_of_week] = date.0;
        let [hour, minute, second, hundredths] = time.0;
        let deviation = match deviation {
            Some(minutes) => minutes,
            None => Self::DEVIATION_NOT_SPECIFIED,
        };
        let [high, low] = deviation.to_be_bytes();
        Self([
            year_high,
            year_low,
            month,
            day,
            day_of_week,
            hour,
            minute,
            second,
            hundredths,
            high,
            low,
            status,
        ])
    }

    /// The date-time in these octets, kept as they are.
    #[must_use]
    pub const fn from_octets(octets: [u8; 12]) -> Self {
        Self(octets)
    }

    /// The date-time in a slice of 12 octets, as an octet-string that a clock object or a push list carries.
    #[must_use]
    pub fn from_slice(octets: &[u8]) -> Option<Self> {
        octets.try_into().ok().map(Self)
    }

    /// The moment `seconds` after 1970-01-01T00:00:00Z (leap seconds not counted), with deviation 0 and status 0;
    /// `None` outside the years 0 to 65534.
    #[must_use]
    pub fn from_unix_seconds(seconds: i64) -> Option<Self> {
        let (date, time) = civil(seconds)?;
        Some(Self::new(date, time, Some(0), 0))
    }

    /// The octets on the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 12] {
        self.0
    }

    /// The date part, local time.
    #[must_use]
    pub const fn date(self) -> Date {
        let [a, b, c, d, e, ..] = self.0;
        Date([a, b, c, d, e])
    }

    /// The time part, local time.
    #[must_use]
    pub const fn time(self) -> Time {
        let [_, _, _, _, _, a, b, c, d, ..] = self.0;
        Time([a, b, c, d])
    }

    /// Deviation in minutes, −720 to +840: local time + deviation = UTC. `None` when not specified or out of range
    /// (its octets are in [`DateTime::octets`]).
    #[must_use]
    pub const fn deviation(self) -> Option<i16> {
        match self.raw_deviation() {
            minutes @ -720..=840 => Some(minutes),
            _ => None,
        }
    }

    /// Clock status; `None` when not specified (0xFF).
    #[must_use]
    pub const fn status(self) -> Option<ClockStatus> {
        let [.., status] = self.0;
        match status {
            0xFF => None,
            status => Some(ClockStatus(status)),
        }
    }

    /// Whether date and time are all given and name a calendar day and a time of day.
    #[must_use]
    pub fn is_calendar_time(self) -> bool {
        self.local_seconds().is_some()
    }

    /// Seconds since 1970-01-01T00:00:00 **of the meter's local time**: for order and differences within one clock.
    #[must_use]
    pub fn local_seconds(self) -> Option<i64> {
        self.date().days()?.checked_mul(SECONDS_A_DAY)?.checked_add(self.time().seconds()?)
    }

    /// Seconds since 1970-01-01T00:00:00Z, where the date-time says its deviation.
    #[must_use]
    pub fn unix_seconds(self) -> Option<i64> {
        self.local_seconds()?.checked_add(i64::from(self.deviation()?).checked_mul(60)?)
    }

    /// The same moment in UTC (deviation 0, hundredths and status kept), where the deviation is given.
    #[must_use]
    pub fn to_utc(self) -> Option<Self> {
        let (date, Time([hour, minute, second, _])) = civil(self.unix_seconds()?)?;
        let [.., hundredths, _, _, status] = self.0;
        Some(Self::new(date, Time([hour, minute, second, hundredths]), Some(0), status))
    }

    /// The same local time, its deviation not specified.
    #[must_use]
    pub const fn without_deviation(self) -> Self {
        let [a, b, c, d, e, f, g, h, i, _, _, status] = self.0;
        let [high, low] = Self::DEVIATION_NOT_SPECIFIED.to_be_bytes();
        Self([a, b, c, d, e, f, g, h, i, high, low, status])
    }

    pub(crate) const fn raw_deviation(self) -> i16 {
        let [.., high, low, _] = self.0;
        i16::from_be_bytes([high, low])
    }
}

impl ClockStatus {
    /// Bit 0: the time could not be recovered after an incident.
    #[must_use]
    pub const fn is_invalid(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// Bit 1: the time was recovered after an incident but cannot be guaranteed.
    #[must_use]
    pub const fn is_doubtful(self) -> bool {
        self.0 & 0x02 != 0
    }

    /// Bit 2: at least one of the timing sources differs from the one configured.
    #[must_use]
    pub const fn has_different_clock_base(self) -> bool {
        self.0 & 0x04 != 0
    }

    /// Bit 3: the status itself is invalid.
    #[must_use]
    pub const fn has_invalid_status(self) -> bool {
        self.0 & 0x08 != 0
    }

    /// Bit 7: daylight saving is active, and contained in local time and deviation.
    #[must_use]
    pub const fn is_daylight_saving(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// `2022-01-02`; a part left open is `*` for each of its digits, the codes FD and FE are in hex (`2022-FE-**`), and a part
/// out of range is its octet in hex behind an `x`, so that it is not taken for another: month 16 is `2022-x10-01`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [_, _, month, day, _] = self.0;
        match self.year() {
            Some(year @ 10_000..) => write!(f, "{year}")?,
            Some(year) => {
                two_digits(f, year.div_euclid(100))?;
                two_digits(f, year.rem_euclid(100))?;
            }
            None => f.write_str("****")?,
        }
        f.write_str("-")?;
        part(f, self.month(), month)?;
        f.write_str("-")?;
        part(f, self.day(), day)
    }
}

/// `14:37:20`, with `.25` when hundredths are given and not 0; a part left open is `**`, one out of range as in [`Date`]:
/// hour 24 is `x18:00:00`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [hour, minute, second, hundredths] = self.0;
        part(f, self.hour(), hour)?;
        f.write_str(":")?;
        part(f, self.minute(), minute)?;
        f.write_str(":")?;
        part(f, self.second(), second)?;
        if matches!(hundredths, 0 | 0xFF) {
            return Ok(());
        }
        f.write_str(".")?;
        part(f, self.hundredths(), hundredths)
    }
}

/// ISO 8601 in local time, `2022-01-02T14:37:20+01:00`; without an offset where the deviation is not specified, or where
/// date and time are no calendar time ([`DateTime::is_calendar_time`]).
impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.date(), f)?;
        f.write_str("T")?;
        fmt::Display::fmt(&self.time(), f)?;
        match self.deviation().filter(|_| self.is_calendar_time()) {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(deviation) => {
                // The deviation leads from local time to UTC; ISO 8601 writes the way back.
                f.write_str(if deviation < 0 { "+" } else { "-" })?;
                let minutes = deviation.unsigned_abs();
                two_digits(f, minutes.div_euclid(60))?;
                f.write_str(":")?;
                two_digits(f, minutes.rem_euclid(60))
            }
        }
    }
}

impl fmt::Debug for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Date({self})")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({self})")
    }
}

impl fmt::Debug for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [.., status] = self.0;
        write!(f, "DateTime({self}, status {status:02x})")
    }
}

impl fmt::Debug for ClockStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClockStatus({:#04x})", self.0)
    }
}

const SECONDS_A_DAY: i64 = 86_400;
/// Days from 0000-03-01 to 1970-01-01, plus one, since days of a month count from 1.
const DAYS_TO_1970: i64 = 719_469;

const fn within(octet: u8, low: u8, high: u8) -> Option<u8> {
    if octet >= low && octet <= high { Some(octet) } else { None }
}

const fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

fn part(f: &mut fmt::Formatter<'_>, value: Option<u8>, octet: u8) -> fmt::Result {
    match (value, octet) {
        (Some(value), _) => two_digits(f, value.into()),
        (None, 0xFF) => f.write_str("**"),
        (None, 0xFD | 0xFE) => write!(f, "{octet:02X}"),
        (None, octet) => write!(f, "x{octet:02X}"),
    }
}

/// A number below 100; of a greater one the last two digits.
fn two_digits(f: &mut fmt::Formatter<'_>, value: u16) -> fmt::Result {
    // A log has a dozen of these in each message, and the general way takes as long as the rest of it.
    let digit = |value: u16| b'0' | u8::try_from(value.rem_euclid(10)).unwrap_or(0);
    let digits = [digit(value.div_euclid(10)), digit(value)];
    f.write_str(str::from_utf8(&digits).unwrap_or_default())
}

/// The calendar day and time of day of a count of seconds since 1970.
fn civil(seconds: i64) -> Option<(Date, Time)> {
    let days = seconds.div_euclid(SECONDS_A_DAY);
    let of_day = seconds.rem_euclid(SECONDS_A_DAY);
    // The inverse of `Date::days`, by eras of 400 years (146,097 days) that start on 1 March.
    let shifted = days.checked_add(DAYS_TO_1970)?.checked_sub(1)?;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let leap = day_of_era
        .div_euclid(1_460)
        .checked_sub(day_of_era.div_euclid(36_524))?
        .checked_add(day_of_era.div_euclid(146_096))?;
    let year_of_era = day_of_era.checked_sub(leap)?.div_euclid(365);
    let days_before_year = year_of_era
        .checked_mul(365)?
        .checked_add(year_of_era.div_euclid(4))?
        .checked_sub(year_of_era.div_euclid(100))?;
    let day_of_year = day_of_era.checked_sub(days_before_year)?;
    let shifted_month = day_of_year.checked_mul(5)?.checked_add(2)?.div_euclid(153);
    let days_before_month = shifted_month.checked_mul(153)?.checked_add(2)?.div_euclid(5);
    let day = day_of_year.checked_sub(days_before_month)?.checked_add(1)?;
    let (month, next_year) = if shifted_month < 10 {
        (shifted_month.checked_add(3)?, 0)
    } else {
        (shifted_month.checked_sub(9)?, 1)
    };
    let year = era.checked_mul(400)?.checked_add(year_of_era)?.checked_add(next_year)?;
    let year = u16::try_from(year).ok().filter(|year| *year != Date::YEAR_NOT_SPECIFIED)?;
    // 1970-01-01 was a Thursday.
    let day_of_week = days.checked_add(3)?.rem_euclid(7).checked_add(1)?;
    let date = Date::new(year, octet(month)?, octet(day)?, octet(day_of_week)?);
    let minutes = of_day.div_euclid(60);
    let time = Time::new(
        octet(minutes.div_euclid(60))?,
        octet(minutes.rem_euclid(60))?,
        octet(of_day.rem_euclid(60))?,
        0,
    );
    Some((date, time))
}

fn octet(value: i64) -> Option<u8> {
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::format;

    /// 2022-01-02, a Sunday, 14:37:20, deviation −60 (an hour ahead of UTC).
    const SUNDAY: [u8; 12] = [0x07, 0xE6, 1, 2, 7, 14, 37, 20, 0xFF, 0xFF, 0xC4, 0x00];

    #[test]
    fn local_time_plus_deviation_is_utc() {
        let clock = DateTime::from_octets(SUNDAY);
        assert_eq!(format!("{clock}"), "2022-01-02T14:37:20+01:00");
        assert_eq!(clock.unix_seconds(), Some(1_641_130_640));
        let utc = clock.to_utc().unwrap();
        assert_eq!(format!("{utc}"), "2022-01-02T13:37:20Z");
        assert_eq!(utc.octets(), [0x07, 0xE6, 1, 2, 7, 13, 37, 20, 0xFF, 0, 0, 0]);
    }

    #[test]
    fn a_deviation_left_open_gives_no_utc() {
        let mut octets = SUNDAY;
        octets[9..11].copy_from_slice(&[0x80, 0x00]);
        let clock = DateTime::from_octets(octets);
        assert_eq!(clock.deviation(), None);
        assert_eq!(clock.unix_seconds(), None);
        assert!(clock.is_calendar_time());
        assert_eq!(format!("{clock}"), "2022-01-02T14:37:20");
        octets[9..11].copy_from_slice(&2000_i16.to_be_bytes());
        assert_eq!(DateTime::from_octets(octets).deviation(), None, "out of range");
    }

    #[test]
    fn octets_left_open_are_kept_and_not_guessed() {
        let every = DateTime::from_octets([0xFF, 0xFF, 0xFE, 0xFD, 0xFF, 2, 0, 0xFF, 0xFF, 0x80, 0, 0xFF]);
        assert_eq!(format!("{every}"), "****-FE-FDT02:00:**");
        assert_eq!((every.date().year(), every.date().month(), every.date().day()), (None, None, None));
        assert_eq!(every.status(), None);
        assert_eq!(every.unix_seconds(), None);
        assert_eq!(every.octets()[2..4], [Date::MONTH_DAYLIGHT_SAVING_BEGIN, Date::DAY_SECOND_LAST]);
    }

    #[test]
    fn parts_out_of_range_are_not_shown_as_others() {
        assert_eq!(format!("{}", Time::new(24, 16, 60, 100)), "x18:16:x3C.x64");
        assert_eq!(format!("{}", Time::new(0xFE, 0, 0, 0xFF)), "FE:00:00");
        assert_eq!(format!("{}", Date::new(2024, 16, 50, 1)), "2024-x10-x32");
        assert_eq!(format!("{}", Date::new(2024, 0, 0, 1)), "2024-x00-x00");
        // The deviation belongs to a moment; here there is none.
        let at = |date, time| format!("{}", DateTime::new(date, time, Some(0), 0));
        let (date, time) = (Date::new(2024, 2, 29, 4), Time::new(1, 2, 3, 0));
        assert_eq!(at(date, time), "2024-02-29T01:02:03Z");
        assert_eq!(at(date, Time::new(24, 0, 0, 0)), "2024-02-29Tx18:00:00");
        assert_eq!(at(date, Time::new(1, 2, 0xFF, 0)), "2024-02-29T01:02:**");
        assert_eq!(at(Date::new(2023, 2, 29, 4), time), "2023-02-29T01:02:03");
    }

    #[test]
    fn days_that_do_not_exist_are_no_calendar_date() {
        assert!(Date::new(2024, 2, 29, 0xFF).is_calendar_date());
        for (year, month, day) in [(2023, 2, 29), (1900, 2, 29), (2023, 4, 31), (2023, 13, 1), (2023, 1, 0)] {
            assert!(!Date::new(year, month, day, 0xFF).is_calendar_date(), "{year}-{month}-{day}");
        }
        assert!(Date::new(2000, 2, 29, 1).is_calendar_date());
        assert!(!Time::new(24, 0, 0, 0xFF).is_clock_time());
    }

    #[test]
    fn unix_seconds_and_back_over_every_day_of_800_years() {
        let first = Date::new(1900, 1, 1, 0xFF).days().unwrap();
        let last = Date::new(2700, 1, 1, 0xFF).days().unwrap();
        let mut before = None;
        for day in first..last {
            let clock = DateTime::from_unix_seconds(day * 86_400 + 86_399).unwrap();
            assert_eq!(clock.unix_seconds(), Some(day * 86_400 + 86_399), "{clock}");
            let date = clock.date();
            let name = (date.year(), date.month(), date.day());
            assert!(before < Some(name), "{date}");
            before = Some(name);
        }
        assert_eq!(Date::new(1970, 1, 1, 4).days(), Some(0));
        assert_eq!(DateTime::from_unix_seconds(0).unwrap().date().day_of_week(), Some(4));
        assert_eq!(DateTime::from_unix_seconds(i64::MAX), None);
        assert_eq!(DateTime::from_unix_seconds(i64::MIN), None);
    }

    #[test]
    fn hundredths_show_when_given() {
        assert_eq!(format!("{}", Time::new(1, 2, 3, 18)), "01:02:03.18");
        assert_eq!(format!("{}", Time::new(1, 2, 3, 0)), "01:02:03");
        assert!(ClockStatus(0x80).is_daylight_saving() && !ClockStatus(0x80).is_invalid());
    }
}
