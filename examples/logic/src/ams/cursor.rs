//! The few types of COSEM data that HAN lists in Norway are made of, in a tenth of the flash that all types take.

/// An element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// array \[1\] of so many elements.
    Array(u8),
    /// structure \[2\] of so many members.
    Structure(u8),
    /// An integer or enumeration; double-long-unsigned above 2^31 - 1 comes out as that.
    Number(i32),
    /// octet-string \[9\], visible-string \[10\].
    Octets(&'a [u8]),
    /// null-data \[0\].
    Null,
}

/// Goes from element to element.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// At the start of these octets.
    #[must_use]
    pub(super) const fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// Whether no octets are left.
    #[must_use]
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn octets(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    /// The next element; `None` where the octets end or are of another type.
    #[inline(never)]
    pub(super) fn next(&mut self) -> Option<Item<'a>> {
        let [tag, rest @ ..] = self.0 else { return None };
        self.0 = rest;
        let (count, signed) = match tag {
            0 => return Some(Item::Null),
            1 | 2 | 9 | 10 => {
                let count = *self.octets(1)?.first().filter(|count| **count < 0x80)?;
                return Some(match tag {
                    1 => Item::Array(count),
                    2 => Item::Structure(count),
                    _ => Item::Octets(self.octets(count.into())?),
                });
            }
            5 => (4, true),
            6 => (4, false),
            15 => (1, true),
            16 => (2, true),
            17 | 22 => (1, false),
            18 => (2, false),
            _ => return None,
        };
        let octets = self.octets(count)?;
        let negative = signed && octets.first().is_some_and(|octet| *octet >= 0x80);
        let start = if negative { -1i32 } else { 0 };
        let number = octets.iter().fold(start, |number, octet| number.wrapping_shl(8) | i32::from(*octet));
        Some(Item::Number(if number < 0 && !signed { i32::MAX } else { number }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_signs() {
        let mut cursor =
            Cursor::new(&[15, 0xFF, 16, 0x80, 0, 18, 0x80, 0, 5, 0xFF, 0xFF, 0xFF, 0xFE, 6, 0xFF, 0, 0, 0]);
        let numbers = [-1, -32768, 32768, -2, i32::MAX];
        assert!(numbers.into_iter().all(|number| cursor.next() == Some(Item::Number(number))));
        assert!(cursor.is_empty() && cursor.next().is_none());
    }
}
