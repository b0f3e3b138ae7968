//! DL/T 645: the 20-octet reply 91H behind four wake-up octets; frame and sum checked, identifier and value out. Beside
//! it the same in straightforward C, built by gcc -O2.
#![allow(unsafe_code, reason = "calls the C baselines")]

use benches as _; // its build script has the C baselines
use core::hint::black_box;
use core::time::Duration;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use dlt645::{
    Address, Builder, Control, Data, Decoder, Frame, Reply, STORAGE, Value, Version, frames, items,
};
use std::time::Instant;

/// One reply: four wake-up octets, 20 octets of frame.
fn reply(n: u32) -> Vec<u8> {
    let bcd = |octet: u32| (((octet / 10 % 10) << 4) | (octet % 10)) as u8;
    let data = [0x00, 0x00, 0x01, 0x00, bcd(n), bcd(n / 100), bcd(n / 10_000), bcd(n / 1_000_000)];
    let builder = Builder {
        wake_up: 4,
        address: Address::from_number(161 + u64::from(n)),
        control: Control::from_octet(0x91),
        data: Data::plain(&data),
    };
    builder.octets().collect()
}

/// The value with layout, scale, sign and unit from the identifier.
#[inline(never)]
fn quantity(octets: &[u8]) -> Option<(Address, i64, i8)> {
    let (frame, _) = Frame::parse(octets).ok()?;
    let Reply::Data { identifier, data, .. } = Reply::parse(&frame, Version::V2007).ok()? else {
        return None;
    };
    match items(identifier, data).next()?.value {
        Ok(Value::Number(number, _)) => Some((frame.address(), number.mantissa, number.exponent)),
        _ => None,
    }
}

#[repr(C)]
#[derive(Default, Debug, PartialEq)]
struct Reading {
    address: [u8; 6],
    control: u8,
    identifier: u32,
    value: u32,
}

/// Frame, reply, identifier and number, as a meter's or collector's firmware reads one register, into the same struct
/// as the baseline. How many octets were taken.
#[inline(never)]
fn read(octets: &[u8], out: &mut Reading) -> Option<usize> {
    let (frame, rest) = Frame::parse(octets).ok()?;
    let Reply::Data { identifier, data, .. } = Reply::parse(&frame, Version::V2007).ok()? else {
        return None;
    };
    out.value = u32::try_from(data.bcd().ok()?).ok()?;
    out.address = frame.address().octets();
    out.control = frame.control().octet();
    out.identifier = identifier.code();
    octets.len().checked_sub(rest.len())
}

unsafe extern "C" {
    fn dlt645_read(octets: *const u8, len: usize, out: *mut Reading) -> core::ffi::c_long;
    #[cfg(dlt645_yardstick)]
    fn dlt_c(octets: *const u8, len: usize, out: *mut Reading) -> core::ffi::c_int;
}

fn baseline(octets: &[u8], out: &mut Reading) -> i64 {
    // SAFETY: pointer and length are of one slice, and `out` has the layout of the C struct.
    unsafe { dlt645_read(octets.as_ptr(), octets.len(), out) }
}

#[cfg(dlt645_yardstick)]
fn yardstick(octets: &[u8], out: &mut Reading) -> i64 {
    // SAFETY: as above.
    unsafe { dlt_c(octets.as_ptr(), octets.len(), out) }.into()
}

/// Prints the ratio of the shortest times of rounds that alternate: on a busy machine the one figure to go by.
fn interleaved(octets: &[u8]) {
    const ROUND: u32 = 20_000;
    let mut reading = Reading::default();
    let (mut ours, mut c) = (Duration::MAX, Duration::MAX);
    for _ in 0..200 {
        let start = Instant::now();
        for _ in 0..ROUND {
            black_box(read(black_box(octets), black_box(&mut reading)));
        }
        ours = ours.min(start.elapsed());
        let start = Instant::now();
        for _ in 0..ROUND {
            black_box(baseline(black_box(octets), black_box(&mut reading)));
        }
        c = c.min(start.elapsed());
    }
    let ratio = c.as_secs_f64() / ours.as_secs_f64();
    println!(
        "dlt645/reply, shortest: ours {:?}, c {:?}, {ratio:.2} times the speed of c",
        ours / ROUND,
        c / ROUND
    );
}

fn one(criterion: &mut Criterion) {
    let octets = reply(12_345_678);
    let (mut reading, mut ours) = (Reading::default(), Reading::default());
    assert_eq!(baseline(&octets, &mut reading), 24);
    assert_eq!(read(&octets, &mut ours), Some(24));
    assert_eq!(ours, reading);
    interleaved(&octets);

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
    for (name, noise) in [
        ("noise", (0..100_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect::<Vec<_>>()),
        ("a flood of start octets", vec![0x68; 100_000]),
    ] {
        group.throughput(Throughput::Bytes(noise.len() as u64));
        group.bench_function(format!("decoder, {name}"), |b| {
            b.iter(|| {
                let mut decoder = Decoder::new([0; STORAGE]);
                let mut errors = 0;
                for mut chunk in black_box(&noise).chunks(64) {
                    while decoder.decode(&mut chunk).is_some() {
                        errors += 1;
                    }
                }
                errors
            })
        });
    }
    group.finish();
}

criterion_group!(benches, one, stream);
criterion_main!(benches);
