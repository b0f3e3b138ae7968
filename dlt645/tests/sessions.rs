//! Master and slave against each other, and each against what the standard and the field do to it.
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use std::collections::BTreeMap;

use common::frame;
use dlt645::{
    Access, Address, AddressPolicy, Control, Data, Discovery, DiscoveryConfig, DiscoveryEvent, End,
    ErrorKind, Failure, Frame, FreezeTime, Handled, Identifier, Ignored, Master, MasterConfig, MasterEvent,
    Meter, Moment, Part, Password, Query, Rate, Reason, Refusal, Reply, Request, Service, Slave, SlaveConfig,
    SlaveEvent, StartError, Version, frames,
};

const OWN: Address = Address::from_number(202_601_020_304);
const ACCESS: Access = Access { password: Password { level: 2, digits: [1, 2, 3] }, operator: [9, 8, 7, 6] };

#[derive(Default)]
struct TestMeter {
    data: BTreeMap<Identifier, Vec<u8>>,
    actions: Vec<String>,
    clock: Option<Moment>,
}

impl Meter for TestMeter {
    fn get(&mut self, identifier: Identifier, _: Query, part: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let data = self.data.get(&identifier).ok_or(Reason::NoData)?;
        let rest = data.get(usize::from(part) * 40..).ok_or(Reason::NoData)?;
        let len = rest.len().min(40);
        out[..len].copy_from_slice(&rest[..len]);
        Ok(Part { len, more: rest.len() > 40 })
    }

    fn set(&mut self, identifier: Identifier, access: &Access, data: Data<'_>) -> Result<(), Reason> {
        if access.password != ACCESS.password {
            return Err(Reason::Password);
        }
        self.data.insert(identifier, data.iter().collect());
        Ok(())
    }

    fn action(&mut self, request: &Request<'_>, out: &mut [u8]) -> Result<usize, Refusal> {
        self.actions.push(format!("{}", request.service()));
        match request {
            Request::Other { function: 0x1F, .. } => {
                out[..2].copy_from_slice(b"ok");
                Ok(2)
            }
            Request::Other { .. } => Err(Refusal::Silent),
            Request::ClearMeter(_) => Err(Reason::Password.into()),
            _ => Ok(0),
        }
    }

    fn supports_rate(&self, rate: Rate) -> bool {
        rate.0 <= 0x20
    }

    fn clock(&self) -> Option<Moment> {
        self.clock
    }
}

type TestSlave = Slave<TestMeter, [u8; 300]>;

fn slave(version: Version) -> TestSlave {
    let mut meter = TestMeter::default();
    let id = |of2007, of1997| {
        if version == Version::V2007 { Identifier::V2007(of2007) } else { Identifier::V1997(of1997) }
    };
    meter.data.insert(id(0x0001_0000, 0x9010), vec![0x56, 0x34, 0x12, 0x00]);
    meter.data.insert(id(0x0001_FF00, 0x901F), (0..100).collect());
    Slave::new(SlaveConfig::new(version, OWN), meter, [0; 300])
}

/// Carries octets both ways until the master is idle; the master hears its own echo first.
fn run(master: &mut Master<'_, [u8; 300]>, slave: &mut TestSlave, now: &mut u32) -> Vec<String> {
    let mut log = vec![];
    let mut out = [0; 300];
    while !master.is_idle() {
        let Some(sent) = master.poll_transmit(&mut out, *now).map(<[u8]>::to_vec) else {
            *now = master.poll_timeout().unwrap();
            log.extend(master.handle_timeout(*now).map(|event| note(&event)));
            continue;
        };
        let asked = frames(&sent).next().unwrap().unwrap();
        if !master.is_idle() {
            assert_eq!(master.handle_frame(&asked, *now), MasterEvent::Ignored(Ignored::Echo));
        }
        if slave.handle_frame(&asked, *now) == Handled::Replying {
            assert!(slave.poll_transmit(&mut out, *now).is_none(), "not before 20 ms");
            *now = slave.poll_timeout().unwrap();
            let sent = slave.poll_transmit(&mut out, *now).unwrap().to_vec();
            let reply = frames(&sent).next().unwrap().unwrap();
            log.push(note(&master.handle_frame(&reply, *now)));
        }
    }
    log
}

fn note(event: &MasterEvent<'_>) -> String {
    match event {
        MasterEvent::Reply { reply: Reply::Data { identifier, data, .. }, part, end, .. } => {
            format!("{identifier}[{part}] {data} {end:?}")
        }
        MasterEvent::Reply { reply: Reply::Refused(service, word), .. } => format!("{service} {word}"),
        MasterEvent::Reply { reply, .. } => format!("{reply:?}"),
        MasterEvent::Failed { identifier, failure } => format!("{identifier:?} {failure:?}"),
        event => format!("{event:?}"),
    }
}

fn master(version: Version) -> Master<'static, [u8; 300]> {
    Master::new(MasterConfig::new(version), [0; 300])
}

fn hex(range: core::ops::Range<u8>) -> String {
    range.map(|octet| format!("{octet:02X}")).collect()
}

#[test]
fn a_row_of_reads_with_follow_up_frames_and_a_refusal() {
    for version in [Version::V2007, Version::V1997] {
        let (mut slave, mut now) = (slave(version), u32::MAX - 30);
        let ids = match version {
            Version::V2007 => [0x0001_0000, 0x0001_FF00, 0x0002_0000].map(Identifier::V2007),
            Version::V1997 => [0x9010, 0x901F, 0x9020].map(Identifier::V1997),
        };
        let mut master: Master<'_, [u8; 300]> = Master::new(MasterConfig::new(version), [0; 300]);
        master.read(OWN, &ids).unwrap();
        assert_eq!(master.read(OWN, &ids), Err(StartError::Busy));
        let log = run(&mut master, &mut slave, &mut now);
        let [one, block, none] = ids;
        let refused = if version == Version::V2007 { "ERR 02: no such data" } else { "ERR 01: illegal data" };
        assert_eq!(
            log,
            [
                format!("{one}[0] 56341200 Whole"),
                format!("{block}[0] {} More", hex(0..40)),
                format!("{block}[1] {} More", hex(40..80)),
                format!("{block}[2] {} Whole", hex(80..100)),
                format!("read {refused}"),
            ]
        );
        let _ = none;
        assert!(now < 1_000, "the clock has wrapped");
    }
}

#[test]
fn re_read_sends_the_last_reply_again() {
    let (mut slave, mut master, mut now) = (slave(Version::V1997), master(Version::V1997), 0);
    master.start(OWN, &Request::ReRead).unwrap();
    assert_eq!(run(&mut master, &mut slave, &mut now), ["re-read ERR 01: illegal data"]);
    master.start(OWN, &Request::Read { identifier: Identifier::V1997(0x9010), query: Query::All }).unwrap();
    run(&mut master, &mut slave, &mut now);
    master.start(OWN, &Request::ReRead).unwrap();
    assert_eq!(run(&mut master, &mut slave, &mut now), ["9010[0] 56341200 Whole"]);
}

#[test]
fn repetitions_then_a_time_out() {
    let (mut slave, mut master, mut now) = (slave(Version::V2007), master(Version::V2007), 0);
    let other = Address::from_number(1);
    master
        .start(other, &Request::Read { identifier: Identifier::V2007(0x0001_0000), query: Query::All })
        .unwrap();
    assert_eq!(run(&mut master, &mut slave, &mut now), ["Some(Identifier(00010000)) Timeout"]);
    assert_eq!(now, 3 * 1_500);
    // Octets that are coming in put a repetition off.
    master.start(OWN, &Request::ReadAddress).unwrap();
    master.poll_transmit(&mut [0; 300], now).unwrap();
    master.handle_activity(now + 1_400);
    assert_eq!(master.poll_timeout(), Some(now + 1_900));
    assert!(master.handle_timeout(now + 1_500).is_none() && master.poll_timeout().is_some());
}

#[test]
fn a_meter_that_never_ends_and_frames_that_come_twice() {
    let mut master = master(Version::V2007);
    master.config_mut().max_frames = 3;
    let id = Identifier::V2007(0x0001_0000);
    let mut out = [0; 300];
    let di = [0, 0, 1, 0];
    let mut events = vec![];
    master.start(OWN, &Request::Read { identifier: id, query: Query::All }).unwrap();
    for sequence in 0..3u8 {
        master.poll_transmit(&mut out, 0).unwrap();
        let own = OWN.octets();
        let foreign = [
            // Another meter, another service, another identifier, and the frame before.
            frame([7; 6], if sequence == 0 { 0xB1 } else { 0xB2 }, &[0, 0, 1, 0, 5, sequence], 0),
            frame(own, 0x94, &[], 0),
            frame(own, if sequence == 0 { 0xB1 } else { 0xB2 }, &[0, 0, 2, 0, 5, sequence], 0),
            frame(own, 0xB2, &[0, 0, 1, 0, 5, sequence.wrapping_sub(1)], 0),
        ];
        for octets in &foreign {
            let (octets, _) = Frame::parse(octets).unwrap();
            assert!(matches!(
                master.handle_frame(&octets, 0),
                MasterEvent::Ignored(Ignored::Foreign | Ignored::Duplicate)
            ));
        }
        let mut data = di.to_vec();
        data.push(sequence);
        if sequence > 0 {
            data.push(sequence);
        }
        let octets = frame(own, if sequence == 0 { 0xB1 } else { 0xB2 }, &data, 0);
        let (octets, _) = Frame::parse(&octets).unwrap();
        events.push(note(&master.handle_frame(&octets, 0)));
    }
    assert_eq!(events, ["00010000[0] 00 More", "00010000[1] 01 More", "00010000[2] 02 Cut"]);
    assert!(master.is_idle());
}

#[test]
fn address_policies() {
    let id = Identifier::V2007(0x0001_0000);
    let mut out = [0; 300];
    let mut takes = |policy, asked: Address, from: Address| {
        let mut master = master(Version::V2007);
        master.config_mut().addresses = policy;
        master.start(asked, &Request::Read { identifier: id, query: Query::All }).unwrap();
        master.poll_transmit(&mut out, 0).unwrap();
        let octets = frame(from.octets(), 0x91, &[0, 0, 1, 0, 1, 2, 3, 4], 0);
        let (octets, _) = Frame::parse(&octets).unwrap();
        matches!(master.handle_frame(&octets, 0), MasterEvent::Reply { .. })
    };
    let other = Address::from_number(5);
    for policy in [AddressPolicy::Exact, AddressPolicy::Lenient] {
        assert!(takes(policy, OWN, OWN) && takes(policy, Address::WILDCARD, OWN));
        assert!(!takes(policy, OWN, other));
    }
    // Meters that echo AA, or answer a read to 99.
    assert!(takes(AddressPolicy::Lenient, OWN.with_wildcards(1), Address::WILDCARD.with_wildcards(0)));
    assert!(takes(AddressPolicy::Lenient, Address::BROADCAST, OWN));
    assert!(!takes(AddressPolicy::Exact, Address::BROADCAST, OWN));
    assert!(!takes(AddressPolicy::Exact, OWN.with_wildcards(1), other));
}

#[test]
fn writes_actions_and_their_refusals() {
    let (mut slave, mut master, mut now) = (slave(Version::V2007), master(Version::V2007), 0);
    let wrong = Access { password: Password { level: 2, digits: [0; 3] }, ..ACCESS };
    let id = Identifier::V2007(0x0400_0103);
    let new = Password { level: 2, digits: [5; 3] };
    let until = Moment::to_second(26, 12, 31, 23, 59, 59);
    let requests = [
        (Request::Write { identifier: id, access: ACCESS, data: Data::plain(&[0x15]) }, "Done(Write)"),
        (
            Request::Write { identifier: id, access: wrong, data: Data::plain(&[0x16]) },
            "write ERR 04: wrong password or no authority",
        ),
        (Request::Read { identifier: id, query: Query::All }, "04000103[0] 15 Whole"),
        (Request::ClearDemand(ACCESS), "Done(ClearDemand)"),
        (Request::ClearMeter(ACCESS), "clear meter ERR 04: wrong password or no authority"),
        (
            Request::ClearEvents { access: ACCESS, identifier: Identifier::V2007(u32::MAX) },
            "Done(ClearEvents)",
        ),
        (Request::Freeze(FreezeTime::NOW), "Done(Freeze)"),
        (Request::Relay { access: ACCESS, command: dlt645::Relay::Trip, option: 0, until }, "Done(Relay)"),
        (Request::Terminal(dlt645::Terminal::DemandPeriod), "Terminal(DemandPeriod)"),
        (
            Request::ChangePassword {
                identifier: Some(Identifier::V2007(0x0400_0C03)),
                old: ACCESS.password,
                new,
            },
            "Password(Password { level: 02, .. })",
        ),
        (
            Request::Other { function: 0x1F, data: Data::plain(&[1]) },
            "Other { control: Control(9F), data: 6F6B }",
        ),
        (Request::ChangeRate(Rate(0x40)), "change rate ERR 08: rate cannot be changed"),
        (Request::ChangeRate(Rate(0x18)), "change rate ERR 08: rate cannot be changed"),
        (Request::ChangeRate(Rate(0x20)), "Rate(Rate(20))"),
    ];
    for (request, expected) in requests {
        master.start(OWN, &request).unwrap();
        assert_eq!(run(&mut master, &mut slave, &mut now), [expected], "{request:?}");
    }
    // The reply went out at the old rate; now the rate changes.
    assert_eq!(slave.poll_event(), Some(SlaveEvent::SwitchRate(Rate(0x20))));
    assert_eq!(slave.poll_event(), None);
    // A function that the meter does not know is met with silence.
    master.start(OWN, &Request::Other { function: 0x01, data: Data::plain(&[0x10, 0x90]) }).unwrap();
    assert_eq!(run(&mut master, &mut slave, &mut now), ["None Timeout"]);
    // The address changes, and the reply comes from the new one.
    let to = Address::from_number(77);
    master.start(Address::WILDCARD, &Request::WriteAddress(to)).unwrap();
    assert_eq!(run(&mut master, &mut slave, &mut now), ["Done(WriteAddress)"]);
    assert_eq!(slave.config().address, to);
    master.start(Address::WILDCARD, &Request::ReadAddress).unwrap();
    assert_eq!(run(&mut master, &mut slave, &mut now), [format!("Address({to:?})")]);
}

#[test]
fn a_rate_without_traffic_is_taken_back() {
    let mut config = SlaveConfig::new(Version::V2007, OWN);
    config.revert_rate = Some(5_000);
    let mut slave: TestSlave = Slave::new(config, TestMeter::default(), [0; 300]);
    let octets = frame(OWN.octets(), 0x17, &[0x10], 4);
    let (request, _) = Frame::parse(&octets).unwrap();
    assert_eq!(slave.handle_frame(&request, 0), Handled::Replying);
    assert!(slave.poll_event().is_none(), "not before the reply");
    slave.poll_transmit(&mut [0; 300], 20).unwrap();
    assert_eq!(slave.poll_event(), Some(SlaveEvent::SwitchRate(Rate(0x10))));
    slave.handle_frame(&Frame::parse(&frame(OWN.octets(), 0x13, &[], 0)).unwrap().0, 4_000);
    slave.poll_transmit(&mut [0; 300], 4_020).unwrap();
    slave.handle_timeout(5_020);
    assert!(slave.poll_event().is_none(), "there was traffic");
    slave.handle_timeout(9_000);
    assert_eq!(slave.poll_event(), Some(SlaveEvent::RevertRate));
}

#[test]
fn who_stays_silent() {
    let mut slave = slave(Version::V2007);
    slave.meter.clock = Some(Moment::to_second(26, 10, 24, 12, 0, 0));
    let mut hear = |address: Address, control: u8, data: &[u8]| {
        let octets = frame(address.octets(), control, data, 0);
        slave.handle_frame(&Frame::parse(&octets).unwrap().0, 0)
    };
    let (all, one) = (Address::WILDCARD, OWN.with_wildcards(2));
    let di = [0, 0, 1, 0];
    assert_eq!(hear(all, 0x11, &di), Handled::Replying);
    assert_eq!(hear(one, 0x11, &di), Handled::Replying);
    assert_eq!(hear(Address::from_number(4), 0x11, &di), Handled::Ignored);
    assert_eq!(hear(OWN, 0x91, &di), Handled::Ignored, "a reply");
    assert_eq!(hear(all, 0x13, &[]), Handled::Replying);
    assert_eq!(hear(one, 0x13, &[]), Handled::Ignored, "13H is for the full wildcard");
    for (control, data) in [
        (0x14, &[3, 1, 0, 4, 2, 1, 2, 3, 0, 0, 0, 0, 0x15][..]),
        (0x17, &[8]),
        (0x19, &[0; 8]),
        (0x1A, &[0; 8]),
        (0x1C, &[0; 16]),
    ] {
        assert_eq!(hear(all, control, data), Handled::Ignored, "{control:02X} to all");
    }
    let to_all = Address::BROADCAST;
    assert_eq!(hear(to_all, 0x11, &di), Handled::Ignored);
    assert_eq!(hear(to_all, 0x16, &[0x99; 4]), Handled::Silent);
    // Time: at most 5 minutes off, not at midnight, once a day.
    assert_eq!(hear(to_all, 0x08, &[0, 0x06, 0x12, 0x24, 0x10, 0x26]), Handled::Ignored);
    assert_eq!(hear(to_all, 0x08, &[0, 0x00, 0x12, 0x25, 0x10, 0x26]), Handled::Ignored);
    assert_eq!(hear(to_all, 0x08, &[0, 0x04, 0x12, 0x24, 0x10, 0x26]), Handled::Silent);
    assert_eq!(hear(to_all, 0x08, &[0, 0x03, 0x12, 0x24, 0x10, 0x26]), Handled::Ignored);
    slave.meter.clock = Some(Moment::to_second(26, 10, 25, 23, 58, 0));
    let octets = frame(to_all.octets(), 0x08, &[0, 0x58, 0x23, 0x25, 0x10, 0x26], 0);
    assert_eq!(slave.handle_frame(&Frame::parse(&octets).unwrap().0, 0), Handled::Ignored);
    assert_eq!(slave.meter.actions, ["freeze", "broadcast time"]);
}

#[test]
fn the_programming_window_closes() {
    let mut config = SlaveConfig::new(Version::V2007, OWN);
    config.programming = Some(240_000);
    let mut slave: TestSlave = Slave::new(config, TestMeter::default(), [0; 300]);
    let octets = frame(OWN.octets(), 0x14, &[3, 1, 0, 4, 2, 1, 2, 3, 0, 0, 0, 0, 0x15], 0);
    let (write, _) = Frame::parse(&octets).unwrap();
    let control = |slave: &mut TestSlave, now: u32| {
        assert_eq!(slave.handle_frame(&write, now), Handled::Replying);
        let mut out = [0; 300];
        let sent = slave.poll_transmit(&mut out, now + 20).unwrap();
        Frame::parse(sent).unwrap().0.control()
    };
    assert_eq!(control(&mut slave, 0), Control::from_octet(0xD4));
    slave.open_programming(1_000);
    assert_eq!(control(&mut slave, 240_999), Control::from_octet(0x94));
    assert_eq!(control(&mut slave, 241_000), Control::from_octet(0xD4));
}

#[test]
fn the_programming_window_stays_closed_after_half_a_turn_of_the_clock() {
    let mut config = SlaveConfig::new(Version::V2007, OWN);
    config.programming = Some(240_000);
    let mut slave: TestSlave = Slave::new(config, TestMeter::default(), [0; 300]);
    let octets = frame(OWN.octets(), 0x14, &[3, 1, 0, 4, 2, 1, 2, 3, 0, 0, 0, 0, 0x15], 0);
    let (write, _) = Frame::parse(&octets).unwrap();
    for by_frame in [false, true] {
        slave.open_programming(0);
        assert_eq!(slave.poll_timeout(), Some(240_000));
        if by_frame {
            let other = frame([1; 6], 0x13, &[], 0);
            slave.handle_frame(&Frame::parse(&other).unwrap().0, 240_000);
        } else {
            slave.handle_timeout(240_000);
        }
        assert_eq!(slave.poll_timeout(), None);
        // 25 days later the old end lies ahead of the clock again.
        let late = 25 * 24 * 3_600_000;
        slave.handle_frame(&write, late);
        let mut out = [0; 300];
        let sent = slave.poll_transmit(&mut out, late + 20).unwrap();
        assert_eq!(Frame::parse(sent).unwrap().0.control(), Control::from_octet(0xD4));
    }
}

#[test]
fn broadcast_time_to_one_meter_is_ignored_and_a_refused_one_does_not_use_up_the_day() {
    #[derive(Default)]
    struct Busy(bool, u8);
    impl Meter for Busy {
        fn get(&mut self, _: Identifier, _: Query, _: u8, _: &mut [u8]) -> Result<Part, Reason> {
            Err(Reason::NoData)
        }
        fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
            Err(Reason::NoData)
        }
        fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
            if self.0 {
                return Err(Refusal::Silent);
            }
            self.1 += 1;
            Ok(0)
        }
        fn clock(&self) -> Option<Moment> {
            Some(Moment::to_second(26, 10, 24, 12, 0, 0))
        }
    }
    let config = SlaveConfig::new(Version::V2007, OWN);
    let mut slave = Slave::new(config, Busy(true, 0), [0; 300]);
    let time = [0, 0x04, 0x12, 0x24, 0x10, 0x26];
    let hear = |slave: &mut Slave<Busy, [u8; 300]>, address: Address| {
        let octets = frame(address.octets(), 0x08, &time, 0);
        slave.handle_frame(&Frame::parse(&octets).unwrap().0, 0)
    };
    assert_eq!(hear(&mut slave, Address::BROADCAST), Handled::Ignored);
    slave.meter.0 = false;
    for address in [OWN, Address::WILDCARD, OWN.with_wildcards(2)] {
        assert_eq!(hear(&mut slave, address), Handled::Ignored);
    }
    assert_eq!(slave.meter.1, 0);
    assert_eq!(hear(&mut slave, Address::BROADCAST), Handled::Silent);
    assert_eq!(hear(&mut slave, Address::BROADCAST), Handled::Ignored);
    assert_eq!(slave.meter.1, 1);
}

#[test]
fn no_meter_takes_an_address_that_names_no_meter() {
    let mut slave = slave(Version::V2007);
    for address in [[0xAA; 6], [0x99; 6], [1, 2, 3, 4, 5, 0xAA], [0x0A, 0, 0, 0, 0, 0]] {
        let octets = frame(OWN.octets(), 0x15, &address, 0);
        assert_eq!(slave.handle_frame(&Frame::parse(&octets).unwrap().0, 0), Handled::Ignored);
    }
    assert_eq!(slave.config().address, OWN);
    assert!(slave.meter.actions.is_empty());
}

#[test]
fn a_lost_part_of_1997_fails_the_read_instead_of_being_passed_over() {
    let block = Identifier::V1997(0x901F);
    let (mut slave, mut master) = (slave(Version::V1997), master(Version::V1997));
    let (mut out, mut now, mut log) = ([0; 300], 0, vec![]);
    master.start(OWN, &Request::Read { identifier: block, query: Query::All }).unwrap();
    for replies in 0.. {
        let Some(sent) = master.poll_transmit(&mut out, now).map(<[u8]>::to_vec) else { break };
        slave.handle_frame(&Frame::parse(&sent).unwrap().0, now);
        now += 20;
        let reply = slave.poll_transmit(&mut out, now).unwrap().to_vec();
        if replies == 1 {
            now = master.poll_timeout().unwrap();
            log.extend(master.handle_timeout(now).map(|event| note(&event)));
        } else {
            log.push(note(&master.handle_frame(&Frame::parse(&reply).unwrap().0, now)));
        }
    }
    assert_eq!(log, [format!("901F[0] {} More", hex(0..40)), "Some(Identifier(901F)) Timeout".to_owned()]);
    assert!(master.is_idle());
}

/// Meters on one line: what they answer at once collides into noise.
fn discover(meters: &[(Address, Version)], rate: u16, first_only: bool) -> (Vec<DiscoveryEvent>, u32) {
    let mut slaves: Vec<_> = meters
        .iter()
        .map(|(address, version)| {
            let mut slave = slave(*version);
            slave.meter.data.insert(Identifier::V2007(0x0400_0401), address.octets().to_vec());
            Slave::new(SlaveConfig::new(*version, *address), slave.meter, [0; 300])
        })
        .collect();
    let mut config = DiscoveryConfig::new();
    config.first_only = first_only;
    let mut discovery = Discovery::new(config);
    let (mut events, mut now, mut line, mut questions) = (vec![], 0, 0, 0);
    loop {
        while let Some(event) = discovery.poll_event() {
            events.push(event);
            match event {
                DiscoveryEvent::SetRate(rate) => line = rate,
                DiscoveryEvent::Done => return (events, questions),
                _ => {}
            }
        }
        let mut out = [0; 60];
        let sent = discovery.poll_transmit(&mut out, now).unwrap().map(<[u8]>::to_vec);
        if let Some(sent) = sent {
            questions += 1;
            assert!(questions < 5_000);
            let asked = Frame::parse(&sent).unwrap().0;
            discovery.handle_frame(&asked);
            let mut replies = vec![];
            for slave in &mut slaves {
                if line == rate && slave.handle_frame(&asked, now) == Handled::Replying {
                    replies.push(slave.poll_transmit(&mut [0; 300], now + 20).unwrap().to_vec());
                }
            }
            match replies.as_slice() {
                [] => {}
                [one] => discovery.handle_frame(&Frame::parse(one).unwrap().0),
                _ => discovery.handle_noise(),
            }
            continue;
        }
        if let Some(until) = discovery.poll_timeout() {
            now = until;
            discovery.handle_timeout(now);
        }
    }
}

#[test]
fn discovery_finds_one_meter_of_either_edition() {
    for (version, rate) in [(Version::V2007, 2400), (Version::V1997, 1200), (Version::V2007, 9600)] {
        let (events, questions) = discover(&[(OWN, version)], rate, true);
        let found = DiscoveryEvent::Found { address: OWN, version, rate };
        assert!(events.contains(&found), "{events:?}");
        assert_eq!(events.last(), Some(&DiscoveryEvent::Done));
        assert!(questions < 12);
    }
    let (events, _) = discover(&[], 2400, true);
    assert_eq!(events.len(), dlt645::RATES.len() + 1);
}

#[test]
fn discovery_sorts_out_collisions() {
    // Two share the lowest four digits.
    let meters = [202_601_020_304, 202_601_030_304, 99, 100].map(Address::from_number);
    let of2007: Vec<_> = meters.iter().map(|address| (*address, Version::V2007)).collect();
    let (events, questions) = discover(&of2007, 2400, true);
    for address in meters {
        assert!(
            events.contains(&DiscoveryEvent::Found { address, version: Version::V2007, rate: 2400 }),
            "{address}"
        );
    }
    assert_eq!(events.iter().filter(|event| matches!(event, DiscoveryEvent::Found { .. })).count(), 4);
    assert!(questions < 500, "{questions}");
    assert_eq!(Service::ReadAddress.function(Version::V2007), Some(0x13));
    assert!(matches!(Failure::Timeout, Failure::Timeout) && End::More != End::Cut);
}

/// A search that has just asked its first question, at 2400 bit/s.
fn asking(first: u8) -> Discovery<'static> {
    let mut discovery = Discovery::new(DiscoveryConfig::new());
    discovery.poll_event();
    let mut out = [0; 40];
    loop {
        let sent = discovery.poll_transmit(&mut out, 0).unwrap().unwrap();
        if Frame::parse(&sent[4..]).unwrap().0.control().octet() == first {
            return discovery;
        }
        discovery.handle_timeout(discovery.poll_timeout().unwrap());
    }
}

#[test]
fn meters_that_answer_one_after_another_are_all_reported() {
    let mut discovery = asking(0x13);
    let addresses: Vec<_> = (1..=4).map(Address::from_number).collect();
    for address in &addresses {
        let octets = frame(address.octets(), 0x93, &address.octets(), 0);
        discovery.handle_frame(&Frame::parse(&octets).unwrap().0);
    }
    let found: Vec<_> = core::iter::from_fn(|| discovery.poll_event()).collect();
    let expected: Vec<_> = addresses
        .into_iter()
        .map(|address| DiscoveryEvent::Found { address, version: Version::V2007, rate: 2400 })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn octets_behind_one_clean_answer_are_no_collision() {
    let octets = frame(OWN.octets(), 0x93, &OWN.octets(), 0);
    for (kind, done) in [
        (ErrorKind::Noise, true),
        (ErrorKind::Checksum, false),
        (ErrorKind::Truncated, false),
        (ErrorKind::Header, false),
    ] {
        let mut discovery = asking(0x13);
        discovery.handle_frame(&Frame::parse(&octets).unwrap().0);
        discovery.handle_error(kind);
        assert!(matches!(discovery.poll_event(), Some(DiscoveryEvent::Found { .. })));
        discovery.handle_timeout(discovery.poll_timeout().unwrap());
        assert_eq!(discovery.poll_event() == Some(DiscoveryEvent::Done), done, "{kind}");
    }
}

#[test]
fn a_line_that_is_never_quiet_does_not_keep_the_search_at_work() {
    for kind in [ErrorKind::Noise, ErrorKind::Checksum] {
        let mut discovery = Discovery::new(DiscoveryConfig::new());
        let (mut now, mut questions) = (0, 0);
        while discovery.poll_event() != Some(DiscoveryEvent::Done) {
            if discovery.poll_transmit(&mut [0; 40], now).unwrap().is_some() {
                questions += 1;
                assert!(questions < 300, "{questions}");
                discovery.handle_error(kind);
            }
            if let Some(until) = discovery.poll_timeout() {
                now = until;
                discovery.handle_timeout(now);
            }
        }
    }
}

#[test]
fn the_address_in_the_data_counts_where_a_meter_echoes_the_wildcard() {
    for (data, expected) in [(OWN.octets(), OWN), ([0xAB; 6], Address::WILDCARD)] {
        let mut discovery = asking(0x11);
        let mut octets = vec![1, 4, 0, 4];
        octets.extend(data);
        let octets = frame(Address::WILDCARD.octets(), 0x91, &octets, 0);
        discovery.handle_frame(&Frame::parse(&octets).unwrap().0);
        let found = DiscoveryEvent::Found { address: expected, version: Version::V2007, rate: 2400 };
        assert_eq!(discovery.poll_event(), Some(found));
    }
}

#[test]
fn a_line_that_is_never_quiet_does_not_keep_a_request_waiting() {
    let (mut master, start) = (master(Version::V2007), u32::MAX - 2_000);
    master.start(OWN, &Request::ReadAddress).unwrap();
    master.poll_transmit(&mut [0; 300], start).unwrap();
    let mut waited = 0;
    while master.handle_timeout(start.wrapping_add(waited)).is_none() && master.poll_timeout().is_some() {
        master.handle_activity(start.wrapping_add(waited));
        waited += 100;
        assert!(waited < 20_000);
    }
    assert_eq!(waited, 1_500 + 10_000);
}

#[test]
fn a_request_with_the_bits_of_a_reply_is_none() {
    let mut slave = slave(Version::V2007);
    for control in [0x31, 0x51, 0x71, 0x91, 0xD1] {
        let octets = frame(OWN.octets(), control, &[0, 0, 1, 0], 0);
        assert_eq!(
            slave.handle_frame(&Frame::parse(&octets).unwrap().0, 0),
            Handled::Ignored,
            "{control:02X}"
        );
    }
}
