//! Events of 2007: what the meter has gone through.

use super::model::Model;
use super::registers::fields;
use crate::civil::Civil;
use dlt645::{Decimal, Identifier, Moment, Reason, Unit, Value};

pub fn read(model: &Model, code: u32) -> Result<Vec<u8>, Reason> {
    let [_, class, which, record] = code.to_be_bytes();
    let log = &model.log;
    let octets = match (class, which, record) {
        (0x11, 0, 0) => count(code, log.outages.len()),
        (0x11, 0, _) => nth(&log.outages, record).and_then(|&(begin, end)| span(code, begin, end)),
        (0x30, 0, 0) => count(code, log.programmed.len()),
        (0x30, 0, 1) => programming(model),
        (0x30, 2, 0) => count(code, log.demands_cleared.len()),
        (0x30, 4, 0) => count(code, log.times_set.len()),
        (0x30, 4, _) => nth(&log.times_set, record).map(|(operator, from, to)| {
            let times = [moment(*from), moment(*to)];
            operator.iter().copied().chain(times.into_iter().flat_map(Moment::octets)).collect()
        }),
        (0x30, 0x0D, 0) => count(code, log.covers.len()),
        (0x30, 0x0D, _) => nth(&log.covers, record).and_then(|&(begin, end)| cover(model, code, begin, end)),
        // Nothing of the kind has happened.
        (_, _, 0) => count(code, 0),
        _ => None,
    };
    octets.ok_or(Reason::NoData)
}

fn nth<T>(log: &[T], record: u8) -> Option<&T> {
    log.get(usize::from(record.checked_sub(1)?))
}

fn moment(at: i64) -> Moment {
    Civil::from_seconds(at).moment()
}

/// Counts, and minutes where the class has them.
fn count(code: u32, count: usize) -> Option<Vec<u8>> {
    let count = i64::try_from(count).ok()?;
    fields(Identifier::V2007(code), |_| Some(Value::Number(Decimal::new(count, 0), Unit::None)))
}

fn span(code: u32, begin: i64, end: i64) -> Option<Vec<u8>> {
    fields(Identifier::V2007(code), |field| Some(Value::Time(moment(if field == 0 { begin } else { end }))))
}

/// The last programming: when, by whom, and the last ten identifiers of it.
fn programming(model: &Model) -> Option<Vec<u8>> {
    let &(at, operator, _) = model.log.programmed.first()?;
    let mut out: Vec<u8> = moment(at).octets().collect();
    out.extend(operator);
    let codes = model.log.programmed.iter().map(|(_, _, code)| *code).chain(std::iter::repeat(u32::MAX));
    out.extend(codes.take(10).flat_map(u32::to_le_bytes));
    Some(out)
}

/// Begin, end, and the energies at both.
fn cover(model: &Model, code: u32, begin: i64, end: i64) -> Option<Vec<u8>> {
    fields(Identifier::V2007(code), |field| match u32::from(field) {
        0 => Some(Value::Time(moment(begin))),
        1 => Some(Value::Time(moment(end))),
        field => {
            let (at, which) = if field < 8 { (begin, field - 2) } else { (end, field - 8) };
            let measurand = if which < 2 { which + 1 } else { which + 3 };
            super::registers::value(model, measurand << 16, 0, at)
        }
    })
}
