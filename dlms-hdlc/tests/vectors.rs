//! Frames written by hand, one for each rule and quirk, read and built again.
#![allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "test code"
)]

mod common;
use common::{chunked, hex, laws, sliced};
use dlms_hdlc::assembly::{DropReason, Dropped};
use dlms_hdlc::control::Kind;
use dlms_hdlc::frame::Hdlc;
use dlms_hdlc::mbus::MBus;
use dlms_hdlc::transparent::Transparent;
use dlms_hdlc::{
    Address, Assembler, Builder, Control, Error, ErrorKind, Frame, Llc, frames, mbus, transparent, wrapper,
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

fn segment(control: u8, segmented: bool, information: &[u8]) -> Vec<u8> {
    Builder { segmented, control: Control(control), information, ..UI }.octets().collect()
}

/// What an assembler makes of frames, flags between them.
fn assembled(parts: &[Vec<u8>]) -> (Vec<Vec<u8>>, Vec<Dropped>) {
    let octets = parts.iter().fold(vec![0x7E], |mut all, part| {
        all.extend(part);
        all.push(0x7E);
        all
    });
    let (mut messages, mut drops) = (Vec::new(), Vec::new());
    let mut assembler = Assembler::new([0; 64]);
    for event in frames(&octets) {
        let assembled = assembler.accept(&event);
        drops.extend(assembled.dropped);
        messages.extend(assembled.message.map(<[u8]>::to_vec));
    }
    drops.extend(assembler.finish());
    (messages, drops)
}

#[test]
fn a_push_is_read_and_built_again() {
    let octets = hex("a01641088313e5b0e6e7000f40000000001200e60920");
    let (frame, rest) = Frame::parse(&octets).unwrap();
    assert!(rest.is_empty() && !frame.segmented());
    assert_eq!((frame.destination(), frame.source()), (Address::one(0x20), Address::two(4, 0x41)));
    assert_eq!(frame.control().kind(), Kind::Ui);
    assert_eq!(Llc::parse(frame.information()), Some((Llc::Response, &octets[11..20])));
    assert_eq!(ui(frame.information()), octets);
    let mut out = [0; 22];
    assert_eq!(Builder { information: frame.information(), ..UI }.encode(&mut out).unwrap(), octets);
    assert!(Builder { information: frame.information(), ..UI }.encode(&mut out[..21]).is_err());
}

#[test]
fn without_information_there_is_no_hcs() {
    let octets = segment(0x93, false, &[]);
    assert_eq!(octets.len(), 8);
    let (frame, _) = Frame::parse(&octets).unwrap();
    assert_eq!((frame.control().kind(), frame.information()), (Kind::Snrm, &[][..]));
}

#[test]
fn flag_and_escape_octets_inside_a_frame_are_ordinary() {
    let octets = ui(&[0x7E, 0x7D, 0x7E, 0x5E, 0x7E, 0xA0, 0x07, 0x7D]);
    let (frame, _) = Frame::parse(&octets).unwrap();
    assert_eq!(frame.information(), &[0x7E, 0x7D, 0x7E, 0x5E, 0x7E, 0xA0, 0x07, 0x7D]);
    // And so is one in the FCS: some payload of two octets has it there.
    let octets = (0..=u16::MAX).map(|n| ui(&n.to_be_bytes())).find(|f| f[f.len() - 1] == 0x7E).unwrap();
    let line = [&[0x7E][..], &octets, &[0x7E], &octets, &[0x7E]].concat();
    assert_eq!(laws::<Hdlc>(&line, 100, 1), [Ok(octets.clone()), Ok(octets)]);
}

#[test]
fn flags_shared_doubled_and_missing() {
    let (a, b) = (ui(b"one"), ui(b"two"));
    for flags in [&b""[..], b"~", b"~~", b"~~~~~~~~~"] {
        let line = [flags, &a, flags, &b, flags].concat();
        assert_eq!(laws::<Hdlc>(&line, 100, 1), [Ok(a.clone()), Ok(b.clone())]);
    }
}

#[test]
fn a_damaged_flag_between_two_frames_costs_one_octet() {
    let (a, b) = (ui(b"one"), ui(b"two"));
    let line = [&[0xFE][..], &a, &[0x7F], &b].concat();
    let noise = Err(Error { kind: ErrorKind::Noise, lost: 1 });
    assert_eq!(laws::<Hdlc>(&line, 100, 1), [noise.clone(), Ok(a), noise, Ok(b)]);
}

#[test]
fn a_false_start_is_given_up_on_its_hcs_without_waiting() {
    let mut bad = ui(&[0; 60]);
    bad[3] ^= 0x10;
    let mut decoder = dlms_hdlc::Decoder::new([0; 120]);
    let mut line = &[&[0x7E], &bad[..8]].concat()[..];
    let event = decoder.decode(&mut line);
    assert_eq!(event, Some(Err(Error { kind: ErrorKind::Hcs, lost: 1 })));
}

#[test]
fn octets_lost_in_one_frame_do_not_cost_the_next() {
    let (a, b) = (ui(&[0x11; 80]), ui(b"next"));
    let line = [&[0x7E][..], &a[..50], &[0x7E], &b, &[0x7E]].concat();
    let events = laws::<Hdlc>(&line, 140, 1);
    assert!(events.contains(&Ok(b)), "{events:?}");
    assert_eq!(events[0], Err(Error { kind: ErrorKind::Truncated, lost: 1 }));
}

/// What a UART that drops octets makes of pushes: heads of frames, each claiming the next ones.
#[test]
fn heads_of_frames_do_not_cost_the_whole_ones_behind() {
    let (head, whole) = (&ui(&[0x55; 560])[..40], ui(&[0x33; 560]));
    let mut line = Vec::new();
    for part in [head, head, &whole, &whole, &whole] {
        line.push(0x7E);
        line.extend(part);
    }
    let events = laws::<Hdlc>(&line, 700, 1);
    assert_eq!(events.iter().flatten().count(), 3, "{events:?}");
}

#[test]
fn much_noise_is_reported_before_any_frame_ends_it() {
    let events = laws::<Hdlc>(&[0x55; 3000], 100, 1);
    let lost: Vec<u32> = events.iter().map(|event| event.as_ref().unwrap_err().lost).collect();
    assert_eq!(lost, [1024, 1024, 952]);
}

#[test]
fn a_frame_longer_than_the_storage_is_reported_and_the_next_one_delivered() {
    let (long, next) = (ui(&[0; 200]), ui(b"next"));
    let line = [&[0x7E][..], &long, &[0x7E], &next].concat();
    let events = laws::<Hdlc>(&line, 100, 1);
    assert_eq!(events.first(), Some(&Err(Error { kind: ErrorKind::TooLong, lost: 1 })));
    assert_eq!(events.last(), Some(&Ok(next)));
}

#[test]
fn header_fields_that_the_standard_does_not_allow_are_refused() {
    for (line, kind) in [
        ("7ea006414113", ErrorKind::Length),
        ("7ea010020203", ErrorKind::Address),
        ("7ea0100202020203", ErrorKind::Address),
        ("7ea009410313000000", ErrorKind::Hcs),
        ("7ea0084103130000", ErrorKind::Length),
    ] {
        let events = sliced::<Hdlc>(&hex(line));
        assert_eq!(events.first(), Some(&Err(Error { kind, lost: 1 })), "{line}");
    }
}

#[test]
fn segments_are_put_together_and_the_llc_header_stands_in_the_first_alone() {
    let parts = [segment(3, true, b"\xE6\xE7\0ab"), segment(3, true, b"cd"), segment(0x13, false, b"e")];
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0abcde".to_vec()], vec![]));
}

#[test]
fn a_lost_first_segment_drops_the_rest() {
    let parts = [segment(3, true, b"cd"), segment(0x13, false, b"e"), ui(b"\xE6\xE7\0whole")];
    let dropped = Dropped { reason: DropReason::NoFirst, octets: 2 };
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0whole".to_vec()], vec![dropped]));
}

#[test]
fn a_damaged_middle_segment_is_not_spliced_over() {
    let mut parts = [segment(3, true, b"\xE6\xE7\0ab"), segment(3, true, b"cd"), segment(0x13, false, b"e")];
    parts[1][9] ^= 1;
    let dropped = Dropped { reason: DropReason::Damage, octets: 5 };
    assert_eq!(assembled(&parts), (vec![], vec![dropped]));
}

#[test]
fn the_tail_of_a_message_that_began_unheard_is_not_a_message() {
    let dropped = Dropped { reason: DropReason::NoFirst, octets: 4 };
    assert_eq!(assembled(&[segment(0x13, false, b"tail")]), (vec![], vec![dropped]));
    let mut parts = [segment(3, true, b"\xE6\xE7\0ab"), segment(0x13, false, b"tail")];
    parts[0][10] ^= 1;
    assert_eq!(assembled(&parts), (vec![], vec![dropped]));
    // But for the blocks of a block transfer, which have numbers of their own.
    assert_eq!(assembled(&[segment(0x13, false, b"\xE0rest")]), (vec![b"\xE0rest".to_vec()], vec![]));
}

#[test]
fn what_is_left_of_a_destroyed_segment_is_not_spliced_over() {
    let parts = [segment(3, true, b"\xE6\xE7\0ab"), vec![0xA8, 0x12, 0x41], segment(0x13, false, b"e")];
    let dropped = Dropped { reason: DropReason::Damage, octets: 5 };
    assert_eq!(assembled(&parts), (vec![], vec![dropped]));
}

#[test]
fn another_link_does_not_disturb_a_message() {
    let other = |information, segmented| -> Vec<u8> {
        Builder { source: Address::one(9), segmented, information, ..UI }.octets().collect()
    };
    let (first, last) = (segment(3, true, b"\xE6\xE7\0ab"), segment(0x13, false, b"cd"));
    let parts = [first.clone(), other(b"\xE6\xE7\0x", false), last.clone()];
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0x".to_vec(), b"\xE6\xE7\0abcd".to_vec()], vec![]));
    let parts = [first, other(b"stray", false), last];
    let dropped = Dropped { reason: DropReason::NoFirst, octets: 5 };
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0abcd".to_vec()], vec![dropped]));
}

#[test]
fn a_numbered_segment_sent_again_mends_the_message() {
    let i = |send: u8, segmented, information: &[u8]| segment(send << 1, segmented, information);
    let mut parts = [i(0, true, b"\xE6\xE7\0a"), i(1, true, b"b"), i(1, true, b"b"), i(2, false, b"c")];
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0abc".to_vec()], vec![]), "a duplicate");
    parts[1][9] ^= 1;
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0abc".to_vec()], vec![]), "sent again after damage");
}

#[test]
fn numbered_segments_must_follow_one_another() {
    let parts = [segment(0x00, true, b"\xE6\xE7\0ab"), segment(0x04, true, b"c"), segment(0x16, false, b"e")];
    let dropped = Dropped { reason: DropReason::OutOfOrder, octets: 6 };
    assert_eq!(assembled(&parts), (vec![], vec![dropped]));
    let parts = [segment(0x0E, true, b"\xE6\xE7\0ab"), segment(0x00, true, b"c"), segment(0x12, false, b"d")];
    assert_eq!(assembled(&parts).0, [b"\xE6\xE7\0abcd"]);
}

#[test]
fn an_unfinished_message_gives_way_to_the_next_and_is_reported() {
    let parts =
        [segment(3, true, b"\xE6\xE7\0ab"), segment(3, true, b"\xE6\xE7\0x"), segment(3, false, b"y")];
    let dropped = Dropped { reason: DropReason::Interrupted, octets: 5 };
    assert_eq!(assembled(&parts), (vec![b"\xE6\xE7\0xy".to_vec()], vec![dropped]));
    let (messages, drops) = assembled(&parts[..1]);
    assert_eq!((messages.len(), drops), (0, vec![Dropped { reason: DropReason::Truncated, octets: 5 }]));
    let parts = [segment(3, true, &[&b"\xE6\xE7\0"[..], &[1; 50]].concat()), segment(3, false, &[1; 20])];
    assert_eq!(assembled(&parts).1, [Dropped { reason: DropReason::TooLong, octets: 73 }]);
}

#[test]
fn mbus_frames_of_every_form() {
    let short = hex("1040014116");
    let control = hex("68030368 53fe51a2 16");
    let line = [&[0xE5][..], &short, &control, &[0xE5]].concat();
    let found = laws::<MBus>(&line, 60, 1);
    assert_eq!(found, [Ok(vec![0xE5]), Ok(short.clone()), Ok(control.clone()), Ok(vec![0xE5])]);
    let (frame, _) = mbus::Frame::parse(&short).unwrap();
    assert_eq!((frame.control(), frame.address(), frame.control_information()), (Some(0x40), Some(1), None));
    let (frame, _) = mbus::Frame::parse(&control).unwrap();
    assert_eq!((frame.control_information(), frame.data()), (Some(0x51), &[][..]));
    let builder = mbus::Builder { control: 0x53, address: 0xFE, control_information: 0x51, data: &[] };
    assert_eq!(builder.encode(&mut [0; 9]).unwrap(), control);
    let (frame, _) = mbus::Frame::parse(&[0xE5]).unwrap();
    assert_eq!((frame.control(), frame.transport()), (None, None));
}

#[test]
fn an_mbus_length_below_three_wraps() {
    let data: Vec<u8> = (0..=255).collect();
    let too_much = mbus::Builder { control: 0x53, address: 0xFF, control_information: 0x00, data: &data };
    assert!(too_much.encode(&mut [0; 300]).is_err());
    assert_eq!(too_much.octets().count(), 0);
    let longest = mbus::Builder { data: &data[..255], ..too_much };
    assert_eq!(mbus::Frame::parse(longest.encode(&mut [0; 264]).unwrap()).unwrap().0.data(), &data[..255]);
    let data = &data[..254];
    let builder = mbus::Builder { control: 0x53, address: 0xFF, control_information: 0x00, data };
    let octets: Vec<u8> = builder.octets().collect();
    assert_eq!(octets[..4], [0x68, 0x01, 0x01, 0x68]);
    let (frame, rest) = mbus::Frame::parse(&octets).unwrap();
    assert_eq!((frame.data(), rest.len()), (data, 0));
    assert_eq!(laws::<MBus>(&octets, 330, 1), [Ok(octets.clone())]);
}

#[test]
fn mbus_segments_are_put_together() {
    let part = |control_information, text: &str| -> Vec<u8> {
        let data = [&[0x01, 0x67], text.as_bytes()].concat();
        mbus::Builder { control: 0x53, address: 0xFF, control_information, data: &data }.octets().collect()
    };
    let together = |parts: &[Vec<u8>]| {
        let octets = parts.concat();
        let mut assembler = Assembler::new([0; 64]);
        let assembled: Vec<_> = mbus::frames(&octets)
            .map(|event| {
                let assembled = assembler.accept(&event);
                (assembled.message.map(<[u8]>::to_vec), assembled.dropped.map(|dropped| dropped.reason))
            })
            .collect();
        assembled
    };
    let parts = [part(0x00, "ab"), part(0x01, "cd"), part(0x12, "e")];
    assert_eq!(together(&parts), [(None, None), (None, None), (Some(b"abcde".to_vec()), None)]);
    assert_eq!(together(&[part(0x10, "all")]), [(Some(b"all".to_vec()), None)]);
    assert_eq!(together(&parts[1..]), [(None, Some(DropReason::NoFirst)), (None, None)]);
    // The frame count bit may change from segment to segment (EN 13757-2, 5.5).
    let toggled: Vec<u8> =
        mbus::Builder { control: 0x73, address: 0xFF, control_information: 0x11, data: b"\x01\x67cd" }
            .octets()
            .collect();
    assert_eq!(together(&[parts[0].clone(), toggled]), [(None, None), (Some(b"abcd".to_vec()), None)]);
    let out_of_order = [(None, None), (None, Some(DropReason::OutOfOrder))];
    assert_eq!(together(&[parts[0].clone(), parts[2].clone()]), out_of_order);
}

#[test]
fn wrapper_units_follow_one_another() {
    let mut out = [0; 20];
    let builder = wrapper::Builder { source: 1, destination: 16, apdu: b"abc" };
    let unit = builder.encode(&mut out).unwrap().to_vec();
    assert_eq!(unit, b"\0\x01\0\x01\0\x10\0\x03abc");
    let line = unit.repeat(3);
    for event in wrapper::frames(&line) {
        let frame = event.unwrap();
        assert_eq!((frame.source(), frame.destination(), frame.apdu()), (1, 16, &b"abc"[..]));
    }
    assert_eq!(chunked::<wrapper::Wrapper>(&line, 40, || 4).len(), 3);
    // One too long for the storage is passed over by its length: nothing checks what its octets look like.
    let mut out = [0; 400];
    let long = wrapper::Builder { source: 1, destination: 16, apdu: &unit.repeat(30) }
        .encode(&mut out)
        .unwrap()
        .to_vec();
    let events = laws::<wrapper::Wrapper>(&[&long[..], &unit].concat(), 60, 1);
    let lost = u32::try_from(long.len()).unwrap() - 1;
    let passed = Err(Error { kind: ErrorKind::Noise, lost });
    assert_eq!(events, [Err(Error { kind: ErrorKind::TooLong, lost: 1 }), passed, Ok(unit)]);
}

#[test]
fn control_octet_transparency() {
    let content = b"\xFF\x03\x7E\x7D data";
    let line: Vec<u8> = transparent::octets(content).collect();
    assert_eq!(line[..7], [0x7E, 0xFF, 0x03, 0x7D, 0x5E, 0x7D, 0x5D]);
    let frame = transparent::frames(&line).next().unwrap().unwrap();
    assert!(frame.content().eq(content.iter().copied()));
    assert_eq!(frame.copy_to(&mut [0; 9]).unwrap(), content);
    assert!(frame.copy_to(&mut [0; 8]).is_err());
    // Who escapes more than must be is understood as well, also at the end: `7D 7D` is 5D.
    let line_5d = b"\x7E\x01\x02\x7D\x7D\xC0\x26\x7E";
    let frame = transparent::frames(line_5d).next().unwrap().unwrap();
    assert!(frame.content().eq([0x01, 0x02, 0x5D]));
    // An aborted frame and a damaged one; their neighbours share the flags.
    let mut damaged = line.clone();
    damaged[2] ^= 4;
    let all = [&line[..], &[0xFF, 0x03, 0x7D], &damaged, &line].concat();
    let events = laws::<Transparent>(&all, 80, 1);
    let whole = Ok(line[1..line.len() - 1].to_vec());
    assert_eq!(events.iter().filter(|event| **event == whole).count(), 2, "{events:?}");
    assert_eq!(events.iter().filter(|event| event.is_ok()).count(), 2);
}

#[cfg(feature = "embedded-io")]
#[test]
fn a_reader_gives_the_same_events() {
    let line = [&[0x7E][..], &ui(b"one"), &[0x7E, 0x00, 0x01, 0x7E], &ui(b"two")].concat();
    let mut reader = dlms_hdlc::io::Reader::<_, Hdlc, _>::new(&line[..], [0; 100]);
    let mut events = Vec::new();
    while let Some(event) = reader.read() {
        events.push(event.map(|frame| frame.octets().to_vec()).map_err(|error| match error {
            dlms_hdlc::io::ReadError::Frame(error) => error,
            dlms_hdlc::io::ReadError::Io(never) => match never {},
        }));
    }
    assert_eq!(events, sliced::<Hdlc>(&line));
}
