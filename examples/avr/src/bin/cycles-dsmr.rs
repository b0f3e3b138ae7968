//! P1 line mode: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]

board::cycles!(dsmr::LineDecoder<_>, 128);
