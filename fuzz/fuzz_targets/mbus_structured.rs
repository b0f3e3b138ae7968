//! Wired M-Bus frames made by the builder, some damaged, with octets between them: every whole one comes out.
#![no_main]

use arbitrary::Arbitrary;
use dlms_hdlc::mbus::{ACKNOWLEDGE, Builder, frames};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::{Damage, Stream};

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    control: u8,
    address: u8,
    control_information: u8,
    data: &'a [u8],
    /// A short frame or an acknowledgement before it.
    before: u8,
    damage: Damage,
    between: &'a [u8],
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let mut stream = Stream::default();
    for piece in &pieces {
        let (control, address) = (piece.control, piece.address);
        match piece.before & 3 {
            1 => stream.pass(&[ACKNOWLEDGE]),
            2 => {
                let short = vec![0x10, control, address, control.wrapping_add(address), 0x16];
                stream.put(short, 0..5, None, &[]);
            }
            _ => {}
        }
        let data = piece.data.get(..255).unwrap_or(piece.data);
        let builder = Builder { control, address, control_information: piece.control_information, data };
        let octets: Vec<u8> = builder.octets().collect();
        assert_eq!(octets.len(), builder.encoded_len());
        stream.put(octets, 0..builder.encoded_len(), piece.damage, piece.between);
    }
    stream.all_delivered(frames(stream.octets()).flatten().map(|frame| frame.octets()));
});
