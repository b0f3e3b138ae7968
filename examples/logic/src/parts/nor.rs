//! SPI NOR flash of the 25 series with three octets of address: W25Q, MX25, GD25, up to 16 MiB.

use embedded_hal::delay::DelayNs;
use embedded_hal::spi::{Operation, SpiDevice};
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

const PAGE: u32 = 256;
const SECTOR: u32 = 4096;
const WRITE_ENABLE: u8 = 0x06;
const READ_STATUS: u8 = 0x05;
const READ: u8 = 0x03;
const PROGRAM: u8 = 0x02;
const ERASE: u8 = 0x20;
const BUSY: u8 = 0x01;
const ENABLED: u8 = 0x02;
/// How long programming a page (3 ms by the makers) and erasing a sector (400 ms) may take, in steps of 100 µs.
const PROGRAM_STEPS: u32 = 100;
const ERASE_STEPS: u32 = 10_000;

/// A NOR flash on an SPI device.
#[derive(Debug)]
pub struct Nor<S, W> {
    device: S,
    delay: W,
    octets: u32,
}

/// What can go wrong with a flash on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NorError<E> {
    /// The bus says.
    Bus(E),
    /// Past the end, or not at a sector's border.
    Place(NorFlashErrorKind),
    /// Programming or erasing does not end.
    Busy,
    /// The part does not take the command: protected, or not there.
    Protected,
}

impl<E: core::fmt::Debug> NorFlashError for NorError<E> {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            NorError::Place(kind) => *kind,
            _ => NorFlashErrorKind::Other,
        }
    }
}

impl<S: SpiDevice, W: DelayNs> Nor<S, W> {
    /// A part of `octets` octets. One that was erasing or programming when a reset came is waited for with the first access.
    pub const fn new(device: S, delay: W, octets: u32) -> Self {
        Self { device, delay, octets }
    }

    fn status(&mut self) -> Result<u8, NorError<S::Error>> {
        let mut status = [0];
        let operations = &mut [Operation::Write(&[READ_STATUS]), Operation::Read(&mut status)];
        self.device.transaction(operations).map_err(NorError::Bus)?;
        let [status] = status;
        Ok(status)
    }

    fn wait(&mut self, steps: u32) -> Result<(), NorError<S::Error>> {
        for _ in 0..steps {
            if self.status()? & BUSY == 0 {
                return Ok(());
            }
            self.delay.delay_us(100);
        }
        Err(NorError::Busy)
    }

    /// Sends a command that changes the memory, and waits until it is done.
    fn change(&mut self, command: u8, at: u32, octets: &[u8], steps: u32) -> Result<(), NorError<S::Error>> {
        self.wait(ERASE_STEPS)?;
        self.device.write(&[WRITE_ENABLE]).map_err(NorError::Bus)?;
        if self.status()? & ENABLED == 0 {
            return Err(NorError::Protected);
        }
        let head = head(command, at);
        let operations = &mut [Operation::Write(&head), Operation::Write(octets)];
        self.device.transaction(operations).map_err(NorError::Bus)?;
        self.wait(steps)
    }

    fn within(&self, from: u32, len: usize) -> Result<(), NorError<S::Error>> {
        let end = u32::try_from(len).ok().and_then(|len| from.checked_add(len));
        match end {
            Some(end) if end <= self.octets => Ok(()),
            _ => Err(NorError::Place(NorFlashErrorKind::OutOfBounds)),
        }
    }
}

/// A command with its three octets of address.
const fn head(command: u8, at: u32) -> [u8; 4] {
    let [_, high, middle, low] = at.to_be_bytes();
    [command, high, middle, low]
}

impl<S: SpiDevice, W> ErrorType for Nor<S, W> {
    type Error = NorError<S::Error>;
}

impl<S: SpiDevice, W: DelayNs> ReadNorFlash for Nor<S, W> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Self::Error> {
        self.within(offset, octets.len())?;
        self.wait(ERASE_STEPS)?;
        let head = head(READ, offset);
        self.device
            .transaction(&mut [Operation::Write(&head), Operation::Read(octets)])
            .map_err(NorError::Bus)
    }

    fn capacity(&self) -> usize {
        usize::try_from(self.octets).unwrap_or(usize::MAX)
    }
}

impl<S: SpiDevice, W: DelayNs> NorFlash for Nor<S, W> {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let len = to.checked_sub(from).and_then(|len| usize::try_from(len).ok());
        self.within(from, len.ok_or(NorError::Place(NorFlashErrorKind::OutOfBounds))?)?;
        if !from.is_multiple_of(SECTOR) || !to.is_multiple_of(SECTOR) {
            return Err(NorError::Place(NorFlashErrorKind::NotAligned));
        }
        let mut at = from;
        while at < to {
            self.change(ERASE, at, &[], ERASE_STEPS)?;
            at = at.saturating_add(SECTOR);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Self::Error> {
        self.within(offset, octets.len())?;
        let (mut at, mut rest) = (offset, octets);
        while !rest.is_empty() {
            // Past the end of a page the part's address wraps to its front.
            let room = PAGE.saturating_sub(at % PAGE);
            let len = usize::try_from(room).unwrap_or(1).min(rest.len());
            let (now, later) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            self.change(PROGRAM, at, now, PROGRAM_STEPS)?;
            at = at.saturating_add(room);
            rest = later;
        }
        Ok(())
    }
}

/// An octet may be programmed again: ones become zeros, zeros stay.
impl<S: SpiDevice, W: DelayNs> MultiwriteNorFlash for Nor<S, W> {}
