//! The triangular matrix in the caller's RAM.
//!
//! `columns u16 * l | slots u16 * l | triangle l (l + 1) / 2 bits`.

/// No row has this column as its first.
pub(super) const NO_SLOT: u16 = u16::MAX;
/// Most octets of a row's bits.
pub(super) const BITS_MAX: usize = 128;

/// Missing blocks of one generation that `ram` octets have room for: two u16 each and the triangle.
#[must_use]
pub(in crate::receiver) const fn rows_for(ram: usize) -> u16 {
    let mut rows = 0u16;
    while rows < 1023 && size_for(rows.saturating_add(1)) <= ram {
        rows = rows.saturating_add(1);
    }
    rows
}

const fn size_for(rows: u16) -> usize {
    let l = rows as usize;
    l.saturating_mul(4).saturating_add(l.saturating_mul(l.saturating_add(1)).div_ceil(16))
}

/// Views of the caller's RAM for `rows` columns.
pub(super) struct Matrix<'r> {
    pub(super) columns: &'r mut [u8],
    pub(super) slots: &'r mut [u8],
    pub(super) triangle: &'r mut [u8],
    pub(super) rows: u16,
}

pub(super) fn word(octets: &[u8], at: u16) -> u16 {
    let from = usize::from(at).saturating_mul(2);
    octets.get(from..).and_then(<[u8]>::first_chunk).map_or(NO_SLOT, |word| u16::from_le_bytes(*word))
}

pub(super) fn set_word(octets: &mut [u8], at: u16, value: u16) {
    let from = usize::from(at).saturating_mul(2);
    if let Some(word) = octets.get_mut(from..).and_then(<[u8]>::first_chunk_mut) {
        *word = value.to_le_bytes();
    }
}

impl<'r> Matrix<'r> {
    pub(super) fn new(ram: &'r mut [u8]) -> Option<Self> {
        let rows = rows_for(ram.len());
        let words = usize::from(rows).saturating_mul(2);
        let (columns, rest) = ram.split_at_mut_checked(words)?;
        let (slots, triangle) = rest.split_at_mut_checked(words)?;
        Some(Matrix { columns, slots, triangle, rows })
    }

    /// Bit of row `row` (pivot `row`) at column `column >= row`.
    fn place(&self, row: u16, column: u16) -> Option<(usize, u8)> {
        let (r, l) = (usize::from(row), usize::from(self.rows));
        // Rows before have l, l - 1, … bits.
        let before = r.saturating_mul(l).saturating_sub(r.saturating_mul(r.saturating_sub(1)) >> 1);
        let bit = before.saturating_add(usize::from(column.checked_sub(row)?));
        Some((bit >> 3, 0x80u8 >> (bit & 7)))
    }

    pub(super) fn bit(&self, row: u16, column: u16) -> bool {
        self.place(row, column)
            .is_some_and(|(at, mask)| self.triangle.get(at).is_some_and(|octet| octet & mask != 0))
    }

    pub(super) fn set_bit(&mut self, row: u16, column: u16, one: bool) {
        if let Some((at, mask)) = self.place(row, column)
            && let Some(octet) = self.triangle.get_mut(at)
        {
            *octet = if one { *octet | mask } else { *octet & !mask };
        }
    }

    pub(super) fn find(&self, index: u16, columns: u16) -> Option<u16> {
        // The list rises.
        let (mut low, mut high) = (0u16, columns);
        while low < high {
            let middle = low.midpoint(high);
            match word(self.columns, middle).cmp(&index) {
                core::cmp::Ordering::Equal => return Some(middle),
                core::cmp::Ordering::Less => low = middle.saturating_add(1),
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Bits of a row being reduced, one a column.
pub(super) struct Bits(pub(super) [u8; BITS_MAX]);

impl Bits {
    pub(super) fn get(&self, at: u16) -> bool {
        self.0.get(usize::from(at >> 3)).is_some_and(|octet| octet & (0x80u8 >> (at & 7)) != 0)
    }

    pub(super) fn flip(&mut self, at: u16) {
        if let Some(octet) = self.0.get_mut(usize::from(at >> 3)) {
            *octet ^= 0x80u8 >> (at & 7);
        }
    }
}
