//! Kamstrup Omnipower: the list's name, then pairs of code and value, unscaled.

use super::profile::{Head, Profile, Scale, base_unit};
use super::quick;
use crate::data::Reader;
use crate::{Obis, Unit};

/// Kamstrup lists ("Kamstrup_V…", then pairs with codes 1-1:…).
///
/// Powers are in W and var, voltages in V, power factors in hundredths. What differs:
///
/// * Energies are in 10 Wh in Norway and in Wh in Sweden and Switzerland. The list says which only by the type of the
///   meter (1-1:96.1.1), whose last three digits name the customer: 040 Norway, 06x Switzerland, 09x Sweden. Of others,
///   and in lists without a type (Denmark, Switzerland), both are in use: the energies are then left as they are, unless
///   the caller knows ([`Kamstrup::TEN_WATT_HOURS`], [`Kamstrup::WATT_HOURS`]).
/// * Currents are in 0.01 A; in mA from meters behind current transformers (type 685…). Without a type, the powers tell:
///   the product of voltages and currents is never below the power.
///
/// Meters of one phase fill the place of missing pairs with nulls; those do not come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kamstrup {
    energy: Option<i8>,
}

impl Kamstrup {
    /// Energies by the type of the meter.
    pub const BY_TYPE: Self = Self { energy: None };
    /// Energies in 10 Wh, whatever the list says.
    pub const TEN_WATT_HOURS: Self = Self { energy: Some(1) };
    /// Energies in Wh, whatever the list says.
    pub const WATT_HOURS: Self = Self { energy: Some(0) };
}

/// How the numbers of a Kamstrup list are scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KamstrupList {
    /// Energies are times 10 to this power Wh, where that is known.
    pub energy: Option<i8>,
    /// Currents are times 10 to this power A, where that is known.
    pub current: Option<i8>,
}

impl Profile for Kamstrup {
    type List = KamstrupList;

    fn recognise(&self, head: &Head<'_>) -> Option<KamstrupList> {
        head.structure()?;
        if !head.first_text()?.starts_with(b"Kamstrup") {
            return None;
        }
        let mut pairs = head.members();
        pairs.value().ok()?;
        let (energy, current) = match meter_type(pairs) {
            Some(text) => by_type(text),
            None => (None, by_power(pairs)),
        };
        Some(KamstrupList { energy: self.energy.or(energy), current })
    }

    fn name(_: &KamstrupList) -> &'static str {
        "Kamstrup"
    }

    fn code(_: &KamstrupList, member: u16) -> Option<Obis> {
        (member == 0).then_some(Obis::new(1, 1, 0, 2, 129, 255))
    }

    fn scale(list: &KamstrupList, code: Obis, number: i64) -> Option<Scale> {
        let unit = base_unit(code)?;
        let exponent = match unit {
            Unit::WATT_HOUR | Unit::VAR_HOUR => list.energy?,
            Unit::AMPERE if number == 0 => 0,
            Unit::AMPERE => list.current?,
            Unit::NONE => -2,
            Unit::WATT | Unit::VAR | Unit::VOLT => 0,
            _ => return None,
        };
        Some(Scale::new(exponent, unit))
    }
}

/// The type of the meter, which stands among the first pairs.
fn meter_type(mut pairs: Reader<'_>) -> Option<&[u8]> {
    for _ in 0..3 {
        let code = pairs.obis().ok()?;
        let value = pairs.value().ok()?;
        if matches!(code.octets(), [1, _, 96, 1, 1, 255]) {
            return value.as_octets();
        }
    }
    None
}

/// Energy and current by the type number, `684 11 31 BN 243 101 040`.
fn by_type(text: &[u8]) -> (Option<i8>, Option<i8>) {
    let text = text.trim_ascii_end();
    match text {
        [b'6', b'8', b'4', middle @ .., a, b, _] if middle.len() == 12 => match [a, b] {
            [b'0', b'4'] => (Some(1), Some(-2)),
            [b'0', b'6' | b'9'] => (Some(0), Some(-2)),
            _ => (None, Some(-2)),
        },
        [b'6', b'8', b'4', ..] => (None, Some(-2)),
        [b'6', b'8', b'5', ..] => (None, Some(-3)),
        _ => (None, None),
    }
}

/// The scale of the currents from the powers: all three phases in mA must still give at least the power.
fn by_power(mut pairs: Reader<'_>) -> Option<i8> {
    let (mut voltages, mut currents) = ([0u64; 3], [0u64; 3]);
    let (mut active, mut reactive, mut phases) = (0u64, 0u64, 0u64);
    while let Ok(code) = pairs.obis() {
        let number = match quick::number(pairs.rest()) {
            Some((number, rest)) => {
                pairs.advance_to(rest);
                number
            }
            None => match pairs.value() {
                Ok(value) => value.as_integer().unwrap_or(0),
                Err(_) => break,
            },
        };
        let Ok(number) = u64::try_from(number) else { continue };
        // Numbers of 32 bits at most, so that the products below stay far inside 64.
        let number = number.min(u64::from(u32::MAX));
        let (c, 7) = (code.c(), code.d()) else { continue };
        match c {
            1 | 2 => active = active.max(number),
            3 | 4 => reactive = reactive.max(number),
            // Import on one phase and export on another cancel in the total, but not in the currents.
            21 | 22 | 41 | 42 | 61 | 62 => phases = phases.saturating_add(number),
            31 | 32 | 51 | 52 | 71 | 72 => {
                let set = if c % 2 == 1 { &mut currents } else { &mut voltages };
                if let Some(place) = set.get_mut(usize::from(c / 20).saturating_sub(1)) {
                    *place = number;
                }
            }
            _ => {}
        }
    }
    let product = |(volt, ampere): (&u64, &u64)| volt.min(&1000).saturating_mul(*ampere);
    let sum = voltages.iter().zip(&currents).map(product).fold(0u64, u64::saturating_add);
    let active = active.max(phases);
    let power = active.max(reactive);
    if sum == 0 || power < 20 {
        return None;
    }
    let (in_hundredths, in_milliampere) = (sum / 100, sum / 1000);
    // A tenth of slack for rounding. What is too little in mA is in hundredths.
    if in_milliampere < power.saturating_sub(power / 10) {
        return Some(-2);
    }
    // Enough even in mA: then hundredths would be ten times too much, as long as the powers mean anything at all.
    let most = active.saturating_add(reactive).saturating_mul(4);
    if in_hundredths > most { Some(-3) } else { None }
}
