//! What other libraries get wrong, each as a test of its own.
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

use common::{checked, crc, unchecked};
use dsmr::{
    Check, CheckKind, DataLine, Decoder, ErrorKind, LineDecoder, LineEvent, Options, Telegram, Verdict,
    telegrams, telegrams_with,
};

fn number(line: &str) -> String {
    DataLine::parse(line.as_bytes()).value().and_then(|value| value.scaled()).expect(line).to_string()
}

/// Kinds of errors and checks of telegrams, in order.
fn outcome(octets: &[u8]) -> Vec<Result<Check, ErrorKind>> {
    telegrams(octets)
        .map(|event| event.map(|telegram| telegram.check()).map_err(|error| error.kind))
        .collect()
}

const GOOD: &str = "/ISK5\\2M550T-1012\n\n1-3:0.2.8(50)\n1-0:1.8.1(003432.829*kWh)\n";

#[test]
fn dsmr5_watts_are_not_kilowatts() {
    assert_eq!(number("1-0:1.7.0(000000621*W)"), "621 W");
    assert_eq!(number("1-0:1.7.0(00.001*MW)"), "0.001 MW");
}

#[test]
fn dsmr5_currents_keep_their_decimals() {
    assert_eq!(number("1-0:31.7.0(003.94*A)"), "3.94 A");
}

#[test]
fn dsmr5_impossible_times_are_told() {
    let line = DataLine::parse(b"0-2:24.2.1(632525252525S)(00000.000)");
    assert!(!line.value().unwrap().timestamp().unwrap().is_valid());
}

#[test]
fn dsmr5_nine_integer_digits_and_multibyte_characters_do_not_panic() {
    assert_eq!(number("0-1:24.2.1(000012345.678*m3)"), "12345.678 m3");
    for line in ["0-0:96.1.é(1)", "é-0:96.1.0(1)", "1-0:99.97.0(1)(0-0:96.7.é)"] {
        let line = DataLine::parse(line.as_bytes());
        let _ = (line.object(), line.reading());
    }
}

#[test]
fn dsmr5_octets_that_are_no_utf8_cost_nothing() {
    let mut octets = vec![0xFF, 0x80, b'\n'];
    octets.extend(checked(GOOD));
    assert_eq!(outcome(&octets), [Err(ErrorKind::Noise), Ok(Check::Verified)]);
    // Runs of FF in a text, as Holley meters send.
    let mut text = b"/HLY5/D545\r\n\r\n0-0:96.13.0(\xFF\xFF\xFF)\r\n1-0:1.7.0(1*W)\r\n!".to_vec();
    text.extend(format!("{:04X}\r\n", crc(&text)).bytes());
    assert_eq!(outcome(&text), [Ok(Check::Verified)]);
}

#[test]
fn dsmr5_marks_inside_texts() {
    assert_eq!(outcome(&checked("/ISK5\\2M550T\n\n0-0:96.13.0(hey! a/b !67B1)\n")), [Ok(Check::Verified)]);
    // And a `/` kills no telegram where others take it for a start (dsmr_parser, esphome).
    assert_eq!(outcome(&unchecked("/ISk5\\2MT382\n\n0-0:96.13.0(test-/-test)\n")), [Ok(Check::Absent)]);
}

#[test]
fn dsmr5_checks_of_one_to_four_digits_in_any_case() {
    let mut done = [false; 5];
    for serial in 0u32..100_000 {
        let text = format!("/ISK5\\2M550T\r\n\r\n0-0:96.1.1({serial})\r\n!");
        let digits = format!("{:x}", crc(text.as_bytes()));
        if !std::mem::replace(&mut done[digits.len()], true) {
            for digits in [digits.clone(), digits.to_uppercase()] {
                assert_eq!(
                    outcome(format!("{text}{digits}\r\n").as_bytes()),
                    [Ok(Check::Verified)],
                    "{digits}"
                );
            }
        }
        if done[1..] == [true; 4] {
            return;
        }
    }
    panic!("not every length was met");
}

#[test]
fn dsmr5_energies_of_any_width() {
    for (line, expected) in [
        ("1-0:1.8.1(07041.882*kWh)", "7041.882 kWh"),
        ("1-0:1.8.0(00009621.983*kWh)", "9621.983 kWh"),
        ("1-0:1.8.0(006545766*Wh)", "6545766 Wh"),
        ("1-0:1.8.0(00066982.7369255*kWh)", "66982.7369255 kWh"),
        ("1-0:1.8.0(2147483.648*kWh)", "2147483.648 kWh"),
        ("1-0:1.8.0(4294967296*Wh)", "4294967296 Wh"),
    ] {
        assert_eq!(number(line), expected);
    }
}

#[test]
fn dsmr5_a_telegram_that_breaks_off_does_not_swallow_the_next() {
    let good = checked(GOOD);
    let mut octets = good[..good.len() / 2].to_vec();
    octets.extend(b"\r\n");
    octets.extend(&good);
    assert_eq!(outcome(&octets), [Err(ErrorKind::Truncated), Ok(Check::Verified)]);
}

#[test]
fn dsmr_parse_no_check_is_a_state() {
    assert_eq!(outcome(&unchecked("/ISk5\\2MT382\n\n1-0:1.8.1(1*kWh)\n")), [Ok(Check::Absent)]);
    assert_eq!(outcome(&unchecked(GOOD)), [Ok(Check::Missing)]);
    assert_eq!(outcome(&unchecked("/SAG5\\2MT212 SMR5.5\n\n1-0:1.8.1(1*kWh)\n")), [Ok(Check::Missing)]);
}

#[test]
fn han_voltages_and_currents_of_any_decimals() {
    assert_eq!(number("1-0:32.7.0(000238.20*V)"), "238.20 V");
    assert_eq!(number("1-0:31.7.0(002*A)"), "2 A");
}

#[test]
fn han_a_long_telegram_does_not_end_the_stream() {
    let long = checked(&format!("/ISK5\\2M550T\n\n0-0:96.13.0({})\n", "41".repeat(1024)));
    assert!(long.len() > 2048);
    assert_eq!(outcome(&long), [Ok(Check::Verified)]);
    let mut octets = long.clone();
    octets.extend(checked(GOOD));
    let mut decoder = Decoder::new([0; 1024]);
    let mut input = octets.as_slice();
    let mut kinds = Vec::new();
    while let Some(event) = decoder.decode(&mut input) {
        kinds.push(event.map(|telegram| telegram.check()).map_err(|error| error.kind));
    }
    assert_eq!(kinds, [Err(ErrorKind::TooLong), Err(ErrorKind::Noise), Ok(Check::Verified)]);
    // In line mode 128 octets read it to the last character.
    let mut lines = LineDecoder::new([0; 128]);
    let (mut input, mut text, mut verdict) = (long.as_slice(), Vec::<u8>::new(), None);
    while let Some(event) = lines.decode(&mut input) {
        match event {
            Ok(LineEvent::Data(part)) => text.extend(part.octets()),
            Ok(LineEvent::End(end)) => verdict = Some(end.verdict),
            _ => {}
        }
    }
    assert_eq!(verdict, Some(Verdict::Verified));
    assert_eq!(text.len(), 2048 + "0-0:96.13.0()".len());
}

#[test]
fn dsmr_parser_texts_in_hexadecimal_or_not() {
    for (line, expected) in
        [("0-0:96.13.1(303132)", "012"), ("0-0:96.13.1(K50322)", "K50322"), ("0-0:96.13.1(303)", "303")]
    {
        assert_eq!(DataLine::parse(line.as_bytes()).value().unwrap().text().to_string(), expected);
    }
}

#[test]
fn dsmr_parser_units_without_a_star() {
    assert_eq!(number("0-2:24.2.1(00872.234m3)"), "872.234 m3");
    assert_eq!(number("1-0:15.8.0(00007137.694*kWh )"), "7137.694 kWh");
    assert_eq!(number("1-0:1.8.1(123456.789*kwh)"), "123456.789 kWh");
}

#[test]
fn esphome_a_lone_mark_and_cr_is_a_telegram() {
    let octets = b"/ISK9\\2M551T\r\r0-0:96.1.0(1)\r!\r";
    assert_eq!(outcome(octets), [Ok(Check::Absent)]);
}

#[test]
fn esphome_codes_may_come_twice_in_any_unit() {
    let octets = checked("/EGM5\n\n0-0:17.0.0(1*kW)\n0-0:17.0.0(2*A)\n0-0:17.0.0(3*kVA)\n");
    let (telegram, _) = Telegram::parse(&octets).unwrap();
    let values: Vec<String> =
        telegram.lines().map(|line| line.value().unwrap().scaled().unwrap().to_string()).collect();
    assert_eq!(values, ["1 kW", "2 A", "3 kVA"]);
}

#[test]
fn esphome_two_telegrams_that_ran_into_each_other() {
    // Octets dropped from the middle of one to the middle of the next.
    let (good, mut octets) = (checked(GOOD), checked(GOOD));
    octets.truncate(40);
    octets.extend(&good[45..]);
    octets.extend(&good);
    assert_eq!(outcome(&octets), [Err(ErrorKind::Check), Ok(Check::Verified)]);
}

#[test]
fn nobody_else_checks_x25() {
    let mut text = GOOD.replace('\n', "\r\n").into_bytes();
    text.push(b'!');
    let check = crc::Crc::<u16>::new(&crc::CRC_16_IBM_SDLC).checksum(&text);
    text.extend(format!("{check:04X}\r\n").bytes());
    let with = |kind| -> Vec<Result<Check, ErrorKind>> {
        let options = Options { check: kind, ..Options::DEFAULT };
        telegrams_with(&text, options)
            .map(|event| event.map(|found| found.check()).map_err(|error| error.kind))
            .collect()
    };
    assert_eq!(with(CheckKind::X25), [Ok(Check::Verified)]);
    assert_eq!(with(CheckKind::Arc), [Err(ErrorKind::Check)]);
    assert_eq!(with(CheckKind::Ignore), [Ok(Check::Ignored)]);
}

#[test]
fn a_check_line_must_be_ended_to_count() {
    let mark = |text: &str| {
        let octets = unchecked(text);
        octets[..octets.len() - 2].to_vec()
    };
    // While the line is open nothing is known.
    let mut decoder = Decoder::new([0; 256]);
    assert!(decoder.decode(&mut mark(GOOD).as_slice()).is_none());
    // At the end of input: digits that agree count, a lone mark only where no check is due.
    let good = checked(GOOD);
    assert_eq!(outcome(&good[..good.len() - 2]), [Ok(Check::Verified)]);
    assert_eq!(outcome(&good[..good.len() - 3]), [Err(ErrorKind::Truncated)]);
    assert_eq!(outcome(&mark(GOOD)), [Err(ErrorKind::Truncated)]);
    assert_eq!(outcome(&mark("/KAM5\n\n0-0:1.0.0(240203144940W)\n")), [Err(ErrorKind::Truncated)]);
    assert_eq!(outcome(&mark("/ISk5\\2MT382\n\n1-0:1.8.1(1*kWh)\n")), [Ok(Check::Absent)]);
}

#[test]
fn a_glitch_before_a_telegram_costs_nothing() {
    let mut octets = b"\xFE/xx OK".to_vec();
    octets.extend(checked(GOOD));
    assert_eq!(outcome(&octets), [Err(ErrorKind::Noise), Ok(Check::Verified)]);
    // Behind text nothing unverified begins that is not shaped like a telegram.
    assert_eq!(
        outcome(&[b"OK".to_vec(), unchecked("/ISk5\\2MT382\n\n1-0:1.8.1(1*kWh)\n")].concat()),
        [Err(ErrorKind::Noise), Ok(Check::Absent)]
    );
    assert_eq!(
        outcome(&[b"OK".to_vec(), unchecked("/index\n\n1-0:1.8.1(1*kWh)\n")].concat()),
        [Err(ErrorKind::Noise)]
    );
    // A trailing NUL, as some meters send.
    assert_eq!(outcome(&[checked(GOOD), vec![0], checked(GOOD)].concat()), [Ok(Check::Verified); 2]);
}
