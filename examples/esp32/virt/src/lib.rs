//! QEMU's RISC-V board `virt` under the programs: it runs the instructions of an ESP32-C3, where no emulator of that chip
//! can be had by a package. Its serial port is a 16550, its interrupts come through a PLIC.
#![no_std]

pub mod line;
pub mod net;
mod registers;
pub mod text;

use core::sync::atomic::{AtomicBool, Ordering};

use registers::{CLINT, Register, TEST};
use riscv::interrupt::Interrupt;

pub use line::{Line, Receiver, Sender};
pub use riscv_rt::entry;

/// Ticks of the machine timer in a millisecond: 10 MHz.
const TICKS: u64 = 10_000;

/// The parts of the board that programs use.
#[derive(Debug)]
pub struct Board {
    /// The meter's line: the board's only port.
    pub line: Line,
}

impl Board {
    /// Sets the board up. The emulated port takes any rate.
    ///
    /// `None` when it was taken before.
    pub fn take(_baud: u32) -> Option<Board> {
        static TAKEN: AtomicBool = AtomicBool::new(false);
        // One core, and no interrupt is on yet.
        if TAKEN.load(Ordering::Relaxed) {
            return None;
        }
        TAKEN.store(true, Ordering::Relaxed);
        alarm(u64::MAX);
        // SAFETY: the handlers below stand ready.
        unsafe {
            riscv::register::mie::set_mext();
            riscv::register::mie::set_mtimer();
        }
        let line = Line::new()?;
        // SAFETY: as above.
        unsafe { riscv::interrupt::enable() };
        Some(Board { line })
    }
}

/// Ticks of the machine timer since the start.
fn ticks() -> u64 {
    const LOW: Register = CLINT.at(0xBFF8);
    const HIGH: Register = CLINT.at(0xBFFC);
    loop {
        let high = HIGH.read();
        let low = LOW.read();
        if HIGH.read() == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// The timer's interrupt comes at this tick.
fn alarm(at: u64) {
    const LOW: Register = CLINT.at(0x4000);
    const HIGH: Register = CLINT.at(0x4004);
    let [a, b, c, d, e, f, g, h] = at.to_le_bytes();
    // No alarm in between.
    HIGH.write(u32::MAX);
    LOW.write(u32::from_le_bytes([a, b, c, d]));
    HIGH.write(u32::from_le_bytes([e, f, g, h]));
}

/// Milliseconds since the start.
pub fn milliseconds() -> u64 {
    ticks() / TICKS
}

/// Milliseconds since the start; wraps after 49 days.
pub fn now() -> u32 {
    let [a, b, c, d, ..] = milliseconds().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// Sleeps until an interrupt, a millisecond at most.
pub fn sleep() {
    alarm(ticks().wrapping_add(TICKS));
    riscv::asm::wfi();
}

#[riscv_rt::core_interrupt(Interrupt::MachineTimer)]
fn timer() {
    alarm(u64::MAX);
}

/// Ends the emulator with an exit status that says that something that cannot fail has failed.
pub fn restart() -> ! {
    const FAILED: u32 = 0x3333;
    loop {
        TEST.write(FAILED | 101 << 16);
    }
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    restart()
}
