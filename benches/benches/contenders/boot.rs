//! Who puts a new program in the place of the old one and back: ours, and embassy-boot, on memories of the same geometry.
//!
//! Ours keeps the old program before the reset (the application copies it out while it goes on working), and its boot
//! loader checks what it copies by SHA-256, before and after. embassy-boot swaps the two, sector by sector, and checks
//! nothing.

use crate::flash::{Counts, RamFlash, SECTOR, WORD};
use core::time::Duration;
use embassy_boot::{BlockingFirmwareState, BootLoader, BootLoaderConfig};
use sha2::Sha256;
use std::time::Instant;
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::boot::{Boot, Judgement, Limits, Places, ResetCause};
use upgrade_proto::flash::Span;
use upgrade_proto::hash::Hash256;
use upgrade_proto::install::{
    FlashRecords, NoCipher, Policy, Program, PublicKey, Record, Records, State, Step, Upgrader,
};
use upgrade_proto::message::Identity;
use upgrade_proto::package::Address;
use upgrade_proto::receiver::{Config, Layout, Receiver};
use upgrade_proto::security::{Mac, MacKey, Trust, Verify};

/// Octets of a program, which fills its place.
pub const PROGRAM: usize = 64 * SECTOR;

/// What one step took.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub time: Duration,
    pub flash: Counts,
}

impl Cost {
    pub const fn and(self, other: Self) -> Self {
        Self { time: self.time.saturating_add(other.time), flash: self.flash.and(other.flash) }
    }
}

/// What the steps of one upgrade that fails took.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    /// A start with nothing to do.
    pub start: Cost,
    /// What the application does about the old program before the reset.
    pub application: Cost,
    pub install: Cost,
    pub roll_back: Cost,
}

impl Costs {
    /// The shorter times; the operations are the same every time.
    pub fn best(self, other: Self) -> Self {
        let shorter = |a: Cost, b: Cost| Cost { time: a.time.min(b.time), ..a };
        Self {
            start: shorter(self.start, other.start),
            application: shorter(self.application, other.application),
            install: shorter(self.install, other.install),
            roll_back: shorter(self.roll_back, other.roll_back),
        }
    }
}

/// The old and the new program.
pub struct Programs {
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Programs {
    pub fn new() -> Self {
        let noise = |seed: u32| -> Vec<u8> {
            let step = |state: &u32| Some(state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
            core::iter::successors(Some(seed), step).map(|state| (state >> 24) as u8).take(PROGRAM).collect()
        };
        Self { old: noise(1), new: noise(2) }
    }
}

/// Nobody has to be trusted: the record says that the image was verified.
struct Nobody;

impl Verify for Nobody {
    fn verify(&mut self, _: &PublicKey, _: &[u8; 32], _: &[u8; 64]) -> bool {
        false
    }
}

impl Mac for Nobody {
    fn mac(&mut self, _: MacKey, _: &[&[u8]]) -> Option<[u8; 16]> {
        None
    }
}

impl Trust for Nobody {
    fn root(&self) -> PublicKey {
        PublicKey::NONE
    }
}

const SIZE: u32 = PROGRAM as u32;
const UNIT: u32 = SECTOR as u32;
const PLACES: Places = Places {
    upload: Span { start: 0, len: SIZE },
    meta: Span { start: SIZE, len: UNIT },
    backup: Span { start: SIZE + UNIT, len: SIZE },
    app: Span { start: 0, len: SIZE },
};
const MAP: Span = Span { start: 2 * SIZE + UNIT, len: 2 * UNIT };
const RECORDS: Span = Span { start: 2 * SIZE + 3 * UNIT, len: 2 * UNIT };

/// The image has come and was verified; then all the rest, to the old program's return.
pub fn ours(programs: &Programs) -> Costs {
    let mut external = RamFlash::new((RECORDS.start + RECORDS.len) as usize);
    let mut app = RamFlash::new(PROGRAM);
    external.put(0, &programs.new);
    app.put(0, &programs.old);
    let program = |octets: &[u8]| Program { size: SIZE, sha256: Sha256::of(octets), ..Program::default() };
    let (running, upload) = (program(&programs.old), program(&programs.new));
    let sent = upload.sha256;
    store(&mut external, &Record { state: State::Idle, running, ..Record::default() });
    let start = boot(&mut external, &mut app, Judgement::Run);

    store(&mut external, &Record { state: State::Backup, running, upload, sent, ..Record::default() });
    (external.counts, app.counts) = (Counts::default(), Counts::default());
    let started = Instant::now();
    let layout = Layout { image: PLACES.upload, meta: PLACES.meta, scratch: Span::default() };
    let config = Config { identity: Identity::default(), address: Address([0; 6]), layout, untagged: false };
    let receiver = Receiver::<_, _, Sha256, _, 512>::new(external, FlashMap::new(MAP), [], config);
    let records = FlashRecords::new(RECORDS);
    let mut application = Upgrader::new(receiver, records, Nobody, PLACES, Policy::default());
    application.resume().expect("memory does not fail");
    while application.work(&mut app, 0, None).expect("memory does not fail") != Step::Reset {}
    let time = started.elapsed();
    let (mut external, _) = application.into_parts().0.into_parts();
    let application = Cost { time, flash: external.counts.and(app.counts) };

    let install = boot(&mut external, &mut app, Judgement::Trial);
    assert!(app.octets == programs.new, "installed");
    let mut records = FlashRecords::new(RECORDS);
    let trial = records.load(&mut external).expect("memory does not fail").expect("a record");
    store(&mut external, &Record { state: State::Rollback, ..trial });
    let roll_back = boot(&mut external, &mut app, Judgement::Run);
    assert!(app.octets == programs.old, "back again");
    Costs { start, application, install, roll_back }
}

fn store(external: &mut RamFlash, record: &Record) {
    let mut records = FlashRecords::new(RECORDS);
    records.load(external).expect("memory does not fail");
    records.store(external, record).expect("memory does not fail");
}

fn boot(external: &mut RamFlash, app: &mut RamFlash, expected: Judgement) -> Cost {
    (external.counts, app.counts) = (Counts::default(), Counts::default());
    let mut records = FlashRecords::new(RECORDS);
    let started = Instant::now();
    let mut boot = Boot::new(external, app, &mut records, PLACES, Limits::default());
    let judgement = boot.start::<Sha256>(ResetCause::Power, &mut NoCipher, || {});
    let time = started.elapsed();
    assert_eq!(judgement, Ok(expected));
    Cost { time, flash: external.counts.and(app.counts) }
}

/// The same with embassy-boot, whose buffer has `N` octets.
pub fn embassy<const N: usize>(programs: &Programs) -> Costs {
    let mut active = RamFlash::new(PROGRAM);
    // One sector more, to swap through.
    let mut dfu = RamFlash::new(PROGRAM + SECTOR);
    let mut state = RamFlash::new(SECTOR);
    active.put(0, &programs.old);
    dfu.put(0, &programs.new);
    let mut flashes = (&mut active, &mut dfu, &mut state);
    let start = prepare::<N>(&mut flashes, embassy_boot::State::Boot);

    *flashes.2 = RamFlash::new(SECTOR);
    let mut word = [0; WORD];
    let started = Instant::now();
    let marked = BlockingFirmwareState::new(&mut *flashes.2, &mut word).mark_updated();
    let time = started.elapsed();
    assert!(marked.is_ok(), "marked");
    let application = Cost { time, flash: flashes.2.counts };

    let install = prepare::<N>(&mut flashes, embassy_boot::State::Swap);
    assert!(flashes.0.octets == programs.new, "installed");
    // Nobody marks it booted, so the next start swaps back.
    let roll_back = prepare::<N>(&mut flashes, embassy_boot::State::Swap);
    assert!(flashes.0.octets == programs.old, "back again");
    Costs { start, application, install, roll_back }
}

fn prepare<const N: usize>(
    (active, dfu, state): &mut (&mut RamFlash, &mut RamFlash, &mut RamFlash),
    expected: embassy_boot::State,
) -> Cost {
    for flash in [&mut **active, &mut **dfu, &mut **state] {
        flash.counts = Counts::default();
    }
    let mut buffer = [0; N];
    let started = Instant::now();
    let config = BootLoaderConfig { active: &mut **active, dfu: &mut **dfu, state: &mut **state };
    let done = BootLoader::new(config).prepare_boot(&mut buffer);
    let time = started.elapsed();
    assert_eq!(done.ok(), Some(expected));
    Cost { time, flash: active.counts.and(dfu.counts).and(state.counts) }
}
