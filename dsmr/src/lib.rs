//! P1 telegrams of every dialect (DSMR, SMR, e-MUCS and their neighbours) to named and scaled values. no_std, no allocation, streaming.
#![no_std]
#![forbid(unsafe_code)]

mod builder;
mod check;
mod decoder;
mod device;
pub mod encrypted;
mod error;
mod framing;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod io;
mod line;
mod line_decoder;
mod logs;
mod object;
#[cfg(feature = "aes-gcm")]
mod opened;
mod quantity;
mod telegram;
mod text;
mod timestamp;
mod value;

#[cfg(test)]
#[macro_use]
extern crate std;

pub use builder::{Builder, TelegramOctets};
pub use check::{Check, CheckKind};
pub use decoder::{Decoder, Telegrams, telegrams, telegrams_with};
pub use device::{Device, DeviceReading, Devices};
pub use error::{BufferTooSmall, Error, ErrorKind, Stats};
pub use framing::Options;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use io::{ReadError, Reader};
pub use line::{DataLine, DataLines, Values};
pub use line_decoder::{End, LineDecoder, LineEvent, Part, Verdict};
pub use logs::{Failure, FailureLog, Peak, PeakHistory};
pub use object::{DeviceKind, Event, Object, Reading, SwitchState};
pub use quantity::{Phase, Processing, Quantity};
pub use telegram::Telegram;
pub use text::{Text, TextOctets};
pub use timestamp::{Iso, Season, Timestamp};
pub use value::{Content, Value};
