//! Moves a firmware image to many meters over a slow shared medium, installs it and rolls back: block transfer with a bitmap, multicast, XOR and coded
//! repair; boot loader and application side of the installation; signatures. No radio or serial driver, no flash driver, no clock.
//!
//! ```
//! use upgrade_proto::message::{Message, Packet};
//!
//! let octets = [0x01, 0x00, 0x07, 0xDE, 0xAD, 0xBE, 0xEF];
//! assert_eq!(Packet::parse(&octets)?.message, Message::Query);
//! # Ok::<(), upgrade_proto::error::MessageError>(())
//! ```
//!
//! # Who calls what
//! * **Meter**: [`receiver::Receiver::handle_message`] with each message a carrier hands up, whatever address it came on;
//!   [`work`](receiver::Receiver::work) between metering, display and communication; [`poll_transmit`](receiver::Receiver::poll_transmit) when
//!   [`poll_timeout`](receiver::Receiver::poll_timeout) has come; [`resume`](receiver::Receiver::resume) once after a reset.
//! * **Concentrator**: [`sender::Sender::add_meter`], then [`poll_transmit`](sender::Sender::poll_transmit) whenever the channel is free,
//!   [`handle_sent`](sender::Sender::handle_sent) when the frame is out, [`handle_message`](sender::Sender::handle_message) with each answer. For meters that take
//!   sealed commands alone it is made with their keys: [`sender::Sender::sealed`].
//! * Time is the caller's monotonic milliseconds.
//!
//! # Phases (paper 002, 1.1)
//! Request (query, identity: the set M_Q of equation 1), group (join), initiate, download (blocks to all, unanswered), confirm (status, repair,
//! bounded), verify, activate, read-back (query again). Manifest and tag table are blocks of the session, sent and confirmed before the data,
//! and again for meters that join late: those are taken in between two frames, and hear the rest of a first pass as the others do. Six of 61
//! meters that come after 300 s cost 35 % more airtime at 1 % of frames lost, and 56 % at 10 %; what they missed was 29 % of the blocks.
//!
//! # Messages
//! All numbers have the most significant octet first. Every message starts with `kind u8 | session u16 | image digest prefix u32`; a block's header
//! with its number is 9 octets of the 39 that paper 002's frame has around 512.
//!
//! | kind | message | fields after the header |
//! |---|---|---|
//! | 01 | query | – |
//! | 02 | identity | maker 4, model u32, hardware u32, version (date u32, number u16), module u16, longest block u16, coded rows u16, read time u16, phase u8 |
//! | 03, 04 | join, joined | group u16, member u16 |
//! | 05 | initiate | size u32, block u16, manifest length u16 (bit 15: tagged), CRC-32 u32, manifest digest 16 |
//! | 10, 11 | block, meta block | number u16, octets |
//! | 12, 13 | the same, to be acknowledged | number u16, octets |
//! | 14, 15 | XOR of data, of meta blocks | count u8, first u16, gaps ([`gaps`]; none when count is 1), octets |
//! | 16, 17 | coded row of data, of meta blocks | generation u8, generations u8, seed u16, density u8, octets |
//! | 20 | status query | form u8, from u16, limit u16 |
//! | 21 | roll call | form and who stays silent u8, from u16, limit u16, slot u16, first member u16, member bits |
//! | 22 | status | phase, plane and form u8, first missing u16, missing u16, list / bitmap (from u16, octets) or deficits (u16 each) |
//! | 30, 32 | verify, cancel | – |
//! | 31 | activate | time u32 |
//! | 33 | refused | reason u8 |
//! | 38, 39 | event query, events | entries to skip u8; entries of 11 octets |
//!
//! First missing equals the block count when nothing is missing (paper 000; DLMS IC 18, attribute 4).
//!
//! # What is checked by what
//! CRC-32 and SHA-256 cover the whole image as it is sent (the ciphertext, if it is encrypted). A tag is the first 8 octets of the SHA-256 of one block as
//! sent; the tag table's own blocks have 16-octet digests, up to the root in the manifest; the manifest's digest stands in the initiate message. A
//! block is programmed only when its tag is right. Who vouches for the manifest is in [`security`], what follows from it in [`install`] and [`boot`].
//!
//! | a check of a signature | text on thumbv6m, with SHA-256 | instructions on thumbv6m / thumbv7em | stack |
//! |---|---|---|---|
//! | Ed25519 by salty (feature `salty`) | 12.6 kB | 212 million / 6.6 million | 10.0 / 3.3 kB |
//! | Ed25519 by dalek (feature `ed25519`) | 21.3 kB | 15.3 million / 2.2 million | 9.0 / 8.8 kB |
//! | ECDSA P-256 (feature `p256`) | 20.6 kB | 35.9 million / 11.2 million | 8.3 / 8.3 kB |
//!
//! (`opt-level = "z"`, `sha2_backend_soft="compact"`; instructions counted in QEMU by `cargo xtask signatures`, a manifest of 181 octets.) That is one call, in which nothing else is done: 0.3 s
//! with dalek and 4.4 s with salty on a Cortex-M0 of 48 MHz, were each instruction one cycle. The watchdog's period must be longer; where that cannot be, or
//! metering cannot wait, [`Verify`](security::Verify) is where a secure element does it.
//!
//! # The paper's headline
//! Paper 002 moves 1024 kB to 61 meters in 983 s, 2000 blocks of 512 octets in frames of 551, "at 1200 bit/s". 2000 × 512 makes 1,024,000 octets only with
//! kB = 1000; 2000 × 551 octets are 8,816,000 bits, which take 7347 s at 1200 bit/s. 983 s fit 1200 **octets** per second without start and stop bits: 918 s on
//! the channel and 65 s for answers and flash. The paper's repair rule, simulated, takes that long only with about 0.04 % of frames lost; at 1 % it takes 1.62
//! times the least any scheme can do, at 10 % 2.46 times. This protocol, simulated on the same channel (1200 octets per second, answers and turnaround of 50 ms,
//! manifest and tags, the image checked, all counted from the first question to the last meter done; mean of ten seeds), takes 1021 s at 0.1 % of frames lost,
//! 1043 s at 1 %, 1113 s at 5 % and 1189 s at 10 %; the paper's rule takes 1719 s, 2541 s and 2844 s at 1, 5 and 10 %, without tags.
//!
//! # What it costs
//! Airtime of the transfer (data, repair and status, manifest and tags) by the least any scheme can do, 61 meters, 2000 × 512 octets, independent
//! losses; `auto` is the mean of ten seeds of `meter upgrade simulate --loss L --trials 10`, paper too up to 10 %, the others of three of `--sweep --trials 3`:
//!
//! | strategy | 0.1 % | 1 % | 5 % | 10 % | 20 % | 30 % |
//! |---|---|---|---|---|---|---|
//! | paper 002 | 1.100 | 1.617 | 2.310 | 2.463 | 3.084 | 3.434 |
//! | union | 1.060 | 1.447 | 1.988 | 2.255 | 2.693 | 3.019 |
//! | XOR | 1.002 | 1.008 | 1.019 | 1.046 | 1.158 | 1.327 |
//! | auto, GF(2) in 4 KB | 1.003 | 1.008 | 1.009 | 1.011 | 1.014 | 1.023 |
//!
//! Of that, feedback is 0.3 to 0.5 %; manifest and tags are 1.7 % at 1 %, 2.1 % at 10 and 20 % and 2.3 % at 30 %, where 34 blocks sent before all others
//! take 60 frames until the neediest of 61 meters has them in any scheme, 2 %. Bursts of ten frames that lose 10 %: 1.032, 2.9 % for manifest and tags;
//! six meters at 30 % and 55 at 1 %: 1.024. 200 meters: 1.023 at 1 and at 10 % (three seeds); 1000 meters: 1.09 at 1 % (one seed), 7 % of which is
//! feedback. Who has nothing to say stays silent, which takes no airtime but its slot: at 1 % of loss the job lasts 1 % longer for it.
//!
//! A receiver with a block buffer of 512 octets keeps at most 800 octets of state (on a 64-bit host; 728 on thumbv6m, 712 on AVR), beside hash state and
//! the RAM given to `coded`. Its program is 8.1 kB on thumbv6m (`opt-level = "s"`, link-time optimisation; `cargo xtask test probe`), without hash and `coded`,
//! but with the compiler's built-ins for clearing and comparing (0.2 kB) and a stand-in for a flash driver that may fail. Commands are 1.6 kB of it,
//! blocks, their checks and the order in which they are written 1.5 kB, answers 1.3 kB, sums and the map in flash 0.8 kB each, how an image is cut
//! 0.6 kB, taking a session up after a reset, erasing and checking the image 0.4 kB each.
//!
//! # Limits
//! Up to 65,535 blocks of both planes, block sizes a multiple of 16 up to what the meter's buffer holds, 32 blocks in an XOR frame, 32 generations.
//! One session at a time in a meter. A carrier must drop damaged messages (the tags catch a block that slips through, nothing catches a status).
#![no_std]

#[cfg(test)]
extern crate std;

pub mod bitmap;
pub mod boot;
pub mod carrier;
mod codec;
#[cfg(feature = "coded")]
pub mod coding;
pub mod error;
pub mod flash;
pub mod fragment;
pub mod gaps;
pub mod hash;
pub mod install;
pub mod message;
pub mod package;
pub mod receiver;
pub mod security;
pub mod sender;
pub mod session;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
