//! Each short program in simavr: the lines it reports are those that the vectors say and that the host gives.

use std::path::Path;

use avr_harness::{METER, Machine, OTHER};
use logic::programs::{Dlt645, Dsmr, Hdlc, Obis, Program, Upgrade};
use logic::vectors::{self, Vector};

/// Baud and bits a character, as the programs have them.
const LINES: &[(&str, u64, u64)] = &[
    ("hdlc", 2400, 11),
    ("obis", 2400, 11),
    ("dsmr", 115_200, 10),
    ("dlt645", 2400, 11),
    ("upgrade", 9600, 10),
];

fn on_chip(name: &str, octets: &[u8]) -> (Vec<u8>, Machine) {
    let (_, baud, bits) = *LINES.iter().find(|line| line.0 == name).expect("a program");
    let mut machine = Machine::new(name);
    machine.line(METER, baud, bits);
    machine.run_ms(5);
    machine.feed_all(METER, octets, 400);
    (machine.sent(OTHER), machine)
}

fn on_host(mut program: impl Program, octets: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    program.take(octets, &mut |octet| lines.push(octet));
    program.idle(&mut |octet| lines.push(octet));
    lines
}

fn check(name: &str, vector: &Vector) {
    let (lines, machine) = on_chip(name, vector.octets);
    assert_eq!(String::from_utf8_lossy(&lines), vector.lines);
    assert_eq!(machine.overruns(METER), 0, "the two octets of FIFO did not do");
    let limit = 2 * machine.octet_time(METER);
    assert!(
        machine.worst_latency(METER) <= limit,
        "{} cycles to read an octet",
        machine.worst_latency(METER)
    );
    println!("{name}: stack {}, worst latency {} cycles", machine.stack(), machine.worst_latency(METER));
}

#[test]
fn hdlc() {
    check("hdlc", &vectors::HDLC);
}

#[test]
fn obis() {
    check("obis", &vectors::OBIS);
}

#[test]
fn dsmr() {
    check("dsmr", &vectors::DSMR);
}

#[test]
fn dlt645() {
    check("dlt645", &vectors::DLT645);
}

#[test]
fn upgrade() {
    check("upgrade", &vectors::UPGRADE);
    assert_eq!(on_host(Upgrade::new([0; 280]), vectors::UPGRADE.octets), vectors::UPGRADE.lines.as_bytes());
}

#[test]
fn captures_give_the_same_lines_on_the_chip_and_on_the_host() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/captures"));
    if !folder.is_dir() {
        println!("SKIPPED: {} not found", folder.display());
        return;
    }
    let mut tried = 0;
    for (sub, prefix, name) in
        [("dlms", "a", "hdlc"), ("dlms", "k", "hdlc"), ("dsmr", "", "dsmr"), ("dlt645", "", "dlt645")]
    {
        // Every file costs seconds of simulated time at 2400 baud: the first of each kind, each kind's files in order.
        let mut files: Vec<_> =
            std::fs::read_dir(folder.join(sub)).expect("captures").flatten().map(|f| f.path()).collect();
        files.sort();
        let chosen = files.iter().filter(|f| {
            f.is_file() && f.file_name().is_some_and(|n| n.to_string_lossy().starts_with(prefix))
        });
        for file in chosen.take(12) {
            let Some(octets) = octets(file) else { continue };
            let host = match name {
                "hdlc" => on_host(Hdlc::new([0; 700]), &octets),
                "dsmr" => on_host(Dsmr::new([0; 128]), &octets),
                _ => on_host(Dlt645::new([0; 367]), &octets),
            };
            let (chip, machine) = on_chip(name, &octets);
            assert_eq!(String::from_utf8_lossy(&chip), String::from_utf8_lossy(&host), "{}", file.display());
            assert_eq!(machine.overruns(METER), 0);
            tried += 1;
        }
    }
    let _ = on_host(Obis::new(), &[]);
    println!("{tried} captures");
    assert!(tried > 20);
}

/// Hexadecimal text with remarks, or octets as they are.
fn octets(file: &Path) -> Option<Vec<u8>> {
    let raw = std::fs::read(file).ok()?;
    match file.extension()?.to_str()? {
        // Frames of DL/T 645, one a row.
        "csv" => {
            let text = String::from_utf8(raw).ok()?;
            let rows = text.lines().skip(1).take(60).filter_map(|row| hex(row.split(',').next()?));
            Some(rows.flatten().collect())
        }
        "hex" => {
            let text = String::from_utf8(raw).ok()?;
            let digits: String = text
                .lines()
                .map(|line| line.split('#').next().unwrap_or_default())
                .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
                .collect();
            hex(&digits)
        }
        "txt" | "md" => None,
        _ => Some(raw),
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    (0..digits.len() / 2).map(|i| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()).collect()
}
