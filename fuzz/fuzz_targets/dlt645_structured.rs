//! DL/T 645 frames made by the builder, some damaged, with octets between them: every whole one comes out, in order.
#![no_main]

use arbitrary::Arbitrary;
use dlt645::{Address, Builder, Control, Data, frames};
use libfuzzer_sys::fuzz_target;
use std::ops::Range;

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    wake_up: u8,
    address: [u8; 6],
    control: u8,
    data: &'a [u8],
    damage: Option<(u16, u8)>,
    between: &'a [u8],
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let (mut stream, mut whole) = (Vec::new(), Vec::new());
    for piece in &pieces {
        let builder = Builder {
            wake_up: piece.wake_up % 5,
            address: Address::from_octets(piece.address),
            control: Control::from_octet(piece.control),
            data: Data::plain(piece.data.get(..255).unwrap_or(piece.data)),
        };
        let mut octets: Vec<u8> = builder.octets().collect();
        assert_eq!(octets.len(), builder.encoded_len());
        if let Some((at, with)) = piece.damage {
            let at = usize::from(at) % octets.len();
            octets[at] ^= with;
            if with == 0 {
                octets.truncate(at);
            }
            stream.extend(&octets);
            stream.extend(piece.between);
        } else {
            whole.push(stream.len() + usize::from(builder.wake_up)..stream.len() + octets.len());
            stream.extend(&octets);
        }
    }
    let found: Vec<Range<usize>> =
        frames(&stream).flatten().map(|frame| place(&stream, frame.octets())).collect();
    for frame in whole {
        let delivered = found.contains(&frame);
        assert!(
            delivered || found.iter().any(|found| swallows(found, &frame)),
            "lost: {frame:?} of {stream:02X?}"
        );
    }
});

/// A frame that is good as well, started earlier and reaches into this one: then this one is a part of its content.
fn swallows(found: &Range<usize>, frame: &Range<usize>) -> bool {
    found.start < frame.start && found.end > frame.start
}

fn place(stream: &[u8], frame: &[u8]) -> Range<usize> {
    let start = frame.as_ptr().addr() - stream.as_ptr().addr();
    start..start + frame.len()
}
