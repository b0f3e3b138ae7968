//! The link layers: frames, segments and LLC PDUs, down to APDUs.

use super::apdu::Apdus;
use super::{Context, Handler};
use crate::output::hex;
use dlms_hdlc::decoder::{Decoder, Framing};
use dlms_hdlc::{Assembler, Carrier, ErrorKind, Llc, frame, mbus, wrapper};

/// Storage of a stream decoder: every HDLC frame fits, and every M-Bus one. What a server has in one piece is decoded
/// where it stands.
const FRAME: usize = 2356;
/// Longest wrapper PDU, and the room its decoder asks for.
const WRAPPER: usize = 77_000;
/// Longest message put together from segments.
const MESSAGE: usize = 1 << 16;

/// What differs between the framings, seen from here.
pub trait Wire: Framing + Send + 'static {
    const PROTOCOL: &'static str;
    const STORAGE: usize;
    /// A frame as a line of the tree.
    fn describe(frame: &Self::Frame<'_>) -> String;
    fn octets(frame: &Self::Frame<'_>) -> u64;
    /// In front of what, behind a whole frame, the line is as at its beginning; where that can be said.
    fn joint(_: &[u8]) -> Option<usize> {
        None
    }
}

impl Wire for frame::Hdlc {
    const PROTOCOL: &'static str = "hdlc";
    const STORAGE: usize = FRAME;

    fn describe(frame: &frame::Frame<'_>) -> String {
        format!(
            "hdlc {} octets, to {} ({}), from {} ({}), {}{}, information {}{}",
            frame.octets().len(),
            hex(frame.destination().octets()),
            frame.destination(),
            hex(frame.source().octets()),
            frame.source(),
            frame.control(),
            if frame.segmented() { ", more segments follow" } else { "" },
            frame.information().len(),
            // What carries no APDU is not opened further.
            if frame.segment().is_some() { String::new() } else { format!(" {}", hex(frame.information())) },
        )
    }

    fn octets(frame: &frame::Frame<'_>) -> u64 {
        frame.octets().len() as u64
    }

    /// A flag, with the frame format type behind it.
    fn joint(octets: &[u8]) -> Option<usize> {
        octets.windows(2).position(|pair| pair[0] == 0x7E && pair[1] & 0xF0 == 0xA0)
    }
}

impl Wire for mbus::MBus {
    const PROTOCOL: &'static str = "mbus";
    const STORAGE: usize = FRAME;

    fn describe(frame: &mbus::Frame<'_>) -> String {
        let field = |name: &str, value: Option<u8>| {
            value.map_or(String::new(), |value| format!(", {name} {value:02x}"))
        };
        let transport = match (frame.transport(), frame.control_information()) {
            (Some((source, destination, _)), Some(ci)) => format!(
                ", segment {}{}, from {source:02x}, to {destination:02x}",
                ci & 0x0F,
                if ci & 0x10 != 0 { " (last)" } else { "" }
            ),
            _ => String::new(),
        };
        format!(
            "mbus {} octets{}{}{}{transport}",
            frame.octets().len(),
            field("C", frame.control()),
            field("A", frame.address()),
            field("CI", frame.control_information()),
        )
    }

    fn octets(frame: &mbus::Frame<'_>) -> u64 {
        frame.octets().len() as u64
    }
}

impl Wire for wrapper::Wrapper {
    const PROTOCOL: &'static str = "wrapper";
    const STORAGE: usize = WRAPPER;

    fn describe(frame: &wrapper::Frame<'_>) -> String {
        let (source, destination) = (frame.source(), frame.destination());
        format!("wrapper {} octets, from {source}, to {destination}", frame.octets().len())
    }

    fn octets(frame: &wrapper::Frame<'_>) -> u64 {
        frame.octets().len() as u64
    }
}

/// A link layer with DLMS on it.
pub struct Link<W> {
    decoder: Decoder<W, Vec<u8>>,
    assembler: Assembler<Vec<u8>>,
    apdus: Apdus,
    /// Octets in whole frames so far; with the counters of the decoder, where in the input it is.
    framed: u64,
    /// The last event was a frame that completed a message: the assembler is empty.
    whole: bool,
}

impl<W: Wire> Link<W> {
    pub fn new() -> Self {
        Self::starting_at(0)
    }

    fn starting_at(offset: u64) -> Self {
        Self {
            decoder: Decoder::new(vec![0; W::STORAGE]),
            assembler: Assembler::new(vec![0; MESSAGE]),
            apdus: Apdus::new(W::PROTOCOL),
            framed: offset,
            whole: false,
        }
    }
}

impl<W: Wire> Handler for Link<W>
where
    for<'a> W::Frame<'a>: Carrier<'a>,
{
    fn take(&mut self, octets: &[u8], context: &mut Context) {
        let mut input = octets;
        while let Some(event) = self.decoder.decode(&mut input) {
            let told = Self::event(&event, &mut self.assembler, &mut self.apdus, &mut self.framed, context);
            self.told(told, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let told = Self::event(&event, &mut self.assembler, &mut self.apdus, &mut self.framed, context);
            self.told(told, context);
        }
        if let Some(dropped) = self.assembler.finish() {
            context.damage.report(&dropped.to_string());
        }
        self.apdus.finish(context);
    }

    fn joint(&self, octets: &[u8]) -> Option<usize> {
        W::joint(octets)
    }

    fn fresh(&self, offset: u64) -> Option<Box<dyn Handler + Send>> {
        Some(Box::new(Self::starting_at(offset)))
    }

    /// Behind a whole message, and no octet given up or held since.
    fn is_fresh(&self, offset: u64) -> bool {
        let stats = self.decoder.stats();
        let position = self.framed + u64::from(stats.lost) + u64::from(stats.fill);
        self.whole && position == offset && self.decoder.pending() == 0 && self.apdus.is_fresh()
    }
}

impl<W: Wire> Link<W> {
    /// Tells what was lost, with its place in the input.
    fn told(&mut self, told: Result<bool, dlms_hdlc::Error>, context: &mut Context) {
        self.whole = told == Ok(true);
        if let Err(error) = told {
            let stats = self.decoder.stats();
            let end = self.framed + u64::from(stats.lost) + u64::from(stats.fill);
            context.damage.lost(end, error.lost, &error.kind);
        }
    }

    /// Handles what the decoder reported: whether a frame completed a message, or the error for which the caller knows
    /// the offset.
    fn event<'i, F: Carrier<'i>>(
        event: &Result<F, dlms_hdlc::Error>,
        assembler: &mut Assembler<Vec<u8>>,
        apdus: &mut Apdus,
        framed: &mut u64,
        context: &mut Context,
    ) -> Result<bool, dlms_hdlc::Error>
    where
        W: Framing<Frame<'i> = F>,
    {
        if let Ok(frame) = event {
            context.damage.flush();
            *framed += W::octets(frame);
            if context.printer.is_tree() {
                context.printer.line(format_args!("{}", W::describe(frame)));
            }
        }
        let assembled = assembler.accept(event);
        if let Some(dropped) = assembled.dropped {
            context.damage.report(&dropped.to_string());
        }
        // Blocks of a block transfer on both sides of a gap, or of two meters, are not put together.
        let link = event.as_ref().ok().and_then(Carrier::segment).map(|segment| segment.link);
        let gap = event.as_ref().err().is_some_and(|error| error.kind != ErrorKind::Noise || error.lost > 2);
        if gap || assembled.dropped.is_some() || link.is_some_and(|link| apdus.comes_from(link)) {
            apdus.finish(context);
        }
        let whole = assembled.message.is_some();
        if let Some(message) = assembled.message {
            pdus(message, apdus, context);
        }
        event.as_ref().map(|_| whole).map_err(|error| *error)
    }
}

/// The APDUs of one message: each behind an LLC header of its own, or without any.
pub fn pdus(message: &[u8], apdus: &mut Apdus, context: &mut Context) {
    let mut rest = message;
    let mut first = true;
    while !rest.is_empty() {
        let llc = Llc::parse(rest);
        if let Some((llc, apdu)) = llc {
            if context.printer.is_tree() {
                context.printer.line(format_args!("llc {}", hex(&llc.octets())));
            }
            rest = apdu;
        } else if !first {
            context.damage.report(&format!("{} octets left behind the APDU: {}", rest.len(), hex(rest)));
            return;
        }
        first = false;
        match apdus.apdu(rest, context) {
            Some(tail) => rest = tail,
            None => return,
        }
    }
}
