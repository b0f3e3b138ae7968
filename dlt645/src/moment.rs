//! Dates and times: up to seven BCD pairs, sent from the second up to the year.

use core::fmt;

use crate::data::Data;
use crate::octets::{bcd1, to_bcd1};
use crate::value::ValueError;

/// Which of YY MM DD WW hh mm ss a time has; on the wire the last of them comes first.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TimeForm(u8);

impl TimeForm {
    /// YYMMDDWW: date and weekday, 0 = Sunday.
    pub const DATE_WEEKDAY: Self = Self(0b111_1000);
    /// hhmmss.
    pub const TIME: Self = Self(0b000_0111);
    /// YYMMDDhhmm.
    pub const TO_MINUTE: Self = Self(0b111_0110);
    /// YYMMDDhhmmss.
    pub const TO_SECOND: Self = Self(0b111_0111);
    /// YYMMDDWWhhmmss.
    pub const WHOLE: Self = Self(0b111_1111);
    /// YYMMDD.
    pub const DATE: Self = Self(0b111_0000);
    /// MMDDhhmm.
    pub const MONTH_TO_MINUTE: Self = Self(0b011_0110);
    /// MMDD.
    pub const MONTH_DAY: Self = Self(0b011_0000);
    /// DDhh.
    pub const DAY_HOUR: Self = Self(0b001_0100);
    /// DD.
    pub const DAY: Self = Self(0b001_0000);
    /// hhmm.
    pub const HOUR_MINUTE: Self = Self(0b000_0110);

    /// Octets on the wire: one for each part.
    #[must_use]
    pub const fn octets(self) -> u8 {
        #[expect(clippy::cast_possible_truncation, reason = "at most 7")]
        let n = self.0.count_ones() as u8;
        n
    }

    const fn has(self, part: u8) -> bool {
        self.0 >> part & 1 != 0
    }
}

/// As the standard writes it: `YYMMDDhhmm`.
impl fmt::Display for TimeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (part, text) in [(6, "YY"), (5, "MM"), (4, "DD"), (3, "WW"), (2, "hh"), (1, "mm"), (0, "ss")] {
            if self.has(part) {
                f.write_str(text)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for TimeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A point in time as a meter writes it: BCD pairs 0..=99, whose ranges are not checked (meters send 00 00 for "never"
/// and 99 as a wildcard); see [`is_calendar`](Self::is_calendar).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Moment {
    form: TimeForm,
    /// ss mm hh WW DD MM YY; 0 where the form has no such part.
    parts: [u8; 7],
}

impl Moment {
    /// From year (of the century), month, day, hour, minute and second.
    #[must_use]
    pub const fn to_second(year: u8, month: u8, day: u8, hour: u8, minute: u8, second: u8) -> Self {
        Self { form: TimeForm::TO_SECOND, parts: [second, minute, hour, 0, day, month, year] }
    }

    /// From year (of the century), month, day, hour and minute.
    #[must_use]
    pub const fn to_minute(year: u8, month: u8, day: u8, hour: u8, minute: u8) -> Self {
        Self { form: TimeForm::TO_MINUTE, parts: [0, minute, hour, 0, day, month, year] }
    }

    /// From year (of the century), month, day and weekday (0 = Sunday).
    #[must_use]
    pub const fn date_weekday(year: u8, month: u8, day: u8, weekday: u8) -> Self {
        Self { form: TimeForm::DATE_WEEKDAY, parts: [0, 0, 0, weekday, day, month, year] }
    }

    /// From hour, minute and second.
    #[must_use]
    pub const fn time(hour: u8, minute: u8, second: u8) -> Self {
        Self { form: TimeForm::TIME, parts: [second, minute, hour, 0, 0, 0, 0] }
    }

    /// From month, day, hour and minute.
    #[must_use]
    pub const fn month_to_minute(month: u8, day: u8, hour: u8, minute: u8) -> Self {
        Self { form: TimeForm::MONTH_TO_MINUTE, parts: [0, minute, hour, 0, day, month, 0] }
    }

    /// The same point with only the parts of `form`; parts that were not there are 0.
    #[must_use]
    pub fn with_form(self, form: TimeForm) -> Self {
        let mut parts = self.parts;
        for (part, value) in (0..).zip(&mut parts) {
            if !form.has(part) {
                *value = 0;
            }
        }
        Self { form, parts }
    }

    /// Its parts.
    #[must_use]
    pub const fn form(self) -> TimeForm {
        self.form
    }

    /// Reads the first octets of `data`, of the number that `form` has.
    ///
    /// # Errors
    /// [`ValueError`] naming the octet that is not BCD, or if there are too few.
    pub fn parse(form: TimeForm, data: Data<'_>) -> Result<Self, ValueError> {
        let mut parts = [0; 7];
        let mut at = 0usize;
        for (part, value) in (0..).zip(&mut parts) {
            if form.has(part) {
                let octet = data.octet(at).ok_or(ValueError::Length {
                    expected: u16::from(form.octets()),
                    found: u16::try_from(data.len()).unwrap_or(u16::MAX),
                })?;
                *value = bcd1(octet).ok_or(ValueError::not_bcd(at, octet))?;
                at = at.wrapping_add(1);
            }
        }
        Ok(Self { form, parts })
    }

    /// Its octets in the order of the wire, one per part.
    pub fn octets(self) -> impl Iterator<Item = u8> {
        (0..).zip(self.parts).filter(move |(part, _)| self.form.has(*part)).map(|(_, value)| to_bcd1(value))
    }

    const fn part(self, part: u8, value: u8) -> Option<u8> {
        if self.form.has(part) { Some(value) } else { None }
    }

    /// Year of the century.
    #[must_use]
    pub const fn year(self) -> Option<u8> {
        self.part(6, self.parts[6])
    }
    /// Month, 1..=12.
    #[must_use]
    pub const fn month(self) -> Option<u8> {
        self.part(5, self.parts[5])
    }
    /// Day of the month, 1..=31.
    #[must_use]
    pub const fn day(self) -> Option<u8> {
        self.part(4, self.parts[4])
    }
    /// Weekday, 0 = Sunday.
    #[must_use]
    pub const fn weekday(self) -> Option<u8> {
        self.part(3, self.parts[3])
    }
    /// Hour.
    #[must_use]
    pub const fn hour(self) -> Option<u8> {
        self.part(2, self.parts[2])
    }
    /// Minute.
    #[must_use]
    pub const fn minute(self) -> Option<u8> {
        self.part(1, self.parts[1])
    }
    /// Second.
    #[must_use]
    pub const fn second(self) -> Option<u8> {
        self.part(0, self.parts[0])
    }

    /// Whether every part is in its range; days up to 31 in any month. False for 00 00 ("never") and wildcards.
    #[must_use]
    pub const fn is_calendar(self) -> bool {
        let [second, minute, hour, weekday, day, month, _] = self.parts;
        second < 60
            && minute < 60
            && hour < 24
            && weekday < 7
            && (!self.form.has(4) || (day >= 1 && day <= 31))
            && (!self.form.has(5) || (month >= 1 && month <= 12))
    }
}

/// `2018-12-29 weekday 6`, `18:53:32`, `2017-06-05 10:22:51`; the century is taken to be the 21st.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        if let Some(year) = self.year() {
            write!(f, "20{year:02}")?;
            separator = "-";
        }
        if let Some(month) = self.month() {
            write!(f, "{separator}{month:02}")?;
            separator = "-";
        }
        if let Some(day) = self.day() {
            if separator.is_empty() {
                f.write_str("day ")?;
            }
            write!(f, "{separator}{day:02}")?;
            separator = " ";
        }
        if let Some(weekday) = self.weekday() {
            write!(f, "{separator}weekday {weekday}")?;
            separator = " ";
        }
        if let Some(hour) = self.hour() {
            write!(f, "{separator}{hour:02}")?;
            if self.minute().is_none() {
                f.write_str("h")?;
            }
            separator = ":";
        }
        if let Some(minute) = self.minute() {
            write!(f, "{separator}{minute:02}")?;
            separator = ":";
        }
        if let Some(second) = self.second() {
            write!(f, "{separator}{second:02}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moment({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    #[test]
    fn the_last_part_comes_first() {
        let date = Moment::parse(TimeForm::DATE_WEEKDAY, Data::plain(&[0x06, 0x29, 0x12, 0x18])).unwrap();
        assert_eq!(date, Moment::date_weekday(18, 12, 29, 6));
        assert_eq!(date.to_string(), "2018-12-29 weekday 6");
        let time = Moment::parse(TimeForm::TIME, Data::plain(&[0x32, 0x53, 0x18])).unwrap();
        assert_eq!(time.to_string(), "18:53:32");
        assert!(date.octets().eq([0x06, 0x29, 0x12, 0x18]));
        assert!(Moment::to_minute(26, 1, 2, 3, 4).octets().eq([4, 3, 2, 1, 0x26]));
        let whole: Vec<u8> = (1..=7).collect();
        let whole = Moment::parse(TimeForm::WHOLE, Data::plain(&whole)).unwrap();
        assert_eq!(whole.to_string(), "2007-06-05 weekday 4 03:02:01");
        assert_eq!(TimeForm::WHOLE.to_string(), "YYMMDDWWhhmmss");
    }

    #[test]
    fn wrong_octets_are_named_and_never_is_kept() {
        let error = Moment::parse(TimeForm::TIME, Data::plain(&[0x32, 0x5A, 0x18]));
        assert_eq!(error, Err(ValueError::NotBcd { at: 1, octet: 0x5A }));
        let error = Moment::parse(TimeForm::TIME, Data::plain(&[0x32, 0x50]));
        assert_eq!(error, Err(ValueError::Length { expected: 3, found: 2 }));
        let never = Moment::parse(TimeForm::TO_MINUTE, Data::plain(&[0; 5])).unwrap();
        assert!(!never.is_calendar());
        assert!(Moment::to_minute(26, 1, 2, 3, 4).is_calendar());
    }
}
