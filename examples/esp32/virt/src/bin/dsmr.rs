//! P1 telegrams at 115,200 baud; the lines that come out are described with [`logic::programs::Dsmr`].
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::programs::Dsmr;

#[entry]
fn main() -> ! {
    match Board::take(115_200) {
        Some(board) => board.line.run(Dsmr::new([0; 128])),
        None => board::restart(),
    }
}
