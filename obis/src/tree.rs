//! COSEM data as indented text, two spaces a level: for people, logs and expected results in tests.
//!
//! One line an element. Containers say how many elements they have, `structure(3)`, `array(18)`, `compact-array(2)`; their
//! elements stand one level deeper.
//!
//! | type | line |
//! |---|---|
//! | null-data, dont-care | `null`, `dont-care` |
//! | boolean | `bool 1` |
//! | bit-string | `bits 8 a0`: count, then the octets in hex |
//! | integer, long, double-long, long64 | `i8 -1`, `i16 -5`, `i32 7`, `i64 7` |
//! | unsigned, long-unsigned, double-long-unsigned, long64-unsigned | `u8 1`, `u16 2330`, `u32 4027`, `u64 7` |
//! | enum, bcd | `enum 27`, `bcd 42` (the octet in hex, so its two digits) |
//! | float32, float64 | `f32 43690000`, `f64 406d200000000000`: the bits in hex |
//! | octet-string | `octet-string obis 1-0:1.7.0*255`, `octet-string datetime …`, `octet-string str "…"`, `octet-string octets …` |
//! | visible-string, utf8-string | `visible-string str "…"`, `utf8-string str "…"`, or `… octets …` |
//! | date-time, date, time | `datetime 2021-12-01 w3 09:24:50.- dev=n/a st=ff`, `date 2021-12-01 w3`, `time 09:24:50.-` |
//! | delta types | `delta-i8 -1` … `delta-u32 7` |
//! | untagged attribute descriptor | `attribute-descriptor class 3 obis 1-0:1.7.0*255 attribute 2` |
//!
//! The text of an octet-string is chosen by four rules, in this order, which say nothing about what it means:
//!
//! 1. six octets are an `obis`, `A-B:C.D.E*F`;
//! 2. twelve octets whose first two are a year from 2000 to 2099 are a `datetime`;
//! 3. printable ASCII (0x20 to 0x7E) after stripping NULs off the end is a `str`, with ` +nNUL` if n were stripped. An empty
//!    string is one, `str ""`. Nothing is escaped: what stands between the first and the last `"` is the text, quotes and
//!    backslashes included;
//! 4. anything else is `octets` in hex.
//!
//! Visible-strings and utf8-strings follow rules 3 and 4 alone, so a text that is not plain ASCII shows its octets, and a
//! line never holds anything but printable ASCII. (The hex of nothing would leave a trailing space; rule 3 takes the
//! empty string, and an empty bit-string is `bits 0`.)
//!
//! In a `datetime` every octet shows as it came: parts that are not specified as their number (month 255, `w255`), year 65535,
//! hundredths as their number or `-` for FF, the deviation in minutes or `n/a` for 8000, the status in hex.
//!
//! ```
//! use obis::tree::Tree;
//! let octets = [2, 3, 9, 6, 1, 0, 32, 7, 0, 255, 18, 0x09, 0x1A, 2, 2, 15, 0xFF, 22, 35];
//! assert_eq!(Tree::new(&octets).to_string(), "\
//! structure(3)
//!   octet-string obis 1-0:32.7.0*255
//!   u16 2330
//!   structure(2)
//!     i8 -1
//!     enum 35
//! ");
//! ```

use core::fmt;

use crate::Obis;
use crate::data::{AttributeDescriptor, Container, Error, Event, Events, Quirks, Value};
use crate::datetime::{Date, DateTime, Time};

/// One data element in a slice, displayed as an indented tree, each line ended by a line feed.
///
/// The alternate form `{:#}` starts one level deep, as below the line that names the APDU. Data that is wrong shows up to
/// the element that is; [`Tree::check`] says what.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    octets: &'a [u8],
    quirks: Quirks,
}

/// One value as the line of a tree shows it, without indent and line feed.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a>(pub Value<'a>);

impl<'a> Tree<'a> {
    /// The tree of the data element at the front of `octets`.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { octets, quirks: Quirks::NONE }
    }

    /// The tree with departures from the standard accepted.
    #[must_use]
    pub const fn with_quirks(octets: &'a [u8], quirks: Quirks) -> Self {
        Self { octets, quirks }
    }

    /// Reads the data element without showing it, and gives what follows it.
    ///
    /// # Errors
    /// As [`Events`], whose last item it is.
    pub fn check(&self) -> Result<&'a [u8], Error> {
        let mut events = Events::with_quirks(self.octets, self.quirks);
        events.by_ref().try_for_each(|event| event.map(drop))?;
        Ok(events.rest())
    }

    /// Writes the tree, its first line `level` levels deep; gives what follows the data element, or what is wrong with it.
    ///
    /// # Errors
    /// [`fmt::Error`] from `out`.
    pub fn write<W: fmt::Write + ?Sized>(
        &self,
        out: &mut W,
        level: u8,
    ) -> Result<Result<&'a [u8], Error>, fmt::Error> {
        let mut events = Events::with_quirks(self.octets, self.quirks);
        let mut depth = level;
        while let Some(event) = events.next() {
            let event = match event {
                Ok(event) => event,
                Err(error) => return Ok(Err(error)),
            };
            if event != Event::End {
                for _ in 0..depth {
                    out.write_str("  ")?;
                }
            }
            match event {
                Event::Begin(Container::Array(count)) => writeln!(out, "array({count})")?,
                Event::Begin(Container::Structure(count)) => writeln!(out, "structure({count})")?,
                Event::Begin(Container::CompactArray { .. }) => {
                    writeln!(out, "compact-array({})", elements(events.clone()))?;
                }
                Event::Value(value) => writeln!(out, "{}", Leaf(value))?,
                // A slice gives its strings whole.
                Event::Part(_) | Event::End => {}
            }
            depth = level.saturating_add(events.depth());
        }
        Ok(Ok(events.rest()))
    }
}

/// How many elements the container has that `events` has just opened, as far as they are sound.
fn elements(mut events: Events<'_>) -> u32 {
    let inside = events.depth();
    let mut count: u32 = 0;
    while let Some(Ok(event)) = events.next() {
        let is_element = match event {
            Event::Value(_) => events.depth() == inside,
            Event::Begin(_) => events.depth().checked_sub(1) == Some(inside),
            Event::End if events.depth() < inside => break,
            Event::End | Event::Part(_) => false,
        };
        count = count.saturating_add(u32::from(is_element));
    }
    count
}

impl fmt::Display for Tree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level = u8::from(f.alternate());
        self.write(f, level).map(|_| ())
    }
}

impl fmt::Display for Leaf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Null => f.write_str("null"),
            Value::DontCare => f.write_str("dont-care"),
            Value::Boolean(value) => write!(f, "bool {}", u8::from(value)),
            Value::BitString { bits, octets } => {
                write!(f, "bits {bits}")?;
                spaced_hex(f, octets)
            }
            Value::DoubleLong(value) => write!(f, "i32 {value}"),
            Value::DoubleLongUnsigned(value) => write!(f, "u32 {value}"),
            Value::OctetString(octets) => octet_string(f, octets),
            Value::VisibleString(octets) => {
                f.write_str("visible-string ")?;
                text_or_octets(f, octets)
            }
            Value::Utf8String(octets) => {
                f.write_str("utf8-string ")?;
                text_or_octets(f, octets)
            }
            Value::Bcd(value) => write!(f, "bcd {value:02x}"),
            Value::Integer(value) => write!(f, "i8 {value}"),
            Value::Long(value) => write!(f, "i16 {value}"),
            Value::Unsigned(value) => write!(f, "u8 {value}"),
            Value::LongUnsigned(value) => write!(f, "u16 {value}"),
            Value::Long64(value) => write!(f, "i64 {value}"),
            Value::Long64Unsigned(value) => write!(f, "u64 {value}"),
            Value::Enum(value) => write!(f, "enum {value}"),
            Value::Float32(bits) => write!(f, "f32 {bits:08x}"),
            Value::Float64(bits) => write!(f, "f64 {bits:016x}"),
            Value::DateTime(value) => {
                f.write_str("datetime ")?;
                date_time(f, value)
            }
            Value::Date(value) => {
                f.write_str("date ")?;
                date(f, value)
            }
            Value::Time(value) => {
                f.write_str("time ")?;
                time(f, value)
            }
            Value::DeltaInteger(value) => write!(f, "delta-i8 {value}"),
            Value::DeltaLong(value) => write!(f, "delta-i16 {value}"),
            Value::DeltaDoubleLong(value) => write!(f, "delta-i32 {value}"),
            Value::DeltaUnsigned(value) => write!(f, "delta-u8 {value}"),
            Value::DeltaLongUnsigned(value) => write!(f, "delta-u16 {value}"),
            Value::DeltaDoubleLongUnsigned(value) => write!(f, "delta-u32 {value}"),
            Value::AttributeDescriptor(descriptor) => {
                let AttributeDescriptor { class, obis, attribute } = descriptor;
                write!(f, "attribute-descriptor class {class} obis {obis} attribute {attribute}")
            }
        }
    }
}

/// A date-time as trees show it, every octet: `2021-12-01 w3 09:24:50.- dev=n/a st=ff`.
#[derive(Clone, Copy, Debug)]
pub struct Clock(pub DateTime);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        date_time(f, self.0)
    }
}

fn date_time(f: &mut fmt::Formatter<'_>, value: DateTime) -> fmt::Result {
    date(f, value.date())?;
    f.write_str(" ")?;
    time(f, value.time())?;
    match value.raw_deviation() {
        DateTime::DEVIATION_NOT_SPECIFIED => f.write_str(" dev=n/a")?,
        deviation => write!(f, " dev={deviation}")?,
    }
    let [.., status] = value.octets();
    write!(f, " st={status:02x}")
}

fn date(f: &mut fmt::Formatter<'_>, value: Date) -> fmt::Result {
    let [high, low, month, day, day_of_week] = value.octets();
    write!(f, "{:04}-{month:02}-{day:02} w{day_of_week}", u16::from_be_bytes([high, low]))
}

fn time(f: &mut fmt::Formatter<'_>, value: Time) -> fmt::Result {
    let [hour, minute, second, hundredths] = value.octets();
    write!(f, "{hour:02}:{minute:02}:{second:02}.")?;
    match hundredths {
        0xFF => f.write_str("-"),
        hundredths => write!(f, "{hundredths}"),
    }
}

fn octet_string(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    f.write_str("octet-string ")?;
    if let Some(obis) = Obis::from_slice(octets) {
        return write!(f, "obis {obis}");
    }
    match (DateTime::from_slice(octets), octets) {
        // 2000 is 07D0, 2099 is 0833.
        (Some(value), [0x07, 0xD0..=0xFF, ..] | [0x08, 0..=0x33, ..]) => {
            f.write_str("datetime ")?;
            date_time(f, value)
        }
        _ => text_or_octets(f, octets),
    }
}

fn text_or_octets(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let nuls = octets.iter().rev().take_while(|octet| **octet == 0).count();
    let text = octets.get(..octets.len().saturating_sub(nuls)).unwrap_or_default();
    match core::str::from_utf8(text) {
        Ok(text) if text.bytes().all(|octet| matches!(octet, 0x20..=0x7E)) => {
            write!(f, "str \"{text}\"")?;
            if nuls > 0 {
                write!(f, " +{nuls}NUL")?;
            }
            Ok(())
        }
        _ => {
            f.write_str("octets")?;
            spaced_hex(f, octets)
        }
    }
}

/// A space and the octets in hex; nothing for no octets.
fn spaced_hex(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    if !octets.is_empty() {
        f.write_str(" ")?;
    }
    octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::format;
    use std::string::ToString;

    fn leaf(value: Value<'_>) -> std::string::String {
        Leaf(value).to_string()
    }

    #[test]
    fn the_four_rules_of_an_octet_string() {
        let clock = [0x07, 0xE5, 12, 1, 3, 9, 24, 50, 0xFF, 0x80, 0, 0xFF];
        for (octets, line) in [
            (&[1, 0, 1, 7, 0, 255][..], "obis 1-0:1.7.0*255"),
            (b"ABCDEF", "obis 65-66:67.68.69*70"),
            (&clock, "datetime 2021-12-01 w3 09:24:50.- dev=n/a st=ff"),
            (b"012345678901", "str \"012345678901\""),
            (b"ZMF1\0\0", "obis 90-77:70.49.0*0"),
            (b"40799390\0\0\0\0\0\0\0\0", "str \"40799390\" +8NUL"),
            (b"\0", "str \"\" +1NUL"),
            (b"", "str \"\""),
            (b"say \"\\\"", "str \"say \"\\\"\""),
            (b"a\0b", "octets 610062"),
            (b"caf\xC3\xA9", "octets 636166c3a9"),
            (&[0x7F], "octets 7f"),
        ] {
            assert_eq!(leaf(Value::OctetString(octets)), format!("octet-string {line}"));
        }
        let mut other_year = clock;
        other_year[..2].copy_from_slice(&[0x08, 0x34]);
        assert!(leaf(Value::OctetString(&other_year)).starts_with("octet-string octets "));
        other_year[..2].copy_from_slice(&[0x07, 0xCF]);
        assert!(leaf(Value::OctetString(&other_year)).starts_with("octet-string octets "));
    }

    #[test]
    fn other_strings_are_text_or_octets_whatever_their_length() {
        assert_eq!(leaf(Value::VisibleString(b"123456")), "visible-string str \"123456\"");
        assert_eq!(leaf(Value::VisibleString(b"57\t")), "visible-string octets 353709");
        assert_eq!(leaf(Value::Utf8String(b"m\xC2\xB3")), "utf8-string octets 6dc2b3");
        assert_eq!(leaf(Value::BitString { bits: 8, octets: &[0xA0] }), "bits 8 a0");
        assert_eq!(leaf(Value::BitString { bits: 0, octets: &[] }), "bits 0");
    }

    #[test]
    fn numbers_floats_and_times() {
        assert_eq!(leaf(Value::Integer(-1)), "i8 -1");
        assert_eq!(leaf(Value::Long64Unsigned(u64::MAX)), "u64 18446744073709551615");
        assert_eq!(leaf(Value::Float32(0x4369_0000)), "f32 43690000");
        assert_eq!(leaf(Value::Boolean(true)), "bool 1");
        assert_eq!(leaf(Value::Bcd(0x42)), "bcd 42");
        let every = DateTime::from_octets([0xFF, 0xFF, 0xFE, 0xFD, 0xFF, 2, 0, 0xFF, 18, 0xFF, 0x4C, 0x80]);
        assert_eq!(leaf(Value::DateTime(every)), "datetime 65535-254-253 w255 02:00:255.18 dev=-180 st=80");
        assert_eq!(leaf(Value::Time(Time::new(9, 5, 0, 0))), "time 09:05:00.0");
        assert_eq!(leaf(Value::Date(Date::new(2024, 2, 29, 4))), "date 2024-02-29 w4");
    }

    #[test]
    fn a_compact_array_says_how_many_elements_it_has() {
        let octets = [2, 2, 0x13, 2, 2, 18, 15, 6, 0, 1, 2, 0, 3, 4, 17, 9];
        let lines = "  structure(2)\n    compact-array(2)\n      structure(2)\n        u16 1\n        i8 2\n      \
                     structure(2)\n        u16 3\n        i8 4\n    u8 9\n";
        assert_eq!(format!("{:#}", Tree::new(&octets)), lines);
        assert_eq!(
            Tree::new(&[0x13, 17, 3, 1, 2, 3]).to_string(),
            "compact-array(3)\n  u8 1\n  u8 2\n  u8 3\n"
        );
        assert_eq!(
            Tree::new(&[0x13, 1, 0, 1, 17, 2, 1, 2]).to_string().lines().next(),
            Some("compact-array(2)")
        );
    }

    #[test]
    fn data_that_is_wrong_shows_up_to_the_element_that_is() {
        let tree = Tree::new(&[2, 2, 17, 1, 0x2A]);
        assert_eq!(tree.to_string(), "structure(2)\n  u8 1\n");
        assert_eq!(tree.check().map_err(|error| error.offset), Err(4));
        assert_eq!(Tree::new(&[17, 1, 0xE6]).check(), Ok(&[0xE6][..]));
        let sagemcom = [2, 2, 0, 3, 1, 0, 1, 7, 0, 255, 2, 17, 9];
        let tree = Tree::with_quirks(&sagemcom, Quirks::ALL);
        let line = "attribute-descriptor class 3 obis 1-0:1.7.0*255 attribute 2";
        assert_eq!(tree.to_string().lines().nth(1), Some(format!("  {line}").as_str()));
    }
}
