//! DL/T 645 frames: requests and replies, answers of several frames put together before they are read.

use super::dlt645_value::{Object, number, objects, octets, text};
use super::{Context, Handler};
use crate::output::{Head, hex};
use dlt645::{
    Access, Address, Control, Data, Decoder, Error, Frame, FreezeTime, Identifier, Query, Rate, Relay, Reply,
    Request, STORAGE, Service, Terminal, Version,
};
use std::collections::BTreeMap;

/// Meters whose answers are in progress at once; what is more is given up, oldest address first.
const MOST: usize = 64;

/// A stream of frames.
pub struct Stream {
    decoder: Decoder<Vec<u8>>,
    /// Octets in frames so far; with the counters of the decoder, where in the input it is.
    framed: u64,
    answers: Answers,
}

impl Stream {
    pub fn new(version: Version) -> Self {
        Self { decoder: Decoder::new(vec![0; STORAGE]), framed: 0, answers: Answers::new(version) }
    }

    fn lost(&self, error: Option<Error>, context: &mut Context) {
        if let Some(error) = error {
            let stats = self.decoder.stats();
            let end = self.framed + u64::from(stats.lost) + u64::from(stats.fill);
            context.damage.lost(end, error.lost, &error.kind);
        }
    }

    fn event(
        event: Result<Frame<'_>, Error>,
        framed: &mut u64,
        answers: &mut Answers,
        context: &mut Context,
    ) -> Option<Error> {
        match event {
            Ok(frame) => {
                context.damage.flush();
                *framed += frame.octets().len() as u64;
                answers.frame(&frame, context);
                None
            }
            Err(error) => Some(error),
        }
    }
}

impl Handler for Stream {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        let mut input = octets;
        while let Some(event) = self.decoder.decode(&mut input) {
            let error = Self::event(event, &mut self.framed, &mut self.answers, context);
            self.lost(error, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let error = Self::event(event, &mut self.framed, &mut self.answers, context);
            self.lost(error, context);
        }
        self.answers.finish(context);
    }
}

/// An answer that goes on: its data must not be read before they are whole, or values would get wrong names.
struct Pending {
    identifier: Identifier,
    control: Control,
    data: Vec<u8>,
    frames: u8,
}

/// Frames to messages.
pub struct Answers {
    version: Version,
    pending: BTreeMap<Address, Pending>,
    hinted: bool,
}

impl Answers {
    pub fn new(version: Version) -> Self {
        Self { version, pending: BTreeMap::new(), hinted: false }
    }

    /// A whole frame.
    pub fn frame(&mut self, frame: &Frame<'_>, context: &mut Context) {
        let control = frame.control();
        let mut message = Message::new(frame.address(), control, self.version);
        if control.from_meter() {
            match Reply::parse(frame, self.version) {
                Ok(reply) => self.reply(message, reply, context),
                Err(error) => message.odd(&error, frame.data(), context),
            }
        } else {
            match Request::parse(frame, self.version) {
                Ok(request) => {
                    message.request(request, context);
                    message.print(context);
                }
                Err(error) => message.odd(&error, frame.data(), context),
            }
        }
        self.hint(control);
    }

    /// Nothing in progress goes on.
    pub fn finish(&mut self, context: &mut Context) {
        for (address, pending) in core::mem::take(&mut self.pending) {
            self.cut(address, pending, context);
        }
    }

    fn cut(&self, address: Address, pending: Pending, context: &mut Context) {
        let Pending { identifier, control, data, frames } = pending;
        context.damage.report(&format!(
            "{address} {identifier}: answer cut short after {frames} frames, {} octets",
            data.len()
        ));
        let mut message = Message::new(address, control, self.version);
        message.detail("frames", frames.to_string());
        message.detail("cut", "the answer goes on".into());
        message.data(identifier, Data::plain(&data), context);
        message.print(context);
    }

    fn reply(&mut self, mut message: Message, reply: Reply<'_>, context: &mut Context) {
        let Reply::Data { service, identifier, data, sequence, more } = reply else {
            message.reply(reply, context);
            return message.print(context);
        };
        let address = message.address;
        if service != Service::ReadNext {
            if let Some(pending) = self.pending.remove(&address) {
                let again = pending.frames == 1
                    && pending.identifier == identifier
                    && pending.data.iter().copied().eq(data.iter());
                // The master has not heard it and asked once more.
                if more && again {
                    self.pending.insert(address, pending);
                    return message.line(context, "sent again, passed over");
                }
                self.cut(address, pending, context);
            }
            if !more {
                message.data(identifier, data, context);
                return message.print(context);
            }
            if self.pending.len() >= MOST
                && let Some((oldest, pending)) = self.pending.pop_first()
            {
                self.cut(oldest, pending, context);
            }
            message.part(identifier, 0, data, context);
            let pending =
                Pending { identifier, control: message.control, data: data.iter().collect(), frames: 1 };
            self.pending.insert(address, pending);
            return;
        }
        let part = sequence.unwrap_or_default();
        message.part(identifier, part, data, context);
        let Some(pending) = self.pending.get_mut(&address).filter(|own| own.identifier == identifier) else {
            context
                .damage
                .report(&format!("{address} {identifier}: what the frames before this one said is missing"));
            message.detail("sequence", part.to_string());
            message.identifier(identifier);
            message.raw(octets(data));
            return message.print(context);
        };
        match sequence {
            Some(sequence) if sequence.wrapping_add(1) == pending.frames => {
                return message.line(context, "sent again, passed over");
            }
            Some(sequence) if sequence != pending.frames => {
                context.damage.report(&format!(
                    "{address} {identifier}: frame {sequence} of the answer where {} is due",
                    pending.frames
                ));
                if let Some(pending) = self.pending.remove(&address) {
                    self.cut(address, pending, context);
                }
                return;
            }
            _ => {}
        }
        pending.data.extend(data.iter());
        pending.frames = pending.frames.saturating_add(1);
        pending.control = message.control;
        if !more && let Some(Pending { data, frames, .. }) = self.pending.remove(&address) {
            message.data(identifier, Data::plain(&data), context);
            message.detail("frames", frames.to_string());
            message.print(context);
        }
    }

    /// The codes of the other edition are vendors' own in this one: say so once.
    fn hint(&mut self, control: Control) {
        let other = match self.version {
            Version::V1997 => Version::V2007,
            Version::V2007 => Version::V1997,
        };
        let read = |version| matches!(control.service(version), Service::Read | Service::ReadNext);
        if !self.hinted && read(other) && matches!(control.service(self.version), Service::Other(_)) {
            self.hinted = true;
            let year = if other == Version::V1997 { 1997 } else { 2007 };
            eprintln!("meter: control code {control} is a read of {year}: --dlt645-version {year}?");
        }
    }
}

/// What is said of one frame, or of one answer.
struct Message {
    address: Address,
    control: Control,
    version: Version,
    details: Vec<(&'static str, String)>,
    objects: Vec<Object>,
}

impl Message {
    fn new(address: Address, control: Control, version: Version) -> Self {
        let direction = if control.from_meter() { "reply" } else { "request" };
        let details = vec![
            ("address", address.to_string()),
            ("control", control.to_string()),
            ("direction", direction.to_owned()),
        ];
        Self { address, control, version, details, objects: Vec::new() }
    }

    fn detail(&mut self, key: &'static str, text: String) {
        self.details.push((key, text));
    }

    fn identifier(&mut self, identifier: Identifier) {
        self.detail("identifier", identifier.to_string());
        if let Some(name) = super::dlt645_value::name(identifier) {
            self.detail("name", name);
        }
    }

    fn raw(&mut self, octets: String) {
        self.objects.push(Object { raw: Some(octets), ..Object::default() });
    }

    fn data(&mut self, identifier: Identifier, data: Data<'_>, context: &mut Context) {
        self.identifier(identifier);
        if context.printer.is_tree() {
            self.detail("data", octets(data));
        }
        self.objects.extend(objects(self.address, identifier, data, &mut context.damage));
    }

    /// Who asks. The digits of a password are never shown.
    fn access(&mut self, access: &Access) {
        self.detail("password_level", format!("{:02X}", access.password.level));
        if self.version == Version::V2007 {
            self.detail("operator", hex(&access.operator));
        }
    }

    fn request(&mut self, request: Request<'_>, context: &mut Context) {
        match request {
            Request::Read { identifier, query } => {
                self.identifier(identifier);
                self.query(query);
            }
            Request::ReadNext { identifier, query, sequence } => {
                self.identifier(identifier);
                self.query(query);
                if self.version == Version::V2007 {
                    self.objects.push(Object::new("sequence", number(sequence)));
                }
            }
            Request::Write { identifier, access, data } => {
                self.access(&access);
                self.data(identifier, data, context);
            }
            Request::WriteAddress(address) => {
                self.objects.push(Object::new("new address", text(address.to_string())));
            }
            Request::BroadcastTime(time) => self.objects.push(Object::at("time", time)),
            Request::Freeze(time) => self.objects.push(Object::new("freeze", text(freeze(time)))),
            Request::ChangeRate(rate) => self.rate(rate),
            Request::ChangePassword { identifier, old, new } => {
                if let Some(identifier) = identifier {
                    self.identifier(identifier);
                }
                self.detail("password_level", format!("{:02X}", old.level));
                self.objects.push(Object::new("new password level", text(format!("{:02X}", new.level))));
            }
            Request::ClearDemand(access) | Request::ClearMeter(access) => self.access(&access),
            Request::ClearEvents { access, identifier } => {
                self.access(&access);
                self.identifier(identifier);
            }
            Request::Relay { access, command, option, until } => {
                self.access(&access);
                self.objects.push(Object::new("command", text(relay(command))));
                self.objects.push(Object::new("option", number(option)));
                self.objects.push(Object::at("valid until", until));
            }
            Request::RelaySealed { access, data } => {
                self.access(&access);
                self.raw(octets(data));
            }
            Request::Terminal(output) => self.terminal(output),
            Request::Security { identifier, operator, data } => {
                self.identifier(identifier);
                self.detail("operator", hex(&operator));
                self.raw(octets(data));
            }
            Request::Other { data, .. } if !data.is_empty() => self.raw(octets(data)),
            _ => {}
        }
    }

    fn reply(&mut self, reply: Reply<'_>, context: &mut Context) {
        match reply {
            Reply::Data { identifier, data, .. } => self.data(identifier, data, context),
            Reply::Address(address) => {
                self.objects.push(Object::new("communication address", text(address.to_string())));
            }
            Reply::Rate(rate) => self.rate(rate),
            Reply::Password(password) => {
                self.objects.push(Object::new("new password level", text(format!("{:02X}", password.level))));
            }
            Reply::Terminal(output) => self.terminal(output),
            Reply::Security { identifier, data } => {
                self.identifier(identifier);
                self.raw(octets(data));
            }
            Reply::Refused(_, word) => self.detail("error", word.to_string()),
            Reply::SecurityRefused(_, word) => self.detail("error", word.to_string()),
            Reply::Other { data, .. } if !data.is_empty() => self.raw(octets(data)),
            _ => {}
        }
    }

    fn query(&mut self, query: Query) {
        let (count, since) = match query {
            Query::Records(count) => (Some(count), None),
            Query::Since(count, since) => (Some(count), Some(since)),
            Query::All => (None, None),
        };
        self.objects.extend(count.map(|count| Object::new("records", number(count))));
        self.objects.extend(since.map(|since| Object::at("since", since)));
    }

    fn rate(&mut self, rate: Rate) {
        match rate.bits_per_second(self.version) {
            Some(bits) => self.objects.push(Object::new("rate in bit/s", number(bits))),
            None => self.raw(hex(&[rate.0])),
        }
    }

    fn terminal(&mut self, output: Terminal) {
        let name = match output {
            Terminal::ClockPulse => "clock pulse".to_owned(),
            Terminal::DemandPeriod => "demand period".to_owned(),
            Terminal::PeriodSwitch => "period switch".to_owned(),
            other => format!("{:02X}", other.octet()),
        };
        self.objects.push(Object::new("output", text(name)));
    }

    /// A good frame whose data are not what its service needs.
    fn odd(&mut self, error: &dyn std::fmt::Display, data: Data<'_>, context: &mut Context) {
        context.damage.report(&format!("{} control {}: {error}", self.address, self.control));
        self.detail("error", error.to_string());
        self.raw(octets(data));
        self.print_as(context);
    }

    /// A frame of an answer that goes on: shown in the tree only.
    fn part(&mut self, identifier: Identifier, part: u8, data: Data<'_>, context: &mut Context) {
        if context.printer.is_tree() {
            let (address, control) = (self.address, self.control);
            context.printer.line(format_args!(
                "dlt645 frame, address {address}, control {control}: part {part} of {identifier}, data {}",
                octets(data)
            ));
        }
    }

    fn line(&self, context: &mut Context, line: &str) {
        if context.printer.is_tree() {
            context.printer.line(format_args!("{}", line));
        }
    }

    fn print(mut self, context: &mut Context) {
        self.print_as(context);
    }

    fn print_as(&mut self, context: &mut Context) {
        let service = self.control.service(self.version);
        self.detail("service", service.to_string());
        if context.printer.is_tree() {
            return self.tree(service, context);
        }
        let head = Head {
            protocol: "dlt645",
            check: "ok",
            details: self.details.drain(..).map(|(key, text)| (key, text.into())).collect(),
            ..Head::default()
        };
        context.printer.message(&head, self.objects.iter().map(Object::item));
    }

    fn tree(&self, service: Service, context: &mut Context) {
        let (address, control) = (self.address, self.control);
        let bits = match (control.from_meter(), control.is_refusal(), control.more()) {
            (false, ..) => "request",
            (true, true, _) => "refusal",
            (true, false, true) => "reply, more follows",
            (true, false, false) => "reply",
        };
        context.printer.line(format_args!(
            "dlt645 frame, address {address}, control {control} ({bits}, {service}), check ok"
        ));
        // Address, control and direction stand in the line above.
        for (key, text) in self.details.iter().skip(3).filter(|(key, _)| *key != "service") {
            context.printer.line(format_args!("{key} {text}"));
        }
        for object in &self.objects {
            context.printer.line(format_args!("{}", object.line()));
        }
    }
}

fn freeze(time: FreezeTime) -> String {
    let moment = time.moment();
    let part = |part: Option<u8>| part.unwrap_or_default();
    let (month, day) = (part(moment.month()), part(moment.day()));
    let (hour, minute) = (part(moment.hour()), part(moment.minute()));
    match (month, day, hour, minute) {
        (99, 99, 99, 99) => "now".to_owned(),
        (99, 99, 99, _) => format!("hourly at minute {minute:02}"),
        (99, 99, _, _) => format!("daily at {hour:02}:{minute:02}"),
        (99, _, _, _) => format!("monthly on day {day:02} at {hour:02}:{minute:02}"),
        _ => format!("yearly on {month:02}-{day:02} at {hour:02}:{minute:02}"),
    }
}

fn relay(command: Relay) -> String {
    let name = match command {
        Relay::Trip => "trip",
        Relay::PermitClose => "permit to close",
        Relay::Close => "close",
        Relay::TripRecovering => "trip, closed again by itself",
        Relay::TripPermitting => "trip, permitted to close by itself",
        Relay::AlarmOn => "alarm on",
        Relay::AlarmOff => "alarm off",
        Relay::KeepOn => "keep supply on",
        Relay::KeepOff => "keep supply off",
        _ => "unknown",
    };
    format!("{name} ({:02X})", command.octet())
}
