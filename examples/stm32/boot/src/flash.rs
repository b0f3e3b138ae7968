//! The chip's own flash, from the program's first sector on: what the boot loader writes.

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
use stm32f4xx_hal::pac::FLASH;

/// Where the flash stands.
const START: u32 = 0x0800_0000;
const OCTETS: u32 = 0x10_0000;
/// The unit that is erased, as far as callers know: the first four sectors are as long, the others several times that.
const UNIT: u32 = 0x4000;
const KEYS: [u32; 2] = [0x4567_0123, 0xCDEF_89AB];

/// The chip's flash; place 0 is its first octet.
#[derive(Debug)]
pub struct Program(FLASH);

impl Program {
    /// Holds the flash.
    pub const fn new(flash: FLASH) -> Self {
        Program(flash)
    }

    fn unlock(&self) {
        if self.0.cr().read().lock().bit_is_set() {
            // SAFETY: the two keys of the reference manual, in order.
            KEYS.iter().for_each(|key| unsafe {
                self.0.keyr().write(|w| w.key().bits(*key));
            });
        }
    }

    /// Waits until the flash has done what it was told, and looks at its errors.
    fn done(&self) -> Result<(), NorFlashErrorKind> {
        while self.0.sr().read().bsy().bit_is_set() {}
        let status = self.0.sr().read();
        let bad = status.wrperr().bit_is_set()
            || status.pgaerr().bit_is_set()
            || status.pgperr().bit_is_set()
            || status.pgserr().bit_is_set();
        if bad { Err(NorFlashErrorKind::Other) } else { Ok(()) }
    }

    fn within(from: u32, len: usize) -> Result<(), NorFlashErrorKind> {
        let end = u32::try_from(len).ok().and_then(|len| from.checked_add(len));
        if end.is_some_and(|end| end <= OCTETS) { Ok(()) } else { Err(NorFlashErrorKind::OutOfBounds) }
    }
}

/// The sector that begins at a unit, if one does.
const fn sector(at: u32) -> Option<u8> {
    match at / UNIT {
        unit @ 0..=4 => Some(unit as u8),
        unit if unit >= 8 && unit.is_multiple_of(8) => Some((unit / 8 + 4) as u8),
        _ => None,
    }
}

impl ErrorType for Program {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Program {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        Self::within(offset, octets.len())?;
        for (octet, at) in octets.iter_mut().zip(START + offset..) {
            // SAFETY: within the flash, by the line above.
            *octet = unsafe { (at as *const u8).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        OCTETS as usize
    }
}

impl NorFlash for Program {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = UNIT as usize;

    /// A sector is erased with the first unit in it; for the others there is nothing left to do, when units are erased and
    /// programmed from the front on, as the boot loader does.
    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        Self::within(from, to.saturating_sub(from) as usize)?;
        if !from.is_multiple_of(UNIT) || !to.is_multiple_of(UNIT) {
            return Err(NorFlashErrorKind::NotAligned);
        }
        let mut at = from;
        while at < to {
            // The boot loader itself is never erased.
            if let Some(number @ 1..) = sector(at) {
                self.unlock();
                self.0.cr().write(|w| {
                    // SAFETY: sectors 1 to 11 exist.
                    unsafe { w.ser().set_bit().snb().bits(number).psize().bits(2) }
                });
                self.0.cr().modify(|_, w| w.strt().set_bit());
                let done = self.done();
                self.0.cr().write(|w| w.lock().set_bit());
                done?;
            }
            at += UNIT;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), NorFlashErrorKind> {
        Self::within(offset, octets.len())?;
        if !offset.is_multiple_of(4) || !octets.len().is_multiple_of(4) || offset < UNIT {
            return Err(NorFlashErrorKind::NotAligned);
        }
        self.unlock();
        // SAFETY: words, which the supply of 2.7 V and more allows.
        self.0.cr().write(|w| unsafe { w.pg().set_bit().psize().bits(2) });
        let mut result = Ok(());
        for (word, at) in octets.chunks_exact(4).zip((START + offset..).step_by(4)) {
            let word = word.iter().rev().fold(0, |word, octet| word << 8 | u32::from(*octet));
            // SAFETY: within the flash and aligned, by the lines above; the flash is set to be programmed.
            unsafe { (at as *mut u32).write_volatile(word) };
            result = self.done();
            if result.is_err() {
                break;
            }
        }
        self.0.cr().write(|w| w.lock().set_bit());
        result
    }
}
