//! P1 telegrams, plain or encrypted.

use super::{Context, Handler};
use crate::args::{Decode, P1Check};
use crate::output::{Head, Item, Label, Labels, Measure, Value as Shown, Values, hex, summary, text};
use dsmr::encrypted::{self, CheckPolicy, Frame, Security, TagPolicy, TagVerdict};
use dsmr::{
    Check, CheckKind, Content, DataLine, Decoder, DeviceKind, Error, Object, Options, Reading, Stats,
    Telegram, Text, Timestamp, Value,
};
use std::borrow::Cow;
use std::iter;
use std::rc::Rc;

/// Telegrams of 2 to 3 KB have been seen.
const LONGEST: usize = 1 << 16;

/// What the command line says about telegrams.
pub fn options(args: &Decode) -> Options {
    let check = match args.p1_check {
        P1Check::Arc => CheckKind::Arc,
        P1Check::X25 => CheckKind::X25,
        P1Check::None => CheckKind::Ignore,
    };
    Options { lenient: args.lenient, strip_parity: args.strip_parity, check }
}

/// Telegrams in plain text.
pub struct Plain {
    decoder: Decoder<Vec<u8>>,
    /// Octets in telegrams so far; with the counters of the decoder, where in the input it is.
    framed: u64,
    options: Options,
    /// Counters when a good telegram came last, and nothing else has since.
    whole: Option<Stats>,
}

impl Plain {
    pub fn new(options: Options) -> Self {
        Self::starting_at(0, options)
    }

    fn starting_at(offset: u64, options: Options) -> Self {
        let decoder = Decoder::with_options(vec![0; LONGEST], options);
        Self { decoder, framed: offset, options, whole: None }
    }

    fn told(&mut self, outcome: Outcome, context: &mut Context) {
        let stats = self.decoder.stats();
        self.whole = matches!(outcome, Outcome::Whole).then_some(stats);
        outcome.tell(self.framed + u64::from(stats.lost) + u64::from(stats.fill), context);
    }
}

impl Handler for Plain {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        let mut input = octets;
        while let Some(event) = self.decoder.decode(&mut input) {
            let error = plain_event(event, &mut self.framed, context);
            self.told(error, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let error = plain_event(event, &mut self.framed, context);
            self.told(error, context);
        }
    }

    /// In front of a `/` at the start of a line.
    fn joint(&self, octets: &[u8]) -> Option<usize> {
        octets.windows(2).position(|pair| pair == b"\n/").map(|at| at + 1)
    }

    fn fresh(&self, offset: u64) -> Option<Box<dyn Handler + Send>> {
        Some(Box::new(Self::starting_at(offset, self.options)))
    }

    /// Behind a good telegram and no more than its line end.
    fn is_fresh(&self, offset: u64) -> bool {
        let stats = self.decoder.stats();
        let position = self.framed + u64::from(stats.lost) + u64::from(stats.fill);
        self.whole.is_some_and(|whole| {
            position == offset && stats.lost == whole.lost && stats.fill.wrapping_sub(whole.fill) <= 2
        })
    }
}

/// What an event leaves to be told, once it is known where in the input it ended.
enum Outcome {
    Whole,
    Lost(Error),
    /// So many octets were whole and are not what they should be.
    Wrong(usize, String),
}

impl Outcome {
    fn tell(self, end: u64, context: &mut Context) {
        match self {
            Self::Whole => {}
            Self::Lost(error) => context.damage.lost(end, error.lost, &error.kind),
            Self::Wrong(len, what) => {
                let offset = end.saturating_sub(len as u64);
                context.damage.report(&format!("offset {offset}, length {len}: {what}"));
            }
        }
    }
}

fn plain_event(event: Result<Telegram<'_>, Error>, framed: &mut u64, context: &mut Context) -> Outcome {
    let telegram = match event {
        Ok(telegram) => telegram,
        Err(error) => return Outcome::Lost(error),
    };
    context.damage.flush();
    let len = telegram.octets().len();
    *framed += len as u64;
    // Noise has a `/`, a line end and a `!` now and then.
    if telegram.check() == Check::Absent && telegram.identification().iter().any(u8::is_ascii_control) {
        return Outcome::Wrong(len, "no telegram: no check, and control characters for a name".to_owned());
    }
    print(&telegram, &[], context);
    match telegram.check() {
        Check::Bad => Outcome::Wrong(len, "check does not agree".to_owned()),
        _ => Outcome::Whole,
    }
}

/// Telegrams inside general-glo-ciphering.
pub struct Encrypted {
    decoder: encrypted::Decoder<Vec<u8>>,
    framed: u64,
    plain: Vec<u8>,
    options: Options,
}

impl Encrypted {
    pub fn new(options: Options) -> Self {
        let decoder = encrypted::Decoder::new(vec![0; LONGEST]);
        Self { decoder, framed: 0, plain: vec![0; LONGEST], options }
    }

    fn told(&mut self, outcome: Outcome, context: &mut Context) {
        let stats = self.decoder.stats();
        outcome.tell(self.framed + u64::from(stats.lost) + u64::from(stats.fill), context);
    }

    /// What is left to tell, and whether the telegram did not open and seems to have swallowed another.
    fn event(
        event: Result<Frame<'_>, Error>,
        options: Options,
        framed: &mut u64,
        plain: &mut [u8],
        context: &mut Context,
    ) -> (Outcome, bool) {
        let frame = match event {
            Ok(frame) => frame,
            Err(error) => return (Outcome::Lost(error), false),
        };
        context.damage.flush();
        let len = frame.octets().len();
        *framed += len as u64;
        let swallowed = frame.octets().windows(2).skip(1).any(|start| start == [0xDB, 0x08]);
        let title = hex(frame.ciphered().system_title);
        let Some(encryption) = context.keys.encryption.clone() else {
            context.damage.lock(&title);
            let fields = vec![("system_title", title.into()), ("encrypted", "no key".into())];
            let head = Head { protocol: "p1", check: "unknown", fields, ..Head::default() };
            context.printer.message(&head, iter::empty());
            return (Outcome::Whole, false);
        };
        let mut security = Security::new(encryption);
        security.check_kind = options.check;
        security.system_title = context.keys.system_title;
        match context.keys.authentication.clone() {
            Some(key) => security.authentication = Some(key),
            // The published authentication key is a guess: where it does not fit, the check inside must.
            None => (security.tag, security.check) = (TagPolicy::Report, CheckPolicy::RequireWithoutTag),
        }
        if options.lenient {
            (security.tag, security.check) = (TagPolicy::Report, CheckPolicy::Report);
        }
        let opened = match frame.open(&security, plain) {
            Ok(opened) => opened,
            Err(error) => return (Outcome::Wrong(len, format!("{error}; wrong key?")), swallowed),
        };
        let authentication = match opened.tag {
            TagVerdict::Verified => "verified",
            TagVerdict::Failed => "failed",
            TagVerdict::NotChecked => "not checked",
            TagVerdict::Absent => "no tag",
        };
        let fields = [("system_title", title), ("authentication", authentication.to_owned())];
        match opened.telegram() {
            Some(telegram) => print(&telegram, &fields, context),
            None if opened.tag == TagVerdict::Verified => {
                let head = Head { protocol: "p1", check: "absent", ..Head::default() };
                lines(opened.lines(), &head, 60, context);
            }
            None => {
                return (Outcome::Wrong(len, "decrypted to no telegram; wrong key?".to_owned()), swallowed);
            }
        }
        (Outcome::Whole, false)
    }

    /// Damage that swallowed the head of a telegram would cost the next one too, were it not searched.
    fn after(&mut self, outcome: Outcome, swallowed: bool, context: &mut Context) {
        let len = if let Outcome::Wrong(len, _) = &outcome { *len as u64 } else { 0 };
        self.told(outcome, context);
        if swallowed {
            self.framed -= len;
            self.decoder.reject();
        }
    }
}

impl Handler for Encrypted {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        let mut input = octets;
        while let Some(event) = self.decoder.decode(&mut input) {
            let (options, framed) = (self.options, &mut self.framed);
            let (outcome, swallowed) = Self::event(event, options, framed, &mut self.plain, context);
            self.after(outcome, swallowed, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let (options, framed) = (self.options, &mut self.framed);
            let (outcome, swallowed) = Self::event(event, options, framed, &mut self.plain, context);
            self.after(outcome, swallowed, context);
        }
    }
}

/// Prints a telegram.
pub fn print(telegram: &Telegram<'_>, fields: &[(&'static str, String)], context: &mut Context) {
    let winter = telegram.winter_offset();
    let mut head = Head {
        protocol: "p1",
        check: telegram.check().name(),
        time: telegram.time().map(|time| text(time.iso(winter))),
        ..Head::default()
    };
    head.fields.push(("identification", String::from_utf8_lossy(telegram.identification())));
    head.fields.extend(fields.iter().map(|(key, text)| (*key, Cow::Borrowed(text.as_str()))));
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
        // The code alone says which lines are worth a look.
        for line in
            lines.filter(|line| line.code().is_some_and(|code| matches!(code.octets(), [_, _, 24, 1, ..])))
        {
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

    /// Code and name of a line: what the code says, but where the telegram knows better.
    fn label(&self, line: &DataLine<'_>, object: &Object<'_>) -> Option<Rc<Label>> {
        thread_local! {
            static LABELS: Labels = const { Labels::new() };
        }
        let code = line.code()?;
        let of_device = |name: String| Some(Label::new(Some(code.reduced_text()), Some(&name)));
        let (kind, name) = match *object {
            Object::DeviceReading { channel, .. } => {
                return match code.octets() {
                    [_, _, 24, 2, 3, _] => {
                        of_device(format!("{} reading, not temperature-corrected", self.device(channel)))
                    }
                    _ => of_device(format!("{} reading", self.device(channel))),
                };
            }
            Object::DeviceId { channel, .. } => {
                return of_device(format!("serial number, {}", self.device(channel)));
            }
            Object::Ean { channel: channel @ 1.., .. } => {
                return of_device(format!("EAN, {}", self.device(channel)));
            }
            Object::Ean { .. } => (1, "EAN"),
            Object::Version(_) => (2, "version of the telegram"),
            Object::FuseLimit { .. } => (3, "fuse supervision threshold"),
            Object::EquipmentId(_) => (4, "serial number"),
            Object::PeakHistory(_) => (5, "monthly peaks"),
            Object::NominalVoltage(_) => (6, "nominal voltage"),
            _ => (0, ""),
        };
        let make = || match kind {
            0 => Label::new(Some(code.reduced_text()), Some(&code.description().to_string())),
            _ => Label::new(Some(code.reduced_text()), Some(name)),
        };
        Some(LABELS.with(|labels| labels.of(code, kind, make)))
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
    context.printer.message(head, lines.map(|line| item(&line, &around)));
}

fn item<'a>(line: &DataLine<'a>, around: &Around) -> Item<'a> {
    let winter = around.winter;
    let object = line.object();
    let mut item = Item { label: around.label(line, &object), channel: line.channel(), ..Item::default() };
    if let Object::Version(text) | Object::Tariff { text, .. } = object {
        // Digits that stand for themselves, even where they could be read as hexadecimal text.
        item.values = Shown::Text(String::from_utf8_lossy(text.sent())).into();
        return item;
    }
    match line.reading_of(object) {
        Reading::Number { time, value } => {
            item.time = time.map(|time| text(time.iso(winter)));
            item.values = number(value).into();
        }
        Reading::Time(time) => item.values = moment(time, winter).into(),
        Reading::Text(sent) => item.values = Shown::Text(words(sent)).into(),
        Reading::Values(values) => {
            item.values = Values::Many(values.map(|value| shown(value, winter)).collect());
        }
        Reading::Raw(raw) => item.raw = Some(raw),
        _ => item.raw = Some(line.raw()),
    }
    item
}

fn number(sent: obis::Scaled) -> Shown<'static> {
    Shown::Number(sent.value, Measure::new(sent.prefix, sent.unit))
}

fn moment(time: Timestamp, winter: i16) -> Shown<'static> {
    Shown::Text(Cow::Owned(text(time.iso(winter))))
}

fn shown<'a>(value: Value<'a>, winter: i16) -> Shown<'a> {
    match value.content() {
        Content::Empty => Shown::Null,
        Content::Number(sent) => number(sent),
        Content::Time(time) => moment(time, winter),
        Content::Code(code) => Shown::Text(Cow::Owned(code.reduced_text().as_str().to_owned())),
        _ => Shown::Text(words(value.text())),
    }
}

/// A text, which is mostly printable ASCII and then stands as it is.
fn words(sent: Text<'_>) -> Cow<'_, str> {
    let printable = |octets: &[u8]| octets.iter().all(|octet| matches!(octet, b' '..=b'~'));
    if !sent.is_hexadecimal() {
        return match str::from_utf8(sent.sent()) {
            Ok(plain) if printable(sent.sent()) => Cow::Borrowed(plain),
            _ => Cow::Owned(text(sent)),
        };
    }
    let mut octets = Vec::with_capacity(sent.sent().len() / 2);
    octets.extend(sent.octets());
    match printable(&octets).then(|| String::from_utf8(octets)) {
        Some(Ok(plain)) => Cow::Owned(plain),
        _ => Cow::Owned(text(sent)),
    }
}

/// A data line with everything that is known of it: code, name, what its values mean, and the line as sent.
fn tree(line: &DataLine<'_>, around: &Around, context: &mut Context) {
    let raw = String::from_utf8_lossy(line.raw()).replace(['\r', '\n'], " ");
    let Some(code) = line.code() else {
        return context.printer.line(format_args!("raw {raw}"));
    };
    let meaning = item(line, around);
    let name = meaning.name().unwrap_or_default();
    let channel = match meaning.channel {
        Some(channel) if !name.contains("channel") => format!(", channel {channel}"),
        _ => String::new(),
    };
    let time = meaning.time.as_ref().map_or(String::new(), |time| format!(" at {time}"));
    let values = summary(&meaning.values);
    context.printer.line(format_args!("{code} {name}{channel}: {values}{time} <- {raw}"));
}
