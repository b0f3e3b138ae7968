//! Notifications as named values.

use super::Context;
use super::apdu::Origin;
use crate::args::EnergyUnit;
use crate::output::{Field, Head, Item, Label, Labels, Measure, Value as Shown, hex, text};
use obis::apdu::{DataNotification, EventNotification};
use obis::data::{self, Quirks};
use obis::datetime::DateTime;
use obis::han::kamstrup::Kamstrup;
use obis::han::{BuiltIn, Entries, Entry, Profile, Value, entries, entries_with};
use obis::{Decimal, Obis};
use std::borrow::Cow;
use std::rc::Rc;

/// The clock, under any of the codes that meters give it: 0-0:1.0.0, 0-1:1.0.0, 0-0:1.1.0.
fn is_clock(code: Option<Obis>) -> bool {
    code.is_some_and(|code| matches!(code.octets(), [0, _, 1, 0 | 1, 0, _]))
}

/// Prints what a data-notification holds.
pub fn data_notification(
    notification: &DataNotification<'_>,
    quirks: Quirks,
    origin: &Origin,
    context: &mut Context,
) {
    let body = notification.body;
    match context.energy_unit.map(kamstrup) {
        None => list(entries(body).with_quirks(quirks), notification.date_time, origin, context),
        Some(known) => {
            let entries = entries_with(body, &(known, BuiltIn)).with_quirks(quirks);
            list(entries, notification.date_time, origin, context);
        }
    }
}

/// Their list with what the caller knows about it.
fn kamstrup(unit: EnergyUnit) -> Kamstrup {
    match unit {
        EnergyUnit::WattHours => Kamstrup::WATT_HOURS,
        EnergyUnit::TenWattHours => Kamstrup::TEN_WATT_HOURS,
    }
}

fn list<P: Profile>(
    mut list: Entries<'_, P>,
    time: Option<DateTime>,
    origin: &Origin,
    context: &mut Context,
) {
    // Most lists have some dozen entries.
    let mut found = Vec::with_capacity(48);
    for entry in &mut list {
        match entry {
            Ok(entry) => found.push(entry),
            Err(error) => context.damage.report(&format!("data of a notification: {error}")),
        }
    }
    let zone = if list.layout() == Some("Aidon") { Zone::Unknown } else { Zone::AsSent };
    let clock = found.iter().find_map(|entry| entry.value.as_date_time().filter(|_| is_clock(entry.obis)));
    let time = time.or(clock);
    let mut head = head(origin, time, zone);
    if let Some(layout) = list.layout() {
        head.fields.push(("list", layout.into()));
    }
    head.meter.extend(found.iter().filter_map(identity));
    context.printer.message(&head, found.iter().map(|entry| item(entry, zone)));
}

/// Prints the one attribute that an event-notification holds.
pub fn event_notification(event: &EventNotification<'_>, origin: &Origin, context: &mut Context) {
    let mut items = Vec::new();
    for entry in entries(event.value) {
        match entry {
            Ok(mut entry) => {
                entry.obis = entry.obis.or(Some(event.attribute.obis));
                items.push(item(&entry, Zone::AsSent));
            }
            Err(error) => context.damage.report(&format!("data of an event: {error}")),
        }
    }
    context.printer.message(&head(origin, event.time, Zone::AsSent), items.into_iter());
}

/// What the deviation in a date-time is worth.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    /// It leads to UTC.
    AsSent,
    /// The meter sends 0 and means its local time.
    Unknown,
}

fn head<'a>(origin: &'a Origin, time: Option<DateTime>, zone: Zone) -> Head<'a> {
    let time = time.map(|time| iso(time, zone));
    let mut head = Head { protocol: origin.protocol, check: origin.check(), time, ..Head::default() };
    if let Some(authenticity) = origin.authenticity {
        head.fields.push(("authentication", authenticity.into()));
    }
    if let Some(title) = &origin.system_title {
        head.meter.push(("system_title", title.into()));
    }
    head
}

/// What an entry tells of the meter itself.
fn identity<'a>(entry: &Entry<'a>) -> Option<Field<'a>> {
    let text = match entry.value {
        Value::Text(text) => Cow::Borrowed(text),
        // Kamstrup in Denmark sends its serial number as a number.
        Value::Plain(number) => Cow::Owned(number.to_string()),
        _ => return None,
    };
    let what = match entry.obis?.octets() {
        [1, _, 0, 2, 129, _] => "list_version",
        [0, 0, 96, 1, 0, 255] | [1, 1, 0, 0, 1 | 5, 255] => "id",
        [0, 0, 96, 1, 7, 255] | [1, 1, 96, 1, 1, 255] => "type",
        [0, 0, 96, 1, 1, 255] => "id_2",
        [0, 0, 42, 0, 0, 255] => "logical_device_name",
        _ => return None,
    };
    Some((what, text))
}

/// ISO 8601 as far as the meter specified it.
fn iso(time: DateTime, zone: Zone) -> String {
    match zone {
        Zone::AsSent => text(time),
        Zone::Unknown => {
            let status = time.status().map_or(0xFF, |status| status.0);
            text(DateTime::new(time.date(), time.time(), None, status))
        }
    }
}

fn item<'a>(entry: &Entry<'a>, zone: Zone) -> Item<'a> {
    Item {
        label: entry.obis.map(|code| label(code, entry.attribute)),
        path: entry.obis.is_none().then(|| entry.path.to_string()),
        values: shown(&entry.value, zone).into(),
        ..Item::default()
    }
}

/// The code and what it means.
fn label(code: Obis, attribute: u8) -> Rc<Label> {
    thread_local! {
        static LABELS: Labels = const { Labels::new() };
    }
    let make = || {
        let name = match attribute {
            // Attribute 2 is the value of nearly every class.
            2 => code.description().to_string(),
            attribute => format!("{}, attribute {attribute}", code.description()),
        };
        Label::new(Some(code.text()), Some(&name))
    };
    LABELS.with(|labels| labels.of(code, attribute, make))
}

fn shown<'a>(value: &Value<'a>, zone: Zone) -> Shown<'a> {
    match *value {
        Value::Scaled(scaled) => Shown::Number(scaled.value, Measure::new(scaled.prefix, scaled.unit)),
        Value::Plain(number) => Shown::Number(number, None),
        Value::Text(text) => Shown::Text(Cow::Borrowed(text)),
        Value::DateTime(time) => Shown::Text(Cow::Owned(iso(time, zone))),
        Value::Date(date) => Shown::Text(Cow::Owned(text(date))),
        Value::Time(time) => Shown::Text(Cow::Owned(text(time))),
        Value::Boolean(value) => Shown::Bool(value),
        Value::Code(code) => Shown::Text(Cow::Owned(code.to_string())),
        Value::Octets(octets) | Value::Nested(octets) => Shown::Octets(octets),
        Value::Other(other) => data_value(&other),
        _ => Shown::Null,
    }
}

/// COSEM data of another type than the lists know what to do with.
fn data_value<'a>(value: &data::Value<'a>) -> Shown<'a> {
    match *value {
        data::Value::Null | data::Value::DontCare => Shown::Null,
        data::Value::Float32(bits) => {
            float(f32::from_bits(bits).is_finite(), f32::from_bits(bits).to_string())
        }
        data::Value::Float64(bits) => {
            float(f64::from_bits(bits).is_finite(), f64::from_bits(bits).to_string())
        }
        // As digits, and not as a number: most who read JSON would round it.
        data::Value::Long64Unsigned(value) => Shown::Text(Cow::Owned(value.to_string())),
        data::Value::Enum(value) => Shown::Number(Decimal::new(i64::from(value), 0), None),
        data::Value::BitString { octets, .. } => Shown::Text(Cow::Owned(hex(octets))),
        other => Shown::Text(Cow::Owned(obis::tree::Leaf(other).to_string())),
    }
}

/// A float as the shortest decimal that gives it again; infinities and NaN are no values.
fn float(finite: bool, text: String) -> Shown<'static> {
    if finite { Shown::Float(text) } else { Shown::Null }
}
