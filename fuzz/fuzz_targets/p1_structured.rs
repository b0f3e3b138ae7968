//! P1 telegrams made by the builder, some damaged, with lines between them: every whole one comes out, in order.
#![no_main]

use arbitrary::Arbitrary;
use dsmr::{Builder, Check, CheckKind, telegrams};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Piece<'a> {
    letters: [u8; 3],
    lines: Vec<(u8, u8, &'a str)>,
    damage: Option<(u16, u8)>,
    between: &'a [u8],
}

fuzz_target!(|pieces: Vec<Piece<'_>>| {
    let (mut stream, mut whole) = (Vec::new(), Vec::new());
    for piece in &pieces {
        let letter = |at: usize| char::from(b'A' + piece.letters[at] % 26);
        let identification = format!("{}{}{}5\\2FUZZ", letter(0), letter(1), letter(2));
        // No line holds what ends it, begins a telegram or ends one.
        let lines: Vec<String> = piece
            .lines
            .iter()
            .map(|(c, d, text)| {
                let text: String =
                    text.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '.').collect();
                format!("1-0:{c}.{d}.0({text})")
            })
            .collect();
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let builder =
            Builder { identification: identification.as_bytes(), lines: &lines, check: CheckKind::Arc };
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
            // A telegram begins a line.
            stream.extend(b"\r\n");
        } else {
            whole.push(octets.clone());
            stream.extend(&octets);
        }
    }
    let verified = telegrams(&stream).flatten().filter(|telegram| telegram.check() == Check::Verified);
    let mut found = verified.map(|telegram| telegram.octets().to_vec());
    for telegram in &whole {
        // A damaged telegram may still be good (the check digit's case, a line end), so others may stand between.
        let there = found.any(|found| found.starts_with(telegram.trim_ascii_end()));
        assert!(there, "lost: {}", String::from_utf8_lossy(telegram));
    }
});
