//! DL/T 645 of 1997 and 2007: frames, data identifiers, values, master, slave and the virtual bus inside a meter.
//!
//! A codec and sans-IO sessions; no port, no clock, no allocation, and no security module: security services are
//! carried as they are. The edition is a parameter of every reading ([`Version`]), since the control codes of the one
//! mean something else in the other.
//!
//! ```
//! use dlt645::{Identifier, Query, Reply, Request, Value, Version, frames, items};
//! let mut buffer = [0; 40];
//! let request = Request::Read { identifier: Identifier::V2007(0x0201_0100), query: Query::All };
//! let octets = request.encode(Version::V2007, "161".parse().unwrap(), 4, &mut buffer).unwrap();
//! assert_eq!(octets.len(), 4 + 16);
//! // What the meter answers:
//! let heard = b"\x68\x61\x01\x00\x00\x00\x00\x68\x91\x06\x33\x34\x34\x35\x36\x57\x26\x16";
//! let frame = frames(heard).next().unwrap().unwrap();
//! let Ok(Reply::Data { identifier, data, .. }) = Reply::parse(&frame, Version::V2007) else { panic!() };
//! let voltage = items(identifier, data).next().unwrap().value.unwrap();
//! assert_eq!(voltage.to_string(), "240.3 V");
//! ```
//!
//! Who calls what: a receive interrupt or task hands octets to [`Decoder::decode`] (one, or a DMA buffer) and calls
//! [`Decoder::finish`] after [`GAP`] of silence; a collector drives a [`Master`] with the frames; a meter drives a
//! [`Slave`]; a server with whole captures iterates [`frames()`]. Limits: [`STORAGE`] octets and 37 of state per
//! decoder; a frame has at most 267 octets; the work per octet is bounded on any stream.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod address;
#[cfg(feature = "bus")]
pub mod bus;
mod control;
mod data;
mod decoder;
mod discovery;
#[cfg(test)]
mod effort;
mod error;
#[cfg(feature = "events")]
mod event;
#[cfg(feature = "names")]
mod flag;
mod frame;
#[cfg(feature = "freeze")]
mod freeze;
mod identifier;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
mod io;
mod items;
mod layout;
#[cfg(feature = "load")]
pub mod load;
mod machine;
mod master;
mod moment;
#[cfg(feature = "names")]
mod name;
#[cfg(feature = "obis")]
mod obis_map;
mod octets;
mod service;
mod slave;
mod slices;
mod table1997;
mod table2007;
mod value;
mod wire;
mod word;

pub use address::{Address, AddressError};
pub use control::{Control, Service, Version};
pub use data::{Data, MASK, Octets};
pub use decoder::{Decoder, Frames, STORAGE, frames};
pub use discovery::{Discovery, DiscoveryConfig, DiscoveryEvent, RATES};
pub use error::{BufferTooSmall, Error, ErrorKind};
pub use frame::{Builder, END, Frame, LONGEST, MAX_READ, MAX_WRITE, OVERHEAD, START, Sending, WAKE_UP};
pub use identifier::{Catalogue, Definition, Identifier, IdentifierError, Standard};
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub use io::{ReadError, Reader};
pub use items::{Item, Items, items, items_in, items_with};
pub use layout::{Count, EncodeError, Field, Format, Layout, Sign};
pub use machine::Stats;
pub use master::{AddressPolicy, End, Failure, Ignored, Master, MasterConfig, MasterEvent, StartError};
pub use moment::{Moment, TimeForm};
#[cfg(feature = "names")]
pub use name::Name;
#[cfg(feature = "obis")]
pub use obis_map::scaled;
pub use service::{
    Access, BuildError, FreezeTime, Password, Query, Rate, Relay, Reply, Request, ServiceError, Terminal,
};
pub use slave::{Handled, Meter, Part, Refusal, Slave, SlaveConfig, SlaveEvent};
pub use value::{Bits, Decimal, Digits, Text, Unit, Value, ValueError};
pub use word::{ErrorWord, Reason, SecurityError};

/// Longest pause between two octets of one frame, in milliseconds; a longer one ends it: call `finish`.
pub const GAP: u32 = 500;
