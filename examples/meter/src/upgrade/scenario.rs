//! What is simulated, and what came of it.

use upgrade_proto::sender::Strategy;

use super::channel::Kind;
use super::flash::Times;

/// What is simulated.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub meters: usize,
    pub size: usize,
    pub block: u16,
    /// Octets of a frame beyond the block, the protocol's own header included.
    pub overhead: u16,
    /// Octets per second.
    pub rate: f64,
    pub loss: f64,
    pub burst: f64,
    pub kind: Kind,
    pub strategy: Strategy,
    pub tags: bool,
    pub seed: u64,
    /// Seconds each change of direction takes.
    pub turnaround: f64,
    /// Pause after each frame to all, in seconds.
    pub gap: f64,
    /// RAM of the coded decoder with its block buffer, in octets; 0: the meters have none.
    pub ram: usize,
    pub times: Times,
    /// Power cuts per meter and hour, and how long the supply is off.
    pub cuts: f64,
    pub off: f64,
    /// Meters that come late, and when.
    pub late: usize,
    pub late_at: f64,
}

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            meters: 61,
            size: 1_024_000,
            block: 512,
            overhead: 39,
            rate: 1200.0,
            loss: 0.01,
            burst: 10.0,
            kind: Kind::Independent,
            strategy: Strategy::Auto,
            tags: true,
            seed: 1,
            turnaround: 0.05,
            gap: 0.0,
            ram: 4096,
            times: Times { read_rate: 1_000_000.0, page: 0.0007, erase: 0.045 },
            cuts: 0.0,
            off: 20.0,
            late: 0,
            late_at: 300.0,
        }
    }
}

/// Octets on the channel by what they were for.
#[derive(Copy, Clone, Debug, Default)]
pub struct Octets {
    pub data: f64,
    pub repair: f64,
    pub feedback: f64,
    pub other: f64,
    /// Of data and repair: manifest and tags.
    pub meta: f64,
}

/// What came of a simulation. Frames are of a whole data frame's octets.
#[derive(Copy, Clone, Debug, Default)]
pub struct Outline {
    /// Data, repair and status of the transfer phase.
    pub airtime_frames: f64,
    pub lower_bound_frames: f64,
    pub ratio: f64,
    /// From the first frame to the last meter done, all phases, waits and flash time included.
    pub seconds: f64,
    pub feedback_share: f64,
    pub complete: f64,
    pub given_up: f64,
    /// Request, group, initiate, verify, activate and read-back, as a share of the transfer phase.
    pub other_share: f64,
    /// Manifest and tags as a share of the transfer phase.
    pub authenticity_share: f64,
    pub data_frames: f64,
    pub repair_frames: f64,
    pub rounds: f64,
    /// Frames that reached a meter whose flash was still busy.
    pub overruns: f64,
    pub blocks: f64,
    pub meta_blocks: f64,
    /// Whether frames of the GF(2) code were sent (share of runs).
    pub coded: f64,
}

impl Outline {
    /// Mean of several.
    pub fn mean(all: &[Outline]) -> Outline {
        let n = all.len().max(1) as f64;
        let mean = |field: fn(&Outline) -> f64| all.iter().map(field).sum::<f64>() / n;
        Outline {
            airtime_frames: mean(|o| o.airtime_frames),
            lower_bound_frames: mean(|o| o.lower_bound_frames),
            ratio: mean(|o| o.ratio),
            seconds: mean(|o| o.seconds),
            feedback_share: mean(|o| o.feedback_share),
            complete: mean(|o| o.complete),
            given_up: mean(|o| o.given_up),
            other_share: mean(|o| o.other_share),
            authenticity_share: mean(|o| o.authenticity_share),
            data_frames: mean(|o| o.data_frames),
            repair_frames: mean(|o| o.repair_frames),
            rounds: mean(|o| o.rounds),
            overruns: mean(|o| o.overruns),
            blocks: mean(|o| o.blocks),
            meta_blocks: mean(|o| o.meta_blocks),
            coded: mean(|o| o.coded),
        }
    }
}
