//! COSEM data at 2400 baud; the lines that come out are described with [`logic::programs::Obis`].
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::programs::Obis;

#[entry]
fn main() -> ! {
    match Board::take(2400) {
        Some(board) => board.line.run(Obis::new()),
        None => board::restart(),
    }
}
