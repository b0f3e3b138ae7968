//! CRC-16/ARC over a run of octets, for machines with wide registers: exclusive or of whole words and no table.
//!
//! Without reflection and with coefficients modulo 2, the polynomial is (x + 1)(x¹⁵ + x + 1). Modulo the second factor x¹⁵
//! is x + 1, and squaring that again and again, x³⁰ is x² + 1, x⁶⁰ is x⁴ + 1, up to x⁹⁶⁰, which is x⁶⁴ + 1: a word of 64
//! coefficients counts for as much as itself added to the words 14 and 15 places on. So each block of 15 words can be
//! added to the next one, and what is left is halved in the same way until 15 bits remain. Modulo x + 1 all that counts
//! is whether the number of ones is odd. One remainder modulo the product fits both.
//!
//! In CRC-16/ARC the first bit of an octet is its lowest, so words are read with the first octet lowest, and the
//! coefficient of the highest power is bit 0.

use crate::check::{CheckKind, Running, step};
use core::ops::BitXor;

/// Pieces of a block.
const PIECES: usize = 15;

/// Fewer octets are done sooner one by one.
pub(crate) const WORTH: usize = 16;

/// Octets of a block of words.
const BLOCK: usize = 8 * PIECES;

/// The check value behind `octets`, of which `running` is that before them.
pub(crate) fn arc(mut running: u16, mut octets: &[u8]) -> u16 {
    // One octet in front of whole blocks would leave half of the value before them to the first block.
    if let [first, rest @ ..] = octets
        && octets.len() % BLOCK == 1
    {
        running = step(CheckKind::Arc, Running::new(running), *first).value();
        octets = rest;
    }
    if octets.is_empty() {
        return running;
    }
    let (front, blocks) = octets.split_at_checked(octets.len() % BLOCK).unwrap_or_default();
    let (blocks, _) = blocks.as_chunks::<BLOCK>();
    // Zeros in front count for nothing.
    let mut first = [0; BLOCK];
    let mut blocks = blocks.iter();
    let start = match front {
        [] => {
            first = *blocks.next().unwrap_or(&first);
            0
        }
        _ => BLOCK.wrapping_sub(front.len()),
    };
    first.iter_mut().skip(start).zip(front).for_each(|(place, octet)| *place = *octet);
    first.iter_mut().skip(start).zip(running.to_le_bytes()).for_each(|(place, octet)| *place ^= octet);
    let mut state = words(&first);
    let mut ones = state.iter().fold(0, |all, word| all ^ word);
    for block in blocks {
        let block = words(block);
        ones = block.iter().fold(ones, |all, word| all ^ word);
        state = fold(&state, &block);
    }
    finish(&state, ones)
}

#[inline]
fn words(octets: &[u8; BLOCK]) -> [u64; PIECES] {
    let (words, _) = octets.as_chunks::<8>();
    core::array::from_fn(|at| words.get(at).map_or(0, |word| u64::from_le_bytes(*word)))
}

/// The next block with the one before it added: each piece counts 14 and 15 places on, and the first, whose 14th place is
/// still before the end of its own block, once more from there.
#[inline]
fn fold<T: BitXor<Output = T> + Copy + Default>(block: &[T; PIECES], next: &[T; PIECES]) -> [T; PIECES] {
    let piece = |pieces: &[T; PIECES], at: usize| pieces.get(at).copied().unwrap_or_default();
    let first = piece(block, 0);
    core::array::from_fn(|at| {
        let sum = piece(next, at) ^ piece(block, at) ^ piece(block, at.wrapping_add(1));
        if at >= PIECES.wrapping_sub(2) { sum ^ first } else { sum }
    })
}

/// The remainder of 16 bits.
fn finish(state: &[u64; PIECES], ones: u64) -> u16 {
    macro_rules! halves {
        ($octets:expr, $piece:ty) => {{
            let octets = $octets;
            let (pieces, _) = octets.as_flattened().as_chunks::<{ size_of::<$piece>() }>();
            let piece = |at: usize| pieces.get(at).map_or(0, |piece| <$piece>::from_le_bytes(*piece));
            let high: [$piece; PIECES] = core::array::from_fn(piece);
            let low = core::array::from_fn(|at| piece(at.wrapping_add(PIECES)));
            fold(&high, &low)
        }};
    }
    let state = halves!(state.map(u64::to_le_bytes), u32);
    let state = halves!(state.map(u32::to_le_bytes), u16);
    let state = halves!(state.map(u16::to_le_bytes), u8);
    let mut octets = [0; 16];
    octets.iter_mut().zip(state).for_each(|(place, octet)| *place = octet);
    let (words, _) = octets.as_chunks::<8>();
    let word = |at: usize| words.get(at).map_or(0, |word| u64::from_le_bytes(*word));
    let bits = fold_bits::<60, 4>(word(0) & ((1 << 60) - 1), word(0) >> 60 | word(1) << 4);
    let bits = fold_bits::<30, 2>(bits & ((1 << 30) - 1), bits >> 30);
    let bits = fold_bits::<15, 1>(bits & ((1 << 15) - 1), bits >> 15);
    // The check is of the octets times x¹⁶, which is x² + x.
    let once = times_x(bits);
    let remainder = (once ^ times_x(once)) << 1;
    let odd = (remainder.count_ones() ^ ones.count_ones()) & 1 != 0;
    let [low, high, ..] = (if odd { remainder ^ FACTOR } else { remainder }).to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// `high` times x^N, which is x^K + 1, and `low`: N bits each.
#[inline]
const fn fold_bits<const N: u32, const K: u32>(high: u64, low: u64) -> u64 {
    // The K highest pass the end and come back.
    let over = high & ((1u64 << K).wrapping_sub(1));
    low ^ high ^ (high >> K) ^ (over << N.wrapping_sub(K)) ^ (over << N.wrapping_sub(K.wrapping_mul(2)))
}

/// 15 bits times x.
#[inline]
const fn times_x(bits: u64) -> u64 {
    let over = bits & 1;
    bits >> 1 ^ over << 14 ^ over << 13
}

/// x¹⁵ + x + 1 in 16 bits, whose number of ones is odd.
const FACTOR: u64 = 0xC001;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    const CRC: crc::Crc<u16> = crc::Crc::<u16>::new(&crc::CRC_16_ARC);

    #[test]
    fn every_length_around_the_blocks() {
        let octets: Vec<u8> = (0..250u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for len in 0..octets.len() {
            assert_eq!(arc(0, &octets[..len]), CRC.checksum(&octets[..len]), "{len}");
        }
    }

    proptest! {
        #[test]
        fn pieces_go_on_where_others_ended(octets in prop::collection::vec(any::<u8>(), 0..600), at in 0usize..600) {
            let (front, back) = octets.split_at(at.min(octets.len()));
            prop_assert_eq!(arc(arc(0, front), back), CRC.checksum(&octets));
        }
    }
}
