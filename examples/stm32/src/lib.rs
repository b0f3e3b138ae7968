//! The STM32F405 under the programs: clock, serial port with its interrupt, milliseconds. To move to another board,
//! change `take` (pins, crystal) and `memory.x`.
#![no_std]
#![deny(unsafe_op_in_unsafe_fn)]

pub mod line;
pub mod memories;
mod stop;
pub mod watchdog;

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m_rt::exception;
use stm32f4xx_hal::pac;
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::{Config, Enable, Rcc};

pub use cortex_m_rt::entry;
pub use line::{Line, Receiver, Sender};
pub use stop::reset;

/// What SysTick counts in a millisecond: without the PLL this is a build for QEMU, which has no RCC and runs at 168 MHz.
const TICKS_IN_A_MILLISECOND: u32 = 168_000;

static MILLISECONDS: AtomicU32 = AtomicU32::new(0);

/// The parts of the board that programs use.
#[derive(Debug)]
pub struct Board {
    /// The meter's line: USART1, PA9 sends, PA10 receives.
    pub line: Line,
    /// TIM2, counting.
    pub ticks: Ticks,
    /// What the management unit uses beside these.
    pub parts: Parts,
}

/// Parts of the chip that only the management unit uses.
pub struct Parts {
    /// The pins of its memories.
    pub port: pac::GPIOB,
    /// The watchdog, which its boot loader started.
    pub watchdog: pac::IWDG,
    /// Clocks of the ports.
    pub rcc: Rcc,
    /// What looks at the supply.
    pub supply: Supply,
}

impl core::fmt::Debug for Parts {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Parts")
    }
}

/// The chip's detector of a falling supply (PVD), set to its highest threshold, 2.9 V: what the supply's capacitors then still hold is
/// the time to save things in. QEMU has none and reads as supplied.
pub struct Supply(pac::PWR);

impl Supply {
    fn new(power: pac::PWR, rcc: &mut Rcc) -> Supply {
        pac::PWR::enable(rcc);
        power.cr().modify(|_, w| w.pls().set(7).pvde().set_bit());
        Supply(power)
    }

    /// Whether the supply is above the threshold.
    pub fn is_up(&self) -> bool {
        self.0.csr().read().pvdo().bit_is_clear()
    }
}

impl core::fmt::Debug for Supply {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Supply")
    }
}

/// A free-running counter of 32 bits.
#[derive(Debug)]
pub struct Ticks(pac::TIM2);

impl Ticks {
    fn new(timer: pac::TIM2, rcc: &mut Rcc) -> Ticks {
        pac::TIM2::enable(rcc);
        timer.cr1().write(|w| w.cen().set_bit());
        Ticks(timer)
    }

    /// The counter.
    pub fn now(&self) -> u32 {
        self.0.cnt().read().bits()
    }
}

impl Board {
    /// Sets the board up; `baud` is of the meter's line, 8 data bits, no parity.
    ///
    /// `None` when it was taken before, or when the rate cannot be had.
    pub fn take(baud: u32) -> Option<Board> {
        let chip = pac::Peripherals::take()?;
        let mut core = cortex_m::Peripherals::take()?;
        let clock =
            if cfg!(feature = "pll") { Config::hse(8.MHz()).sysclk(168.MHz()) } else { Config::hsi() };
        let mut rcc = chip.RCC.freeze(clock);
        core.SYST.set_clock_source(cortex_m::peripheral::syst::SystClkSource::Core);
        core.SYST.set_reload(TICKS_IN_A_MILLISECOND - 1);
        core.SYST.clear_current();
        core.SYST.enable_counter();
        core.SYST.enable_interrupt();
        let pins = chip.GPIOA.split(&mut rcc);
        let line = Line::new(chip.USART1, pins.pa9, pins.pa10, baud, &mut rcc)?;
        let ticks = Ticks::new(chip.TIM2, &mut rcc);
        let supply = Supply::new(chip.PWR, &mut rcc);
        let parts = Parts { port: chip.GPIOB, watchdog: chip.IWDG, rcc, supply };
        Some(Board { line, ticks, parts })
    }
}

/// Milliseconds since the start; wraps after 49 days.
pub fn now() -> u32 {
    MILLISECONDS.load(Ordering::Relaxed)
}

#[exception]
fn SysTick() {
    MILLISECONDS.store(now().wrapping_add(1), Ordering::Relaxed);
    #[cfg(feature = "emulated")]
    watchdog::tick(now());
}

/// A message for the log, where there is one.
#[macro_export]
macro_rules! info {
    ($($part:tt)*) => {
        #[cfg(feature = "log")]
        defmt::info!($($part)*)
    };
}
