//! Which blocks a frame of several sums up: [`Indices`] of an XOR frame, [`Row`] of a coded one.

use crate::codec::{Fields, Sink};
use crate::error::MessageError;
use crate::gaps::{GapReader, GapWriter};

/// Most blocks in one XOR frame.
pub const XOR_MAX: usize = 32;

/// A coded frame's place: `generation u8 | generations u8 | seed u16 | density u8`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Generation, below `generations`; block `n` of the plane is of generation `n mod generations`.
    pub generation: u8,
    /// How many generations the plane is cut into.
    pub generations: u8,
    /// Seed of the row's pattern.
    pub seed: u16,
    /// Share of blocks in the row, in 1/256.
    pub density: u8,
}

/// Block numbers of an XOR frame, rising, 1 to [`XOR_MAX`].
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Indices {
    at: [u16; XOR_MAX],
    len: u8,
}

impl Indices {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Indices { at: [0; XOR_MAX], len: 0 }
    }

    /// Puts a number in its place; `false` when full or already there.
    pub fn insert(&mut self, index: u16) -> bool {
        let len = usize::from(self.len);
        let place = self.as_slice().iter().position(|&at| at >= index).unwrap_or(len);
        if len >= XOR_MAX || self.as_slice().get(place) == Some(&index) {
            return false;
        }
        self.len = self.len.wrapping_add(1);
        if let Some(tail) = self.at.get_mut(place..=len) {
            tail.rotate_right(1);
            if let Some(first) = tail.first_mut() {
                *first = index;
            }
        }
        true
    }

    /// The numbers, rising.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        self.at.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// Adds a number above all others; `false` when full.
    pub(super) fn push(&mut self, index: u16) -> bool {
        let Some(place) = self.at.get_mut(usize::from(self.len)) else { return false };
        *place = index;
        self.len = self.len.wrapping_add(1);
        true
    }

    pub(super) fn span(&self) -> u16 {
        match (self.as_slice().first(), self.as_slice().last()) {
            (Some(first), Some(last)) => last.wrapping_sub(*first).saturating_add(1),
            _ => 1,
        }
    }
}

impl Default for Indices {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Indices {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_slice().fmt(f)
    }
}

impl Row {
    pub(crate) fn read(r: &mut Fields<'_>) -> Result<Row, MessageError> {
        let row = Row { generation: r.u8(), generations: r.u8(), seed: r.u16(), density: r.u8() };
        if row.generation >= row.generations && !r.is_short() {
            return Err(MessageError::Field);
        }
        Ok(row)
    }

    pub(super) fn write(&self, w: &mut Sink<'_>) {
        w.u8(self.generation);
        w.u8(self.generations);
        w.u16(self.seed);
        w.u8(self.density);
    }
}

impl Indices {
    /// `count u8 | first u16 | gaps`: the gaps of the `count - 1` numbers after the first; none when count is 1.
    pub(crate) fn read(r: &mut Fields<'_>) -> Result<Indices, MessageError> {
        let (count, first) = (r.u8(), r.u16());
        if r.is_short() {
            return Err(MessageError::Length);
        }
        if count == 0 || usize::from(count) > XOR_MAX {
            return Err(MessageError::Field);
        }
        let mut indices = Indices::new();
        indices.push(first);
        if count > 1 {
            let from = first.checked_add(1).ok_or(MessageError::Field)?;
            let mut gaps = GapReader::new(r.peek(), from);
            for _ in 1..count {
                indices.push(gaps.next().ok_or(MessageError::Field)?);
            }
            r.take(gaps.used());
        }
        Ok(indices)
    }

    pub(super) fn write(&self, w: &mut Sink<'_>) {
        let Some((&first, rest)) = self.as_slice().split_first() else { return w.fail() };
        w.u8(self.len);
        w.u16(first);
        if rest.is_empty() {
            return;
        }
        let from = first.saturating_add(1);
        let Some(mut gaps) = GapWriter::new(w.spare(), from, self.len.into(), self.span()) else {
            return w.fail();
        };
        let whole = rest.iter().all(|&number| gaps.push(number));
        let len = gaps.len();
        w.skip(len);
        if !whole {
            w.fail();
        }
    }
}
