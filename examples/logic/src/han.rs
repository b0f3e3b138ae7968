//! The reader of a HAN port that passes on every message as it comes: frames in, a JSON object for each message out.
//!
//! ```json
//! {"time":"2026-11-20T18:00:00+01:00","objects":[{"obis":"1-0:1.7.0*255","value":1292,"unit":"W"}]}
//! ```
//!
//! `time` is that of the notification, where it has one; what stands behind it is the meter's deviation from UTC, where it
//! says one. A value that no list names has its place in the tree, `path`, instead of a code. A message that cannot be read
//! says so in `error`, behind what could be read of it.

use dlms_hdlc::{Assembler, Decoder, Error, Frame, Llc};
use obis::apdu::{ApduErrorKind, Block, DataNotification, Gbt, KeyUse, Tag};
use obis::datetime::{Date, DateTime, Time};
use obis::han::{Entry, Path, Value, entries};
use obis::{Decimal, data};

use crate::json::{hexadecimal, name, pairs, string};
use crate::sink::Sink;

/// Silence after which a frame does not go on, in milliseconds. Lists come every 2 s or less often, and their segments
/// together.
pub const IDLE: u32 = 1000;

/// From octets to messages: `F` holds a frame ([`dlms_hdlc::longest_frame`] says how long), `M` a message whose segments or
/// blocks come in frames of their own.
#[derive(Debug)]
pub struct Reader<F, M> {
    decoder: Decoder<F>,
    assembler: Assembler<M>,
    blocks: Gbt<M>,
}

/// What came over the line.
#[derive(Clone, Copy, Debug)]
pub enum Event<'m> {
    /// A whole message.
    Message(Message<'m>),
    /// Octets that are in no whole frame.
    Lost(Error),
    /// So many octets of a message whose other parts never came.
    Dropped(u32),
}

/// A message: an APDU.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m>(&'m [u8]);

impl<F: AsRef<[u8]> + AsMut<[u8]>, M: AsRef<[u8]> + AsMut<[u8]>> Reader<F, M> {
    /// In this storage: of a frame, of segments, of blocks.
    pub const fn new(frame: F, segments: M, blocks: M) -> Self {
        Self { decoder: Decoder::new(frame), assembler: Assembler::new(segments), blocks: Gbt::new(blocks) }
    }

    /// Takes octets as they came, in any pieces.
    pub fn handle_octets(&mut self, mut octets: &[u8], mut each: impl FnMut(Event<'_>)) {
        while let Some(event) = self.decoder.decode(&mut octets) {
            report(&mut self.assembler, &mut self.blocks, event, &mut each);
        }
    }

    /// The line has been silent for [`IDLE`], or the input is over.
    pub fn finish(&mut self, mut each: impl FnMut(Event<'_>)) {
        while let Some(event) = self.decoder.finish() {
            report(&mut self.assembler, &mut self.blocks, event, &mut each);
        }
        if let Some(dropped) = self.assembler.finish() {
            each(Event::Dropped(dropped.octets));
        }
        if let Some(step) = self.blocks.finish() {
            each(Event::Dropped(step.dropped));
        }
    }
}

fn report<M: AsRef<[u8]> + AsMut<[u8]>>(
    assembler: &mut Assembler<M>,
    blocks: &mut Gbt<M>,
    event: Result<Frame<'_>, Error>,
    each: &mut impl FnMut(Event<'_>),
) {
    if let Err(error) = event {
        each(Event::Lost(error));
    }
    let assembled = assembler.accept(&event);
    if let Some(dropped) = assembled.dropped {
        each(Event::Dropped(dropped.octets));
    }
    let Some(message) = assembled.message else { return };
    let apdu = Llc::parse(message).map_or(message, |(_, apdu)| apdu);
    let Ok((block, _)) = Block::parse(apdu) else {
        return each(Event::Message(Message(apdu)));
    };
    let step = blocks.push(&block);
    if step.dropped > 0 {
        each(Event::Dropped(step.dropped));
    }
    if let Some(apdu) = step.apdu {
        each(Event::Message(Message(apdu)));
    }
}

impl Message<'_> {
    /// Writes the JSON object.
    pub fn json(&self, out: &mut impl Sink) {
        match DataNotification::parse_header(self.0) {
            Ok(notification) => list(&notification, out),
            Err(error) => {
                let tag = self.0.first().map(|octet| Tag(*octet));
                let what = match error.kind {
                    ApduErrorKind::Tag(_) if tag.is_some_and(is_encrypted) => "encrypted",
                    ApduErrorKind::Tag(_) => "no data-notification",
                    _ => "truncated",
                };
                name(out, b'{', "error");
                string(out, what.as_bytes());
                if let Some(known) = tag.and_then(Tag::name) {
                    name(out, b',', "apdu");
                    string(out, known.as_bytes());
                }
                out.put(b'}');
            }
        }
    }
}

/// The object in the place of a message that there is no room for.
pub fn too_long(out: &mut impl Sink) {
    out.put_all(b"{\"error\":\"too long\"}");
}

fn is_encrypted(tag: Tag) -> bool {
    matches!(tag.service_key(), Some(KeyUse::Global | KeyUse::Dedicated))
        || matches!(tag, Tag::GENERAL_GLO_CIPHERING | Tag::GENERAL_DED_CIPHERING | Tag::GENERAL_CIPHERING)
}

fn list(notification: &DataNotification<'_>, out: &mut impl Sink) {
    let mut before = b'{';
    if let Some(time) = notification.date_time.filter(|time| time.is_calendar_time()) {
        name(out, before, "time");
        moment(out, time);
        before = b',';
    }
    name(out, before, "objects");
    before = b'[';
    let mut failed = false;
    for entry in entries(notification.body) {
        match entry {
            Ok(entry) => {
                out.put(before);
                object(out, &entry);
                before = b',';
            }
            Err(_) => failed = true,
        }
    }
    if before == b'[' {
        out.put(before);
    }
    out.put(b']');
    if failed {
        out.put_all(b",\"error\":\"data\"");
    }
    out.put(b'}');
}

fn object(out: &mut impl Sink, entry: &Entry<'_>) {
    match entry.obis {
        Some(code) => {
            name(out, b'{', "obis");
            string(out, code.text().as_bytes());
        }
        None => {
            name(out, b'{', "path");
            path(out, entry.path);
        }
    }
    name(out, b',', "value");
    value(out, &entry.value);
    if let Some(unit) = entry.value.unit().and_then(|unit| unit.symbol()).filter(|unit| !unit.is_empty()) {
        name(out, b',', "unit");
        string(out, unit.as_bytes());
    }
    out.put(b'}');
}

fn path(out: &mut impl Sink, path: Path) {
    let mut before = b'"';
    for member in path.members() {
        out.put(before);
        out.decimal(u32::from(*member));
        before = b'.';
    }
    if before == b'"' {
        out.put(before);
    }
    out.put(b'"');
}

fn value(out: &mut impl Sink, value: &Value<'_>) {
    match value {
        Value::Text(text) => string(out, text.as_bytes()),
        Value::DateTime(time) if time.is_calendar_time() => moment(out, *time),
        Value::DateTime(time) => hexadecimal(out, &time.octets()),
        Value::Date(date) if date.is_calendar_date() => {
            out.put(b'"');
            day(out, *date);
            out.put(b'"');
        }
        Value::Date(date) => hexadecimal(out, &date.octets()),
        Value::Time(time) if time.is_clock_time() => {
            out.put(b'"');
            clock(out, *time);
            out.put(b'"');
        }
        Value::Time(time) => hexadecimal(out, &time.octets()),
        Value::Boolean(true) => out.put_all(b"true"),
        Value::Boolean(false) => out.put_all(b"false"),
        Value::Code(code) => string(out, code.text().as_bytes()),
        Value::Octets(octets) | Value::Nested(octets) => hexadecimal(out, octets),
        Value::Other(other) => plain(out, other),
        other => match other.number() {
            Some(Decimal { mantissa, exponent }) => out.number(mantissa, exponent),
            None => out.put_all(b"null"),
        },
    }
}

/// A type that has no value of its own in a list.
fn plain(out: &mut impl Sink, value: &data::Value<'_>) {
    match value {
        data::Value::Enum(number) => out.decimal(u32::from(*number)),
        data::Value::Bcd(octet) => hexadecimal(out, &[*octet]),
        // As they are sent: nothing here calculates with them.
        data::Value::Float32(float) => hexadecimal(out, &float.to_be_bytes()),
        data::Value::Float64(float) => hexadecimal(out, &float.to_be_bytes()),
        data::Value::Long64Unsigned(number) => hexadecimal(out, &number.to_be_bytes()),
        _ => out.put_all(b"null"),
    }
}

/// `"2026-11-20T18:00:00+01:00"`, the deviation only where there is one.
fn moment(out: &mut impl Sink, time: DateTime) {
    out.put(b'"');
    day(out, time.date());
    out.put(b'T');
    clock(out, time.time());
    if let Some(deviation) = time.deviation() {
        // The standard counts the other way: local time + deviation = UTC.
        out.put(if deviation > 0 { b'-' } else { b'+' });
        let [hours, minutes] = [60, 1].map(|part: u16| {
            let whole = deviation.unsigned_abs().checked_div(part).unwrap_or(0);
            u8::try_from(whole.checked_rem(60).unwrap_or(0)).unwrap_or(0)
        });
        pairs(out, [hours, minutes], *b":\0");
    }
    out.put(b'"');
}

fn day(out: &mut impl Sink, date: Date) {
    let [high, low, month, day, _] = date.octets();
    let year = u16::from_be_bytes([high, low]);
    let [century, year] = [100, 1].map(|part: u16| {
        let whole = year.checked_div(part).unwrap_or(0);
        u8::try_from(whole.checked_rem(100).unwrap_or(0)).unwrap_or(0)
    });
    pairs(out, [century, year, month, day], *b"\0--\0");
}

fn clock(out: &mut impl Sink, time: Time) {
    let [hour, minute, second, _] = time.octets();
    pairs(out, [hour, minute, second], *b"::\0");
}
