//! What stands beside codes and data: patterns, words for what is wrong, units and numbers at their ends.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "test code"
)]

use obis::apdu::{Apdu, ApduErrorKind, Block, ExceptionResponse, GbtProblem, LongInvokeIdAndPriority, Tag};
use obis::data::{self, BufferTooSmall, Decoder};
use obis::datetime::ClockStatus;
use obis::{Decimal, DecimalError, Obis, ObisError, Pattern, Prefix, Scaled, Unit};
use std::collections::BTreeSet;

fn differ(words: &[String]) {
    let set: BTreeSet<&String> = words.iter().collect();
    assert!(set.len() == words.len() && words.iter().all(|text| !text.is_empty()), "{words:?}");
}

#[test]
fn a_pattern_is_built_group_by_group() {
    let code = Obis::new(1, 2, 3, 4, 5, 6);
    let any = Pattern::ANY;
    for (pattern, text) in [
        (any.a(1), "1-x:x.x.x*x"),
        (any.b(2), "x-2:x.x.x*x"),
        (any.c(3), "x-x:3.x.x*x"),
        (any.d(4), "x-x:x.4.x*x"),
        (any.e(5), "x-x:x.x.5*x"),
        (any.f(6), "x-x:x.x.x*6"),
        (Pattern::quantity_of(code), "1-x:3.4.5*x"),
        (Pattern::from(code), "1-2:3.4.5*6"),
    ] {
        assert_eq!((pattern.to_string(), format!("{pattern:?}")), (text.into(), text.into()));
        assert_eq!(text.parse(), Ok(pattern));
        assert!(pattern.matches(code), "{text}");
        // Any other value of a fixed group is another code.
        for (at, group) in pattern.groups().into_iter().enumerate() {
            let mut octets = code.octets();
            octets[at] ^= 0x80;
            assert_eq!(pattern.matches(Obis::from_octets(octets)), group.is_none(), "{text}, group {at}");
        }
    }
}

#[test]
fn codes_are_octets_and_text() {
    let code = Obis::from([1, 0, 1, 8, 0, 255]);
    assert_eq!(<[u8; 6]>::from(code), [1, 0, 1, 8, 0, 255]);
    let text = code.text();
    assert_eq!(
        (text.as_ref(), format!("{text:>14}|"), format!("{text:?}")),
        ("1-0:1.8.0*255", " 1-0:1.8.0*255|".into(), "\"1-0:1.8.0*255\"".into())
    );
    assert_eq!(
        "1-0:1.8.0*255 ".parse::<Obis>().map_err(|error| error.to_string()),
        Err("text after the obis code".into())
    );
    differ(&[ObisError::Syntax, ObisError::Group, ObisError::Trailing].map(|error| error.to_string()));
}

#[test]
fn numbers_at_their_ends() {
    let number = Decimal::new(-150, -2);
    assert!(number.is_negative() && !Decimal::ZERO.is_negative());
    assert_eq!((Decimal::from(7i64), Decimal::from(7u32)), (Decimal::new(7, 0), Decimal::new(7, 0)));
    assert_eq!(
        (number.normalized(), Decimal::new(0, 5).normalized()),
        (Decimal::new(-15, -1), Decimal::ZERO)
    );
    let text = number.text();
    assert_eq!(
        (text.as_ref(), format!("{text:>6}|"), format!("{text:?}")),
        ("-1.50", " -1.50|".into(), "\"-1.50\"".into())
    );
    assert_eq!(Decimal::parse(b"9223372036854775807"), Ok(Decimal::new(i64::MAX, 0)));
    assert_eq!(Decimal::parse(b"9223372036854775808"), Err(DecimalError::Range));
    assert_eq!(Decimal::parse(b"99999999999999999999"), Err(DecimalError::Range));
    assert_eq!(DecimalError::Range.to_string(), "too many digits");
    assert_ne!(DecimalError::Syntax.to_string(), DecimalError::Range.to_string());
    assert_eq!((Unit::from(30), Unit::parse(b"H")), (Unit::WATT_HOUR, Some((Prefix::None, Unit::HENRY))));
    // A unit without a symbol keeps its number.
    let scaled = Scaled { value: Decimal::new(5, 0), prefix: Prefix::None, unit: Unit::new(250) };
    assert_eq!((scaled.to_string(), format!("{:?}", scaled.unit)), ("5 unit 250".into(), "Unit(250)".into()));
}

#[test]
fn what_is_wrong_is_said_in_words_that_differ() {
    use data::ErrorKind::{CompactArray, Count, Depth, Length, Truncated, Type, Unexpected};
    let kinds = [Truncated, Type(9), Unexpected(9), Length, Count, Depth, CompactArray];
    differ(&kinds.map(|kind| kind.to_string()));
    assert_eq!(BufferTooSmall.to_string(), "buffer too small");
    differ(
        &[
            GbtProblem::Unfinished,
            GbtProblem::Lost { expected: 2, found: 3 },
            GbtProblem::NotStarted { found: 2 },
            GbtProblem::TooLong,
        ]
        .map(|problem| problem.to_string()),
    );
    assert_eq!(ApduErrorKind::Tag(0x0F).to_string(), "unexpected APDU tag 0x0f");
}

#[cfg(feature = "aes-gcm")]
#[test]
fn why_nothing_is_deciphered_is_said_in_words_that_differ() {
    use obis::apdu::{CipherError, TagCheck};
    let errors = [
        CipherError::Tag,
        CipherError::SystemTitle,
        CipherError::Suite(3),
        CipherError::KeyLength,
        CipherError::BufferTooSmall,
    ];
    differ(&errors.map(|error| error.to_string()));
    differ(&[TagCheck::Verified, TagCheck::NotChecked, TagCheck::Absent].map(|check| check.to_string()));
}

/// Test case 14 of the specification of GCM (McGrew and Viega): key, nonce and plaintext of zeros.
#[cfg(feature = "aes-gcm")]
#[test]
fn suite_2_is_deciphered_without_a_tag_too() {
    use obis::apdu::{CipherError, Ciphered, Key};
    let content = 0xCEA7_403D_4D60_6B6E_074E_C5D3_BAF3_9D18_u128.to_be_bytes();
    let octets = [&[0xDB, 8, 0, 0, 0, 0, 0, 0, 0, 0, 21, 0x22, 0, 0, 0, 0][..], &content].concat();
    let (ciphered, rest) = Ciphered::parse(&octets).unwrap();
    assert!(rest.is_empty());
    let mut out = [9; 16];
    let plain = ciphered.decrypt_unauthenticated(&Key::aes256([0; 32]), &mut out).unwrap();
    assert_eq!(plain.octets, [0; 16]);
    let short = ciphered.decrypt_unauthenticated(&Key::aes128([0; 16]), &mut out);
    assert_eq!(short.unwrap_err(), CipherError::KeyLength);
}

#[test]
fn tags_of_apdus() {
    let exception = [0xD8, 1, 6, 0, 0, 0, 9];
    let block = [0xE0, 0xC0, 0, 1, 0, 0, 2, 1, 2];
    let event = [0xC2, 0, 0, 7, 0, 0, 1, 8, 0, 255, 2, 0];
    for (octets, tag) in [
        (&exception[..], Tag::EXCEPTION_RESPONSE),
        (&block, Tag::GENERAL_BLOCK_TRANSFER),
        (&event, Tag::EVENT_NOTIFICATION),
    ] {
        let (apdu, rest) = Apdu::parse(octets).unwrap();
        assert_eq!((apdu.tag(), rest), (tag, &[][..]));
    }
    assert_eq!(Block::parse(&block).unwrap().0.tag(), Tag::GENERAL_BLOCK_TRANSFER);
    // The counter that the last reason has may be cut off.
    assert_eq!(ExceptionResponse::parse(&exception[..5]).unwrap_err().kind, ApduErrorKind::Truncated);
    let reasons = (1..=6).map(|reason| {
        let octets = [0xD8, 2, reason, 0, 0, 0, 9];
        ExceptionResponse::parse(&octets).unwrap().0.reason().to_owned()
    });
    differ(&reasons.collect::<Vec<_>>());
}

#[test]
fn bits_by_their_names() {
    type Bit<T> = fn(T) -> bool;
    let invoke: [(u32, Bit<LongInvokeIdAndPriority>); 4] = [
        (28, LongInvokeIdAndPriority::is_self_descriptive),
        (29, LongInvokeIdAndPriority::breaks_on_error),
        (30, LongInvokeIdAndPriority::is_confirmed),
        (31, LongInvokeIdAndPriority::is_high_priority),
    ];
    for (bit, is) in invoke {
        assert!(
            is(LongInvokeIdAndPriority(1 << bit)) && !is(LongInvokeIdAndPriority(!(1 << bit))),
            "bit {bit}"
        );
    }
    assert_eq!(format!("{:?}", LongInvokeIdAndPriority(0x4000_0001)), "LongInvokeIdAndPriority(0x40000001)");
    let clock: [(u8, Bit<ClockStatus>); 5] = [
        (0, ClockStatus::is_invalid),
        (1, ClockStatus::is_doubtful),
        (2, ClockStatus::has_different_clock_base),
        (3, ClockStatus::has_invalid_status),
        (7, ClockStatus::is_daylight_saving),
    ];
    for (bit, is) in clock {
        assert!(is(ClockStatus(1 << bit)) && !is(ClockStatus(!(1 << bit))), "bit {bit}");
    }
}

#[test]
fn a_decoder_says_where_it_is() {
    let mut decoder = Decoder::default();
    // structure of a structure of an unsigned
    let mut input = &[2u8, 1, 2, 1, 17][..];
    while !input.is_empty() {
        assert!(decoder.decode(&mut input).is_none_or(|event| event.is_ok()));
    }
    assert_eq!((decoder.offset(), decoder.depth(), decoder.is_done()), (5, 2, false));
    let mut last = &[7u8][..];
    while decoder.decode(&mut last).is_some() {}
    assert!(decoder.is_done() && decoder.offset() == 6);
}

#[test]
fn descriptions_seldom_met() {
    let words = |text: &str| text.parse::<Obis>().unwrap().description().to_string();
    for (code, with) in [
        ("1-0:32.7.125*255", "total demand distortion"),
        ("1-0:81.7.26*255", "I(L3)"),
        ("1-0:0.2.2*255", "tariff program version"),
        ("1-0:0.2.8*255", "firmware signature"),
        ("1-0:0.6.2*255", "nominal frequency"),
        ("1-0:0.6.3*255", "maximum current"),
        ("1-0:0.8.4*255", "recording interval 1"),
        ("0-0:10.0.100*255", "tariff script"),
        ("0-0:10.0.108*255", "push script"),
        ("0-0:96.1.10*255", "metering point ID"),
        ("0-0:96.3.2*255", "output status"),
        ("0-0:96.6.6*255", "battery remaining time"),
        ("0-0:96.9.2*255", "relative humidity"),
        ("0-0:96.12.5*255", "GSM field strength"),
        ("1-0:1.8.0*101", "last billing period"),
    ] {
        assert!(words(code).contains(with), "{code}: {}", words(code));
    }
    // Whatever the groups, there are words, and none of them is cut.
    for octets in (0..60_000u32).map(|n| n.wrapping_mul(0x9E37_79B9).to_be_bytes()) {
        for medium in [0, 1, 7, 8, 6] {
            let code =
                Obis::new(medium, 0, octets[0] % 100, octets[1] % 32, octets[2] % 128, octets[3] | 0xE0);
            assert!(!code.description().to_string().is_empty(), "{code}");
        }
    }
}
