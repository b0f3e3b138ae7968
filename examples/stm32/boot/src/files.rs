//! The boot loader's hold on the emulator: memories that are files, a reset cause that the harness supplies, no watchdog.

use host::{Eeprom, End, Nor, Program, cause, end};
// For its interrupt vectors.
use stm32f4xx_hal as _;
use upgrade_proto::boot::ResetCause;

/// What the boot loader works with.
pub struct Board {
    pub cause: ResetCause,
    pub watchdog: Watchdog,
    pub external: Nor,
    pub program: Program,
    pub eeprom: Eeprom,
}

impl Board {
    /// Opens the files.
    pub fn take() -> Option<Board> {
        Some(Board {
            cause: cause(),
            watchdog: Watchdog,
            external: Nor::open()?,
            program: Program::open()?,
            eeprom: Eeprom::open()?,
        })
    }
}

/// QEMU has mapped the flash as it stood when it was started: what was programmed runs from the next start on.
pub fn settle(program: &Program) {
    if program.changed() {
        end(End::Programmed);
    }
}

/// There is nothing to jump to.
pub fn give_up() -> ! {
    end(End::NoProgram)
}

/// QEMU has none.
pub struct Watchdog;

impl Watchdog {
    #[expect(clippy::unused_self, reason = "as the chip's")]
    pub fn feed(&self) {}
}
