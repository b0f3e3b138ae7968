//! The programs of `examples/stm32`: built, looked at, and run in QEMU's netduinoplus2.

use crate::budgets::settle;
use crate::emulator::NETDUINO;
use crate::firmware::{Example, route, version};
use crate::run::{Step, works};
use crate::{short, symbols, unit};

pub const STM32: Example = Example { name: "stm32", target: "thumbv7em-none-eabihf" };

/// The step of `cargo xtask test`, and of `cargo xtask firmware stm32`.
pub fn run(step: &mut Step) {
    let Some(route) = route(STM32.target) else {
        return step.missing("stm32", "no compiler with core for it; `cargo xtask setup` installs one");
    };
    // For hardware: built, not run. What is left in the target folder is then for the emulator.
    let mut hardware = STM32.build(route);
    hardware.args(["--features", "pll", "--no-default-features"]);
    if step.check("built for hardware, 168 MHz", &mut hardware).is_none()
        || step.check("built for the emulator", &mut STM32.build(route)).is_none()
    {
        return;
    }
    let mut figures = Vec::new();
    for program in short::PROGRAMS {
        short::look(step, "STM32", program, &STM32.elf(program), &mut figures);
    }
    short::look(step, "STM32", "unit", &STM32.elf("unit"), &mut figures);
    let mut boot = STM32.build(route);
    // The linker holds it to its sector of 16 KiB.
    if step.check("boot loader, linked into 16 KiB", boot.args(["-p", "boot"])).is_some() {
        short::look(step, "STM32", "boot", &STM32.elf("boot"), &mut figures);
    }
    if !works("qemu-system-arm", &["--version"]) {
        step.missing("runs", "no qemu-system-arm; `cargo xtask setup` installs it");
    } else {
        short::try_all(step, "STM32", &NETDUINO, |program| STM32.elf(program), &mut figures);
        let paths = short::measure(step, "Cortex-M4", &NETDUINO, &STM32.elf("measure"), &mut figures);
        symbols::settle(step, &version(route), &paths);
        unit::run(step, route, &mut figures);
    }
    settle(step, &version(route), &figures);
}
