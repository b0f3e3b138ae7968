//! The libraries compiled for the Xtensa ESP32, as far as Debian's LLVM goes: machine code that is neither linked nor run.

use crate::crates::libraries;
use crate::firmware::{Route, build, debian_is_ready};
use crate::run::Step;

/// Debian's LLVM compiles `core` for the chip without its floating-point unit, which no library needs.
const TARGET: &str = "examples/esp32/xtensa-esp32-none-elf.json";

pub fn run(step: &mut Step) {
    if !debian_is_ready() {
        return println!("   not built: Xtensa, which only Debian's compiler or Espressif's has");
    }
    let mut command = build(Route::Debian, TARGET, ".");
    command.args(["-Z", "json-target-spec"]);
    for library in libraries() {
        command.args(["-p", library.package]);
    }
    if step.quietly("the libraries for Xtensa", &mut command).is_some() {
        step.pass(1);
        println!("   ok the libraries compile for Xtensa (not linked, not run)");
    }
}
