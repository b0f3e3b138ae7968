//! Work that no frame waits for: making room, finding blocks again, checking the image.

use super::{Receiver, Work};
use crate::bitmap::{BlockMap, Mark};
use crate::flash::{self, FlashError, Parts};
use crate::hash::{CRC_START, Hash256, crc_end, crc_step};
use crate::message::Phase;
use crate::package::Manifest;
use crate::session::Plane;
use embedded_storage::nor_flash::NorFlash;

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// Does one bounded piece of the work that no frame waits for: erasing one sector, finding one block again, checking one
    /// block's octets of the image, solving one row. Call it between the application's other duties while it says [`Work::More`].
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails; the step is tried again with the next call, a check when the concentrator asks for it again.
    pub fn work(&mut self, now: u64) -> Result<Work, FlashError> {
        match self.phase {
            Phase::Erasing => self.erase_step()?,
            Phase::Verifying => self.check_step()?,
            Phase::Receiving if M::LAGS && self.rebuilding => self.rebuild_step()?,
            _ => return self.solve(now),
        }
        Ok(Work::More)
    }

    /// One sector of image or meta plane, each rounded up to whole sectors.
    fn erase_step(&mut self) -> Result<(), FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let store = &mut self.store;
        let geometry = &store.geometry;
        let image = geometry.size().div_ceil(sector).wrapping_mul(sector);
        let address = match self.at.checked_sub(image) {
            None => store.layout.image.start.wrapping_add(self.at),
            Some(at) if at < geometry.offset(geometry.count(Plane::Meta)) => {
                store.layout.meta.start.wrapping_add(at)
            }
            Some(_) => {
                store.map.mark(&mut store.flash, Mark::Erased)?;
                self.phase = Phase::Receiving;
                return Ok(());
            }
        };
        flash::erase_sector(&mut store.flash, address, !M::REWRITES)?;
        self.at = self.at.wrapping_add(sector);
        Ok(())
    }

    /// Looks whether a block the map lost is in the flash all the same; its digest says so.
    fn rebuild_step(&mut self) -> Result<(), FlashError> {
        let unit = u16::try_from(self.at).unwrap_or(u16::MAX);
        let store = &mut self.store;
        if unit >= store.geometry.manifest_blocks() && !store.has(unit)? {
            let (at, len) = (store.address(unit), store.len(unit));
            if let Some(block) = self.buffer.get_mut(..usize::from(len))
                && !flash::is_blank(&mut store.flash, at, u32::from(len).min(16))?
            {
                flash::read(&mut store.flash, at, block)?;
                store.take::<H>(unit, block)?;
            }
        }
        self.at = self.at.wrapping_add(1);
        if self.at >= store.geometry.units().into() {
            store.map.flush(&mut store.flash)?;
            self.rebuilding = false;
        }
        self.settle();
        Ok(())
    }

    pub(super) fn verify(&mut self) {
        if self.phase == Phase::Complete {
            self.phase = Phase::Verifying;
            self.at = 0;
            self.crc = CRC_START;
            self.hash = Some(H::start());
        }
    }

    /// One block's octets of the image, in their order.
    fn check_step(&mut self) -> Result<(), FlashError> {
        let store = &mut self.store;
        let left = store.geometry.size().saturating_sub(self.at);
        let len = left.min(store.geometry.block().into());
        let from = store.layout.image.start.wrapping_add(self.at);
        let mut parts = Parts::new(from, len);
        let read = loop {
            match parts.read(&mut store.flash) {
                Ok([]) => break Ok(()),
                Ok(part) => {
                    self.crc = crc_step(self.crc, part);
                    if let Some(hash) = &mut self.hash {
                        hash.feed(part);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        self.at = self.at.wrapping_add(len);
        if len < left && read.is_ok() {
            return Ok(());
        }
        // Said only once it is remembered; if that fails, it is checked again when the concentrator asks again.
        self.phase = Phase::Complete;
        let hash = self.hash.take();
        read?;
        let crc = self.crc;
        let mut right = crc_end(crc).to_be_bytes() == *store.record.announced().crc();
        if store.geometry.manifest() > 0 {
            let mut want = [0; 32];
            store.read_manifest(Manifest::SHA256, &mut want)?;
            right &= hash.is_some_and(|hash| hash.done() == want);
        }
        if !right {
            return self.fail();
        }
        store.map.mark(&mut store.flash, Mark::Verified)?;
        self.phase = Phase::Verified;
        Ok(())
    }
}
