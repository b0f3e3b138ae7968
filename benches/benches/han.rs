//! HAN frames: one frame in, both check sequences verified, every value out; beside it what others do of that.

use benches::han::{Input, captured, frames};
use core::hint::black_box;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use dlms_hdlc::Decoder;
use obis::apdu::DataNotification;
use obis::han;

#[path = "contenders/han.rs"]
#[allow(dead_code, reason = "the table uses the rest")]
mod contenders;

use contenders::{hdlcparse_and_walk, named, read};

fn per_frame(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("han frame");
    for Input { name, octets } in frames() {
        group.throughput(Throughput::Bytes(octets.len() as u64));
        assert!(read(&octets) > 0 && named(&octets) > 0, "{name}: nothing decoded");
        assert_eq!(read(&octets), hdlcparse_and_walk(&octets), "{name}: the peer reads something else");
        group.bench_with_input(BenchmarkId::new("read", name), &octets, |bencher, octets| {
            bencher.iter(|| read(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("named", name), &octets, |bencher, octets| {
            bencher.iter(|| named(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("hdlcparse + walk", name), &octets, |bencher, octets| {
            bencher.iter(|| hdlcparse_and_walk(black_box(octets)));
        });
        group.bench_with_input(BenchmarkId::new("hdlcparse", name), &octets, |bencher, octets| {
            bencher.iter(|| hdlcparse::type3::HdlcFrame::parse(black_box(octets)).is_ok());
        });
        // Takes 7D inside a frame for an escape, so it fails on some: the time to say so counts.
        group.bench_with_input(BenchmarkId::new("hdlc (no checks)", name), &octets, |bencher, octets| {
            bencher.iter(|| hdlc::decode(black_box(octets), hdlc::SpecialChars::default()).is_ok());
        });
    }
    group.finish();
}

/// The stream decoder on frames one after another.
fn stream(criterion: &mut Criterion) {
    let octets: Vec<u8> = frames().into_iter().cycle().take(200).flat_map(|input| input.octets).collect();
    let mut group = criterion.benchmark_group("hdlc stream");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    group.bench_function("slice iterator", |bencher| {
        bencher.iter(|| {
            dlms_hdlc::frames(black_box(&octets)).flatten().map(|f| f.information().len()).sum::<usize>()
        });
    });
    for (name, chunk) in [("chunks of 64 KiB", 1 << 16), ("chunks of 64", 64), ("octet by octet", 1)] {
        let mut decoder = Decoder::new(vec![0; 2356]);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut total = 0;
                for mut chunk in black_box(&octets).chunks(chunk) {
                    while let Some(frame) = decoder.decode(&mut chunk) {
                        total += frame.map_or(0, |frame| frame.information().len());
                    }
                }
                total
            });
        });
    }
    group.finish();
}

/// An APDU without its frame, which is all that `dlms_cosem` reads: Kaifa's list of 336 octets.
fn apdu(criterion: &mut Criterion) {
    let Some(octets) = captured("kaifa-gh539-4") else {
        eprintln!("SKIPPED: dlms_cosem, which reads none of the self-made frames");
        return;
    };
    let mut group = criterion.benchmark_group("apdu 336");
    group.throughput(Throughput::Bytes(octets.len() as u64));
    group.bench_function("obis-cosem", |bencher| {
        bencher.iter(|| {
            let notification = DataNotification::parse_header(black_box(&octets)).expect("a notification");
            han::entries(notification.body).flatten().map(black_box).count()
        });
    });
    group.bench_function("dlms_cosem", |bencher| {
        bencher.iter(|| dlms_cosem::Apdu::parse(black_box(&octets[..])).is_ok());
    });
    group.finish();
}

/// The text of codes, in and out.
fn text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("obis text");
    let code = "1-0:31.7.0*255";
    group.bench_function("obis-cosem parse", |bencher| {
        bencher.iter(|| obis::Obis::parse(black_box(code.as_bytes())).expect("a code"));
    });
    group.bench_function("obis parse", |bencher| {
        bencher.iter(|| obis_text::Code::parse(black_box(code.as_bytes())).expect("a code"));
    });
    group.finish();
}

criterion_group!(benches, per_frame, stream, apdu, text);
criterion_main!(benches);
