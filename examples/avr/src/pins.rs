//! LEDs, the Wi-Fi module's reset line, and the power-fail pin.

use core::cell::Cell;

use avr_device::interrupt::{self, Mutex};

use crate::pac;

/// The pins of ports B and C that the programs use.
pub struct Pins(pac::PORTC);

/// Set by the power-fail interrupt.
static FAILED: Mutex<Cell<bool>> = Mutex::new(Cell::new(false));

/// Whether the power-fail pin has gone low.
pub fn power_failed() -> bool {
    interrupt::free(|cs| FAILED.borrow(cs).get())
}

#[avr_device::interrupt(atmega324pa)]
fn INT2() {
    // SAFETY: interrupts do not nest.
    FAILED.borrow(unsafe { interrupt::CriticalSection::new() }).set(true);
}

const YELLOW: u8 = 1;
const ORANGE: u8 = 2;
const MODULE: u8 = 4;

impl Pins {
    pub(crate) fn new(port: pac::PORTC, interrupts: pac::EXINT) -> Self {
        // SAFETY: INT2 at the falling edge, enabled.
        interrupts.eicra().write(|w| unsafe { w.bits(0x20) });
        // SAFETY: as above.
        interrupts.eimsk().write(|w| unsafe { w.bits(0x04) });
        // SAFETY: LEDs are off, the module runs.
        port.portc().write(|w| unsafe { w.bits(MODULE) });
        // SAFETY: the three are outputs.
        port.ddrc().write(|w| unsafe { w.bits(YELLOW | ORANGE | MODULE) });
        Self(port)
    }

    fn set(&mut self, pin: u8, high: bool) {
        // SAFETY: only the pin's bit changes.
        self.0.portc().modify(|r, w| unsafe { w.bits(if high { r.bits() | pin } else { r.bits() & !pin }) });
    }

    /// The yellow LED: connected to the broker.
    pub fn yellow(&mut self, on: bool) {
        self.set(YELLOW, on);
    }

    /// The orange LED: the meter is known.
    pub fn orange(&mut self, on: bool) {
        self.set(ORANGE, on);
    }

    /// Holds the Wi-Fi module in reset, or lets it run.
    pub fn module(&mut self, runs: bool) {
        self.set(MODULE, runs);
    }
}
