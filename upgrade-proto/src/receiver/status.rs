//! Answers: who the meter is, and which blocks it lacks in the fewest octets.

use super::Receiver;
use crate::bitmap::BlockMap;
use crate::codec::Sink;
use crate::error::Refusal;
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
        let Some(mut answer) = self.pending.take_if(|answer| answer.at <= now) else { return Ok(None) };
        if answer.kind == kind::STATUS && !self.is_open() {
            answer.refuse(Refusal::State);
        }
        let mut w = Sink::new(out);
        header(&mut w, answer.kind, answer.session);
        match answer.kind {
            kind::STATUS if !self.status(answer.ask, &mut w)? => return Ok(None),
            kind::STATUS => {}
            kind::IDENTITY => w.put(self.identity()),
            kind::JOINED => {
                let (group, member) = self.group.unwrap_or_default();
                w.u16(group);
                w.u16(member);
            }
            _ => w.u8(answer.code),
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
        let mut first = end;
        if missing > 0 {
            self.store.each_missing(zero, end, &mut |unit| {
                first = unit;
                false
            })?;
        }
        let mut start = zero.saturating_add(ask.from);
        // The number in a question for deficits is a cut into generations, not a block.
        if ask.form == Form::Deficits || (ask.form == Form::Missing && start < first) {
            start = first;
        }
        let mut bits = self.phase_code();
        if plane == Plane::Meta {
            bits |= Status::META;
        }
        let all = first == zero && missing == end.wrapping_sub(zero);
        let deficits = ask.form == Form::Deficits;
        // Nothing, or everything: the numbers say so.
        let plain = ask.form != Form::Bitmap && (start >= end || (all && start == first));
        let mut len = 0;
        if deficits {
            bits |= Status::DEFICITS;
        } else if ask.form != Form::Count && !plain {
            let room = w.room().saturating_sub(STATUS_HEAD).min(ask.limit.into());
            (len, bits) = self.report(start, end, ask.form == Form::Bitmap, room, bits)?;
        }
        w.u8(bits);
        w.u16(first.wrapping_sub(zero));
        w.u16(missing);
        if bits & Status::DEFICITS != 0 && !deficits {
            w.u16(start.wrapping_sub(zero));
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

    /// Fills the buffer with list or bitmap of the missing units of `start..end`: octets, and `bits` with the form and whether it stops short.
    fn report(
        &mut self,
        start: u16,
        end: u16,
        whole: bool,
        room: usize,
        bits: u8,
    ) -> Result<(usize, u8), FlashError> {
        let store = &mut self.store;
        let span = end.saturating_sub(start);
        let bitmap = usize::from(span.div_ceil(8));
        let room = room.min(B);
        let octets = bitmap.min(room);
        if !whole
            && let Some(place) = self.buffer.get_mut(..bitmap.max(2).min(room))
            && let Some(mut list) = GapWriter::new(place, start, store.missing(store.plane()), span)
        {
            let mut goes = 0;
            let mut more = false;
            store.each_missing(start, end, &mut |unit| {
                more = !list.push(unit);
                goes = usize::from(unit.wrapping_sub(start));
                !more
            })?;
            if !more {
                return Ok((list.len(), bits | Status::LIST));
            }
            // Cut short either way: whichever goes further.
            if octets < bitmap && goes > octets.saturating_mul(8) {
                return Ok((list.len(), bits | Status::LIST | Status::MORE));
            }
        }
        let map = self.buffer.get_mut(..octets).unwrap_or(&mut []);
        map.fill(0);
        store.each_missing(start, end, &mut |unit| {
            let bit = unit.wrapping_sub(start);
            let octet = map.get_mut(usize::from(bit >> 3));
            let within = octet.is_some();
            if let Some(octet) = octet {
                *octet |= 0x80u8 >> (bit & 7);
            }
            within
        })?;
        let more = if octets < bitmap { Status::MORE } else { 0 };
        Ok((octets, bits | Status::BITMAP | more))
    }
}
