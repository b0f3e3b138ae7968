//! Layouts of event records: DI3 = 03 (annex A.4 of the 2007 standard).

use crate::layout::{Field, Format, Layout, Shape, Sign};
use crate::moment::TimeForm;
use crate::value::Unit;

/// What a record of an event class is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) enum Record {
    /// Count and minutes, so many times (once, or per phase).
    Totals(u8),
    /// So many counts.
    Counts(u8),
    /// Loss of voltage and the like: span, energies, and per phase what was measured; ampere-hours if `true`.
    Phases(bool),
    /// Span and the energies of all and each phase; before them the unbalance if `true`.
    Energies(bool),
    /// All-phase loss of voltage.
    AllPhases,
    /// Begin and end.
    Span,
    /// Voltage qualification.
    Qualification,
    /// Demand over its limit.
    Demand(Unit),
    Programming,
    MeterClear,
    DemandClear,
    EventClear,
    TimeSet,
    DayTables,
    ZoneTables,
    Feature,
    Holidays,
    SettlementDays,
    Cover,
}

pub(crate) fn layout(class: u8, di1: u8, di0: u8) -> Option<Layout> {
    let phases = matches!(class, 0x01..=0x04 | 0x0B..=0x0F);
    let record = match (class, di1, di0) {
        (0x10, 0..=3, 0..=0x0C) => Record::Qualification,
        (0x30, ..) => return programming(di1, di0),
        (0x01..=0x0F, 0, 0) => Record::Totals(if phases { 3 } else { 1 }),
        (0x11, 0, 0) => Record::Counts(1),
        (0x12, 0, 0) => Record::Counts(6),
        (0x01..=0x04, 1..=3, _) => Record::Phases(true),
        (0x0B..=0x0D, 1..=3, _) => Record::Phases(false),
        (0x0E | 0x0F, 1..=3, _) | (0x07 | 0x08, 0, _) => Record::Energies(false),
        (0x09 | 0x0A, 0, _) => Record::Energies(true),
        (0x05, 0, _) => Record::AllPhases,
        (0x06 | 0x11, 0, _) => Record::Span,
        (0x12, 1 | 2, _) => Record::Demand(Unit::Kilowatt),
        (0x12, 3..=6, _) => Record::Demand(Unit::Kilovar),
        _ => return None,
    };
    records(record, di0)
}

fn programming(di1: u8, di0: u8) -> Option<Layout> {
    let record = match (di1, di0) {
        (0..=0x0E, 0) => Record::Counts(1),
        (0x00, _) => Record::Programming,
        (0x01, _) => Record::MeterClear,
        (0x02, _) => Record::DemandClear,
        (0x03, _) => Record::EventClear,
        (0x04, _) => Record::TimeSet,
        (0x05, _) => Record::DayTables,
        (0x06, _) => Record::ZoneTables,
        (0x07 | 0x09..=0x0B, _) => Record::Feature,
        (0x08, _) => Record::Holidays,
        (0x0C, _) => Record::SettlementDays,
        (0x0D | 0x0E, _) => Record::Cover,
        _ => return None,
    };
    records(record, di0)
}

/// One record, or with DI0 = FF the last ten.
fn records(record: Record, di0: u8) -> Option<Layout> {
    let layout = Layout::shape(Shape::Event(record, 4));
    match di0 {
        0..=0x0C => Some(layout),
        0xFF => Some(layout.up_to(10)),
        _ => None,
    }
}

impl Record {
    /// Field `index` of the record, with an operator code of so many octets.
    pub(crate) const fn field(self, index: u16, operator: u8) -> Option<Field> {
        match (self, index) {
            (Self::Totals(n), _) if index < (n as u16).saturating_mul(2) => Some(Field::number(
                3,
                0,
                Sign::Unsigned,
                if index.is_multiple_of(2) { Unit::None } else { Unit::Minute },
            )),
            (Self::Counts(n), _) if index < n as u16 => Some(Field::number(3, 0, Sign::Unsigned, Unit::None)),
            (Self::Totals(_) | Self::Counts(_), _) => None,
            (Self::Qualification, _) => qualification(index),
            (Self::AllPhases, 1) => Some(Field::number(3, 3, Sign::Optional, Unit::Ampere)),
            (Self::AllPhases, 0 | 2) | (Self::TimeSet, 1 | 2) => Some(MOMENT),
            (Self::TimeSet, 0) => Some(Field::plain(Format::Octets(operator))),
            (Self::AllPhases | Self::TimeSet, _) => None,
            (_, 0) => Some(MOMENT),
            (Self::Phases(_) | Self::Energies(_) | Self::Span | Self::Demand(_) | Self::Cover, 1) => {
                Some(MOMENT)
            }
            (_, 1) => Some(Field::plain(Format::Octets(operator))),
            _ => self.body(index.wrapping_sub(2)),
        }
    }

    /// Whether an operator code is part of it.
    pub(crate) const fn has_operator(self) -> bool {
        matches!(
            self,
            Self::Programming
                | Self::MeterClear
                | Self::DemandClear
                | Self::EventClear
                | Self::TimeSet
                | Self::DayTables
                | Self::ZoneTables
                | Self::Feature
                | Self::Holidays
                | Self::SettlementDays
        )
    }

    /// What follows the two times, or time and operator code.
    const fn body(self, index: u16) -> Option<Field> {
        match (self, index) {
            // Totals and phase A: 8 energies, 5 variables; then 4 and 5 each for B and C; then ampere-hours.
            (Self::Phases(_), 0..=7) => energy(index),
            (Self::Phases(_), 8..=12) => variable(index.wrapping_sub(8)),
            (Self::Phases(_), 13..=16 | 22..=25) => {
                energy(index.wrapping_sub(if index < 22 { 13 } else { 22 }))
            }
            (Self::Phases(_), 17..=21) => variable(index.wrapping_sub(17)),
            (Self::Phases(_), 26..=30) => variable(index.wrapping_sub(26)),
            (Self::Phases(true), 31..=34) => Some(Field::number(4, 2, Sign::Unsigned, Unit::AmpereHour)),
            (Self::Energies(false), 0..=15) => energy(index),
            (Self::Energies(true), 0) => Some(Field::number(2, 2, Sign::Unsigned, Unit::Percent)),
            (Self::Energies(true), 1..=16) => energy(index.wrapping_sub(1)),
            (Self::Demand(unit), 0) => Some(Field::number(3, 4, Sign::Unsigned, unit)),
            (Self::Demand(_), 1) => Some(MINUTE),
            (Self::Programming, 0..=9) | (Self::EventClear, 0) => Some(Field::plain(Format::Identifier)),
            (Self::MeterClear, 0..=23) | (Self::Cover, 0..=11) => Some(Field::number(
                4,
                2,
                Sign::Unsigned,
                if active(index) { Unit::KilowattHour } else { Unit::KilovarHour },
            )),
            (Self::DemandClear, 0..=47) => Some(if !index.is_multiple_of(2) {
                MINUTE
            } else {
                Field::number(
                    3,
                    4,
                    Sign::Unsigned,
                    if active(index / 2) { Unit::Kilowatt } else { Unit::Kilovar },
                )
            }),
            (Self::DayTables, 0..=27) => Some(Field::plain(Format::Scheduled(TimeForm::HOUR_MINUTE))),
            (Self::ZoneTables, 0..=27) => Some(Field::plain(Format::Scheduled(TimeForm::MONTH_DAY))),
            (Self::Feature, 0) => Some(Field::plain(Format::Bits(1))),
            (Self::Holidays, 0..=253) => Some(Field::plain(Format::Scheduled(TimeForm::DATE))),
            (Self::SettlementDays, 0..=2) => Some(Field::plain(Format::Time(TimeForm::DAY_HOUR))),
            _ => None,
        }
    }
}

const MOMENT: Field = Field::plain(Format::Time(TimeForm::TO_SECOND));
const MINUTE: Field = Field::plain(Format::Time(TimeForm::TO_MINUTE));

/// Increases: forward and reverse active, combined reactive 1 and 2, over and over.
const fn energy(index: u16) -> Option<Field> {
    Some(match index % 4 {
        0 | 1 => Field::number(4, 2, Sign::Unsigned, Unit::KilowattHour),
        _ => Field::number(4, 2, Sign::Signed, Unit::KilovarHour),
    })
}

/// Forward and reverse active, then four quadrants, over and over.
const fn active(index: u16) -> bool {
    index % 6 < 2
}

/// Voltage, current, active and reactive power, power factor of a phase.
const fn variable(index: u16) -> Option<Field> {
    Some(match index {
        0 => Field::number(2, 1, Sign::Unsigned, Unit::Volt),
        1 => Field::number(3, 3, Sign::Optional, Unit::Ampere),
        2 => Field::number(3, 4, Sign::Signed, Unit::Kilowatt),
        3 => Field::number(3, 4, Sign::Signed, Unit::Kilovar),
        4 => Field::number(2, 3, Sign::Signed, Unit::None),
        _ => return None,
    })
}

/// Minutes watched, shares within and beyond limits, minutes above and below, highest and lowest voltage with time.
const fn qualification(index: u16) -> Option<Field> {
    Some(match index {
        0 | 3 | 4 => Field::number(3, 0, Sign::Unsigned, Unit::Minute),
        1 | 2 => Field::number(3, 2, Sign::Unsigned, Unit::Percent),
        5 | 7 => Field::number(2, 1, Sign::Unsigned, Unit::Volt),
        6 | 8 => Field::plain(Format::Time(TimeForm::MONTH_TO_MINUTE)),
        _ => return None,
    })
}
