//! DL/T 645 frames on a bus at 2400 8E1; reports on the other port.
//!
//! What the lines mean stands with [`logic::programs::Dlt645`].
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use board::{Board, Memory, clock, receive, sleep_if, uart::Line};
use logic::programs::{Dlt645, IDLE, Program};

receive!(METER: 128, USART0_RX, USART0, udr0);

static STORAGE: Memory<{ dlt645::STORAGE }> = Memory::new();

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let (board, storage) = unsafe { (Board::take(Line::even(2400), Line::plain(230_400)), STORAGE.take()) };
    let mut report = board.other;
    let mut program = Dlt645::new(storage);
    let mut last = clock::now();
    let mut chunk = [0; 16];
    loop {
        let octets = METER.take(&mut chunk);
        if !octets.is_empty() {
            program.take(octets, &mut report);
            last = clock::now();
        } else if clock::now().wrapping_sub(last) >= IDLE {
            program.idle(&mut report);
            last = clock::now();
        } else {
            sleep_if(|| METER.is_empty());
        }
    }
}
