//! What a meter remembers of a session over a power cut: its parameters and which blocks it has.

mod eeprom;
mod flash;

pub use eeprom::{Eeprom, EepromMap};
pub use flash::FlashMap;

use crate::codec::{Reader, Writer};
use crate::flash::FlashError;
use crate::hash::crc32;
use crate::message::Initiate;
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

/// The session a map is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub session: Session,
    /// Its parameters.
    pub initiate: Initiate,
    /// Blocks of both planes.
    pub units: u16,
}

/// Octets of a stored record with sequence number and check value.
pub(crate) const RECORD_LEN: u16 = 48;

impl Record {
    /// `"UPM1" | sequence u32 | session 6 | size u32 | block u16 | manifest u16 | CRC u32 | digest 16 | units u16 | CRC-32 u32`.
    pub(crate) fn encode(&self, sequence: u32) -> [u8; RECORD_LEN as usize] {
        let mut octets = [0u8; RECORD_LEN as usize];
        let mut w = Writer::new(&mut octets);
        let i = &self.initiate;
        let manifest = (i.manifest & 0x7FFF) | (u16::from(i.tagged) << 15);
        // Cannot fail: the fields are 44 octets and the check value 4.
        let _ = w
            .put(b"UPM1")
            .and_then(|()| w.u32(sequence))
            .and_then(|()| w.u16(self.session.id))
            .and_then(|()| w.u32(self.session.image))
            .and_then(|()| w.u32(i.size))
            .and_then(|()| w.u16(i.block))
            .and_then(|()| w.u16(manifest))
            .and_then(|()| w.u32(i.crc))
            .and_then(|()| w.put(&i.digest))
            .and_then(|()| w.u16(self.units));
        let crc = w.finish().first_chunk::<{ RECORD_LEN as usize - 4 }>().map_or(0, |fields| crc32(fields));
        if let Some((_, tail)) = octets.split_last_chunk_mut::<4>() {
            *tail = crc.to_be_bytes();
        }
        octets
    }

    /// The record and its sequence number, if the check value is right.
    pub(crate) fn decode(octets: &[u8; RECORD_LEN as usize]) -> Option<(Record, u32)> {
        let (fields, tail) = octets.split_last_chunk::<4>()?;
        let mut r = Reader(fields);
        if r.array::<4>()? != *b"UPM1" || u32::from_be_bytes(*tail) != crc32(fields) {
            return None;
        }
        let sequence = r.u32()?;
        let session = Session { id: r.u16()?, image: r.u32()? };
        let (size, block, manifest) = (r.u32()?, r.u16()?, r.u16()?);
        let (crc, digest) = (r.u32()?, r.array()?);
        let initiate = Initiate {
            size,
            block,
            manifest: manifest & 0x7FFF,
            tagged: manifest & 0x8000 != 0,
            crc,
            digest,
        };
        Some((Record { session, initiate, units: r.u16()? }, sequence))
    }
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

    /// Forgets units `from..to` and steps after [`Mark::Erased`], before their sector is erased.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    fn forget(&mut self, flash: &mut F, from: u16, to: u16) -> Result<(), FlashError>;

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
    for (at, octet) in octets.iter_mut().enumerate() {
        let first = usize::from(base).saturating_add(at).saturating_mul(8);
        for bit in 0..8usize {
            let unit = first.saturating_add(bit);
            if unit >= usize::from(from) && unit < usize::from(to) {
                *octet |= 0x80u8 >> bit;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_round_trips_and_any_flipped_octet_voids_it() {
        let record = Record {
            session: Session { id: 7, image: 8 },
            initiate: Initiate { size: 9, block: 16, manifest: 112, tagged: true, crc: 10, digest: [4; 16] },
            units: 99,
        };
        let octets = record.encode(5);
        assert_eq!(Record::decode(&octets), Some((record, 5)));
        for at in 0..octets.len() {
            let mut wrong = octets;
            wrong[at] ^= 0x11;
            assert_eq!(Record::decode(&wrong), None, "{at}");
        }
    }
}
