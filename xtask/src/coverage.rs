//! Line coverage of the five libraries by all tests of the repository, by cargo-llvm-cov.

use std::path::Path;
use std::process::Command;

use crate::crates::libraries;
use crate::run::{Step, cargo, target_dir, works};

/// Debian's tools, whose LLVM is new enough for what rustup's compiler writes; without them, rustup's llvm-tools serve.
const TOOLS: [(&str, &str); 2] =
    [("LLVM_COV", "/usr/bin/llvm-cov-22"), ("LLVM_PROFDATA", "/usr/bin/llvm-profdata-22")];

/// Runs the tests and prints a table by file; `lines` adds every line that no test ran.
pub fn run(step: &mut Step, lines: bool) {
    if !works("cargo", &["llvm-cov", "--version"]) {
        println!("   installing cargo-llvm-cov");
        let installed = step
            .quietly("cargo-llvm-cov", cargo().args(["install", "--quiet", "--locked", "cargo-llvm-cov"]));
        if installed.is_none() {
            return;
        }
    }
    let target = target_dir().join("coverage");
    let set_up = |command: &mut Command| {
        command.env("CARGO_TARGET_DIR", &target);
        for (name, tool) in TOOLS.iter().filter(|(_, tool)| Path::new(tool).exists()) {
            command.env(name, tool);
        }
    };
    let mut clean = cargo();
    clean.args(["llvm-cov", "clean", "--workspace"]);
    set_up(&mut clean);
    let mut test = cargo();
    test.args(["llvm-cov", "--no-report", "--all-features", "-p", "meter"]);
    test.args(libraries().iter().flat_map(|library| ["-p", library.package]));
    set_up(&mut test);
    let mut report = cargo();
    report.args(["llvm-cov", "report", "--ignore-filename-regex", "(examples|xtask|benches|tests)/"]);
    report.arg(if lines { "--show-missing-lines" } else { "--summary-only" });
    set_up(&mut report);
    let _ = step.quietly("clean", &mut clean);
    if step.quietly("tests", &mut test).is_some()
        && let Some(table) = step.quietly("report", &mut report)
    {
        println!("{table}");
    }
}
