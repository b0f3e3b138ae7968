//! Blocks in the flash: placed, compared, read back, counted. The order of steps that keeps the map behind the data is here.

use super::Layout;
use crate::bitmap::{BlockMap, Record};
use crate::flash::{self, CHUNK, FlashError};
use crate::hash::Hash256;
use crate::package::{MANIFEST_LEN, Manifest};
use crate::session::{DigestAt, Geometry, NODE_LEN, Plane};
use embedded_storage::nor_flash::NorFlash;

/// A session that is open.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Open {
    pub(crate) record: Record,
    pub(crate) geometry: Geometry,
    /// Digest of the top of the tag table, once the manifest is there.
    pub(crate) root: Option<[u8; NODE_LEN as usize]>,
    pub(crate) missing_meta: u16,
    pub(crate) missing_data: u16,
}

impl Open {
    /// The plane that is being received.
    pub(crate) const fn plane(&self) -> Plane {
        if self.missing_meta > 0 { Plane::Meta } else { Plane::Data }
    }

    pub(crate) const fn missing(&self, plane: Plane) -> u16 {
        match plane {
            Plane::Meta => self.missing_meta,
            Plane::Data => self.missing_data,
        }
    }
}

/// What became of a block.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// It is stored now.
    Stored,
    /// It was there.
    Had,
    /// Its number, length or digest is wrong, or its digest is not there yet.
    Refused,
}

#[derive(Debug)]
pub(crate) struct Store<F, M> {
    pub(crate) flash: F,
    pub(crate) map: M,
    pub(crate) layout: Layout,
    /// Blocks that were there were forgotten: what was computed from who has what is void.
    pub(crate) forgot: bool,
}

/// What a slot holds, compared with what it shall hold.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Slot {
    Blank,
    Same,
    /// Every zero in it is wanted: programming the same again makes it right.
    Torn,
    Other,
}

impl<F: NorFlash, M: BlockMap<F>> Store<F, M> {
    pub(crate) fn address(&self, open: &Open, plane: Plane, index: u16) -> u32 {
        let span = match plane {
            Plane::Meta => self.layout.meta,
            Plane::Data => self.layout.image,
        };
        span.start.wrapping_add(open.geometry.offset(index))
    }

    pub(crate) fn has_unit(&mut self, unit: u16) -> Result<bool, FlashError> {
        let mut octet = [0u8];
        self.map.read(&mut self.flash, unit >> 3, &mut octet)?;
        let [octet] = octet;
        Ok(octet & (0x80u8 >> (unit & 7)) == 0)
    }

    pub(crate) fn has(&mut self, open: &Open, plane: Plane, index: u16) -> Result<bool, FlashError> {
        match open.geometry.unit(plane, index) {
            Some(unit) => self.has_unit(unit),
            None => Ok(false),
        }
    }

    /// Calls `each` with every missing block of a plane from `from` on, until it returns `false`.
    pub(crate) fn missing(
        &mut self,
        open: &Open,
        plane: Plane,
        from: u16,
        each: &mut dyn FnMut(u16) -> bool,
    ) -> Result<(), FlashError> {
        let Some(first) = open.geometry.unit(plane, 0) else { return Ok(()) };
        let end = u32::from(first).saturating_add(open.geometry.count(plane).into());
        let mut unit = u32::from(first).saturating_add(from.into());
        while unit < end {
            let mut chunk = [0u8; CHUNK];
            let base = unit >> 3;
            let octets =
                usize::try_from(end.div_ceil(8).wrapping_sub(base)).map_err(|_| FlashError)?.min(CHUNK);
            let part = chunk.get_mut(..octets).ok_or(FlashError)?;
            self.map.read(&mut self.flash, u16::try_from(base).map_err(|_| FlashError)?, part)?;
            for &octet in part.iter() {
                let stop = (unit | 7).wrapping_add(1).min(end);
                while unit < stop {
                    let bit = 0x80u8 >> (unit & 7);
                    let index = unit.wrapping_sub(first.into());
                    if octet & bit != 0 && !each(u16::try_from(index).map_err(|_| FlashError)?) {
                        return Ok(());
                    }
                    unit = unit.wrapping_add(1);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn count(&mut self, open: &mut Open) -> Result<(), FlashError> {
        let (mut meta, mut data) = (0u16, 0u16);
        self.missing(open, Plane::Meta, 0, &mut |_| {
            meta = meta.wrapping_add(1);
            true
        })?;
        self.missing(open, Plane::Data, 0, &mut |_| {
            data = data.wrapping_add(1);
            true
        })?;
        open.missing_meta = meta;
        open.missing_data = data;
        Ok(())
    }

    /// Whether a block's octets are the ones the session means. Meta blocks of the manifest are checked by the caller.
    pub(crate) fn genuine<H: Hash256>(
        &mut self,
        open: &Open,
        plane: Plane,
        index: u16,
        data: &[u8],
    ) -> Result<bool, FlashError> {
        let digest = match open.geometry.digest_at(plane, index) {
            DigestAt::Nowhere => return Ok(true),
            DigestAt::Root => {
                let hash = H::of(data);
                return Ok(hash.first_chunk() == open.root.as_ref());
            }
            DigestAt::Meta { index, offset, len } => {
                if !self.has(open, Plane::Meta, index)? {
                    return Ok(false);
                }
                (self.layout.meta.start.wrapping_add(offset), usize::from(len))
            }
        };
        let mut want = [0u8; NODE_LEN as usize];
        let (at, len) = digest;
        let want = want.get_mut(..len).ok_or(FlashError)?;
        flash::read(&mut self.flash, at, want)?;
        Ok(H::of(data).get(..len) == Some(&*want))
    }

    pub(crate) fn manifest_here(&mut self, open: &Open) -> Result<bool, FlashError> {
        for index in 0..open.geometry.manifest_blocks() {
            if !self.has(open, Plane::Meta, index)? {
                return Ok(false);
            }
        }
        Ok(open.geometry.manifest_blocks() > 0)
    }

    /// Whether the manifest in flash is the one that was announced.
    pub(crate) fn manifest_genuine<H: Hash256>(&mut self, open: &Open) -> Result<bool, FlashError> {
        let mut hash = H::start();
        let at = self.address(open, Plane::Meta, 0);
        flash::scan(&mut self.flash, at, open.geometry.manifest().into(), &mut |part| {
            hash.feed(part);
            true
        })?;
        Ok(hash.done().first_chunk() == Some(&open.record.initiate.digest))
    }

    /// One of its blocks is forged or broken; which one cannot be known.
    pub(crate) fn forget_manifest(&mut self, open: &mut Open) -> Result<(), FlashError> {
        let blocks = open.geometry.manifest_blocks();
        self.map.forget(&mut self.flash, 0, blocks)?;
        // Nothing is to be erased: a block that comes finds its slot taken and sees to it.
        self.map.cleared(&mut self.flash)?;
        self.count(open)
    }

    /// The manifest's fixed fields from flash.
    pub(crate) fn read_manifest(&mut self, open: &Open) -> Result<Option<Manifest<'static>>, FlashError> {
        let mut head = [0u8; MANIFEST_LEN as usize];
        let at = self.address(open, Plane::Meta, 0);
        flash::read(&mut self.flash, at, &mut head)?;
        Ok(Manifest::head(&head))
    }

    fn compare(&mut self, at: u32, data: &[u8]) -> Result<Slot, FlashError> {
        let len = u32::try_from(data.len()).map_err(|_| FlashError)?;
        let (mut blank, mut same, mut torn) = (true, true, true);
        let mut want = data;
        flash::scan(&mut self.flash, at, len, &mut |part| {
            let (now, later) = want.split_at_checked(part.len()).unwrap_or((&[], &[]));
            want = later;
            for (is, want) in part.iter().zip(now) {
                blank &= *is == 0xFF;
                same &= is == want;
                torn &= is & want == *want;
            }
            blank || torn
        })?;
        Ok(match (blank, same, torn) {
            (true, false, _) => Slot::Blank,
            (_, true, _) => Slot::Same,
            (_, _, true) => Slot::Torn,
            _ => Slot::Other,
        })
    }

    /// Stores a block whose digest was checked: programs it, reads it back, sets its bit, in this order.
    pub(crate) fn put(
        &mut self,
        open: &mut Open,
        plane: Plane,
        index: u16,
        data: &[u8],
    ) -> Result<Put, FlashError> {
        let Some(unit) = open.geometry.unit(plane, index) else { return Ok(Put::Refused) };
        if self.has_unit(unit)? {
            return Ok(Put::Had);
        }
        let at = self.address(open, plane, index);
        let whole = match self.compare(at, data)? {
            Slot::Same => true,
            Slot::Torn if M::REWRITES => self.program(at, data)?,
            // A write that was cut before it showed makes this one fail on flash that takes each unit once.
            Slot::Blank => self.program(at, data).unwrap_or(false),
            Slot::Torn | Slot::Other => false,
        };
        if !whole {
            self.clear_around(open, plane, index)?;
            if !self.program(at, data)? {
                return Err(FlashError);
            }
        }
        self.map.set(&mut self.flash, unit)?;
        match plane {
            Plane::Meta => open.missing_meta = open.missing_meta.saturating_sub(1),
            Plane::Data => open.missing_data = open.missing_data.saturating_sub(1),
        }
        Ok(Put::Stored)
    }

    /// Programs and reads back.
    fn program(&mut self, at: u32, data: &[u8]) -> Result<bool, FlashError> {
        flash::program(&mut self.flash, at, data)?;
        Ok(self.compare(at, data)? == Slot::Same)
    }

    /// Finishes an erase that a cut interrupted.
    pub(crate) fn clear_pending(&mut self, open: &mut Open) -> Result<(), FlashError> {
        let Some((from, to)) = self.map.pending() else { return Ok(()) };
        let meta = open.geometry.count(Plane::Meta);
        let (plane, zero) = if from < meta { (Plane::Meta, 0) } else { (Plane::Data, meta) };
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let start = match plane {
            Plane::Meta => self.layout.meta.start,
            Plane::Data => self.layout.image.start,
        };
        // The range was widened to the blocks that touch the sectors, so the whole sectors within it are the ones meant, and hold no
        // block outside it; past the image's last block there is none to lose.
        let mut at = open.geometry.offset(from.saturating_sub(zero)).div_ceil(sector).saturating_mul(sector);
        let past = to.saturating_sub(zero);
        let end = open.geometry.offset(past);
        let end = if past >= open.geometry.count(plane) {
            end.div_ceil(sector).saturating_mul(sector)
        } else {
            end.wrapping_sub(end.checked_rem(sector).ok_or(FlashError)?)
        };
        while at < end {
            flash::erase_sector(&mut self.flash, start.wrapping_add(at), true)?;
            at = at.saturating_add(sector);
        }
        self.map.cleared(&mut self.flash)
    }

    /// Erases the sectors under a block, after the blocks they hold are forgotten.
    fn clear_around(&mut self, open: &mut Open, plane: Plane, index: u16) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let block = u32::from(open.geometry.block());
        let base = match plane {
            Plane::Meta => self.layout.meta.start,
            Plane::Data => self.layout.image.start,
        };
        let from = open.geometry.offset(index);
        let from = from.wrapping_sub(from.checked_rem(sector).ok_or(FlashError)?);
        let to = open.geometry.offset(index).saturating_add(block).div_ceil(sector).saturating_mul(sector);
        let first = from.checked_div(block).ok_or(FlashError)?;
        let past = to.div_ceil(block).min(open.geometry.count(plane).into());
        let zero = u32::from(open.geometry.unit(plane, 0).ok_or(FlashError)?);
        let unit = |n: u32| u16::try_from(n.saturating_add(zero)).map_err(|_| FlashError);
        self.forgot = true;
        self.map.forget(&mut self.flash, unit(first)?, unit(past)?)?;
        let mut at = from;
        while at < to {
            flash::erase_sector(&mut self.flash, base.wrapping_add(at), !M::REWRITES)?;
            at = at.saturating_add(sector);
        }
        self.map.cleared(&mut self.flash)?;
        self.count(open)
    }

    /// Adds a stored block to `sum` by XOR.
    pub(crate) fn xor_into(
        &mut self,
        open: &Open,
        plane: Plane,
        index: u16,
        sum: &mut [u8],
    ) -> Result<(), FlashError> {
        let at = self.address(open, plane, index);
        let len = open.geometry.block_len(plane, index);
        xor_from(&mut self.flash, at, len.into(), sum)
    }
}

/// Adds flash octets to `sum` by XOR.
pub(crate) fn xor_from<F: NorFlash>(
    flash: &mut F,
    at: u32,
    len: u32,
    sum: &mut [u8],
) -> Result<(), FlashError> {
    let mut rest = sum.iter_mut();
    flash::scan(flash, at, len, &mut |part| {
        for (&octet, to) in part.iter().zip(&mut rest) {
            *to ^= octet;
        }
        true
    })?;
    Ok(())
}
