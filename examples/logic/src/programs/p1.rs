//! P1 telegrams as JSON.

use crate::p1::Reader;
use crate::sink::Sink;

use super::Program;

/// A JSON object for each telegram whose check is right, on a line of its own.
#[derive(Debug)]
pub struct P1(Reader);

impl P1 {
    /// At the start of a telegram.
    #[must_use]
    pub const fn new() -> Self {
        Self(Reader::new(1, 0))
    }
}

impl Default for P1 {
    fn default() -> Self {
        Self::new()
    }
}

impl Program for P1 {
    fn take(&mut self, octets: &[u8], out: &mut impl Sink) {
        // One at a time: behind a good telegram the reader asks no more, and leaves what follows aside.
        for octet in octets.chunks(1) {
            self.0.handle_octets(octet);
            if let Some(reading) = self.0.poll_post() {
                reading.json(out);
                out.put(b'\n');
                *self = Self::new();
            }
        }
    }

    fn idle(&mut self, _out: &mut impl Sink) {}
}
