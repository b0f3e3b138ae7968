//! The board: what the programs need of the chip, and nothing else. Port this file and its modules to move to another.
//!
//! | pin | what |
//! |---|---|
//! | PD0 RXD0 | from the meter (TSS721A TX) |
//! | PD1 TXD0 | to the meter, where the protocol answers |
//! | PD2 RXD1, PD3 TXD1 | report, or the Wi-Fi module (ESP-01) |
//! | PB2 INT2 | power fail (TSS721A PF, low when the bus is without voltage) |
//! | PC0, PC1 | yellow and orange LED |
//! | PC2 | reset of the Wi-Fi module, low |
//!
//! The clock is a crystal of 11.0592 MHz, so that every usual baud rate comes out exactly.
#![no_std]
#![feature(abi_avr_interrupt, asm_experimental_arch)]

pub mod clock;
pub mod eeprom;
pub mod mark;
pub mod pins;
mod run;
pub mod text;
pub mod uart;
pub mod watchdog;

pub use avr_device::atmega324pa as pac;
pub use avr_device::{entry, interrupt};
pub use run::run;

/// Frequency of the crystal, in hertz.
pub const CLOCK: u32 = 11_059_200;

/// The parts of the chip, each for one owner.
pub struct Board {
    pub meter: uart::Port0,
    pub other: uart::Port1,
    pub eeprom: eeprom::Memory,
    pub pins: pins::Pins,
    pub watchdog: watchdog::Watchdog,
}

impl Board {
    /// Sets the chip up; `meter` and `other` say how fast the two ports are. Interrupts are on afterwards.
    ///
    /// # Safety
    /// To be called once, at the start of the program: nobody else may hold a part of the chip.
    pub unsafe fn take(meter: uart::Line, other: uart::Line) -> Board {
        // SAFETY: the caller's promise.
        let parts = unsafe { pac::Peripherals::steal() };
        let watchdog = watchdog::Watchdog::new(parts.WDT, &parts.CPU);
        clock::start(&parts.TC0);
        // Sleep is idle: timers and ports run on.
        parts.CPU.smcr().write(|w| w.se().set_bit());
        let board = Board {
            meter: uart::Port0::new(parts.USART0, meter),
            other: uart::Port1::new(parts.USART1, other),
            eeprom: eeprom::Memory::new(parts.EEPROM),
            pins: pins::Pins::new(parts.PORTC, parts.EXINT),
            watchdog,
        };
        // SAFETY: everything that an interrupt touches is set up.
        unsafe { interrupt::enable() };
        board
    }
}

/// Memory that stands still, for a decoder's storage. Zeros at the start, so that it takes no flash.
pub struct Memory<const N: usize>(core::cell::UnsafeCell<[u8; N]>);

// SAFETY: only `take` gives access, whose caller promises to be alone.
unsafe impl<const N: usize> Sync for Memory<N> {}

impl<const N: usize> Memory<N> {
    /// All zeros.
    pub const fn new() -> Self {
        Self(core::cell::UnsafeCell::new([0; N]))
    }

    /// The memory.
    ///
    /// # Safety
    /// To be called once.
    #[expect(clippy::mut_from_ref, reason = "that is what it is for")]
    pub unsafe fn take(&'static self) -> &'static mut [u8; N] {
        // SAFETY: the caller's promise.
        unsafe { &mut *self.0.get() }
    }
}

impl<const N: usize> Default for Memory<N> {
    fn default() -> Self {
        Self::new()
    }
}

/// Sleeps until an interrupt, if `is_idle` still holds; no interrupt in between is missed.
#[inline(always)]
pub fn sleep_if(is_idle: impl FnOnce() -> bool) {
    interrupt::disable();
    if is_idle() {
        // The instruction behind SEI runs before any interrupt does.
        // SAFETY: interrupts were on before.
        unsafe { core::arch::asm!("sei", "sleep") };
    } else {
        // SAFETY: as above.
        unsafe { interrupt::enable() };
    }
}

/// Never linked into these programs, which `cargo xtask firmware avr` checks: nothing in them panics.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    interrupt::disable();
    loop {
        // SAFETY: does nothing but stop.
        unsafe { core::arch::asm!("sleep") };
    }
}
