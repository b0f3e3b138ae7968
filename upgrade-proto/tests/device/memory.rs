//! Memories on one supply that fails at a chosen operation, inside it.

use core::cell::RefCell;
use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use std::rc::Rc;
use upgrade_proto::bitmap::Eeprom;
use upgrade_proto::flash::FlashError;

#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 16) % n
    }
    pub fn octets(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| (self.next() >> 32) as u8).collect()
    }
}

/// How a cut operation leaves the memory.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Tear {
    /// As it was: the operation is atomic.
    Nothing,
    FirstHalf,
    SecondHalf,
    /// Each bit as it was or as it shall be.
    Bits(u64),
}

impl Tear {
    pub const ALL: [Tear; 4] = [Tear::Nothing, Tear::FirstHalf, Tear::SecondHalf, Tear::Bits(0x5EED)];

    pub fn random(rng: &mut Rng) -> Tear {
        match rng.below(4) {
            0 => Tear::Nothing,
            1 => Tear::FirstHalf,
            2 => Tear::SecondHalf,
            _ => Tear::Bits(rng.next()),
        }
    }

    /// Bits of octet `at` of `len` that the operation reaches.
    fn masks(self, len: usize) -> Vec<u8> {
        match self {
            Tear::Nothing => vec![0; len],
            Tear::FirstHalf => (0..len).map(|at| if at < len / 2 { 0xFF } else { 0 }).collect(),
            Tear::SecondHalf => (0..len).map(|at| if at >= len / 2 { 0xFF } else { 0 }).collect(),
            Tear::Bits(seed) => Rng::new(seed).octets(len),
        }
    }
}

/// The supply: counts operations of all memories on it, and fails.
#[derive(Clone, Debug, Default)]
pub struct Supply {
    pub operations: u64,
    /// Operations until each cut, from the start or from the cut before.
    pub cuts: Vec<(u64, Tear)>,
    pub dead: bool,
}

impl Supply {
    /// `Err`: dead. `Ok(Some(_))`: dies in this operation.
    fn operate(&mut self) -> Result<Option<Tear>, Cut> {
        if self.dead {
            return Err(Cut);
        }
        self.operations += 1;
        match self.cuts.first_mut() {
            Some((0, tear)) => {
                let tear = *tear;
                self.cuts.remove(0);
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
}

pub type Line = Rc<RefCell<Supply>>;

/// The operation failed: the supply went, or the cells do not take it.
#[derive(Debug, PartialEq, Eq)]
pub struct Cut;

impl NorFlashError for Cut {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Unit {
    Erased,
    Programmed,
    /// By an operation that was cut: whatever it looks like, on flash that takes each unit once it takes nothing before a whole erase.
    Torn,
}

#[derive(Debug)]
pub struct Cells {
    pub octets: Vec<u8>,
    units: Vec<Unit>,
    pub erases: Vec<u32>,
    pub programs: u64,
}

/// A NOR flash that keeps the contract: aligned, in range, programmed once after an erase (`MULTI`: again, zeros staying). Clones are
/// the same chip.
#[derive(Clone, Debug)]
pub struct Nor<const W: usize, const E: usize, const MULTI: bool> {
    pub line: Line,
    pub cells: Rc<RefCell<Cells>>,
}

impl<const W: usize, const E: usize, const MULTI: bool> Nor<W, E, MULTI> {
    pub fn new(line: &Line, len: usize) -> Self {
        let cells = Cells {
            octets: vec![0xFF; len],
            units: vec![Unit::Erased; len / W],
            erases: vec![0; len / E],
            programs: 0,
        };
        Nor { line: line.clone(), cells: Rc::new(RefCell::new(cells)) }
    }
    /// What the factory puts in.
    pub fn load(&self, at: u32, octets: &[u8]) {
        let mut cells = self.cells.borrow_mut();
        let at = at as usize;
        cells.octets[at..at + octets.len()].copy_from_slice(octets);
        cells.units[at / W..(at + octets.len()).div_ceil(W)].fill(Unit::Programmed);
    }
    pub fn dump(&self, at: u32, len: usize) -> Vec<u8> {
        self.cells.borrow().octets[at as usize..at as usize + len].to_vec()
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> ErrorType for Nor<W, E, MULTI> {
    type Error = Cut;
}

impl<const W: usize, const E: usize, const MULTI: bool> ReadNorFlash for Nor<W, E, MULTI> {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Cut> {
        if self.line.borrow().dead {
            return Err(Cut);
        }
        let cells = self.cells.borrow();
        let from = offset as usize;
        let range = cells.octets.get(from..from + octets.len());
        octets.copy_from_slice(range.expect("read outside the chip"));
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.cells.borrow().octets.len()
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> NorFlash for Nor<W, E, MULTI> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Cut> {
        let tear = self.line.borrow_mut().operate()?;
        let (from, to) = (from as usize, to as usize);
        let mut cells = self.cells.borrow_mut();
        assert!(
            from < to && from.is_multiple_of(E) && to.is_multiple_of(E) && to <= cells.octets.len(),
            "erase {from}..{to}"
        );
        match tear {
            None => cells.octets[from..to].fill(0xFF),
            Some(tear) => {
                let masks = tear.masks(to - from);
                cells.octets[from..to].iter_mut().zip(masks).for_each(|(octet, mask)| *octet |= mask);
            }
        }
        cells.units[from / W..to / W].fill(if tear.is_some() { Unit::Torn } else { Unit::Erased });
        cells.erases[from / E..to / E].iter_mut().for_each(|count| *count += 1);
        if tear.is_some() { Err(Cut) } else { Ok(()) }
    }
    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Cut> {
        let tear = self.line.borrow_mut().operate()?;
        let at = offset as usize;
        let mut cells = self.cells.borrow_mut();
        assert!(
            at.is_multiple_of(W) && octets.len().is_multiple_of(W) && at + octets.len() <= cells.octets.len(),
            "write {at} {}",
            octets.len()
        );
        for unit in at / W..(at + octets.len()) / W {
            assert!(MULTI || cells.units[unit] != Unit::Programmed, "unit {unit} programmed twice");
            if !MULTI && cells.units[unit] == Unit::Torn {
                return Err(Cut);
            }
            cells.units[unit] = if tear.is_some() { Unit::Torn } else { Unit::Programmed };
        }
        cells.programs += 1;
        match tear {
            None => cells.octets[at..].iter_mut().zip(octets).for_each(|(cell, new)| *cell &= new),
            Some(tear) => {
                let masks = tear.masks(octets.len());
                let new = octets.iter().zip(masks).map(|(new, mask)| new | !mask);
                cells.octets[at..].iter_mut().zip(new).for_each(|(cell, new)| *cell &= new);
            }
        }
        if tear.is_some() { Err(Cut) } else { Ok(()) }
    }
}

impl<const W: usize, const E: usize> MultiwriteNorFlash for Nor<W, E, true> {}

/// An EEPROM with pages of `P` octets: a write that is cut may leave anything in its page.
#[derive(Clone, Debug)]
pub struct Rom<const P: usize> {
    pub line: Line,
    pub octets: Rc<RefCell<Vec<u8>>>,
    pub writes: Rc<RefCell<Vec<u32>>>,
}

impl<const P: usize> Rom<P> {
    pub fn new(line: &Line, len: usize) -> Self {
        Rom {
            line: line.clone(),
            octets: Rc::new(RefCell::new(vec![0xA5; len])),
            writes: Rc::new(RefCell::new(vec![0; len.div_ceil(P)])),
        }
    }
}

impl<const P: usize> Eeprom for Rom<P> {
    const PAGE: u32 = P as u32;
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        if self.line.borrow().dead {
            return Err(FlashError);
        }
        out.copy_from_slice(&self.octets.borrow()[at as usize..at as usize + out.len()]);
        Ok(())
    }
    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError> {
        let at = at as usize;
        assert!(!octets.is_empty() && at / P == (at + octets.len() - 1) / P, "a write within one page");
        let tear = self.line.borrow_mut().operate().map_err(|_| FlashError)?;
        self.writes.borrow_mut()[at / P] += 1;
        let mut cells = self.octets.borrow_mut();
        let Some(tear) = tear else {
            cells[at..at + octets.len()].copy_from_slice(octets);
            return Ok(());
        };
        if let Tear::Bits(seed) = tear {
            let from = at / P * P;
            let end = (from + P).min(cells.len());
            let noise = Rng::new(seed).octets(P);
            cells[from..end].iter_mut().zip(noise).for_each(|(cell, noise)| *cell = noise);
        } else {
            let masks = tear.masks(octets.len());
            for ((cell, new), mask) in cells[at..].iter_mut().zip(octets).zip(masks) {
                *cell = (*cell & !mask) | (new & mask);
            }
        }
        Err(FlashError)
    }
}
