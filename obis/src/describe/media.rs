//! Media other than electricity: heat cost allocators, cooling, heat, gas, water (IEC 62056-6-1, clauses 7.6 to 7.9).

use super::{Description, general};
use crate::Obis;

pub(super) fn describe(code: Obis, words: &mut Description) {
    let [a, b, c, d, e, f] = code.octets();
    if let 93..=99 = c {
        if let Some(medium) = medium(a) {
            words.text(medium).text(" ");
        }
        general::service(code, words);
    } else if let Some(name) = quantity(a, c) {
        if !matches!(a, 4) {
            words.text(medium(a).unwrap_or_default()).text(" ");
        }
        words.text(name);
        match (d, e) {
            (0, 0) => {}
            (0, e) => {
                words.number(", ", e);
            }
            (d, e) => {
                words.number(", ", d).number(".", e);
            }
        }
    } else {
        match medium(a) {
            Some(medium) => words.text(medium),
            None => words.number("medium ", a),
        };
        words.number(" ", c).number(".", d).number(".", e);
    }
    words.channel(b).billing_period(f);
}

/// Value group A.
const fn medium(a: u8) -> Option<&'static str> {
    Some(match a {
        4 => "heat cost allocator",
        5 => "cooling",
        6 => "heat",
        7 => "gas",
        8 => "cold water",
        9 => "hot water",
        15 => "other medium",
        16 => "oil",
        17 => "compressed air",
        18 => "nitrogen",
        _ => return None,
    })
}

/// Value group C, where it has a meaning for the medium.
const fn quantity(a: u8, c: u8) -> Option<&'static str> {
    Some(match (a, c) {
        (4, 1) => "heat cost units, unrated",
        (4, 2) => "heat cost units, rated",
        (5 | 6, 1) => "energy",
        (5 | 6, 2) => "volume, accounted",
        (5 | 6, 3) => "mass, accounted",
        (5 | 6, 4) => "volume, flow",
        (5 | 6, 5) => "mass, flow",
        (5 | 6, 6) => "volume, return",
        (5 | 6, 7) => "mass, return",
        (5 | 6, 8) => "power",
        (5 | 6, 9) => "flow rate",
        (5 | 6, 10) => "flow temperature",
        (5 | 6, 11) => "return temperature",
        (5 | 6, 12) => "temperature difference",
        (5 | 6, 13) => "media pressure",
        (7, 1) => "volume, forward, undisturbed",
        (7, 2) => "volume, forward, disturbed",
        (7, 3) => "volume, forward, absolute",
        (7, 4) => "volume, reverse, undisturbed",
        (7, 5) => "volume, reverse, disturbed",
        (7, 6) => "volume, reverse, absolute",
        (7, 11) => "converter volume, forward, undisturbed",
        (7, 12) => "converter volume, forward, disturbed",
        (7, 13) => "converter volume, forward, absolute",
        (7, 41) => "absolute temperature",
        (7, 42) => "absolute pressure",
        (7, 43) => "flow rate",
        (7, 51) => "correction factor",
        (7, 52) => "conversion factor",
        (7, 53) => "compressibility factor",
        (7, 54) => "calorific value",
        (8 | 9, 1) => "volume",
        (8 | 9, 2) => "flow rate",
        (8 | 9, 3) => "temperature",
        _ => return None,
    })
}
