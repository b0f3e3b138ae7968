//! Electricity, value group A = 1 (IEC 62056-6-1, clause 7.5 ff).

use super::{Description, general};
use crate::Obis;

/// What is measured, from value group C.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quantity {
    /// Power or energy, by the processing: words, the mark of the power, the mark of the energy.
    Flow(&'static str, &'static str, &'static str, &'static str),
    Voltage,
    Current,
    PowerFactor,
    Frequency,
    Other(&'static str),
}

pub(super) fn describe(code: Obis, words: &mut Description) {
    let [_, b, c, d, e, f] = code.octets();
    match c {
        0 => setup(code, words),
        81 => angle(d, e, words),
        93..=99 => {
            general::service(code, words);
            words.channel(if b > 1 { b } else { 0 }).billing_period(f);
            return;
        }
        128..=199 | 240 => {
            words.text("manufacturer specific, electricity ");
            words.number("", c).number(".", d).number(".", e);
        }
        _ => match quantity(c) {
            Some((quantity, phase)) => measured(quantity, phase, d, e, words),
            None => {
                words.number("electricity ", c).number(".", d).number(".", e);
            }
        },
    }
    // Meters with one metrology use channel 0 or 1 for it alike.
    words.channel(if b > 1 && c != 0 { b } else { 0 }).billing_period(f);
}

/// The quantity and its phase: empty for the sum of all.
fn quantity(c: u8) -> Option<(Quantity, &'static str)> {
    use Quantity::{Current, Flow, Frequency, Other, PowerFactor, Voltage};
    let phase = match c {
        1..=20 => "",
        21..=40 => "L1",
        41..=60 => "L2",
        61..=80 => "L3",
        82 => return Some((Other("pulses"), "")),
        83 => return Some((Other("transformer and line losses"), "")),
        84 => return Some((Other("power factor, export"), "")),
        85 => return Some((Other("power factor, export"), "L1")),
        86 => return Some((Other("power factor, export"), "L2")),
        87 => return Some((Other("power factor, export"), "L3")),
        88 => return Some((Other("ampere-squared hours"), "")),
        89 => return Some((Other("volt-squared hours"), "")),
        90 => return Some((Current, "sum of phases")),
        91 => return Some((Current, "neutral")),
        92 => return Some((Voltage, "neutral")),
        124 => return Some((Voltage, "L1-L2")),
        125 => return Some((Voltage, "L2-L3")),
        126 => return Some((Voltage, "L3-L1")),
        _ => return None,
    };
    let quantity = match c % 20 {
        1 => Flow("active ", " import", " (+P)", " (+A)"),
        2 => Flow("active ", " export", " (-P)", " (-A)"),
        3 => Flow("reactive ", " import", " (+Q)", " (+R)"),
        4 => Flow("reactive ", " export", " (-Q)", " (-R)"),
        5 => Flow("reactive ", " quadrant 1", "", ""),
        6 => Flow("reactive ", " quadrant 2", "", ""),
        7 => Flow("reactive ", " quadrant 3", "", ""),
        8 => Flow("reactive ", " quadrant 4", "", ""),
        9 => Flow("apparent ", " import", " (+VA)", " (+VA)"),
        10 => Flow("apparent ", " export", " (-VA)", " (-VA)"),
        11 => Current,
        12 => Voltage,
        13 => PowerFactor,
        14 => Frequency,
        15 => Flow("active ", " import + export", " (|+P|+|-P|)", " (|+A|+|-A|)"),
        16 => Flow("active ", " import - export", " (|+P|-|-P|)", " (|+A|-|-A|)"),
        17 => Flow("active ", " quadrant 1", "", ""),
        18 => Flow("active ", " quadrant 2", "", ""),
        19 => Flow("active ", " quadrant 3", "", ""),
        _ => Flow("active ", " quadrant 4", "", ""),
    };
    Some((quantity, phase))
}

/// A measured quantity, how it was processed (value group D) and for what (value group E).
fn measured(quantity: Quantity, phase: &'static str, d: u8, e: u8, words: &mut Description) {
    let energy = is_time_integral(d);
    let processing = match quantity {
        Quantity::Flow(kind, direction, power_mark, energy_mark) => {
            words.text(kind).text(if energy { "energy" } else { "power" }).text(direction);
            words.text(if energy { energy_mark } else { power_mark });
            let processing = processing(d, true);
            if !phase.is_empty() {
                words.text(", ").text(phase);
            } else if e == 0 && processing.is_empty() && known(d) {
                words.text(", total");
            }
            processing
        }
        Quantity::Voltage => {
            if let Some(event) = voltage_event(d) {
                words.text(event);
                if !phase.is_empty() {
                    words.text(" ").text(phase);
                }
                return distinction(d, e, words);
            }
            words.text("voltage");
            processing(d, false)
        }
        Quantity::Current => {
            words.text("current");
            processing(d, false)
        }
        Quantity::PowerFactor => {
            words.text("power factor").text(if phase.is_empty() { ", total" } else { "" });
            processing(d, false)
        }
        Quantity::Frequency => {
            words.text("frequency");
            processing(d, false)
        }
        Quantity::Other(name) => {
            words.text(name);
            processing(d, false)
        }
    };
    if !phase.is_empty() && !matches!(quantity, Quantity::Flow(..)) {
        words.text(" ").text(phase);
    }
    words.text(processing);
    if !known(d) {
        words.number(", processing ", d);
    }
    distinction(d, e, words);
}

/// Whether value group D is an integral over time: an energy, where the quantity is a power.
const fn is_time_integral(d: u8) -> bool {
    matches!(d, 8..=10 | 17..=20 | 29 | 30 | 58)
}

/// Whether value group D has a meaning in words here.
const fn known(d: u8) -> bool {
    matches!(d, 0..=46 | 49..=55 | 58)
}

/// Value group D in words; the instantaneous value and the plain meter reading need none.
const fn processing(d: u8, demand: bool) -> &'static str {
    match (d, demand) {
        (0, _) => ", billing period average",
        (1 | 11 | 21, _) => ", cumulative minimum",
        (2 | 12 | 22, _) => ", cumulative maximum",
        (3 | 13 | 23, _) => ", minimum",
        (4 | 14 | 24 | 27 | 28, true) => ", current average demand",
        (4 | 14 | 24 | 27 | 28, false) => ", current average",
        (5 | 15 | 25, true) => ", last average demand",
        (5 | 15 | 25, false) => ", last average",
        (6 | 16 | 26, true) => ", maximum demand",
        (6 | 16 | 26, false) => ", maximum",
        (9, _) => ", this billing period",
        (10, _) => ", over limit",
        (29, _) => ", last recording interval",
        (30, _) => ", this recording interval",
        (31, _) => ", under-limit threshold",
        (32, _) => ", under-limit count",
        (33, _) => ", under-limit duration",
        (34, _) => ", under-limit magnitude",
        (35, _) => ", over-limit threshold",
        (36, _) => ", over-limit count",
        (37, _) => ", over-limit duration",
        (38, _) => ", over-limit magnitude",
        (39, _) => ", missing threshold",
        (40, _) => ", missing count",
        (41, _) => ", missing duration",
        (42, _) => ", missing magnitude",
        (43, _) => ", under-limit time threshold",
        (44, _) => ", over-limit time threshold",
        (45, _) => ", missing time threshold",
        (46, _) => ", contracted value",
        (49..=52, _) => ", average of recording interval",
        (53, _) => ", minimum of recording interval",
        (54, _) => ", maximum of recording interval",
        (55, _) => ", test average",
        _ => "",
    }
}

/// The names that limits on a voltage go by.
const fn voltage_event(d: u8) -> Option<&'static str> {
    Some(match d {
        31 => "voltage sag threshold",
        32 => "voltage sags",
        33 => "voltage sag duration",
        34 => "voltage sag magnitude",
        35 => "voltage swell threshold",
        36 => "voltage swells",
        37 => "voltage swell duration",
        38 => "voltage swell magnitude",
        39 => "voltage cut threshold",
        40 => "voltage cuts",
        41 => "voltage cut duration",
        42 => "voltage cut magnitude",
        43 => "voltage sag time threshold",
        44 => "voltage swell time threshold",
        45 => "voltage cut time threshold",
        _ => return None,
    })
}

/// Value group E: a harmonic for instantaneous values, else a tariff.
fn distinction(d: u8, e: u8, words: &mut Description) {
    match (d, e) {
        (_, 0) => {}
        (7, 1..=120) => {
            words.number(", harmonic ", e);
        }
        (7, 124) => {
            words.text(", total harmonic distortion");
        }
        (7, 125) => {
            words.text(", total demand distortion");
        }
        (7, 126) => {
            words.text(", all harmonics");
        }
        (_, 1..=63) => {
            words.number(", tariff ", e);
        }
        (_, e) => {
            words.number(", ", e);
        }
    }
}

/// C = 81: from where to where an angle is measured, in the two digits of value group E.
fn angle(d: u8, e: u8, words: &mut Description) {
    let (from, to) = (corner(e / 10), corner(e % 10));
    match (from, to) {
        (Some(from), Some(to)) if e < 100 => {
            words.text("phase angle ").text(from).text(" to ").text(to);
        }
        _ => {
            words.number("phase angle ", e);
        }
    }
    words.text(processing(d, false));
    if !known(d) {
        words.number(", processing ", d);
    }
}

const fn corner(digit: u8) -> Option<&'static str> {
    Some(match digit {
        0 => "U(L1)",
        1 => "U(L2)",
        2 => "U(L3)",
        4 => "I(L1)",
        5 => "I(L2)",
        6 => "I(L3)",
        7 => "I(neutral)",
        _ => return None,
    })
}

/// C = 0: general purpose objects of an electricity meter (clause 7.5.5).
fn setup(code: Obis, words: &mut Description) {
    let [_, b, _, d, e, _] = code.octets();
    let name = match (d, e) {
        (0, 0..=9) => {
            words.number("meter ID ", u16::from(e).wrapping_add(1));
            return;
        }
        (0, 255) => "meter IDs",
        (1, 0) => "billing period counter",
        (1, 1) => "available billing periods",
        (1, 2) => "time stamp of billing period",
        (2, 0) => "firmware version",
        (2, 1) => "parameter version",
        (2, 2) => "tariff program version",
        (2, 8) if b == 3 => "version of P1 output",
        (2, 8) => "firmware signature",
        (2, 129) => "list version",
        (3, 0) => "active energy meter constant",
        (3, 1) => "reactive energy meter constant",
        (3, 2) => "apparent energy meter constant",
        (3, 3..=9) => "output pulse constant",
        (4, 0) => "reading factor for power",
        (4, 1) => "reading factor for energy",
        (4, 2) => "current transformer ratio",
        (4, 3) => "voltage transformer ratio",
        (4, 4) => "overall transformer ratio",
        (4, 5) => "current transformer ratio, denominator",
        (4, 6) => "voltage transformer ratio, denominator",
        (4, 7) => "overall transformer ratio, denominator",
        (6, 0) => "nominal voltage",
        (6, 1) => "basic current",
        (6, 2) => "nominal frequency",
        (6, 3) => "maximum current",
        (8, 0) => "measurement period 1",
        (8, 1) => "measurement period 2",
        (8, 4) => "recording interval 1",
        (8, 5) => "recording interval 2",
        (8, 6) => "billing period length",
        (9, 1) => "meter time",
        (9, 2) => "meter date",
        _ => {
            words.number("electricity 0.", d).number(".", e);
            return;
        }
    };
    words.text(name);
}
