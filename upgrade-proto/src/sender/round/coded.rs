//! Rounds of GF(2) rows: how many generations, how dense, how many frames.

use super::{Kind, Seal, Sender, Source};
use crate::coding::{GENERATIONS_MAX, RowBlocks};
use crate::error::BufferTooSmall;
use crate::message::{Head, Row, Status, encode_in_place};
use crate::sender::{State, Strategy};
use crate::session::Plane;

/// What is known of the coded repair of a session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coded {
    /// Rows were sent, and are kept by the meters.
    pub(crate) active: bool,
    /// Manifest and tags are sent as rows from the first pass on.
    pub(crate) meta: bool,
    foreseen: bool,
    /// Rows of this cut were sent.
    begun: bool,
    cuts: u8,
    pub(crate) generations: u8,
    density: u8,
    seed: u16,
    generation: u8,
    left: u16,
}

/// Blocks of a row that fall on missing ones, on average, at the meter that lacks fewest: enough for sparse rows to be as good as dense ones, and
/// for no block to be in none of them. At 14 one in fifty transfers to 61 meters had such a block, at the end of which row after row was of no use.
const WEIGHT: u32 = 20;
/// A meter that lacks no more rows than this gets one beyond: a random row is new to it with a half to fifteen sixteenths. With many to
/// come the next question is cheaper than sending more blind.
const FEW: u32 = 24;
/// Cuts tried before rows are given up.
const CUTS_MAX: u8 = 4;
/// Answers about other cuts after which a meter is left out of the coded repair for good.
const OTHER_MAX: u8 = 4;
/// Mean loss, in 1/65536, from which meters are asked at once for rows lacking instead of lists.
const LOSSY: u32 = 65536 / 22;

/// Half of the blocks: rows of few columns are best so.
const DENSE: u8 = 128;
/// Columns of a generation below which a cut that a slow flash can follow is not worth its rows beyond.
const SMALL: u32 = 64;

/// What meters lack: the one that lacks fewest, the one that lacks most, and the slowest flash among them (tens of microseconds for 512 octets).
#[derive(Default)]
struct Lacked {
    fewest: u32,
    most: u32,
    slowest: u32,
}

impl Lacked {
    fn add(&mut self, least: u32, most: u32, read_time: u16) {
        self.fewest = self.fewest.min(least);
        self.most = self.most.max(most);
        self.slowest = self.slowest.max(read_time.into());
    }
}

impl<S: Source, K: Seal> Sender<'_, S, K> {
    fn deficit(&self, meter: u16, generation: u8) -> u16 {
        let at = self.deficit_at(meter, generation);
        self.deficits.get(at).copied().unwrap_or(0)
    }

    fn deficit_at(&self, meter: u16, generation: u8) -> usize {
        usize::from(meter).saturating_mul(self.generations_room().into()).saturating_add(generation.into())
    }

    /// Generations the table has room for.
    pub(super) fn generations_room(&self) -> u8 {
        let room = self.deficits.len().checked_div(self.meters.len()).unwrap_or(0);
        u8::try_from(room).unwrap_or(u8::MAX).min(GENERATIONS_MAX)
    }

    pub(super) fn masked(&self, meter: u16) -> bool {
        self.mask.get(usize::from(meter >> 3)).is_some_and(|octet| octet & (0x80u8 >> (meter & 7)) != 0)
    }

    /// Plans a coded round if it takes less than `other` octets, or is asked for.
    pub(super) fn choose_coded(&mut self, other: u64) -> bool {
        let wanted = matches!(self.settings.strategy, Strategy::Auto | Strategy::Coded);
        if !wanted || !self.initiate.tagged || !self.seal.has_group() || self.round.apart {
            return false;
        }
        if self.round.plane == Plane::Meta {
            return self.choose_rows_for_tags();
        }
        if !self.first_done(Plane::Data) {
            return false;
        }
        if !self.coded.active && !self.cut_generations() {
            return false;
        }
        // Where a few meters lose most, XOR serves the many at no cost beside the few.
        if self.settings.strategy == Strategy::Auto && !self.coded.active && self.uneven() {
            return false;
        }
        let mut frames = 0u32;
        for generation in 0..self.coded.generations {
            frames = frames.saturating_add(self.rows_needed(generation));
        }
        // What a round of XOR leaves over takes about twice its share again.
        let again = other.saturating_mul(self.worst_loss().into()) >> 15;
        let coded = u64::from(frames).saturating_mul(self.frame_octets(5).into());
        if self.coded.active
            || self.settings.strategy == Strategy::Coded
            || coded < other.saturating_add(again)
        {
            self.coded.active = true;
            self.begin_rows(frames, self.rows_needed(0));
            return true;
        }
        false
    }

    /// Makes the round one of rows, `first` of them of the first generation.
    pub(super) fn begin_rows(&mut self, frames: u32, first: u32) {
        self.coded.generation = 0;
        self.coded.left = u16::try_from(first).unwrap_or(u16::MAX);
        self.round.kind = Kind::Coded;
        self.round.frames = u16::try_from(frames).unwrap_or(u16::MAX);
        self.round.split = 0;
        self.round.len = 0;
        self.round.copies = 0;
    }

    /// Generations that a plane is cut into.
    pub(in crate::sender) const fn cut(&self, plane: Plane) -> u8 {
        match plane {
            Plane::Meta => 1,
            Plane::Data => self.coded.generations,
        }
    }

    /// Whether the worst meter loses three times as much as they do on average.
    fn uneven(&self) -> bool {
        let active = self.meters().iter().filter(|meter| meter.state == State::Active);
        let worst = u32::from(active.map(|meter| meter.loss).max().unwrap_or(0));
        // Small samples scatter: only a loss worth the name counts.
        worst > 0x2000 && worst > u32::from(self.mean_loss()).saturating_mul(3)
    }

    /// Rows of a generation until its neediest meter has enough, at its loss.
    pub(super) fn rows_needed(&self, generation: u8) -> u32 {
        let mut most = 0u32;
        let mean = self.mean_loss();
        for meter in (0..self.used).filter(|&meter| self.masked(meter)) {
            // None can be solved: it is on its way to be kept apart.
            let Some(deficit) = Some(self.deficit(meter, generation)).filter(|&deficit| deficit != u16::MAX)
            else {
                continue;
            };
            let deficit = u32::from(deficit);
            let loss = self.meters().get(usize::from(meter)).map_or(0, |meter| meter.loss_or(mean).into());
            let keep = 0x1_0000u32.saturating_sub(loss.min(0xE000));
            let rows = (deficit << 16).div_ceil(keep);
            most = most.max(rows);
        }
        if most == 0 || most > FEW { most } else { most.saturating_add(1) }
    }

    /// Picks the fewest generations that every meter of the round has memory for, and a density its flash can follow.
    fn cut_generations(&mut self) -> bool {
        let count = self.geometry.count(Plane::Data);
        let mut generations = 1u8;
        let mut lacked = Lacked { fewest: count.into(), ..Lacked::default() };
        for at in (0..self.used).filter(|&at| self.masked(at)) {
            let Some(meter) = self.meters().get(usize::from(at)).copied() else { return false };
            // Who came late lacks next to everything; plain blocks serve it as well, and need no memory.
            if u32::from(meter.missing).saturating_mul(4) > u32::from(count).saturating_mul(3) {
                return false;
            }
            let Some(least) = u32::from(meter.missing).checked_div(meter.identity.rows.into()) else {
                return false;
            };
            generations = generations.max(u8::try_from(least.saturating_add(1)).unwrap_or(u8::MAX));
            lacked.add(meter.missing.into(), meter.missing.into(), meter.identity.read_time);
        }
        while generations <= self.generations_room() {
            if self.count_deficits(Plane::Data, generations) && self.settle_cut(generations, &lacked) {
                return true;
            }
            generations = generations.saturating_add(1);
        }
        false
    }

    /// Takes a cut if there is room for it and the slowest flash keeps up with rows dense enough for the meter that lacks fewest.
    fn settle_cut(&mut self, generations: u8, lacked: &Lacked) -> bool {
        if generations > self.generations_room() {
            return false;
        }
        let count = self.geometry.count(Plane::Data);
        let columns = lacked.fewest.checked_div(generations.into()).unwrap_or(0).max(1);
        let density = (WEIGHT << 8).div_ceil(columns).clamp(6, 128);
        // Reads of a row: its known blocks, then on average half its missing ones again for the reduction.
        let length = u32::from(count).checked_div(generations.into()).unwrap_or(0);
        let reduce = lacked.most.checked_div(generations.into()).unwrap_or(0) / 2;
        let reads = (length.saturating_mul(density) >> 8).saturating_add(reduce);
        if !self.keeps_up(reads, lacked.slowest) {
            return false;
        }
        self.coded.generations = generations;
        self.coded.density = u8::try_from(density).unwrap_or(128);
        true
    }

    /// Whether a flash reads so many blocks while a row is on the channel.
    pub(super) fn keeps_up(&self, reads: u32, read_time: u32) -> bool {
        let block = u32::from(self.geometry.block());
        let time = reads.saturating_mul(read_time).saturating_mul(block) / 512 / 100;
        let frame = self.airtime(self.frame_octets(5).saturating_sub(self.settings.overhead.into()));
        // A fifth is left for the meter's other work.
        u64::from(time).saturating_mul(5) <= frame.saturating_add(self.settings.gap.into()).saturating_mul(4)
    }

    /// After the first pass over a channel that loses much: settles a cut by what is expected to be lacking, so that the meters answer
    /// with a few numbers instead of lists.
    pub(in crate::sender) fn foresee(&mut self) {
        let wanted = matches!(self.settings.strategy, Strategy::Auto | Strategy::Coded);
        if !wanted
            || self.coded.active
            || !self.first_done(Plane::Data)
            || self.coded.foreseen
            || !self.initiate.tagged
            || !self.seal.has_group()
        {
            return;
        }
        self.coded.foreseen = true;
        let active = |meter: &&super::super::Meter| meter.state == State::Active;
        let mean = u32::from(self.mean_loss());
        if mean < LOSSY || self.meters().iter().filter(active).count() < 3 || self.uneven() {
            return;
        }
        let count = u32::from(self.geometry.count(Plane::Data));
        let mut generations = 1u32;
        let mut lacked = Lacked { fewest: count, ..Lacked::default() };
        for meter in self.meters().iter().filter(active) {
            // The meta plane is a small sample: half of what it says, half of what all say, and a twelfth for luck.
            let loss = u32::from(meter.loss_or(u16::try_from(mean).unwrap_or(u16::MAX))).midpoint(mean);
            let lacks = count.saturating_mul(loss) >> 16;
            let most = lacks.saturating_mul(13) / 12;
            let Some(least) = most.checked_div(meter.identity.rows.into()) else { return };
            generations = generations.max(least.saturating_add(1));
            lacked.add(lacks, most, meter.identity.read_time);
        }
        let least = u8::try_from(generations).unwrap_or(u8::MAX);
        // A slow flash follows finer cuts.
        self.coded.active = (least..=self.generations_room())
            .take_while(|&generations| {
                generations == least || lacked.most.checked_div(generations.into()) > Some(SMALL)
            })
            .any(|generations| self.settle_cut(generations, &lacked));
    }

    /// Counts what each meter lacks of each generation; `false` when one lacks more than it has memory for.
    pub(super) fn count_deficits(&mut self, plane: Plane, generations: u8) -> bool {
        self.deficits.fill(0);
        let Some(zero) = self.geometry.unit(plane, 0) else { return false };
        for index in 0..self.geometry.count(plane) {
            let generation = u8::try_from(index.checked_rem(generations.into()).unwrap_or(0)).unwrap_or(0);
            let from = self.stride.saturating_mul(usize::from(zero.saturating_add(index)));
            for octet in 0..self.stride {
                let row = self.rows.get(from.saturating_add(octet)).copied().unwrap_or(0);
                let mut bits = row & self.mask.get(octet).copied().unwrap_or(0);
                while bits != 0 {
                    let bit = bits.leading_zeros();
                    bits &= !(0x80u8 >> bit);
                    let meter = octet.saturating_mul(8).saturating_add(usize::try_from(bit).unwrap_or(0));
                    let meter = u16::try_from(meter).unwrap_or(u16::MAX);
                    let at = self.deficit_at(meter, generation);
                    let rows = self.meters.get(usize::from(meter)).map_or(0, |meter| meter.identity.rows);
                    let Some(deficit) = self.deficits.get_mut(at) else { return false };
                    *deficit = deficit.saturating_add(1);
                    if *deficit > rows {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// The next coded frame.
    pub(super) fn next_coded(&mut self, out: &mut [u8]) -> Result<Option<usize>, BufferTooSmall> {
        let plane = self.round.plane;
        let generations = self.cut(plane);
        while self.coded.left == 0 {
            self.coded.generation = self.coded.generation.saturating_add(1);
            if self.coded.generation >= generations {
                return Ok(None);
            }
            self.coded.left = u16::try_from(self.rows_needed(self.coded.generation)).unwrap_or(u16::MAX);
        }
        self.coded.left = self.coded.left.saturating_sub(1);
        self.round.frames = self.round.frames.saturating_sub(1);
        self.coded.seed = self.coded.seed.wrapping_add(1);
        let Coded { generation, seed, density, .. } = self.coded;
        let density = if plane == Plane::Meta { DENSE } else { density };
        self.coded.begun |= plane == Plane::Data;
        if plane == Plane::Meta && self.round.frames == 0 {
            // They solve a few dozen columns before they are asked; then who has them all has nothing to say.
            self.linger = self.time_for_tags();
        }
        let row = Row { generation, generations, seed, density };
        let (geometry, session, source) = (self.geometry, self.session, &mut self.source);
        let count = geometry.count(plane);
        encode_in_place(out, session, &Head::Coded { plane, row }, geometry.block().into(), |sum| {
            RowBlocks::new(count, &row).try_for_each(|index| {
                let block = sum.get_mut(..usize::from(geometry.block_len(plane, index)))?;
                source.add(plane, index, block).then_some(())
            })
        })
        .map(|octets| Some(octets.len()))
    }

    /// A list of a plane that is one generation says how many rows are lacking too.
    pub(in crate::sender) fn book_missing(&mut self, at: u16, plane: Plane, missing: u16) {
        let place = self.deficit_at(at, 0);
        if self.cut(plane) == 1
            && let Some(place) = self.deficits.get_mut(place)
        {
            *place = missing;
        }
    }

    /// Books how many rows a meter lacks. Always `None`: the list of its blocks is not known anew.
    pub(in crate::sender) fn book_deficits(
        &mut self,
        at: u16,
        status: &Status<'_>,
        octets: &[u8],
        now: u64,
    ) -> Option<u16> {
        let cut = if status.plane == Plane::Data || self.coded.meta { self.cut(status.plane) } else { 0 };
        let (mut sum, mut said, mut whole) = (0u16, 0u8, true);
        for word in octets.chunks_exact(2) {
            let deficit = word.first_chunk().map_or(0, |word| u16::from_be_bytes(*word));
            whole &= deficit != u16::MAX;
            let place = self.deficit_at(at, said);
            if let Some(place) = self.deficits.get_mut(place).filter(|_| said < cut) {
                *place = deficit;
            }
            sum = sum.saturating_add(deficit);
            said = said.saturating_add(1);
        }
        let data = status.plane == Plane::Data;
        if data && !whole && !self.coded.begun && self.cut_finer(status.missing) {
            return None;
        }
        if !whole || said != cut {
            self.set_apart(at, whole && said > 0);
            return None;
        }
        if !data && sum == 0 {
            // It solves them still.
            let wait = u64::from(self.time_for_tags());
            self.unsettled(at);
            if let Some(meter) = self.meter_mut(at) {
                meter.not_before = now.saturating_add(wait);
                meter.waiting = true;
            }
            return None;
        }
        let before = self.meters().get(usize::from(at)).map_or(u16::MAX, |meter| meter.before);
        self.measure(at, sum, status.plane, before);
        if self.meters().get(usize::from(at)).is_some_and(|meter| meter.unicast) {
            // Frames to all bring it nothing: by its list it is sent blocks alone.
            self.set_apart(at, false);
        }
        if !data {
            return None;
        }
        let wait = self.solve_time(at, status.missing);
        if sum == 0
            && let Some(meter) = self.meter_mut(at).filter(|meter| meter.state == State::Complete)
        {
            // It has all the rows; it needs time to solve them, and is asked after the image was verified.
            meter.not_before = now.saturating_add(wait);
            for plane in [Plane::Meta, Plane::Data] {
                self.set_range(plane, at, 0, u16::MAX, false);
            }
        }
        None
    }

    /// A meter that lacks `missing` blocks has no memory for its share of the cut, and no row was sent yet: a finer one, and all are asked anew.
    fn cut_finer(&mut self, missing: u16) -> bool {
        let rows = self
            .meters()
            .iter()
            .filter(|meter| meter.state == State::Active)
            .map(|meter| meter.identity.rows);
        let rows = u32::from(rows.min().unwrap_or(0));
        // An eighth more than the even share: the shares scatter.
        let least = (u32::from(missing).saturating_mul(9) / 8).checked_div(rows).unwrap_or(u32::MAX);
        let generations = u8::try_from(least.saturating_add(1)).unwrap_or(u8::MAX);
        let generations = generations.max(self.coded.generations.saturating_add(1));
        let cut = Coded { generations, ..self.coded.clone() };
        self.coded.cuts = self.coded.cuts.saturating_add(1);
        if self.coded.cuts > CUTS_MAX || generations > self.generations_room() {
            return false;
        }
        self.coded.generations = cut.generations;
        for meter in self.meters.iter_mut().filter(|meter| meter.state == State::Active && !meter.plane_meta)
        {
            meter.fresh = false;
        }
        true
    }

    /// A meter cannot take part in the cut: it is asked for lists and repaired by XOR. `other`: it answered of another cut, which it will give up
    /// when it is asked again or hears rows of this one.
    fn set_apart(&mut self, at: u16, other: bool) {
        if let Some(meter) = self.meter_mut(at) {
            meter.fresh = false;
            meter.other_cut = meter.other_cut.saturating_add(1);
            meter.apart = !other || meter.other_cut > OTHER_MAX;
        }
    }

    /// A meter kept apart that lacks so few blocks now that its decoder holds them takes part again, if it was not kept apart before.
    pub(in crate::sender) fn rejoin(&mut self, at: u16) {
        let room = u32::from(self.coded.generations);
        let active = self.coded.active;
        if let Some(meter) = self.meter_mut(at).filter(|meter| meter.apart && !meter.plane_meta && active) {
            let holds = room.saturating_mul(meter.identity.rows.into()).saturating_mul(3) / 4;
            if meter.missing > 0 && u32::from(meter.missing) < holds && meter.other_cut < OTHER_MAX {
                meter.other_cut = OTHER_MAX;
                meter.apart = false;
                meter.fresh = false;
            }
        }
    }

    /// Milliseconds that the slowest flash takes to solve all of manifest and tags.
    fn time_for_tags(&self) -> u16 {
        let slowest = self.meters().iter().map(|meter| meter.identity.read_time).max().unwrap_or(0);
        let time = self.columns_time(slowest, self.geometry.count(Plane::Meta), 1);
        u16::try_from(time.saturating_add(50)).unwrap_or(u16::MAX)
    }

    /// Milliseconds a meter takes to solve `missing` columns: a quarter of the square of a generation's in reads, a write each.
    fn solve_time(&self, at: u16, missing: u16) -> u64 {
        let read = self.meters().get(usize::from(at)).map_or(0, |meter| meter.identity.read_time);
        self.columns_time(read, missing, self.coded.generations).saturating_add(1500)
    }

    fn columns_time(&self, read: u16, missing: u16, generations: u8) -> u64 {
        let generations = u64::from(generations.max(1));
        let missing = u64::from(missing);
        let reads = missing.saturating_mul(missing).checked_div(generations).unwrap_or(0) / 4;
        let blocks = reads.saturating_add(missing.saturating_mul(6));
        let time =
            blocks.saturating_mul(read.into()).saturating_mul(self.geometry.block().into()) / 512 / 100;
        time.saturating_add(missing.saturating_mul(4)).saturating_mul(5) / 4
    }
}
