//! The receiver of an upgrade: messages to blocks in flash, what is there in a bitmap beside them, answers.
//!
//! Without the hash, which is the caller's (a crypto peripheral or a crate).
#![no_std]
#![no_main]

#[path = "../memory.rs"]
mod memory;

use memory::Memory;
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::flash::Span;
use upgrade_proto::hash::NoHash;
use upgrade_proto::message::{Identity, Phase};
use upgrade_proto::package::{Address, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver};

type Meter = Receiver<Memory, FlashMap, NoHash, [u8; 0], 512>;

/// In a static, as in firmware.
const METER: Meter = {
    const fn span(start: u32, len: u32) -> Span {
        Span { start, len }
    }
    let identity = Identity {
        maker: *b"TEST",
        model: 1,
        hardware: 1,
        version: Version { date: 20_260_101, number: 1 },
        module: 0,
        block_max: 0,
        rows: 0,
        read_time: 100,
        phase: Phase::Idle,
    };
    let layout = Layout { image: span(0, 0x40000), meta: span(0x40000, 0x2000), scratch: span(0, 0) };
    let config = Config { identity, address: Address([1, 2, 3, 4, 5, 6]), layout, untagged: true };
    Receiver::new(Memory, FlashMap::new(span(0x42000, 0x4000)), [], config)
};

probe::probe!(Meter = METER, |meter, octets| {
    let now = u64::from(octets.len() as u32);
    let to = match octets.len() & 3 {
        0 => Addressed::Me,
        1 => Addressed::Other,
        _ => Addressed::Group(octets.len() as u16),
    };
    let mut answer = [0; 64];
    let done = meter.resume().is_ok()
        & meter.handle_message(octets, to, now).is_ok()
        & meter.work(now).is_ok()
        & meter.poll_transmit(&mut answer, now).is_ok_and(|sent| sent.is_some());
    u32::from(answer[0]) | u32::from(done) << 8
});
