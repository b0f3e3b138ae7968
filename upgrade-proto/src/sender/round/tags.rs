//! Manifest and tags, which everything else waits for: what of them to send how often.

use super::{Kind, Round, ones};
use crate::error::BufferTooSmall;
#[cfg(feature = "coded")]
use crate::sender::Strategy;
use crate::sender::{Seal, Sender, Source, State, To, Traffic};
use crate::session::Plane;

/// Frames between two copies of the blocks that others cannot be checked without: a burst that takes one should not take the next.
const APART: u16 = 8;
/// Mean loss, in 1/65536, from which manifest and tags go out as rows.
#[cfg(feature = "coded")]
const LOSSY: u32 = 65536 / 14;

impl<S: Source, K: Seal> Sender<'_, S, K> {
    /// Plans sending the blocks that others cannot be checked without, to whoever listens.
    pub(in crate::sender) fn plan_head(&mut self) -> bool {
        let head = self.geometry.head_blocks();
        self.mask.fill(0);
        self.round = Round { plane: Plane::Meta, split: head, len: head, blind: true, ..Round::default() };
        for (index, place) in (0..head).zip(self.order.iter_mut()) {
            *place = index;
        }
        for meter in self.meters.iter_mut() {
            meter.ready = meter.state == State::Active;
        }
        head > 0
    }

    /// Share of frames that meters lose on average, in 1/65536. Before a first round the head's blocks, sent once, say it; short ones are lost less
    /// often.
    fn head_loss(&self) -> u32 {
        let head = self.geometry.head_blocks();
        if !self.first_done(Plane::Meta) && head > 0 {
            let first = self.geometry.unit(Plane::Meta, 0).unwrap_or(0);
            let (mut meters, mut lacked) = (0u32, 0u32);
            for (at, meter) in self.meters().iter().enumerate().filter(|(_, meter)| meter.ready) {
                let lacks =
                    |row: &[u8]| row.get(at >> 3).is_some_and(|octet| octet & (0x80u8 >> (at & 7)) != 0);
                if meter.plane_meta && meter.fresh {
                    let of = (0..head).filter(|index| lacks(self.row(first.saturating_add(*index)))).count();
                    lacked = lacked.saturating_add(u32::try_from(of).unwrap_or(0));
                    meters = meters.saturating_add(1);
                }
            }
            let whole = self.frame_octets(0);
            let short =
                |index| self.geometry.block().saturating_sub(self.geometry.block_len(Plane::Meta, index));
            let octets = (0..head)
                .fold(0u32, |sum, index| sum.saturating_add(whole.saturating_sub(short(index).into())));
            let sent = meters.saturating_mul(octets).max(1);
            let lost = u64::from(lacked).saturating_mul(whole.into()).min(sent.into());
            return u32::try_from((lost << 16).checked_div(sent.into()).unwrap_or(0)).unwrap_or(0);
        }
        self.mean_loss().into()
    }

    /// Copies until hardly a meter lacks a block of the head: the rest of the plane would be lost on it.
    pub(super) fn head_copies(&self, lacked: u32) -> u16 {
        let loss = self.head_loss().clamp(0x0200, 0xC000);
        let after = |expect: u64| expect.saturating_mul(loss.into()) >> 16;
        let (mut copies, mut expect) = (1u16, after(u64::from(lacked) << 16));
        while copies < 6 && expect > 0x1000 {
            copies = copies.saturating_add(1);
            expect = after(expect);
        }
        copies
    }

    /// Sends manifest and tags as rows where so much is lost that plain blocks, each of which some meter lacks again, would take more: from the
    /// first pass on, or not at all. Who lacks all of them needs no block before the others then.
    #[cfg(feature = "coded")]
    pub(super) fn choose_rows_for_tags(&mut self) -> bool {
        let count = self.geometry.count(Plane::Meta);
        let begins = !self.coded.meta;
        if begins {
            let loss = self.head_loss();
            self.first_loss = u16::try_from(loss).unwrap_or(u16::MAX);
            let served = (0..self.used).filter(|&at| self.masked(at));
            let unable = |at: u16| {
                self.meters().get(usize::from(at)).is_none_or(|meter| {
                    meter.unicast
                        || meter.identity.rows < count
                        || !self.keeps_up(count.into(), meter.identity.read_time.into())
                })
            };
            if self.first_done(Plane::Meta)
                || (self.settings.strategy == Strategy::Auto && (loss < LOSSY || served.clone().count() < 3))
                || served.clone().any(unable)
                || self.generations_room() == 0
                || !self.count_deficits(Plane::Meta, 1)
            {
                return false;
            }
            self.coded.meta = true;
        }
        let frames = if begins { self.first_rows(count) } else { self.rows_needed(0) };
        if frames == 0 {
            return false;
        }
        self.begin_rows(frames, frames);
        true
    }

    /// Rows after which most meters have `count` new ones: two beyond, and one and a half times by what the losses scatter.
    #[cfg(feature = "coded")]
    fn first_rows(&self, count: u16) -> u32 {
        // The sample is small, and a few rows more are soon sent: an eighth less than it says.
        let loss = u64::from(self.first_loss.min(0xC000)) * 7 / 8;
        let scatter = u64::from(count).saturating_mul(loss << 16).isqrt().saturating_mul(3) / 2;
        let rows = (u64::from(count).saturating_add(2) << 16).saturating_add(scatter);
        u32::try_from(rows.div_ceil(0x1_0000u64.saturating_sub(loss))).unwrap_or(0)
    }

    /// Where so many lose each block that no two could be sent in one frame, the first pass over the tags is made twice before anyone is asked.
    pub(super) fn repeat(&mut self) {
        if self.round.kind != Kind::Union || self.round.plane != Plane::Meta || self.first_done(Plane::Meta) {
            return;
        }
        let loss = u64::from(self.head_loss());
        let square = loss.saturating_mul(loss) >> 16;
        let meters = u64::from(self.used);
        if self.round.len == self.round.split && meters.saturating_mul(square) > 2 << 16 {
            self.round.passes = 2;
        }
    }

    /// The next copy of a block that others cannot be checked without, if one is due: two at once, the others [`APART`].
    pub(super) fn next_copy(&mut self, out: &mut [u8]) -> Result<Option<usize>, BufferTooSmall> {
        let head = self.geometry.head_blocks();
        let first = self.geometry.unit(Plane::Meta, 0).unwrap_or(0);
        while self.round.copies > 0 {
            let done = self.round.copied.checked_div(head).unwrap_or(0);
            let index = self.round.copied.checked_rem(head).unwrap_or(0);
            if done >= self.round.copies {
                break;
            }
            let sent = self.round.split.saturating_mul(self.round.passed.into());
            let sent = sent.saturating_add(self.round.cursor);
            let last = self.round.cursor >= self.round.split
                && self.round.passed.saturating_add(1) >= self.round.passes;
            if index == 0 && !last && sent < done.saturating_sub(1).saturating_mul(APART) {
                break;
            }
            self.round.copied = self.round.copied.saturating_add(1);
            if ones(self.row(first.saturating_add(index)), self.mask) > 0 {
                return self.put(out, Plane::Meta, index, false).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether what is left of the round is of use to a meter that lacks everything, and more than manifest and tags.
    pub(in crate::sender) fn serves_newcomers(&self) -> bool {
        let tags = self.geometry.count(Plane::Meta);
        self.round.plane == Plane::Data
            && self.round.kind == Kind::Union
            && self.round.tags == 0
            && self.round.left() > tags
    }

    /// Puts manifest and tags before the rest of the round.
    pub(in crate::sender) fn begin_tags(&mut self) {
        self.round.tags = self.geometry.count(Plane::Meta);
    }

    /// The next block of manifest and tags that was put before the rest.
    pub(in crate::sender) fn next_tags(
        &mut self,
        out: &mut [u8],
    ) -> Result<Option<(To, usize)>, BufferTooSmall> {
        let left = self.round.tags;
        if left == 0 {
            return Ok(None);
        }
        let index = self.geometry.count(Plane::Meta).saturating_sub(left);
        self.round.tags = left.saturating_sub(1);
        self.traffic = Traffic::Repair;
        self.frames = self.frames.wrapping_add(1);
        let len = self.put(out, Plane::Meta, index, false)?;
        Ok(Some((To::Group(self.settings.group), len)))
    }
}
