//! Who reads a HAN frame: ours, and the peers; each to one sum of all values.

use dlms_hdlc::Llc;
use obis::apdu::DataNotification;
use obis::data::{Reader, Value};
use obis::{Decimal, han};

/// A frame in, every code, value, scaler and unit out, as sent: into one sum, the same that the peer must come to, so
/// that neither gets away with not looking and neither pays for keeping.
pub fn read(octets: &[u8]) -> u64 {
    notifications(octets).fold(0, |sum: u64, notification| sum.wrapping_add(read_body(notification.body)))
}

/// The same through a stream decoder, an octet at a time.
pub struct Stream(dlms_hdlc::Decoder<[u8; 700]>);

impl Stream {
    pub const fn new() -> Self {
        Self(dlms_hdlc::Decoder::new([0; 700]))
    }

    pub fn read(&mut self, octets: &[u8]) -> u64 {
        let mut sum = 0u64;
        for mut octet in octets.chunks(1) {
            while let Some(event) = self.0.decode(&mut octet) {
                let notification = event.ok().and_then(|frame| notification(frame.information()));
                sum = sum.wrapping_add(notification.map_or(0, |notification| read_body(notification.body)));
            }
        }
        sum
    }
}

fn read_body(body: &[u8]) -> u64 {
    let mut reader = Reader::new(body);
    let mut sum = 0u64;
    loop {
        let one = match reader.rest() {
            [] => return sum,
            // The usual { code, value, { scaler, unit } }, or any other container.
            [1 | 2, ..] => match reader.entry() {
                Some(entry) => {
                    let scale = entry
                        .scaler_unit
                        .map_or(0, |sent| of_number(sent.scaler).wrapping_add(sent.unit.into()));
                    of_code(entry.obis.octets()).wrapping_add(of_value(&entry.value)).wrapping_add(scale)
                }
                None if reader.element().is_ok() => 0,
                None => return sum,
            },
            _ => match reader.value() {
                Ok(value) => of_value(&value),
                Err(_) => return sum,
            },
        };
        sum = sum.wrapping_add(one);
    }
}

fn of_value(value: &Value<'_>) -> u64 {
    match *value {
        Value::OctetString(octets) | Value::VisibleString(octets) => of_string(octets),
        Value::Enum(value) => value.into(),
        ref value => value.as_integer().map_or(0, of_number),
    }
}

fn of_number(number: impl Into<i64>) -> u64 {
    number.into().cast_unsigned()
}

fn of_string(octets: &[u8]) -> u64 {
    octets.try_into().map_or(octets.len() as u64, of_code)
}

fn of_code([a, b, c, d, e, f]: [u8; 6]) -> u64 {
    u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
}

/// A frame in, every value named and scaled, by its list or by the profile of its vendor.
pub fn named(octets: &[u8]) -> u64 {
    let mut sum = 0u64;
    for entry in notifications(octets).flat_map(|notification| han::entries(notification.body)).flatten() {
        let value = match entry.value {
            han::Value::Scaled(scaled) => {
                let Decimal { mantissa, exponent } = scaled.value;
                of_number(mantissa).wrapping_add(of_number(exponent)).wrapping_add(scaled.unit.code().into())
            }
            han::Value::Plain(number) => of_number(number.mantissa),
            han::Value::Text(text) => text.len() as u64,
            han::Value::DateTime(time) => of_string(&time.octets()),
            _ => 1,
        };
        let code = entry.obis.map_or(0, |code| of_code(code.octets()));
        sum = sum.wrapping_add(code).wrapping_add(value).wrapping_add(entry.path.members().len() as u64);
    }
    sum
}

fn notifications(octets: &[u8]) -> impl Iterator<Item = DataNotification<'_>> {
    dlms_hdlc::frames(octets).flatten().filter_map(|frame| notification(frame.information()))
}

fn notification(information: &[u8]) -> Option<DataNotification<'_>> {
    DataNotification::parse_header(Llc::parse(information)?.1).ok()
}

/// hdlcparse for the frame, and the plainest recursive walk that reads every leaf where it stands.
pub fn hdlcparse_and_walk(octets: &[u8]) -> u64 {
    let Ok((_, frame)) = hdlcparse::type3::HdlcFrame::parse(octets) else { return 0 };
    let body = frame.information.get(8..).unwrap_or_default();
    let time = match body {
        [0x09, 0x0C, ..] => 14,
        [0x0C, ..] => 13,
        _ => 1,
    };
    let mut sum = 0;
    walk(body.get(time..).unwrap_or_default(), &mut sum);
    sum
}

fn walk<'a>(octets: &'a [u8], sum: &mut u64) -> &'a [u8] {
    let [tag, rest @ ..] = octets else { return &[] };
    let width = match tag {
        1 | 2 => {
            let [count, rest @ ..] = rest else { return &[] };
            return (0..*count).fold(rest, |rest, _| walk(rest, sum));
        }
        0 => 0,
        3 | 13 | 15 | 17 | 22 => 1,
        16 | 18 => 2,
        5 | 6 | 23 => 4,
        20 | 21 | 24 => 8,
        _ => 1 + usize::from(rest.first().copied().unwrap_or(0)),
    };
    let (leaf, rest) = rest.split_at_checked(width).unwrap_or((rest, &[]));
    let one = match (tag, leaf) {
        (5, &[a, b, c, d]) => of_number(i32::from_be_bytes([a, b, c, d])),
        (6, &[a, b, c, d]) => of_number(u32::from_be_bytes([a, b, c, d])),
        (16, &[a, b]) => of_number(i16::from_be_bytes([a, b])),
        (18, &[a, b]) => of_number(u16::from_be_bytes([a, b])),
        (15, &[a]) => of_number(i8::from_be_bytes([a])),
        (17 | 22, &[a]) => of_number(a),
        (9 | 10, [_, octets @ ..]) => of_string(octets),
        _ => 0,
    };
    *sum = sum.wrapping_add(one);
    rest
}
