//! Manifest and tags, which everything else waits for: what of them to send how often.

use super::{Kind, Round, ones};
use crate::error::BufferTooSmall;
use crate::sender::{Seal, Sender, Source, To, Traffic};
use crate::session::Plane;

/// Frames between two copies of the blocks that others cannot be checked without: a burst that takes one should not take the next.
const APART: u16 = 8;

impl<S: Source, K: Seal> Sender<'_, S, K> {
    /// Plans sending the blocks that others cannot be checked without, to whoever listens.
    pub(in crate::sender) fn plan_head(&mut self) -> bool {
        let head = self.geometry.head_blocks();
        self.mask.fill(0);
        self.round = Round { plane: Plane::Meta, split: head, len: head, blind: true, ..Round::default() };
        for (index, place) in (0..head).zip(self.order.iter_mut()) {
            *place = index;
        }
        head > 0
    }

    /// Share of frames that meters of the round lose on average, in 1/65536. `lacked` of the head's blocks, sent once, say it of a first round.
    fn head_loss(&self, lacked: u32, head: u16) -> u32 {
        if !self.first_done(Plane::Meta) && head > 0 {
            let meters = self.mask.iter().fold(0u32, |sum, octet| sum.saturating_add(octet.count_ones()));
            let sent = meters.saturating_mul(head.into()).max(1);
            return (lacked.min(sent) << 16).checked_div(sent).unwrap_or(0);
        }
        self.mean_loss().into()
    }

    /// Copies until hardly a meter lacks a block of the head: the rest of the plane would be lost on it.
    pub(super) fn head_copies(&self, lacked: u32, head: u16) -> u16 {
        let loss = self.head_loss(lacked, head).clamp(0x0200, 0xC000);
        let after = |expect: u64| expect.saturating_mul(loss.into()) >> 16;
        let (mut copies, mut expect) = (1u16, after(u64::from(lacked) << 16));
        while copies < 6 && expect > 0x1000 {
            copies = copies.saturating_add(1);
            expect = after(expect);
        }
        copies
    }

    /// Where so many lose each block that no two could be sent in one frame, the first pass over the tags is made twice before anyone is asked.
    pub(super) fn repeat(&mut self) {
        if self.round.kind != Kind::Union || self.round.plane != Plane::Meta || self.first_done(Plane::Meta) {
            return;
        }
        let first = self.geometry.unit(Plane::Meta, 0).unwrap_or(0);
        let head = self.geometry.head_blocks();
        let lacked = (0..head).fold(0u32, |sum, index| {
            sum.saturating_add(ones(self.row(first.saturating_add(index)), self.mask))
        });
        let loss = u64::from(self.head_loss(lacked, head));
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
