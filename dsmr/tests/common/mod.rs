//! What the integration tests share: where the captures are, a check of its own, telegrams made here.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::PathBuf;

/// The folder of the captures, if it stands.
pub(crate) fn captures() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dsmr"));
    if folder.is_dir() {
        return Some(folder);
    }
    println!("SKIPPED: {} not found", folder.display());
    None
}

/// Name and octets of every `.p1` file, sorted.
pub(crate) fn telegram_files() -> Vec<(String, Vec<u8>)> {
    let Some(folder) = captures() else { return Vec::new() };
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "p1"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

/// CRC-16/ARC bit by bit, independent of the crate.
pub(crate) fn crc(octets: &[u8]) -> u16 {
    let mut running = 0u16;
    for octet in octets {
        running ^= u16::from(*octet);
        for _ in 0..8 {
            running = if running & 1 == 0 { running >> 1 } else { (running >> 1) ^ 0xA001 };
        }
    }
    running
}

/// A telegram from its text up to `!`, with CR LF line ends and a good check.
pub(crate) fn checked(text: &str) -> Vec<u8> {
    let mut octets = text.replace('\n', "\r\n").into_bytes();
    octets.push(b'!');
    let check = crc(&octets);
    octets.extend(format!("{check:04X}\r\n").bytes());
    octets
}

/// A telegram from its text up to `!`, with CR LF line ends and no check.
pub(crate) fn unchecked(text: &str) -> Vec<u8> {
    let mut octets = text.replace('\n', "\r\n").into_bytes();
    octets.extend(b"!\r\n");
    octets
}
