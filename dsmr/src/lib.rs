//! P1 telegrams of every dialect (DSMR, SMR, e-MUCS and their neighbours) to named and scaled values: no_std, no
//! allocation, streaming.
//!
//! It finds telegrams in octets, checks them, and reads their lines. It owns no port, clock or memory, keeps no session,
//! and does not judge values. Binary meter interfaces (HDLC, M-Bus) are not P1; crate `dlms-hdlc` reads those.
//!
//! ```
//! let octets = b"/ISk5\\2MT382-1000\r\n\r\n1-0:1.8.1(12345.678*kWh)\r\n0-1:24.1.0(3)\r\n!\r\n";
//! let (telegram, rest) = dsmr::Telegram::parse(octets).unwrap();
//! let energy = telegram.lines().next().unwrap();
//! assert_eq!(energy.code().unwrap().to_string(), "1-0:1.8.1*255");
//! assert_eq!(energy.value().unwrap().scaled().unwrap().to_string(), "12345.678 kWh");
//! assert_eq!(telegram.check(), dsmr::Check::Absent); // DSMR 3.0 has none
//! # assert_eq!(rest, b"\n");
//! ```
//!
//! # Who calls what
//!
//! * An interrupt or main loop with octets at hand, even one: [`Decoder::decode`], or [`LineDecoder::decode`] where RAM is
//!   short. DMA or a driver that fills a buffer: [`Decoder::spare_mut`] and [`Decoder::commit`]. An idle line:
//!   [`Decoder::finish`].
//! * An async task: `Reader` with feature `embedded-io-async`.
//! * A server with a log in memory: [`telegrams`].
//!
//! # Limits
//!
//! * RAM: the caller's storage and about 60 octets on 32 bits; in line mode one line and at most 200 octets.
//! * A call does a constant amount of work and some for each octet it takes. Values are read when they are asked for.
//! * The longest telegram is the storage; in line mode there is no limit.
//! * The check needs no table anywhere.
#![no_std]
#![forbid(unsafe_code)]

mod builder;
mod check;
mod decoder;
mod device;
pub mod encrypted;
mod error;
#[cfg(target_pointer_width = "64")]
mod fold;
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
#[cfg_attr(not(target_pointer_width = "64"), path = "narrow.rs")]
mod wide;

#[cfg(test)]
#[macro_use]
extern crate std;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

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
