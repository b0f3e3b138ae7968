//! Every identifier of the published tables has the length, format, unit and sign that the table gives.
#![cfg(all(feature = "events", feature = "freeze", feature = "load"))]
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use common::{columns, shared};
use dlt645::{Count, Field, Format, Identifier, Layout, Sign, Unit};

fn table(name: &str) -> Option<Vec<Vec<String>>> {
    let text = shared(&format!("facts/{name}"))?;
    Some(text.lines().skip(1).map(columns).collect())
}

/// X and N are both a digit. How a row of digits is shown (number, digits, identifier, bits) is not in the table.
fn same_format(field: &Field, format: &str) -> bool {
    let format = format.replace('N', "X");
    match field.format {
        Format::Number { octets, decimals, .. } => {
            let behind = format.split_once('.').map_or(0, |(_, d)| d.len());
            let digits = format.chars().filter(|c| *c == 'X').count();
            // XXX and NNNNNN.N stand for 2 and 4 octets: a leading half octet is not written.
            format.chars().all(|c| c == 'X' || c == '.')
                && behind == usize::from(decimals)
                && digits.div_ceil(2) == usize::from(octets)
        }
        Format::Time(form) => form.to_string() == format,
        Format::Scheduled(form) => format!("{form}XX") == format,
        Format::Bits(octets) => {
            format == format!("BIX{}", 8 * u16::from(octets)) || (octets == 1 && format == "XX")
        }
        Format::Text(octets) => format == format!("ASCII[{octets}]"),
        Format::Digits(octets) => format == "XX".repeat(octets.into()),
        Format::Identifier => format == "XXXXXXXX",
        Format::Octets(2 | 4) => format == "C0C1C2C3",
        _ => false,
    }
}

/// `A*2|B` as A A B; `X[3]` as X X X.
fn expand(format: &str) -> Vec<String> {
    let mut out = vec![];
    for part in format.split('|') {
        let (name, n) = match (part.split_once('*'), part.split_once('[')) {
            (Some((name, n)), _) => (name, n.parse().unwrap()),
            (None, Some((name, n))) if name != "ASCII" => (name, n.trim_end_matches(']').parse().unwrap()),
            _ => (part, 1),
        };
        for _ in 0..n {
            out.extend(name.split(',').map(str::to_owned));
        }
    }
    out
}

fn check(layout: Layout, row: &[String]) -> Result<(), String> {
    let (format, bytes, unit, signed) = (row[2].as_str(), row[3].as_str(), row[4].as_str(), row[5].as_str());
    let item = layout.item_len();
    let (least, most) = layout.len();
    // Lengths: n, 4*(1+k), 2*n, 3*p, 4..5.
    let fits = match bytes.split_once('*') {
        Some((each, how)) => {
            let rates = row[0].len() == 4;
            let most = match how {
                "(1+k)" if rates => 15,
                "(1+k)" => 64,
                "n" => 21,
                _ => 14,
            };
            each.parse() == Ok(item) && layout.count() == Count::UpTo(most)
        }
        None if bytes == "4..5" => (least, most) == (4, 5),
        None => bytes.parse() == Ok(least) && least == most,
    };
    if !fits {
        return Err(format!("length {least}..{most}, item {item}, table {bytes}"));
    }
    // Format, per field of one item or of all items.
    let fields: Vec<Field> = layout.iter().collect();
    let formats: Vec<String> =
        if let Some((inner, _)) = format.strip_prefix('(').and_then(|f| f.split_once(')')) {
            inner.split('+').map(str::to_owned).collect()
        } else if format.contains("[,") {
            vec!["NNNNNNNN".into(), "NN".into()]
        } else if let (Some((name, _)), true) =
            (format.split_once('['), fields.len() == 1 && !format.starts_with("ASCII"))
        {
            vec![name.to_owned()]
        } else if format.contains('+') {
            format.split('+').map(str::to_owned).collect()
        } else {
            expand(format)
        };
    if !format.starts_with("composite") {
        if formats.len() != fields.len() {
            return Err(format!("{} fields, table {formats:?}", fields.len()));
        }
        for (field, format) in fields.iter().zip(&formats) {
            if !same_format(field, format) {
                return Err(format!("format {}, table {format}", field.format));
            }
        }
    }
    // Unit and sign of the first field that has them.
    if unit != "mixed" && unit != "kW/kvar" && fields[0].unit.symbol() != unit {
        return Err(format!("unit {:?}, table {unit:?}", fields[0].unit));
    }
    if unit == "kW/kvar" && (fields[0].unit != Unit::Kilowatt || fields[7].unit != Unit::Kilovar) {
        return Err("units of frozen variables".into());
    }
    let any_signed =
        fields.iter().any(|f| matches!(f.format, Format::Number { sign: Sign::Signed | Sign::Optional, .. }));
    let sign = match fields[0].format {
        Format::Number { sign, .. } => sign,
        _ => Sign::Unsigned,
    };
    let good = match (signed, sign) {
        _ if unit == "mixed" => signed == "0" || any_signed || row[0].starts_with("06050"),
        ("1", Sign::Signed) | ("opt", Sign::Optional) | ("0", Sign::Unsigned | Sign::HalfOctet) => true,
        _ => false,
    };
    if good { Ok(()) } else { Err(format!("sign {sign:?}, table {signed}")) }
}

/// Rows for which there is no layout, and why.
fn excused(row: &[String]) -> Option<&'static str> {
    let di = row[0].as_str();
    Some(match di {
        _ if di.ends_with("**") => {
            "no layout; 2013 filing: the sub-items of these classes are not published; plain octets"
        }
        _ if di.starts_with("05") && di[4..6] == *"FF" => {
            "no one layout; whole freeze record: items() splits it into its parts"
        }
        _ if di.starts_with("0600") => "no one layout; all classes: load::records() splits the stream",
        _ if di.starts_with("0610") => {
            "no layout; (ext) load curve: array layout not published; plain octets"
        }
        _ if di.starts_with("07") => "no layout; control 03: security data, plain octets",
        _ => return None,
    })
}

fn run(name: &str) {
    let Some(rows) = table(name) else { return };
    let (mut checked, mut reasons, mut wrong) = (0, std::collections::BTreeMap::<_, u32>::new(), vec![]);
    for row in &rows {
        match row[0].parse::<Identifier>().ok().and_then(Identifier::layout) {
            None => match excused(row) {
                Some(reason) => *reasons.entry(reason).or_default() += 1,
                None => wrong.push(format!("{}: no layout ({})", row[0], row[1])),
            },
            Some(layout) => {
                match check(layout, row) {
                    Ok(()) => checked += 1,
                    // A request carries 4 octets C0..C3 and the standard's records are 2 longer than these rows say.
                    Err(_) if layout.with_short_operator().is_some_and(|short| check(short, row).is_ok()) => {
                        checked += 1;
                        *reasons.entry("agree with an operator code of 2 octets as the table counts it; 4 are read too").or_default() += 1;
                    }
                    Err(reason) => wrong.push(format!("{}: {reason} ({})", row[0], row[1])),
                }
            }
        }
    }
    eprintln!("{name}: {checked} of {} rows agree", rows.len());
    for (reason, n) in reasons {
        eprintln!("  {n} rows: {reason}");
    }
    assert!(wrong.is_empty(), "{} rows differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_2007_table() {
    run("di2007.csv");
}

#[test]
fn the_1997_table() {
    run("di1997.csv");
}

#[test]
fn the_fields_of_event_records() {
    let Some(rows) = table("events2007.csv") else { return };
    let mut records = std::collections::BTreeMap::<String, Vec<(u16, String)>>::new();
    for row in rows {
        let offset: u16 = row[2].parse().unwrap();
        let fields = records.entry(row[0].clone()).or_default();
        // A pair of counts is one row there.
        let mut at = offset;
        for format in row[3].split(',') {
            fields.push((at, format.to_owned()));
            at += 3;
        }
    }
    for (di, expected) in &records {
        let layout = di.parse::<Identifier>().unwrap().layout().unwrap();
        let layout = layout.with_short_operator().unwrap_or(layout);
        let mut at = 0;
        let fields: Vec<_> = layout.iter().collect();
        assert_eq!(fields.len(), expected.len(), "{di}");
        for (field, (offset, format)) in fields.iter().zip(expected) {
            assert_eq!(at, *offset, "{di}");
            assert!(same_format(field, format), "{di} at {offset}: {} is not {format}", field.format);
            at += u16::from(field.format.octets());
        }
    }
    eprintln!("events2007.csv: all fields of {} records agree", records.len());
}

#[cfg(feature = "names")]
#[test]
fn names_follow_the_tables() {
    for (name, least) in [("di2007.csv", 1_000), ("di1997.csv", 640)] {
        let Some(rows) = table(name) else { return };
        let mut same = 0;
        for row in &rows {
            let Ok(identifier) = row[0].parse::<Identifier>() else { continue };
            let shown = identifier.name().to_string();
            // Rows of the table carry remarks; an unnamed identifier would show as its digits.
            assert!(
                !shown.contains(&row[0]) || row[0].starts_with("07") || row[0].starts_with("0610"),
                "{}: {shown}",
                row[0]
            );
            if row[1].starts_with(&shown) || shown.replace(' ', "").starts_with(&row[1].replace(' ', "")) {
                same += 1;
            } else {
                eprintln!("  {} is {shown:?}, table {:?}", row[0], row[1]);
            }
        }
        eprintln!("{name}: {same} of {} names as in the table", rows.len());
        assert!(same >= least, "{same}");
    }
}
