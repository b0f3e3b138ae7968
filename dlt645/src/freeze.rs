//! Freeze records: DI3 = 05.

use crate::data::Data;
use crate::layout::{Field, Format, Layout, Shape, Sign};
use crate::moment::TimeForm;
use crate::table2007::{RATES, number, time};
use crate::value::Unit;

/// What separates the parts of a record block in many meters.
const SEPARATOR: u8 = 0xAA;
/// What ends a block in some meters.
const TERMINATOR: u8 = 0xDD;

pub(crate) fn layout(kind: u8, part: u8, record: u8) -> Option<Layout> {
    if kind > 7 || record == 0 || record == 0xFF {
        return None;
    }
    let hourly = kind == 4;
    let energy = |sign, unit| number(4, 2, sign, unit).up_to(RATES);
    Some(match part {
        0x00 => time(Format::Time(TimeForm::TO_MINUTE)),
        0x01 | 0x02 if hourly => number(4, 2, Sign::Unsigned, Unit::KilowattHour),
        _ if hourly => return None,
        0x01 | 0x02 => energy(Sign::Unsigned, Unit::KilowattHour),
        0x03 | 0x04 => energy(Sign::Signed, Unit::KilovarHour),
        0x05..=0x08 => energy(Sign::Unsigned, Unit::KilovarHour),
        0x09 | 0x0A => Layout::shape(Shape::Demand(Unit::Kilowatt, Sign::Unsigned)).up_to(RATES),
        0x10 => Layout::shape(Shape::FrozenVariables),
        _ => return None,
    })
}

/// Active power of all and each phase, then reactive power.
pub(crate) fn variable(index: u16) -> Option<Field> {
    match index {
        0..=3 => Some(Field::number(3, 4, Sign::Signed, Unit::Kilowatt)),
        4..=7 => Some(Field::number(3, 4, Sign::Signed, Unit::Kilovar)),
        _ => None,
    }
}

/// A whole record in `data`: its octets without one AAH or DDH behind them, and whether AAH separates the parts. `None`
/// if they do not tell for certain where each part ends: then no part can be named.
pub(crate) fn record(hourly: bool, data: Data<'_>) -> Option<(Data<'_>, bool)> {
    // Right behind the time, or nowhere: parts are BCD, but what is no record may have the octet anywhere.
    let separated = data.octet(5) == Some(SEPARATOR);
    let fits =
        |data: Data<'_>| if separated { parts_fit(hourly, data) } else { length_fits(hourly, data.len()) };
    let whole = fits(data).then_some(data);
    let ended = data
        .split_end(1)
        .filter(|(front, last)| matches!(last.octet(0), Some(SEPARATOR | TERMINATOR)) && fits(*front))
        .map(|(front, _)| front);
    match (whole, ended) {
        (Some(data), None) | (None, Some(data)) => Some((data, separated)),
        // A last part that is missing, or one fewer and a separator behind: not to be told apart.
        _ => None,
    }
}

/// Without separators: time 5, 8 energies of 4 and 2 demands of 8 octets for each rate and the total, variables 24;
/// hourly time and 2 energies.
fn length_fits(hourly: bool, len: usize) -> bool {
    match len.checked_sub(29) {
        _ if hourly => len == 13,
        Some(rates) => {
            rates != 0 && rates.is_multiple_of(48) && rates <= usize::from(RATES).saturating_mul(48)
        }
        None => false,
    }
}

/// Whether there are as many parts as the record has, each empty or of a length that it can have.
fn parts_fit(hourly: bool, data: Data<'_>) -> bool {
    let (parts, mut index, mut len) = (if hourly { 3 } else { 12 }, 0u8, 0u16);
    let fits = |index: u8, len: u16| match (hourly, index) {
        (_, 0) => len == 5,
        (true, _) => matches!(len, 0 | 4),
        (_, 1..=8) => len.is_multiple_of(4),
        (_, 9 | 10) => len.is_multiple_of(8),
        _ => matches!(len, 0 | 24),
    };
    for octet in data.iter() {
        if octet != SEPARATOR {
            len = len.saturating_add(1);
            continue;
        }
        if !fits(index, len) {
            return false;
        }
        (index, len) = (index.saturating_add(1), 0);
    }
    index.saturating_add(1) == parts && fits(index, len)
}

/// Octets of part number `index` (0 time, 1..=8 energies, 9 and 10 demands, 11 variables) of a whole [`record`] in
/// `data`, which begins with that part; without separators the number of rates follows from the length of the `whole`.
pub(crate) fn part_len(hourly: bool, index: u8, data: Data<'_>, whole: usize, separated: bool) -> usize {
    if separated {
        return data.iter().position(|octet| octet == SEPARATOR).unwrap_or(data.len());
    }
    let totals = whole.saturating_sub(29) / 48;
    match (hourly, index) {
        (_, 0) => 5,
        (true, _) => 4,
        (_, 1..=8) => totals.saturating_mul(4),
        (_, 9 | 10) => totals.saturating_mul(8),
        _ => 24,
    }
}
