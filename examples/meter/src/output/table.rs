//! Aligned columns for a person: code, name, value, unit, and the time where it is another than the message's.

use super::{Head, Item, Value, joined, unit, visible};
use std::io::Write;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

pub fn message(out: &mut Vec<u8>, head: &Head<'_>, items: &[Item<'_>], color: bool) {
    let (bold, dim, plain) = if color { (BOLD, DIM, PLAIN) } else { ("", "", "") };
    let _ = match &head.time {
        Some(time) => write!(out, "{bold}{time}{plain}  {}", head.protocol),
        // Frames that never have a time need not say so.
        None if !head.details.is_empty() => write!(out, "{bold}{}{plain}", head.protocol),
        None => write!(out, "{bold}no time{plain}  {}", head.protocol),
    };
    if head.check != "ok" {
        let _ = write!(out, "  check {}", head.check);
    }
    for (key, text) in head.fields.iter().chain(&head.details).chain(&head.meter) {
        let _ = write!(out, "  {key} {}", visible(text.to_string()));
    }
    out.push(b'\n');
    let rows: Vec<[String; 4]> = items.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    // A long text must not push the units of all other rows off the screen.
    let (code, name, value) = (width(0), width(1).min(48), numbers(items, &rows));
    for (item, [place, title, shown, after]) in items.iter().zip(&rows) {
        let right =
            item.values.iter().any(|value| value.unit().is_some() || matches!(value, Value::Number(..)));
        let _ = write!(out, "  {dim}{place:code$}{plain}  {title:name$}  ");
        let _ = if right { write!(out, "{shown:>value$}") } else { write!(out, "{shown:value$}") };
        let _ = write!(out, " {after}");
        while out.last() == Some(&b' ') {
            out.pop();
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

fn row(item: &Item<'_>) -> [String; 4] {
    let place = item.code().or(item.path.as_deref()).unwrap_or_default().to_owned();
    let mut after = unit(item);
    if let Some(time) = &item.time {
        after = format!("{after:5} at {time}");
    }
    [place, item.name().unwrap_or_default().to_owned(), joined(item), after]
}

/// Width of the value column: that of the widest number.
fn numbers(items: &[Item<'_>], rows: &[[String; 4]]) -> usize {
    let numeric = |item: &Item<'_>| matches!(item.values[..], [Value::Number(..) | Value::Float(_)]);
    let widths =
        items.iter().zip(rows).filter(|(item, _)| numeric(item)).map(|(_, row)| row[2].chars().count());
    widths.max().unwrap_or(0)
}
