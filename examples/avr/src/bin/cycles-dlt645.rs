//! DL/T 645: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]

board::cycles!(dlt645::Decoder::new([0; dlt645::STORAGE]));
