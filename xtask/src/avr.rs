//! The programs of `examples/avr`: built for both chips, looked at, and run in simavr.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::budgets::{Figure, settle};
use crate::firmware::{Example, route, version};
use crate::linked::{Functions, panic_symbols, text_and_data};
use crate::run::{Step, cargo, root, target_dir, works};
use crate::symbols::{self, HotPath};

const AVR: Example = Example { name: "avr", target: "avr-none" };
/// The programs of `src/bin`.
const PROGRAMS: &[&str] = &["hdlc", "obis", "dsmr", "dlt645", "upgrade", "ams"];

/// The step of `cargo xtask test`, and of `cargo xtask firmware avr`.
pub fn run(step: &mut Step) {
    let Some(route) = route(AVR.target) else {
        return step.missing("avr", "no compiler with core for AVR; `cargo xtask setup` installs one");
    };
    if !works("avr-gcc", &["--version"]) {
        return step.missing("avr", "no avr-gcc to link with; `cargo xtask setup` installs it");
    }
    // The 324PB first: what is left in the target folder is then for the 324PA, which simavr knows.
    let script = root().join("examples/avr/link-324pb.sh");
    let flags = format!("-C target-cpu=atmega324pb -C linker={}", script.display());
    if step.check("built for the ATmega324PB", AVR.build(route).env(FLAGS, flags)).is_none() {
        return;
    }
    if step.check("built for the ATmega324PA", &mut AVR.build(route)).is_none() {
        return;
    }
    let mut figures = Vec::new();
    for program in PROGRAMS {
        look(step, program, &mut figures);
    }
    let paths = emulate(step, &mut figures);
    symbols::settle(step, &version(route), &paths);
    settle(step, &version(route), &figures);
}

/// Runs the programs in simavr: the tests of the harness, its figures, and the hot paths.
fn emulate(step: &mut Step, figures: &mut Vec<Figure>) -> Vec<HotPath> {
    if !Path::new("/usr/include/simavr/sim_avr.h").exists() {
        step.missing("simavr", "no libsimavr-dev; `cargo xtask setup` installs it");
        return Vec::new();
    }
    step.tests("in simavr", harness().arg("test").args(HARNESS).args(["--no-fail-fast"]));
    let (path, places) = (AVR.folder().join("figures.txt"), AVR.folder().join("places.txt"));
    let mut command = harness();
    command.arg("run").args(HARNESS).args(["--bin", "figures", "--"]).args([&path, &places]);
    if step.quietly("figures", &mut command).is_none() {
        return Vec::new();
    }
    let text = fs::read_to_string(&path).unwrap_or_default();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('\t').collect();
        let (Some(what), Some(Ok(value))) = (cells.first(), cells.get(1).map(|cell| cell.parse())) else {
            step.fail("figures", &format!("not understood: {line}"));
            return Vec::new();
        };
        let unit = if cells.get(2) == Some(&"cycles") { "cycles" } else { "octets" };
        figures.push(Figure { what: (*what).to_string(), value, unit });
    }
    let paths = hot_paths(&fs::read_to_string(&places).unwrap_or_default());
    if paths.is_empty() {
        step.fail("symbols", &format!("no hot path is understood in {}", places.display()));
    }
    paths
}

/// From lines `what<TAB>program<TAB>octets<TAB>address<TAB>cycles`, those of a path behind each other.
fn hot_paths(text: &str) -> Vec<HotPath> {
    let path = |lines: &[Vec<&str>]| {
        let [what, program, octets, ..] = lines.first()?.as_slice() else { return None };
        let count = |line: &Vec<&str>| Some((line.get(3)?.parse().ok()?, line.get(4)?.parse().ok()?));
        let counts: Vec<(u64, u64)> = lines.iter().map(count).collect::<Option<_>>()?;
        let functions = Functions::of(&AVR.elf(program))?;
        Some(HotPath::new((*what).to_string(), "cycles", octets.parse().ok()?, &counts, &functions))
    };
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    lines.chunk_by(|a, b| a.first() == b.first()).map(path).collect::<Option<_>>().unwrap_or_default()
}

const HARNESS: [&str; 2] = ["--quiet", "--manifest-path=examples/avr/harness/Cargo.toml"];

fn harness() -> Command {
    let mut command = cargo();
    command
        .env("CARGO_TARGET_DIR", target_dir().join("avr-harness"))
        .env("AVR_FIRMWARE", AVR.folder().join(AVR.target).join("release"));
    command
}

const FLAGS: &str = "CARGO_TARGET_AVR_NONE_RUSTFLAGS";

/// Panic code and sizes of a linked program.
fn look(step: &mut Step, program: &str, figures: &mut Vec<Figure>) {
    let file = AVR.elf(program);
    let (Some(panics), Some((text, data))) = (panic_symbols(&file, "main"), text_and_data(&file)) else {
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
    figure("flash", text + data);
    figure("initialised RAM", data);
}
