//! Random double and triple power cuts over whole upgrades: `cargo run --release -p upgrade-proto --features sha2 --example cuts -- 1000000`.
//!
//! Each run is one upgrade from the first block to Confirmed on a simulated meter whose supply fails two or three times, inside an operation: anywhere, and
//! soon after the supply is back. A third of the runs goes through a roll-back first. What must hold is asserted in `tests/device`; a run that
//! breaks it is printed with its seed and ends the program.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::float_arithmetic,
    clippy::panic,
    clippy::expect_used,
    reason = "a test by its nature"
)]

#[path = "../tests/device/mod.rs"]
mod device;

use core::sync::atomic::{AtomicU64, Ordering};
use device::memory::{Rng, Tear};
use device::package::{Package, Recipe, Toy};
use device::{Bare, Kit, Multi, Once, run, run_with};
use std::time::Instant;

struct Story {
    old: Vec<u8>,
    package: Package,
    /// Operations of an upgrade without cuts, by memories, and with a roll-back.
    operations: [[u64; 2]; 3],
}

impl Story {
    fn new() -> Self {
        let old = Rng::new(1).octets(7000);
        let package = Package::new(Rng::new(2).octets(8150), &Recipe::default(), &Toy);
        fn both<K: Kit>(old: &[u8], package: &Package) -> [u64; 2] {
            [run::<K>(old, package, &[]), run_with::<K>(old, package, &[], 1)]
        }
        let operations =
            [both::<Multi>(&old, &package), both::<Bare>(&old, &package), both::<Once>(&old, &package)];
        Story { old, package, operations }
    }

    fn run(&self, seed: u64) -> usize {
        let mut rng = Rng::new(seed);
        let kit = rng.below(3) as usize;
        let failures = usize::from(rng.below(3) == 0);
        let whole = self.operations[kit][failures];
        let mut cuts = vec![(rng.below(whole), Tear::random(&mut rng))];
        for _ in 0..1 + rng.below(2) {
            // Half of them while what the one before left is being put right.
            let within = if rng.below(2) == 0 { 24 } else { whole };
            cuts.push((rng.below(within), Tear::random(&mut rng)));
        }
        match kit {
            0 => run_with::<Multi>(&self.old, &self.package, &cuts, failures),
            1 => run_with::<Bare>(&self.old, &self.package, &cuts, failures),
            _ => run_with::<Once>(&self.old, &self.package, &cuts, failures),
        };
        cuts.len()
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let mut number = |default: u64| words.next().map_or(default, |word| word.parse().expect("a number"));
    let (runs, first) = (number(10_000), number(1));
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let started = Instant::now();
    let (cuts, done) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (cuts, done) = (&cuts, &done);
            scope.spawn(move || {
                let story = Story::new();
                for seed in (first..first + runs).skip(thread as usize).step_by(threads as usize) {
                    let result = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| story.run(seed)));
                    match result {
                        Ok(n) => cuts.fetch_add(n as u64, Ordering::Relaxed),
                        Err(_) => {
                            println!("seed {seed} breaks what must hold");
                            std::process::exit(1);
                        }
                    };
                    let all = done.fetch_add(1, Ordering::Relaxed) + 1;
                    if all.is_multiple_of(100_000) {
                        eprintln!("{all} runs in {:.0} s", started.elapsed().as_secs_f64());
                    }
                }
            });
        }
    });
    println!(
        "{runs} upgrades, seeds {first} to {}, {} cuts: every one ended in the new program, confirmed; after every cut the old or the \
         new program was whole; no roll-back but those asked for; event log right; {:.0} s",
        first + runs - 1,
        cuts.into_inner(),
        started.elapsed().as_secs_f64()
    );
}
