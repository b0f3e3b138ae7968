//! Kaifa: Norway and Sweden by position or as pairs, Austria with everything in the list.

use super::aidon::is_list_version;
use super::profile::{Head, Profile, Scale, base_unit};
use crate::data::{Reader, Value};
use crate::{Obis, Unit};

/// Kaifa lists of Norway (KFM_001 lists 1, 2 and 3) and the short ones of Sweden: values by position, without codes.
///
/// | members | holds |
/// |---|---|
/// | 1 | active power import |
/// | 9 | list name, meter ID, meter type, powers (4), current and voltage of one phase |
/// | 13 | the same with three currents and three voltages |
/// | 14, 18 | 9 and 13, then the clock and four energies |
///
/// Powers are in W and var, energies in Wh and varh, currents in mA, voltages in 0.1 V (KFM_001, scalers 0, -3, -1).
///
/// Every member must be of the kind that stands in its place. The list of one member names nobody: it is taken for list 1
/// of Norway where the data is one double-long-unsigned in a structure and nothing else, which no other list is known
/// to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Positional;

/// Which of the positional lists it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionalList {
    /// Active power import alone.
    Power,
    /// One phase.
    OnePhase,
    /// Three phases.
    ThreePhase,
}

impl Profile for Positional {
    type List = PositionalList;

    fn recognise(&self, head: &Head<'_>) -> Option<PositionalList> {
        let members = head.structure()?;
        if members == 1 {
            return matches!(head.members().rest(), [6, _, _, _, _]).then_some(PositionalList::Power);
        }
        if !head.first_text()?.starts_with(b"KFM") {
            return None;
        }
        let (list, phases, has_clock) = match members {
            9 => (PositionalList::OnePhase, 1, false),
            13 => (PositionalList::ThreePhase, 3, false),
            14 => (PositionalList::OnePhase, 1, true),
            18 => (PositionalList::ThreePhase, 3, true),
            _ => return None,
        };
        has_kinds(head.members(), phases, has_clock).then_some(list)
    }

    fn name(_: &PositionalList) -> &'static str {
        "Kaifa, by position"
    }

    fn code(list: &PositionalList, member: u16) -> Option<Obis> {
        let (currents, voltages, clock) = match list {
            PositionalList::Power => return (member == 0).then_some(Obis::new(1, 0, 1, 7, 0, 255)),
            PositionalList::OnePhase => (1, 1, 9),
            PositionalList::ThreePhase => (3, 3, 13),
        };
        let phase = |c: u8, member: u16| {
            let steps = u8::try_from(member).ok()?.checked_mul(20)?;
            Some(Obis::new(1, 0, c.checked_add(steps)?, 7, 0, 255))
        };
        Some(match member {
            0 => Obis::new(1, 0, 0, 2, 129, 255),
            1 => Obis::new(0, 0, 96, 1, 0, 255),
            2 => Obis::new(0, 0, 96, 1, 7, 255),
            3 => Obis::new(1, 0, 1, 7, 0, 255),
            4 => Obis::new(1, 0, 2, 7, 0, 255),
            5 => Obis::new(1, 0, 3, 7, 0, 255),
            6 => Obis::new(1, 0, 4, 7, 0, 255),
            _ => {
                let member = member.checked_sub(7)?;
                if member < currents {
                    return phase(31, member);
                }
                let member = member.checked_sub(currents)?;
                if member < voltages {
                    return phase(32, member);
                }
                match member.checked_add(currents)?.checked_add(7)?.checked_sub(clock)? {
                    0 => Obis::new(0, 0, 1, 0, 0, 255),
                    1 => Obis::new(1, 0, 1, 8, 0, 255),
                    2 => Obis::new(1, 0, 2, 8, 0, 255),
                    3 => Obis::new(1, 0, 3, 8, 0, 255),
                    4 => Obis::new(1, 0, 4, 8, 0, 255),
                    _ => return None,
                }
            }
        })
    }

    fn scale(_: &PositionalList, code: Obis, _: i64) -> Option<Scale> {
        scale(code)
    }
}

/// Kaifa lists of Sweden: pairs of code and value, the first naming the list "KFM…"; scaled as the positional ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs;

impl Profile for Pairs {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        head.structure()?;
        let mut members = head.members();
        let kaifa =
            is_list_version(members.obis().ok()?) && members.value().ok()?.as_octets()?.starts_with(b"KFM");
        kaifa.then_some(())
    }

    fn name((): &()) -> &'static str {
        "Kaifa, pairs"
    }

    fn scale((): &(), code: Obis, _: i64) -> Option<Scale> {
        scale(code)
    }
}

/// Kaifa MA309 of Austria (Salzburg, Vorarlberg, …): the clock as a pair, then `{code, value[, {scaler, unit}]}`, all in
/// itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Austria;

impl Profile for Austria {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        head.structure()?;
        let mut members = head.members();
        let clock =
            members.obis().ok()? == Obis::new(0, 0, 1, 0, 0, 255) && members.octet_string().ok()?.len() == 12;
        (clock && members.entry().is_some()).then_some(())
    }

    fn name((): &()) -> &'static str {
        "Kaifa, Austria"
    }
}

/// Whether the members are three texts, the numbers of so many phases, and maybe a clock and four energies.
fn has_kinds(mut members: Reader<'_>, phases: u8, has_clock: bool) -> bool {
    let is_text = |value: Value<'_>| value.as_octets().is_some();
    let is_number = |value: Value<'_>| value.as_integer().is_some();
    let is_clock = |value: Value<'_>| value.as_date_time().is_some();
    are(&mut members, 3, is_text)
        && are(&mut members, phases.saturating_mul(2).saturating_add(4), is_number)
        && (!has_clock || (are(&mut members, 1, is_clock) && are(&mut members, 4, is_number)))
}

/// Takes so many members, as long as they are of this kind.
fn are(members: &mut Reader<'_>, count: u8, is_kind: impl Fn(Value<'_>) -> bool) -> bool {
    (0..count).all(|_| members.value().is_ok_and(&is_kind))
}

fn scale(code: Obis) -> Option<Scale> {
    let unit = base_unit(code)?;
    let exponent = match unit {
        Unit::AMPERE => -3,
        Unit::VOLT => -1,
        Unit::WATT | Unit::VAR | Unit::WATT_HOUR | Unit::VAR_HOUR => 0,
        _ => return None,
    };
    Some(Scale::new(exponent, unit))
}
