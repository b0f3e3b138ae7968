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
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver};

type Meter = Receiver<Memory, FlashMap, NoHash, [u8; 0], 512>;

fn meter() -> Meter {
    let span = |start, len| core::hint::black_box(Span { start, len });
    let layout = Layout { image: span(0, 0x40000), meta: span(0x40000, 0x2000), scratch: span(0, 0) };
    let config = Config {
        identity: core::hint::black_box(Default::default()),
        address: Default::default(),
        layout,
        untagged: false,
    };
    Receiver::new(Memory, FlashMap::new(span(0x42000, 0x4000)), [], config)
}

probe::probe!(Option<Meter> = None, |state, octets| {
    let meter = state.get_or_insert_with(meter);
    let now = u64::from(octets.len() as u32);
    let mut answer = [0; 64];
    let done = [
        meter.resume().is_ok(),
        meter.handle_message(octets, Addressed::Me, now).is_ok(),
        meter.work(now).is_ok(),
        meter.poll_transmit(&mut answer, now).is_ok_and(|sent| sent.is_some()),
    ];
    done.iter().fold(u32::from(answer[0]), |sum, done| sum << 1 | u32::from(*done))
});
