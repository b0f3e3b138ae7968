//! A NOR flash in RAM that keeps the contract and counts what is done to it.

use core::convert::Infallible;
use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};

/// Octets that are erased together, and that are programmed together.
pub const SECTOR: usize = 4096;
pub const WORD: usize = 4;

/// What was done to a flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sectors.
    pub erased: u64,
    pub programs: u64,
    /// Octets.
    pub programmed: u64,
    pub reads: u64,
    /// Octets.
    pub read: u64,
}

impl Counts {
    pub const fn and(self, other: Self) -> Self {
        Self {
            erased: self.erased + other.erased,
            programs: self.programs + other.programs,
            programmed: self.programmed + other.programmed,
            reads: self.reads + other.reads,
            read: self.read + other.read,
        }
    }
}

pub struct RamFlash {
    pub octets: Vec<u8>,
    pub counts: Counts,
}

impl RamFlash {
    pub fn new(len: usize) -> Self {
        Self { octets: vec![0xFF; len], counts: Counts::default() }
    }

    /// What the factory or a transfer put there; not counted.
    pub fn put(&mut self, at: usize, octets: &[u8]) {
        self.octets[at..at + octets.len()].copy_from_slice(octets);
    }
}

impl ErrorType for RamFlash {
    type Error = Infallible;
}

impl ReadNorFlash for RamFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Infallible> {
        self.counts.reads += 1;
        self.counts.read += octets.len() as u64;
        octets.copy_from_slice(&self.octets[offset as usize..][..octets.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.octets.len()
    }
}

impl NorFlash for RamFlash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Infallible> {
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(SECTOR) && to.is_multiple_of(SECTOR), "erase {from}..{to}");
        self.counts.erased += ((to - from) / SECTOR) as u64;
        self.octets[from..to].fill(0xFF);
        Ok(())
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Infallible> {
        let at = offset as usize;
        assert!(at.is_multiple_of(WORD) && octets.len().is_multiple_of(WORD), "write {at} {}", octets.len());
        self.counts.programs += 1;
        self.counts.programmed += octets.len() as u64;
        for (cell, new) in self.octets[at..][..octets.len()].iter_mut().zip(octets) {
            *cell &= new;
        }
        Ok(())
    }
}

/// It takes zeros over what is programmed, as it may have to for our block map.
impl MultiwriteNorFlash for RamFlash {}
