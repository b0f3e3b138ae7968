//! Lines of every shape, and that the ways to read them agree.

use super::*;
use crate::Content;
use proptest::prelude::*;
use std::prelude::rust_2024::*;

fn values(line: &str) -> Vec<String> {
    DataLine::parse(line.as_bytes()).values().map(|value| value.octets().escape_ascii().to_string()).collect()
}

#[test]
fn values_of_every_shape() {
    assert_eq!(values("1-0:1.8.1(000576.239*kWh)"), ["000576.239*kWh"]);
    assert_eq!(values("0-0:96.13.0()"), [""]);
    assert_eq!(values("1-0:99.97.0()"), [""]);
    assert_eq!(values("0-1:24.2.1(1)()(3)"), ["1", "", "3"]);
    assert_eq!(values("1-0:0.2.0((ER11))"), ["ER11"]);
    assert_eq!(values("0-0:96.13.0(see (a) and b)"), ["see (a) and b"]);
    assert_eq!(values("0-1:24.3.0(1)(m3)\r\n(00124.477)"), ["1", "m3", "00124.477"]);
    assert_eq!(values("1-0:1.8.1(000576.239*kWh) "), ["000576.239*kWh"]);
    assert_eq!(values("1-0:1.8.1(000576.239*kW"), ["000576.239*kW"]);
    assert_eq!(values("1-0:1.8.1"), Vec::<String>::new());
    assert_eq!(values("1-0:1.7.0(00.193*kW)/ISK5"), ["00.193*kW)/ISK5"]);
}

#[test]
fn codes_of_every_spelling() {
    let code = |line: &str| DataLine::parse(line.as_bytes()).code();
    let expected = Some(Obis::new(1, 0, 1, 8, 0, 255));
    for line in [
        "1-0:1.8.0(1)",
        "1-0:1.8.0*255(1)",
        "1-0:1.8.0.255(1)",
        "1.8.0(1)",
        "01-00:01.08.00(1)",
        " 1-0:1.8.0 (1)",
    ] {
        assert_eq!(code(line), expected, "{line}");
    }
    assert_eq!(code("1-0:31.7.0.255(001*A)"), Some(Obis::new(1, 0, 31, 7, 0, 255)));
    assert_eq!(code("0-0:96.1.255*255(1)"), Some(Obis::new(0, 0, 96, 1, 255, 255)));
    assert_eq!(code("1-0:1.8.0*1(1)"), Some(Obis::new(1, 0, 1, 8, 0, 1)));
    assert_eq!(code("0-12:24.2.1(1)"), Some(Obis::new(0, 12, 24, 2, 1, 255)));
    for line in [
        "",
        "(00124.477)",
        "k0.000*kW)",
        "1-021.7.0(1)",
        "***NO CARIER***",
        "FADE00112233(1)",
        "1-0:1.8.256(1)",
        "1-0:4:24.7.0(0)",
    ] {
        assert_eq!(code(line), None, "{line}");
    }
}

#[test]
fn lines_are_joined_and_never_swallowed() {
    let lines = |body: &str| -> Vec<String> {
        DataLines::new(body.as_bytes()).map(|line| line.raw().escape_ascii().to_string()).collect()
    };
    assert_eq!(lines("\r\n\r\n0-0:1.0.0(1)\r\n\n0-0:2.0.0(2)\r!"), ["0-0:1.0.0(1)", "0-0:2.0.0(2)"]);
    assert_eq!(lines("0-1:24.3.0(m3)\n(1.0)\n0-1:24.4.0(1)\n!"), ["0-1:24.3.0(m3)\\n(1.0)", "0-1:24.4.0(1)"]);
    assert_eq!(
        lines("0-0:96.13.0(3031\r\n3233)\r\n0-0:1.0.0(1)\r\n!"),
        ["0-0:96.13.0(3031\\r\\n3233)", "0-0:1.0.0(1)"]
    );
    assert_eq!(lines("1-0:1.7.0(00.1\r\n1-0:2.7.0(00.2*kW)\r\n!"), ["1-0:1.7.0(00.1", "1-0:2.7.0(00.2*kW)"]);
    assert_eq!(lines("NO CARRIER\r\n1-0:2.7.0(00.2*kW)"), ["NO CARRIER", "1-0:2.7.0(00.2*kW)"]);
    assert_eq!(lines("a\tb\x0b(x)\r\n!"), ["a\\tb\\x0b(x)"]);
    assert_eq!(lines(""), Vec::<String>::new());
}

/// All that is read in a line.
type Read = (Vec<u8>, Option<Obis>, Vec<(Vec<u8>, String)>);

fn content(content: Content<'_>) -> String {
    format!("{content:?}")
}

fn quickly(body: &[u8]) -> Vec<Read> {
    let line = |line: DataLine<'_>| {
        let values = line.values().map(|value| {
            let alone = Value::new(value.octets());
            let open = line.is_unclosed();
            assert!(open || (value.scaled(), value.timestamp()) == (alone.scaled(), alone.timestamp()));
            (value.octets().to_vec(), content(value.content()))
        });
        (line.raw().to_vec(), line.code(), values.collect())
    };
    DataLines::new(body).map(line).collect()
}

/// The same with nothing but the way for odd lines and values, an octet at a time.
fn slowly(body: &[u8]) -> Vec<Read> {
    let mut lines = DataLines::new(body);
    let mut out = Vec::new();
    while let Some((found, rest)) = lines.next_odd() {
        lines = rest;
        let line = DataLine::parse_odd(found.raw());
        let mut values = Values { first: Known::NOTHING, ..line.values() };
        let mut read = Vec::new();
        while let Some((value, rest)) =
            (values.at < values.end).then(|| Values::next_odd(values.rest, values.at, values.end)).flatten()
        {
            values = rest;
            read.push((value.octets().to_vec(), content(value.content_by_octets())));
        }
        out.push((line.raw().to_vec(), line.code(), read));
    }
    out
}

fn number() -> impl Strategy<Value = String> {
    let unit = "(\\*?([a-zA-Z3]{0,4}|kWh|kW|V|A|s|m3|kVAr|kvar|kVArh|kvarh))?";
    ("[0-9]{0,10}", "(\\.[0-9]{0,5})?", unit).prop_map(|(whole, decimals, unit)| whole + &decimals + &unit)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => number(),
        1 => "[0-9]{17,19}",
        1 => "[0-9]{12}[SWTsw]?",
        1 => "[0-9A-F]{0,40}",
        1 => "[0-9]-[0-9]:[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
        1 => "[ -~]{0,40}",
    ]
}

fn line() -> impl Strategy<Value = String> {
    let code = prop_oneof![
        4 => "[0-9]-[0-9]:[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}",
        1 => "[0-9]{1,2}-[0-9]{1,2}:[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}([*.]255)?",
        1 => "[ -~]{0,10}",
    ];
    let values =
        prop_oneof![3 => prop::collection::vec(value(), 1), 1 => prop::collection::vec(value(), 0..5)];
    let end = prop_oneof![6 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\r"), 1 => Just("\r\n\r\n"), 1 => Just("")];
    (code, values, end).prop_map(|(code, values, end)| {
        let values: Vec<String> = values.iter().map(|value| format!("({value})")).collect();
        code + &values.concat() + end
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn all_ways_to_read_agree(
        lines in prop::collection::vec(line(), 0..6),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 0..4),
    ) {
        let mut body = lines.concat().into_bytes();
        for (at, octet, change) in changes {
            let at = at.index(body.len().max(1));
            match change {
                0 if at < body.len() => body[at] = octet,
                1 if at < body.len() => body[at] ^= 1 << (octet & 7),
                2 if at < body.len() => _ = body.remove(at),
                _ => body.insert(at, b"()-:.*\r\n0 "[usize::from(octet) % 10]),
            }
        }
        prop_assert_eq!(quickly(&body), slowly(&body), "{}", body.escape_ascii());
        body.extend(b"!ABCD\r\n");
        prop_assert_eq!(quickly(&body), slowly(&body), "{}", body.escape_ascii());
        // A line by itself, with nothing behind it.
        for (line, code, values) in slowly(&body) {
            let alone = DataLine::parse(&line);
            prop_assert_eq!(alone.code(), code);
            let alone: Vec<_> = alone.values().map(|value| (value.octets().to_vec(), content(value.content()))).collect();
            prop_assert_eq!(alone, values, "{}", line.escape_ascii());
        }
    }
}
