//! Firmware upgrade of many meters over a slow shared medium: block transfer with a bitmap, multicast and coded repair. no_std, no allocation.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod bitmap;
pub mod carrier;
mod codec;
#[cfg(feature = "coded")]
pub mod coding;
pub mod error;
pub mod flash;
pub mod fragment;
pub mod gaps;
pub mod hash;
pub mod message;
pub mod package;
pub mod receiver;
pub mod sender;
pub mod session;
