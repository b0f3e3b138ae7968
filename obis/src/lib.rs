//! OBIS codes, units and COSEM data: what a DLMS/COSEM meter sends, as named and scaled values. no_std, no allocation.
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
