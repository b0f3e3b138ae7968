//! The bus over real pipes of the operating system: the rows of table 4 of the paper, and what must be refused.
#![cfg(feature = "bus")]
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
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};

use common::frame;
use dlt645::bus::{
    App, Bus, BusConfig, Conflict, Decoder, Dropped, Endpoint, HEADER, Outcome, Packet, PacketBuilder, Pipes,
    Process, RegisterError, Registry, Route, Routed, STORAGE, command, packets,
};
use dlt645::{
    Access, Address, Data, ErrorKind, Frame, Identifier, Meter, Part, Password, Query, Reason, Refusal,
    Reply, Request, Service, Version,
};
use proptest::prelude::*;

const METER: Address = Address::from_number(202_601_020_304);
const SERVICES: [Process; 4] = [Process::Basic, Process::Communication, Process::Metering, Process::Platform];

/// Two pipes per process: into the bus, and out of it; how many octets stand in the second.
struct Line {
    into: (PipeReader, PipeWriter),
    out: (PipeReader, PipeWriter),
    waiting: usize,
}

impl Line {
    fn new() -> Self {
        Self { into: pipe().unwrap(), out: pipe().unwrap(), waiting: 0 }
    }
}

#[derive(Default)]
struct Lines(BTreeMap<Process, Line>);

impl Pipes for Lines {
    type Error = std::io::Error;

    fn open(&mut self, process: Process) -> Result<(), Self::Error> {
        self.0.entry(process).or_insert_with(Line::new);
        Ok(())
    }

    fn send(&mut self, process: Process, packet: &[u8]) -> Result<(), Self::Error> {
        let line = self.0.get_mut(&process).ok_or(std::io::ErrorKind::NotFound)?;
        line.out.1.write_all(packet)?;
        line.waiting += packet.len();
        Ok(())
    }
}

struct Rig {
    bus: Bus<8>,
    lines: Lines,
    now: u32,
}

/// DI3 00..02 metering, 03 and 05 basic, 0400 platform, 0404 communication.
fn rig() -> Rig {
    let mut registry = Registry::new(Conflict::Narrower);
    for (identifier, mask, owner) in [
        (0x0000_0000, 0xFF00_0000, Process::Metering),
        (0x0200_0000, 0xFF00_0000, Process::Metering),
        (0x0300_0000, 0xFF00_0000, Process::Basic),
        (0x0400_0000, 0xFFFF_0000, Process::Platform),
        (0x0404_0000, 0xFFFF_0000, Process::Communication),
    ] {
        registry.add(Route::new(identifier, mask, owner)).unwrap();
    }
    registry.own_service(Service::Freeze, Process::Basic);
    registry.own_service(Service::ReadAddress, Process::Platform);
    let config = BusConfig { part_timeout: 1_000, transparent: Some(0x1F) };
    let mut lines = Lines::default();
    for process in SERVICES {
        lines.open(process).unwrap();
    }
    Rig { bus: Bus::new(registry, config), lines, now: u32::MAX - 500 }
}

impl Rig {
    /// Writes octets into the pipe of `from` in small pieces; the bus reads them as they come.
    fn put(&mut self, from: Process, octets: &[u8]) -> Vec<Routed> {
        let mut decoder = Decoder::new([0; STORAGE]);
        let mut routed = vec![];
        for piece in octets.chunks(17) {
            let line = self.lines.0.get_mut(&from).unwrap();
            line.into.1.write_all(piece).unwrap();
            let spare = decoder.spare_mut();
            let len = piece.len().min(spare.len());
            line.into.0.read_exact(&mut spare[..len]).unwrap();
            decoder.commit(len);
            while let Some(event) = decoder.decode(&mut &[][..]) {
                routed.push(self.bus.handle_packet(&event.unwrap(), self.now, &mut self.lines));
            }
        }
        routed
    }

    /// All octets in the pipe out of the bus to `process`.
    fn taken(&mut self, process: Process) -> Vec<u8> {
        let line = self.lines.0.get_mut(&process).unwrap();
        let mut octets = vec![0; core::mem::take(&mut line.waiting)];
        line.out.0.read_exact(&mut octets).unwrap();
        octets
    }

    fn nothing_elsewhere(&self) {
        assert!(self.lines.0.values().all(|line| line.waiting == 0));
    }
}

fn endpoint(process: Process) -> Endpoint {
    Endpoint::new(process, 0)
}

fn packet(from: Process, to: Process, frame: &[u8]) -> Vec<u8> {
    let builder = PacketBuilder::new(endpoint(from), endpoint(to), METER, frame);
    let mut out = vec![0; builder.encoded_len()];
    builder.encode(&mut out).unwrap();
    out
}

fn read_frame(identifier: u32) -> Vec<u8> {
    let mut out = [0; 40];
    let request = Request::Read { identifier: Identifier::V2007(identifier), query: Query::All };
    request.encode(Version::V2007, METER, 0, &mut out).unwrap().to_vec()
}

fn registration(from: Process, what: u8, routes: &[(u32, u32)]) -> Vec<u8> {
    let data: Vec<u8> =
        routes.iter().flat_map(|(id, mask)| [id.to_le_bytes(), mask.to_le_bytes()]).flatten().collect();
    let frame = frame(METER.octets(), 0x14, &data, 0);
    let builder = PacketBuilder {
        command: what,
        ..PacketBuilder::new(endpoint(from), endpoint(Process::Bus), METER, &frame)
    };
    let mut out = vec![0; builder.encoded_len()];
    builder.encode(&mut out).unwrap();
    out
}

/// Registers through the registration pipe, which is there before the application's own.
fn register(rig: &mut Rig, app: Process, what: u8, routes: &[(u32, u32)]) -> Routed {
    let octets = registration(app, what, routes);
    let (packet, _) = Packet::parse(&octets).unwrap();
    rig.bus.handle_packet(&packet, rig.now, &mut rig.lines)
}

fn error_of(octets: &[u8]) -> (Endpoint, Endpoint, u8) {
    let (packet, rest) = Packet::parse(octets).unwrap();
    assert!(rest.is_empty());
    let Ok(Reply::Refused(_, word)) = Reply::parse(&packet.frame(), Version::V2007) else {
        panic!("{packet:?}")
    };
    (packet.source(), packet.destination(), word.bits)
}

#[test]
fn row_1_pipes_of_all_six_kinds_exist() {
    let mut rig = rig();
    for process in SERVICES.into_iter().chain([Process::Bus]) {
        assert!(rig.bus.has_pipe(process), "{process}");
    }
    let app = Process::Extended(1);
    assert!(!rig.bus.has_pipe(app));
    assert_eq!(register(&mut rig, app, command::REGISTER, &[(0x00FE_0000, 0xFFFF_0000)]), Routed::Registered);
    assert!(rig.bus.has_pipe(app) && rig.lines.0.contains_key(&app));
}

#[test]
fn row_2_single_multi_small_and_large_frames_pass_both_ways_untouched() {
    let mut rig = rig();
    for (a, b) in [(Process::Basic, Process::Communication), (Process::Platform, Process::Metering)] {
        for (from, to) in [(a, b), (b, a), (a, a), (b, b)] {
            for frames in [
                vec![frame([1; 6], 0x13, &[], 0)],
                vec![frame([1; 6], 0x91, &[0x35; 200], 0)],
                vec![frame([1; 6], 0x91, &(0..=254).collect::<Vec<_>>(), 0)],
                vec![
                    frame([0x68; 6], 0x68, &[0x35, 0xE3, 0x35], 0),
                    frame([1; 6], 0x11, &[1, 2, 3, 4], 0),
                    frame([1; 6], 0x91, &[7; 180], 0),
                ],
            ] {
                let octets: Vec<u8> = frames.iter().flat_map(|frame| packet(from, to, frame)).collect();
                let routed = rig.put(from, &octets);
                assert_eq!(routed, vec![Routed::To(to); frames.len()]);
                assert_eq!(rig.taken(to), octets, "{from} to {to}");
                rig.nothing_elsewhere();
            }
        }
    }
}

#[test]
fn row_3_distribution_by_identifier_and_control_code() {
    let mut rig = rig();
    let app = Process::Extended(3);
    register(&mut rig, app, command::REGISTER, &[(0x0400_0501, u32::MAX)]);
    rig.taken(app);
    for (frame, to) in [
        (read_frame(0x0001_0000), Process::Metering),
        (read_frame(0x0201_0100), Process::Metering),
        (read_frame(0x0330_0001), Process::Basic),
        (read_frame(0x0400_0101), Process::Platform),
        (read_frame(0x0404_0101), Process::Communication),
        // The narrower range of an extended application inside the platform's.
        (read_frame(0x0400_0501), app),
        (frame([0x99; 6], 0x16, &[0x99; 4], 0), Process::Basic),
        (frame([0xAA; 6], 0x13, &[], 0), Process::Platform),
        // Transparent: to communication, whatever is inside.
        (frame([1; 6], 0x1F, &[9, 9, 9], 0), Process::Communication),
    ] {
        let octets = packet(Process::Communication, Process::Bus, &frame);
        assert_eq!(rig.put(Process::Communication, &octets), [Routed::To(to)]);
        assert_eq!(rig.taken(to), octets, "{to}");
        rig.nothing_elsewhere();
    }
    // By destination to the extended application.
    let octets = packet(Process::Basic, app, &read_frame(0x0001_0000));
    assert_eq!(rig.put(Process::Basic, &octets), [Routed::To(app)]);
    assert_eq!(rig.taken(app), octets);
}

#[test]
fn row_4_registrations_are_stored_read_back_and_taken_back() {
    let mut rig = rig();
    let app = Process::Extended(10);
    let routes: [(u32, u32); 2] = [(0x00FE_0000, 0xFFFF_0000), (0xE000_0001, u32::MAX)];
    let data: Vec<u8> =
        routes.iter().flat_map(|(id, mask)| [id.to_le_bytes(), mask.to_le_bytes()]).flatten().collect();
    assert_eq!(register(&mut rig, app, command::REGISTER, &routes), Routed::Registered);
    let stored = rig.taken(app);
    let (answer, _) = Packet::parse(&stored).unwrap();
    assert_eq!(answer.command(), command::REGISTER | command::ANSWER);
    assert_eq!((answer.source(), answer.destination()), (endpoint(Process::Bus), endpoint(app)));
    assert!(answer.frame().data().iter().eq(data.iter().copied()));
    // Through its own pipe, now that there is one.
    rig.put(app, &registration(app, command::READ_BACK, &[]));
    let again = rig.taken(app);
    assert!(Packet::parse(&again).unwrap().0.frame().data().iter().eq(data.iter().copied()));
    assert_eq!(rig.bus.registry.of(app).count(), 2);
    rig.put(app, &registration(app, command::UNREGISTER, &routes[..1]));
    assert!(Packet::parse(&rig.taken(app)).unwrap().0.frame().data().iter().eq(data[8..].iter().copied()));
    rig.put(app, &registration(app, command::UNREGISTER, &[]));
    assert!(Packet::parse(&rig.taken(app)).unwrap().0.frame().data().is_empty());
    assert_eq!(rig.bus.registry.owner(0xE000_0001), None);
    // What is stored elsewhere comes back at the next start.
    let saved: Vec<Route> = rig.bus.registry.iter().copied().collect();
    let mut restored = Registry::<8>::new(Conflict::Narrower);
    saved.into_iter().for_each(|route| restored.add(route).unwrap());
    assert_eq!(restored.owner(0x0001_0000), Some(Process::Metering));
}

#[test]
fn registrations_that_are_refused() {
    let mut rig = rig();
    let (one, two) = (Process::Extended(1), Process::Extended(2));
    register(&mut rig, one, command::REGISTER, &[(0xE000_0000, 0xFFFF_0000)]);
    rig.taken(one);
    let refused = |error| Routed::Refused(Dropped::Registration(error));
    let mut check = |app, routes: &[(u32, u32)], error| {
        assert_eq!(register(&mut rig, app, command::REGISTER, routes), refused(error));
        let (from, to, _) = error_of(&rig.taken(app));
        assert_eq!((from, to), (endpoint(Process::Bus), endpoint(app)));
    };
    check(one, &[(0xE000_0000, 0xFFFF_0000)], RegisterError::Duplicate);
    check(two, &[(0xE000_0000, 0xFFFF_0000)], RegisterError::Conflict);
    // Wider than another's.
    check(two, &[(0xE000_0000, 0xFF00_0000)], RegisterError::Conflict);
    // 5 + 1 of 8 are taken; all of a row or none.
    check(
        two,
        &[(0xE100_0000, u32::MAX), (0xE200_0000, u32::MAX), (0xE300_0000, u32::MAX)],
        RegisterError::Full,
    );
    assert_eq!(rig.bus.registry.of(two).count(), 0);
    let basic = registration(Process::Basic, command::REGISTER, &[(0xE400_0000, u32::MAX)]);
    assert_eq!(rig.put(Process::Basic, &basic), [refused(RegisterError::Source)]);
    error_of(&rig.taken(Process::Basic));
    let short = frame(METER.octets(), 0x14, &[1, 2, 3], 0);
    let builder = PacketBuilder {
        command: command::REGISTER,
        ..PacketBuilder::new(endpoint(one), endpoint(Process::Bus), METER, &short)
    };
    let mut out = [0; 60];
    assert_eq!(rig.put(one, builder.encode(&mut out).unwrap()), [refused(RegisterError::Malformed)]);
    let mut strict = Registry::<4>::new(Conflict::Refuse);
    strict.add(Route::new(0x0400_0000, 0xFF00_0000, Process::Platform)).unwrap();
    assert_eq!(strict.add(Route::new(0x0400_0101, u32::MAX, one)), Err(RegisterError::Conflict));
}

#[test]
fn sources_and_destinations_that_are_refused() {
    let mut rig = rig();
    let read = read_frame(0x0001_0000);
    for from in [Process::Initial, Process::Bus, Process::Extended(9)] {
        let octets = packet(from, Process::Metering, &read);
        assert_eq!(rig.put(Process::Basic, &octets), [Routed::Refused(Dropped::Source)], "{from}");
    }
    rig.nothing_elsewhere();
    // Requests that go nowhere come back as errors; answers are dropped in silence.
    for (to, frame, why, bits) in [
        (Process::Extended(9), read.clone(), Dropped::Destination, 1),
        (Process::Bus, read_frame(0x0700_0000), Dropped::Owner, 2),
        (Process::Bus, frame([1; 6], 0x1E, &[], 0), Dropped::Owner, 2),
        (Process::Bus, frame([1; 6], 0x11, &[1], 0), Dropped::Owner, 2),
    ] {
        assert_eq!(rig.put(Process::Basic, &packet(Process::Basic, to, &frame)), [Routed::Refused(why)]);
        let (from, to, error) = error_of(&rig.taken(Process::Basic));
        assert_eq!((from, to, error), (endpoint(Process::Bus), endpoint(Process::Basic), bits));
    }
    let answer = frame([1; 6], 0x91, &[0, 0, 1, 0, 1, 2, 3, 4], 0);
    assert_eq!(
        rig.put(Process::Basic, &packet(Process::Basic, Process::Extended(9), &answer)),
        [Routed::Refused(Dropped::Destination)]
    );
    assert_eq!(
        rig.put(Process::Basic, &packet(Process::Basic, Process::Bus, &answer)),
        [Routed::Refused(Dropped::Unasked)]
    );
    rig.nothing_elsewhere();
}

#[test]
fn headers_that_are_refused() {
    let good = packet(Process::Basic, Process::Metering, &read_frame(0x0001_0000));
    let kind = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut octets = good.clone();
        change(&mut octets);
        Packet::parse(&octets).unwrap_err().kind
    };
    let header = usize::from(HEADER);
    assert!(Packet::parse(&good).is_ok());
    assert_eq!(kind(&|o| o[0] = 0x69), ErrorKind::Noise);
    assert_eq!(kind(&|o| o[1] |= 8), ErrorKind::Header, "reserved bit of CA");
    assert_eq!(kind(&|o| o[2] |= 8), ErrorKind::Header, "reserved bit of SA");
    assert_eq!(kind(&|o| o[13..15].fill(0)), ErrorKind::Header, "DataLen 0");
    assert_eq!(kind(&|o| o[13..15].fill(0xFF)), ErrorKind::TooLong, "DataLen 65535");
    assert_eq!(kind(&|o| o[13] += 1), ErrorKind::Header, "DataLen is not L + 12");
    assert_eq!(kind(&|o| o[header] = 0), ErrorKind::Header);
    assert_eq!(kind(&|o| o[header + 7] = 0), ErrorKind::Header);
    assert_eq!(kind(&|o| *o.last_mut().unwrap() = 0), ErrorKind::End);
    assert_eq!(kind(&|o| o[header + 11] ^= 1), ErrorKind::Checksum);
    for cut in 0..good.len() {
        assert_eq!(Packet::parse(&good[..cut]).unwrap_err().kind, ErrorKind::Truncated);
    }
    for octet in 0..=255 {
        assert_eq!(Endpoint::from_octet(octet).is_some(), octet & 8 == 0);
        let process = Process::from_number(octet >> 4).unwrap();
        assert_eq!(Endpoint::new(process, octet & 7).octet(), octet & !8);
        assert_eq!(Endpoint::new(process, octet).process(), process);
    }
}

/// Answers 91H for an identifier whose lowest octets it repeats.
fn answer_reads(rig: &mut Rig, process: Process, known: impl Fn(u32) -> Option<Vec<u8>>) {
    let octets = rig.taken(process);
    for packet in packets(&octets) {
        let packet = packet.unwrap();
        let Ok(Request::Read { identifier, .. }) = Request::parse(&packet.frame(), Version::V2007) else {
            panic!()
        };
        let mut out = [0; 300];
        let address = packet.frame().address();
        let data = known(identifier.code());
        let reply = match &data {
            Some(data) => Reply::Data {
                service: Service::Read,
                identifier,
                data: Data::plain(data),
                sequence: None,
                more: false,
            },
            None => Reply::Refused(Service::Read, dlt645::ErrorWord::new(Version::V2007, Reason::NoData)),
        };
        let frame = reply.encode(Version::V2007, address, 0, &mut out).unwrap();
        let mut octets = [0; 300];
        let octets = packet.answer(endpoint(process), frame).encode(&mut octets).unwrap().to_vec();
        rig.put(process, &octets);
    }
}

#[test]
fn combined_reads_are_split_and_put_together_in_order() {
    let mut rig = rig();
    // Voltage of phase B is an extended application's.
    let app = Process::Extended(1);
    register(&mut rig, app, command::REGISTER, &[(0x0201_0200, u32::MAX)]);
    rig.taken(app);
    let octets = packet(Process::Communication, Process::Bus, &read_frame(0x0201_FF00));
    assert_eq!(rig.put(Process::Communication, &octets), [Routed::Combined]);
    let known = |id: u32| Some(vec![id.to_le_bytes()[1], 0x22]);
    answer_reads(&mut rig, Process::Metering, known);
    answer_reads(&mut rig, app, known);
    answer_reads(&mut rig, Process::Metering, known);
    let octets = rig.taken(Process::Communication);
    let (reply, rest) = Packet::parse(&octets).unwrap();
    assert!(rest.is_empty());
    assert_eq!(reply.destination(), endpoint(Process::Communication));
    let Ok(Reply::Data { identifier, data, more: false, .. }) = Reply::parse(&reply.frame(), Version::V2007)
    else {
        panic!()
    };
    assert_eq!(identifier, Identifier::V2007(0x0201_FF00));
    assert!(data.iter().eq([1, 0x22, 2, 0x22, 3, 0x22]));
    rig.nothing_elsewhere();
    assert_eq!(rig.bus.poll_timeout(), None);
    // One owner of the whole block gets the block itself.
    let octets = packet(Process::Basic, Process::Bus, &read_frame(0x0202_FF00));
    assert_eq!(rig.put(Process::Basic, &octets), [Routed::To(Process::Metering)]);
    assert_eq!(rig.taken(Process::Metering), octets);
}

#[test]
fn a_combined_read_with_a_part_missing_is_an_error() {
    for late in [false, true] {
        let mut rig = rig();
        let app = Process::Extended(1);
        register(&mut rig, app, command::REGISTER, &[(0x0201_0200, u32::MAX)]);
        rig.taken(app);
        rig.put(Process::Basic, &packet(Process::Basic, Process::Bus, &read_frame(0x0201_FF00)));
        answer_reads(&mut rig, Process::Metering, |_| Some(vec![0, 0x22]));
        if late {
            let until = rig.bus.poll_timeout().unwrap();
            rig.bus.handle_timeout(until.wrapping_sub(1), &mut rig.lines);
            assert!(rig.bus.poll_timeout().is_some());
            rig.bus.handle_timeout(until, &mut rig.lines);
            assert_eq!(error_of(&rig.taken(Process::Basic)).2, 1);
            // The answer that comes after all is nobody's.
            answer_reads(&mut rig, app, |_| Some(vec![0, 0x22]));
            rig.nothing_elsewhere();
        } else {
            answer_reads(&mut rig, app, |_| None);
            assert_eq!(error_of(&rig.taken(Process::Basic)).2, 2);
        }
        assert_eq!(rig.bus.poll_timeout(), None);
    }
    // Rates are as many as are configured: a member that is not there ends the block.
    let mut rig = rig();
    let app = Process::Extended(1);
    register(&mut rig, app, command::REGISTER, &[(0x0001_0100, u32::MAX)]);
    rig.taken(app);
    rig.put(Process::Basic, &packet(Process::Basic, Process::Bus, &read_frame(0x0001_FF00)));
    let known = |id: u32| (id < 0x0001_0300).then(|| vec![id.to_le_bytes()[1]; 4]);
    for process in [Process::Metering, app, Process::Metering, Process::Metering] {
        answer_reads(&mut rig, process, known);
    }
    let octets = rig.taken(Process::Basic);
    let Ok(Reply::Data { data, .. }) =
        Reply::parse(&Packet::parse(&octets).unwrap().0.frame(), Version::V2007)
    else {
        panic!()
    };
    assert!(data.iter().eq([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]));
}

#[test]
fn a_block_goes_to_the_owner_of_its_members() {
    let mut rig = rig();
    let app = Process::Extended(1);
    // All rates, but not the FF that stands for them.
    register(&mut rig, app, command::REGISTER, &[(0x0001_0000, 0xFFFF_C0FF)]);
    rig.taken(app);
    let octets = packet(Process::Basic, Process::Bus, &read_frame(0x0001_FF00));
    assert_eq!(rig.put(Process::Basic, &octets), [Routed::To(app)]);
    assert_eq!(rig.taken(app), octets);
    rig.nothing_elsewhere();
    // Nobody owns the FF, or all of its members.
    register(&mut rig, app, command::REGISTER, &[(0x0500_0101, u32::MAX), (0x0500_0201, u32::MAX)]);
    rig.taken(app);
    let octets = packet(Process::Basic, Process::Bus, &read_frame(0x0500_FF01));
    assert_eq!(rig.put(Process::Basic, &octets), [Routed::To(app)]);
}

#[test]
fn a_combined_read_ends_only_where_there_is_no_more() {
    let part = |data: &[u8], control: u8| frame(METER.octets(), control, data, 0);
    for (answer, combined) in [
        // Wrong password, a part too long, too short, in several frames; then one that is right.
        (part(&[0x04], 0xD1), false),
        (part(&[0, 1, 1, 0, 1, 2, 3, 4, 5, 6, 7], 0x91), false),
        (part(&[0, 1, 1, 0, 1, 2], 0x91), false),
        (part(&[0, 1, 1, 0, 1, 2, 3, 4], 0xB1), false),
        (part(&[0, 1, 1, 0, 1, 2, 3, 4], 0x91), true),
    ] {
        let mut rig = rig();
        let app = Process::Extended(1);
        register(&mut rig, app, command::REGISTER, &[(0x0001_0100, u32::MAX)]);
        rig.taken(app);
        rig.put(Process::Basic, &packet(Process::Basic, Process::Bus, &read_frame(0x0001_FF00)));
        answer_reads(&mut rig, Process::Metering, |_| Some(vec![1; 4]));
        rig.taken(app);
        let routed = rig.put(app, &packet(app, Process::Bus, &answer));
        if combined {
            assert_eq!(routed, [Routed::Combined]);
            continue;
        }
        assert_eq!(routed, [Routed::Refused(Dropped::Part)]);
        assert_eq!(error_of(&rig.taken(Process::Basic)).2, 1);
        assert_eq!(rig.bus.poll_timeout(), None);
    }
}

#[test]
fn a_refused_registration_leaves_no_pipe() {
    let mut rig = rig();
    let (app, other) = (Process::Extended(1), Process::Extended(2));
    let conflict = [(0x0000_0000, 0xFF00_0000)];
    let refused = Routed::Refused(Dropped::Registration(RegisterError::Conflict));
    assert_eq!(register(&mut rig, app, command::REGISTER, &conflict), refused);
    error_of(&rig.taken(app));
    assert!(!rig.bus.has_pipe(app));
    // One that is registered keeps its pipe.
    register(&mut rig, other, command::REGISTER, &[(0xE000_0000, u32::MAX)]);
    assert_eq!(register(&mut rig, other, command::REGISTER, &conflict), refused);
    assert!(rig.bus.has_pipe(other));
}

#[test]
fn eight_combined_reads_at_a_time() {
    let mut rig = rig();
    register(&mut rig, Process::Extended(1), command::REGISTER, &[(0x0201_0200, u32::MAX)]);
    let octets = packet(Process::Basic, Process::Bus, &read_frame(0x0201_FF00));
    for _ in 0..8 {
        assert_eq!(rig.put(Process::Basic, &octets), [Routed::Combined]);
    }
    assert_eq!(rig.put(Process::Basic, &octets), [Routed::Refused(Dropped::Busy)]);
}

struct Modules(BTreeMap<u32, Vec<u8>>, u32);

impl Meter for Modules {
    fn get(&mut self, identifier: Identifier, _: Query, _: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let data = self.0.get(&identifier.code()).ok_or(Reason::NoData)?;
        out[..data.len()].copy_from_slice(data);
        Ok(Part { len: data.len(), more: false })
    }
    fn set(&mut self, identifier: Identifier, _: &Access, data: Data<'_>) -> Result<(), Reason> {
        self.0.insert(identifier.code(), data.iter().collect());
        Ok(())
    }
    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        self.1 += 1;
        Ok(0)
    }
}

#[test]
fn get_set_and_action_in_place_or_over_the_bus() {
    let mut rig = rig();
    let app = |process, id: u32| {
        App::new(process, METER, Modules(BTreeMap::from([(id, vec![0x11, 0x22])]), 0), [0; 230])
    };
    let mut basic = app(Process::Basic, 0x0330_0000);
    let mut metering = app(Process::Metering, 0x0201_0100);
    let mut out = [0; 300];
    // Own data: answered in place, the bus is not asked.
    let own = Request::Read { identifier: Identifier::V2007(0x0330_0000), query: Query::All };
    let Ok(Outcome::Answered(answer)) = basic.request(3, &own, true, &mut out) else { panic!() };
    assert!(matches!(Reply::parse(&answer, Version::V2007), Ok(Reply::Data { .. })));
    // Others' data: over the bus and back to the thread that asked.
    let access = Access { password: Password { level: 2, digits: [0; 3] }, operator: [0; 4] };
    let id = Identifier::V2007(0x0201_0100);
    for (request, control) in [
        (Request::Read { identifier: id, query: Query::All }, 0x91),
        (Request::Write { identifier: id, access, data: Data::plain(&[0x33, 0x44]) }, 0x94),
        (Request::Read { identifier: id, query: Query::All }, 0x91),
    ] {
        let Ok(Outcome::Forward(octets)) = basic.request(3, &request, false, &mut out) else { panic!() };
        assert_eq!(rig.put(Process::Basic, octets), [Routed::To(Process::Metering)]);
        let asked = rig.taken(Process::Metering);
        let answer =
            metering.handle_packet(&Packet::parse(&asked).unwrap().0, &mut out).unwrap().unwrap().to_vec();
        assert_eq!(rig.put(Process::Metering, &answer), [Routed::To(Process::Basic)]);
        let answer = rig.taken(Process::Basic);
        let (packet, _) = Packet::parse(&answer).unwrap();
        assert_eq!(basic.answers(&packet), Some(3));
        assert_eq!(metering.answers(&packet), None);
        assert_eq!(packet.frame().control().octet(), control);
    }
    assert_eq!(metering.modules().0[&0x0201_0100], [0x33, 0x44]);
    // An action for the basic application, distributed by its control code; broadcast, so not answered.
    let freeze = packet(Process::Communication, Process::Bus, &frame([0x99; 6], 0x16, &[0x99; 4], 0));
    rig.put(Process::Communication, &freeze);
    let octets = rig.taken(Process::Basic);
    assert_eq!(basic.handle_packet(&Packet::parse(&octets).unwrap().0, &mut out), Ok(None));
    assert_eq!(basic.modules().1, 1);
}

#[test]
fn services_in_threads_answer_over_their_pipes() {
    // The metering service blocks in read() on its own pipe, as a process would.
    let (mut from_bus, mut to_service) = pipe().unwrap();
    let (mut from_service, mut to_bus) = pipe().unwrap();
    let service = std::thread::spawn(move || {
        let mut metering = App::new(
            Process::Metering,
            METER,
            Modules(BTreeMap::from([(0x0001_0000, vec![1, 2, 3, 4])]), 0),
            [0; 230],
        );
        let mut decoder = Decoder::new([0; STORAGE]);
        let mut answered = 0;
        loop {
            let n = from_bus.read(decoder.spare_mut()).unwrap();
            if n == 0 {
                return answered;
            }
            decoder.commit(n);
            while let Some(event) = decoder.decode(&mut &[][..]) {
                let mut out = [0; 300];
                if let Some(octets) = metering.handle_packet(&event.unwrap(), &mut out).unwrap() {
                    to_bus.write_all(octets).unwrap();
                    answered += 1;
                }
            }
        }
    });
    let octets = packet(Process::Basic, Process::Metering, &read_frame(0x0001_0000));
    let stream: Vec<u8> = octets.iter().copied().cycle().take(octets.len() * 50).collect();
    for piece in stream.chunks(33) {
        to_service.write_all(piece).unwrap();
    }
    drop(to_service);
    let mut all = vec![];
    from_service.read_to_end(&mut all).unwrap();
    assert_eq!(service.join().unwrap(), 50);
    let answers: Vec<_> = packets(&all).map(Result::unwrap).collect();
    assert_eq!(answers.len(), 50);
    assert!(answers.iter().all(|packet| packet.destination() == endpoint(Process::Basic)));
    assert!(matches!(Frame::parse(answers[0].frame().octets()), Ok((_, []))));
}

fn dirty_pipe() -> impl Strategy<Value = Vec<u8>> {
    let good = (0..16u8, 0..16u8, prop::collection::vec(any::<u8>(), 0..255)).prop_map(|(from, to, data)| {
        let (from, to) = (Process::from_number(from).unwrap(), Process::from_number(to).unwrap());
        packet(from, to, &frame([0x68; 6], 0x68, &data, 0))
    });
    let piece = prop_oneof![
        4 => good.clone(),
        1 => (good.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut octets, at, to)| {
            let at = at.index(octets.len());
            octets[at] = to;
            octets
        }),
        1 => (good, any::<prop::sample::Index>()).prop_map(|(mut octets, at)| {
            octets.truncate(at.index(octets.len()));
            octets
        }),
        1 => (0..300usize).prop_map(|n| vec![0x68; n]),
        1 => prop::collection::vec(any::<u8>(), 0..30),
        // False headers with long claims.
        1 => any::<[u8; 8]>().prop_map(|o| vec![0x68, o[0] & 0xF7, o[1] & 0xF7, 0, o[2], o[3], o[4], o[5], o[6], o[7], 0, 0, 0, 0xFF, 0, 0x68]),
    ];
    prop::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_laws_hold_in_a_pipe(input in dirty_pipe(), cuts in prop::collection::vec(1..400usize, 1..12)) {
        let expected: Vec<_> = packets(&input).map(|event| event.map(|packet| packet.octets().to_vec())).collect();
        let kept: usize = expected.iter().map(|event| match event {
            Ok(octets) => octets.len(),
            Err(error) => error.lost as usize,
        }).sum();
        prop_assert_eq!(kept, input.len());
        for size in [vec![1], cuts] {
            let mut decoder = Decoder::new([0; STORAGE]);
            let (mut events, mut rest, mut at) = (vec![], &input[..], 0);
            while !rest.is_empty() {
                let n = size[at % size.len()].min(rest.len());
                at += 1;
                let mut chunk = &rest[..n];
                rest = &rest[n..];
                while let Some(event) = decoder.decode(&mut chunk) {
                    events.push(event.map(|packet| packet.octets().to_vec()));
                }
                prop_assert!(chunk.is_empty());
            }
            while let Some(event) = decoder.finish() {
                events.push(event.map(|packet| packet.octets().to_vec()));
            }
            prop_assert_eq!(&events, &expected);
            prop_assert_eq!(decoder.held(), 0);
        }
    }
}
