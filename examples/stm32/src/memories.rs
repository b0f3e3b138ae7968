//! The memories of the management unit: parts on pins, or files in the emulator. Behind the same traits, so nothing else knows.

use embedded_storage::nor_flash::{ErrorType, NorFlashErrorKind, ReadNorFlash};
use embedded_storage::{ReadStorage, Storage};
use logic::unit::places::{APP, PLACES};
use stm32f4xx_hal::pac::GPIOB;
use stm32f4xx_hal::rcc::Rcc;
use upgrade_proto::flash::FlashError;

#[cfg(not(feature = "emulated"))]
pub use parts::{External, Parameters};

/// The external flash.
#[cfg(feature = "emulated")]
pub type External = host::Nor;
/// The EEPROM.
#[cfg(feature = "emulated")]
pub type Parameters = host::Eeprom;

/// Opens both.
#[cfg(feature = "emulated")]
pub fn open(_: GPIOB, _: &mut Rcc) -> Option<(External, Parameters)> {
    Some((host::Nor::open()?, host::Eeprom::open()?))
}

/// Opens both.
#[cfg(not(feature = "emulated"))]
pub fn open(port: GPIOB, rcc: &mut Rcc) -> Option<(External, Parameters)> {
    parts::open(port, rcc)
}

/// On the pins that the boot loader uses.
#[cfg(not(feature = "emulated"))]
mod parts {
    use embedded_hal::delay::DelayNs;
    use logic::parts::{Eeprom, Nor, Size, SoftI2c, SoftSpi};
    use logic::unit::places::EXTERNAL;
    use stm32f4xx_hal::gpio::{Input, OpenDrain, Output, PB3, PB4, PB5, PB6, PB8, PB9};
    use stm32f4xx_hal::pac::GPIOB;
    use stm32f4xx_hal::prelude::*;
    use stm32f4xx_hal::rcc::Rcc;

    type Clocked = SoftI2c<PB8<Output<OpenDrain>>, PB9<Output<OpenDrain>>, Wait>;
    type Selected = SoftSpi<PB3<Output>, PB5<Output>, PB4<Input>, PB6<Output>, Wait>;

    /// The external flash.
    pub type External = Nor<Selected, Wait>;
    /// The EEPROM.
    pub type Parameters = Eeprom<Clocked, Wait>;

    /// Half a clock period of the EEPROM's bus, in nanoseconds.
    const HALF: u32 = 2500;

    pub(super) fn open(port: GPIOB, rcc: &mut Rcc) -> Option<(External, Parameters)> {
        let pins = port.split(rcc);
        let (clock, data) = (pins.pb8.into_open_drain_output(), pins.pb9.into_open_drain_output());
        let bus = SoftI2c::new(clock, data, Wait, HALF).ok()?;
        let (clock, output) = (pins.pb3.into_push_pull_output(), pins.pb5.into_push_pull_output());
        let (input, select) = (pins.pb4.into_input(), pins.pb6.into_push_pull_output());
        let device = SoftSpi::new(clock, output, input, select, Wait).ok()?;
        Some((Nor::new(device, Wait, EXTERNAL), Eeprom::new(bus, Wait, 0x50, Size::C64)))
    }

    /// Waits by counting the core's clocks, 168 MHz at most: no less than it is asked for.
    #[derive(Clone, Copy, Debug)]
    pub struct Wait;

    impl DelayNs for Wait {
        fn delay_ns(&mut self, time: u32) {
            // 168 clocks are 1000 ns; a long wait is cut into pieces that do not overflow.
            let (micros, rest) = (time / 1000, time % 1000);
            for _ in 0..micros {
                cortex_m::asm::delay(168);
            }
            cortex_m::asm::delay((rest * 168).div_ceil(1000));
        }
    }
}

/// The EEPROM as the upgrade's records want it.
#[derive(Debug)]
pub struct Pages(pub Parameters);

impl upgrade_proto::bitmap::Eeprom for Pages {
    const PAGE: u32 = 32;

    fn read(&mut self, at: u32, octets: &mut [u8]) -> Result<(), FlashError> {
        self.0.read(at, octets).map_err(|_| FlashError)
    }

    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError> {
        self.0.write(at, octets).map_err(|_| FlashError)
    }
}

/// The program's own flash, to be read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own;

impl ErrorType for Own {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Own {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let end = u32::try_from(octets.len()).ok().and_then(|len| offset.checked_add(len));
        if offset < APP || end.is_none_or(|end| end > APP + PLACES.app.len) {
            return Err(NorFlashErrorKind::OutOfBounds);
        }
        for (octet, at) in octets.iter_mut().zip(0x0800_0000 + offset..) {
            // SAFETY: within the chip's flash, by the lines above.
            *octet = unsafe { (at as *const u8).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        (APP + PLACES.app.len) as usize
    }
}
