//! Whole upgrades of meters that take commands in envelopes alone, with somebody on the channel who repeats and forges.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::float_arithmetic,
    clippy::panic,
    clippy::expect_used,
    reason = "test code"
)]

mod common;

use common::*;
use proptest::prelude::*;
use sha2::Sha256;
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::boot::{Boot, Judgement, Limits, Places, ResetCause};
use upgrade_proto::error::Refusal;
use upgrade_proto::flash::Span;
use upgrade_proto::install::{
    FlashRecords, NoCipher, Policy, Program, PublicKey, State as Record, Step, Upgrader,
};
use upgrade_proto::message::{Initiate, Message, Packet, Phase, Report, Status};
use upgrade_proto::package::{Address, Version};
use upgrade_proto::receiver::{Addressed, Outcome, Receiver};
use upgrade_proto::security::{Keys, NoVerify, cmac, seal_command, seal_group};
use upgrade_proto::sender::{
    Envelopes, KeyRing, Reason, Seal, Sender, Settings, State, Strategy as Repair, To, Whose,
};
use upgrade_proto::session::{Plane, Session};

const BACKUP: u32 = FLASH_LEN as u32;
const RECORDS: Span = Span { start: BACKUP + IMAGE_SPAN, len: 0x2000 };
const GROUP: [u8; 16] = [0x6B; 16];

fn key(address: Address) -> [u8; 16] {
    let Address([.., last]) = address;
    [last ^ 0xA0; 16]
}

/// The concentrator's keys.
#[derive(Clone)]
struct Ring {
    group: bool,
}

impl KeyRing for Ring {
    fn mac(&mut self, whose: Whose, parts: &[&[u8]]) -> Option<[u8; 16]> {
        match whose {
            Whose::Meter(address) => Some(cmac(&key(address), parts)),
            Whose::Group => self.group.then(|| cmac(&GROUP, parts)),
        }
    }
    fn has_group(&self) -> bool {
        self.group
    }
}

type App = Upgrader<Flash, FlashMap, Sha256, [u8; 1024], FlashRecords, Keys<NoVerify>, 512>;

/// A meter behind its boot loader.
struct Unit {
    number: u8,
    app: Option<App>,
    program: Flash,
    /// Numbers of the commands it took.
    taken: Vec<u32>,
}

fn places() -> Places {
    let layout = config(0).layout;
    Places {
        upload: layout.image,
        meta: layout.meta,
        backup: Span { start: BACKUP, len: IMAGE_SPAN },
        app: Span { start: 0, len: IMAGE_SPAN },
    }
}

impl Unit {
    fn new(number: u8) -> Unit {
        let flash = Flash::new((RECORDS.start + RECORDS.len) as usize);
        let mut unit =
            Unit { number, app: None, program: Flash::new(IMAGE_SPAN as usize), taken: Vec::new() };
        unit.start(flash, FlashMap::new(map_span()), None);
        unit
    }

    fn start(&mut self, flash: Flash, map: FlashMap, version: Option<Version>) {
        let mut config = config(self.number);
        config.identity.version = version.unwrap_or(config.identity.version);
        config.untagged = false;
        let running = Program { size: 1024, version: config.identity.version, sha256: [0; 32] };
        let keys = Keys {
            verify: NoVerify,
            root: PublicKey::NONE,
            meter: Some(key(config.address)),
            group: Some(GROUP),
        };
        let policy = Policy { signed: false, ..Policy::default() };
        let receiver = Receiver::new(flash, map, [0; 1024], config);
        let mut app = App::new(receiver, FlashRecords::new(RECORDS), keys, places(), policy);
        app.resume().unwrap();
        app.provision(running, false).unwrap();
        app.handle_self_test(true);
        self.app = Some(app);
    }

    /// A reset, through the boot loader.
    fn reset(&mut self, version: Version) {
        let (receiver, mut records) = self.app.take().unwrap().into_parts();
        let (mut flash, map) = receiver.into_parts();
        let mut boot = Boot::new(&mut flash, &mut self.program, &mut records, places(), Limits::default());
        let judgement = boot.start::<Sha256>(ResetCause::Software, &mut NoCipher, || {}).unwrap();
        assert_eq!(judgement, Judgement::Trial);
        self.start(flash, map, Some(version));
    }

    fn give(&mut self, octets: &[u8], to: Addressed, now: u64) -> Outcome {
        let outcome = self.app.as_mut().unwrap().handle_message(octets, to, now).unwrap();
        if octets[0] == 0x50 && matches!(octets[5], 0x03 | 0x05 | 0x31 | 0x32) && outcome != Outcome::Ignored
        {
            let number = u32::from_be_bytes(octets[1..5].try_into().unwrap());
            assert!(self.taken.iter().all(|&before| before < number), "command {number} taken again");
            self.taken.push(number);
        }
        outcome
    }
}

struct Channel<'i> {
    image: &'i Image,
    units: Vec<Unit>,
    now: u64,
    rng: Chance,
    trouble: Trouble,
    /// How often, a turn, somebody repeats or forges something.
    foul: f64,
    said: Vec<(Vec<u8>, Addressed)>,
    answered: Vec<(usize, Vec<u8>)>,
    /// Commands forged.
    forged: u32,
}

fn address(at: usize) -> Address {
    config(at as u8).address
}

impl<'i> Channel<'i> {
    fn new(image: &'i Image, meters: usize, trouble: Trouble, foul: f64, seed: u64) -> Self {
        let units = (0..meters).map(|at| Unit::new(at as u8)).collect();
        let (said, answered) = (Vec::new(), Vec::new());
        Channel { image, units, now: 0, rng: Chance::new(seed), trouble, foul, said, answered, forged: 0 }
    }

    fn turn<S: Seal>(&mut self, sender: &mut Sender<'_, &Image, S>) -> bool {
        let mut buffer = [0u8; 800];
        match sender.poll_transmit(&mut buffer, self.now).unwrap() {
            Some(sent) => {
                self.now += 1 + sent.octets.len() as u64 / 12;
                let (to, octets) = (sent.to, sent.octets.to_vec());
                let for_all = match to {
                    To::Group(group) => Addressed::Group(group),
                    To::Meter(_) => Addressed::Me,
                };
                self.said.push((octets.clone(), for_all));
                for at in 0..self.units.len() {
                    let to = match to {
                        To::Group(group) => Addressed::Group(group),
                        To::Meter(to) if to == address(at) => Addressed::Me,
                        To::Meter(_) => Addressed::Other,
                    };
                    if self.rng.unit() >= self.trouble.loss {
                        self.units[at].give(&octets, to, self.now);
                        if self.rng.unit() < self.trouble.duplicate {
                            self.units[at].give(&octets, to, self.now);
                        }
                    }
                }
                sender.handle_sent(self.now);
            }
            None if sender.is_finished() => return false,
            None => self.now += 1,
        }
        if self.rng.unit() < self.foul {
            self.attack(sender);
        }
        for at in 0..self.units.len() {
            self.live(at, sender);
        }
        true
    }

    fn live<S: Seal>(&mut self, at: usize, sender: &mut Sender<'_, &Image, S>) {
        let unit = &mut self.units[at];
        let app = unit.app.as_mut().unwrap();
        for _ in 0..4 {
            match app.work(&mut unit.program, self.now, Some(1000)).unwrap() {
                Step::More => {}
                Step::Reset => return unit.reset(self.image.manifest.version),
                _ => break,
            }
        }
        let mut buffer = [0u8; 800];
        if let Some(reply) = app.poll_transmit(&mut buffer, self.now).unwrap() {
            let reply = reply.to_vec();
            self.now += 1 + reply.len() as u64 / 12;
            self.answered.push((at, reply.clone()));
            if self.rng.unit() >= self.trouble.loss {
                sender.handle_message(address(at), &reply, self.now);
                if self.rng.unit() < self.trouble.duplicate {
                    sender.handle_message(address(at), &reply, self.now);
                }
            }
        }
    }

    fn pick(&mut self, from: usize) -> usize {
        self.rng.below(from.max(1) as u64) as usize
    }

    /// Somebody without keys says something: what was said before, to meters or to the concentrator, or a thing of their own.
    fn attack<S: Seal>(&mut self, sender: &mut Sender<'_, &Image, S>) {
        let (at, now) = (self.pick(self.units.len()), self.now);
        match self.pick(4) {
            0 if !self.said.is_empty() => {
                let which = self.pick(self.said.len());
                let (octets, to) = self.said[which].clone();
                // `give` looks at its number.
                self.units[at].give(&octets, to, now);
            }
            1 if !self.answered.is_empty() => {
                let which = self.pick(self.answered.len());
                let (_, octets) = self.answered[which].clone();
                sender.handle_message(address(at), &octets, now);
            }
            2 => {
                let before = sender.meters()[at].state;
                let status = Status {
                    phase: [Phase::Verified, Phase::Failed, Phase::Receiving][self.pick(3)],
                    plane: Plane::Data,
                    first_missing: 0,
                    missing: 0,
                    more: false,
                    report: Report::Count,
                };
                let message = [
                    Message::Status(status),
                    Message::Refused(Refusal::Version),
                    Message::Joined { group: 1, member: at as u16 },
                ][self.pick(3)];
                let mut buffer = [0; 99];
                let octets = Packet { session: sender.session(), message }.encode(&mut buffer).unwrap();
                sender.handle_message(address(at), octets, now);
                assert_eq!(sender.meters()[at].state, before, "a forged answer was believed");
            }
            _ => self.forge(at, sender.session()),
        }
    }

    fn forge(&mut self, at: usize, session: Session) {
        let other = Session { id: 99, image: 0x1234_5678 };
        let initiate =
            Initiate { size: 1000, block: 64, manifest: 112, tagged: true, crc: 5, digest: [7; 16] };
        let (session, message) = [
            (session, Message::Cancel),
            (session, Message::Activate { at: 0 }),
            (session, Message::Join { group: 9, member: 0 }),
            (other, Message::Initiate(initiate)),
        ][self.pick(4)];
        let mut buffer = [0; 99];
        let octets = Packet { session, message }.encode(&mut buffer).unwrap().to_vec();
        let mut stranger =
            Keys { verify: NoVerify, root: PublicKey::NONE, meter: Some([1; 16]), group: Some([2; 16]) };
        let mut out = [0; 120];
        let octets = match self.pick(3) {
            0 => seal_command(&mut stranger, address(at), u32::MAX, &octets, &mut out).unwrap().to_vec(),
            1 => seal_group(&mut stranger, &octets, &mut out).unwrap().to_vec(),
            _ => octets,
        };
        let to = [Addressed::Me, Addressed::Group(1)][self.pick(2)];
        // What is to a group and changes nothing at this meter may pass: a cancel of nothing is no command.
        let outcome = self.units[at].give(&octets, to, self.now);
        assert_eq!(outcome, Outcome::Ignored, "{message:?} {to:?}");
        self.forged += 1;
    }

    /// Every meter runs the image, and its last word is that.
    fn check<S>(&self, sender: &Sender<'_, &Image, S>) -> usize
    where
        S: Seal,
    {
        let mut done = 0;
        for (unit, meter) in self.units.iter().zip(sender.meters()) {
            assert!(meter.state.is_final(), "{:?}", meter.state);
            if meter.state == State::Done {
                done += 1;
                assert_eq!(unit.app.as_ref().unwrap().record().state, Record::Confirmed);
                assert_eq!(meter.identity.version, self.image.manifest.version);
                assert!(
                    unit.program.octets[..self.image.octets.len()] == self.image.octets[..],
                    "program differs"
                );
            }
        }
        done
    }
}

fn settings_of(strategy: Repair) -> Settings {
    Settings { strategy, activate: Some(0), install: Some(300), tries: 12, silences: 12, ..settings() }
}

fn upgrade(
    strategy: Repair,
    group: bool,
    number: u32,
    channel: &mut Channel<'_>,
) -> (usize, Vec<State>, u32) {
    let image = channel.image;
    let mut tables = Tables::new(channel.units.len(), &image.geometry);
    let seal = Envelopes::new(Ring { group }, number);
    let mut sender =
        Sender::sealed(settings_of(strategy), &image.job(7), image, tables.memory(), seal).unwrap();
    for at in 0..channel.units.len() {
        sender.add_meter(address(at)).unwrap();
    }
    for _ in 0..3_000_000 {
        if !channel.turn(&mut sender) {
            let states = sender.meters().iter().map(|meter| meter.state).collect();
            return (channel.check(&sender), states, sender.seal().number());
        }
    }
    panic!("never ends: {:?}", sender.meters());
}

const CLEAN: Trouble = Trouble { loss: 0.0, duplicate: 0.0, reorder: 0.0, corrupt: 0.0 };

#[test]
fn sealed_meters_are_upgraded_with_and_without_the_groups_key() {
    let image = Image::new(octets(9_000, 3), 128, true, true, &[]);
    for group in [true, false] {
        for strategy in [Repair::Auto, Repair::Coded, Repair::Union, Repair::Paper] {
            let trouble = Trouble { loss: 0.2, ..CLEAN };
            let mut channel = Channel::new(&image, 5, trouble, 0.0, 4);
            let (done, states, _) = upgrade(strategy, group, 0, &mut channel);
            assert_eq!(done, 5, "{strategy:?} {group} {states:?}");
            let rows = channel.said.iter().any(|(octets, _)| octets[0] == 0x52 && octets[1] == 0x16);
            if strategy == Repair::Coded {
                assert_eq!(rows, cfg!(feature = "coded") && group);
            }
        }
    }
}

#[test]
fn everything_but_blocks_is_in_an_envelope() {
    let image = Image::new(octets(3_000, 3), 128, true, true, &[]);
    let mut channel = Channel::new(&image, 4, CLEAN, 0.0, 4);
    upgrade(Repair::Auto, true, 0, &mut channel);
    for (octets, _) in &channel.said {
        assert!(
            matches!(octets[0], 0x10 | 0x11 | 0x14 | 0x15 | 0x50 | 0x52),
            "{:#04x} in the clear",
            octets[0]
        );
    }
    assert!(channel.answered.iter().all(|(_, octets)| octets[0] == 0x51), "an answer in the clear");
    // Roll calls were answered by all: in one frame the question, in one each the answers.
    assert!(channel.said.iter().any(|(octets, _)| octets[..2] == [0x52, 0x21]));
}

/// On a channel that loses nothing: each says who it is, that it joined, that it is ready, that the image is verified, that it is armed, and what
/// it runs; and nothing of tags and blocks that have all come.
#[test]
fn who_lacks_nothing_says_nothing() {
    let image = Image::new(octets(3_000, 3), 128, true, true, &[]);
    let mut channel = Channel::new(&image, 10, CLEAN, 0.0, 4);
    let (done, ..) = upgrade(Repair::Auto, true, 0, &mut channel);
    assert_eq!(done, 10);
    assert_eq!(channel.answered.len(), 6 * 10);
}

#[test]
fn a_sender_without_keys_is_refused() {
    let image = Image::new(octets(3_000, 3), 128, true, true, &[]);
    let mut channel = Channel::new(&image, 2, CLEAN, 0.0, 4);
    let mut tables = Tables::new(2, &image.geometry);
    let mut sender = Sender::new(settings_of(Repair::Auto), &image.job(7), &image, tables.memory()).unwrap();
    sender.add_meter(address(0)).unwrap();
    sender.add_meter(address(1)).unwrap();
    while channel.turn(&mut sender) {}
    for meter in sender.meters() {
        assert_eq!(meter.state, State::GivenUp(Reason::Refused(Refusal::Authentication)));
    }
}

#[test]
fn numbers_that_were_used_are_refused_and_a_few_are_skipped() {
    let image = Image::new(octets(1_000, 3), 128, true, true, &[]);
    let number = 5000;
    let mut fresh = Channel::new(&image, 1, CLEAN, 0.0, 4);
    let mut buffer = [0; 99];
    let mut out = [0; 120];
    let join = Packet { session: Session::default(), message: Message::Join { group: 1, member: 0 } };
    let join = join.encode(&mut buffer).unwrap();
    let mut keys =
        Keys { verify: NoVerify, root: PublicKey::NONE, meter: Some(key(address(0))), group: None };
    let join = seal_command(&mut keys, address(0), number, join, &mut out).unwrap();
    assert_eq!(fresh.units[0].give(join, Addressed::Me, 0), Outcome::Taken);
    let (done, states, _) = upgrade(Repair::Auto, true, 0, &mut fresh);
    assert_eq!((done, states[0]), (0, State::GivenUp(Reason::Refused(Refusal::Stale))));
    // Behind by less than it tries: goes on.
    let (done, ..) = upgrade(Repair::Auto, true, number - 5, &mut fresh);
    assert_eq!(done, 1);
}

#[test]
fn no_number_left_is_an_error_and_not_a_number_used_again() {
    let image = Image::new(octets(1_000, 3), 128, true, true, &[]);
    let mut tables = Tables::new(1, &image.geometry);
    let seal = Envelopes::new(Ring { group: true }, u32::MAX);
    let mut sender =
        Sender::sealed(settings_of(Repair::Auto), &image.job(7), &image, tables.memory(), seal).unwrap();
    sender.add_meter(address(0)).unwrap();
    sender.poll_transmit(&mut [0; 800], 0).unwrap_err();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Loss, duplication, and somebody who repeats and forges a tenth of the time: each meter runs the image in the end, and no command is
    /// taken twice, none that was forged, and no forged answer.
    #[test]
    fn any_channel_with_somebody_on_it_ends_installed(
        meters in 1usize..5, len in 1usize..6000, loss in 0.0f64..0.25, duplicate in 0.0f64..0.2, foul in 0.0f64..0.1, group: bool,
        strategy in prop::sample::select(vec![Repair::Auto, Repair::Xor, Repair::Coded]), seed: u64,
    ) {
        let image = Image::new(octets(len, seed), 128, true, true, &[]);
        let trouble = Trouble { loss, duplicate, ..CLEAN };
        let mut channel = Channel::new(&image, meters, trouble, foul, seed);
        let (done, states, _) = upgrade(strategy, group, 0, &mut channel);
        prop_assert_eq!(done, meters, "{:?}", states);
    }
}
