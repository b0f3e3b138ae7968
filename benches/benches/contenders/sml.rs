//! A neighbour: sml-rs on a telegram of SML (BSI TR-03109-1, the optical port of German meters), which is another
//! protocol than any of ours. It says what a comparable decoder of a comparable amount of octets does with its time.

use sml_rs::parser::common::Value;
use sml_rs::parser::streaming::{ParseEvent, Parser};
use sml_rs::transport::{Decoder, encode};
use sml_rs::util::ArrayBuf;

/// CRC of a message: X.25, its low octet first.
const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_IBM_SDLC);

/// An open response, a list of as many registers, a close response, in the transport's escape sequences: each register with
/// code, unit, scaler and a value of four octets, as an Aidon list has them.
pub fn telegram(registers: u8) -> Vec<u8> {
    let server: &[u8] = b"\x0B\x0A\x01SML\x00\x00\x00\x01\x02";
    let open = [&[0x76, 0x01, 0x01, 0x05, 0, 0, 0, 9][..], server, &[0x01, 0x01]].concat();
    let (low, high) = ((registers & 0xF), (registers >> 4));
    let count: &[u8] = if high == 0 { &[0x70 | low] } else { &[0xF0 | high, low] };
    let mut list = [&[0x77, 0x01][..], server, &[0x07, 1, 0, 98, 10, 0xFF, 0xFF, 0x01], count].concat();
    for at in 0..registers {
        // Code, no status, no time, Wh, 10^-1, the value, no signature.
        list.extend([0x77, 0x07, 1, 0, at + 1, 7, 0, 255, 0x01, 0x01, 0x62, 27, 0x52, 0xFF]);
        list.extend([0x65, 0, 0, 4, at, 0x01]);
    }
    list.extend([0x01, 0x01]);
    let messages = [message(1, 0x01, &open), message(2, 0x07, &list), message(3, 0x02, &[0x71, 0x01])];
    let encoded = encode::<ArrayBuf<4096>>(messages.concat()).expect("4096 octets are enough");
    encoded.to_vec()
}

fn message(transaction: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x76, 0x05, 0, 0, 0, transaction, 0x62, 0, 0x62, 0, 0x72, 0x63, kind, 0x01];
    octets.extend_from_slice(body);
    let check = CRC.checksum(&octets).to_le_bytes();
    octets.push(0x63);
    octets.extend(check);
    octets.push(0);
    octets
}

/// Its stream decoder, its parser without allocation, all codes, values, scalers and units in a sum.
pub struct Reader(Decoder<ArrayBuf<4096>>);

impl Reader {
    pub fn new() -> Self {
        Self(Decoder::new())
    }

    pub fn read(&mut self, octets: &[u8]) -> u64 {
        let mut sum = 0u64;
        for octet in octets {
            if let Ok(Some(content)) = self.0.push_byte(*octet) {
                sum = sum.wrapping_add(Parser::new(content).flatten().map(|event| of(&event)).sum());
            }
        }
        sum
    }
}

fn of(event: &ParseEvent<'_>) -> u64 {
    let ParseEvent::ListEntry(entry) = event else { return 0 };
    let code = entry.obj_name.iter().fold(0u64, |code, octet| code << 8 | u64::from(*octet));
    let value = match entry.value {
        Value::U32(value) => u64::from(value),
        _ => 0,
    };
    code.wrapping_add(value)
        .wrapping_add(entry.unit.unwrap_or(0).into())
        .wrapping_add(i64::from(entry.scaler.unwrap_or(0)).cast_unsigned())
}

/// What the sum must be.
pub fn expected(registers: u8) -> u64 {
    let one = |at: u8| {
        let code = u64::from_be_bytes([0, 0, 1, 0, at + 1, 7, 0, 255]);
        code.wrapping_add(1024 + u64::from(at)).wrapping_add(27).wrapping_sub(1)
    };
    (0..registers).fold(0u64, |sum, at| sum.wrapping_add(one(at)))
}
