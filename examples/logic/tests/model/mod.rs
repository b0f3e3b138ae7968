//! Models of parts that see the levels of pins.

pub mod eeprom;
pub mod nor;

use core::cell::Cell;
use core::convert::Infallible;

use embedded_hal::delay::DelayNs;

/// A clock that goes on when a driver waits.
#[derive(Debug, Clone, Copy)]
pub struct Time<'p>(pub &'p Cell<u64>);

impl DelayNs for Time<'_> {
    fn delay_ns(&mut self, time: u32) {
        self.0.set(self.0.get() + u64::from(time));
    }
}

pub type Never = Infallible;
