//! Each library on each bare target, with no features, each feature alone and all of them.
//!
//! Only `core` is built for these targets: a crate that links `alloc` or `std` does not get through.

use std::time::Instant;

use crate::crates::{choices, libraries};
use crate::firmware::{TARGETS, build, route};
use crate::run::Step;

/// Features that cannot be built for a target: (package, feature, target, why).
const CANNOT: &[(&str, &str, &str, &str)] = &[
    (
        "upgrade-proto",
        "ed25519",
        "avr-none",
        "ed25519-dalek's tables and branches are past what 16 bits reach",
    ),
    ("upgrade-proto", "p256", "avr-none", "crypto-bigint is for 32 and 64 bits"),
];

pub fn run(step: &mut Step) {
    for target in TARGETS {
        let Some(route) = route(target) else {
            step.missing(target, "no compiler with core for it; `cargo xtask setup` installs one");
            continue;
        };
        println!("   {target}: {route}");
        for library in libraries() {
            let started = Instant::now();
            let cannot = |feature: &str| {
                CANNOT
                    .iter()
                    .any(|(package, f, t, _)| (*package, *f, t) == (library.package, feature, target))
            };
            for feature in library.features.iter().filter(|feature| cannot(feature)) {
                let why = CANNOT.iter().find(|(package, f, ..)| (*package, *f) == (library.package, feature));
                println!("   not built: {}/{feature}: {}", library.package, why.map_or("", |entry| entry.3));
            }
            let mut built = 0;
            for choice in choices(&library, cannot) {
                let label = format!("{} for {target}, {}", library.package, choice.label);
                let mut command = build(route, target, ".");
                command.args(["-p", library.package]).args(&choice.args);
                if step.quietly(&label, &mut command).is_some() {
                    built += 1;
                }
            }
            step.pass(built);
            let seconds = started.elapsed().as_secs_f32();
            println!("   ok {} for {target}: {built} choices of features ({seconds:.1} s)", library.package);
        }
    }
}
