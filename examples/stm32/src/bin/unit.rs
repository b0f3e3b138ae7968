//! The management unit of a meter (papers 000 and 001), behind the boot loader: power status, watchdog, metering, time-of-use, display,
//! communication, turn by turn; DL/T 645 and firmware upgrades on one line.
#![no_std]
#![no_main]

use board::memories::{External, Own, Pages};
use board::watchdog::Watchdog;
use board::{Board, Line, Supply, entry, info};
use dlt645::{Address, Decoder as Frames, Slave, SlaveConfig};
use logic::sink::Sink;
use logic::unit::places::{ADDRESS, KEYS, MAP, PLACES, RECORDS};
use logic::unit::{Due, Duties, Facts, Unit};
use sha2::Sha256;
use upgrade_proto::bitmap::{Eeprom, FlashMap};
use upgrade_proto::carrier::plain::{Decoder as Messages, Frame, address_group};
use upgrade_proto::flash::Span;
use upgrade_proto::install::{EepromRecords, Policy, Program, PublicKey, State, Step, Upgrader};
use upgrade_proto::message::Identity;
use upgrade_proto::package::{self, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver};
use upgrade_proto::security::{Keys, Salty};

mod build {
    use super::{PublicKey, Version};
    include!(concat!(env!("OUT_DIR"), "/build.rs"));
}
use build::{KEY, VERSION};

const MAKER: [u8; 4] = *b"UNIT";
/// Longest block.
const BLOCK: usize = 512;
/// A block's message with what its carrier puts around it.
const MESSAGE: usize = BLOCK + 128;
/// Milliseconds that a trial runs before it is confirmed.
const TRIAL: u32 = 1500;

type Upgrade = Upgrader<External, FlashMap, Sha256, [u8; 0], EepromRecords<Pages>, Keys<Salty>, BLOCK>;

#[entry]
fn main() -> ! {
    if let Some(board) = Board::take(9600)
        && let Some(mut meter) = Meter::new(board)
    {
        meter.line.sender.put_all(b"READY\n");
        loop {
            if meter.turn().is_none() {
                info!("a memory fails");
            }
        }
    }
    board::reset()
}

/// All of it.
struct Meter {
    line: Line,
    supply: Supply,
    watchdog: Watchdog,
    duties: Duties,
    slave: Slave<Unit, [u8; 232]>,
    frames: Frames<[u8; dlt645::STORAGE]>,
    messages: Messages<[u8; MESSAGE]>,
    upgrade: Upgrade,
    address: package::Address,
    started: u32,
    heard: u32,
    tested: bool,
    wraps: u64,
    last: u32,
}

impl Meter {
    fn new(board: Board) -> Option<Meter> {
        let watchdog = Watchdog::new(board.parts.watchdog);
        let mut rcc = board.parts.rcc;
        let (external, parameters) = board::memories::open(board.parts.port, &mut rcc)?;
        let mut pages = Pages(parameters);
        let mut address = [0; 6];
        pages.read(ADDRESS, &mut address).ok()?;
        let address = package::Address(address);
        let [mut own, mut group] = [[0; 16]; 2];
        pages.read(KEYS, &mut own).ok()?;
        pages.read(KEYS + 16, &mut group).ok()?;
        let config = Config {
            identity: Identity { maker: MAKER, version: VERSION, read_time: 50, ..Identity::default() },
            address,
            layout: Layout { image: PLACES.upload, meta: PLACES.meta, scratch: Span::default() },
            untagged: false,
        };
        let receiver = Receiver::new(external, FlashMap::new(MAP), [], config);
        let keys = Keys { verify: Salty, root: KEY, meter: Some(own), group: Some(group) };
        // Signed images and sealed commands only.
        let policy = Policy { healthy: 2000, ..Policy::default() };
        let mut upgrade = Upgrade::new(receiver, EepromRecords::new(pages, RECORDS), keys, PLACES, policy);
        upgrade.resume().ok()?;
        upgrade.provision(Program { size: size(), version: VERSION, sha256: [0; 32] }, false).ok()?;
        let record = upgrade.record();
        info!("version {}.{}, state {}", VERSION.date, VERSION.number, record.state.code());
        let facts = Facts { version: (VERSION.date, VERSION.number), upgrade: record.state.code() };
        let mut octets = address.0;
        octets.reverse();
        let own = Address::from_octets(octets);
        let mut slave = SlaveConfig::new(dlt645::Version::V2007, own);
        slave.delay = 0;
        let now = board::now();
        Some(Meter {
            line: board.line,
            supply: board.parts.supply,
            watchdog,
            duties: Duties::new(now),
            slave: Slave::new(slave, Unit::new(own, facts), [0; 232]),
            frames: Frames::new([0; dlt645::STORAGE]),
            messages: Messages::new([0; MESSAGE]),
            upgrade,
            address,
            started: now,
            heard: now,
            tested: false,
            wraps: 0,
            last: now,
        })
    }

    /// Milliseconds since the start, without end.
    fn time(&mut self) -> u64 {
        let now = board::now();
        if now < self.last {
            self.wraps += 1 << 32;
        }
        self.last = now;
        self.wraps + u64::from(now)
    }

    /// One turn of the main loop (paper 000, 3.3); `None` where a memory has failed, which the next turn tries again.
    fn turn(&mut self) -> Option<()> {
        let due = self.duties.turn(board::now(), self.supply.is_up());
        self.power(&due);
        self.watchdog.feed();
        for _ in 0..due.metering {
            self.slave.meter.second();
        }
        if due.time_of_use {
            self.slave.meter.time_of_use();
        }
        if let Some(item) = due.display {
            self.show(item);
        }
        let heard = self.communicate()?;
        let step = self.upgrade()?;
        if !heard && step != Step::More {
            // Nothing to do before the next octet or millisecond.
            cortex_m::asm::wfi();
        }
        Some(())
    }

    fn power(&mut self, due: &Due) {
        if let Some(supplied) = due.supply {
            info!("supply {}", supplied);
            if !supplied {
                // What the map of the blocks holds back goes to its memory.
                let _ = self.upgrade.receiver().flush();
            }
        }
    }

    fn show(&mut self, item: u8) {
        let metering = self.slave.meter.metering();
        match item {
            0 => {
                info!("display: {} x 0.01 kWh", metering.energy(None));
            }
            1 => {
                info!("display: {} x 0.1 V", metering.voltage);
            }
            _ => {
                info!("display: {} W", metering.power);
            }
        }
    }

    /// What came on the line, and what there is to answer; whether anything came. A memory that fails costs no octet.
    fn communicate(&mut self) -> Option<bool> {
        let mut chunk = [0; 64];
        let time = self.time();
        let now = board::now();
        let octets = self.line.receiver.take(&mut chunk);
        let mut whole = true;
        let mut input = octets;
        while let Some(frame) = self.messages.decode(&mut input) {
            // A medium that all share gives back what one sends.
            if frame.from == self.address {
                continue;
            }
            let to = match address_group(frame.to) {
                Some(group) => Addressed::Group(group),
                None if frame.to == self.address => Addressed::Me,
                None => Addressed::Other,
            };
            let from = frame.from;
            let message = frame.message;
            let taken = self.upgrade.handle_message(message, to, time).is_ok();
            whole &= taken && answer(&mut self.upgrade, &mut self.line, self.address, from, time).is_some();
        }
        let mut input = octets;
        while let Some(event) = self.frames.decode(&mut input) {
            if let Ok(frame) = event {
                self.slave.handle_frame(&frame, now);
            }
            reply(&mut self.slave, &mut self.line, now);
        }
        if !octets.is_empty() {
            self.heard = now;
        } else if now.wrapping_sub(self.heard) > dlt645::GAP {
            self.heard = now;
            while let Some(event) = self.frames.finish() {
                if let Ok(frame) = event {
                    self.slave.handle_frame(&frame, now);
                }
            }
        }
        reply(&mut self.slave, &mut self.line, now);
        whole.then_some(!octets.is_empty())
    }

    /// One bounded step of the upgrade.
    fn upgrade(&mut self) -> Option<Step> {
        let (time, clock) = (self.time(), self.slave.meter.time());
        let trial = self.upgrade.record().state == State::Trial;
        let lived = board::now().wrapping_sub(self.started);
        if trial && cfg!(feature = "crash") && lived > 100 {
            die(self.upgrade.record().faults);
        }
        if trial && !self.tested && lived > TRIAL {
            self.tested = true;
            // It measures, and in range.
            let pass = self.slave.meter.metering().voltage > 1000;
            self.upgrade.handle_self_test(pass);
        }
        let before = self.upgrade.record().state;
        let step = self.upgrade.work(&mut Own, time, clock).ok()?;
        let after = self.upgrade.record().state;
        if before != after {
            info!("upgrade: state {} -> {}", before.code(), after.code());
            self.slave.meter.set_upgrade(after.code());
        }
        if step == Step::Reset {
            info!("reset for the boot loader");
            board::reset();
        }
        // Sent to nobody in particular: answers to a roll call wait for their slot.
        answer(&mut self.upgrade, &mut self.line, self.address, package::Address::default(), time)?;
        Some(step)
    }
}

/// Sends what the upgrade has to say, if it is due.
fn answer(
    upgrade: &mut Upgrade,
    line: &mut Line,
    from: package::Address,
    to: package::Address,
    time: u64,
) -> Option<()> {
    if upgrade.poll_timeout().is_none_or(|at| at > time) {
        return Some(());
    }
    let (mut message, mut out) = ([0; 200], [0; 232]);
    if let Some(message) = upgrade.poll_transmit(&mut message, time).ok()? {
        let octets = Frame { to, from, message }.encode(&mut out).ok()?;
        line.sender.put_all(octets);
    }
    Some(())
}

/// Sends what the slave has to say.
fn reply(slave: &mut Slave<Unit, [u8; 232]>, line: &mut Line, now: u32) {
    let mut out = [0; 232];
    if let Some(octets) = slave.poll_transmit(&mut out, now) {
        line.sender.put_all(octets);
    }
}

/// What a bad program does.
fn die(faults: u8) {
    info!("this version dies in its trial");
    if faults.is_multiple_of(2) {
        cortex_m::asm::udf();
    }
    loop {
        cortex_m::asm::wfi();
    }
}

/// Octets of this program: from where it is linked to, to the end of its initial values.
fn size() -> u32 {
    unsafe extern "C" {
        static __sidata: u32;
        static __sdata: u32;
        static __edata: u32;
        static __vector_table: u32;
    }
    let at = |symbol: *const u32| symbol as u32;
    let data = at(&raw const __edata) - at(&raw const __sdata);
    at(&raw const __sidata) + data - at(&raw const __vector_table)
}
