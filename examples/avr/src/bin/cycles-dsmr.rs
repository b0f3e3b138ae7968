//! P1 line mode: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use core::hint::black_box;

use board::{Memory, cycles};
use dsmr::LineDecoder;

static STORAGE: Memory<128> = Memory::new();

cycles!(
    // SAFETY: once, at the start.
    LineDecoder::new(unsafe { STORAGE.take() }),
    |decoder: &mut LineDecoder<&'static mut [u8; 128]>, input: &mut &[u8]| {
        while let Some(event) = decoder.decode(input) {
            let _ = black_box(&event);
        }
    }
);
