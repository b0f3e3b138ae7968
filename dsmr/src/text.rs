//! Texts: octets as two hexadecimal digits each, as the standard says, or plain, as some meters send them.

use crate::framing::{hex, is_line_end};
use core::fmt;

/// A text value. Display writes it readable.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<'a> {
    octets: &'a [u8],
    /// Never to be taken for hexadecimal digits.
    plain: bool,
}

/// A serial number of fewer digits than this is one in plain digits: in hexadecimal it would have less than eight
/// characters, which none has.
const SHORTEST_NUMBER: usize = 16;

impl<'a> Text<'a> {
    /// A text as sent.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets, plain: false }
    }

    /// A text that is as sent, though it may look like hexadecimal digits: a version, a tariff.
    #[must_use]
    pub const fn plain(octets: &'a [u8]) -> Self {
        Self { octets, plain: true }
    }

    /// A serial number: short ones of decimal digits alone are plain.
    pub(crate) fn number(octets: &'a [u8]) -> Self {
        let plain = octets.len() < SHORTEST_NUMBER && octets.iter().all(u8::is_ascii_digit);
        Self { octets, plain }
    }

    /// The octets as sent, line ends of a wrapped text included.
    #[must_use]
    pub const fn sent(self) -> &'a [u8] {
        self.octets
    }

    /// Nothing was sent.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.octets.is_empty()
    }

    /// Whether it is in hexadecimal digits: an even number of them and nothing else, and what they stand for is text.
    ///
    /// `96815390` is a serial number in plain digits, as 96 and 81 stand for no characters. Nor are octets above 127 text
    /// unless they are UTF-8 or stand among more ASCII, as `ABB12345` is a serial number too.
    #[must_use]
    pub fn is_hexadecimal(self) -> bool {
        if self.plain {
            return false;
        }
        let digits = self.octets.iter().filter(|octet| !is_line_end(**octet));
        let mut count = 0usize;
        for octet in digits {
            if hex(*octet).is_none() {
                return false;
            }
            count = count.wrapping_add(1);
        }
        count != 0
            && count.is_multiple_of(2)
            && is_readable(TextOctets { rest: self.octets, hexadecimal: true })
    }

    /// The octets of the text itself: hexadecimal digits put together, line ends of a wrapped text left out.
    #[must_use]
    pub fn octets(self) -> TextOctets<'a> {
        TextOctets { rest: self.octets, hexadecimal: self.is_hexadecimal() }
    }
}

impl fmt::Display for Text<'_> {
    /// UTF-8 is kept, other octets above 127 are taken as ISO 8859-1, control characters are escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut octets = self.octets();
        while let Some(part) = octets.next_part() {
            match part {
                Part::Wide(character) => fmt::Write::write_char(f, character)?,
                Part::Octet(octet) if octet.is_ascii_control() => {
                    fmt::Display::fmt(&octet.escape_ascii(), f)?
                }
                Part::Octet(octet) => fmt::Write::write_char(f, char::from(octet))?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", format_args!("{self}"))
    }
}

/// Iterator of [`Text::octets`].
#[derive(Clone, Copy, Debug)]
pub struct TextOctets<'a> {
    rest: &'a [u8],
    hexadecimal: bool,
}

/// What stands at the front of a text.
enum Part {
    /// A character that takes several octets of UTF-8.
    Wide(char),
    Octet(u8),
}

/// Whether octets are text: printable ASCII, characters of UTF-8, and, where ASCII prevails, ISO 8859-1.
fn is_readable(mut octets: TextOctets<'_>) -> bool {
    let (mut plain, mut high, mut letter_first) = (0usize, 0usize, false);
    while let Some(part) = octets.next_part() {
        match part {
            Part::Wide(character) if character.is_control() => return false,
            Part::Wide(_) => {}
            Part::Octet(octet @ (b'\t' | b'\n' | b'\r' | 0x20..=0x7E)) => {
                letter_first |= plain == 0 && high == 0 && octet.is_ascii_alphabetic();
                plain = plain.wrapping_add(1);
            }
            Part::Octet(0xA0..) => high = high.wrapping_add(1),
            Part::Octet(_) => return false,
        }
    }
    plain > high || plain == high && (letter_first || high == 0)
}

impl TextOctets<'_> {
    /// Takes a character of UTF-8 off the front, or an octet where no such character begins.
    fn next_part(&mut self) -> Option<Part> {
        let first = self.next()?;
        let following = match first {
            0xC2..=0xDF => 1usize,
            0xE0..=0xEF => 2,
            0xF0..=0xF4 => 3,
            _ => return Some(Part::Octet(first)),
        };
        let mut ahead = *self;
        Some(match ahead.wide(first, following) {
            None => Part::Octet(first),
            Some(character) => {
                *self = ahead;
                Part::Wide(character)
            }
        })
    }

    /// The character of UTF-8 that begins with `first`.
    fn wide(&mut self, first: u8, following: usize) -> Option<char> {
        let mut character = [first, 0, 0, 0];
        for place in character.iter_mut().skip(1).take(following) {
            *place = self.next()?;
        }
        core::str::from_utf8(character.get(..=following)?).ok()?.chars().next()
    }

    fn next_sent(&mut self) -> Option<u8> {
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            if !is_line_end(*first) {
                return Some(*first);
            }
        }
    }
}

impl Iterator for TextOctets<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let first = self.next_sent()?;
        if !self.hexadecimal {
            return Some(first);
        }
        Some((hex(first)? << 4) | hex(self.next_sent()?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    #[test]
    fn hexadecimal_or_not() {
        for (sent, read) in [
            ("4B384547303034303436333935353037", "K8EG004046395507"),
            ("5f5f5f5f464f55525f5f5f", "____FOUR___"),
            ("K50322", "K50322"),
            ("test-/-test", "test-/-test"),
            ("96815390", "96815390"),
            ("9903352978", "9903352978"),
            ("09610", "09610"),
            ("3031\r\n3233\r\n34", "01234"),
            ("pl\r\nain", "plain"),
            ("63C3A9", "cé"),
            ("63E9", "cé"),
            ("3235B043", "25°C"),
            ("C3A9", "é"),
            ("A2", "A2"),
            ("ABB12345", "ABB12345"),
            ("C1C2C3C4", "C1C2C3C4"),
            ("A1B2C3D4E5F6", "A1B2C3D4E5F6"),
            ("C2804142", "C2804142"),
            ("\u{1}", "\\x01"),
            ("", ""),
        ] {
            assert_eq!(Text::new(sent.as_bytes()).to_string(), read, "{sent}");
        }
        assert_eq!(Text::new(&[0xFF, 0xFF, b'a']).to_string(), "ÿÿa");
    }
}
