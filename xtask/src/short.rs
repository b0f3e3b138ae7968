//! The short programs on a 32-bit chip: what was linked, what comes out for the vectors, what a decoder costs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::budgets::Figure;
use crate::emulator::{Machine, count, run};
use crate::linked::{Functions, panics, sizes};
use crate::run::{Step, cargo, root};
use crate::symbols::HotPath;

pub const PROGRAMS: &[&str] = &["hdlc", "obis", "dsmr", "dlt645", "upgrade"];

/// Panic code and sizes of a linked program.
pub fn look(step: &mut Step, chip: &str, program: &str, elf: &Path, figures: &mut Vec<Figure>) {
    let (Some(panics), Some((flash, ram))) = (panics(elf), sizes(elf)) else {
        return step.fail(program, &format!("{} cannot be read", elf.display()));
    };
    let others = match panics.others.len() {
        0 => String::new(),
        _ if step.record => format!("; in others: {}", panics.others.join(", ")),
        count => format!("; in {count} functions of others (--record lists them)"),
    };
    if panics.ours.is_empty() {
        println!("   ok {program}: no panic code within reach of our crates{others}");
        step.pass(1);
    } else {
        step.fail(program, &format!("panic code within reach of {}", panics.ours.join(", ")));
    }
    for (what, value) in [("flash", flash), ("static RAM", ram)] {
        figures.push(Figure { what: format!("{chip} {program} program, {what}"), value, unit: "octets" });
    }
}

/// Each program with its vector, and with the captures where they are.
pub fn try_all(
    step: &mut Step,
    chip: &str,
    machine: &Machine,
    elf: impl Fn(&str) -> PathBuf,
    figures: &mut Vec<Figure>,
) {
    for program in PROGRAMS {
        let Some((octets, lines)) = vector(program) else {
            step.fail(program, "its vector cannot be read");
            continue;
        };
        let mut stack = compare(step, machine, program, "vector", &elf(program), &octets, &lines);
        let captures = captures(program);
        if !captures.is_empty() {
            match on_host(program, &captures) {
                Ok(lines) => {
                    let label = format!("{} octets of captures", captures.len());
                    let deep = compare(step, machine, program, &label, &elf(program), &captures, &lines);
                    stack = stack.max(deep);
                }
                Err(why) => step.fail(program, &why),
            }
        }
        if stack > 0 {
            let what = format!("{chip} {program} program, deepest stack");
            // Listed, not gated: whether an interrupt comes at the deepest place differs from run to run.
            if step.record {
                figures.push(Figure { what, value: stack, unit: "octets" });
            } else {
                println!("   {what}: {stack} octets, not gated");
            }
        }
    }
    if !root().join(CAPTURES).is_dir() {
        step.skip(
            "real captures",
            "../shared/captures not found: only the repository's own vectors were run",
        );
    }
}

/// Runs a program and compares what comes out; the deepest stack.
fn compare(
    step: &mut Step,
    machine: &Machine,
    program: &str,
    label: &str,
    elf: &Path,
    octets: &[u8],
    lines: &str,
) -> u64 {
    match run(machine, elf, octets) {
        Ok(ran) if ran.lines == lines => {
            println!("   ok {program}, {label}: {} lines", lines.lines().count());
            step.pass(1);
            ran.stack
        }
        Ok(ran) => {
            let differs = lines.lines().zip(ran.lines.lines()).position(|(wanted, came)| wanted != came);
            let at = differs.unwrap_or_else(|| lines.lines().count().min(ran.lines.lines().count()));
            let (wanted, came) = (lines.lines().nth(at), ran.lines.lines().nth(at));
            step.fail(program, &format!("{label}, line {}: wanted {wanted:?}, came {came:?}", at + 1));
            ran.stack
        }
        Err(why) => {
            step.fail(program, &format!("{label}: {why}"));
            0
        }
    }
}

/// Instructions for an octet, in hundredths, from the program that measures; and whose they are, where the machine's plugin sees.
pub fn measure(
    step: &mut Step,
    chip: &str,
    machine: &Machine,
    elf: &Path,
    figures: &mut Vec<Figure>,
) -> Vec<HotPath> {
    let (ran, functions) = match (count(machine, elf), Functions::of(elf)) {
        (Ok(ran), Some(functions)) => (ran, functions),
        (Err(why), _) => {
            step.fail("measure", &why);
            return Vec::new();
        }
        (_, None) => {
            step.fail("measure", &format!("{} cannot be read", elf.display()));
            return Vec::new();
        }
    };
    let mut paths = Vec::new();
    let mut stretches = ran.stretches.iter();
    let mut found = 0;
    for line in ran.lines.lines() {
        // hdlc 16 12345 726: in chunks of 16, ticks for so many octets
        let cells: Vec<&str> = line.split_whitespace().collect();
        let [name, chunk, ticks, octets] = cells.as_slice() else { continue };
        let (Ok(ticks), Ok(octets)) = (ticks.parse::<u64>(), octets.parse::<u64>()) else { continue };
        let how = if *chunk == "1" { "one at a time".to_string() } else { format!("in chunks of {chunk}") };
        let what = format!("{chip}, {name} decoder, {how}");
        if let Some(stretch) = stretches.next() {
            let counted: u64 = stretch.iter().map(|(_, count)| count).sum();
            if ticks != counted {
                step.fail(&what, &format!("{counted} instructions by the plugin, {ticks} by the counter"));
            }
            paths.push(HotPath::new(what.clone(), "instructions", octets, stretch, &functions));
        }
        figures.push(Figure {
            what,
            value: ticks * 100 / octets.max(1),
            unit: "instructions for 100 octets",
        });
        found += 1;
    }
    if found != 2 * PROGRAMS.len() {
        step.fail("measure", &format!("{found} figures in:\n{}", ran.lines));
    }
    if machine.counts() && paths.len() != found {
        step.fail("measure", &format!("{} stretches counted for {found} figures", paths.len()));
    }
    paths
}

/// A program's octets and the lines that must come out.
pub fn vector(program: &str) -> Option<(Vec<u8>, String)> {
    let folder = root().join("examples/logic/vectors");
    // The reader of a P1 port hears the same meters as the short program.
    let meters = if program == "p1" { "dsmr" } else { program };
    let text = fs::read_to_string(folder.join(format!("{meters}.hex"))).ok()?;
    let lines = fs::read_to_string(folder.join(format!("{program}.txt"))).ok()?;
    Some((hexadecimal(&text)?, lines))
}

const CAPTURES: &str = "../shared/captures";

/// What captures there are for a program, put one behind the other; no more than a run should take.
pub fn captures(program: &str) -> Vec<u8> {
    const MOST: usize = 30_000;
    let mut octets = Vec::new();
    let (folder, kind) = match program {
        "hdlc" | "han" => ("dlms", "hex"),
        "dsmr" => ("dsmr", "raw"),
        "dlt645" => ("dlt645", "csv"),
        _ => return octets,
    };
    let Ok(entries) = fs::read_dir(root().join(CAPTURES).join(folder)) else { return octets };
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == kind)) {
        let Ok(content) = fs::read(file) else { continue };
        let text = String::from_utf8_lossy(&content);
        match kind {
            "raw" => octets.extend(&content),
            "hex" => octets.extend(hexadecimal(&text).unwrap_or_default()),
            _ => {
                octets.extend(text.lines().filter_map(|line| hexadecimal(line.split(',').next()?)).flatten())
            }
        }
    }
    octets.truncate(MOST);
    octets
}

/// Octets of hexadecimal text with remarks behind `#`.
pub fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits: Vec<u8> = lines
        .flat_map(str::chars)
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    Some(digits.chunks(2).map(|pair| pair.iter().fold(0, |octet, digit| octet << 4 | digit)).collect())
}

/// What the same program prints on the host.
pub fn on_host(program: &str, octets: &[u8]) -> Result<String, String> {
    let mut command: Command = cargo();
    command.args(["run", "--quiet", "-p", "meter-logic", "--example", "lines", "--", program]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut input = child.stdin.take().ok_or("no standard input")?;
    input.write_all(octets).map_err(|error| error.to_string())?;
    drop(input);
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("on the host: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
