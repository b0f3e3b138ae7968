//! The steps that need the host's tool chain only.

use crate::crates::{Choice, choices, libraries};
use crate::run::{Step, cargo, root, target_dir};

/// Workspaces of their own beside the main one.
const OTHERS: &[&str] = &[
    "fuzz",
    "xtask/probe",
    "xtask/verify",
    "examples/avr",
    "examples/avr/harness",
    "examples/stm32",
    "examples/stm32/boot",
    "examples/stm32/host",
    "examples/stm32/harness",
    "examples/esp32/c3",
    "examples/esp32/net",
    "examples/esp32/virt",
];

/// What the STM32's program alone has of the logic that the firmware shares.
const UNIT: [&str; 4] = ["-p", "meter-logic", "--features", "unit"];

pub fn fmt(step: &mut Step) {
    step.check("workspace", cargo().args(["fmt", "--all", "--check"]));
    for other in OTHERS {
        let manifest = format!("{other}/Cargo.toml");
        if root().join(&manifest).is_file() {
            step.check(other, cargo().args(["fmt", "--check", "--manifest-path", &manifest]));
        }
    }
}

pub fn clippy(step: &mut Step) {
    step.check(
        "workspace, every target",
        cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    );
    let mut unit = cargo();
    unit.arg("clippy").args(UNIT).args(["--all-targets", "--", "-D", "warnings"]);
    step.check("the management unit's logic", &mut unit);
    let mut fuzz = cargo();
    fuzz.args(["clippy", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features", "--all-targets"]);
    fuzz.args(["--", "-D", "warnings"]);
    step.check("fuzz", fuzz.env("CARGO_TARGET_DIR", target_dir().join("fuzz")));
    for library in libraries() {
        for choice in choices(&library, |_| false) {
            let mut command = cargo();
            command.args(["clippy", "-p", library.package]).args(&choice.args);
            if choice.label == "all features" {
                command.arg("--all-targets");
            }
            command.args(["--", "-D", "warnings"]);
            step.check(&format!("{}, {}", library.package, choice.label), &mut command);
        }
    }
}

pub fn doc(step: &mut Step) {
    let mut command = cargo();
    command.args(["doc", "--workspace", "--exclude", "benches", "--no-deps", "--all-features"]);
    step.check("workspace, all features", command.env("RUSTDOCFLAGS", "-D warnings"));
}

pub fn test(step: &mut Step) {
    step.tests("workspace", cargo().args(["test", "--no-fail-fast", "--workspace", "--exclude", "benches"]));
    for library in libraries() {
        let all: Vec<&str> = library.features.iter().map(String::as_str).collect();
        for choice in [Choice::none(), Choice::of("all features", &all)] {
            let mut command = cargo();
            command.args(["test", "--no-fail-fast", "-p", library.package]).args(&choice.args);
            step.tests(&format!("{}, {}", library.package, choice.label), &mut command);
        }
    }
    step.tests("the management unit's logic", cargo().args(["test", "--no-fail-fast"]).args(UNIT));
    // The tests pass without the real captures, so that a clone can run them: say what that leaves out.
    if !root().join("../shared/captures").is_dir() {
        step.skip(
            "real captures",
            "../shared/captures not found: only the repository's own vectors were tested",
        );
    }
}

pub fn bench(step: &mut Step) {
    step.tests("decoding allocates nothing", cargo().args(["test", "-p", "benches", "--tests"]));
    // Built as tests: without the linker's optimisation, which takes minutes for all that they are measured against.
    step.check("benches, once each", cargo().args(["test", "-p", "benches", "--benches"]));
}
