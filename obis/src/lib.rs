//! OBIS codes, units and COSEM data: what a DLMS/COSEM meter sends, as named and scaled values. no_std, no allocation.
//!
//! It starts at the APDU: framing (HDLC, M-Bus, the TCP wrapper) is the work of `dlms-hdlc`, P1 telegrams that of `dsmr`,
//! which shares the vocabulary here. It is no client: it asks a meter nothing.
//!
//! ```
//! use obis::{apdu::DataNotification, han, obis};
//!
//! // A data-notification without date-time: structure { 1-0:1.8.0, 123456, { scaler 1, unit Wh } }
//! let apdu = [
//!     0x0F, 0x40, 0, 0, 0, 0, 2, 3, 9, 6, 1, 0, 1, 8, 0, 255, 6, 0, 1, 0xE2, 0x40, 2, 2, 0x0F, 1, 0x16, 30,
//! ];
//! let (notification, _) = DataNotification::parse(&apdu)?;
//! let energy = han::entries(notification.body).next().unwrap()?;
//! assert_eq!(energy.obis, Some(obis!("1-0:1.8.0")));
//! assert_eq!(energy.value.to_string(), "1234560 Wh");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | you have | use |
//! |---|---|
//! | a whole APDU in memory | [`apdu`], then [`han::entries`] for named values or [`data::Events`] for the tree |
//! | a layout of your own | [`han::Profile`] |
//! | not the memory for a whole push | [`data::Decoder`], fed in pieces |
//! | a code, a unit, a number | [`Obis`], [`Unit`], [`Decimal`], [`Scaled`] |
//!
//! Everything works on slices that the caller holds and can be called from an interrupt; the work of a call is bounded by
//! the octets it is given. Nothing here panics, and no float is used. A walk over a list takes about 300 octets of stack.
#![no_std]
#![forbid(unsafe_code)]

pub mod apdu;
mod code;
pub mod data;
pub mod datetime;
mod describe;
pub mod han;
mod pattern;
#[cfg(feature = "serde")]
mod serde;
pub mod tree;
mod unit;
mod value;

pub use code::{Obis, ObisError, ObisText};
pub use describe::Description;
pub use pattern::Pattern;
pub use unit::Unit;
pub use value::{Decimal, DecimalError, DecimalText, Prefix, Scaled};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
