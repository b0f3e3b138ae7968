//! Notifications as named values.

use super::Context;
use super::apdu::Origin;
use crate::output::{Head, Item, Value as Shown, hex};
use obis::Decimal;
use obis::apdu::{DataNotification, EventNotification};
use obis::data::{Event, Events, Value};
use obis::datetime::DateTime;
use std::borrow::Cow;

/// Prints what a data-notification holds.
pub fn data_notification(notification: &DataNotification<'_>, origin: &Origin, context: &mut Context) {
    let items = leaves(notification.body);
    let time = notification.date_time.map(iso);
    context.printer.message(&head(origin, time), &items);
}

/// Prints the one attribute that an event-notification holds.
pub fn event_notification(event: &EventNotification<'_>, origin: &Origin, context: &mut Context) {
    let mut items = leaves(event.value);
    for item in &mut items {
        item.code = Some(event.attribute.obis);
        item.name = Some(event.attribute.obis.description().to_string());
    }
    context.printer.message(&head(origin, event.time.map(iso)), &items);
}

fn head(origin: &Origin, time: Option<String>) -> Head<'static> {
    let mut head = Head { protocol: origin.protocol, check: "ok", time, ..Head::default() };
    if let Some(authenticity) = origin.authenticity {
        head.fields.push(("authentication", authenticity.to_owned()));
    }
    if let Some(title) = &origin.system_title {
        head.meter.push(("system_title", title.clone()));
    }
    head
}

/// ISO 8601 as far as the meter specified it.
fn iso(time: DateTime) -> String {
    time.to_string()
}

/// Every value with its path.
fn leaves(data: &[u8]) -> Vec<Item<'_>> {
    let (mut items, mut path) = (Vec::new(), Vec::<u32>::new());
    let mut at = 0;
    for event in Events::new(data).map_while(Result::ok) {
        match event {
            Event::Begin(_) => {
                path.push(at);
                at = 0;
            }
            Event::End => at = path.pop().unwrap_or(0) + 1,
            Event::Value(value) => {
                let mut text: Vec<String> = path.iter().skip(1).map(u32::to_string).collect();
                text.push(at.to_string());
                items.push(Item {
                    path: Some(text.join(".")),
                    values: vec![shown(&value)],
                    ..Item::default()
                });
                at += 1;
            }
            Event::Part(_) => {}
        }
    }
    items
}

/// A value of COSEM data as it is shown.
fn shown<'a>(value: &Value<'a>) -> Shown<'a> {
    match *value {
        Value::Null | Value::DontCare => Shown::Null,
        Value::Boolean(value) => Shown::Bool(value),
        Value::Float32(bits) => float(f32::from_bits(bits).is_finite(), f32::from_bits(bits).to_string()),
        Value::Float64(bits) => float(f64::from_bits(bits).is_finite(), f64::from_bits(bits).to_string()),
        Value::Long64Unsigned(value) => match i64::try_from(value) {
            Ok(value) => Shown::Number(Decimal::new(value, 0), None),
            Err(_) => Shown::Text(Cow::Owned(value.to_string())),
        },
        Value::OctetString(octets) | Value::VisibleString(octets) | Value::Utf8String(octets) => {
            Shown::text(octets)
        }
        Value::BitString { octets, .. } => Shown::Text(Cow::Owned(hex(octets))),
        Value::DateTime(time) => Shown::Text(Cow::Owned(iso(time))),
        other => match other.as_integer() {
            Some(number) => Shown::Number(Decimal::new(number, 0), None),
            None => Shown::Text(Cow::Owned(obis::tree::Leaf(other).to_string())),
        },
    }
}

/// A float as the shortest decimal that gives it again; infinities and NaN are no values.
fn float(finite: bool, text: String) -> Shown<'static> {
    if finite { Shown::Float(text, None) } else { Shown::Null }
}
