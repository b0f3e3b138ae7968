//! The map in RAM, brought to an EEPROM now and then: for flash that takes each unit once only.

use super::{BlockMap, Mark, RECORD_LEN, Record, raise};
use crate::flash::FlashError;
use crate::hash::{CRC_START, crc_end, crc_step};

/// Octets of marks and the range being erased.
const STATE_LEN: usize = 5;

/// An EEPROM: octets that may be written again and again, about 100,000 times a page.
pub trait Eeprom {
    /// Octets of a page, up to 128: what one write wears, however little of it is written.
    const PAGE: u32;

    /// Octets at `at`.
    ///
    /// # Errors
    /// [`FlashError`] when the EEPROM does not answer.
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError>;
    /// Writes octets; returns when they are there.
    ///
    /// # Errors
    /// [`FlashError`] when the EEPROM does not answer.
    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError>;
}

/// Map of up to `8 N` units in RAM, written as a whole to the next of `slots` places every `every` blocks and at each step.
///
/// A write that is cut leaves the slot before in force, so the map lags by up to `every` blocks; with tags the receiver finds
/// those again in the flash, without they are sent again. Each slot is `57 + N` octets, filled up to a whole page by the caller's `stride`,
/// and is written `(blocks / every + 4) / slots` times a session: with 2000 blocks, `every` 256 and 2 slots 6 times, 16,000 sessions at
/// 100,000 cycles whatever the page size up to the stride.
#[derive(Debug)]
pub struct EepromMap<E, const N: usize> {
    eeprom: E,
    start: u32,
    stride: u32,
    slots: u8,
    every: u16,
    held: u16,
    slot: u8,
    sequence: u32,
    marks: u8,
    pending: Option<(u16, u16)>,
    record: Option<Record>,
    bits: [u8; N],
}

impl<E: Eeprom, const N: usize> EepromMap<E, N> {
    /// A map in `slots` (at least 2) places of `stride` octets from `start` on, written every `every` blocks.
    pub const fn new(eeprom: E, start: u32, stride: u32, slots: u8, every: u16) -> Self {
        let slots = if slots < 2 { 2 } else { slots };
        let every = if every == 0 { 1 } else { every };
        EepromMap {
            eeprom,
            start,
            stride,
            slots,
            every,
            held: 0,
            slot: 0,
            sequence: 0,
            marks: 0,
            pending: None,
            record: None,
            bits: [0xFF; N],
        }
    }

    /// The EEPROM back.
    pub fn into_inner(self) -> E {
        self.eeprom
    }

    fn place(&self, slot: u8) -> u32 {
        self.start.wrapping_add(u32::from(slot).wrapping_mul(self.stride))
    }

    /// Marks and the range being erased: `marks u8 | from u16 | to u16`, the range 0 0 when there is none.
    fn state(&self) -> [u8; STATE_LEN] {
        let (from, to) = self.pending.unwrap_or((0, 0));
        let ([a, b], [c, d]) = (from.to_be_bytes(), to.to_be_bytes());
        [self.marks, a, b, c, d]
    }

    /// Layout of a slot: `record 48 | marks u8 | erasing from u16, to u16 | bits N | CRC-32 u32`.
    fn write(&mut self) -> Result<(), FlashError> {
        let Some(mut record) = self.record else { return Ok(()) };
        let slot = self.slot.wrapping_add(1).checked_rem(self.slots).unwrap_or(0);
        let at = self.place(slot);
        let sequence = self.sequence.wrapping_add(1);
        record.seal(sequence);
        let head = record.0;
        let state = self.state();
        let crc = crc_end(crc_step(crc_step(crc_step(CRC_START, &head), &state), &self.bits));
        let mut pages = Pages { eeprom: &mut self.eeprom, at, buffer: [0; PAGE_MAX], held: 0 };
        for part in [&head[..], &state, &self.bits, &crc.to_be_bytes()] {
            pages.put(part)?;
        }
        pages.flush()?;
        self.slot = slot;
        self.sequence = sequence;
        self.held = 0;
        Ok(())
    }

    /// Reads a slot into `self.bits`; its record, sequence number and state when it is whole.
    fn read_slot(&mut self, slot: u8) -> Result<Option<(Record, u32, [u8; STATE_LEN])>, FlashError> {
        let at = self.place(slot);
        let mut head = [0u8; RECORD_LEN as usize];
        let (mut state, mut crc) = ([0u8; STATE_LEN], [0u8; 4]);
        self.eeprom.read(at, &mut head)?;
        let at = at.wrapping_add(RECORD_LEN.into());
        self.eeprom.read(at, &mut state)?;
        let at = at.wrapping_add(u32::try_from(STATE_LEN).map_err(|_| FlashError)?);
        self.eeprom.read(at, &mut self.bits)?;
        self.eeprom.read(at.wrapping_add(u32::try_from(N).map_err(|_| FlashError)?), &mut crc)?;
        let sum = crc_end(crc_step(crc_step(crc_step(CRC_START, &head), &state), &self.bits));
        let record = Record(head);
        let right = record.is_right() && sum == u32::from_be_bytes(crc);
        Ok(right.then(|| (record, record.sequence(), state)))
    }
}

const PAGE_MAX: usize = 128;

/// Puts parts together to whole pages, so that each is written once.
struct Pages<'e, E> {
    eeprom: &'e mut E,
    at: u32,
    buffer: [u8; PAGE_MAX],
    held: usize,
}

impl<E: Eeprom> Pages<'_, E> {
    fn put(&mut self, part: &[u8]) -> Result<(), FlashError> {
        for &octet in part {
            *self.buffer.get_mut(self.held).ok_or(FlashError)? = octet;
            self.held = self.held.saturating_add(1);
            let end = self.at.wrapping_add(u32::try_from(self.held).map_err(|_| FlashError)?);
            if end.checked_rem(E::PAGE).unwrap_or(0) == 0 || self.held == PAGE_MAX {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), FlashError> {
        let octets = self.buffer.get(..self.held).ok_or(FlashError)?;
        if !octets.is_empty() {
            self.eeprom.write(self.at, octets)?;
        }
        self.at = self.at.wrapping_add(u32::try_from(self.held).map_err(|_| FlashError)?);
        self.held = 0;
        Ok(())
    }
}

impl<F, E: Eeprom, const N: usize> BlockMap<F> for EepromMap<E, N> {
    const REWRITES: bool = false;
    const LAGS: bool = true;

    fn load(&mut self, _: &mut F) -> Result<Option<Record>, FlashError> {
        self.record = None;
        let mut best = None;
        for slot in 0..self.slots {
            if let Some((record, sequence, [marks, a, b, c, d])) = self.read_slot(slot)? {
                let newer = sequence.wrapping_sub(self.sequence) < 0x8000_0000;
                if best.is_none() || newer {
                    best = Some(slot);
                    self.record = Some(record);
                    self.sequence = sequence;
                    self.marks = marks;
                    let range = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
                    self.pending = (range != (0, 0)).then_some(range);
                }
            }
        }
        if let Some(slot) = best {
            self.slot = slot;
            self.read_slot(slot)?;
        }
        Ok(self.record)
    }

    fn begin(&mut self, _: &mut F, record: &Record) -> Result<(), FlashError> {
        let need = u32::try_from(N).map_err(|_| FlashError)?.saturating_add(57);
        if usize::from(record.units().div_ceil(8)) > N || need > self.stride {
            return Err(FlashError);
        }
        self.record = Some(*record);
        self.marks = 0;
        self.pending = None;
        self.bits = [0xFF; N];
        self.write()
    }

    fn mark(&mut self, _: &mut F, mark: Mark) -> Result<(), FlashError> {
        self.marks |= 1u8 << mark.bit();
        self.write()
    }

    fn marked(&mut self, _: &mut F, mark: Mark) -> Result<bool, FlashError> {
        Ok(self.marks & (1u8 << mark.bit()) != 0)
    }

    fn read(&mut self, _: &mut F, at: u16, out: &mut [u8]) -> Result<(), FlashError> {
        let from = self.bits.get(usize::from(at)..).ok_or(FlashError)?;
        out.copy_from_slice(from.get(..out.len()).ok_or(FlashError)?);
        Ok(())
    }

    fn set(&mut self, _: &mut F, unit: u16) -> Result<(), FlashError> {
        *self.bits.get_mut(usize::from(unit >> 3)).ok_or(FlashError)? &= !(0x80u8 >> (unit & 7));
        self.held = self.held.saturating_add(1);
        if self.held >= self.every { self.write() } else { Ok(()) }
    }

    fn forget(&mut self, _: &mut F, _: &Record, from: u16, to: u16) -> Result<(), FlashError> {
        raise(&mut self.bits, 0, from, to);
        self.marks &= 1u8 << Mark::Erased.bit();
        self.pending = Some((from, to));
        self.write()
    }

    fn pending(&self) -> Option<(u16, u16)> {
        self.pending
    }

    fn cleared(&mut self, _: &mut F) -> Result<(), FlashError> {
        self.pending = None;
        self.write()
    }

    fn flush(&mut self, _: &mut F) -> Result<(), FlashError> {
        if self.held == 0 { Ok(()) } else { self.write() }
    }
}
