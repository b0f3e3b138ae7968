//! Measures, and writes a line `what<TAB>value<TAB>unit` for each figure of the budget table to the file that it is given:
//! simavr has words of its own for the standard output.

use std::fs::File;
use std::io::Write;

use avr_harness::streams::{self, Random};
use avr_harness::{METER, Machine, costs};
use logic::vectors;

/// Streams tried for the slowest call.
const HOSTILE: u64 = 60;

fn main() {
    let path = std::env::args().nth(1).expect("the file to write to");
    let mut out = File::create(path).expect("a file that can be written");
    let mut figure = |what: &str, value: u64, unit: &str| {
        writeln!(out, "{what}\t{value}\t{unit}").expect("a file that can be written");
    };
    let programs = [
        ("hdlc", 2400, 11, vectors::HDLC.octets),
        ("obis", 2400, 11, vectors::OBIS.octets),
        ("dsmr", 115_200, 10, vectors::DSMR.octets),
        ("dlt645", 2400, 11, vectors::DLT645.octets),
        ("upgrade", 9600, 10, vectors::UPGRADE.octets),
    ];
    for (name, baud, bits, octets) in programs {
        let mut machine = Machine::new(name);
        machine.line(METER, baud, bits);
        machine.run_ms(5);
        machine.feed_all(METER, octets, 400);
        figure(&format!("AVR {name} program, deepest stack"), machine.stack().into(), "octets");
        let latency = machine.worst_latency(METER);
        figure(&format!("AVR {name} program, received octet waits at most"), latency, "cycles");
    }
    let decoders: [(&str, &str, fn(&mut Random) -> Vec<u8>); 3] = [
        ("hdlc", "HDLC", streams::hdlc),
        ("dsmr", "P1 line mode", streams::dsmr),
        ("dlt645", "DL/T 645", streams::dlt645),
    ];
    for (name, title, clean) in decoders {
        let clean = clean(&mut Random::new(1));
        let program = format!("cycles-{name}");
        for (chunk, how) in [(16, "in chunks of 16"), (1, "one at a time")] {
            let chunks = vec![chunk; clean.len() / usize::from(chunk)];
            let all = costs(&program, &clean, &chunks);
            let octets = chunks.len() as u64 * u64::from(chunk);
            let sum: u64 = all.iter().map(|cost| u64::from(*cost)).sum();
            figure(&format!("AVR {title} octet through decode, {how}, mean"), sum.div_ceil(octets), "cycles");
        }
        let mut worst = 0;
        for seed in 0..HOSTILE {
            let stream = streams::hostile(name, &clean, seed);
            let all = costs(&program, &stream, &vec![1; stream.len()]);
            worst = worst.max(all.into_iter().max().unwrap_or(0));
        }
        let clean = costs(&program, &clean, &vec![1; clean.len()]).into_iter().max().unwrap_or(0);
        figure(&format!("AVR {title} octet through decode, worst call"), worst.max(clean).into(), "cycles");
    }
}
