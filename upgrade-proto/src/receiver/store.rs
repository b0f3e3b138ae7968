//! Blocks in the flash: placed, compared, read back, counted. The order of steps that keeps the map behind the data is here.
//!
//! A block is named by its unit, the number over both planes (meta first), which is also its bit in the map.

use super::Layout;
use crate::bitmap::{BlockMap, Mark, Record};
use crate::flash::{self, CHUNK, FlashError, Parts};
use crate::hash::Hash256;
use crate::package::Manifest;
use crate::session::{DigestAt, Geometry, NODE_LEN, Plane, Session, ceil_div};
use embedded_storage::nor_flash::NorFlash;

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

/// A session's blocks, and the parameters that say where they go and what they must be. In the order written, what is used most within
/// reach of short instructions.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Store<F, M> {
    pub(crate) geometry: Geometry,
    pub(crate) missing_meta: u16,
    pub(crate) missing_data: u16,
    /// Blocks that were there were forgotten: what was computed from who has what is void.
    pub(crate) forgot: bool,
    pub(crate) layout: Layout,
    /// The manifest is here, the one that was announced, and for this meter.
    pub(crate) heeded: bool,
    /// Digest of the top of its tag table.
    root: [u8; NODE_LEN as usize],
    pub(crate) map: M,
    pub(crate) record: Record,
    pub(crate) flash: F,
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

impl<F, M> Store<F, M> {
    pub(crate) const fn new(flash: F, map: M, layout: Layout) -> Self {
        Store {
            record: Record::NONE,
            geometry: Geometry::NONE,
            missing_meta: 0,
            missing_data: 0,
            layout,
            heeded: false,
            root: [0; NODE_LEN as usize],
            forgot: false,
            map,
            flash,
        }
    }

    /// Its name.
    pub(crate) fn session(&self) -> Session {
        self.record.announced().session()
    }

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

    /// Opens a session; none of its blocks is there.
    pub(crate) fn open(&mut self, record: &Record, geometry: &Geometry) {
        self.record = *record;
        self.geometry = *geometry;
        self.heeded = false;
        self.missing_meta = geometry.count(Plane::Meta);
        self.missing_data = geometry.count(Plane::Data);
    }

    /// Whether the image is described by a manifest that is here and is the one announced, or by none.
    pub(crate) const fn vouched(&self) -> bool {
        self.heeded || self.geometry.manifest() == 0
    }

    const fn span_start(&self, plane: Plane) -> u32 {
        match plane {
            Plane::Meta => self.layout.meta.start,
            Plane::Data => self.layout.image.start,
        }
    }
}

impl<F: NorFlash, M: BlockMap<F>> Store<F, M> {
    /// Where a block is.
    #[inline(never)]
    pub(crate) fn address(&self, unit: u16) -> u32 {
        let (plane, index) = self.geometry.split(unit);
        self.span_start(plane).wrapping_add(self.geometry.offset(index))
    }

    /// Octets of a block.
    #[inline(never)]
    pub(crate) fn len(&self, unit: u16) -> u16 {
        self.geometry.unit_len(unit)
    }

    #[inline(never)]
    pub(crate) fn has(&mut self, unit: u16) -> Result<bool, FlashError> {
        let mut octet = [0u8];
        self.map.read(&mut self.flash, unit >> 3, &mut octet)?;
        let [octet] = octet;
        Ok(octet & (0x80u8 >> (unit & 7)) == 0)
    }

    #[inline(never)]
    pub(crate) fn marked(&mut self, mark: Mark) -> Result<bool, FlashError> {
        self.map.marked(&mut self.flash, mark)
    }

    /// The unit of a block of the plane that is being received.
    #[cfg(feature = "coded")]
    pub(crate) const fn unit(&self, index: u16) -> u16 {
        self.geometry.range(self.plane()).0.saturating_add(index)
    }

    /// Whether a block of the plane that is being received is there; none past the end is.
    #[cfg(feature = "coded")]
    pub(crate) fn has_block(&mut self, index: u16) -> Result<bool, FlashError> {
        match self.geometry.unit(self.plane(), index) {
            Some(unit) => self.has(unit),
            None => Ok(false),
        }
    }

    /// Calls `each` with the number of every missing block of the plane that is being received, until it returns `false`.
    #[cfg(feature = "coded")]
    pub(crate) fn each_missing_block(&mut self, each: &mut dyn FnMut(u16) -> bool) -> Result<(), FlashError> {
        let (zero, end) = self.geometry.range(self.plane());
        let mut missing = Missing::new(zero, end);
        while let Some(unit) = missing.next(self)? {
            if !each(unit.wrapping_sub(zero)) {
                break;
            }
        }
        Ok(())
    }

    #[inline(never)]
    pub(crate) fn count(&mut self) -> Result<(), FlashError> {
        let units = self.geometry.units();
        let first = self.geometry.count(Plane::Meta);
        let (mut meta, mut data) = (0u16, 0u16);
        let mut missing = Missing::new(0, units);
        while let Some(unit) = missing.next(self)? {
            let sum = if unit < first { &mut meta } else { &mut data };
            *sum = sum.wrapping_add(1);
        }
        self.missing_meta = meta;
        self.missing_data = data;
        Ok(())
    }

    /// Whether a block's octets are the ones the session means. A manifest of several blocks is checked when its last one is there.
    pub(crate) fn genuine<H: Hash256>(&mut self, unit: u16, data: &[u8]) -> Result<bool, FlashError> {
        let mut tag = [0u8; NODE_LEN as usize];
        let want: &[u8] = match self.geometry.unit_digest(unit) {
            // The only block of a manifest; data without tags.
            DigestAt::Nowhere if self.geometry.manifest_blocks() == 1 && unit == 0 => {
                self.record.announced().digest()
            }
            DigestAt::Nowhere => return Ok(true),
            DigestAt::Root if self.heeded => &self.root,
            DigestAt::Meta { index, offset, len } if self.has(index)? => {
                let tag = tag.get_mut(..usize::from(len)).ok_or(FlashError)?;
                self.read_manifest(offset, tag)?;
                tag
            }
            _ => return Ok(false),
        };
        Ok(H::of(data).starts_with(want))
    }

    /// Whether the whole manifest is here and the one that was announced. If it is another, one of its blocks is forged or broken; which one
    /// cannot be known, and all are forgotten.
    #[inline(never)]
    pub(crate) fn manifest_genuine<H: Hash256>(&mut self) -> Result<bool, FlashError> {
        let blocks = self.geometry.manifest_blocks();
        if blocks == 0 || Missing::new(0, blocks).next(self)?.is_some() {
            return Ok(false);
        }
        let mut hash = H::start();
        let mut parts = Parts::new(self.layout.meta.start, self.geometry.manifest().into());
        while let part @ [_, ..] = parts.read(&mut self.flash)? {
            hash.feed(part);
        }
        if hash.done().first_chunk() == Some(self.record.announced().digest()) {
            return Ok(true);
        }
        self.map.forget(&mut self.flash, &self.record, 0, blocks)?;
        // Nothing is to be erased: a block that comes finds its slot taken and sees to it.
        self.map.cleared(&mut self.flash)?;
        self.count()?;
        Ok(false)
    }

    /// Reads the manifest from octet `from` on.
    pub(crate) fn read_manifest(&mut self, from: u32, out: &mut [u8]) -> Result<(), FlashError> {
        flash::read(&mut self.flash, self.layout.meta.start.wrapping_add(from), out)
    }

    /// The manifest is one to go by: what its tag table starts from is kept.
    pub(crate) fn heed(&mut self) -> Result<(), FlashError> {
        let at = self.layout.meta.start.wrapping_add(Manifest::TAG_ROOT);
        flash::read(&mut self.flash, at, &mut self.root)?;
        self.heeded = true;
        // All else can be found again in the flash once the manifest is known to be there.
        self.map.flush(&mut self.flash)
    }

    #[inline(never)]
    fn compare(&mut self, at: u32, data: &[u8]) -> Result<Slot, FlashError> {
        let len = u32::try_from(data.len()).map_err(|_| FlashError)?;
        // Ones in every octet; ones that differ; ones that are wanted and cannot be had without an erase.
        let (mut common, mut other, mut lost) = (0xFFu8, 0u8, 0u8);
        let mut want = data.iter();
        let mut parts = Parts::new(at, len);
        while let part @ [_, ..] = parts.read(&mut self.flash)? {
            for (is, want) in part.iter().zip(&mut want) {
                common &= is;
                other |= is ^ want;
                lost |= want & !is;
            }
            if common != 0xFF && lost != 0 {
                break;
            }
        }
        Ok(if other == 0 {
            Slot::Same
        } else if common == 0xFF {
            Slot::Blank
        } else if lost == 0 {
            Slot::Torn
        } else {
            Slot::Other
        })
    }

    /// Takes in a block that is missing: checks its length and its digest, programs it, reads it back, sets its bit, in this order.
    #[inline(never)]
    pub(crate) fn take<H: Hash256>(&mut self, unit: u16, data: &[u8]) -> Result<Put, FlashError> {
        if data.len() != usize::from(self.len(unit)) {
            return Ok(Put::Refused);
        }
        if self.has(unit)? {
            return Ok(Put::Had);
        }
        if !self.genuine::<H>(unit, data)? {
            return Ok(Put::Refused);
        }
        let at = self.address(unit);
        let whole = match self.compare(at, data)? {
            Slot::Same => true,
            Slot::Other => false,
            Slot::Torn if !M::REWRITES => false,
            // A write that was cut before it showed makes this one fail on flash that takes each unit once.
            Slot::Torn | Slot::Blank => self.program(at, data).unwrap_or(false),
        };
        if !whole {
            self.clear_around(unit)?;
            if !self.program(at, data)? {
                return Err(FlashError);
            }
        }
        self.map.set(&mut self.flash, unit)?;
        let (plane, _) = self.geometry.split(unit);
        let left = match plane {
            Plane::Meta => &mut self.missing_meta,
            Plane::Data => &mut self.missing_data,
        };
        *left = left.saturating_sub(1);
        Ok(Put::Stored)
    }

    /// Programs and reads back.
    #[inline(never)]
    fn program(&mut self, at: u32, data: &[u8]) -> Result<bool, FlashError> {
        flash::program(&mut self.flash, at, data)?;
        Ok(self.compare(at, data)? == Slot::Same)
    }

    /// Finishes an erase that a cut interrupted.
    pub(crate) fn clear_pending(&mut self) -> Result<(), FlashError> {
        let Some((from, to)) = self.map.pending() else { return Ok(()) };
        let (plane, first) = self.geometry.split(from);
        let zero = from.wrapping_sub(first);
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let start = self.span_start(plane);
        // The range was widened to the blocks that touch the sectors, so the whole sectors within it are the ones meant, and hold no
        // block outside it; past the image's last block there is none to lose.
        let at = self.geometry.offset(first).div_ceil(sector).saturating_mul(sector);
        let past = to.saturating_sub(zero);
        let end = self.geometry.offset(past);
        let end = if past >= self.geometry.count(plane) {
            end.div_ceil(sector).saturating_mul(sector)
        } else {
            end.wrapping_sub(end.checked_rem(sector).ok_or(FlashError)?)
        };
        flash::erase_span(&mut self.flash, start.wrapping_add(at), end.saturating_sub(at), true)?;
        self.map.cleared(&mut self.flash)
    }

    /// Erases the sectors under a block, after the blocks they hold are forgotten.
    fn clear_around(&mut self, unit: u16) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let block = self.geometry.block();
        let (plane, index) = self.geometry.split(unit);
        let zero = unit.wrapping_sub(index);
        let start = self.span_start(plane);
        let from = self.geometry.offset(index);
        let to = from.wrapping_add(block.into()).div_ceil(sector).wrapping_mul(sector);
        let from = from.wrapping_sub(from.checked_rem(sector).ok_or(FlashError)?);
        let first = ceil_div(from.wrapping_add(1), block).wrapping_sub(1);
        let past = ceil_div(to, block).min(self.geometry.count(plane).into());
        #[expect(
            clippy::cast_possible_truncation,
            reason = "numbers of blocks, of which there are 65,535 at most"
        )]
        let (first, past) = (zero.wrapping_add(first as u16), zero.wrapping_add(past as u16));
        self.forgot = true;
        self.map.forget(&mut self.flash, &self.record, first, past)?;
        flash::erase_span(&mut self.flash, start.wrapping_add(from), to.wrapping_sub(from), !M::REWRITES)?;
        self.map.cleared(&mut self.flash)?;
        self.count()
    }

    /// Adds a stored block to `sum` by XOR.
    #[inline(never)]
    pub(crate) fn xor_into(&mut self, unit: u16, sum: &mut [u8]) -> Result<(), FlashError> {
        let (at, len) = (self.address(unit), self.len(unit));
        xor_from(&mut self.flash, at, len.into(), sum)
    }
}

/// The missing units of a range, rising, read from the map in pieces.
pub(crate) struct Missing {
    unit: u16,
    end: u16,
    /// Nothing is read yet.
    fresh: bool,
    /// The map's octets around the unit, from a multiple of [`CHUNK`] on.
    chunk: [u8; CHUNK],
}

impl Missing {
    /// Those of `from..end`.
    // Out of line, or the octets would be cleared in each place that asks.
    #[inline(never)]
    pub(crate) const fn new(from: u16, end: u16) -> Self {
        Missing { unit: from, end, fresh: true, chunk: [0; CHUNK] }
    }

    /// The next one.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    #[inline(never)]
    pub(crate) fn next<F: NorFlash, M: BlockMap<F>>(
        &mut self,
        store: &mut Store<F, M>,
    ) -> Result<Option<u16>, FlashError> {
        while self.unit < self.end {
            let unit = self.unit;
            let place = usize::from(unit >> 3) % CHUNK;
            if self.fresh || (place == 0 && unit & 7 == 0) {
                let octets =
                    usize::from((self.end.wrapping_sub(1) >> 3).wrapping_sub(unit >> 3)).wrapping_add(1);
                let part = self.chunk.get_mut(place..).ok_or(FlashError)?;
                let len = octets.min(part.len());
                let part = part.get_mut(..len).ok_or(FlashError)?;
                store.map.read(&mut store.flash, unit >> 3, part)?;
                self.fresh = false;
            }
            self.unit = unit.wrapping_add(1);
            if self.chunk.get(place).is_some_and(|octet| octet & (0x80u8 >> (unit & 7)) != 0) {
                return Ok(Some(unit));
            }
        }
        Ok(None)
    }
}

/// Adds flash octets to `sum` by XOR.
pub(crate) fn xor_from<F: NorFlash>(
    flash: &mut F,
    at: u32,
    len: u32,
    sum: &mut [u8],
) -> Result<(), FlashError> {
    let mut rest = sum;
    let mut parts = Parts::new(at, len);
    while let part @ [_, ..] = parts.read(flash)? {
        rest = add(rest, part);
    }
    Ok(())
}

/// Adds octets to the front of `sum` by XOR; what lies behind it.
#[inline(never)]
pub(super) fn add<'s>(sum: &'s mut [u8], octets: &[u8]) -> &'s mut [u8] {
    let (front, rest) = sum.split_at_mut_checked(octets.len()).unwrap_or_default();
    for (to, octet) in front.iter_mut().zip(octets) {
        *to ^= octet;
    }
    rest
}
