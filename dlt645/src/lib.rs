//! DL/T 645 of 1997 and 2007: frames, data identifiers, master, slave and the virtual bus inside a meter. no_std, no allocation, streaming.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod address;
#[cfg(feature = "bus")]
pub mod bus;
mod control;
mod data;
mod decoder;
mod discovery;
mod error;
#[cfg(feature = "events")]
mod event;
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
mod table1997;
mod table2007;
mod value;
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
