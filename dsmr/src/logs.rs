//! Lines of many values: the failure log and the history of monthly peaks.

use crate::line::Values;
use crate::timestamp::Timestamp;
use crate::value::{Content, Value};
use obis::Scaled;

/// A failure log, `(count)(0-0:96.7.19){(end of failure)(duration*s)}`, in all shapes seen: `()`, `(0)(0-0:96.7.19)`,
/// `(count)` alone, the code misspelt, durations past 2^31.
///
/// As an iterator it gives the entries that are there.
#[derive(Clone, Copy, Debug)]
pub struct FailureLog<'a> {
    values: Values<'a>,
    claimed: Option<u16>,
}

/// One power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Failure {
    /// When power came back.
    pub end: Timestamp,
    /// How long it was gone, s as a rule.
    pub duration: Scaled,
}

impl<'a> FailureLog<'a> {
    pub(crate) fn new(values: Values<'a>) -> Self {
        let (claimed, values) = claim(values);
        Self { values, claimed }
    }

    /// How many entries the line says there are; `None` for `()`.
    #[must_use]
    pub const fn claimed(&self) -> Option<u16> {
        self.claimed
    }
}

impl Iterator for FailureLog<'_> {
    type Item = Failure;

    fn next(&mut self) -> Option<Failure> {
        let mut end = None;
        loop {
            let value = self.values.next()?;
            if let Some(time) = due(value, end.is_none()) {
                end = Some(time);
            } else if let (Some(end), Some(duration)) = (end, value.scaled()) {
                return Some(Failure { end, duration });
            }
        }
    }
}

/// Monthly peaks, `(count)(1-0:1.6.0)(1-0:1.6.0){(month)(time of peak)(power*kW)}`. The count can be 0.
///
/// As an iterator it gives the entries that are there.
#[derive(Clone, Copy, Debug)]
pub struct PeakHistory<'a> {
    values: Values<'a>,
    claimed: Option<u16>,
}

/// The peak of one month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Peak {
    /// The end of the month.
    pub month: Timestamp,
    /// The end of the quarter of an hour with the highest mean power.
    pub time: Timestamp,
    /// That power.
    pub power: Scaled,
}

impl<'a> PeakHistory<'a> {
    pub(crate) fn new(values: Values<'a>) -> Self {
        let (claimed, values) = claim(values);
        Self { values, claimed }
    }

    /// How many entries the line says there are.
    #[must_use]
    pub const fn claimed(&self) -> Option<u16> {
        self.claimed
    }
}

impl Iterator for PeakHistory<'_> {
    type Item = Peak;

    fn next(&mut self) -> Option<Peak> {
        let (mut month, mut time) = (None, None);
        loop {
            let value = self.values.next()?;
            if let Some(found) = due(value, time.is_none()) {
                (month, time) = if month.is_none() { (Some(found), None) } else { (month, Some(found)) };
            } else if let (Some(month), Some(power)) = (month, value.scaled()) {
                return Some(Peak { month, time: time.unwrap_or(month), power });
            }
        }
    }
}

/// The count at the front, and the values behind it.
fn claim(values: Values<'_>) -> (Option<u16>, Values<'_>) {
    let mut rest = values;
    let count = rest.next().and_then(Value::scaled).and_then(|number| number.value.to_integer());
    match count.and_then(|count| u16::try_from(count).ok()) {
        Some(count) => (Some(count), rest),
        None => (None, values),
    }
}

/// The value as a time, if one is due: as a number it counts only then.
fn due(value: Value<'_>, wanted: bool) -> Option<Timestamp> {
    match value.content() {
        Content::Time(time) => Some(time),
        Content::Number(_) if wanted => value.timestamp(),
        _ => None,
    }
}
