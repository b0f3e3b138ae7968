//! The new program proves itself, or asks for the old one.

use super::upgrader::{Step, Upgrader};
use super::{PublicKey, Reason, Records, State, event};
use crate::bitmap::BlockMap;
use crate::flash::FlashError;
use crate::hash::Hash256;
use crate::security::Trust;
use embedded_storage::nor_flash::NorFlash;

impl<F, M, H, R, S, T, const B: usize> Upgrader<F, M, H, R, S, T, B>
where
    F: NorFlash,
    M: BlockMap<F>,
    H: Hash256,
    R: AsMut<[u8]>,
    S: Records<F>,
    T: Trust,
{
    /// The new program's verdict on itself: metering, memories, clock and communication work, parameters are what they were (paper 002 2.1). Confirmed
    /// or rolled back with the next [`work`](Self::work); nothing outside a trial.
    pub fn handle_self_test(&mut self, pass: bool) {
        self.tested = Some(pass);
    }

    pub(super) fn trial(&mut self, lived: u64, now: u64) -> Result<Step, FlashError> {
        let unheard = self.policy.contact && !self.heard;
        match self.tested {
            Some(false) => return self.back(Reason::SelfTest),
            Some(true) if !unheard => {
                self.confirm()?;
                return Ok(Step::More);
            }
            _ => {}
        }
        let safety = u64::from(self.policy.safety);
        if safety != 0 && lived >= safety {
            return self.back(Reason::Safety);
        }
        let healthy = u64::from(self.policy.healthy);
        if self.record.early != 0 && lived >= healthy {
            self.record.early = 0;
            self.commit()?;
            return Ok(Step::More);
        }
        let left = |time: u64| now.saturating_add(time.saturating_sub(lived));
        Ok(match (self.record.early != 0, safety != 0) {
            (true, true) => Step::Until(left(healthy.min(safety))),
            (true, false) => Step::Until(left(healthy)),
            (false, true) => Step::Until(left(safety)),
            (false, false) => Step::Idle,
        })
    }

    fn back(&mut self, reason: Reason) -> Result<Step, FlashError> {
        self.record.reason = reason;
        self.enter(State::Rollback)?;
        Ok(Step::Reset)
    }

    /// The security counter is raised in the same record: never before the old program is given up, never after.
    fn confirm(&mut self) -> Result<(), FlashError> {
        self.record.running = self.record.upload;
        self.record.reason = Reason::None;
        self.record.floor = self.record.floor.max(self.record.counter);
        if self.record.next_key.algorithm != 0 {
            self.record.key = self.record.next_key;
            self.record.next_key = PublicKey::NONE;
            self.record.retired |= self.record.retired >> 1;
        }
        self.record.retired &= 1;
        self.log(event::ACTIVATED, self.record.upload.version);
        self.enter(State::Confirmed)
    }
}
