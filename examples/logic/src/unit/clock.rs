//! The meter's clock, in seconds since 2000-01-01.

use dlt645::Moment;

const DAY: u32 = 86_400;

/// A clock that somebody has to set: none is kept over a power cut.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    seconds: Option<u32>,
}

/// Days of a month; 2000 to 2099.
const fn days(year: u32, month: u8) -> u32 {
    match month {
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Clock {
    /// Sets it, if the moment is one of the calendar and has date and time.
    pub fn set(&mut self, moment: Moment) -> bool {
        self.seconds = seconds(moment).or(self.seconds);
        seconds(moment).is_some()
    }

    /// A second has passed.
    pub fn tick(&mut self) {
        self.seconds = self.seconds.map(|seconds| seconds.saturating_add(1));
    }

    /// Seconds since 2000-01-01; `None` until it is set.
    #[must_use]
    pub const fn seconds(&self) -> Option<u32> {
        self.seconds
    }

    /// The hour of the day, 0 to 23.
    #[must_use]
    pub fn hour(&self) -> Option<u32> {
        Some(self.seconds? % DAY / 3600)
    }

    /// Date and time.
    #[must_use]
    pub fn moment(&self) -> Option<Moment> {
        let seconds = self.seconds?;
        let (mut left, time) = (seconds / DAY, seconds % DAY);
        let (mut year, mut month) = (0u32, 1u8);
        while left >= days(year, month) {
            left = left.saturating_sub(days(year, month));
            (year, month) =
                if month >= 12 { (year.saturating_add(1), 1) } else { (year, month.saturating_add(1)) };
        }
        let octet = |number: u32| u8::try_from(number).unwrap_or(0);
        let day = octet(left.saturating_add(1));
        let (hour, minute, second) = (octet(time / 3600), octet(time / 60 % 60), octet(time % 60));
        Some(Moment::to_second(octet(year % 100), month, day, hour, minute, second))
    }
}

fn seconds(moment: Moment) -> Option<u32> {
    if !moment.is_calendar() {
        return None;
    }
    let (year, month) = (u32::from(moment.year()?), moment.month()?);
    if u32::from(moment.day()?) > days(year, month) {
        return None;
    }
    let months = (1..month).map(|month| days(year, month)).fold(0, u32::saturating_add);
    let leaps = year.saturating_add(3) / 4;
    let days = (year.saturating_mul(365)).saturating_add(leaps).saturating_add(months);
    let days = days.saturating_add(u32::from(moment.day()?).saturating_sub(1));
    let part = |part: Option<u8>, by: u32| Some(u32::from(part?).saturating_mul(by));
    let time = part(moment.hour(), 3600)?
        .saturating_add(part(moment.minute(), 60)?)
        .saturating_add(part(moment.second(), 1)?);
    Some(days.saturating_mul(DAY).saturating_add(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_comes_back_and_goes_on() {
        let mut clock = Clock::default();
        assert_eq!(clock.moment(), None);
        assert!(clock.set(Moment::to_second(24, 2, 28, 23, 59, 59)));
        // 24 years with 6 leap days, 58 days, the last second of a day.
        assert_eq!(clock.seconds(), Some((24 * 365 + 6 + 58) * DAY + DAY - 1));
        assert_eq!(clock.moment(), Some(Moment::to_second(24, 2, 28, 23, 59, 59)));
        clock.tick();
        assert_eq!(clock.moment(), Some(Moment::to_second(24, 2, 29, 0, 0, 0)));
        assert!(clock.set(Moment::to_second(99, 12, 31, 7, 0, 0)));
        assert_eq!((clock.moment(), clock.hour()), (Some(Moment::to_second(99, 12, 31, 7, 0, 0)), Some(7)));
        assert!(!clock.set(Moment::to_second(25, 2, 29, 0, 0, 0)), "no such day");
    }
}
