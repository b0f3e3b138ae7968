//! COSEM data from a slice and from pieces: the same events, an error in both or in none; written again, it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::Cuts;
use obis::data::{
    Container, Decoder, Error, ErrorKind, Event, Events, Part, Quirks, Reader, StringKind, Value, Writer,
};

/// An event that borrows nothing: the octets of its value, a long string's parts joined.
#[derive(Clone, Debug, PartialEq)]
enum Flat {
    Begin(Container),
    End,
    Value(Vec<u8>),
}

fuzz_target!(|data: &[u8]| {
    let Some((&mode, octets)) = data.split_last() else { return };
    for quirks in [Quirks::NONE, Quirks::ALL] {
        let mut events = Events::with_quirks(octets, quirks);
        assert!(events.by_ref().count() <= 64 * octets.len() + 64, "events without end");
        assert_eq!(events.rest().len() + events.offset() as usize, octets.len());
    }
    let mut slice = Events::new(octets);
    let (whole, error) = flat(&mut slice);
    let (pieces, piece_error) = in_pieces(octets, mode);
    assert_eq!(
        (&pieces, piece_error),
        (&in_pieces(octets, 1).0, in_pieces(octets, 1).1),
        "however it is cut"
    );
    match piece_error.map(|error| error.kind) {
        None => assert_eq!((&whole, error), (&pieces, None), "slice and pieces"),
        // The decoder holds type descriptions of 40 octets, so that this one error is its own.
        Some(ErrorKind::CompactArray) => {}
        Some(_) => {
            assert!(error.is_some(), "an error in pieces alone: {piece_error:?}");
            assert!(pieces.starts_with(&whole), "a slice may only stop earlier");
        }
    }
    if error.is_none() {
        written_again(&whole);
    }
    let mut reader = Reader::new(octets);
    match reader.skip() {
        Ok(skipped) if error.is_none() => assert_eq!(skipped.len(), slice.offset() as usize, "skip"),
        // Nothing is nested for it, and it passes over the contents of a compact-array unread.
        Ok(_) => assert!(
            error.is_some_and(|error| error.kind == ErrorKind::Depth) || has_compact_array(&whole, error),
            "skipped what cannot be read: {error:?}"
        ),
        Err(skip) => assert!(error.is_some(), "read what cannot be skipped: {skip:?}"),
    }
});

fn has_compact_array(events: &[Flat], error: Option<Error>) -> bool {
    events.iter().any(|event| matches!(event, Flat::Begin(Container::CompactArray { .. })))
        || error.is_some_and(|error| error.kind == ErrorKind::CompactArray)
}

fn flat(events: &mut Events<'_>) -> (Vec<Flat>, Option<Error>) {
    let mut all = Vec::new();
    for event in events.by_ref() {
        match event {
            Ok(Event::Begin(container)) => all.push(Flat::Begin(container)),
            Ok(Event::End) => all.push(Flat::End),
            Ok(Event::Value(value)) => all.push(Flat::Value(written(&value))),
            Ok(Event::Part(_)) => panic!("a part from a slice"),
            Err(error) => return (all, Some(error)),
        }
    }
    assert!(events.is_done());
    (all, None)
}

fn in_pieces(octets: &[u8], mode: u8) -> (Vec<Flat>, Option<Error>) {
    let mut cuts = Cuts::new(octets, mode);
    let mut decoder = Decoder::new();
    let (mut all, mut string) = (Vec::new(), Vec::new());
    let mut rest = octets;
    while !rest.is_empty() && !decoder.is_done() {
        let (mut piece, behind) = rest.split_at(cuts.cut().min(rest.len()));
        while let Some(event) = decoder.decode(&mut piece) {
            match event {
                Ok(Event::Begin(container)) => all.push(Flat::Begin(container)),
                Ok(Event::End) => all.push(Flat::End),
                Ok(Event::Value(value)) => all.push(Flat::Value(written(&value))),
                Ok(Event::Part(part)) => join(&part, &mut string, &mut all),
                Err(error) => return (all, Some(error)),
            }
        }
        assert!(piece.is_empty() || decoder.is_done(), "octets left before the end");
        rest = behind;
    }
    let error = decoder.finish();
    (all, error)
}

fn join(part: &Part<'_>, string: &mut Vec<u8>, all: &mut Vec<Flat>) {
    assert_eq!(part.offset as usize, string.len());
    string.extend(part.octets);
    if part.is_last() {
        let octets = std::mem::take(string);
        assert_eq!(octets.len(), part.total as usize);
        let value = match part.kind {
            StringKind::Bits(bits) => Value::BitString { bits, octets: &octets },
            StringKind::Octets => Value::OctetString(&octets),
            StringKind::Visible => Value::VisibleString(&octets),
            StringKind::Utf8 => Value::Utf8String(&octets),
        };
        all.push(Flat::Value(written(&value)));
    }
}

fn written(value: &Value<'_>) -> Vec<u8> {
    let mut octets = vec![0; 16 + value.as_octets().map_or(0, <[u8]>::len)];
    if let Value::BitString { octets: bits, .. } = value {
        octets.resize(16 + bits.len(), 0);
    }
    let mut writer = Writer::new(&mut octets);
    writer.value(value).expect("room for one value");
    writer.finish().to_vec()
}

/// Writes what was read, where all of it has tags, and reads it once more.
fn written_again(events: &[Flat]) {
    let room =
        events.iter().map(|event| if let Flat::Value(octets) = event { octets.len() } else { 8 }).sum();
    let mut octets = vec![0; room];
    let mut len = 0;
    for event in events {
        let mut writer = Writer::new(&mut octets[len..]);
        len += match event {
            Flat::Begin(Container::Array(count)) => {
                writer.array(*count).map(|()| writer.finish().len()).unwrap()
            }
            Flat::Begin(Container::Structure(count)) => {
                writer.structure(*count).map(|()| writer.finish().len()).unwrap()
            }
            Flat::Begin(Container::CompactArray { .. }) => return,
            Flat::End => 0,
            Flat::Value(value) => {
                octets[len..len + value.len()].copy_from_slice(value);
                value.len()
            }
        };
    }
    let mut again = Events::new(&octets[..len]);
    assert_eq!((events, None), (flat(&mut again).0.as_slice(), None::<Error>), "written and read again");
}
