//! JSON (RFC 8259), written as it goes out.

use crate::sink::Sink;

/// `,"item":` with `before` in the place of the comma. The name has nothing to escape.
pub(crate) fn name(out: &mut impl Sink, before: u8, item: &str) {
    out.put(before);
    out.put(b'"');
    out.put_all(item.as_bytes());
    out.put_all(b"\":");
}

/// Octets as a string. Where they are no UTF-8, those beyond ASCII become `?`.
pub(crate) fn string(out: &mut impl Sink, octets: &[u8]) {
    let known = core::str::from_utf8(octets).is_ok();
    out.put(b'"');
    for octet in octets {
        match octet {
            b'"' | b'\\' => {
                out.put(b'\\');
                out.put(*octet);
            }
            0..=0x1F | 0x7F => {
                out.put_all(b"\\u00");
                out.hex(*octet);
            }
            0x80.. if !known => out.put(b'?'),
            _ => out.put(*octet),
        }
    }
    out.put(b'"');
}

/// Octets as a string of hexadecimal digits.
pub(crate) fn hexadecimal(out: &mut impl Sink, octets: &[u8]) {
    out.put(b'"');
    octets.iter().for_each(|octet| out.hex(*octet));
    out.put(b'"');
}

/// Numbers below 100, in two digits each, and an octet behind each of them; none where that is 0.
pub(crate) fn pairs<const N: usize>(out: &mut impl Sink, parts: [u8; N], behind: [u8; N]) {
    for (part, behind) in parts.into_iter().zip(behind) {
        out.put(b'0'.wrapping_add(part.div_euclid(10)));
        out.put(b'0'.wrapping_add(part.rem_euclid(10)));
        if behind != 0 {
            out.put(behind);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_escaped() {
        for (octets, text) in [
            (&b"a\"b\\c"[..], &b"\"a\\\"b\\\\c\""[..]),
            (b"\n\x7F", b"\"\\u000A\\u007F\""),
            (b"\xC3\xA6", b"\"\xC3\xA6\""),
            (b"\xC3", b"\"?\""),
        ] {
            let mut written = heapless::Vec::<u8, 16>::new();
            string(&mut |octet| assert!(written.push(octet).is_ok()), octets);
            assert_eq!(written, text);
        }
    }
}
