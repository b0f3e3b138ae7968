//! `dsmr` with its octet-at-a-time `narrow.rs` where a 64-bit host takes `wide.rs`.
#![no_std]
#![allow(dead_code, reason = "what the target does not compare")]

#[path = "../../../dsmr/src/builder.rs"]
mod builder;
#[path = "../../../dsmr/src/check.rs"]
mod check;
#[path = "../../../dsmr/src/decoder.rs"]
mod decoder;
#[path = "../../../dsmr/src/device.rs"]
mod device;
#[path = "../../../dsmr/src/encrypted.rs"]
mod encrypted;
#[path = "../../../dsmr/src/error.rs"]
mod error;
#[cfg(target_pointer_width = "64")]
#[path = "../../../dsmr/src/fold.rs"]
mod fold;
#[path = "../../../dsmr/src/framing.rs"]
mod framing;
// Its tests are found from where it stands, not from here.
#[rustfmt::skip]
#[path = "../../../dsmr/src/line.rs"]
mod line;
#[path = "../../../dsmr/src/line_decoder.rs"]
mod line_decoder;
#[path = "../../../dsmr/src/logs.rs"]
mod logs;
#[path = "../../../dsmr/src/object.rs"]
mod object;
#[path = "../../../dsmr/src/quantity.rs"]
mod quantity;
#[path = "../../../dsmr/src/telegram.rs"]
mod telegram;
#[path = "../../../dsmr/src/text.rs"]
mod text;
#[path = "../../../dsmr/src/timestamp.rs"]
mod timestamp;
#[path = "../../../dsmr/src/value.rs"]
mod value;
#[path = "../../../dsmr/src/narrow.rs"]
mod wide;

pub use decoder::{Decoder, telegrams};
pub use line::DataLine;
pub use telegram::Telegram;

// Named by other modules as the crate's own.
pub use check::{Check, CheckKind};
pub use device::{Device, DeviceReading, Devices};
pub use error::{BufferTooSmall, Error, ErrorKind, Stats};
pub use framing::Options;
pub use line_decoder::{LineDecoder, LineEvent};
pub use object::{Object, Reading};
pub use timestamp::Timestamp;
pub use value::{Content, Value};
