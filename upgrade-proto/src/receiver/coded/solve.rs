//! Back substitution, a column at a time, between frames.

use super::super::{Outcome, Receiver, Work};
use super::VOID;
use super::matrix::{BITS_MAX, Bits, Matrix, NO_SLOT, word};
use crate::bitmap::BlockMap;
use crate::flash::FlashError;
use crate::hash::Hash256;
use crate::message::Phase;
use crate::receiver::store::xor_from;
use embedded_storage::nor_flash::NorFlash;

/// Time without a coded row after which a full generation is solved, in milliseconds.
const QUIET: u64 = 600;

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Solve {
    /// Rows come in.
    Open,
    /// Back substitution, next this column.
    At(u16),
}

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    pub(in crate::receiver) fn solving(&self) -> bool {
        self.phase == Phase::Receiving && matches!(self.coder.solve, Solve::At(_))
    }

    /// Solves one column of a full generation, from the first one on, when no row has come for a while.
    pub(in crate::receiver) fn solve(&mut self, now: u64) -> Result<Work, FlashError> {
        self.follow();
        if self.phase != Phase::Receiving
            || self.coder.generations == 0
            || self.store.missing(self.coder.plane) == 0
        {
            return Ok(Work::Idle);
        }
        // While rows come, solving one generation would take the RAM from another.
        if !self.coder.is_full() && now < self.coder.last_row.saturating_add(QUIET) {
            return Ok(Work::Until(self.coder.last_row.saturating_add(QUIET)));
        }
        match self.coder.solve {
            Solve::At(past) if past >= self.coder.columns => {
                self.coder.solve = Solve::Open;
                Ok(Work::More)
            }
            Solve::At(column) => {
                self.coder.solve = Solve::At(column.saturating_add(1));
                let solved = self.solve_column(column);
                if !solved? {
                    let generation = self.coder.loaded.unwrap_or(0);
                    self.coder.note(generation, VOID);
                    self.coder.solve = Solve::Open;
                }
                self.settle();
                Ok(Work::More)
            }
            // Pick the next full generation that has blocks left to solve.
            Solve::Open => {
                for generation in 0..self.coder.generations {
                    if self.coder.noted(generation) == 0
                        && self.unsolved(generation)?
                        && self.load(generation, self.coder.generations)?
                    {
                        self.coder.solve = Solve::At(0);
                        return Ok(Work::More);
                    }
                }
                Ok(Work::Idle)
            }
        }
    }

    /// Whether a generation has missing blocks.
    fn unsolved(&mut self, generation: u8) -> Result<bool, FlashError> {
        let mut any = false;
        let generations = u16::from(self.coder.generations);
        self.store.each_missing_block(&mut |index| {
            any = index.checked_rem(generations) == Some(generation.into());
            !any
        })?;
        Ok(any)
    }

    /// Back substitution of one column; `false` when the block that comes out is not genuine.
    fn solve_column(&mut self, column: u16) -> Result<bool, FlashError> {
        let Some(shape) = self.shape() else { return Ok(false) };
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        let (index, slot) = (word(matrix.columns, column), word(matrix.slots, column));
        if self.store.has_block(index)? {
            return Ok(true);
        }
        if slot == NO_SLOT {
            return Ok(false);
        }
        let block = self.store.geometry.block();
        let at = self.slot_at(&shape, slot).wrapping_add(shape.data);
        let Some(sum) = self.buffer.get_mut(..usize::from(block)) else { return Ok(false) };
        sum.fill(0);
        xor_from(&mut self.store.flash, at, block.into(), sum)?;
        let mut bits = Bits([0; BITS_MAX]);
        self.xor_bits(&shape, slot, column, &mut bits)?;
        let Some(sum) = self.buffer.get_mut(..usize::from(block)) else { return Ok(false) };
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(false) };
        for other in 0..column {
            if bits.get(other) {
                self.store.xor_into(self.store.unit(word(matrix.columns, other)), sum)?;
            }
        }
        let unit = self.store.unit(index);
        let Some((data, _)) = sum.split_at_checked(self.store.len(unit).into()) else { return Ok(false) };
        let put = self.store.take::<H>(unit, data);
        Ok(self.finish(unit, put)? != Outcome::Unusable)
    }
}
