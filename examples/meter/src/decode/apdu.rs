//! APDUs: blocks put together, ciphering undone, notifications opened.

use super::{Context, han, p1};
use crate::output::{Head, hex};
use dlms_hdlc::assembly::Link;
use obis::apdu::{Apdu, Ciphered, DataNotification, DateTimeForm, EventNotification, Gbt, TagCheck};
use obis::data::{Quirks, Value};
use obis::tree::{Leaf, Tree};

/// Longest APDU put together from blocks.
const LONGEST: usize = 1 << 16;

/// The APDU layer of one link.
pub struct Apdus {
    protocol: &'static str,
    blocks: Gbt<Vec<u8>>,
    /// Storage for plaintexts and for APDUs put together.
    spare: Vec<u8>,
    link: Option<Link>,
    /// A block has come: there is more to remember than the link.
    has_blocks: bool,
}

/// What the layers below said of a notification.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    pub protocol: &'static str,
    /// System title of the sender, in hex, and what is known of the authenticity.
    pub system_title: Option<String>,
    pub authenticity: Option<&'static str>,
}

impl Origin {
    /// What is known of the check values of the layers below: without a frame there are none.
    pub fn check(&self) -> &'static str {
        match self.protocol {
            "apdu" | "wrapper" => "none",
            _ => "ok",
        }
    }

    /// Decrypted, and not known to be what was sent.
    fn is_doubtful(&self) -> bool {
        self.authenticity.is_some_and(|known| known != "verified")
    }

    fn fields(&self) -> Vec<(&'static str, String)> {
        let title = self.system_title.clone().map(|title| ("system_title", title));
        let authenticity = self.authenticity.map(|known| ("authentication", known.to_owned()));
        title.into_iter().chain(authenticity).collect()
    }
}

impl Apdus {
    pub fn new(protocol: &'static str) -> Self {
        Self {
            protocol,
            blocks: Gbt::new(vec![0; LONGEST]),
            spare: Vec::new(),
            link: None,
            has_blocks: false,
        }
    }

    /// One APDU off the front of `octets`; what follows it, unless that is not to be known.
    pub fn apdu<'a>(&mut self, octets: &'a [u8], context: &mut Context) -> Option<&'a [u8]> {
        let origin = Origin { protocol: self.protocol, ..Origin::default() };
        self.layer(octets, &origin, context)
    }

    /// Whether nothing that has come changes what is made of what will.
    pub fn is_fresh(&self) -> bool {
        !self.has_blocks
    }

    /// Says who sends what comes next; `true`: another than before.
    pub fn comes_from(&mut self, link: Link) -> bool {
        self.link.replace(link).is_some_and(|before| before != link)
    }

    /// The input ends, the line is silent, or what comes next is from elsewhere or follows a gap.
    pub fn finish(&mut self, context: &mut Context) {
        if let Some(problem) = self.blocks.finish().and_then(|step| step.problem) {
            context.damage.report(&format!("general-block-transfer: {problem}"));
        }
    }

    fn layer<'a>(&mut self, octets: &'a [u8], origin: &Origin, context: &mut Context) -> Option<&'a [u8]> {
        let (apdu, tail) = match Apdu::parse(octets) {
            Ok(parsed) => parsed,
            Err(error) => {
                self.broken(octets, origin, &error, context);
                return None;
            }
        };
        match apdu {
            Apdu::DataNotification(notification) => {
                data_notification(&notification, Quirks::NONE, origin, context);
            }
            Apdu::EventNotification(event) => event_notification(&event, origin, context),
            Apdu::Block(block) => {
                self.has_blocks = true;
                if context.printer.is_tree() {
                    let control = block.control;
                    context.printer.line(format_args!(
                        "general-block-transfer block {}, acknowledged {}, window {}{}{}, {} octets",
                        block.number,
                        block.acknowledged,
                        control.window(),
                        if control.is_streaming() { ", streaming" } else { "" },
                        if control.is_last() { ", last" } else { "" },
                        block.octets.len()
                    ));
                }
                let step = self.blocks.push(&block);
                if let Some(problem) = step.problem {
                    let dropped = step.dropped;
                    context
                        .damage
                        .report(&format!("general-block-transfer: {problem}; {dropped} octets dropped"));
                }
                // The inner APDU may hold ciphering, but not blocks again: its storage is theirs.
                if let Some(apdu) = step.apdu.map(<[u8]>::to_vec) {
                    self.rest(&apdu, origin, context);
                }
            }
            Apdu::Ciphered(ciphered) => self.ciphered(&ciphered, origin, context),
            Apdu::ExceptionResponse(_) | Apdu::Opaque { .. } if origin.is_doubtful() => {
                // What a wrong key gives has the tag of some APDU every so often.
                let (tag, len) = (apdu.tag().0, octets.len());
                context
                    .damage
                    .report(&format!("decrypted to {len} octets with tag {tag:02x}, no push: wrong key?"));
            }
            Apdu::ExceptionResponse(exception) => {
                let reason = exception.reason();
                if context.printer.is_tree() {
                    context.printer.line(format_args!("exception-response {reason}"));
                }
                named(origin, "exception-response", &[("reason", reason.to_owned())], context);
            }
            Apdu::Opaque { tag, octets } => {
                let name = tag.name();
                if context.printer.is_tree() {
                    let shown = name.unwrap_or("unknown APDU");
                    context.printer.line(format_args!(
                        "{shown} {:02x}, {} octets: {}",
                        tag.0,
                        octets.len(),
                        hex(octets)
                    ));
                }
                match name {
                    Some(name) => named(origin, name, &[("octets", hex(octets))], context),
                    None => {
                        let len = octets.len();
                        context.damage.report(&format!("unknown APDU with tag {:02x}, {len} octets", tag.0));
                    }
                }
            }
            _ => context.damage.report("an APDU that this version does not know"),
        }
        Some(tail)
    }

    /// An APDU from blocks or a plaintext is alone: what follows it is damage.
    fn rest(&mut self, apdu: &[u8], origin: &Origin, context: &mut Context) {
        if let Some(tail) = self.layer(apdu, origin, context)
            && !tail.is_empty()
        {
            context.damage.report(&format!("{} octets left behind the APDU: {}", tail.len(), hex(tail)));
        }
    }

    fn ciphered(&mut self, ciphered: &Ciphered<'_>, origin: &Origin, context: &mut Context) {
        let title = hex(ciphered.system_title);
        let security = ciphered.security;
        let name = ciphered.tag.name().unwrap_or("ciphered APDU");
        if context.printer.is_tree() {
            context.printer.line(format_args!(
                "{name}, system title {title}, security control {:02x} (suite {}{}{}{}{}), invocation counter {}, {} octets",
                security.0,
                security.suite(),
                if security.is_authenticated() { ", authenticated" } else { "" },
                if security.is_encrypted() { ", encrypted" } else { "" },
                if security.uses_broadcast_key() { ", broadcast key" } else { "" },
                if security.is_compressed() { ", compressed" } else { "" },
                ciphered.invocation_counter,
                ciphered.content.len()
            ));
        }
        let mut spare = core::mem::take(&mut self.spare);
        spare.resize(ciphered.storage_needed().max(spare.len()), 0);
        let keys = &context.keys;
        let result = match (&keys.encryption, &keys.authentication) {
            (Some(encryption), Some(authentication)) => {
                ciphered.decrypt(encryption, authentication, &mut spare)
            }
            (Some(encryption), None) => ciphered.decrypt_unauthenticated(encryption, &mut spare),
            (None, _) if !security.is_encrypted() => {
                // Readable without any key; only its tag cannot be checked.
                let any = obis::apdu::Key::aes128([0; 16]);
                ciphered.decrypt_unauthenticated(&any, &mut spare)
            }
            (None, _) => {
                context.damage.lock(&title);
                named(origin, name, &[("system_title", title), ("encrypted", "no key".into())], context);
                self.spare = spare;
                return;
            }
        };
        match result.map(|decrypted| (decrypted.apdu(), decrypted.tag)) {
            Ok((Ok(plain), tag)) => {
                let authenticity = match tag {
                    TagCheck::Verified => "verified",
                    TagCheck::NotChecked => "not checked",
                    TagCheck::Absent => "no tag",
                };
                if context.printer.is_tree() {
                    context.printer.line(format_args!("decrypted, authentication {authenticity}"));
                }
                let origin = Origin {
                    system_title: Some(title),
                    authenticity: Some(authenticity),
                    protocol: origin.protocol,
                };
                if plain.first() == Some(&b'/') {
                    // A P1 telegram in DLMS ciphering, as Austrian grids send it.
                    match dsmr::Telegram::parse(plain) {
                        Ok((telegram, _)) => p1::print(&telegram, &origin.fields(), context),
                        Err(error) => context.damage.report(&format!("telegram inside: {error}")),
                    }
                } else {
                    self.rest(plain, &origin, context);
                }
            }
            Ok((Err(_), _)) => {
                context.damage.report(&format!("{name} from {title}: compressed, which is not supported"))
            }
            Err(error) => context.damage.report(&format!("{name} from {title}: {error}")),
        }
        self.spare = spare;
    }

    /// What is no APDU to the letter of the standard: a known departure from it, or damage.
    fn broken(&self, octets: &[u8], origin: &Origin, error: &dyn core::fmt::Display, context: &mut Context) {
        let hint = if origin.is_doubtful() { " (wrong key?)" } else { "" };
        context.damage.report(&format!("APDU of {} octets: {error}{hint}", octets.len()));
        if let Ok((notification, rest)) = DataNotification::parse_with_quirks(octets, Quirks::ALL)
            && rest.is_empty()
        {
            context.damage.report("it can be read by a known departure from A-XDR, and is shown so");
            data_notification(&notification, Quirks::ALL, origin, context);
        } else if context.printer.is_tree()
            && let Ok(notification) = DataNotification::parse_header(octets)
        {
            // As far as it is whole.
            context.printer.line(format_args!("{}", header(&notification)));
            tree(notification.body, Quirks::NONE, context);
        }
    }
}

fn header(notification: &DataNotification<'_>) -> String {
    let time = match (notification.date_time, notification.date_time_form) {
        (Some(time), DateTimeForm::Tagged) => format!("{} (tagged)", Leaf(Value::DateTime(time))),
        (Some(time), _) => Leaf(Value::DateTime(time)).to_string(),
        (None, _) => "no date-time".to_owned(),
    };
    format!("data-notification, invoke id and priority {:08x}, {time}", notification.invoke.0)
}

fn data_notification(
    notification: &DataNotification<'_>,
    quirks: Quirks,
    origin: &Origin,
    context: &mut Context,
) {
    if context.printer.is_tree() {
        context.printer.line(format_args!("{}", header(notification)));
        tree(notification.body, quirks, context);
        return;
    }
    han::data_notification(notification, quirks, origin, context);
}

fn event_notification(event: &EventNotification<'_>, origin: &Origin, context: &mut Context) {
    if context.printer.is_tree() {
        let time =
            event.time.map_or("no date-time".to_owned(), |time| Leaf(Value::DateTime(time)).to_string());
        let attribute = event.attribute;
        context.printer.line(format_args!(
            "event-notification-request, {time}, class {}, {}, attribute {}",
            attribute.class, attribute.obis, attribute.attribute
        ));
        tree(event.value, Quirks::NONE, context);
        return;
    }
    han::event_notification(event, origin, context);
}

/// The tree of COSEM data, below the line of its APDU.
fn tree(data: &[u8], quirks: Quirks, context: &mut Context) {
    use std::io::Write;
    // Writing to a Vec cannot fail.
    let _ = write!(context.printer.lines(), "{:#}", Tree::with_quirks(data, quirks));
}

/// An APDU that is known by name and not opened.
fn named(origin: &Origin, name: &str, fields: &[(&'static str, String)], context: &mut Context) {
    let mut head = Head { protocol: origin.protocol, check: origin.check(), ..Head::default() };
    head.fields.push(("apdu", name.into()));
    let fields = origin.fields().into_iter().chain(fields.iter().cloned());
    head.fields.extend(fields.map(|(key, text)| (key, text.into())));
    context.printer.message(&head, core::iter::empty());
}
