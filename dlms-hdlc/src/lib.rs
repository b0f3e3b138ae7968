//! DLMS link layers: from octets on a wire to APDUs, and back.
//!
//! HDLC frame format type 3 ([`frame`]), wired M-Bus ([`mbus`]), the TCP/UDP wrapper ([`wrapper`]), and reassembly of
//! segments on top of any of them ([`assembly`]). It does not look inside the APDU (crate `obis-cosem` does), keeps
//! no session and owns no port, clock or memory.
//!
//! ```
//! use dlms_hdlc::{Assembler, Decoder, Llc};
//!
//! let mut decoder = Decoder::new([0; 700]); // frames of up to 598 octets
//! let mut assembler = Assembler::new([0; 1024]); // messages of up to 1024
//! // From a UART interrupt, half a DMA buffer or a file: however the octets are cut, the events are the same.
//! let line = b"\
//!     \x7E\xA0\x16\x41\x08\x83\x13\xE5\xB0\
//!     \xE6\xE7\x00\x0F\x40\x00\x00\x00\x00\x12\x00\xE6\x09\x20\x7E";
//! let mut notifications = 0;
//! for mut chunk in line.chunks(5) {
//!     while let Some(event) = decoder.decode(&mut chunk) {
//!         let assembled = assembler.accept(&event);
//!         if let Some((Llc::Response, apdu)) = assembled.message.and_then(Llc::parse) {
//!             assert_eq!(apdu, b"\x0F\x40\0\0\0\0\x12\0\xE6"); // a notification of 230
//!             notifications += 1;
//!         }
//!     }
//! }
//! assert_eq!((notifications, decoder.stats().frames), (1, 1));
//! ```
//!
//! # Who calls what
//! * An interrupt or a main loop: [`Decoder::decode`](decoder::Decoder::decode) with the octets at hand, even one.
//! * DMA, or a `read` into the storage itself: `spare_mut`, `commit`, then `decode` with an empty input.
//! * A server with whole buffers: [`frames`], which copies nothing.
//! * A timer that sees the line idle: `finish`.
//!
//! # Limits
//! A decoder's state is its storage and about 40 octets on an AVR, 70 on 64 bits. The longest frame is about 7/8 of the
//! storage ([`longest_frame`]); a longer one is reported and passed over. Given octet by octet, one octet costs at most
//! nine steps of the framing, whatever the stream.
//!
//! Cycles an octet on an AVR, 228-octet frames, `opt-level = 3` (`"s"` a tenth more): 95 given alone, 65 in chunks of 16,
//! 50 in chunks of 64. An octet of the header, a flag or noise takes 300 to 450 alone. On a line full of false starts the
//! nine steps and their reports are 1,100 on average and 2,000 at worst, and where bad frames with good headers lie
//! inside one another, giving one up takes ten cycles more for each octet held.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod address;
pub mod assembly;
pub mod check;
pub mod control;
pub mod decoder;
#[cfg(test)]
mod effort;
pub mod error;
pub mod frame;
mod frames;
#[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
pub mod io;
pub mod llc;
pub mod mbus;
pub mod transparent;
pub mod wrapper;

pub use address::Address;
pub use assembly::{Assembled, Assembler, Carrier};
pub use control::Control;
pub use decoder::longest_frame;
pub use error::{BufferTooSmall, Error, ErrorKind, Stats};
pub use frame::{Builder, Decoder, Frame, frames};
pub use frames::Frames;
pub use llc::Llc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
