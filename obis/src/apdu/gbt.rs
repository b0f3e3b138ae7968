//! general-block-transfer (Green Book 9.3.9, 9.5): one block, and the stage that puts blocks together.

use core::fmt;

use super::error::{ApduError, ApduErrorKind};
use super::tag::Tag;
use crate::data::length;

/// One block: tag E0 · block-control · block-number (2) · block-number-ack (2) · length · octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Block<'a> {
    /// Last-block bit, streaming bit, window.
    pub control: BlockControl,
    /// Number of this block, from 1.
    pub number: u16,
    /// Highest block number received from the other side.
    pub acknowledged: u16,
    /// Octets of the inner APDU.
    pub octets: &'a [u8],
}

/// block-control: bit 7 last block · bit 6 streaming · bits 0 to 5 window.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BlockControl(pub u8);

/// Puts the blocks of one sender together, in storage the caller lends: `[u8; N]`, `&mut [u8]`, …
///
/// Blocks come numbered from 1. A new block 1 starts over, and the sequence it cuts short is reported; a block out of
/// order loses the sequence, and what follows is dropped up to the next block 1. Nothing is ever put together from two
/// sequences whose numbers do not follow on; a whole gap that starts and ends at the same number cannot be told,
/// so [`Gbt::finish`] should be called when the line has been idle.
///
/// ```
/// use obis::apdu::{Block, Gbt};
/// let mut gbt = Gbt::new([0; 64]);
/// let (first, _) = Block::parse(&[0xE0, 0x40, 0, 1, 0, 0, 2, 0x0F, 0x40])?;
/// let (last, _) = Block::parse(&[0xE0, 0xC0, 0, 2, 0, 0, 1, 0x00])?;
/// assert_eq!(gbt.push(&first).apdu, None);
/// assert_eq!(gbt.push(&last).apdu, Some(&[0x0F, 0x40, 0x00][..]));
/// # Ok::<(), obis::apdu::ApduError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Gbt<B> {
    storage: B,
    len: usize,
    /// Number of the block that must come next; 0 while no sequence is open. Past 65,535, no block fits.
    next: u32,
}

/// What one block did. Both parts can be there: a block 1 that is also the last, with a sequence open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct GbtStep<'s> {
    /// The inner APDU, if this block was its last.
    pub apdu: Option<&'s [u8]>,
    /// What was wrong.
    pub problem: Option<GbtProblem>,
    /// Octets of blocks given up, those held and those of this block.
    pub dropped: u32,
}

/// What is wrong in a sequence of blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum GbtProblem {
    /// A sequence ended before its last block: by a new block 1, by the end of the input, or because no number follows
    /// 65,535.
    Unfinished,
    /// A block came out of order; the sequence is given up.
    Lost {
        /// The number that was to come.
        expected: u16,
        /// The number that came.
        found: u16,
    },
    /// A block other than 1, with no sequence open.
    NotStarted {
        /// The number that came.
        found: u16,
    },
    /// The inner APDU is longer than the storage.
    TooLong,
}

impl<'a> Block<'a> {
    /// Takes one block off the front of `octets`, and gives what follows.
    ///
    /// # Errors
    /// [`ApduErrorKind::Tag`], [`ApduErrorKind::Truncated`], [`ApduErrorKind::Length`].
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ApduError> {
        let (control, number, acknowledged, rest) = match octets {
            [0xE0, control, n1, n0, a1, a0, rest @ ..] => {
                (*control, u16::from_be_bytes([*n1, *n0]), u16::from_be_bytes([*a1, *a0]), rest)
            }
            [] | [0xE0, ..] => return Err(ApduErrorKind::Truncated.at(octets.len())),
            [tag, ..] => return Err(ApduErrorKind::Tag(*tag).at(0)),
        };
        let (octets, rest) = length::counted(rest).map_err(|kind| ApduErrorKind::from(kind).at(6))?;
        Ok((Self { control: BlockControl(control), number, acknowledged, octets }, rest))
    }

    /// The tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        Tag::GENERAL_BLOCK_TRANSFER
    }
}

impl BlockControl {
    /// Whether this is the last block.
    #[must_use]
    pub const fn is_last(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Whether the sender goes on without waiting for an acknowledgement.
    #[must_use]
    pub const fn is_streaming(self) -> bool {
        self.0 & 0x40 != 0
    }

    /// Blocks the sender can take in before it must acknowledge, 0 to 63; a push says 0, it takes none.
    #[must_use]
    pub const fn window(self) -> u8 {
        self.0 & 0x3F
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Gbt<B> {
    /// A stage with no sequence open; `storage` must hold the longest inner APDU.
    #[must_use]
    pub const fn new(storage: B) -> Self {
        Self { storage, len: 0, next: 0 }
    }

    /// Takes one block.
    pub fn push(&mut self, block: &Block<'_>) -> GbtStep<'_> {
        let mut step = GbtStep { apdu: None, problem: None, dropped: 0 };
        if block.number == 1 {
            (step.problem, step.dropped) = self.give_up(GbtProblem::Unfinished);
        } else if self.next == 0 || u32::from(block.number) != self.next {
            let problem = match u16::try_from(self.next) {
                Ok(0) => GbtProblem::NotStarted { found: block.number },
                Ok(expected) => GbtProblem::Lost { expected, found: block.number },
                Err(_) => GbtProblem::Unfinished,
            };
            let (_, held) = self.give_up(problem);
            return GbtStep {
                problem: Some(problem),
                dropped: held.saturating_add(count(block.octets)),
                ..step
            };
        }
        let end = self.len.saturating_add(block.octets.len());
        // In these terms the compiler sees that both lengths agree, and links no panic code.
        let behind = self.storage.as_mut().get_mut(self.len..).unwrap_or_default();
        let Some(place) = behind.get_mut(..block.octets.len()) else {
            let (_, held) = self.give_up(GbtProblem::TooLong);
            let dropped = step.dropped.saturating_add(held).saturating_add(count(block.octets));
            return GbtStep { problem: Some(GbtProblem::TooLong), dropped, ..step };
        };
        place.copy_from_slice(block.octets);
        if block.control.is_last() {
            self.next = 0;
            self.len = 0;
            step.apdu = self.storage.as_ref().get(..end);
        } else {
            self.len = end;
            // After block 65,535 none can follow on, but the sequence is still open.
            self.next = u32::from(block.number).saturating_add(1);
        }
        step
    }

    /// The line is idle or the input has ended: gives up the sequence that is open, if one is.
    pub fn finish(&mut self) -> Option<GbtStep<'static>> {
        let (problem, dropped) = self.give_up(GbtProblem::Unfinished);
        problem.map(|problem| GbtStep { apdu: None, problem: Some(problem), dropped })
    }

    /// Octets held of the sequence that is open.
    #[must_use]
    pub fn held(&self) -> u32 {
        u32::try_from(self.len).unwrap_or(u32::MAX)
    }

    /// Whether a sequence is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.next != 0
    }

    /// Closes the open sequence, if one is, and says how many octets that loses.
    fn give_up(&mut self, problem: GbtProblem) -> (Option<GbtProblem>, u32) {
        let open = self.next != 0;
        let dropped = self.held();
        self.next = 0;
        self.len = 0;
        (open.then_some(problem), dropped)
    }
}

fn count(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or(u32::MAX)
}

impl fmt::Debug for BlockControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockControl({:#04x})", self.0)
    }
}

impl fmt::Display for GbtProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unfinished => f.write_str("block transfer ended before its last block"),
            Self::Lost { expected, found } => write!(f, "block {found} where block {expected} was to come"),
            Self::NotStarted { found } => write!(f, "block {found} without a block 1"),
            Self::TooLong => f.write_str("block transfer longer than its storage"),
        }
    }
}

impl core::error::Error for GbtProblem {}

#[cfg(test)]
mod tests {
    use super::*;

    const fn block(number: u16, last: bool, octets: &[u8]) -> Block<'_> {
        Block { control: BlockControl(if last { 0xC0 } else { 0x40 }), number, acknowledged: 0, octets }
    }

    #[test]
    fn a_block_reads_as_the_standard_lays_it_out() {
        let octets = [0xE0, 0xC5, 0, 3, 0, 2, 0x81, 2, 0xAA, 0xBB, 0x7E];
        let (read, rest) = Block::parse(&octets).unwrap();
        assert_eq!((read.number, read.acknowledged, read.octets), (3, 2, &[0xAA, 0xBB][..]));
        assert!(read.control.is_last() && read.control.is_streaming());
        assert_eq!((read.control.window(), rest), (5, &[0x7E][..]));
        for cut in 0..10 {
            assert_eq!(Block::parse(&octets[..cut]).unwrap_err().kind, ApduErrorKind::Truncated);
        }
        assert_eq!(Block::parse(&[0xE1]), Err(ApduErrorKind::Tag(0xE1).at(0)));
    }

    #[test]
    fn blocks_in_order_give_the_inner_apdu_and_then_the_next() {
        let mut gbt = Gbt::new([0; 8]);
        for _ in 0..2 {
            assert_eq!(
                gbt.push(&block(1, false, &[1, 2])),
                GbtStep { apdu: None, problem: None, dropped: 0 }
            );
            assert_eq!(gbt.push(&block(2, false, &[3])).apdu, None);
            assert_eq!(gbt.push(&block(3, true, &[4])).apdu, Some(&[1, 2, 3, 4][..]));
        }
        assert_eq!(gbt.push(&block(1, true, &[9])).apdu, Some(&[9][..]));
        assert_eq!(gbt.finish(), None);
    }

    #[test]
    fn a_new_block_1_starts_over_and_reports_what_it_cuts_short() {
        let mut gbt = Gbt::new([0; 8]);
        gbt.push(&block(1, false, &[1, 2]));
        gbt.push(&block(2, false, &[3]));
        let step = gbt.push(&block(1, true, &[7]));
        assert_eq!(step, GbtStep { apdu: Some(&[7]), problem: Some(GbtProblem::Unfinished), dropped: 3 });
    }

    #[test]
    fn a_block_out_of_order_loses_the_sequence_up_to_the_next_block_1() {
        let mut gbt = Gbt::new([0; 8]);
        gbt.push(&block(1, false, &[1, 2]));
        let step = gbt.push(&block(3, false, &[5]));
        assert_eq!((step.problem, step.dropped), (Some(GbtProblem::Lost { expected: 2, found: 3 }), 3));
        let step = gbt.push(&block(4, true, &[6]));
        assert_eq!((step.apdu, step.problem), (None, Some(GbtProblem::NotStarted { found: 4 })));
        // The same block twice is not taken for a repetition: it may be the second of another sequence.
        gbt.push(&block(1, false, &[1]));
        gbt.push(&block(2, false, &[2]));
        assert_eq!(
            gbt.push(&block(2, false, &[2])).problem,
            Some(GbtProblem::Lost { expected: 3, found: 2 })
        );
        assert_eq!(gbt.push(&block(1, true, &[8])), GbtStep { apdu: Some(&[8]), problem: None, dropped: 0 });
    }

    #[test]
    fn an_apdu_longer_than_the_storage_is_given_up() {
        let mut gbt = Gbt::new([0; 4]);
        gbt.push(&block(1, false, &[1, 2, 3]));
        let step = gbt.push(&block(2, false, &[4, 5]));
        assert_eq!((step.problem, step.dropped), (Some(GbtProblem::TooLong), 5));
        assert!(!gbt.is_open());
        assert_eq!(gbt.push(&block(1, true, &[1, 2, 3, 4])).apdu, Some(&[1, 2, 3, 4][..]));
    }

    #[test]
    fn a_sequence_that_runs_out_of_numbers_is_reported() {
        let mut gbt = Gbt::new([0; 4]);
        let run = |gbt: &mut Gbt<[u8; 4]>| {
            gbt.push(&block(1, false, &[1]));
            for number in 2..=u16::MAX {
                assert_eq!(gbt.push(&block(number, false, &[])).problem, None);
            }
            assert!(gbt.is_open());
        };
        let unfinished = |dropped| GbtStep { apdu: None, problem: Some(GbtProblem::Unfinished), dropped };
        run(&mut gbt);
        assert_eq!(gbt.finish(), Some(unfinished(1)));
        run(&mut gbt);
        assert_eq!(gbt.push(&block(0, true, &[2, 3])), unfinished(3));
        assert_eq!(gbt.finish(), None);
        run(&mut gbt);
        assert_eq!(gbt.push(&block(1, false, &[5])), unfinished(1));
        assert_eq!(gbt.finish(), Some(unfinished(1)));
    }

    #[test]
    fn what_is_open_at_the_end_is_reported_once() {
        let mut gbt = Gbt::new([0; 4]);
        gbt.push(&block(1, false, &[1, 2]));
        assert_eq!((gbt.is_open(), gbt.held()), (true, 2));
        assert_eq!(
            gbt.finish(),
            Some(GbtStep { apdu: None, problem: Some(GbtProblem::Unfinished), dropped: 2 })
        );
        assert_eq!(gbt.finish(), None);
    }
}
