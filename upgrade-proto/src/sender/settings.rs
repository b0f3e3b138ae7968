//! What the sender is told.

use crate::package::Manifest;

/// How missing blocks are sent again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Whatever is predicted to take the least airtime, round by round.
    #[default]
    Auto,
    /// Every block that any meter lacks, to all.
    Union,
    /// XOR of blocks such that no meter lacks two of a frame.
    Xor,
    /// GF(2) generations where every meter that lacks blocks can decode them, XOR where not.
    Coded,
    /// Paper 002: whole bitmaps; blocks that three or more meters lack to all, others to each with acknowledgement.
    Paper,
    /// Each block to each meter with acknowledgement.
    Unicast,
}

/// What the sender is told about channel and patience. Times in milliseconds.
#[derive(Copy, Clone, Debug)]
pub struct Settings {
    /// How to repair.
    pub strategy: Strategy,
    /// Octets per second of the channel.
    pub rate: u32,
    /// Octets the carrier adds to a message.
    pub overhead: u16,
    /// Longest message the carrier takes; a roll call names as many members as fit.
    pub longest: u16,
    /// Pause after a frame to all, for the meters to store it.
    pub gap: u16,
    /// From the end of a question to the start of its answer, at most.
    pub turnaround: u16,
    /// How often a question is put before the meter counts as silent.
    pub tries: u8,
    /// How often a silent meter is tried again, round after round.
    pub silences: u8,
    /// Pause before silent meters are tried again when there is nothing else to do.
    pub silence: u32,
    /// Rounds in which a meter may get nowhere.
    pub stalls: u8,
    /// Rounds in all.
    pub rounds: u16,
    /// How long meters take to make room.
    pub erase: u32,
    /// How long meters take to check the image.
    pub verify: u32,
    /// When to activate (0: now); `None`: leave that to another job.
    pub activate: Option<u32>,
    /// How long installing takes, before the version is read back; `None`: do not.
    pub install: Option<u32>,
    /// Ask one meter at a time instead of calling the roll of a group.
    pub single: bool,
    /// Group address.
    pub group: u16,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            strategy: Strategy::Auto,
            rate: 1200,
            overhead: 30,
            longest: 640,
            gap: 0,
            turnaround: 50,
            tries: 8,
            silences: 4,
            silence: 30_000,
            stalls: 4,
            rounds: 200,
            erase: 15_000,
            verify: 5_000,
            activate: None,
            install: None,
            single: false,
            group: 1,
        }
    }
}

/// What is sent.
#[derive(Copy, Clone, Debug)]
pub struct Job<'m> {
    /// Session number.
    pub session: u16,
    /// The manifest (extensions need not be there).
    pub manifest: Manifest<'m>,
    /// First 16 octets of the encoded manifest's SHA-256; of an image without manifest, of the image's.
    pub digest: [u8; 16],
    /// Send manifest and tags. `false`: data blocks alone, as paper 002, IC 18 and F001 do.
    pub meta: bool,
}
