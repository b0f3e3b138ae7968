//! Installs what the steps need and the machine lacks; silent and quick when nothing is missing.
//!
//! What cannot be installed here is said, and the steps that miss it are skipped (on CI they fail).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::firmware::{TARGETS, debian_is_ready, nightly_is_ready, rustup_has};
use crate::run::{target_dir, works};

/// Something a step needs: how to see that it is there, and the Debian packages that bring it.
struct Need {
    what: &'static str,
    steps: &'static [&'static str],
    there: fn() -> bool,
    packages: &'static [&'static str],
}

const NEEDS: &[Need] = &[
    Need {
        what: "a C and C++ compiler (every link; libFuzzer)",
        steps: &["test", "clippy", "doc", "bench", "fuzz"],
        there: || works("c++", &["--version"]) && works("cc", &["--version"]),
        packages: &["g++", "libc6-dev"],
    },
    Need {
        what: "a rustc that builds core from source",
        steps: &["no_std", "probe", "firmware-avr", "firmware-stm32", "firmware-esp32"],
        there: debian_is_ready,
        packages: &["rustc-web", "cargo-web", "rust-web-src", "rust-web-llvm", "lld-22"],
    },
    Need {
        what: "avr-gcc (links for AVR)",
        steps: &["probe", "firmware-avr"],
        there: || works("avr-gcc", &["--version"]) && Path::new("/usr/lib/avr/include/avr/io.h").exists(),
        packages: &["gcc-avr", "binutils-avr", "avr-libc"],
    },
    Need {
        what: "llvm-nm and llvm-size (symbols and sizes)",
        steps: &["probe", "firmware-avr", "firmware-stm32", "firmware-esp32"],
        there: || works("llvm-nm-22", &["--version"]),
        packages: &["llvm-22"],
    },
    Need {
        what: "simavr (runs AVR programs) and a C compiler for what stands around it",
        steps: &["firmware-avr"],
        there: || works("cc", &["--version"]) && Path::new("/usr/include/simavr/sim_avr.h").exists(),
        packages: &["libsimavr-dev", "libelf-dev", "gcc", "libc6-dev"],
    },
    Need {
        what: "qemu-system-arm, and a C compiler for its plugin",
        steps: &["firmware-stm32"],
        there: || works("qemu-system-arm", &["--version"]) && works("cc", &["--version"]),
        packages: &["qemu-system-arm", "gcc", "libc6-dev"],
    },
    Need {
        what: "qemu-system-riscv32, and a C compiler for its plugin",
        steps: &["firmware-esp32"],
        there: || works("qemu-system-riscv32", &["--version"]) && works("cc", &["--version"]),
        packages: &["qemu-system-misc", "gcc", "libc6-dev"],
    },
    Need {
        what: "Python with virtual environments (runs Unicorn and esptool)",
        steps: &["firmware-esp32"],
        there: || works("python3", &["-c", "import venv, ensurepip"]),
        packages: &["python3", "python3-venv"],
    },
    Need {
        what: "mosquitto and its clients (the broker that readers talk to), openssl for its certificate",
        steps: &["firmware-avr", "firmware-esp32"],
        there: || {
            let at = |path: &str| Path::new(path).exists();
            at("/usr/sbin/mosquitto") && at("/usr/bin/mosquitto_sub") && works("openssl", &["version"])
        },
        packages: &["mosquitto", "mosquitto-clients", "openssl"],
    },
];

/// Makes the machine ready for the named steps.
pub fn run(steps: &[&str]) {
    println!("== setup");
    components(steps);
    let wanted = |need: &&Need| need.steps.iter().any(|step| steps.contains(step));
    let missing: Vec<&Need> = NEEDS.iter().filter(wanted).filter(|need| !(need.there)()).collect();
    if !missing.is_empty() {
        if works("apt-get", &["--version"]) {
            apt(&missing);
        }
        for need in missing.iter().filter(|need| !(need.there)()) {
            println!("   not there: {}", need.what);
        }
    }
    let bare =
        steps.iter().any(|step| *step == "no_std" || *step == "probe" || step.starts_with("firmware-"));
    if bare && !debian_is_ready() {
        rustup_targets();
    }
    if steps.contains(&"firmware-esp32") && !python_is_ready() {
        python();
    }
    if steps.contains(&"fuzz") && !works("cargo", &["fuzz", "--version"]) {
        attempt(
            "cargo install cargo-fuzz",
            Command::new("cargo").args(["install", "--quiet", "--locked", "cargo-fuzz"]),
        );
    }
    println!("   ready");
}

/// From PyPI, into a virtual environment beside the build output.
const PYTHON: &[&str] = &["unicorn==2.1.4", "pyelftools==0.33", "esptool==5.6.0"];

/// A program of the virtual environment.
pub fn python_tool(name: &str) -> PathBuf {
    target_dir().join("xtask/python/bin").join(name)
}

pub fn python_is_ready() -> bool {
    let runs = |tool: &str, args: &[&str]| python_tool(tool).to_str().is_some_and(|path| works(path, args));
    runs("python", &["-c", "import unicorn, elftools"]) && runs("esptool", &["version"])
}

fn python() {
    let folder = target_dir().join("xtask/python");
    attempt("a virtual environment", Command::new("python3").args(["-m", "venv"]).arg(&folder));
    let mut pip = Command::new(python_tool("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(PYTHON);
    attempt("Unicorn and esptool from PyPI", &mut pip);
}

/// rustup's minimal profile lacks these two.
fn components(steps: &[&str]) {
    for (step, tool, component) in [("fmt", "fmt", "rustfmt"), ("clippy", "clippy", "clippy")] {
        if steps.contains(&step) && !works("cargo", &[tool, "--version"]) {
            attempt(component, Command::new("rustup").args(["component", "add", component]));
        }
    }
}

fn apt(missing: &[&Need]) {
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages.iter().copied()).collect();
    println!("   installing {}", packages.join(" "));
    attempt("apt-get update", apt_get().args(["-qq", "update"]));
    // One by one where all at once fails: an unknown package must not cost the others.
    let all =
        apt_get().args(["-qq", "install", "--yes", "--no-install-recommends"]).args(&packages).run_quietly();
    if let Err(first) = all {
        for need in missing {
            let each = apt_get()
                .args(["-qq", "install", "--yes", "--no-install-recommends"])
                .args(need.packages)
                .run_quietly();
            if each.is_err() {
                println!("   apt-get could not install {}", need.packages.join(" "));
            }
        }
        println!("{first}");
    }
}

fn apt_get() -> Command {
    let root = std::env::var("USER").is_ok_and(|user| user == "root")
        || works("sh", &["-c", "[ \"$(id -u)\" = 0 ]"]);
    let mut command = if root {
        Command::new("env")
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["-n", "env"]);
        sudo
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "Dpkg::Use-Pty=0"]);
    command
}

/// Where apt does not serve: the ready-made targets, and a nightly with the sources of core for AVR.
fn rustup_targets() {
    for target in TARGETS.iter().filter(|target| !target.starts_with("avr") && !rustup_has(target)) {
        attempt(target, Command::new("rustup").args(["target", "add", target]));
    }
    if !nightly_is_ready() {
        let args = ["toolchain", "install", "nightly", "--profile", "minimal", "--component", "rust-src"];
        attempt("rustup's nightly", Command::new("rustup").args(args));
    }
}

fn attempt(what: &str, command: &mut Command) {
    if let Err(output) = command.run_quietly() {
        println!("   {what} failed:\n{output}");
    }
}

trait RunQuietly {
    fn run_quietly(&mut self) -> Result<(), String>;
}

impl RunQuietly for Command {
    fn run_quietly(&mut self) -> Result<(), String> {
        let output = self.stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}
