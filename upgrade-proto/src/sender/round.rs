//! One round of blocks: which, in what frames.

use super::{Seal, Sender, Source, State, Step, Strategy, To, Traffic};
use crate::error::BufferTooSmall;
use crate::message::{Head, Indices, XOR_MAX, encode_in_place};
use crate::session::Plane;

#[cfg(feature = "coded")]
mod coded;
mod tags;
#[cfg(feature = "coded")]
pub(super) use coded::Coded;

#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Union,
    Xor,
    #[cfg(feature = "coded")]
    Coded,
}

/// What a round sends: `order[..split]` to all, `order[split..len]` to single meters.
#[derive(Clone, Debug)]
pub(super) struct Round {
    kind: Kind,
    pub(super) plane: Plane,
    /// For meters that take no part in the coded repair.
    apart: bool,
    cursor: u16,
    split: u16,
    len: u16,
    meter: u16,
    /// XOR frames still to come, counted when the round was planned.
    frames: u16,
    /// Blocks of manifest and tags still to be sent in between.
    tags: u16,
    /// Copies of the blocks that others cannot be checked without, still to be sent among the others, and how many of those blocks were sent.
    copies: u16,
    copied: u16,
    /// How often all is sent: once more without asking where most meters would lack it all the same.
    passes: u8,
    passed: u8,
    /// Sent before anyone said that it is ready.
    blind: bool,
}

impl Default for Round {
    fn default() -> Self {
        Round {
            kind: Kind::Union,
            plane: Plane::Data,
            apart: false,
            cursor: 0,
            split: 0,
            len: 0,
            meter: 0,
            frames: 0,
            tags: 0,
            copies: 0,
            copied: 0,
            passes: 1,
            passed: 0,
            blind: false,
        }
    }
}

impl Round {
    /// How often every block that a meter lacks is in some frame; 0: not every one.
    pub(super) fn sends_all(&self) -> u8 {
        if matches!(self.kind, Kind::Union | Kind::Xor) && !self.blind { self.passes } else { 0 }
    }

    pub(super) const fn left(&self) -> u16 {
        match self.kind {
            Kind::Union => self.split.saturating_sub(self.cursor),
            _ => self.frames,
        }
    }
}

/// Order entry of a block that is already in a frame.
const TAKEN: u16 = u16::MAX;

fn ones(row: &[u8], mask: &[u8]) -> u32 {
    row.iter().zip(mask).fold(0, |sum, (row, mask)| sum.saturating_add((row & mask).count_ones()))
}

fn meets(row: &[u8], mask: &[u8], sum: &[u8]) -> bool {
    row.iter().zip(mask).zip(sum).any(|((row, mask), sum)| row & mask & sum != 0)
}

impl<S: Source, K: Seal> Sender<'_, S, K> {
    /// Plans the next round; `false` when no meter that answers lacks anything.
    pub(super) fn plan(&mut self) -> bool {
        let lacking = |meter: &super::Meter| meter.state == State::Active && meter.fresh;
        let meta = self.meters().iter().any(|meter| lacking(meter) && meter.plane_meta);
        let plane = Self::plane_of(meta);
        // Those that cannot follow the coded repair come first: the others hear their blocks too.
        let apart =
            self.meters().iter().any(|meter| lacking(meter) && meter.plane_meta == meta && meter.apart);
        self.mask.fill(0);
        let mut flagged = false;
        let mut any = false;
        for (at, meter) in self.meters.iter_mut().enumerate() {
            meter.skipped = false;
            if lacking(meter)
                && meter.plane_meta == meta
                && (!apart || meter.apart)
                && let Some(octet) = self.mask.get_mut(at >> 3)
            {
                *octet |= 0x80u8 >> (at & 7);
                flagged |= meter.unicast;
                any = true;
            }
        }
        if !any {
            return false;
        }
        self.round = Round { plane, apart, ..Round::default() };
        self.fill_order(flagged);
        let first = self.geometry.unit(plane, 0).unwrap_or(0);
        let split = usize::from(self.round.split);
        let (rows, mask, stride) = (&*self.rows, &*self.mask, self.stride);
        let row = |index: u16| {
            let at = stride.saturating_mul(usize::from(first.saturating_add(index)));
            rows.get(at..at.saturating_add(stride)).unwrap_or(&[])
        };
        self.needy.fill(0);
        for &index in self.order.get(..split).unwrap_or(&[]) {
            for ((needy, row), mask) in self.needy.iter_mut().zip(row(index)).zip(mask) {
                *needy |= row & mask;
            }
        }
        match self.settings.strategy {
            Strategy::Union | Strategy::Paper | Strategy::Unicast => {}
            _ => {
                self.choose();
                self.repeat();
            }
        }
        self.traffic = if self.first_done(plane) { Traffic::Repair } else { Traffic::Data };
        true
    }

    const fn first_done(&self, plane: Plane) -> bool {
        let [meta, data] = self.first_done;
        match plane {
            Plane::Meta => meta,
            Plane::Data => data,
        }
    }

    /// Puts the blocks that go to all first, then those that go to single meters.
    fn fill_order(&mut self, flagged: bool) {
        let plane = self.round.plane;
        let first = self.geometry.unit(plane, 0).unwrap_or(0);
        let paper = self.settings.strategy == Strategy::Paper;
        let alone = self.settings.strategy == Strategy::Unicast;
        let (mut len, mut split) = (0usize, 0usize);
        // A meter without manifest and upper levels of the tag table can check nothing else: those first, as often as it takes.
        let head = if plane == Plane::Meta { self.geometry.head_blocks() } else { 0 };
        let lacked = (0..head).fold(0u32, |sum, index| {
            sum.saturating_add(ones(self.row(first.saturating_add(index)), self.mask))
        });
        let (mut start, mut end) = (0, self.geometry.count(plane));
        self.round.copies = 0;
        if lacked > 0 && (paper || alone || flagged) {
            end = head;
        } else if lacked > 0 {
            self.round.copies = self.head_copies(lacked);
            start = head;
        }
        for pass in 0..2 {
            for index in start..end {
                let row = self.row(first.saturating_add(index));
                let count = ones(row, self.mask);
                if count == 0 {
                    continue;
                }
                let single = alone
                    || (paper && count < 3)
                    || (flagged && !self.reaches_group(first.saturating_add(index)));
                if single == (pass == 1)
                    && let Some(place) = self.order.get_mut(len)
                {
                    *place = index;
                    len = len.saturating_add(1);
                }
            }
            if pass == 0 {
                split = len;
            }
        }
        self.round.split = u16::try_from(split).unwrap_or(u16::MAX);
        self.round.len = u16::try_from(len).unwrap_or(u16::MAX);
    }

    /// Whether a block is lacked by a meter that frames to all do reach.
    fn reaches_group(&self, unit: u16) -> bool {
        let row = self.row(unit);
        self.meters().iter().enumerate().any(|(at, meter)| {
            let bit = 0x80u8 >> (at & 7);
            let on = |set: &[u8]| set.get(at >> 3).is_some_and(|octet| octet & bit != 0);
            !meter.unicast && on(row) && on(self.mask)
        })
    }

    /// Picks between union, XOR and GF(2) by what each is predicted to take to the end.
    fn choose(&mut self) {
        let blocks = u32::from(self.round.split);
        self.sort();
        let (mut frames, mut inside) = (0u32, 0u32);
        while let Some(indices) = self.next_indices() {
            frames = frames.saturating_add(1);
            inside = inside.saturating_add(u32::try_from(indices.as_slice().len()).unwrap_or(0));
        }
        // About an octet for each number in a frame of more than one, and two more.
        let head = inside.checked_div(frames).unwrap_or(0).saturating_add(2);
        let union = u64::from(blocks).saturating_mul(self.frame_octets(0).into());
        let xor = u64::from(frames).saturating_mul(self.frame_octets(head).into());
        #[cfg(feature = "coded")]
        if self.choose_coded(union.min(xor)) {
            return;
        }
        // Planning took the order apart.
        let split = self.round.split;
        let flagged = self.round.len > split;
        self.fill_order(flagged);
        self.round.cursor = 0;
        if frames < blocks && xor < union {
            self.sort();
            self.round.kind = Kind::Xor;
            self.round.frames = u16::try_from(frames).unwrap_or(u16::MAX);
        }
    }

    /// Blocks that most meters lack first: they are the hardest to pair.
    fn sort(&mut self) {
        let first = self.geometry.unit(self.round.plane, 0).unwrap_or(0);
        let (rows, mask, stride) = (&*self.rows, &*self.mask, self.stride);
        let Some(order) = self.order.get_mut(..usize::from(self.round.split)) else { return };
        order.sort_unstable_by_key(|&index| {
            let at = stride.saturating_mul(usize::from(first.saturating_add(index)));
            let row = rows.get(at..at.saturating_add(stride)).unwrap_or(&[]);
            (core::cmp::Reverse(ones(row, mask)), index)
        });
        self.round.cursor = 0;
    }

    /// The next XOR frame: the first block not yet sent, and every later one that shares no meter with those before it.
    fn next_indices(&mut self) -> Option<Indices> {
        let first = self.geometry.unit(self.round.plane, 0).unwrap_or(0);
        let mut indices = Indices::new();
        self.sum.fill(0);
        let mut at = usize::from(self.round.cursor);
        let split = usize::from(self.round.split);
        while at < split && indices.as_slice().len() < XOR_MAX {
            let here = at;
            at = at.saturating_add(1);
            let Some(&index) = self.order.get(here) else { break };
            if index == TAKEN {
                continue;
            }
            let from = self.stride.saturating_mul(usize::from(first.saturating_add(index)));
            let row = self.rows.get(from..from.saturating_add(self.stride)).unwrap_or(&[]);
            if meets(row, self.mask, self.sum) {
                continue;
            }
            indices.insert(index);
            for ((sum, row), mask) in self.sum.iter_mut().zip(row).zip(&*self.mask) {
                *sum |= row & mask;
            }
            if let Some(place) = self.order.get_mut(here) {
                *place = TAKEN;
            }
            if *self.sum == *self.needy {
                break;
            }
        }
        while self.order.get(usize::from(self.round.cursor)) == Some(&TAKEN)
            && self.round.cursor < self.round.split
        {
            self.round.cursor = self.round.cursor.saturating_add(1);
        }
        (!indices.as_slice().is_empty()).then_some(indices)
    }

    /// The next frame of the round, `None` at its end.
    pub(super) fn next_frame(&mut self, out: &mut [u8]) -> Result<Option<(To, usize)>, BufferTooSmall> {
        self.traffic = if self.first_done(self.round.plane) { Traffic::Repair } else { Traffic::Data };
        let group = To::Group(self.settings.group);
        if let Some(len) = self.next_copy(out)? {
            self.frames = self.frames.wrapping_add(1);
            return Ok(Some((group, len)));
        }
        if self.round.kind == Kind::Union
            && self.round.cursor >= self.round.split
            && self.round.passed.saturating_add(1) < self.round.passes
        {
            self.round.passed = self.round.passed.saturating_add(1);
            self.round.cursor = 0;
        }
        let sent = match self.round.kind {
            #[cfg(feature = "coded")]
            Kind::Coded => self.next_coded(out)?.map(|len| (group, len)),
            Kind::Union if self.round.cursor < self.round.split => {
                let index = self.order.get(usize::from(self.round.cursor)).copied().unwrap_or(0);
                self.round.cursor = self.round.cursor.saturating_add(1);
                Some((group, self.put_block(out, index, false)?))
            }
            Kind::Xor if self.round.cursor < self.round.split => match self.next_indices() {
                Some(indices) => {
                    self.round.frames = self.round.frames.saturating_sub(1);
                    Some((group, self.put_xor(out, &indices)?))
                }
                None => None,
            },
            _ => None,
        };
        if sent.is_some() {
            self.frames = self.frames.wrapping_add(1);
            return Ok(sent);
        }
        self.next_single(out)
    }

    fn put_block(&mut self, out: &mut [u8], index: u16, acknowledge: bool) -> Result<usize, BufferTooSmall> {
        self.put(out, self.round_plane(), index, acknowledge)
    }

    fn put(
        &mut self,
        out: &mut [u8],
        plane: Plane,
        index: u16,
        acknowledge: bool,
    ) -> Result<usize, BufferTooSmall> {
        let len = self.geometry.block_len(plane, index);
        let (session, source) = (self.session, &mut self.source);
        let head = Head::Block { plane, index, acknowledge };
        encode_in_place(out, session, &head, len.into(), |sum| source.add(plane, index, sum).then_some(()))
            .map(<[u8]>::len)
    }

    fn put_xor(&mut self, out: &mut [u8], indices: &Indices) -> Result<usize, BufferTooSmall> {
        if let &[index] = indices.as_slice() {
            return self.put_block(out, index, false);
        }
        let plane = self.round_plane();
        let (geometry, session, source) = (self.geometry, self.session, &mut self.source);
        let head = Head::Xor { plane, indices };
        encode_in_place(out, session, &head, geometry.block().into(), |sum| {
            indices.as_slice().iter().try_for_each(|&index| {
                let block = sum.get_mut(..usize::from(geometry.block_len(plane, index)))?;
                source.add(plane, index, block).then_some(())
            })
        })
        .map(<[u8]>::len)
    }

    /// The next block for a single meter, which acknowledges it.
    fn next_single(&mut self, out: &mut [u8]) -> Result<Option<(To, usize)>, BufferTooSmall> {
        let first = self.geometry.unit(self.round.plane, 0).unwrap_or(0);
        self.round.cursor = self.round.cursor.max(self.round.split);
        while self.round.cursor < self.round.len {
            let index = self.order.get(usize::from(self.round.cursor)).copied().unwrap_or(0);
            let unit = first.saturating_add(index);
            while self.round.meter < self.used {
                let at = usize::from(self.round.meter);
                let bit = 0x80u8 >> (at & 7);
                let lacks = |set: &[u8]| set.get(at >> 3).is_some_and(|octet| octet & bit != 0);
                let Some(meter) = self.meters.get(at).copied() else { break };
                if lacks(self.row(unit)) && lacks(self.mask) && !meter.skipped && !meter.state.is_final() {
                    let len = self.put_block(out, index, true)?;
                    self.step = Step::Await { meter: self.round.meter, deadline: None, block: Some(unit) };
                    self.frames = self.frames.wrapping_add(1);
                    return Ok(Some((To::Meter(meter.address), len)));
                }
                self.round.meter = self.round.meter.saturating_add(1);
            }
            self.round.meter = 0;
            self.round.cursor = self.round.cursor.saturating_add(1);
        }
        Ok(None)
    }

    /// After a round nobody's state is known who lacked something.
    pub(super) fn end_round(&mut self) {
        if self.round.apart {
            // What the others heard changes what they lack.
            for meter in self.meters.iter_mut().filter(|meter| meter.state == State::Active) {
                meter.fresh = false;
            }
        }
        for (at, meter) in self.meters.iter_mut().enumerate() {
            let bit = 0x80u8 >> (at & 7);
            if self.mask.get(at >> 3).is_some_and(|octet| octet & bit != 0) {
                meter.fresh = false;
                meter.served = true;
                meter.covered = 0;
            }
        }
        let [meta, data] = &mut self.first_done;
        match self.round.plane {
            Plane::Meta => *meta |= !self.round.blind,
            Plane::Data => *data = true,
        }
    }
}
