//! Arithmetic on octets: sum, mask and BCD, eight at a time where a register holds eight.
//!
//! The 64-bit forms are compiled for 64-bit targets (and tests) only: on AVR they would be slower than the loops.

/// Sum modulo 256.
#[inline]
pub(crate) fn sum(octets: &[u8]) -> u8 {
    #[cfg(target_pointer_width = "64")]
    {
        sum_wide(octets)
    }
    #[cfg(not(target_pointer_width = "64"))]
    {
        sum_plain(octets)
    }
}

#[cfg(any(test, not(target_pointer_width = "64")))]
#[inline]
fn sum_plain(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |sum: u8, &octet| sum.wrapping_add(octet))
}

#[cfg(target_pointer_width = "64")]
#[inline]
fn sum_wide(octets: &[u8]) -> u8 {
    const EVEN: u64 = 0x00FF_00FF_00FF_00FF;
    let (eights, rest) = octets.as_chunks::<8>();
    // Four 16-bit lanes; 267 octets are at most 33 chunks, and only the low 8 bits of a lane count in the end.
    let mut lanes = 0u64;
    for eight in eights {
        let word = u64::from_le_bytes(*eight);
        lanes = lanes.wrapping_add(word & EVEN).wrapping_add(word >> 8 & EVEN);
    }
    lanes = lanes.wrapping_add(lanes >> 32);
    lanes = lanes.wrapping_add(lanes >> 16);
    let [sum, ..] = lanes.to_le_bytes();
    rest.iter().fold(sum, |sum, &octet| sum.wrapping_add(octet))
}

/// `mask` taken off each of eight octets, modulo 256, no borrow between them.
#[inline]
pub(crate) const fn unmask(word: u64, mask: u8) -> u64 {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    #[expect(clippy::cast_lossless, reason = "From is not const")]
    let mask = (mask as u64).wrapping_mul(0x0101_0101_0101_0101);
    ((word | HIGH).wrapping_sub(mask & !HIGH)) ^ ((word ^ !mask) & HIGH)
}

/// Four octets of BCD, least significant first, as a number; `None` if a nibble is above 9.
#[inline]
pub(crate) const fn bcd4(word: u32) -> Option<u32> {
    // +6 carries into the nibble above exactly from A to F; adding to the even and the odd nibbles apart keeps
    // one carry from hiding another.
    let low = word & 0x0F0F_0F0F;
    let high = word >> 4 & 0x0F0F_0F0F;
    if (low.wrapping_add(0x0606_0606) | high.wrapping_add(0x0606_0606)) & 0x1010_1010 != 0 {
        return None;
    }
    let pairs = low.wrapping_add(high.wrapping_mul(10));
    let fours = (pairs & 0x00FF_00FF).wrapping_add((pairs >> 8 & 0x00FF_00FF).wrapping_mul(100));
    Some((fours & 0xFFFF).wrapping_add((fours >> 16).wrapping_mul(10_000)))
}

/// One octet of BCD, 0..=99.
#[inline]
pub(crate) const fn bcd1(octet: u8) -> Option<u8> {
    let (high, low) = (octet >> 4, octet & 0x0F);
    if high > 9 || low > 9 { None } else { Some(high.wrapping_mul(10).wrapping_add(low)) }
}

/// 0..=99 as one octet of BCD; larger numbers lose their hundreds.
#[inline]
pub(crate) const fn to_bcd1(number: u8) -> u8 {
    let number = number % 100;
    (number / 10) << 4 | number % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_sum_is_the_plain_sum() {
        let octets: [u8; 300] = core::array::from_fn(|i| (i * 7 + 250) as u8);
        for from in 0..20 {
            for to in from..300 {
                assert_eq!(sum_wide(&octets[from..to]), sum_plain(&octets[from..to]));
            }
        }
    }

    #[test]
    fn unmask_wraps_in_each_octet_alone() {
        for a in 0..=255u8 {
            let word = [a, 0, 0x33, 0x32, 0xFF, a.wrapping_mul(3), 0x80, 0xB3];
            for mask in [0x33, 0, 0xFF, 0x80] {
                let expected = word.map(|octet| octet.wrapping_sub(mask));
                assert_eq!(unmask(u64::from_le_bytes(word), mask).to_le_bytes(), expected);
            }
        }
    }

    #[test]
    fn four_octets_of_bcd() {
        assert_eq!(bcd4(0x1234_5678), Some(12_345_678));
        assert_eq!(bcd4(0x9999_9999), Some(99_999_999));
        for nibble in 0..8 {
            for digit in 10..16 {
                assert_eq!(bcd4(digit << (4 * nibble)), None);
                assert_eq!(bcd4(0x9999_9999 & !(15 << (4 * nibble)) | digit << (4 * nibble)), None);
            }
        }
        for number in 0..100 {
            assert_eq!(bcd1(to_bcd1(number)), Some(number));
        }
    }
}
