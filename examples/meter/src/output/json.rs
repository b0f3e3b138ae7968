//! One JSON object a line for each message. Numbers keep their exact decimals.

use super::{Head, Item, Value, hex};
use std::io::Write;

pub fn message<'a>(out: &mut Vec<u8>, head: &Head<'_>, items: impl Iterator<Item = Item<'a>>) {
    out.extend(b"{\"protocol\":");
    string(out, head.protocol);
    for (key, text) in &head.fields {
        field(out, key, text);
    }
    field(out, "check", head.check);
    for (key, text) in &head.details {
        field(out, key, text);
    }
    if let Some(time) = &head.time {
        field(out, "time", time);
    }
    if !head.meter.is_empty() {
        out.extend(b",\"meter\":{");
        for (at, (key, text)) in head.meter.iter().enumerate() {
            comma(out, at);
            name(out, key);
            string(out, text);
        }
        out.push(b'}');
    }
    out.extend(b",\"objects\":[");
    for (at, item) in items.enumerate() {
        comma(out, at);
        object(out, &item);
    }
    out.extend(b"]}\n");
}

fn object(out: &mut Vec<u8>, item: &Item<'_>) {
    let start = out.len() + 1;
    match (&item.label, &item.path) {
        (Some(label), None) => out.extend_from_slice(&label.json),
        (_, path) => {
            out.push(b'{');
            for (key, text) in [("obis", item.code()), ("path", path.as_deref()), ("name", item.name())] {
                if let Some(text) = text {
                    member(out, start, key);
                    string(out, text);
                }
            }
        }
    }
    if let Some(channel) = item.channel {
        member(out, start, "channel");
        let _ = write!(out, "{channel}");
    }
    if let Some(time) = &item.time {
        member(out, start, "time");
        string(out, time);
    }
    match &item.values[..] {
        [] => {}
        [single] => {
            member(out, start, "value");
            value(out, single);
            unit(out, single);
        }
        several => {
            member(out, start, "values");
            out.push(b'[');
            for (at, one) in several.iter().enumerate() {
                comma(out, at);
                if one.unit().is_some() {
                    out.extend_from_slice(b"{\"value\":");
                    value(out, one);
                    unit(out, one);
                    out.push(b'}');
                } else {
                    value(out, one);
                }
            }
            out.push(b']');
        }
    }
    if let Some(raw) = item.raw {
        member(out, start, "raw");
        string(out, &String::from_utf8_lossy(raw));
    }
    out.push(b'}');
}

fn value(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Number(decimal, _) => {
            // Room for nearly every number: clearing room for the longest takes longer than to write one.
            let mut short = [0; 24];
            match decimal.encode(&mut short) {
                Some(len) => out.extend_from_slice(&short[..len]),
                None => out.extend_from_slice(decimal.text().as_bytes()),
            }
        }
        Value::Float(text) => out.extend_from_slice(text.as_bytes()),
        Value::Text(text) => string(out, text),
        Value::Octets(octets) => string(out, &hex(octets)),
        Value::Bool(true) => out.extend(b"true"),
        Value::Bool(false) => out.extend(b"false"),
        Value::Null => out.extend(b"null"),
    }
}

fn unit(out: &mut Vec<u8>, value: &Value<'_>) {
    if let Some(unit) = value.unit() {
        out.extend_from_slice(b",\"unit\":\"");
        unit.write(out);
        out.push(b'"');
    }
}

#[inline]
pub fn member(out: &mut Vec<u8>, start: usize, key: &'static str) {
    if out.len() > start {
        out.push(b',');
    }
    name(out, key);
}

fn field(out: &mut Vec<u8>, key: &'static str, text: &str) {
    out.push(b',');
    name(out, key);
    string(out, text);
}

/// One of our own names, which have nothing to escape.
#[inline]
fn name(out: &mut Vec<u8>, key: &'static str) {
    out.push(b'"');
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
}

fn comma(out: &mut Vec<u8>, at: usize) {
    if at > 0 {
        out.push(b',');
    }
}

/// A JSON string (RFC 8259, 7).
pub fn string(out: &mut Vec<u8>, text: &str) {
    let special = |octet: u8| (octet < b' ') | (octet == b'"') | (octet == b'\\');
    out.push(b'"');
    // Nearly always there is none, which takes no branch for each octet to see.
    if !text.bytes().fold(false, |any, octet| any | special(octet)) {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|&octet| special(octet)) {
        let (plain, behind) = rest.split_at(at);
        out.extend_from_slice(plain);
        match behind[0] {
            octet @ (b'"' | b'\\') => out.extend([b'\\', octet]),
            octet => {
                let _ = write!(out, "\\u{octet:04x}");
            }
        }
        rest = &behind[1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{Label, Measure, Values};
    use obis::{Decimal, Obis};

    #[test]
    fn numbers_keep_their_decimals_and_strings_are_escaped() {
        let head = Head {
            protocol: "hdlc",
            check: "ok",
            time: Some("2022-01-02T14:37:20".into()),
            meter: vec![("id", "a\"\\\u{1}é".into())],
            ..Head::default()
        };
        let items = [
            Item {
                label: Some(Label::new(Some(Obis::new(1, 0, 32, 7, 0, 255).text()), None)),
                values: Value::Number(Decimal::new(2390, -1), Measure::of("V")).into(),
                ..Item::default()
            },
            Item {
                path: Some("0.1".into()),
                values: Values::Many(vec![Value::Null, Value::Bool(true)]),
                ..Item::default()
            },
            Item { raw: Some(b"1-0:(x"), ..Item::default() },
        ];
        let mut out = Vec::new();
        message(&mut out, &head, items.into_iter());
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "{\"protocol\":\"hdlc\",\"check\":\"ok\",\"time\":\"2022-01-02T14:37:20\",\
             \"meter\":{\"id\":\"a\\\"\\\\\\u0001é\"},\"objects\":[\
             {\"obis\":\"1-0:32.7.0*255\",\"value\":239.0,\"unit\":\"V\"},\
             {\"path\":\"0.1\",\"values\":[null,true]},{\"raw\":\"1-0:(x\"}]}\n"
        );
    }
}
