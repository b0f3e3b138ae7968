//! The five laws on dirty streams of mixed frames, for each framing.
#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;
use common::{Event, Tested, laws};
use dlms_hdlc::frame::Hdlc;
use dlms_hdlc::mbus::MBus;
use dlms_hdlc::transparent::{self, Transparent};
use dlms_hdlc::wrapper::Wrapper;
use dlms_hdlc::{Address, Builder, Control, longest_frame, mbus, wrapper};
use proptest::collection::vec;
use proptest::prelude::*;

fn address() -> impl Strategy<Value = Address> {
    prop_oneof![
        any::<u8>().prop_map(|a| Address::one(a & 0x7F)),
        any::<(u8, u8)>().prop_map(|(a, b)| Address::two(a & 0x7F, b & 0x7F)),
        any::<(u16, u16)>().prop_map(|(a, b)| Address::four(a & 0x3FFF, b & 0x3FFF)),
    ]
}

/// Octets that a decoder takes for something else if it can.
fn information(max: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(
        prop_oneof![4 => any::<u8>(), 1 => Just(0x7E), 1 => Just(0x7D), 1 => Just(0xA0), 1 => Just(0x68)],
        0..max,
    )
}

fn hdlc() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), address(), address(), any::<u8>(), information(90)).prop_map(
        |(segmented, destination, source, control, information)| {
            let control = Control(control);
            Builder { segmented, destination, source, control, information: &information }.octets().collect()
        },
    )
}

fn m_bus() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (any::<[u8; 3]>(), information(120)).prop_map(|([control, address, control_information], data)| {
            mbus::Builder { control, address, control_information, data: &data }.octets().collect()
        }),
        1 => any::<(u8, u8)>().prop_map(|(c, a)| vec![0x10, c, a, c.wrapping_add(a), 0x16]),
    ]
}

fn wrapped() -> impl Strategy<Value = Vec<u8>> {
    (any::<u16>(), any::<u16>(), information(100)).prop_map(|(source, destination, apdu)| {
        let mut out = vec![0; 200];
        wrapper::Builder { source, destination, apdu: &apdu }.encode(&mut out).unwrap().to_vec()
    })
}

fn escaped() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![3 => any::<u8>(), 1 => Just(0x7E), 1 => Just(0x7D)], 2..60)
        .prop_map(|content| transparent::octets(&content).collect())
}

/// One piece of a dirty stream.
#[derive(Clone, Debug)]
enum Piece {
    Whole(Vec<u8>),
    Damaged(Vec<u8>),
}

/// Frames whole, cut short, with octets flipped, dropped or added, noise, and flags or none between.
fn stream(frame: BoxedStrategy<Vec<u8>>, flag: Option<u8>) -> impl Strategy<Value = (Vec<Piece>, Vec<u8>)> {
    let damaged = (frame.clone(), any::<prop::sample::Index>(), 0..4, any::<u8>()).prop_map(
        |(mut f, at, how, with)| {
            let at = at.index(f.len());
            match how {
                0 => f[at] ^= with | 1,
                1 => drop(f.remove(at)),
                2 => f.truncate(at),
                _ => f.insert(at, with),
            }
            Piece::Damaged(f)
        },
    );
    let piece = prop_oneof![
        4 => frame.prop_map(Piece::Whole),
        2 => damaged,
        1 => vec(any::<u8>(), 0..30).prop_map(Piece::Damaged),
    ];
    vec((piece, 0..3usize), 0..10).prop_map(move |pieces| {
        let mut octets = Vec::new();
        let pieces = pieces
            .into_iter()
            .map(|(piece, flags)| {
                octets.extend(flag.into_iter().cycle().take(flags));
                let (Piece::Whole(part) | Piece::Damaged(part)) = &piece;
                octets.extend(part);
                piece
            })
            .collect();
        (pieces, octets)
    })
}

/// Law 5, as far as chance allows: a whole frame that the framing can find by itself is delivered.
fn delivered<F: Tested>(events: &[Event], frame: &[u8]) -> bool {
    events.iter().flatten().any(|found| found == frame)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn hdlc_keeps_the_laws((_, octets) in stream(hdlc().boxed(), Some(0x7E)), seed: u64, storage in 140usize..400) {
        laws::<Hdlc>(&octets, storage, seed);
        laws::<Hdlc>(&octets, 2600, seed);
    }

    #[test]
    fn mbus_keeps_the_laws((_, octets) in stream(m_bus().boxed(), None), seed: u64, storage in 60usize..330) {
        laws::<MBus>(&octets, storage, seed);
    }

    #[test]
    fn wrapper_keeps_the_laws((_, octets) in stream(wrapped().boxed(), None), seed: u64, storage in 60usize..330) {
        laws::<Wrapper>(&octets, storage, seed);
    }

    #[test]
    fn transparent_keeps_the_laws((_, octets) in stream(escaped().boxed(), Some(0x7E)), seed: u64, storage in 60usize..330) {
        laws::<Transparent>(&octets, storage, seed);
    }

    #[test]
    fn small_storage_of_any_size_keeps_the_laws((_, octets) in stream(hdlc().boxed(), Some(0x7E)), storage in 0usize..60) {
        if storage >= 18 { laws::<Hdlc>(&octets, storage, 7); } else { common::chunked::<Hdlc>(&octets, storage, || 3); }
        let mut decoder = dlms_hdlc::Decoder::new(vec![0; storage]);
        let _ = decoder.decode(&mut &octets[..]);
        let mut events = 0;
        while decoder.finish().is_some() {
            events += 1;
            prop_assert!(events <= octets.len() + 2, "finish ends, whatever was left undecoded");
        }
    }

    /// A frame behind a flag is delivered, whatever stood before, unless a frame in between swallowed it whole.
    #[test]
    fn damage_delays_a_frame_and_never_loses_it(before in vec(hdlc(), 0..4), cut: prop::sample::Index, last in hdlc()) {
        let mut octets = before.iter().fold(Vec::new(), |mut all, frame| { all.push(0x7E); all.extend(frame); all });
        octets.truncate(cut.index(octets.len() + 1));
        octets.push(0x7E);
        octets.extend(&last);
        let events = laws::<Hdlc>(&octets, 2600, 3);
        prop_assert!(delivered::<Hdlc>(&events, &last));
    }

    /// Octets behind one another with no flag left between them.
    #[test]
    fn missing_flags_cost_nothing(frames in vec(hdlc(), 1..5)) {
        let octets = frames.concat();
        let events = laws::<Hdlc>(&octets, 2600, 5);
        prop_assert_eq!(events, frames.into_iter().map(Ok).collect::<Vec<_>>());
    }

    #[test]
    fn noise_keeps_the_laws(octets in vec(prop_oneof![Just(0x7E), 0xA0u8..=0xA7, any::<u8>()], 0..300), storage in 18usize..90) {
        laws::<Hdlc>(&octets, storage, 11);
        laws::<MBus>(&octets, storage, 11);
    }
}

/// Headers with good check sequences that claim long frames, back to back: the worst that can be sent.
#[test]
fn false_headers_back_to_back_stay_bounded_and_keep_the_laws() {
    let header: Vec<u8> = {
        let information = [0; 500];
        let builder = Builder {
            segmented: false,
            destination: Address::one(1),
            source: Address::one(2),
            control: Control::UI,
            information: &information,
        };
        core::iter::once(0x7E).chain(builder.octets().take(8)).collect()
    };
    let octets = header.repeat(400);
    for storage in [200, 590, 620, 2600] {
        laws::<Hdlc>(&octets, storage, 1);
    }
    assert!(longest_frame(590) < 509 && longest_frame(620) > 509);
}

/// A header with a good check sequence that claims this much information.
fn header(claimed: usize) -> Vec<u8> {
    let information = vec![0; claimed];
    let (destination, source) = (Address::one(1), Address::one(2));
    let builder =
        Builder { segmented: false, destination, source, control: Control::UI, information: &information };
    core::iter::once(0x7E).chain(builder.octets().take(7)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// What is searched again in bulk, where input comes in chunks, comes out as it does octet by octet.
    #[test]
    fn long_and_short_false_headers_among_frames_keep_the_laws(
        pieces in vec(
            prop_oneof![
                4 => prop_oneof![1usize..40, 100usize..2030].prop_map(header),
                2 => hdlc().prop_map(|frame| [&[0x7E], &frame[..]].concat()),
                1 => vec(any::<u8>(), 0..200),
            ],
            1..80,
        ),
        seed: u64,
        storage in 30usize..2700,
    ) {
        laws::<Hdlc>(&pieces.concat(), storage, seed);
    }
}

#[test]
fn a_frame_of_every_length_passes() {
    let data = [0xA5; 2040];
    for len in 0..=2036 {
        let builder = Builder {
            segmented: len % 2 == 0,
            destination: Address::one(0x20),
            source: Address::two(1, 0x11),
            control: Control::UI,
            information: &data[..len],
        };
        let octets: Vec<u8> = builder.octets().collect();
        assert_eq!(octets.len(), builder.encoded_len());
        let mut decoder = dlms_hdlc::Decoder::new([0; 2356]);
        for (at, octet) in octets.iter().enumerate() {
            let event = decoder.decode(&mut core::slice::from_ref(octet));
            assert_eq!(event.is_some(), at + 1 == octets.len(), "delivered with its last octet");
            if let Some(frame) = event {
                assert_eq!(frame.unwrap().information(), &data[..len]);
            }
        }
    }
}
