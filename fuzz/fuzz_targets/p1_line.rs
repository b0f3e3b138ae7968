//! P1 line by line: the same events however the octets are cut, and the good telegrams are those of the slice iterator.
#![no_main]

use dsmr::{Error, LineDecoder, LineEvent, Verdict, telegrams};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::Cuts;

#[derive(Debug, PartialEq)]
enum Owned {
    Identification(Vec<u8>, [bool; 3]),
    Data(Vec<u8>, [bool; 3]),
    End(Verdict, u32),
    Error(Error),
}

fuzz_target!(|data: &[u8]| {
    let Some((octets, &[storage, mode])) = data.split_last_chunk::<2>() else { return };
    let storage = 32 + usize::from(storage);
    let whole = lines(octets, storage, || usize::MAX);
    let mut cuts = Cuts::new(octets, mode);
    assert_eq!(whole, lines(octets, storage, || 1), "octet by octet");
    assert_eq!(whole, lines(octets, storage, || cuts.cut()), "in chunks");
    let good: Vec<u32> = whole.iter().filter_map(good_end).collect();
    let telegrams: Vec<u32> =
        telegrams(octets).flatten().map(|telegram| telegram.octets().len() as u32).collect();
    assert_eq!(good, telegrams, "octets of the good telegrams");
});

fn good_end(event: &Owned) -> Option<u32> {
    match event {
        Owned::End(verdict, octets) if !matches!(verdict, Verdict::Bad(_)) => Some(*octets),
        _ => None,
    }
}

fn lines(octets: &[u8], storage: usize, mut cut: impl FnMut() -> usize) -> Vec<Owned> {
    let mut decoder = LineDecoder::new(vec![0; storage]);
    let mut events = Vec::new();
    let mut rest = octets;
    while !rest.is_empty() {
        let (mut chunk, behind) = rest.split_at(cut().clamp(1, rest.len()));
        rest = behind;
        while let Some(event) = decoder.decode(&mut chunk) {
            events.push(owned(event));
        }
        assert!(chunk.is_empty(), "None with input left");
    }
    while let Some(event) = decoder.finish() {
        events.push(owned(event));
        assert!(events.len() <= 4 * octets.len() + 4, "finish without an end");
    }
    assert_eq!(decoder.held(), 0);
    events
}

fn owned(event: Result<LineEvent<'_>, Error>) -> Owned {
    let flags = |part: &dsmr::Part<'_>| [part.is_first(), part.is_last(), part.is_cut()];
    match event {
        Ok(LineEvent::Identification(part)) => Owned::Identification(part.octets().to_vec(), flags(&part)),
        Ok(LineEvent::Data(part)) => Owned::Data(part.octets().to_vec(), flags(&part)),
        Ok(LineEvent::End(end)) => Owned::End(end.verdict, end.octets),
        Ok(other) => panic!("an event that this target does not know: {other:?}"),
        Err(error) => Owned::Error(error),
    }
}
