//! Frames with control octets made by the encoder, some damaged, with octets between them: every whole one comes out, and its content is
//! what was put in.
#![no_main]

use arbitrary::Arbitrary;
use dlms_hdlc::transparent::{frames, octets};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::structured::{Damage, Stream};

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    header: [u8; 2],
    content: &'a [u8],
    damage: Damage,
    between: &'a [u8],
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let mut stream = Stream::default();
    for piece in &pieces {
        let content = [&piece.header, piece.content].concat();
        let sent: Vec<u8> = octets(&content).collect();
        let alone: Vec<Vec<u8>> =
            frames(&sent).map(|frame| frame.expect("whole").content().collect()).collect();
        assert_eq!(alone, [content], "alone");
        let frame = 1..sent.len() - 1;
        stream.put(sent, frame, piece.damage, piece.between);
    }
    stream.all_delivered(frames(stream.octets()).flatten().map(|frame| frame.octets()));
});
