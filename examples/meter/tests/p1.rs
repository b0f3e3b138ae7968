//! `meter decode` on P1 telegrams.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn decode(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_meter")).arg("decode").args(arguments).output().unwrap()
}

fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap()
}

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/telegram.p1");

#[test]
fn json_of_a_telegram() {
    let output = decode(&[SAMPLE, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0));
    let json = text(output.stdout);
    let head = "{\"protocol\":\"p1\",\"identification\":\"MTR5\\\\2SAMPLE-1000\",\"check\":\"ok\",\
                \"time\":\"2026-11-20T18:15:30+01:00\",\"objects\":[{\"obis\":\"1-3:0.2.8\",\
                \"name\":\"version of the telegram\",\"value\":\"50\"},";
    assert!(json.starts_with(head), "{json}");
    for object in [
        "{\"obis\":\"0-0:96.1.1\",\"name\":\"serial number\",\"value\":\"E0000000000000001\"}",
        "{\"obis\":\"1-0:1.8.1\",\"name\":\"active energy import (+A), tariff 1\",\"value\":4217.385,\"unit\":\"kWh\"}",
        "\"values\":[2,\"0-0:96.7.19\",\"2024-01-17T20:14:58+01:00\",{\"value\":236,\"unit\":\"s\"},",
        "{\"obis\":\"0-1:24.2.1\",\"name\":\"gas reading\",\"channel\":1,\"time\":\"2026-11-20T18:15:00+01:00\",\
         \"value\":1844.512,\"unit\":\"m3\"}]}",
    ] {
        assert!(json.contains(object), "{object} in {json}");
    }
}

#[test]
fn a_bad_check_is_told_and_the_telegram_decoded_only_on_demand() {
    let path = std::env::temp_dir().join(format!("meter-bad-check-{}.p1", std::process::id()));
    let telegram = fs::read_to_string(SAMPLE).unwrap().replace("004217.385", "004217.386");
    fs::write(&path, telegram).unwrap();
    let path = path.to_str().unwrap();
    let strict = decode(&[path, "--format", "json"]);
    assert_eq!((strict.status.code(), text(strict.stdout)), (Some(1), String::new()));
    assert!(text(strict.stderr).contains("check does not agree"));
    let lenient = decode(&[path, "--format", "json", "--lenient"]);
    assert_eq!(lenient.status.code(), Some(1));
    assert!(text(lenient.stdout).contains("\"check\":\"bad\""));
    fs::remove_file(path).unwrap();
}

#[test]
fn parity_bits_and_octets_before_do_not_hide_a_telegram() {
    let path = std::env::temp_dir().join(format!("meter-parity-{}.p1", std::process::id()));
    let even = |octet: u8| octet | (octet.count_ones() as u8 & 1) << 7;
    fs::write(&path, fs::read(SAMPLE).unwrap().into_iter().map(even).collect::<Vec<_>>()).unwrap();
    let output = decode(&[path.to_str().unwrap(), "--format", "json"]);
    assert!(text(output.stdout).contains("\"check\":\"ok\""));
    // A damaged one is told in the words of telegrams, not taken for an APDU.
    let telegram = [&b"\xEF\xBB\xBF\r\n"[..], &fs::read(SAMPLE).unwrap()[..200], b"\xF0\r\n"].concat();
    fs::write(&path, telegram).unwrap();
    let output = decode(&[path.to_str().unwrap(), "--format", "json"]);
    assert_eq!((output.status.code(), text(output.stdout)), (Some(1), String::new()));
    assert!(text(output.stderr).contains("telegram"));
    fs::remove_file(path).unwrap();
}

/// Each data line of each whole telegram comes out as one object; what the index calls valid has check `ok`.
#[test]
fn noise_without_a_check_is_no_telegram() {
    let path = std::env::temp_dir().join(format!("meter-noise-{}.p1", std::process::id()));
    for (name, is_told) in [("ISk5\\2MT382", true), ("IS\u{5}k\u{1e}2", false)] {
        fs::write(&path, format!("/{name}\r\n\r\n1-0:1.8.1(00001.001*kWh)\r\n!\r\n")).unwrap();
        let output = decode(&[path.to_str().unwrap(), "--protocol", "p1"]);
        assert_eq!(
            (output.status.code(), output.stdout.is_empty()),
            (Some(i32::from(!is_told)), !is_told),
            "{name}"
        );
    }
    fs::remove_file(path).unwrap();
}

#[test]
fn captures_lose_no_line() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/dsmr"));
    let Ok(index) = fs::read_to_string(folder.join("index.md")) else {
        eprintln!("SKIPPED: no captures, {} not found", folder.display());
        return;
    };
    let mut valid = 0;
    for row in index.lines().filter(|row| row.contains(".p1 |") && row.contains("| valid |")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let (name, objects) = (cells[1], cells[6].parse::<usize>());
        let (Some(path), Ok(objects)) = (folder.join(name).to_str().map(str::to_owned), objects) else {
            continue;
        };
        let output = decode(&[&path, "--format", "json"]);
        assert_eq!(output.status.code(), Some(0), "{name}");
        let json = text(output.stdout);
        assert!(json.contains("\"check\":\"ok\""), "{name}");
        assert_eq!(
            json.matches("{\"obis\":").count() + json.matches("\"raw\":").count(),
            objects,
            "{name}: {json}"
        );
        assert_eq!(text(decode(&[&path, "--format", "tree"]).stdout).lines().count(), objects + 1, "{name}");
        valid += 1;
    }
    assert!(valid > 20, "{valid} valid telegrams");
}

#[test]
fn raw_streams_give_every_whole_telegram() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/dsmr");
    for (name, telegrams) in [("stream-nl50-isk-ttyUSB0.raw", 282), ("stream-overflow-then-telegram.raw", 0)]
    {
        let path = PathBuf::from(folder).join(name);
        if !path.exists() {
            eprintln!("SKIPPED: {} not found", path.display());
            continue;
        }
        let output = decode(&[path.to_str().unwrap(), "--format", "json"]);
        assert_eq!(text(output.stdout).matches("\"check\":\"ok\"").count(), telegrams, "{name}");
    }
}
