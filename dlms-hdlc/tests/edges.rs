//! What stands beside the frames: words for what is wrong, little storage, an interrupted message.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code"
)]

use dlms_hdlc::assembly::{DropReason, Dropped};
use dlms_hdlc::{
    Address, Assembled, Assembler, BufferTooSmall, Builder, Control, Decoder, Error, ErrorKind, Frame, Stats,
    frames, longest_frame, mbus, wrapper,
};

const UI: Builder<'static> = Builder {
    segmented: false,
    destination: Address::one(0x20),
    source: Address::two(4, 0x41),
    control: Control::UI,
    information: &[],
};

fn ui(information: &[u8]) -> Vec<u8> {
    Builder { information, ..UI }.octets().collect()
}

#[test]
fn what_is_wrong_is_said_in_words_that_differ() {
    use ErrorKind::{Address, Checksum, Fcs, Format, Hcs, Length, Noise, Overrun, Stop, TooLong, Truncated};
    let kinds = [Noise, Length, TooLong, Address, Format, Hcs, Fcs, Checksum, Stop, Truncated, Overrun];
    let mut words: Vec<String> = kinds.map(|kind| kind.to_string()).into();
    words.extend(
        [
            DropReason::NoFirst,
            DropReason::Damage,
            DropReason::OutOfOrder,
            DropReason::Interrupted,
            DropReason::TooLong,
            DropReason::Truncated,
        ]
        .map(|reason| reason.to_string()),
    );
    words.push(BufferTooSmall.to_string());
    let (count, lower) = (words.len(), words.iter().all(|text| !text.contains(char::is_uppercase)));
    words.sort();
    words.dedup();
    assert!(lower && words.len() == count && !words[0].is_empty(), "{words:?}");
    assert_eq!(Error { kind: Hcs, lost: 7 }.to_string(), "header check sequence wrong (7 octets lost)");
    let dropped = Dropped { reason: DropReason::NoFirst, octets: 3 };
    assert_eq!(dropped.to_string(), "first segment missing (3 octets of the message dropped)");
}

#[test]
fn control_fields_by_the_standards_names() {
    let names = [
        (0x13, "UI"),
        (0x93, "SNRM"),
        (0x53, "DISC"),
        (0x73, "UA"),
        (0x1F, "DM"),
        (0x97, "FRMR"),
        (0x51, "RR r=2"),
        (0x55, "RNR r=2"),
        (0x12, "I s=1 r=0"),
        (0xEF, "control 0xef"),
    ];
    for (octet, name) in names {
        assert_eq!(Control(octet).to_string(), name);
        assert_eq!(format!("{:?}", Control(octet)), format!("Control({octet:#04x} {name})"));
    }
}

#[test]
fn an_empty_or_wrong_front_is_no_frame() {
    assert_eq!(Frame::parse(&[]).unwrap_err(), Error { kind: ErrorKind::Truncated, lost: 0 });
    assert_eq!(Frame::parse(&[0x7E]).unwrap_err(), Error { kind: ErrorKind::Truncated, lost: 0 });
    let mut out = [0; 20];
    let unit = wrapper::Builder { source: 1, destination: 16, apdu: b"apdu" }.encode(&mut out).unwrap();
    let (frame, rest) = wrapper::Frame::parse(unit).unwrap();
    assert_eq!((frame.apdu(), rest), (&b"apdu"[..], &[][..]));
    assert!(wrapper::Frame::parse(&unit[1..]).is_err());
}

#[test]
fn other_control_information_carries_no_transport() {
    let octets: Vec<u8> =
        mbus::Builder { control: 0x53, address: 0xFF, control_information: 0x72, data: b"\x01\x67meter" }
            .octets()
            .collect();
    let (frame, _) = mbus::Frame::parse(&octets).unwrap();
    assert_eq!((frame.control_information(), frame.transport()), (Some(0x72), None));
    assert_eq!(Assembler::new([0; 8]).accept(&Ok(frame)), Assembled::default());
}

#[test]
fn reset_forgets_the_octets_and_keeps_the_counters() {
    let frame = ui(b"whole");
    let mut decoder = Decoder::new([0; 100]);
    let line = [&[0x7E][..], &frame, &frame[..6]].concat();
    let mut input = &line[..];
    assert!(decoder.decode(&mut input).unwrap().is_ok());
    assert!(decoder.decode(&mut input).is_none() && decoder.pending() == 6);
    assert!(
        format!("{decoder:?}").starts_with("Decoder { held: 6, stats: Stats { frames: 1,"),
        "{decoder:?}"
    );
    decoder.reset();
    assert_eq!((decoder.pending(), decoder.stats()), (0, Stats { frames: 1, errors: 0, lost: 0, fill: 1 }));
    assert!(decoder.finish().is_none());
    // As at the start of a line: a frame without a flag before it.
    assert!(decoder.decode(&mut &frame[..]).unwrap().is_ok());
}

#[test]
fn there_is_room_to_receive_into_whenever_all_was_decoded() {
    let frame = ui(b"to fill the storage");
    let line = [&[0x7E][..], &frame, &frame, &frame].concat();
    for storage in (20..100).filter(|&storage| longest_frame(storage) >= frame.len()) {
        let mut decoder = Decoder::new(vec![0; storage]);
        let (mut rest, mut found) = (&line[..], 0);
        while !rest.is_empty() {
            let room = decoder.spare_mut();
            assert!(!room.is_empty(), "{storage}: {} octets to come", rest.len());
            let n = room.len().min(rest.len());
            room[..n].copy_from_slice(&rest[..n]);
            rest = &rest[n..];
            decoder.commit(n);
            while let Some(event) = decoder.decode(&mut &[][..]) {
                assert_eq!(event.unwrap().octets(), frame);
                found += 1;
            }
        }
        assert_eq!(found, 3, "{storage}");
    }
    let mut little = Decoder::new([0; 17]);
    assert!(little.spare_mut().is_empty(), "too little for any frame");
    little.commit(5);
    assert_eq!(little.pending(), 0);
}

/// What came of frames without a number, in storage of so many octets.
fn assembled(parts: &[(bool, &[u8])], storage: usize) -> Vec<(Option<Vec<u8>>, Option<Dropped>)> {
    let frame = |&(segmented, information): &(bool, &[u8])| {
        let builder = Builder { segmented, information, ..UI };
        core::iter::once(0x7E).chain(builder.octets()).collect::<Vec<u8>>()
    };
    let line: Vec<u8> = parts.iter().flat_map(frame).collect();
    let mut assembler = Assembler::new(vec![0; storage]);
    let one = |event| {
        let Assembled { dropped, message } = assembler.accept(&event);
        (message.map(<[u8]>::to_vec), dropped)
    };
    frames(&line).map(one).collect()
}

#[test]
fn a_message_that_begins_ends_the_one_before() {
    let (first, next) = (&b"\xE6\xE7\x00one"[..], &b"\xE6\xE7\x00other"[..]);
    let interrupted = Some(Dropped { reason: DropReason::Interrupted, octets: 6 });
    let whole = Some(next.to_vec());
    assert_eq!(assembled(&[(true, first), (false, next)], 64), [(None, None), (whole.clone(), interrupted)]);
    let parts = [(true, first), (true, &next[..6]), (false, &next[6..])];
    assert_eq!(assembled(&parts, 64), [(None, None), (None, interrupted), (whole, None)]);
    // The new one does not even fit: one report has the octets of both.
    let both = Some(Dropped { reason: DropReason::TooLong, octets: 14 });
    assert_eq!(
        assembled(&[(true, first), (true, next), (false, b"rest")], 7),
        [(None, None), (None, both), (None, None)]
    );
}

#[test]
fn a_damaged_flag_between_segments_does_no_harm() {
    let mut assembler = Assembler::new([0; 64]);
    let first: Vec<u8> =
        Builder { segmented: true, information: b"\xE6\xE7\x00one", ..UI }.octets().collect();
    assert_eq!(assembler.accept(&Ok(Frame::parse(&first).unwrap().0)), Assembled::default());
    let noise = |lost| Err::<Frame<'_>, _>(Error { kind: ErrorKind::Noise, lost });
    assert_eq!(assembler.accept(&noise(2)), Assembled::default());
    // More of it may have been a segment.
    let dropped = Some(Dropped { reason: DropReason::Damage, octets: 6 });
    assert_eq!(assembler.accept(&noise(1)), Assembled { dropped, message: None });
}
