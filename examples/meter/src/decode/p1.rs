//! P1 telegrams, plain or encrypted.

use super::han::unit;
use super::{Context, Handler};
use crate::args::Decode;
use crate::output::{Head, Item, Value as Shown, hex, summary};
use dsmr::encrypted::{self, CheckPolicy, Frame, Security, TagPolicy, TagVerdict};
use dsmr::{
    Check, Content, DataLine, Decoder, DeviceKind, Error, Object, Options, Reading, Telegram, Timestamp,
    Value,
};
use obis::Obis;
use std::borrow::Cow;

/// Telegrams of 2 to 3 KB have been seen.
const LONGEST: usize = 1 << 16;

/// What the command line says about telegrams.
pub fn options(args: &Decode) -> Options {
    Options { lenient: args.lenient, strip_parity: args.strip_parity, ..Options::DEFAULT }
}

/// Telegrams in plain text.
pub struct Plain {
    decoder: Decoder<Vec<u8>>,
    /// Octets in telegrams so far; with the counters of the decoder, where in the input it is.
    framed: u64,
}

impl Plain {
    pub fn new(options: Options) -> Self {
        Self { decoder: Decoder::with_options(vec![0; LONGEST], options), framed: 0 }
    }

    fn lost(&self, error: Option<Error>, context: &mut Context) {
        if let Some(error) = error {
            let stats = self.decoder.stats();
            context.damage.lost(
                self.framed + u64::from(stats.lost) + u64::from(stats.fill),
                error.lost,
                &error.kind,
            );
        }
    }
}

impl Handler for Plain {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        let mut input = octets;
        while let Some(event) = self.decoder.decode(&mut input) {
            let error = plain_event(event, &mut self.framed, context);
            self.lost(error, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let error = plain_event(event, &mut self.framed, context);
            self.lost(error, context);
        }
    }
}

fn plain_event(event: Result<Telegram<'_>, Error>, framed: &mut u64, context: &mut Context) -> Option<Error> {
    match event {
        Ok(telegram) => {
            context.damage.flush();
            if telegram.check() == Check::Bad {
                let len = telegram.octets().len();
                context.damage.report(&format!("offset {framed}, length {len}: check does not agree"));
            }
            *framed += telegram.octets().len() as u64;
            print(&telegram, &[], context);
            None
        }
        Err(error) => Some(error),
    }
}

/// Telegrams inside general-glo-ciphering.
pub struct Encrypted {
    decoder: encrypted::Decoder<Vec<u8>>,
    framed: u64,
    plain: Vec<u8>,
}

impl Encrypted {
    pub fn new() -> Self {
        Self { decoder: encrypted::Decoder::new(vec![0; LONGEST]), framed: 0, plain: vec![0; LONGEST] }
    }

    fn lost(&self, error: Option<Error>, context: &mut Context) {
        if let Some(error) = error {
            let stats = self.decoder.stats();
            context.damage.lost(
                self.framed + u64::from(stats.lost) + u64::from(stats.fill),
                error.lost,
                &error.kind,
            );
        }
    }

    fn event(
        event: Result<Frame<'_>, Error>,
        framed: &mut u64,
        plain: &mut [u8],
        context: &mut Context,
    ) -> Option<Error> {
        let frame = match event {
            Ok(frame) => frame,
            Err(error) => return Some(error),
        };
        context.damage.flush();
        *framed += frame.octets().len() as u64;
        let title = hex(frame.ciphered().system_title);
        let Some(encryption) = context.keys.encryption.clone() else {
            eprintln!("meter: encrypted by system title {title}, and no key given (--key)");
            let fields = vec![("system_title", title), ("encrypted", "no key".to_owned())];
            context
                .printer
                .message(&Head { protocol: "p1", check: "unknown", fields, ..Head::default() }, &[]);
            return None;
        };
        let mut security = Security::new(encryption);
        match context.keys.authentication.clone() {
            Some(key) => security.authentication = Some(key),
            // The published authentication key is a guess: where it does not fit, the check inside must.
            None => (security.tag, security.check) = (TagPolicy::Report, CheckPolicy::RequireWithoutTag),
        }
        match frame.open(&security, plain) {
            Ok(opened) => {
                let authentication = match opened.tag {
                    TagVerdict::Verified => "verified",
                    TagVerdict::Failed => "failed with the published key",
                    TagVerdict::NotChecked => "not checked",
                    TagVerdict::Absent => "no tag",
                };
                let fields = [("system_title", title), ("authentication", authentication.to_owned())];
                match opened.telegram() {
                    Some(telegram) => print(&telegram, &fields, context),
                    None => {
                        let head = Head { protocol: "p1", check: "absent", ..Head::default() };
                        lines(opened.lines(), &head, 60, context);
                    }
                }
            }
            Err(error) => {
                let len = frame.octets().len();
                let offset = *framed - len as u64;
                context.damage.report(&format!("offset {offset}, length {len}: {error}; wrong key?"));
            }
        }
        None
    }
}

impl Handler for Encrypted {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        let mut input = octets;
        while let Some(event) = self.decoder.decode(&mut input) {
            let error = Self::event(event, &mut self.framed, &mut self.plain, context);
            self.lost(error, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let error = Self::event(event, &mut self.framed, &mut self.plain, context);
            self.lost(error, context);
        }
    }
}

/// Prints a telegram.
pub fn print(telegram: &Telegram<'_>, fields: &[(&'static str, String)], context: &mut Context) {
    let winter = telegram.winter_offset();
    let mut head = Head {
        protocol: "p1",
        check: telegram.check().name(),
        time: telegram.time().map(|time| time.iso(winter).to_string()),
        ..Head::default()
    };
    head.fields.push(("identification", String::from_utf8_lossy(telegram.identification()).into_owned()));
    head.fields.extend(fields.iter().cloned());
    if context.printer.is_tree() {
        let identification = &head.fields[0].1;
        let len = telegram.octets().len();
        context
            .printer
            .line(format_args!("p1 telegram {identification}, {len} octets, check {}", head.check));
        for (key, text) in fields {
            context.printer.line(format_args!("{key} {text}"));
        }
    }
    lines(telegram.lines(), &head, winter, context);
}

/// What all lines of a telegram share.
struct Around {
    /// Standard time ahead of UTC, minutes.
    winter: i16,
    /// What the devices on channels 1 to 4 measure.
    kinds: [DeviceKind; 4],
}

impl Around {
    fn new<'a>(lines: impl Iterator<Item = DataLine<'a>>, winter: i16) -> Self {
        let mut kinds = [DeviceKind::Unknown; 4];
        for line in lines {
            if let Object::DeviceType { channel, kind } = line.object()
                && let Some(place) = kinds.get_mut(usize::from(channel).wrapping_sub(1))
            {
                *place = kind;
            }
        }
        Self { winter, kinds }
    }

    fn device(&self, channel: u8) -> &'static str {
        match self.kinds.get(usize::from(channel).wrapping_sub(1)) {
            Some(DeviceKind::Electricity) => "electricity",
            Some(DeviceKind::Gas) => "gas",
            Some(DeviceKind::Heat) => "heat",
            Some(DeviceKind::HotWater) => "hot water",
            Some(DeviceKind::Water) => "water",
            Some(DeviceKind::Cooling) => "cooling",
            Some(DeviceKind::HeatAndCooling) => "heat and cooling",
            _ => "M-Bus device",
        }
    }

    /// The name of a line: what the code says, but where the telegram knows better.
    fn name(&self, line: &DataLine<'_>, object: &Object<'_>) -> Option<String> {
        let code = line.code()?;
        Some(match *object {
            Object::DeviceReading { channel, .. } => match code.octets() {
                [_, _, 24, 2, 3, _] => format!("{} reading, not temperature-corrected", self.device(channel)),
                _ => format!("{} reading", self.device(channel)),
            },
            Object::DeviceId { channel, .. } => format!("serial number, {}", self.device(channel)),
            Object::Ean { channel: 0, .. } => "EAN".to_owned(),
            Object::Ean { channel, .. } => format!("EAN, {}", self.device(channel)),
            Object::Version(_) => "version of the telegram".to_owned(),
            Object::FuseLimit { .. } => "fuse supervision threshold".to_owned(),
            Object::EquipmentId(_) => "serial number".to_owned(),
            Object::PeakHistory(_) => "monthly peaks".to_owned(),
            _ => code.description().to_string(),
        })
    }
}

fn lines<'a>(
    lines: impl Iterator<Item = DataLine<'a>> + Clone,
    head: &Head<'_>,
    winter: i16,
    context: &mut Context,
) {
    let around = Around::new(lines.clone(), winter);
    if context.printer.is_tree() {
        for line in lines {
            tree(&line, &around, context);
        }
        return;
    }
    let items: Vec<_> = lines.map(|line| item(&line, &around)).collect();
    context.printer.message(head, &items);
}

fn item<'a>(line: &DataLine<'a>, around: &Around) -> Item<'a> {
    let winter = around.winter;
    let object = line.object();
    let mut item = Item {
        code: line.code().map(Obis::reduced_text),
        name: around.name(line, &object),
        channel: line.channel(),
        ..Item::default()
    };
    if let Object::Version(text) | Object::Ean { ean: text, .. } | Object::Tariff { text, .. } = object {
        // Digits that stand for themselves, even where they could be read as hexadecimal text.
        item.values.push(Shown::Text(String::from_utf8_lossy(text.sent())));
        return item;
    }
    match line.reading() {
        Reading::Number { time, value } => {
            item.time = time.map(|time| time.iso(winter).to_string());
            item.values.push(Shown::Number(value.value, unit(value)));
        }
        Reading::Time(time) => item.values.push(moment(time, winter)),
        Reading::Text(text) => item.values.push(Shown::Text(Cow::Owned(text.to_string()))),
        Reading::Values(values) => item.values.extend(values.map(|value| shown(value, winter))),
        Reading::Raw(raw) => item.raw = Some(raw),
        _ => item.raw = Some(line.raw()),
    }
    item
}

fn moment(time: Timestamp, winter: i16) -> Shown<'static> {
    Shown::Text(Cow::Owned(time.iso(winter).to_string()))
}

fn shown<'a>(value: Value<'a>, winter: i16) -> Shown<'a> {
    match value.content() {
        Content::Empty => Shown::Null,
        Content::Number(number) => Shown::Number(number.value, unit(number)),
        Content::Time(time) => moment(time, winter),
        Content::Code(code) => Shown::Text(Cow::Owned(code.reduced_text().as_str().to_owned())),
        _ => Shown::Text(Cow::Owned(value.text().to_string())),
    }
}

/// A data line with everything that is known of it: code, name, what its values mean, and the line as sent.
fn tree(line: &DataLine<'_>, around: &Around, context: &mut Context) {
    let raw = String::from_utf8_lossy(line.raw()).replace(['\r', '\n'], " ");
    let Some(code) = line.code() else {
        return context.printer.line(format_args!("raw {raw}"));
    };
    let meaning = item(line, around);
    let channel = meaning.channel.map_or(String::new(), |channel| format!(", channel {channel}"));
    let time = meaning.time.map_or(String::new(), |time| format!(" at {time}"));
    let name = meaning.name.unwrap_or_default();
    let values = summary(&meaning.values);
    context.printer.line(format_args!("{code} {name}{channel}: {values}{time} <- {raw}"));
}
