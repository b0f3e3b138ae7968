//! How often the machine looks at a position for each octet of input, on streams made to cost as much as they can.
//! Counted, not timed, so the bound holds on any machine. A look adds at most fourteen octets up, whatever is claimed.

use crate::decoder::STORAGE;
use crate::machine::Machine;
use crate::wire::{First, Front, Line, Wire};
use core::cell::Cell;
use std::vec::Vec;

std::thread_local! {
    static LOOKS: Cell<usize> = const { Cell::new(0) };
}

struct Counted;

impl Wire for Counted {
    const IS_LINE: bool = true;
    fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16, u16) -> u8) -> Front {
        LOOKS.set(LOOKS.get().saturating_add(1));
        Line::front(octets, longest, sum)
    }
    fn first(octet: u8) -> First {
        Line::first(octet)
    }
    fn noise(octets: &[u8]) -> usize {
        Line::noise(octets)
    }
}

/// Looks for each octet of the stream, rounded up.
fn looks(stream: &[u8], chunk: usize) -> usize {
    LOOKS.set(0);
    let mut storage = [0; STORAGE];
    let mut machine = Machine::<Counted>::new();
    for mut input in stream.chunks(chunk) {
        while machine.advance(&mut storage, &mut input).is_some() {}
    }
    LOOKS.get().div_ceil(stream.len())
}

#[test]
fn a_position_is_looked_at_a_few_times_whatever_the_stream() {
    let header = |claimed: u8| [0x68, 1, 0, 0, 0, 0, 0, 0x68, 0x91, claimed];
    let mut streams: Vec<Vec<u8>> =
        [0, 1, 20, 90, 200, 255].map(|claimed| header(claimed).repeat(2000)).into();
    // Starts alone, and with lengths between them that make the claims overlap in many ways.
    streams.push(std::vec![0x68; 20_000]);
    streams.extend(
        (1..=10).map(|n| [&std::vec![0x68; n][..], &[20 * u8::try_from(n).unwrap()]].concat().repeat(2000)),
    );
    for stream in streams {
        for chunk in [1, 16, 64, 1000] {
            let looks = looks(&stream, chunk);
            assert!(looks <= 2, "{:02X?} over and over, chunks of {chunk}: {looks}", &stream[..12]);
        }
    }
}
