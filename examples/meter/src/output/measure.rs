//! What a number counts.

use obis::{Prefix, Unit};
use std::fmt;

/// A unit with its prefix, such as `kWh`: a few octets to copy, where a text would be made for each number anew.
#[derive(Clone, Copy, Debug)]
pub struct Measure {
    prefix: &'static str,
    symbol: Result<&'static str, Unit>,
}

impl Measure {
    /// `None` for a number that has no unit.
    pub fn new(prefix: Prefix, unit: Unit) -> Option<Self> {
        let symbol = unit.symbol().ok_or(unit);
        (unit != Unit::NONE).then_some(Self { prefix: prefix.symbol(), symbol })
    }

    /// Of a symbol alone; `None` for an empty one.
    pub fn of(symbol: &'static str) -> Option<Self> {
        (!symbol.is_empty()).then_some(Self { prefix: "", symbol: Ok(symbol) })
    }

    /// Puts its text behind what stands in `out`.
    pub fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix.as_bytes());
        match self.symbol {
            Ok(symbol) => out.extend_from_slice(symbol.as_bytes()),
            Err(unit) => out.extend_from_slice(unit.to_string().as_bytes()),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix)?;
        match self.symbol {
            Ok(symbol) => f.write_str(symbol),
            Err(unit) => write!(f, "{unit}"),
        }
    }
}
