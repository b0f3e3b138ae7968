//! The programs of `examples/stm32`: built, looked at, and run in QEMU's netduinoplus2.

use std::path::PathBuf;
use std::process::Command;

use crate::budgets::settle;
use crate::emulator::NETDUINO;
use crate::firmware::{Route, build, route, version};
use crate::run::{Step, target_dir, works};
use crate::short;

const FOLDER: &str = "examples/stm32";
const TARGET: &str = "thumbv7em-none-eabihf";

/// The step of `cargo xtask test`, and of `cargo xtask firmware stm32`.
pub fn run(step: &mut Step) {
    let Some(route) = route(TARGET) else {
        return step.missing("stm32", "no compiler with core for it; `cargo xtask setup` installs one");
    };
    // For hardware: built, not run. What is left in the target folder is then for the emulator.
    let mut hardware = firmware(route);
    hardware.args(["--features", "pll", "--no-default-features"]);
    if step.check("built for hardware, 168 MHz", &mut hardware).is_none()
        || step.check("built for the emulator", &mut firmware(route)).is_none()
    {
        return;
    }
    let mut figures = Vec::new();
    for program in short::PROGRAMS {
        short::look(step, "STM32", program, &elf(program), &mut figures);
    }
    let mut boot = firmware(route);
    // The linker holds it to its sector of 16 KiB.
    if step.check("boot loader, linked into 16 KiB", boot.args(["-p", "boot"])).is_some() {
        short::look(step, "STM32", "boot", &elf("boot"), &mut figures);
    }
    if !works("qemu-system-arm", &["--version"]) {
        step.missing("runs", "no qemu-system-arm; `cargo xtask setup` installs it");
    } else {
        short::try_all(step, "STM32", &NETDUINO, elf, &mut figures);
        short::measure(step, "Cortex-M4", &NETDUINO, &elf("measure"), &mut figures);
    }
    settle(step, &version(route), &figures);
}

fn folder() -> PathBuf {
    target_dir().join("examples-stm32")
}

fn firmware(route: Route) -> Command {
    let mut command = build(route, TARGET, FOLDER);
    command.args(["--bins"]).env("CARGO_TARGET_DIR", folder());
    command
}

fn elf(program: &str) -> PathBuf {
    folder().join(TARGET).join("release").join(program)
}
