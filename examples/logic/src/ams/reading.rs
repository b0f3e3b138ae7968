//! What a list says, whichever of the three makers sent it: found out by the layout, not by a length.

use dlms_hdlc::Llc;
use obis::Obis;

use super::cursor::{Cursor, Item};

/// Values of list 2: powers, currents, voltages.
pub const FIELDS: usize = 10;

/// Place of the first voltage.
pub const VOLTAGE: usize = 7;

/// The numbers of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Local time of the meter, in seconds since 1970-01-01; 0 where the message says none.
    pub time: u32,
    /// By field; see [`crate::ams`].
    pub values: [u32; FIELDS],
    /// Which of them the list holds, bit 0 for the first.
    pub present: u16,
    /// Energies of list 3: import, export, reactive import, reactive export; in Wh and varh.
    pub energies: [u32; 4],
    /// Which of them the list holds.
    pub energies_present: u8,
}

/// How a list names its values.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// `{code, value, {scaler, unit}}` each (Aidon).
    Named,
    /// Code and value in turn, unscaled (Kamstrup).
    Pairs,
    /// By position (Kaifa).
    Positions,
}

impl Reading {
    /// Takes the information field of a frame in: LLC, notification, list; `false` if it is none that is known. By
    /// reference, since a value that is returned stands on the stack twice.
    #[inline(always)]
    pub fn parse(&mut self, information: &[u8]) -> bool {
        self.notification(information).is_some() && self.present != 0
    }

    fn notification(&mut self, information: &[u8]) -> Option<()> {
        let (_, apdu) = Llc::parse(information)?;
        let [0x0F, _, _, _, _, behind @ ..] = apdu else { return None };
        // The date-time is an octet-string with its tag (Kaifa) or without (Kamstrup), or empty (Aidon).
        let body = match behind {
            [0, body @ ..] => body,
            [12, behind @ ..] | [9, 12, behind @ ..] => {
                let (time, body) = behind.split_at_checked(12)?;
                self.time = seconds(time);
                body
            }
            _ => return None,
        };
        self.list(body)
    }

    /// How many phases the list has voltages of.
    #[must_use]
    pub fn phases(&self) -> u8 {
        let voltages = self.present >> VOLTAGE;
        if voltages & 0b110 == 0 { 1 } else { 3 }
    }

    fn list(&mut self, body: &[u8]) -> Option<()> {
        let mut list = Cursor::new(body);
        let (layout, members) = match list.next()? {
            Item::Array(_) => (Layout::Named, 0),
            Item::Structure(1) => (Layout::Positions, 1),
            Item::Structure(members) => match list.clone().next()? {
                Item::Octets([b'K', b'a', b'm', ..]) => (Layout::Pairs, members),
                Item::Octets([b'K', b'F', b'M', ..]) => (Layout::Positions, members),
                _ => return None,
            },
            _ => return None,
        };
        let mut member = 0u8;
        if layout == Layout::Pairs {
            list.next()?;
        }
        while !list.is_empty() {
            let item = list.next()?;
            let code = match (layout, item) {
                (Layout::Positions, _) => {
                    if let Some(code) = position(member, members) {
                        self.take(code, item, 0, layout);
                    }
                    member = member.wrapping_add(1);
                    continue;
                }
                (Layout::Named, Item::Structure(2 | 3)) => list.next()?,
                // One-phase meters leave nulls where the pairs of the other phases would be.
                (Layout::Pairs, Item::Null) => continue,
                (Layout::Pairs, code) => code,
                _ => return None,
            };
            let Item::Octets(code) = code else { return None };
            let code = Obis::from_slice(code)?;
            let value = list.next()?;
            let mut exponent = 0;
            if let (Layout::Named, Item::Structure(3)) = (layout, item) {
                let (Item::Structure(2), scaler, _) = (list.next()?, list.next()?, list.next()?) else {
                    return None;
                };
                let Item::Number(scaler) = scaler else { return None };
                exponent = i8::try_from(scaler).ok()?;
            }
            self.take(code, value, exponent, layout);
        }
        Some(())
    }

    /// Takes a value, whose number is times ten to the power of `exponent` where the list says so.
    fn take(&mut self, code: Obis, value: Item<'_>, exponent: i8, layout: Layout) {
        if code.octets() == [0, 0, 1, 0, 0, 255] || code.octets() == [0, 1, 1, 0, 0, 255] {
            if let Item::Octets(time) = value {
                self.time = seconds(time);
            }
            return;
        }
        let [1, _, c, d, 0, 255] = code.octets() else { return };
        let Item::Number(number) = value else { return };
        // Nothing that a meter sends here is negative, nor near 2^31.
        let Ok(number) = u32::try_from(number) else { return };
        if d == 8 {
            let Some(place) = usize::from(c).checked_sub(1) else { return };
            let Some(energy) = self.energies.get_mut(place) else { return };
            let exponent = if layout == Layout::Pairs { 1 } else { exponent };
            *energy = times_ten(number, exponent);
            self.energies_present |= 1 << place;
            return;
        }
        if d != 7 {
            return;
        }
        // How many powers of ten the list's unit is above the field's.
        let (place, shift) = match c {
            1..=4 => (c.wrapping_sub(1), exponent),
            31 | 51 | 71 => (
                third(c).wrapping_add(4),
                match layout {
                    Layout::Named => exponent.wrapping_add(3),
                    Layout::Pairs => 1,
                    Layout::Positions => 0,
                },
            ),
            32 | 52 | 72 => (
                third(c).wrapping_add(7),
                match layout {
                    Layout::Named => exponent.wrapping_add(1),
                    Layout::Pairs => 1,
                    Layout::Positions => 0,
                },
            ),
            _ => return,
        };
        if let Some(field) = self.values.get_mut(usize::from(place)) {
            *field = times_ten(number, shift);
            self.present |= 1 << place;
        }
    }
}

/// Phase of the codes 31, 51, 71 and their like, from 0.
const fn third(c: u8) -> u8 {
    match c {
        ..40 => 0,
        40..60 => 1,
        _ => 2,
    }
}

fn times_ten(mut number: u32, mut power: i8) -> u32 {
    while power > 0 {
        number = number.saturating_mul(10);
        power = power.wrapping_sub(1);
    }
    while power < 0 {
        number = number.div_euclid(10);
        power = power.wrapping_add(1);
    }
    number
}

/// What stands where in the lists of Kaifa (KFM_001): 1, 9 or 13 members, and the clock and four energies behind them.
fn position(member: u8, members: u8) -> Option<Obis> {
    let phases = match members {
        1 => return Some(Obis::new(1, 0, 1, 7, 0, 255)),
        9 | 14 => 1,
        13 | 18 => 3,
        _ => return None,
    };
    let member = member.checked_sub(3)?;
    if member < 4 {
        return Some(Obis::new(1, 0, member.wrapping_add(1), 7, 0, 255));
    }
    let member = member.wrapping_sub(4);
    if member < phases {
        return Some(Obis::new(1, 0, member.wrapping_mul(20).wrapping_add(31), 7, 0, 255));
    }
    let member = member.wrapping_sub(phases);
    if member < phases {
        return Some(Obis::new(1, 0, member.wrapping_mul(20).wrapping_add(32), 7, 0, 255));
    }
    match member.wrapping_sub(phases) {
        0 => Some(Obis::new(0, 0, 1, 0, 0, 255)),
        energy @ 1..=4 => Some(Obis::new(1, 0, energy, 8, 0, 255)),
        _ => None,
    }
}

/// Seconds since 1970 of a COSEM date-time, as the clock shows it; 0 where a part is not specified.
fn seconds(time: &[u8]) -> u32 {
    let [high, low, month @ 1..=12, day @ 1..=31, _, hour @ 0..=23, minute @ 0..=59, second @ 0..=59, ..] =
        *time
    else {
        return 0;
    };
    let Some(years @ 2..=131) = u16::from_be_bytes([high, low]).checked_sub(1968) else { return 0 };
    // Years and months from 1 March 1968 on, so that the day more stands at the end of every fourth year; 2100 has none.
    let (years, month) = if month > 2 {
        (years, month.wrapping_sub(3))
    } else {
        (years.wrapping_sub(1), month.wrapping_add(9))
    };
    let days = u32::from(years)
        .wrapping_mul(1461)
        .wrapping_shr(2)
        .wrapping_add(u32::from(month).wrapping_mul(153).wrapping_add(2).div_euclid(5))
        .wrapping_add(u32::from(day))
        .wrapping_sub(672);
    let hours = days.wrapping_mul(24).wrapping_add(u32::from(hour));
    hours.wrapping_mul(60).wrapping_add(u32::from(minute)).wrapping_mul(60).wrapping_add(u32::from(second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970() {
        assert_eq!(seconds(&[0x07, 0xB2, 1, 1, 4, 0, 0, 0, 0, 0, 0, 0]), 0);
        assert_eq!(seconds(&[0x07, 0xD0, 2, 29, 2, 12, 0, 0, 0, 0, 0, 0]), 951_825_600);
        assert_eq!(seconds(&[0x07, 0xEA, 11, 21, 6, 3, 15, 30, 0, 0, 0, 0]), 1_795_230_930);
        assert_eq!(seconds(&[0xFF, 0xFF, 11, 21, 6, 3, 15, 30, 0, 0, 0, 0]), 0);
    }
}
