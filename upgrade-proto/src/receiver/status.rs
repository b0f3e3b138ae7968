//! Answers: who the meter is, and which blocks it lacks in the fewest octets.

use super::store::Missing;
use super::{Pending, Receiver};
use crate::bitmap::BlockMap;
use crate::codec::Sink;
use crate::flash::FlashError;
use crate::gaps::GapWriter;
use crate::hash::Hash256;
use crate::message::{Ask, Form, Phase, Quiet, Status, header, kind};
use crate::session::Plane;
use embedded_storage::nor_flash::NorFlash;

/// Octets of a status word before list or bitmap.
const STATUS_HEAD: usize = 7;

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// When [`poll_transmit`](Self::poll_transmit) has something to send.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.pending.map(|pending| pending.at)
    }

    /// Writes the answer that is due, to the concentrator; its octets, or `None` when nothing is due at `now`.
    ///
    /// A buffer of 64 octets holds every answer but lists and bitmaps, which fill what room there is.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails; the concentrator will ask again.
    pub fn poll_transmit<'b>(&mut self, out: &'b mut [u8], now: u64) -> Result<Option<&'b [u8]>, FlashError> {
        let Some(Pending { at, session, kind, code, ask }) = self.pending else { return Ok(None) };
        if at > now {
            return Ok(None);
        }
        self.pending = None;
        let mut w = Sink::new(out);
        header(&mut w, kind, session);
        match kind {
            kind::STATUS if !self.status(ask, &mut w)? => return Ok(None),
            kind::STATUS => {}
            kind::IDENTITY => w.put(self.identity()),
            kind::JOINED => {
                if let Some((group, member)) = self.group {
                    w.u16(group);
                    w.u16(member);
                }
            }
            _ => w.u8(code),
        }
        Ok(w.finish().ok())
    }

    /// What the meter says about itself, now.
    pub(super) fn identity(&mut self) -> &[u8] {
        let (rows, code) = (self.rows().to_be_bytes(), self.phase_code());
        let [.., high, low, _, _, phase] = &mut self.identity;
        [*high, *low] = rows;
        *phase = code;
        &self.identity
    }

    #[inline(never)]
    fn phase_code(&self) -> u8 {
        self.phase().code()
    }

    /// Writes the status word of the open session; `false` if it may go unsaid.
    #[inline(never)]
    fn status(&mut self, ask: Ask, w: &mut Sink<'_>) -> Result<bool, FlashError> {
        let plane = self.store.plane();
        let missing = self.store.missing(plane);
        let (zero, end) = self.store.geometry.range(plane);
        let count = end.wrapping_sub(zero);
        let first = Missing::new(zero, end).next(&mut self.store)?.unwrap_or(end).wrapping_sub(zero);
        let from = match ask.form {
            // The number in a question for deficits is a cut into generations, not a block.
            Form::Deficits => first,
            Form::Missing => first.max(ask.from),
            Form::Count | Form::Bitmap => ask.from,
        };
        let from = from.min(count);
        let mut bits = self.phase_code();
        if plane == Plane::Meta {
            bits |= Status::META;
        }
        let all = missing == count;
        let deficits = ask.form == Form::Deficits;
        // Nothing, or everything: the numbers say so.
        let plain = from == count || (all && from == 0);
        let mut len = 0;
        if deficits {
            bits |= Status::DEFICITS;
        } else if ask.form == Form::Bitmap || !(ask.form == Form::Count || plain) {
            let room = w.room().saturating_sub(STATUS_HEAD).min(ask.limit.into()).min(B);
            let (octets, form) = self.report(zero.wrapping_add(from), end, ask.form == Form::Bitmap, room)?;
            len = octets;
            bits |= form;
        }
        w.u8(bits);
        w.u16(first);
        w.u16(missing);
        if bits & Status::DEFICITS != 0 && !deficits {
            w.u16(from);
        }
        w.put(self.buffer.get(..len).unwrap_or(&[]));
        let failed = bits & 0x0F == Phase::Failed.code();
        let speaks = match ask.quiet {
            Quiet::Nobody => true,
            Quiet::Tagged => !all,
            Quiet::Complete => missing > 0,
        };
        #[cfg(feature = "coded")]
        if deficits && (speaks || plane == Plane::Meta) {
            let most = w.room().min(ask.limit.into()) / 2;
            let lacks = self.deficits(ask.from)?;
            let whole = self.generations() > 0 && lacks.iter().all(|&lack| lack == 0);
            if ask.quiet == Quiet::Complete && whole && plane == Plane::Data && !failed {
                return Ok(false);
            }
            lacks.into_iter().take(self.generations().min(most)).for_each(|lack| w.u16(lack));
        }
        Ok(speaks || failed || plane == Plane::Meta)
    }

    /// Fills the buffer with list or bitmap of the missing units of `start..end`: octets, and which form, and whether it stops short.
    fn report(&mut self, start: u16, end: u16, whole: bool, room: usize) -> Result<(usize, u8), FlashError> {
        let store = &mut self.store;
        let span = end.wrapping_sub(start);
        let wanted = usize::from(span.div_ceil(8));
        let octets = wanted.min(room);
        let short = octets < wanted;
        if !whole
            && let Some(place) = self.buffer.get_mut(..wanted.max(2).min(room))
            && let Some(mut list) = GapWriter::new(place, start, store.missing(store.plane()), span)
        {
            let mut goes;
            let mut units = Missing::new(start, end);
            loop {
                let Some(unit) = units.next(store)? else { return Ok((list.len(), Status::LIST)) };
                goes = usize::from(unit.wrapping_sub(start));
                if !list.push(unit) {
                    break;
                }
            }
            // Cut short either way: whichever goes further.
            if short && goes > octets.wrapping_mul(8) {
                return Ok((list.len(), Status::LIST | Status::MORE));
            }
        }
        let map = self.buffer.get_mut(..octets).unwrap_or(&mut []);
        map.fill(0);
        let mut units = Missing::new(start, end);
        while let Some(unit) = units.next(store)? {
            let bit = unit.wrapping_sub(start);
            let Some(octet) = map.get_mut(usize::from(bit >> 3)) else { break };
            *octet |= 0x80u8 >> (bit & 7);
        }
        Ok((octets, if short { Status::BITMAP | Status::MORE } else { Status::BITMAP }))
    }
}
