//! The vectors that every chip is given, on the host first. With `WRITE_VECTORS` set, what comes out becomes the vector.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "test code"
)]

use logic::programs::{Dlt645, Dsmr, Han, Hdlc, Obis, P1, Program, Upgrade};
use logic::vectors::{self, Vector};

fn compare(name: &str, expected: &str, lines: &str) {
    if std::env::var_os("WRITE_VECTORS").is_some() {
        std::fs::write(format!("{}/vectors/{name}.txt", env!("CARGO_MANIFEST_DIR")), lines).unwrap();
    } else {
        assert_eq!(lines, expected, "{name}");
    }
}

fn lines(mut program: impl Program, octets: &[u8], chunk: usize) -> String {
    let mut lines = Vec::new();
    let mut out = |octet| lines.push(octet);
    octets.chunks(chunk).for_each(|chunk| program.take(chunk, &mut out));
    program.idle(&mut out);
    String::from_utf8(lines).unwrap()
}

fn check<P: Program>(name: &str, vector: Vector, program: impl Fn() -> P) {
    for chunk in [1, 7, 16, vector.octets.len()] {
        compare(name, vector.lines, &lines(program(), vector.octets, chunk));
    }
}

#[test]
fn hdlc() {
    check("hdlc", vectors::HDLC, || Hdlc::new([0; 700]));
}

#[test]
fn obis() {
    check("obis", vectors::OBIS, Obis::new);
}

#[test]
fn han() {
    check("han", vectors::HAN, || Han::new([0; 700], [0; 1024], [0; 1024]));
}

#[test]
fn dsmr() {
    check("dsmr", vectors::DSMR, || Dsmr::new([0; 128]));
}

#[test]
fn p1() {
    check("p1", vectors::P1, P1::new);
}

#[test]
fn dlt645() {
    check("dlt645", vectors::DLT645, || Dlt645::new([0; ::dlt645::STORAGE]));
}

#[test]
fn upgrade() {
    check("upgrade", vectors::UPGRADE, || Upgrade::new([0; 600]));
}
