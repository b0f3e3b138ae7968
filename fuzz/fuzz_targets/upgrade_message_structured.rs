//! Messages of a transfer built of any fields, damaged, framed: a built one reads the same, a damaged one is refused or reads as what it is
//! written as again, and every whole frame of the plain carrier comes out, in order.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::{Damage, Stream, damaged};
use upgrade_proto::carrier::plain;
use upgrade_proto::error::Refusal;
use upgrade_proto::message::{
    Ask, Event, Form, Identity, Indices, Initiate, Message, Packet, Phase, Quiet, Report, Row, Status,
};
use upgrade_proto::package::{Address, Version};
use upgrade_proto::session::{Plane, Session};

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    session: (u16, u32),
    addresses: [[u8; 6]; 2],
    message: Built<'a>,
    damage: Damage,
    between: &'a [u8],
}

#[derive(Arbitrary, Debug)]
enum Built<'a> {
    Bare(u8),
    Identity { names: (u32, u32, u32), version: (u32, u16), numbers: [u16; 4], phase: u8 },
    Join { group: u16, member: u16, done: bool },
    Initiate { size: u32, block: u16, manifest: u16, tagged: bool, crc: u32, digest: [u8; 16] },
    Block { meta: bool, index: u16, acknowledge: bool, data: &'a [u8] },
    Xor { meta: bool, indices: Vec<u16>, data: &'a [u8] },
    Coded { meta: bool, generation: u8, generations: u8, seed: u16, density: u8, data: &'a [u8] },
    StatusQuery(Question),
    RollCall { ask: Question, slot: u16, first: u16, members: &'a [u8] },
    Status { bits: u8, form: u8, numbers: [u16; 3], octets: &'a [u8] },
    Activate(u32),
    Refused(u8),
    EventQuery(u8),
    Events(&'a [u8]),
}

#[derive(Arbitrary, Debug)]
struct Question {
    form: u8,
    quiet: u8,
    from: u16,
    limit: u16,
}

impl Question {
    fn ask(&self) -> Ask {
        Ask {
            form: [Form::Count, Form::Missing, Form::Bitmap, Form::Deficits][usize::from(self.form & 3)],
            quiet: [Quiet::Nobody, Quiet::Tagged, Quiet::Complete][usize::from(self.quiet % 3)],
            from: self.from,
            limit: self.limit,
        }
    }
}

fn plane(meta: bool) -> Plane {
    if meta { Plane::Meta } else { Plane::Data }
}

impl<'a> Built<'a> {
    fn message(&self) -> Message<'a> {
        match *self {
            Built::Bare(which) => [Message::Query, Message::Verify, Message::Cancel][usize::from(which % 3)],
            Built::Identity { names: (maker, model, hardware), version, numbers, phase } => {
                let [module, block_max, rows, read_time] = numbers;
                let version = Version { date: version.0, number: version.1 };
                let (maker, phase) = (maker.to_be_bytes(), Phase::from_code(phase));
                Message::Identity(Identity {
                    maker,
                    model,
                    hardware,
                    version,
                    module,
                    block_max,
                    rows,
                    read_time,
                    phase,
                })
            }
            Built::Join { group, member, done: false } => Message::Join { group, member },
            Built::Join { group, member, done: true } => Message::Joined { group, member },
            Built::Initiate { size, block, manifest, tagged, crc, digest } => {
                let manifest = manifest & 0x7FFF;
                Message::Initiate(Initiate { size, block, manifest, tagged, crc, digest })
            }
            Built::Block { meta, index, acknowledge, data } => {
                Message::Block { plane: plane(meta), index, acknowledge, data }
            }
            Built::Xor { meta, ref indices, data } => {
                let mut numbers = Indices::new();
                for &index in indices {
                    numbers.insert(index);
                }
                Message::Xor { plane: plane(meta), indices: numbers, data }
            }
            Built::Coded { meta, generation, generations, seed, density, data } => {
                let generations = generations.max(1);
                let row = Row { generation: generation % generations, generations, seed, density };
                Message::Coded { plane: plane(meta), row, data }
            }
            Built::StatusQuery(ref question) => Message::StatusQuery(question.ask()),
            Built::RollCall { ref ask, slot, first, members } => {
                Message::RollCall { ask: ask.ask(), slot, first, members }
            }
            Built::Status { bits, form, numbers: [first_missing, missing, from], octets } => {
                let report = match form & 3 {
                    0 => Report::Count,
                    1 => Report::List { from, octets },
                    2 => Report::Bitmap { from, octets },
                    _ => Report::Deficits(&octets[..octets.len() & !1]),
                };
                Message::Status(Status {
                    phase: Phase::from_code(bits),
                    plane: plane(bits & 0x10 != 0),
                    first_missing,
                    missing,
                    more: bits & 0x80 != 0,
                    report,
                })
            }
            Built::Activate(at) => Message::Activate { at },
            Built::Refused(code) => Message::Refused(Refusal::from_code(code)),
            Built::EventQuery(from) => Message::EventQuery { from },
            Built::Events(entries) => Message::Events(&entries[..entries.len() / Event::LEN * Event::LEN]),
        }
    }
}

/// For a message as long as the longest input, and the gaps of its numbers.
const ROOM: usize = 4400;
/// The longest frame that the decoder here takes.
const STORAGE: usize = 600;

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let mut stream = Stream::default();
    for piece in &pieces {
        let session = Session { id: piece.session.0, image: piece.session.1 };
        let packet = Packet { session, message: piece.message.message() };
        let mut buffer = [0; ROOM];
        let Ok(octets) = packet.encode(&mut buffer) else {
            // No number at all, or numbers too far apart for a list of gaps.
            let refused =
                matches!(packet.message, Message::Xor { indices, .. } if indices.as_slice().len() != 1);
            assert!(refused, "not written: {packet:?}");
            continue;
        };
        assert_eq!(Packet::parse(octets), Ok(packet), "what was built");
        if let Some((at, with)) = piece.damage {
            let mut octets = octets.to_vec();
            damaged(&mut octets, at, with);
            if let Ok(other) = Packet::parse(&octets) {
                let mut buffer = [0; ROOM];
                if let Ok(again) = other.encode(&mut buffer) {
                    assert_eq!(Packet::parse(again), Ok(other), "what became of {packet:?}");
                }
            }
        }
        let [to, from] = piece.addresses.map(Address);
        let mut buffer = [0; ROOM + plain::OVERHEAD];
        let frame = plain::Frame { to, from, message: octets }.encode(&mut buffer).expect("room").to_vec();
        let len = frame.len();
        // The decoder takes no longer ones.
        if len <= STORAGE {
            stream.put(frame, 0..len, piece.damage, piece.between);
        } else {
            stream.pass(&frame);
        }
    }
    // A false start holds what follows it until its length is there.
    stream.pass(&[0; STORAGE]);
    let mut decoder = plain::Decoder::new([0; STORAGE]);
    let (mut found, mut end, mut input) = (Vec::new(), 0, stream.octets());
    while let Some(frame) = decoder.decode(&mut input) {
        let mut buffer = [0; STORAGE];
        let frame = frame.encode(&mut buffer).expect("as long as it was");
        let behind = &stream.octets()[end..];
        let at = behind.windows(frame.len()).position(|part| part == frame);
        let start = end + at.expect("a frame that was not there, or twice");
        end = start + frame.len();
        found.push(start..end);
    }
    let given: usize = found.iter().map(|frame| frame.len()).sum();
    assert!(given + decoder.lost() as usize <= stream.octets().len(), "more than there was");
    stream.all_delivered_at(&found);
});
