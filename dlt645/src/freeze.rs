//! Freeze records: DI3 = 05.

use crate::data::Data;
use crate::layout::{Field, Format, Layout, Shape, Sign};
use crate::moment::TimeForm;
use crate::table2007::{RATES, number, time};
use crate::value::Unit;

/// What separates the parts of a record block in many meters.
const SEPARATOR: u8 = 0xAA;

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

/// Octets of part number `index` (0 time, 1..=8 energies, 9 and 10 demands, 11 variables) of a whole record in `data`,
/// which begins with that part. Parts are BCD, so an octet AAH can only be a separator; without any, the number of
/// rates follows from the length.
pub(crate) fn part_len(hourly: bool, index: u8, data: Data<'_>, whole: usize, separated: bool) -> usize {
    if separated {
        return data.iter().position(|octet| octet == SEPARATOR).unwrap_or(data.len());
    }
    // time 5, 8 energies of 4 and 2 demands of 8 octets for each rate and the total, variables 24.
    let totals = whole.saturating_sub(29) / 48;
    match (hourly, index) {
        (_, 0) => 5,
        (true, _) => 4,
        (_, 1..=8) => totals.saturating_mul(4),
        (_, 9 | 10) => totals.saturating_mul(8),
        _ => 24,
    }
}
