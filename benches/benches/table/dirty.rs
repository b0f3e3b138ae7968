//! Cost of an octet on damaged and on hostile streams, beside that of a clean one.

use crate::measure::{Contender, Effort, minima};
use benches::han::frames;
use core::hint::black_box;
use dlms_hdlc::Decoder;

/// What arrives instead of messages, or among them.
pub struct Stream {
    pub protocol: &'static str,
    pub name: &'static str,
    pub octets: Vec<u8>,
}

/// Nanoseconds an octet of a stream, and that as a multiple of the clean stream's, per protocol in chunks of 64 octets.
pub struct Cost {
    pub stream: Stream,
    pub nanoseconds: f64,
    pub times_clean: f64,
}

const LENGTH: usize = 1 << 18;
/// One bit in this many is inverted: 1 % bit errors.
const BIT_ERRORS: u32 = 100;

pub fn costs(clean_p1: &[u8], clean_dlt645: &[u8], effort: Effort) -> Vec<Cost> {
    let clean_hdlc: Vec<u8> = frames().into_iter().flat_map(|input| input.octets).collect();
    let mut costs = Vec::new();
    for (protocol, clean) in [("HDLC", clean_hdlc.as_slice()), ("P1", clean_p1), ("DL/T 645", clean_dlt645)] {
        let streams = streams(protocol, clean);
        let mut contenders: Vec<_> = streams
            .iter()
            .map(|stream| Contender::new(stream.name, move || events(protocol, &stream.octets)))
            .collect();
        let times = minima(&mut contenders, effort);
        drop(contenders);
        let per_octet = |(stream, time): (Stream, f64)| {
            let nanoseconds = time / stream.octets.len() as f64;
            Cost { stream, nanoseconds, times_clean: 1.0 }
        };
        let mut of_protocol: Vec<Cost> = streams.into_iter().zip(times).map(per_octet).collect();
        let clean = of_protocol.first().map_or(1.0, |cost| cost.nanoseconds);
        of_protocol.iter_mut().for_each(|cost| cost.times_clean = cost.nanoseconds / clean);
        costs.append(&mut of_protocol);
    }
    costs
}

fn streams(protocol: &'static str, clean: &[u8]) -> Vec<Stream> {
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 32) as u32
    };
    let whole = repeated(clean);
    let mut damaged = whole.clone();
    for octet in &mut damaged {
        (0..8)
            .filter(|_| next() % BIT_ERRORS == 0)
            .collect::<Vec<u8>>()
            .into_iter()
            .for_each(|bit| *octet ^= 1 << bit);
    }
    let noise: Vec<u8> = (0..LENGTH).map(|_| next() as u8).collect();
    // A start, and a header that is whole and promises the longest message there is.
    let (start, header): (&[u8], Vec<u8>) = match protocol {
        "HDLC" => (&[0x7E], longest_hdlc_header()),
        "P1" => (b"\n/", b"\n/AAA5\r\n\r\n".to_vec()),
        _ => (&[0x68], vec![0x68, 1, 0, 0, 0, 0, 0, 0x68, 0x91, 200]),
    };
    [("clean", whole), ("1 % bit errors", damaged), ("noise", noise)]
        .into_iter()
        .chain([("start octets", repeated(start)), ("false headers", repeated(&header))])
        .map(|(name, octets)| Stream { protocol, name, octets })
        .collect()
}

fn repeated(octets: &[u8]) -> Vec<u8> {
    octets.iter().copied().cycle().take(LENGTH / octets.len() * octets.len()).collect()
}

/// Flag, format with the longest length, addresses, control and a header check that is right.
fn longest_hdlc_header() -> Vec<u8> {
    let information = [0; 2038];
    let builder = dlms_hdlc::Builder {
        segmented: false,
        destination: dlms_hdlc::Address::one(0x20),
        source: dlms_hdlc::Address::one(0x01),
        control: dlms_hdlc::Control(0x13),
        information: &information,
    };
    [0x7E].into_iter().chain(builder.octets().take(7)).collect()
}

/// All events of a stream that arrives in chunks of 64 octets.
fn events(protocol: &str, octets: &[u8]) {
    let mut events = 0u32;
    match protocol {
        "HDLC" => {
            let mut decoder = Decoder::new([0; 2356]);
            for mut chunk in octets.chunks(64) {
                while decoder.decode(&mut chunk).is_some() {
                    events += 1;
                }
            }
        }
        "P1" => {
            let mut decoder = dsmr::Decoder::new([0; 2048]);
            for mut chunk in octets.chunks(64) {
                while decoder.decode(&mut chunk).is_some() {
                    events += 1;
                }
            }
        }
        _ => {
            let mut decoder = dlt645::Decoder::new([0; dlt645::STORAGE]);
            for mut chunk in octets.chunks(64) {
                while decoder.decode(&mut chunk).is_some() {
                    events += 1;
                }
            }
        }
    }
    black_box(events);
}
