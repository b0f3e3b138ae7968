//! Blocks of a block transfer in any order, against the plainest model of it.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use obis::apdu::{Block, BlockControl, Gbt};

#[derive(Arbitrary, Debug)]
enum Step<'a> {
    /// The number that must come next, or 1.
    Next {
        last: bool,
        octets: &'a [u8],
    },
    Other {
        number: u16,
        last: bool,
        octets: &'a [u8],
    },
    Idle,
}

const STORAGE: usize = 64;

fuzz_target!(|steps: Vec<Step<'_>>| {
    let mut gbt = Gbt::new([0; STORAGE]);
    // What is held, and the number of the next block; no sequence is open at 0.
    let (mut held, mut next): (Vec<u8>, u32) = (Vec::new(), 0);
    for step in &steps {
        let (number, last, octets) = match *step {
            Step::Idle => {
                let problem = gbt.finish();
                assert_eq!(
                    problem.is_some(),
                    next != 0,
                    "finish tells of an open sequence, and only of that"
                );
                assert_eq!(problem.map_or(0, |step| step.dropped) as usize, held.len());
                (held, next) = (Vec::new(), 0);
                continue;
            }
            Step::Next { last, octets } => (u16::try_from(next).unwrap_or(1).max(1), last, octets),
            Step::Other { number, last, octets } => (number, last, octets),
        };
        let control = BlockControl(if last { 0xC0 } else { 0x40 });
        let step = gbt.push(&Block { control, number, acknowledged: 0, octets });
        if number == 1 {
            (held, next) = (Vec::new(), 1);
        }
        let in_order = next != 0 && u32::from(number) == next;
        let fits = held.len() + octets.len() <= STORAGE;
        if in_order && fits {
            held.extend(octets);
            assert_eq!(step.apdu, last.then_some(&held[..]), "the octets of all blocks, at the last one");
            next += 1;
        } else {
            assert_eq!(step.apdu, None, "an APDU from blocks that do not follow on");
            assert!(step.problem.is_some(), "octets lost without a word");
        }
        if last || !in_order || !fits {
            (held, next) = (Vec::new(), 0);
        }
        assert_eq!(gbt.held() as usize, held.len());
    }
});
