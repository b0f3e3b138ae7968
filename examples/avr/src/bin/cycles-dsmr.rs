//! P1 line mode: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use core::hint::black_box;

use board::cycles;
use dsmr::LineDecoder;

const N: usize = 128;

cycles!(LineDecoder::new([0; N]), |decoder: &mut LineDecoder<[u8; N]>, input: &mut &[u8]| {
    while let Some(event) = decoder.decode(input) {
        let _ = black_box(&event);
    }
});
