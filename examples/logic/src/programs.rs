//! The short programs, one for each crate: octets from a line go in, lines of text about them come out.
//!
//! The same lines come from every chip and from the host, so that a test can compare them. They are terse: see each
//! program for its letters.

mod dlt645;
mod dsmr;
mod han;
mod hdlc;
mod obis;
mod p1;
mod upgrade;

pub use dlt645::Dlt645;
pub use dsmr::Dsmr;
pub use han::Han;
pub use hdlc::Hdlc;
pub use obis::Obis;
pub use p1::P1;
pub use upgrade::Upgrade;

use crate::sink::Sink;

/// Silence after which a line counts as idle, in milliseconds: no meter pauses that long inside a frame.
pub const IDLE: u32 = 100;

/// Octets in, lines of text out.
pub trait Program {
    /// Takes octets as they came, in any pieces.
    fn take(&mut self, octets: &[u8], out: &mut impl Sink);

    /// The line has been silent for [`IDLE`], or the input is over.
    fn idle(&mut self, out: &mut impl Sink);
}

/// Octets that were given up: `? letter lost`.
fn lost(out: &mut impl Sink, letter: u8, lost: u32) {
    out.put(b'?');
    out.put(b' ');
    out.put(letter);
    out.put(b' ');
    out.decimal(lost);
    out.put(b'\n');
}
