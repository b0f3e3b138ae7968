//! In the emulator: memories that are files in the folder where QEMU was started, reached by semihosting, behind the traits that the
//! drivers for the parts implement. A killed emulator is a power cut; what was written before it stays.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

mod file;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use embedded_storage::{ReadStorage, Storage};
use file::File;
use logic::unit::places::{APP, EEPROM, EXTERNAL, PLACES};
use upgrade_proto::boot::ResetCause;

/// How a run ends: what QEMU exits with, and what the harness makes of it for the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The boot loader has programmed the flash, which QEMU reads only when it starts: start again, no reset.
    Programmed = 20,
    /// The program asked for a reset.
    Software = 21,
    /// A fault, which the harness counts as the watchdog's.
    Fault = 22,
    /// The watchdog.
    Watchdog = 23,
    /// There is nothing to jump to.
    NoProgram = 24,
}

/// Ends the emulator.
pub fn end(how: End) -> ! {
    file::exit(how as u32)
}

/// What ended the run before, as the harness says in the file `cause`.
pub fn cause() -> ResetCause {
    let mut letter = [0];
    match File::open(c"cause").and_then(|file| file.read(0, &mut letter)).map(|()| letter) {
        Some([b'P']) => ResetCause::Power,
        Some([b'F']) => ResetCause::Fault,
        Some([b'S']) => ResetCause::Software,
        _ => ResetCause::Other,
    }
}

/// Programs in a file as in NOR flash: ones become zeros, zeros stay.
fn program(file: &File, at: u32, octets: &[u8]) -> Option<()> {
    let mut at = at;
    for piece in octets.chunks(256) {
        let mut buffer = [0; 256];
        let now = buffer.get_mut(..piece.len())?;
        file.read(at, now)?;
        now.iter_mut().zip(piece).for_each(|(is, octet)| *is &= octet);
        file.write(at, now)?;
        at = at.checked_add(u32::try_from(piece.len()).ok()?)?;
    }
    Some(())
}

fn erase(file: &File, from: u32, to: u32) -> Option<()> {
    let mut at = from;
    while at < to {
        file.write(at, &[0xFF; 1024])?;
        at = at.checked_add(1024)?;
    }
    Some(())
}

fn within(from: u32, len: usize, all: u32) -> Result<(), NorFlashErrorKind> {
    let end = u32::try_from(len).ok().and_then(|len| from.checked_add(len));
    if end.is_some_and(|end| end <= all) { Ok(()) } else { Err(NorFlashErrorKind::OutOfBounds) }
}

/// The external flash: file `external`.
#[derive(Debug)]
pub struct Nor(File);

impl Nor {
    /// Opens the file; it must be there.
    pub fn open() -> Option<Nor> {
        File::open(c"external").map(Nor)
    }
}

impl ErrorType for Nor {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        within(offset, octets.len(), EXTERNAL)?;
        self.0.read(offset, octets).ok_or(NorFlashErrorKind::Other)
    }

    fn capacity(&self) -> usize {
        EXTERNAL as usize
    }
}

impl NorFlash for Nor {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        within(from, to.saturating_sub(from) as usize, EXTERNAL)?;
        if !from.is_multiple_of(4096) || !to.is_multiple_of(4096) {
            return Err(NorFlashErrorKind::NotAligned);
        }
        erase(&self.0, from, to).ok_or(NorFlashErrorKind::Other)
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), NorFlashErrorKind> {
        within(offset, octets.len(), EXTERNAL)?;
        program(&self.0, offset, octets).ok_or(NorFlashErrorKind::Other)
    }
}

impl MultiwriteNorFlash for Nor {}

/// The EEPROM: file `eeprom`.
#[derive(Debug)]
pub struct Eeprom(File);

impl Eeprom {
    /// Opens the file; it must be there.
    pub fn open() -> Option<Eeprom> {
        File::open(c"eeprom").map(Eeprom)
    }
}

impl ReadStorage for Eeprom {
    type Error = NorFlashErrorKind;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        within(offset, octets.len(), EEPROM)?;
        self.0.read(offset, octets).ok_or(NorFlashErrorKind::Other)
    }

    fn capacity(&self) -> usize {
        EEPROM as usize
    }
}

impl Storage for Eeprom {
    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), NorFlashErrorKind> {
        within(offset, octets.len(), EEPROM)?;
        self.0.write(offset, octets).ok_or(NorFlashErrorKind::Other)
    }
}

/// The program's part of the chip's flash: file `program`, which the harness maps at 0x08004000 when it starts QEMU.
#[derive(Debug)]
pub struct Program {
    file: File,
    changed: bool,
}

impl Program {
    /// Opens the file; it must be there.
    pub fn open() -> Option<Program> {
        File::open(c"program").map(|file| Program { file, changed: false })
    }

    /// Whether anything was programmed: what QEMU has mapped is not what stands there then.
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// From the front of the flash to the front of the file.
    fn place(offset: u32, len: usize) -> Result<u32, NorFlashErrorKind> {
        let at = offset.checked_sub(APP).ok_or(NorFlashErrorKind::OutOfBounds)?;
        within(at, len, PLACES.app.len).map(|()| at)
    }
}

impl ErrorType for Program {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Program {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let at = Self::place(offset, octets.len())?;
        self.file.read(at, octets).ok_or(NorFlashErrorKind::Other)
    }

    fn capacity(&self) -> usize {
        (APP + PLACES.app.len) as usize
    }
}

impl NorFlash for Program {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = 0x4000;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let at = Self::place(from, to.saturating_sub(from) as usize)?;
        self.changed = true;
        erase(&self.file, at, at + (to - from)).ok_or(NorFlashErrorKind::Other)
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), NorFlashErrorKind> {
        let at = Self::place(offset, octets.len())?;
        self.changed = true;
        program(&self.file, at, octets).ok_or(NorFlashErrorKind::Other)
    }
}
