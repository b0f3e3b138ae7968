//! Which protocol an input speaks: the one whose frames cover most of it.

use super::apdu::Apdus;
use super::link::{Link, pdus};
use super::{Context, Handler};
use crate::args::Protocol;
use dlms_hdlc::frame::Hdlc;
use dlms_hdlc::mbus::MBus;
use dlms_hdlc::wrapper::Wrapper;
use dlms_hdlc::{frames, mbus, wrapper};

/// Octets looked at before a file is given up on; a port is listened to for as long as it takes.
const ENOUGH: usize = 1 << 16;

pub fn handler(protocol: Protocol, live: bool) -> Box<dyn Handler> {
    match protocol {
        Protocol::Auto => Box::new(Auto { octets: Vec::new(), live, found: None }),
        Protocol::Hdlc => Box::new(Link::<Hdlc>::new()),
        Protocol::Mbus => Box::new(Link::<MBus>::new()),
        Protocol::Wrapper => Box::new(Link::<Wrapper>::new()),
        Protocol::Apdu => Box::new(Bare::default()),
    }
}

/// Holds octets back until it is clear what they are.
struct Auto {
    octets: Vec<u8>,
    live: bool,
    found: Option<Box<dyn Handler>>,
}

impl Handler for Auto {
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        if let Some(handler) = &mut self.found {
            return handler.take(octets, context);
        }
        self.octets.extend(octets);
        let found = recognise(&self.octets);
        match found {
            Some(protocol) if self.live || self.octets.len() >= ENOUGH => self.settle(protocol, context),
            None if self.octets.len() >= ENOUGH && self.live => drop(self.octets.drain(..ENOUGH / 2)),
            None if self.octets.len() >= ENOUGH => self.settle(guess(&self.octets), context),
            _ => {}
        }
    }

    fn finish(&mut self, context: &mut Context) {
        // A silent line says nothing about the protocol; the end of a file is all there will be.
        if self.found.is_none() && !self.live && !self.octets.is_empty() {
            let protocol = recognise(&self.octets).unwrap_or_else(|| guess(&self.octets));
            self.settle(protocol, context);
        }
        if let Some(handler) = &mut self.found {
            handler.finish(context);
        }
    }
}

impl Auto {
    fn settle(&mut self, protocol: Protocol, context: &mut Context) {
        let mut handler = handler(protocol, self.live);
        handler.take(&core::mem::take(&mut self.octets), context);
        self.found = Some(handler);
    }
}

/// The protocol that has whole frames in `octets`, and most octets in them.
fn recognise(octets: &[u8]) -> Option<Protocol> {
    let hdlc = frames(octets).flatten().map(|frame| frame.octets().len()).sum::<usize>();
    // Short frames and acknowledgements are too little to go by.
    let mbus = mbus::frames(octets).flatten().map(|frame| frame.octets().len()).filter(|&len| len > 8).sum();
    // Without check values, only an input that is nothing else counts; its end may be cut.
    let mut units = wrapper::frames(octets);
    let covered = units.by_ref().map_while(Result::ok).map(|unit| unit.octets().len()).sum::<usize>();
    let cut = octets.get(covered..).is_some_and(|rest| [0, 1].starts_with(&rest[..rest.len().min(2)]));
    let wrapper = if cut { covered } else { 0 };
    [(hdlc, Protocol::Hdlc), (mbus, Protocol::Mbus), (wrapper, Protocol::Wrapper)]
        .into_iter()
        .filter(|(covered, _)| *covered > 0)
        .max_by_key(|(covered, _)| *covered)
        .map(|(_, protocol)| protocol)
}

/// The protocol whose frames begin as `octets` do, so that what is wrong is told in its words.
fn guess(octets: &[u8]) -> Protocol {
    match octets {
        [0x7E, ..] => Protocol::Hdlc,
        [0x68, a, b, 0x68, ..] if a == b => Protocol::Mbus,
        [0, 1, _, _, _, _, _, _, ..] => Protocol::Wrapper,
        _ => Protocol::Apdu,
    }
}

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
