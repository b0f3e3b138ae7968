//! Units: the enumeration of COSEM, and the text that P1 telegrams use for the same things.

use core::fmt;

use crate::Prefix;

/// A physical unit, as the code that COSEM gives it (IEC 62056-6-2, table of enumerated values for physical units).
///
/// Any octet is a unit: codes that the standard reserves are kept, and shown as `unit 99`.
///
/// ```
/// use obis::{Prefix, Unit};
/// assert_eq!(Unit::new(30), Unit::WATT_HOUR);
/// assert_eq!(Unit::WATT_HOUR.to_string(), "Wh");
/// assert_eq!(Unit::parse(b"kWh"), Some((Prefix::Kilo, Unit::WATT_HOUR)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unit(u8);

impl Unit {
    /// `a`, code 1: time: year.
    pub const YEAR: Self = Self(1);
    /// `mo`, code 2: time: month.
    pub const MONTH: Self = Self(2);
    /// `wk`, code 3: time: week.
    pub const WEEK: Self = Self(3);
    /// `d`, code 4: time: day.
    pub const DAY: Self = Self(4);
    /// `h`, code 5: time: hour.
    pub const HOUR: Self = Self(5);
    /// `min`, code 6: time: minute.
    pub const MINUTE: Self = Self(6);
    /// `s`, code 7: time: second.
    pub const SECOND: Self = Self(7);
    /// `°`, code 8: phase angle: degree.
    pub const DEGREE: Self = Self(8);
    /// `°C`, code 9: temperature: degree Celsius.
    pub const DEGREE_CELSIUS: Self = Self(9);
    /// `currency`, code 10: local currency.
    pub const CURRENCY: Self = Self(10);
    /// `m`, code 11: length: metre.
    pub const METRE: Self = Self(11);
    /// `m/s`, code 12: speed: metre per second.
    pub const METRE_PER_SECOND: Self = Self(12);
    /// `m3`, code 13: volume: cubic metre.
    pub const CUBIC_METRE: Self = Self(13);
    /// `m3`, code 14: corrected volume: cubic metre.
    pub const CUBIC_METRE_CORRECTED: Self = Self(14);
    /// `m3/h`, code 15: volume flux: cubic metre per hour.
    pub const CUBIC_METRE_PER_HOUR: Self = Self(15);
    /// `m3/h`, code 16: corrected volume flux: cubic metre per hour.
    pub const CUBIC_METRE_PER_HOUR_CORRECTED: Self = Self(16);
    /// `m3/d`, code 17: volume flux: cubic metre per day.
    pub const CUBIC_METRE_PER_DAY: Self = Self(17);
    /// `m3/d`, code 18: corrected volume flux: cubic metre per day.
    pub const CUBIC_METRE_PER_DAY_CORRECTED: Self = Self(18);
    /// `l`, code 19: volume: litre.
    pub const LITRE: Self = Self(19);
    /// `kg`, code 20: mass: kilogram.
    pub const KILOGRAM: Self = Self(20);
    /// `N`, code 21: force: newton.
    pub const NEWTON: Self = Self(21);
    /// `Nm`, code 22: energy: newton metre.
    pub const NEWTON_METRE: Self = Self(22);
    /// `Pa`, code 23: pressure: pascal.
    pub const PASCAL: Self = Self(23);
    /// `bar`, code 24: pressure: bar.
    pub const BAR: Self = Self(24);
    /// `J`, code 25: energy: joule.
    pub const JOULE: Self = Self(25);
    /// `J/h`, code 26: thermal power: joule per hour.
    pub const JOULE_PER_HOUR: Self = Self(26);
    /// `W`, code 27: active power: watt.
    pub const WATT: Self = Self(27);
    /// `VA`, code 28: apparent power: volt-ampere.
    pub const VOLT_AMPERE: Self = Self(28);
    /// `var`, code 29: reactive power: var.
    pub const VAR: Self = Self(29);
    /// `Wh`, code 30: active energy: watt-hour.
    pub const WATT_HOUR: Self = Self(30);
    /// `VAh`, code 31: apparent energy: volt-ampere-hour.
    pub const VOLT_AMPERE_HOUR: Self = Self(31);
    /// `varh`, code 32: reactive energy: var-hour.
    pub const VAR_HOUR: Self = Self(32);
    /// `A`, code 33: current: ampere.
    pub const AMPERE: Self = Self(33);
    /// `C`, code 34: electrical charge: coulomb.
    pub const COULOMB: Self = Self(34);
    /// `V`, code 35: voltage: volt.
    pub const VOLT: Self = Self(35);
    /// `V/m`, code 36: electric field strength: volt per metre.
    pub const VOLT_PER_METRE: Self = Self(36);
    /// `F`, code 37: capacitance: farad.
    pub const FARAD: Self = Self(37);
    /// `Ω`, code 38: resistance: ohm.
    pub const OHM: Self = Self(38);
    /// `Ωm`, code 39: resistivity: ohm metre.
    pub const OHM_METRE: Self = Self(39);
    /// `Wb`, code 40: magnetic flux: weber.
    pub const WEBER: Self = Self(40);
    /// `T`, code 41: magnetic flux density: tesla.
    pub const TESLA: Self = Self(41);
    /// `A/m`, code 42: magnetic field strength: ampere per metre.
    pub const AMPERE_PER_METRE: Self = Self(42);
    /// `H`, code 43: inductance: henry.
    pub const HENRY: Self = Self(43);
    /// `Hz`, code 44: frequency: hertz.
    pub const HERTZ: Self = Self(44);
    /// `1/Wh`, code 45: active energy meter constant: pulses per watt-hour.
    pub const PER_WATT_HOUR: Self = Self(45);
    /// `1/varh`, code 46: reactive energy meter constant: pulses per var-hour.
    pub const PER_VAR_HOUR: Self = Self(46);
    /// `1/VAh`, code 47: apparent energy meter constant: pulses per volt-ampere-hour.
    pub const PER_VOLT_AMPERE_HOUR: Self = Self(47);
    /// `V2h`, code 48: volt-squared hours.
    pub const VOLT_SQUARED_HOUR: Self = Self(48);
    /// `A2h`, code 49: ampere-squared hours.
    pub const AMPERE_SQUARED_HOUR: Self = Self(49);
    /// `kg/s`, code 50: mass flux: kilogram per second.
    pub const KILOGRAM_PER_SECOND: Self = Self(50);
    /// `S`, code 51: conductance: siemens.
    pub const SIEMENS: Self = Self(51);
    /// `K`, code 52: temperature: kelvin.
    pub const KELVIN: Self = Self(52);
    /// `1/V2h`, code 53: volt-squared hour meter constant.
    pub const PER_VOLT_SQUARED_HOUR: Self = Self(53);
    /// `1/A2h`, code 54: ampere-squared hour meter constant.
    pub const PER_AMPERE_SQUARED_HOUR: Self = Self(54);
    /// `1/m3`, code 55: volume meter constant: pulses per cubic metre.
    pub const PER_CUBIC_METRE: Self = Self(55);
    /// `%`, code 56: percentage.
    pub const PERCENT: Self = Self(56);
    /// `Ah`, code 57: electrical charge: ampere-hour.
    pub const AMPERE_HOUR: Self = Self(57);
    /// `Wh/m3`, code 60: energy per volume: watt-hour per cubic metre.
    pub const WATT_HOUR_PER_CUBIC_METRE: Self = Self(60);
    /// `J/m3`, code 61: calorific value, Wobbe index: joule per cubic metre.
    pub const JOULE_PER_CUBIC_METRE: Self = Self(61);
    /// `mol%`, code 62: molar fraction of gas composition: mole percent.
    pub const MOLE_PERCENT: Self = Self(62);
    /// `g/m3`, code 63: mass density: gram per cubic metre.
    pub const GRAM_PER_CUBIC_METRE: Self = Self(63);
    /// `Pas`, code 64: dynamic viscosity: pascal second.
    pub const PASCAL_SECOND: Self = Self(64);
    /// `J/kg`, code 65: specific energy: joule per kilogram.
    pub const JOULE_PER_KILOGRAM: Self = Self(65);
    /// `g/cm2`, code 66: pressure: gram per square centimetre.
    pub const GRAM_PER_SQUARE_CENTIMETRE: Self = Self(66);
    /// `atm`, code 67: pressure: atmosphere.
    pub const ATMOSPHERE: Self = Self(67);
    /// `dBm`, code 70: signal strength: decibel over a milliwatt.
    pub const DECIBEL_MILLIWATT: Self = Self(70);
    /// `dBµV`, code 71: signal strength: decibel over a microvolt.
    pub const DECIBEL_MICROVOLT: Self = Self(71);
    /// `dB`, code 72: logarithmic ratio: decibel.
    pub const DECIBEL: Self = Self(72);
    /// `in`, code 128: length: inch.
    pub const INCH: Self = Self(128);
    /// `ft`, code 129: length: foot.
    pub const FOOT: Self = Self(129);
    /// `lb`, code 130: mass: pound.
    pub const POUND: Self = Self(130);
    /// `°F`, code 131: temperature: degree Fahrenheit.
    pub const DEGREE_FAHRENHEIT: Self = Self(131);
    /// `°R`, code 132: temperature: degree Rankine.
    pub const DEGREE_RANKINE: Self = Self(132);
    /// `in2`, code 133: area: square inch.
    pub const SQUARE_INCH: Self = Self(133);
    /// `ft2`, code 134: area: square foot.
    pub const SQUARE_FOOT: Self = Self(134);
    /// `ac`, code 135: area: acre.
    pub const ACRE: Self = Self(135);
    /// `in3`, code 136: volume: cubic inch.
    pub const CUBIC_INCH: Self = Self(136);
    /// `ft3`, code 137: volume: cubic foot.
    pub const CUBIC_FOOT: Self = Self(137);
    /// `ac ft`, code 138: volume: acre-foot.
    pub const ACRE_FOOT: Self = Self(138);
    /// `gal(imp)`, code 139: volume: imperial gallon.
    pub const GALLON_IMPERIAL: Self = Self(139);
    /// `gal(US)`, code 140: volume: US gallon.
    pub const GALLON_US: Self = Self(140);
    /// `lbf`, code 141: force: pound-force.
    pub const POUND_FORCE: Self = Self(141);
    /// `psi`, code 142: pressure: pound-force per square inch.
    pub const PSI: Self = Self(142);
    /// `Btu`, code 146: energy: British thermal unit.
    pub const BTU: Self = Self(146);
    /// `thm(EU)`, code 147: energy: therm (EU).
    pub const THERM_EU: Self = Self(147);
    /// `thm(US)`, code 148: energy: therm (US).
    pub const THERM_US: Self = Self(148);
    /// `other`, code 254: a unit that this enumeration does not have.
    pub const OTHER: Self = Self(254);
    /// `(none)`, code 255: no unit: a count or a ratio.
    pub const NONE: Self = Self(255);

    /// The unit with this code.
    #[must_use]
    pub const fn new(code: u8) -> Self {
        Self(code)
    }

    /// The code of the unit, 0 to 255.
    #[must_use]
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The symbol: `Wh`, `m3`, `°C`; empty for [`Unit::NONE`]; `None` for a code without a meaning known here.
    #[must_use]
    pub const fn symbol(self) -> Option<&'static str> {
        Some(match self {
            Self::YEAR => "a",
            Self::MONTH => "mo",
            Self::WEEK => "wk",
            Self::DAY => "d",
            Self::HOUR => "h",
            Self::MINUTE => "min",
            Self::SECOND => "s",
            Self::DEGREE => "°",
            Self::DEGREE_CELSIUS => "°C",
            Self::CURRENCY => "currency",
            Self::METRE => "m",
            Self::METRE_PER_SECOND => "m/s",
            Self::CUBIC_METRE => "m3",
            Self::CUBIC_METRE_CORRECTED => "m3",
            Self::CUBIC_METRE_PER_HOUR => "m3/h",
            Self::CUBIC_METRE_PER_HOUR_CORRECTED => "m3/h",
            Self::CUBIC_METRE_PER_DAY => "m3/d",
            Self::CUBIC_METRE_PER_DAY_CORRECTED => "m3/d",
            Self::LITRE => "l",
            Self::KILOGRAM => "kg",
            Self::NEWTON => "N",
            Self::NEWTON_METRE => "Nm",
            Self::PASCAL => "Pa",
            Self::BAR => "bar",
            Self::JOULE => "J",
            Self::JOULE_PER_HOUR => "J/h",
            Self::WATT => "W",
            Self::VOLT_AMPERE => "VA",
            Self::VAR => "var",
            Self::WATT_HOUR => "Wh",
            Self::VOLT_AMPERE_HOUR => "VAh",
            Self::VAR_HOUR => "varh",
            Self::AMPERE => "A",
            Self::COULOMB => "C",
            Self::VOLT => "V",
            Self::VOLT_PER_METRE => "V/m",
            Self::FARAD => "F",
            Self::OHM => "Ω",
            Self::OHM_METRE => "Ωm",
            Self::WEBER => "Wb",
            Self::TESLA => "T",
            Self::AMPERE_PER_METRE => "A/m",
            Self::HENRY => "H",
            Self::HERTZ => "Hz",
            Self::PER_WATT_HOUR => "1/Wh",
            Self::PER_VAR_HOUR => "1/varh",
            Self::PER_VOLT_AMPERE_HOUR => "1/VAh",
            Self::VOLT_SQUARED_HOUR => "V2h",
            Self::AMPERE_SQUARED_HOUR => "A2h",
            Self::KILOGRAM_PER_SECOND => "kg/s",
            Self::SIEMENS => "S",
            Self::KELVIN => "K",
            Self::PER_VOLT_SQUARED_HOUR => "1/V2h",
            Self::PER_AMPERE_SQUARED_HOUR => "1/A2h",
            Self::PER_CUBIC_METRE => "1/m3",
            Self::PERCENT => "%",
            Self::AMPERE_HOUR => "Ah",
            Self::WATT_HOUR_PER_CUBIC_METRE => "Wh/m3",
            Self::JOULE_PER_CUBIC_METRE => "J/m3",
            Self::MOLE_PERCENT => "mol%",
            Self::GRAM_PER_CUBIC_METRE => "g/m3",
            Self::PASCAL_SECOND => "Pas",
            Self::JOULE_PER_KILOGRAM => "J/kg",
            Self::GRAM_PER_SQUARE_CENTIMETRE => "g/cm2",
            Self::ATMOSPHERE => "atm",
            Self::DECIBEL_MILLIWATT => "dBm",
            Self::DECIBEL_MICROVOLT => "dBµV",
            Self::DECIBEL => "dB",
            Self::INCH => "in",
            Self::FOOT => "ft",
            Self::POUND => "lb",
            Self::DEGREE_FAHRENHEIT => "°F",
            Self::DEGREE_RANKINE => "°R",
            Self::SQUARE_INCH => "in2",
            Self::SQUARE_FOOT => "ft2",
            Self::ACRE => "ac",
            Self::CUBIC_INCH => "in3",
            Self::CUBIC_FOOT => "ft3",
            Self::ACRE_FOOT => "ac ft",
            Self::GALLON_IMPERIAL => "gal(imp)",
            Self::GALLON_US => "gal(US)",
            Self::POUND_FORCE => "lbf",
            Self::PSI => "psi",
            Self::BTU => "Btu",
            Self::THERM_EU => "thm(EU)",
            Self::THERM_US => "thm(US)",
            Self::OTHER => "other",
            Self::NONE => "",
            _ => return None,
        })
    }

    /// Reads a symbol with its prefix, as P1 telegrams and IEC 62056-21 readouts write it: `kWh`, `kVArh`, `V`, `m3`, `dm3`, `GJ`, `mA`, `h`, `°C`, `imp`, `%`.
    ///
    /// Upper and lower case count as one, except where they tell two things apart: `m` milli and `M` mega;
    /// `h` hour and `H` henry; `s` second and `S` siemens. Spaces around it are skipped. `None`: not a known symbol.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<(Prefix, Self)> {
        let text = text.trim_ascii();
        // What meters send in practice, first and at once.
        match text {
            b"kWh" => return Some((Prefix::Kilo, Self::WATT_HOUR)),
            b"kW" => return Some((Prefix::Kilo, Self::WATT)),
            b"V" => return Some((Prefix::None, Self::VOLT)),
            b"A" => return Some((Prefix::None, Self::AMPERE)),
            _ => {}
        }
        if let Some(unit) = whole(text) {
            return Some((Prefix::None, unit));
        }
        if let Some(unit) = prefixable(text) {
            return Some((Prefix::None, unit));
        }
        let (first, rest) = text.split_first()?;
        let prefix = match first {
            b'k' | b'K' => Prefix::Kilo,
            b'M' => Prefix::Mega,
            b'G' | b'g' => Prefix::Giga,
            b'm' => Prefix::Milli,
            _ => return None,
        };
        Some((prefix, prefixable(rest)?))
    }
}

impl From<u8> for Unit {
    fn from(code: u8) -> Self {
        Self(code)
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbol() {
            Some(symbol) => f.pad(symbol),
            None => write!(f, "unit {}", self.0),
        }
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.symbol() {
            Some("") => f.write_str("Unit(none)"),
            Some(symbol) => write!(f, "Unit({symbol})"),
            None => write!(f, "Unit({})", self.0),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Unit {
    fn format(&self, fmt: defmt::Formatter<'_>) {
        defmt::write!(fmt, "Unit({=u8})", self.0);
    }
}

/// Symbols that take no prefix here, and those where a first letter only looks like one (`m3`, `min`, `Mol%`).
fn whole(text: &[u8]) -> Option<Unit> {
    let is = |symbol: &[u8]| text.eq_ignore_ascii_case(symbol);
    Some(match text {
        b"h" => Unit::HOUR,
        b"s" => Unit::SECOND,
        b"S" => Unit::SIEMENS,
        b"H" => Unit::HENRY,
        b"d" => Unit::DAY,
        b"m" => Unit::METRE,
        b"l" | b"L" => Unit::LITRE,
        b"K" => Unit::KELVIN,
        b"%" => Unit::PERCENT,
        _ if is(b"m3") || is("m³".as_bytes()) => Unit::CUBIC_METRE,
        _ if is(b"Nm3") => Unit::CUBIC_METRE_CORRECTED,
        _ if is(b"dm3") || is("dm³".as_bytes()) || is(b"ltr") => Unit::LITRE,
        _ if is(b"m3/h") || is("m³/h".as_bytes()) => Unit::CUBIC_METRE_PER_HOUR,
        _ if is(b"m3/d") || is("m³/d".as_bytes()) => Unit::CUBIC_METRE_PER_DAY,
        _ if is(b"min") => Unit::MINUTE,
        _ if is(b"sec") => Unit::SECOND,
        // Degree sign in UTF-8, in ISO 8859-1, or left out.
        _ if is("°C".as_bytes()) || is(b"\xB0C") || is(b"degC") || text == b"C" => Unit::DEGREE_CELSIUS,
        _ if is("°".as_bytes()) || is(b"\xB0") || is(b"deg") => Unit::DEGREE,
        _ if is(b"kg") => Unit::KILOGRAM,
        _ if is(b"imp") || is(b"pulse") || is(b"pulses") => Unit::NONE,
        _ if is(b"dBm") => Unit::DECIBEL_MILLIWATT,
        _ if is(b"dB") => Unit::DECIBEL,
        _ => return None,
    })
}

/// Symbols that a prefix may stand before.
fn prefixable(text: &[u8]) -> Option<Unit> {
    let is = |symbol: &[u8]| text.eq_ignore_ascii_case(symbol);
    Some(match text {
        _ if is(b"Wh") => Unit::WATT_HOUR,
        _ if is(b"W") => Unit::WATT,
        _ if is(b"varh") => Unit::VAR_HOUR,
        _ if is(b"var") => Unit::VAR,
        _ if is(b"VAh") => Unit::VOLT_AMPERE_HOUR,
        _ if is(b"VA") => Unit::VOLT_AMPERE,
        _ if is(b"V") => Unit::VOLT,
        _ if is(b"A") => Unit::AMPERE,
        _ if is(b"Ah") => Unit::AMPERE_HOUR,
        _ if is(b"J") => Unit::JOULE,
        _ if is(b"J/h") => Unit::JOULE_PER_HOUR,
        _ if is(b"Hz") => Unit::HERTZ,
        _ if is(b"Pa") => Unit::PASCAL,
        _ if is(b"bar") => Unit::BAR,
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    extern crate std;
    use super::*;
    use std::format;

    #[test]
    fn text_of_p1() {
        for (text, prefix, unit) in [
            ("kWh", Prefix::Kilo, Unit::WATT_HOUR),
            ("KWH", Prefix::Kilo, Unit::WATT_HOUR),
            ("Wh", Prefix::None, Unit::WATT_HOUR),
            ("MWh", Prefix::Mega, Unit::WATT_HOUR),
            ("kvarh", Prefix::Kilo, Unit::VAR_HOUR),
            ("kVArh", Prefix::Kilo, Unit::VAR_HOUR),
            ("kVAh", Prefix::Kilo, Unit::VOLT_AMPERE_HOUR),
            ("W", Prefix::None, Unit::WATT),
            ("kW", Prefix::Kilo, Unit::WATT),
            ("MW", Prefix::Mega, Unit::WATT),
            ("mW", Prefix::Milli, Unit::WATT),
            ("var", Prefix::None, Unit::VAR),
            ("kvar", Prefix::Kilo, Unit::VAR),
            ("VA", Prefix::None, Unit::VOLT_AMPERE),
            ("kVA", Prefix::Kilo, Unit::VOLT_AMPERE),
            ("V", Prefix::None, Unit::VOLT),
            ("kV", Prefix::Kilo, Unit::VOLT),
            ("mV", Prefix::Milli, Unit::VOLT),
            ("A", Prefix::None, Unit::AMPERE),
            ("kA", Prefix::Kilo, Unit::AMPERE),
            ("mA", Prefix::Milli, Unit::AMPERE),
            ("m3", Prefix::None, Unit::CUBIC_METRE),
            ("M3", Prefix::None, Unit::CUBIC_METRE),
            ("m³", Prefix::None, Unit::CUBIC_METRE),
            ("dm3", Prefix::None, Unit::LITRE),
            ("GJ", Prefix::Giga, Unit::JOULE),
            ("MJ", Prefix::Mega, Unit::JOULE),
            ("kJ", Prefix::Kilo, Unit::JOULE),
            ("J", Prefix::None, Unit::JOULE),
            ("Hz", Prefix::None, Unit::HERTZ),
            ("kHz", Prefix::Kilo, Unit::HERTZ),
            ("s", Prefix::None, Unit::SECOND),
            ("h", Prefix::None, Unit::HOUR),
            ("min", Prefix::None, Unit::MINUTE),
            ("°C", Prefix::None, Unit::DEGREE_CELSIUS),
            ("l", Prefix::None, Unit::LITRE),
            ("imp", Prefix::None, Unit::NONE),
            ("%", Prefix::None, Unit::PERCENT),
            ("kWh ", Prefix::Kilo, Unit::WATT_HOUR),
            (" v", Prefix::None, Unit::VOLT),
        ] {
            assert_eq!(Unit::parse(text.as_bytes()), Some((prefix, unit)), "{text}");
        }
    }

    #[test]
    fn what_is_no_unit_is_none() {
        for text in ["", " ", "k", "M", "kk", "kWhh", "xWh", "kmin", "TWh", "k3", "123", "kWh/h"] {
            assert_eq!(Unit::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn every_code_is_a_unit_and_shows_something() {
        for code in 0..=255u8 {
            let unit = Unit::new(code);
            assert_eq!(unit.code(), code);
            assert_eq!(format!("{unit}").is_empty(), code == 255, "{code}");
        }
        assert_eq!(format!("{} {}", Unit::new(0), Unit::new(58)), "unit 0 unit 58");
    }

    /// The symbols of the electrical units read back as the units they stand for.
    #[test]
    fn symbols_read_back() {
        for code in (27..=33u8).chain([5, 6, 7, 9, 13, 19, 24, 25, 35, 44, 51, 52, 56]) {
            let unit = Unit::new(code);
            assert_eq!(Unit::parse(unit.symbol().unwrap().as_bytes()), Some((Prefix::None, unit)), "{unit}");
        }
    }
}
