//! Hex text: two digits an octet, `#` to the end of the line a comment, and between octets what people put there.

/// Whether the front of an input reads as hex text: nothing but digits, separators and comments, and some digits.
pub fn is_hex(front: &[u8]) -> bool {
    let (mut comment, mut digits) = (false, 0_usize);
    for &octet in front {
        match octet {
            b'\n' | b'\r' => comment = false,
            _ if comment => {}
            b'#' => comment = true,
            b'x' | b'X' => {}
            _ if octet.is_ascii_hexdigit() => digits += 1,
            _ if is_separator(octet) => {}
            _ => return false,
        }
    }
    digits >= 2
}

fn is_separator(octet: u8) -> bool {
    // The last three are the byte order mark that some editors put before UTF-8.
    octet.is_ascii_whitespace() || matches!(octet, b',' | b':' | b';' | b'-' | 0xEF | 0xBB | 0xBF)
}

/// Turns hex text into octets, in pieces.
#[derive(Debug, Default)]
pub struct Hex {
    comment: bool,
    high: Option<u8>,
    /// Characters taken in, and the offset of the first that makes no octet.
    taken: u64,
    pub wrong: Option<u64>,
}

impl Hex {
    /// Appends the octets that `text` spells to `out`.
    pub fn decode(&mut self, text: &[u8], out: &mut Vec<u8>) {
        for &character in text {
            self.character(character, out);
            self.taken += 1;
        }
    }

    fn character(&mut self, character: u8, out: &mut Vec<u8>) {
        if self.comment {
            self.comment = !matches!(character, b'\n' | b'\r');
            return;
        }
        let digit = (character as char).to_digit(16).map(|digit| digit as u8);
        match (digit, self.high) {
            (Some(low), Some(high)) => {
                out.push(high << 4 | low);
                self.high = None;
            }
            (Some(high), None) => self.high = Some(high),
            // The prefix 0x.
            (None, Some(0)) if character.eq_ignore_ascii_case(&b'x') => self.high = None,
            (None, high) => {
                self.comment = character == b'#';
                if high.is_some() || !(self.comment || is_separator(character)) {
                    self.wrong.get_or_insert(self.taken);
                }
                self.high = None;
            }
        }
    }

    /// The offset of the first character that made no octet, at the end of the text.
    pub fn finish(&mut self) -> Option<u64> {
        if self.high.take().is_some() {
            self.wrong.get_or_insert(self.taken);
        }
        self.wrong
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn octets(text: &str) -> (Vec<u8>, Option<u64>) {
        let (mut hex, mut out) = (Hex::default(), Vec::new());
        for piece in text.as_bytes().chunks(3) {
            hex.decode(piece, &mut out);
        }
        (out, hex.finish())
    }

    #[test]
    fn every_spelling_of_octets() {
        let spelt = (vec![0x7E, 0xA0, 0x09], None);
        for text in [
            "7ea009",
            "7E A0 09\n",
            "7e:a0:09",
            "0x7e, 0xA0, 0x09",
            "# key: 00\n7e # flag\r\na0 09",
            "\u{FEFF}#x\r7ea009",
        ] {
            assert_eq!(octets(text), spelt, "{text}");
            assert!(is_hex(text.as_bytes()));
        }
    }

    #[test]
    fn what_is_no_octet_is_told_by_its_offset() {
        assert_eq!(octets("7e a 09"), (vec![0x7E, 0x09], Some(4)));
        assert_eq!(octets("7e zz 09"), (vec![0x7E, 0x09], Some(3)));
        assert_eq!(octets("7e a"), (vec![0x7E], Some(4)));
    }

    #[test]
    fn telegrams_and_octets_are_not_hex() {
        assert!(!is_hex(b"/KFM5KAIFA-METER\r\n"));
        assert!(!is_hex(b"\x7E\xA0\x09"));
        assert!(!is_hex(b"# only a comment"));
    }
}
