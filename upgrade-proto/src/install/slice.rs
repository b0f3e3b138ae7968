//! Long steps in short slices: hashing and copying a program.

use crate::flash::{self, FlashError, Span};
use crate::hash::Hash256;
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

/// Octets hashed or copied in one slice.
pub const SLICE: u32 = 1024;

const PIECE: usize = 128;

/// Takes the cipher off an image, at any place in it. A secure element may implement it.
pub trait Decrypt {
    /// Gets ready for an image with this nonce and wrapped key; `false` when that cannot be.
    fn begin(&mut self, enciphered: &super::Enciphered) -> bool;
    /// Deciphers octets of the image from `offset` (a multiple of 16) on.
    fn apply(&mut self, offset: u32, octets: &mut [u8]);
}

/// Changes nothing: for images that are not enciphered.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoCipher;

impl Decrypt for NoCipher {
    fn begin(&mut self, _: &super::Enciphered) -> bool {
        false
    }
    fn apply(&mut self, _: u32, _: &mut [u8]) {}
}

/// A hash over octets of a flash, [`SLICE`] octets at a time.
#[derive(Clone, Debug)]
pub(crate) struct Digest<H> {
    at: u32,
    hash: H,
}

impl<H: Hash256> Digest<H> {
    pub(crate) fn new() -> Self {
        Digest { at: 0, hash: H::start() }
    }

    /// One slice of `len` octets from `start`; the hash once it is done.
    pub(crate) fn step<F: ReadNorFlash>(
        &mut self,
        flash: &mut F,
        start: u32,
        len: u32,
    ) -> Result<Option<[u8; 32]>, FlashError> {
        let now = len.saturating_sub(self.at).min(SLICE);
        let hash = &mut self.hash;
        let from = start.checked_add(self.at).ok_or(FlashError)?;
        flash::scan(flash, from, now, &mut |part| {
            hash.feed(part);
            true
        })?;
        self.at = self.at.saturating_add(now);
        Ok((self.at >= len).then(|| self.hash.clone().done()))
    }
}

/// A copy from one flash to another, one sector erased or [`SLICE`] octets programmed at a time.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Copy {
    at: u32,
    erased: u32,
}

impl Copy {
    /// One slice; `true` once `len` octets from `from` stand in `to`.
    pub(crate) fn step<S: ReadNorFlash, D: NorFlash>(
        &mut self,
        source: &mut S,
        from: u32,
        sink: &mut D,
        to: Span,
        len: u32,
        cipher: &mut dyn Decrypt,
    ) -> Result<bool, FlashError> {
        let sector = u32::try_from(D::ERASE_SIZE).map_err(|_| FlashError)?;
        if len > to.len || D::WRITE_SIZE > flash::CHUNK {
            return Err(FlashError);
        }
        if self.at >= len {
            return Ok(true);
        }
        if self.at >= self.erased {
            let at = to.start.wrapping_add(self.erased);
            sink.erase(at, at.checked_add(sector).ok_or(FlashError)?).map_err(|_| FlashError)?;
            self.erased = self.erased.saturating_add(sector);
            return Ok(false);
        }
        let end = self.at.saturating_add(SLICE).min(len).min(self.erased);
        while self.at < end {
            let mut piece = [0u8; PIECE];
            let now = usize::try_from(end.wrapping_sub(self.at)).map_err(|_| FlashError)?.min(PIECE);
            let piece = piece.get_mut(..now).ok_or(FlashError)?;
            flash::read(source, from.wrapping_add(self.at), piece)?;
            cipher.apply(self.at, piece);
            flash::program(sink, to.start.wrapping_add(self.at), piece)?;
            self.at = self.at.saturating_add(u32::try_from(now).map_err(|_| FlashError)?);
        }
        Ok(self.at >= len)
    }
}

/// Hashes a program where it stands, in one go: for the factory, and for a boot loader with nothing else to do.
///
/// # Errors
/// [`FlashError`] when the flash fails or is shorter.
pub fn digest<H: Hash256, F: ReadNorFlash>(
    flash: &mut F,
    start: u32,
    len: u32,
) -> Result<[u8; 32], FlashError> {
    let room = u32::try_from(flash.capacity()).unwrap_or(u32::MAX);
    if start.checked_add(len).is_none_or(|end| end > room) {
        return Err(FlashError);
    }
    let mut job = Digest::<H>::new();
    loop {
        if let Some(hash) = job.step(flash, start, len)? {
            return Ok(hash);
        }
    }
}
