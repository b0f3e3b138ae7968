//! `lines PROGRAM < octets`: what one of the short programs prints on a chip, printed on the host.
#![allow(clippy::print_stdout, reason = "its job")]

use std::io::{Read, Write};

use logic::programs::{Dlt645, Dsmr, Han, Hdlc, Obis, Program, Upgrade};

fn main() -> std::io::Result<()> {
    let mut octets = Vec::new();
    std::io::stdin().read_to_end(&mut octets)?;
    let lines = match std::env::args().nth(1).as_deref() {
        Some("hdlc") => lines(Hdlc::new([0; 700]), &octets),
        Some("han") => lines(Han::new([0; 2356], [0; 2048], [0; 2048]), &octets),
        Some("obis") => lines(Obis::new(), &octets),
        Some("dsmr") => lines(Dsmr::new([0; 128]), &octets),
        Some("dlt645") => lines(Dlt645::new([0; dlt645::STORAGE]), &octets),
        Some("upgrade") => lines(Upgrade::new([0; 600]), &octets),
        _ => return Err(std::io::Error::other("lines hdlc|han|obis|dsmr|dlt645|upgrade < octets")),
    };
    std::io::stdout().write_all(&lines)
}

fn lines(mut program: impl Program, octets: &[u8]) -> Vec<u8> {
    let mut lines = Vec::new();
    let mut out = |octet| lines.push(octet);
    program.take(octets, &mut out);
    program.idle(&mut out);
    lines
}
