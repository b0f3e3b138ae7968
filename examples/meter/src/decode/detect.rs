//! Which protocol an input speaks: the one whose frames cover most of it.

use super::apdu::Apdus;
use super::link::{Link, pdus};
use super::{Context, Handler, dlt645, p1};
use crate::args::{Decode, Protocol};
use ::dlt645::Version;
use dlms_hdlc::frame::Hdlc;
use dlms_hdlc::mbus::MBus;
use dlms_hdlc::wrapper::Wrapper;
use dlms_hdlc::{frames, mbus, wrapper};
use dsmr::Options;

/// Octets looked at before a file is given up on; a port is listened to for as long as it takes.
const ENOUGH: usize = 1 << 16;

/// What an input can be found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Hdlc,
    Mbus,
    Wrapper,
    Apdu,
    P1(Options),
    EncryptedP1(Options),
    Dlt645(Version),
}

pub fn handler(args: &Decode, live: bool) -> Box<dyn Handler + Send> {
    let only = match args.protocol {
        Protocol::Auto => None,
        Protocol::Hdlc => return open(Kind::Hdlc),
        Protocol::Mbus => return open(Kind::Mbus),
        Protocol::Wrapper => return open(Kind::Wrapper),
        Protocol::Apdu => return open(Kind::Apdu),
        Protocol::Dlt645 => return open(Kind::Dlt645(args.dlt645_version.into())),
        Protocol::P1 => Some(Kind::P1(p1::options(args))),
    };
    let (options, version) = (p1::options(args), args.dlt645_version.into());
    Box::new(Auto { octets: Vec::new(), live, only, options, version, dropped: 0, found: None })
}

fn open(kind: Kind) -> Box<dyn Handler + Send> {
    match kind {
        Kind::Hdlc => Box::new(Link::<Hdlc>::new()),
        Kind::Mbus => Box::new(Link::<MBus>::new()),
        Kind::Wrapper => Box::new(Link::<Wrapper>::new()),
        Kind::Apdu => Box::new(Bare::default()),
        Kind::P1(options) => Box::new(p1::Plain::new(options)),
        Kind::EncryptedP1(options) => Box::new(p1::Encrypted::new(options)),
        Kind::Dlt645(version) => Box::new(dlt645::Stream::new(version)),
    }
}

/// Holds octets back until it is clear what they are.
struct Auto {
    octets: Vec<u8>,
    live: bool,
    /// P1 is asked for: what is left to find out is whether it is encrypted.
    only: Option<Kind>,
    options: Options,
    version: Version,
    /// Octets given up before anything was recognised.
    dropped: u64,
    found: Option<Box<dyn Handler + Send>>,
}

impl Handler for Auto {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        if let Some(handler) = &mut self.found {
            return handler.take(octets, context);
        }
        self.octets.extend(octets);
        let enough = self.octets.len() >= ENOUGH;
        if !self.live && !enough {
            return;
        }
        match self.recognise() {
            Some(kind) => self.settle(kind, context),
            None if enough && !self.live && self.guess() != Kind::Apdu => self.settle(self.guess(), context),
            None if enough => {
                let dropped = self.octets.drain(..ENOUGH / 2).len() as u64;
                let from = self.dropped;
                self.dropped += dropped;
                context.damage.report(&format!("offset {from}, length {dropped}: no protocol recognised"));
            }
            None => {}
        }
    }

    fn finish(&mut self, context: &mut Context) {
        // A silent line says nothing about the protocol; the end of a file is all there will be.
        if self.found.is_none() && !self.live && !self.octets.is_empty() {
            let kind = self.recognise().unwrap_or_else(|| self.guess());
            self.settle(kind, context);
        }
        if let Some(handler) = &mut self.found {
            handler.finish(context);
        }
    }

    fn joint(&self, octets: &[u8]) -> Option<usize> {
        self.found.as_ref()?.joint(octets)
    }

    fn fresh(&self, offset: u64) -> Option<Box<dyn Handler + Send>> {
        self.found.as_ref()?.fresh(offset)
    }

    fn is_fresh(&self, offset: u64) -> bool {
        // What was dropped before anything was recognised is not in the count of the handler found.
        self.found.as_ref().is_some_and(|found| self.dropped == 0 && found.is_fresh(offset))
    }
}

impl Auto {
    fn settle(&mut self, kind: Kind, context: &mut Context) {
        let mut handler = open(kind);
        handler.take(&core::mem::take(&mut self.octets), context);
        self.found = Some(handler);
    }

    /// The kind that has whole frames in the octets held, and most octets in them.
    fn recognise(&self) -> Option<Kind> {
        let octets = &self.octets[..];
        let hdlc = frames(octets).flatten().map(|frame| frame.octets().len()).sum::<usize>();
        // Short frames and acknowledgements are too little to go by.
        let mbus =
            mbus::frames(octets).flatten().map(|frame| frame.octets().len()).filter(|&len| len > 8).sum();
        // Without check values, only an input that is nothing else counts; its end may be cut.
        let mut units = wrapper::frames(octets);
        let covered = units.by_ref().map_while(Result::ok).map(|unit| unit.octets().len()).sum::<usize>();
        let cut = octets.get(covered..).is_some_and(|rest| [0, 1].starts_with(&rest[..rest.len().min(2)]));
        let wrapper = if cut { covered } else { 0 };
        let mut options = self.options;
        let mut p1 = plain_p1(octets, options);
        if p1 == 0 && octets.iter().any(|octet| octet & 0x80 != 0) {
            // A 7E1 meter read by a port set to 8N1.
            options.strip_parity = true;
            p1 = plain_p1(octets, options);
        }
        // The same ciphering stands inside frames of other kinds: it is a telegram where no such frame begins before it.
        let telegrams = dsmr::encrypted::frames(octets).flatten().map(|frame| frame.octets());
        let encrypted = telegrams.filter(|telegram| !is_framed(octets, telegram)).map(<[u8]>::len).sum();
        let dlt645 = ::dlt645::frames(octets).flatten().map(|frame| frame.octets().len()).sum();
        let kinds = [
            (encrypted, Kind::EncryptedP1(self.options)),
            (wrapper, Kind::Wrapper),
            (mbus, Kind::Mbus),
            (hdlc, Kind::Hdlc),
            (p1, Kind::P1(options)),
            (dlt645, Kind::Dlt645(self.version)),
        ];
        let wanted = |kind: Kind| self.only.is_none() || matches!(kind, Kind::P1(_) | Kind::EncryptedP1(_));
        let kinds = kinds.into_iter().filter(|&(covered, kind)| covered > 0 && wanted(kind));
        kinds.max_by_key(|(covered, _)| *covered).map(|(_, kind)| kind)
    }

    /// The kind whose frames begin as the octets held do, so that what is wrong is told in its words.
    fn guess(&self) -> Kind {
        // Line ends, idle line and byte order marks say nothing.
        let is_nothing = |octet: &&u8| matches!(octet, b'\r' | b'\n' | 0 | 0xFF | 0xEF | 0xBB | 0xBF);
        let from = self.octets.iter().take_while(is_nothing).count();
        match (self.only, &self.octets[from..]) {
            (Some(kind), _) => kind,
            (None, [0x7E, ..]) => Kind::Hdlc,
            (None, [0x68, a, b, 0x68, ..]) if a == b => Kind::Mbus,
            (None, [0xFE, ..] | [0x68, _, _, _, _, _, _, 0x68, ..]) => Kind::Dlt645(self.version),
            _ if self.octets.starts_with(&[0, 1]) && self.octets.len() >= 8 => Kind::Wrapper,
            (None, [b'/', ..]) => Kind::P1(self.options),
            // Data lines of a telegram that lost its ends, or has an octet damaged here and there.
            (None, octets) if has_data_line(octets) => Kind::P1(self.options),
            _ => Kind::Apdu,
        }
    }
}

/// Octets in telegrams with data lines.
fn plain_p1(octets: &[u8], options: Options) -> usize {
    let stripped: Vec<u8>;
    let mut octets = octets;
    if options.strip_parity {
        stripped = octets.iter().map(|octet| octet & 0x7F).collect();
        octets = &stripped;
    }
    let telegrams = dsmr::telegrams_with(octets, Options { strip_parity: false, ..options }).flatten();
    let with_lines = telegrams.filter(|telegram| telegram.lines().next().is_some());
    with_lines.map(|telegram| telegram.octets().len()).sum()
}

/// Whether some line begins as a data line of a telegram does: `d-d:d…(`, parity bits left aside.
fn has_data_line(octets: &[u8]) -> bool {
    let mut lines = octets.split(|octet| matches!(octet & 0x7F, b'\r' | b'\n'));
    lines.any(|line| {
        let text: Vec<u8> = line.iter().take(12).map(|octet| octet & 0x7F).collect();
        matches!(text[..], [a, b'-', b, b':', c, ..] if [a, b, c].iter().all(u8::is_ascii_digit))
    })
}

/// Whether an HDLC or M-Bus frame seems to begin shortly before `inner`, which is a part of `octets`.
fn is_framed(octets: &[u8], inner: &[u8]) -> bool {
    let at = inner.as_ptr().addr() - octets.as_ptr().addr();
    let before = &octets[at.saturating_sub(HEADERS)..at];
    before.windows(2).any(|start| start[0] == 0x7E && start[1] & 0xF0 == 0xA0)
        || before.windows(4).any(|start| start[0] == 0x68 && start[1] == start[2] && start[3] == 0x68)
}

/// Longest HDLC header, LLC header and header of a block transfer together, and some.
const HEADERS: usize = 32;

/// APDUs without any frame: the whole input is one message.
#[derive(Default)]
struct Bare {
    octets: Vec<u8>,
}

/// Longer inputs are no APDU.
const LONGEST: usize = 1 << 20;

impl Handler for Bare {
    fn take(&mut self, octets: &[u8], _context: &mut Context) {
        let room = LONGEST.saturating_sub(self.octets.len());
        self.octets.extend(&octets[..octets.len().min(room)]);
    }

    fn finish(&mut self, context: &mut Context) {
        let octets = core::mem::take(&mut self.octets);
        if octets.len() == LONGEST {
            context.damage.report("more than 1 MiB without a frame is no APDU; the rest is passed over");
        }
        let mut apdus = Apdus::new("apdu");
        pdus(&octets, &mut apdus, context);
        apdus.finish(context);
    }
}
