//! What a meter remembers of a session over a power cut: its parameters and which blocks it has.

mod eeprom;
mod flash;

pub use eeprom::{Eeprom, EepromMap};
pub use flash::FlashMap;

use crate::codec::Sink;
use crate::flash::FlashError;
use crate::hash::crc32;
use crate::message::{ANNOUNCED_LEN, Announced, Initiate, part};
use crate::session::Session;

/// Steps of a session that are remembered beside the blocks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Room for the image is erased; blocks may come.
    Erased,
    /// The whole image was checked and is right.
    Verified,
    /// The whole image was checked and is wrong.
    Failed,
    /// Reserved for the installer.
    Armed,
}

impl Mark {
    /// How many there are.
    pub const COUNT: u8 = 4;

    pub(crate) const fn bit(self) -> u8 {
        match self {
            Mark::Erased => 0,
            Mark::Verified => 1,
            Mark::Failed => 2,
            Mark::Armed => 3,
        }
    }
}

/// The session a map is of, as it stands in the memory.
///
/// Layout: `"UPM1" | sequence u32 | session 6 | size u32 | block u16 | manifest u16 | CRC u32 | digest 16 | units u16 | CRC-32 u32`.
// Aligned, so that it is copied by words.
#[derive(Copy, Clone)]
#[repr(align(4))]
pub struct Record(pub(crate) [u8; RECORD_LEN as usize]);

/// Octets of a stored record with sequence number and check value.
pub(crate) const RECORD_LEN: u16 = 48;

const LEN: usize = RECORD_LEN as usize;
const MAGIC: &[u8; 4] = b"UPM1";

impl Record {
    pub(crate) const NONE: Record = Record([0; LEN]);

    /// Of a session with `units` blocks of both planes.
    #[must_use]
    pub fn new(session: Session, initiate: &Initiate, units: u16) -> Self {
        let mut parameters = [0; ANNOUNCED_LEN - 6];
        initiate.write(&mut Sink::new(&mut parameters));
        let mut record = Record::read(session, &parameters);
        record.set_units(units);
        record
    }

    /// Of a session whose parameters stand in a message, its blocks not counted yet.
    pub(crate) fn read(session: Session, parameters: &[u8]) -> Self {
        let mut record = Record::NONE;
        let (front, rest) = record.0.split_at_mut(8);
        if let Some(magic) = front.first_chunk_mut() {
            *magic = *MAGIC;
        }
        let mut w = Sink::new(rest);
        session.write(&mut w);
        w.put(parameters);
        record
    }

    pub(crate) fn set_units(&mut self, units: u16) {
        let [.., a, b, _, _, _, _] = &mut self.0;
        [*a, *b] = units.to_be_bytes();
    }

    /// Name and parameters of the session.
    #[must_use]
    pub const fn announced(&self) -> Announced<'_> {
        Announced(part::<8, ANNOUNCED_LEN, LEN>(&self.0))
    }

    /// Blocks of both planes.
    #[must_use]
    pub const fn units(&self) -> u16 {
        u16::from_be_bytes(*part::<42, 2, LEN>(&self.0))
    }

    /// Grows by one with each record that is written.
    pub(crate) const fn sequence(&self) -> u32 {
        u32::from_be_bytes(*part::<4, 4, LEN>(&self.0))
    }

    /// Puts in the number and check value with which it is to be stored.
    pub(crate) fn seal(&mut self, sequence: u32) {
        let [_, _, _, _, a, b, c, d, ..] = &mut self.0;
        [*a, *b, *c, *d] = sequence.to_be_bytes();
        let crc = crc(&self.0);
        if let Some(place) = self.0.last_chunk_mut() {
            *place = crc;
        }
    }

    /// Whether it is a record, with the check value that belongs to it.
    pub(crate) fn is_right(&self) -> bool {
        part::<0, 4, LEN>(&self.0) == MAGIC && part::<44, 4, LEN>(&self.0) == &crc(&self.0)
    }
}

impl core::fmt::Debug for Record {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Record").field(&self.announced()).field(&self.units()).finish()
    }
}

/// The check value that belongs to a record.
#[inline(never)]
fn crc(octets: &[u8; LEN]) -> [u8; 4] {
    crc32(part::<0, 44, LEN>(octets)).to_be_bytes()
}

/// Remembers a session and its blocks. A bit may lag behind the data (the block is then asked for again, or found again), never
/// lead it: the receiver calls [`set`](BlockMap::set) after the block was read back, and an implementation keeps the order.
///
/// `flash` is the receiver's, for the implementation that lives in it.
pub trait BlockMap<F> {
    /// The flash takes the same octets over a torn attempt (see `MultiwriteNorFlash`).
    const REWRITES: bool;
    /// Bits may be lost in a power cut by more than one.
    const LAGS: bool;

    /// The session remembered, if there is one; takes the map in.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn load(&mut self, flash: &mut F) -> Result<Option<Record>, FlashError>;

    /// Starts a session with no block and no mark; the one before is remembered until this is complete.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails or is too small for the units.
    fn begin(&mut self, flash: &mut F, record: &Record) -> Result<(), FlashError>;

    /// Remembers a step.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn mark(&mut self, flash: &mut F, mark: Mark) -> Result<(), FlashError>;

    /// Whether a step was taken.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn marked(&mut self, flash: &mut F, mark: Mark) -> Result<bool, FlashError>;

    /// Reads map octets from octet `at` on: unit `8 at + i` is bit `i` from the most significant, 1 = missing.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn read(&mut self, flash: &mut F, at: u16, out: &mut [u8]) -> Result<(), FlashError>;

    /// Remembers that a unit is there.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn set(&mut self, flash: &mut F, unit: u16) -> Result<(), FlashError>;

    /// Forgets units `from..to` and steps after [`Mark::Erased`], before their sector is erased; `record` is the session's.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn forget(&mut self, flash: &mut F, record: &Record, from: u16, to: u16) -> Result<(), FlashError>;

    /// Units whose sectors were to be erased when the supply went: forgotten, and nothing was programmed there since.
    fn pending(&self) -> Option<(u16, u16)> {
        None
    }

    /// The sectors of forgotten units are erased.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn cleared(&mut self, _: &mut F) -> Result<(), FlashError> {
        Ok(())
    }

    /// Brings what is held back to the memory (call it from the power-fail interrupt too).
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn flush(&mut self, flash: &mut F) -> Result<(), FlashError>;
}

/// Sets bits of units `from..to` within octets that start at octet `base` of a map.
pub(crate) fn raise(octets: &mut [u8], base: u16, from: u16, to: u16) {
    for unit in from..to {
        // What lies before wraps around to what lies far past the end.
        if let Some(octet) = octets.get_mut(usize::from((unit >> 3).wrapping_sub(base))) {
            *octet |= 0x80u8 >> (unit & 7);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_round_trips_and_any_flipped_octet_voids_it() {
        let session = Session { id: 7, image: 8 };
        let initiate = Initiate { size: 9, block: 16, manifest: 112, tagged: true, crc: 10, digest: [4; 16] };
        let record = Record::new(session, &initiate, 99);
        let announced = record.announced();
        assert_eq!((announced.session(), announced.initiate(), record.units()), (session, initiate, 99));
        let mut sealed = record;
        sealed.seal(5);
        let octets = sealed.0;
        let again = Record(octets);
        assert!(again.is_right());
        assert_eq!((again.announced(), again.units(), again.sequence()), (announced, 99, 5));
        for at in 0..octets.len() {
            let mut wrong = octets;
            wrong[at] ^= 0x11;
            assert!(!Record(wrong).is_right(), "{at}");
        }
    }
}
