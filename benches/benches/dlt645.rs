//! DL/T 645: the 20-octet reply 91H behind four wake-up octets; frame and sum checked, identifier and value out. Beside
//! it the same in straightforward C, built by gcc -O2. The table (`--bench table`) has minima of interleaved runs.

#[path = "contenders/dlt645.rs"]
mod contenders;

use benches::hostile::Protocol;
#[cfg(dlt645_yardstick)]
use contenders::yardstick;
use contenders::{Reading, baseline, quantity, read, reply};
use core::hint::black_box;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dlt645::{Decoder, Frame, Reply, STORAGE, Version, frames};

fn one(criterion: &mut Criterion) {
    let octets = reply(12_345_678);
    let (mut reading, mut ours) = (Reading::default(), Reading::default());
    assert_eq!(baseline(&octets, &mut reading), 24);
    assert_eq!(read(&octets, &mut ours), Some(24));
    assert_eq!(ours, reading);

    let mut group = criterion.benchmark_group("dlt645/reply");
    group.throughput(Throughput::Bytes(20));
    group.bench_function("ours", |b| b.iter(|| read(black_box(&octets), black_box(&mut ours))));
    group.bench_function("c", |b| b.iter(|| baseline(black_box(&octets), black_box(&mut reading))));
    #[cfg(dlt645_yardstick)]
    group.bench_function("c, the yardstick", |b| {
        b.iter(|| yardstick(black_box(&octets), black_box(&mut reading)))
    });
    group.bench_function("ours with scale, sign and unit", |b| b.iter(|| quantity(black_box(&octets))));
    group.finish();
}

fn stream(criterion: &mut Criterion) {
    let octets: Vec<u8> = (0..50_000).flat_map(|n| reply(n * 997)).collect();
    let read = |frame: Frame<'_>| match Reply::parse(&frame, Version::V2007) {
        Ok(Reply::Data { data, .. }) => data.bcd().unwrap_or(0),
        _ => 0,
    };
    let mut group = criterion.benchmark_group("dlt645/stream");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    group.sample_size(30);
    group.bench_function("slice iterator", |b| {
        b.iter(|| frames(black_box(&octets)).flatten().map(read).fold(0, u64::wrapping_add))
    });
    for size in [1, 64, 65_536] {
        group.bench_function(format!("decoder, chunks of {size}"), |b| {
            b.iter(|| {
                let mut decoder = Decoder::new([0; STORAGE]);
                let mut sum = 0u64;
                for mut chunk in black_box(&octets).chunks(size) {
                    while let Some(event) = decoder.decode(&mut chunk) {
                        sum = sum.wrapping_add(event.map_or(0, read));
                    }
                }
                sum
            })
        });
    }
    group.bench_function("c", |b| {
        b.iter(|| {
            let (mut at, mut sum, mut reading) = (0, 0u64, Reading::default());
            while let Ok(taken @ 1..) = usize::try_from(baseline(&black_box(&octets)[at..], &mut reading)) {
                at += taken;
                sum = sum.wrapping_add(reading.value.into());
            }
            sum
        })
    });
    for stream in Protocol::Dlt645.streams(&octets) {
        group.throughput(Throughput::Bytes(stream.octets.len() as u64));
        group.bench_function(stream.name, |b| {
            b.iter(|| Protocol::Dlt645.in_chunks(black_box(&stream.octets), 64));
        });
    }
    group.finish();
}

criterion_group!(benches, one, stream);
criterion_main!(benches);
