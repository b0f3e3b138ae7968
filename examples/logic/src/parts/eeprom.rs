//! EEPROM of the 24 series, with two octets of address: 24C32 to 24C512.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{Error as _, ErrorKind, I2c, Operation};
use embedded_storage::{ReadStorage, Storage};

/// How long a part may take to write a page, in steps of 100 µs: makers say 5 or 10 ms.
const STEPS: u32 = 200;

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Octets in all, up to 65,536.
    pub octets: u32,
    /// Octets that are written at once, a power of two: the address wraps within them.
    pub page: u16,
}

impl Size {
    /// 24C64: 8 KiB in pages of 32.
    pub const C64: Size = Size { octets: 8192, page: 32 };
    /// 24C256: 32 KiB in pages of 64.
    pub const C256: Size = Size { octets: 32_768, page: 64 };
}

/// An EEPROM on an I²C bus.
///
/// A write that a power cut ends leaves the octets of one page old, new, or neither; nothing else.
#[derive(Debug)]
pub struct Eeprom<I, W> {
    bus: I,
    delay: W,
    address: u8,
    size: Size,
}

/// What can go wrong with a memory on a bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EepromError<E> {
    /// The bus says.
    Bus(E),
    /// Past the end of the memory.
    Range,
    /// A write does not end.
    Busy,
}

impl<I: I2c, W: DelayNs> Eeprom<I, W> {
    /// The part at a 7-bit bus address, `0x50` to `0x57` by its pins.
    pub const fn new(bus: I, delay: W, address: u8, size: Size) -> Self {
        Self { bus, delay, address, size }
    }

    /// The bus again.
    pub fn into_inner(self) -> I {
        self.bus
    }

    /// Two octets of address for `len` octets at `offset`.
    fn place(&self, offset: u32, len: usize) -> Result<[u8; 2], EepromError<I::Error>> {
        let end = u32::try_from(len).ok().and_then(|len| offset.checked_add(len));
        if end.is_none_or(|end| end > self.size.octets) {
            return Err(EepromError::Range);
        }
        let [_, _, high, low] = offset.to_be_bytes();
        Ok([high, low])
    }

    /// Runs operations; a part that is writing does not acknowledge its address, and is asked again.
    fn run(&mut self, operations: &mut [Operation<'_>]) -> Result<(), EepromError<I::Error>> {
        for _ in 0..STEPS {
            match self.bus.transaction(self.address, operations) {
                Ok(()) => return Ok(()),
                Err(error) if matches!(error.kind(), ErrorKind::NoAcknowledge(_)) => self.delay.delay_us(100),
                Err(error) => return Err(EepromError::Bus(error)),
            }
        }
        Err(EepromError::Busy)
    }
}

impl<I: I2c, W: DelayNs> ReadStorage for Eeprom<I, W> {
    type Error = EepromError<I::Error>;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Self::Error> {
        let place = self.place(offset, octets.len())?;
        if octets.is_empty() {
            return Ok(());
        }
        self.run(&mut [Operation::Write(&place), Operation::Read(octets)])
    }

    fn capacity(&self) -> usize {
        usize::try_from(self.size.octets).unwrap_or(usize::MAX)
    }
}

impl<I: I2c, W: DelayNs> Storage for Eeprom<I, W> {
    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Self::Error> {
        self.place(offset, octets.len())?;
        let (mut at, mut rest) = (offset, octets);
        while !rest.is_empty() {
            let page = u32::from(self.size.page.max(1));
            let room = page.saturating_sub(at.checked_rem(page).unwrap_or(0));
            let len = usize::try_from(room).unwrap_or(1).min(rest.len());
            let (now, later) = rest.split_at_checked(len).unwrap_or((rest, &[]));
            let place = self.place(at, now.len())?;
            self.run(&mut [Operation::Write(&place), Operation::Write(now)])?;
            at = at.saturating_add(room);
            rest = later;
        }
        // The next to use the bus, or a power cut, finds the write done.
        self.run(&mut [Operation::Write(&[])])
    }
}
