//! COSEM data at 2400 8E1, as it comes; reports on the other port.
//!
//! What the lines mean stands with [`logic::programs::Obis`].
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use board::{Board, receive, uart::Line};
use logic::programs::Obis;

receive!(METER: 128, USART0_RX, USART0, udr0);

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let board = unsafe { Board::take(Line::even(2400), Line::plain(230_400)) };
    board::run(&METER, Obis::new(), board.other)
}
