//! DL/T 645 frames made by the builder, some damaged, with octets between them: every whole one comes out, in order.
#![no_main]

use arbitrary::Arbitrary;
use dlt645::{Address, Builder, Control, Data, frames};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::all_delivered;

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
    all_delivered(&stream, &whole, frames(&stream).flatten().map(|frame| frame.octets()));
});
