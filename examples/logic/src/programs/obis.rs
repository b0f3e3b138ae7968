//! COSEM data (A-XDR) fed in pieces, OBIS codes named.

use obis::data::{Decoder, Event};

use super::{Program, lost};
use crate::sink::Sink;

/// A line for each value: `C 1-0:1.8.0*255` for six octets, which are a code as a rule, `O octets` in hexadecimal for other
/// strings, `= number` for a number, `-` for what is none of these; `.` where a whole element ends; `? X offset` where the
/// octets are no COSEM data, and nothing more is taken until the line is idle.
#[derive(Debug)]
pub struct Obis {
    decoder: Decoder,
    failed: bool,
}

impl Obis {
    /// At the start of an element.
    #[must_use]
    pub const fn new() -> Self {
        Self { decoder: Decoder::new(), failed: false }
    }
}

impl Default for Obis {
    fn default() -> Self {
        Self::new()
    }
}

impl Program for Obis {
    fn take(&mut self, mut octets: &[u8], out: &mut impl Sink) {
        while !self.failed {
            if let Some(event) = self.decoder.decode(&mut octets) {
                match event {
                    Ok(event) => report(event, out),
                    Err(error) => {
                        lost(out, b'X', error.offset);
                        self.failed = true;
                    }
                }
                continue;
            }
            if !self.decoder.is_done() {
                return;
            }
            out.put(b'.');
            out.put(b'\n');
            self.decoder.reset();
        }
    }

    fn idle(&mut self, out: &mut impl Sink) {
        if self.decoder.offset() != 0 && !self.failed {
            lost(out, b'T', self.decoder.offset());
        }
        self.decoder.reset();
        self.failed = false;
    }
}

fn report(event: Event<'_>, out: &mut impl Sink) {
    match event {
        Event::Begin(_) | Event::End => return,
        Event::Value(value) => match (value.as_integer(), value.as_octets()) {
            (Some(number), _) => {
                out.put(b'=');
                out.put(b' ');
                out.number(number, 0);
            }
            (_, Some(octets)) => match obis::Obis::from_slice(octets) {
                Some(code) => {
                    out.put(b'C');
                    out.put(b' ');
                    out.put_all(code.text().as_bytes());
                }
                None => string(octets, out),
            },
            _ => out.put(b'-'),
        },
        Event::Part(part) => string(part.octets, out),
    }
    out.put(b'\n');
}

fn string(octets: &[u8], out: &mut impl Sink) {
    out.put(b'O');
    out.put(b' ');
    octets.iter().for_each(|octet| out.hex(*octet));
}
