//! The boot loader's hold on the chip: memories on pins, reset flags, watchdog.

use embedded_hal::delay::DelayNs;
use logic::parts::{Eeprom, Nor, Size, SoftI2c, SoftSpi};
use logic::unit::places::EXTERNAL;
use stm32f4xx_hal::gpio::{Input, OpenDrain, Output, PB3, PB4, PB5, PB6, PB8, PB9};
use stm32f4xx_hal::pac::{self, IWDG, RCC};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use upgrade_proto::boot::ResetCause;

use crate::flash::Program;

/// Half a clock period of the EEPROM's bus, in nanoseconds.
const HALF: u32 = 2500;

type Bus = SoftI2c<PB8<Output<OpenDrain>>, PB9<Output<OpenDrain>>, Wait>;
type Device = SoftSpi<PB3<Output>, PB5<Output>, PB4<Input>, PB6<Output>, Wait>;

/// What the boot loader works with.
pub struct Board {
    pub cause: ResetCause,
    pub watchdog: Watchdog,
    pub external: Nor<Device, Wait>,
    pub program: Program,
    pub eeprom: Eeprom<Bus, Wait>,
}

impl Board {
    /// Takes the chip, and starts the watchdog.
    pub fn take() -> Option<Board> {
        let chip = pac::Peripherals::take()?;
        let cause = cause(&chip.RCC);
        let mut rcc = chip.RCC.freeze(Config::hsi());
        let watchdog = Watchdog::start(chip.IWDG);
        let pins = chip.GPIOB.split(&mut rcc);
        let clock = pins.pb8.into_open_drain_output();
        let data = pins.pb9.into_open_drain_output();
        let bus = SoftI2c::new(clock, data, Wait, HALF).ok()?;
        let eeprom = Eeprom::new(bus, Wait, 0x50, Size::C64);
        let (clock, output) = (pins.pb3.into_push_pull_output(), pins.pb5.into_push_pull_output());
        let (input, select) = (pins.pb4.into_input(), pins.pb6.into_push_pull_output());
        let device = SoftSpi::new(clock, output, input, select, Wait).ok()?;
        let external = Nor::new(device, Wait, EXTERNAL);
        Some(Board { cause, watchdog, external, program: Program::new(chip.FLASH), eeprom })
    }
}

/// What was programmed stands where it is run: nothing to do before the jump.
pub fn settle(_: &Program) {}

/// There is nothing to jump to: tries again.
pub fn give_up() -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

/// Why the chip was reset; the flags are cleared for the next time.
fn cause(rcc: &RCC) -> ResetCause {
    let flags = rcc.csr().read();
    let power = flags.porrstf().bit_is_set() || flags.borrstf().bit_is_set();
    let watchdog = flags.wdgrstf().bit_is_set() || flags.wwdgrstf().bit_is_set();
    let cause = ResetCause::from_flags(power, watchdog, flags.sftrstf().bit_is_set());
    rcc.csr().modify(|_, w| w.rmvf().set_bit());
    cause
}

/// The independent watchdog.
pub struct Watchdog(IWDG);

impl Watchdog {
    /// Eight seconds at its 32 kHz: the longest that a sector takes to be erased is four.
    fn start(chip: IWDG) -> Watchdog {
        // SAFETY: keys, prescaler and reload value of the reference manual.
        unsafe {
            chip.kr().write(|w| w.bits(0xCCCC));
            chip.kr().write(|w| w.bits(0x5555));
            chip.pr().write(|w| w.bits(4));
            chip.rlr().write(|w| w.bits(0xFFF));
        }
        let watchdog = Watchdog(chip);
        watchdog.feed();
        watchdog
    }

    pub fn feed(&self) {
        // SAFETY: the key of the reference manual.
        unsafe { self.0.kr().write(|w| w.bits(0xAAAA)) };
    }
}

/// Waits by counting the core's clocks, 16 MHz: no less than it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wait;

impl DelayNs for Wait {
    fn delay_ns(&mut self, time: u32) {
        cortex_m::asm::delay(time.div_ceil(62));
    }
}
