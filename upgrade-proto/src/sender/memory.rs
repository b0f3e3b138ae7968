//! Tables sized by the caller.

use super::Meter;

/// Memory of a sender. Octets of `missing`: `(units + 3) * ceil(meters / 8)`; words of `order`: the larger of the two block counts; of
/// `deficits`: `meters * generations` (empty: no coded repair).
#[derive(Debug)]
pub struct Memory<'t> {
    /// One place for each meter.
    pub meters: &'t mut [Meter],
    /// Which meter lacks which block.
    pub missing: &'t mut [u8],
    /// Blocks of a round.
    pub order: &'t mut [u16],
    /// Rows lacking, by meter and generation.
    pub deficits: &'t mut [u16],
}

/// [`Memory`] of fixed size, for a `static`: `METERS` meters, `MISSING` octets, `ORDER` blocks of a plane, `DEFICITS` words.
#[derive(Debug)]
pub struct Tables<const METERS: usize, const MISSING: usize, const ORDER: usize, const DEFICITS: usize> {
    meters: [Meter; METERS],
    missing: [u8; MISSING],
    order: [u16; ORDER],
    deficits: [u16; DEFICITS],
}

impl<const METERS: usize, const MISSING: usize, const ORDER: usize, const DEFICITS: usize>
    Tables<METERS, MISSING, ORDER, DEFICITS>
{
    /// Empty tables.
    #[must_use]
    pub fn new() -> Self {
        Tables {
            meters: [Meter::default(); METERS],
            missing: [0; MISSING],
            order: [0; ORDER],
            deficits: [0; DEFICITS],
        }
    }

    /// As a sender's memory.
    pub fn memory(&mut self) -> Memory<'_> {
        Memory {
            meters: &mut self.meters,
            missing: &mut self.missing,
            order: &mut self.order,
            deficits: &mut self.deficits,
        }
    }
}

impl<const METERS: usize, const MISSING: usize, const ORDER: usize, const DEFICITS: usize> Default
    for Tables<METERS, MISSING, ORDER, DEFICITS>
{
    fn default() -> Self {
        Self::new()
    }
}

/// Why a sender cannot be made or take another meter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SenderError {
    /// A table is too small.
    Memory,
    /// The image's sizes are impossible.
    Geometry,
}

impl core::fmt::Display for SenderError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            SenderError::Memory => "sender table too small",
            SenderError::Geometry => "image sizes impossible",
        })
    }
}

impl core::error::Error for SenderError {}
