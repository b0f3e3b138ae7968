//! What comes out: messages as a table, JSON, CSV or a tree.

mod csv;
mod json;
mod label;
mod measure;
mod table;

pub use label::{Label, Labels};
pub use measure::Measure;

use crate::args::Format;
use obis::Decimal;
use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

/// A name of ours, and a text.
pub type Field<'a> = (&'static str, Cow<'a, str>);

/// What is said of a message before its objects.
#[derive(Debug, Default)]
pub struct Head<'a> {
    /// `hdlc`, `p1`, …
    pub protocol: &'a str,
    /// `ok`, or why the octets are less sure than that.
    pub check: &'a str,
    /// ISO 8601, as the meter sent it.
    pub time: Option<String>,
    /// Texts of the message as a whole, such as the identification of a telegram.
    pub fields: Vec<Field<'a>>,
    /// As `fields`, but behind the check.
    pub details: Vec<Field<'a>>,
    /// What is known of the meter.
    pub meter: Vec<Field<'a>>,
}

/// One object: a code or its place in the message, and what it holds.
#[derive(Debug, Default)]
pub struct Item<'a> {
    /// Its code and name.
    pub label: Option<Rc<Label>>,
    /// Place in the tree of a value that nothing names, such as `0.3`.
    pub path: Option<String>,
    pub channel: Option<u8>,
    pub time: Option<String>,
    pub values: Values<'a>,
    /// Octets that could not be understood.
    pub raw: Option<&'a [u8]>,
}

#[derive(Clone, Debug)]
pub enum Value<'a> {
    Number(Decimal, Option<Measure>),
    /// A finite float, in decimal.
    Float(String),
    Text(Cow<'a, str>),
    Octets(&'a [u8]),
    Bool(bool),
    Null,
}

impl Item<'_> {
    pub fn code(&self) -> Option<&str> {
        self.label.as_deref()?.code()
    }

    pub fn name(&self) -> Option<&str> {
        self.label.as_deref()?.name.as_deref()
    }
}

/// The values of an object: mostly one, which then needs no memory of its own.
#[derive(Clone, Debug)]
pub enum Values<'a> {
    One([Value<'a>; 1]),
    Many(Vec<Value<'a>>),
}

impl Default for Values<'_> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl<'a> From<Value<'a>> for Values<'a> {
    fn from(value: Value<'a>) -> Self {
        Self::One([value])
    }
}

impl<'a> core::ops::Deref for Values<'a> {
    type Target = [Value<'a>];

    fn deref(&self) -> &[Value<'a>] {
        match self {
            Self::One(value) => value,
            Self::Many(values) => values,
        }
    }
}

impl Value<'_> {
    pub fn unit(&self) -> Option<Measure> {
        match self {
            Self::Number(_, unit) => *unit,
            _ => None,
        }
    }
}

/// Writes messages in one format.
pub struct Printer {
    format: Format,
    color: bool,
    out: Vec<u8>,
    csv_started: bool,
}

impl Printer {
    /// A printer for `format`, or for what suits standard output.
    pub fn new(format: Option<Format>) -> Self {
        let terminal = io::stdout().is_terminal();
        let format = format.unwrap_or(if terminal { Format::Table } else { Format::Json });
        Self {
            format,
            color: terminal && std::env::var_os("NO_COLOR").is_none(),
            out: Vec::new(),
            csv_started: false,
        }
    }

    /// A printer whose output is to follow that of this one, see [`append`](Self::append).
    pub fn behind(&self) -> Self {
        Self { format: self.format, color: self.color, out: Vec::new(), csv_started: true }
    }

    /// Writes what there is, and what another printed behind it.
    pub fn append(&mut self, other: &mut Self) -> io::Result<()> {
        self.flush()?;
        other.flush()
    }

    /// Forgets what was printed and not written.
    pub fn clear(&mut self) {
        self.out.clear();
    }

    /// Whether the tree is wanted: layers are then written as lines with [`line`](Self::line).
    pub fn is_tree(&self) -> bool {
        self.format == Format::Tree
    }

    /// A line of the tree.
    pub fn line(&mut self, line: core::fmt::Arguments<'_>) {
        // Writing to a Vec cannot fail.
        let _ = writeln!(self.out, "{line}");
    }

    /// Lines of the tree, as they are.
    pub fn lines(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// A whole message. Nothing comes out before [`flush`](Self::flush) or a buffer's worth of them.
    pub fn message<'a>(&mut self, head: &Head<'_>, items: impl Iterator<Item = Item<'a>>) {
        match self.format {
            Format::Json => json::message(&mut self.out, head, items),
            Format::Csv => {
                if !core::mem::replace(&mut self.csv_started, true) {
                    self.out.extend(b"time,obis,name,value,unit\n");
                }
                csv::message(&mut self.out, head, items);
            }
            // How wide a column is, all items together say.
            Format::Table => table::message(&mut self.out, head, &items.collect::<Vec<_>>(), self.color),
            Format::Tree => {}
        }
    }

    /// Writes what there is, if it is much.
    pub fn flush_if_full(&mut self) -> io::Result<()> {
        if self.out.len() < 1 << 16 { Ok(()) } else { self.flush() }
    }

    /// Writes what there is to standard output.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&self.out)?;
        self.out.clear();
        stdout.flush()
    }
}

/// As `to_string`, for what is some dozen octets long: room for that is asked for once.
pub fn text(shown: impl core::fmt::Display) -> String {
    use core::fmt::Write;
    let mut text = String::with_capacity(40);
    // Writing to a String cannot fail.
    let _ = write!(text, "{shown}");
    text
}

/// Hex digits of `octets`.
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15])
        .map(|digit| DIGITS[usize::from(digit)] as char)
        .collect()
}

/// A value as a person reads it.
fn plain<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    match value {
        Value::Number(decimal, _) => Cow::Owned(decimal.text().as_str().to_owned()),
        Value::Float(text) => Cow::Borrowed(text),
        Value::Text(text) => Cow::Borrowed(text),
        Value::Octets(octets) => Cow::Owned(hex(octets)),
        Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Null => Cow::Borrowed(""),
    }
}

/// Values with their units, for a line of the tree.
pub fn summary(values: &[Value<'_>]) -> String {
    let one = |value: &Value<'_>| match value.unit() {
        Some(unit) => format!("{} {unit}", plain(value)),
        None => plain(value).into_owned(),
    };
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// All values of an object as a person reads them.
fn joined(item: &Item<'_>) -> String {
    let mut text = item.values.iter().map(plain).collect::<Vec<_>>().join(" ");
    if let Some(raw) = item.raw {
        text.push_str(&String::from_utf8_lossy(raw));
    }
    visible(text)
}

/// What a meter sends may not steer the terminal: control characters are shown by their code.
fn visible(text: String) -> String {
    if !text.chars().any(char::is_control) {
        return text;
    }
    text.chars()
        .map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() })
        .collect()
}

/// The unit of an object, where its values agree in one.
fn unit(item: &Item<'_>) -> String {
    let mut units = item.values.iter().filter_map(Value::unit);
    let first = units.next().map(text).unwrap_or_default();
    if units.all(|unit| unit.to_string() == first) { first } else { String::new() }
}
