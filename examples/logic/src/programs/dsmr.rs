//! P1 telegrams line by line.

use dsmr::{Error, ErrorKind, LineDecoder, LineEvent, Verdict};

use super::{Program, lost};
use crate::sink::Sink;

/// `I text` for the identification, `code number` for a data line whose value is a number, `code text` for another (its
/// octets as they are), `V letter octets` at the end of a telegram (v good, u unchecked, b bad); `? letter lost`.
#[derive(Debug)]
pub struct Dsmr<B> {
    decoder: LineDecoder<B>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Dsmr<B> {
    /// In this storage: 128 octets do.
    pub const fn new(storage: B) -> Self {
        Self { decoder: LineDecoder::new(storage) }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Program for Dsmr<B> {
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

fn report(event: Result<LineEvent<'_>, Error>, out: &mut impl Sink) {
    match event {
        Ok(LineEvent::Identification(part)) => {
            out.put(b'I');
            out.put(b' ');
            out.put_all(part.octets());
        }
        Ok(LineEvent::Data(part)) => {
            let line = part.line();
            match line.code() {
                Some(code) => out.put_all(code.reduced_text().as_bytes()),
                None => out.put(b'-'),
            }
            out.put(b' ');
            match line.value().and_then(|value| value.decimal()) {
                Some((number, _)) => out.number(number.mantissa, number.exponent),
                None => out.put_all(line.value().map_or(part.octets(), |value| value.octets())),
            }
        }
        Ok(LineEvent::End(end)) => {
            out.put(b'V');
            out.put(b' ');
            out.put(match end.verdict {
                Verdict::Verified => b'v',
                Verdict::Unchecked(_) => b'u',
                Verdict::Bad(_) => b'b',
            });
            out.put(b' ');
            out.decimal(end.octets);
        }
        Ok(_) => return,
        Err(error) => {
            let letter = match error.kind {
                ErrorKind::Noise => b'N',
                ErrorKind::Check => b'C',
                ErrorKind::TooLong => b'O',
                ErrorKind::Truncated => b'T',
                _ => b'X',
            };
            return lost(out, letter, error.lost);
        }
    }
    out.put(b'\n');
}
