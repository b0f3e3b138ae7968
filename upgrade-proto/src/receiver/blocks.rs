//! Blocks, plain and summed up, and what follows when one is there.

use super::store::{Put, add};
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
                if plane == Plane::Meta && !self.store.heeded && self.store.manifest_genuine::<H>()? {
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
    /// read twice rather than kept: first to find which one is missing, so that no block is read for a sum that is of no use.
    #[inline(never)]
    pub(super) fn xor(&mut self, plane: Plane, fields: &mut Fields<'_>) -> Result<Outcome, FlashError> {
        let store = &mut self.store;
        let (count, first, octets) = (fields.u8(), fields.u16(), fields.rest());
        if count == 0 || usize::from(count) > XOR_MAX {
            return Ok(Outcome::Ignored);
        }
        let mut wanted = 0;
        let mut sum: &mut [u8] = &mut [];
        for adding in [false, true] {
            let mut gaps = GapReader::new(octets, first.saturating_add(1));
            let mut index = first;
            let mut missing = 0u8;
            for left in (0..count).rev() {
                let Some(unit) = store.geometry.unit(plane, index) else { return Ok(Outcome::Unusable) };
                if !store.has(unit)? {
                    wanted = unit;
                    missing = missing.wrapping_add(1);
                } else if adding {
                    store.xor_into(unit, sum)?;
                }
                if left > 0 {
                    let Some(next) = gaps.next() else { return Ok(Outcome::Ignored) };
                    index = next;
                }
            }
            if adding {
                break;
            }
            let used = if count > 1 { gaps.used() } else { 0 };
            let Some(data) = octets.get(used..) else { return Ok(Outcome::Ignored) };
            if missing == 0 {
                return Ok(Outcome::Duplicate);
            }
            let Some(room) = self.buffer.get_mut(..data.len()) else { return Ok(Outcome::Unusable) };
            if missing > 1 || data.len() != usize::from(store.geometry.block()) {
                return Ok(Outcome::Unusable);
            }
            sum = room;
            // The message's octets are added as the blocks' are.
            sum.fill(0);
            add(sum, data);
        }
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
        self.store.heed()
    }
}
