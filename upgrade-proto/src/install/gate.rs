//! What a message may do, by who is known to have said it.

use super::upgrader::Upgrader;
use super::{Records, State};
use crate::bitmap::BlockMap;
use crate::codec::Sink;
use crate::error::Refusal;
use crate::flash::FlashError;
use crate::hash::Hash256;
use crate::message::{Ask, Event, Lead, Phase, header, kind};
use crate::receiver::{Addressed, Outcome};
use crate::security::{COMMAND_OVERHEAD, Envelope, ImageKey, REPLY_HEAD, Trust, seal_reply};
use crate::session::Session;
use embedded_storage::nor_flash::NorFlash;

/// Who is known to have said it.
#[derive(Copy, Clone, PartialEq, Eq)]
enum Proof {
    /// Anyone.
    None,
    /// One who has the group's key; the check value.
    Group(u32),
    /// One who has this meter's key; the number of the command or question.
    Meter(u32),
}

impl<F, M, H, R, S, T, const B: usize> Upgrader<F, M, H, R, S, T, B>
where
    F: NorFlash,
    M: BlockMap<F>,
    H: Hash256,
    R: AsMut<[u8]>,
    S: Records<F>,
    T: Trust,
{
    /// Takes a message in, in an envelope or not.
    ///
    /// # Errors
    /// [`FlashError`] when a memory fails.
    pub fn handle_message(&mut self, octets: &[u8], to: Addressed, now: u64) -> Result<Outcome, FlashError> {
        let (proof, message) = match Envelope::split(octets) {
            None => (Proof::None, octets),
            Some(None) => return Ok(Outcome::Ignored),
            Some(Some(envelope)) => {
                if !envelope.is_genuine(&mut self.trust, self.receiver.address()) {
                    return Ok(Outcome::Ignored);
                }
                match envelope {
                    Envelope::Command(command) => (Proof::Meter(command.number), command.message),
                    Envelope::Group { message, tag, .. } => {
                        (Proof::Group(tag.first_chunk().map_or(0, |tag| u32::from_be_bytes(*tag))), message)
                    }
                }
            }
        };
        let mine = to == Addressed::Me;
        if let Proof::Meter(number) = proof {
            // What the meter's key was used for is for this meter, whatever the carrier says.
            self.heard = true;
            if mine {
                self.echo = Some(number);
            }
            if let Some(key) = ImageKey::parse(message) {
                return self.image_key(number, &key, now);
            }
        }
        let Some(mut lead) = Lead::parse(message) else { return Ok(Outcome::Ignored) };
        let overheard = kind::is_block(lead.kind) && !mine;
        if !overheard {
            match proof {
                Proof::Meter(_) => {}
                // Of what is said to a group only a roll call is answered.
                Proof::Group(value) => self.echo = Some(value),
                Proof::None => self.echo = None,
            }
        }
        match self.allowed(&lead, proof, to)? {
            Ok(false) => {}
            Ok(true) => {
                if let Proof::Meter(number) = proof {
                    self.record.control = number;
                }
            }
            Err(refusal) => {
                if mine {
                    self.receiver.refuse(lead.session, refusal, now);
                }
                return Ok(Outcome::Ignored);
            }
        }
        if !self.policy.sealed && !is_vouched_for(lead.kind) {
            self.heard = true;
        }
        let kind = lead.kind;
        if kind == kind::EVENT_QUERY {
            if mine {
                self.events = Some((lead.session, lead.fields.clone().u8()));
                return Ok(Outcome::Taken);
            }
            return Ok(Outcome::Ignored);
        }
        let outcome = self.receiver.handle(&mut lead, to, now)?;
        match outcome {
            Outcome::Activate { at } => self.arm(at)?,
            Outcome::Cancel if self.record.state == State::Armed => self.enter(State::Verified)?,
            Outcome::Taken if kind == kind::INITIATE => self.follow_initiate()?,
            _ => {}
        }
        Ok(outcome)
    }

    /// A session that was opened stands in the record before anything is erased for it.
    fn follow_initiate(&mut self) -> Result<(), FlashError> {
        if let Some(session) = self.receiver.session()
            && self.receiver.phase() == Phase::Erasing
            && !self.record.state.is_committed()
        {
            self.begin(session)?;
        }
        Ok(())
    }

    /// Whether the message may pass; `Ok(true)`: as a command whose number is used up.
    fn allowed(
        &mut self,
        lead: &Lead<'_>,
        proof: Proof,
        to: Addressed,
    ) -> Result<Result<bool, Refusal>, FlashError> {
        let sealed = self.policy.sealed;
        let mine = to == Addressed::Me;
        match lead.kind {
            // Tags say what a block is worth, whoever sent it.
            kind if is_vouched_for(kind) => return Ok(Ok(false)),
            kind::CODED | kind::CODED_META => {
                let passes = !sealed || proof != Proof::None;
                return Ok(if passes { Ok(false) } else { Err(Refusal::Authentication) });
            }
            kind::JOIN | kind::INITIATE | kind::ACTIVATE | kind::CANCEL => {}
            // Questions change nothing; verify only reads.
            _ => return Ok(Ok(false)),
        }
        if to == Addressed::Other {
            return Ok(Err(Refusal::State));
        }
        let command = match (mine, proof) {
            (true, Proof::Meter(number)) if number <= self.record.control => {
                return Ok(Err(Refusal::Stale));
            }
            (true, Proof::Meter(_)) => true,
            (true, _) if sealed => return Ok(Err(Refusal::Authentication)),
            // A command sealed for one meter means nothing at a group address.
            (false, Proof::Meter(_)) => return Ok(Err(Refusal::State)),
            _ => false,
        };
        let verdict = match lead.kind {
            kind::INITIATE => self.may_initiate(lead.session, mine, proof),
            kind::ACTIVATE => {
                // The verdict of the transfer may not stand in the record yet.
                self.follow()?;
                let group = self.policy.group_activate && (!sealed || matches!(proof, Proof::Group(_)));
                if mine || group { self.armable(lead.session) } else { Err(Refusal::Authentication) }
            }
            kind::CANCEL if !mine && sealed => Err(Refusal::Authentication),
            kind::CANCEL => match self.record.state {
                State::Verified | State::Armed | State::RolledBack => Ok(()),
                _ => Err(Refusal::State),
            },
            _ => Ok(()),
        };
        if verdict.is_ok() && command && lead.kind == kind::JOIN {
            // Others are remembered with the step they cause.
            if let Proof::Meter(number) = proof {
                self.record.control = number;
                self.commit()?;
            }
        }
        Ok(verdict.map(|()| command))
    }

    /// An initiate must not touch what an installation still needs; one to a group must not cost what an accepted manifest has brought.
    fn may_initiate(&self, session: Session, mine: bool, proof: Proof) -> Result<(), Refusal> {
        if self.receiver.session() == Some(session) && self.receiver.phase() != Phase::Failed {
            // The same once more opens nothing; a different one under the same name is refused by the digest in it.
            return Ok(());
        }
        if self.record.state.is_committed() {
            return Err(Refusal::State);
        }
        if mine {
            return Ok(());
        }
        if self.policy.sealed && !matches!(proof, Proof::Group(_)) {
            return Err(Refusal::Authentication);
        }
        match self.record.state {
            State::Receiving | State::Verified => Err(Refusal::State),
            _ => Ok(()),
        }
    }

    fn image_key(&mut self, number: u32, key: &ImageKey, now: u64) -> Result<Outcome, FlashError> {
        let refusal = match (self.record.state, &mut self.record.enciphered) {
            _ if number <= self.record.control => Refusal::Stale,
            (State::Receiving | State::Verified | State::RolledBack, Some(enciphered))
                if self.record.session == key.session =>
            {
                enciphered.key = key.key;
                self.record.control = number;
                self.commit()?;
                self.receiver.answer_status(key.session, Ask::COUNT, now);
                return Ok(Outcome::Taken);
            }
            _ => Refusal::State,
        };
        self.receiver.refuse(key.session, refusal, now);
        Ok(Outcome::Ignored)
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to send.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        if self.events.is_some() { Some(0) } else { self.receiver.poll_timeout() }
    }

    /// Writes the answer that is due; its octets, or `None` when nothing is due at `now`. The answer to a question in an
    /// envelope is in one too.
    ///
    /// A buffer of 80 octets holds every answer but lists, bitmaps and event logs, which fill what room there is.
    ///
    /// # Errors
    /// [`FlashError`] when a memory fails; the concentrator will ask again.
    pub fn poll_transmit<'b>(&mut self, out: &'b mut [u8], now: u64) -> Result<Option<&'b [u8]>, FlashError> {
        let (head, overhead) = if self.echo.is_some() { (REPLY_HEAD, COMMAND_OVERHEAD) } else { (0, 0) };
        let room = out.len().saturating_sub(overhead);
        let Some(body) = out.get_mut(head..).and_then(|body| body.get_mut(..room)) else { return Ok(None) };
        let len = if let Some((session, from)) = self.events.take() {
            let mut octets = [0u8; Event::LEN * super::EVENTS];
            let mut len = 0;
            let fits = room.saturating_sub(crate::message::HEADER_LEN.into()) / Event::LEN;
            let entries = (from..=u8::MAX).map_while(|back| self.record.events.octets(back)).take(fits);
            for (to, entry) in octets.chunks_exact_mut(Event::LEN).zip(entries) {
                for (to, from) in to.iter_mut().zip(entry) {
                    *to = *from;
                }
                len = Event::LEN.saturating_add(len);
            }
            let entries = octets.get(..len).unwrap_or(&[]);
            let mut w = Sink::new(body);
            header(&mut w, kind::EVENTS, session);
            w.put(entries);
            w.finish().map_or(0, <[u8]>::len)
        } else {
            self.receiver.poll_transmit(body, now)?.map_or(0, <[u8]>::len)
        };
        if len == 0 {
            return Ok(None);
        }
        match self.echo.take() {
            Some(number) => {
                let address = self.receiver.address();
                Ok(seal_reply(&mut self.trust, address, number, len, out).ok())
            }
            None => Ok(out.get(..len)),
        }
    }
}

/// A block or a sum of some, which tags vouch for.
fn is_vouched_for(kind: u8) -> bool {
    (kind::BLOCK..=kind::XOR_META).contains(&kind)
}
