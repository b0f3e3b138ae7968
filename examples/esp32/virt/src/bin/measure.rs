//! Instructions that each decoder takes, counted by `minstret` (QEMU counts them with `-icount`).
//!
//! A line each: name, octets in a call, instructions, octets in all.
#![no_std]
#![no_main]

use board::{Board, entry};
use logic::measure;
use logic::sink::Sink;
use riscv::register::minstret;

#[entry]
fn main() -> ! {
    match Board::take(115_200) {
        Some(board) => run(board),
        None => board::restart(),
    }
}

fn run(board: Board) -> ! {
    let mut sender = board.line.sender;
    sender.put_all(b"READY\n");
    riscv::interrupt::disable();
    measure::all(
        || minstret::read() as u32,
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
        riscv::asm::wfi();
    }
}
