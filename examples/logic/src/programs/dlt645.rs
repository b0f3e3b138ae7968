//! DL/T 645 frames on a meter bus.

use dlt645::{Decoder, Error, ErrorKind, Frame, Reply, Value, Version, items};

use super::{Program, lost};
use crate::sink::Sink;

/// `F address control octets` for each good frame (address and control code in hexadecimal); behind a frame that answers
/// a read (2007 edition), `identifier number` for each number in it, `identifier -` for another value; `? letter lost`.
#[derive(Debug)]
pub struct Dlt645<B> {
    decoder: Decoder<B>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Dlt645<B> {
    /// In this storage; [`dlt645::STORAGE`] octets hold every frame.
    pub const fn new(storage: B) -> Self {
        Self { decoder: Decoder::new(storage) }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Program for Dlt645<B> {
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
            out.put(b'F');
            out.put(b' ');
            frame.address().octets().iter().rev().for_each(|octet| out.hex(*octet));
            out.put(b' ');
            out.hex(frame.control().octet());
            out.put(b' ');
            out.decimal(u32::try_from(frame.data().len()).unwrap_or(u32::MAX));
            out.put(b'\n');
            if let Ok(Reply::Data { identifier, data, .. }) = Reply::parse(&frame, Version::V2007) {
                for item in items(identifier, data) {
                    for octet in item.identifier.code().to_be_bytes() {
                        out.hex(octet);
                    }
                    out.put(b' ');
                    match item.value {
                        Ok(Value::Number(number, _)) => out.number(number.mantissa, number.exponent),
                        _ => out.put(b'-'),
                    }
                    out.put(b'\n');
                }
            }
        }
        Err(error) => {
            let letter = match error.kind {
                ErrorKind::Noise => b'N',
                ErrorKind::Header => b'H',
                ErrorKind::Checksum => b'C',
                ErrorKind::End => b'E',
                ErrorKind::TooLong => b'O',
                ErrorKind::Truncated => b'T',
                _ => b'X',
            };
            lost(out, letter, error.lost);
        }
    }
}
