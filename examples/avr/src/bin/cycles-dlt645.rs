//! DL/T 645: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]

board::cycles!(dlt645::Decoder<_>, dlt645::STORAGE);
