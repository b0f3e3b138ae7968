//! Every capture of `../shared/captures/dlms`: APDUs, block transfer, decryption and data against the expected trees.
//!
//! The framing is skipped over here by its lengths alone, nothing of it is checked: that is another crate's work.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use std::fs;
use std::path::{Path, PathBuf};

use obis::apdu::{Apdu, DataNotification, Gbt};
use obis::data::Quirks;
use obis::tree::Tree;

struct Capture {
    name: String,
    is_good: bool,
    keys: [Option<Vec<u8>>; 2],
    octets: Vec<u8>,
}

/// Where the captures stand, or a loud word that they do not.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dlms"));
    if folder.is_dir() {
        return Some(folder.to_path_buf());
    }
    eprintln!("SKIPPED: {} not found", folder.display());
    None
}

fn captures(folder: &Path) -> Vec<Capture> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "hex"));
    paths.sort();
    paths.iter().map(|path| capture(path)).collect()
}

fn capture(path: &Path) -> Capture {
    let text = fs::read_to_string(path).unwrap();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    Capture {
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        is_good: text.lines().any(|line| line.starts_with("# vendor:") && line.contains("class: good")),
        keys: [field("# ek:").map(hex), field("# ak:").map(hex)],
        octets: hex(&digits),
    }
}

fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<_> = digits.chars().filter(|digit| !digit.is_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap()).collect()
}

/// What the framing carries: one entry for each frame, or each sequence of segments.
fn payloads(octets: &[u8]) -> Vec<Vec<u8>> {
    match octets {
        [0x7E, ..] => hdlc(octets),
        [0x68, _, _, 0x68, ..] => mbus(octets),
        [0x00, 0x01, _, _, _, _, high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            vec![rest.get(..length).unwrap_or(rest).to_vec()]
        }
        _ => vec![octets.to_vec()],
    }
}

fn hdlc(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut pending = Vec::new();
    loop {
        while let [0x7E, rest @ ..] = octets {
            octets = rest;
        }
        let [format, low, ..] = octets else { return payloads };
        let length = usize::from(u16::from_be_bytes([format & 0x07, *low]));
        let Some(frame) = octets.get(..length).filter(|frame| frame.len() > 9 && format & 0xF0 == 0xA0)
        else {
            return payloads;
        };
        octets = &octets[length..];
        // Two addresses, each ending with the first octet that is odd; control; HCS.
        let mut header = 2;
        for _ in 0..2 {
            header += frame[header..].iter().position(|octet| octet & 1 == 1).unwrap_or(0) + 1;
        }
        pending.extend_from_slice(frame.get(header + 3..length - 2).unwrap_or_default());
        if format & 0x08 == 0 {
            payloads.push(core::mem::take(&mut pending));
        }
    }
}

fn mbus(mut octets: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut pending = Vec::new();
    while let [0x68, length, _, 0x68, rest @ ..] = octets {
        let length = if *length == 1 { 257 } else { usize::from(*length) };
        let (Some(user), Some(after)) = (rest.get(..length), rest.get(length + 2..)) else { break };
        octets = after;
        // C, A, CI, STSAP, DTSAP
        pending.extend_from_slice(user.get(5..).unwrap_or_default());
        if user.get(2).is_some_and(|ci| ci & 0x10 != 0) {
            payloads.push(core::mem::take(&mut pending));
        }
    }
    payloads
}

/// The trees of everything that reads, and what went wrong.
#[derive(Default)]
struct Log {
    lines: String,
    verdicts: Vec<&'static str>,
    problems: Vec<String>,
}

fn decode(capture: &Capture) -> Log {
    let mut log = Log::default();
    let mut gbt = Gbt::new([0; 4096]);
    for payload in payloads(&capture.octets) {
        let mut rest = &payload[..];
        while !rest.is_empty() {
            if let [0xE6, 0xE6 | 0xE7, 0x00, after @ ..] = rest {
                rest = after;
            }
            rest = match Apdu::parse(rest) {
                Ok((Apdu::Block(block), rest)) => {
                    let step = gbt.push(&block);
                    log.problems.extend(step.problem.map(|problem| problem.to_string()));
                    if let Some(inner) = step.apdu {
                        whole(inner, &capture.keys, &mut log);
                    }
                    rest
                }
                Ok((apdu, rest)) => {
                    opened(&apdu, &capture.keys, &mut log);
                    rest
                }
                Err(error) => {
                    log.problems.push(error.to_string());
                    &[]
                }
            };
        }
    }
    log.problems.extend(gbt.finish().and_then(|step| step.problem).map(|problem| problem.to_string()));
    log
}

/// An APDU that came out of another, whose length is therefore known.
fn whole(octets: &[u8], keys: &[Option<Vec<u8>>; 2], log: &mut Log) {
    match Apdu::parse(octets) {
        Ok((apdu, [])) => opened(&apdu, keys, log),
        Ok((apdu, rest)) => log.problems.push(format!("{} octets behind {}", rest.len(), apdu.tag())),
        Err(error) => log.problems.push(error.to_string()),
    }
}

fn opened(apdu: &Apdu<'_>, keys: &[Option<Vec<u8>>; 2], log: &mut Log) {
    match apdu {
        Apdu::DataNotification(notification) => {
            let tree = Tree::new(notification.body);
            // The APDU reader has been to the end of it, but not into the contents of a compact-array.
            log.problems.extend(tree.check().err().map(|error| error.to_string()));
            log.lines.push_str(&format!("{tree:#}"));
        }
        Apdu::Ciphered(ciphered) => decrypted(ciphered, keys, log),
        other => log.verdicts.push(other.tag().name().unwrap_or("unknown")),
    }
}

#[cfg(not(feature = "aes-gcm"))]
fn decrypted(ciphered: &obis::apdu::Ciphered<'_>, _: &[Option<Vec<u8>>; 2], log: &mut Log) {
    log.verdicts.push(ciphered.tag.name().unwrap_or("unknown"));
}

#[cfg(feature = "aes-gcm")]
fn decrypted(ciphered: &obis::apdu::Ciphered<'_>, keys: &[Option<Vec<u8>>; 2], log: &mut Log) {
    use obis::apdu::{Key, TagCheck};
    let [encryption, authentication] = keys.each_ref().map(|key| key.as_deref().and_then(Key::from_slice));
    let Some(encryption) = encryption else {
        log.verdicts.push("no key");
        return;
    };
    let mut storage = vec![0; ciphered.storage_needed()];
    let result = match authentication {
        Some(authentication) => ciphered.decrypt(&encryption, &authentication, &mut storage),
        None => ciphered.decrypt_unauthenticated(&encryption, &mut storage),
    };
    match result {
        Ok(plain) => {
            log.verdicts.push(match plain.tag {
                TagCheck::Verified => "tag verified",
                TagCheck::NotChecked => "tag not checked",
                TagCheck::Absent => "no tag",
            });
            match plain.apdu() {
                Ok(apdu) => whole(apdu, keys, log),
                Err(error) => log.problems.push(error.to_string()),
            }
        }
        Err(error) => log.problems.push(error.to_string()),
    }
}

/// The tree lines of an expected decode: those indented by an even number of spaces.
fn expected(folder: &Path, name: &str) -> String {
    let text = fs::read_to_string(folder.join("decoded").join(name).with_extension("txt")).unwrap();
    let is_tree = |line: &&str| {
        let indent = line.len() - line.trim_start_matches(' ').len();
        indent > 0 && indent.is_multiple_of(2)
    };
    text.lines().filter(is_tree).map(|line| format!("{line}\n")).collect()
}

/// Good captures in which something is missing all the same, and the reason.
const INCOMPLETE: [(&str, &str); 1] =
    [("lg-em-ct623-2", "block 2 of a transfer whose block 1 is in another file")];

#[test]
fn good_captures_give_the_expected_trees() {
    let Some(folder) = folder() else { return };
    let mut trees = 0;
    for capture in captures(&folder).iter().filter(|capture| capture.is_good) {
        if cfg!(not(feature = "aes-gcm")) && capture.keys[0].is_some() {
            continue;
        }
        let log = decode(capture);
        assert_eq!(log.lines, expected(&folder, &capture.name), "{}", capture.name);
        if INCOMPLETE.iter().any(|(name, _)| *name == capture.name) {
            assert_eq!(log.problems.len(), 1, "{}", capture.name);
        } else {
            assert_eq!(log.problems, Vec::<String>::new(), "{}", capture.name);
        }
        trees += usize::from(!log.lines.is_empty());
    }
    println!("{trees} captures give the expected tree");
    // The ciphered ones take the feature.
    assert!(trees >= if cfg!(feature = "aes-gcm") { 50 } else { 45 }, "only {trees}");
}

#[cfg(feature = "aes-gcm")]
#[test]
fn the_tag_is_verified_wherever_the_capture_has_both_keys_and_a_tag() {
    let Some(folder) = folder() else { return };
    let mut verified = 0;
    for capture in captures(&folder).iter().filter(|capture| capture.is_good && capture.keys[1].is_some()) {
        let log = decode(capture);
        verified += log.verdicts.iter().filter(|verdict| **verdict == "tag verified").count();
        assert!(!log.verdicts.contains(&"tag not checked"), "{}", capture.name);
        // Another authentication key, and nothing comes out.
        let mut keys = capture.keys.clone();
        keys[1].as_mut().unwrap()[0] ^= 1;
        let log = decode(&Capture {
            name: capture.name.clone(),
            is_good: true,
            keys,
            octets: capture.octets.clone(),
        });
        assert!(!log.verdicts.contains(&"tag verified"), "{}", capture.name);
    }
    println!("{verified} tags verified");
    assert!(verified >= 6, "only {verified}");
}

#[test]
fn no_cut_lost_octet_or_flipped_bit_makes_it_panic() {
    let Some(folder) = folder() else { return };
    for capture in captures(&folder) {
        let run = |octets| {
            decode(&Capture { name: String::new(), is_good: false, keys: capture.keys.clone(), octets });
        };
        for at in 0..capture.octets.len() {
            run(capture.octets[..at].to_vec());
            let mut octets = capture.octets.clone();
            octets.remove(at);
            run(octets);
            for bit in 0..8 {
                let mut octets = capture.octets.clone();
                octets[at] ^= 1 << bit;
                run(octets);
            }
        }
    }
}

#[test]
fn damage_in_the_data_is_found_where_it_is() {
    let Some(folder) = folder() else { return };
    for (name, problem) in [
        ("dp-raw_egd_example", "unknown data type 0x2a at octet 18"),
        ("dp-hdlc_landis_gyr_zmf100", "unknown data type 0x07 at octet 166"),
        ("iskraemeco-gh1072-2", "unknown data type 0x9f at octet 151"),
        ("kamstrup-gh196-3", "unknown data type 0x68 at octet 139"),
        ("lg-gh740-1", "block transfer ended before its last block"),
        ("lg-gh740-2", "block 2 without a block 1"),
        ("scs-lg_e450-plain_invalid_data", "block 2 where block 3 was to come"),
        ("scs-lg_e450-plain_valid_data", "block transfer ended before its last block"),
    ] {
        let log = decode(&capture(&folder.join(name).with_extension("hex")));
        assert_eq!(log.problems.first().map(String::as_str), Some(problem), "{name}");
        // Only the last one has a whole sequence too, behind the one cut short.
        assert_eq!(log.lines.is_empty(), name != "scs-lg_e450-plain_valid_data", "{name}");
    }
}

#[test]
fn departures_from_the_standard_are_read_when_asked_for() {
    let Some(folder) = folder() else { return };
    for (name, line, count) in [
        ("dp-raw_egd_example", "attribute-descriptor ", 27),
        ("dp-hdlc_landis_gyr_zmf100", "obis 1-0:51.7.0*255", 1),
    ] {
        let payload = payloads(&capture(&folder.join(name).with_extension("hex")).octets).concat();
        let apdu = payload.strip_prefix(&[0xE6, 0xE7, 0x00]).unwrap_or(&payload);
        assert!(DataNotification::parse(apdu).is_err());
        let (notification, rest) = DataNotification::parse_with_quirks(apdu, Quirks::ALL).unwrap();
        assert!(rest.is_empty(), "{name}");
        let tree = Tree::with_quirks(notification.body, Quirks::ALL).to_string();
        assert_eq!(tree.matches(line).count(), count, "{name}");
    }
}
