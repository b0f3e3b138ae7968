//! The map in NOR flash: one bit cleared per block, no erase but one per session.

use super::{BlockMap, Mark, Record, raise};
use crate::flash::{self, FlashError, Span};
use embedded_storage::nor_flash::MultiwriteNorFlash;

/// Two halves, used in turn: record, marks, bits. A new session, or bits that must be set again, are written to the other half, its record
/// last, so that a cut leaves the old half in force.
///
/// Layout of a half: `record 48, filled to 64 | 4 marks of 16 octets (first octet 0: set) | bits`. A half is a multiple of the erase
/// size and at least 128 octets longer than units / 8. Wear: one erase of each half every second session.
#[derive(Copy, Clone, Debug)]
pub struct FlashMap {
    start: u32,
    half: u32,
    /// The half in force.
    here: u32,
    sequence: u32,
}

const MARKS: u32 = 64;
const MARK_STRIDE: u32 = 16;
const BITS: u32 = 128;
/// Octets of bits copied at a time.
const PART: u16 = 64;

impl FlashMap {
    /// A map in `span` of the receiver's flash, halved.
    #[must_use]
    pub const fn new(span: Span) -> Self {
        FlashMap { start: span.start, half: span.len / 2, here: span.start, sequence: 0 }
    }

    /// The half that is not in force.
    const fn other(&self) -> u32 {
        if self.here == self.start { self.start.wrapping_add(self.half) } else { self.start }
    }

    const fn mark_at(&self, mark: Mark) -> u32 {
        self.here.wrapping_add(MARKS).wrapping_add((mark.bit() as u32).wrapping_mul(MARK_STRIDE))
    }

    /// Erases the other half and writes the record to it, after the bits of this half but for the units forgotten, if its bits are to be kept.
    #[inline(never)]
    fn turn<F: MultiwriteNorFlash>(
        &mut self,
        flash: &mut F,
        record: &Record,
        keep: bool,
        forget: (u16, u16),
    ) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let len = record.units().div_ceil(8);
        let need = BITS.wrapping_add(len.into());
        if F::WRITE_SIZE > 16 || self.half.checked_rem(sector) != Some(0) || need > self.half {
            return Err(FlashError);
        }
        let to = self.other();
        // Only what is used: the record's sector must go first, lest a cut leaves an old record over erased bits.
        flash::erase_span(flash, to, need, false)?;
        if keep {
            let mut at = 0u16;
            while at < len {
                let mut chunk = [0u8; PART as usize];
                let part = chunk.get_mut(..len.wrapping_sub(at).min(PART).into()).ok_or(FlashError)?;
                BlockMap::<F>::read(self, flash, at, part)?;
                raise(part, at, forget.0, forget.1);
                flash::program(flash, to.wrapping_add(BITS).wrapping_add(at.into()), part)?;
                at = at.wrapping_add(PART);
            }
            if BlockMap::<F>::marked(self, flash, Mark::Erased)? {
                flash::clear_bits(flash, to.wrapping_add(MARKS), 0)?;
            }
        }
        let mut record = *record;
        let sequence = self.sequence.wrapping_add(1);
        record.seal(sequence);
        flash::program(flash, to, &record.0)?;
        self.here = to;
        self.sequence = sequence;
        Ok(())
    }
}

impl<F: MultiwriteNorFlash> BlockMap<F> for FlashMap {
    const REWRITES: bool = true;
    const LAGS: bool = false;

    fn load(&mut self, flash: &mut F) -> Result<Option<Record>, FlashError> {
        let mut record = Record::NONE;
        let mut found = false;
        for at in [self.start, self.start.wrapping_add(self.half)] {
            flash::read(flash, at, &mut record.0)?;
            let sequence = record.sequence();
            if record.is_right() && (!found || sequence.wrapping_sub(self.sequence) < 0x8000_0000) {
                found = true;
                self.here = at;
                self.sequence = sequence;
            }
        }
        // The first one again, if the second is not the later.
        flash::read(flash, self.here, &mut record.0)?;
        Ok(found.then_some(record))
    }

    fn begin(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError> {
        self.turn(flash, record, false, (0, 0))
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
        let base = self.here.wrapping_add(BITS);
        flash::read(flash, base.wrapping_add(at.into()), out)
    }

    fn set(&mut self, flash: &mut F, unit: u16) -> Result<(), FlashError> {
        let base = self.here.wrapping_add(BITS);
        let keep = !(0x80u8 >> (unit & 7));
        flash::clear_bits(flash, base.wrapping_add((unit >> 3).into()), keep)
    }

    fn forget(&mut self, flash: &mut F, record: &Record, from: u16, to: u16) -> Result<(), FlashError> {
        self.turn(flash, record, true, (from, to))
    }

    fn flush(&mut self, _: &mut F) -> Result<(), FlashError> {
        Ok(())
    }
}
