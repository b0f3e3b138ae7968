//! The registers of 2007: what each identifier's data are at the moment.

use super::model::{Counted, Model};
use super::{events, records};
use crate::civil::Civil;
use dlt645::{Decimal, Identifier, Moment, Query, Reason, Unit, Value};

/// The data of an identifier, a block or a record.
pub fn read(model: &Model, code: u32, query: Query) -> Result<Vec<u8>, Reason> {
    let identifier = Identifier::V2007(code);
    match code >> 24 {
        0x03 => events::read(model, code),
        0x05 => records::frozen(model, code),
        0x06 => records::load(model, code, query),
        _ if identifier.is_block() => {
            let mut out = Vec::new();
            for member in (0..).map_while(|index| identifier.member(index)) {
                // The meter has fewer rates than the standard allows for.
                match one(model, member.code()) {
                    Some(octets) => out.extend(octets),
                    None => break,
                }
            }
            if out.is_empty() { Err(Reason::NoData) } else { Ok(out) }
        }
        _ => one(model, code).ok_or(Reason::NoData),
    }
}

/// The data of one identifier.
pub fn one(model: &Model, code: u32) -> Option<Vec<u8>> {
    if let Some(octets) = model.written.get(&code).cloned().or_else(|| parameter(model, code)) {
        return Some(octets);
    }
    fields(Identifier::V2007(code), |field| value(model, code, field, model.now()))
}

/// Fields of the standard's layout, one behind the other.
pub fn fields<'a>(
    identifier: Identifier,
    mut value: impl FnMut(u16) -> Option<Value<'a>>,
) -> Option<Vec<u8>> {
    let layout = identifier.layout()?;
    let mut out = Vec::new();
    for (at, field) in (0..).zip(layout.iter()) {
        let mut octets = [0; 64];
        let len = field.encode(&value(at)?, &mut octets).ok()?;
        out.extend(octets.get(..len)?);
    }
    Some(out)
}

fn number(mantissa: i64, exponent: i8) -> Value<'static> {
    Value::Number(Decimal::new(mantissa, exponent), Unit::None)
}

/// A measured quantity at a time.
pub fn value(model: &Model, code: u32, field: u16, now: i64) -> Option<Value<'static>> {
    let [group, what, which, di0] = code.to_be_bytes();
    match group {
        0x00 | 0x01 if which <= super::model::RATES && di0 <= 12 => {
            let until = if di0 == 0 { now } else { Model::settlement(now, di0) };
            let (measurand, phase) = match what {
                0x00..=0x0A => (what, 0),
                0x15..=0x1E => (what - 0x14, 1),
                0x29..=0x32 => (what - 0x28, 2),
                0x3D..=0x46 => (what - 0x3C, 3),
                _ => return None,
            };
            if phase > 0 && which > 0 {
                return None;
            }
            if group == 0 {
                return Some(number(energy(model, measurand, phase, which, until)?, -2));
            }
            let demand = model.demand(counted(measurand)?, phase, which, until);
            Some(match (field, demand) {
                (0, demand) => number(demand.map_or(0, |(power, _)| power * 10), -4),
                (_, Some((_, at))) => Value::Time(Civil::from_seconds(at).moment()),
                (_, None) => Value::Time(Moment::to_minute(0, 0, 0, 0, 0)),
            })
        }
        0x02 => variable(model, what, which, di0, now),
        _ => None,
    }
}

fn counted(measurand: u8) -> Option<Counted> {
    Some(match measurand {
        1 => Counted::Forward,
        2 => Counted::Reverse,
        // What each combined reactive energy has most of.
        3 => Counted::Quadrant(1),
        4 => Counted::Quadrant(2),
        5..=8 => Counted::Quadrant(measurand - 4),
        9 => Counted::ApparentForward,
        10 => Counted::ApparentReverse,
        _ => return None,
    })
}

fn energy(model: &Model, measurand: u8, phase: u8, rate: u8, until: i64) -> Option<i64> {
    let energy = |what| model.energy(what, phase, rate, until);
    Some(match measurand {
        // The combination feature words say: forward plus reverse; quadrants 1 and 4; 2 and 3.
        0 => energy(Counted::Forward) + energy(Counted::Reverse),
        3 => energy(Counted::Quadrant(1)) + energy(Counted::Quadrant(4)),
        4 => energy(Counted::Quadrant(2)) + energy(Counted::Quadrant(3)),
        _ => energy(counted(measurand)?),
    })
}

fn variable(model: &Model, what: u8, which: u8, di0: u8, now: i64) -> Option<Value<'static>> {
    if what == 0x80 && which == 0 {
        return Some(match di0 {
            0x01 => number(((1..=3).map(|phase| model.current(phase, now)).sum::<i64>() / 9).abs(), -3),
            0x02 => number(4_998 + (now / 10).rem_euclid(5), -2),
            0x03 | 0x04 => number(model.power(0, now) * 10, -4),
            0x05 => number(model.reactive(0, now) * 10, -4),
            0x06 => number(model.apparent(0, now).abs() * 10, -4),
            0x07 => number(231 + (now / 600).rem_euclid(9), -1),
            0x08 => number(362, -2),
            0x09 => number(601, -2),
            0x0A => number(8_215, 0),
            0x20 => number(5_683, -4),
            _ => return None,
        });
    }
    if which > 3 || (which == 0 && !matches!(what, 0x03..=0x06)) {
        return None;
    }
    let harmonic = matches!(what, 0x0A | 0x0B);
    if harmonic != (1..=21).contains(&di0) || (!harmonic && di0 != 0) {
        return None;
    }
    Some(match what {
        0x01 => number(model.voltage(which, now), -1),
        0x02 => number(model.current(which, now), -3),
        0x03 => number(model.power(which, now) * 10, -4),
        0x04 => number(model.reactive(which, now) * 10, -4),
        0x05 => number(model.apparent(which, now) * 10, -4),
        0x06 => {
            let apparent = model.apparent(which, now).abs();
            number(if apparent == 0 { 1_000 } else { model.power(which, now) * 1_000 / apparent }, -3)
        }
        // atan(1/4), or 180 degrees less atan(1/8).
        0x07 => number(if model.power(which, now) >= 0 { 140 } else { 1_729 }, -1),
        0x08 => number(187, -2),
        0x09 => number(342, -2),
        // Odd orders are there, even ones hardly.
        0x0A | 0x0B if di0 % 2 == 1 => number(if di0 == 1 { 9_998 } else { 300 / i64::from(di0) }, -2),
        _ => number(2, -2),
    })
}

/// Times, texts, words and settings.
fn parameter(model: &Model, code: u32) -> Option<Vec<u8>> {
    let now = model.time();
    let times = |parts: &[u8]| Some(parts.to_vec());
    Some(match code {
        0x0400_0101 => now.date().octets().collect(),
        0x0400_0102 => now.time().octets().collect(),
        0x0400_010C => {
            // ss mm hh WW DD MM YY.
            now.time().octets().chain(now.date().octets()).collect()
        }
        0x0400_0103 => vec![0x15],
        0x0400_0104 => vec![0x01],
        0x0400_0105 => vec![0x80, 0x00],
        0x0400_0106 | 0x0400_0107 => vec![0; 5],
        0x0400_0201 | 0x0400_0202 => vec![0x01],
        0x0400_0203 => vec![0x09],
        0x0400_0204 => vec![super::model::RATES],
        0x0400_0205 => vec![0x01, 0x00],
        0x0400_0206 => vec![0x21],
        0x0400_0301 | 0x0400_0305 => vec![0x03],
        0x0400_0302 => vec![0x05],
        0x0400_0303 => vec![0x02],
        0x0400_0304 => vec![0x04],
        0x0400_0306 | 0x0400_0307 => vec![0x01, 0x00, 0x00],
        0x0400_0401 | 0x0400_0402 => model.address.octets().to_vec(),
        0x0400_0403 => text("SIMULATED", 32),
        0x0400_0404 => text("220V", 6),
        0x0400_0405 => text("5A", 6),
        0x0400_0406 => text("60A", 6),
        0x0400_0407 => text("1.0", 4),
        0x0400_0408 => text("2.0", 4),
        0x0400_0409 | 0x0400_040A => vec![0x00, 0x12, 0x00],
        0x0400_040B => text("SIM-3P", 10),
        0x0400_040C => text("2025-01", 10),
        0x0400_040D => text("DL/T645-2007", 16),
        0x0400_0501..=0x0400_0507 => status(model, code & 0xFF).to_le_bytes().to_vec(),
        0x0400_0601 => vec![0x05],
        0x0400_0602 => vec![0x41],
        0x0400_0603 => vec![0x14],
        0x0400_0701 | 0x0400_0702 => vec![0x04],
        0x0400_0703..=0x0400_0705 => vec![0x08],
        0x0400_0801 => vec![0x7F],
        0x0400_0802 => vec![0x01],
        0x0400_0901 => vec![0x3F],
        0x0400_0902 | 0x0400_0903 => vec![0xFF],
        0x0400_0A01 => return times(&[0x00, 0x00, 0x01, 0x01]),
        0x0400_0A02..=0x0400_0A07 => vec![0x15, 0x00],
        0x0400_0B01 => vec![0x00, 0x01],
        0x0400_0B02 | 0x0400_0B03 => vec![0x99, 0x99],
        0x0400_0E01 | 0x0400_0E02 => vec![0x00, 0x00, 0x20],
        0x0400_0E03 => vec![0x50, 0x24],
        0x0400_0E04 => vec![0x80, 0x19],
        0x0400_1401 => vec![0x00, 0x00],
        // Number, then time, of what begins with it.
        0x0401_0000 => vec![0x01, 0x01, 0x01],
        0x0401_0001 => {
            let begins = [
                (4, 0x00),
                (3, 0x07),
                (2, 0x08),
                (3, 0x11),
                (2, 0x15),
                (1, 0x19),
                (2, 0x21),
                (3, 0x22),
                (4, 0x23),
            ];
            begins.iter().flat_map(|&(rate, hour)| [rate, 0x00, hour]).collect()
        }
        0x0403_0001 => vec![0x01, 0x01, 0x10, 0x26],
        0x0404_0101 => vec![0x00, 0x00, 0x01, 0x00, 0x00],
        0x0404_0102 => vec![0x01, 0x01, 0x00, 0x04, 0x00],
        0x0404_0103 => vec![0x02, 0x01, 0x00, 0x04, 0x00],
        0x0480_0001 => text("meter simulate", 32),
        0x0480_0002 => text("virtual", 32),
        0x0480_0003 => text("none", 32),
        _ => return None,
    })
}

/// Status words 1 to 7.
fn status(model: &Model, word: u32) -> u16 {
    let now = model.now();
    let reverse = |phase| model.power(phase, now) < 0;
    let bit = |at: u16, set: bool| u16::from(set) << at;
    match word {
        1 => bit(4, reverse(0)),
        2 => (1..=3).map(|phase| bit(u16::from(phase) - 1, reverse(phase))).sum(),
        3 => bit(4, model.relay_open),
        4..=6 => bit(6, u8::try_from(word - 3).is_ok_and(reverse)),
        _ => 0,
    }
}

/// Last character first, zeros before it.
fn text(text: &str, len: usize) -> Vec<u8> {
    let mut octets = vec![0; len.saturating_sub(text.len())];
    octets.extend(text.bytes().rev().take(len));
    octets
}
