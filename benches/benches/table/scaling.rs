//! Cost of an octet against the length of the input, and against the number of threads.

use crate::measure::{Contender, Effort, minima};
use core::hint::black_box;
use std::time::Duration;

/// Nanoseconds an octet of one reader at each length.
pub struct Scaling {
    pub name: &'static str,
    /// Octets of input, and nanoseconds an octet.
    pub points: Vec<(usize, f64)>,
    /// How much more two threads read a second than one, each with an input of its own.
    pub two_threads: f64,
}

/// From one message to `longest` octets, by factors of sixteen.
pub fn of(name: &'static str, unit: &[u8], longest: usize, read: fn(&[u8])) -> Scaling {
    let effort = Effort { turns: 3, turn: Duration::from_millis(20) };
    let mut points = Vec::new();
    let mut length = 64;
    while length <= longest {
        let messages = length.div_ceil(unit.len());
        let octets = unit.repeat(messages);
        let time = minima(&mut [Contender::new(name, || read(black_box(&octets)))], effort)[0];
        points.push((octets.len(), time / octets.len() as f64));
        length *= 16;
    }
    let octets = unit.repeat((1 << 20) / unit.len());
    let alone = || read(black_box(&octets));
    let together = || {
        std::thread::scope(|scope| {
            scope.spawn(|| (0..32).for_each(|_| alone()));
            (0..32).for_each(|_| alone());
        });
    };
    let mut contenders =
        [Contender::new("one", || (0..32).for_each(|_| alone())), Contender::new("two", together)];
    let times = minima(&mut contenders, Effort { turns: 10, turn: Duration::ZERO });
    Scaling { name, points, two_threads: 2.0 * times[0] / times[1] }
}
