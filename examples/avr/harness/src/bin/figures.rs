//! Measures, and writes a line `what<TAB>value<TAB>unit` for each figure of the budget table to the first file that it is given;
//! to the second, a line `what<TAB>program<TAB>octets<TAB>address<TAB>cycles` for each instruction of a hot path. simavr has words
//! of its own for the standard output.

use std::fs::File;
use std::io::Write;

use avr_harness::streams::{self, Random};
use avr_harness::{METER, Machine, costs};
use logic::vectors;

/// Streams tried for the slowest call.
const HOSTILE: u64 = 60;

fn main() {
    let mut files =
        std::env::args().skip(1).map(|path| File::create(path).expect("a file that can be written"));
    let (Some(mut out), Some(mut places)) = (files.next(), files.next()) else {
        panic!("two files to write to are wanted");
    };
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
    let decoders = [
        ("hdlc", "HDLC", streams::hdlc(&mut Random::new(1))),
        ("dsmr", "P1 line mode", streams::dsmr(&mut Random::new(1))),
        ("dlt645", "DL/T 645", streams::dlt645(&mut Random::new(1))),
    ];
    for (name, title, clean) in decoders {
        let program = format!("cycles-{name}");
        let titled = |what: &str| format!("AVR {title} octet through decode, {what}");
        let mut figure = |what: &str, value| figure(&titled(what), value, "cycles");
        for (chunk, how) in [(16, "in chunks of 16"), (1, "one at a time")] {
            let chunks = vec![chunk; clean.len() / usize::from(chunk)];
            let all = costs(&program, &clean, &chunks);
            let octets = chunks.len() as u64 * u64::from(chunk);
            let sum: u64 = all.calls.iter().flatten().map(|cost| u64::from(*cost)).sum();
            figure(&format!("{how}, mean"), sum.div_ceil(octets));
            assert_eq!(
                sum,
                all.places.iter().map(|(_, cycles)| cycles).sum(),
                "cycles by call and by address"
            );
            for (address, cycles) in all.places {
                writeln!(places, "{}\t{program}\t{octets}\t{address}\t{cycles}", titled(how))
                    .expect("a file that can be written");
            }
        }
        let (mut call, mut octet) = (0, 0);
        let hostile = (0..HOSTILE).map(|seed| streams::hostile(name, &clean, seed));
        for stream in hostile.chain([clean.clone()]) {
            for calls in costs(&program, &stream, &vec![1; stream.len()]).calls {
                call = call.max(calls.iter().copied().max().unwrap_or(0));
                octet = octet.max(calls.iter().sum());
            }
        }
        figure("worst call", call.into());
        figure("worst octet, with all the calls that it takes", octet.into());
    }
}
