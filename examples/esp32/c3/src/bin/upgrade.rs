//! Messages of a firmware upgrade at 9600 baud; the lines that come out are described with [`logic::programs::Upgrade`].
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::programs::Upgrade;

#[entry]
fn main() -> ! {
    match Board::take(9600) {
        Some(board) => board.line.run(Upgrade::new([0; 600])),
        None => board::restart(),
    }
}
