//! Messages in: commands, questions, and which answer they get when.

use super::{Addressed, Outcome, Pending, Receiver};
use crate::bitmap::{BlockMap, Record};
use crate::codec::Fields;
use crate::error::Refusal;
use crate::flash::{self, FlashError, Span};
use crate::hash::Hash256;
#[cfg(feature = "coded")]
use crate::message::Row;
use crate::message::{Announced, Ask, Lead, Phase, kind};
use crate::session::{Geometry, Plane, Session};
use embedded_storage::nor_flash::NorFlash;

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// Takes a message in.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails; the block is not marked as there.
    pub fn handle_message(&mut self, octets: &[u8], to: Addressed, now: u64) -> Result<Outcome, FlashError> {
        match Lead::parse(octets) {
            Some(mut lead) => self.handle(&mut lead, to, now),
            None => Ok(Outcome::Ignored),
        }
    }

    pub(crate) fn handle(
        &mut self,
        lead: &mut Lead<'_>,
        to: Addressed,
        now: u64,
    ) -> Result<Outcome, FlashError> {
        let Lead { kind, session, ref mut fields } = *lead;
        let mut answer = Pending::status(session, now);
        let outcome = if kind::is_block(kind) {
            self.blocks(kind, session, fields, now)?
        } else {
            self.control(kind, fields, to, &mut answer)?
        };
        // Only a question to one meter is answered at once: sixty answers at a time are none.
        let answered = to == Addressed::Me && kind::is_answered(kind);
        if (answered || kind == kind::ROLL_CALL) && outcome != Outcome::Ignored {
            self.pending = Some(answer);
        }
        Ok(outcome)
    }

    /// Blocks and sums of them.
    #[cfg_attr(not(feature = "coded"), expect(unused_variables, reason = "the time of a coded row"))]
    #[inline(never)]
    fn blocks(
        &mut self,
        kind: u8,
        session: Session,
        fields: &mut Fields<'_>,
        now: u64,
    ) -> Result<Outcome, FlashError> {
        if !self.is_current(session) {
            return Ok(Outcome::Ignored);
        }
        let plane = kind::plane(kind);
        if kind <= kind::BLOCK_META_ACK {
            return self.block(plane, fields.u16(), fields.rest());
        }
        if self.phase != Phase::Receiving {
            return Ok(Outcome::Ignored);
        }
        if kind < kind::CODED {
            return self.xor(plane, fields);
        }
        #[cfg(feature = "coded")]
        if let Ok(row) = Row::read(fields) {
            return self.coded(plane, &row, fields.rest(), now);
        }
        Ok(Outcome::Ignored)
    }

    /// Commands and questions; fills in the answer.
    #[inline(never)]
    fn control(
        &mut self,
        kind: u8,
        fields: &mut Fields<'_>,
        to: Addressed,
        answer: &mut Pending,
    ) -> Result<Outcome, FlashError> {
        let mine = to == Addressed::Me;
        let mut outcome = Outcome::Taken;
        match kind {
            _ if to == Addressed::Other => return Ok(Outcome::Ignored),
            kind::QUERY => answer.kind = kind::IDENTITY,
            kind::JOIN if mine => {
                self.group = Some((fields.u16(), fields.u16()));
                answer.kind = kind::JOINED;
            }
            kind::INITIATE => {
                if let Some(refusal) = self.initiate(answer.session, fields, mine)? {
                    answer.refuse(refusal);
                }
            }
            kind::JOIN | kind::EVENT_QUERY => return Ok(Outcome::Ignored),
            // A meter that lost its session must say so, or it would be taken for a silent one.
            _ if !self.is_current(answer.session) => {
                if !mine || kind == kind::ROLL_CALL {
                    return Ok(Outcome::Ignored);
                }
                answer.refuse(Refusal::State);
            }
            kind::STATUS_QUERY | kind::ROLL_CALL => {
                answer.ask = Ask::read(fields);
                if kind == kind::ROLL_CALL {
                    let slot = u32::from(fields.u16());
                    let Some(place) = self.place(to, fields) else { return Ok(Outcome::Ignored) };
                    // At most 65,536 members.
                    answer.at = answer.at.wrapping_add(slot.wrapping_mul(place).into());
                } else if !mine {
                    return Ok(Outcome::Ignored);
                }
            }
            kind::VERIFY => self.verify(),
            kind::ACTIVATE => match self.phase {
                Phase::Verified | Phase::Armed => {
                    self.phase = Phase::Armed;
                    outcome = Outcome::Activate { at: fields.u32() };
                }
                Phase::Failed => answer.refuse(Refusal::Verify),
                _ => answer.refuse(Refusal::Incomplete),
            },
            kind::CANCEL => {
                self.set_armed(false);
                outcome = Outcome::Cancel;
            }
            _ => return Ok(Outcome::Ignored),
        }
        Ok(outcome)
    }

    /// This member's slot in a roll call, from 1, if it is called: `first u16 | bits`.
    #[inline(never)]
    fn place(&self, to: Addressed, fields: &mut Fields<'_>) -> Option<u32> {
        let (group, member) = self.group?;
        if to != Addressed::Group(group) {
            return None;
        }
        let mut left = member.checked_sub(fields.u16())?;
        let mut place = 0u32;
        for &octet in fields.rest() {
            for bit in (0..8).rev() {
                let called = octet >> bit & 1;
                place = place.wrapping_add(called.into());
                if left == 0 {
                    return (called != 0).then_some(place);
                }
                left = left.wrapping_sub(1);
            }
        }
        None
    }

    /// Whether this meter has room for such an image.
    #[inline(never)]
    pub(super) fn fits(&self, announced: Announced<'_>) -> Result<Geometry, Refusal> {
        let Ok(geometry) = announced.geometry() else { return Err(Refusal::Geometry) };
        let unit = u16::try_from(F::WRITE_SIZE).map_err(|_| Refusal::Memory)?;
        let room = |plane: Plane, span: Span| geometry.offset(geometry.count(plane)) <= span.len;
        if usize::from(geometry.block()) > B
            || F::WRITE_SIZE > flash::CHUNK
            || F::READ_SIZE > flash::CHUNK
            || geometry.block().checked_rem(unit) != Some(0)
            || !room(Plane::Data, self.store.layout.image)
            || !room(Plane::Meta, self.store.layout.meta)
        {
            return Err(Refusal::Memory);
        }
        if !geometry.tagged() && !self.untagged {
            return Err(Refusal::Manifest);
        }
        Ok(geometry)
    }

    /// Opens a session; why not, if not.
    fn initiate(
        &mut self,
        session: Session,
        fields: &Fields<'_>,
        mine: bool,
    ) -> Result<Option<Refusal>, FlashError> {
        let mut record = Record::read(session, fields.peek());
        let geometry = match self.fits(record.announced()) {
            Ok(geometry) => geometry,
            Err(refusal) => return Ok(Some(refusal)),
        };
        record.set_units(geometry.units());
        let store = &mut self.store;
        if self.phase != Phase::Idle && self.phase != Phase::Failed {
            // The same once more opens nothing: progress stays (IC 18's re-initiate loses it).
            if store.record.announced() == record.announced() {
                return Ok(None);
            }
            // A group frame never throws away what another session has brought.
            if !mine && store.missing_data < store.geometry.count(Plane::Data) {
                return Ok(Some(Refusal::State));
            }
        }
        // Until the new record stands, the old session is what a cut comes back to.
        store.map.begin(&mut store.flash, &record)?;
        self.open(&record, &geometry);
        self.phase = Phase::Erasing;
        Ok(None)
    }
}
