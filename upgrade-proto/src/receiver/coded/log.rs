//! Rows in scratch flash, one after the other, so that a reset loses none.
//!
//! Entries of `32 + l / 8 + block` octets at most, each `magic u16 | generation u8 | generations u8 | pivot u16 | start (6 bits) and columns u16 | bits | data
//! | CRC-32 u32`; the check value comes last, so a torn entry is none. A log that starts over counts its start, lest entries of the one before be
//! taken for its own.

use super::super::Receiver;
use super::matrix::{BITS_MAX, Bits, Matrix, NO_SLOT, rows_for};
use crate::bitmap::BlockMap;
use crate::flash::{self, CHUNK, FlashError, Parts};
use crate::hash::{CRC_START, Hash256, crc_end, crc_step};
use crate::receiver::store::xor_from;
use crate::session::{Plane, Session};
use embedded_storage::nor_flash::NorFlash;

/// Octets of an entry before its bits.
const HEAD: usize = 8;
/// Bits of the number of columns; the start of the log is above.
const START: u16 = 10;
const BITS_AT: u32 = 8;
/// `COLUMNS` as pivot marks the list of columns instead of a row.
pub(super) const COLUMNS: u16 = u16::MAX;
const MAGIC: u16 = 0x5C0D;
const MAGIC_META: u16 = 0xA30D;

/// Where things are in an entry of the log.
#[derive(Copy, Clone)]
pub(super) struct Shape {
    pub(super) stride: u32,
    pub(super) bits: usize,
    pub(super) data: u32,
    pub(super) slots: u16,
}

/// The head of a log entry.
pub(super) struct Entry {
    pub(super) generation: u8,
    pub(super) generations: u8,
    pub(super) pivot: u16,
    pub(super) columns: u16,
    pub(super) start: u8,
}

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    pub(super) fn shape(&mut self) -> Option<Shape> {
        let bits =
            usize::from(rows_for(self.ram.as_mut().len()).div_ceil(8)).min(BITS_MAX).next_multiple_of(16);
        let unit = F::WRITE_SIZE.max(16);
        let data = HEAD.saturating_add(bits).next_multiple_of(unit);
        let all =
            data.saturating_add(self.store.geometry.block().into()).saturating_add(4).next_multiple_of(unit);
        let stride = u32::try_from(all).ok()?;
        let slots = self.store.layout.scratch.len.checked_div(stride)?;
        Some(Shape {
            stride,
            bits,
            data: u32::try_from(data).ok()?,
            slots: u16::try_from(slots).unwrap_or(NO_SLOT),
        })
    }

    /// Marks the log entries of one session and plane, lest those of another be taken for its own after a reset.
    fn magic(&self) -> u16 {
        let Session { id, image } = self.store.session();
        let [a, b, c, d] = image.to_be_bytes();
        let magic = match self.coder.plane {
            Plane::Meta => MAGIC_META,
            Plane::Data => MAGIC,
        };
        magic ^ id ^ u16::from_be_bytes([a, b]) ^ u16::from_be_bytes([c, d])
    }

    pub(super) fn slot_at(&self, shape: &Shape, slot: u16) -> u32 {
        self.store.layout.scratch.start.wrapping_add(shape.stride.wrapping_mul(slot.into()))
    }

    /// Adds the bits of the row whose last column is `column`; those after it are zero.
    pub(super) fn xor_bits(
        &mut self,
        shape: &Shape,
        slot: u16,
        column: u16,
        bits: &mut Bits,
    ) -> Result<(), FlashError> {
        let len = (column >> 3).saturating_add(1);
        let to = bits.0.get_mut(..usize::from(len)).ok_or(FlashError)?;
        let at = self.slot_at(shape, slot).wrapping_add(BITS_AT);
        xor_from(&mut self.store.flash, at, len.into(), to)
    }

    /// Writes an entry to the log: head, bits, the buffer's octets, check value. `None`: the log is full.
    pub(super) fn append(
        &mut self,
        generation: u8,
        pivot: u16,
        bits: &[u8],
    ) -> Result<Option<u16>, FlashError> {
        let Some(shape) = self.shape() else { return Ok(None) };
        let slot = self.coder.next;
        if slot >= shape.slots {
            return Ok(None);
        }
        let at = self.slot_at(&shape, slot);
        self.erase_ahead(at, shape.stride)?;
        let ([m, n], [p, q]) = (self.magic().to_be_bytes(), pivot.to_be_bytes());
        let [c, d] = (self.coder.columns | (u16::from(self.coder.start) << START)).to_be_bytes();
        let mut head = [0xFFu8; HEAD + BITS_MAX];
        for (to, from) in head.iter_mut().zip([m, n, generation, self.coder.generations, p, q, c, d]) {
            *to = from;
        }
        let bits = bits.get(..shape.bits).unwrap_or(bits);
        head.get_mut(HEAD..).and_then(|to| to.get_mut(..bits.len())).ok_or(FlashError)?.copy_from_slice(bits);
        let head = head.get(..HEAD.saturating_add(bits.len())).ok_or(FlashError)?;
        let block = self.store.geometry.block();
        let data = self.buffer.get(..usize::from(block)).ok_or(FlashError)?;
        let crc = crc_end(crc_step(crc_step(CRC_START, head), data));
        flash::program(&mut self.store.flash, at, head)?;
        let at = at.wrapping_add(shape.data);
        flash::program(&mut self.store.flash, at, data)?;
        flash::program(&mut self.store.flash, at.wrapping_add(block.into()), &crc.to_be_bytes())?;
        self.coder.next = slot.saturating_add(1);
        Ok(Some(slot))
    }

    /// Erases the sectors an entry reaches into that the log has not reached yet.
    fn erase_ahead(&mut self, at: u32, stride: u32) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let start = self.store.layout.scratch.start;
        let reached = at.wrapping_sub(start).div_ceil(sector).saturating_mul(sector);
        let mut next = start.wrapping_add(reached);
        while next < at.saturating_add(stride) {
            flash::erase_sector(&mut self.store.flash, next, true)?;
            next = next.saturating_add(sector);
        }
        Ok(())
    }

    /// Head of a log entry whose check value is right.
    pub(super) fn entry(
        &mut self,
        shape: &Shape,
        slot: u16,
        whole: bool,
    ) -> Result<Option<Entry>, FlashError> {
        let at = self.slot_at(shape, slot);
        let mut head = [0u8; HEAD + BITS_MAX];
        let len = if whole { HEAD.saturating_add(shape.bits) } else { HEAD };
        let head = head.get_mut(..len).ok_or(FlashError)?;
        flash::read(&mut self.store.flash, at, head)?;
        let Some(&[m, n, generation, generations, p, q, c, d]) = head.first_chunk::<HEAD>() else {
            return Ok(None);
        };
        if u16::from_be_bytes([m, n]) != self.magic() {
            return Ok(None);
        }
        if whole {
            let mut state = crc_step(CRC_START, head);
            let data = at.wrapping_add(shape.data);
            let mut parts = Parts::new(data, self.store.geometry.block().into());
            while let part @ [_, ..] = parts.read(&mut self.store.flash)? {
                state = crc_step(state, part);
            }
            let mut crc = [0u8; 4];
            flash::read(
                &mut self.store.flash,
                data.wrapping_add(self.store.geometry.block().into()),
                &mut crc,
            )?;
            if crc_end(state) != u32::from_be_bytes(crc) {
                return Ok(None);
            }
        }
        let (pivot, columns) = (u16::from_be_bytes([p, q]), u16::from_be_bytes([c, d]));
        let start = c >> (START - 8);
        Ok(Some(Entry { generation, generations, pivot, columns: columns & ((1 << START) - 1), start }))
    }

    /// After a reset: the log's end, if it is of this cut into generations.
    pub(super) fn adopt(&mut self, shape: &Shape, generations: u8) -> Result<bool, FlashError> {
        self.coder.discard();
        self.coder.generations = generations;
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let base = self.store.layout.scratch.start;
        let floor = |at: u32| at.wrapping_sub(at.checked_rem(sector).unwrap_or(0));
        let mut slot = 0;
        loop {
            let from = slot;
            while let Some(entry) = self.entry(shape, slot, true)?
                && entry.generations == generations
                && (slot == 0 || entry.start == self.coder.start)
            {
                self.coder.start = entry.start;
                slot = slot.saturating_add(1);
            }
            if slot == from {
                break;
            }
            self.coder.kept = true;
            // The sector after the last whole entry may be half written or half erased: the log goes on in a fresh one, as it did after a reset
            // before this one.
            let torn = self.slot_at(shape, slot).wrapping_sub(base).saturating_add(shape.stride);
            let fresh = torn.div_ceil(sector).saturating_mul(sector);
            while slot < shape.slots && floor(self.slot_at(shape, slot).wrapping_sub(base)) < fresh {
                slot = slot.saturating_add(1);
            }
            self.coder.next = slot;
        }
        if self.coder.kept && self.coder.next < shape.slots {
            let at = floor(self.slot_at(shape, self.coder.next).wrapping_sub(base));
            if at.saturating_add(sector) <= self.store.layout.scratch.len {
                flash::erase_sector(&mut self.store.flash, base.wrapping_add(at), true)?;
            }
        }
        Ok(self.coder.kept)
    }

    pub(super) fn read_columns(&mut self, shape: &Shape, slot: u16, columns: u16) -> Result<(), FlashError> {
        let at = self.slot_at(shape, slot);
        let mut from = [0u8; 2];
        flash::read(&mut self.store.flash, at.wrapping_add(8), &mut from)?;
        let from = usize::from(u16::from_be_bytes(from));
        let words =
            usize::from(self.store.geometry.block() / 2).min(usize::from(columns).saturating_sub(from));
        let Some(matrix) = Matrix::new(self.ram.as_mut()) else { return Ok(()) };
        let to = from.saturating_mul(2)..from.saturating_add(words).saturating_mul(2);
        let Some(list) = matrix.columns.get_mut(to) else { return Ok(()) };
        for (part, at) in list.chunks_mut(CHUNK).zip((at.wrapping_add(shape.data)..).step_by(CHUNK)) {
            flash::read(&mut self.store.flash, at, part)?;
        }
        self.coder.columns = columns;
        Ok(())
    }
}
