//! HDLC frames made by the builder, some of them damaged, with octets between them: every whole one comes out, in order.
//!
//! This is the fifth law: a false start may delay a good frame, never lose it. One exception is in the nature of the
//! thing: octets that make a good frame of their own with the front of the one behind them, which fuzzers do find.
#![no_main]

use arbitrary::Arbitrary;
use dlms_hdlc::{Address, Builder, Control, frames};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::{Damage, Stream};

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    segmented: bool,
    destination: Place,
    source: Place,
    control: u8,
    information: &'a [u8],
    damage: Damage,
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
    let mut stream = Stream::default();
    for piece in &pieces {
        let builder = Builder {
            segmented: piece.segmented,
            destination: piece.destination.address(),
            source: piece.source.address(),
            control: Control(piece.control),
            information: piece.information.get(..2000).unwrap_or(piece.information),
        };
        let octets: Vec<u8> = builder.octets().collect();
        assert_eq!(octets.len(), builder.encoded_len());
        // A flag before each: octets that stand between frames may otherwise be read as a part of the next one.
        stream.pass(&[0x7E]);
        stream.put(octets, 0..builder.encoded_len(), piece.damage, piece.between);
    }
    stream.all_delivered(frames(stream.octets()).flatten().map(|frame| frame.octets()));
});
