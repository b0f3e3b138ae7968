//! DL/T 645: octets to frames, check octet checked, address, control code and data handed out.
#![no_std]
#![no_main]

use dlt645::{Decoder, STORAGE};

probe::probe!(Decoder<[u8; STORAGE]> = Decoder::new([0; STORAGE]), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= event.map_or_else(|error| error.lost, |frame| {
            let start = u32::from(frame.control().octet()) ^ u32::from(frame.address().octets()[0]);
            frame.data().iter().fold(start, |sum, octet| sum.wrapping_mul(31) ^ u32::from(octet))
        });
    }
    seen ^ decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
});
