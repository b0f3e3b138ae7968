//! Units of the TCP/UDP wrapper made by the builder, some damaged, with octets between them: every whole one comes out that is not a
//! part of another. There is no check value, so a false header takes in what it claims.
#![no_main]

use arbitrary::Arbitrary;
use dlms_hdlc::wrapper::{Builder, frames};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::{Damage, Stream};

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    source: u16,
    destination: u16,
    apdu: &'a [u8],
    damage: Damage,
    between: &'a [u8],
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let mut stream = Stream::default();
    for piece in &pieces {
        let builder = Builder { source: piece.source, destination: piece.destination, apdu: piece.apdu };
        let mut buffer = vec![0; builder.encoded_len()];
        let octets = builder.encode(&mut buffer).expect("room").to_vec();
        stream.put(octets, 0..buffer.len(), piece.damage, piece.between);
    }
    stream.all_delivered(frames(stream.octets()).flatten().map(|frame| frame.octets()));
});
