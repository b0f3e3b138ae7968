//! `cargo xtask signatures`: text and instructions of a check of a signature, for each library that can do it.

use std::process::Command;

use crate::firmware::{build, linked_file, route, version};
use crate::linked::text_and_data;
use crate::run::{Step, target_dir, works};

const TARGETS: &[&str] = &["thumbv6m-none-eabi", "thumbv7em-none-eabihf"];
const LIBRARIES: &[&str] = &["salty", "ed25519", "p256"];

/// The smaller of the `sha2` crate's two ways to compute without special instructions.
const FLAGS: &str = "--cfg sha2_backend=\"soft\" --cfg sha2_backend_soft=\"compact\"";

pub fn run(step: &mut Step) {
    if !works("qemu-system-arm", &["--version"]) {
        return step.missing("signatures", "no qemu-system-arm; `cargo xtask setup` installs it");
    }
    for target in TARGETS {
        let Some(route) = route(target) else {
            step.missing(target, "no compiler with core for it; `cargo xtask setup` installs one");
            continue;
        };
        for library in LIBRARIES {
            let name = format!("{library} for {target}");
            let folder = target_dir().join("verify");
            let mut command = build(route, target, "xtask/verify");
            command.args(["--features", library]).env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder);
            if step.quietly(&name, &mut command).is_none() {
                continue;
            }
            let elf = linked_file(&folder, target, "verify");
            let mut emulator = Command::new("qemu-system-arm");
            emulator.args(["-M", "netduinoplus2", "-nographic", "-monitor", "none", "-serial", "null"]);
            emulator.args([
                "-semihosting-config",
                "enable=on,target=native",
                "-icount",
                "shift=0",
                "-kernel",
            ]);
            if let Some(ticks) = step.quietly(&name, emulator.arg(&elf)) {
                let text = text_and_data(&elf).map_or(0, |(text, _)| text);
                let (ticks, compiler) = (ticks.trim(), version(route));
                println!("   {name}: {ticks} instructions, text of the whole program {text} ({compiler})");
                step.pass(1);
            }
        }
    }
}
