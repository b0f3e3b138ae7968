//! Columns and rows in the caller's RAM; the rows' bits and octets are in scratch flash.
//!
//! `columns u16 * l | slots u16 * l`. The triangle itself is read from the log, where it stands beside the octets that are read anyway: in RAM
//! it would take `l / 8` octets more for each column, and few columns mean many generations, each of which costs rows of its own.

/// No row has this column as its last.
pub(super) const NO_SLOT: u16 = u16::MAX;
/// Most octets of a row's bits.
pub(super) const BITS_MAX: usize = 128;
/// Most columns, one less than there are bits.
const COLUMNS_MAX: usize = BITS_MAX * 8 - 1;

/// Missing blocks of one generation that `ram` octets have room for: two u16 each.
#[must_use]
pub(in crate::receiver) const fn rows_for(ram: usize) -> u16 {
    let rows = ram / 4;
    #[expect(clippy::cast_possible_truncation, reason = "at most COLUMNS_MAX")]
    if rows < COLUMNS_MAX { rows as u16 } else { COLUMNS_MAX as u16 }
}

/// Views of the caller's RAM for `rows` columns.
pub(super) struct Matrix<'r> {
    pub(super) columns: &'r mut [u8],
    pub(super) slots: &'r mut [u8],
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
        let (slots, _) = rest.split_at_mut_checked(words)?;
        Some(Matrix { columns, slots, rows })
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
