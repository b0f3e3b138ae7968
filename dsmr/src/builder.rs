//! Telegrams for simulators and tests.

use crate::check::{self, CheckKind};
use crate::error::BufferTooSmall;

/// A telegram to be sent.
///
/// ```
/// use dsmr::{Builder, Check, CheckKind, Telegram};
/// let builder = Builder {
///     identification: b"ISK5\\2M550T-1012",
///     lines: &[b"1-3:0.2.8(50)", b"1-0:1.8.1(000576.239*kWh)"],
///     check: CheckKind::Arc,
/// };
/// let mut storage = [0; 128];
/// let octets = builder.encode(&mut storage).unwrap();
/// assert_eq!(Telegram::parse(octets).unwrap().0.check(), Check::Verified);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builder<'a> {
    /// Identification without `/`.
    pub identification: &'a [u8],
    /// Data lines without line ends. None may begin with `/` or `!`, nor hold a line end, unless a damaged telegram is
    /// what is wanted.
    pub lines: &'a [&'a [u8]],
    /// The check; [`CheckKind::Ignore`] sends `!` alone, as DSMR 2.2 and 3.0 do.
    pub check: CheckKind,
}

impl<'a> Builder<'a> {
    /// Octets of the whole telegram, line end of the check line included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        let lines =
            self.lines.iter().fold(0usize, |sum, line| sum.saturating_add(line.len()).saturating_add(2));
        let digits = if self.check == CheckKind::Ignore { 0 } else { 4 };
        // `/`, two line ends, `!` and a line end.
        lines.saturating_add(self.identification.len()).saturating_add(8).saturating_add(digits)
    }

    /// Writes the telegram to the front of `out`.
    ///
    /// # Errors
    ///
    /// [`BufferTooSmall`]: `out` is shorter than [`Builder::encoded_len`].
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let out = out.get_mut(..self.encoded_len()).ok_or(BufferTooSmall)?;
        for (place, octet) in out.iter_mut().zip(self.octets()) {
            *place = octet;
        }
        Ok(out)
    }

    /// The octets one by one, for a transmit interrupt with no buffer.
    #[must_use]
    pub fn octets(&self) -> TelegramOctets<'a> {
        TelegramOctets {
            builder: *self,
            left: self.encoded_len(),
            now: b"/",
            next: Next::Identification,
            tail: [0; 6],
            running: check::start(self.check),
        }
    }
}

/// What follows the piece that is being sent.
#[derive(Clone, Copy, Debug)]
enum Next {
    Identification,
    Blank,
    Line(usize),
    LineEnd(usize),
    Check,
    Tail(u8),
}

/// Iterator of [`Builder::octets`].
#[derive(Clone, Debug)]
pub struct TelegramOctets<'a> {
    builder: Builder<'a>,
    left: usize,
    now: &'a [u8],
    next: Next,
    tail: [u8; 6],
    running: check::Running,
}

impl Iterator for TelegramOctets<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        loop {
            if let Some((first, rest)) = self.now.split_first() {
                self.now = rest;
                self.left = self.left.saturating_sub(1);
                self.running = check::step(self.builder.check, self.running, *first);
                return Some(*first);
            }
            let (now, next): (&[u8], Next) = match self.next {
                Next::Identification => (self.builder.identification, Next::Blank),
                Next::Blank => (b"\r\n\r\n", Next::Line(0)),
                Next::Line(at) => match self.builder.lines.get(at) {
                    Some(line) => (*line, Next::LineEnd(at.saturating_add(1))),
                    None => (b"!", Next::Check),
                },
                Next::LineEnd(at) => (b"\r\n", Next::Line(at)),
                Next::Check => {
                    let check = check::end(self.builder.check, self.running);
                    let digits = [12, 8, 4, 0].map(|shift| digit((check >> shift) & 0x0F));
                    let skip = if self.builder.check == CheckKind::Ignore { 4 } else { 0 };
                    let [a, b, c, d] = digits;
                    self.tail = [a, b, c, d, b'\r', b'\n'];
                    (&[][..], Next::Tail(skip))
                }
                Next::Tail(at) => {
                    let octet = *self.tail.get(usize::from(at))?;
                    self.left = self.left.saturating_sub(1);
                    self.next = Next::Tail(at.saturating_add(1));
                    return Some(octet);
                }
            };
            (self.now, self.next) = (now, next);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for TelegramOctets<'_> {}

/// Hexadecimal digit in upper case.
fn digit(value: u16) -> u8 {
    let [value, _] = value.to_le_bytes();
    if value < 10 { b'0'.wrapping_add(value) } else { b'A'.wrapping_sub(10).wrapping_add(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Check, Options, telegrams_with};
    use std::prelude::rust_2024::*;

    #[test]
    fn encoded_telegrams_come_back() {
        for (check, expected) in [
            (CheckKind::Arc, Check::Verified),
            (CheckKind::X25, Check::Verified),
            (CheckKind::Ignore, Check::Absent),
        ] {
            let builder =
                Builder { identification: b"AAA5X", lines: &[b"1-0:1.8.0(1*kWh)", b"", b"raw"], check };
            let mut storage = [0; 64];
            let octets = builder.encode(&mut storage).unwrap().to_vec();
            assert_eq!(octets.len(), builder.encoded_len());
            assert_eq!(builder.octets().len(), octets.len());
            assert_eq!(builder.octets().collect::<Vec<u8>>(), octets);
            let kind = if check == CheckKind::Ignore { CheckKind::Arc } else { check };
            let telegram =
                telegrams_with(&octets, Options { check: kind, ..Options::DEFAULT }).next().unwrap().unwrap();
            assert_eq!(telegram.check(), expected);
            assert_eq!(
                telegram.lines().map(|line| line.raw().to_vec()).collect::<Vec<_>>(),
                [b"1-0:1.8.0(1*kWh)".to_vec(), b"raw".to_vec()]
            );
            assert_eq!(builder.encode(&mut [0; 3]), Err(BufferTooSmall));
        }
    }
}
