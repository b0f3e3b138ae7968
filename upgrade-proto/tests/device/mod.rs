//! A meter whole: boot loader, application, three memories, and a concentrator beside it that brings an upgrade to its end whatever happens.
#![allow(dead_code, unreachable_pub, reason = "each user takes its part")]

pub mod memory;
pub mod package;

use core::cell::RefCell;
use embedded_storage::nor_flash::NorFlash;
use memory::{Line, Nor, Rom, Supply, Tear};
use package::{MAKER, Package, Toy};
use sha2::Sha256;
use std::rc::Rc;
use upgrade_proto::bitmap::{BlockMap, EepromMap, FlashMap};
use upgrade_proto::boot::{Boot, BootError, Judgement, Limits, Places, ResetCause};
use upgrade_proto::flash::{FlashError, Span};
use upgrade_proto::hash::Hash256;
use upgrade_proto::install::{
    EepromRecords, FlashRecords, NoCipher, Policy, Program, Record, Records, State, Step, Upgrader, event,
};
use upgrade_proto::message::{Identity, Message, Packet, Phase};
use upgrade_proto::package::{Address, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Outcome, Receiver};
use upgrade_proto::security::{Trust, seal_command};
use upgrade_proto::session::Plane;

pub const ADDRESS: Address = Address([0, 0, 0, 0, 0x12, 0x34]);
pub const OLD: Version = Version { date: 20_230_101, number: 0 };

/// Which memories a meter has.
pub trait Kit: Sized {
    type Ext: NorFlash + Clone;
    type App: NorFlash + Clone;
    type Map: BlockMap<Self::Ext>;
    type Rec: Records<Self::Ext>;
    /// Octets of the image and backup spans.
    const SPAN: u32;
    /// Blocks stored before a cut that it may cost, beside the one it hits.
    const LOSS: u32;
    /// Blocks after which the map is written to its memory.
    const LAG: u32 = if Self::LOSS == 0 { 0 } else { 16 };
    fn new(line: &Line) -> Self;
    fn ext(&self) -> Self::Ext;
    fn app(&self) -> Self::App;
    fn map(&self) -> Self::Map;
    fn records(&self) -> Self::Rec;
    fn load_app(&self, program: &[u8]);
    fn dump_app(&self, len: usize) -> Vec<u8>;
}

pub const META: u32 = 2048;
pub const MAP: u32 = 2048;
pub const LOG: u32 = 4096;

const fn spans(size: u32, sector: u32) -> (Span, Span, Span, Span, Span) {
    let meta = if sector > META { sector * 16 } else { META };
    let map = if sector * 2 > MAP { sector * 2 } else { MAP };
    let log = if sector * 2 > LOG { sector * 2 } else { LOG };
    (
        Span { start: 0, len: size },
        Span { start: size, len: meta },
        Span { start: size + meta, len: size },
        Span { start: size * 2 + meta, len: map },
        Span { start: size * 2 + meta + map, len: log },
    )
}

macro_rules! kit {
    ($name:ident, $app_sector:expr, $write:expr, $sector:expr, $multi:expr, $page:expr, $span:expr, $loss:expr, $map:ty, $rec:ty,
     |$make:ident, $spans:ident| $map_of:expr, $rec_of:expr) => {
        pub struct $name {
            ext: Nor<$write, $sector, $multi>,
            app: Nor<8, $app_sector, false>,
            pub rom: Rom<$page>,
        }
        impl Kit for $name {
            type Ext = Nor<$write, $sector, $multi>;
            type App = Nor<8, $app_sector, false>;
            type Map = $map;
            type Rec = $rec;
            const SPAN: u32 = $span;
            const LOSS: u32 = $loss;
            fn new(line: &Line) -> Self {
                let (.., last) = spans($span, $sector);
                $name {
                    ext: Nor::new(line, (last.start + last.len) as usize),
                    app: Nor::new(line, $span as usize),
                    rom: Rom::new(line, 4096),
                }
            }
            fn ext(&self) -> Self::Ext {
                self.ext.clone()
            }
            fn app(&self) -> Self::App {
                self.app.clone()
            }
            fn map(&self) -> Self::Map {
                let ($make, $spans) = (self, spans($span, $sector));
                let _ = ($make, $spans);
                $map_of
            }
            fn records(&self) -> Self::Rec {
                let ($make, $spans) = (self, spans($span, $sector));
                let _ = ($make, $spans);
                $rec_of
            }
            fn load_app(&self, program: &[u8]) {
                self.app.load(0, program);
            }
            fn dump_app(&self, len: usize) -> Vec<u8> {
                self.app.dump(0, len)
            }
        }
    };
}

// Block map in NOR that may be programmed again, records in an EEPROM with pages of 128 octets.
kit!(
    Multi,
    1024,
    4,
    1024,
    true,
    128,
    8192,
    0,
    FlashMap,
    EepromRecords<Rom<128>>,
    |kit, spans| FlashMap::new(spans.3),
    EepromRecords::new(kit.rom.clone(), 0)
);
// The same without EEPROM.
kit!(
    Bare,
    2048,
    1,
    1024,
    true,
    128,
    8192,
    0,
    FlashMap,
    FlashRecords,
    |kit, spans| FlashMap::new(spans.3),
    FlashRecords::new(spans.4)
);
// Flash that takes each unit once, map and records in an EEPROM with pages of 32 octets.
kit!(
    Once,
    1024,
    16,
    1024,
    false,
    32,
    8192,
    8,
    EepromMap<Rom<32>, 32>,
    EepromRecords<Rom<32>>,
    |kit, spans| EepromMap::new(kit.rom.clone(), 2048, 96, 2, 16),
    EepromRecords::new(kit.rom.clone(), 0)
);
// Full size: 1 MiB in sectors of 4 KiB.
kit!(
    Full,
    4096,
    1,
    4096,
    true,
    64,
    0x10_0000,
    0,
    FlashMap,
    EepromRecords<Rom<64>>,
    |kit, spans| FlashMap::new(spans.3),
    EepromRecords::new(kit.rom.clone(), 0)
);

pub type App<K, T> = Upgrader<<K as Kit>::Ext, <K as Kit>::Map, Sha256, [u8; 0], <K as Kit>::Rec, T, 512>;

pub struct Device<K> {
    pub line: Line,
    pub kit: K,
    pub now: u64,
    pub clock: u32,
    pub identity: Identity,
    pub policy: Policy,
    pub limits: Limits,
    pub old: Vec<u8>,
    /// Boot loader calls of `feed`.
    pub slices: u64,
}

/// How a life of the application ended.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The supply went.
    Cut,
    /// It asks for a reset.
    Reset,
    /// The upgrade is confirmed.
    Done,
    /// Nothing happens any more.
    Stuck,
}

impl<K: Kit> Device<K> {
    pub fn new(old: &[u8]) -> Self {
        let line: Line = Rc::new(RefCell::new(Supply::default()));
        let kit = K::new(&line);
        kit.load_app(old);
        let identity = Identity { maker: MAKER, version: OLD, ..Identity::default() };
        let policy = Policy { healthy: 50, safety: 100_000, ..Policy::default() };
        let (now, clock, limits) = (0, 1000, Limits::default());
        Device { line, kit, now, clock, identity, policy, limits, old: old.to_vec(), slices: 0 }
    }

    pub fn places(&self) -> Places {
        let sector = K::Ext::ERASE_SIZE as u32;
        let (upload, meta, backup, ..) = spans(K::SPAN, sector);
        Places { upload, meta, backup, app: Span { start: 0, len: K::SPAN } }
    }

    pub fn boot(&mut self, cause: ResetCause) -> Result<Judgement, BootError> {
        let (mut ext, mut app, mut records) = (self.kit.ext(), self.kit.app(), self.kit.records());
        let mut boot = Boot::new(&mut ext, &mut app, &mut records, self.places(), self.limits);
        let slices = &mut self.slices;
        boot.start::<Sha256>(cause, &mut NoCipher, || *slices += 1)
    }

    pub fn application<T: Trust>(&self, trust: T, running: Version) -> Result<App<K, T>, FlashError> {
        let places = self.places();
        let layout = Layout { image: places.upload, meta: places.meta, scratch: Span::default() };
        let identity = Identity { version: running, ..self.identity };
        let config = Config { identity, address: ADDRESS, layout, untagged: false };
        let receiver = Receiver::new(self.kit.ext(), self.kit.map(), [], config);
        let mut app = Upgrader::new(receiver, self.kit.records(), trust, places, self.policy);
        app.resume()?;
        let old = Program { size: self.old.len() as u32, version: OLD, sha256: Sha256::of(&self.old) };
        app.provision(old, false)?;
        Ok(app)
    }

    pub fn record(&mut self) -> Record {
        self.kit.records().load(&mut self.kit.ext()).unwrap().unwrap_or_default()
    }

    /// Which program stands in the program flash, whole.
    pub fn runs(&self, package: &Package) -> Option<Version> {
        if self.kit.dump_app(self.old.len()) == self.old {
            Some(OLD)
        } else if self.kit.dump_app(package.program.len()) == package.program {
            Some(package.version)
        } else {
            None
        }
    }

    pub fn revive(&self) {
        self.line.borrow_mut().dead = false;
    }
}

/// What the concentrator knows.
pub struct Head<'p> {
    pub package: &'p Package,
    /// Number of the last command.
    pub number: u32,
    /// Blocks the meter has, as last seen.
    pub stored: u32,
    /// Blocks it had and has no more.
    pub lost: u32,
    /// How often the new program's check fails before it passes.
    pub failures: usize,
    /// Cuts there were.
    pub cuts: u32,
}

impl<'p> Head<'p> {
    pub fn new(package: &'p Package) -> Self {
        Head { package, number: 0, stored: 0, lost: 0, failures: 0, cuts: 0 }
    }

    /// Each cut may cost the block it hits and what [`Kit::LOSS`] says, no more.
    fn observe<K: Kit>(&mut self, units: u32, app: &mut App<K, Toy>) {
        let missing = app.receiver().missing(Plane::Meta) + app.receiver().missing(Plane::Data);
        let present = units - u32::from(missing);
        self.lost += self.stored.saturating_sub(present);
        self.stored = present;
        // A second cut, while what the first one left is put right, may cost what the map in RAM was ahead of the EEPROM.
        let most = K::LOSS * self.cuts + K::LAG * self.cuts.saturating_sub(1);
        assert!(self.lost <= most, "{} blocks lost in {} cuts", self.lost, self.cuts);
    }

    pub fn octets(&self, message: Message<'_>) -> Vec<u8> {
        let mut buffer = [0; 700];
        Packet { session: self.package.session, message }.encode(&mut buffer).unwrap().to_vec()
    }

    pub fn sealed(&mut self, message: Message<'_>) -> Vec<u8> {
        self.number += 1;
        let mut buffer = [0; 700];
        seal_command(&mut Toy, ADDRESS, self.number, &self.octets(message), &mut buffer).unwrap().to_vec()
    }
}

/// One life of the application with a concentrator that goes on where the meter stands.
pub fn live<K: Kit>(device: &mut Device<K>, head: &mut Head<'_>) -> End {
    match life(device, head) {
        Ok(end) => end,
        Err(FlashError) => {
            assert!(device.line.borrow().dead, "a memory failed without a cut");
            End::Cut
        }
    }
}

fn life<K: Kit>(device: &mut Device<K>, head: &mut Head<'_>) -> Result<End, FlashError> {
    let package = head.package;
    let Some(running) = device.runs(package) else { panic!("neither the old nor the new program") };
    let mut app = device.application(Toy, running)?;
    let mut flash = device.kit.app();
    let units = u32::from(package.geometry.units());
    let mut tick = |app: &mut App<K, Toy>, device: &mut Device<K>| -> Result<Step, FlashError> {
        loop {
            device.now += 1;
            device.clock += 1;
            match app.work(&mut flash, device.now, Some(device.clock))? {
                Step::More => {}
                step => return Ok(step),
            }
        }
    };
    for turn in 0..200 {
        let step = tick(&mut app, device)?;
        if turn == 0 && app.receiver().session() == Some(package.session) {
            // What lagged was found again in the flash by now.
            head.observe::<K>(units, &mut app);
        }
        if step == Step::Reset {
            return Ok(End::Reset);
        }
        let state = app.record().state;
        let phase = app.receiver().phase();
        match state {
            State::Confirmed if app.record().session == package.session => return Ok(End::Done),
            State::Trial => {
                if let Step::Until(at) = step
                    && app.record().early != 0
                {
                    device.now = at;
                    continue;
                }
                let events = app.record().events.iter();
                let back = events.filter(|event| event.kind == event::ROLLED_BACK).count();
                app.handle_self_test(back >= head.failures);
            }
            State::Receiving | State::Erasing
                if phase == Phase::Receiving && app.record().session == package.session =>
            {
                for plane in [Plane::Meta, Plane::Data] {
                    for index in 0..package.geometry.count(plane) {
                        let data = package.block(plane, index);
                        let block = Message::Block { plane, index, acknowledge: false, data };
                        let octets = head.octets(block);
                        match app.handle_message(&octets, Addressed::Group(0), device.now)? {
                            Outcome::Stored { .. } | Outcome::Duplicate => {}
                            // Its digest went with a sector that had to be erased: the next turn brings both.
                            Outcome::Unusable if K::LOSS > 0 => {}
                            other => panic!("{plane:?} {index}: {other:?}"),
                        }
                        head.observe::<K>(units, &mut app);
                        if tick(&mut app, device)? == Step::Reset {
                            return Ok(End::Reset);
                        }
                    }
                }
            }
            _ if phase == Phase::Complete => {
                let octets = head.octets(Message::Verify);
                app.handle_message(&octets, Addressed::Group(0), device.now)?;
            }
            State::Verified | State::RolledBack if app.record().session == package.session => {
                let octets = head.sealed(Message::Activate { at: 0 });
                let outcome = app.handle_message(&octets, Addressed::Me, device.now)?;
                assert_eq!(outcome, Outcome::Activate { at: 0 });
            }
            State::Idle | State::Confirmed | State::Verified | State::RolledBack => {
                head.stored = 0;
                let octets = head.sealed(Message::Initiate(package.initiate));
                let outcome = app.handle_message(&octets, Addressed::Me, device.now)?;
                assert_eq!(outcome, Outcome::Taken);
            }
            _ => device.now += 10,
        }
    }
    Ok(End::Stuck)
}

/// Brings an upgrade to its end over whatever cuts the supply has planned; lives it took.
pub fn upgrade<K: Kit>(device: &mut Device<K>, head: &mut Head<'_>) -> u32 {
    let mut cause = ResetCause::Power;
    for lives in 1..=200 {
        device.revive();
        match device.boot(cause) {
            Ok(_) => {}
            Err(error) => {
                assert!(device.line.borrow().dead, "the boot loader gives up: {error}");
                head.cuts += 1;
                cause = ResetCause::Power;
                continue;
            }
        }
        match live(device, head) {
            End::Done => return lives,
            End::Cut => {
                head.cuts += 1;
                cause = ResetCause::Power;
            }
            End::Reset => cause = ResetCause::Software,
            End::Stuck => panic!("stuck in {:?}", device.record().state),
        }
    }
    panic!("never done: {:?}", device.record())
}

/// One run with these cuts, from the first block to Confirmed, and all that must hold after it.
pub fn run<K: Kit>(old: &[u8], package: &Package, cuts: &[(u64, Tear)]) -> u64 {
    run_with::<K>(old, package, cuts, 0)
}

/// The same with a new program that fails its own check so many times.
pub fn run_with<K: Kit>(old: &[u8], package: &Package, cuts: &[(u64, Tear)], failures: usize) -> u64 {
    let mut device = Device::<K>::new(old);
    device.line.borrow_mut().cuts = cuts.to_vec();
    let mut head = Head::new(package);
    head.failures = failures;
    upgrade(&mut device, &mut head);
    assert_eq!(device.runs(package), Some(package.version), "the new program runs");
    let record = device.record();
    assert_eq!(record.state, State::Confirmed);
    assert_eq!(record.floor, record.counter);
    let events: Vec<u8> = record.events.iter().map(|event| event.kind).collect();
    let mut wanted = vec![event::ACTIVATED];
    wanted.extend(vec![event::ROLLED_BACK; failures]);
    wanted.extend([event::VERIFIED, event::INITIALISED]);
    assert_eq!(events, wanted, "the event log is consistent");
    let times: Vec<u32> = record.events.iter().map(|event| event.time).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    assert!(record.events.iter().all(|event| event.version == package.version));
    device.line.borrow().operations
}
