//! The boot loader (paper 000, 3.2): at a reset it looks whether an upgrade is due, does or finishes it, counts what a trial has
//! come to, and jumps to the program at 0x08004000.
//!
//! External flash (25 series, 1 MiB) on PB3 clock, PB5 to it, PB4 from it, PB6 select; EEPROM (24C64) on PB8 clock, PB9 data;
//! all moved by software. The watchdog runs from here on: a program that hangs is reset and counted.
#![no_std]
#![no_main]

mod flash;

use cortex_m_rt::entry;
use embedded_hal::delay::DelayNs;
use embedded_storage::Storage;
use flash::Program;
use logic::parts::{Eeprom, Nor, Size, SoftI2c, SoftSpi};
use sha2::Sha256;
use stm32f4xx_hal::pac::{self, IWDG, RCC};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;
use upgrade_proto::boot::{Boot, Limits, Places, ResetCause};
use upgrade_proto::flash::{FlashError, Span};
use upgrade_proto::install::{EepromRecords, NoCipher};

/// Where the program stands, from the front of the flash (paper 000, 4).
const APP: u32 = 0x4000;
/// External flash: image, its manifest and tags, the program to go back to.
const PLACES: Places = Places {
    upload: Span { start: 0, len: 0x7_0000 },
    meta: Span { start: 0x7_0000, len: 0x4000 },
    backup: Span { start: 0x8_0000, len: 0x7_0000 },
    app: Span { start: APP, len: 0x7_0000 },
};
/// Octets of the external flash.
const EXTERNAL: u32 = 0x10_0000;
/// Half a clock period of the EEPROM's bus, in nanoseconds.
const HALF: u32 = 2500;

#[entry]
fn main() -> ! {
    if run().is_some() {
        // SAFETY: the upgrade's record says that a whole program stands there, or nothing was ever upgraded and the factory
        // put it there. Its first words are its stack and its entry.
        unsafe { cortex_m::asm::bootload((0x0800_0000 + APP) as *const u32) }
    }
    cortex_m::peripheral::SCB::sys_reset()
}

/// All that a reset calls for; `None` where there is nothing to jump to.
fn run() -> Option<()> {
    let chip = pac::Peripherals::take()?;
    let cause = cause(&chip.RCC);
    let mut rcc = chip.RCC.freeze(Config::hsi());
    start_watchdog(&chip.IWDG);
    let pins = chip.GPIOB.split(&mut rcc);
    let clock = pins.pb8.into_open_drain_output();
    let data = pins.pb9.into_open_drain_output();
    let bus = SoftI2c::new(clock, data, Wait, HALF).ok()?;
    let eeprom = Eeprom::new(bus, Wait, 0x50, Size::C64);
    let (clock, output) = (pins.pb3.into_push_pull_output(), pins.pb5.into_push_pull_output());
    let (input, select) = (pins.pb4.into_input(), pins.pb6.into_push_pull_output());
    let device = SoftSpi::new(clock, output, input, select, Wait).ok()?;
    let mut external = Nor::new(device, Wait, EXTERNAL);
    let mut program = Program::new(chip.FLASH);
    let mut records = EepromRecords::new(Memory(eeprom), 0);
    let mut boot = Boot::new(&mut external, &mut program, &mut records, PLACES, Limits::default());
    boot.start::<Sha256>(cause, &mut NoCipher, || feed(&chip.IWDG)).ok()?;
    Some(())
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

/// The independent watchdog, eight seconds at its 32 kHz: the longest that a sector takes to be erased is four.
fn start_watchdog(watchdog: &IWDG) {
    // SAFETY: keys, prescaler and reload value of the reference manual.
    unsafe {
        watchdog.kr().write(|w| w.bits(0xCCCC));
        watchdog.kr().write(|w| w.bits(0x5555));
        watchdog.pr().write(|w| w.bits(4));
        watchdog.rlr().write(|w| w.bits(0xFFF));
    }
    feed(watchdog);
}

fn feed(watchdog: &IWDG) {
    // SAFETY: the key of the reference manual.
    unsafe { watchdog.kr().write(|w| w.bits(0xAAAA)) };
}

/// The EEPROM as the upgrade's records want it.
struct Memory<E>(E);

impl<E: Storage> upgrade_proto::bitmap::Eeprom for Memory<E> {
    const PAGE: u32 = 32;

    fn read(&mut self, at: u32, octets: &mut [u8]) -> Result<(), FlashError> {
        self.0.read(at, octets).map_err(|_| FlashError)
    }

    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError> {
        self.0.write(at, octets).map_err(|_| FlashError)
    }
}

/// Waits by counting the core's clocks, 16 MHz: no less than it is asked for.
#[derive(Clone, Copy, Debug)]
struct Wait;

impl DelayNs for Wait {
    fn delay_ns(&mut self, time: u32) {
        cortex_m::asm::delay(time.div_ceil(62));
    }
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}
