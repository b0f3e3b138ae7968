//! HDLC frames made by the builder, some of them damaged, with octets between them: every whole one comes out, in order.
//!
//! This is the fifth law: a false start may delay a good frame, never lose it. One exception is in the nature of the
//! thing: octets that make a good frame of their own with the front of the one behind them, which fuzzers do find.
#![no_main]

use arbitrary::Arbitrary;
use dlms_hdlc::{Address, Builder, Control, frames};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::all_delivered;

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    segmented: bool,
    destination: Place,
    source: Place,
    control: u8,
    information: &'a [u8],
    damage: Option<(u16, u8)>,
    between: &'a [u8],
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Place {
    One(u8),
    Two(u8, u8),
    Four(u16, u16),
}

impl Place {
    fn address(self) -> Address {
        match self {
            Place::One(upper) => Address::one(upper & 0x7F),
            Place::Two(upper, lower) => Address::two(upper & 0x7F, lower & 0x7F),
            Place::Four(upper, lower) => Address::four(upper & 0x3FFF, lower & 0x3FFF),
        }
    }
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let (mut stream, mut whole) = (Vec::new(), Vec::new());
    for piece in &pieces {
        let builder = Builder {
            segmented: piece.segmented,
            destination: piece.destination.address(),
            source: piece.source.address(),
            control: Control(piece.control),
            information: piece.information.get(..2000).unwrap_or(piece.information),
        };
        let mut octets: Vec<u8> = builder.octets().collect();
        assert_eq!(octets.len(), builder.encoded_len());
        // A flag before each: octets that stand between frames may otherwise be read as a part of the next one.
        stream.push(0x7E);
        if let Some((at, with)) = piece.damage {
            let at = usize::from(at) % octets.len();
            octets[at] ^= with;
            if with == 0 {
                octets.truncate(at);
            }
        }
        let damaged = piece.damage.is_some();
        stream.extend(&octets);
        if damaged {
            stream.extend(piece.between);
        } else {
            whole.push(stream.len() - octets.len()..stream.len());
        }
    }
    all_delivered(&stream, &whole, frames(&stream).flatten().map(|frame| frame.octets()));
});
