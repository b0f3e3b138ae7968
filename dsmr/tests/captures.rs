//! Every capture against a reader of its own, written the naive way with strings.
#![allow(
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::std_instead_of_core,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

mod common;

use common::{captures, crc, telegram_files};
use dsmr::{Check, Content, Decoder, ErrorKind, LineDecoder, LineEvent, Options, Telegram, Verdict};
use std::collections::BTreeMap;

/// What the naive reader makes of a value.
#[derive(Debug, PartialEq)]
enum Naive {
    Empty,
    Number(String, String),
    Time(String),
    Code(String),
    Other(String),
}

/// Data lines by string handling: code as text (`None`: not one) and values.
fn naive(text: &str) -> Vec<(Option<String>, Vec<Naive>)> {
    let mut lines: Vec<String> = Vec::new();
    for line in text.split(['\r', '\n']).filter(|line| !line.is_empty()).skip(1) {
        if line.starts_with('!') {
            break;
        }
        match lines.last_mut() {
            Some(last) if line.starts_with('(') => last.push_str(line),
            _ => lines.push(line.to_owned()),
        }
    }
    lines.iter().map(|line| naive_line(line)).collect()
}

fn naive_line(line: &str) -> (Option<String>, Vec<Naive>) {
    let (front, rest) = line.split_at(line.find('(').unwrap_or(line.len()));
    let inner = rest.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let values = inner.map(|inner| inner.split(")(").map(naive_value).collect()).unwrap_or_default();
    (naive_code(front), values)
}

fn naive_code(front: &str) -> Option<String> {
    let (medium, rest) = front.split_once('-')?;
    let (channel, rest) = rest.split_once(':')?;
    let groups: Vec<&str> = rest.split(['.', '*']).collect();
    let mut numbers: Vec<u8> = Vec::new();
    for group in [medium, channel].iter().chain(&groups) {
        numbers.push(group.parse().ok()?);
    }
    if numbers.len() == 5 {
        numbers.push(255);
    }
    let [a, b, c, d, e, f] = numbers.try_into().ok()?;
    Some(format!("{a}-{b}:{c}.{d}.{e}*{f}"))
}

fn naive_value(text: &str) -> Naive {
    let text = text.trim();
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if text.is_empty() {
        return Naive::Empty;
    }
    if text.len() == 13 && digits(&text[..12]) && text.ends_with(['S', 'W', 's', 'w']) {
        return Naive::Time(text.to_owned());
    }
    if text.contains(':')
        && let Some(code) = naive_code(text)
    {
        return Naive::Code(code);
    }
    let (number, unit) = match text.split_once('*') {
        Some((number, unit)) => (number, unit.trim()),
        None => text.split_at(text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len())),
    };
    let (sign, bare) = number.strip_prefix('-').map_or(("", number), |bare| ("-", bare));
    let (whole, decimals) =
        bare.split_once('.').map_or((bare, None), |(whole, decimals)| (whole, Some(decimals)));
    let known = [
        "", "wh", "kwh", "w", "kw", "v", "kv", "a", "ka", "s", "m3", "gj", "mj", "var", "kvar", "varh",
        "kvarh", "kva", "khz", "hz",
    ];
    if digits(whole)
        && decimals.is_none_or(digits)
        && format!("{whole}{}", decimals.unwrap_or_default())
            .parse::<i64>()
            .is_ok_and(|number| number < 1_000_000_000_000_000_000)
        && known.contains(&unit.to_lowercase().as_str())
    {
        let whole = whole.trim_start_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let decimals = decimals.map(|decimals| format!(".{decimals}")).unwrap_or_default();
        let zero = whole == "0" && decimals.chars().all(|c| matches!(c, '0' | '.'));
        let sign = if zero { "" } else { sign };
        return Naive::Number(format!("{sign}{whole}{decimals}"), unit.to_lowercase());
    }
    Naive::Other(text.to_owned())
}

/// The crate's reading in the naive reader's terms.
fn ours(telegram: &Telegram<'_>) -> Vec<(Option<String>, Vec<Naive>)> {
    telegram
        .lines()
        .map(|line| {
            let values = line.values().map(|value| match value.content() {
                Content::Empty => Naive::Empty,
                Content::Number(number) => Naive::Number(
                    number.value.to_string(),
                    format!("{}{}", number.prefix, number.unit).to_lowercase(),
                ),
                Content::Time(_) => Naive::Time(String::from_utf8_lossy(value.octets()).into_owned()),
                Content::Code(code) => Naive::Code(code.to_string()),
                _ => Naive::Other(String::from_utf8_lossy(value.octets()).into_owned()),
            });
            (line.code().map(|code| code.to_string()), values.collect())
        })
        .collect()
}

/// The column `CRC` of the index.
fn index() -> BTreeMap<String, String> {
    let Some(folder) = captures() else { return BTreeMap::new() };
    let text = std::fs::read_to_string(folder.join("index.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| "));
    rows.map(|row| row.split('|').map(str::trim).collect::<Vec<_>>())
        .filter(|cells| cells.get(1).is_some_and(|name| name.ends_with(".p1")))
        .map(|cells| (cells[1].to_owned(), cells[5].to_owned()))
        .collect()
}

#[test]
fn every_line_of_every_capture_is_read_as_the_naive_reader_does() {
    let index = index();
    let (mut telegrams, mut lines, mut raw, mut values) = (0, 0, 0, 0);
    for (name, octets) in telegram_files() {
        let telegram = Telegram::lenient(&octets);
        let expected = naive(&String::from_utf8_lossy(&octets));
        let found = ours(&telegram);
        assert_eq!(found.len(), expected.len(), "{name}: lines");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{name}");
            raw += usize::from(found.0.is_none());
            values += found.1.len();
        }
        if index.contains_key(&name) {
            telegrams += 1;
            lines += found.len();
        }
    }
    println!("{telegrams} telegrams, {lines} data lines with {values} values, {raw} of them kept raw");
}

#[test]
fn checks_are_as_the_index_says() {
    let index = index();
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for (name, octets) in telegram_files() {
        let Some(state) = index.get(&name) else { continue };
        let mut decoder = Decoder::new([0; 4096]);
        let mut input = octets.as_slice();
        let mut checks = Vec::new();
        let mut errors = Vec::new();
        while let Some(event) = decoder.decode(&mut input) {
            match event {
                Ok(telegram) => checks.push(telegram.check()),
                Err(error) => errors.push(error.kind),
            }
        }
        while let Some(event) = decoder.finish() {
            match event {
                Ok(telegram) => checks.push(telegram.check()),
                Err(error) => errors.push(error.kind),
            }
        }
        let text = String::from_utf8_lossy(&octets).into_owned();
        let has_version =
            text.contains("1-3:0.2.8(4") || text.contains("1-3:0.2.8(5") || text.contains("0-0:96.1.4(");
        match state.as_str() {
            "valid" => assert_eq!(
                (checks.as_slice(), errors.as_slice()),
                (&[Check::Verified][..], &[][..]),
                "{name}"
            ),
            "absent" => {
                let expected = if has_version { Check::Missing } else { Check::Absent };
                assert_eq!((checks.as_slice(), errors.as_slice()), (&[expected][..], &[][..]), "{name}");
            }
            "no \"!\"" => assert_eq!(
                (checks.as_slice(), errors.as_slice()),
                (&[][..], &[ErrorKind::Truncated][..]),
                "{name}"
            ),
            invalid if invalid.starts_with("INVALID") => {
                assert!(checks.is_empty() && !errors.is_empty(), "{name}: {checks:?} {errors:?}");
                let lenient = Options { lenient: true, ..Options::DEFAULT };
                let found: Vec<_> = dsmr::telegrams_with(&octets, lenient).filter_map(Result::ok).collect();
                assert_eq!(found.iter().map(Telegram::check).collect::<Vec<_>>(), [Check::Bad], "{name}");
                assert_eq!(ours(&found[0]).len(), naive(&text).len(), "{name}");
            }
            other => panic!("{name}: {other}"),
        }
        *counts.entry(state.split('(').next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    println!("{counts:?}");
}

/// Lines put together from the parts of line mode.
fn by_lines(octets: &[u8], storage: usize) -> (Vec<Vec<u8>>, Vec<Verdict>) {
    let mut decoder = LineDecoder::new(vec![0; storage]);
    let (mut lines, mut verdicts) = (Vec::new(), Vec::new());
    let mut line = Vec::new();
    let mut take = |event: Result<LineEvent<'_>, dsmr::Error>| match event {
        Ok(LineEvent::Data(part)) => {
            line.extend(part.octets());
            if part.is_last() {
                lines.push(std::mem::take(&mut line));
            }
        }
        Ok(LineEvent::End(end)) => verdicts.push(end.verdict),
        _ => {}
    };
    let mut input = octets;
    while let Some(event) = decoder.decode(&mut input) {
        take(event);
    }
    while let Some(event) = decoder.finish() {
        take(event);
    }
    (lines, verdicts)
}

#[test]
fn line_mode_gives_every_line_whatever_its_room() {
    for (name, octets) in telegram_files() {
        let expected: Vec<Vec<u8>> = Telegram::lenient(&octets)
            .lines()
            .map(|line| line.raw().iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n')).collect())
            .collect();
        let check = dsmr::telegrams(&octets).find_map(Result::ok).map(|telegram| telegram.check());
        for storage in [32, 64, 128, 4096] {
            let (lines, verdicts) = by_lines(&octets, storage);
            assert_eq!(lines, expected, "{name}, {storage}");
            let verdicts: Vec<_> = verdicts.iter().map(|verdict| verdict.check()).collect();
            assert_eq!(verdicts, [check.unwrap_or(Check::Bad)], "{name}, {storage}");
        }
    }
}

#[test]
fn every_whole_telegram_of_the_streams_is_found() {
    let Some(folder) = captures() else { return };
    for name in ["stream-nl50-isk-ttyUSB0.raw", "stream-overflow-then-telegram.raw"] {
        let octets = std::fs::read(folder.join(name)).unwrap();
        // The naive way: cut at each `/` that stands at the start of a line.
        let starts: Vec<usize> = (0..octets.len())
            .filter(|at| octets[*at] == b'/' && (*at == 0 || octets[at - 1] == b'\n'))
            .collect();
        let mut expected = Vec::new();
        for (number, start) in starts.iter().enumerate() {
            let end = starts.get(number + 1).copied().unwrap_or(octets.len());
            let piece = &octets[*start..end];
            if let Some(mark) = piece.windows(2).position(|pair| pair == b"\n!") {
                let digits =
                    String::from_utf8_lossy(piece.get(mark + 2..mark + 6).unwrap_or_default()).into_owned();
                let check = u16::from_str_radix(&digits, 16).ok();
                if check == Some(crc(&piece[..mark + 2])) && piece.get(mark + 6) == Some(&b'\r') {
                    expected.push(&piece[..mark + 7]);
                }
            }
        }
        for chunk in [1, 64, 700, 65536] {
            let mut decoder = Decoder::new([0; 2048]);
            let mut found = Vec::new();
            for mut input in octets.chunks(chunk) {
                while let Some(event) = decoder.decode(&mut input) {
                    found.extend(event.ok().map(|telegram| telegram.octets().to_vec()));
                }
            }
            assert_eq!(found, expected, "{name} in chunks of {chunk}");
        }
        println!("{name}: {} telegrams", expected.len());
    }
}

#[cfg(feature = "aes-gcm")]
#[test]
fn encrypted_captures_open_to_their_plaintext() {
    use dsmr::encrypted::{Decoder, OpenError, Security, TagPolicy, TagVerdict};
    use obis::apdu::Key;
    let Some(folder) = captures() else { return };
    let index = std::fs::read_to_string(folder.join("index.md")).unwrap();
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
    };
    let mut count = 0;
    for row in index.lines().filter(|row| row.contains(".bin |")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, _, key, aad, counter, plain, inner, ..] = cells[..] else { panic!("{row}") };
        let octets = std::fs::read(folder.join(name)).unwrap();
        let plain = std::fs::read(folder.join(plain)).unwrap();
        let mut security = Security::new(Key::from_slice(&hex(key)).unwrap());
        let authentication = hex(aad.rsplit(' ').next().unwrap());
        security.authentication = Key::from_slice(&authentication);
        let mut decoder = Decoder::new([0; 2048]);
        let mut input = octets.as_slice();
        let frame = decoder.decode(&mut input).unwrap().unwrap();
        assert!(input.is_empty());
        assert_eq!(frame.octets(), octets);
        assert_eq!(format!("{:08x}", frame.ciphered().invocation_counter), counter, "{name}");
        let mut storage = [0; 2048];
        let opened = frame.open(&security, &mut storage).unwrap();
        assert_eq!(opened.octets(), plain, "{name}");
        assert_eq!(opened.tag, TagVerdict::Verified);
        let check = if inner == "valid" { Check::Verified } else { Check::Bad };
        assert_eq!(opened.check(), check, "{name}");
        assert_eq!(ours(&opened.telegram().unwrap()), naive(&String::from_utf8_lossy(&plain)), "{name}");
        // With another authentication key the tag fails; waived, the check inside decides.
        security.authentication = Some(Key::aes128([0; 16]));
        assert_eq!(frame.open(&security, &mut storage).err(), Some(OpenError::Tag(TagVerdict::Failed)));
        security.tag = TagPolicy::Report;
        let again = frame.open(&security, &mut storage);
        match again {
            Ok(opened) => assert_eq!((opened.tag, opened.check()), (TagVerdict::Failed, Check::Verified)),
            Err(error) => assert_eq!((error, check), (OpenError::Check(Check::Bad), Check::Bad)),
        }
        count += 1;
    }
    println!("{count} encrypted telegrams");
}

#[test]
fn mutations_never_pass_for_what_was_not_sent() {
    let index = index();
    let (mut runs, mut verified) = (0u64, 0u64);
    for (name, octets) in telegram_files() {
        let valid = index.get(&name).is_some_and(|state| state == "valid");
        let mark = octets.windows(2).rposition(|pair| matches!(pair, [b'\r' | b'\n', b'!']));
        let sent = mark.map(|mark| octets[..mark + 2].to_vec());
        let mut try_out = |input: &[u8], what: &str| {
            runs += 1;
            for event in dsmr::telegrams(input) {
                let Ok(telegram) = event else { continue };
                if telegram.check() == Check::Verified {
                    verified += 1;
                    let up_to_check = telegram.octets().strip_prefix(sent.as_deref().unwrap_or_default());
                    // A capture that was damaged by one bit is repaired by one of these flips.
                    assert!(!valid || up_to_check.is_some(), "{name}: {what} passes");
                }
                // Nothing panics on what is let through.
                for line in telegram.lines() {
                    let _ = (line.object(), line.reading());
                }
            }
            let mut lines = LineDecoder::new([0; 48]);
            let mut input = input;
            while lines.decode(&mut input).is_some() {}
            while lines.finish().is_some() {}
        };
        for at in 0..octets.len() {
            try_out(&octets[..at], "a prefix");
            let mut deleted = octets.clone();
            deleted.remove(at);
            try_out(&deleted, "a deletion");
            for bit in 0..8 {
                let mut flipped = octets.clone();
                flipped[at] ^= 1 << bit;
                try_out(&flipped, "a flip");
            }
        }
    }
    println!("{runs} mutations, {verified} of them verified");
}
