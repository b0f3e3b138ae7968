//! What is known of a meter.

use crate::error::Refusal;
use crate::message::Identity;
use crate::package::Address;

/// Why a meter was given up.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It does not answer.
    Silent,
    /// It refuses, or is no candidate.
    Refused(Refusal),
    /// Round after round brings it nothing.
    NoProgress,
    /// Its image's check value is wrong.
    Verify,
    /// It still runs another version after activation.
    Version,
    /// The rounds are used up.
    Rounds,
}

/// How far a meter is.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Not asked yet.
    #[default]
    New,
    /// One of the set M_Q: reachable, same maker, older version.
    Candidate,
    /// In the group.
    Joined,
    /// Session open.
    Active,
    /// Has every block.
    Complete,
    /// Has checked the image.
    Verified,
    /// Was told to activate.
    Activated,
    /// Finished as far as this job goes.
    Done,
    /// Left out.
    GivenUp(Reason),
}

impl State {
    /// Nothing more will be sent to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, State::Done | State::GivenUp(_))
    }
}

impl Meter {
    /// Its loss, or `mean` where nothing was measured yet.
    #[cfg(feature = "coded")]
    pub(super) const fn loss_or(&self, mean: u16) -> u16 {
        if self.sent == 0 { mean } else { self.loss }
    }
}

/// What the sender knows of a meter.
#[derive(Copy, Clone, Debug, Default)]
pub struct Meter {
    /// Its address.
    pub address: Address,
    /// How far it is.
    pub state: State,
    /// What it said about itself.
    pub identity: Identity,
    /// Blocks it lacks, as it said last.
    pub missing: u16,
    /// Blocks it was sent again, in any way.
    pub repairs: u32,
    /// Share of blocks it loses, in 1/65536, as measured.
    pub loss: u16,
    pub(super) sent: u32,
    pub(super) lost: u32,
    pub(super) plane_meta: bool,
    pub(super) fresh: bool,
    pub(super) known: bool,
    pub(super) unicast: bool,
    pub(super) waiting: bool,
    pub(super) skipped: bool,
    /// Was ready when the head of manifest and tags was sent to whoever listens: what it lacks of it, it lost.
    pub(super) ready: bool,
    /// The last round was for it.
    pub(super) served: bool,
    /// Its decoder cannot hold the cut into generations: it is repaired by lists.
    pub(super) apart: bool,
    /// Answers about another cut than the one asked for, and returns from `apart`.
    #[cfg(feature = "coded")]
    pub(super) other_cut: u8,
    pub(super) covered: u16,
    pub(super) before: u16,
    pub(super) tries: u8,
    pub(super) silences: u8,
    /// Commands in a row whose number it had before.
    pub(super) stale: u8,
    pub(super) stalls: u8,
    pub(super) roll_misses: u8,
    /// Roll calls that it needed not answer, and did not.
    pub(super) unsaid: u8,
    pub(super) relapses: u8,
    pub(super) not_before: u64,
}
