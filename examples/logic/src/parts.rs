//! Drivers for the memories beside a meter's controller, on pins that are moved by software (paper 000, 3.1): any of a chip's pins
//! will do, and the parts of every maker have these interfaces.

mod eeprom;
mod i2c;
mod nor;
mod spi;

pub use eeprom::{Eeprom, EepromError, Size};
pub use i2c::{I2cError, SoftI2c};
pub use nor::{Nor, NorError};
pub use spi::{SoftSpi, SpiError};
