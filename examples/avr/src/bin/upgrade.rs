//! Messages of an upgrade at 9600 8N1; reports on the other port.
//!
//! What the lines mean stands with [`logic::programs::Upgrade`].
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use board::{Board, Memory, receive, uart::Line};
use logic::programs::Upgrade;

receive!(METER: 256, USART0_RX, USART0, udr0);

static STORAGE: Memory<280> = Memory::new();

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let (board, storage) = unsafe { (Board::take(Line::plain(9600), Line::plain(230_400)), STORAGE.take()) };
    board::run(&METER, Upgrade::new(storage), board.other)
}
