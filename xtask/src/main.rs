//! Set-up and checks of this repository: what `cargo xtask test` and the CI run.
//!
//! Nothing here is needed to use the crates; plain `cargo test` works without it.

mod avr;
mod budgets;
mod coverage;
mod crates;
mod emulator;
mod esp32;
mod firmware;
mod fuzz;
mod han;
mod host;
mod linked;
mod mqtt;
mod nostd;
mod p1;
mod probe;
mod report;
mod run;
mod scaling;
mod setup;
mod short;
mod signatures;
mod stm32;
mod symbols;
mod unit;
mod xtensa;

use std::process::ExitCode;
use std::time::Duration;

use run::Step;

/// A step of `cargo xtask test`, in the order in which they run.
struct Check {
    name: &'static str,
    about: &'static str,
    /// No step runs longer than this; a command that is still going is ended and counts as failed.
    minutes: u64,
    run: fn(&mut Step),
}

const CHECKS: &[Check] = &[
    Check {
        name: "fmt",
        about: "cargo fmt --check for every workspace of the repository",
        minutes: 2,
        run: host::fmt,
    },
    Check {
        name: "test",
        about: "unit, property, integration and doc tests; each library also with no features and with all",
        minutes: 30,
        run: host::test,
    },
    Check {
        name: "clippy",
        about: "no warnings: every target of the workspace, each library with each feature alone",
        minutes: 25,
        run: host::clippy,
    },
    Check { name: "doc", about: "no warnings from rustdoc, all features", minutes: 5, run: host::doc },
    Check {
        name: "bench",
        about: "the benchmarks compile, and each runs once",
        minutes: 20,
        run: host::bench,
    },
    Check {
        name: "no_std",
        about: "each library on each bare target: no features, each alone, all",
        minutes: 25,
        run: nostd::run,
    },
    Check {
        name: "probe",
        about: "each decode core linked alone: no panic code, text size within its budget",
        minutes: 10,
        run: probe::run,
    },
    Check {
        name: "fuzz",
        about: "each fuzz target: its seeds, then a share of the time (--fuzz-seconds, 60 in all)",
        minutes: 12,
        run: fuzz::run,
    },
    Check {
        name: "firmware-avr",
        about: "the programs of examples/avr: built, linked, run in simavr; cycles, stack and sizes within budget",
        minutes: 15,
        run: avr::run,
    },
    Check {
        name: "firmware-stm32",
        about: "the programs of examples/stm32: built, linked, run in QEMU, three units upgraded; figures within budget",
        minutes: 15,
        run: stm32::run,
    },
    Check {
        name: "firmware-esp32",
        about: "the programs of examples/esp32: images checked, run in Unicorn; the same logic on RISC-V in QEMU",
        minutes: 20,
        run: esp32::run,
    },
];

/// What the steps that `cargo xtask firmware` runs have in front of the chip's name.
const FIRMWARE: &str = "firmware-";

const USAGE: &str = "\
cargo xtask test [STEP…] [--fuzz-seconds N] [--no-setup]   set up, then run every step, or the named ones
cargo xtask setup                                          only the set-up
cargo xtask firmware [CHIP…] [--record] [--no-setup]       the firmware steps, or those of the chips named: avr, stm32, esp32;
                                                           --record takes their figures into benches/BUDGETS.md and SYMBOLS.md
cargo xtask fuzz TARGET|all [--seconds N | --runs N]       a long run of one target, or of each in turn
cargo xtask budgets [--record]                             print the budget table's figures; --record takes them in
cargo xtask coverage [--lines]                             line coverage of the libraries by all tests, file by file
cargo xtask scaling                                        cost of an octet from 64 octets to 1 GiB and on two threads; time
                                                           and memory of the upgrade simulation from 1 to 10,000 meters
cargo xtask signatures                                     what a check of a signature costs on a Cortex-M, in QEMU
cargo xtask help

Steps of `test`:";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut words = args.iter().map(String::as_str);
    match words.next() {
        Some("test") => match Options::parse(words) {
            Ok(options) => test(&options),
            Err(bad) => usage_error(&bad),
        },
        Some("firmware") => match Options::firmware(words) {
            Ok(options) => test(&options),
            Err(bad) => usage_error(&bad),
        },
        Some("setup") if args.len() == 1 => {
            setup::run(&CHECKS.iter().map(|check| check.name).collect::<Vec<_>>());
            ExitCode::SUCCESS
        }
        Some("fuzz") => match fuzz::Long::parse(words) {
            Ok(long) => single("fuzz", 24 * 60, |step| long.run(step)),
            Err(bad) => usage_error(&bad),
        },
        Some("budgets") => match words.collect::<Vec<_>>().as_slice() {
            [] => single("budgets", 10, |step| probe::figures(step, false)),
            ["--record"] => single("budgets", 10, |step| probe::figures(step, true)),
            [other, ..] => usage_error(other),
        },
        Some("signatures") if args.len() == 1 => single("signatures", 10, signatures::run),
        Some("scaling") if args.len() == 1 => single("scaling", 60, scaling::run),
        Some("coverage") => match words.collect::<Vec<_>>().as_slice() {
            [] => single("coverage", 60, |step| coverage::run(step, false)),
            ["--lines"] => single("coverage", 60, |step| coverage::run(step, true)),
            [other, ..] => usage_error(other),
        },
        Some("help" | "--help" | "-h") => {
            println!("{}", usage());
            ExitCode::SUCCESS
        }
        Some(other) => usage_error(other),
        None => usage_error(""),
    }
}

fn usage() -> String {
    let steps: Vec<String> =
        CHECKS.iter().map(|check| format!("  {:14} {}", check.name, check.about)).collect();
    format!("{USAGE}\n{}", steps.join("\n"))
}

fn usage_error(word: &str) -> ExitCode {
    eprintln!("xtask: not understood: {word:?}\n{}", usage());
    ExitCode::from(2)
}

/// What `cargo xtask test` was asked for.
struct Options {
    steps: Vec<&'static Check>,
    fuzz_seconds: u64,
    setup: bool,
    /// Take the figures into the budget table instead of checking them against it.
    record: bool,
}

impl Options {
    fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Options, String> {
        let mut options = Options::default();
        while let Some(word) = words.next() {
            if word == "--no-setup" {
                options.setup = false;
            } else if word == "--fuzz-seconds" {
                let seconds = words.next().and_then(|number| number.parse().ok());
                options.fuzz_seconds = seconds.ok_or("--fuzz-seconds wants a number")?;
            } else if let Some(check) = CHECKS.iter().find(|check| check.name == word) {
                options.steps.push(check);
            } else {
                return Err(word.to_string());
            }
        }
        if options.steps.is_empty() {
            options.steps = CHECKS.iter().collect();
        }
        Ok(options)
    }

    fn firmware<'a>(words: impl Iterator<Item = &'a str>) -> Result<Options, String> {
        let mut options = Options::default();
        let chip = |check: &Check| check.name.strip_prefix(FIRMWARE);
        for word in words {
            match word {
                "--no-setup" => options.setup = false,
                "--record" => options.record = true,
                _ => match CHECKS.iter().find(|check| chip(check) == Some(word)) {
                    Some(check) => options.steps.push(check),
                    None => return Err(word.to_string()),
                },
            }
        }
        if options.steps.is_empty() {
            options.steps = CHECKS.iter().filter(|check| chip(check).is_some()).collect();
        }
        Ok(options)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options { steps: Vec::new(), fuzz_seconds: 60, setup: true, record: false }
    }
}

fn test(options: &Options) -> ExitCode {
    let names: Vec<&str> = options.steps.iter().map(|check| check.name).collect();
    if options.setup {
        setup::run(&names);
    }
    let mut done = Vec::new();
    for check in &options.steps {
        let mut step = Step::new(check.name, Duration::from_secs(check.minutes * 60));
        step.fuzz_seconds = options.fuzz_seconds;
        step.record = options.record;
        (check.run)(&mut step);
        done.push(step.finish());
    }
    report::print(&done)
}

/// A command that is one step on its own.
fn single(name: &'static str, minutes: u64, run: impl FnOnce(&mut Step)) -> ExitCode {
    let mut step = Step::new(name, Duration::from_secs(minutes * 60));
    run(&mut step);
    report::print(&[step.finish()])
}
