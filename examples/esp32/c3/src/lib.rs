//! The ESP32-C3 under the programs, or the ESP32 (feature `esp32`): serial port with its interrupt, milliseconds. To move to
//! another board, change [`pins`].
#![no_std]

pub mod line;
mod pins;
pub mod port;
#[cfg(feature = "wifi")]
pub mod radio;

use esp_hal::time::Instant;
use esp_hal::uart::Config;

pub use esp_hal::main as entry;
pub use line::{Line, Receiver, Sender};

// What the boot loader of ESP-IDF wants to find in an application.
esp_bootloader_esp_idf::esp_app_desc!();

/// The parts of the board that programs use.
#[derive(Debug)]
pub struct Board {
    /// The meter's line: UART1.
    pub line: Line,
}

impl Board {
    /// Sets the board up; `baud` is of the meter's line, 8 data bits, no parity.
    ///
    /// `None` when the rate cannot be had.
    pub fn take(baud: u32) -> Option<Board> {
        let chip = esp_hal::init(esp_hal::Config::default());
        let pins = pins::of!(chip);
        let line = Line::new(chip.UART1, pins.receive, pins.send, Config::default().with_baudrate(baud))?;
        listen();
        Some(Board { line })
    }
}

/// Lets interrupts come. The boot loader leaves them on as a rule, but need not; on Xtensa the start-up code turns them on.
fn listen() {
    #[cfg(feature = "esp32c3")]
    // SAFETY: what the handlers use has been set up.
    unsafe {
        riscv::interrupt::enable()
    };
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
