//! Every good capture with data: its list must come out named, scaled and plausible.
//!
//! The data is put together again from the expected tree beside each capture, so that neither framing nor ciphering is
//! needed here.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use obis::han::{self, Entry, Value};
use obis::{Decimal, Unit};

fn folder() -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dlms"));
    if folder.is_dir() {
        return Some(folder.to_path_buf());
    }
    eprintln!("SKIPPED: {} not found", folder.display());
    None
}

/// The name of each good capture whose data is known, and the data: one element for each notification.
fn bodies(folder: &Path) -> Vec<(String, Vec<Vec<u8>>)> {
    let index = fs::read_to_string(folder.join("index.md")).unwrap();
    let mut bodies = Vec::new();
    for row in index.lines().filter(|row| row.contains("| good |")) {
        let name = row.trim_start_matches("| ").split(".hex").next().unwrap();
        let tree = fs::read_to_string(folder.join("decoded").join(format!("{name}.txt"))).unwrap();
        let data = data(&tree);
        if !data.is_empty() {
            bodies.push((name.to_owned(), data));
        }
    }
    bodies
}

/// The octets of each tree in the text.
fn data(text: &str) -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    for line in text.lines() {
        let element = line.trim_start();
        match line.len() - element.len() {
            indent if indent % 2 != 0 || indent == 0 => continue,
            2 => all.push(Vec::new()),
            _ => {}
        }
        all.last_mut().unwrap().extend(element_octets(element));
    }
    all
}

/// The octets of one line of a tree.
fn element_octets(line: &str) -> Vec<u8> {
    let (kind, rest) = line.split_once([' ', '(']).unwrap_or((line, ""));
    let number = || rest.trim_end_matches(')').parse::<i128>().unwrap();
    let integer = |tag: u8, size: usize| {
        let mut octets = vec![tag];
        octets.extend_from_slice(&number().to_be_bytes()[16 - size..]);
        octets
    };
    let string = |tag: u8, octets: &[u8]| {
        let mut all = vec![tag, u8::try_from(octets.len()).unwrap()];
        all.extend_from_slice(octets);
        all
    };
    match kind {
        "array" => integer(1, 1),
        "structure" => integer(2, 1),
        "null" => vec![0],
        "bool" => integer(3, 1),
        "enum" => integer(22, 1),
        "u8" => integer(17, 1),
        "i8" => integer(15, 1),
        "u16" => integer(18, 2),
        "i16" => integer(16, 2),
        "u32" => integer(6, 4),
        "i32" => integer(5, 4),
        "u64" => integer(21, 8),
        "i64" => integer(20, 8),
        "octet-string" => string(9, &string_octets(rest)),
        "visible-string" => string(10, &string_octets(rest)),
        _ => panic!("no octets for {line}"),
    }
}

fn string_octets(text: &str) -> Vec<u8> {
    let (kind, text) = text.split_once(' ').unwrap_or((text, ""));
    match kind {
        "obis" => text.split(['-', ':', '.', '*']).map(|group| group.parse().unwrap()).collect(),
        "octets" => {
            (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
        }
        "datetime" => {
            // 2025-12-14 w0 16:00:00.- dev=0 st=00
            let parts: Vec<_> = text.split([' ', '-', ':']).collect();
            let [year, month, day, week, hour, minute, rest @ ..] = &parts[..] else { panic!("{text}") };
            let part = |text: &str| text.parse::<u8>().unwrap_or(0xFF);
            let mut octets = year.parse::<u16>().unwrap().to_be_bytes().to_vec();
            octets.extend([part(month), part(day), part(&week[1..]), part(hour), part(minute)]);
            let (second, hundredths) = rest[0].split_once('.').unwrap();
            octets.extend([part(second), part(hundredths)]);
            let deviation = text.split_once("dev=").unwrap().1.split(' ').next().unwrap();
            octets.extend(deviation.parse::<i16>().unwrap_or(i16::MIN).to_be_bytes());
            octets.push(u8::from_str_radix(text.split_once("st=").unwrap().1, 16).unwrap());
            octets
        }
        "str" => {
            let (quoted, padding) = text.rsplit_once('"').unwrap();
            let mut octets = quoted.as_bytes()[1..].to_vec();
            let padding = padding.trim().trim_start_matches('+').trim_end_matches("NUL");
            octets.extend(vec![0; padding.parse().unwrap_or(0)]);
            octets
        }
        _ => panic!("no octets for {kind} {text}"),
    }
}

/// Which layouts the captures of each vendor may have; the captures with neither name are listed by their own.
fn expected_layout(name: &str) -> Option<&'static str> {
    Some(match name {
        "dp-hdlc_norway_han_1phase" => "Aidon",
        "dp-hdlc_kamstrup_omnipower" | "amshan-kamstrup-se-1" => "Kamstrup",
        "kaifa-gh242-1" => "Kaifa, pairs",
        "kaifa-gh905-1" | "kaifa-gh539-4" | "dp-raw_salzburg_netz" => "Kaifa, Austria",
        "amshan-hdlc-with_flag_sequence_character_in_info" => "Kaifa, by position",
        "dp-mbus_netz_noe_p1" | "sagemcom-gh867-2" => "Netz NÖ",
        "amsf-lg-e350-norway-1" => "Landis+Gyr E350",
        "lg-gh501-1" | "lg-gh501-2" => "Landis+Gyr, Burgenland",
        "dp-hdlc_lgz_e450_2" | "scs-lg_e450-encrypted_data_no_pushlist" => "Landis+Gyr, pairs",
        "iskraemeco-gh1072-3" | "iskraemeco-gh1072-4" => "Iskraemeco, Croatia",
        "scs-iskra_am550-plain_valid_data" | "lg-gh740" | "lg-gh934-1" => "object list, Switzerland",
        "scs-lg_e450-plain_valid_data_cfg2026" => "object list, Switzerland",
        _ if name.starts_with("aidon") => "Aidon",
        _ if name.starts_with("kamstrup") => "Kamstrup",
        _ if name.starts_with("kaifa") => "Kaifa, by position",
        _ if name.starts_with("iskraemeco") => "Iskraemeco, Slovenia",
        // Named and scaled by themselves, or by nobody: L+G list 1, AM550 CH, Energomera, M-Bus registers, E570, u9n.
        _ => return None,
    })
}

#[test]
fn every_good_capture_is_named_scaled_and_plausible() {
    let Some(folder) = folder() else { return };
    let bodies = bodies(&folder);
    assert!(bodies.len() >= 50, "only {} captures with data", bodies.len());
    let (mut named, mut scaled, mut plain) = (0, 0, 0);
    for (name, data) in &bodies {
        for body in data {
            let mut list = han::entries(body);
            assert_eq!(list.layout(), expected_layout(name), "{name}");
            let entries: Vec<_> =
                list.by_ref().map(|entry| entry.unwrap_or_else(|error| panic!("{name}: {error}"))).collect();
            assert!(list.rest().is_empty(), "{name}");
            assert!(!entries.is_empty(), "{name}");
            for entry in &entries {
                plausible(name, entry);
                named += usize::from(entry.obis.is_some());
                scaled += usize::from(matches!(entry.value, Value::Scaled(_)));
                plain += usize::from(entry.obis.is_some() && matches!(entry.value, Value::Plain(_)));
            }
            if expected_layout(name).is_some() && entries.len() > 4 {
                identified(name, &entries);
            }
        }
    }
    eprintln!(
        "{} captures: {named} values named, {scaled} scaled, {plain} named but not scaled",
        bodies.len()
    );
    assert!(scaled >= 600 && plain <= 60);
}

/// A list of more than a few values says which meter it is from.
fn identified(name: &str, entries: &[Entry<'_>]) {
    // Aidon in Sweden and Landis+Gyr in Styria send no number.
    if name.starts_with("aidon-gh1") && name != "aidon-gh1119-1" && name != "aidon-gh1119-4"
        || name.contains("lgz_e450_2")
        || name.contains("no_pushlist")
    {
        return;
    }
    let number = entries.iter().find(|entry| {
        let code = entry.obis.map(|code| code.octets());
        matches!(code, Some([0, _, 96, 1, 0, _] | [0, 0, 42, 0, 0, _] | [1, 1, 0, 0, 1 | 5, _]))
    });
    let number = number.unwrap_or_else(|| panic!("{name}: no number")).value.to_string();
    assert!(number.len() >= 8, "{name}: {number}");
}

fn plausible(name: &str, entry: &Entry<'_>) {
    let Some(code) = entry.obis else { return };
    let Value::Scaled(value) = entry.value else { return };
    let between = |low: i64, high: i64| {
        let number = value.to_base();
        assert!(
            number.compare(Decimal::new(low, 0)).is_ge() && number.compare(Decimal::new(high, 0)).is_le(),
            "{name}: {code} {value}"
        );
    };
    match (code.a(), code.c(), code.d()) {
        (1, 32 | 52 | 72, 7) => {
            assert_eq!(value.unit, Unit::VOLT, "{name}");
            if !value.value.is_zero() {
                between(200, 260);
            }
        }
        (1, 31 | 51 | 71, 7) => {
            assert_eq!(value.unit, Unit::AMPERE, "{name}");
            between(0, 100);
        }
        (1, 1 | 2 | 21 | 22 | 41 | 42 | 61 | 62, 7) => {
            assert_eq!(value.unit, Unit::WATT, "{name}");
            between(0, 20_000);
        }
        (1, 3 | 4 | 23 | 24, 7) => {
            assert_eq!(value.unit, Unit::VAR, "{name}");
            between(0, 100_000);
        }
        (1, 13 | 33 | 53 | 73, 7) => {
            assert_eq!(value.unit, Unit::NONE, "{name}");
            between(0, 1);
        }
        (1, 1 | 2 | 21 | 22, 8) => {
            assert_eq!(value.unit, Unit::WATT_HOUR, "{name}");
            between(0, 1_000_000_000);
        }
        (1, 3..=8, 8) => {
            assert_eq!(value.unit, Unit::VAR_HOUR, "{name}");
            between(0, 1_000_000_000);
        }
        _ => {}
    }
}

/// Where the values can check each other: the sum of the tariffs is the total, the powers of the phases that of all.
#[test]
fn totals_are_the_sums_of_their_parts() {
    let Some(folder) = folder() else { return };
    let mut sums = 0;
    for (name, data) in bodies(&folder) {
        for body in &data {
            let values: BTreeMap<_, _> = han::entries(body)
                .map(Result::unwrap)
                .filter(|entry| entry.attribute == 2)
                .filter_map(|entry| {
                    let [a, _, c, d, e, f] = entry.obis?.octets();
                    Some(((a, c, d, e, f), entry.value.number()?))
                })
                .collect();
            for c in 1..=8 {
                let get = |e| values.get(&(1, c, 8, e, 255));
                if let (Some(total), Some(one), Some(two)) = (get(0), get(1), get(2)) {
                    let sum = one.checked_add(*two).unwrap();
                    let gap = total.checked_sub(sum).unwrap();
                    assert!(gap.mantissa.abs() <= 2, "{name}: {c}.8: {total} is not {one} + {two}");
                    sums += 1;
                }
            }
        }
    }
    assert!(sums >= 20, "only {sums} totals with tariffs");
}
