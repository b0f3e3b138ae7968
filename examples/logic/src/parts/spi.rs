//! An SPI controller on four pins, mode 0, for one part.

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};
use embedded_hal::spi::{ErrorKind, ErrorType, Operation, SpiDevice};

/// Clock and data out idle low, `select` idles high; data in is looked at when the clock rises.
#[derive(Debug)]
pub struct SoftSpi<C, O, I, S, W> {
    clock: C,
    output: O,
    input: I,
    select: S,
    delay: W,
}

/// A pin could not be set or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpiError;

impl core::fmt::Display for SpiError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("pin failure")
    }
}

impl core::error::Error for SpiError {}

impl embedded_hal::spi::Error for SpiError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl<C: OutputPin, O: OutputPin, I: InputPin, S: OutputPin, W: DelayNs> SoftSpi<C, O, I, S, W> {
    /// The pins at rest. They are moved as fast as the program can; parts take 20 MHz and more.
    ///
    /// # Errors
    /// [`SpiError`] of a pin.
    pub fn new(clock: C, output: O, input: I, select: S, delay: W) -> Result<Self, SpiError> {
        let mut device = SoftSpi { clock, output, input, select, delay };
        device.select.set_high().map_err(|_| SpiError)?;
        device.clock.set_low().map_err(|_| SpiError)?;
        Ok(device)
    }

    fn exchange(&mut self, octet: u8) -> Result<u8, SpiError> {
        let mut received = 0;
        for bit in (0..8).rev() {
            let set = if octet >> bit & 1 == 1 { self.output.set_high() } else { self.output.set_low() };
            set.map_err(|_| SpiError)?;
            self.clock.set_high().map_err(|_| SpiError)?;
            received = received << 1 | u8::from(self.input.is_high().map_err(|_| SpiError)?);
            self.clock.set_low().map_err(|_| SpiError)?;
        }
        Ok(received)
    }

    fn run(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiError> {
        for operation in operations {
            match operation {
                Operation::Read(octets) => {
                    for octet in octets.iter_mut() {
                        *octet = self.exchange(0)?;
                    }
                }
                Operation::Write(octets) => {
                    for octet in octets.iter() {
                        self.exchange(*octet)?;
                    }
                }
                Operation::Transfer(read, write) => {
                    let len = read.len().max(write.len());
                    let mut read = read.iter_mut();
                    let octets = write.iter().copied().chain(core::iter::repeat(0));
                    for octet in octets.take(len) {
                        let received = self.exchange(octet)?;
                        if let Some(place) = read.next() {
                            *place = received;
                        }
                    }
                }
                Operation::TransferInPlace(octets) => {
                    for octet in octets.iter_mut() {
                        *octet = self.exchange(*octet)?;
                    }
                }
                Operation::DelayNs(time) => self.delay.delay_ns(*time),
            }
        }
        Ok(())
    }
}

impl<C, O, I, S, W> ErrorType for SoftSpi<C, O, I, S, W> {
    type Error = SpiError;
}

impl<C: OutputPin, O: OutputPin, I: InputPin, S: OutputPin, W: DelayNs> SpiDevice for SoftSpi<C, O, I, S, W> {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), SpiError> {
        self.select.set_low().map_err(|_| SpiError)?;
        let result = self.run(operations);
        let released = self.select.set_high().map_err(|_| SpiError);
        result.and(released)
    }
}
