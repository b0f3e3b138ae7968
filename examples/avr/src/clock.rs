//! Milliseconds since the start: timer 0, 173 counts of 64 cycles each, which is 12.8 cycles too long.

use core::cell::Cell;

use avr_device::interrupt::{self, Mutex};

use crate::pac;

static NOW: Mutex<Cell<u32>> = Mutex::new(Cell::new(0));
static LATE: Mutex<Cell<u16>> = Mutex::new(Cell::new(0));

/// Ticks after which the 12.8 cycles have come to a whole millisecond.
const CATCH_UP: u16 = 864;

pub(crate) fn start(timer: &pac::TC0) {
    timer.ocr0a().write(|w| w.set(172));
    timer.tccr0a().write(|w| w.wgm0().ctc());
    timer.tccr0b().write(|w| w.cs0().prescale_64());
    timer.timsk0().write(|w| w.ocie0a().set_bit());
}

/// Milliseconds; wraps after 49 days.
pub fn now() -> u32 {
    interrupt::free(|cs| NOW.borrow(cs).get())
}

#[avr_device::interrupt(atmega324pa)]
fn TIMER0_COMPA() {
    // SAFETY: interrupts do not nest.
    let cs = unsafe { interrupt::CriticalSection::new() };
    let late = LATE.borrow(cs).get().wrapping_add(1);
    let (step, late) = if late == CATCH_UP { (2, 0) } else { (1, late) };
    LATE.borrow(cs).set(late);
    let now = NOW.borrow(cs);
    now.set(now.get().wrapping_add(step));
}
