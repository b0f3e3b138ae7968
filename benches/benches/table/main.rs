//! Everybody beside everybody, in one run: minima of interleaved turns, one core, every value out, every check verified.
//!
//!     cargo bench -p benches --bench table -- [--json FILE] [--plot FILE.svg] [--python PYTHON] [--longest OCTETS] [--lengths]
//!
//! `--python` names an interpreter that has the Python libraries: `ENVIRONMENT/bin/python`, once
//! `python3 benches/python/peers.py --install ENVIRONMENT` has made that. The lengths of the scaling table go up to 16 MiB
//! unless `--longest` says more; `--lengths` prints that table alone.

#[path = "../contenders/boot.rs"]
mod boot;
#[path = "../contenders/dlt645.rs"]
#[allow(dead_code, reason = "the criterion benchmarks use the rest")]
mod dlt645;
#[path = "../contenders/flash.rs"]
mod flash;
#[path = "../contenders/han.rs"]
#[allow(dead_code, reason = "the criterion benchmarks use the rest")]
mod han;
#[path = "../contenders/p1.rs"]
#[allow(dead_code, reason = "the criterion benchmarks use the rest")]
mod p1;
#[path = "../contenders/sml.rs"]
mod sml;

mod dirty;
mod measure;
mod python;
mod report;
mod scaling;

use core::hint::black_box;
use crc_fast::CrcAlgorithm::{self, Crc16Arc, Crc16IbmSdlc};
use measure::{Contender, Effort, minima};
use report::{Cell, Report};
use std::path::PathBuf;
use std::time::Duration;

const LIBRARY: &str = "this library";

/// What the command line asks for.
#[derive(Default)]
struct Options {
    json: Option<PathBuf>,
    plot: Option<PathBuf>,
    python: Option<PathBuf>,
    longest: usize,
    /// The scaling table and no other.
    lengths: bool,
    /// `cargo test` runs this once, to see that it works: no time for figures.
    once: bool,
}

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let options = options()?;
    let turn = Duration::from_micros(if options.once { 0 } else { 500 });
    let effort = Effort { turns: if options.once { 1 } else { 200 }, turn };
    let mut report = Report::default();
    if !options.lengths {
        frames(&mut report, effort);
        telegrams(&mut report, effort);
        replies(&mut report, effort);
        if let Some(interpreter) = &options.python {
            python::add(&mut report, interpreter)?;
        }
        neighbour(&mut report, effort);
        boots(&mut report, effort.turns.div_ceil(10));
        limits(&mut report, options.once);
        hostile(&mut report, Effort { turns: effort.turns.div_ceil(20), turn });
    }
    lengths(&mut report, if options.once { 64 } else { options.longest });
    println!("{}", report.markdown());
    if let Some(file) = &options.json {
        std::fs::write(file, report.json())?;
    }
    if let Some(file) = &options.plot {
        report.plot(file)?;
    }
    Ok(())
}

fn options() -> Result<Options, String> {
    let mut options = Options { longest: 1 << 24, once: true, ..Options::default() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} wants a value"));
        match word.as_str() {
            "--bench" => options.once = false,
            "--json" => options.json = Some(value()?.into()),
            "--plot" => options.plot = Some(value()?.into()),
            "--python" => options.python = Some(value()?.into()),
            "--lengths" => options.lengths = true,
            "--longest" => options.longest = value()?.parse().map_err(|_| "--longest wants octets")?,
            // A name to filter by, which cargo passes on to every benchmark.
            _ => {}
        }
    }
    Ok(options)
}

/// Measures the contenders of one input; ours comes first.
fn add(
    report: &mut Report,
    group: &'static str,
    input: &str,
    octets: usize,
    of: Vec<Contender<'_>>,
    effort: Effort,
) {
    add_each(report, group, input, |_| octets, of, effort);
}

/// The same where each has an input of its own length.
fn add_each(
    report: &mut Report,
    group: &'static str,
    input: &str,
    octets: impl Fn(&str) -> usize,
    mut of: Vec<Contender<'_>>,
    effort: Effort,
) {
    let times = minima(&mut of, effort);
    for (contender, time) in of.iter().zip(times) {
        let octets = octets(contender.name);
        let (input, contender) = (input.to_owned(), contender.name.to_owned());
        report.add(Cell { group, input, octets, contender, nanoseconds: Some(time), flash: None });
    }
}

fn frames(report: &mut Report, effort: Effort) {
    for input in benches::han::frames() {
        let octets = input.octets.as_slice();
        assert_eq!(
            han::read(octets),
            han::hdlcparse_and_walk(octets),
            "{}: the peer reads something else",
            input.name
        );
        assert_eq!(fast(Crc16IbmSdlc, octets), x25(octets).into());
        let contenders = vec![
            Contender::new(LIBRARY, || _ = black_box(han::read(black_box(octets)))),
            Contender::new("this library, values named and scaled", || {
                _ = black_box(han::named(black_box(octets)))
            }),
            Contender::new("hdlcparse and a borrowed walk", || {
                _ = black_box(han::hdlcparse_and_walk(black_box(octets)))
            }),
            Contender::new("hdlcparse, frame only", || {
                _ = black_box(hdlcparse::type3::HdlcFrame::parse(black_box(octets)).is_ok());
            }),
            Contender::new("hdlc, frame only, no header check", || {
                _ = black_box(hdlc::decode(black_box(octets), hdlc::SpecialChars::default()).is_ok());
            }),
            Contender::new("crc Table<16> alone", || _ = black_box(x25(black_box(octets)))),
            Contender::new("crc-fast alone", || _ = black_box(fast(Crc16IbmSdlc, black_box(octets)))),
        ];
        add(report, "HAN frame", input.name, octets.len(), contenders, effort);
    }
}

/// By carry-less multiplication where the processor has it.
fn fast(algorithm: CrcAlgorithm, octets: &[u8]) -> u64 {
    crc_fast::checksum(algorithm, octets)
}

fn x25(octets: &[u8]) -> u16 {
    static CRC: crc::Crc<u16, crc::Table<16>> = crc::Crc::<u16, crc::Table<16>>::new(&crc::CRC_16_IBM_SDLC);
    CRC.checksum(octets)
}

fn telegrams(report: &mut Report, effort: Effort) {
    for (name, octets) in benches::p1::inputs() {
        let octets = octets.as_slice();
        assert_eq!(fast(Crc16Arc, p1::checked(octets)), p1::crc_only(octets).into());
        let readout = p1::readout(octets);
        let contenders = vec![
            Contender::new(LIBRARY, || _ = black_box(p1::values(black_box(octets)))),
            Contender::new("dsmr5, from a buffer, lines it knows", || {
                _ = black_box(p1::dsmr5_objects(black_box(&readout)))
            }),
            Contender::new("dsmr5, its Reader", || _ = black_box(p1::dsmr5_reader(black_box(octets)))),
            Contender::new("dsmr-parse (rejects BE and SE)", || {
                _ = black_box(p1::dsmr_parse(black_box(octets)))
            }),
            Contender::new("han", || _ = black_box(p1::han_objects(black_box(octets)))),
            Contender::new("crc Table<16> alone", || _ = black_box(p1::crc_only(black_box(octets)))),
            Contender::new("crc-fast alone", || {
                _ = black_box(fast(Crc16Arc, p1::checked(black_box(octets))))
            }),
        ];
        add(report, "P1 telegram", name, octets.len(), contenders, effort);
    }
}

fn replies(report: &mut Report, effort: Effort) {
    let octets = dlt645::reply(12_345_678);
    let octets = octets.as_slice();
    let [mut ours, mut theirs] = [(); 2].map(|()| dlt645::Reading::default());
    assert_eq!(dlt645::read(octets, &mut ours), Some(24));
    assert_eq!(dlt645::baseline(octets, &mut theirs), 24);
    assert_eq!(ours, theirs);
    let contenders = vec![
        Contender::new(LIBRARY, || _ = black_box(dlt645::read(black_box(octets), black_box(&mut ours)))),
        Contender::new("this library, with scale, sign and unit", || {
            _ = black_box(dlt645::quantity(black_box(octets)))
        }),
        Contender::new("straightforward C, gcc -O2", || {
            _ = black_box(dlt645::baseline(black_box(octets), black_box(&mut theirs)));
        }),
    ];
    add(report, "DL/T 645", "reply 91H", octets.len(), contenders, effort);
}

/// Another protocol, of a telegram as long as one of ours.
fn neighbour(report: &mut Report, effort: Effort) {
    const REGISTERS: u8 = 14;
    let (frame, telegram) = (benches::han::frames().remove(3).octets, sml::telegram(REGISTERS));
    let (frame, telegram) = (frame.as_slice(), telegram.as_slice());
    let (mut ours, mut theirs) = (han::Stream::new(), sml::Reader::new());
    assert_eq!(ours.read(frame), han::read(frame));
    assert_eq!(theirs.read(telegram), sml::expected(REGISTERS));
    let contenders = vec![
        Contender::new("this library, HDLC and DLMS, an octet at a time", || {
            _ = black_box(ours.read(black_box(frame)));
        }),
        Contender::new("this library, HDLC and DLMS, from a slice", || {
            _ = black_box(han::read(black_box(frame)))
        }),
        Contender::new("sml-rs, SML, an octet at a time", || _ = black_box(theirs.read(black_box(telegram)))),
    ];
    let octets = |contender: &str| if contender.starts_with("sml-rs") { telegram.len() } else { frame.len() };
    add_each(report, "neighbour, another protocol", "one message", octets, contenders, effort);
}

/// What it costs to put a program in the place of another, and back; each step by the minimum of its turns.
fn boots(report: &mut Report, turns: u32) {
    type Run = fn(&boot::Programs) -> boot::Costs;
    let runs: [(&str, Run); 3] = [
        ("this library, SHA-256 before and after each copy", boot::ours),
        ("embassy-boot, nothing checked, buffer of 128 octets", boot::embassy::<128>),
        ("embassy-boot, nothing checked, buffer of 4096 octets", boot::embassy::<4096>),
    ];
    let programs = boot::Programs::new();
    let mut costs = runs.map(|(_, run)| run(&programs));
    for _ in 1..turns {
        for ((_, run), best) in runs.iter().zip(&mut costs) {
            *best = best.best(run(&programs));
        }
    }
    let step = |name: &str, of: fn(&boot::Costs) -> boot::Cost, report: &mut Report| {
        for ((who, _), costs) in runs.iter().zip(&costs) {
            let boot::Cost { time, flash } = of(costs);
            report.add(Cell {
                group: "boot loader",
                input: name.to_owned(),
                octets: boot::PROGRAM,
                contender: (*who).to_owned(),
                nanoseconds: Some(time.as_secs_f64() * 1e9),
                flash: Some(flash),
            });
        }
    };
    step("before the reset", |costs| costs.application, report);
    step("install, after the reset", |costs| costs.install, report);
    step("both", |costs| costs.application.and(costs.install), report);
    step("roll back", |costs| costs.roll_back, report);
    step("start with nothing to do", |costs| costs.start, report);
}

/// What memory gives, and what a check value takes of it: sums of many words.
fn limits(report: &mut Report, once: bool) {
    let words = vec![1u64; if once { 1 << 10 } else { 1 << 25 }];
    let octets: Vec<u8> = words.iter().take(1 << 17).flat_map(|word| word.to_ne_bytes()).collect();
    let read =
        || _ = black_box(black_box(words.as_slice()).iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
    let effort = Effort { turns: 3, turn: Duration::ZERO };
    add(
        report,
        "limit",
        "words of 256 MiB",
        words.len() * 8,
        vec![Contender::new("reading memory", read)],
        effort,
    );
    let contenders = vec![
        Contender::new("crc-fast alone", || _ = black_box(fast(Crc16IbmSdlc, black_box(&octets)))),
        Contender::new("crc Table<16> alone", || _ = black_box(x25(black_box(&octets)))),
    ];
    add(report, "limit", "octets of 1 MiB", octets.len(), contenders, effort);
}

fn hostile(report: &mut Report, effort: Effort) {
    let telegrams: Vec<u8> = benches::p1::self_made().into_iter().flat_map(|(_, octets)| octets).collect();
    let replies: Vec<u8> = (0..100).flat_map(|n| dlt645::reply(n * 997)).collect();
    report.streams = dirty::costs(&telegrams, &replies, effort);
}

fn lengths(report: &mut Report, longest: usize) {
    let frame = benches::han::frames().remove(3).octets;
    let telegram = benches::p1::self_made().remove(1).1;
    let reply = dlt645::reply(12_345_678);
    let read_replies = |octets: &[u8]| {
        let mut sum = 0u64;
        for frame in ::dlt645::frames(octets).flatten() {
            if let Ok(::dlt645::Reply::Data { data, .. }) =
                ::dlt645::Reply::parse(&frame, ::dlt645::Version::V2007)
            {
                sum = sum.wrapping_add(data.bcd().unwrap_or(0));
            }
        }
        black_box(sum);
    };
    report.lengths = vec![
        scaling::of("HAN frames", &frame, longest, |octets| _ = black_box(han::read(octets))),
        scaling::of("P1 telegrams", &telegram, longest, |octets| _ = black_box(p1::values(octets))),
        scaling::of("DL/T 645 replies", &reply, longest, read_replies),
    ];
}
