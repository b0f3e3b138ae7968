//! DL/T 645 frames on a bus at 2400 8E1; reports on the other port.
//!
//! What the lines mean stands with [`logic::programs::Dlt645`].
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use board::{Board, Memory, receive, uart::Line};
use logic::programs::Dlt645;

receive!(METER: 128, USART0_RX, USART0, udr0);

static STORAGE: Memory<{ dlt645::STORAGE }> = Memory::new();

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let (board, storage) = unsafe { (Board::take(Line::even(2400), Line::plain(230_400)), STORAGE.take()) };
    board::run(&METER, Dlt645::new(storage), board.other)
}
