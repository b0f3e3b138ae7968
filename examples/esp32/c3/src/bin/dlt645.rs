//! DL/T 645 frames at 2400 baud; the lines that come out are described with [`logic::programs::Dlt645`].
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::programs::Dlt645;

#[entry]
fn main() -> ! {
    match Board::take(2400) {
        Some(board) => board.line.run(Dlt645::new([0; dlt645::STORAGE])),
        None => board::restart(),
    }
}
