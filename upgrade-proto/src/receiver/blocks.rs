//! Blocks, plain and summed up, and what follows when one is there.

use super::store::Put;
use super::{Outcome, Receiver};
use crate::bitmap::BlockMap;
use crate::codec::Fields;
use crate::flash::FlashError;
use crate::gaps::GapReader;
use crate::hash::Hash256;
use crate::message::{Phase, XOR_MAX};
use crate::package::{MANIFEST_LEN, Manifest};
use crate::session::Plane;
use embedded_storage::nor_flash::NorFlash;

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    pub(super) fn block(&mut self, plane: Plane, index: u16, data: &[u8]) -> Result<Outcome, FlashError> {
        if self.phase != Phase::Receiving {
            // An acknowledged block that comes late still deserves its answer.
            return Ok(Outcome::Duplicate);
        }
        let Some(unit) = self.store.geometry.unit(plane, index) else { return Ok(Outcome::Unusable) };
        let put = self.store.take::<H>(unit, data);
        self.finish(unit, put)
    }

    #[inline(never)]
    pub(super) fn finish(&mut self, unit: u16, put: Result<Put, FlashError>) -> Result<Outcome, FlashError> {
        #[cfg(feature = "coded")]
        self.check_forgotten();
        match put? {
            Put::Had => Ok(Outcome::Duplicate),
            Put::Refused => Ok(Outcome::Unusable),
            Put::Stored => {
                let (plane, index) = self.store.geometry.split(unit);
                if plane == Plane::Meta && self.store.root.is_none() && self.store.manifest_genuine::<H>()? {
                    self.heed_manifest()?;
                }
                #[cfg(feature = "coded")]
                self.known_column(plane, index);
                self.settle();
                Ok(Outcome::Stored { plane, index })
            }
        }
    }

    /// Takes the sum of some blocks: `count u8 | first u16 | gaps | octets`, as [`Indices`](crate::message::Indices) has them. The numbers are
    /// read twice rather than kept.
    #[inline(never)]
    pub(super) fn xor(&mut self, plane: Plane, mut fields: Fields<'_>) -> Result<Outcome, FlashError> {
        let store = &mut self.store;
        let (zero, past) = store.geometry.range(plane);
        let (count, first, octets) = (fields.u8(), fields.u16(), fields.rest());
        let (mut wanted, mut missing) = (0u16, 0u16);
        // First which one is missing, so that no block is read for a sum that is of no use.
        let used = summed(count, first, octets, &mut |index| {
            let unit = zero.saturating_add(index);
            if unit >= past {
                missing = 2;
            } else if !store.has(unit)? {
                wanted = unit;
                missing = missing.wrapping_add(1);
            }
            Ok(())
        })?;
        let Some(data) = used.and_then(|used| octets.get(used..)) else { return Ok(Outcome::Ignored) };
        if missing == 0 {
            return Ok(Outcome::Duplicate);
        }
        let Some(sum) = self.buffer.get_mut(..data.len()) else { return Ok(Outcome::Unusable) };
        if missing > 1 || data.len() != usize::from(store.geometry.block()) {
            return Ok(Outcome::Unusable);
        }
        sum.copy_from_slice(data);
        summed(count, first, octets, &mut |index| {
            let unit = zero.saturating_add(index);
            if unit == wanted { Ok(()) } else { store.xor_into(unit, sum) }
        })?;
        let (block, padding) = sum.split_at_checked(store.len(wanted).into()).ok_or(FlashError)?;
        let put = if padding.iter().all(|&octet| octet == 0) {
            store.take::<H>(wanted, block)
        } else {
            Ok(Put::Refused)
        };
        self.finish(wanted, put)
    }

    /// The manifest is here and the one that was announced: does it say the same, and is it for this meter?
    #[inline(never)]
    pub(super) fn heed_manifest(&mut self) -> Result<(), FlashError> {
        // What was judged before a reset stands: the image may be what runs now.
        let judged = self.phase != Phase::Receiving;
        let mut head = [0; MANIFEST_LEN as usize];
        self.store.read_manifest(0, &mut head)?;
        if !judged && !Manifest::suits(&head, self.store.record.announced(), &self.identity, &self.address) {
            return self.fail();
        }
        self.store.root = Some(*Manifest::root(&head));
        // All else can be found again in the flash once the manifest is known to be there.
        self.store.map.flush(&mut self.store.flash)
    }
}

/// Calls `each` with the numbers of a sum; how many of `octets` they take, `None` where they are none.
fn summed(
    count: u8,
    first: u16,
    octets: &[u8],
    each: &mut dyn FnMut(u16) -> Result<(), FlashError>,
) -> Result<Option<usize>, FlashError> {
    if count == 0 || usize::from(count) > XOR_MAX {
        return Ok(None);
    }
    let mut gaps = GapReader::new(octets, first.saturating_add(1));
    let mut index = first;
    for left in (0..count).rev() {
        each(index)?;
        if left > 0 {
            let Some(next) = gaps.next() else { return Ok(None) };
            index = next;
        }
    }
    Ok(Some(if count > 1 { gaps.used() } else { 0 }))
}
