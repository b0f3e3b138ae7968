//! P1 telegrams of a meter at 115200 8N1, line by line; reports on the other port.
//!
//! What the lines mean stands with [`logic::programs::Dsmr`].
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use board::{Board, Memory, receive, uart::Line};
use logic::programs::Dsmr;

receive!(METER: 1024, USART0_RX, USART0, udr0);

static STORAGE: Memory<128> = Memory::new();

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let (board, storage) =
        unsafe { (Board::take(Line::plain(115_200), Line::plain(230_400)), STORAGE.take()) };
    board::run(&METER, Dsmr::new(storage), board.other)
}
