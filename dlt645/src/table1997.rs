//! Layouts of the 1997 identifiers by rule, annex A of DL/T 645-1997.
//!
//! DI1: high half the group, bits 3..2 now, last month, month before; bits 1..0 active, reactive. DI0: high half the
//! direction or quadrant, low half the rate.

use crate::layout::{Format, Layout, Sign};
use crate::moment::TimeForm;
use crate::table2007::{bits, count, number, time};
use crate::value::Unit;

/// Total and 14 rates.
const RATES: u8 = 15;

#[inline]
pub(crate) fn layout(code: u16) -> Option<Layout> {
    let [di0, di1] = code.to_le_bytes();
    match di1 {
        0x90..=0x9F | 0xA0..=0xAF | 0xB0 | 0xB1 | 0xB4 | 0xB5 | 0xB8 | 0xB9 => energy(di1, di0),
        0xB2 | 0xB3 | 0xB6 => variable(di1, di0),
        0xC0..=0xC5 => parameter(di1, di0),
        _ => None,
    }
}

/// Reactive or not, direction or quadrant 1..=6 and rate of an energy or demand identifier.
pub(crate) const fn energy_parts(di1: u8, di0: u8) -> Option<(bool, u8, u8)> {
    if di1 & 0x0C == 0x0C {
        return None;
    }
    let (reactive, last) = match di1 & 3 {
        0 => (false, 2),
        1 => (true, 6),
        _ => return None,
    };
    let direction = di0 >> 4;
    if direction == 0 || direction > last { None } else { Some((reactive, direction, di0 & 0x0F)) }
}

fn energy(di1: u8, di0: u8) -> Option<Layout> {
    let (reactive, _, rate) = energy_parts(di1, di0)?;
    let layout = match (di1 >> 4, reactive) {
        (0x9, false) => number(4, 2, Sign::Unsigned, Unit::KilowattHour),
        (0x9, true) => number(4, 2, Sign::Unsigned, Unit::KilovarHour),
        (0xA, false) => number(3, 4, Sign::Unsigned, Unit::Kilowatt),
        (0xA, true) => number(3, 4, Sign::Unsigned, Unit::Kilovar),
        _ => time(Format::Time(TimeForm::MONTH_TO_MINUTE)),
    };
    Some(if rate == 0x0F { layout.up_to(RATES) } else { layout })
}

fn variable(di1: u8, di0: u8) -> Option<Layout> {
    let phase = di0 & 0x0F;
    Some(match (di1, di0) {
        (0xB2, 0x10 | 0x11) => time(Format::Time(TimeForm::MONTH_TO_MINUTE)),
        (0xB2, 0x12 | 0x13) => count(2, Unit::None),
        (0xB2, 0x14) => count(3, Unit::Minute),
        (0xB3, 0x10..=0x13) => count(2, Unit::None),
        (0xB3, 0x20..=0x23) => count(3, Unit::Minute),
        (0xB3, 0x30..=0x33 | 0x40..=0x43) => time(Format::Time(TimeForm::MONTH_TO_MINUTE)),
        (0xB6, 0x34 | 0x35) => number(2, 2, Sign::Unsigned, Unit::Kilowatt),
        (0xB6, _) => {
            let layout = match di0 >> 4 {
                1 => number(2, 0, Sign::HalfOctet, Unit::Volt),
                2 => number(2, 2, Sign::Unsigned, Unit::Ampere),
                3 => number(3, 4, Sign::Unsigned, Unit::Kilowatt),
                4 => number(2, 2, Sign::Unsigned, Unit::Kilovar),
                5 => number(2, 3, Sign::Unsigned, Unit::None),
                _ => return None,
            };
            match (di0 >> 4, phase) {
                (1 | 2, 0x0F) => layout.times(3),
                (_, 0x0F) => layout.times(4),
                (_, 1..=3) | (3..=5, 0) => layout,
                _ => return None,
            }
        }
        _ => return None,
    })
}

fn parameter(di1: u8, di0: u8) -> Option<Layout> {
    Some(match (di1, di0) {
        (0xC0, 0x10) => time(Format::Time(TimeForm::DATE_WEEKDAY)),
        (0xC0, 0x11) => time(Format::Time(TimeForm::TIME)),
        (0xC0, 0x20..=0x22) => bits(1),
        (0xC0, 0x30) => count(3, Unit::ImpulsePerKilowattHour),
        (0xC0, 0x31) => count(3, Unit::ImpulsePerKilovarHour),
        (0xC0, 0x32..=0x34) => time(Format::Digits(6)),
        (0xC1, 0x11 | 0x12) => count(1, Unit::Minute),
        (0xC1, 0x13 | 0x14) => count(1, Unit::Second),
        (0xC1, 0x15 | 0x16) | (0xC3, 0x10..=0x14) => count(1, Unit::None),
        (0xC1, 0x17) => time(Format::Time(TimeForm::DAY_HOUR)),
        (0xC1, 0x18) => time(Format::Time(TimeForm::DAY)),
        (0xC1, 0x19 | 0x1A) => number(4, 1, Sign::Unsigned, Unit::KilowattHour),
        (0xC2, 0x11) => count(2, Unit::Millisecond),
        (0xC2, 0x12) => time(Format::Digits(4)),
        (0xC3, 0x21..=0x2E) | (0xC4, 0x11..=0x1E) => time(Format::Scheduled(TimeForm::MONTH_DAY)),
        (0xC3, 0x30..=0xAF) if matches!(di0 & 0x0F, 1..=0x0E) => {
            time(Format::Scheduled(TimeForm::HOUR_MINUTE))
        }
        (0xC5, 0x10) => time(Format::Time(TimeForm::MONTH_TO_MINUTE)),
        (0xC5, 0x11) => count(2, Unit::Minute),
        _ => return None,
    })
}
