//! Every captured frame decodes to its expected value; negatives are refused for the stated reason; requests and
//! replies rebuilt from their meaning equal the captured octets.
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use common::{columns, shared, unhex};
use dlt645::{
    Decoder, ErrorKind, Frame, Identifier, Item, Reply, Request, STORAGE, Value, ValueError, Version, frames,
    items,
};

struct Row {
    octets: Vec<u8>,
    version: Version,
    columns: Vec<String>,
}

fn rows() -> Option<Vec<Row>> {
    let text = shared("captures/dlt645/frames645.csv")?;
    Some(
        text.lines()
            .skip(1)
            .map(|line| {
                let columns = columns(line);
                let version = if columns[1] == "1997" { Version::V1997 } else { Version::V2007 };
                Row { octets: unhex(&columns[0]), version, columns }
            })
            .collect(),
    )
}

fn hex(octets: impl Iterator<Item = u8>) -> String {
    octets.map(|octet| format!("{octet:02x}")).collect()
}

fn numbers(text: &str) -> Vec<String> {
    text.split([' ', ','])
        .filter(|word| word.contains('.') && word.parse::<f64>().is_ok())
        .map(str::to_owned)
        .collect()
}

fn expect_items(row: &Row, items: &[Item<'_>]) {
    let expected = row.columns[7].as_str();
    let values: Vec<String> = items.iter().map(|item| item.value.unwrap().to_string()).collect();
    match (&items[0].value, values.as_slice()) {
        (Ok(Value::Text(_)), [text]) => {
            assert!(expected.contains(&format!("\"{text}\"")), "{expected}: {text}")
        }
        (_, [one]) => {
            let expected = expected.split(" addr=").next().unwrap().split(" (").next().unwrap();
            // Some rows write 0.0000 kW in full, some 0 V: the digits are compared as they stand.
            assert_eq!(one, expected, "{}", row.columns[0]);
        }
        (_, many) => {
            let found: Vec<String> = many.iter().map(|v| v.split(' ').next().unwrap().to_owned()).collect();
            assert_eq!(found, numbers(expected), "{}", row.columns[0]);
            assert!(many.iter().all(|value| value.ends_with("kWh")), "{many:?}");
        }
    }
}

fn expect_reply(row: &Row, reply: Reply<'_>) {
    let expected = row.columns[7].as_str();
    match reply {
        Reply::Data { identifier, data, .. } => {
            assert_eq!(identifier.to_string().to_lowercase(), row.columns[4]);
            assert_eq!(hex(data.iter()), row.columns[5]);
            expect_items(row, &items(identifier, data).collect::<Vec<_>>());
        }
        Reply::Address(address) => assert_eq!(address.to_string(), expected),
        Reply::Refused(_, word) => {
            let (bits, reason) = expected.strip_prefix("ERR=").unwrap().split_once(' ').unwrap();
            assert_eq!(format!("{:02X}", word.bits), bits);
            assert!(word.to_string().contains(reason), "{word}");
        }
        other => panic!("{other:?}"),
    }
}

fn expect_request(row: &Row, request: Request<'_>) {
    let expected = row.columns[7].as_str();
    match request {
        Request::Read { identifier, .. } => assert_eq!(expected, format!("di={identifier}")),
        Request::ReadNext { identifier, sequence, .. } => {
            assert_eq!(expected, format!("di={identifier} seq={sequence}"));
        }
        Request::ReadAddress => assert_eq!(expected, "wildcard"),
        Request::BroadcastTime(time) => assert!(expected.starts_with(&time.to_string()), "{time}"),
        Request::Relay { access, command, option, until } => {
            let text = format!("N1={:02X}", command.octet());
            assert!(expected.contains(&text) || row.columns[6].contains(&text), "{text}");
            assert_eq!((option, access.password.level), (0, 2));
            assert!(!until.is_calendar(), "all zero: no end");
            if expected.contains("operator") {
                assert_eq!(access.operator, [0x30; 4]);
            }
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_frame_decodes_to_its_expected_value() {
    let Some(rows) = rows() else { return };
    let (mut valid, mut rebuilt, mut negative) = (0, 0, 0);
    for row in &rows {
        if row.columns[8] == "negative" {
            expect_refusal(row);
            negative += 1;
            continue;
        }
        let (frame, rest) = Frame::parse(&row.octets).unwrap();
        assert!(rest.is_empty());
        assert_eq!(frame.control().to_string().to_lowercase(), row.columns[2]);
        assert_eq!(frame.address().to_string().to_lowercase(), row.columns[3]);
        let mut out = [0; 300];
        let again = if frame.control().from_meter() {
            let reply = Reply::parse(&frame, row.version).unwrap();
            expect_reply(row, reply);
            reply.encode(row.version, frame.address(), 0, &mut out).unwrap()
        } else {
            let request = Request::parse(&frame, row.version).unwrap();
            expect_request(row, request);
            request.encode(row.version, frame.address(), 0, &mut out).unwrap()
        };
        assert_eq!(again, row.octets, "rebuilt from its meaning");
        valid += 1;
        rebuilt += 1;
    }
    eprintln!(
        "frames645.csv: {valid} frames decode to their values, {rebuilt} rebuilt octet for octet, {negative} negatives refused"
    );
    assert_eq!(valid + negative, rows.len());
}

fn expect_refusal(row: &Row) {
    let expected = row.columns[7].as_str();
    match expected {
        "Err Header" => assert_eq!(Frame::parse(&row.octets).unwrap_err().kind, ErrorKind::Header),
        "Err Checksum" => assert_eq!(Frame::parse(&row.octets).unwrap_err().kind, ErrorKind::Checksum),
        "Err InvalidBcd (byte 0E)" => {
            let (frame, _) = Frame::parse(&row.octets).unwrap();
            let Ok(Reply::Data { identifier, data, .. }) = Reply::parse(&frame, row.version) else {
                panic!()
            };
            let values: Vec<_> = items(identifier, data).map(|item| item.value).collect();
            assert_eq!(values, [Err(ValueError::NotBcd { at: 2, octet: 0x0E })]);
        }
        other => panic!("reason {other} is not tested"),
    }
}

#[test]
fn all_captures_in_one_stream() {
    let (Some(rows), Some(other)) = (rows(), shared("captures/dlt645/frames_other.csv")) else { return };
    let others: Vec<Vec<u8>> = other.lines().skip(1).map(|line| unhex(&columns(line)[1])).collect();
    let mut stream = vec![];
    let mut expected = vec![];
    for (at, row) in rows.iter().enumerate() {
        // Frames of relatives share the start octet; they must not cost a frame of ours.
        stream.extend(&others[at % others.len()]);
        stream.extend([0xFE; 4]);
        stream.extend(&row.octets);
        if Frame::parse(&row.octets).is_ok() {
            expected.push(row.octets.clone());
        }
    }
    let whole: Vec<Vec<u8>> = frames(&stream).flatten().map(|frame| frame.octets().to_vec()).collect();
    // Relatives that happen to be frames by our rules (68 at +7, sum and end right) come between.
    let ours: Vec<_> = whole.iter().filter(|octets| expected.contains(octets)).cloned().collect();
    assert_eq!(ours, expected);
    for size in [1, 3, 16, 64, 1000] {
        let mut decoder = Decoder::new([0; STORAGE]);
        let mut found = vec![];
        for mut chunk in stream.chunks(size) {
            while let Some(event) = decoder.decode(&mut chunk) {
                found.extend(event.map(|frame| frame.octets().to_vec()));
            }
        }
        while let Some(event) = decoder.finish() {
            found.extend(event.map(|frame| frame.octets().to_vec()));
        }
        assert_eq!(found, whole, "chunks of {size}");
    }
    eprintln!(
        "{} octets with {} frames of relatives between: {} frames found",
        stream.len(),
        others.len(),
        whole.len()
    );
}

#[test]
fn frames_of_relatives_are_no_frames_of_ours() {
    let Some(other) = shared("captures/dlt645/frames_other.csv") else { return };
    for line in other.lines().skip(1) {
        let row = columns(line);
        let octets = unhex(&row[1]);
        let found: Vec<_> = frames(&octets).flatten().collect();
        assert!(found.is_empty(), "{} {}: {found:?}", row[0], row[1]);
    }
}

#[test]
fn a_changed_octet_never_passes_as_the_same_frame() {
    let Some(rows) = rows() else { return };
    let mut mutants = 0;
    for row in rows.iter().filter(|row| row.columns[8] == "valid") {
        for at in 0..row.octets.len() {
            for to in 0..=255 {
                let mut octets = row.octets.clone();
                if octets[at] == to {
                    continue;
                }
                octets[at] = to;
                mutants += 1;
                // One changed octet always shows: in the sum, the marks or the length.
                assert!(
                    Frame::parse(&octets).map_or(true, |(frame, _)| frame.octets().len() != octets.len())
                );
                for frame in frames(&octets).flatten() {
                    read(&frame);
                }
            }
        }
    }
    eprintln!("{mutants} mutants, none taken for a frame of the same length, no panic");
}

/// Whatever a frame says, reading it in both versions must not panic.
fn read(frame: &Frame<'_>) {
    for version in [Version::V1997, Version::V2007] {
        if let Ok(Reply::Data { identifier, data, .. }) = Reply::parse(frame, version) {
            for item in items(identifier, data) {
                let _ = item.value.map(|value| value.to_string());
            }
        }
        let _ = Request::parse(frame, version);
    }
}

#[test]
fn repaired_mutants_are_read_without_panic() {
    let Some(rows) = rows() else { return };
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for _ in 0..200_000 {
        let row = &rows[random() as usize % rows.len()];
        let mut octets = row.octets.clone();
        let n = octets.len();
        for _ in 0..=random() % 4 {
            octets[8 + random() as usize % (n - 10)] = random() as u8;
        }
        // Length and sum are repaired, so that the layers above see the damage.
        octets[0] = 0x68;
        octets[7] = 0x68;
        octets[9] = (n - 12) as u8;
        octets[n - 2] = octets[..n - 2].iter().fold(0, |a: u8, b| a.wrapping_add(*b));
        octets[n - 1] = 0x16;
        let (frame, _) = Frame::parse(&octets).unwrap();
        read(&frame);
        // The same data under any identifier.
        let identifier = Identifier::V2007((random() as u32) & 0x0FFF_FFFF);
        for item in items(identifier, frame.data()) {
            let _ = item.value.map(|value| value.to_string());
        }
    }
}
