//! The boot loader and the application over memories in any state, and over a supply that fails at any operations.
//!
//! From a valid state no cuts brick the meter: the upgrade ends confirmed. From memories that hold anything, records with right check values included,
//! nothing panics, and what a copy comes from is never written.
#![no_main]

#[path = "../../upgrade-proto/tests/device/mod.rs"]
mod device;

use device::memory::{Rng, Tear};
use device::package::{Package, Recipe, Toy};
use device::{Bare, Device, Head, Kit, Multi, OLD, Once, live, run_with};
use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;
use upgrade_proto::boot::ResetCause;
use upgrade_proto::hash::crc32;
use upgrade_proto::install::RECORD_LEN;
use upgrade_proto::message::Message;
use upgrade_proto::receiver::Addressed;

fn story() -> &'static (Vec<u8>, Package) {
    static STORY: OnceLock<(Vec<u8>, Package)> = OnceLock::new();
    STORY.get_or_init(|| {
        let package = Package::new(Rng::new(2).octets(2000), &Recipe::default(), &Toy);
        (Rng::new(1).octets(1500), package)
    })
}

fuzz_target!(|data: &[u8]| {
    let Some((&[mode, kit], rest)) = data.split_first_chunk() else { return };
    if mode & 1 == 0 {
        cuts(kit, usize::from(mode >> 1 & 1), rest);
    } else {
        anything(rest);
    }
});

/// `operations u16 | tear u8 | seed u8` for each of up to eight cuts.
fn cuts(kit: u8, failures: usize, data: &[u8]) {
    let (old, package) = story();
    let cuts: Vec<(u64, Tear)> = data
        .chunks_exact(4)
        .take(8)
        .map(|cut| {
            let tear = match cut[2] & 3 {
                0 => Tear::Nothing,
                1 => Tear::FirstHalf,
                2 => Tear::SecondHalf,
                _ => Tear::Bits(cut[3].into()),
            };
            (u64::from(u16::from_be_bytes([cut[0], cut[1]])) % 512, tear)
        })
        .collect();
    match kit % 3 {
        0 => run_with::<Multi>(old, package, &cuts, failures),
        1 => run_with::<Bare>(old, package, &cuts, failures),
        _ => run_with::<Once>(old, package, &cuts, failures),
    };
}

/// `state u8 | causes u8 | patches: (where u8, at u16, value u8)…`: record fields (check value mended), raw EEPROM, external flash, program.
fn anything(data: &[u8]) {
    let (old, package) = story();
    let Some((&[state, causes], patches)) = data.split_first_chunk() else { return };
    let mut device = Device::<Multi>::new(old);
    let mut head = Head::new(package);
    let _ = device.boot(ResetCause::Power);
    if state & 1 != 0 {
        live(&mut device, &mut head);
    }
    if state & 2 != 0 {
        let _ = device.boot(ResetCause::Software);
    }
    let mut fields = device.record().encode(1000);
    let mut mended = false;
    for patch in patches.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([patch[1], patch[2]]));
        let cells = match patch[0] & 3 {
            0 => {
                // Past magic and sequence.
                fields[8 + at % (RECORD_LEN - 12)] = patch[3];
                mended = true;
                continue;
            }
            1 => {
                let mut octets = device.kit.rom.octets.borrow_mut();
                let len = octets.len();
                octets[at % len] = patch[3];
                continue;
            }
            2 => device.kit.ext().cells,
            _ => device.kit.app().cells,
        };
        let mut cells = cells.borrow_mut();
        let len = cells.octets.len();
        cells.octets[at % len] = patch[3];
    }
    if mended {
        let (body, tail) = fields.split_last_chunk_mut::<4>().expect("a record is longer");
        *tail = crc32(body).to_be_bytes();
        device.kit.rom.octets.borrow_mut()[..RECORD_LEN].copy_from_slice(&fields);
    }
    for turn in 0..4 {
        let cause = match causes >> (turn * 2) & 3 {
            0 => ResetCause::Power,
            1 => ResetCause::Fault,
            2 => ResetCause::Software,
            _ => ResetCause::Other,
        };
        let before = device.kit.ext().cells.borrow().octets.clone();
        let _ = device.boot(cause);
        assert!(
            before == device.kit.ext().cells.borrow().octets,
            "the boot loader wrote to the external flash"
        );
    }
    let Ok(mut app) = device.application(Toy, OLD) else { return };
    let mut flash = device.kit.app();
    app.handle_self_test(causes & 1 != 0);
    for now in 0..60u32 {
        let message = match now % 5 {
            0 => Message::Initiate(package.initiate),
            1 => Message::Activate { at: now },
            2 => Message::EventQuery { from: now as u8 },
            3 => Message::Verify,
            _ => Message::Cancel,
        };
        let octets = head.sealed(message);
        let _ = app.handle_message(&octets, Addressed::Me, now.into());
        let _ = app.work(&mut flash, now.into(), (causes & 2 != 0).then_some(now));
        let mut out = [0; 90];
        let _ = app.poll_transmit(&mut out, now.into());
    }
}
