//! An I²C controller on two pins.

use embedded_hal::delay::DelayNs;
use embedded_hal::digital::{InputPin, OutputPin};
use embedded_hal::i2c::{self, ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};

/// Looks at a clock line that a part holds low before the bus counts as stuck.
const STRETCH: u32 = 1000;

/// Both lines are open-drain outputs with a pull-up: set high means let go. `delay` makes half a clock period of `half`.
#[derive(Debug)]
pub struct SoftI2c<C, D, W> {
    clock: C,
    data: D,
    delay: W,
    /// Half a clock period in nanoseconds: 5,000 for 100 kHz.
    half: u32,
}

/// What can go wrong on the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum I2cError {
    /// Nobody acknowledged the address.
    Address,
    /// The part did not acknowledge an octet.
    Data,
    /// A line is held low.
    Stuck,
    /// A pin could not be set or read.
    Pin,
}

impl core::fmt::Display for I2cError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            I2cError::Address => "address not acknowledged",
            I2cError::Data => "octet not acknowledged",
            I2cError::Stuck => "line held low",
            I2cError::Pin => "pin failure",
        })
    }
}

impl core::error::Error for I2cError {}

impl i2c::Error for I2cError {
    fn kind(&self) -> ErrorKind {
        match self {
            I2cError::Address => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address),
            I2cError::Data => ErrorKind::NoAcknowledge(NoAcknowledgeSource::Data),
            I2cError::Stuck => ErrorKind::Bus,
            I2cError::Pin => ErrorKind::Other,
        }
    }
}

impl<C: OutputPin + InputPin, D: OutputPin + InputPin, W: DelayNs> SoftI2c<C, D, W> {
    /// A bus with both lines let go. A part that a reset has caught in the middle of an answer still holds the data line;
    /// up to nine clocks make it let go.
    ///
    /// # Errors
    /// [`I2cError::Stuck`] when a line stays low.
    pub fn new(clock: C, data: D, delay: W, half: u32) -> Result<Self, I2cError> {
        let mut bus = SoftI2c { clock, data, delay, half };
        bus.data(true)?;
        bus.clock(true)?;
        for _ in 0..9 {
            if bus.level()? {
                break;
            }
            bus.clock(false)?;
            bus.clock(true)?;
        }
        if !bus.level()? {
            return Err(I2cError::Stuck);
        }
        bus.stop()?;
        Ok(bus)
    }

    fn data(&mut self, high: bool) -> Result<(), I2cError> {
        let set = if high { self.data.set_high() } else { self.data.set_low() };
        self.delay.delay_ns(self.half);
        set.map_err(|_| I2cError::Pin)
    }

    /// Sets the clock line; let go, it must go high, if a part stretches it only after a while.
    fn clock(&mut self, high: bool) -> Result<(), I2cError> {
        let set = if high { self.clock.set_high() } else { self.clock.set_low() };
        set.map_err(|_| I2cError::Pin)?;
        self.delay.delay_ns(self.half);
        if !high {
            return Ok(());
        }
        for _ in 0..STRETCH {
            if self.clock.is_high().map_err(|_| I2cError::Pin)? {
                return Ok(());
            }
            self.delay.delay_ns(self.half);
        }
        Err(I2cError::Stuck)
    }

    fn level(&mut self) -> Result<bool, I2cError> {
        self.data.is_high().map_err(|_| I2cError::Pin)
    }

    fn start(&mut self) -> Result<(), I2cError> {
        self.data(true)?;
        self.clock(true)?;
        self.data(false)?;
        self.clock(false)
    }

    fn stop(&mut self) -> Result<(), I2cError> {
        self.clock(false)?;
        self.data(false)?;
        self.clock(true)?;
        self.data(true)
    }

    /// Sends an octet, the most significant bit first; whether it was acknowledged.
    fn send(&mut self, octet: u8) -> Result<bool, I2cError> {
        for bit in (0..8).rev() {
            self.data(octet >> bit & 1 == 1)?;
            self.clock(true)?;
            self.clock(false)?;
        }
        self.data(true)?;
        self.clock(true)?;
        let acknowledged = !self.level()?;
        self.clock(false)?;
        Ok(acknowledged)
    }

    fn receive(&mut self, acknowledge: bool) -> Result<u8, I2cError> {
        self.data(true)?;
        let mut octet = 0;
        for _ in 0..8 {
            self.clock(true)?;
            octet = octet << 1 | u8::from(self.level()?);
            self.clock(false)?;
        }
        self.data(!acknowledge)?;
        self.clock(true)?;
        self.clock(false)?;
        self.data(true)?;
        Ok(octet)
    }

    fn run(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), I2cError> {
        let mut before = None;
        let mut rest = operations.iter_mut().peekable();
        while let Some(operation) = rest.next() {
            let reads = matches!(operation, Operation::Read(_));
            if before != Some(reads) {
                self.start()?;
                if !self.send(address << 1 | u8::from(reads))? {
                    return Err(I2cError::Address);
                }
                before = Some(reads);
            }
            match operation {
                Operation::Write(octets) => {
                    for octet in octets.iter() {
                        if !self.send(*octet)? {
                            return Err(I2cError::Data);
                        }
                    }
                }
                Operation::Read(octets) => {
                    // The last octet of a row of reads is not acknowledged: the part then lets the line go.
                    let on = matches!(rest.peek(), Some(Operation::Read(_)));
                    let mut left = octets.len();
                    for octet in octets.iter_mut() {
                        left = left.saturating_sub(1);
                        *octet = self.receive(left > 0 || on)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl<C, D, W> ErrorType for SoftI2c<C, D, W> {
    type Error = I2cError;
}

impl<C: OutputPin + InputPin, D: OutputPin + InputPin, W: DelayNs> I2c for SoftI2c<C, D, W> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), I2cError> {
        let result = self.run(address, operations);
        // Whatever went wrong, the bus is given back.
        let stopped = self.stop();
        result.and(stopped)
    }
}
