//! DL/T 645 frames made by the builder, some damaged, with octets between them: every whole one comes out, in order.
#![no_main]

use arbitrary::Arbitrary;
use dlt645::{Address, Builder, Control, Data, frames};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::{Damage, Stream};

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    wake_up: u8,
    address: [u8; 6],
    control: u8,
    data: &'a [u8],
    damage: Damage,
    between: &'a [u8],
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let mut stream = Stream::default();
    for piece in &pieces {
        let builder = Builder {
            wake_up: piece.wake_up % 5,
            address: Address::from_octets(piece.address),
            control: Control::from_octet(piece.control),
            data: Data::plain(piece.data.get(..255).unwrap_or(piece.data)),
        };
        let octets: Vec<u8> = builder.octets().collect();
        assert_eq!(octets.len(), builder.encoded_len());
        let frame = usize::from(builder.wake_up)..octets.len();
        stream.put(octets, frame, piece.damage, piece.between);
    }
    stream.all_delivered(frames(stream.octets()).flatten().map(|frame| frame.octets()));
});
