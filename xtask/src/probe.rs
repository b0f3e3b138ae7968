//! Each decode core linked alone for each bare target: no panic code may be in it, and its size has a budget.
//!
//! `xtask/probe` holds one program a core that calls the decode entry points with octets the linker cannot know, and
//! nothing else: no HAL, no start-up code. What is left in the linked file is the core itself.

use std::path::Path;

use crate::budgets::{Figure, settle};
use crate::firmware::{TARGETS, build, linked_file, route, version};
use crate::linked::{is_panic, llvm, panic_symbols, text_and_data};
use crate::run::{Step, answer, target_dir, works};

/// The programs of `xtask/probe`, each a feature there.
const CORES: &[&str] = &[
    "hdlc",
    "mbus",
    "axdr",
    "han",
    "dsmr",
    "dsmr-values",
    "dsmr-telegram",
    "dlt645",
    "upgrade",
    "boot",
    "install",
];

/// The target whose text sizes the budget table names.
const SMALLEST: &str = "thumbv6m-none-eabi";

/// What the linked file of a core looks like.
struct Linked {
    core: &'static str,
    target: &'static str,
    compiler: String,
    panics: Vec<String>,
    sizes: Sizes,
}

/// In octets.
struct Sizes {
    /// Code and constants.
    text: u64,
    /// The decoder's own state with its storage, where it is not all zeros and so stands in flash as well.
    state: u64,
    /// Other initialised RAM: constants, on AVR.
    constants: u64,
}

/// The step of `cargo xtask test`.
pub fn run(step: &mut Step) {
    for linked in link_all(step) {
        let name = format!("{} for {}", linked.core, linked.target);
        if linked.panics.is_empty() {
            step.pass(1);
            println!("   ok {name}: no panic code, text {}", linked.sizes.text);
        } else {
            step.fail(&name, &format!("panic code linked: {}", linked.panics.join(", ")));
        }
        settle(step, &linked.compiler, &linked.figures());
    }
}

/// `cargo xtask budgets`: the figures, and with `record` into the table.
pub fn figures(step: &mut Step, record: bool) {
    step.record = record;
    for linked in link_all(step) {
        if record {
            settle(step, &linked.compiler, &linked.figures());
        } else {
            for Figure { what, value, unit } in linked.figures() {
                println!("   {what}: {value} {unit} ({})", linked.compiler);
                step.pass(1);
            }
        }
    }
}

impl Linked {
    /// The figures that have a budget: text where flash is smallest, and initialised RAM where it is.
    fn figures(&self) -> Vec<Figure> {
        let figure = |what: &str, value| {
            let what = format!("{} core, {what} on {}", self.core, self.target);
            Figure { what, value, unit: "octets" }
        };
        if self.target == SMALLEST {
            vec![figure("text", self.sizes.text)]
        } else if self.target.starts_with("avr") {
            vec![
                figure("initialised state", self.sizes.state),
                figure("constants in RAM", self.sizes.constants),
            ]
        } else {
            Vec::new()
        }
    }
}

fn link_all(step: &mut Step) -> Vec<Linked> {
    let mut all = Vec::new();
    if answer(llvm("nm").arg("--version")).is_none() {
        step.missing("every core", "no llvm-nm, -size, -objdump; `cargo xtask setup` installs them");
        return all;
    }
    for target in TARGETS {
        let Some(route) = route(target) else {
            step.missing(target, "no compiler with core for it; `cargo xtask setup` installs one");
            continue;
        };
        if target.starts_with("avr") && !works("avr-gcc", &["--version"]) {
            step.missing(target, "no avr-gcc to link with; `cargo xtask setup` installs it");
            continue;
        }
        for core in CORES {
            let mut command = build(route, target, "xtask/probe");
            command.args(["--features", core, "--bin", core]);
            let name = format!("{core} for {target}");
            if step.quietly(&name, &mut command).is_none() {
                continue;
            }
            let file = linked_file(&target_dir().join("firmware"), target, core);
            match (panics(&file), Sizes::of(&file)) {
                (Some(panics), Some(sizes)) => {
                    all.push(Linked { core, target, compiler: version(route), panics, sizes });
                }
                _ => step.fail(&name, &format!("{} cannot be read", file.display())),
            }
        }
    }
    all
}

/// The symbols of panic code in a linked file, and the functions that call them.
fn panics(file: &Path) -> Option<Vec<String>> {
    let panics = panic_symbols(file, "probe")?;
    if panics.is_empty() {
        return Some(panics);
    }
    let code = answer(llvm("objdump").args(["--disassemble", "--demangle"]).arg(file))?;
    // On AVR a call names no function: the callers show on the other targets.
    let callers = callers(&code).into_iter().map(|caller| format!("called by {caller}"));
    Some(panics.into_iter().chain(callers).collect())
}

impl Sizes {
    fn of(file: &Path) -> Option<Sizes> {
        let (text, data) = text_and_data(file)?;
        let symbols = answer(llvm("nm").args(["--print-size", "--radix=d"]).arg(file))?;
        // 00800100 00000736 d _RNv…5STATE
        let state = symbols.lines().find_map(|line| {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let [_, size, "d" | "D", name] = cells.as_slice() else { return None };
            name.ends_with("STATE").then(|| size.parse().ok())?
        });
        let state = state.unwrap_or(0);
        Some(Sizes { text, state, constants: data.saturating_sub(state) })
    }
}

/// The functions in a disassembly that name panic code and are none themselves.
fn callers(code: &str) -> Vec<String> {
    let mut callers: Vec<String> = Vec::new();
    let mut function = "";
    for line in code.lines() {
        // 000201c0 <name>:
        if let Some(name) = line.strip_suffix(">:").and_then(|line| line.split_once('<')) {
            function = name.1;
        } else if is_panic(line) && !is_panic(function) && callers.last().is_none_or(|last| last != function)
        {
            callers.push(function.to_string());
        }
    }
    callers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_of_panic_code_are_named_once_each() {
        let code = "00000104 <<dsmr::line>::parse>:\n  120: f000 bl 0x200 <core::panicking::panic_fmt>\n\
                    \x20 124: f000 bl 0x200 <core::panicking::panic_fmt>\n00000200 <core::panicking::panic_fmt>:\n\
                    \x20 200: e7fe b 0x200 <core::panicking::panic_fmt+0x4>\n";
        assert_eq!(callers(code), ["<dsmr::line>::parse"]);
    }
}
