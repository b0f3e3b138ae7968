//! The watchdog: resets the chip when the main loop has not come round for some seconds.

use avr_device::interrupt;

use crate::pac;

/// The watchdog timer, off until [`start`](Watchdog::start).
pub struct Watchdog {
    timer: pac::WDT,
    cause: u8,
}

impl Watchdog {
    /// Turns it off, which it is not after a reset that it caused, and keeps the cause of the reset.
    pub(crate) fn new(timer: pac::WDT, cpu: &pac::CPU) -> Self {
        let cause = cpu.mcusr().read().bits();
        // SAFETY: the flags must be cleared first; WDRF holds the watchdog on.
        cpu.mcusr().write(|w| unsafe { w.bits(0) });
        let mut watchdog = Self { timer, cause };
        watchdog.control(0);
        watchdog
    }

    /// MCUSR as it was at the start: bit 3 is set where the watchdog caused the reset.
    pub const fn cause(&self) -> u8 {
        self.cause
    }

    /// Resets the chip unless fed at least every 8 s.
    pub fn start(&mut self) {
        // WDE, WDP3 and WDP0.
        self.control(0x29);
    }

    /// Resets the chip in 16 ms.
    pub fn reset_now(&mut self) -> ! {
        self.control(0x08);
        loop {
            core::hint::spin_loop();
        }
    }

    /// The main loop has come round.
    #[inline(always)]
    pub fn feed(&mut self) {
        // SAFETY: resets the watchdog's counter.
        unsafe { core::arch::asm!("wdr") };
    }

    fn control(&mut self, value: u8) {
        interrupt::free(|_| {
            self.feed();
            // SAFETY: WDCE and WDE, then the value within four cycles.
            self.timer.wdtcsr().write(|w| unsafe { w.bits(0x18) });
            self.timer.wdtcsr().write(|w| unsafe { w.bits(value) });
        });
    }
}
