//! Times of contenders on one input: minima of interleaved runs, so that all of them see the same state of the machine.

use std::time::{Duration, Instant};

/// One piece of work on one input.
pub struct Contender<'a> {
    /// Who does it.
    pub name: &'static str,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How often each contender has its turn.
    pub turns: u32,
    /// How long a turn lasts; a piece of work that takes longer runs once.
    pub turn: Duration,
}

/// Nanoseconds of one run of each contender: the minimum over its turns.
pub fn minima(contenders: &mut [Contender<'_>], effort: Effort) -> Vec<f64> {
    let counts: Vec<u32> =
        contenders.iter_mut().map(|contender| runs_in(effort.turn, &mut contender.run)).collect();
    let mut best = vec![f64::MAX; contenders.len()];
    for _ in 0..effort.turns {
        for ((contender, count), best) in contenders.iter_mut().zip(&counts).zip(&mut best) {
            let started = Instant::now();
            (0..*count).for_each(|_| (contender.run)());
            *best = best.min(started.elapsed().as_secs_f64() * 1e9 / f64::from(*count));
        }
    }
    best
}

/// How many runs fill a turn, from a first one that also warms up.
fn runs_in(turn: Duration, run: &mut dyn FnMut()) -> u32 {
    run();
    let started = Instant::now();
    run();
    let once = started.elapsed().max(Duration::from_nanos(20));
    u32::try_from(turn.as_nanos() / once.as_nanos()).unwrap_or(u32::MAX).max(1)
}
