//! The boot loader (paper 000, 3.2): at a reset it looks whether an upgrade is due, does or finishes it, counts what a trial has
//! come to, and jumps to the program at 0x08004000.
//!
//! External flash (25 series, 1 MiB) on PB3 clock, PB5 to it, PB4 from it, PB6 select; EEPROM (24C64) on PB8 clock, PB9 data;
//! all moved by software. The watchdog runs from here on: a program that hangs is reset and counted.
#![no_std]
#![no_main]

#[cfg(feature = "emulated")]
#[path = "files.rs"]
mod board;
#[cfg(not(feature = "emulated"))]
mod board;
#[cfg(not(feature = "emulated"))]
mod flash;

use board::Board;
use cortex_m_rt::entry;
use embedded_storage::Storage;
use logic::unit::places::{APP, PLACES, RECORDS};
use sha2::Sha256;
use upgrade_proto::boot::{Boot, Limits};
use upgrade_proto::flash::FlashError;
use upgrade_proto::install::{EepromRecords, NoCipher};

#[entry]
fn main() -> ! {
    if run().is_some() {
        // SAFETY: the upgrade's record says that a whole program stands there, or nothing was ever upgraded and the factory
        // put it there. Its first words are its stack and its entry.
        unsafe { cortex_m::asm::bootload((0x0800_0000 + APP) as *const u32) }
    }
    board::give_up()
}

/// All that a reset calls for; `None` where there is nothing to jump to.
fn run() -> Option<()> {
    let mut board = Board::take()?;
    let watchdog = &board.watchdog;
    let mut records = EepromRecords::new(Memory(board.eeprom), RECORDS);
    let (external, program) = (&mut board.external, &mut board.program);
    let mut boot = Boot::new(external, program, &mut records, PLACES, Limits::default());
    boot.start::<Sha256>(board.cause, &mut NoCipher, || watchdog.feed()).ok()?;
    board::settle(&board.program);
    Some(())
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

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    board::give_up()
}
