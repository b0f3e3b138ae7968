//! The data field as the services see it: 33H taken off, nothing copied.

use core::fmt;

use crate::octets;
use crate::value::ValueError;

/// What is added to every data octet on the wire (clause 5.2.5 of the 2007 standard).
pub const MASK: u8 = 0x33;

/// A view of data octets: of a frame, where 33H stands on each, or of plain octets in memory.
///
/// All accessors give plain octets; arithmetic is modulo 256, so that binary data and error words survive.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    octets: &'a [u8],
    mask: Mask,
}

/// What stands on each octet. A word wide where there are caches: a copy by words waits for an octet stored just before it,
/// ten nanoseconds in every reply on a server.
#[derive(Clone, Copy)]
#[cfg_attr(target_pointer_width = "16", repr(u8))]
#[cfg_attr(not(target_pointer_width = "16"), repr(usize))]
enum Mask {
    None = 0,
    Wire = MASK as _,
}

impl<'a> Data<'a> {
    /// Octets as they mean: the data field before 33H is added.
    #[must_use]
    pub const fn plain(octets: &'a [u8]) -> Self {
        Self { octets, mask: Mask::None }
    }

    /// Octets as they stand on the wire, 33H added to each.
    #[must_use]
    pub const fn masked(octets: &'a [u8]) -> Self {
        Self { octets, mask: Mask::Wire }
    }

    /// Number of octets.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.octets.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.octets.is_empty()
    }

    /// Plain octet at `index`.
    #[must_use]
    pub fn octet(&self, index: usize) -> Option<u8> {
        self.octets.get(index).map(|octet| octet.wrapping_sub(self.mask as u8))
    }

    /// Plain octets in the order of the wire.
    pub fn iter(&self) -> Octets<'a> {
        Octets { octets: self.octets.iter(), mask: self.mask as u8 }
    }

    /// `N` plain octets from `at` on.
    #[must_use]
    #[inline]
    pub fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        let octets: [u8; N] = *self.octets.get(at..)?.first_chunk()?;
        Some(octets.map(|octet| octet.wrapping_sub(self.mask as u8)))
    }

    /// Four plain octets from `at` on as a number, least significant first.
    #[inline]
    pub(crate) fn word(&self, at: usize) -> Option<u32> {
        let octets = *self.octets.get(at..)?.first_chunk()?;
        Some(octets::unmask4(u32::from_le_bytes(octets), self.mask as u8))
    }

    /// The first `at` octets and the rest.
    #[must_use]
    pub fn split_at(&self, at: usize) -> Option<(Self, Self)> {
        let (front, rest) = self.octets.split_at_checked(at)?;
        Some((Self { octets: front, ..*self }, Self { octets: rest, ..*self }))
    }

    /// The octets before and after the last `n`.
    pub(crate) fn split_end(&self, n: usize) -> Option<(Self, Self)> {
        self.split_at(self.len().checked_sub(n)?)
    }

    /// Copies the plain octets to the front of `out`; `None` if it is too small.
    pub fn copy_to<'o>(&self, out: &'o mut [u8]) -> Option<&'o [u8]> {
        let out = out.get_mut(..self.octets.len())?;
        for (out, octet) in out.iter_mut().zip(self.iter()) {
            *out = octet;
        }
        Some(out)
    }

    /// All octets FFH: what meters send for "no data" or "not supported". False when empty.
    #[must_use]
    pub fn is_no_data(&self) -> bool {
        !self.is_empty() && self.iter().all(|octet| octet == 0xFF)
    }

    /// The octets as one BCD number without sign, least significant octet first, at most 9 octets.
    ///
    /// # Errors
    /// [`ValueError::NotBcd`] naming the first octet with a nibble above 9; [`ValueError::Length`] above 9 octets.
    #[inline]
    pub fn bcd(&self) -> Result<u64, ValueError> {
        // The common widths, 2 to 4 octets, as one word: missing octets are zero digits.
        if let Some(word) = self.word(0)
            && self.octets.len() == 4
            && let Some(number) = octets::bcd4(word)
        {
            return Ok(u64::from(number));
        }
        self.bcd_below(0x99)
    }

    /// As [`bcd`](Self::bcd), bit 7 of the last octet being the sign (1: negative).
    ///
    /// # Errors
    /// As [`bcd`](Self::bcd).
    #[inline]
    pub fn signed_bcd(&self) -> Result<i64, ValueError> {
        let negative =
            self.octets.len().checked_sub(1).and_then(|last| self.octet(last)).is_some_and(|o| o >= 0x80);
        let number = if negative { self.bcd_below(0x7F) } else { self.bcd() }?;
        let number = i64::try_from(number).map_err(|_| ValueError::length(self.len()))?;
        Ok(if negative { number.wrapping_neg() } else { number })
    }

    /// Octet by octet, for what the word form does not take and to name the octet that is wrong; `top` masks the
    /// last octet.
    fn bcd_below(&self, top: u8) -> Result<u64, ValueError> {
        if self.len() > 9 {
            return Err(ValueError::length(self.len()));
        }
        let mut number = 0u64;
        let mut at = self.len();
        for (from_end, octet) in self.iter().rev().enumerate() {
            at = at.wrapping_sub(1);
            let digits = if from_end == 0 && top == 0x7F { octet & top } else { octet };
            let pair = octets::bcd1(digits).ok_or(ValueError::not_bcd(at, octet))?;
            number = number.wrapping_mul(100).wrapping_add(u64::from(pair));
        }
        Ok(number)
    }
}

/// Plain octets of a [`Data`] view, see [`Data::iter`].
#[derive(Debug, Clone)]
pub struct Octets<'a> {
    octets: core::slice::Iter<'a, u8>,
    mask: u8,
}

impl Iterator for Octets<'_> {
    type Item = u8;
    fn next(&mut self) -> Option<u8> {
        self.octets.next().map(|octet| octet.wrapping_sub(self.mask))
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.octets.size_hint()
    }
}

impl DoubleEndedIterator for Octets<'_> {
    fn next_back(&mut self) -> Option<u8> {
        self.octets.next_back().map(|octet| octet.wrapping_sub(self.mask))
    }
}

impl ExactSizeIterator for Octets<'_> {}

impl<'a> IntoIterator for Data<'a> {
    type Item = u8;
    type IntoIter = Octets<'a>;
    fn into_iter(self) -> Octets<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &Data<'a> {
    type Item = u8;
    type IntoIter = Octets<'a>;
    fn into_iter(self) -> Octets<'a> {
        self.iter()
    }
}

impl PartialEq for Data<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Data<'_> {}

impl fmt::Debug for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Plain octets in hexadecimal, in the order of the wire.
impl fmt::Display for Data<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Data<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        for octet in self.iter() {
            defmt::write!(f, "{=u8:02X}", octet);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_octet_below_33h_wraps_and_is_no_negative_digit() {
        // WKJay subtracts in int: 00H - 33H gives negative digits there. CDH is what it means.
        let data = Data::masked(&[0x00, 0x33]);
        assert_eq!(data.octet(0), Some(0xCD));
        assert_eq!(data.bcd(), Err(ValueError::NotBcd { at: 0, octet: 0xCD }));
    }

    #[test]
    fn a_nibble_above_nine_is_reported_with_its_octet() {
        assert_eq!(Data::plain(&[0, 0, 0x0E, 0]).bcd(), Err(ValueError::NotBcd { at: 2, octet: 0x0E }));
        // peace0phmind turns nibble A into 0.
        assert_eq!(Data::plain(&[0x1A, 0]).bcd(), Err(ValueError::NotBcd { at: 0, octet: 0x1A }));
        assert_eq!(Data::plain(&[0x99; 9]).bcd(), Ok(999_999_999_999_999_999));
        assert_eq!(Data::plain(&[0x99; 10]).bcd(), Err(ValueError::Length { expected: 0, found: 10 }));
    }

    #[test]
    fn the_sign_is_bit_7_of_the_last_octet() {
        assert_eq!(Data::plain(&[0x00, 0x50, 0x81]).signed_bcd(), Ok(-15_000));
        assert_eq!(Data::plain(&[0x00, 0x50, 0x01]).signed_bcd(), Ok(15_000));
        assert_eq!(Data::plain(&[0x99, 0x99, 0x99, 0xF9]).signed_bcd(), Ok(-79_999_999));
        assert_eq!(Data::plain(&[0x00, 0x80]).signed_bcd(), Ok(0));
        assert_eq!(Data::plain(&[0x00, 0xFA]).signed_bcd(), Err(ValueError::NotBcd { at: 1, octet: 0xFA }));
        assert_eq!(Data::plain(&[]).signed_bcd(), Ok(0));
    }
}
