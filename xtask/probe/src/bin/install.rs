//! The application's part of an upgrade on top of the receiver: state, event log, manifests, sealed control, backup, trial.
//!
//! Without hash, signature and check values, which are the caller's (peripherals or crates).
#![no_std]
#![no_main]

#[path = "../memory.rs"]
mod memory;

use memory::Memory;
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::boot::Places;
use upgrade_proto::flash::Span;
use upgrade_proto::hash::NoHash;
use upgrade_proto::install::{EepromRecords, Policy, PublicKey, Upgrader};
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver};
use upgrade_proto::security::{Mac, MacKey, Trust, Verify};

type Meter = Upgrader<Memory, FlashMap, NoHash, [u8; 0], EepromRecords<Memory>, Element, 512>;

/// Stands for a secure element.
struct Element;

impl Verify for Element {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        core::hint::black_box((key, digest, signature)).0.algorithm == 1
    }
}

impl Mac for Element {
    fn mac(&mut self, key: MacKey, parts: &[&[u8]]) -> Option<[u8; 16]> {
        core::hint::black_box((key, parts));
        Some([0; 16])
    }
}

impl Trust for Element {
    fn root(&self) -> PublicKey {
        PublicKey::ed25519(&[0; 32])
    }
}

fn meter() -> Meter {
    let span = |start, len| core::hint::black_box(Span { start, len });
    let (upload, meta) = (span(0, 0x40000), span(0x40000, 0x2000));
    let places = Places { upload, meta, backup: span(0x50000, 0x40000), app: span(0x4000, 0x3C000) };
    let config = Config {
        identity: core::hint::black_box(Default::default()),
        address: Default::default(),
        layout: Layout { image: upload, meta, scratch: span(0, 0) },
        untagged: false,
    };
    let receiver = Receiver::new(Memory, FlashMap::new(span(0x42000, 0x4000)), [], config);
    Upgrader::new(receiver, EepromRecords::new(Memory, 0), Element, places, Policy::default())
}

probe::probe!(Option<Meter> = None, |state, octets| {
    let meter = state.get_or_insert_with(meter);
    let now = u64::from(octets.len() as u32);
    let mut answer = [0; 80];
    meter.handle_self_test(octets.len() > 9);
    let done = [
        meter.resume().is_ok(),
        meter.handle_message(octets, Addressed::Me, now).is_ok(),
        meter.work(&mut Memory, now, Some(octets.len() as u32)).is_ok(),
        meter.poll_transmit(&mut answer, now).is_ok_and(|sent| sent.is_some()),
    ];
    done.iter().fold(u32::from(answer[0]), |sum, done| sum << 1 | u32::from(*done))
});
