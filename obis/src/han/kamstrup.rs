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
/// * Currents are in 0.01 A (types 684… and 686…); in mA from meters behind current transformers (type 685…). Without one
///   of these types they are in 0.01 A where mA would be too little for the powers, since the product of voltages and
///   currents is never below the power; in mA where power and power factor of every phase say so. Else nobody knows, and
///   they are left as they are.
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
            None => (None, None),
        };
        let current = current.or_else(|| by_power(pairs));
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

/// Energy and current by the type number, `684 11 31 BN 243 101 040`; 684 is for three phases, 686 for one, 685 for
/// current transformers.
fn by_type(text: &[u8]) -> (Option<i8>, Option<i8>) {
    let text = text.trim_ascii_end();
    match text {
        [b'6', b'8', b'4' | b'6', middle @ .., a, b, _] if middle.len() == 12 => match [a, b] {
            [b'0', b'4'] => (Some(1), Some(-2)),
            [b'0', b'6' | b'9'] => (Some(0), Some(-2)),
            _ => (None, Some(-2)),
        },
        [b'6', b'8', b'4' | b'6', ..] => (None, Some(-2)),
        [b'6', b'8', b'5', ..] => (None, Some(-3)),
        _ => (None, None),
    }
}

/// What a list says of one phase, as sent.
#[derive(Clone, Copy, Default)]
struct Phase {
    /// V.
    voltage: u64,
    current: u64,
    /// W, import and export.
    power: u64,
    /// Power factor in hundredths.
    factor: u64,
}

impl Phase {
    /// Apparent power in VA, if the current is in A.
    const fn product(&self) -> u64 {
        let volt = if self.voltage < 1000 { self.voltage } else { 1000 };
        volt.saturating_mul(self.current)
    }

    /// Whether power and power factor can only be if the current is in mA; `None` where they are too small to tell.
    ///
    /// Currents with many harmonics give a multiple of what the power factor says, but not ten times as much on all
    /// phases alike.
    fn is_in_milliampere(&self) -> Option<bool> {
        if self.power < 50 || self.factor == 0 {
            return None;
        }
        let active = self.product().saturating_mul(self.factor);
        let in_milliampere = active.div_euclid(100_000);
        Some(
            (self.power.saturating_mul(7)..=self.power.saturating_mul(14))
                .contains(&in_milliampere.saturating_mul(10)),
        )
    }
}

/// The scale of the currents from the powers, where these leave no other.
fn by_power(pairs: Reader<'_>) -> Option<i8> {
    let (phases, total) = powers(pairs);
    // Import on one phase and export on another cancel in the total, but not in the phases.
    let power = phases.iter().fold(0u64, |sum, phase| sum.saturating_add(phase.power)).max(total);
    let product = phases.iter().fold(0u64, |sum, phase| sum.saturating_add(phase.product()));
    if power < 20 {
        return None;
    }
    // A tenth of slack for rounding.
    let least = power.saturating_sub(power.div_euclid(10));
    if product.div_euclid(1000) < least {
        // Too little in mA; in hundredths as well, the voltages or the powers are not what they seem.
        return (product.div_euclid(100) >= least).then_some(-2);
    }
    let mut proof = None;
    for phase in phases {
        match phase.is_in_milliampere() {
            Some(true) => proof = Some(-3),
            Some(false) => return None,
            None => {}
        }
    }
    proof
}

/// The phases, and the greater of active and reactive power of all of them together.
fn powers(mut pairs: Reader<'_>) -> ([Phase; 3], u64) {
    let (mut phases, mut total) = ([Phase::default(); 3], 0u64);
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
        // Numbers of 32 bits at most, so that the products stay far inside 64.
        let number = number.min(u64::from(u32::MAX));
        let (c @ 1..=80, 7) = (code.c(), code.d()) else { continue };
        let Some(place) = c.div_euclid(20).checked_sub(1) else {
            if matches!(c, 1..=4) {
                total = total.max(number);
            }
            continue;
        };
        let Some(phase) = phases.get_mut(usize::from(place)) else { continue };
        match c.rem_euclid(20) {
            1 | 2 => phase.power = phase.power.saturating_add(number),
            11 => phase.current = number,
            12 => phase.voltage = number,
            13 => phase.factor = number.min(100),
            _ => {}
        }
    }
    (phases, total)
}
