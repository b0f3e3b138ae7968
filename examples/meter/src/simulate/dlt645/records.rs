//! Frozen values and load records of 2007.

use super::model::Model;
use super::registers::{fields, value};
use crate::civil::{Civil, DAY};
use dlt645::{Identifier, Moment, Query, Reason, Value};

const SEPARATOR: u8 = 0xAA;
/// Between load records.
const INTERVAL: i64 = 15 * 60;
/// How long load records are kept.
const KEPT: i64 = 60 * DAY;
/// Records of one answer at most.
const MOST: u8 = 10;

/// 05: kind, part, record counted back from 1.
pub fn frozen(model: &Model, code: u32) -> Result<Vec<u8>, Reason> {
    let [_, kind, part, record] = code.to_be_bytes();
    let at = frozen_at(model, kind, record).ok_or(Reason::NoData)?;
    let hourly = kind == 4;
    if part != 0xFF {
        return frozen_part(model, code, at).ok_or(Reason::NoData);
    }
    let parts: &[u8] = if hourly { &[0, 1, 2] } else { &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0x10] };
    let mut out = Vec::new();
    for part in parts {
        let code = code & 0xFFFF_00FF | u32::from(*part) << 8;
        out.extend(frozen_part(model, code, at).ok_or(Reason::NoData)?);
        out.push(SEPARATOR);
    }
    Ok(out)
}

/// When a record was frozen.
fn frozen_at(model: &Model, kind: u8, record: u8) -> Option<i64> {
    let back = i64::from(record.checked_sub(1)?);
    let now = model.now();
    let at = match (kind, record) {
        (0, ..=60) => timed(model, now, back)?,
        (1, ..=3) => *model.frozen.get(usize::from(record) - 1)?,
        (4, ..=254) => now.div_euclid(3600) * 3600 - back * 3600,
        (6, ..=62) => now.div_euclid(DAY) * DAY - back * DAY,
        _ => return None,
    };
    (at >= now - 400 * DAY).then_some(at)
}

/// The last times that the setting of the timed freeze names.
fn timed(model: &Model, now: i64, back: i64) -> Option<i64> {
    let setting = model.freeze.moment();
    let part = |part: Option<u8>| part.filter(|&part| part != 99);
    let (month, day, hour) = (part(setting.month()), part(setting.day()), part(setting.hour()));
    let minute = setting.minute().unwrap_or_default();
    let names = |at: &i64| {
        let time = Civil::from_seconds(*at);
        time.minute == minute
            && hour.is_none_or(|hour| hour == time.hour)
            && day.is_none_or(|day| day == time.day)
            && month.is_none_or(|month| month == time.month)
    };
    let step = if hour.is_some() { DAY } else { 3600 };
    let offset = i64::from(minute) * 60 + i64::from(hour.unwrap_or_default()) * 3600;
    let last = (now - offset).div_euclid(step) * step + offset;
    (0..24 * 400).map(|n| last - n * step).filter(names).nth(usize::try_from(back).ok()?)
}

fn frozen_part(model: &Model, code: u32, at: i64) -> Option<Vec<u8>> {
    let [_, kind, part, _] = code.to_be_bytes();
    let part32 = u32::from(part);
    match part {
        0x00 => Some(minute(at).octets().collect()),
        0x10 => fields(Identifier::V2007(code), |field| {
            let field = u32::from(field);
            let code = if field < 4 { 0x0203_0000 | field << 8 } else { 0x0204_0000 | (field - 4) << 8 };
            value(model, code, 0, at)
        }),
        0x01..=0x0A => {
            let base = if part < 9 { part32 << 16 } else { 0x0100_0000 | (part32 - 8) << 16 };
            let mut out = Vec::new();
            let rates = if kind == 4 { 0 } else { u32::from(super::model::RATES) };
            for rate in 0..=rates {
                let code = base | rate << 8;
                out.extend(fields(Identifier::V2007(code), |field| value(model, code, field, at))?);
            }
            Some(out)
        }
        _ => None,
    }
}

fn minute(at: i64) -> Moment {
    Civil::from_seconds(at).moment().with_form(dlt645::TimeForm::TO_MINUTE)
}

/// 06: class (0 for all), then oldest, from a time on, or newest.
pub fn load(model: &Model, code: u32, query: Query) -> Result<Vec<u8>, Reason> {
    let [_, class, 0, which] = code.to_be_bytes() else { return Err(Reason::NoData) };
    let newest = model.now().div_euclid(INTERVAL) * INTERVAL;
    let oldest = newest - KEPT;
    let (count, since) = match query {
        Query::All => (1, None),
        Query::Records(count) => (count, None),
        Query::Since(count, time) => (count, Some(time)),
    };
    let count = i64::from(count.clamp(1, MOST));
    let first = match (which, since) {
        (0, _) => oldest,
        (1, Some(time)) => from(time).ok_or(Reason::Other)?.max(oldest),
        (2, _) => newest - (count - 1) * INTERVAL,
        _ => return Err(Reason::NoData),
    };
    let mut out = Vec::new();
    for at in (0..count).map(|n| first + n * INTERVAL).take_while(|at| *at <= newest) {
        out.extend(record(model, class, at).ok_or(Reason::NoData)?);
    }
    if out.is_empty() { Err(Reason::NoData) } else { Ok(out) }
}

/// The first record not before a time.
fn from(time: Moment) -> Option<i64> {
    let civil = Civil {
        year: 2000 + i64::from(time.year()?),
        month: time.month()?,
        day: time.day()?,
        hour: time.hour()?,
        minute: time.minute()?,
        second: 0,
    };
    time.is_calendar().then(|| (civil.seconds() + INTERVAL - 1).div_euclid(INTERVAL) * INTERVAL)
}

/// `A0 A0 n time classes CS E5`.
fn record(model: &Model, class: u8, at: i64) -> Option<Vec<u8>> {
    let mut body: Vec<u8> = minute(at).octets().collect();
    for one in 1..=6 {
        if class == 0 || class == one {
            let identifier = Identifier::V2007(0x0600_0000 | u32::from(one) << 16);
            body.extend(fields(identifier, |field| quantity(model, one, field, at))?);
        }
        body.push(SEPARATOR);
    }
    let mut octets = vec![0xA0, 0xA0, u8::try_from(body.len()).ok()?];
    octets.extend(body);
    octets.push(octets.iter().fold(0, |sum: u8, octet| sum.wrapping_add(*octet)));
    octets.push(0xE5);
    Some(octets)
}

fn quantity(model: &Model, class: u8, field: u16, at: i64) -> Option<Value<'static>> {
    let field = u32::from(field);
    let code = match (class, field) {
        (1, 0..=2) => 0x0201_0000 | (field + 1) << 8,
        (1, 3..=5) => 0x0202_0000 | (field - 2) << 8,
        (1, _) => 0x0280_0002,
        (2, 0..=3) => 0x0203_0000 | field << 8,
        (2, _) => 0x0204_0000 | (field - 4) << 8,
        (3, _) => 0x0206_0000 | field << 8,
        (4, _) => (field + 1) << 16,
        (5, _) => (field + 5) << 16,
        _ => 0x0280_0004 + field,
    };
    value(model, code, 0, at)
}
