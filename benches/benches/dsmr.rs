//! P1 telegrams: one telegram in, check verified, every value of every line out; beside it what others do of that.
//!
//! The table at the end gives minima of interleaved runs, which criterion does not: each contender is timed in turn, many
//! times over, so that all of them see the same state of the machine.

use benches::counting::{Counting, allocations};
use core::hint::black_box;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dsmr::{Builder, CheckKind, Content, Decoder, LineDecoder, Season};
use dsmr5::OBIS;
use dsmr5::types::{TST, UFixedDouble};
use std::path::Path;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Name and octets.
type Input = (&'static str, Vec<u8>);

/// Lines of one phase of a three-phase meter, as Dutch meters order them.
const PHASES: [&str; 3] = ["3", "5", "7"];

fn telegram(identification: &str, lines: &[String]) -> Vec<u8> {
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    Builder { identification: identification.as_bytes(), lines: &lines, check: CheckKind::Arc }
        .octets()
        .collect()
}

/// Self-made telegrams with the objects and the lengths of the four that stand for their dialects.
fn self_made() -> Vec<Input> {
    let line = |text: &str| text.to_owned();
    let serial = "4B30303034303030303130303034303136";
    let energies = ["1.8.1(001581.123", "1.8.2(001435.706", "2.8.1(000000.000", "2.8.2(000000.000"];
    let energies: Vec<String> = energies.iter().map(|energy| format!("1-0:{energy}*kWh)")).collect();
    let per_phase = |c: u8, rest: &str| -> Vec<String> {
        (0..3u8).map(|phase| format!("1-0:{}.7.0({rest})", c + 20 * phase)).collect()
    };
    let counts = |d: &str| -> Vec<String> {
        PHASES.iter().map(|phase| format!("1-0:{phase}2.{d}.0(00001)")).collect()
    };

    let mut nl42 =
        vec![line("1-3:0.2.8(42)"), line("0-0:1.0.0(161113205757W)"), format!("0-0:96.1.1({serial})")];
    nl42.extend(energies.clone());
    nl42.extend(
        [
            "0-0:96.14.0(0002)",
            "1-0:1.7.0(02.027*kW)",
            "1-0:2.7.0(00.000*kW)",
            "0-0:96.7.21(00015)",
            "0-0:96.7.9(00007)",
        ]
        .map(line),
    );
    nl42.push(line("1-0:99.97.0(3)(0-0:96.7.19)(000104180320W)(0000237126*s)(000101000001W)(2147583646*s)(000102000003W)(2317482647*s)"));
    nl42.extend(counts("32").into_iter().chain(counts("36")));
    nl42.extend(["0-0:96.13.1()", "0-0:96.13.0()"].map(line));
    nl42.extend(
        per_phase(31, "000*A")
            .into_iter()
            .chain(per_phase(21, "00.170*kW"))
            .chain(per_phase(22, "00.000*kW")),
    );
    nl42.extend([
        "0-1:24.1.0(003)".to_owned(),
        format!("0-1:96.1.0({serial})"),
        line("0-1:24.2.1(161129200000W)(00981.443*m3)"),
    ]);

    let mut nl50 =
        vec![line("1-3:0.2.8(50)"), line("0-0:1.0.0(190324150541W)"), format!("0-0:96.1.1({serial})")];
    nl50.extend(energies.clone());
    nl50.extend(
        [
            "0-0:96.14.0(0001)",
            "1-0:1.7.0(00.433*kW)",
            "1-0:2.7.0(00.000*kW)",
            "0-0:96.7.21(00005)",
            "0-0:96.7.9(00003)",
            "1-0:99.97.0(1)(0-0:96.7.19)(180417201458S)(0000000236*s)",
        ]
        .map(line),
    );
    nl50.extend(counts("32").into_iter().chain(counts("36")));
    nl50.push(line("0-0:96.13.0()"));
    nl50.extend(per_phase(32, "236.7*V").into_iter().chain(per_phase(31, "002*A")));
    nl50.extend(per_phase(21, "00.045*kW").into_iter().chain(per_phase(22, "00.000*kW")));

    let mut be =
        vec![line("0-0:96.1.4(50217)"), format!("0-0:96.1.1({serial})"), line("0-0:1.0.0(200512135409S)")];
    be.extend(energies);
    be.extend(["1-0:1.4.0(02.351*kW)", "1-0:1.6.0(200509134558S)(02.589*kW)", "0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)(200401000000S)(200305122139S)(05.980*kW)(200301000000S)(200210035421W)(04.318*kW)", "0-0:96.14.0(0001)", "1-0:1.7.0(00.000*kW)", "1-0:2.7.0(00.000*kW)"].map(line));
    be.extend(per_phase(21, "00.000*kW").into_iter().chain(per_phase(22, "00.000*kW")));
    be.extend(per_phase(32, "234.7*V").into_iter().chain(per_phase(31, "000.00*A")));
    be.extend(
        [
            "0-0:96.3.10(1)",
            "0-0:17.0.0(999.9*kW)",
            "1-0:31.4.0(999*A)",
            "0-0:96.13.0()",
            "0-1:24.1.0(003)",
            "0-1:96.1.1(37464C4F32313139303333373333)",
            "0-1:24.4.0(1)",
            "0-1:24.2.3(200512134558S)(00112.384*m3)",
            "0-2:24.1.0(007)",
            "0-2:96.1.1(3853414731323334353637383930)",
            "0-2:24.2.1(200512134558S)(00872.234*m3)",
        ]
        .map(line),
    );

    let mut se = vec![line("0-0:1.0.0(221022162844W)")];
    se.extend(
        [
            "1-0:1.8.0(00006136.936*kWh)",
            "1-0:2.8.0(00000000.000*kWh)",
            "1-0:3.8.0(00000000.000*kVArh)",
            "1-0:4.8.0(00000486.492*kVArh)",
            "1-0:1.7.0(0000.806*kW)",
            "1-0:2.7.0(0000.000*kW)",
            "1-0:3.7.0(0000.000*kVAr)",
            "1-0:4.7.0(0000.367*kVAr)",
        ]
        .map(line),
    );
    for (c, unit) in [(21, "kW"), (22, "kW"), (23, "kVAr"), (24, "kVAr")] {
        se.extend(per_phase(c, &format!("0000.247*{unit}")));
    }
    se.extend(per_phase(32, "234.9*V").into_iter().chain(per_phase(31, "001.3*A")));

    vec![
        ("NL 4.2", telegram("KFM5KAIFA-METER", &nl42)),
        ("NL 5.0", telegram("ISK5\\2M550T-1012", &nl50)),
        ("BE", telegram("FLU5\\253769484_A", &be)),
        ("SE", telegram("ELL5\\253833635_A", &se)),
    ]
}

/// The captures that the figures of other libraries were taken with, where that folder stands.
fn captured() -> Vec<Input> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dsmr"));
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} not found", folder.display());
        return Vec::new();
    }
    let files = [
        ("capture NL 4.2", "nl42-kfm-kaifa-1.p1"),
        ("capture NL 5.0", "nl50-isk-am550t-1012.p1"),
        ("capture BE", "be-flu5-50217-1.p1"),
        ("capture SE", "se-ell5-1.p1"),
    ];
    files.map(|(name, file)| (name, std::fs::read(folder.join(file)).expect(file))).into()
}

fn inputs() -> Vec<Input> {
    self_made().into_iter().chain(captured()).collect()
}

/// One number after another into one, so that none of them can be left out.
fn mix(sum: u64, next: u64) -> u64 {
    sum.rotate_left(7) ^ next
}

/// Check verified, every value of every line to number and unit, time, code or text, all of it in a sum.
fn values(octets: &[u8]) -> u64 {
    let mut sum = 0;
    for telegram in dsmr::telegrams(octets).flatten() {
        for line in telegram.lines() {
            let [a, b, c, d, e, f] = line.code().map_or([0; 6], obis::Obis::octets);
            sum = mix(sum, u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
            for value in line.values() {
                sum = mix(sum, content(value.content()));
            }
        }
    }
    sum
}

fn content(content: Content<'_>) -> u64 {
    match content {
        Content::Number(number) => {
            let scale = [number.value.exponent as u8, number.prefix as u8, number.unit.code(), 0];
            number.value.mantissa as u64 ^ u64::from(u32::from_le_bytes(scale)) << 32
        }
        Content::Time(time) => {
            let season = u8::from(time.season == Season::Summer);
            u64::from_le_bytes([
                time.year,
                time.month,
                time.day,
                time.hour,
                time.minute,
                time.second,
                season,
                0,
            ])
        }
        Content::Code(code) => {
            let [a, b, c, d, e, f] = code.octets();
            u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
        }
        Content::Text(text) => text.sent().len() as u64,
        _ => 1,
    }
}

/// How many values there are.
fn count(octets: &[u8]) -> usize {
    dsmr::telegrams(octets)
        .flatten()
        .flat_map(|telegram| telegram.lines().flat_map(|line| line.values()))
        .count()
}

/// Check verified, every line to what it means.
fn objects(octets: &[u8]) -> usize {
    let telegrams = dsmr::telegrams(octets).flatten();
    telegrams.flat_map(|telegram| telegram.lines()).fold(0, |lines, line| {
        black_box(line.object());
        lines + 1
    })
}

/// The check alone, with the table of the fastest crate.
fn crc_only(octets: &[u8]) -> u16 {
    static CRC: crc::Crc<u16, crc::Table<16>> = crc::Crc::<u16, crc::Table<16>>::new(&crc::CRC_16_ARC);
    let end = octets.iter().rposition(|octet| *octet == b'!').map_or(0, |at| at + 1);
    CRC.checksum(octets.get(..end).unwrap_or_default())
}

/// dsmr5 on the octets of one telegram, its values in a sum too; its numbers are to be had as f64. It skips the lines it
/// does not know, and much of its time is its check, which goes octet by octet, and the look for UTF-8 in its 2,048 octets.
fn dsmr5_objects(readout: &dsmr5::Readout) -> u64 {
    let Ok(telegram) = readout.to_telegram() else { return 0 };
    telegram.objects().flatten().fold(0, |sum, object| mix(sum, dsmr5_object(&object)))
}

fn dsmr5_object(object: &OBIS<'_>) -> u64 {
    let number = |number: &UFixedDouble| f64::from(number).to_bits();
    let time = |time: &TST| {
        u64::from_le_bytes([
            time.year,
            time.month,
            time.day,
            time.hour,
            time.minute,
            time.second,
            u8::from(time.dst),
            0,
        ])
    };
    match object {
        OBIS::Version(text)
        | OBIS::EquipmentIdentifier(text)
        | OBIS::TariffIndicator(text)
        | OBIS::SlaveEquipmentIdentifier(_, text) => {
            black_box(text);
            2
        }
        OBIS::DateTime(at) => time(at),
        OBIS::MeterReadingTo(_, value)
        | OBIS::MeterReadingBy(_, value)
        | OBIS::PowerDelivered(value)
        | OBIS::PowerReceived(value)
        | OBIS::InstantaneousVoltage(_, value)
        | OBIS::InstantaneousActivePowerPlus(_, value)
        | OBIS::InstantaneousActivePowerNeg(_, value) => number(value),
        OBIS::PowerFailures(count)
        | OBIS::LongPowerFailures(count)
        | OBIS::VoltageSags(_, count)
        | OBIS::VoltageSwells(_, count)
        | OBIS::InstantaneousCurrent(_, count) => count.0,
        OBIS::SlaveDeviceType(_, kind) => kind.as_ref().map_or(0, |kind| kind.0),
        OBIS::SlaveMeterReading(_, at, value) => time(at) ^ value.as_ref().map_or(0, number),
        _ => 3,
    }
}

/// dsmr5 as its documentation uses it, from a stream of octets.
fn dsmr5_reader(octets: &[u8]) -> u64 {
    let stream = octets.iter().map(|octet| Ok::<u8, core::convert::Infallible>(*octet));
    dsmr5::Reader::new(stream).flatten().fold(0, |sum, readout| mix(sum, dsmr5_objects(&readout)))
}

/// dsmr-parse: its own struct; rejects all but Dutch telegrams.
fn dsmr_parse(octets: &[u8]) -> bool {
    dsmr_parse::Telegram::read_from(octets).is_ok_and(|telegram| black_box(telegram).is_some())
}

/// han: made for Sweden; on others most lines fail.
fn han_objects(octets: &[u8]) -> usize {
    let mut count = 0;
    for readout in han::Reader::new(octets.iter().copied()) {
        let Ok(telegram) = readout.to_telegram() else { continue };
        count += telegram.objects().filter(|object| black_box(object).is_ok()).count();
    }
    count
}

fn readout(octets: &[u8]) -> dsmr5::Readout {
    let mut buffer = [0; 2048];
    for (place, octet) in buffer.iter_mut().zip(octets) {
        *place = *octet;
    }
    dsmr5::Readout { buffer }
}

fn per_telegram(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("p1 telegram");
    for (name, octets) in inputs() {
        group.throughput(Throughput::Bytes(octets.len() as u64));
        assert!(count(&octets) > 20 && objects(&octets) > 20, "{name}: nothing decoded");
        assert_eq!(
            allocations(|| _ = black_box((values(&octets), objects(&octets)))),
            0,
            "{name}: memory was asked for"
        );
        let readout = readout(&octets);
        group.bench_with_input(BenchmarkId::new("values", name), &octets, |bencher, octets| {
            bencher.iter(|| values(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("objects", name), &octets, |bencher, octets| {
            bencher.iter(|| objects(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("crc alone", name), &octets, |bencher, octets| {
            bencher.iter(|| crc_only(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("dsmr5", name), &readout, |bencher, readout| {
            bencher.iter(|| dsmr5_objects(black_box(readout)));
        });
        group.bench_with_input(BenchmarkId::new("dsmr-parse", name), &octets, |bencher, octets| {
            bencher.iter(|| dsmr_parse(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("han", name), &octets, |bencher, octets| {
            bencher.iter(|| han_objects(black_box(octets)));
        });
    }
    group.finish();
}

/// Telegrams one after another through the stream decoder, and line mode octet by octet.
fn stream(criterion: &mut Criterion) {
    let octets: Vec<u8> = self_made().into_iter().cycle().take(200).flat_map(|(_, octets)| octets).collect();
    let mut group = criterion.benchmark_group("p1 stream");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    group.bench_function("slice iterator", |bencher| {
        bencher.iter(|| {
            dsmr::telegrams(black_box(&octets)).flatten().map(|found| found.octets().len()).sum::<usize>()
        });
    });
    for (name, chunk) in [("chunks of 64 KiB", 1 << 16), ("chunks of 64", 64), ("octet by octet", 1)] {
        let mut decoder = Decoder::new(vec![0; 2048]);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut total = 0;
                for mut chunk in black_box(&octets).chunks(chunk) {
                    while let Some(telegram) = decoder.decode(&mut chunk) {
                        total += telegram.map_or(0, |telegram| telegram.octets().len());
                    }
                }
                total
            });
        });
    }
    let mut lines = LineDecoder::new([0; 128]);
    group.bench_function("line mode", |bencher| {
        bencher.iter(|| {
            let (mut input, mut events) = (black_box(octets.as_slice()), 0);
            while lines.decode(&mut input).is_some() {
                events += 1;
            }
            events
        });
    });
    let noise: Vec<u8> =
        (0..octets.len() as u32).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect();
    for (name, noise) in [("noise", noise), ("flood of starts", b"\n/AAA5".repeat(octets.len() / 6))] {
        let mut decoder = Decoder::new(vec![0; 2048]);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let (mut input, mut events) = (black_box(noise.as_slice()), 0);
                while decoder.decode(&mut input).is_some() {
                    events += 1;
                }
                events
            });
        });
    }
    group.finish();
}

/// Minima of interleaved runs, and what follows from them.
fn table(_: &mut Criterion) {
    const TURNS: u32 = 200;
    const RUNS: u32 = 200;
    println!(
        "{:<16}{:>7}{:>9}{:>9}{:>9}{:>9}{:>12}{:>12}{:>9}{:>8}{:>8}",
        "telegram",
        "octets",
        "crc",
        "frame",
        "values",
        "dsmr5",
        "its Reader",
        "dsmr-parse",
        "han",
        "x crc",
        "x dsmr5"
    );
    for (name, octets) in inputs() {
        let readout = readout(&octets);
        let contenders: [&dyn Fn(); 7] = [
            &|| _ = black_box(crc_only(black_box(&octets))),
            &|| _ = black_box(dsmr::telegrams(black_box(&octets)).flatten().count()),
            &|| _ = black_box(values(black_box(&octets))),
            &|| _ = black_box(dsmr5_objects(black_box(&readout))),
            &|| _ = black_box(dsmr5_reader(black_box(&octets))),
            &|| _ = black_box(dsmr_parse(black_box(&octets))),
            &|| _ = black_box(han_objects(black_box(&octets))),
        ];
        let mut best = [f64::MAX; 7];
        for _ in 0..TURNS {
            for (best, contender) in best.iter_mut().zip(contenders) {
                let start = Instant::now();
                (0..RUNS).for_each(|_| contender());
                *best = best.min(start.elapsed().as_secs_f64() * 1e9 / f64::from(RUNS));
            }
        }
        let [crc, frame, values, dsmr5, reader, parse, han] = best;
        println!(
            "{name:<16}{:>7}{crc:>9.0}{frame:>9.0}{values:>9.0}{dsmr5:>9.0}{reader:>12.0}{parse:>12.0}{han:>9.0}{:>8.2}{:>8.2}",
            octets.len(),
            values / crc,
            dsmr5 / values
        );
    }
}

criterion_group!(benches, per_telegram, stream, table);
criterion_main!(benches);
