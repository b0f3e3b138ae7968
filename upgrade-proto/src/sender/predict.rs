//! What a round will take, and the job.

use super::{Seal, Sender, Source, State};
use crate::message::BLOCK_HEADER_LEN;
use crate::session::Plane;

impl<S: Source, K: Seal> Sender<'_, S, K> {
    /// Octets on the channel of a frame with `head` octets before the data beyond a plain block's.
    pub(super) fn frame_octets(&self, head: u32) -> u32 {
        u32::from(self.settings.overhead)
            .saturating_add(BLOCK_HEADER_LEN.into())
            .saturating_add(self.geometry.block().into())
            .saturating_add(head)
    }

    /// Estimate of the time to go: the rest of this round, then about as many frames as the worst meter will lack, at its loss.
    pub(super) fn seconds_left(&self, worst: u16) -> u32 {
        let frames = match self.round.left() {
            0 => u32::from(worst),
            left => {
                let loss = self.meters().iter().map(|meter| meter.loss).max().unwrap_or(0);
                let again = u32::from(left).saturating_mul(loss.into()) >> 16;
                u32::from(left).saturating_add(again.saturating_mul(2))
            }
        };
        let asking = u32::from(self.used).saturating_mul(2);
        let frame = self.airtime(self.frame_octets(0)).saturating_add(self.settings.gap.into());
        let total = u64::from(frames)
            .saturating_mul(frame)
            .saturating_add(u64::from(asking).saturating_mul(self.airtime(24)));
        u32::try_from(total / 1000).unwrap_or(u32::MAX)
    }

    /// Share of blocks that active meters lose on average, in 1/65536; before any was measured, what the blocks sent first said.
    pub(super) fn mean_loss(&self) -> u16 {
        let (mut sum, mut meters) = (0u32, 0u32);
        let measured = |meter: &&super::Meter| meter.state == State::Active && meter.sent > 0;
        for meter in self.meters().iter().filter(measured) {
            sum = sum.saturating_add(meter.loss.into());
            meters = meters.saturating_add(1);
        }
        sum.checked_div(meters).map_or(self.first_loss, |mean| u16::try_from(mean).unwrap_or(u16::MAX))
    }

    /// Largest loss among the meters of the round, in 1/65536.
    #[cfg(feature = "coded")]
    pub(super) fn worst_loss(&self) -> u32 {
        let served =
            |at: usize| self.mask.get(at >> 3).is_some_and(|octet| octet & (0x80u8 >> (at & 7)) != 0);
        let losses = self.meters().iter().enumerate().filter(|(at, _)| served(*at));
        losses.map(|(_, meter)| u32::from(meter.loss)).max().unwrap_or(0)
    }

    /// The plane a meter in the round is at.
    pub(super) const fn round_plane(&self) -> Plane {
        self.round.plane
    }
}
