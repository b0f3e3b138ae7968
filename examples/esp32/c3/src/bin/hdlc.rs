//! HDLC frames of a DLMS meter at 2400 baud; the lines that come out are described with [`logic::programs::Hdlc`].
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::programs::Hdlc;

#[entry]
fn main() -> ! {
    match Board::take(2400) {
        Some(board) => board.line.run(Hdlc::new([0; 700])),
        None => board::restart(),
    }
}
