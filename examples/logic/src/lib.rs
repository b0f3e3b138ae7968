//! What the firmware examples do, without the chips they do it on: octets and time go in, octets and decisions come out.
//!
//! Each board's workspace (`examples/avr`, `examples/esp32`, `examples/stm32`) binds this to its pins and ports.
#![no_std]
#![forbid(unsafe_code)]

pub mod ams;
pub mod config;
pub mod han;
mod json;
pub mod measure;
pub mod mqtt;
pub mod p1;
pub mod parts;
pub mod programs;
pub mod sink;
#[cfg(feature = "unit")]
pub mod unit;
pub mod vectors;
