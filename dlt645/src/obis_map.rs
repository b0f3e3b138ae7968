//! Identifiers as OBIS codes, and back: a read of 00010000 and a 1-0:1.8.0 are the same quantity.
//!
//! Covered: energies and maximum demands of all phases by rate and settlement, instantaneous values, times and texts
//! that have a code of their own. Settlement -n is value group F = n counted backwards, VZ-n, as 101 is the last one:
//! the codes name the n-th historical value, not a number of the meter's own billing counter.

use obis::{Obis, Prefix, Scaled};

use crate::identifier::Identifier;
use crate::table1997;
use crate::table2007::measurand;
use crate::value::{Decimal, Unit};

/// F for the present value.
const PRESENT: u8 = 255;
/// F for the last settlement; 102 for the one before, and so on.
const LAST: u8 = 101;

/// C of the measurands as of the total, DI2 = 0..=0A. Combined active energy is the sum +A and -A (15); the combined
/// reactive energies have no code of their own and take +R and -R (3, 4), which is what they are by default
/// (quadrants 1 + 4 and 2 + 3 differ by the meter's setting 04000602).
const fn quantity(measurand: u8) -> Option<u8> {
    Some(match measurand {
        0x00 => 15,
        0x01 => 1,
        0x02 => 2,
        0x03 => 3,
        0x04 => 4,
        0x05..=0x08 => measurand,
        0x09 => 9,
        0x0A => 10,
        _ => return None,
    })
}

const fn measurand_of(c: u8) -> Option<u8> {
    Some(match c {
        15 => 0x00,
        1..=8 => c,
        9 => 0x09,
        10 => 0x0A,
        _ => return None,
    })
}

/// C of a phase: 20, 40, 60 above that of the total.
const fn with_phase(c: u8, phase: u8) -> u8 {
    c.wrapping_add(phase.wrapping_mul(20))
}

impl Identifier {
    /// The OBIS code of the same quantity; `None` for blocks and for what has no code.
    #[must_use]
    pub fn obis(self) -> Option<Obis> {
        match self {
            Self::V1997(code) => of1997(code),
            Self::V2007(code) => of2007(code),
        }
    }

    /// The 2007 identifier of the quantity that `obis` names; medium A = 1 (or 0 for clock and addresses), any B.
    #[must_use]
    pub fn from_obis(obis: Obis) -> Option<Self> {
        let (c, d, e, f) = (obis.c(), obis.d(), obis.e(), obis.f());
        let settlement = match f {
            PRESENT => 0,
            LAST..=112 => f.wrapping_sub(100),
            _ => return None,
        };
        let code =
            |di3: u8, di2: u8, di1: u8, di0: u8| Some(Self::V2007(u32::from_be_bytes([di3, di2, di1, di0])));
        if obis.a() > 1 {
            return None;
        }
        if let Some(di) = fixed(obis) {
            return Some(Self::V2007(di));
        }
        let (phase, base) = match c {
            21..=40 => (1, c.wrapping_sub(20)),
            41..=60 => (2, c.wrapping_sub(40)),
            61..=80 => (3, c.wrapping_sub(60)),
            _ => (0, c),
        };
        match (d, base) {
            (8 | 6, _) if e <= 63 => {
                let measurand = measurand_of(base)?;
                let di2 = match (measurand, phase) {
                    (_, 0) => measurand,
                    (0, _) => return None,
                    (_, phase) => measurand.wrapping_add(20u8.wrapping_mul(phase)),
                };
                if d == 6 && measurand == 0 {
                    return None;
                }
                code(if d == 8 { 0 } else { 1 }, di2, e, settlement)
            }
            // Harmonics: E is 0 for the whole, the order otherwise.
            (7, 12 | 11) if f == PRESENT && phase > 0 => match e {
                0 => code(2, if base == 12 { 1 } else { 2 }, phase, 0),
                1..=21 => code(2, if base == 12 { 0x0A } else { 0x0B }, phase, e),
                124 => code(2, if base == 12 { 8 } else { 9 }, phase, 0),
                _ => None,
            },
            (7, 16 | 13) if f == PRESENT && e == 0 => code(2, if base == 16 { 3 } else { 6 }, phase, 0),
            (7, 3) if f == PRESENT && e == 0 => code(2, 4, phase, 0),
            (7, 9) if f == PRESENT && e == 0 => code(2, 5, phase, 0),
            _ => None,
        }
    }
}

/// What has one code each, both ways.
const FIXED: [(u32, [u8; 6]); 15] = [
    (0x0280_0001, [1, 0, 91, 7, 0, 255]),
    (0x0280_0002, [1, 0, 14, 7, 0, 255]),
    (0x0280_0003, [1, 0, 16, 24, 0, 255]),
    (0x0280_0004, [1, 0, 1, 4, 0, 255]),
    (0x0280_0005, [1, 0, 3, 4, 0, 255]),
    (0x0280_0006, [1, 0, 9, 4, 0, 255]),
    (0x0280_0007, [0, 0, 96, 9, 0, 255]),
    (0x0280_0008, [0, 0, 96, 6, 3, 255]),
    (0x0280_000A, [0, 0, 96, 6, 0, 255]),
    (0x0400_0101, [1, 0, 0, 9, 2, 255]),
    (0x0400_0102, [1, 0, 0, 9, 1, 255]),
    (0x0400_0401, [0, 0, 96, 1, 1, 255]),
    (0x0400_0402, [0, 0, 96, 1, 0, 255]),
    (0x0400_0409, [1, 0, 0, 3, 3, 255]),
    (0x0400_040A, [1, 0, 0, 3, 4, 255]),
];

fn fixed(obis: Obis) -> Option<u32> {
    let [a, _, rest @ ..] = obis.octets();
    FIXED.iter().find(|(_, [fixed, _, code @ ..])| (a, rest) == (*fixed, *code)).map(|(di, _)| *di)
}

fn of2007(code: u32) -> Option<Obis> {
    let [di0, di1, di2, di3] = code.to_le_bytes();
    let historical = |di0: u8| if di0 == 0 { PRESENT } else { di0.wrapping_add(100) };
    match di3 {
        0x00 | 0x01 if di1 <= 63 && di0 <= 12 => {
            let (measurand, phase) = measurand(di2);
            if di3 == 1 && measurand == 0 {
                return None;
            }
            let c = with_phase(quantity(measurand)?, phase);
            Some(Obis::new(1, 0, c, if di3 == 0 { 8 } else { 6 }, di1, historical(di0)))
        }
        0x02 => match (di2, di1, di0) {
            (0x01, 1..=3, 0) => Some(Obis::new(1, 0, with_phase(12, di1), 7, 0, PRESENT)),
            (0x02, 1..=3, 0) => Some(Obis::new(1, 0, with_phase(11, di1), 7, 0, PRESENT)),
            (0x03, 0..=3, 0) => Some(Obis::new(1, 0, with_phase(16, di1), 7, 0, PRESENT)),
            (0x04, 0..=3, 0) => Some(Obis::new(1, 0, with_phase(3, di1), 7, 0, PRESENT)),
            (0x05, 0..=3, 0) => Some(Obis::new(1, 0, with_phase(9, di1), 7, 0, PRESENT)),
            (0x06, 0..=3, 0) => Some(Obis::new(1, 0, with_phase(13, di1), 7, 0, PRESENT)),
            // E 124 is the total harmonic distortion.
            (0x08, 1..=3, 0) => Some(Obis::new(1, 0, with_phase(12, di1), 7, 124, PRESENT)),
            (0x09, 1..=3, 0) => Some(Obis::new(1, 0, with_phase(11, di1), 7, 124, PRESENT)),
            (0x0A, 1..=3, 1..=21) => Some(Obis::new(1, 0, with_phase(12, di1), 7, di0, PRESENT)),
            (0x0B, 1..=3, 1..=21) => Some(Obis::new(1, 0, with_phase(11, di1), 7, di0, PRESENT)),
            _ => listed(code),
        },
        _ => listed(code),
    }
}

fn listed(code: u32) -> Option<Obis> {
    FIXED.iter().find(|(di, _)| *di == code).map(|(_, octets)| Obis::from_octets(*octets))
}

fn of1997(code: u16) -> Option<Obis> {
    let [di0, di1] = code.to_le_bytes();
    let plain = |c, d| Some(Obis::new(1, 0, c, d, 0, PRESENT));
    match (di1, di0) {
        (0x90..=0xAF, _) => {
            let (reactive, direction, rate @ 0..=0x0E) = table1997::energy_parts(di1, di0)? else {
                return None;
            };
            let c = match (reactive, direction) {
                (false, n) => n,
                (true, 1) => 3,
                (true, 2) => 4,
                (true, 3) => 5,
                (true, 4) => 8,
                (true, 5) => 6,
                (true, _) => 7,
            };
            let f = match di1 >> 2 & 3 {
                0 => PRESENT,
                n => n.wrapping_add(100),
            };
            Some(Obis::new(1, 0, c, if di1 < 0xA0 { 8 } else { 6 }, rate, f))
        }
        (0xB6, 0x11..=0x13) => plain(with_phase(12, di0 & 3), 7),
        (0xB6, 0x21..=0x23) => plain(with_phase(11, di0 & 3), 7),
        (0xB6, 0x30..=0x33) => plain(with_phase(16, di0 & 3), 7),
        (0xB6, 0x40..=0x43) => plain(with_phase(3, di0 & 3), 7),
        (0xB6, 0x50..=0x53) => plain(with_phase(13, di0 & 3), 7),
        (0xC0, 0x10) => listed(0x0400_0101),
        (0xC0, 0x11) => listed(0x0400_0102),
        (0xC0, 0x30) => listed(0x0400_0409),
        (0xC0, 0x31) => listed(0x0400_040A),
        (0xC0, 0x32) => listed(0x0400_0402),
        _ => None,
    }
}

impl From<Decimal> for obis::Decimal {
    fn from(value: Decimal) -> Self {
        Self { mantissa: value.mantissa, exponent: value.exponent }
    }
}

impl Unit {
    /// The COSEM unit and the prefix with which the standard writes its values.
    #[must_use]
    pub const fn obis(self) -> (Prefix, obis::Unit) {
        match self {
            Self::None => (Prefix::None, obis::Unit::NONE),
            Self::KilowattHour => (Prefix::Kilo, obis::Unit::WATT_HOUR),
            Self::KilovarHour => (Prefix::Kilo, obis::Unit::VAR_HOUR),
            Self::KilovoltAmpereHour => (Prefix::Kilo, obis::Unit::VOLT_AMPERE_HOUR),
            Self::AmpereHour => (Prefix::None, obis::Unit::AMPERE_HOUR),
            Self::Kilowatt => (Prefix::Kilo, obis::Unit::WATT),
            Self::Kilovar => (Prefix::Kilo, obis::Unit::VAR),
            Self::KilovoltAmpere => (Prefix::Kilo, obis::Unit::VOLT_AMPERE),
            Self::Volt => (Prefix::None, obis::Unit::VOLT),
            Self::Ampere => (Prefix::None, obis::Unit::AMPERE),
            Self::Hertz => (Prefix::None, obis::Unit::HERTZ),
            Self::Percent => (Prefix::None, obis::Unit::PERCENT),
            Self::Degree => (Prefix::None, obis::Unit::DEGREE),
            Self::DegreeCelsius => (Prefix::None, obis::Unit::DEGREE_CELSIUS),
            Self::Minute => (Prefix::None, obis::Unit::MINUTE),
            Self::Second => (Prefix::None, obis::Unit::SECOND),
            Self::Millisecond => (Prefix::Milli, obis::Unit::SECOND),
            // Impulses per kWh are thousandths of impulses per Wh.
            Self::ImpulsePerKilowattHour => (Prefix::Milli, obis::Unit::PER_WATT_HOUR),
            Self::ImpulsePerKilovarHour => (Prefix::Milli, obis::Unit::PER_VAR_HOUR),
            Self::Yuan | Self::YuanPerKilowattHour => (Prefix::None, obis::Unit::CURRENCY),
        }
    }
}

/// A number of the standard in the shared vocabulary. A price per kWh keeps its number, as currency: COSEM has no unit
/// for it.
#[must_use]
pub fn scaled(value: Decimal, unit: Unit) -> Scaled {
    let (prefix, unit) = unit.obis();
    Scaled { value: value.into(), prefix, unit }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_same_quantity_both_ways() {
        for (di, code) in [
            ("00010000", "1-0:1.8.0*255"),
            ("00020100", "1-0:2.8.1*255"),
            ("00010001", "1-0:1.8.0*101"),
            ("00050000", "1-0:5.8.0*255"),
            ("00150000", "1-0:21.8.0*255"),
            ("003E0000", "1-0:62.8.0*255"),
            ("00090000", "1-0:9.8.0*255"),
            ("00000000", "1-0:15.8.0*255"),
            ("01010000", "1-0:1.6.0*255"),
            ("02010100", "1-0:32.7.0*255"),
            ("02020300", "1-0:71.7.0*255"),
            ("02030000", "1-0:16.7.0*255"),
            ("02040200", "1-0:43.7.0*255"),
            ("02060000", "1-0:13.7.0*255"),
            ("02800002", "1-0:14.7.0*255"),
            ("020A0103", "1-0:32.7.3*255"),
            ("04000102", "1-0:0.9.1*255"),
        ] {
            let identifier: Identifier = di.parse().unwrap();
            let obis = identifier.obis().unwrap();
            assert_eq!(obis.to_string(), code, "{di}");
            assert_eq!(Identifier::from_obis(obis), Some(identifier), "{code}");
        }
    }

    #[test]
    fn every_code_leads_back() {
        for code in 0..=0x02FF_FFFFu32 {
            // All DI2, and the DI1 and DI0 that mean something.
            let [di0, di1, _, _] = code.to_le_bytes();
            if (di0 > 22 || di1 > 64) && (di0 != 0xFF || di1 != 0xFF) {
                continue;
            }
            let identifier = Identifier::V2007(code);
            if let Some(obis) = identifier.obis() {
                assert_eq!(Identifier::from_obis(obis), Some(identifier), "{obis}");
            }
        }
    }

    #[test]
    fn of_1997_by_quadrant_order() {
        for (di, code) in [
            ("9010", "1-0:1.8.0"),
            ("9421", "1-0:2.8.1*101"),
            ("9140", "1-0:8.8.0"),
            ("A150", "1-0:6.6.0"),
            ("B611", "1-0:32.7.0"),
        ] {
            let obis = di.parse::<Identifier>().unwrap().obis().unwrap();
            assert!(obis.to_string().starts_with(code), "{di}: {obis}");
        }
        assert_eq!("901F".parse::<Identifier>().unwrap().obis(), None);
        assert_eq!("0001FF00".parse::<Identifier>().unwrap().obis(), None);
        assert_eq!(Identifier::from_obis(Obis::new(7, 0, 1, 8, 0, 255)), None);
    }

    #[test]
    fn values_carry_over() {
        let energy = scaled(Decimal::new(26, -2), Unit::KilowattHour);
        assert_eq!(energy.to_string(), "0.26 kWh");
    }
}
