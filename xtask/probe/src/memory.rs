//! Stands for a flash driver and an EEPROM: memory that the compiler knows nothing of, and that may fail, so that what a core does about a
//! failure is in it too.

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use upgrade_proto::bitmap::Eeprom;
use upgrade_proto::flash::FlashError;

pub struct Memory;

impl ErrorType for Memory {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Memory {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Self::Error> {
        for (place, at) in octets.iter_mut().zip(offset..) {
            // SAFETY: never run.
            *place = unsafe { (at as usize as *const u8).read_volatile() };
        }
        status()
    }

    fn capacity(&self) -> usize {
        0x8000
    }
}

impl NorFlash for Memory {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        (from..to).for_each(|at| put(at, 0xFF));
        status()
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Self::Error> {
        octets.iter().zip(offset..).for_each(|(octet, at)| put(at, *octet));
        status()
    }
}

impl MultiwriteNorFlash for Memory {}

impl Eeprom for Memory {
    const PAGE: u32 = 64;

    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        ReadNorFlash::read(self, at, out).map_err(|_| FlashError)
    }

    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError> {
        NorFlash::write(self, at, octets).map_err(|_| FlashError)
    }
}

fn put(at: u32, octet: u8) {
    // SAFETY: never run.
    unsafe { (at as usize as *mut u8).write_volatile(octet) };
}

/// What a driver asks its chip at the end.
fn status() -> Result<(), NorFlashErrorKind> {
    const REGISTER: *const u8 = 0x1000 as *const u8;
    // SAFETY: never run.
    if unsafe { REGISTER.read_volatile() } == 0 { Ok(()) } else { Err(NorFlashErrorKind::Other) }
}
