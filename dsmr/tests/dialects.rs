//! Each dialect and each quirk, in telegrams made here, down to what a line means.
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

use common::{checked, unchecked};
use dsmr::{Check, DeviceKind, Event, Object, Phase, Processing, Quantity, Reading, SwitchState, Telegram};
use obis::{Obis, obis};

fn parse(octets: &[u8]) -> Telegram<'_> {
    let (telegram, rest) = Telegram::parse(octets).unwrap();
    assert!(rest.iter().all(|octet| matches!(octet, b'\r' | b'\n')));
    telegram
}

/// Every line as a row of a table.
fn rows(telegram: &Telegram<'_>) -> Vec<String> {
    let row = |line: dsmr::DataLine<'_>| {
        let code = line.code().map_or_else(|| "-".to_owned(), |code| format!("{code:#}"));
        let reading = match line.reading() {
            Reading::Number { time: None, value } => value.to_string(),
            Reading::Number { time: Some(time), value } => format!("{value} at {time}"),
            Reading::Time(time) => time.to_string(),
            Reading::Text(text) => format!("\"{text}\""),
            Reading::Values(values) => format!("{:?}", values.collect::<Vec<_>>()),
            Reading::Raw(raw) => format!("raw {}", raw.escape_ascii()),
            _ => unreachable!(),
        };
        format!("{code} {reading}")
    };
    telegram.lines().map(row).collect()
}

fn object<'a>(telegram: &Telegram<'a>, code: Obis) -> Object<'a> {
    telegram.line(code).unwrap_or_else(|| panic!("{code}")).object()
}

#[test]
fn dsmr_2_2() {
    let octets = unchecked(
        "/KMP5 KA6U000000000000\n\n0-0:96.1.1(4B413655303030303030)\n1-0:1.8.1(07041.882*kWh)\n1-0:1.7.0(0000.54*kW)\n\
         0-0:96.14.0(0002)\n0-0:17.0.0(0999.00*kW)\n0-0:17.0.0(999*A)\n0-0:96.3.10(1)\n0-0:96.13.1()\n0-0:96.13.0()\n\
         0-1:24.1.0(3)\n0-1:96.1.0(3238303131303030303030)\n0-1:24.3.0(160315210000)(00)(60)(1)(0-1:24.2.1)(m3)\n(04083.631)\n\
         0-1:24.4.0(1)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(telegram.check(), Check::Absent);
    assert_eq!(
        rows(&telegram),
        [
            "0-0:96.1.1 \"KA6U000000\"",
            "1-0:1.8.1 7041.882 kWh",
            "1-0:1.7.0 0.54 kW",
            "0-0:96.14.0 \"0002\"",
            "0-0:17.0.0 999.00 kW",
            "0-0:17.0.0 999 A",
            "0-0:96.3.10 1",
            "0-0:96.13.1 \"\"",
            "0-0:96.13.0 \"\"",
            "0-1:24.1.0 3",
            "0-1:96.1.0 \"28011000000\"",
            "0-1:24.3.0 4083.631 m3 at 2016-03-15T21:00:00",
            "0-1:24.4.0 1",
        ]
    );
    let device = telegram.newest(DeviceKind::Gas).unwrap();
    assert_eq!((device.channel, device.valve), (1, Some(SwitchState::On)));
    assert_eq!(device.reading.unwrap().value.to_string(), "4083.631 m3");
    assert!(matches!(object(&telegram, obis!("0-0:96.14.0")), Object::Tariff { number: Some(2), .. }));
}

#[test]
fn dsmr_3_0_with_a_wrapped_text() {
    let octets = unchecked(
        "/ISk5\\2MT382-1000\n\n0-0:96.13.1(3031)\n0-0:96.13.0(48656C6C6F\n20776F726C64)\n0-1:96.1.0(4B414D30)\n\
         0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\n(00001.001)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(
        rows(&telegram),
        [
            "0-0:96.13.1 \"01\"",
            "0-0:96.13.0 \"Hello world\"",
            "0-1:96.1.0 \"KAM0\"",
            "0-1:24.3.0 1.001 m3 at 2009-02-12T16:00:00"
        ]
    );
}

#[test]
fn dsmr_4_and_5_with_four_devices_out_of_order() {
    let octets = checked(
        "/ISK5\\2M550T-1012\n\n1-3:0.2.8(50)\n0-0:1.0.0(190324150541W)\n0-0:96.1.1(4530)\n1-0:1.8.1(003432.829*kWh)\n\
         1-0:99.97.0(2)(0-0:96.7.19)(180417201458S)(0000000236*s)(210321163842S)(2147583646*s)\n1-0:32.32.0(00001)\n\
         1-0:52.36.0(00002)\n0-0:96.7.21(00005)\n0-0:96.7.9(00003)\n1-0:32.7.0(236.7*V)\n1-0:71.7.0(002*A)\n1-0:62.7.0(00.379*kW)\n\
         0-4:24.1.0(010)\n0-4:96.1.0(5f464f55525f)\n0-4:24.2.1(101209112400W)(12785.444*GJ)\n\
         0-1:24.1.0(003)\n0-1:96.1.0(4f4c44)\n0-1:24.2.1(101209112100W)(12785.111*m3)\n\
         0-3:24.1.0(003)\n0-3:96.1.0(4e4557)\n0-3:24.2.1(101209112300W)(00000.333*m3)\n\
         0-2:24.1.0(003)\n0-2:96.1.0()\n0-2:24.2.1(632525252525S)(00000.000)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(telegram.check(), Check::Verified);
    assert_eq!(telegram.version().unwrap().to_string(), "50");
    assert_eq!(telegram.time().unwrap().iso(60).to_string(), "2019-03-24T15:05:41+01:00");
    let Object::FailureLog(log) = object(&telegram, obis!("1-0:99.97.0")) else { panic!() };
    assert_eq!(log.claimed(), Some(2));
    let failures: Vec<String> = log.map(|failure| format!("{} {}", failure.end, failure.duration)).collect();
    assert_eq!(failures, ["2018-04-17T20:14:58S 236 s", "2021-03-21T16:38:42S 2147583646 s"]);
    assert!(matches!(
        object(&telegram, obis!("1-0:32.32.0")),
        Object::Count { event: Event::VoltageSag(Phase::L1), count: 1 }
    ));
    assert!(matches!(
        object(&telegram, obis!("1-0:52.36.0")),
        Object::Count { event: Event::VoltageSwell(Phase::L2), count: 2 }
    ));
    assert!(matches!(
        object(&telegram, obis!("0-0:96.7.9")),
        Object::Count { event: Event::LongPowerFailure, count: 3 }
    ));
    assert!(matches!(
        object(&telegram, obis!("1-0:62.7.0")),
        Object::Measurement {
            quantity: Quantity::ActiveExport,
            phase: Phase::L3,
            processing: Processing::Instantaneous,
            ..
        }
    ));
    // By type and freshness: channel 1 is the gas meter that was replaced, channel 2 none at all.
    let gas = telegram.newest(DeviceKind::Gas).unwrap();
    assert_eq!((gas.channel, gas.id.unwrap().to_string()), (3, "NEW".to_owned()));
    let channels: Vec<(u8, bool)> =
        telegram.devices().map(|device| (device.channel, device.is_assigned())).collect();
    assert_eq!(channels, [(1, true), (2, false), (3, true), (4, true)]);
    assert_eq!(
        telegram.newest(DeviceKind::Cooling).unwrap().reading.unwrap().value.to_string(),
        "12785.444 GJ"
    );
    assert!(telegram.newest(DeviceKind::Water).is_none());
}

#[test]
fn failure_logs_of_all_shapes() {
    for (line, claimed, entries) in [
        ("1-0:99.97.0(0)(0-0:96.7.19)", Some(0), 0),
        ("1-0:99.97.0()", None, 0),
        ("1-0:99.97.0(1)(0:96.7.19)(000101010000W)(2147483647*s)", Some(1), 1),
        (
            "1-0:99.97.0(3)(0-0:96.7.19)(000104180320W)(0000237126*s)(000101000001W)(2147583646*s)(000102000003W)(2317482647*s)",
            Some(3),
            3,
        ),
        ("1-0:99.97.0(2)(0-0:96.7.19)(190201235231W)(0000003231)(190201235231W)(0000003231)", Some(2), 2),
        ("1-0:99.97.0(5)", Some(5), 0),
        ("1-0:99.97.0(1)(0-0:96.7.19)(190201235231W)", Some(1), 0),
    ] {
        let Object::FailureLog(log) = dsmr::DataLine::parse(line.as_bytes()).object() else {
            panic!("{line}")
        };
        assert_eq!((log.claimed(), log.count()), (claimed, entries), "{line}");
    }
}

#[test]
fn belgium() {
    let octets = checked(
        "/FLU5\\253769484_A\n0-0:96.1.4(50217)\n0-0:96.1.2(3534)\n0-0:1.0.0(200512135409S)\n1-0:94.32.1(400)\n\
         1-0:1.4.0(02.351*kW)\n1-0:1.6.0(200509134558S)(02.589*kW)\n1-0:1.6.0(02.589*kW)(200509134558)\n\
         0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)(200401000000S)(200305122139S)(05.980*kW)\n\
         0-0:98.1.0(0)(1-0:1.6.0)(1-0:1.6.0)()()\n1-0:31.7.0(003.94*A)\n0-0:96.3.10(2)\n0-1:96.3.10(0)\n0-0:17.0.0(99.999*kW)\n\
         1-0:31.4.0(999.99*A)\n0-1:24.1.0(003)\n0-1:96.1.1(37464C4F)\n0-1:96.1.2(353431343430303132)\n0-1:24.4.0(1)\n\
         0-1:24.2.3(200512134558S)(00112.384*m3)\n0-2:24.1.0(007)\n0-2:96.1.1(3853)\n0-2:24.2.1(200512134558S)(00872.234m3)\n",
    );
    let telegram = parse(&octets);
    let peak = |n: usize| {
        telegram.lines().filter(|line| line.code() == Some(obis!("1-0:1.6.0"))).nth(n).unwrap().object()
    };
    for n in [0, 1] {
        let Object::Measurement { processing: Processing::Maximum, time: Some(time), value, .. } = peak(n)
        else {
            panic!()
        };
        assert_eq!((time.minute, value.to_string().as_str()), (45, "2.589 kW"), "{n}");
    }
    let histories: Vec<Vec<String>> = telegram
        .lines()
        .filter_map(|line| match line.object() {
            Object::PeakHistory(peaks) => {
                Some(peaks.map(|peak| format!("{} {} {}", peak.month, peak.time, peak.power)).collect())
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        histories,
        [
            vec![
                "2020-05-01T00:00:00S 2020-04-23T19:25:38S 3.695 kW",
                "2020-04-01T00:00:00S 2020-03-05T12:21:39S 5.980 kW"
            ],
            vec![]
        ]
    );
    assert!(matches!(
        object(&telegram, obis!("0-0:96.3.10")),
        Object::Switch { channel: 0, state: SwitchState::ReadyForReconnection }
    ));
    assert!(matches!(object(&telegram, obis!("1-0:31.4.0")), Object::FuseLimit { export: None, .. }));
    // What is no current in amperes, and what has a time, is a mean like those of the other phases.
    for line in ["1-0:31.4.0(0000.003*kA)", "1-0:31.4.0(00001*W)", "1-0:31.4.0(200512134558S)(003*A)"] {
        let object = dsmr::DataLine::parse(line.as_bytes()).object();
        assert!(matches!(object, Object::Measurement { .. }), "{line} {object:?}");
    }
    let water = telegram.newest(DeviceKind::Water).unwrap();
    assert_eq!(water.reading.unwrap().value.to_string(), "872.234 m3", "a unit without its star");
    let gas = telegram.newest(DeviceKind::Gas).unwrap();
    assert_eq!(gas.reading.unwrap().code, obis!("0-1:24.2.3"));
    assert_eq!(gas.ean.unwrap().to_string(), "541440012");
    assert_eq!(telegram.devices().count(), 2, "relays are no devices");
    assert_eq!(
        parse(&octets).line(obis!("1-0:31.7.0")).unwrap().value().unwrap().scaled().unwrap().to_string(),
        "3.94 A"
    );
}

#[test]
fn luxembourg() {
    let octets = checked(
        "/Lux5\\253694471_M\n\n1-3:0.2.8(42)\n0-0:42.0.0(53414731303330373930303032353734)\n1-0:3.8.0(000000.835*kvarh)\n0-0:17.0.0(27.600*kVA)\n\
         1-0:3.7.0(00.000)\n1-1:31.4.0(100*A)(-063*A)\n1-0:9.7.0(00.021*kVA)\n0-0:96.13.2()\n1-0:43.7.0(00.001*kvar)\n",
    );
    let telegram = parse(&octets);
    let Object::FuseLimit { import, export } = object(&telegram, obis!("1-1:31.4.0")) else { panic!() };
    assert_eq!((import.to_string(), export.unwrap().to_string()), ("100 A".to_owned(), "-63 A".to_owned()));
    assert_eq!(
        rows(&telegram),
        [
            "1-3:0.2.8 \"42\"",
            "0-0:42.0.0 \"SAG1030790002574\"",
            "1-0:3.8.0 0.835 kvarh",
            "0-0:17.0.0 27.600 kVA",
            "1-0:3.7.0 0.000",
            "1-1:31.4.0 [(100*A), (-063*A)]",
            "1-0:9.7.0 0.021 kVA",
            "0-0:96.13.2 \"\"",
            "1-0:43.7.0 0.001 kvar",
        ]
    );
}

#[test]
fn nordic_countries() {
    let octets = checked(
        "/KAM5\n\n0-0:1.0.0(250000000000W)\n1-0:1.8.0(00009621.983*kWh)\n1-0:4.8.0(00000486.492*kVArh)\n1-0:64.7.0(0000.219*kVAr)\n\
         1-0:51.7.0(000.8*A)\n1-0:0.2.0((ER11))\n",
    );
    let telegram = parse(&octets);
    assert!(!telegram.time().unwrap().is_valid());
    assert_eq!(
        rows(&telegram)[1..],
        [
            "1-0:1.8.0 9621.983 kWh",
            "1-0:4.8.0 486.492 kvarh",
            "1-0:64.7.0 0.219 kvar",
            "1-0:51.7.0 0.8 A",
            "1-0:0.2.0 \"ER11\""
        ]
    );
    let octets = checked("/NES5:1\n\n0-0:1.0.0(20240111 09:35:00)\n1-0:1.7.0(0000.714*kW)\n");
    assert_eq!(parse(&octets).time().unwrap().to_string(), "2024-01-11T09:35:00");
}

#[test]
fn hungary_lithuania_and_others() {
    let octets = checked(
        "/HLY5/D545-METER\n\n0-0:1.0.0(220201000000T)\n0-0:96.1.0(9903352978)\n0-0:96.14.0(TARIFF 1)\n0-0:96.3.10(ON)\n0-0:17.0.0(24000*W)\n\
         1-0:15.8.0(00007137.694*kWh )\n1-0:13.7.0(0.999)\n1-0:14.7.0(50.01*Hz)\n0-0:98.1.0(220201000000W)(1*kWh)(2*kWh)\n\
         1-0:5.8.0(00000012.272*kvarh)\n1-0:32.7.0(0000.242*kV)\n1-0:14.7.1(0000.049*kHz)\n1-0:32.24.0(0000.237*kV)\n\
         1-0:1.8.0(006545766*Wh)\n1-0:91.7.0(0000.014*kA)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(telegram.identification(), b"HLY5/D545-METER");
    assert_eq!(
        rows(&telegram),
        [
            "0-0:1.0.0 2022-02-01T00:00:00T",
            "0-0:96.1.0 \"9903352978\"",
            "0-0:96.14.0 \"TARIFF 1\"",
            "0-0:96.3.10 \"ON\"",
            "0-0:17.0.0 24000 W",
            "1-0:15.8.0 7137.694 kWh",
            "1-0:13.7.0 0.999",
            "1-0:14.7.0 50.01 Hz",
            "0-0:98.1.0 [(220201000000W), (1*kWh), (2*kWh)]",
            "1-0:5.8.0 12.272 kvarh",
            "1-0:32.7.0 0.242 kV",
            "1-0:14.7.1 0.049 kHz",
            "1-0:32.24.0 0.237 kV",
            "1-0:1.8.0 6545766 Wh",
            "1-0:91.7.0 0.014 kA",
        ]
    );
    assert!(matches!(object(&telegram, obis!("0-0:96.3.10")), Object::Switch { state: SwitchState::On, .. }));
    assert!(matches!(object(&telegram, obis!("0-0:96.14.0")), Object::Tariff { number: Some(1), .. }));
    assert!(matches!(
        object(&telegram, obis!("1-0:5.8.0")),
        Object::Measurement { quantity: Quantity::ReactiveQuadrant(1), .. }
    ));
    assert!(matches!(
        object(&telegram, obis!("1-0:32.24.0")),
        Object::Measurement { processing: Processing::Mean, phase: Phase::L1, .. }
    ));
    assert!(
        matches!(object(&telegram, obis!("0-0:98.1.0")), Object::MonthEnd { values, .. } if values.count() == 2)
    );
}

#[test]
fn slovenia_germany_and_the_ace4000_send_no_check() {
    let octets = unchecked(
        "/ISK9\\2M551T-200\n\n0-0:96.1.0(96815390)\n1-0:0.9.1(222553)\n1-0:0.9.2(251002)\n1-0:32.7.0(00234.6*V)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(telegram.check(), Check::Absent);
    assert_eq!(telegram.time().unwrap().to_string(), "2025-10-02T22:25:53");
    assert_eq!(
        rows(&telegram),
        ["0-0:96.1.0 \"96815390\"", "1-0:0.9.1 \"222553\"", "1-0:0.9.2 \"251002\"", "1-0:32.7.0 234.6 V"]
    );
    let octets = unchecked(
        "/ESY5Q3DB1024 V3.04\n\n1-0:0.0.0*255(0272031312565)\n1-0:1.8.0*255(00066982.7369255*kWh)\n1-0:21.7.0*255(000210.92*W)\n\
         0-0:96.1.255*255(1ESY1313002565)\n7-0:23.1.0(00012.5*m3)(24-01-11 09:35:00)\n7-0:23.1.0(00012.6*m3)(24-01-11 10:35:00)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(
        rows(&telegram),
        [
            "1-0:0.0.0 \"0272031312565\"",
            "1-0:1.8.0 66982.7369255 kWh",
            "1-0:21.7.0 210.92 W",
            "0-0:96.1.255 \"1ESY1313002565\"",
            "7-0:23.1.0 12.5 m3 at 2024-01-11T09:35:00",
            "7-0:23.1.0 12.6 m3 at 2024-01-11T10:35:00",
        ]
    );
}

#[test]
fn unassigned_devices_in_all_spellings() {
    for lines in [
        "0-2:24.1.0(007)\n0-2:96.1.0()\n0-2:24.2.1(632525252525S)(00000.000)\n",
        "0-2:24.1.0(000)\n0-2:96.1.0()\n0-2:24.2.1(700101010000W)(00000000)\n",
        "0-2:24.1.0()\n0-2:96.1.0()\n0-2:24.2.1(00000000.0000)\n",
        "0-2:24.1.0()\n0-2:96.1.1()\n0-2:24.2.1()\n",
    ] {
        let octets = checked(&format!("/ISK5\\2M550T\n\n{lines}"));
        let telegram = parse(&octets);
        assert_eq!(
            telegram.devices().map(|device| (device.channel, device.is_assigned())).collect::<Vec<_>>(),
            [(2, false)],
            "{lines}"
        );
    }
}

#[test]
fn odd_lines_cost_only_themselves() {
    let octets = checked(
        "/ISK5\\2M550T\n\n1-0:4:24.7.0(0000.000*kVAr)\n1-0:99:97.0(1)\nk0.000*kW)\n1-021.7.0(00.1*kW)\n***NO CARRIER***\n\
         1-0:1.7.0(00.433*kW)\n0-0:17.0.0(1*A)\n0-0:17.0.0(1*A)\n1-0:2.7.0(00.4\n1-0:32.7.0(236.7*V)\n",
    );
    let telegram = parse(&octets);
    assert_eq!(
        rows(&telegram),
        [
            "- raw 1-0:4:24.7.0(0000.000*kVAr)",
            "- raw 1-0:99:97.0(1)",
            "- raw k0.000*kW)",
            "- raw 1-021.7.0(00.1*kW)",
            "- raw ***NO CARRIER***",
            "1-0:1.7.0 0.433 kW",
            "0-0:17.0.0 1 A",
            "0-0:17.0.0 1 A",
            "1-0:2.7.0 raw 1-0:2.7.0(00.4",
            "1-0:32.7.0 236.7 V",
        ]
    );
}

/// What one line reads as, as in [`rows`].
fn row(line: &str) -> String {
    let text = format!("/AAA5\n\n{line}\n");
    rows(&Telegram::lenient(text.replace('\n', "\r\n").as_bytes())).join(" | ")
}

#[test]
fn a_gas_line_without_its_number_is_no_reading() {
    let front = "0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)";
    for line in [front.to_owned(), "0-1:24.3.0(120517020000)(08)(60)(1)(m3)".to_owned()] {
        let object = dsmr::DataLine::parse(line.as_bytes()).object();
        assert!(matches!(object, Object::Other(_)), "{object:?}");
    }
    assert_eq!(row(&format!("{front}\n(00124.477)")), "0-1:24.3.0 124.477 m3 at 2012-05-17T02:00:00");
    assert_eq!(
        row("0-1:24.3.0(120517020000)(00124.477)(m3)"),
        "0-1:24.3.0 124.477 m3 at 2012-05-17T02:00:00"
    );
    assert_eq!(
        row("0-1:24.3.0(120517020000)(m3)\n(00124.477)"),
        "0-1:24.3.0 124.477 m3 at 2012-05-17T02:00:00"
    );
    // Nor are the parts of a line that is longer than the storage.
    let octets = unchecked(&format!("/KMP5 ZABF\n\n{front}\n(00124.477)\n"));
    for storage in 32..60 {
        let mut decoder = dsmr::LineDecoder::new(vec![0; storage]);
        let mut input = octets.as_slice();
        while let Some(event) = decoder.decode(&mut input) {
            if let Ok(dsmr::LineEvent::Data(part)) = event {
                let object = part.line().object();
                assert!(!matches!(object, Object::DeviceReading { .. }), "{storage}: {part:?} {object:?}");
            }
        }
    }
}

#[test]
fn a_number_without_its_parenthesis_is_none() {
    for line in [
        "1-0:1.8.1(03432.8",
        "1-0:1.8.1(03432.829*kWh",
        "1-0:1.8.1(03432.829*kWh)x",
        "0-1:24.2.1(101209112100W)(12785.1",
        "0-1:24.1.0(00",
        "0-0:1.0.0(190324150541",
        "0-0:1.0.0(190324150541W",
        "0-0:96.14.0(000",
        "1-3:0.2.8(4",
        "1-0:32.32.0(0000",
        "0-0:17.0.0(99.9",
        "1-1:31.4.0(100*A)(-06",
        "0-0:96.3.10(1",
        "0-0:96.1.1(4530",
    ] {
        let parsed = dsmr::DataLine::parse(line.as_bytes());
        assert!(matches!(parsed.object(), Object::Raw(_)), "{line}");
        assert!(matches!(parsed.reading(), Reading::Raw(raw) if raw == line.as_bytes()), "{line}");
        assert!(parsed.code().is_some());
    }
    let value = dsmr::DataLine::parse(b"1-0:1.8.1(03432.8").value().unwrap();
    assert_eq!((value.decimal(), value.scaled(), value.octets()), (None, None, b"03432.8".as_slice()));
    assert!(matches!(value.content(), dsmr::Content::Text(_)));
    assert_eq!(row("0-0:96.13.0(see (a) and"), "0-0:96.13.0 \"see (a) and\"");
    assert_eq!(row("1-0:1.8.1(03432.829*kWh) "), "1-0:1.8.1 3432.829 kWh");
}

#[test]
fn what_only_looks_hexadecimal_is_kept() {
    for (line, read) in [
        ("1-0:0.2.0(A2)", "1-0:0.2.0 \"A2\""),
        ("1-0:0.2.0(4B)", "1-0:0.2.0 \"4B\""),
        ("1-0:0.2.0(4A4B)", "1-0:0.2.0 \"JK\""),
        ("0-0:96.1.1(ABB12345)", "0-0:96.1.1 \"ABB12345\""),
        ("0-0:96.13.0(53C3B66B)", "0-0:96.13.0 \"Sök\""),
    ] {
        assert_eq!(row(line), read);
    }
}

#[test]
fn identifiers_are_no_numbers() {
    for (line, read) in [
        ("7-0:0.0.0(0001234567)", "7-0:0.0.0 \"0001234567\""),
        ("7-0:96.1.0(0001234567)", "7-0:96.1.0 \"0001234567\""),
        ("C.1.0(00012345)", "1-0:96.1.0 \"00012345\""),
        ("1-0:96.1.0*255(00012345)", "1-0:96.1.0 \"00012345\""),
        ("0-0:97.97.0(0040)", "0-0:97.97.0 \"0040\""),
        ("1-0:96.5.0(00000080)", "1-0:96.5.0 \"00000080\""),
        ("0-0:96.5.4(0)", "0-0:96.5.4 \"0\""),
        ("7-0:3.0.0(00012.5*m3)", "7-0:3.0.0 12.5 m3"),
        ("6-0:1.0.0(00012.5*GJ)", "6-0:1.0.0 12.5 GJ"),
    ] {
        assert_eq!(row(line), read);
        let object = dsmr::DataLine::parse(line.as_bytes()).object();
        assert_eq!(matches!(object, Object::MediumReading { .. }), read.contains(".5 "), "{object:?}");
        assert!(!matches!(object, Object::Number(_)), "{object:?}");
    }
    assert!(matches!(dsmr::DataLine::parse(b"C.1.0(00012345)").object(), Object::EquipmentId(_)));
}

#[test]
fn devices_without_a_name_are_there() {
    for (lines, assigned) in [
        ("0-1:24.1.0(003)\n0-1:96.1.0()\n0-1:24.2.1(101209112500W)(00012.384*m3)\n", true),
        ("0-1:24.1.0(003)\n0-1:24.2.1(101209112500W)(00000.000*m3)\n", true),
        ("0-1:24.1.0(003)\n0-1:24.2.1(101209112500W)(00012.384)\n", true),
        ("0-1:24.1.0(003)\n0-1:24.2.1(101209112500W)(00000.000)\n", false),
        ("0-1:24.1.0(003)\n0-1:24.2.1(632525252525S)(00012.384*m3)\n", false),
        ("0-1:24.1.0(003)\n0-1:96.1.0(4530)\n0-1:24.2.1(632525252525S)(00012.384*m3)\n", false),
        ("0-1:24.1.0(003)\n0-1:96.1.0()\n", false),
    ] {
        let octets = checked(&format!("/ISK5\\2M550T\n\n{lines}"));
        assert_eq!(parse(&octets).newest(DeviceKind::Gas).is_some(), assigned, "{lines}");
    }
}

#[test]
fn times_with_the_century_and_spaces_around_numbers() {
    for line in [
        "0-1:24.2.1(20240111093500)(00012.5*m3)",
        "0-1:24.2.1(00012.5*m3)(20240111093500)",
        "0-1:24.2.1( 00012.5 *m3)(20240111093500)",
    ] {
        assert_eq!(row(line), "0-1:24.2.1 12.5 m3 at 2024-01-11T09:35:00");
    }
}
