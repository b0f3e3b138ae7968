//! The octets that the short programs are tried with on every chip, and the lines that must come out.
//!
//! All are made up. `vectors/*.hex` is what goes in, `vectors/*.txt` what comes out.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "the compiler runs it: what would panic does not build"
)]

/// What goes into a short program, and what must come out.
#[derive(Clone, Copy, Debug)]
pub struct Vector {
    /// Octets from the line; the line is idle behind them.
    pub octets: &'static [u8],
    /// Lines of text.
    pub lines: &'static str,
}

/// Octets written as hexadecimal text, `#` before a remark; `N` is how many there are.
const fn octets<const N: usize>(text: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    let (mut rest, mut digits, mut remark) = (text, 0, false);
    while let [letter, tail @ ..] = rest {
        rest = tail;
        let digit = match *letter {
            b'\n' => {
                remark = false;
                continue;
            }
            b'#' => {
                remark = true;
                continue;
            }
            letter @ b'0'..=b'9' => letter.wrapping_sub(b'0'),
            letter @ b'a'..=b'f' => letter.wrapping_sub(b'a').wrapping_add(10),
            _ => continue,
        };
        if remark {
            continue;
        }
        out[digits / 2] = (out[digits / 2] << 4) | digit;
        digits += 1;
    }
    out
}

/// How many octets [`octets`] finds.
const fn count(text: &[u8]) -> usize {
    let (mut rest, mut digits, mut remark) = (text, 0, false);
    while let [letter, tail @ ..] = rest {
        rest = tail;
        match *letter {
            b'\n' => remark = false,
            b'#' => remark = true,
            b'0'..=b'9' | b'a'..=b'f' if !remark => digits += 1,
            _ => {}
        }
    }
    digits / 2
}

macro_rules! vector {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        vector!($(#[$doc])* $name, $file, $file);
    };
    ($(#[$doc:meta])* $name:ident, $octets:literal, $lines:literal) => {
        $(#[$doc])*
        pub const $name: Vector = Vector {
            octets: {
                const TEXT: &[u8] = include_bytes!(concat!("../vectors/", $octets, ".hex"));
                &octets::<{ count(TEXT) }>(TEXT)
            },
            lines: include_str!(concat!("../vectors/", $lines, ".txt")),
        };
    };
}

vector!(
    /// For [`crate::programs::Hdlc`].
    HDLC,
    "hdlc"
);
vector!(
    /// For [`crate::programs::Obis`].
    OBIS,
    "obis"
);
vector!(
    /// For [`crate::programs::Dsmr`].
    DSMR,
    "dsmr"
);
vector!(
    /// For [`crate::programs::Dlt645`].
    DLT645,
    "dlt645"
);
vector!(
    /// For [`crate::programs::Han`]: one message behind each remark.
    HAN,
    "han"
);
vector!(
    /// For [`crate::programs::P1`]: the octets of [`DSMR`].
    P1,
    "dsmr",
    "p1"
);
vector!(
    /// For [`crate::programs::Upgrade`].
    UPGRADE,
    "upgrade"
);
