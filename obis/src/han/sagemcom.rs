//! Sagemcom and Kaifa of Netz Niederösterreich, and the Czech lists of EG.D (Sagemcom XT211 and others).

use super::profile::{Head, Profile, Scale, base_unit};
use crate::data::{Element, Quirks, Reader};
use crate::{Obis, Unit};

/// Lists of Netz Niederösterreich (EVN): the clock, then code, value and `{scaler, unit}` flat one after another, and the
/// number of the meter alone at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetzNoe;

impl Profile for NetzNoe {
    /// Members of the list.
    type List = u32;

    fn recognise(&self, head: &Head<'_>) -> Option<u32> {
        let members = head.structure()?;
        let mut reader = head.members();
        let clock = reader.octet_string().ok()?.len() == 12;
        let flat = reader.obis().is_ok() && reader.integer().is_ok() && reader.scaler_unit().is_some();
        // A clock, items of three, and the number of the meter.
        (clock && flat && members % 3 == 2).then_some(members)
    }

    fn name(_: &u32) -> &'static str {
        "Netz NÖ"
    }

    fn code(members: &u32, member: u16) -> Option<Obis> {
        match u32::from(member) {
            0 => Some(Obis::new(0, 0, 1, 0, 0, 255)),
            member if member.checked_add(1) == Some(*members) => Some(Obis::new(0, 0, 96, 1, 0, 255)),
            _ => None,
        }
    }
}

/// Lists of EG.D and other Czech grids: `structure { enum, array { {attribute descriptor, value}, … } }`, where the
/// descriptor stands **without tags**, which is no A-XDR; without scaler and unit.
///
/// Powers are in W and energies in Wh (EG.D, description of the customer interface); nothing else is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Czech;

impl Profile for Czech {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        let mut members = head.members();
        match (head.structure(), head.array()) {
            (Some(2), None) if is_untagged_item_behind(members) => {
                members.value().ok()?;
                members.array().ok()?;
                is_untagged_item(members).then_some(())
            }
            (None, Some(_)) => is_untagged_item(members).then_some(()),
            _ => None,
        }
    }

    fn name((): &()) -> &'static str {
        "EG.D, untagged descriptors"
    }

    fn scale((): &(), code: Obis, _: i64) -> Option<Scale> {
        match base_unit(code)? {
            unit @ (Unit::WATT | Unit::WATT_HOUR) => Some(Scale::new(0, unit)),
            _ => None,
        }
    }

    fn quirks((): &()) -> Quirks {
        let mut quirks = Quirks::NONE;
        quirks.untagged_descriptors = true;
        quirks
    }
}

fn is_untagged_item_behind(mut members: Reader<'_>) -> bool {
    members.value().is_ok() && matches!(members.element(), Ok(Element::Array(1..)))
}

fn is_untagged_item(members: Reader<'_>) -> bool {
    matches!(members.rest(), [2, 2, 0, 1..=255, _, _, _, _, _, 255, 1..=32, ..])
}
