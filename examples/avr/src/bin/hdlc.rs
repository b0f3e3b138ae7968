//! HDLC frames of a meter at 2400 8E1; reports on the other port.
//!
//! What the lines mean stands with [`logic::programs::Hdlc`].
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use board::{Board, Memory, receive, uart::Line};
use logic::programs::Hdlc;

receive!(METER: 128, USART0_RX, USART0, udr0);

static STORAGE: Memory<700> = Memory::new();

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let (board, storage) = unsafe { (Board::take(Line::even(2400), Line::plain(230_400)), STORAGE.take()) };
    board::run(&METER, Hdlc::new(storage), board.other)
}
