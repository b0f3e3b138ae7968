//! The map in NOR flash: one bit cleared per block, no erase but one per session.

use super::{BlockMap, Mark, Record, raise};
use crate::flash::{self, CHUNK, FlashError, Span};
use embedded_storage::nor_flash::MultiwriteNorFlash;

/// Two halves, used in turn: record, marks, bits. A new session, or bits that must be set again, are written to the other half, its record
/// last, so that a cut leaves the old half in force.
///
/// Layout of a half: `record 48, filled to 64 | 4 marks of 16 octets (first octet 0: set) | bits`. A half is a multiple of the erase
/// size and at least 128 octets longer than units / 8. Wear: one erase of each half every second session.
#[derive(Copy, Clone, Debug)]
pub struct FlashMap {
    span: Span,
    second: bool,
    sequence: u32,
}

const MARKS: u32 = 64;
const MARK_STRIDE: u32 = 16;
const BITS: u32 = 128;

impl FlashMap {
    /// A map in `span` of the receiver's flash, halved.
    #[must_use]
    pub const fn new(span: Span) -> Self {
        FlashMap { span, second: false, sequence: 0 }
    }

    #[inline(never)]
    const fn half(&self, second: bool) -> u32 {
        let half = self.span.len / 2;
        self.span.start.wrapping_add(half.wrapping_mul(second as u32))
    }

    const fn mark_at(&self, mark: Mark) -> u32 {
        self.half(self.second).wrapping_add(MARKS).wrapping_add((mark.bit() as u32).wrapping_mul(MARK_STRIDE))
    }

    /// The number of a half's record, if there is one.
    #[inline(never)]
    fn look<F: MultiwriteNorFlash>(
        &self,
        flash: &mut F,
        second: bool,
        record: &mut Record,
    ) -> Result<Option<u32>, FlashError> {
        flash::read(flash, self.half(second), &mut record.0)?;
        Ok(record.is_right().then(|| record.sequence()))
    }

    /// Erases the other half and writes the record to it, after the bits of this half but for the units forgotten, if these are to be kept.
    #[inline(never)]
    fn turn<F: MultiwriteNorFlash>(
        &mut self,
        flash: &mut F,
        record: &Record,
        forget: Option<(u16, u16)>,
    ) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let half = self.span.len / 2;
        let len = record.units().div_ceil(8);
        let need = BITS.saturating_add(len.into());
        if F::WRITE_SIZE > 16 || half.checked_rem(sector) != Some(0) || need > half {
            return Err(FlashError);
        }
        let to = self.half(!self.second);
        // Only what is used: the record's sector must go first, lest a cut leaves an old record over erased bits.
        flash::erase_span(flash, to, need, false)?;
        if let Some((from, past)) = forget {
            let mut at = 0u16;
            while at < len {
                let mut chunk = [0u8; CHUNK];
                let part = usize::from(len.wrapping_sub(at)).min(CHUNK);
                let part = chunk.get_mut(..part).ok_or(FlashError)?;
                BlockMap::<F>::read(self, flash, at, part)?;
                raise(part, at, from, past);
                flash::program(flash, to.wrapping_add(BITS).wrapping_add(at.into()), part)?;
                at = at.saturating_add(u16::try_from(part.len()).map_err(|_| FlashError)?);
            }
            if BlockMap::<F>::marked(self, flash, Mark::Erased)? {
                flash::clear_bits(flash, to.wrapping_add(MARKS), 0)?;
            }
        }
        let sequence = self.sequence.wrapping_add(1);
        flash::program(flash, to, &record.encode(sequence))?;
        self.second = !self.second;
        self.sequence = sequence;
        Ok(())
    }
}

impl<F: MultiwriteNorFlash> BlockMap<F> for FlashMap {
    const REWRITES: bool = true;
    const LAGS: bool = false;

    fn load(&mut self, flash: &mut F) -> Result<Option<Record>, FlashError> {
        let mut record = Record::NONE;
        let mut found = None;
        for half in 0..2u8 {
            let second = half == 1;
            if let Some(sequence) = self.look(flash, second, &mut record)?
                && found.is_none_or(|before| sequence.wrapping_sub(before) < 0x8000_0000)
            {
                found = Some(sequence);
                self.sequence = sequence;
                self.second = second;
            }
        }
        if !self.second {
            self.look(flash, false, &mut record)?;
        }
        Ok(found.map(|_| record))
    }

    fn begin(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError> {
        self.turn(flash, record, None)
    }

    fn mark(&mut self, flash: &mut F, mark: Mark) -> Result<(), FlashError> {
        flash::clear_bits(flash, self.mark_at(mark), 0)
    }

    fn marked(&mut self, flash: &mut F, mark: Mark) -> Result<bool, FlashError> {
        let mut octet = [0u8];
        flash::read(flash, self.mark_at(mark), &mut octet)?;
        // A mark torn in programming counts as set: what it stands for was done before.
        Ok(octet != [0xFF])
    }

    fn read(&mut self, flash: &mut F, at: u16, out: &mut [u8]) -> Result<(), FlashError> {
        let base = self.half(self.second).wrapping_add(BITS);
        flash::read(flash, base.wrapping_add(at.into()), out)
    }

    fn set(&mut self, flash: &mut F, unit: u16) -> Result<(), FlashError> {
        let base = self.half(self.second).wrapping_add(BITS);
        let keep = !(0x80u8 >> (unit & 7));
        flash::clear_bits(flash, base.wrapping_add((unit >> 3).into()), keep)
    }

    fn forget(&mut self, flash: &mut F, record: &Record, from: u16, to: u16) -> Result<(), FlashError> {
        self.turn(flash, record, Some((from, to)))
    }

    fn flush(&mut self, _: &mut F) -> Result<(), FlashError> {
        Ok(())
    }
}
