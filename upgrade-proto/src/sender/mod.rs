//! The concentrator's side: finds the meters, sends the image, asks, repairs, gives up, reads back.

mod collect;
mod enrol;
mod memory;
mod meter;
mod predict;
mod round;
mod seal;
mod settings;

pub use memory::{Memory, SenderError, Tables};
pub use meter::{Meter, Reason, State};
pub use seal::{Envelopes, KeyRing, NoSeal, Seal, Whose};
pub use settings::{Job, Settings, Strategy};

use crate::error::BufferTooSmall;
use crate::message::{Initiate, Message, Packet};
use crate::package::{Address, Manifest};
use crate::session::{Geometry, Plane, Session};
use round::Round;

/// Where the sender gets its blocks.
pub trait Source {
    /// Adds block `index` of `plane` to `sum` by XOR (octets past the block's end stay); `false` when it cannot be read.
    fn add(&mut self, plane: Plane, index: u16, sum: &mut [u8]) -> bool;
}

/// To whom a frame goes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum To {
    /// To one meter.
    Meter(Address),
    /// To the members of a group.
    Group(u16),
}

/// What a frame is for.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Traffic {
    /// Request, group, initiate, verify, activate, read-back.
    #[default]
    Control,
    /// Blocks for the first time.
    Data,
    /// Blocks again.
    Repair,
    /// Questions about blocks, and their answers.
    Feedback,
}

/// A frame to send.
#[derive(Copy, Clone, Debug)]
pub struct Transmit<'b> {
    /// To whom.
    pub to: To,
    /// The message.
    pub octets: &'b [u8],
    /// What for.
    pub traffic: Traffic,
}

/// Where a job stands.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Meters added.
    pub meters: u16,
    /// Meters that have every block, or more.
    pub complete: u16,
    /// Meters given up.
    pub given_up: u16,
    /// Rounds begun.
    pub rounds: u16,
    /// Frames with blocks sent.
    pub frames: u32,
    /// Blocks the needy meter lacks that lacks most.
    pub worst: u16,
    /// Estimate of the time to go, in seconds.
    pub seconds_left: u32,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Step {
    Decide,
    /// One meter was asked; `deadline` is set when the question is out.
    Await {
        meter: u16,
        deadline: Option<u64>,
        block: Option<u16>,
    },
    /// A roll call is out; answers come until then.
    Roll {
        slots: u32,
        until: Option<u64>,
    },
    Round,
    Wait {
        until: u64,
    },
    Finished,
}

/// A concentrator's side of a transfer: blocks from `S`, said in the clear or in the envelopes of `K`.
#[derive(Debug)]
pub struct Sender<'t, S, K = NoSeal> {
    settings: Settings,
    session: Session,
    initiate: Initiate,
    manifest: Manifest<'static>,
    geometry: Geometry,
    source: S,
    seal: K,
    meters: &'t mut [Meter],
    used: u16,
    /// One bit a meter for each unit.
    rows: &'t mut [u8],
    /// Meters served in this round; those that lack anything; those a frame being made up is for.
    mask: &'t mut [u8],
    needy: &'t mut [u8],
    sum: &'t mut [u8],
    stride: usize,
    order: &'t mut [u16],
    #[cfg_attr(not(feature = "coded"), expect(dead_code, reason = "memory of the coded strategy"))]
    deficits: &'t mut [u16],
    step: Step,
    /// The question that is out was put between the frames of a round.
    aside: bool,
    round: Round,
    ready: u64,
    pause: u16,
    initiated: bool,
    verify_sent: bool,
    head_sent: bool,
    first_done: [bool; 2],
    rounds: u16,
    frames: u32,
    sent: u32,
    traffic: Traffic,
    slot_limit: u16,
    /// Share of the blocks sent first that were lost, in 1/65536.
    first_loss: u16,
    /// Pause after the frame handed out last, in milliseconds, beyond the usual.
    linger: u16,
    #[cfg(feature = "coded")]
    coded: round::Coded,
}

impl<'t, S: Source> Sender<'t, S> {
    /// A sender of `job` from `source`, with no meter yet.
    ///
    /// # Errors
    /// [`SenderError`] when the sizes are impossible or a table is too small.
    pub fn new(
        settings: Settings,
        job: &Job<'_>,
        source: S,
        memory: Memory<'t>,
    ) -> Result<Self, SenderError> {
        Self::sealed(settings, job, source, memory, NoSeal)
    }
}

impl<'t, S: Source, K: Seal> Sender<'t, S, K> {
    /// The same for meters that take commands in envelopes alone ([`Policy::sealed`](crate::install::Policy)); see [`Envelopes`].
    ///
    /// # Errors
    /// As [`new`](Sender::new).
    pub fn sealed(
        settings: Settings,
        job: &Job<'_>,
        source: S,
        memory: Memory<'t>,
        seal: K,
    ) -> Result<Self, SenderError> {
        // Without the group's key nobody can be called up by group.
        let settings = Settings { single: settings.single || !seal.has_group(), ..settings };
        let manifest = Manifest { extensions: &[], ..job.manifest };
        let length = if job.meta { job.manifest.encoded_len().unwrap_or(0) } else { 0 };
        let tagged = job.meta && job.manifest.tagged;
        let geometry = Geometry::new(manifest.size, manifest.block, length, tagged)
            .map_err(|_| SenderError::Geometry)?;
        let [a, b, c, d, ..] = job.digest;
        let image = if job.meta { u32::from_be_bytes([a, b, c, d]) } else { manifest.crc };
        let stride = memory.meters.len().div_ceil(8);
        let units = usize::from(geometry.units());
        let need = stride.checked_mul(units).ok_or(SenderError::Memory)?;
        let (rows, rest) = memory.missing.split_at_mut_checked(need).ok_or(SenderError::Memory)?;
        let (mask, rest) = rest.split_at_mut_checked(stride).ok_or(SenderError::Memory)?;
        let (needy, rest) = rest.split_at_mut_checked(stride).ok_or(SenderError::Memory)?;
        let (sum, _) = rest.split_at_mut_checked(stride).ok_or(SenderError::Memory)?;
        let most = geometry.count(Plane::Data).max(geometry.count(Plane::Meta));
        if memory.order.len() < usize::from(most) || u16::try_from(memory.meters.len()).is_err() {
            return Err(SenderError::Memory);
        }
        rows.fill(0);
        let initiate = Initiate {
            size: manifest.size,
            block: manifest.block,
            manifest: length,
            tagged,
            crc: manifest.crc,
            digest: job.digest,
        };
        Ok(Sender {
            settings,
            session: Session { id: job.session, image },
            initiate,
            manifest,
            geometry,
            source,
            seal,
            meters: memory.meters,
            used: 0,
            rows,
            mask,
            needy,
            sum,
            stride,
            order: memory.order,
            deficits: memory.deficits,
            step: Step::Decide,
            aside: false,
            round: Round::default(),
            ready: 0,
            pause: 0,
            initiated: false,
            verify_sent: false,
            head_sent: false,
            first_done: [false; 2],
            rounds: 0,
            frames: 0,
            sent: 0,
            traffic: Traffic::Control,
            slot_limit: 0,
            first_loss: 0,
            linger: 0,
            #[cfg(feature = "coded")]
            coded: round::Coded::default(),
        })
    }

    /// Adds a meter, at any time; one that comes late is taken in between two frames, and hears what is still to come.
    ///
    /// # Errors
    /// [`SenderError::Memory`] when the table is full.
    pub fn add_meter(&mut self, address: Address) -> Result<(), SenderError> {
        let at = usize::from(self.used);
        let place = self.meters.get_mut(at).ok_or(SenderError::Memory)?;
        *place = Meter { address, ..Meter::default() };
        self.used = self.used.wrapping_add(1);
        if self.step == Step::Finished {
            self.step = Step::Decide;
        }
        Ok(())
    }

    /// The session's name.
    #[must_use]
    pub const fn session(&self) -> Session {
        self.session
    }

    /// What seals: its numbers are to be kept.
    #[must_use]
    pub const fn seal(&self) -> &K {
        &self.seal
    }

    /// How the image is cut.
    #[must_use]
    pub const fn geometry(&self) -> Geometry {
        self.geometry
    }

    /// What is known of the meters, in the order they were added.
    #[must_use]
    pub fn meters(&self) -> &[Meter] {
        self.meters.get(..usize::from(self.used)).unwrap_or(&[])
    }

    /// What the last frame was for; an answer that comes now is of the same kind.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Whether everything is done that can be.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.step == Step::Finished
    }

    /// Where the job stands.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let mut progress =
            Progress { meters: self.used, rounds: self.rounds, frames: self.frames, ..Progress::default() };
        for meter in self.meters() {
            match meter.state {
                State::GivenUp(_) => progress.given_up = progress.given_up.saturating_add(1),
                State::Complete | State::Verified | State::Activated | State::Done => {
                    progress.complete = progress.complete.saturating_add(1);
                }
                _ => progress.worst = progress.worst.max(meter.missing),
            }
        }
        progress.seconds_left = self.seconds_left(progress.worst);
        progress
    }

    /// Takes an answer in. What no question asked for is ignored.
    pub fn handle_message(&mut self, from: Address, octets: &[u8], now: u64) {
        let Some(at) = self.meters().iter().position(|meter| meter.address == from) else { return };
        let Ok(at) = u16::try_from(at) else { return };
        let awaited = matches!(self.step, Step::Await { meter, .. } if meter == at);
        if !awaited && !matches!(self.step, Step::Roll { .. }) {
            return;
        }
        let Some(octets) = self.seal.open(from, octets) else { return };
        let Ok(packet) = Packet::parse(octets) else { return };
        if packet.session != self.session {
            return;
        }
        let taken = match packet.message {
            Message::Status(ref status) => self.take_status(at, status, awaited, now),
            ref message => awaited && self.take_answer(at, message, now),
        };
        if taken {
            if let Some(meter) = self.meter_mut(at) {
                meter.tries = 0;
                meter.silences = 0;
            }
            if awaited {
                self.next_step();
            }
        }
    }

    fn next_step(&mut self) {
        self.step = match self.step {
            Step::Await { block: Some(_), .. } => Step::Round,
            _ if core::mem::take(&mut self.aside) => Step::Round,
            _ => Step::Decide,
        };
    }

    /// Says that the frame handed out last is on the channel to its end; pauses and answer times count from here.
    pub fn handle_sent(&mut self, now: u64) {
        let wait = u64::from(self.settings.turnaround).saturating_add(self.answer_time());
        match &mut self.step {
            Step::Await { deadline: deadline @ None, .. } => *deadline = Some(now.saturating_add(wait)),
            Step::Roll { slots, until: until @ None } => *until = Some(now.saturating_add(u64::from(*slots))),
            _ => {}
        }
        self.ready = now.saturating_add(u64::from(core::mem::take(&mut self.pause)));
    }

    /// When [`handle_timeout`](Self::handle_timeout) or [`poll_transmit`](Self::poll_transmit) has something to do; `None`: a
    /// frame is being sent, or the job is finished.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        match self.step {
            Step::Await { deadline, .. } => deadline,
            Step::Roll { until, .. } => until,
            Step::Wait { until } => Some(until),
            Step::Decide | Step::Round => Some(self.ready),
            Step::Finished => None,
        }
    }

    /// Ends waits that are over.
    pub fn handle_timeout(&mut self, now: u64) {
        match self.step {
            Step::Await { meter, deadline: Some(deadline), .. } if now >= deadline => {
                self.no_answer(meter, now);
                self.next_step();
            }
            Step::Roll { until: Some(until), .. } if now >= until => {
                self.end_roll();
                self.step = Step::Decide;
            }
            Step::Wait { until } if now >= until => self.step = Step::Decide,
            _ => {}
        }
    }

    /// The next frame, when the channel is free; `None` when there is nothing to send now.
    ///
    /// `out` takes the longest message: the block size and 80 octets, in an envelope 93.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when `out` is shorter than the message, or it cannot be sealed.
    pub fn poll_transmit<'b>(
        &mut self,
        out: &'b mut [u8],
        now: u64,
    ) -> Result<Option<Transmit<'b>>, BufferTooSmall> {
        self.handle_timeout(now);
        if now < self.ready {
            return Ok(None);
        }
        // Decide and Round hand over to each other; each pass settles at least one meter or block.
        loop {
            let (to, len) = match self.step {
                Step::Await { .. } | Step::Roll { .. } | Step::Wait { .. } | Step::Finished => {
                    return Ok(None);
                }
                Step::Decide => match self.decide(out, now)? {
                    Some(sent) => sent,
                    None => continue,
                },
                Step::Round => match self.aside(out, now)? {
                    Some(sent) => sent,
                    None => match self.next_frame(out)? {
                        Some(sent) => sent,
                        None => {
                            self.end_round();
                            self.step = Step::Decide;
                            continue;
                        }
                    },
                },
            };
            if matches!(to, To::Group(_)) {
                self.pause = self.settings.gap.saturating_add(core::mem::take(&mut self.linger));
            }
            let len = self.seal.seal(to, out, len)?;
            self.sent = self.sent.wrapping_add(1);
            let octets = out.get(..len).ok_or(BufferTooSmall)?;
            return Ok(Some(Transmit { to, octets, traffic: self.traffic }));
        }
    }

    fn meter_mut(&mut self, at: u16) -> Option<&mut Meter> {
        self.meters.get_mut(usize::from(at)).filter(|_| at < self.used)
    }

    fn encode(&self, message: Message<'_>, out: &mut [u8]) -> Result<usize, BufferTooSmall> {
        Ok(Packet { session: self.session, message }.encode(out)?.len())
    }

    /// Longest time an answer takes on the channel, with a short one's margin, in milliseconds.
    fn answer_time(&self) -> u64 {
        let octets = match self.settings.strategy {
            // Whole bitmaps.
            Strategy::Paper | Strategy::Unicast => u32::from(self.geometry.units().div_ceil(8)),
            _ => u32::from(self.slot_limit.max(64)),
        };
        self.airtime(octets.saturating_add(24).saturating_add(K::OVERHEAD.into())).saturating_add(20)
    }

    /// Time of a message on the channel, in milliseconds.
    fn airtime(&self, octets: u32) -> u64 {
        let all = u64::from(octets).saturating_add(self.settings.overhead.into());
        all.saturating_mul(1000).checked_div(self.settings.rate.into()).unwrap_or(0)
    }

    const fn plane_of(meta: bool) -> Plane {
        if meta { Plane::Meta } else { Plane::Data }
    }

    // ---- the table of missing blocks ----

    fn row(&self, unit: u16) -> &[u8] {
        let at = self.stride.saturating_mul(unit.into());
        self.rows.get(at..at.saturating_add(self.stride)).unwrap_or(&[])
    }

    fn set_missing(&mut self, unit: u16, meter: u16, missing: bool) {
        let at = self.stride.saturating_mul(unit.into()).saturating_add(usize::from(meter >> 3));
        let bit = 0x80u8 >> (meter & 7);
        if let Some(octet) = self.rows.get_mut(at) {
            *octet = if missing { *octet | bit } else { *octet & !bit };
        }
    }

    fn set_range(&mut self, plane: Plane, meter: u16, from: u16, to: u16, missing: bool) {
        let Some(zero) = self.geometry.unit(plane, 0) else { return };
        for index in from..to.min(self.geometry.count(plane)) {
            self.set_missing(zero.saturating_add(index), meter, missing);
        }
    }
}
