//! Rows of the GF(2) code: which blocks of a generation a coded frame sums up. Both sides compute them from the frame's five octets.

use crate::message::Row;

/// Most generations of a session.
pub const GENERATIONS_MAX: u8 = 32;

/// Blocks of a generation: those whose number is `generation` modulo `generations`.
#[must_use]
pub const fn generation_len(count: u16, row: &Row) -> u16 {
    let after = count.saturating_sub(row.generation as u16);
    if row.generations == 0 { 0 } else { after.div_ceil(row.generations as u16) }
}

/// The block numbers of a row, rising.
#[derive(Clone, Debug)]
pub struct RowBlocks {
    state: u32,
    word: u32,
    held: u8,
    density: u8,
    at: u32,
    step: u8,
    count: u16,
}

impl RowBlocks {
    /// Of a row over `count` data blocks.
    #[must_use]
    pub const fn new(count: u16, row: &Row) -> Self {
        // Neighbouring seeds must not give neighbouring states: one round of multiply and shift first.
        let mut state = ((row.seed as u32) << 8) ^ (row.generation as u32) ^ ((row.generations as u32) << 24);
        state = state.wrapping_add(0x9E37_79B9).wrapping_mul(0x85EB_CA6B);
        state ^= state >> 13;
        state = state.wrapping_mul(0xC2B2_AE35);
        state ^= state >> 16;
        RowBlocks {
            state: if state == 0 { 1 } else { state },
            word: 0,
            held: 0,
            density: row.density,
            at: row.generation as u32,
            step: row.generations,
            count,
        }
    }

    fn octet(&mut self) -> u8 {
        if self.held == 0 {
            // xorshift32 with a product: the shifts alone are linear over GF(2), and rows from them never span more than 33
            // dimensions. The product's upper three octets are far from linear.
            self.state ^= self.state << 13;
            self.state ^= self.state >> 17;
            self.state ^= self.state << 5;
            self.word = self.state.wrapping_mul(0x9E37_79BB) >> 8;
            self.held = 3;
        }
        self.held = self.held.wrapping_sub(1);
        let [_, _, _, low] = self.word.to_be_bytes();
        self.word >>= 8;
        low
    }
}

impl Iterator for RowBlocks {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.step == 0 {
            return None;
        }
        while self.at < u32::from(self.count) {
            let at = self.at;
            self.at = self.at.wrapping_add(self.step.into());
            if self.octet() < self.density {
                return u16::try_from(at).ok();
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
mod tests {
    use super::*;

    #[test]
    fn rows_hold_about_their_density_and_stay_in_their_generation() {
        for density in [13u8, 25, 64, 128] {
            let mut total = 0;
            for seed in 0..200 {
                let row = Row { generation: 3, generations: 4, seed, density };
                total += RowBlocks::new(2000, &row).inspect(|n| assert_eq!(n % 4, 3)).count();
            }
            let want = 200 * 500 * usize::from(density) / 256;
            assert!(total.abs_diff(want) < want / 10, "{density}: {total} {want}");
        }
    }

    /// Rows restricted to any columns must reach full rank with hardly more rows than columns.
    #[test]
    fn rows_are_as_good_as_random_ones() {
        for (density, columns, most, generations) in
            [(128u8, 120usize, 8usize, 4u8), (30, 120, 12, 4), (25, 150, 14, 4), (6, 600, 14, 1)]
        {
            for generation in 0..generations {
                let mut pivots: std::vec::Vec<Option<[u64; 10]>> = std::vec![None; columns];
                let (mut rank, mut rows) = (0, 0);
                while rank < columns {
                    assert!(
                        rows < columns + most,
                        "density {density}: rank {rank} of {columns} after {rows} rows"
                    );
                    let row = Row { generation, generations, seed: rows as u16, density };
                    rows += 1;
                    let mut bits = [0u64; 10];
                    // Every third block of the generation is missing.
                    for index in
                        RowBlocks::new(2000, &row).map(|index| usize::from(index / u16::from(generations)))
                    {
                        if index % 3 == 0 && index / 3 < columns {
                            bits[index / 3 / 64] ^= 1 << (index / 3 % 64);
                        }
                    }
                    for column in 0..columns {
                        if bits[column / 64] >> (column % 64) & 1 == 0 {
                            continue;
                        }
                        match pivots[column] {
                            Some(other) => (0..10).for_each(|at| bits[at] ^= other[at]),
                            None => {
                                pivots[column] = Some(bits);
                                rank += 1;
                                break;
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn generations_cover_the_image_once() {
        let total: u16 = (0..7)
            .map(|generation| {
                let row = Row { generation, generations: 7, seed: 0, density: 255 };
                generation_len(2000, &row)
            })
            .sum();
        assert_eq!(total, 2000);
    }
}
