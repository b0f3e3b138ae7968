//! Landis+Gyr: E350 in Norway, E450 in Switzerland and Austria; and Iskraemeco AM550 in Switzerland, which sends likewise.

use super::aidon::is_list_version;
use super::objects::{PUSH_SETUP, first_two};
use super::profile::{Head, Profile, Scale, base_unit};
use crate::{Obis, Unit};

/// Landis+Gyr E350 of Norway ("EMBRIQ"): `array { {code, value[, {scaler, unit}]}, … }`, all in itself; texts padded with
/// NULs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct E350;

impl Profile for E350 {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        head.array()?;
        let entry = head.members().entry()?;
        (is_list_version(entry.obis) && entry.value.as_octets()?.starts_with(b"EMBRIQ")).then_some(())
    }

    fn name((): &()) -> &'static str {
        "Landis+Gyr E350"
    }
}

/// Landis+Gyr E450 and Iskraemeco AM550 of the Swiss grids: the object list first, the values after it, unscaled.
///
/// Recognised by an object list that begins with the list itself and the name of a push setup (0-x:25.9.0, x from 6 to 9;
/// attributes 2 and 1). Powers are in W and var, energies in Wh and varh, currents in 0.01 A, power factors in
/// thousandths. Voltages come in V or, from newer firmware, in 0.1 V: what lies between the two is left as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swiss;

impl Profile for Swiss {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        head.structure()?;
        let (list, name) = first_two(head.members())?;
        let push = list.class == PUSH_SETUP && matches!(list.obis.octets(), [0, 6..=9, 25, 9, 0, 255]);
        (push && list.attribute == 2 && name.obis == list.obis && name.attribute == 1).then_some(())
    }

    fn name((): &()) -> &'static str {
        "object list, Switzerland"
    }

    fn scale((): &(), code: Obis, number: i64) -> Option<Scale> {
        scale(code, number)
    }
}

/// Landis+Gyr E450 of Styria and Cyprus: the clock, then pairs of code and value, unscaled.
///
/// Powers are in W and var, energies in Wh and varh, currents in 0.01 A; voltages as in [`Swiss`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs;

impl Profile for Pairs {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        let odd = head.structure()? % 2 == 1;
        let mut members = head.members();
        let clock = members.octet_string().ok()?.len() == 12;
        let pair = members.obis().is_ok() && members.integer().is_ok() && members.obis().is_ok();
        (odd && clock && pair).then_some(())
    }

    fn name((): &()) -> &'static str {
        "Landis+Gyr, pairs"
    }

    fn code((): &(), member: u16) -> Option<Obis> {
        (member == 0).then_some(Obis::new(0, 0, 1, 0, 0, 255))
    }

    fn scale((): &(), code: Obis, number: i64) -> Option<Scale> {
        scale(code, number)
    }
}

/// Landis+Gyr E450 of Netz Burgenland: 11 or 14 members by position.
///
/// Voltages (3, in V), currents (3, in 0.01 A), active power import and export (W), energy import and export (Wh), in the
/// longer list three numbers that are not known, and the number of the meter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Burgenland;

impl Profile for Burgenland {
    /// Members of the list.
    type List = u16;

    fn recognise(&self, head: &Head<'_>) -> Option<u16> {
        match head.structure()? {
            11 if head.has_types(&[18, 18, 18, 18, 18, 18, 6, 6, 6, 6, 9]) => Some(11),
            14 if head.has_types(&[18, 18, 18, 18, 18, 18, 6, 6, 6, 6, 18, 18, 18, 9]) => Some(14),
            _ => None,
        }
    }

    fn name(_: &u16) -> &'static str {
        "Landis+Gyr, Burgenland"
    }

    fn code(members: &u16, member: u16) -> Option<Obis> {
        let (c, d) = match member {
            0 => (32, 7),
            1 => (52, 7),
            2 => (72, 7),
            3 => (31, 7),
            4 => (51, 7),
            5 => (71, 7),
            6 => (1, 7),
            7 => (2, 7),
            8 => (1, 8),
            9 => (2, 8),
            _ if member.checked_add(1) == Some(*members) => return Some(Obis::new(0, 0, 96, 1, 0, 255)),
            _ => return None,
        };
        Some(Obis::new(1, 0, c, d, 0, 255))
    }

    fn scale(_: &u16, code: Obis, number: i64) -> Option<Scale> {
        scale(code, number)
    }
}

fn scale(code: Obis, number: i64) -> Option<Scale> {
    let unit = base_unit(code)?;
    let exponent = match unit {
        Unit::AMPERE => -2,
        Unit::VOLT => match number {
            0 | 50..=500 => 0,
            900..=5000 => -1,
            _ => return None,
        },
        Unit::NONE => -3,
        Unit::WATT | Unit::VAR | Unit::WATT_HOUR | Unit::VAR_HOUR => 0,
        _ => return None,
    };
    Some(Scale::new(exponent, unit))
}
