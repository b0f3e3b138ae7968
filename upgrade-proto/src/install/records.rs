//! Where records are kept: two places in turn, so that a cut leaves the one before in force.

use super::record::{RECORD_LEN, Record};
use crate::bitmap::Eeprom;
use crate::flash::{self, FlashError, Span};
use embedded_storage::nor_flash::NorFlash;

/// Keeps the newest [`Record`]. `flash` is the external flash, for the implementation that lives in it.
pub trait Records<F> {
    /// The newest whole record.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn load(&mut self, flash: &mut F) -> Result<Option<Record>, FlashError>;

    /// Writes a record; the one before stays in force until this one is whole.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails or does not read back.
    fn store(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError>;
}

const LEN: u32 = 512;
const PIECE: usize = 64;

const fn newer(sequence: u32, than: u32) -> bool {
    sequence.wrapping_sub(than) < 0x8000_0000
}

/// Records in an EEPROM: two places, each of whole pages, from `start` (the start of a page) on.
///
/// One upgrade writes 12 records without power cuts, each place 6 times, whatever the page size up to 512: 16,000 upgrades at 100,000
/// cycles a page.
#[derive(Debug)]
pub struct EepromRecords<E> {
    eeprom: E,
    start: u32,
    second: bool,
    sequence: u32,
}

impl<E: Eeprom> EepromRecords<E> {
    /// Records from `start` on.
    pub const fn new(eeprom: E, start: u32) -> Self {
        EepromRecords { eeprom, start, second: false, sequence: 0 }
    }

    /// Octets they take.
    #[must_use]
    pub const fn len() -> u32 {
        Self::stride().saturating_mul(2)
    }

    /// The EEPROM back.
    pub fn into_inner(self) -> E {
        self.eeprom
    }

    const fn stride() -> u32 {
        match LEN.checked_next_multiple_of(E::PAGE) {
            Some(stride) => stride,
            None => LEN,
        }
    }

    const fn place(&self, second: bool) -> u32 {
        if second { self.start.wrapping_add(Self::stride()) } else { self.start }
    }
}

impl<F, E: Eeprom> Records<F> for EepromRecords<E> {
    fn load(&mut self, _: &mut F) -> Result<Option<Record>, FlashError> {
        let mut found = None;
        for second in [false, true] {
            let mut octets = [0u8; RECORD_LEN];
            self.eeprom.read(self.place(second), &mut octets)?;
            if let Some((record, sequence)) = Record::decode(&octets)
                && (found.is_none() || newer(sequence, self.sequence))
            {
                found = Some(record);
                self.second = second;
                self.sequence = sequence;
            }
        }
        Ok(found)
    }

    fn store(&mut self, _: &mut F, record: &Record) -> Result<(), FlashError> {
        let sequence = self.sequence.wrapping_add(1);
        let octets = record.encode(sequence);
        let page = usize::try_from(E::PAGE).map_err(|_| FlashError)?.clamp(1, RECORD_LEN);
        let to = self.place(!self.second);
        let mut at = to;
        for piece in octets.chunks(page) {
            self.eeprom.write(at, piece)?;
            at = at.wrapping_add(E::PAGE);
        }
        let mut at = to;
        for piece in octets.chunks(PIECE) {
            let mut is = [0u8; PIECE];
            let is = is.get_mut(..piece.len()).ok_or(FlashError)?;
            self.eeprom.read(at, is)?;
            if is != piece {
                return Err(FlashError);
            }
            at = at.wrapping_add(u32::try_from(piece.len()).map_err(|_| FlashError)?);
        }
        self.second = !self.second;
        self.sequence = sequence;
        Ok(())
    }
}

/// Records in the external flash: two halves of `span`, each of whole sectors, filled one record after the other. After a reset the
/// first record goes to the other half, erased anew: what a cut write left in this one is never programmed over.
#[derive(Copy, Clone, Debug)]
pub struct FlashRecords {
    span: Span,
    second: bool,
    /// Places used in this half since it was erased in this life; `None`: not erased in this life.
    used: Option<u32>,
    sequence: u32,
}

impl FlashRecords {
    /// Records in `span`, of two sectors or more.
    #[must_use]
    pub const fn new(span: Span) -> Self {
        FlashRecords { span, second: false, used: None, sequence: 0 }
    }

    const fn half(&self, second: bool) -> u32 {
        if second { self.span.start.wrapping_add(self.span.len / 2) } else { self.span.start }
    }
}

impl<F: NorFlash> Records<F> for FlashRecords {
    fn load(&mut self, flash: &mut F) -> Result<Option<Record>, FlashError> {
        let mut found = None;
        self.used = None;
        for second in [false, true] {
            let mut at = 0u32;
            while at.saturating_add(LEN) <= self.span.len / 2 {
                let mut octets = [0u8; RECORD_LEN];
                flash::read(flash, self.half(second).wrapping_add(at), &mut octets)?;
                if let Some((record, sequence)) = Record::decode(&octets)
                    && (found.is_none() || newer(sequence, self.sequence))
                {
                    found = Some(record);
                    self.second = second;
                    self.sequence = sequence;
                }
                at = at.saturating_add(LEN);
            }
        }
        Ok(found)
    }

    fn store(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let half = self.span.len / 2;
        if half < LEN || half.checked_rem(sector) != Some(0) {
            return Err(FlashError);
        }
        let places = half / LEN;
        let (second, place) = match self.used {
            Some(used) if used < places => (self.second, used),
            _ => {
                let to = self.half(!self.second);
                // A failure half-way leaves no place in it that may be used.
                self.used = None;
                flash.erase(to, to.wrapping_add(half)).map_err(|_| FlashError)?;
                (!self.second, 0)
            }
        };
        let sequence = self.sequence.wrapping_add(1);
        let octets = record.encode(sequence);
        let at = self.half(second).wrapping_add(place.wrapping_mul(LEN));
        let mut rest = &octets[..];
        let whole = flash::program(flash, at, &octets).and_then(|()| {
            flash::scan(flash, at, LEN, &mut |part| {
                let (now, later) = rest.split_at_checked(part.len()).unwrap_or((&[], &[]));
                rest = later;
                now == part
            })
        });
        if whole != Ok(true) {
            // Not over what was half written: the next attempt takes the other half.
            if self.second == second {
                self.used = None;
            }
            return Err(FlashError);
        }
        self.second = second;
        self.used = Some(place.wrapping_add(1));
        self.sequence = sequence;
        Ok(())
    }
}
