//! Answers: who the meter is, and which blocks it lacks in the fewest octets.

use super::{Receiver, Reply};
use crate::bitmap::BlockMap;
use crate::error::Refusal;
use crate::flash::FlashError;
use crate::gaps::GapWriter;
use crate::hash::Hash256;
use crate::message::{Answer, Ask, Form, HEADER_LEN, Report, Status, encode_answer};
use crate::session::Plane;
use embedded_storage::nor_flash::NorFlash;

/// Octets of a status message before list or bitmap.
const STATUS_HEAD: usize = HEADER_LEN as usize + 7;

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// Writes the answer that is due, to the concentrator; its octets, or `None` when nothing is due at `now`.
    ///
    /// A buffer of 64 octets holds every answer but lists and bitmaps, which fill what room there is.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails; the concentrator will ask again.
    pub fn poll_transmit<'b>(&mut self, out: &'b mut [u8], now: u64) -> Result<Option<&'b [u8]>, FlashError> {
        let Some(pending) = self.pending.take_if(|pending| pending.at <= now) else { return Ok(None) };
        let session = pending.session;
        let answer = match pending.reply {
            Reply::Identity => Answer::Identity(self.identity()),
            Reply::Refused(refusal) => Answer::Refused(refusal),
            Reply::Joined => {
                let Some((group, member)) = self.group else { return Ok(None) };
                Answer::Joined { group, member }
            }
            Reply::Status(ask) => match self.status(ask, out.len().saturating_sub(STATUS_HEAD))? {
                Some(status) => Answer::Status(status),
                None => Answer::Refused(Refusal::State),
            },
        };
        Ok(encode_answer(out, session, &answer).ok())
    }

    fn status(&mut self, ask: Ask, room: usize) -> Result<Option<Status<'_>>, FlashError> {
        let Some(open) = self.open else { return Ok(None) };
        let plane = open.plane();
        let missing = open.missing(plane);
        let count = open.geometry.count(plane);
        let mut first_missing = count;
        if missing > 0 {
            self.store.missing(&open, plane, 0, &mut |index| {
                first_missing = index;
                false
            })?;
        }
        let limit = room.min(usize::from(ask.limit)).min(B);
        let phase = self.phase();
        let mut status = Status { phase, plane, first_missing, missing, more: false, report: Report::Count };
        let from = match ask.form {
            Form::Bitmap => ask.from,
            // Its number is a cut into generations, not a block.
            Form::Deficits => first_missing,
            Form::Count | Form::Missing => ask.from.max(first_missing),
        };
        let nothing = missing == 0 || from >= count;
        match ask.form {
            Form::Deficits if plane == Plane::Data => {
                let len = self.deficits(ask.from, limit)?;
                status.report = Report::Deficits(self.buffer.get(..len).unwrap_or(&[]));
            }
            Form::Missing | Form::Deficits if nothing || (missing == count && from == first_missing) => {}
            Form::Count => {}
            form => {
                let (len, list, more) = self.report(plane, from, form == Form::Bitmap, limit)?;
                let octets = self.buffer.get(..len).unwrap_or(&[]);
                status.more = more;
                status.report =
                    if list { Report::List { from, octets } } else { Report::Bitmap { from, octets } };
            }
        }
        Ok(Some(status))
    }

    /// Fills the buffer with list or bitmap from `from` on: octets, whether it is a list, whether it stops short.
    fn report(
        &mut self,
        plane: Plane,
        from: u16,
        whole: bool,
        limit: usize,
    ) -> Result<(usize, bool, bool), FlashError> {
        let Some(open) = self.open else { return Ok((0, true, true)) };
        let span = open.geometry.count(plane).saturating_sub(from);
        let bitmap = usize::from(span.div_ceil(8));
        let mut reached = from;
        let mut cut = true;
        let mut len = 0;
        if let Some(room) = self.buffer.get_mut(..limit.min(bitmap.max(2)))
            && !whole
            && let Some(mut list) = GapWriter::new(room, from, open.missing(plane), span)
        {
            cut = false;
            self.store.missing(&open, plane, from, &mut |index| {
                cut = !list.push(index);
                reached = index;
                !cut
            })?;
            len = list.len();
        }
        if !cut {
            return Ok((len, true, false));
        }
        let octets = bitmap.min(limit);
        // Cut short either way: whichever goes further.
        if !whole && octets < bitmap && usize::from(reached.saturating_sub(from)) > octets.saturating_mul(8) {
            return Ok((len, true, true));
        }
        let Some(bits) = self.buffer.get_mut(..octets) else { return Ok((0, true, true)) };
        bits.fill(0);
        self.store.missing(&open, plane, from, &mut |index| {
            let bit = index.saturating_sub(from);
            match bits.get_mut(usize::from(bit >> 3)) {
                Some(octet) => {
                    *octet |= 0x80u8 >> (bit & 7);
                    true
                }
                None => false,
            }
        })?;
        Ok((octets, false, octets < bitmap))
    }

    #[cfg(not(feature = "coded"))]
    #[expect(clippy::unused_self, reason = "the coded decoder's has the same signature")]
    const fn deficits(&mut self, _: u16, _: usize) -> Result<usize, FlashError> {
        Ok(0)
    }
}
