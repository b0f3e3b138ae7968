//! Aidon, Norway and Sweden: `array { {code, value[, {scaler, unit}]}, … }`, all in itself.

use super::profile::{Head, Profile};
use crate::Obis;

/// Aidon lists.
///
/// Nothing is added to what the list says. The clock (0-0:1.0.0) is local standard time, with a deviation that is not
/// specified or wrongly 0: it cannot be turned into UTC from the list alone, so a deviation of 0 comes out as not specified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Aidon;

impl Profile for Aidon {
    type List = ();

    fn recognise(&self, head: &Head<'_>) -> Option<()> {
        head.array()?;
        // The first element names the list (Norway, "AIDON…") or is the clock (Sweden).
        let entry = head.members().entry()?;
        let aidon = match entry.value.as_octets() {
            Some(text) if is_list_version(entry.obis) => text.starts_with(b"AIDON"),
            _ => entry.obis == Obis::new(0, 0, 1, 0, 0, 255),
        };
        aidon.then_some(())
    }

    fn name((): &()) -> &'static str {
        "Aidon"
    }

    fn is_zero_deviation_sound((): &()) -> bool {
        false
    }
}

/// 1-x:0.2.129, the OBIS list version identifier of the Norwegian specification.
pub(super) const fn is_list_version(code: Obis) -> bool {
    matches!(code.octets(), [1, _, 0, 2, 129, _])
}
