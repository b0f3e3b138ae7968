//! Iskraemeco AM550 in Slovenia and IE.5 in Croatia: values by position, without codes. (For Switzerland see
//! [`landis_gyr::Swiss`](super::landis_gyr::Swiss).)

use super::profile::{Head, Profile, Scale, base_unit};
use crate::data::Value;
use crate::{Obis, Unit};

/// Iskraemeco AM550 of the Slovenian grids. The first member is the logical device name, "ISK…".
///
/// | members | holds, behind the name and a second text |
/// |---|---|
/// | 18 | powers (4), voltages (3), currents (3), active power import and export of each phase |
/// | 12, the third an enum or boolean | disconnect state, tariff, energies: import and export with two tariffs, reactive |
/// | 12, the third a long-unsigned | voltages (3), currents (3), powers (4) |
/// | 10, the seventh a long-unsigned | powers (4), voltage, current, power import and export of L1 |
/// | 10, the seventh a double-long-unsigned | energies by tariff: import, export, reactive import, reactive export |
/// | 9 | powers (4), voltage; the last two are not known |
/// | 8 | voltage, current, powers (4) |
/// | 4, the first a number of eight digits | a flag that is not known, energy import, energy export |
///
/// Powers are in W and var, energies in Wh and varh, voltages in 0.1 V, currents in 0.01 A.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slovenia;

/// Which of the Slovenian lists it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlovenianList {
    /// 18 members.
    ThreePhase,
    /// 12 members, energies.
    Energies,
    /// 12 members, voltages first.
    ThreePhaseShort,
    /// 10 members, powers.
    OnePhase,
    /// 10 members, energies.
    Tariffs,
    /// 9 members.
    OnePhaseShort,
    /// 8 members.
    OnePhaseVoltageFirst,
    /// 4 members.
    Totals,
}

impl Profile for Slovenia {
    type List = SlovenianList;

    fn recognise(&self, head: &Head<'_>) -> Option<SlovenianList> {
        let name = head.first_text()?;
        let members = head.structure()?;
        if members == 4 {
            let number = name.len() == 8 && name.iter().all(u8::is_ascii_digit);
            return (number && head.has_types(&[9, 17, 6, 6])).then_some(SlovenianList::Totals);
        }
        if !name.starts_with(b"ISK") {
            return None;
        }
        match members {
            18 if head.has_types(&[9, 9, 6, 6, 6, 6, 18, 18, 18, 18, 18, 18, 6]) => {
                Some(SlovenianList::ThreePhase)
            }
            12 if head.has_types(&[9, 9, 22, 9, 6]) || head.has_types(&[9, 9, 3, 9, 6]) => {
                Some(SlovenianList::Energies)
            }
            12 if head.has_types(&[9, 9, 18, 18, 18, 18, 18, 18, 6]) => Some(SlovenianList::ThreePhaseShort),
            10 if head.has_types(&[9, 9, 6, 6, 6, 6, 18, 18]) => Some(SlovenianList::OnePhase),
            10 if head.has_types(&[9, 9, 6, 6, 6, 6, 6, 6]) => Some(SlovenianList::Tariffs),
            9 if head.has_types(&[9, 9, 6, 6, 6, 6, 18]) => Some(SlovenianList::OnePhaseShort),
            8 if head.has_types(&[9, 9, 18, 18, 6, 6, 6, 6]) => Some(SlovenianList::OnePhaseVoltageFirst),
            _ => None,
        }
    }

    fn name(_: &SlovenianList) -> &'static str {
        "Iskraemeco, Slovenia"
    }

    fn code(list: &SlovenianList, member: u16) -> Option<Obis> {
        use SlovenianList as L;
        let measured = |c: u8| Some(Obis::new(1, 0, c, 7, 0, 255));
        let energy = |c: u8, e: u8| Some(Obis::new(1, 0, c, 8, e, 255));
        if member == 0 {
            return Some(match list {
                L::Totals => Obis::new(0, 0, 96, 1, 0, 255),
                _ => Obis::new(0, 0, 42, 0, 0, 255),
            });
        }
        match (list, member) {
            (L::ThreePhase | L::OnePhase | L::OnePhaseShort, 2) => measured(1),
            (L::ThreePhase | L::OnePhase | L::OnePhaseShort, 3) => measured(2),
            (L::ThreePhase | L::OnePhase | L::OnePhaseShort, 4) => measured(3),
            (L::ThreePhase | L::OnePhase | L::OnePhaseShort, 5) => measured(4),
            (L::ThreePhase | L::OnePhase | L::OnePhaseShort, 6) => measured(32),
            (L::ThreePhase, 7) => measured(52),
            (L::ThreePhase, 8) => measured(72),
            (L::ThreePhase, 9) | (L::OnePhase, 7) => measured(31),
            (L::ThreePhase, 10) => measured(51),
            (L::ThreePhase, 11) => measured(71),
            (L::ThreePhase, 12) | (L::OnePhase, 8) => measured(21),
            (L::ThreePhase, 13) => measured(41),
            (L::ThreePhase, 14) => measured(61),
            (L::ThreePhase, 15) | (L::OnePhase, 9) => measured(22),
            (L::ThreePhase, 16) => measured(42),
            (L::ThreePhase, 17) => measured(62),
            (L::Energies, 2) => Some(Obis::new(0, 0, 96, 3, 10, 255)),
            (L::Energies, 3) => Some(Obis::new(0, 0, 96, 14, 0, 255)),
            (L::Energies, 4) => energy(1, 0),
            (L::Energies, 5) | (L::Tariffs, 2) => energy(1, 1),
            (L::Energies, 6) | (L::Tariffs, 3) => energy(1, 2),
            (L::Energies, 7) => energy(2, 0),
            (L::Energies, 8) | (L::Tariffs, 4) => energy(2, 1),
            (L::Energies, 9) | (L::Tariffs, 5) => energy(2, 2),
            (L::Energies, 10) => energy(3, 0),
            (L::Energies, 11) => energy(4, 0),
            (L::Tariffs, 6) => energy(3, 1),
            (L::Tariffs, 7) => energy(3, 2),
            (L::Tariffs, 8) => energy(4, 1),
            (L::Tariffs, 9) => energy(4, 2),
            (L::ThreePhaseShort | L::OnePhaseVoltageFirst, 2) => measured(32),
            (L::ThreePhaseShort, 3) => measured(52),
            (L::ThreePhaseShort, 4) => measured(72),
            (L::ThreePhaseShort, 5) | (L::OnePhaseVoltageFirst, 3) => measured(31),
            (L::ThreePhaseShort, 6) => measured(51),
            (L::ThreePhaseShort, 7) => measured(71),
            (L::ThreePhaseShort, 8) | (L::OnePhaseVoltageFirst, 4) => measured(1),
            (L::ThreePhaseShort, 9) | (L::OnePhaseVoltageFirst, 5) => measured(2),
            (L::ThreePhaseShort, 10) | (L::OnePhaseVoltageFirst, 6) => measured(3),
            (L::ThreePhaseShort, 11) | (L::OnePhaseVoltageFirst, 7) => measured(4),
            (L::Totals, 2) => energy(1, 0),
            (L::Totals, 3) => energy(2, 0),
            _ => None,
        }
    }

    fn scale(_: &SlovenianList, code: Obis, _: i64) -> Option<Scale> {
        scale(code)
    }
}

/// Iskraemeco IE.5 of HEP, Croatia: 33 members by position.
///
/// The number of the meter, time (4 octets) and date (5), energies import and export each with two tariffs, reactive
/// energies of the four quadrants, power import and export, power factor, powers of the phases, voltages, currents. The
/// last five (limits and a switch) are not known for sure and come out without a name.
///
/// Powers are in W, energies in Wh and varh, voltages in 0.1 V, currents in 0.01 A, the power factor in thousandths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Croatia;

impl Profile for Croatia {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        let is = head.structure() == Some(33)
            && matches!(head.first(), Some(Value::OctetString(number)) if number.iter().all(u8::is_ascii_digit))
            && head.has_types(&[
                9, 9, 9, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 18, 6, 6, 6, 6, 6, 6, 18, 18, 18, 18, 18, 18,
            ]);
        is.then_some(())
    }

    fn name((): &()) -> &'static str {
        "Iskraemeco, Croatia"
    }

    fn code((): &(), member: u16) -> Option<Obis> {
        let (c, d, e) = match member {
            0 => return Some(Obis::new(0, 0, 96, 1, 0, 255)),
            1 => (0, 9, 1),
            2 => (0, 9, 2),
            3 => (1, 8, 0),
            4 => (1, 8, 1),
            5 => (1, 8, 2),
            6 => (2, 8, 0),
            7 => (2, 8, 1),
            8 => (2, 8, 2),
            9 => (5, 8, 0),
            10 => (6, 8, 0),
            11 => (7, 8, 0),
            12 => (8, 8, 0),
            13 => (1, 7, 0),
            14 => (2, 7, 0),
            15 => (13, 7, 0),
            16 => (21, 7, 0),
            17 => (41, 7, 0),
            18 => (61, 7, 0),
            19 => (22, 7, 0),
            20 => (42, 7, 0),
            21 => (62, 7, 0),
            22 => (32, 7, 0),
            23 => (52, 7, 0),
            24 => (72, 7, 0),
            25 => (31, 7, 0),
            26 => (51, 7, 0),
            27 => (71, 7, 0),
            _ => return None,
        };
        Some(Obis::new(1, 0, c, d, e, 255))
    }

    fn scale((): &(), code: Obis, _: i64) -> Option<Scale> {
        scale(code)
    }
}

fn scale(code: Obis) -> Option<Scale> {
    let unit = base_unit(code)?;
    let exponent = match unit {
        Unit::AMPERE => -2,
        Unit::VOLT => -1,
        Unit::NONE => -3,
        Unit::WATT | Unit::VAR | Unit::WATT_HOUR | Unit::VAR_HOUR => 0,
        _ => return None,
    };
    Some(Scale::new(exponent, unit))
}
