//! The programs of `examples/esp32`: for the ESP32-C3 linked, their images checked, and run in Unicorn; the same programs
//! for QEMU's RISC-V board `virt` run there.

use std::fs;
use std::process::Command;

use crate::budgets::{Figure, settle};
use crate::emulator::VIRT;
use crate::firmware::{Example, Route, route, version};
use crate::run::{Step, root, target_dir, works};
use crate::setup::{python_is_ready, python_tool};
use crate::{han, p1, short, xtensa};

/// Both boards share most of what is built. Their programs have the same names, so each is built before it is run.
const ESP32: Example = Example { name: "esp32", target: "riscv32imc-unknown-none-elf" };

/// Whole systems. For the chip they are built twice: with the radio, and without it, when they say on their line what they would
/// send.
const READERS: &[&str] = &["p1", "han"];
const ALONE: &str = "ESP32-C3 without radio";

/// The step of `cargo xtask test`, and of `cargo xtask firmware esp32`.
pub fn run(step: &mut Step) {
    let Some(route) = route(ESP32.target) else {
        return step.missing("esp32", "no compiler with core for it; `cargo xtask setup` installs one");
    };
    let mut figures = Vec::new();
    if step.check("built for virt", &mut firmware(route, "virt")).is_some() {
        virt(step, &mut figures);
    }
    if step.check("built for the ESP32-C3", &mut firmware(route, "c3")).is_some() {
        c3(step, &mut figures);
    }
    let mut radio = firmware(route, "c3");
    if step.check("readers with the radio for the ESP32-C3", radio.args(["--features", "wifi"])).is_some() {
        for reader in READERS {
            short::look(step, "ESP32-C3", reader, &ESP32.elf(reader), &mut figures);
            if python_is_ready() {
                image(step, reader);
            }
        }
    }
    xtensa::run(step);
    settle(step, &version(route), &figures);
}

fn virt(step: &mut Step, figures: &mut Vec<Figure>) {
    for program in short::PROGRAMS {
        short::look(step, "RISC-V virt", program, &ESP32.elf(program), figures);
    }
    if !works("qemu-system-riscv32", &["--version"]) {
        return step.missing("virt", "no qemu-system-riscv32; `cargo xtask setup` installs it");
    }
    short::try_all(step, "RISC-V virt", &VIRT, |program| ESP32.elf(program), figures);
    short::measure(step, "RISC-V", &VIRT, &ESP32.elf("measure"), figures);
    short::look(step, "RISC-V virt", "p1", &ESP32.elf("p1"), figures);
    p1::run(step, &ESP32.elf("p1"));
    short::look(step, "RISC-V virt", "han", &ESP32.elf("han"), figures);
    han::run(step, &ESP32.elf("han"));
}

fn c3(step: &mut Step, figures: &mut Vec<Figure>) {
    for program in short::PROGRAMS {
        short::look(step, "ESP32-C3", program, &ESP32.elf(program), figures);
    }
    for reader in READERS {
        short::look(step, ALONE, reader, &ESP32.elf(reader), figures);
    }
    if !python_is_ready() {
        return step.missing("ESP32-C3", "no esptool and Unicorn; `cargo xtask setup` installs them");
    }
    for program in short::PROGRAMS {
        image(step, program);
        emulate(step, "ESP32-C3", program, figures);
    }
    for reader in READERS {
        image(step, reader);
        emulate(step, ALONE, reader, figures);
    }
}

/// Makes the image that goes into the chip's flash, and has it checked.
fn image(step: &mut Step, program: &str) {
    let file = ESP32.folder().join(format!("{program}.bin"));
    let esptool = || Command::new(python_tool("esptool"));
    let mut make = esptool();
    make.args(["--chip", "esp32c3", "elf2image", "--flash-mode", "dio", "--flash-size", "4MB", "-o"]);
    let label = format!("{program}, image");
    if step.quietly(&label, make.arg(&file).arg(ESP32.elf(program))).is_none() {
        return;
    }
    let mut check = esptool();
    let Some(told) = step.quietly(&label, check.args(["--chip", "esp32c3", "image-info"]).arg(&file)) else {
        return;
    };
    let told = told.to_lowercase();
    if told.contains("(valid)") && !told.contains("invalid") {
        step.pass(1);
        println!("   ok {label}: checksum and hash valid");
    } else {
        step.fail(&label, &told);
    }
}

/// A program with its vector in Unicorn.
fn emulate(step: &mut Step, chip: &str, program: &str, figures: &mut Vec<Figure>) {
    let Some((octets, lines)) = short::vector(program) else {
        return step.fail(program, "its vector cannot be read");
    };
    let input = target_dir().join("xtask").join("vector.bin");
    if let Err(error) = fs::write(&input, &octets) {
        return step.fail(program, &format!("{}: {error}", input.display()));
    }
    let label = format!("{program}, in Unicorn");
    let mut command = Command::new(python_tool("python"));
    command.arg(root().join("examples/esp32/emulate.py")).arg(ESP32.elf(program)).arg(&input).arg("120");
    let Some(told) = step.quietly(&label, &mut command) else { return };
    let wanted = format!("READY\n{lines}# idle {} 0\n# stack ", octets.len());
    // What stands before READY is the start-up code's.
    let Some(stack) = told.split_once(&wanted).and_then(|(_, stack)| stack.trim().parse().ok()) else {
        return step.fail(&label, &format!("wanted:\n{wanted}\ncame:\n{told}"));
    };
    step.pass(1);
    println!("   ok {label}: {} lines", lines.lines().count());
    let what = format!("{chip} {program} program, deepest stack");
    figures.push(Figure { what, value: stack, unit: "octets" });
}

fn firmware(route: Route, package: &str) -> Command {
    let mut command = ESP32.build(route);
    if route != Route::Rustup {
        command.args(["-Z", "build-std=core,alloc"]);
    }
    command.args(["-p", package]);
    command
}
