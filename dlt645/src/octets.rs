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
    // Octets in pairs in four 16-bit lanes; the top lane of the product is the sum of all four.
    let sum = |word: u64| {
        let pairs = (word & EVEN).wrapping_add((word >> 8) & EVEN);
        pairs.wrapping_mul(0x0001_0001_0001_0001) >> 48
    };
    let mut total = 0u64;
    let mut rest = octets;
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        total = total.wrapping_add(sum(u64::from_le_bytes(*eight)));
        rest = after;
    }
    match (rest.len(), octets.last_chunk::<8>()) {
        (0, _) => {}
        // The last eight once more, those that have been counted shifted out.
        (left @ 1..8, Some(last)) => {
            let counted = 64usize.wrapping_sub(left.wrapping_mul(8)) & 63;
            total = total.wrapping_add(sum(u64::from_le_bytes(*last) >> counted));
        }
        _ => return rest.iter().fold(0, |sum, &octet| sum.wrapping_add(octet)),
    }
    let [total, ..] = total.to_le_bytes();
    total
}

/// `mask`, below 80H, taken off each octet of `word` modulo 256.
#[inline]
pub(crate) const fn unmask4(word: u32, mask: u8) -> u32 {
    if cfg!(target_pointer_width = "64") {
        // Bit 7 set in each octet takes the borrow in, and gets its own value after. Kept in a register: octets taken
        // apart and put together again through memory make the processor wait.
        const TOP: u32 = 0x8080_8080;
        (word | TOP).wrapping_sub((mask as u32).wrapping_mul(0x0101_0101)) ^ (!word & TOP)
    } else {
        let [a, b, c, d] = word.to_le_bytes();
        u32::from_le_bytes([
            a.wrapping_sub(mask),
            b.wrapping_sub(mask),
            c.wrapping_sub(mask),
            d.wrapping_sub(mask),
        ])
    }
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
    ((number / 10) << 4) | (number % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wide_sum_is_the_plain_sum() {
        let octets: [u8; 300] = core::array::from_fn(|i| u8::try_from((i * 7 + 250) % 256).unwrap());
        for from in 0..20 {
            for to in from..300 {
                assert_eq!(sum_wide(&octets[from..to]), sum_plain(&octets[from..to]));
            }
        }
    }

    #[test]
    fn the_mask_comes_off_each_octet() {
        for octet in 0..=255u8 {
            for mask in [0, 0x33] {
                let word = u32::from_le_bytes([octet, 0, 0xFF, !octet]);
                let plain = [octet, 0, 0xFF, !octet].map(|octet| octet.wrapping_sub(mask));
                assert_eq!(unmask4(word, mask).to_le_bytes(), plain);
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
