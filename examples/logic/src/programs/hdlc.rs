//! HDLC frames of a DLMS meter.

use dlms_hdlc::{Decoder, Error, ErrorKind, Frame};

use super::{Program, lost};
use crate::sink::Sink;

/// `F control octets sum` for each good frame: its control field in hexadecimal, the octets of its information field and
/// their sum; `? letter lost` where octets were given up.
#[derive(Debug)]
pub struct Hdlc<B> {
    decoder: Decoder<B>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Hdlc<B> {
    /// In this storage; [`dlms_hdlc::longest_frame`] says what frames it holds.
    pub const fn new(storage: B) -> Self {
        Self { decoder: Decoder::new(storage) }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Program for Hdlc<B> {
    fn take(&mut self, mut octets: &[u8], out: &mut impl Sink) {
        while let Some(event) = self.decoder.decode(&mut octets) {
            report(event, out);
        }
    }

    fn idle(&mut self, out: &mut impl Sink) {
        while let Some(event) = self.decoder.finish() {
            report(event, out);
        }
    }
}

fn report(event: Result<Frame<'_>, Error>, out: &mut impl Sink) {
    match event {
        Ok(frame) => {
            let information = frame.information();
            let sum = information.iter().fold(0u32, |sum, octet| sum.wrapping_add(u32::from(*octet)));
            out.put(b'F');
            out.put(b' ');
            out.hex(frame.control().0);
            out.put(b' ');
            out.decimal(u32::try_from(information.len()).unwrap_or(u32::MAX));
            out.put(b' ');
            out.decimal(sum);
            out.put(b'\n');
        }
        Err(error) => lost(out, letter(error.kind), error.lost),
    }
}

/// Noise, Length, tOo long, Address, forMat, Hcs, Fcs, Truncated, oVerrun.
pub(super) fn letter(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Noise => b'N',
        ErrorKind::Length => b'L',
        ErrorKind::TooLong => b'O',
        ErrorKind::Address => b'A',
        ErrorKind::Hcs => b'H',
        ErrorKind::Fcs => b'F',
        ErrorKind::Truncated => b'T',
        ErrorKind::Overrun => b'V',
        _ => b'M',
    }
}
