//! Voltages kept over a power failure: `flags, then for each record: time u32, voltage u16 for each phase, CRC u16`, big-endian.
//!
//! The EEPROM is erased beforehand, so that an octet need only be written (1.8 ms) when the power fails. The flags come
//! first and the newest record behind them: what the backup power does not last for is the oldest. A record that was cut
//! has a wrong check value. Flags, low when set: bit 0 power failed, bit 1 three phases.

use super::reading::{Reading, VOLTAGE};
use crate::sink::Sink;

/// Records kept: 100 s of list 2.
pub const RECORDS: u8 = 10;

/// Octets of the EEPROM that are used: flags, and records of three phases.
pub const SIZE: u16 = 121;

const NONE: Record = Record { time: 0, voltages: [0; 3] };

#[derive(Clone, Copy, Debug)]
struct Record {
    time: u32,
    voltages: [u16; 3],
}

/// The last voltages, newest last.
#[derive(Clone, Copy, Debug)]
pub struct Recent {
    records: [Record; RECORDS as usize],
    held: u8,
    three: bool,
}

impl Default for Recent {
    fn default() -> Self {
        Self::new()
    }
}

impl Recent {
    /// Nothing yet.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { records: [NONE; RECORDS as usize], held: 0, three: false }
    }

    /// Takes the voltages of a message, if it has any.
    pub fn take(&mut self, reading: &Reading, time: u32) {
        if reading.present >> VOLTAGE == 0 {
            return;
        }
        self.records.copy_within(1.., 0);
        if let Some(record) = self.records.last_mut() {
            let voltages = reading.values.iter().skip(VOLTAGE);
            record.time = time;
            for (place, voltage) in record.voltages.iter_mut().zip(voltages) {
                *place = u16::try_from(*voltage).unwrap_or(u16::MAX);
            }
        }
        let three = reading.phases() == 3;
        // Records of one phase and of three cannot stand together.
        self.held = if three == self.three { self.held.saturating_add(1).min(RECORDS) } else { 1 };
        self.three = three;
    }

    /// What goes into the EEPROM, from its start on.
    pub fn save(&self, out: &mut impl Sink) {
        if self.held == 0 {
            return;
        }
        out.put(if self.three { 0xFC } else { 0xFE });
        for record in self.records.iter().rev().take(usize::from(self.held)) {
            let mut check = Check(0xFFFF);
            let mut both = |octet: u8| {
                check.put(octet);
                out.put(octet);
            };
            both.put_all(&record.time.to_be_bytes());
            for voltage in record.voltages.iter().take(if self.three { 3 } else { 1 }) {
                both.put_all(&voltage.to_be_bytes());
            }
            let value = !check.0;
            out.put_all(&value.to_be_bytes());
        }
    }
}

/// Whether the EEPROM, whose first octet this is, holds records.
#[must_use]
pub const fn has_failed(flags: u8) -> bool {
    flags & 1 == 0
}

/// The payload of `pf/ID` from the EEPROM: records with a wrong check value are left out.
pub fn publish(read: impl Fn(u16) -> u8, out: &mut impl Sink) {
    let three = read(0) & 2 == 0;
    let len = if three { 10u16 } else { 6 };
    out.put(if three { 3 } else { 1 });
    let mut at = 1u16;
    for _ in 0..RECORDS {
        let octets = || (0..len).map(|offset| read(at.wrapping_add(offset)));
        let mut check = Check(0xFFFF);
        octets().for_each(|octet| check.put(octet));
        let stored =
            u16::from_be_bytes([read(at.wrapping_add(len)), read(at.wrapping_add(len).wrapping_add(1))]);
        if !check.0 == stored {
            octets().for_each(|octet| out.put(octet));
        }
        at = at.wrapping_add(len).wrapping_add(2);
    }
}

/// CRC-16/X-25, as in the frames.
struct Check(u16);

impl Sink for Check {
    fn put(&mut self, octet: u8) {
        self.0 ^= u16::from(octet);
        for _ in 0..8 {
            self.0 = if self.0 & 1 == 0 { self.0 >> 1 } else { self.0 >> 1 ^ 0x8408 };
        }
    }
}
