//! What stands beside the frames: words for what is wrong, names and codes of identifiers out of the ordinary, sessions
//! that are busy or given up.
#![cfg(all(feature = "names", feature = "obis", feature = "bus"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::unreachable,
    missing_docs,
    reason = "test code"
)]

use dlt645::bus::{self, BusConfig, Endpoint, Packet, PacketBuilder, Process, RegisterError};
use dlt645::{
    Address, BufferTooSmall, BuildError, Builder, Control, Data, Decimal, Decoder, EncodeError, Error,
    ErrorKind, ErrorWord, Field, Format, Frame, Identifier, Layout, Master, MasterConfig, Moment, Query,
    Reason, Request, STORAGE, SecurityError, Service, ServiceError, Sign, StartError, TimeForm, Unit, Value,
    ValueError, Version, items_in,
};
use std::collections::BTreeSet;

fn differ(words: &[String]) {
    let lower = words.iter().all(|text| !text.is_empty() && text.chars().next().unwrap().is_lowercase());
    let set: BTreeSet<&String> = words.iter().collect();
    assert!(lower && set.len() == words.len(), "{words:?}");
}

#[test]
fn what_is_wrong_is_said_in_words_that_differ() {
    use ErrorKind::{Checksum, End, Header, Noise, TooLong, Truncated};
    differ(&[Noise, Header, Checksum, End, TooLong, Truncated].map(|kind| kind.to_string()));
    let error = Error { kind: Truncated, lost: 9 };
    assert!(error.to_string().contains("frame cut short") && error.to_string().contains('9'), "{error}");
    let build = [BuildError::Version, BuildError::Service, BuildError::TooLong, BuildError::BufferTooSmall];
    differ(&build.map(|error| error.to_string()));
    assert_eq!(BuildError::from(BufferTooSmall), BuildError::BufferTooSmall);
    differ(
        &[EncodeError::Kind, EncodeError::Range, EncodeError::BufferTooSmall].map(|error| error.to_string()),
    );
    assert!(ServiceError::Time(Service::BroadcastTime).to_string().ends_with("time is not BCD"));
    assert_eq!(StartError::Busy.to_string(), "a request is under way");
    assert_eq!(StartError::Build(BuildError::Version).to_string(), BuildError::Version.to_string());
    assert_eq!(ValueError::HalfOctet { octet: 0x5A }.to_string(), "5A has a digit too many for the format");
    let registers = [
        RegisterError::Duplicate,
        RegisterError::Conflict,
        RegisterError::Full,
        RegisterError::Malformed,
        RegisterError::Source,
    ];
    differ(&registers.map(|error| error.to_string()));
}

#[test]
fn each_bit_of_an_error_word_has_its_reason() {
    for version in [Version::V1997, Version::V2007] {
        let words: Vec<String> = (0..8).map(|bit| Reason::of(version, bit).to_string()).collect();
        let set: BTreeSet<&String> = words.iter().collect();
        assert_eq!(set.len(), 8, "{words:?}");
        for bit in 0..8 {
            let word = ErrorWord::new(version, Reason::of(version, bit));
            assert_eq!(word.reasons().collect::<Vec<_>>(), [Reason::of(version, bit)]);
            assert!(word.has(Reason::of(version, bit)) && format!("{word:?}") == word.to_string());
        }
    }
    // A reason that the edition lacks is in no word of it.
    assert!(!ErrorWord::new(Version::V1997, Reason::Rate).has(Reason::Rate));
    assert_eq!(
        SecurityError(0x0095).to_string(),
        "SERR 0095: other error, security module check, customer number does not match, reserved"
    );
}

#[test]
fn status_words_bit_by_bit() {
    let flags = |word: u32| {
        (0..16).filter_map(|bit| Identifier::V2007(0x0400_0500 | word).flag(bit)).collect::<Vec<_>>()
    };
    for (word, count) in [(1, 5), (2, 6), (3, 5), (4, 9), (5, 9), (6, 9), (7, 0)] {
        let flags = flags(word);
        assert_eq!((flags.len(), flags.iter().collect::<BTreeSet<_>>().len()), (count, count), "word {word}");
    }
}

#[test]
fn names_out_of_the_ordinary() {
    let names = [
        (0x0000_0000, "combined active energy, total, current"),
        (0x0015_0000, "phase A forward active energy, current"),
        (0x007F_0000, "energy 7F0000"),
        (0x0213_0000, "02130000"),
        (0x0600_0002, "load record all classes; most recent record block"),
        (0x0603_0001, "load record class 3; record block from given time"),
        (0x0700_0000, "security data 07000000"),
        (0x1F00_0000, "event total power factor under limit, 00 00 00"),
        (0x2100_0000, "event power-flow reversal, 00 00 00"),
        (0x0500_1001, "timed freeze -1: variables"),
        (0x0507_FF01, "tier switch freeze -1: whole record block"),
        (0x0508_0001, "05080001"),
        (0x0500_7701, "timed freeze -1: 05007701"),
        (0x0400_0D05, "phase B conductance coefficient"),
        (0x0406_0000, "04060000"),
        (0x0379_0000, "03790000"),
        (0x0330_00FF, "programming records"),
        (0x0401_0003, "set 1 day table 3"),
        (0xEE00_0000, "EE000000"),
    ];
    for (code, name) in names {
        assert_eq!(Identifier::V2007(code).name().to_string(), name);
    }
    let names = [
        (0xB6FF, "B6FF"),
        (0xB31F, "phase-loss count total"),
        (0xB341, "latest phase-loss end phase A"),
        (0xB653, "power factor phase C"),
        (0xC3A2, "day table 8 period 2 start time + rate"),
        (0xC411, "public holiday 1 date + table"),
        (0xB002, "B002"),
        (0xA01F, "forward active max demand block, current"),
        (0x9810, "forward active energy, total, month before last"),
        (0xD000, "D000"),
    ];
    for (code, name) in names {
        assert_eq!(Identifier::V1997(code).name().to_string(), name);
    }
    // Nothing is without a name, whatever was asked for.
    for code in (0..=0xFFFF).map(Identifier::V1997) {
        assert!(!code.name().to_string().is_empty());
    }
    for code in (0..0x4000u32).map(|n| Identifier::V2007(n.wrapping_mul(0x0009_E377))) {
        assert!(!code.name().to_string().is_empty());
    }
    for at in 0..=0x21_u32 {
        for (di2, di1, di0) in
            [(0, 0, 0), (1, 1, 1), (0x10, 1, 2), (0x12, 1, 1), (0x30, 0, 1), (0x90, 2, 1), (0xFF, 0xFF, 0xFF)]
        {
            let code = at << 24 | di2 << 16 | di1 << 8 | di0;
            assert!(!Identifier::V2007(code).name().to_string().is_empty(), "{code:08X}");
        }
    }
}

#[test]
fn codes_of_both_editions_agree_with_each_other() {
    let code = |identifier: Identifier| identifier.obis().map(|code| code.to_string());
    let old = |code16| code(Identifier::V1997(code16));
    let new = |code32| code(Identifier::V2007(code32));
    // The same quantity by either number: energies, demands and what is measured now.
    for (code16, code32) in [
        (0x9010, 0x0001_0000),
        (0x9020, 0x0002_0000),
        (0x9110, 0x0003_0000),
        (0x9120, 0x0004_0000),
        (0x9130, 0x0005_0000),
        (0x9140, 0x0008_0000),
        (0x9150, 0x0006_0000),
        (0x9160, 0x0007_0000),
        (0x9411, 0x0001_0101),
        (0xA010, 0x0101_0000),
        (0xB611, 0x0201_0100),
        (0xB622, 0x0202_0200),
        (0xB633, 0x0203_0300),
        (0xB640, 0x0204_0000),
        (0xB651, 0x0206_0100),
        (0xC010, 0x0400_0101),
        (0xC011, 0x0400_0102),
        (0xC030, 0x0400_0409),
        (0xC031, 0x0400_040A),
        (0xC032, 0x0400_0402),
    ] {
        if (0x9411..=0x9411).contains(&code16) {
            assert_eq!(old(code16), Some("1-0:1.8.1*101".into()));
        }
        assert!(
            old(code16).is_some() && old(code16) == new(code32),
            "{code16:04X} {:?} {:?}",
            old(code16),
            new(code32)
        );
    }
    for none in [0xB310, 0xC020, 0x901F, 0xD000, 0xB612 + 0x10_00] {
        assert_eq!(old(none), None, "{none:04X}");
    }
    assert_eq!(new(0x0100_0000), None, "no demand of the combined active energy");
    // Back again, where there is a way.
    for di3 in 0..=4u32 {
        for (di2, di1, di0) in
            (0..=0x80).flat_map(|a| (0..4).flat_map(move |b| (0..4).map(move |c| (a, b, c))))
        {
            let identifier = Identifier::V2007(di3 << 24 | di2 << 16 | di1 << 8 | di0);
            if let Some(code) = identifier.obis() {
                assert_eq!(Identifier::from_obis(code), Some(identifier), "{code}");
            }
        }
    }
    let from = |text: &str| Identifier::from_obis(text.parse().unwrap());
    let none = [
        "2-0:1.8.0*255",
        "1-0:1.8.0*99",
        "1-0:35.8.0*255",
        "1-0:15.6.0*255",
        "1-0:32.7.30*255",
        "1-0:99.8.0*255",
    ];
    for text in none {
        assert_eq!(from(text), None, "{text}");
    }
}

#[test]
fn every_unit_has_a_symbol_and_a_cosem_unit() {
    use obis::Prefix;
    let kilo = [
        Unit::KilowattHour,
        Unit::KilovarHour,
        Unit::KilovoltAmpereHour,
        Unit::Kilowatt,
        Unit::Kilovar,
        Unit::KilovoltAmpere,
    ];
    for unit in kilo {
        assert_eq!(format!("k{}", unit.obis().1), unit.symbol());
        assert_eq!(unit.obis().0, Prefix::Kilo);
    }
    for unit in [Unit::AmpereHour, Unit::Volt, Unit::Ampere, Unit::Hertz, Unit::Percent] {
        assert_eq!(unit.obis().1.to_string(), unit.symbol());
    }
    assert_eq!(Unit::None.obis(), (Prefix::None, obis::Unit::NONE));
    assert_eq!(Unit::Millisecond.obis(), (Prefix::Milli, obis::Unit::SECOND));
    assert_eq!(Unit::ImpulsePerKilowattHour.obis(), (Prefix::Milli, obis::Unit::PER_WATT_HOUR));
    assert_eq!(Unit::ImpulsePerKilovarHour.obis(), (Prefix::Milli, obis::Unit::PER_VAR_HOUR));
    assert_eq!(Unit::Yuan.obis(), Unit::YuanPerKilowattHour.obis());
}

#[test]
fn times_in_words() {
    let texts = [
        (TimeForm::DAY_HOUR, "day 24 18h", "DDhh"),
        (TimeForm::DAY, "day 24", "DD"),
        (TimeForm::TIME, "18:30:05", "hhmmss"),
        (TimeForm::MONTH_DAY, "12-24", "MMDD"),
        (TimeForm::TO_SECOND, "2025-12-24 18:30:05", "YYMMDDhhmmss"),
        (TimeForm::WHOLE, "2025-12-24 weekday 0 18:30:05", "YYMMDDWWhhmmss"),
    ];
    for (form, text, letters) in texts {
        let moment = Moment::to_second(25, 12, 24, 18, 30, 5).with_form(form);
        assert_eq!((moment.to_string(), moment.form()), (text.into(), form));
        assert_eq!(format!("{moment:?} {form:?}"), format!("Moment({text}) {letters}"));
    }
}

#[test]
fn a_layout_of_ones_own() {
    const FIELDS: &[Field] = &[
        Field::number(2, 1, Sign::Unsigned, Unit::Volt),
        Field::plain(Format::Digits(2)),
        Field::plain(Format::Octets(1)),
    ];
    const LAYOUT: Layout = Layout::fields(FIELDS);
    assert_eq!((LAYOUT.len(), LAYOUT.is_empty(), LAYOUT.get(3)), ((5, 5), false, None));
    assert!(Layout::fields(&[]).is_empty());
    assert_eq!(
        (FIELDS[1].format.to_string(), FIELDS[2].format.to_string()),
        ("NNNN".into(), "octets[1]".into())
    );
    let octets = [0x05, 0x23, 0x34, 0x12, 0xAA];
    let values: Vec<_> = items_in(LAYOUT, Data::plain(&octets)).map(|item| item.value.unwrap()).collect();
    assert_eq!(values[0], Value::Number(Decimal { mantissa: 2305, exponent: -1 }, Unit::Volt));
    let Value::Digits(digits) = values[1] else { unreachable!() };
    assert_eq!((format!("{digits:?}"), digits.data()), ("1234".into(), Data::plain(&octets[2..4])));
    // Written again to the same octets, a value that is not there as FF, and only what fits.
    let mut out = [0; 5];
    let mut at = 0;
    for (field, value) in FIELDS.iter().zip(&values) {
        at += field.encode(value, &mut out[at..]).unwrap();
    }
    assert_eq!((out, at), (octets, 5));
    assert_eq!(FIELDS[1].encode(&Value::NoData, &mut out), Ok(2));
    assert_eq!(out[..2], [0xFF, 0xFF]);
    let long = Value::Octets(Data::plain(&octets));
    assert_eq!(FIELDS[2].encode(&long, &mut out), Err(EncodeError::Range));
    assert_eq!(FIELDS[0].encode(&long, &mut out), Err(EncodeError::Kind));
    assert_eq!(FIELDS[0].encode(&values[0], &mut out[..1]), Err(EncodeError::BufferTooSmall));
    let short = FIELDS[1].value(Data::plain(&octets[..1]));
    assert_eq!(short, Err(ValueError::Length { expected: 2, found: 1 }));
}

#[test]
fn masked_octets_are_copied_plain() {
    let data = Data::masked(&[0x33, 0x34, 0x35]);
    assert_eq!(data.copy_to(&mut [9; 4]), Some(&[0, 1, 2][..]));
    assert_eq!(data.copy_to(&mut [0; 2]), None);
    assert_eq!((&data).into_iter().collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn processes_and_endpoints_of_the_bus() {
    for number in 0..16 {
        let process = Process::from_number(number).unwrap();
        assert_eq!(process.number(), number);
        for thread in 0..8 {
            let endpoint = Endpoint::from_octet(number << 4 | thread).unwrap();
            assert_eq!(
                (endpoint.process(), endpoint.thread(), endpoint),
                (process, thread, Endpoint::new(process, thread))
            );
        }
        assert_eq!(Endpoint::from_octet(number << 4 | 8), None);
    }
    assert_eq!(Process::from_number(16), None);
    assert_eq!((Process::Extended(0).number(), Process::Extended(11).number()), (5, 14));
    let words: Vec<String> =
        (0..16).map(|number| Process::from_number(number).unwrap().to_string()).collect();
    differ(&words);
}

#[test]
fn a_packet_decoder_starts_anew_after_reset() {
    let frame = reply();
    let (meter, platform) = (Endpoint::new(Process::Metering, 1), Endpoint::new(Process::Platform, 2));
    let mut out = [0; 64];
    let octets =
        PacketBuilder::new(meter, platform, Address::from_number(7), &frame).encode(&mut out).unwrap();
    let (packet, rest) = Packet::parse(octets).unwrap();
    assert!(rest.is_empty() && packet.frame().octets() == frame);
    let text = format!("{packet:?}");
    assert!(
        text.contains("source") && text.contains("destination") && text.contains("000000000007"),
        "{text}"
    );
    for cut in 0..octets.len() {
        assert_eq!(Packet::parse(&octets[..cut]).unwrap_err().kind, ErrorKind::Truncated, "{cut}");
    }
    assert_eq!(Packet::parse(&octets[1..]).unwrap_err().kind, ErrorKind::Noise);
    let mut decoder = bus::Decoder::new([0; bus::STORAGE]);
    assert!(decoder.decode(&mut &octets[..20]).is_none() && decoder.held() == 20);
    decoder.reset();
    assert_eq!(decoder.held(), 0);
    assert!(decoder.finish().is_none() && decoder.decode(&mut &octets[..]).unwrap().is_ok());
    assert_eq!(decoder.stats().frames, 1);
    assert_eq!(BusConfig::default(), BusConfig::new());
}

fn reply() -> Vec<u8> {
    let (address, control) = (Address::from_number(7), Control::from_octet(0x91));
    let data = Data::plain(&[0, 0, 1, 0, 0x78, 0x56, 0x34, 0x12]);
    Builder { wake_up: 0, address, control, data }.octets().collect()
}

#[test]
fn reset_and_the_front_of_a_slice() {
    let octets = reply();
    let (frame, rest) = Frame::parse(&octets).unwrap();
    assert!(rest.is_empty() && format!("{frame:?}").contains("000000000007"), "{frame:?}");
    assert_eq!(Frame::parse(&[]).unwrap_err().kind, ErrorKind::Truncated);
    assert_eq!(Frame::parse(&octets[1..]).unwrap_err().kind, ErrorKind::Noise);
    let mut decoder = Decoder::new([0; STORAGE]);
    assert!(usize::from(decoder.longest()) >= octets.len());
    assert!(decoder.decode(&mut &octets[..9]).is_none());
    decoder.reset();
    assert!(decoder.finish().is_none() && decoder.decode(&mut &octets[..]).unwrap().is_ok());
}

#[test]
fn a_busy_master_refuses_and_can_be_told_to_stop() {
    let mut master = Master::new(MasterConfig::new(Version::V2007), [0; 64]);
    let address = Address::from_number(7);
    let read = Request::Read { identifier: Identifier::V2007(0x0001_0000), query: Query::All };
    master.start(address, &read).unwrap();
    assert_eq!(master.start(address, &read), Err(StartError::Busy));
    assert_eq!(master.read(address, &[]), Err(StartError::Busy));
    assert!(!master.is_idle());
    master.cancel();
    assert!(master.is_idle() && master.poll_transmit(&mut [0; 64], 0).is_none());
    let other_edition = [Identifier::V1997(0x9010)];
    assert_eq!(master.read(address, &other_edition), Err(StartError::Build(BuildError::Version)));
}
