//! A meter's flash whose blocks are shared with every other meter's as long as they hold the image, and which counts its time.

use std::collections::HashMap;
use std::sync::Arc;

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};

pub const SECTOR: u32 = 4096;

/// How long flash operations take.
#[derive(Copy, Clone, Debug)]
pub struct Times {
    /// Octets read per second, bus included.
    pub read_rate: f64,
    /// Seconds to program a page of 256 octets.
    pub page: f64,
    /// Seconds to erase a sector.
    pub erase: f64,
}

/// What the flash of every meter holds when all is well: meta plane, then image, block after block.
#[derive(Debug)]
pub struct Content {
    pub block: u32,
    /// Octets of the meta plane's span; the image starts after it.
    pub meta_span: u32,
    pub image_span: u32,
    pub octets: Vec<u8>,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug)]
enum Slot {
    Blank,
    Shared,
    Own,
    Dirty,
}

/// The rest (map and scratch) follows the image.
#[derive(Debug)]
pub struct MeterFlash {
    content: Arc<Content>,
    times: Times,
    slots: Vec<Slot>,
    own: HashMap<u32, Box<[u8]>>,
    /// Sectors past the image, by number.
    rest: HashMap<u32, Box<[u8]>>,
    /// Seconds since this was last taken.
    spent: f64,
}

impl MeterFlash {
    /// `dirty`: the spans hold an older image.
    pub fn new(content: Arc<Content>, times: Times, dirty: bool) -> Self {
        let slots = (content.meta_span + content.image_span).div_ceil(content.block);
        let slot = if dirty { Slot::Dirty } else { Slot::Blank };
        MeterFlash {
            content,
            times,
            slots: vec![slot; slots as usize],
            own: HashMap::new(),
            rest: HashMap::new(),
            spent: 0.0,
        }
    }

    /// Seconds spent in operations since the last call.
    pub fn take_time(&mut self) -> f64 {
        std::mem::take(&mut self.spent)
    }

    fn shared_span(&self) -> u32 {
        self.content.meta_span + self.content.image_span
    }

    fn shared(&self, slot: u32) -> &[u8] {
        let from = (slot * self.content.block) as usize;
        self.content
            .octets
            .get(from..)
            .map_or(&[], |rest| &rest[..rest.len().min(self.content.block as usize)])
    }

    fn own(&mut self, slot: u32) -> &mut [u8] {
        let block = self.content.block as usize;
        if self.slots[slot as usize] != Slot::Own {
            let mut octets = match self.slots[slot as usize] {
                Slot::Dirty => vec![0; block],
                Slot::Shared => self.shared(slot).to_vec(),
                _ => vec![0xFF; block],
            };
            octets.resize(block, 0xFF);
            self.own.insert(slot, octets.into());
            self.slots[slot as usize] = Slot::Own;
        }
        self.own.get_mut(&slot).expect("inserted above")
    }
}

impl ErrorType for MeterFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for MeterFlash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error> {
        // Command and address, then the octets.
        self.spent += (out.len() as f64 + 5.0) / self.times.read_rate;
        let (mut at, mut left) = (offset, out);
        while !left.is_empty() {
            let shared = at < self.shared_span();
            let unit = if shared { self.content.block } else { SECTOR };
            let base = if shared { 0 } else { self.shared_span() };
            let (slot, within) = ((at - base) / unit, ((at - base) % unit) as usize);
            let len = left.len().min(unit as usize - within);
            let (now, later) = left.split_at_mut(len);
            let from = if !shared {
                self.rest.get(&slot).map(|octets| &octets[..])
            } else {
                match self.slots[slot as usize] {
                    Slot::Blank => None,
                    Slot::Shared => Some(self.shared(slot)),
                    Slot::Own => self.own.get(&slot).map(|octets| &octets[..]),
                    Slot::Dirty => Some(&[][..]),
                }
            };
            match from {
                None => now.fill(0xFF),
                Some([]) => now.fill(0),
                Some(octets) => {
                    let have = octets.len().saturating_sub(within).min(len);
                    now[..have].copy_from_slice(&octets[within..within + have]);
                    now[have..].fill(0xFF);
                }
            }
            at += len as u32;
            left = later;
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        usize::MAX >> 33
    }
}

impl NorFlash for MeterFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        self.spent += f64::from((to - from) / SECTOR) * self.times.erase;
        let span = self.shared_span();
        let mut at = from;
        while at < to {
            if at < span {
                // Spans are whole sectors and whole blocks.
                let block = self.content.block;
                for slot in at / block..(at + SECTOR).div_ceil(block).min(self.slots.len() as u32) {
                    if block > SECTOR || slot * block < at {
                        let from = at.max(slot * block) - slot * block;
                        let to = (at + SECTOR).min((slot + 1) * block) - slot * block;
                        self.own(slot)[from as usize..to as usize].fill(0xFF);
                    } else {
                        self.own.remove(&slot);
                        self.slots[slot as usize] = Slot::Blank;
                    }
                }
            } else {
                self.rest.remove(&((at - span) / SECTOR));
            }
            at += SECTOR;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let pages = (offset % 256 + bytes.len() as u32).div_ceil(256);
        self.spent += f64::from(pages) * self.times.page + (bytes.len() as f64 + 5.0) / self.times.read_rate;
        let span = self.shared_span();
        let (mut at, mut left) = (offset, bytes);
        while !left.is_empty() {
            let shared = at < span;
            let unit = if shared { self.content.block } else { SECTOR };
            let base = if shared { 0 } else { span };
            let (slot, within) = ((at - base) / unit, ((at - base) % unit) as usize);
            let len = left.len().min(unit as usize - within);
            let (now, later) = left.split_at(len);
            if shared && within == 0 && self.slots[slot as usize] == Slot::Blank && self.shared(slot) == now {
                self.slots[slot as usize] = Slot::Shared;
            } else {
                let to = if shared {
                    self.own(slot)
                } else {
                    self.rest.entry(slot).or_insert_with(|| vec![0xFF; SECTOR as usize].into())
                };
                for (to, octet) in to[within..].iter_mut().zip(now) {
                    *to &= octet;
                }
            }
            at += len as u32;
            left = later;
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for MeterFlash {}

impl MeterFlash {
    /// Lengths of the meta plane's and the image's span.
    pub fn spans(&self) -> (u32, u32) {
        (self.content.meta_span, self.content.image_span)
    }
}
