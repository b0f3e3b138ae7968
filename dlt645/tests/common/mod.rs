//! Dirty streams for the property tests.
#![allow(
    dead_code,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code; each test file uses its part"
)]

use dlt645::{Address, Builder, Control, Data};
use proptest::prelude::*;

/// Octets of one frame.
pub(crate) fn frame(address: [u8; 6], control: u8, data: &[u8], wake_up: u8) -> Vec<u8> {
    let builder = Builder {
        wake_up,
        address: Address::from_octets(address),
        control: Control::from_octet(control),
        data: Data::plain(data),
    };
    builder.octets().collect()
}

/// Frames, cut and damaged frames, noise, floods of start octets, frames inside false frames.
pub(crate) fn dirty() -> impl Strategy<Value = Vec<u8>> {
    let good = (any::<[u8; 6]>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..60), 0..5u8)
        .prop_map(|(a, c, d, w)| frame(a, c, &d, w));
    // Data octets that read 68H, 16H and FEH on the wire.
    let marks = prop::collection::vec(
        prop_oneof![Just(0x35u8), Just(0xE3), Just(0xCB), Just(0), any::<u8>()],
        0..255,
    )
    .prop_map(|d| frame([0x68; 6], 0x68, &d, 1));
    let cut = (good.clone(), any::<prop::sample::Index>()).prop_map(|(mut f, at)| {
        let at = at.index(f.len());
        f.truncate(at);
        f
    });
    let damaged = (good.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut f, at, to)| {
        let at = at.index(f.len());
        f[at] = to;
        f
    });
    let false_start = (any::<u8>(), any::<[u8; 8]>())
        .prop_map(|(len, o)| vec![0x68, o[0], o[1], o[2], o[3], o[4], o[5], 0x68, o[6], len]);
    let piece = prop_oneof![
        4 => good,
        2 => marks,
        1 => cut,
        1 => damaged,
        2 => false_start,
        1 => (0..120usize).prop_map(|n| vec![0x68; n]),
        1 => (0..40usize).prop_map(|n| vec![0xFE; n]),
        1 => prop::collection::vec(any::<u8>(), 0..30),
        1 => (0..400usize, any::<u8>()).prop_map(|(n, k)| (0..n).map(|i| if i % 7 == usize::from(k % 7) { 0x68 } else { k }).collect()),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

/// Columns of a line of CSV; quotes around a column with commas are dropped, doubled quotes inside are one.
pub(crate) fn columns(line: &str) -> Vec<String> {
    let (mut out, mut field, mut quoted) = (vec![], String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                field.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(core::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    out.push(field);
    out
}

/// Octets of hexadecimal text.
pub(crate) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(16).expect("hex")).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).expect("octet")).collect()
}

/// A file of the captures, or of the facts beside them; says so and gives none where a clone has no such folder.
pub(crate) fn shared(path: &str) -> Option<String> {
    let path = format!("{}/../../shared/{path}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("SKIPPED: {path} not found");
    }
    text
}
