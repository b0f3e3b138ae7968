//! Cursors over octets, most significant octet first. [`Reader`] and [`Writer`] say at each field whether there was room, [`Fields`] and [`Sink`]
//! once at the end, which takes half the program in a meter.

use crate::error::BufferTooSmall;

#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(head)
    }
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[octet]| octet)
    }
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.0)
    }
}

#[derive(Debug)]
pub(crate) struct Writer<'b> {
    out: &'b mut [u8],
    at: usize,
}

impl<'b> Writer<'b> {
    pub(crate) const fn new(out: &'b mut [u8]) -> Self {
        Writer { out, at: 0 }
    }
    pub(crate) fn put(&mut self, octets: &[u8]) -> Result<(), BufferTooSmall> {
        let end = self.at.checked_add(octets.len()).ok_or(BufferTooSmall)?;
        self.out.get_mut(self.at..end).ok_or(BufferTooSmall)?.copy_from_slice(octets);
        self.at = end;
        Ok(())
    }
    pub(crate) fn u8(&mut self, value: u8) -> Result<(), BufferTooSmall> {
        self.put(&[value])
    }
    pub(crate) fn u16(&mut self, value: u16) -> Result<(), BufferTooSmall> {
        self.put(&value.to_be_bytes())
    }
    pub(crate) fn u32(&mut self, value: u32) -> Result<(), BufferTooSmall> {
        self.put(&value.to_be_bytes())
    }
    pub(crate) fn finish(self) -> &'b [u8] {
        self.out.get(..self.at).unwrap_or(&[])
    }
}

/// Fields in order; past the end they are zero, and [`is_short`](Fields::is_short) says so.
#[derive(Clone, Debug)]
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
    short: bool,
}

impl<'a> Fields<'a> {
    pub(crate) const fn new(octets: &'a [u8]) -> Self {
        Fields { rest: octets, short: false }
    }
    #[inline(never)]
    pub(crate) fn take(&mut self, len: usize) -> &'a [u8] {
        match self.rest.split_at_checked(len) {
            Some((head, rest)) => {
                self.rest = rest;
                head
            }
            None => {
                self.short = true;
                &[]
            }
        }
    }
    /// Fills `out`, with zeros past the end.
    #[inline(never)]
    pub(crate) fn copy(&mut self, out: &mut [u8]) {
        let octets = self.take(out.len());
        for (to, from) in out.iter_mut().zip(octets) {
            *to = *from;
        }
    }
    pub(crate) fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        self.copy(&mut array);
        array
    }
    #[expect(clippy::cast_possible_truncation, reason = "one octet was read")]
    pub(crate) fn u8(&mut self) -> u8 {
        self.number(1) as u8
    }
    #[inline(never)]
    fn number(&mut self, octets: usize) -> u32 {
        self.take(octets).iter().fold(0, |value, octet| (value << 8) | u32::from(*octet))
    }
    #[expect(clippy::cast_possible_truncation, reason = "two octets were read")]
    pub(crate) fn u16(&mut self) -> u16 {
        self.number(2) as u16
    }
    pub(crate) fn u32(&mut self) -> u32 {
        self.number(4)
    }
    pub(crate) const fn peek(&self) -> &'a [u8] {
        self.rest
    }
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        self.take(self.rest.len())
    }
    pub(crate) const fn is_short(&self) -> bool {
        self.short
    }
}

/// Takes fields in order; what does not fit shows in [`finish`](Sink::finish).
#[derive(Debug)]
pub(crate) struct Sink<'b> {
    out: &'b mut [u8],
    at: usize,
    full: bool,
}

impl<'b> Sink<'b> {
    pub(crate) const fn new(out: &'b mut [u8]) -> Self {
        Sink { out, at: 0, full: false }
    }
    #[inline(never)]
    pub(crate) fn put(&mut self, octets: &[u8]) {
        for &octet in octets {
            self.u8(octet);
        }
    }
    #[inline(never)]
    pub(crate) fn u8(&mut self, value: u8) {
        match self.out.get_mut(self.at) {
            Some(place) => {
                *place = value;
                self.at = self.at.wrapping_add(1);
            }
            None => self.full = true,
        }
    }
    /// The low `octets` octets of a number.
    #[inline(never)]
    pub(crate) fn number(&mut self, value: u32, octets: u8) {
        for at in (0..octets).rev() {
            let [.., low] = value.wrapping_shr(u32::from(at).wrapping_mul(8)).to_be_bytes();
            self.u8(low);
        }
    }
    pub(crate) fn u16(&mut self, value: u16) {
        self.number(value.into(), 2);
    }
    /// What is not written yet; [`Sink::skip`] moves past what the caller put there.
    pub(crate) fn spare(&mut self) -> &mut [u8] {
        self.out.get_mut(self.at..).unwrap_or(&mut [])
    }
    /// Octets that still fit.
    pub(crate) const fn room(&self) -> usize {
        self.out.len().saturating_sub(self.at)
    }
    pub(crate) fn skip(&mut self, len: usize) {
        self.at = self.at.saturating_add(len).min(self.out.len());
    }
    pub(crate) const fn fail(&mut self) {
        self.full = true;
    }
    pub(crate) fn finish(self) -> Result<&'b [u8], BufferTooSmall> {
        if self.full { Err(BufferTooSmall) } else { self.out.get(..self.at).ok_or(BufferTooSmall) }
    }
}
