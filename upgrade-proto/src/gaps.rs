//! Rising block numbers as Rice-coded gaps: the short form of a list of missing blocks and of the blocks in an XOR frame.
//!
//! Octets: `k u8 | bits…`, bits from the most significant end; each number is its distance from the one before (less one),
//! quotient by 2^k as ones and a zero, then k bits; the last octet is filled with ones, which complete no code. 20 numbers
//! out of 2000 take 20 octets, 200 take 121, against 40 and 400 as plain u16 and 250 as a bitmap.

/// Longest run of ones in a code; a longer one ends the list (a writer picks `k` so that none occurs).
const RUN_MAX: u32 = 1024;

/// Writes rising numbers.
#[derive(Debug)]
pub struct GapWriter<'b> {
    out: &'b mut [u8],
    bit: usize,
    k: u8,
    next: u32,
}

impl<'b> GapWriter<'b> {
    /// Writes into `out`, numbers from `from` on, `expected` of them spread over `span` (which picks `k`).
    ///
    /// `None` when `out` has no octet.
    pub fn new(out: &'b mut [u8], from: u16, expected: u16, span: u16) -> Option<Self> {
        // Best Rice parameter is about log2(0.69 * mean gap).
        let span = u32::from(span).wrapping_mul(11);
        let mut gap = u32::from(expected.max(1)).wrapping_mul(32);
        let mut k = 0u8;
        while span >= gap {
            gap = gap.wrapping_mul(2);
            k = k.wrapping_add(1);
        }
        *out.first_mut()? = k;
        Some(GapWriter { out, bit: 8, k, next: u32::from(from) })
    }

    /// Adds a number not below the one before; `false` (and nothing added) when it does not fit.
    #[must_use]
    #[inline(never)]
    pub fn push(&mut self, number: u16) -> bool {
        let Some(gap) = u32::from(number).checked_sub(self.next) else { return false };
        let ones = gap >> self.k;
        if ones > RUN_MAX {
            return false;
        }
        // Past the ones.
        let mut bit = self.bit.wrapping_add(usize::try_from(ones).unwrap_or(usize::MAX));
        let last = bit.wrapping_add(self.k.into()) >> 3;
        let Some(fresh) = self.out.get_mut(self.len()..last.wrapping_add(1)) else { return false };
        // What is not written reads as ones.
        fresh.fill(0xFF);
        // A zero, and k bits.
        let low = gap ^ ones.wrapping_shl(self.k.into());
        for left in (0..=self.k).rev() {
            if low.wrapping_shr(left.into()) & 1 == 0
                && let Some(octet) = self.out.get_mut(bit >> 3)
            {
                *octet &= !(0x80u8 >> (bit & 7));
            }
            bit = bit.wrapping_add(1);
        }
        self.bit = bit;
        self.next = u32::from(number).wrapping_add(1);
        true
    }

    /// Octets written.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.bit.wrapping_add(7) >> 3
    }

    /// Whether nothing but `k` was written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.bit == 8
    }
}

/// Reads what [`GapWriter`] wrote, to the end of the octets.
#[derive(Clone, Debug)]
pub struct GapReader<'a> {
    octets: &'a [u8],
    bit: usize,
    k: u8,
    next: u32,
}

impl<'a> GapReader<'a> {
    /// Numbers from `from` on. An empty slice reads as no number.
    #[must_use]
    pub fn new(octets: &'a [u8], from: u16) -> Self {
        let k = octets.first().copied().unwrap_or(0).min(15);
        GapReader { octets, bit: 8, k, next: u32::from(from) }
    }

    /// Ones past the end.
    #[inline(never)]
    fn take(&mut self) -> u32 {
        let octet = self.octets.get(self.bit >> 3).copied().unwrap_or(0xFF);
        let one = u32::from(octet << (self.bit & 7)) >> 7 & 1;
        self.bit = self.bit.wrapping_add(1);
        one
    }

    /// Octets taken up by the numbers read so far.
    #[must_use]
    pub const fn used(&self) -> usize {
        self.bit.wrapping_add(7) >> 3
    }
}

impl Iterator for GapReader<'_> {
    type Item = u16;

    #[inline(never)]
    fn next(&mut self) -> Option<u16> {
        let mut gap = 0u32;
        while self.take() != 0 {
            gap = gap.wrapping_add(1);
            if gap > RUN_MAX {
                return None;
            }
        }
        for _ in 0..self.k {
            gap = (gap << 1) | self.take();
        }
        let number =
            u16::try_from(self.next.wrapping_add(gap)).ok().filter(|_| self.used() <= self.octets.len())?;
        self.next = u32::from(number).wrapping_add(1);
        Some(number)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;
    use std::vec;

    proptest! {
        #[test]
        fn reads_back_what_was_written(mut numbers in prop::collection::btree_set(any::<u16>(), 0..200), room in 1usize..600) {
            let from = numbers.first().copied().unwrap_or(0) / 2;
            let span = numbers.last().copied().unwrap_or(0).saturating_sub(from).saturating_add(1);
            let mut buffer = vec![0u8; room];
            let mut writer = GapWriter::new(&mut buffer, from, numbers.len() as u16, span).unwrap();
            let mut written = Vec::new();
            while let Some(number) = numbers.pop_first() {
                if !writer.push(number) { break; }
                written.push(number);
            }
            let len = writer.len();
            prop_assert!(len <= room);
            let read: Vec<u16> = GapReader::new(&buffer[..len], from).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn any_octets_give_rising_numbers(octets in prop::collection::vec(any::<u8>(), 0..100), from: u16) {
            let mut last = None;
            for n in GapReader::new(&octets, from) {
                prop_assert!(n >= from && last.is_none_or(|l| n > l));
                last = Some(n);
            }
        }
    }

    #[test]
    fn lengths_of_the_crate_docs() {
        for (count, most) in [(20u16, 22), (200, 125)] {
            let mut buffer = [0; 300];
            let mut writer = GapWriter::new(&mut buffer, 0, count, 2000).unwrap();
            // A fixed pseudo-random spread, by a multiplier coprime to 2000.
            let mut numbers: Vec<u16> =
                (0..u32::from(count)).map(|i| ((i * i * 7 + i * 1237) % 2000) as u16).collect();
            numbers.sort_unstable();
            numbers.dedup();
            for n in numbers {
                assert!(writer.push(n));
            }
            assert!(writer.len() <= most, "{count}: {}", writer.len());
        }
    }
}
