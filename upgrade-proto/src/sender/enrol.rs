//! What to do next: request, group, initiate, ask, send, verify, activate, read back.

use super::{Reason, Seal, Sender, Source, State, Step, To, Traffic};
use crate::error::{BufferTooSmall, Refusal};
use crate::message::{Ask, Message};
use crate::session::Plane;

impl<S: Source, K: Seal> Sender<'_, S, K> {
    /// Picks the next thing to do. `Ok(None)`: the step was changed without a frame.
    pub(super) fn decide(&mut self, out: &mut [u8], now: u64) -> Result<Option<(To, usize)>, BufferTooSmall> {
        self.traffic = Traffic::Control;
        for at in 0..self.used {
            if let Some(message) = self.enrolment(at, now) {
                return self.ask(at, message, out).map(Some);
            }
        }
        if !self.initiated && !self.settings.single && self.any(|meter| meter.state == State::Joined) {
            self.initiated = true;
            let erase = now.saturating_add(self.settings.erase.into());
            for at in 0..self.used {
                if let Some(meter) = self.meter_mut(at).filter(|meter| meter.state == State::Joined) {
                    meter.not_before = erase;
                    meter.waiting = true;
                    self.activate_row(at);
                }
            }
            return self.call(Message::Initiate(self.initiate), out).map(Some);
        }
        let due =
            |meter: &super::Meter| meter.state == State::Active && !meter.known && meter.not_before <= now;
        if !self.head_sent && self.any(due) {
            self.head_sent = true;
            // Blind, before anyone said that it is ready: the answers to the next question then confirm both.
            if self.plan_head() {
                self.step = Step::Round;
                return Ok(None);
            }
        }
        if let Some(sent) = self.collect(out, now)? {
            return Ok(Some(sent));
        }
        if self.any(|meter| meter.waiting && !meter.fresh && meter.state == State::Active) {
            self.wait(now, |meter| meter.waiting && !meter.fresh && meter.state == State::Active);
            return Ok(None);
        }
        if self.rounds >= self.settings.rounds {
            for meter in self.meters.iter_mut().filter(|meter| meter.state == State::Active) {
                meter.state = State::GivenUp(Reason::Rounds);
            }
        }
        if self.plan() {
            self.rounds = self.rounds.saturating_add(1);
            self.step = Step::Round;
            return Ok(None);
        }
        if let Some(sent) = self.conclude(out, now)? {
            return Ok(Some(sent));
        }
        if self.any(|meter| !meter.state.is_final()) {
            self.wait(now, |meter| !meter.state.is_final());
        } else {
            self.step = Step::Finished;
        }
        Ok(None)
    }

    /// Whether some meter is such.
    pub(super) fn any(&self, such: impl Fn(&super::Meter) -> bool) -> bool {
        self.meters().iter().any(such)
    }

    fn wait(&mut self, now: u64, such: impl Fn(&super::Meter) -> bool) {
        let until = self.meters().iter().filter(|meter| such(meter)).map(|meter| meter.not_before).min();
        // A meter that is due but cannot be asked would make this a busy loop: always let time pass.
        self.step = Step::Wait { until: until.unwrap_or(now).max(now.saturating_add(1)) };
    }

    /// The question that takes a meter into the session, if it is due.
    fn enrolment(&mut self, at: u16, now: u64) -> Option<Message<'static>> {
        let (single, initiated) = (self.settings.single, self.initiated);
        let (group, initiate) = (self.settings.group, self.initiate);
        let meter = self.meter_mut(at).filter(|meter| meter.not_before <= now)?;
        match meter.state {
            State::New => Some(Message::Query),
            State::Candidate if single => {
                meter.state = State::Joined;
                Some(Message::Initiate(initiate))
            }
            State::Candidate => Some(Message::Join { group, member: at }),
            State::Joined if single || initiated => Some(Message::Initiate(initiate)),
            _ => None,
        }
    }

    /// Between two frames of a round: who came since is taken in, and, where the rest of the round is worth it, sent manifest and tags, so that
    /// it can use the blocks still to come. `Ok(None)`: nothing of the kind.
    pub(super) fn aside(&mut self, out: &mut [u8], now: u64) -> Result<Option<(To, usize)>, BufferTooSmall> {
        for at in 0..self.used {
            if let Some(message) = self.enrolment(at, now) {
                self.traffic = Traffic::Control;
                self.aside = true;
                return self.ask(at, message, out).map(Some);
            }
        }
        if self.serves_newcomers() {
            // Blocks are of no use before there is room for them.
            let opens = |meter: &super::Meter| meter.state == State::Active && !meter.known;
            if let Some(at) = self.meters().iter().position(|meter| opens(meter) && meter.not_before <= now) {
                self.traffic = Traffic::Control;
                self.aside = true;
                let at = u16::try_from(at).unwrap_or(u16::MAX);
                return self.ask(at, Message::StatusQuery(Ask::COUNT), out).map(Some);
            }
            let comes = |meter: &super::Meter| match meter.state {
                State::New | State::Candidate | State::Joined => meter.silences == 0,
                _ => opens(meter) && meter.silences == 0,
            };
            // Once for all that come together.
            if !self.any(comes) && self.welcome() {
                self.begin_tags();
            }
        }
        self.next_tags(out)
    }

    /// Whether there are meters that lack everything and that the round was not planned for; they hear it from here on.
    fn welcome(&mut self) -> bool {
        let count = self.geometry.count(Plane::Data);
        let mut any = false;
        for (at, meter) in self.meters.iter_mut().enumerate() {
            let masked = self.mask.get(at >> 3).is_some_and(|octet| octet & (0x80u8 >> (at & 7)) != 0);
            if !masked && meter.state == State::Active && meter.fresh && meter.missing == count {
                meter.fresh = false;
                any = true;
            }
        }
        any
    }

    /// Asks one meter.
    pub(super) fn ask(
        &mut self,
        at: u16,
        message: Message<'_>,
        out: &mut [u8],
    ) -> Result<(To, usize), BufferTooSmall> {
        let len = self.encode(message, out)?;
        self.step = Step::Await { meter: at, deadline: None, block: None };
        let address = self.meters().get(usize::from(at)).map(|meter| meter.address).unwrap_or_default();
        Ok((To::Meter(address), len))
    }

    /// Says something to the group that nobody answers.
    fn call(&mut self, message: Message<'_>, out: &mut [u8]) -> Result<(To, usize), BufferTooSmall> {
        let len = self.encode(message, out)?;
        Ok((To::Group(self.settings.group), len))
    }

    /// Opens the books for a meter: it lacks everything until it says otherwise.
    pub(super) fn activate_row(&mut self, at: u16) {
        for plane in [Plane::Meta, Plane::Data] {
            self.set_range(plane, at, 0, u16::MAX, true);
        }
        let count = self.geometry.count(Plane::Data);
        let meta = self.geometry.count(Plane::Meta) > 0;
        if let Some(meter) = self.meter_mut(at) {
            meter.state = State::Active;
            meter.missing = count;
            meter.plane_meta = meta;
            meter.before = u16::MAX;
            meter.fresh = false;
            meter.covered = 0;
        }
    }

    /// Takes answers other than status words.
    pub(super) fn take_answer(&mut self, at: u16, message: &Message<'_>, now: u64) -> bool {
        let (manifest, install, tries) = (self.manifest, self.settings.install, self.settings.tries);
        let Some(meter) = self.meter_mut(at) else { return false };
        match (*message, meter.state) {
            (Message::Identity(ref identity), State::New) => {
                meter.identity = *identity;
                meter.state = match manifest.applies_to(identity, meter.address) {
                    Ok(()) => State::Candidate,
                    Err(refusal) => State::GivenUp(Reason::Refused(refusal)),
                };
            }
            (Message::Identity(ref identity), State::Activated) => {
                meter.identity.version = identity.version;
                if identity.version == manifest.version {
                    meter.state = State::Done;
                } else {
                    meter.stalls = meter.stalls.saturating_add(1);
                    meter.not_before = now.saturating_add(install.unwrap_or(0).into());
                    if meter.stalls > 3 {
                        meter.state = State::GivenUp(Reason::Version);
                    }
                }
            }
            (Message::Joined { member, .. }, State::Candidate) if member == at => {
                meter.state = State::Joined;
                meter.roll_misses = 0;
            }
            (Message::Joined { member, .. }, _) if member == at => meter.roll_misses = 0,
            // It lost its session, or never heard of it.
            (Message::Refused(Refusal::State), State::Active | State::Complete) => {
                meter.state = State::Joined;
                meter.waiting = false;
                meter.ready = false;
            }
            // Told to activate before, without an answer: it has gone on to install. The read-back tells.
            (Message::Refused(Refusal::State), State::Verified)
                if install.is_some() && (meter.tries > 0 || meter.stale > 0) =>
            {
                meter.state = State::Activated;
                meter.stalls = 0;
                meter.not_before = now.saturating_add(install.unwrap_or(0).into());
            }
            // A late answer to an older question: the one to this question, or its absence, decides.
            (Message::Refused(Refusal::State), _) => return false,
            // It had the number before: this frame came twice, or what numbers are kept falls behind. The next has a higher one.
            (Message::Refused(Refusal::Stale), _) => {
                meter.stale = meter.stale.saturating_add(1);
                if meter.stale > tries {
                    meter.state = State::GivenUp(Reason::Refused(Refusal::Stale));
                }
                return true;
            }
            (Message::Refused(refusal), _) => meter.state = State::GivenUp(Reason::Refused(refusal)),
            _ => return false,
        }
        meter.stale = 0;
        true
    }

    /// Books a question that was not answered.
    pub(super) fn no_answer(&mut self, at: u16, now: u64) {
        let (tries, silences, silence) = (self.settings.tries, self.settings.silences, self.settings.silence);
        let Some(meter) = self.meter_mut(at) else { return };
        meter.tries = meter.tries.saturating_add(1);
        if meter.tries < tries {
            return;
        }
        meter.tries = 0;
        meter.waiting = false;
        meter.silences = meter.silences.saturating_add(1);
        meter.not_before = now.saturating_add(silence.into());
        meter.skipped = true;
        if meter.silences >= silences {
            meter.state = State::GivenUp(Reason::Silent);
        }
    }

    /// Verify, activate, read back.
    fn conclude(&mut self, out: &mut [u8], now: u64) -> Result<Option<(To, usize)>, BufferTooSmall> {
        let complete = self.meters().iter().filter(|meter| meter.state == State::Complete).count();
        // Those that still solve coded rows would not hear the word to all.
        if self.any(|meter| meter.state == State::Complete && !meter.waiting && meter.not_before > now) {
            return Ok(None);
        }
        if complete > 2 && !self.verify_sent && !self.settings.single {
            self.verify_sent = true;
            let until = now.saturating_add(self.settings.verify.into());
            for meter in self.meters.iter_mut().filter(|meter| meter.state == State::Complete) {
                meter.waiting = true;
                meter.fresh = false;
                meter.not_before = until;
            }
            return self.call(Message::Verify, out).map(Some);
        }
        let (activate, install) = (self.settings.activate, self.settings.install);
        for at in 0..self.used {
            let Some(meter) = self.meter_mut(at).filter(|meter| meter.not_before <= now) else { continue };
            let message = match (meter.state, activate) {
                (State::Complete, _) if !meter.waiting => Message::Verify,
                (State::Complete, _) => Message::StatusQuery(Ask::COUNT),
                (State::Verified, Some(time)) => Message::Activate { at: time },
                (State::Verified, None) => {
                    meter.state = State::Done;
                    continue;
                }
                (State::Activated, _) if install.is_some() => Message::Query,
                (State::Activated, _) => {
                    meter.state = State::Done;
                    continue;
                }
                _ => continue,
            };
            return self.ask(at, message, out).map(Some);
        }
        Ok(None)
    }
}
