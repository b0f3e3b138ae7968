//! A boot loader that checks the manifest's signature itself.

use super::{Boot, BootError, Judgement};
use crate::flash;
use crate::hash::Hash256;
use crate::install::{PublicKey, Reason, Record, Records, State};
use crate::package::MANIFEST_LEN;
use crate::security::{MANIFEST_MAX, Verify, check_manifest};
use embedded_storage::nor_flash::NorFlash;

impl<E: NorFlash, A: NorFlash, S: Records<E>> Boot<'_, E, A, S> {
    /// Before an image is installed, checks that its manifest stands in the external flash and is signed by a key that is taken, and that the record
    /// says what the manifest says; else the installation goes back. Call it between [`upgrade_judge`](Self::upgrade_judge) and [`upgrade`](Self::upgrade) when the
    /// judgement is [`Judgement::Upgrade`]; what is to be done then comes back.
    ///
    /// # Errors
    /// [`BootError::Flash`] when a memory fails.
    pub fn check_manifest<H: Hash256, V: Verify>(
        &mut self,
        verify: &mut V,
        root: &PublicKey,
    ) -> Result<Judgement, BootError> {
        let Some(mut record) = self.load()? else { return Ok(Judgement::Run) };
        if record.state != State::Installing {
            return Ok(Judgement::Restore);
        }
        let mut octets = [0u8; MANIFEST_MAX as usize];
        let mut head = [0u8; MANIFEST_LEN as usize];
        flash::read(self.external, self.places.meta.start, &mut head)?;
        let [_, _, _, _, high, low, ..] = head;
        let length = u16::from_be_bytes([high, low]);
        let whole = match octets.get_mut(..usize::from(length)) {
            Some(octets) => {
                flash::read(self.external, self.places.meta.start, octets)?;
                check_manifest::<H, V>(octets, Some(verify), root, &record)
                    .is_ok_and(|accepted| agrees(&record, &accepted))
            }
            None => false,
        };
        if whole {
            return Ok(Judgement::Upgrade);
        }
        record.state = State::Rollback;
        record.reason = Reason::Image;
        self.commit(&record)?;
        Ok(Judgement::Restore)
    }
}

fn agrees(record: &Record, accepted: &crate::security::Accepted) -> bool {
    accepted.upload == record.upload
        && accepted.sent == record.sent
        && accepted.counter == record.counter
        && accepted.next_key == record.next_key
        && accepted.enciphered.map(|own| own.nonce) == record.enciphered.map(|own| own.nonce)
}
