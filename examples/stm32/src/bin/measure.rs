//! Instructions that each decoder takes, counted by TIM2, which QEMU runs at one tick an instruction (`-icount shift=0`).
//!
//! A line each: name, octets in a call, ticks, octets in all. On hardware the ticks are cycles of the timer's clock.
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::measure;
use logic::sink::Sink;

#[entry]
fn main() -> ! {
    match Board::take(115_200) {
        Some(board) => run(board),
        None => cortex_m::peripheral::SCB::sys_reset(),
    }
}

fn run(board: Board) -> ! {
    let (mut sender, ticks) = (board.line.sender, board.ticks);
    sender.put_all(b"READY\n");
    cortex_m::interrupt::disable();
    measure::all(
        || ticks.now(),
        |figure| {
            sender.put_all(figure.name.as_bytes());
            for number in [figure.chunk, figure.ticks, figure.octets] {
                sender.put(b' ');
                sender.decimal(number);
            }
            sender.put(b'\n');
        },
    );
    sender.remark(0, 0);
    loop {
        cortex_m::asm::wfi();
    }
}
