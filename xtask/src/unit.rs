//! The management unit of `examples/stm32`: three of them in QEMU, on one medium, upgraded by `meter upgrade send`.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::budgets::Figure;
use crate::emulator::NETDUINO;
use crate::firmware::Route;
use crate::run::{Step, cargo, target_dir};
use crate::stm32::STM32;

/// Version of each build of the unit, and the features it has beside the default ones. The harness knows them by number.
const UNITS: &[(&str, &[&str])] =
    &[("20260101.1", &[]), ("20260301.2", &[]), ("20260501.3", &["--features", "crash"])];

/// Builds the boot loader, three versions of the unit and the harness, makes keys, and runs the test.
pub fn run(step: &mut Step, route: Route, figures: &mut Vec<Figure>) {
    let folder = target_dir().join("unit");
    if let Err(error) = fs::create_dir_all(&folder) {
        return step.fail("unit", &format!("{}: {error}", folder.display()));
    }
    if build(step, route, &folder).is_none() {
        return;
    }
    let mut harness = cargo();
    harness.args(["run", "--quiet", "--manifest-path", "examples/stm32/harness/Cargo.toml", "--"]);
    harness.arg(&folder).arg(tool()).env("CARGO_TARGET_DIR", target_dir().join("stm32-harness"));
    match NETDUINO.gauge(&[&folder.join("boot"), &folder.join("unit-1"), &folder.join("unit-2")]) {
        Ok(gauge) => harness.env("STACK_GAUGE", gauge.unwrap_or_default()),
        Err(why) => return step.fail("unit", &why),
    };
    if let Some(said) = step.quietly("three units upgraded", &mut harness) {
        for line in said.lines() {
            println!("      {line}");
        }
        println!("   ok three units upgraded, one bad version rolled back, a forged one refused");
        step.pass(1);
        let stack = said.lines().find_map(|line| line.trim().strip_prefix("deepest stack of meter 1: "));
        let stack = stack.and_then(|rest| rest.split(' ').next()?.parse().ok());
        // Listed, not gated: where the supply is cut differs from run to run.
        if let Some(value @ 1..) = stack
            && step.record
        {
            let what = "STM32 unit program with its boot loader, deepest stack".to_string();
            figures.push(Figure { what, value, unit: "octets" });
        }
    }
}

fn tool() -> std::path::PathBuf {
    target_dir().join("unit-tool").join("debug").join("meter")
}

fn build(step: &mut Step, route: Route, folder: &Path) -> Option<()> {
    let mut meter = cargo();
    meter.args(["build", "--quiet", "-p", "meter"]).env("CARGO_TARGET_DIR", target_dir().join("unit-tool"));
    step.quietly("meter", &mut meter)?;
    for key in ["key", "other"] {
        for file in [format!("{key}.der"), format!("{key}.pub.der")] {
            let _ = fs::remove_file(folder.join(file));
        }
        let mut keygen = Command::new(tool());
        keygen.args(["upgrade", "keygen", "--out"]).arg(folder.join(format!("{key}.der")));
        step.quietly("keys", &mut keygen)?;
    }
    for (number, (version, features)) in UNITS.iter().enumerate() {
        let mut command = STM32.build(route);
        command.args(["--bin", "unit"]).args(*features);
        command.env("UNIT_VERSION", version).env("UNIT_KEY", folder.join("key.pub.der"));
        step.quietly(&format!("unit {version}"), &mut command)?;
        keep(step, "unit", &folder.join(format!("unit-{}", number + 1)))?;
    }
    let mut boot = STM32.build(route);
    step.quietly("boot loader with files", boot.args(["-p", "boot", "--features", "emulated"]))?;
    keep(step, "boot", &folder.join("boot"))
}

/// Copies a program before the next build takes its place.
fn keep(step: &mut Step, program: &str, to: &Path) -> Option<()> {
    let copied = fs::copy(STM32.elf(program), to);
    copied.map(|_| ()).map_err(|error| step.fail(program, &format!("{}: {error}", to.display()))).ok()
}
