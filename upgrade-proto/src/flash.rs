//! Reading, programming and comparing at any octet on a NOR flash whose units are larger than one octet.
//!
//! Each of these is there once in a program, however many call it: a driver's transfer is not to be multiplied by the places that need one.

use embedded_storage::nor_flash::{MultiwriteNorFlash, NorFlash, ReadNorFlash};

/// The flash failed, or an address lies outside it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FlashError;

impl core::fmt::Display for FlashError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("flash failure")
    }
}

impl core::error::Error for FlashError {}

/// Part of a flash; start and length are multiples of its erase size.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// First octet.
    pub start: u32,
    /// Octets.
    pub len: u32,
}

/// Octets read at a time, and the largest read or write unit of a flash that is supported.
pub(crate) const CHUNK: usize = 64;

/// Reads `out.len()` octets at `at`.
#[inline(never)]
pub(crate) fn read<F: ReadNorFlash>(flash: &mut F, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
    if F::READ_SIZE == 1 {
        return flash.read(at, out).map_err(|_| FlashError);
    }
    let unit = u32::try_from(F::READ_SIZE).map_err(|_| FlashError)?;
    let mut at = at;
    let mut left = out;
    while !left.is_empty() {
        let over = at.checked_rem(unit).ok_or(FlashError)?;
        let mut chunk = [0u8; CHUNK];
        let part = chunk.get_mut(..F::READ_SIZE).ok_or(FlashError)?;
        flash.read(at.wrapping_sub(over), part).map_err(|_| FlashError)?;
        let over = usize::try_from(over).map_err(|_| FlashError)?;
        let part = part.get(over..).ok_or(FlashError)?;
        let len = part.len().min(left.len());
        let (now, later) = left.split_at_mut_checked(len).ok_or(FlashError)?;
        now.copy_from_slice(part.get(..len).ok_or(FlashError)?);
        left = later;
        at = at.wrapping_add(u32::try_from(len).map_err(|_| FlashError)?);
    }
    Ok(())
}

/// Octets of a flash, read piece by piece: a receiver's loop for sums, comparisons and blank looks.
pub(crate) struct Parts {
    at: u32,
    left: u32,
    chunk: [u8; CHUNK],
}

impl Parts {
    /// `len` octets from `at` on.
    // Out of line, or the octets would be cleared in each place that reads.
    #[inline(never)]
    pub(crate) const fn new(at: u32, len: u32) -> Self {
        Parts { at, left: len, chunk: [0; CHUNK] }
    }

    /// The next piece, of up to [`CHUNK`] octets; empty behind the last one.
    #[inline(never)]
    pub(crate) fn read<F: ReadNorFlash>(&mut self, flash: &mut F) -> Result<&[u8], FlashError> {
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(CHUNK);
        let part = self.chunk.get_mut(..len).ok_or(FlashError)?;
        read(flash, self.at, part)?;
        let len = u32::try_from(len).map_err(|_| FlashError)?;
        self.at = self.at.checked_add(len).ok_or(FlashError)?;
        self.left = self.left.wrapping_sub(len);
        Ok(part)
    }
}

/// Calls `each` with the octets at `at` in pieces of up to [`CHUNK`], until it returns `false`. By reference, so that it is there once a flash: a
/// boot loader, which does little with the pieces and has two flashes, is smaller with it than with [`Parts`].
#[inline(never)]
pub(crate) fn scan<F: ReadNorFlash>(
    flash: &mut F,
    at: u32,
    len: u32,
    each: &mut dyn FnMut(&[u8]) -> bool,
) -> Result<bool, FlashError> {
    let mut buffer = [0u8; CHUNK];
    let mut done = 0u32;
    while done < len {
        let left = usize::try_from(len.wrapping_sub(done)).map_err(|_| FlashError)?.min(CHUNK);
        let part = buffer.get_mut(..left).ok_or(FlashError)?;
        read(flash, at.checked_add(done).ok_or(FlashError)?, part)?;
        if !each(part) {
            return Ok(false);
        }
        done = done.wrapping_add(u32::try_from(left).map_err(|_| FlashError)?);
    }
    Ok(true)
}

/// Programs `data` at `at` (a multiple of the write size), the last unit filled with ones.
#[inline(never)]
pub(crate) fn program<F: NorFlash>(flash: &mut F, at: u32, data: &[u8]) -> Result<(), FlashError> {
    let over = data.len().checked_rem(F::WRITE_SIZE).ok_or(FlashError)?;
    let whole = data.len().wrapping_sub(over);
    let (whole, tail) = data.split_at_checked(whole).ok_or(FlashError)?;
    if !whole.is_empty() {
        write(flash, at, whole)?;
    }
    if !tail.is_empty() {
        let mut padded = [0xFFu8; CHUNK];
        padded.get_mut(..tail.len()).ok_or(FlashError)?.copy_from_slice(tail);
        let at = at.checked_add(u32::try_from(whole.len()).map_err(|_| FlashError)?).ok_or(FlashError)?;
        write(flash, at, padded.get(..F::WRITE_SIZE).ok_or(FlashError)?)?;
    }
    Ok(())
}

#[inline(never)]
fn write<F: NorFlash>(flash: &mut F, at: u32, units: &[u8]) -> Result<(), FlashError> {
    flash.write(at, units).map_err(|_| FlashError)
}

/// Clears bits of one octet: the write unit around it is programmed with ones everywhere else.
#[inline(never)]
pub(crate) fn clear_bits<F: MultiwriteNorFlash>(flash: &mut F, at: u32, keep: u8) -> Result<(), FlashError> {
    let unit = u32::try_from(F::WRITE_SIZE).map_err(|_| FlashError)?;
    let over = at.checked_rem(unit).ok_or(FlashError)?;
    let mut word = [0xFFu8; CHUNK];
    *word.get_mut(usize::try_from(over).map_err(|_| FlashError)?).ok_or(FlashError)? = keep;
    write(flash, at.wrapping_sub(over), word.get(..F::WRITE_SIZE).ok_or(FlashError)?)
}

/// Whether the octets at `at` are all erased.
pub(crate) fn is_blank<F: ReadNorFlash>(flash: &mut F, at: u32, len: u32) -> Result<bool, FlashError> {
    let mut parts = Parts::new(at, len);
    loop {
        match parts.read(flash)? {
            [] => return Ok(true),
            part if part.iter().all(|&octet| octet == 0xFF) => {}
            _ => return Ok(false),
        }
    }
}

/// Erases the sector at `at`, unless it is blank. On a flash whose units are written once (`always`) a blank look is no proof: a cut
/// write or erase may have left it so.
#[inline(never)]
pub(crate) fn erase_sector<F: NorFlash>(flash: &mut F, at: u32, always: bool) -> Result<(), FlashError> {
    let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
    if !always && is_blank(flash, at, sector)? {
        return Ok(());
    }
    flash.erase(at, at.checked_add(sector).ok_or(FlashError)?).map_err(|_| FlashError)
}

/// Erases the sectors from `at` on that `len` octets reach into, as [`erase_sector`] does one.
#[inline(never)]
pub(crate) fn erase_span<F: NorFlash>(
    flash: &mut F,
    at: u32,
    len: u32,
    always: bool,
) -> Result<(), FlashError> {
    let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
    let mut done = 0u32;
    while done < len {
        erase_sector(flash, at.wrapping_add(done), always)?;
        done = done.checked_add(sector).ok_or(FlashError)?;
    }
    Ok(())
}
