//! Load records: DI3 = 06 and the stream in which they are sent.
//!
//! `A0 A0 | n | YYMMDDhhmm | class 1 AA class 2 AA … class 6 AA | CS | E5`, records one after another; `n` counts the
//! octets after it up to CS, CS is the sum over `A0 A0 n` and these. A class that a meter does not record leaves only
//! its AA.

use crate::data::Data;
use crate::error::ErrorKind;
use crate::layout::{Field, Layout, Shape, Sign};
use crate::moment::{Moment, TimeForm};
use crate::value::{Unit, ValueError};

const START: u8 = 0xA0;
const END: u8 = 0xE5;
const SEPARATOR: u8 = 0xAA;

pub(crate) fn layout(class: u8, di1: u8, di0: u8) -> Option<Layout> {
    match (class, di1, di0) {
        (1..=6, 0, 0..=2) => Some(class_layout(class)),
        _ => None,
    }
}

/// Fields of a class 1..=6.
const fn class_layout(class: u8) -> Layout {
    Layout::shape(Shape::Load(class))
}

pub(crate) fn field(class: u8, index: u16) -> Option<Field> {
    let power = |unit| Field::number(3, 4, Sign::Signed, unit);
    Some(match (class, index) {
        (1, 0..=2) => Field::number(2, 1, Sign::Unsigned, Unit::Volt),
        (1, 3..=5) => Field::number(3, 3, Sign::Optional, Unit::Ampere),
        (1, 6) => Field::number(2, 2, Sign::Unsigned, Unit::Hertz),
        (2, 0..=3) | (6, 0) => power(Unit::Kilowatt),
        (2, 4..=7) | (6, 1) => power(Unit::Kilovar),
        (3, 0..=3) => Field::number(2, 3, Sign::Signed, Unit::None),
        (4, 0 | 1) => Field::number(4, 2, Sign::Unsigned, Unit::KilowattHour),
        (4, 2 | 3) => Field::number(4, 2, Sign::Signed, Unit::KilovarHour),
        (5, 0..=3) => Field::number(4, 2, Sign::Unsigned, Unit::KilovarHour),
        _ => return None,
    })
}

/// One record of the stream, its sum and end checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    body: Data<'a>,
}

impl<'a> Record<'a> {
    /// When it was taken.
    ///
    /// # Errors
    /// [`ValueError`] naming the octet that is not BCD.
    pub fn time(&self) -> Result<Moment, ValueError> {
        Moment::parse(TimeForm::TO_MINUTE, self.body)
    }

    /// Octets of the classes with their separators.
    #[must_use]
    pub fn body(&self) -> Data<'a> {
        self.body.split_at(5).map_or(Data::plain(&[]), |(_, classes)| classes)
    }

    /// Octets of `class` 1..=6 and their layout; `None` if the record has none. Fields are BCD, so AAH separates.
    #[must_use]
    pub fn class(&self, class: u8) -> Option<(Layout, Data<'a>)> {
        let mut rest = self.body();
        for _ in 1..class {
            let at = rest.iter().position(|octet| octet == SEPARATOR)?;
            (_, rest) = rest.split_at(at.saturating_add(1))?;
        }
        let len = rest.iter().position(|octet| octet == SEPARATOR).unwrap_or(rest.len());
        let (data, _) = rest.split_at(len)?;
        ((1..=6).contains(&class) && !data.is_empty()).then_some((class_layout(class), data))
    }
}

/// The records of a reply's data (behind the identifier), or of the data of all its frames put together.
///
/// Octets that are no record are given up one by one, as in a frame stream: one odd record does not cost the rest.
#[must_use]
pub const fn records(data: Data<'_>) -> Records<'_> {
    Records { rest: data }
}

/// See [`records`].
#[derive(Debug, Clone)]
pub struct Records<'a> {
    rest: Data<'a>,
}

impl<'a> Records<'a> {
    /// What has not been read yet: after the end, the start of a record that the next frame goes on with.
    #[must_use]
    pub const fn rest(&self) -> Data<'a> {
        self.rest
    }

    fn front(&self) -> Result<(Record<'a>, Data<'a>), ErrorKind> {
        let rest = self.rest;
        if rest.octet(0) != Some(START) || rest.octet(1).is_some_and(|octet| octet != START) {
            return Err(ErrorKind::Noise);
        }
        let len = usize::from(rest.octet(2).ok_or(ErrorKind::Truncated)?);
        if len < 5 {
            return Err(ErrorKind::Header);
        }
        let whole = len.saturating_add(3);
        let (front, tail) = rest.split_at(whole).ok_or(ErrorKind::Truncated)?;
        let check = tail.octet(0).ok_or(ErrorKind::Truncated)?;
        let end = tail.octet(1).ok_or(ErrorKind::Truncated)?;
        if front.iter().fold(0u8, u8::wrapping_add) != check {
            return Err(ErrorKind::Checksum);
        }
        if end != END {
            return Err(ErrorKind::End);
        }
        let (_, body) = front.split_at(3).ok_or(ErrorKind::Truncated)?;
        let (_, after) = tail.split_at(2).ok_or(ErrorKind::Truncated)?;
        Ok((Record { body }, after))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut noise = false;
        while !self.rest.is_empty() {
            match self.front() {
                Ok(_) if noise => return Some(Err(ErrorKind::Noise)),
                Ok((record, rest)) => {
                    self.rest = rest;
                    return Some(Ok(record));
                }
                // The record may go on in the next frame; the caller finds it in `rest`.
                Err(ErrorKind::Truncated) => return noise.then_some(Err(ErrorKind::Noise)),
                Err(kind) => {
                    (_, self.rest) = self.rest.split_at(1)?;
                    if kind != ErrorKind::Noise {
                        return Some(Err(kind));
                    }
                    noise = true;
                }
            }
        }
        noise.then_some(Err(ErrorKind::Noise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::items_in;
    use crate::value::{Decimal, Value};
    use std::vec;
    use std::vec::Vec;

    fn record(minute: u8, classes: &[&[u8]]) -> Vec<u8> {
        let mut body = vec![minute, 0x10, 0x01, 0x02, 0x26];
        for class in classes {
            body.extend_from_slice(class);
            body.push(SEPARATOR);
        }
        let mut octets = vec![START, START, u8::try_from(body.len()).unwrap()];
        octets.extend(body);
        octets.push(octets.iter().fold(0, |a: u8, b| a.wrapping_add(*b)));
        octets.push(END);
        octets
    }

    #[test]
    fn records_follow_each_other_and_missing_classes_leave_their_separator() {
        let voltage = [0x00, 0x22, 0x01, 0x22, 0x02, 0x22, 1, 0, 0, 2, 0, 0, 3, 0, 0x80, 0x00, 0x50];
        let demand = [0x34, 0x12, 0x00, 0x78, 0x56, 0x80];
        let mut stream = record(0x00, &[&voltage, &[], &[], &[], &[], &demand]);
        stream.extend(record(0x15, &[&[], &[], &[], &[], &[], &demand]));
        let cut = stream.len();
        stream.extend(&record(0x30, &[])[..6]);
        let mut all = records(Data::plain(&stream));
        let first = all.next().unwrap().unwrap();
        assert_eq!(first.time().unwrap(), Moment::to_minute(26, 2, 1, 10, 0));
        let (layout, data) = first.class(1).unwrap();
        assert_eq!(layout.item_len(), 17);
        let values: Vec<_> = items_in(layout, data).map(|item| item.value.unwrap()).collect();
        assert_eq!(values[2], Value::Number(Decimal::new(2202, -1), Unit::Volt));
        assert_eq!(values[5], Value::Number(Decimal::new(-3, -3), Unit::Ampere));
        assert_eq!(values[6], Value::Number(Decimal::new(5000, -2), Unit::Hertz));
        assert!(first.class(2).is_none() && first.class(7).is_none() && first.class(0).is_none());
        let (layout, data) = first.class(6).unwrap();
        assert_eq!(layout.item_len(), 6);
        assert_eq!(data, Data::plain(&demand));
        let second = all.next().unwrap().unwrap();
        assert!(second.class(1).is_none() && second.class(6).is_some());
        assert!(all.next().is_none());
        assert_eq!(all.rest(), Data::plain(&stream[cut..]));
    }

    #[test]
    fn a_damaged_record_does_not_cost_the_next() {
        let good = record(0x15, &[&[], &[0; 24]]);
        let mut stream = record(0x00, &[&[0x12; 17]]);
        stream[9] ^= 1;
        stream.extend(&good);
        let events: Vec<_> = records(Data::plain(&stream)).collect();
        assert_eq!(events.first(), Some(&Err(ErrorKind::Checksum)));
        assert_eq!(events.iter().flatten().count(), 1);
        let mut end = good;
        *end.last_mut().unwrap() = 0;
        assert_eq!(records(Data::plain(&end)).next(), Some(Err(ErrorKind::End)));
    }
}
