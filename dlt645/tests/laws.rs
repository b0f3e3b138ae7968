//! The five laws of the streaming idiom, on dirty streams.
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code"
)]

mod common;

use common::{dirty, frame};
use dlt645::{Decoder, Error, ErrorKind, STORAGE, frames};
use proptest::prelude::*;

type Event = Result<Vec<u8>, Error>;

fn whole(input: &[u8]) -> Vec<Event> {
    let mut all = frames(input);
    let mut events = vec![];
    for event in all.by_ref() {
        events.push(event.map(|frame| frame.octets().to_vec()));
    }
    conserved(&events, all.stats(), 0, input.len());
    events
}

fn conserved(events: &[Event], stats: dlt645::Stats, held: u32, fed: usize) {
    let framed: usize = events.iter().flatten().map(Vec::len).sum();
    let lost: u32 = events.iter().filter_map(|e| e.as_ref().err()).map(|e| e.lost).sum();
    assert_eq!(framed + lost as usize + stats.fill as usize + held as usize, fed, "conservation");
    assert_eq!(stats.frames as usize, events.iter().flatten().count());
    assert_eq!(stats.errors as usize, events.iter().filter(|e| e.is_err()).count());
}

fn streamed<const N: usize>(input: &[u8], mut cut: impl FnMut() -> usize, commit: bool) -> Vec<Event> {
    // Storage comes as it is: nothing may be read that has not been written.
    let mut decoder = Decoder::new([0xA5; N]);
    let mut events: Vec<Event> = vec![];
    let mut rest = input;
    let mut fed = 0;
    while !rest.is_empty() {
        let mut n = cut().clamp(1, rest.len());
        if commit {
            let spare = decoder.spare_mut();
            assert!(!spare.is_empty(), "spare is never empty after None");
            n = n.min(spare.len());
            spare[..n].copy_from_slice(&rest[..n]);
            decoder.commit(n);
            let mut none = &[][..];
            while let Some(event) = decoder.decode(&mut none) {
                events.push(event.map(|frame| frame.octets().to_vec()));
            }
        } else {
            let mut chunk = &rest[..n];
            loop {
                let before = chunk.len();
                let held = decoder.held();
                let Some(event) = decoder.decode(&mut chunk) else { break };
                let event = event.map(|frame| frame.octets().to_vec());
                assert!(chunk.len() < before || decoder.held() < held, "progress");
                events.push(event);
            }
            assert!(chunk.is_empty(), "None leaves input empty");
        }
        rest = &rest[n..];
        fed += n;
        if fed % 64 == 0 {
            conserved(&events, decoder.stats(), decoder.held(), fed);
        }
    }
    conserved(&events, decoder.stats(), decoder.held(), fed);
    while let Some(event) = decoder.finish() {
        events.push(event.map(|frame| frame.octets().to_vec()));
    }
    assert_eq!(decoder.held(), 0);
    conserved(&events, decoder.stats(), 0, fed);
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_laws_hold_on_dirty_streams(input in dirty(), cuts in prop::collection::vec(1..300usize, 1..20)) {
        let expected = whole(&input);
        let mut at = 0;
        let mut next = || { at += 1; cuts[at % cuts.len()] };
        prop_assert_eq!(&streamed::<STORAGE>(&input, || usize::MAX, false), &expected);
        prop_assert_eq!(&streamed::<STORAGE>(&input, || 1, false), &expected);
        prop_assert_eq!(&streamed::<STORAGE>(&input, &mut next, false), &expected);
        prop_assert_eq!(&streamed::<STORAGE>(&input, &mut next, true), &expected);
        prop_assert_eq!(&streamed::<STORAGE>(&input, || 1, true), &expected);
        prop_assert_eq!(&streamed::<1000>(&input, &mut next, true), &expected);
    }

    #[test]
    fn a_small_storage_is_chunk_invariant_too(input in dirty(), cuts in prop::collection::vec(1..50usize, 1..20)) {
        let expected = streamed::<100>(&input, || usize::MAX, false);
        let mut at = 0;
        let mut next = || { at += 1; cuts[at % cuts.len()] };
        prop_assert_eq!(&streamed::<100>(&input, || 1, false), &expected);
        prop_assert_eq!(&streamed::<100>(&input, &mut next, false), &expected);
        prop_assert_eq!(&streamed::<100>(&input, &mut next, true), &expected);
        streamed::<0>(&[], || 1, false);
    }

    #[test]
    fn no_good_frame_is_lost_behind_false_starts(
        starts in prop::collection::vec((any::<u8>(), 0..9usize), 0..20),
        data in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        // False headers claim up to 255 octets and reach over the good frame.
        let mut input = vec![];
        for (len, gap) in starts {
            input.extend([0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x91, len]);
            input.extend(core::iter::repeat_n(0x11, gap));
        }
        let good = frame([1, 2, 3, 4, 5, 6], 0x91, &data, 0);
        input.extend(&good);
        let events = streamed::<STORAGE>(&input, || 1, false);
        // One in some thousands of false starts happens to carry a right sum and end octet: that is a frame then.
        let other = events.iter().flatten().any(|octets| *octets != good);
        prop_assert!(other || events.iter().flatten().any(|octets| *octets == good));
    }
}

#[test]
fn a_flood_of_start_octets_overruns_nothing() {
    for n in [300, 5_000] {
        let mut input = vec![0x68; n];
        input.extend(frame([1; 6], 0x91, &[1, 2, 3, 4], 0));
        input.extend([0; 300]);
        let events = streamed::<STORAGE>(&input, || 1, false);
        assert_eq!(events, whole(&input));
        assert_eq!(events.iter().flatten().count(), 1);
    }
}

#[test]
fn a_false_start_with_a_long_claim_does_not_stall_the_stream() {
    // ng-gateway waits for all the octets that a false 68H claims, without limit.
    let good = frame([1, 2, 3, 4, 5, 6], 0x91, &[0, 0, 1, 0, 0x26, 0, 0, 0], 0);
    let mut input = vec![0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x91, 0xFF];
    input.extend(&good);
    let mut decoder = Decoder::new([0; STORAGE]);
    let mut rest = &input[..];
    assert!(decoder.decode(&mut rest).is_none());
    // 500 ms of silence: the good frame comes out at once.
    assert_eq!(decoder.finish().unwrap().unwrap_err(), Error { kind: ErrorKind::Truncated, lost: 1 });
    let mut found = false;
    while let Some(event) = decoder.finish() {
        found |= event.is_ok_and(|frame| frame.octets() == good);
    }
    assert!(found);
}

#[test]
fn a_good_frame_comes_with_its_last_octet() {
    let good = frame([1, 2, 3, 4, 5, 6], 0x91, &[0, 0, 1, 0, 0x26, 0, 0, 0], 4);
    let mut decoder = Decoder::new([0; STORAGE]);
    for round in 0..5u8 {
        // Noise between frames is reported first, still on the last octet.
        let noise = [0x55; 9];
        for octet in &noise[..round.into()] {
            assert!(decoder.decode(&mut &[*octet][..]).is_none());
        }
        for (at, octet) in good.iter().enumerate() {
            let mut input = core::slice::from_ref(octet);
            if at + 1 < good.len() {
                assert!(decoder.decode(&mut input).is_none());
                continue;
            }
            if round > 0 {
                let error = decoder.decode(&mut input).unwrap().unwrap_err();
                assert_eq!(error, Error { kind: ErrorKind::Noise, lost: round.into() });
            }
            assert!(decoder.decode(&mut input).unwrap().is_ok());
            assert!(decoder.decode(&mut input).is_none());
        }
    }
}

#[test]
fn octets_committed_before_the_first_look_do_not_depend_on_old_storage() {
    let good = frame([1, 2, 3, 4, 5, 6], 0x91, &[0, 0, 1, 0, 0x26, 0, 0, 0], 0);
    let mut decoder = Decoder::new([0xA5; STORAGE]);
    for _ in 0..3 {
        decoder.spare_mut()[..good.len()].copy_from_slice(&good);
        decoder.commit(good.len());
        assert_eq!(decoder.decode(&mut &[][..]).unwrap().unwrap().octets(), good);
        decoder.reset();
    }
}

#[test]
fn a_storage_that_takes_no_frame_takes_the_input_all_the_same() {
    fn feed<const N: usize>(step: usize, fits: bool) {
        let mut input = frame([1, 2, 3, 4, 5, 6], 0x91, &[], 2);
        input.extend([0x55; 9]);
        let mut decoder = Decoder::new([0xA5; N]);
        let (mut events, fed) = (vec![], input.len());
        for mut piece in input.chunks(step) {
            while let Some(event) = decoder.decode(&mut piece) {
                events.push(event.map(|frame| frame.octets().to_vec()));
            }
            assert!(piece.is_empty(), "{N} octets of storage");
        }
        while let Some(event) = decoder.finish() {
            events.push(event.map(|frame| frame.octets().to_vec()));
        }
        conserved(&events, decoder.stats(), decoder.held(), fed);
        assert_eq!(decoder.held(), 0);
        assert_eq!(events.iter().any(Result::is_ok), fits);
        assert!(fits || events.iter().all(|event| event.as_ref().unwrap_err().kind == ErrorKind::TooLong));
    }
    for step in [1, 5, 100] {
        feed::<0>(step, false);
        feed::<1>(step, false);
        feed::<9>(step, false);
        feed::<27>(step, false);
        feed::<28>(step, false);
        feed::<45>(step, false);
        feed::<46>(step, true);
    }
}

#[test]
fn trailing_noise_does_not_break_a_frame() {
    // icprog trusts the last octet of a buffer to be 16H; meters leave FFH tails.
    let mut input = frame([1, 2, 3, 4, 5, 6], 0x91, &[1, 2, 3, 4], 3);
    input.extend([0xFF, 0xFF, 0x00]);
    let events: Vec<_> = frames(&input).collect();
    assert_eq!(events.len(), 2);
    assert!(events[0].is_ok());
    assert_eq!(events[1].unwrap_err(), Error { kind: ErrorKind::Noise, lost: 3 });
}
