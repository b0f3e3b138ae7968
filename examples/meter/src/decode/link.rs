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
pub trait Wire: Framing {
    const PROTOCOL: &'static str;
    const STORAGE: usize;
    /// A frame as a line of the tree.
    fn describe(frame: &Self::Frame<'_>) -> String;
    fn octets(frame: &Self::Frame<'_>) -> u64;
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
}

impl<W: Wire> Link<W> {
    pub fn new() -> Self {
        Self {
            decoder: Decoder::new(vec![0; W::STORAGE]),
            assembler: Assembler::new(vec![0; MESSAGE]),
            apdus: Apdus::new(W::PROTOCOL),
            framed: 0,
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
            let lost = Self::event(&event, &mut self.assembler, &mut self.apdus, &mut self.framed, context);
            self.lost(lost, context);
        }
    }

    fn finish(&mut self, context: &mut Context) {
        while let Some(event) = self.decoder.finish() {
            let lost = Self::event(&event, &mut self.assembler, &mut self.apdus, &mut self.framed, context);
            self.lost(lost, context);
        }
        if let Some(dropped) = self.assembler.finish() {
            context.damage.report(&dropped.to_string());
        }
        self.apdus.finish(context);
    }
}

impl<W: Wire> Link<W> {
    /// Tells what was lost, with its place in the input.
    fn lost(&self, error: Option<dlms_hdlc::Error>, context: &mut Context) {
        if let Some(error) = error {
            let stats = self.decoder.stats();
            let end = self.framed + u64::from(stats.lost) + u64::from(stats.fill);
            context.damage.lost(end, error.lost, &error.kind);
        }
    }

    /// Handles what the decoder reported; gives the error for which the caller knows the offset.
    fn event<'i, F: Carrier<'i>>(
        event: &Result<F, dlms_hdlc::Error>,
        assembler: &mut Assembler<Vec<u8>>,
        apdus: &mut Apdus,
        framed: &mut u64,
        context: &mut Context,
    ) -> Option<dlms_hdlc::Error>
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
        if let Some(message) = assembled.message {
            pdus(message, apdus, context);
        }
        event.as_ref().err().copied()
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
