//! What one telegram says of the things that are posted.

use dsmr::{Season, Timestamp};
use heapless::Vec;
use obis::{Obis, Scaled};

use crate::json::{self, pairs, string};
use crate::sink::Sink;

/// Text of a meter's number that is kept.
const NAME: usize = 48;

/// What is posted, and where it stands in a telegram: the name in JSON, value groups C, D, E of the code, and the power of ten
/// from the plain unit to the one in the name.
///
/// Group A is 1 (electricity); B does not count.
pub const ITEMS: &[(&str, [u8; 3], i8)] = &[
    ("import_t1_kwh", [1, 8, 1], 3),
    ("import_t2_kwh", [1, 8, 2], 3),
    ("export_t1_kwh", [2, 8, 1], 3),
    ("export_t2_kwh", [2, 8, 2], 3),
    ("import_kwh", [1, 8, 0], 3),
    ("export_kwh", [2, 8, 0], 3),
    ("import_kw", [1, 7, 0], 3),
    ("export_kw", [2, 7, 0], 3),
    ("voltage_l1_v", [32, 7, 0], 0),
    ("voltage_l2_v", [52, 7, 0], 0),
    ("voltage_l3_v", [72, 7, 0], 0),
    ("current_l1_a", [31, 7, 0], 0),
    ("current_l2_a", [51, 7, 0], 0),
    ("current_l3_a", [71, 7, 0], 0),
];

/// What one telegram says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Number of the meter, as sent.
    meter: Vec<u8, NAME>,
    /// Its time.
    time: Option<Timestamp>,
    /// By [`ITEMS`].
    values: [Option<Scaled>; ITEMS.len()],
    /// Of the M-Bus device with the newest value whose unit is m³, and when it was taken.
    gas: Option<(Scaled, Option<Timestamp>)>,
}

impl Reading {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { meter: Vec::new(), time: None, values: [None; ITEMS.len()], gas: None }
    }

    /// Whether there is anything to post.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none) && self.gas.is_none()
    }

    /// Takes in a data line.
    pub fn take(&mut self, line: &dsmr::DataLine<'_>) {
        let Some(code) = line.code() else { return };
        match code.octets() {
            [0, _, 1, 0, 0, _] => self.time = line.value().and_then(dsmr::Value::timestamp),
            // Belgian meters have the number under 96.1.1 as Dutch ones do, and of the connection under 96.1.4.
            [0, 0, 96, 1, 1, _] => self.name(line),
            [0, 1..=4, 24, 2, _, _] => self.device(line),
            [1, ..] => self.value(code, line),
            _ => {}
        }
    }

    fn name(&mut self, line: &dsmr::DataLine<'_>) {
        self.meter.clear();
        for octet in line.value().map_or(&[][..], |value| value.octets()) {
            // Longer than any standard lets it be: the front will do.
            let _ = self.meter.push(*octet);
        }
    }

    fn value(&mut self, code: Obis, line: &dsmr::DataLine<'_>) {
        let groups = [code.c(), code.d(), code.e()];
        let place = ITEMS.iter().zip(&mut self.values).find(|((_, item, _), _)| *item == groups);
        if let Some((_, place)) = place {
            *place = line.value().and_then(dsmr::Value::scaled);
        }
    }

    fn device(&mut self, line: &dsmr::DataLine<'_>) {
        let mut values = line.values();
        let (Some(time), Some(value)) = (values.next(), values.next()) else { return };
        let Some(value) = value.scaled().filter(|value| value.unit == obis::Unit::CUBIC_METRE) else {
            return;
        };
        let time = time.timestamp().filter(|time| time.is_valid());
        self.gas = Some((value, time));
    }

    /// Writes one JSON object; what the telegram did not say is left out.
    pub fn json(&self, out: &mut impl Sink) {
        let mut before = b'{';
        let mut name = |out: &mut _, item| json::name(out, core::mem::replace(&mut before, b','), item);
        if !self.meter.is_empty() {
            name(out, "meter");
            string(out, &self.meter);
        }
        if let Some(time) = self.time.filter(|time| time.is_valid()) {
            name(out, "time");
            moment(out, time);
        }
        for ((item, _, power), value) in ITEMS.iter().zip(&self.values) {
            let Some(value) = value else { continue };
            if let Some(number) = value.to_base().checked_shift(power.wrapping_neg()) {
                name(out, item);
                out.number(number.mantissa, number.exponent);
            }
        }
        if let Some((value, time)) = self.gas {
            let value = value.to_base();
            name(out, "gas_m3");
            out.number(value.mantissa, value.exponent);
            if let Some(time) = time {
                name(out, "gas_time");
                moment(out, time);
            }
        }
        if before == b'{' {
            out.put(before);
        }
        out.put(b'}');
    }
}

/// `"2026-11-20T18:15:30+01:00"`: P1 ports are in a zone whose standard time is an hour ahead of UTC.
fn moment(out: &mut impl Sink, time: Timestamp) {
    out.put_all(b"\"20");
    let parts = [time.year, time.month, time.day, time.hour, time.minute, time.second];
    pairs(out, parts, *b"--T::\0");
    match time.season {
        Season::Winter => out.put_all(b"+01:00"),
        Season::Summer => out.put_all(b"+02:00"),
        _ => {}
    }
    out.put(b'"');
}
