//! One list of our own making for each profile and each departure.
#![allow(clippy::std_instead_of_alloc, clippy::arithmetic_side_effects, reason = "test code")]

extern crate std;

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::data::Quirks;
use crate::{Obis, obis};

/// Octets of data, put together by hand.
#[derive(Clone, Default)]
struct Body(Vec<u8>);

impl Body {
    fn structure(count: u8) -> Self {
        Self(Vec::from([2, count]))
    }

    fn array(count: u8) -> Self {
        Self(Vec::from([1, count]))
    }

    fn add(mut self, octets: &[u8]) -> Self {
        self.0.extend_from_slice(octets);
        self
    }

    fn begin(self, count: u8) -> Self {
        self.add(&[2, count])
    }

    fn code(self, code: Obis) -> Self {
        self.add(&[9, 6]).add(&code.octets())
    }

    fn octets(self, octets: &[u8]) -> Self {
        self.add(&[9, u8::try_from(octets.len()).unwrap()]).add(octets)
    }

    fn visible(self, text: &str) -> Self {
        self.add(&[10, u8::try_from(text.len()).unwrap()]).add(text.as_bytes())
    }

    fn u8(self, value: u8) -> Self {
        self.add(&[17, value])
    }

    fn i8(self, value: i8) -> Self {
        self.add(&[15]).add(&value.to_be_bytes())
    }

    fn u16(self, value: u16) -> Self {
        self.add(&[18]).add(&value.to_be_bytes())
    }

    fn i16(self, value: i16) -> Self {
        self.add(&[16]).add(&value.to_be_bytes())
    }

    fn u32(self, value: u32) -> Self {
        self.add(&[6]).add(&value.to_be_bytes())
    }

    fn scaler(self, scaler: i8, unit: u8) -> Self {
        self.begin(2).i8(scaler).add(&[22, unit])
    }

    fn clock(self) -> Self {
        self.octets(&CLOCK)
    }

    /// `{class, code, attribute, 0}` of an object list.
    fn object(self, class: u16, code: Obis, attribute: i8) -> Self {
        self.begin(4).u16(class).code(code).i8(attribute).u16(0)
    }
}

/// 2024-05-06, a Monday, 07:08:09, deviation and status not specified.
const CLOCK: [u8; 12] = [0x07, 0xE8, 5, 6, 1, 7, 8, 9, 0xFF, 0x80, 0, 0xFF];

/// Each entry as `code value`, or `path value` where nothing names it.
fn lines<P: Profile>(body: &[u8], profile: &P) -> Vec<String> {
    let mut entries = entries_with(body, profile);
    let lines = entries
        .by_ref()
        .map(|entry| {
            let entry = entry.unwrap();
            let value = match entry.value {
                Value::DateTime(value) => format!("time {:02x?}", value.octets()),
                value => value.to_string(),
            };
            match entry.obis {
                Some(code) => format!("{code:#} {value}"),
                None => format!("{} {value}", entry.path),
            }
        })
        .collect();
    assert_eq!(entries.rest(), b"");
    lines
}

/// The lines by one profile, which must be those by all of them too, under the name that is given.
fn check<P: Profile>(name: &str, profile: &P, body: &Body, expected: &[&str]) {
    let expected: Vec<_> =
        expected.iter().map(|line| line.replace("CLOCK", &format!("{CLOCK:02x?}"))).collect();
    assert_eq!(lines(&body.0, profile), expected);
    assert_eq!(lines(&body.0, &BuiltIn), expected);
    assert_eq!(entries_with(&body.0, profile).layout(), Some(name));
    assert_eq!(entries(&body.0).layout(), Some(name));
}

#[test]
fn aidon_norway() {
    let body = Body::array(6)
        .begin(2)
        .code(obis!("1-1:0.2.129"))
        .visible("AIDON_V9999")
        .begin(2)
        .code(obis!("0-0:96.1.0"))
        .visible("1234567890123456")
        .begin(3)
        .code(obis!("1-0:31.7.0"))
        .i16(-12)
        .scaler(-1, 33)
        .begin(3)
        .code(obis!("1-0:32.7.0"))
        .u16(2398)
        .scaler(-1, 35)
        .begin(2)
        .code(obis!("0-0:1.0.0"))
        .clock()
        .begin(3)
        .code(obis!("1-0:1.8.0"))
        .u32(4567)
        .scaler(1, 30);
    check(
        "Aidon",
        &aidon::Aidon,
        &body,
        &[
            "1-1:0.2.129 AIDON_V9999",
            "0-0:96.1.0 1234567890123456",
            "1-0:31.7.0 -1.2 A",
            "1-0:32.7.0 239.8 V",
            "0-0:1.0.0 time CLOCK",
            "1-0:1.8.0 45670 Wh",
        ],
    );
}

#[test]
fn landis_gyr_e350_pads_its_texts() {
    let body = Body::array(3)
        .begin(2)
        .code(obis!("1-1:0.2.129"))
        .visible("EMBRIQ_V9_9")
        .begin(2)
        .code(obis!("0-0:96.1.0"))
        .visible("12345678\0\0\0\0\0\0\0\0")
        .begin(3)
        .code(obis!("1-0:51.7.0"))
        .i16(1234)
        .scaler(-2, 33);
    check(
        "Landis+Gyr E350",
        &landis_gyr::E350,
        &body,
        &["1-1:0.2.129 EMBRIQ_V9_9", "0-0:96.1.0 12345678", "1-0:51.7.0 12.34 A"],
    );
}

#[test]
fn tag_and_length_the_wrong_way_round_are_read_where_that_is_accepted() {
    let list = Body::array(2).begin(2).code(obis!("1-1:0.2.129")).visible("EMBRIQ_V9_9").begin(3);
    let body = list.add(&[6, 9, 1, 0, 31, 7, 0, 255]).i16(50).scaler(-2, 33);
    let accepted: Vec<_> = entries(&body.0).with_quirks(Quirks::ALL).map(Result::unwrap).collect();
    assert_eq!(accepted[1].obis, Some(obis!("1-0:31.7.0")));
    assert_eq!(accepted[1].value.to_string(), "0.50 A");
    assert!(entries(&body.0).any(|entry| entry.is_err() || entry.is_ok_and(|entry| entry.obis.is_none())));
}

fn kaifa_front(members: u8) -> Body {
    let body = Body::structure(members).octets(b"KFM_999").octets(b"1234567890123456").octets(b"MA999");
    body.u32(1500).u32(0).u32(20).u32(30)
}

const KAIFA_FRONT: [&str; 7] = [
    "1-0:0.2.129 KFM_999",
    "0-0:96.1.0 1234567890123456",
    "0-0:96.1.7 MA999",
    "1-0:1.7.0 1500 W",
    "1-0:2.7.0 0 W",
    "1-0:3.7.0 20 var",
    "1-0:4.7.0 30 var",
];

#[test]
fn kaifa_norway_list_1() {
    check("Kaifa, by position", &kaifa::Positional, &Body::structure(1).u32(777), &["1-0:1.7.0 777 W"]);
}

#[test]
fn kaifa_norway_lists_2_and_3_of_three_phases() {
    let expected = [
        "1-0:31.7.0 12.345 A",
        "1-0:51.7.0 0.001 A",
        "1-0:71.7.0 0.000 A",
        "1-0:32.7.0 239.2 V",
        "1-0:52.7.0 0.0 V",
        "1-0:72.7.0 230.1 V",
        "0-0:1.0.0 time CLOCK",
        "1-0:1.8.0 100 Wh",
        "1-0:2.8.0 200 Wh",
        "1-0:3.8.0 300 varh",
        "1-0:4.8.0 400 varh",
    ];
    let expected: Vec<_> = KAIFA_FRONT.into_iter().chain(expected).collect();
    let phases = |body: Body| body.u32(12345).u32(1).u32(0).u32(2392).u32(0).u32(2301);
    check("Kaifa, by position", &kaifa::Positional, &phases(kaifa_front(13)), &expected[..13]);
    let body = phases(kaifa_front(18)).clock().u32(100).u32(200).u32(300).u32(400);
    check("Kaifa, by position", &kaifa::Positional, &body, &expected);
}

#[test]
fn kaifa_norway_lists_2_and_3_of_one_phase() {
    let expected = [
        "1-0:31.7.0 6.500 A",
        "1-0:32.7.0 231.5 V",
        "0-0:1.0.0 time CLOCK",
        "1-0:1.8.0 1 Wh",
        "1-0:2.8.0 2 Wh",
        "1-0:3.8.0 3 varh",
        "1-0:4.8.0 4 varh",
    ];
    let expected: Vec<_> = KAIFA_FRONT.into_iter().chain(expected).collect();
    let body = kaifa_front(9).u32(6500).u32(2315);
    check("Kaifa, by position", &kaifa::Positional, &body, &expected[..9]);
    let body = kaifa_front(14).u32(6500).u32(2315).clock().u32(1).u32(2).u32(3).u32(4);
    check("Kaifa, by position", &kaifa::Positional, &body, &expected);
}

/// The names of another kind of list are not given to values that only stand in the same number.
#[test]
fn kaifa_by_position_needs_every_member_in_its_place() {
    let layout = |body: &Body| entries(&body.0).layout();
    let numbers = |body: Body, count: u32| (0..count).fold(body, Body::u32);
    assert_eq!(layout(&numbers(kaifa_front(9), 2)), Some("Kaifa, by position"));
    assert_eq!(layout(&numbers(kaifa_front(9).octets(b"x"), 1)), None);
    assert_eq!(layout(&numbers(Body::structure(13).octets(b"KFM_999"), 12)), None);
    assert_eq!(layout(&numbers(numbers(kaifa_front(14), 2).clock(), 4)), Some("Kaifa, by position"));
    assert_eq!(layout(&numbers(kaifa_front(14), 7)), None, "no clock");
    assert_eq!(layout(&numbers(numbers(kaifa_front(18), 6).octets(&CLOCK[..8]), 4)), None, "no clock");
    assert_eq!(layout(&numbers(numbers(kaifa_front(18), 6).clock(), 3).octets(b"1")), None);
    assert_eq!(layout(&Body::structure(1).u32(777)), Some("Kaifa, by position"));
    assert_eq!(layout(&Body::structure(1).u32(777).add(&[0])), None, "more than the list");
    assert_eq!(layout(&Body::structure(1).u16(777)), None);
    assert_eq!(layout(&Body::array(1).u32(777)), None);
}

#[test]
fn kaifa_sweden_pairs() {
    let body = Body::structure(8)
        .code(obis!("1-0:0.2.129"))
        .octets(b"KFM_999")
        .code(obis!("1-0:31.7.0"))
        .u32(32)
        .code(obis!("1-0:32.7.0"))
        .u32(2322)
        .code(obis!("1-0:1.8.0"))
        .u32(1142);
    check(
        "Kaifa, pairs",
        &kaifa::Pairs,
        &body,
        &["1-0:0.2.129 KFM_999", "1-0:31.7.0 0.032 A", "1-0:32.7.0 232.2 V", "1-0:1.8.0 1142 Wh"],
    );
}

#[test]
fn kaifa_austria() {
    let body = Body::structure(4)
        .code(obis!("0-0:1.0.0"))
        .clock()
        .begin(2)
        .code(obis!("0-0:42.0.0"))
        .octets(b"KFM9999999999999")
        .begin(3)
        .code(obis!("1-0:71.7.0"))
        .u16(81)
        .scaler(-2, 33);
    check(
        "Kaifa, Austria",
        &kaifa::Austria,
        &body,
        &["0-0:1.0.0 time CLOCK", "0-0:42.0.0 KFM9999999999999", "1-0:71.7.0 0.81 A"],
    );
}

/// A Kamstrup list of a meter of this type.
fn kamstrup(meter_type: &str) -> Body {
    Body::structure(11)
        .visible("Kamstrup_V9999")
        .code(obis!("1-1:96.1.1"))
        .visible(meter_type)
        .code(obis!("1-1:1.7.0"))
        .u32(500)
        .code(obis!("1-1:31.7.0"))
        .u32(250)
        .code(obis!("1-1:32.7.0"))
        .u16(231)
        .code(obis!("1-1:1.8.0"))
        .u32(123)
}

#[test]
fn kamstrup_scales_by_the_type_of_the_meter() {
    for (meter_type, current, energy) in [
        ("6841131BN243101040", "2.50 A", "1230 Wh"),
        ("6841138BN245101092", "2.50 A", "123 Wh"),
        ("6841131BN240101063", "2.50 A", "123 Wh"),
        ("6841138BN143101010", "2.50 A", "123"),
        ("6851121BN243101040", "0.250 A", "123"),
        ("6861111BN242101040", "2.50 A", "1230 Wh"),
        ("6861111BN242101092", "2.50 A", "123 Wh"),
        ("6861111", "2.50 A", "123"),
        // The powers tell, of a type that is not known.
        ("something else", "2.50 A", "123"),
    ] {
        check(
            "Kamstrup",
            &kamstrup::Kamstrup::BY_TYPE,
            &kamstrup(meter_type),
            &[
                "1-1:0.2.129 Kamstrup_V9999",
                &format!("1-1:96.1.1 {meter_type}"),
                "1-1:1.7.0 500 W",
                &format!("1-1:31.7.0 {current}"),
                "1-1:32.7.0 231 V",
                &format!("1-1:1.8.0 {energy}"),
            ],
        );
    }
    let body = kamstrup("6841138BN143101010");
    assert_eq!(lines(&body.0, &kamstrup::Kamstrup::TEN_WATT_HOURS)[5], "1-1:1.8.0 1230 Wh");
    assert_eq!(lines(&body.0, &kamstrup::Kamstrup::WATT_HOURS)[5], "1-1:1.8.0 123 Wh");
}

/// Without a type the powers decide whether currents are in 0.01 A or mA.
#[test]
fn kamstrup_without_type_scales_currents_by_the_powers() {
    let list = |power: u32, reactive: u32, current: u32| {
        Body::structure(13)
            .visible("Kamstrup_V9999")
            .code(obis!("1-1:1.8.0"))
            .u32(99)
            .code(obis!("1-1:1.7.0"))
            .u32(power)
            .code(obis!("1-1:4.7.0"))
            .u32(reactive)
            .code(obis!("1-1:32.7.0"))
            .u16(230)
            .code(obis!("1-1:31.7.0"))
            .u32(current)
            .code(obis!("1-1:13.7.0"))
            .u16(98)
    };
    for (power, reactive, current, shown) in [
        (1000, 100, 437, "4.37 A"),
        // Enough in mA, but nothing against hundredths: phases may cancel in the total.
        (1000, 100, 4370, "4370"),
        (30, 10, 14, "0.14 A"),
        (50, 20_000, 87_000, "87000"),
        // Too little even in hundredths.
        (1000, 100, 300, "300"),
        (5, 0, 437, "437"),
        (0, 0, 0, "0 A"),
    ] {
        check(
            "Kamstrup",
            &kamstrup::Kamstrup::BY_TYPE,
            &list(power, reactive, current),
            &[
                "1-1:0.2.129 Kamstrup_V9999",
                "1-1:1.8.0 99",
                &format!("1-1:1.7.0 {power} W"),
                &format!("1-1:4.7.0 {reactive} var"),
                "1-1:32.7.0 230 V",
                &format!("1-1:31.7.0 {shown}"),
                "1-1:13.7.0 0.98",
            ],
        );
    }
}

/// Power and power factor of the phases are proof of mA, if all of them agree.
#[test]
fn kamstrup_without_type_takes_milliampere_only_from_the_phases() {
    // Power, power factor and current of each phase at 230 V; the totals cancel.
    let shown = |phases: [(u32, u16, u32); 3]| {
        let mut body = Body::structure(27).visible("Kamstrup_V9999").code(obis!("1-1:1.7.0")).u32(30);
        for (steps, (power, factor, current)) in (1..).zip(phases) {
            let code = |c: u8| Obis::new(1, 1, steps * 20 + c, 7, 0, 255);
            body = body.code(code(1)).u32(power).code(code(12)).u16(230).code(code(11)).u32(current);
            body = body.code(code(13)).u16(factor);
        }
        let lines = lines(&body.0, &BuiltIn).into_iter();
        let currents = lines.filter_map(|line| match line.split_once(' ')? {
            ("1-1:31.7.0" | "1-1:51.7.0" | "1-1:71.7.0", value) => Some(value.to_string()),
            _ => None,
        });
        currents.collect::<Vec<_>>()
    };
    let milli = shown([(2185, 95, 10_000), (448, 2, 91_000), (0, 0, 12)]);
    assert_eq!(milli, ["10.000 A", "91.000 A", "0.012 A"]);
    // A phase that says otherwise, and phases too small to say anything.
    assert_eq!(shown([(2185, 95, 10_000), (2185, 95, 40_000), (0, 0, 0)]), ["10000", "40000", "0 A"]);
    assert_eq!(shown([(20, 95, 92), (10, 95, 46), (0, 0, 900)]), ["92", "46", "900"]);
    assert_eq!(shown([(1000, 20, 2200), (100, 98, 45), (0, 0, 0)]), ["22.00 A", "0.45 A", "0 A"]);
}

#[test]
fn kamstrup_nulls_in_the_place_of_pairs_do_not_come_out() {
    let body = Body::structure(9)
        .visible("Kamstrup_V9999")
        .code(obis!("1-1:31.7.0"))
        .u32(0)
        .add(&[0, 0, 0, 0])
        .code(obis!("1-1:32.7.0"))
        .u16(229);
    check(
        "Kamstrup",
        &kamstrup::Kamstrup::BY_TYPE,
        &body,
        &["1-1:0.2.129 Kamstrup_V9999", "1-1:31.7.0 0 A", "1-1:32.7.0 229 V"],
    );
}

#[test]
fn netz_noe_with_the_number_of_the_meter_at_the_end() {
    let body = Body::structure(8)
        .clock()
        .code(obis!("1-0:1.8.0"))
        .u32(12937)
        .scaler(0, 30)
        .code(obis!("1-0:13.7.0"))
        .u16(94)
        .scaler(-3, 255)
        .octets(b"123456789012");
    check(
        "Netz NÖ",
        &sagemcom::NetzNoe,
        &body,
        &["0-0:1.0.0 time CLOCK", "1-0:1.8.0 12937 Wh", "1-0:13.7.0 0.094", "0-0:96.1.0 123456789012"],
    );
}

fn swiss_objects() -> Body {
    Body::array(8)
        .object(40, obis!("0-8:25.9.0"), 2)
        .object(40, obis!("0-8:25.9.0"), 1)
        .object(1, obis!("0-0:96.1.0"), 2)
        .object(3, obis!("1-0:1.7.0"), 2)
        .object(3, obis!("1-0:31.7.0"), 2)
        .object(3, obis!("1-0:32.7.0"), 2)
        .object(3, obis!("1-0:52.7.0"), 2)
        .object(4, obis!("0-1:24.2.1"), 2)
}

#[test]
fn object_list_first_names_the_values_behind_it() {
    let body = Body::structure(8)
        .add(&swiss_objects().0)
        .code(obis!("0-8:25.9.0"))
        .octets(b"12345678")
        .u32(331)
        .u16(49)
        .u16(234)
        .u16(2331)
        .u32(30545);
    check(
        "object list, Switzerland",
        &landis_gyr::Swiss,
        &body,
        &[
            "0-8:25.9.0 0-8:25.9.0*255",
            "0-0:96.1.0 12345678",
            "1-0:1.7.0 331 W",
            "1-0:31.7.0 0.49 A",
            "1-0:32.7.0 234 V",
            "1-0:52.7.0 233.1 V",
            "0-1:24.2.1 30545",
        ],
    );
    let attributes: Vec<_> = entries(&body.0).map(|entry| entry.unwrap().attribute).collect();
    assert_eq!(attributes, [1, 2, 2, 2, 2, 2, 2]);
}

#[test]
fn object_lists_of_others_name_but_do_not_scale() {
    // Six members for each object, and the value of one is a structure.
    let object = |body: Body, class: u16, code: Obis| {
        body.begin(6).u16(class).code(code).i8(2).u16(0).begin(2).add(&[22, 0, 0]).add(&[1, 0])
    };
    let body = object(Body::structure(4).add(&[1, 4]), 40, obis!("0-0:25.9.0"));
    let body =
        object(object(object(body, 3, obis!("1-0:1.7.0")), 1, obis!("0-0:96.5.135")), 1, obis!("0-0:42.0.0"));
    let body = body.u32(16).begin(2).code(obis!("0-0:99.98.4")).u16(3).octets(b"ACME");
    assert_eq!(
        lines(&body.0, &BuiltIn),
        ["1-0:1.7.0 16", "0-0:96.5.135 006100", "0-0:96.5.135 3", "0-0:42.0.0 ACME",]
            .map(|line| line.replace("006100", "0000636204ff"))
    );
    assert_eq!(entries(&body.0).layout(), None);
}

#[test]
fn an_object_list_that_carries_its_scalers_scales_itself() {
    let body = Body::structure(3)
        .add(&[1, 2])
        .object(3, obis!("1-0:32.7.0"), 2)
        .object(3, obis!("1-0:32.7.0"), 3)
        .u16(2345)
        .scaler(-1, 35);
    assert_eq!(lines(&body.0, &BuiltIn), ["1-0:32.7.0 234.5 V"]);
}

#[test]
fn an_object_list_with_its_values_in_a_structure_of_their_own() {
    let body = Body::structure(2)
        .add(&[1, 3])
        .object(3, obis!("1-0:1.7.0"), 2)
        .object(3, obis!("1-0:2.7.0"), 2)
        .object(3, obis!("1-0:3.7.0"), 2)
        .begin(3)
        .u32(1)
        .u32(2)
        .u32(3);
    assert_eq!(lines(&body.0, &BuiltIn), ["1-0:1.7.0 1", "1-0:2.7.0 2", "1-0:3.7.0 3"]);
}

#[test]
fn an_object_list_that_does_not_fit_names_nothing() {
    let body = Body::structure(3).add(&[1, 5]);
    let codes =
        [obis!("1-0:1.7.0"), obis!("1-0:2.7.0"), obis!("1-0:3.7.0"), obis!("1-0:4.7.0"), obis!("1-0:5.7.0")];
    let body = codes.into_iter().fold(body, |body, code| body.object(3, code, 2)).u32(1).u32(2);
    assert_eq!(lines(&body.0, &BuiltIn), ["1 1", "2 2"]);
}

#[test]
fn landis_gyr_pairs_behind_a_clock() {
    let body = Body::structure(7)
        .clock()
        .code(obis!("1-0:1.8.0"))
        .u32(12_048_950)
        .code(obis!("1-0:1.7.0"))
        .u32(545)
        .code(obis!("1-0:3.8.1"))
        .u32(29488);
    check(
        "Landis+Gyr, pairs",
        &landis_gyr::Pairs,
        &body,
        &["0-0:1.0.0 time CLOCK", "1-0:1.8.0 12048950 Wh", "1-0:1.7.0 545 W", "1-0:3.8.1 29488 varh"],
    );
}

#[test]
fn burgenland_by_position() {
    let values =
        |body: Body| body.u16(236).u16(237).u16(235).u16(0).u16(4).u16(126).u32(29).u32(0).u32(3135).u32(761);
    let expected = [
        "1-0:32.7.0 236 V",
        "1-0:52.7.0 237 V",
        "1-0:72.7.0 235 V",
        "1-0:31.7.0 0.00 A",
        "1-0:51.7.0 0.04 A",
        "1-0:71.7.0 1.26 A",
        "1-0:1.7.0 29 W",
        "1-0:2.7.0 0 W",
        "1-0:1.8.0 3135 Wh",
        "1-0:2.8.0 761 Wh",
    ];
    let body = values(Body::structure(14)).u16(400).u16(53).u16(295).octets(b"12345678");
    let long: Vec<_> =
        expected.into_iter().chain(["10 400", "11 53", "12 295", "0-0:96.1.0 12345678"]).collect();
    check("Landis+Gyr, Burgenland", &landis_gyr::Burgenland, &body, &long);
    let short: Vec<_> = expected.into_iter().chain(["0-0:96.1.0 12345678"]).collect();
    let body = values(Body::structure(11)).octets(b"12345678");
    check("Landis+Gyr, Burgenland", &landis_gyr::Burgenland, &body, &short);
}

#[test]
fn iskra_slovenia_by_position() {
    let front = |members: u8| Body::structure(members).octets(b"ISK9999999999999").octets(b"16829999");
    let check = |body: Body, expected: &[&str]| {
        check("Iskraemeco, Slovenia", &iskra::Slovenia, &body, expected);
    };
    let powers = ["1-0:1.7.0 1393 W", "1-0:2.7.0 0 W", "1-0:3.7.0 5 var", "1-0:4.7.0 738 var"];
    let named = |values: &[&'static str]| {
        let mut all = Vec::from(["0-0:42.0.0 ISK9999999999999", "1 16829999"]);
        all.extend_from_slice(values);
        all
    };
    let body =
        front(18).u32(1393).u32(0).u32(5).u32(738).u16(2379).u16(2380).u16(2296).u16(103).u16(125).u16(597);
    let body = body.u32(16).u32(51).u32(1325).u32(1).u32(2).u32(3);
    let mut expected = named(&powers);
    expected.extend(["1-0:32.7.0 237.9 V", "1-0:52.7.0 238.0 V", "1-0:72.7.0 229.6 V"]);
    expected.extend(["1-0:31.7.0 1.03 A", "1-0:51.7.0 1.25 A", "1-0:71.7.0 5.97 A"]);
    expected.extend(["1-0:21.7.0 16 W", "1-0:41.7.0 51 W", "1-0:61.7.0 1325 W"]);
    expected.extend(["1-0:22.7.0 1 W", "1-0:42.7.0 2 W", "1-0:62.7.0 3 W"]);
    check(body, &expected);

    let energies = |body: Body| body.octets(&[0, 1]).u32(3).u32(1).u32(2).u32(9).u32(4).u32(5).u32(6).u32(7);
    let expected = |state: &'static str| {
        named(&[
            state,
            "0-0:96.14.0 0001",
            "1-0:1.8.0 3 Wh",
            "1-0:1.8.1 1 Wh",
            "1-0:1.8.2 2 Wh",
            "1-0:2.8.0 9 Wh",
            "1-0:2.8.1 4 Wh",
            "1-0:2.8.2 5 Wh",
            "1-0:3.8.0 6 varh",
            "1-0:4.8.0 7 varh",
        ])
    };
    check(energies(front(12).add(&[22, 1])), &expected("0-0:96.3.10 1"));
    check(energies(front(12).add(&[3, 1])), &expected("0-0:96.3.10 true"));

    let body =
        front(12).u16(2314).u16(2303).u16(2347).u16(459).u16(526).u16(84).u32(1393).u32(0).u32(5).u32(738);
    let mut all = named(&["1-0:32.7.0 231.4 V", "1-0:52.7.0 230.3 V", "1-0:72.7.0 234.7 V"]);
    all.extend(["1-0:31.7.0 4.59 A", "1-0:51.7.0 5.26 A", "1-0:71.7.0 0.84 A"]);
    all.extend(powers);
    check(body, &all);

    let body = front(10).u32(1393).u32(0).u32(5).u32(738).u16(2301).u16(600).u32(1393).u32(0);
    let mut all = named(&powers);
    all.extend(["1-0:32.7.0 230.1 V", "1-0:31.7.0 6.00 A", "1-0:21.7.0 1393 W", "1-0:22.7.0 0 W"]);
    check(body, &all);

    let body = front(10).u32(1).u32(2).u32(3).u32(4).u32(5).u32(6).u32(7).u32(8);
    check(
        body,
        &named(&[
            "1-0:1.8.1 1 Wh",
            "1-0:1.8.2 2 Wh",
            "1-0:2.8.1 3 Wh",
            "1-0:2.8.2 4 Wh",
            "1-0:3.8.1 5 varh",
            "1-0:3.8.2 6 varh",
            "1-0:4.8.1 7 varh",
            "1-0:4.8.2 8 varh",
        ]),
    );

    let body = front(9).u32(1393).u32(0).u32(5).u32(738).u16(2301).u32(11).u32(12);
    let mut all = named(&powers);
    all.extend(["1-0:32.7.0 230.1 V", "7 11", "8 12"]);
    check(body, &all);

    let body = front(8).u16(2301).u16(600).u32(1393).u32(0).u32(5).u32(738);
    let mut all = named(&["1-0:32.7.0 230.1 V", "1-0:31.7.0 6.00 A"]);
    all.extend(powers);
    check(body, &all);

    let body = Body::structure(4).octets(b"12345678").u8(0).u32(7_924_641).u32(5);
    check(body, &["0-0:96.1.0 12345678", "1 0", "1-0:1.8.0 7924641 Wh", "1-0:2.8.0 5 Wh"]);
}

#[test]
fn iskra_croatia_by_position() {
    let mut body =
        Body::structure(33).octets(b"12345678").octets(&[15, 53, 30, 0]).octets(&[0x07, 0xE9, 12, 3, 3]);
    for value in 1..=12 {
        body = body.u32(value);
    }
    body = body.u16(746);
    for value in 21..=26 {
        body = body.u32(value);
    }
    for value in [2336, 2354, 2355, 29, 172, 109] {
        body = body.u16(value);
    }
    for _ in 0..1 {
        body = body.u32(17250);
    }
    body = body.add(&[1, 1]).u16(9400).add(&[1, 1]).u16(9400).add(&[1, 1]).u16(9400).add(&[3, 1]);
    let lines = lines(&body.0, &iskra::Croatia);
    assert_eq!(entries(&body.0).layout(), Some("Iskraemeco, Croatia"));
    assert_eq!(lines[0], "0-0:96.1.0 12345678");
    let entries: Vec<_> = entries(&body.0).map(Result::unwrap).collect();
    assert!(matches!(entries[1].value, Value::Time(_)) && matches!(entries[2].value, Value::Date(_)));
    assert_eq!(
        lines[3..],
        [
            "1-0:1.8.0 1 Wh",
            "1-0:1.8.1 2 Wh",
            "1-0:1.8.2 3 Wh",
            "1-0:2.8.0 4 Wh",
            "1-0:2.8.1 5 Wh",
            "1-0:2.8.2 6 Wh",
            "1-0:5.8.0 7 varh",
            "1-0:6.8.0 8 varh",
            "1-0:7.8.0 9 varh",
            "1-0:8.8.0 10 varh",
            "1-0:1.7.0 11 W",
            "1-0:2.7.0 12 W",
            "1-0:13.7.0 0.746",
            "1-0:21.7.0 21 W",
            "1-0:41.7.0 22 W",
            "1-0:61.7.0 23 W",
            "1-0:22.7.0 24 W",
            "1-0:42.7.0 25 W",
            "1-0:62.7.0 26 W",
            "1-0:32.7.0 233.6 V",
            "1-0:52.7.0 235.4 V",
            "1-0:72.7.0 235.5 V",
            "1-0:31.7.0 0.29 A",
            "1-0:51.7.0 1.72 A",
            "1-0:71.7.0 1.09 A",
            "28 17250",
            "29.0 9400",
            "30.0 9400",
            "31.0 9400",
            "32 true",
        ]
    );
}

#[test]
fn czech_descriptors_without_tags() {
    let item = |body: Body, class: u8, code: Obis| body.add(&[2, 2, 0, class]).add(&code.octets()).add(&[2]);
    let body = Body::structure(2).add(&[22, 1, 1, 5]);
    let body = body.add(&[2, 2, 0, 40, 0, 2, 25, 9, 0, 255, 1]).code(obis!("0-2:25.9.0"));
    let body = item(body, 1, obis!("0-0:42.0.0")).octets(b"EGD9999999");
    let body = item(body, 3, obis!("1-0:1.7.0")).u32(345);
    let body = item(body, 3, obis!("1-0:1.8.2")).u32(6789);
    let body = item(body, 70, obis!("0-0:96.3.10")).add(&[3, 1]);
    check(
        "EG.D, untagged descriptors",
        &sagemcom::Czech,
        &body,
        &[
            "0 1",
            "0-2:25.9.0 0-2:25.9.0*255",
            "0-0:42.0.0 EGD9999999",
            "1-0:1.7.0 345 W",
            "1-0:1.8.2 6789 Wh",
            "0-0:96.3.10 true",
        ],
    );
    assert_eq!(entries(&body.0).nth(1).unwrap().unwrap().attribute, 1);
}

#[test]
fn what_nobody_names_comes_out_with_its_place() {
    let body = Body::structure(3).u16(7).begin(2).visible("x").begin(1).add(&[22, 3]).octets(&[1, 2, 3]);
    assert_eq!(lines(&body.0, &BuiltIn), ["0 7", "1.0 x", "1.1.0 3", "2 010203"]);
    assert_eq!(lines(&Body::default().u16(7).0, &BuiltIn), ["0 7"]);
}

#[test]
fn a_code_without_unit_and_without_profile_has_no_unit() {
    let body = Body::structure(2).code(obis!("1-0:32.7.0")).u16(2300);
    let entry = entries(&body.0).next().unwrap().unwrap();
    assert_eq!((entry.value.unit(), entry.value.to_string().as_str()), (None, "2300"));
}

/// Six printable characters are a serial number and no code; twelve are no date.
#[test]
fn texts_of_six_and_twelve_characters_stay_texts() {
    let body =
        Body::structure(3).octets(b"193404").octets(b"181220000009").begin(2).code(obis!("0-0:96.1.1"));
    let body = body.octets(b"193404");
    assert_eq!(lines(&body.0, &BuiltIn), ["0 193404", "1 181220000009", "0-0:96.1.1 193404"]);
}

#[test]
fn numbers_past_63_bits_are_kept() {
    let body = Body::structure(2).code(obis!("1-0:1.8.0")).add(&[21]).add(&[0xFF; 8]);
    let entry = entries(&body.0).next().unwrap().unwrap();
    assert_eq!(entry.value, Value::Other(crate::data::Value::Long64Unsigned(u64::MAX)));
}

/// A scale that cannot be applied is not lost: it comes out behind the value.
#[test]
fn scales_of_numbers_that_are_no_integers_come_out_by_themselves() {
    let float = [23, 0x43, 0x66, 0x19, 0x9A];
    let double = [24, 0x40, 0x6C, 0xC3, 0x33, 0x33, 0x33, 0x33, 0x33];
    let wide = [21, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF];
    let values: [(&[u8], &str); 4] =
        [(&float, "230.1"), (&double, "230.1"), (&wide, "18446744073709551615"), (&[13, 0x4A], "4a")];
    for (value, shown) in values {
        let named = format!("1-0:32.7.0 {shown}");
        let list = Body::array(1).begin(3).code(obis!("1-0:32.7.0")).add(value).scaler(-1, 35);
        assert_eq!(lines(&list.0, &BuiltIn), [named.as_str(), "0.2.0 -1", "0.2.1 35"]);
        let flat = Body::structure(3).code(obis!("1-0:32.7.0")).add(value).scaler(-1, 35);
        assert_eq!(lines(&flat.0, &BuiltIn), [named.as_str(), "2.0 -1", "2.1 35"]);
        let objects = Body::structure(3)
            .add(&[1, 2])
            .object(3, obis!("1-0:32.7.0"), 2)
            .object(3, obis!("1-0:32.7.0"), 3)
            .add(value)
            .scaler(-1, 35);
        assert_eq!(lines(&objects.0, &BuiltIn), [named.as_str(), "1-0:32.7.0 -1", "1-0:32.7.0 35"]);
        let attributes: Vec<_> = entries(&objects.0).map(|entry| entry.unwrap().attribute).collect();
        assert_eq!(attributes, [2, 3, 3]);
    }
    let list = Body::array(1).begin(3).code(obis!("1-0:32.7.0")).add(&[13, 0x42]).scaler(-1, 35);
    assert_eq!(lines(&list.0, &BuiltIn), ["1-0:32.7.0 4.2 V"]);
}

#[test]
fn octets_are_times_and_texts_only_where_they_can_be() {
    let shown = |code: Option<Obis>, octets: &[u8]| {
        let body = match code {
            Some(code) => Body::structure(2).code(code).octets(octets),
            None => Body::structure(1).octets(octets),
        };
        let entry = entries(&body.0).next().unwrap().unwrap();
        (matches!(entry.value, Value::DateTime(_)), entry.value.to_string())
    };
    assert_eq!(shown(None, &CLOCK), (true, "2024-05-06T07:08:09".to_string()));
    let open = [0xFF, 0xFF, 0xFE, 0xFD, 0, 2, 0, 0xFF, 0xFF, 0x80, 0, 0xFF];
    assert!(shown(None, &open).0);
    let system_title = [0x4B, 0x41, 0x4D, 0x45, 1, 2, 3, 4, 0xF5, 6, 7, 8];
    assert_eq!(shown(None, &system_title), (false, "4b414d4501020304f5060708".to_string()));
    // Each part out of its range.
    for (at, octet) in [
        (0, 6),
        (1, 0xCF),
        (2, 0),
        (2, 13),
        (3, 0),
        (3, 32),
        (4, 8),
        (5, 24),
        (6, 60),
        (7, 61),
        (8, 100),
        (9, 0x70),
    ] {
        let mut octets = CLOCK;
        octets[at] = octet;
        assert!(!shown(None, &octets).0, "{at} {octet}");
        assert!(!shown(Some(obis!("0-0:96.1.0")), &octets).0, "{at} {octet}");
        assert!(shown(Some(obis!("0-1:1.0.0")), &octets).0, "a clock is a clock");
    }
    assert_eq!(shown(None, &[0; 12]), (false, "00".repeat(12)));
    assert_eq!(shown(None, &[0, 0]), (false, "0000".to_string()));
    assert_eq!(shown(None, b"AB\0\0"), (false, "AB".to_string()));
    assert_eq!(shown(None, b""), (false, String::new()));
}

/// What follows an empty structure is not its object list.
#[test]
fn an_empty_structure_takes_nothing_of_what_follows() {
    let behind = Body::array(1).object(3, obis!("1-0:1.7.0"), 2);
    let body = Body::structure(0).add(&behind.0);
    let mut entries = entries(&body.0);
    assert_eq!(entries.by_ref().count(), 0);
    assert_eq!(entries.rest(), behind.0);
}

/// Aidon sends 0 with its local time: nothing may take that for UTC.
#[test]
fn aidon_clocks_have_no_deviation() {
    let clock = |deviation: i16| {
        let mut octets = CLOCK;
        octets[9..11].copy_from_slice(&deviation.to_be_bytes());
        octets
    };
    let list = |deviation| {
        let body = Body::array(2).begin(2).code(obis!("0-0:1.0.0")).octets(&clock(deviation));
        body.begin(2).code(obis!("0-0:1.0.0")).add(&[25]).add(&clock(deviation))
    };
    let aidon = |body: &[u8]| -> Vec<String> {
        assert_eq!(entries(body).layout(), Some("Aidon"));
        entries(body).map(|entry| entry.unwrap().value.to_string()).collect()
    };
    assert_eq!(aidon(&list(0).0), ["2024-05-06T07:08:09"; 2]);
    assert_eq!(aidon(&list(-60).0), ["2024-05-06T07:08:09+01:00"; 2]);
    let body = list(0).0;
    let none = entries_with(&body, &()).next().unwrap().unwrap().value.to_string();
    assert_eq!(none, "2024-05-06T07:08:09Z");
    let both = entries_with(&body, &((), aidon::Aidon)).next().unwrap().unwrap().value.to_string();
    assert_eq!(both, "2024-05-06T07:08:09");
}

#[test]
fn what_lies_too_deep_comes_out_whole() {
    let mut body = Body::default();
    for _ in 0..40 {
        body = body.begin(1);
    }
    let body = body.u8(5);
    let all: Vec<_> = entries(&body.0).map(Result::unwrap).collect();
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].value, Value::Nested(&body.0[2 * MAX_DEPTH..]));
    assert_eq!(all[0].path.to_string(), "0.0.0.0.0.0");
}

#[test]
fn what_follows_the_list_is_left() {
    let body = Body::structure(1).u32(5).add(&[0xE6, 0xE7, 0x00]);
    let mut entries = entries(&body.0);
    assert_eq!(entries.by_ref().count(), 1);
    assert_eq!(entries.rest(), [0xE6, 0xE7, 0x00]);
}

#[test]
fn a_list_cut_short_gives_what_came_before_and_an_error() {
    let body = kaifa_front(9).u32(6500).u32(2315).0;
    for cut in 0..body.len() {
        let mut all: Vec<_> = entries(&body[..cut]).collect();
        assert!(all.pop().unwrap().is_err(), "{cut}");
        assert!(all.iter().all(Result::is_ok));
    }
}

/// The caller's own profile, before and instead of the built-in ones.
#[test]
fn profiles_add_up() {
    #[derive(Debug)]
    struct Mine;
    impl Profile for Mine {
        type List = u8;
        fn recognise(&self, head: &Head<'_>) -> Option<u8> {
            (head.structure() == Some(2) && head.first_text() == Some(b"MINE")).then_some(3)
        }
        fn name(_: &u8) -> &'static str {
            "mine"
        }
        fn code(_: &u8, member: u16) -> Option<Obis> {
            (member == 1).then_some(obis!("7-0:3.0.0"))
        }
        fn scale(decimals: &u8, _: Obis, _: i64) -> Option<Scale> {
            Some(Scale::new(-i8::try_from(*decimals).unwrap(), crate::Unit::CUBIC_METRE))
        }
    }
    let mine = Body::structure(2).visible("MINE").u16(4321).0;
    assert_eq!(lines(&mine, &(Mine, BuiltIn)), ["0 MINE", "7-0:3.0.0 4.321 m3"]);
    assert_eq!(lines(&mine, &BuiltIn), ["0 MINE", "1 4321"]);
    let kaifa = Body::structure(1).u32(5).0;
    assert_eq!(lines(&kaifa, &(Mine, BuiltIn)), ["1-0:1.7.0 5 W"]);
    assert_eq!(lines(&kaifa, &()), ["0 5"]);
    assert_eq!(entries_with(&kaifa, &()).layout(), None);
}

proptest! {
    /// Whatever the octets: an end, few entries for the octets, and no panic.
    #[test]
    fn any_octets_are_an_answer(octets: Vec<u8>, front in 0usize..4) {
        let fronts: [&[u8]; 4] = [&[], &[2, 9], &[1, 4, 2, 2, 9, 6], &[2, 4, 1, 3, 2, 4, 18, 0, 40, 9, 6]];
        let mut body = Vec::from(fronts[front]);
        body.extend(octets);
        let count = entries(&body).with_quirks(Quirks::ALL).count();
        prop_assert!(count <= body.len() + 1);
    }

    /// Numbers of 32 bits go the quick way, the same numbers in 64 bits the long one: what comes out is the same.
    #[test]
    fn both_ways_give_the_same_entries(
        items: Vec<(u8, u8, u32, i8)>, is_array: bool, kamstrup: bool,
    ) {
        let build = |wide: bool| {
            let mut count = 0;
            let mut body = Body::default();
            if kamstrup {
                body = body.visible("Kamstrup_V9999");
                count += 1;
            }
            for (shape, c, number, scaler) in items.iter().take(40) {
                let code = Obis::new(1, 0, *c, 7, 0, 255);
                let value = |body: Body| match wide {
                    true => body.add(&[20]).add(&i64::from(*number).to_be_bytes()),
                    false => body.u32(*number),
                };
                (body, count) = match shape % 5 {
                    0 => (value(body.begin(3).code(code)).scaler(*scaler, 27), count + 1),
                    1 => (value(body.begin(2).code(code)), count + 1),
                    2 => (value(body.code(code)), count + 2),
                    3 => (value(body.code(code)).scaler(*scaler, 33), count + 3),
                    _ => (value(body), count + 1),
                };
            }
            let root = if is_array { Body::array(count) } else { Body::structure(count) };
            root.add(&body.0).0
        };
        let (narrow, wide) = (build(false), build(true));
        // List 1 of Kaifa is told by the type of its number.
        prop_assume!(narrow.len() != 7);
        let narrow: Vec<_> = entries(&narrow).map(Result::unwrap).collect();
        let wide: Vec<_> = entries(&wide).map(Result::unwrap).collect();
        prop_assert_eq!(narrow, wide);
    }
}
