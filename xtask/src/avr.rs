//! The programs of `examples/avr`: built for both chips, looked at, and run in simavr.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::budgets::{Figure, settle};
use crate::firmware::{Route, build, route, version};
use crate::run::{Step, answer, cargo, root, target_dir, works};

const FOLDER: &str = "examples/avr";
const TARGET: &str = "avr-none";
/// The programs of `src/bin`.
const PROGRAMS: &[&str] = &["hdlc", "obis", "dsmr", "dlt645", "upgrade", "ams"];

/// The step of `cargo xtask test`, and of `cargo xtask firmware avr`.
pub fn run(step: &mut Step) {
    let Some(route) = route(TARGET) else {
        return step.missing("avr", "no compiler with core for AVR; `cargo xtask setup` installs one");
    };
    if !works("avr-gcc", &["--version"]) {
        return step.missing("avr", "no avr-gcc to link with; `cargo xtask setup` installs it");
    }
    // The 324PB first: what is left in the target folder is then for the 324PA, which simavr knows.
    let script = root().join(FOLDER).join("link-324pb.sh");
    let flags = format!("-C target-cpu=atmega324pb -C linker={}", script.display());
    if step.check("built for the ATmega324PB", firmware(route).env(FLAGS, flags)).is_none() {
        return;
    }
    if step.check("built for the ATmega324PA", &mut firmware(route)).is_none() {
        return;
    }
    let mut figures = Vec::new();
    for program in PROGRAMS {
        look(step, program, &mut figures);
    }
    emulate(step, &mut figures);
    settle(step, &version(route), &figures);
}

/// Runs the programs in simavr: the tests of the harness, and its figures.
fn emulate(step: &mut Step, figures: &mut Vec<Figure>) {
    if !Path::new("/usr/include/simavr/sim_avr.h").exists() {
        return step.missing("simavr", "no libsimavr-dev; `cargo xtask setup` installs it");
    }
    step.tests("in simavr", harness().arg("test").args(HARNESS).args(["--no-fail-fast"]));
    let path = folder().join("figures.txt");
    let mut command = harness();
    command.arg("run").args(HARNESS).args(["--bin", "figures", "--"]).arg(&path);
    if step.quietly("figures", &mut command).is_none() {
        return;
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let (Some(what), Some(Ok(value))) = (cells.first(), cells.get(1).map(|cell| cell.parse())) else {
            return step.fail("figures", &format!("not understood: {line}"));
        };
        let unit = if cells.get(2) == Some(&"cycles") { "cycles" } else { "octets" };
        figures.push(Figure { what: (*what).to_string(), value, unit });
    }
}

const HARNESS: [&str; 2] = ["--quiet", "--manifest-path=examples/avr/harness/Cargo.toml"];

fn harness() -> Command {
    let mut command = cargo();
    command
        .env("CARGO_TARGET_DIR", target_dir().join("avr-harness"))
        .env("AVR_FIRMWARE", folder().join(TARGET).join("release"));
    command
}

const FLAGS: &str = "CARGO_TARGET_AVR_NONE_RUSTFLAGS";

fn folder() -> PathBuf {
    target_dir().join("examples-avr")
}

fn firmware(route: Route) -> Command {
    let mut command = build(route, TARGET, FOLDER);
    // A folder of its own: the probes have programs of the same names.
    command.args(["--bins"]).env("CARGO_TARGET_DIR", folder());
    command
}

fn elf(program: &str) -> PathBuf {
    folder().join(TARGET).join("release").join(format!("{program}.elf"))
}

/// Panic code and sizes of a linked program.
fn look(step: &mut Step, program: &str, figures: &mut Vec<Figure>) {
    let file = elf(program);
    let (Some(panics), Some((flash, data))) = (panics(&file), sizes(&file)) else {
        return step.fail(program, &format!("{} cannot be read", file.display()));
    };
    if panics.is_empty() {
        println!("   ok {program}: no panic code");
        step.pass(1);
    } else {
        step.fail(program, &format!("panic code linked: {}", panics.join(", ")));
    }
    let mut figure = |what: &str, value| {
        figures.push(Figure { what: format!("AVR {program} program, {what}"), value, unit: "octets" });
    };
    figure("flash", flash);
    figure("initialised RAM", data);
}

/// The symbols of panic code; `None` where there are no symbols at all.
fn panics(file: &Path) -> Option<Vec<String>> {
    let symbols = answer(Command::new("avr-nm").args(["--demangle"]).arg(file))?;
    symbols.lines().find(|line| line.ends_with(" main"))?;
    let names = symbols.lines().filter_map(|line| line.splitn(3, ' ').nth(2));
    let is_panic = |name: &&str| {
        ["core::panicking", "4core9panicking", "rust_begin_unwind"].iter().any(|part| name.contains(part))
    };
    Some(names.filter(is_panic).map(str::to_string).collect())
}

/// Flash and initialised RAM, in octets.
fn sizes(file: &Path) -> Option<(u64, u64)> {
    let table = answer(Command::new("avr-size").arg(file))?;
    let mut cells = table.lines().nth(1)?.split_whitespace().map(str::parse::<u64>);
    let (text, data) = (cells.next()?.ok()?, cells.next()?.ok()?);
    Some((text + data, data))
}
