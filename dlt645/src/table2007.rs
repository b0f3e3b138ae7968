//! Layouts of the 2007 identifiers by rule, annex A of DL/T 645-2007 and its 2013 filing.

use crate::layout::{Field, Format, Layout, Shape, Sign};
use crate::moment::TimeForm;
use crate::value::Unit;

/// Rates 1..=63 and the total.
pub(crate) const RATES: u8 = 64;
/// The present value and 12 settlements.
const SETTLEMENTS: u8 = 13;
/// Harmonic orders.
const ORDERS: u8 = 21;
/// Entries of a time zone or day table.
const ENTRIES: u8 = 14;

#[inline]
pub(crate) fn layout(code: u32) -> Option<Layout> {
    let [di0, di1, di2, di3] = code.to_le_bytes();
    match di3 {
        0x00 => energy(di2, di1, di0),
        0x01 => demand(di2, di1, di0),
        0x02 => variable(di2, di1, di0),
        #[cfg(feature = "events")]
        0x03 => crate::event::layout(di2, di1, di0),
        0x04 => parameter(di2, di1, di0),
        #[cfg(feature = "freeze")]
        0x05 => crate::freeze::layout(di2, di1, di0),
        #[cfg(feature = "load")]
        0x06 => crate::load::layout(di2, di1, di0),
        _ => None,
    }
}

/// What is counted: active, reactive or apparent, and whether it has a sign.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Active,
    Reactive,
    Apparent,
}

impl Kind {
    pub(crate) const fn energy(self) -> Unit {
        match self {
            Self::Active => Unit::KilowattHour,
            Self::Reactive => Unit::KilovarHour,
            Self::Apparent => Unit::KilovoltAmpereHour,
        }
    }

    pub(crate) const fn power(self) -> Unit {
        match self {
            Self::Active => Unit::Kilowatt,
            Self::Reactive => Unit::Kilovar,
            Self::Apparent => Unit::KilovoltAmpere,
        }
    }
}

/// DI2 of an energy or demand: the measurand as of the total, and the phase 0 (all) to 3.
pub(crate) const fn measurand(di2: u8) -> (u8, u8) {
    match di2 {
        0x15..=0x1E => (di2.wrapping_sub(0x14), 1),
        0x29..=0x32 => (di2.wrapping_sub(0x28), 2),
        0x3D..=0x46 => (di2.wrapping_sub(0x3C), 3),
        0x94..=0x9A => (di2.wrapping_sub(0x14), 1),
        0xA8..=0xAE => (di2.wrapping_sub(0x28), 2),
        0xBC..=0xC2 => (di2.wrapping_sub(0x3C), 3),
        _ => (di2, 0),
    }
}

/// Of a measurand as of the total.
pub(crate) const fn kind(measurand: u8) -> Option<(Kind, Sign)> {
    Some(match measurand {
        0x00 => (Kind::Active, Sign::Signed),
        0x01 | 0x02 | 0x80..=0x86 => (Kind::Active, Sign::Unsigned),
        0x03 | 0x04 => (Kind::Reactive, Sign::Signed),
        0x05..=0x08 => (Kind::Reactive, Sign::Unsigned),
        0x09 | 0x0A => (Kind::Apparent, Sign::Unsigned),
        _ => return None,
    })
}

/// Rate and settlement: one value, or a block of either.
const fn block(layout: Layout, di1: u8, di0: u8) -> Option<Layout> {
    match (di1, di0) {
        (0..=0x3F, 0..=0x0C) => Some(layout),
        (0xFF, 0..=0x0C) => Some(layout.up_to(RATES)),
        (0..=0x3F, 0xFF) => Some(layout.times(SETTLEMENTS)),
        _ => None,
    }
}

fn energy(di2: u8, di1: u8, di0: u8) -> Option<Layout> {
    let (unit, sign) = match (di2, di1, di0) {
        (0x90, 1, 0 | 1) => (Unit::KilowattHour, Sign::Unsigned),
        (0x90, 2, 0 | 1) => (Unit::Yuan, Sign::Unsigned),
        _ => {
            let (kind, sign) = kind(measurand(di2).0)?;
            return block(number(4, 2, sign, kind.energy()), di1, di0);
        }
    };
    Some(number(4, 2, sign, unit))
}

fn demand(di2: u8, di1: u8, di0: u8) -> Option<Layout> {
    let (measurand @ 1..=0x0A, _) = measurand(di2) else { return None };
    let (kind, sign) = kind(measurand)?;
    block(Layout::shape(Shape::Demand(kind.power(), sign)), di1, di0)
}

fn variable(di2: u8, di1: u8, di0: u8) -> Option<Layout> {
    let layout = match di2 {
        0x01 => number(2, 1, Sign::Unsigned, Unit::Volt),
        0x02 => number(3, 3, Sign::Optional, Unit::Ampere),
        0x03 => number(3, 4, Sign::Signed, Unit::Kilowatt),
        0x04 => number(3, 4, Sign::Signed, Unit::Kilovar),
        0x05 => number(3, 4, Sign::Signed, Unit::KilovoltAmpere),
        0x06 => number(2, 3, Sign::Signed, Unit::None),
        0x07 => number(2, 1, Sign::Unsigned, Unit::Degree),
        0x08..=0x0B => number(2, 2, Sign::Unsigned, Unit::Percent),
        0x80 if di1 == 0 => return miscellaneous(di0),
        // Vendors' wider powers.
        0x93 => number(3, 2, Sign::Optional, Unit::Kilowatt),
        0x94 => number(3, 2, Sign::Optional, Unit::Kilovar),
        0x95 => number(3, 2, Sign::Optional, Unit::KilovoltAmpere),
        0xA3 => number(4, 4, Sign::Optional, Unit::Kilowatt),
        0xA4 => number(4, 4, Sign::Optional, Unit::Kilovar),
        0xA5 => number(4, 4, Sign::Optional, Unit::KilovoltAmpere),
        _ => return None,
    };
    let with_total = matches!(di2, 0x03..=0x06 | 0x93..=0xA5);
    match (di2, di1, di0) {
        (0x0A | 0x0B, 1..=3, 1..=ORDERS) => Some(layout),
        (0x0A | 0x0B, 1..=3, 0xFF) => Some(layout.up_to(ORDERS)),
        (0x0A | 0x0B, ..) => None,
        (_, 1..=3, 0) => Some(layout),
        (_, 0, 0) if with_total => Some(layout),
        (_, 0xFF, 0) => Some(layout.times(if with_total { 4 } else { 3 })),
        _ => None,
    }
}

const fn miscellaneous(di0: u8) -> Option<Layout> {
    Some(match di0 {
        0x01 => number(3, 3, Sign::Unsigned, Unit::Ampere),
        0x02 => number(2, 2, Sign::Unsigned, Unit::Hertz),
        0x03 | 0x04 => number(3, 4, Sign::Signed, Unit::Kilowatt),
        0x05 => number(3, 4, Sign::Signed, Unit::Kilovar),
        0x06 => number(3, 4, Sign::Signed, Unit::KilovoltAmpere),
        0x07 => number(2, 1, Sign::Signed, Unit::DegreeCelsius),
        0x08 | 0x09 => number(2, 2, Sign::Unsigned, Unit::Volt),
        0x0A => number(4, 0, Sign::Unsigned, Unit::Minute),
        0x0B | 0x20 => number(4, 4, Sign::Unsigned, Unit::YuanPerKilowattHour),
        _ => return None,
    })
}

fn parameter(di2: u8, di1: u8, di0: u8) -> Option<Layout> {
    Some(match (di2, di1, di0) {
        (0x00, ..) => return general(di1, di0),
        (0x01 | 0x02, 0x00, 0x00) => time(Format::Scheduled(TimeForm::MONTH_DAY)).up_to(ENTRIES),
        (0x01 | 0x02, 0x00, 0x01..=0x08) => time(Format::Scheduled(TimeForm::HOUR_MINUTE)).up_to(ENTRIES),
        (0x03, 0x00, 0x01..=0xFE) => time(Format::Scheduled(TimeForm::DATE)),
        (0x04, 0x01 | 0x02, 0x01..=0xFE) => Layout::shape(Shape::Screen),
        (0x09, ..) => return event_limit(di1, di0),
        (0x80, 0x00, 0x01..=0x03) => Layout::field(Field::plain(Format::Text(32))),
        _ => return None,
    })
}

fn general(di1: u8, di0: u8) -> Option<Layout> {
    Some(match (di1, di0) {
        (0x01, 0x01) => time(Format::Time(TimeForm::DATE_WEEKDAY)),
        (0x01, 0x02) => time(Format::Time(TimeForm::TIME)),
        (0x01, 0x03 | 0x04) | (0x12, 0x02) => count(1, Unit::Minute),
        (0x01, 0x05) => count(2, Unit::Millisecond),
        (0x01, 0x06..=0x09) | (0x12, 0x01) => time(Format::Time(TimeForm::TO_MINUTE)),
        (0x01, 0x0C) => time(Format::Time(TimeForm::WHOLE)),
        (0x02, 0x05) => count(2, Unit::None),
        (0x02, 0x01..=0x07) | (0x03, 0x01 | 0x03..=0x05) | (0x08, 0x02) => count(1, Unit::None),
        (0x03, 0x02) => count(1, Unit::Second),
        (0x03, 0x06 | 0x07) => count(3, Unit::None),
        (0x04, 0x01 | 0x02) => Layout::field(Field::plain(Format::Digits(6))),
        (0x04, 0x03) => text(32),
        (0x04, 0x04..=0x06) => text(6),
        (0x04, 0x07 | 0x08) => text(4),
        (0x04, 0x09) => count(3, Unit::ImpulsePerKilowattHour),
        (0x04, 0x0A) => count(3, Unit::ImpulsePerKilovarHour),
        (0x04, 0x0B | 0x0C) => text(10),
        (0x04, 0x0D) => text(16),
        (0x05, 0x01..=0x07) => bits(2),
        (0x05, 0xFF) => bits(2).times(7),
        (0x06, 0x01..=0x03) | (0x07, 0x01..=0x05) | (0x08, 0x01) | (0x09, 0x01..=0x06) | (0x11, 0x01) => {
            bits(1)
        }
        (0x0A, 0x01) => time(Format::Time(TimeForm::MONTH_TO_MINUTE)),
        (0x0A, 0x02..=0x07) | (0x14, 0x01) => count(2, Unit::Minute),
        (0x0B, 0x01..=0x03) => time(Format::Time(TimeForm::DAY_HOUR)),
        (0x0C, 0x01..=0x0A) => Layout::field(Field::plain(Format::Digits(4))),
        (0x0D, 0x01..=0x0C) => number(2, 3, Sign::Unsigned, Unit::None),
        (0x0E, 0x01 | 0x02) => number(3, 4, Sign::Unsigned, Unit::Kilowatt),
        (0x0E, 0x03 | 0x04) => number(2, 1, Sign::Unsigned, Unit::Volt),
        (0x0F, 0x01 | 0x02) => number(4, 2, Sign::Unsigned, Unit::KilowattHour),
        (0x10, 0x01..=0x03) => number(4, 2, Sign::Unsigned, Unit::Yuan),
        (0x11, 0x04) => bits(8),
        (0x12, 0x03) => time(Format::Time(TimeForm::HOUR_MINUTE)),
        (0x15, 0x01) => bits(12),
        _ => return None,
    })
}

/// Limits at which events are recorded (2013 filing); their units are not in the published tables.
const fn event_limit(di1: u8, di0: u8) -> Option<Layout> {
    Some(match (di1, di0) {
        (0x01, 0x01 | 0x02) | (0x02 | 0x03, 0x01) => number(2, 1, Sign::Unsigned, Unit::None),
        (0x01, 0x03) => number(3, 4, Sign::Unsigned, Unit::None),
        (0x05 | 0x06, 0x01) => number(2, 2, Sign::Unsigned, Unit::None),
        (0x01, 0x04) | (0x02 | 0x03 | 0x05 | 0x06, 0x02) => count(1, Unit::None),
        _ => return None,
    })
}

pub(crate) const fn number(octets: u8, decimals: u8, sign: Sign, unit: Unit) -> Layout {
    Layout::field(Field::number(octets, decimals, sign, unit))
}

pub(crate) const fn count(octets: u8, unit: Unit) -> Layout {
    number(octets, 0, Sign::Unsigned, unit)
}

pub(crate) const fn time(format: Format) -> Layout {
    Layout::field(Field::plain(format))
}

const fn text(octets: u8) -> Layout {
    time(Format::Text(octets))
}

pub(crate) const fn bits(octets: u8) -> Layout {
    time(Format::Bits(octets))
}
