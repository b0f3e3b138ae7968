//! The boot loader's part of an upgrade: judgement, copies, comparison, trial, roll back.
//!
//! Without the hash and the drivers, which are the caller's.
#![no_std]
#![no_main]

#[path = "../memory.rs"]
mod memory;

use memory::Memory;
use upgrade_proto::boot::{Boot, Limits, Places, ResetCause};
use upgrade_proto::flash::Span;
use upgrade_proto::hash::NoHash;
use upgrade_proto::install::{EepromRecords, NoCipher};

probe::probe!(u32 = 0, |state, octets| {
    let span = |start, len| core::hint::black_box(Span { start, len });
    let places = Places {
        upload: span(0, 0x40000),
        meta: span(0x40000, 0x2000),
        backup: span(0x42000, 0x40000),
        app: span(0x4000, 0x3C000),
    };
    let (mut external, mut app, mut records) = (Memory, Memory, EepromRecords::new(Memory, 0));
    let mut boot = Boot::new(&mut external, &mut app, &mut records, places, Limits::default());
    let cause = ResetCause::from_flags(octets.len() & 1 != 0, octets.len() & 2 != 0, octets.len() & 4 != 0);
    let fed = &mut *state;
    match boot.start::<NoHash>(cause, &mut NoCipher, || *fed = fed.wrapping_add(1)) {
        Ok(judgement) => judgement as u32,
        Err(_) => 0x100,
    }
});
