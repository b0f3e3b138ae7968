//! The independent watchdog that the boot loader has started. QEMU has none: in the emulator SysTick counts in its place.

use stm32f4xx_hal::pac::IWDG;

/// The watchdog, to be fed.
#[derive(Debug)]
pub struct Watchdog(IWDG);

impl Watchdog {
    /// Holds it, and feeds it for the first time.
    pub fn new(chip: IWDG) -> Watchdog {
        let watchdog = Watchdog(chip);
        watchdog.feed();
        watchdog
    }

    /// Puts the reset off.
    pub fn feed(&self) {
        #[cfg(feature = "emulated")]
        emulated::FED.store(crate::now() | 1, core::sync::atomic::Ordering::Relaxed);
        #[cfg(not(feature = "emulated"))]
        // SAFETY: the key of the reference manual.
        unsafe {
            self.0.kr().write(|w| w.bits(0xAAAA));
        }
    }
}

#[cfg(feature = "emulated")]
pub(crate) use emulated::tick;

#[cfg(feature = "emulated")]
mod emulated {
    use core::sync::atomic::{AtomicU32, Ordering};

    /// When it was fed last; 0 until it is for the first time.
    pub(super) static FED: AtomicU32 = AtomicU32::new(0);
    /// Milliseconds of the emulated time.
    const PATIENCE: u32 = 8000;

    /// A millisecond has passed.
    pub(crate) fn tick(now: u32) {
        let fed = FED.load(Ordering::Relaxed);
        if fed != 0 && now.wrapping_sub(fed) < 1 << 31 && now.wrapping_sub(fed) > PATIENCE {
            host::end(host::End::Watchdog);
        }
    }
}
