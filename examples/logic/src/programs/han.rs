//! HAN messages as JSON.

use crate::han::{Event, Reader};
use crate::sink::Sink;

use super::hdlc::letter;
use super::{Program, lost};

/// A JSON object for each message, on a line of its own; `? letter lost` where octets were given up, with the letters of
/// [`Hdlc`](super::Hdlc) and `S` for parts of a message without the others.
#[derive(Debug)]
pub struct Han<F, M>(Reader<F, M>);

impl<F: AsRef<[u8]> + AsMut<[u8]>, M: AsRef<[u8]> + AsMut<[u8]>> Han<F, M> {
    /// In this storage: of a frame, of segments, of blocks.
    pub const fn new(frame: F, segments: M, blocks: M) -> Self {
        Self(Reader::new(frame, segments, blocks))
    }
}

impl<F: AsRef<[u8]> + AsMut<[u8]>, M: AsRef<[u8]> + AsMut<[u8]>> Program for Han<F, M> {
    fn take(&mut self, octets: &[u8], out: &mut impl Sink) {
        self.0.handle_octets(octets, |event| report(event, out));
    }

    fn idle(&mut self, out: &mut impl Sink) {
        self.0.finish(|event| report(event, out));
    }
}

fn report(event: Event<'_>, out: &mut impl Sink) {
    match event {
        Event::Message(message) => {
            message.json(out);
            out.put(b'\n');
        }
        Event::Lost(error) => lost(out, letter(error.kind), error.lost),
        Event::Dropped(octets) => lost(out, b'S', octets),
    }
}
