//! What stands in a linked program: symbols, sizes, and whose code can reach panic code.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::Command;

use crate::run::{answer, works};

/// A tool of LLVM, with the suffix that Debian gives it or without.
pub fn llvm(tool: &str) -> Command {
    let versioned = format!("llvm-{tool}-22");
    Command::new(if works(&versioned, &["--version"]) { versioned } else { format!("llvm-{tool}") })
}

/// The symbols of a linked program.
pub struct Symbols(HashMap<String, u64>);

impl Symbols {
    pub fn of(elf: &Path) -> Option<Symbols> {
        let table = answer(llvm("nm").arg(elf))?;
        // 20000400 b __ebss
        let symbol = |line: &str| {
            let mut cells = line.split_whitespace();
            let address = u64::from_str_radix(cells.next()?, 16).ok()?;
            Some((cells.nth(1)?.to_string(), address))
        };
        Some(Symbols(table.lines().filter_map(symbol).collect()))
    }

    pub fn address(&self, name: &str) -> Option<u64> {
        self.0.get(name).copied()
    }
}

/// The functions of a linked program, by their addresses.
pub struct Functions(Vec<Function>);

struct Function {
    address: u64,
    /// 0 where the assembler gave none.
    size: u64,
    name: String,
}

impl Functions {
    pub fn of(elf: &Path) -> Option<Functions> {
        let table = answer(llvm("nm").args(["--demangle", "--print-size", "--defined-only"]).arg(elf))?;
        Some(Functions::listed(&table))
    }

    /// From lines such as `08000100 00000010 t name`, in any order.
    pub fn listed(table: &str) -> Functions {
        let function = |line: &str| {
            let mut cells = line.splitn(4, ' ');
            let address = u64::from_str_radix(cells.next()?, 16).ok()?;
            let size = u64::from_str_radix(cells.next()?, 16).ok()?;
            let code = matches!(cells.next()?, "t" | "T" | "w" | "W");
            code.then_some(Function { address, size, name: plain(cells.next()?) })
        };
        let mut functions: Vec<Function> = table.lines().filter_map(function).collect();
        // Of several names for one place the shortest counts: `memcpy`, not `__aeabi_memcpy`.
        functions.sort_by(|a, b| {
            let key =
                |function: &Function| (function.address, function.size, usize::MAX - function.name.len());
            key(a).cmp(&key(b)).then(b.name.cmp(&a.name))
        });
        Functions(functions)
    }

    /// The function that an address is in, or the label that it is behind.
    pub fn at(&self, address: u64) -> Option<&str> {
        let before = self.0.partition_point(|function| function.address <= address);
        let (before, _) = self.0.split_at_checked(before)?;
        let holds = |function: &&Function| address - function.address < function.size;
        let function = before.iter().rev().find(holds).or(before.last())?;
        Some(&function.name)
    }
}

/// A demangled name without what differs from build to build: the hash at its end, the number of a copy that LLVM made.
fn plain(name: &str) -> String {
    let name = name.split(".llvm.").next().unwrap_or(name);
    let hash = |tail: &str| {
        tail.len() == 17 && tail.starts_with('h') && tail[1..].bytes().all(|c| c.is_ascii_hexdigit())
    };
    match name.rsplit_once("::") {
        Some((front, tail)) if hash(tail) => front.to_string(),
        _ => name.to_string(),
    }
}

/// The symbols of panic code in a program; `None` where it has no `entry`, as it would be free of everything then.
pub fn panic_symbols(elf: &Path, entry: &str) -> Option<Vec<String>> {
    let symbols = answer(llvm("nm").args(["--demangle", "--format=just-symbols"]).arg(elf))?;
    symbols.lines().find(|symbol| *symbol == entry)?;
    Some(symbols.lines().filter(|symbol| is_panic(symbol)).map(str::to_string).collect())
}

/// Octets of code and constants, and of initialised RAM.
pub fn text_and_data(elf: &Path) -> Option<(u64, u64)> {
    let table = answer(llvm("size").arg("--format=berkeley").arg(elf))?;
    let mut cells = table.lines().nth(1)?.split_whitespace().map(str::parse::<u64>);
    Some((cells.next()?.ok()?, cells.next()?.ok()?))
}

/// Octets of flash (code, constants, initial values) and of static RAM, section by section: there are many on these chips.
pub fn sizes(elf: &Path) -> Option<(u64, u64)> {
    let table = answer(llvm("size").arg("--format=sysv").arg(elf))?;
    let (mut flash, mut ram) = (0, 0);
    for line in table.lines() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [name, size, address] = cells.as_slice() else { continue };
        let (Ok(size), Ok(address)) = (size.parse::<u64>(), address.parse::<u64>()) else { continue };
        let in_ram = name.starts_with(".bss") || name.starts_with(".uninit") || name.starts_with(".noinit");
        let both = name.starts_with(".data") || name.starts_with(".rwtext") || name.starts_with(".rwdata");
        // Debugging sections and such have no address.
        if address == 0 && !name.starts_with(".vector_table") {
            continue;
        }
        match (in_ram, both) {
            (true, _) => ram += size,
            (_, true) => (flash, ram) = (flash + size, ram + size),
            _ if is_loaded(name) => flash += size,
            _ => {}
        }
    }
    Some((flash, ram))
}

/// Sections that stand in flash only.
fn is_loaded(name: &str) -> bool {
    [".vector_table", ".text", ".rodata", ".trap", ".init", ".flash"]
        .iter()
        .any(|front| name.starts_with(front))
}

/// Who can reach panic code.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Panics {
    /// Functions of this repository's crates, directly or through others.
    pub ours: Vec<String>,
    /// Functions of others that name panic code themselves.
    pub others: Vec<String>,
}

/// Whose functions lead to panic code, by the calls and jumps in the disassembly. Calls through pointers do not show.
pub fn panics(elf: &Path) -> Option<Panics> {
    let code = answer(llvm("objdump").args(["--disassemble", "--demangle", "--no-show-raw-insn"]).arg(elf))?;
    Some(Calls::of(&code).panics())
}

/// The libraries, and the logic that the firmware shares.
const OURS: &[&str] = &["dlms_hdlc", "obis", "dsmr", "dlt645", "upgrade_proto", "logic"];

/// Also the functions of `core` that do nothing but panic, so that their callers are named.
pub fn is_panic(name: &str) -> bool {
    let failure = name.contains("core::") && (name.contains("_fail") || name.contains("_failed"));
    failure || name.contains("core::panicking") || name.contains("rust_begin_unwind")
}

/// Whether a function is of one of this repository's crates: `dsmr::…`, `<dsmr::…>::…`, `<dsmr::… as …>::…`.
///
/// The boards' own code (`board`) is not: it is there to call the vendor's.
fn is_ours(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '*']).trim_start_matches("mut ").trim_start_matches('<');
    // The programs are called as the crates are: their `main` is the board's, and the vendor's code is drawn into it.
    let entry = name.ends_with("::__cortex_m_rt_main") || name.ends_with("::main");
    !entry && OURS.iter().any(|own| name.strip_prefix(own).is_some_and(|rest| rest.starts_with("::")))
}

/// Where our code hands over to others': a board's binding to the vendor's, the check of a signature to the crate that does it.
fn is_border(name: &str) -> bool {
    let name = name.trim_start_matches(['<', '&']);
    name.starts_with("board::") || name.starts_with("upgrade_proto::security::signature::")
}

/// The symbol that an instruction names: `…: bl 0x200 <name+0x4> @ imm = #0x942`, with the remark or without.
fn named(line: &str) -> Option<&str> {
    let line = line.split(" @ ").next()?.trim_end();
    Some(line.strip_suffix('>')?.split_once(" <")?.1)
}

/// Which function names which.
struct Calls<'c>(HashMap<&'c str, HashSet<&'c str>>);

impl<'c> Calls<'c> {
    fn of(code: &'c str) -> Calls<'c> {
        let mut calls: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut function = "";
        for line in code.lines() {
            // 000201c0 <name>:
            if let Some((_, name)) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
                function = name;
                calls.entry(function).or_default();
            } else if let Some(name) = named(line) {
                let name = name.rsplit_once("+0x").map_or(name, |(name, _)| name);
                calls.entry(function).or_default().insert(name);
            }
        }
        Calls(calls)
    }

    fn panics(&self) -> Panics {
        let mut reach: HashSet<&str> = self.0.keys().copied().filter(|name| is_panic(name)).collect();
        let others = self.0.iter().filter(|(name, called)| {
            !is_panic(name) && !is_ours(name) && called.iter().any(|called| is_panic(called))
        });
        let mut others: Vec<String> = others.map(|(name, _)| (*name).to_string()).collect();
        loop {
            let more: Vec<&str> = self
                .0
                .iter()
                .filter(|(name, called)| {
                    !is_border(name)
                        && !reach.contains(*name)
                        && called.iter().any(|called| reach.contains(called) || is_panic(called))
                })
                .map(|(name, _)| *name)
                .collect();
            if more.is_empty() {
                break;
            }
            reach.extend(more);
        }
        let mut ours: Vec<String> = reach
            .iter()
            .filter(|name| is_ours(name) && !is_panic(name))
            .map(|name| (*name).to_string())
            .collect();
        ours.sort();
        others.sort();
        Panics { ours, others }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "00000104 <<dsmr::line::Line>::parse>:\n  120: bl 0x200 <hal::helper> @ imm = #0x42\n\
        00000200 <hal::helper>:\n  200: b 0x300 <core::panicking::panic_fmt+0x4>\n\
        00000280 <hal::redsmr::x>:\n  280: bl 0x200 <hal::helper>\n\
        00000300 <core::panicking::panic_fmt>:\n  300: b 0x300 <core::panicking::panic_fmt>\n";

    #[test]
    fn panic_code_behind_a_helper_is_charged_to_our_caller() {
        let panics = Calls::of(CODE).panics();
        assert_eq!(panics.ours, ["<dsmr::line::Line>::parse"]);
        assert_eq!(panics.others, ["hal::helper"]);
    }

    #[test]
    fn panic_code_of_a_signature_check_is_charged_to_the_crate_that_does_it() {
        let code = "00000104 <upgrade_proto::install::accept>:\n  120: bl 0x200 <<upgrade_proto::security::signature::Salty as upgrade_proto::security::Verify>::verify> @ imm = #0x42\n\
            00000200 <<upgrade_proto::security::signature::Salty as upgrade_proto::security::Verify>::verify>:\n  200: bl 0x300 <salty::verify>\n\
            00000300 <salty::verify>:\n  300: bl 0x400 <core::panicking::panic_fmt>\n\
            00000400 <core::panicking::panic_fmt>:\n  400: b 0x400 <core::panicking::panic_fmt>\n";
        let panics = Calls::of(code).panics();
        assert!(panics.ours.is_empty(), "{:?}", panics.ours);
        assert_eq!(panics.others, ["salty::verify"]);
    }

    #[test]
    fn an_address_is_in_the_function_that_holds_it() {
        let functions = Functions::listed(
            "00000100 00000000 T __loop\n00000080 00000010 T first\n00000090 00000020 t second::h0123456789abcdef\n\
             00000090 00000020 T a_longer_name_of_the_second\n00000000 00000200 B state\n",
        );
        assert_eq!(functions.at(0x7E), None);
        assert_eq!(functions.at(0x80), Some("first"));
        assert_eq!(functions.at(0xAE), Some("second"));
        assert_eq!(functions.at(0x104), Some("__loop"));
    }

    #[test]
    fn names_inside_other_names_are_not_ours() {
        assert!(is_ours("<logic::programs::hdlc::Hdlc<B> as logic::programs::Program>::take"));
        assert!(is_ours("dlt645::frame::Frame::parse"));
        assert!(!is_ours("dsmr::__cortex_m_rt_main"));
        assert!(!is_ours("hal::redsmr::x"));
        assert!(!is_ours("core::ops::dsmr_like::x"));
    }
}
