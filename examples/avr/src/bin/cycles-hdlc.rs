//! HDLC: cycles of each call of `decode`, for the harness to read; does nothing on a real chip.
#![no_std]
#![no_main]

board::cycles!(dlms_hdlc::Decoder<_>, 700);
