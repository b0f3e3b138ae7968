//! Messages of a transfer from raw octets: what parses is written again to an equal message; carriers' frames and status strings do no harm.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upgrade_proto::carrier::{dlms_image, dlt645, f001, plain};
use upgrade_proto::coding::RowBlocks;
use upgrade_proto::fragment::Reassembler;
use upgrade_proto::gaps::GapReader;
use upgrade_proto::message::{Event, Message, Packet, Report};

fuzz_target!(|data: &[u8]| {
    if let Ok(packet) = Packet::parse(data) {
        let mut buffer = vec![0; data.len() + 256];
        // Gaps may be written with a better parameter than they came with, so the octets may differ, the message not. A set whose gaps
        // need longer runs than a writer makes is refused.
        if let Ok(again) = packet.encode(&mut buffer) {
            assert_eq!(Packet::parse(again), Ok(packet));
        }
        inside(&packet.message);
    }
    let mut frames = plain::Decoder::new([0u8; 256]);
    let mut input = data;
    while let Some(frame) = frames.decode(&mut input) {
        let mut buffer = [0; 256];
        let again = frame.encode(&mut buffer).expect("as long as it was");
        assert!(data.windows(again.len()).any(|part| part == again), "a frame that was not there");
    }
    assert!(input.is_empty());
    let carrier = dlt645::Carrier { control: 0x14, identifier: [4, 0, 0, 1] };
    let mut fragment = [0; 256];
    if let Some((address, answer, octets)) = carrier.parse(data, &mut fragment) {
        let mut buffer = [0; 300];
        if let Ok(again) = carrier.encode(address, answer, octets, &mut buffer) {
            assert_eq!(Some(again), data.get(..again.len()), "the same frame");
        }
    }
    if let Some((&size, fragments)) = data.split_first() {
        let mut whole = Reassembler::<300>::new(size.into());
        for part in fragments.chunks(usize::from(size).max(1)) {
            if let Some(message) = whole.push(part) {
                assert!(message.len() <= 300);
            }
        }
        if let Some(message) = dlms_image::message(size & 7, fragments) {
            let mut buffer = vec![0; fragments.len() + 16];
            let again = dlms_image::method(&message, &mut buffer).expect("room").expect("a method");
            assert_eq!(dlms_image::message(again.0, again.1), Some(message));
        }
        let count = u16::from(size) * 3;
        for order in [f001::Order::HighFirst, f001::Order::LowFirst] {
            let lacked: Vec<u16> = f001::missing(fragments, order, count).collect();
            let mut buffer = [0; 128];
            let bits = f001::write(order, count, lacked.iter().copied(), &mut buffer).expect("room");
            assert!(f001::missing(bits, order, count).eq(lacked));
        }
    }
});

/// What a message says about blocks.
fn inside(message: &Message<'_>) {
    match message {
        Message::Xor { indices, .. } => {
            assert!(indices.as_slice().is_sorted_by(|a, b| a < b) && !indices.as_slice().is_empty());
        }
        Message::Coded { row, .. } => {
            let blocks: Vec<u16> = RowBlocks::new(2000, row).collect();
            assert!(
                blocks
                    .iter()
                    .all(|&at| at < 2000 && at % u16::from(row.generations) == u16::from(row.generation))
            );
        }
        Message::Status(status) => {
            if let Report::List { from, octets } = status.report {
                let numbers: Vec<u16> = GapReader::new(octets, from).collect();
                assert!(
                    numbers.is_sorted_by(|a, b| a < b) && numbers.first().is_none_or(|&first| first >= from)
                );
            }
        }
        Message::Events(entries) => {
            for entry in entries.chunks(Event::LEN) {
                let mut buffer = [0; Event::LEN];
                let event = Event::parse(entry).expect("whole entries");
                assert_eq!(event.encode(&mut buffer), Ok(entry));
            }
        }
        _ => {}
    }
}
