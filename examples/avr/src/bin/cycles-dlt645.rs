//! DL/T 645: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use core::hint::black_box;

use board::{Memory, cycles};
use dlt645::Decoder;

static STORAGE: Memory<{ dlt645::STORAGE }> = Memory::new();

cycles!(
    // SAFETY: once, at the start.
    Decoder::new(unsafe { STORAGE.take() }),
    |decoder: &mut Decoder<&'static mut [u8; dlt645::STORAGE]>, input: &mut &[u8]| {
        while let Some(event) = decoder.decode(input) {
            let _ = black_box(&event);
        }
    }
);
