//! Encrypted telegrams in any pieces: the same frames whatever the pieces, and opening one never panics.
#![no_main]

use dsmr::encrypted::Decoder;
use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::Cuts;

fuzz_target!(|data: &[u8]| {
    let Some((input, &[storage, mode])) = data.split_last_chunk::<2>() else { return };
    let storage = usize::from(storage) * 8;
    let mut cuts = Cuts::new(input, mode);
    let whole = events(input, storage, || usize::MAX);
    assert_eq!(whole, events(input, storage, || 1), "octet by octet");
    assert_eq!(whole, events(input, storage, || cuts.cut()), "in chunks");
});

/// Frames and errors, with conservation asserted at the end.
fn events(input: &[u8], storage: usize, mut cut: impl FnMut() -> usize) -> Vec<Result<Vec<u8>, String>> {
    let mut decoder = Decoder::new(vec![0; storage].into_boxed_slice());
    let (mut events, mut taken, mut lost) = (Vec::new(), 0, 0);
    let mut rest = input;
    let mut note = |event: Result<dsmr::encrypted::Frame<'_>, dsmr::Error>| match event {
        Ok(frame) => {
            taken += frame.octets().len();
            events.push(Ok(frame.octets().to_vec()));
        }
        Err(error) => {
            lost += error.lost as usize;
            events.push(Err(error.to_string()));
        }
    };
    while !rest.is_empty() {
        let (mut chunk, behind) = rest.split_at(cut().clamp(1, rest.len()));
        rest = behind;
        while let Some(event) = decoder.decode(&mut chunk) {
            note(event);
        }
        assert!(chunk.is_empty(), "None with input left");
    }
    while let Some(event) = decoder.finish() {
        note(event);
    }
    let fill = decoder.stats().fill as usize;
    assert_eq!(taken + lost + fill, input.len(), "conservation");
    events
}
