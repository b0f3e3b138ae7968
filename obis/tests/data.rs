//! Properties of the three readers and the writer: one tree is one list of events, however it is read and cut.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

use obis::Obis;
use obis::apdu::{Apdu, Ciphered, DataNotification, Gbt};
use obis::data::{Container, Decoder, ErrorKind, Event, Events, Quirks, Reader, StringKind, Value, Writer};
use obis::datetime::{Date, DateTime, Time};
use obis::tree::Tree;
use proptest::prelude::*;

/// A tree that owns its strings.
#[derive(Clone, Debug)]
enum Node {
    Array(Vec<Node>),
    Structure(Vec<Node>),
    /// A compact-array of `structure { type, octet-string }` elements.
    Compact(Vec<(u32, Vec<u8>)>),
    String(u8, Vec<u8>),
    Bits(u32, Vec<u8>),
    /// A value of fixed size: its tag and enough octets for any.
    Fixed(u8, [u8; 12]),
}

const FIXED: [u8; 25] =
    [0, 3, 5, 6, 13, 15, 16, 17, 18, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 255, 6];

fn node() -> impl Strategy<Value = Node> {
    let octets = || prop::collection::vec(any::<u8>(), 0..20);
    let long = prop::collection::vec(any::<u8>(), 0..200);
    let leaf = prop_oneof![
        6 => (prop::sample::select(&FIXED[..]), any::<[u8; 12]>()).prop_map(|(tag, octets)| Node::Fixed(tag, octets)),
        3 => (prop::sample::select(&[9, 10, 12][..]), octets()).prop_map(|(tag, octets)| Node::String(tag, octets)),
        1 => (prop::sample::select(&[9, 10, 12][..]), long).prop_map(|(tag, octets)| Node::String(tag, octets)),
        1 => (octets(), 0..8u32).prop_map(|(octets, spare)| {
            Node::Bits((octets.len() as u32 * 8).saturating_sub(spare), octets)
        }),
        1 => prop::collection::vec((any::<u32>(), octets()), 0..5).prop_map(Node::Compact),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Node::Array),
            prop::collection::vec(inner, 0..6).prop_map(Node::Structure),
        ]
    })
}

fn fixed(tag: u8, octets: [u8; 12]) -> Value<'static> {
    let [a, b, c, d, e, f, g, h, ..] = octets;
    let (two, four, eight) = ([a, b], [a, b, c, d], [a, b, c, d, e, f, g, h]);
    match tag {
        0 => Value::Null,
        3 => Value::Boolean(a & 1 == 1),
        5 => Value::DoubleLong(i32::from_be_bytes(four)),
        6 => Value::DoubleLongUnsigned(u32::from_be_bytes(four)),
        13 => Value::Bcd(a),
        15 => Value::Integer(i8::from_be_bytes([a])),
        16 => Value::Long(i16::from_be_bytes(two)),
        17 => Value::Unsigned(a),
        18 => Value::LongUnsigned(u16::from_be_bytes(two)),
        20 => Value::Long64(i64::from_be_bytes(eight)),
        21 => Value::Long64Unsigned(u64::from_be_bytes(eight)),
        22 => Value::Enum(a),
        23 => Value::Float32(u32::from_be_bytes(four)),
        24 => Value::Float64(u64::from_be_bytes(eight)),
        25 => Value::DateTime(DateTime::from_octets(octets)),
        26 => Value::Date(Date::from_octets([a, b, c, d, e])),
        27 => Value::Time(Time::from_octets(four)),
        28 => Value::DeltaInteger(i8::from_be_bytes([a])),
        29 => Value::DeltaLong(i16::from_be_bytes(two)),
        30 => Value::DeltaDoubleLong(i32::from_be_bytes(four)),
        31 => Value::DeltaUnsigned(a),
        32 => Value::DeltaLongUnsigned(u16::from_be_bytes(two)),
        33 => Value::DeltaDoubleLongUnsigned(u32::from_be_bytes(four)),
        _ => Value::DontCare,
    }
}

fn string(tag: u8, octets: &[u8]) -> Value<'_> {
    match tag {
        9 => Value::OctetString(octets),
        10 => Value::VisibleString(octets),
        _ => Value::Utf8String(octets),
    }
}

fn contents(elements: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut contents = Vec::new();
    for (number, text) in elements {
        contents.extend(number.to_be_bytes());
        contents.push(text.len() as u8);
        contents.extend(text);
    }
    contents
}

fn write(node: &Node, writer: &mut Writer<'_>) {
    match node {
        Node::Array(nodes) => {
            writer.array(nodes.len() as u32).unwrap();
            nodes.iter().for_each(|node| write(node, writer));
        }
        Node::Structure(nodes) => {
            writer.structure(nodes.len() as u32).unwrap();
            nodes.iter().for_each(|node| write(node, writer));
        }
        Node::Compact(elements) => writer.compact_array(&[2, 2, 6, 9], &contents(elements)).unwrap(),
        Node::String(tag, octets) => writer.value(&string(*tag, octets)).unwrap(),
        Node::Bits(bits, octets) => writer.value(&Value::BitString { bits: *bits, octets }).unwrap(),
        Node::Fixed(tag, octets) => writer.value(&fixed(*tag, *octets)).unwrap(),
    }
}

fn encode(node: &Node) -> Vec<u8> {
    let mut out = vec![0; 100_000];
    let mut writer = Writer::new(&mut out);
    write(node, &mut writer);
    writer.octets().to_vec()
}

/// The events a reader must give, as text so that they can be kept.
fn expected(node: &Node, events: &mut Vec<String>) {
    let mut push = |event: Event<'_>| events.push(format!("{event:?}"));
    match node {
        Node::String(tag, octets) => push(Event::Value(string(*tag, octets))),
        Node::Fixed(tag, octets) => push(Event::Value(fixed(*tag, *octets))),
        Node::Bits(bits, octets) => {
            let octets = &octets[..bits.div_ceil(8) as usize];
            push(Event::Value(Value::BitString { bits: *bits, octets }));
        }
        Node::Compact(elements) => {
            push(Event::Begin(Container::CompactArray { octets: contents(elements).len() as u32 }));
            for (number, text) in elements {
                push(Event::Begin(Container::Structure(2)));
                push(Event::Value(Value::DoubleLongUnsigned(*number)));
                push(Event::Value(Value::OctetString(text)));
                push(Event::End);
            }
            push(Event::End);
        }
        Node::Array(nodes) | Node::Structure(nodes) => {
            let count = nodes.len() as u32;
            push(Event::Begin(match node {
                Node::Array(_) => Container::Array(count),
                _ => Container::Structure(count),
            }));
            nodes.iter().for_each(|node| expected(node, events));
            events.push(format!("{:?}", Event::End));
        }
    }
}

/// What the slice reader gives, its error apart.
fn pulled(octets: &[u8]) -> (Vec<String>, Option<obis::data::Error>) {
    let mut events = Vec::new();
    for event in Events::new(octets) {
        match event {
            Ok(event) => events.push(format!("{event:?}")),
            Err(error) => return (events, Some(error)),
        }
    }
    (events, None)
}

/// What the stream decoder gives when fed in pieces cut at `cuts`; its events as they come.
fn fed(octets: &[u8], cuts: &[usize]) -> (Vec<String>, Option<obis::data::Error>, usize) {
    let mut decoder = Decoder::new();
    let (mut events, mut failure) = (Vec::new(), None);
    let mut left_over = 0;
    let mut start = 0;
    for end in cuts.iter().copied().chain([octets.len()]) {
        let end = end.clamp(start, octets.len());
        let mut input = &octets[start..end];
        start = end;
        while let Some(event) = decoder.decode(&mut input) {
            match event {
                Ok(event) => events.push(format!("{event:?}")),
                Err(error) => failure = Some(error),
            }
        }
        assert!(input.is_empty() || decoder.is_done() || failure.is_some());
        left_over += input.len();
    }
    failure = failure.or_else(|| decoder.finish());
    (events, failure, left_over)
}

/// What the stream decoder gives in one piece, parts of strings put together.
fn joined(octets: &[u8]) -> Vec<String> {
    let mut decoder = Decoder::new();
    let mut input = octets;
    let (mut events, mut pending) = (Vec::new(), Vec::new());
    while let Some(Ok(event)) = decoder.decode(&mut input) {
        let Event::Part(part) = event else {
            events.push(format!("{event:?}"));
            continue;
        };
        assert_eq!(part.offset as usize, pending.len());
        pending.extend_from_slice(part.octets);
        if part.is_last() {
            let value = match part.kind {
                StringKind::Bits(bits) => Value::BitString { bits, octets: &pending },
                StringKind::Octets => Value::OctetString(&pending),
                StringKind::Visible => Value::VisibleString(&pending),
                StringKind::Utf8 => Value::Utf8String(&pending),
            };
            events.push(format!("{:?}", Event::Value(value)));
            pending.clear();
        }
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_is_read_by_every_reader(node in node(), tail in prop::collection::vec(any::<u8>(), 0..9)) {
        let mut octets = encode(&node);
        let whole = octets.len();
        octets.extend(&tail);
        let mut events = Vec::new();
        expected(&node, &mut events);
        let (read, error) = pulled(&octets);
        prop_assert_eq!((&read, error), (&events, None));
        let mut walk = Events::new(&octets);
        prop_assert!(walk.by_ref().all(|event| event.is_ok()));
        prop_assert_eq!(walk.rest(), &tail[..]);
        let mut reader = Reader::new(&octets);
        prop_assert_eq!(reader.skip().map(<[u8]>::len), Ok(whole));
        prop_assert_eq!(reader.rest(), &tail[..]);
        prop_assert_eq!(joined(&octets), events);
        let (_, error, left_over) = fed(&octets, &[]);
        prop_assert_eq!((error, left_over), (None, tail.len()));
    }

    #[test]
    fn the_decoder_gives_the_same_events_however_the_input_is_cut(
        node in node(),
        cuts in prop::collection::vec(0..400usize, 0..40),
        flip in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
    ) {
        let mut octets = encode(&node);
        if let Some((at, with)) = flip {
            let at = at.index(octets.len());
            octets[at] ^= with;
        }
        let mut cuts = cuts;
        cuts.sort_unstable();
        let whole = fed(&octets, &[]);
        prop_assert_eq!(&fed(&octets, &cuts), &whole);
        let every: Vec<_> = (0..octets.len()).collect();
        prop_assert_eq!(&fed(&octets, &every), &whole);
    }

    #[test]
    fn octets_cut_off_are_an_error_and_never_another_tree(node in node()) {
        let octets = encode(&node);
        for cut in (0..octets.len()).step_by(1 + octets.len() / 64) {
            let (read, error) = pulled(&octets[..cut]);
            let error = error.unwrap();
            prop_assert!(
                matches!(error.kind, ErrorKind::Truncated | ErrorKind::Count | ErrorKind::CompactArray),
                "{:?}", error
            );
            prop_assert!(pulled(&octets).0.starts_with(&read));
            prop_assert!(Reader::new(&octets[..cut]).skip().is_err());
            prop_assert!(fed(&octets[..cut], &[]).1.is_some());
        }
    }

    #[test]
    fn any_octets_are_read_in_bounded_work_and_alike(
        mut octets in prop::collection::vec(prop_oneof![4 => 0..35u8, 1 => any::<u8>()], 0..300),
        start in prop::option::of(prop::sample::select(&[[1, 9], [2, 3], [0x13, 2], [0x13, 1]][..])),
    ) {
        if let Some(start) = start {
            octets.splice(0..0, start);
        }
        let (read, error) = pulled(&octets);
        prop_assert!(read.len() <= 2 + 66 * octets.len());
        let (piecewise, stream_error, _) = fed(&octets, &[1, 7, 8, 100]);
        prop_assert!(piecewise.len() <= 2 + 66 * octets.len());
        match error.map(|error| error.kind) {
            None => prop_assert_eq!((joined(&octets), stream_error), (read, None)),
            // What the slice reader sees coming, the stream decoder meets later, if at all.
            Some(ErrorKind::Count | ErrorKind::Truncated | ErrorKind::CompactArray) => {
                prop_assert!(stream_error.is_some());
            }
            Some(_) => prop_assert_eq!(stream_error, error),
        }
        let _ = Events::with_quirks(&octets, Quirks::ALL).count();
        let _ = Tree::new(&octets).to_string();
        let mut reader = Reader::new(&octets);
        let _ = reader.entry();
    }

    #[test]
    fn any_octets_are_an_apdu_an_error_or_known_by_name(
        mut octets in prop::collection::vec(any::<u8>(), 0..200),
        tag in prop::sample::select(&[0x0F, 0xC2, 0xD8, 0xE0, 0xDB, 0xDC, 0xC8, 0x60, 0x7A][..]),
    ) {
        octets.insert(0, tag);
        if let Ok((apdu, rest)) = Apdu::parse(&octets) {
            prop_assert!(octets.ends_with(rest) && rest.len() < octets.len());
            prop_assert_eq!(apdu.tag().0, tag);
            let mut gbt = Gbt::new([0; 64]);
            if let Apdu::Block(block) = apdu {
                let step = gbt.push(&block);
                prop_assert_eq!(step.apdu.is_some(), block.number == 1 && block.control.is_last() && block.octets.len() <= 64);
            }
        }
        let _ = Ciphered::parse_body(&octets);
        let _ = DataNotification::parse_with_quirks(&octets, Quirks::ALL);
    }

    #[test]
    fn blocks_in_any_order_give_only_what_was_sent(order in prop::collection::vec(0..12usize, 0..60)) {
        // Three transfers of four blocks each; every octet names its transfer and block.
        let mut gbt = Gbt::new([0; 16]);
        let (mut fed, mut out, mut dropped) = (0, 0, 0);
        for pick in order {
            let (transfer, number) = (pick / 4, pick % 4 + 1);
            let octet = [(transfer * 16 + number) as u8; 2];
            let control = if number == 4 { 0xC0 } else { 0x40 };
            let head = [0xE0, control, 0, number as u8, 0, 0, 2];
            let block = [&head[..], &octet].concat();
            let (block, _) = obis::apdu::Block::parse(&block).unwrap();
            let step = gbt.push(&block);
            fed += 2;
            dropped += step.dropped as usize;
            if let Some(apdu) = step.apdu {
                out += apdu.len();
                let numbers: Vec<_> = apdu.iter().map(|octet| octet % 16).collect();
                prop_assert_eq!(numbers, [1, 1, 2, 2, 3, 3, 4, 4]);
            }
        }
        dropped += gbt.finish().map_or(0, |step| step.dropped as usize);
        prop_assert_eq!(out + dropped, fed, "every octet is delivered or accounted for");
    }

    #[test]
    fn entries_read_as_they_are_written(code in any::<[u8; 6]>(), value in any::<i32>(), scaler in any::<i8>(), unit: u8) {
        let mut out = [0; 32];
        let mut writer = Writer::new(&mut out);
        writer.structure(3).unwrap();
        writer.obis(Obis::from_octets(code)).unwrap();
        writer.value(&Value::DoubleLong(value)).unwrap();
        writer.scaler_unit(scaler, unit).unwrap();
        let octets = writer.finish();
        let mut reader = Reader::new(octets);
        let entry = reader.entry().unwrap();
        prop_assert_eq!((entry.obis.octets(), entry.value.as_integer()), (code, Some(i64::from(value))));
        prop_assert_eq!(entry.scaler_unit.map(|it| (it.scaler, it.unit)), Some((scaler, unit)));
        let mut slow = Reader::new(octets);
        prop_assert_eq!(slow.structure(), Ok(3));
        prop_assert_eq!(slow.obis().map(Obis::octets), Ok(code));
        prop_assert_eq!(slow.integer(), Ok(i64::from(value)));
        prop_assert_eq!(slow.scaler_unit(), entry.scaler_unit);
        prop_assert!(slow.rest().is_empty() && reader.rest().is_empty());
    }
}
