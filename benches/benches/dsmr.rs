//! P1 telegrams: one telegram in, check verified, every value of every line out; beside it what others do of that. The
//! table (`--bench table`) has minima of interleaved runs.

#[path = "contenders/p1.rs"]
#[allow(dead_code, reason = "the table uses the rest")]
mod contenders;

use benches::counting::{Counting, allocations};
use benches::hostile::Protocol;
use benches::p1::{inputs, self_made};
use contenders::{count, crc_only, dsmr_parse, dsmr5_objects, han_objects, objects, readout, values};
use core::hint::black_box;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dsmr::{Decoder, LineDecoder};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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
    for stream in Protocol::P1.streams(&octets) {
        group.throughput(Throughput::Bytes(stream.octets.len() as u64));
        group.bench_function(stream.name, |bencher| {
            bencher.iter(|| Protocol::P1.in_chunks(black_box(&stream.octets), 64));
        });
    }
    group.finish();
}

criterion_group!(benches, per_telegram, stream);
criterion_main!(benches);
