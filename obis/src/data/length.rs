//! Lengths and element counts: one octet below 0x80, else 0x81 to 0x84 and that many octets, high first (X.690 8.1.3).
//!
//! Longer than needed is accepted (`82 00 05`), since meters send it; the indefinite form 0x80 and more than four octets are not.

use super::ErrorKind;

/// The length at the front of `octets`, and what follows it.
#[inline]
pub(crate) fn length(octets: &[u8]) -> Result<(u32, &[u8]), ErrorKind> {
    match octets {
        [short @ 0..0x80, rest @ ..] => Ok((u32::from(*short), rest)),
        _ => long_length(octets),
    }
}

/// A length, and the octets it announces split from what follows them.
#[inline]
pub(crate) fn counted(octets: &[u8]) -> Result<(&[u8], &[u8]), ErrorKind> {
    let (length, rest) = length(octets)?;
    split(rest, length)
}

/// The first `length` octets, and the rest.
#[inline]
pub(crate) fn split(octets: &[u8], length: u32) -> Result<(&[u8], &[u8]), ErrorKind> {
    // On a 16-bit target a length of more than 65,535 cannot be there.
    let length = usize::try_from(length).map_err(|_| ErrorKind::Truncated)?;
    octets.split_at_checked(length).ok_or(ErrorKind::Truncated)
}

/// The octets of a length in its shortest form, and how many of them count.
pub(crate) fn encode(length: u32) -> ([u8; 5], u8) {
    let [a, b, c, d] = length.to_be_bytes();
    match length {
        0..=0x7F => ([d, 0, 0, 0, 0], 1),
        0x80..=0xFF => ([0x81, d, 0, 0, 0], 2),
        0x100..=0xFFFF => ([0x82, c, d, 0, 0], 3),
        0x1_0000..=0xFF_FFFF => ([0x83, b, c, d, 0], 4),
        _ => ([0x84, a, b, c, d], 5),
    }
}

#[cold]
fn long_length(octets: &[u8]) -> Result<(u32, &[u8]), ErrorKind> {
    match octets {
        [0x81, a, rest @ ..] => Ok((u32::from(*a), rest)),
        [0x82, a, b, rest @ ..] => Ok((u32::from(u16::from_be_bytes([*a, *b])), rest)),
        [0x83, a, b, c, rest @ ..] => Ok((u32::from_be_bytes([0, *a, *b, *c]), rest)),
        [0x84, a, b, c, d, rest @ ..] => Ok((u32::from_be_bytes([*a, *b, *c, *d]), rest)),
        [] | [0x81..=0x84, ..] => Err(ErrorKind::Truncated),
        _ => Err(ErrorKind::Length),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_length_in_and_out() {
        for value in [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x1_0000, 0xFF_FFFF, 0x100_0000, u32::MAX] {
            let (octets, n) = encode(value);
            let octets = &octets[..usize::from(n)];
            assert_eq!(length(octets), Ok((value, &[][..])));
            for cut in 0..octets.len() {
                assert_eq!(length(&octets[..cut]), Err(ErrorKind::Truncated));
            }
        }
    }

    #[test]
    fn a_length_may_be_longer_than_needed_but_not_indefinite_or_huge() {
        assert_eq!(length(&[0x82, 0x00, 0x05, 9]), Ok((5, &[9][..])));
        assert_eq!(length(&[0x84, 0, 0, 0, 5]), Ok((5, &[][..])));
        assert_eq!(length(&[0x80, 5]), Err(ErrorKind::Length));
        assert_eq!(length(&[0x85, 0, 0, 0, 0, 5]), Err(ErrorKind::Length));
        assert_eq!(length(&[0xFF; 200]), Err(ErrorKind::Length));
    }
}
