//! Instructions that a decoder takes for an octet, counted by the chip's or the emulator's counter.

use core::hint::black_box;

use crate::vectors;

/// What was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// The crate's short name.
    pub name: &'static str,
    /// Octets handed over in one call.
    pub chunk: u32,
    /// Octets in all, a clean stream.
    pub octets: u32,
    /// Ticks of the counter for them.
    pub ticks: u32,
}

/// Runs each decoder over the undamaged front of its vector, in chunks of 16 octets and one at a time.
///
/// `counter` counts up and wraps at 2³².
pub fn all(counter: impl Fn() -> u32, mut report: impl FnMut(Figure)) {
    for chunk in [16, 1] {
        let mut one = |name, octets: &'static [u8], len, mut decode: &mut dyn FnMut(&[u8])| {
            let octets = octets.get(..len).unwrap_or_default();
            report(count(name, chunk, octets, &counter, &mut decode));
        };
        let mut decoder = dlms_hdlc::Decoder::new([0; 700]);
        one("hdlc", vectors::HDLC.octets, 726, &mut |octets| hdlc(&mut decoder, octets));
        let mut decoder = obis::data::Decoder::new();
        one("obis", vectors::OBIS.octets, 665, &mut |octets| obis(&mut decoder, octets));
        let mut decoder = dsmr::LineDecoder::new([0; 128]);
        one("dsmr", vectors::DSMR.octets, 662, &mut |octets| dsmr(&mut decoder, octets));
        let mut decoder = dlt645::Decoder::new([0; dlt645::STORAGE]);
        one("dlt645", vectors::DLT645.octets, 90, &mut |octets| dlt645(&mut decoder, octets));
        let mut decoder = upgrade_proto::carrier::plain::Decoder::new([0; 600]);
        one("upgrade", vectors::UPGRADE.octets, 252, &mut |octets| upgrade(&mut decoder, octets));
    }
}

// A function each, as in a program that has one of them: drawn into their caller together, each would cost what the others leave it.

#[inline(never)]
fn hdlc(decoder: &mut dlms_hdlc::Decoder<[u8; 700]>, mut octets: &[u8]) {
    while let Some(event) = decoder.decode(&mut octets) {
        let _ = black_box(event.is_ok());
    }
}

#[inline(never)]
fn obis(decoder: &mut obis::data::Decoder, mut octets: &[u8]) {
    loop {
        while let Some(event) = decoder.decode(&mut octets) {
            let _ = black_box(event.is_ok());
        }
        if !decoder.is_done() {
            break;
        }
        decoder.reset();
    }
}

#[inline(never)]
fn dsmr(decoder: &mut dsmr::LineDecoder<[u8; 128]>, mut octets: &[u8]) {
    while let Some(event) = decoder.decode(&mut octets) {
        let _ = black_box(event.is_ok());
    }
}

#[inline(never)]
fn dlt645(decoder: &mut dlt645::Decoder<[u8; dlt645::STORAGE]>, mut octets: &[u8]) {
    while let Some(event) = decoder.decode(&mut octets) {
        let _ = black_box(event.is_ok());
    }
}

#[inline(never)]
fn upgrade(decoder: &mut upgrade_proto::carrier::plain::Decoder<[u8; 600]>, mut octets: &[u8]) {
    while let Some(frame) = decoder.decode(&mut octets) {
        let _ = black_box(frame.message.len());
    }
}

fn count(
    name: &'static str,
    chunk: u32,
    octets: &[u8],
    counter: &impl Fn() -> u32,
    decode: &mut impl FnMut(&[u8]),
) -> Figure {
    let size = usize::try_from(chunk).unwrap_or(1).max(1);
    let before = counter();
    for octets in black_box(octets).chunks(size) {
        decode(octets);
    }
    let ticks = counter().wrapping_sub(before);
    Figure { name, chunk, octets: u32::try_from(octets.len()).unwrap_or(u32::MAX), ticks }
}
