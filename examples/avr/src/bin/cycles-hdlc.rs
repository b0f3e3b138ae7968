//! HDLC: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use core::hint::black_box;

use board::{Memory, cycles};
use dlms_hdlc::Decoder;

static STORAGE: Memory<700> = Memory::new();

cycles!(
    // SAFETY: once, at the start.
    Decoder::new(unsafe { STORAGE.take() }),
    |decoder: &mut Decoder<&'static mut [u8; 700]>, input: &mut &[u8]| {
        while let Some(event) = decoder.decode(input) {
            let _ = black_box(&event);
        }
    }
);
