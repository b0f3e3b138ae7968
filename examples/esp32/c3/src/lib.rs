//! The ESP32-C3 under the programs: serial port with its interrupt, milliseconds. To move to another board, change the
//! pins in `take`.
#![no_std]

pub mod line;
#[cfg(feature = "wifi")]
pub mod radio;

use esp_hal::time::Instant;

pub use esp_hal::main as entry;
pub use line::{Line, Receiver, Sender};

// What the boot loader of ESP-IDF wants to find in an application.
esp_bootloader_esp_idf::esp_app_desc!();

/// The parts of the board that programs use.
#[derive(Debug)]
pub struct Board {
    /// The meter's line: UART1, GPIO7 sends, GPIO6 receives.
    pub line: Line,
}

impl Board {
    /// Sets the board up; `baud` is of the meter's line, 8 data bits, no parity.
    ///
    /// `None` when the rate cannot be had.
    pub fn take(baud: u32) -> Option<Board> {
        let chip = esp_hal::init(esp_hal::Config::default());
        let line = Line::new(chip.UART1, chip.GPIO6, chip.GPIO7, baud)?;
        // SAFETY: what the handlers use has been set up. The boot loader leaves them on as a rule, but need not.
        unsafe { riscv::interrupt::enable() };
        Some(Board { line })
    }
}

/// Milliseconds since the start; wraps after 49 days.
pub fn now() -> u32 {
    let [a, b, c, d, ..] = Instant::now().duration_since_epoch().as_millis().to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A fresh start: what is left to do when something that cannot fail has failed.
pub fn restart() -> ! {
    esp_hal::system::software_reset()
}

#[panic_handler]
fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
    restart()
}
