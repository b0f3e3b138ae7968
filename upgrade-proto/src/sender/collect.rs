//! Asking who lacks what, and booking the answers.

use super::{Meter, Reason, Seal, Sender, Source, State, Step, Strategy, To, Traffic};
use crate::error::BufferTooSmall;
use crate::gaps::GapReader;
use crate::message::{Ask, Form, HEADER_LEN, Message, Phase, Quiet, Report, Status};
use crate::session::Plane;

/// Octets of a status message without list: header, state, first missing, count, and the list's start.
const STATUS_OCTETS: u32 = HEADER_LEN as u32 + 7;
/// Blocks sent below which a meter's own loss says little.
const SAMPLE: u32 = 256;
/// Octets of a roll call without its members.
const ROLL_OCTETS: u16 = HEADER_LEN + 9;

impl<S: Source, K: Seal> Sender<'_, S, K> {
    fn due(meter: &Meter, now: u64) -> bool {
        let asked = match meter.state {
            State::Active => true,
            State::Complete => meter.waiting,
            _ => false,
        };
        asked && !meter.fresh && meter.not_before <= now
    }

    /// Asks meters whose state is not known: by roll call when there are three or more, else one by one.
    pub(super) fn collect(
        &mut self,
        out: &mut [u8],
        now: u64,
    ) -> Result<Option<(To, usize)>, BufferTooSmall> {
        let alone =
            self.settings.single || matches!(self.settings.strategy, Strategy::Paper | Strategy::Unicast);
        #[cfg(feature = "coded")]
        if self.any(|meter| Self::due(meter, now)) {
            self.foresee();
        }
        if !alone {
            self.hear_silence(now);
            // One roll call has one form: the first member's, and those of the same are called.
            let rollable = |meter: &&Meter| Self::rollable(meter, now);
            let roll = self.meters().iter().find(rollable).map(|meter| self.roll_form(meter));
            let called = |meter: &&Meter| rollable(meter) && Some(self.roll_form(meter)) == roll;
            if let Some(roll) = roll
                && self.meters().iter().filter(called).count() > 2
            {
                return self.roll_call(out, roll, now).map(Some);
            }
        }
        let Some(at) = self.meters().iter().position(|meter| Self::due(meter, now)) else { return Ok(None) };
        let at = u16::try_from(at).unwrap_or(u16::MAX);
        let Some(&meter) = self.meters().get(usize::from(at)) else { return Ok(None) };
        let Meter { state, known, covered, roll_misses, .. } = meter;
        self.traffic = if state == State::Complete || !known { Traffic::Control } else { Traffic::Feedback };
        // A meter that answers when asked alone but never to the roll has lost its membership.
        if roll_misses >= 4
            && !alone
            && let Some(meter) = self.meter_mut(at)
        {
            meter.roll_misses = 2;
            return self.ask(at, Message::Join { group: self.settings.group, member: at }, out).map(Some);
        }
        let form = self.form(&meter);
        let from = self.from(form, covered, meter.plane_meta);
        let limit = self.settings.longest.saturating_sub(32).saturating_sub(K::OVERHEAD);
        self.slot_limit = limit.min(self.geometry.units().div_ceil(8));
        self.ask(at, Message::StatusQuery(Ask { form, quiet: Quiet::Nobody, from, limit }), out).map(Some)
    }

    fn rollable(meter: &Meter, now: u64) -> bool {
        Self::due(meter, now) && meter.roll_misses < 2 && meter.covered == 0
    }

    /// How a meter is asked in a roll call, with what number, and whether silence will do: not before it has said anything, nor for the last
    /// word on the image.
    fn roll_form(&self, meter: &Meter) -> (Form, Quiet, u16) {
        let quiet = match meter.state {
            State::Active if !meter.known => Quiet::Nobody,
            State::Active if meter.plane_meta => Quiet::Tagged,
            State::Active => Quiet::Complete,
            _ => Quiet::Nobody,
        };
        let form = self.form(meter);
        (form, quiet, self.from(form, 0, meter.plane_meta))
    }

    /// Roll calls that a meter may leave without a word before that is taken for its answer: the more it loses, the more. Who lacks tags and was
    /// not heard would lose blocks by the dozen; who lacks a few blocks is found when it is asked whether the image is verified.
    fn calls(meter: &Meter, mean: u16, quiet: Quiet) -> u8 {
        let least: u8 = if matches!(quiet, Quiet::Tagged) { 2 } else { 1 };
        // Who was lucky with manifest and tags, a few dozen blocks, may lose as many as the others all the same.
        let loss = if meter.sent < SAMPLE { meter.loss.max(mean) } else { meter.loss };
        match loss {
            _ if meter.sent == 0 => 4,
            0x2000.. => least.saturating_add(3),
            0x0800.. => least.saturating_add(2),
            _ => least,
        }
    }

    /// Books the silence of those that had been called often enough.
    fn hear_silence(&mut self, now: u64) {
        let zeros = [0u8; 64];
        let mean = self.mean_loss();
        let count = self.geometry.count(Plane::Data);
        for at in 0..self.used {
            let Some(meter) = self.meters().get(usize::from(at)) else { break };
            let (form, quiet, from) = self.roll_form(meter);
            let enough = Self::calls(meter, mean, quiet);
            if quiet == Quiet::Nobody || meter.unsaid < enough || !Self::rollable(meter, now) {
                continue;
            }
            let (phase, plane, more) = (Phase::Receiving, Plane::Data, false);
            let none = Status { phase, plane, first_missing: 0, missing: count, more, report: Report::Count };
            let status = match (quiet, form) {
                (Quiet::Tagged, _) => none,
                // It may still have them to solve; how many of its own were missing is not known.
                (_, Form::Deficits) => {
                    let missing =
                        (u32::from(count).saturating_mul(meter.loss.into()) >> 16).saturating_mul(5) >> 2;
                    let missing = u16::try_from(missing).unwrap_or(count);
                    let rows = zeros.get(..usize::from(from).saturating_mul(2)).unwrap_or(&zeros);
                    Status { phase: Phase::Working, missing, report: Report::Deficits(rows), ..none }
                }
                _ => Status { phase: Phase::Complete, first_missing: count, missing: 0, ..none },
            };
            self.take_status(at, &status, false, now);
        }
    }

    /// How a meter is asked. The numbers of a list are of the plane it is at, deficits of the data alone.
    #[cfg_attr(
        not(feature = "coded"),
        expect(unused_variables, reason = "all are asked alike without coded rows")
    )]
    fn form(&self, meter: &Meter) -> Form {
        match self.settings.strategy {
            Strategy::Paper | Strategy::Unicast => Form::Bitmap,
            #[cfg(feature = "coded")]
            _ if !meter.apart && if meter.plane_meta { self.coded.meta } else { self.coded.active } => {
                Form::Deficits
            }
            _ => Form::Missing,
        }
    }

    /// What a question says beside its form: where the list goes on, or the cut into generations that deficits are asked for.
    #[cfg_attr(not(feature = "coded"), expect(unused_variables, clippy::unused_self, reason = "as above"))]
    const fn from(&self, form: Form, covered: u16, meta: bool) -> u16 {
        #[cfg(feature = "coded")]
        if matches!(form, Form::Deficits) {
            return self.cut(Self::plane_of(meta)) as u16;
        }
        covered
    }

    /// Calls as many due members as one frame names; their answers come in slots.
    fn roll_call(
        &mut self,
        out: &mut [u8],
        roll: (Form, Quiet, u16),
        now: u64,
    ) -> Result<(To, usize), BufferTooSmall> {
        let (form, quiet, from) = roll;
        self.traffic = Traffic::Feedback;
        // The first answers confirm the initiate phase; those of complete meters are about verifying.
        if !self.any(|meter| meter.state == State::Active && meter.known && Self::due(meter, now)) {
            self.traffic = Traffic::Control;
        }
        let head = ROLL_OCTETS.saturating_add(K::OVERHEAD);
        let room = self.settings.longest.saturating_sub(head).clamp(1, 128);
        let mut members = [0u8; 128];
        let (mut first, mut last, mut called) = (None, 0usize, 0u32);
        for at in 0..self.used {
            let Some(meter) = self.meters().get(usize::from(at)) else { break };
            if !Self::rollable(meter, now) || self.roll_form(meter) != roll {
                continue;
            }
            let Some(meter) = self.meter_mut(at) else { break };
            let at = usize::from(at);
            let base = *first.get_or_insert(at & !7);
            let bit = at.saturating_sub(base);
            let Some(octet) = members.get_mut(bit >> 3).filter(|_| bit >> 3 < usize::from(room)) else {
                break;
            };
            *octet |= 0x80u8 >> (bit & 7);
            last = bit >> 3;
            called = called.saturating_add(1);
            // Counted as missed until the answer takes it back.
            let misses = if quiet == Quiet::Nobody { &mut meter.roll_misses } else { &mut meter.unsaid };
            *misses = misses.saturating_add(1);
        }
        let limit = self.report_limit(form, from);
        self.slot_limit = limit;
        let slot = self
            .airtime(STATUS_OCTETS.saturating_add(limit.into()).saturating_add(K::OVERHEAD.into()))
            .saturating_add(self.settings.turnaround.into());
        let slot = u16::try_from(slot).unwrap_or(u16::MAX);
        let ask = Ask { form, quiet, from, limit };
        let first = u16::try_from(first.unwrap_or(0)).unwrap_or(0);
        let members = members.get(..=last).unwrap_or(&[]);
        let len = self.encode(Message::RollCall { ask, slot, first, members }, out)?;
        let slots = u32::from(slot).saturating_mul(called.saturating_add(1)).saturating_add(20);
        self.step = Step::Roll { slots, until: None };
        Ok((To::Group(self.settings.group), len))
    }

    /// Octets of list or bitmap that most meters' answers will need.
    #[cfg_attr(not(feature = "coded"), expect(unused_variables, reason = "as above"))]
    fn report_limit(&self, form: Form, from: u16) -> u16 {
        let bitmap = |plane| self.geometry.count(plane).div_ceil(8);
        #[cfg(feature = "coded")]
        if form == Form::Deficits {
            return from.saturating_mul(2);
        }
        let (mut most, mut sum, mut meters) = (0u32, 0u32, 0u32);
        let mut plane = Plane::Meta;
        for meter in self.meters().iter().filter(|meter| meter.state == State::Active && !meter.fresh) {
            let here = Self::plane_of(meter.plane_meta);
            if here == Plane::Data {
                plane = here;
            }
            // A thirtieth lost until it is known better, and room for bad luck.
            let loss = if meter.loss == 0 { 2184 } else { u32::from(meter.loss) };
            let lacked = u32::from(meter.before.min(self.geometry.count(here)));
            let expect = (lacked.saturating_mul(loss) >> 16).saturating_mul(5) >> 2;
            let expect = expect.saturating_add(8);
            most = most.max(expect);
            sum = sum.saturating_add(expect);
            meters = meters.saturating_add(1);
        }
        let mean = sum.checked_div(meters).unwrap_or(0);
        let expect = most.min(mean.saturating_mul(2)).max(1);
        let gap = u32::from(self.geometry.count(plane)).checked_div(expect).unwrap_or(0).max(1).ilog2();
        let octets = expect.saturating_mul(gap.saturating_add(2)) >> 3;
        u16::try_from(octets.saturating_add(4)).unwrap_or(u16::MAX).min(bitmap(plane).max(2))
    }

    /// Silent members stay counted as having missed the roll.
    #[expect(clippy::unused_self, reason = "the step's end is a place of its own")]
    pub(super) const fn end_roll(&mut self) {}

    /// Books a status word.
    pub(super) fn take_status(&mut self, at: u16, status: &Status<'_>, awaited: bool, now: u64) -> bool {
        if let Step::Await { block: Some(unit), .. } = self.step
            && awaited
        {
            self.set_missing(unit, at, false);
            return true;
        }
        let (erase, verify, install) = (self.settings.erase, self.settings.verify, self.settings.install);
        let Some(meter) = self.meter_mut(at) else { return false };
        meter.roll_misses = 0;
        meter.unsaid = 0;
        meter.identity.phase = status.phase;
        let joined = meter.state == State::Joined;
        match (meter.state, status.phase) {
            (State::Joined | State::Active | State::Complete, Phase::Verified | Phase::Armed) => {
                meter.state = State::Verified;
                meter.missing = 0;
                meter.waiting = false;
                self.forget(at);
            }
            (State::Joined | State::Active | State::Complete, Phase::Failed) => {
                meter.state = State::GivenUp(Reason::Verify);
            }
            (State::Complete, Phase::Verifying) => {
                meter.not_before = now.saturating_add(u64::from(verify) >> 1);
                meter.waiting = true;
            }
            (State::Complete, Phase::Complete) => {
                // Told to verify, and did not hear it; or just heard it. Either way it is asked again, alone.
                meter.waiting = false;
                meter.fresh = true;
            }
            (State::Joined | State::Active, Phase::Complete | Phase::Verifying) => {
                meter.state = State::Complete;
                meter.missing = 0;
                meter.waiting = false;
                meter.fresh = true;
                self.forget(at);
            }
            (State::Verified, Phase::Armed) => {
                meter.state = State::Activated;
                meter.stalls = 0;
                meter.not_before = now.saturating_add(install.unwrap_or(0).into());
            }
            (State::Joined | State::Active, Phase::Erasing) => {
                meter.waiting = true;
                meter.ready = false;
                meter.not_before = now.saturating_add((u64::from(erase) >> 2).max(1));
                meter.stalls = meter.stalls.saturating_add(1);
                if joined {
                    self.activate_row(at);
                }
                self.bound(at, 16);
            }
            (State::Complete, Phase::Working) => {
                meter.not_before = now.saturating_add(u64::from(verify).max(500) >> 1);
                meter.waiting = false;
                meter.fresh = true;
                self.relapse(at);
            }
            (State::Joined | State::Active | State::Complete, Phase::Receiving | Phase::Working) => {
                if meter.state == State::Complete {
                    self.relapse(at);
                    if self.meters().get(usize::from(at)).is_some_and(|meter| meter.state.is_final()) {
                        return true;
                    }
                    self.activate_row(at);
                } else if joined {
                    self.activate_row(at);
                }
                self.book(at, status, now);
            }
            _ => return false,
        }
        true
    }

    /// Nothing is missing at a meter.
    fn forget(&mut self, at: u16) {
        for plane in [Plane::Meta, Plane::Data] {
            self.set_range(plane, at, 0, u16::MAX, false);
        }
    }

    /// A meter that had everything is found working or lacking again; not for ever.
    fn relapse(&mut self, at: u16) {
        if let Some(meter) = self.meter_mut(at) {
            meter.relapses = meter.relapses.saturating_add(1);
            if meter.relapses > 200 {
                meter.state = State::GivenUp(Reason::NoProgress);
            }
        }
    }

    pub(super) fn unsettled(&mut self, at: u16) {
        if let Some(meter) = self.meter_mut(at) {
            meter.stalls = meter.stalls.saturating_add(1);
        }
        self.bound(at, self.settings.stalls.saturating_add(8));
    }

    fn bound(&mut self, at: u16, stalls: u8) {
        if let Some(meter) = self.meter_mut(at).filter(|meter| meter.stalls >= stalls) {
            meter.state = State::GivenUp(Reason::NoProgress);
        }
    }

    /// Books which blocks a receiving meter lacks.
    fn book(&mut self, at: u16, status: &Status<'_>, now: u64) {
        let plane = status.plane;
        let count = self.geometry.count(plane);
        if plane == Plane::Data {
            self.set_range(Plane::Meta, at, 0, u16::MAX, false);
        }
        let Some(zero) = self.geometry.unit(plane, 0) else { return };
        #[cfg(feature = "coded")]
        self.book_missing(at, plane, status.missing);
        let reached = match status.report {
            Report::Count if status.missing == 0 || status.missing >= count => {
                self.set_range(plane, at, 0, count, status.missing > 0);
                Some(count)
            }
            Report::Count => None,
            Report::List { from, octets } => {
                let mut past = from;
                self.set_range(plane, at, self.covered(at, status), from, false);
                for index in GapReader::new(octets, from).filter(|&index| index < count) {
                    self.set_range(plane, at, past, index, false);
                    self.set_missing(zero.saturating_add(index), at, true);
                    past = index.saturating_add(1);
                }
                if status.more {
                    Some(past)
                } else {
                    self.set_range(plane, at, past, count, false);
                    Some(count)
                }
            }
            Report::Bitmap { from, octets } => {
                self.set_range(plane, at, self.covered(at, status), from, false);
                let mut index = u32::from(from);
                for octet in octets {
                    for bit in 0..8u8 {
                        if let Some(index) = u16::try_from(index).ok().filter(|&index| index < count) {
                            self.set_missing(zero.saturating_add(index), at, octet & (0x80u8 >> bit) != 0);
                        }
                        index = index.saturating_add(1);
                    }
                }
                Some(u16::try_from(index).unwrap_or(count).min(count))
            }
            Report::Deficits(octets) => self.book_deficits(at, status, octets, now),
        };
        let settled = reached == Some(count);
        let covered = self.meters().get(usize::from(at)).map_or(0, |meter| meter.covered);
        let before = match self.meter_mut(at) {
            Some(meter) => {
                meter.known = true;
                // What kept it apart was its rows of the plane before.
                meter.apart &= meter.plane_meta == (plane == Plane::Meta);
                meter.covered = if settled { 0 } else { reached.unwrap_or(0) };
                meter.plane_meta = plane == Plane::Meta;
                meter.waiting = meter.waiting && !settled && matches!(status.report, Report::Deficits(_));
                meter.before
            }
            None => return,
        };
        if settled {
            self.measure(at, status.missing, plane, before);
            #[cfg(feature = "coded")]
            self.rejoin(at);
        } else if reached.is_none_or(|reached| reached <= covered)
            && !matches!(status.report, Report::Deficits(_))
        {
            // An answer that says nothing new: not for ever.
            self.unsettled(at);
        }
    }

    /// Where this answer's list starts: everything before the first missing is there.
    fn covered(&self, at: u16, status: &Status<'_>) -> u16 {
        let covered = self.meters().get(usize::from(at)).map_or(0, |meter| meter.covered);
        if covered <= status.first_missing { 0 } else { covered }
    }

    /// What the last round tells of a meter's loss: blocks it lacked that were sent, and those of them it still lacks.
    fn sample(&self, missing: u16, meta: bool, before: u16, served: bool) -> Option<(u32, u32)> {
        let passes = self.round.sends_all();
        if before == u16::MAX || !served || passes == 0 {
            return None;
        }
        let count = self.geometry.count(Plane::Data);
        let sent = if before > count { before.saturating_sub(count) } else { before };
        let lost = if before > count && !meta { 0 } else { missing };
        let (sent, lost) = (u32::from(sent), u32::from(lost));
        // Lost in both of two passes: a share of a share.
        let once = if passes > 1 { lost.saturating_mul(sent).isqrt() } else { lost };
        (sent > 0 && lost <= sent).then_some((sent, once))
    }

    /// After a whole answer: did the last round bring anything?
    pub(super) fn measure(&mut self, at: u16, missing: u16, plane: Plane, before: u16) {
        let (count, meta) = (self.geometry.count(Plane::Data), plane == Plane::Meta);
        let served = self.meters().get(usize::from(at)).is_some_and(|meter| meter.served);
        let sample = self.sample(missing, meta, before, served);
        let limit = self.settings.stalls;
        let total = if meta { missing.saturating_add(count) } else { missing };
        let Some(meter) = self.meter_mut(at) else { return };
        if before != u16::MAX && before > count && !meta && missing == count {
            // From tags complete to data untouched: nothing measured yet.
            meter.stalls = 0;
        } else if total < before {
            meter.stalls = 0;
            if !meta && before < count {
                meter.repairs = meter.repairs.saturating_add(before.saturating_sub(total).into());
            }
        } else if served {
            // Asked again in another form, nothing was sent in between: that is no standstill.
            meter.stalls = meter.stalls.saturating_add(1);
        }
        meter.served = false;
        // Union and XOR rounds send each block it lacked once; the first pass weighs most. Half a block is added so that a clean pass
        // does not read as no loss at all.
        if let Some((sent, lost)) = sample {
            meter.sent = meter.sent.saturating_add(sent);
            meter.lost = meter.lost.saturating_add(lost);
            let doubled = meter.lost.saturating_mul(2).saturating_add(1);
            let share =
                u64::from(doubled).saturating_mul(0x8000).checked_div(u64::from(meter.sent)).unwrap_or(0);
            meter.loss = u16::try_from(share).unwrap_or(u16::MAX);
        }
        meter.before = total;
        meter.missing = if meta { count } else { missing };
        meter.fresh = true;
        // Bursts and bad luck take a round or two from anyone.
        meter.unicast = meter.stalls > 1 && meter.stalls > limit / 2;
        if missing == 0 && !meta {
            meter.state = State::Complete;
            meter.waiting = false;
        }
        self.bound(at, limit);
    }
}

#[cfg(not(feature = "coded"))]
impl<S: Source, K: Seal> Sender<'_, S, K> {
    /// Without the coded strategy nobody is asked for deficits.
    #[expect(clippy::unused_self, reason = "the coded strategy's has the same signature")]
    const fn book_deficits(&mut self, _: u16, _: &Status<'_>, _: &[u8], _: u64) -> Option<u16> {
        None
    }
}
