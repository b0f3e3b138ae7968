//! Compilers for the bare targets.
//!
//! Two routes lead there. Debian packages a newer rustc with the sources of `core`, which cargo then builds for any target
//! (`-Z build-std`, allowed on that compiler by `RUSTC_BOOTSTRAP`). Elsewhere rustup serves `core` for the ARM and
//! RISC-V targets ready-made, and a nightly with `rust-src` builds it for AVR.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{answer, cargo, root, target_dir};

pub const TARGETS: &[&str] =
    &["thumbv6m-none-eabi", "thumbv7em-none-eabihf", "riscv32imc-unknown-none-elf", "avr-none"];

/// The AVR of the AMS reader; rustc wants to know the chip.
const AVR_FLAGS: &str = "-C target-cpu=atmega324pa";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Debian,
    Rustup,
    Nightly,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Route::Debian => "Debian's rustc, core built from source",
            Route::Rustup => "rustup's stable tool chain",
            Route::Nightly => "rustup's nightly, core built from source",
        })
    }
}

/// The way to build for a target on this machine, if there is one.
pub fn route(target: &str) -> Option<Route> {
    if debian_is_ready() {
        Some(Route::Debian)
    } else if rustup_has(target) {
        Some(Route::Rustup)
    } else {
        nightly_is_ready().then_some(Route::Nightly)
    }
}

pub fn debian_is_ready() -> bool {
    let sysroot = answer(Command::new("/usr/bin/rustc").args(["--print", "sysroot"]));
    let with_core = sysroot.is_some_and(|path| has_core(path.trim()));
    with_core
        && Path::new("/usr/bin/cargo").exists()
        && Path::new("/usr/bin/rust-lld").exists()
        && new_enough()
}

/// Whether rustup's toolchain in use holds `core` for the target.
pub fn rustup_has(target: &str) -> bool {
    let sysroot = answer(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()));
    sysroot.is_some_and(|path| Path::new(path.trim()).join("lib/rustlib").join(target).join("lib").is_dir())
}

pub fn nightly_is_ready() -> bool {
    let sysroot = answer(Command::new("rustc").args(["+nightly", "--print", "sysroot"]).current_dir(root()));
    sysroot.is_some_and(|path| has_core(path.trim()))
}

fn has_core(sysroot: &str) -> bool {
    Path::new(sysroot).join("lib/rustlib/src/rust/library/core/src/lib.rs").exists()
}

/// Debian also has older compilers under the same package name.
fn new_enough() -> bool {
    let minor = |version: &str| version.split('.').nth(1).and_then(|minor| minor.parse::<u32>().ok());
    let installed = answer(Command::new("/usr/bin/rustc").arg("--version")).and_then(|line| minor(&line));
    let wanted = option_env!("CARGO_PKG_RUST_VERSION").and_then(minor);
    installed >= wanted
}

/// The compiler of a route, in words that a budget table can hold.
pub fn version(route: Route) -> String {
    let mut rustc = match route {
        Route::Debian => Command::new("/usr/bin/rustc"),
        Route::Rustup | Route::Nightly => Command::new("rustc"),
    };
    if route == Route::Nightly {
        rustc.arg("+nightly");
    }
    let line = answer(rustc.arg("--version").current_dir(root())).unwrap_or_default();
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// `cargo build --release` for a bare target, in its own target folder: one for all, so that `core` is built once a target.
pub fn build(route: Route, target: &str, folder: &str) -> Command {
    let mut command = match route {
        Route::Debian => Command::new("/usr/bin/cargo"),
        Route::Rustup | Route::Nightly => cargo(),
    };
    if route == Route::Nightly {
        command.arg("+nightly");
    }
    if route == Route::Debian {
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env("PATH", format!("/usr/bin:{path}"))
            .env("RUSTC", "/usr/bin/rustc")
            .env("RUSTC_BOOTSTRAP", "1");
        // Set by rustup and by `cargo run` for the host's toolchain, which is not the one that is called here.
        for name in ["LD_LIBRARY_PATH", "RUSTUP_TOOLCHAIN", "CARGO", "RUSTDOC", "RUSTFLAGS"] {
            command.env_remove(name);
        }
    }
    command.current_dir(root().join(folder)).args(["build", "--release", "--target", target]);
    if route != Route::Rustup {
        command.args(["-Z", "build-std=core"]);
    }
    command.env("CARGO_TARGET_DIR", target_dir().join("firmware"));
    command.env("CARGO_TARGET_AVR_NONE_RUSTFLAGS", AVR_FLAGS);
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "0");
    command
}

/// A workspace of programs under `examples`. It has a target folder of its own: the probes have programs of the same names.
pub struct Example {
    pub name: &'static str,
    pub target: &'static str,
}

impl Example {
    /// Where its output goes.
    pub fn folder(&self) -> PathBuf {
        target_dir().join(format!("examples-{}", self.name))
    }

    /// Builds its programs.
    pub fn build(&self, route: Route) -> Command {
        let mut command = build(route, self.target, &format!("examples/{}", self.name));
        command.arg("--bins").env("CARGO_TARGET_DIR", self.folder());
        command
    }

    /// One of them, linked.
    pub fn elf(&self, program: &str) -> PathBuf {
        linked_file(&self.folder(), self.target, program)
    }
}

/// A linked program in a target folder; avr-gcc's have a suffix.
pub fn linked_file(folder: &Path, target: &str, program: &str) -> PathBuf {
    let release = folder.join(target).join("release");
    let elf = release.join(format!("{program}.elf"));
    if elf.exists() { elf } else { release.join(program) }
}
