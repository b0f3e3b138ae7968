//! What is to be written, from text, in the format that the identifier's layout has.

use crate::civil::Civil;
use dlt645::{Data, Decimal, Field, Format, Identifier, Moment, TimeForm, Unit, Value};

/// Octets for `identifier` from text such as `220.0`, `2026-01-31T12:00` or `15`.
pub fn encode(identifier: Identifier, text: &str) -> Result<Vec<u8>, String> {
    let layout = identifier.layout().ok_or_else(|| format!("{identifier}: no format known; use --hex"))?;
    let mut fields = layout.iter();
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Err(format!("{identifier} is a record of several fields; use --hex"));
    };
    let wrong = || format!("{text}: cannot be written as {}", field.format);
    let len = usize::from(field.format.octets());
    let mut out = vec![0; len];
    let raw: Vec<u8>;
    let value = match field.format {
        Format::Number { .. } => Value::Number(decimal(text).ok_or_else(wrong)?, Unit::None),
        Format::Time(form) => Value::Time(moment(form, text).ok_or_else(wrong)?),
        Format::Identifier => Value::Identifier(text.parse().map_err(|_| wrong())?),
        Format::Text(_) if text.is_ascii() && text.len() <= len => {
            // Last character first, zeros before it.
            let mut octets = vec![0; len - text.len()];
            octets.extend(text.bytes().rev());
            return Ok(octets);
        }
        Format::Digits(_) => {
            raw = backwards(text, 10).filter(|raw| raw.len() == len).ok_or_else(wrong)?;
            field.value(Data::plain(&raw)).map_err(|_| wrong())?
        }
        Format::Bits(_) if text.len() == 8 * len => {
            let octets: Option<Vec<u8>> = text
                .as_bytes()
                .chunks(8)
                .rev()
                .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).ok()?, 2).ok())
                .collect();
            return octets.ok_or_else(wrong);
        }
        _ => return Err(wrong()),
    };
    write(&field, &value, &mut out).ok_or_else(wrong)?;
    Ok(out)
}

fn write(field: &Field, value: &Value<'_>, out: &mut [u8]) -> Option<()> {
    field.encode(value, out).ok().map(drop)
}

/// Octets from hex digits, in the order of the wire.
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let mut octets = backwards(text, 16)?;
    octets.reverse();
    Some(octets)
}

/// Octets from pairs of digits, the last pair first.
fn backwards(text: &str, radix: u32) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|character| *character != ' ')
        .map(|character| character.to_digit(radix).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let pairs = digits.rchunks_exact(2);
    pairs.remainder().is_empty().then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn decimal(text: &str) -> Option<Decimal> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    if !plain(part) || !plain(whole.strip_prefix('-').unwrap_or(whole)) || part.len() > 9 {
        return None;
    }
    let exponent = i8::try_from(part.len()).ok()?.checked_neg()?;
    Some(Decimal::new(format!("{whole}{part}").parse().ok()?, exponent))
}

fn moment(form: TimeForm, text: &str) -> Option<Moment> {
    if form == TimeForm::TIME || form == TimeForm::HOUR_MINUTE {
        let time = Civil::parse(&format!("2000-01-01T{text}"))?;
        return Some(time.moment().with_form(form));
    }
    let time = if text.contains('T') { Civil::parse(text) } else { Civil::parse(&format!("{text}T00:00")) }?;
    if form == TimeForm::DATE_WEEKDAY {
        return Some(time.date());
    }
    // Only the whole second and its parts: the weekday of other forms would be 0.
    (form != TimeForm::WHOLE).then(|| time.moment().with_form(form))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_takes_the_format_of_its_identifier() {
        for (identifier, text, octets) in [
            (0x0400_0103, "15", &[0x15][..]),
            (0x0400_0E03, "242.5", &[0x25, 0x24]),
            (0x0400_0E01, "-1", &[]),
            (0x0400_0103, "1.5", &[]),
            (0x0400_0404, "220V", &[0, 0, b'V', b'0', b'2', b'2']),
            (0x0400_0102, "18:53:32", &[0x32, 0x53, 0x18]),
            (0x0400_0101, "2018-12-29", &[0x06, 0x29, 0x12, 0x18]),
            (0x0400_0402, "000000000161", &[0x61, 0x01, 0, 0, 0, 0]),
            (0x0400_0601, "00000101", &[5]),
            (0x0101_0000, "1", &[]),
        ] {
            let found = encode(Identifier::V2007(identifier), text);
            assert_eq!(found.as_deref().unwrap_or_default(), octets, "{identifier:08X} {found:?}");
        }
        assert_eq!(hex("0161 00"), Some(vec![1, 0x61, 0]));
        assert_eq!((hex("016"), hex("0g")), (None, None));
    }
}
