//! Messages in numbered segments, of which some are lost, damaged or come twice: what is put together was sent so.
#![no_main]

use arbitrary::Arbitrary;
use dlms_hdlc::{Address, Assembler, Builder, Control, Decoder};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Lost,
    Twice,
    Damaged(u8, u8),
}

/// LLC header of a message.
const LLC: [u8; 3] = [0xE6, 0xE7, 0x00];

/// Content, octets in a segment, and what happens to the segments in turn.
type Message<'a> = (&'a [u8], u8, Vec<Fate>);

fuzz_target!(|input: (u8, Vec<Message<'_>>)| {
    let (chunk, messages) = input;
    let mut sent = Vec::new();
    let mut stream = Vec::new();
    let mut number = 0u8;
    let mut gap = 0;
    for (content, cut, fates) in &messages {
        // A segment that begins like a message is one: E6 E7 00 an LLC header, E0 alone a block that comes without.
        let content: Vec<u8> =
            content.iter().map(|&octet| if octet & 0xF8 == 0xE0 { 0xE8 } else { octet }).collect();
        let whole = [&LLC[..], &content].concat();
        let size = usize::from(*cut).max(LLC.len());
        let count = whole.len().div_ceil(size);
        for (at, segment) in whole.chunks(size).enumerate() {
            let builder = Builder {
                segmented: at + 1 < count,
                destination: Address::one(0x10),
                source: Address::one(0x01),
                control: Control((number % 8) << 1),
                information: segment,
            };
            let mut frame: Vec<u8> = [0x7E].into_iter().chain(builder.octets()).chain([0x7E]).collect();
            number = number.wrapping_add(1);
            match fates.get(at % fates.len().max(1)).copied().unwrap_or(Fate::Arrives) {
                Fate::Arrives => gap = 0,
                // Numbers come round after eight: a gap of seven is the longest that they tell.
                Fate::Lost if gap < 6 => {
                    gap += 1;
                    continue;
                }
                Fate::Lost => gap = 0,
                Fate::Twice => {
                    gap = 0;
                    stream.extend(&frame);
                }
                Fate::Damaged(place, with) if gap < 6 => {
                    gap += 1;
                    let place = usize::from(place) % frame.len();
                    // One octet: both check sequences see it.
                    if let Some(octet) = frame.get_mut(place) {
                        *octet ^= with;
                    }
                    if with == 0 {
                        gap = 0;
                    }
                }
                Fate::Damaged(..) => gap = 0,
            }
            stream.extend(&frame);
        }
        sent.push(whole);
    }

    let mut decoder = Decoder::new([0; 1024]);
    let mut assembler = Assembler::new([0; 2048]);
    let mut got: Vec<Vec<u8>> = Vec::new();
    for mut piece in stream.chunks(usize::from(chunk).max(1)) {
        while let Some(event) = decoder.decode(&mut piece) {
            got.extend(assembler.accept(&event).message.map(<[u8]>::to_vec));
        }
    }
    while let Some(event) = decoder.finish() {
        got.extend(assembler.accept(&event).message.map(<[u8]>::to_vec));
    }
    let _ = assembler.finish();
    assert_eq!(assembler.finish(), None, "finish reports once");
    // In order; one that was sent in a single frame comes as often as that frame.
    let mut from = sent.as_slice();
    for message in &got {
        let Some(at) = from.iter().position(|sent| sent == message) else {
            panic!("put together: {message:02X?}\nsent: {sent:02X?}");
        };
        from = &from[at..];
    }
});
