//! A long file is decoded by two threads; what comes out is what one gives, on dirty streams too.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Several pieces of what the threads share.
const LONG: usize = 9 << 20;

/// A file is shared by threads.
fn by_two(path: &PathBuf, format: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meter"));
    command.args(["decode", "--format", format]).arg(path).output().unwrap()
}

/// A pipe is not: it gives too little at a time.
fn by_one(octets: &[u8], format: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_meter"))
        .args(["decode", "--format", format, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(octets).unwrap());
        child.wait_with_output().unwrap()
    })
}

fn random(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

/// Octets changed, lost, put in and sent twice, about one piece in `rare` of `unit` octets.
fn dirty(clean: &[u8], unit: usize, rare: usize, seed: &mut u64) -> Vec<u8> {
    let mut octets = Vec::new();
    for piece in clean.chunks(unit) {
        let at = random(seed) % piece.len();
        let (front, back) = piece.split_at(at);
        octets.extend(front);
        if random(seed).is_multiple_of(rare) {
            match random(seed) % 5 {
                0 => octets.push(random(seed) as u8),
                1 => octets.extend(&back[1..]),
                2 => octets.extend(b"\r\n/"),
                3 => octets.extend([0x7E, 0xA7, 0x7E]),
                _ => octets.extend(front),
            }
        }
        octets.extend(back);
    }
    octets
}

fn agree(name: &str, unit: &[u8]) {
    let clean = unit.repeat(LONG.div_ceil(unit.len()));
    let mut seed = 645;
    let often = dirty(&clean, 1 << 12, 2, &mut seed);
    let rarely = dirty(&clean, 1 << 16, 3, &mut seed);
    // Hardly a place where the second half could be taken as it is.
    let always = dirty(&clean, 200, 1, &mut seed);
    for (how, octets, format) in [
        ("clean", &clean, "json"),
        ("often", &often, "json"),
        ("rarely", &rarely, "json"),
        ("always", &always, "json"),
        ("csv", &rarely, "csv"),
    ] {
        let path = std::env::temp_dir().join(format!("meter-{name}-{how}-{}", std::process::id()));
        fs::write(&path, octets).unwrap();
        let (two, one) = (by_two(&path, format), by_one(octets, format));
        fs::remove_file(&path).unwrap();
        assert_eq!(two.status.code(), one.status.code(), "{name}, {how}");
        assert_eq!(one.status.code(), Some(i32::from(how != "clean")), "{name}, {how}");
        assert!(how == "always" || one.stdout.len() > LONG, "{name}, {how}: too little to say anything");
        assert!(two.stdout == one.stdout, "{name}, {how}: output differs");
        assert!(two.stderr == one.stderr, "{name}, {how}: what is told differs");
    }
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/samples")).join(name)).unwrap()
}

#[test]
fn telegrams() {
    agree("p1", &sample("telegram.p1"));
}

#[test]
fn han_lists() {
    let text = String::from_utf8(sample("han.hex")).unwrap();
    let digits: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.chars().filter_map(|digit| digit.to_digit(16)))
        .collect();
    agree("han", &digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect::<Vec<_>>());
}
