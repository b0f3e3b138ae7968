//! The registers of 1997, from those of 2007 by the quantity they both are.

use super::model::Model;
use super::registers;
use dlt645::{Decimal, Field, Format, Identifier, Reason, TimeForm, Value};

pub fn read(model: &Model, code: u16) -> Result<Vec<u8>, Reason> {
    let identifier = Identifier::V1997(code);
    if !identifier.is_block() {
        return one(model, code).ok_or(Reason::Identifier);
    }
    let mut out = Vec::new();
    for member in (0..).map_while(|index| identifier.member(index)) {
        let Identifier::V1997(code) = member else { break };
        match one(model, code) {
            Some(octets) => out.extend(octets),
            None => break,
        }
    }
    if out.is_empty() { Err(Reason::Identifier) } else { Ok(out) }
}

fn one(model: &Model, code: u16) -> Option<Vec<u8>> {
    let layout = Identifier::V1997(code).layout()?;
    let field = layout.get(0)?;
    match code {
        // Times of the maximum demands, which stand 1000H below.
        0xB000..=0xB1FF | 0xB400..=0xB5FF | 0xB800..=0xB9FF => {
            let of2007 = Identifier::from_obis(Identifier::V1997(code - 0x1000).obis()?)?;
            let value = registers::value(model, of2007.code(), 1, model.now())?;
            let Value::Time(time) = value else { return None };
            encode(&field, &Value::Time(time.with_form(TimeForm::MONTH_TO_MINUTE)))
        }
        0xC111 => Some(vec![0x15]),
        0xC112 => Some(vec![0x01]),
        0xC117 => Some(vec![0x00, 0x01]),
        0xC313 => Some(vec![super::model::RATES]),
        _ => {
            let of2007 = Identifier::from_obis(Identifier::V1997(code).obis()?)?;
            match registers::value(model, of2007.code(), 0, model.now()) {
                Some(Value::Number(number, unit)) => {
                    encode(&field, &Value::Number(rounded(&field, number), unit))
                }
                Some(value) => encode(&field, &value),
                // Settings are written alike in both.
                None => registers::one(model, of2007.code())
                    .filter(|octets| octets.len() == usize::from(field.format.octets())),
            }
        }
    }
}

fn encode(field: &Field, value: &Value<'_>) -> Option<Vec<u8>> {
    let mut out = [0; 16];
    let len = field.encode(value, &mut out).ok()?;
    out.get(..len).map(<[u8]>::to_vec)
}

/// With as many decimals as the format has, without the sign where it has none.
fn rounded(field: &Field, number: Decimal) -> Decimal {
    let Format::Number { decimals, sign, .. } = field.format else { return number };
    let exponent = decimals.cast_signed().wrapping_neg();
    let steps = u32::try_from(i16::from(exponent) - i16::from(number.exponent)).unwrap_or_default();
    let unit = 10_i64.pow(steps.min(18));
    let mantissa = (number.mantissa + number.mantissa.signum() * unit / 2) / unit;
    let exponent = if steps > 0 { exponent } else { number.exponent };
    Decimal::new(if sign == dlt645::Sign::Unsigned { mantissa.abs() } else { mantissa }, exponent)
}
