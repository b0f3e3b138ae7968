//! A flash that keeps the NorFlash contract and an EEPROM, both of which can be cut.

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use upgrade_proto::bitmap::Eeprom;
use upgrade_proto::flash::FlashError;

use super::Chance;

/// How a cut operation leaves the flash.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Tear {
    Nothing,
    FirstHalf,
    SecondHalf,
    Bits(u64),
}

/// `MULTI`: programming again is allowed and ANDs. Else a second write to a unit panics, as it breaks the contract.
#[derive(Clone, Debug)]
pub struct SimFlash<const W: usize, const E: usize, const MULTI: bool> {
    pub octets: Vec<u8>,
    pub written: Vec<bool>,
    pub erases: Vec<u32>,
    /// Operations until the supply goes.
    pub cut: Option<(u64, Tear)>,
    pub dead: bool,
    pub operations: u64,
}

#[derive(Debug)]
pub struct Cut;

impl NorFlashError for Cut {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> SimFlash<W, E, MULTI> {
    pub fn new(len: usize) -> Self {
        SimFlash {
            octets: vec![0xFF; len],
            written: vec![false; len / W],
            erases: vec![0; len / E],
            cut: None,
            dead: false,
            operations: 0,
        }
    }

    /// `None`: dead. `Some(None)`: go on. `Some(Some(tear))`: this one is cut.
    fn operate(&mut self) -> Result<Option<Tear>, Cut> {
        if self.dead {
            return Err(Cut);
        }
        self.operations += 1;
        match &mut self.cut {
            Some((0, tear)) => {
                let tear = *tear;
                self.cut = None;
                self.dead = true;
                Ok(Some(tear))
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn touched(tear: Option<Tear>, len: usize) -> Vec<u8> {
        // Mask of bits that the operation reaches.
        match tear {
            None => vec![0xFF; len],
            Some(Tear::Nothing) => vec![0; len],
            Some(Tear::FirstHalf) => (0..len).map(|at| if at < len / 2 { 0xFF } else { 0 }).collect(),
            Some(Tear::SecondHalf) => (0..len).map(|at| if at >= len / 2 { 0xFF } else { 0 }).collect(),
            Some(Tear::Bits(seed)) => {
                let mut rng = Chance::new(seed);
                (0..len).map(|_| rng.next() as u8).collect()
            }
        }
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> ErrorType for SimFlash<W, E, MULTI> {
    type Error = Cut;
}

impl<const W: usize, const E: usize, const MULTI: bool> ReadNorFlash for SimFlash<W, E, MULTI> {
    const READ_SIZE: usize = W;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Cut> {
        if self.dead {
            return Err(Cut);
        }
        assert!((offset as usize).is_multiple_of(W) && bytes.len().is_multiple_of(W), "unaligned read");
        bytes.copy_from_slice(&self.octets[offset as usize..][..bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.octets.len()
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> NorFlash for SimFlash<W, E, MULTI> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Cut> {
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(E) && to.is_multiple_of(E) && to <= self.octets.len(), "unaligned erase");
        let tear = self.operate()?;
        let mask = Self::touched(tear, to - from);
        for (octet, mask) in self.octets[from..to].iter_mut().zip(mask) {
            *octet |= mask;
        }
        self.written[from / W..to / W].fill(tear.is_some());
        self.erases[from / E..to / E].iter_mut().for_each(|count| *count += 1);
        if tear.is_some() { Err(Cut) } else { Ok(()) }
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Cut> {
        let offset = offset as usize;
        assert!(offset.is_multiple_of(W) && bytes.len().is_multiple_of(W), "unaligned write");
        let tear = self.operate()?;
        for unit in offset / W..(offset + bytes.len()) / W {
            assert!(MULTI || !self.written[unit], "unit {unit} written twice");
            self.written[unit] = true;
        }
        let mask = Self::touched(tear, bytes.len());
        for ((octet, new), mask) in self.octets[offset..].iter_mut().zip(bytes).zip(mask) {
            *octet &= new | !mask;
        }
        if tear.is_some() { Err(Cut) } else { Ok(()) }
    }
}

impl<const W: usize, const E: usize> MultiwriteNorFlash for SimFlash<W, E, true> {}

/// An EEPROM with pages whose writes are counted, cut like the flash.
#[derive(Clone, Debug)]
pub struct SimEeprom {
    pub octets: Vec<u8>,
    pub page: usize,
    pub writes: Vec<u32>,
    pub cut: Option<(u64, u64)>,
    pub dead: bool,
}

impl SimEeprom {
    pub fn new(len: usize, page: usize) -> Self {
        SimEeprom { octets: vec![0xA5; len], page, writes: vec![0; len / page], cut: None, dead: false }
    }
}

impl Eeprom for SimEeprom {
    const PAGE: u32 = 32;
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        out.copy_from_slice(&self.octets[at as usize..][..out.len()]);
        Ok(())
    }
    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        let at = at as usize;
        for page in at / self.page..=(at + octets.len() - 1) / self.page {
            self.writes[page] += 1;
        }
        let cut = match &mut self.cut {
            Some((0, seed)) => Some(*seed),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if let Some(seed) = cut {
            // The page being written is anything.
            let mut rng = Chance::new(seed);
            let from = at / self.page * self.page;
            for octet in &mut self.octets[from..from + self.page] {
                *octet = rng.next() as u8;
            }
            self.dead = true;
            self.cut = None;
            return Err(FlashError);
        }
        self.octets[at..at + octets.len()].copy_from_slice(octets);
        Ok(())
    }
}
