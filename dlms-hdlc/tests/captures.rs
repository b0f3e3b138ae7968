//! Real captures, whole and damaged in every way that one octet can be.
#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;
use common::{Event, Tested, captures, chunked, hex, laws, sliced};
use dlms_hdlc::frame::Hdlc;
use dlms_hdlc::mbus::MBus;
use std::collections::HashSet;
use std::fs;

/// Name, octets and class of each capture.
fn all() -> Vec<(String, Vec<u8>, bool)> {
    let Some(folder) = captures() else { return Vec::new() };
    let mut all: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let good = text.contains("class: good");
            (path.file_stem().unwrap().to_string_lossy().into_owned(), hex(&text), good)
        })
        .collect();
    all.sort();
    assert!(all.len() >= 100, "captures are there but few");
    all
}

#[test]
fn good_captures_decode_without_an_error() {
    for (name, octets, good) in all() {
        let events = match octets[0] {
            0x7E => laws::<Hdlc>(&octets, 2600, 1),
            0x68 => laws::<MBus>(&octets, 330, 1),
            _ => continue,
        };
        if good {
            assert!(events.iter().all(Result::is_ok), "{name}: {events:?}");
            assert!(!events.is_empty(), "{name}");
        }
    }
}

#[test]
fn the_good_frame_behind_lost_octets_is_delivered() {
    let Some((_, octets, _)) = all().into_iter().find(|(name, ..)| name == "iss-aidon-988-corrupt") else {
        return;
    };
    let events = laws::<Hdlc>(&octets, 2600, 1);
    let second = octets.windows(3).rposition(|w| w[0] == 0x7E && w[1] & 0xF0 == 0xA0).unwrap() + 1;
    assert!(
        events.iter().flatten().any(|frame| *frame == octets[second..second + frame.len()]),
        "{events:?}"
    );
}

/// Every prefix, every deletion of one octet and every flip of one bit: each frame reported whole is one that was sent.
#[test]
fn damage_never_makes_a_frame_that_was_not_sent() {
    for (name, octets, _) in all() {
        match octets[0] {
            0x7E => mutate::<Hdlc>(&name, &octets),
            0x68 => mutate::<MBus>(&name, &octets),
            _ => {}
        }
    }
}

fn mutate<F: Tested>(name: &str, octets: &[u8]) {
    let events = sliced::<F>(octets);
    // In a capture that is damaged already, one more damage may be the repair: one of them lacks but a single bit.
    let whole = events.iter().all(Result::is_ok);
    let sent: HashSet<Vec<u8>> = events.into_iter().flatten().collect();
    let check = |events: Vec<Event>, what: &str, at: usize| {
        for frame in events.into_iter().flatten() {
            assert!(!whole || sent.contains(&frame), "{name}: {what} at {at} gave {frame:02x?}");
        }
    };
    for at in 0..octets.len() {
        check(sliced::<F>(&octets[..at]), "cut", at);
        let mut less = octets.to_vec();
        less.remove(at);
        check(sliced::<F>(&less), "deletion", at);
        check(chunked::<F>(&less, 700, || 16), "deletion, streamed,", at);
        for bit in 0..8 {
            let mut flipped = octets.to_vec();
            flipped[at] ^= 1 << bit;
            check(sliced::<F>(&flipped), "flip", at);
            if bit == at % 8 {
                check(chunked::<F>(&flipped, 700, || 16), "flip, streamed,", at);
            }
        }
    }
}
