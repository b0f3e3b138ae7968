//! The main loop that the short programs have in common.

use logic::programs::{IDLE, Program};

use crate::uart::{Port1, Ring};
use crate::{clock, sleep_if};

/// Gives `program` what `ring` receives, and says when the line has been silent; sleeps when there is nothing to do.
#[inline(always)]
pub fn run<const N: usize>(ring: &Ring<N>, mut program: impl Program, mut report: Port1) -> ! {
    let mut last = clock::now();
    let mut chunk = [0; 16];
    loop {
        let octets = ring.take(&mut chunk);
        if !octets.is_empty() {
            program.take(octets, &mut report);
            last = clock::now();
        } else if clock::now().wrapping_sub(last) >= IDLE {
            program.idle(&mut report);
            last = clock::now();
        } else {
            sleep_if(|| ring.is_empty());
        }
    }
}
