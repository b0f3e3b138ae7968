//! Ties a receiver to the record: what follows from what the transfer brings.

use super::{Copy, Digest, NoCipher, Policy, Program, PublicKey, Reason, Record, Records, State, event};
use crate::bitmap::BlockMap;
use crate::boot::Places;
use crate::error::Refusal;
use crate::flash::{self, FlashError};
use crate::hash::Hash256;
use crate::message::Phase;
use crate::package::Version;
use crate::receiver::{Receiver, Work};
use crate::security::{Accepted, MANIFEST_MAX, Trust, check_manifest};
use crate::session::Session;
use embedded_storage::nor_flash::{NorFlash, ReadNorFlash};

/// What [`Upgrader::work`] has left to do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Idle,
    /// Call again.
    More,
    /// Nothing before this time.
    Until(u64),
    /// Save what the meter counts and reset: the boot loader has work to do.
    Reset,
}

#[derive(Clone, Debug)]
pub(super) enum Job<H> {
    None,
    /// Hashing the running program.
    Running(Digest<H>),
    /// Hashing the copy there is.
    Kept(Digest<H>),
    Copying(Copy),
    /// Hashing the copy made.
    Made(Digest<H>),
    /// Hashing an image that came without manifest.
    Image(Digest<H>),
}

/// The application's side of upgrades: a [`Receiver`], the record of the installation, the keys.
///
/// `F` is the external flash, `M` remembers the blocks, `H` is SHA-256, `R` memory for `coded`, `S` keeps the record, `T` has the keys, `B` is the longest
/// block. Call [`resume`](Self::resume) once after a reset; [`handle_message`](Self::handle_message) with what carriers hand up,
/// [`work`](Self::work) between other duties, [`poll_transmit`](Self::poll_transmit) when [`poll_timeout`](Self::poll_timeout) has come;
/// [`handle_self_test`](Self::handle_self_test) once in a trial.
#[derive(Debug)]
pub struct Upgrader<F, M, H, R, S, T, const B: usize> {
    pub(super) receiver: Receiver<F, M, H, R, B>,
    pub(super) records: S,
    pub(super) trust: T,
    pub(super) policy: Policy,
    pub(super) places: Places,
    pub(super) record: Record,
    pub(super) job: Job<H>,
    /// Copies to the backup that did not compare.
    tries: u8,
    pub(super) started: Option<u64>,
    pub(super) clock: Option<u32>,
    pub(super) heard: bool,
    pub(super) tested: Option<bool>,
    /// Number of the question that the next answer goes back to.
    pub(super) echo: Option<u32>,
    pub(super) events: Option<(Session, u8)>,
}

impl<F, M, H, R, S, T, const B: usize> Upgrader<F, M, H, R, S, T, B>
where
    F: NorFlash,
    M: BlockMap<F>,
    H: Hash256,
    R: AsMut<[u8]>,
    S: Records<F>,
    T: Trust,
{
    /// With a receiver whose layout is where `places` says; [`resume`](Self::resume) comes next.
    pub fn new(
        receiver: Receiver<F, M, H, R, B>,
        records: S,
        trust: T,
        places: Places,
        policy: Policy,
    ) -> Self {
        Upgrader {
            receiver,
            records,
            trust,
            policy,
            places,
            record: Record::default(),
            job: Job::None,
            tries: 0,
            started: None,
            clock: None,
            heard: false,
            tested: None,
            echo: None,
            events: None,
        }
    }

    /// Takes up what was under way, after a reset.
    ///
    /// # Errors
    /// [`FlashError`] when a memory fails.
    pub fn resume(&mut self) -> Result<(), FlashError> {
        self.job = Job::None;
        self.tries = 0;
        self.started = None;
        self.heard = false;
        self.tested = None;
        self.echo = None;
        self.events = None;
        self.receiver.resume()?;
        self.record = self.records.load(self.receiver.flash_mut())?.unwrap_or_default();
        // A program that fits nowhere is none, whatever the record says.
        let room = self.places.app.len.min(self.places.upload.len).min(self.places.backup.len);
        for program in [&mut self.record.running, &mut self.record.backup, &mut self.record.upload] {
            if program.size > room {
                *program = Program::default();
            }
        }
        self.receiver.set_armed(self.record.state == State::Armed);
        Ok(())
    }

    /// At the factory, or for a meter that never had this: says what runs, so that there is something to go back to. Nothing if it is known.
    /// The backup beside it (paper 002 2.1) is made by the first upgrade, or at the factory: `backed_up` says that it is there.
    ///
    /// # Errors
    /// [`FlashError`] when a memory fails.
    pub fn provision(&mut self, running: Program, backed_up: bool) -> Result<(), FlashError> {
        if self.record.running.size != 0 {
            return Ok(());
        }
        self.record.running = running;
        if backed_up {
            self.record.backup = running;
        }
        self.commit()
    }

    /// Where the installation stands.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// The transfer.
    pub const fn receiver(&mut self) -> &mut Receiver<F, M, H, R, B> {
        &mut self.receiver
    }

    /// Gives receiver and records back.
    pub fn into_parts(self) -> (Receiver<F, M, H, R, B>, S) {
        (self.receiver, self.records)
    }

    pub(super) fn commit(&mut self) -> Result<(), FlashError> {
        self.records.store(self.receiver.flash_mut(), &self.record)
    }

    pub(super) fn enter(&mut self, state: State) -> Result<(), FlashError> {
        self.job = Job::None;
        self.record.state = state;
        self.commit()
    }

    pub(super) fn log(&mut self, kind: u8, version: Version) {
        // Events are in the order of the log; their time never falls.
        let last = self.record.events.iter().next().map_or(0, |event| event.time);
        self.record.log(kind, self.clock.unwrap_or(0).max(last), version);
    }

    /// Does one bounded piece of work (module docs). `app` is the program flash, to read from; `now` counts from any time, `clock` is the
    /// meter's, in seconds since 2000-01-01, if it is set.
    ///
    /// # Errors
    /// [`FlashError`] when a memory fails; the step is tried again with the next call.
    pub fn work<A: ReadNorFlash>(
        &mut self,
        app: &mut A,
        now: u64,
        clock: Option<u32>,
    ) -> Result<Step, FlashError> {
        self.clock = clock.or(self.clock);
        let lived = now.saturating_sub(*self.started.get_or_insert(now));
        match self.record.state {
            State::Trial => return self.trial(lived, now),
            State::Installing | State::Rollback => return Ok(Step::Reset),
            State::Backup => return self.backup(app),
            State::Armed => {
                if let Some(step) = self.armed()? {
                    return Ok(step);
                }
            }
            _ => {}
        }
        if self.follow()? {
            return Ok(Step::More);
        }
        Ok(match self.receiver.work(now)? {
            Work::Idle => Step::Idle,
            Work::More => Step::More,
            Work::Until(at) => Step::Until(at),
        })
    }

    /// Lets the record follow the transfer; `true` when that took a step.
    pub(super) fn follow(&mut self) -> Result<bool, FlashError> {
        let Some(session) = self.receiver.session() else { return Ok(false) };
        if self.record.state.is_committed() {
            return Ok(false);
        }
        let phase = self.receiver.phase();
        if self.record.session != session || (phase == Phase::Erasing && self.record.state != State::Erasing)
        {
            self.begin(session)?;
            return Ok(true);
        }
        match (self.record.state, phase) {
            (State::Erasing | State::Receiving, Phase::Failed) => {
                if self.record.state == State::Receiving {
                    self.log(event::FAILED, self.record.upload.version);
                }
                self.enter(State::Idle)?;
            }
            (State::Erasing, Phase::Erasing | Phase::Idle) => return Ok(false),
            (State::Erasing, _) => return self.accept(),
            (State::Receiving, Phase::Verified) => {
                if self.record.upload.sha256 == [0; 32] {
                    return self.name_image();
                }
                self.log(event::VERIFIED, self.record.upload.version);
                self.enter(State::Verified)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A session was opened: what was said of the image before is void.
    pub(super) fn begin(&mut self, session: Session) -> Result<(), FlashError> {
        self.record.session = session;
        self.record.upload = Program::default();
        self.record.enciphered = None;
        self.record.next_key = PublicKey::NONE;
        self.record.retired &= 1;
        self.record.reason = Reason::None;
        self.enter(State::Erasing)
    }

    /// Once the manifest is there: is it one to take?
    fn accept(&mut self) -> Result<bool, FlashError> {
        let Some(geometry) = self.receiver.geometry() else { return Ok(false) };
        let accepted = if geometry.manifest() == 0 {
            let size = geometry.size();
            if self.policy.signed {
                Err(Refusal::Manifest)
            } else {
                Ok(Accepted {
                    upload: Program { size, ..Program::default() },
                    sent: [0; 32],
                    enciphered: None,
                    counter: 0,
                    next_key: PublicKey::NONE,
                    retires: false,
                })
            }
        } else {
            if self.receiver.manifest()?.is_none() {
                return Ok(false);
            }
            self.check(geometry.manifest())?
        };
        // What does not fit the program flash cannot be installed.
        let accepted = accepted.and_then(|accepted| {
            let fits = accepted.upload.size <= self.places.app.len.min(self.places.upload.len);
            if fits { Ok(accepted) } else { Err(Refusal::Memory) }
        });
        match accepted {
            Ok(accepted) => {
                self.record.upload = accepted.upload;
                self.record.sent = accepted.sent;
                self.record.enciphered = accepted.enciphered;
                self.record.counter = accepted.counter;
                self.record.next_key = accepted.next_key;
                self.record.retired = (self.record.retired & 1) | (u8::from(accepted.retires) << 1);
                self.log(event::INITIALISED, self.record.upload.version);
                self.enter(State::Receiving)?;
            }
            Err(_) => {
                // Nobody the meter trusts has said anything, so nothing is logged.
                self.receiver.reject()?;
                self.enter(State::Idle)?;
            }
        }
        Ok(true)
    }

    fn check(&mut self, length: u16) -> Result<Result<Accepted, Refusal>, FlashError> {
        if length > MANIFEST_MAX {
            return Ok(Err(Refusal::Manifest));
        }
        let mut octets = [0u8; MANIFEST_MAX as usize];
        let octets = octets.get_mut(..usize::from(length)).ok_or(FlashError)?;
        flash::read(self.receiver.flash_mut(), self.places.meta.start, octets)?;
        let root = self.trust.root();
        let verify = if self.policy.signed { Some(&mut self.trust) } else { None };
        Ok(check_manifest::<H, T>(octets, verify, &root, &self.record))
    }

    /// An image without manifest: its SHA-256 is what is there, taken once CRC-32 was right.
    fn name_image(&mut self) -> Result<bool, FlashError> {
        let mut job = match core::mem::replace(&mut self.job, Job::None) {
            Job::Image(job) => job,
            _ => Digest::new(),
        };
        let (at, size) = (self.places.upload.start, self.record.upload.size);
        match job.step(self.receiver.flash_mut(), at, size)? {
            Some(hash) => {
                self.record.upload.sha256 = hash;
                self.record.sent = hash;
            }
            None => self.job = Job::Image(job),
        }
        Ok(true)
    }

    /// Whether the image may be armed.
    pub(super) fn armable(&self, session: Session) -> Result<(), Refusal> {
        let keyless = self.record.enciphered.is_some_and(|enciphered| enciphered.key == [0; 24]);
        match self.record.state {
            _ if self.record.session != session => Err(Refusal::State),
            State::Verified | State::RolledBack | State::Armed if keyless => Err(Refusal::Incomplete),
            State::Verified | State::RolledBack | State::Armed => Ok(()),
            State::Erasing | State::Receiving => Err(Refusal::Incomplete),
            _ => Err(Refusal::State),
        }
    }

    pub(super) fn arm(&mut self, at: u32) -> Result<(), FlashError> {
        self.record.at = at;
        self.record.until =
            if at == 0 || self.policy.expiry == 0 { 0 } else { at.saturating_add(self.policy.expiry) };
        self.record.reason = Reason::None;
        self.enter(State::Armed)
    }

    /// Starts when its time has come; gives up when it is past. Without a clock it holds.
    fn armed(&mut self) -> Result<Option<Step>, FlashError> {
        let at = self.record.at;
        let due = match self.clock {
            _ if at == 0 => true,
            None => false,
            Some(clock) if self.record.until != 0 && clock >= self.record.until => {
                self.record.reason = Reason::Expired;
                self.receiver.set_armed(false);
                self.enter(State::Verified)?;
                return Ok(Some(Step::More));
            }
            Some(clock) => clock.checked_sub(at).is_some_and(|late| {
                // A meter without supply in tonight's window takes tomorrow's.
                self.policy.window == 0 || late % 86_400 < self.policy.window
            }),
        };
        if !due {
            return Ok(None);
        }
        self.enter(State::Backup)?;
        Ok(Some(Step::More))
    }

    /// Copies the running program to the external flash, slice by slice, unless it is there.
    fn backup<A: ReadNorFlash>(&mut self, app: &mut A) -> Result<Step, FlashError> {
        let start = self.places.app.start;
        let kept = self.places.backup;
        if self.record.running.size == 0 {
            // Never told what runs: all of the program flash is, as far as there is room to keep it.
            self.record.running.size = self.places.app.len.min(self.places.backup.len);
        }
        let running = self.record.running;
        match core::mem::replace(&mut self.job, Job::None) {
            Job::Running(mut job) => match job.step(app, start, running.size)? {
                None => self.job = Job::Running(job),
                Some(hash) if running.sha256 == [0; 32] || hash == running.sha256 => {
                    self.record.running.sha256 = hash;
                    if self.record.backup.size == running.size && self.record.backup.sha256 == hash {
                        self.job = Job::Kept(Digest::new());
                    } else {
                        self.job = self.give_up_backup()?;
                    }
                }
                Some(_) => self.give_up(Reason::Program)?,
            },
            Job::Kept(mut job) => match job.step(self.receiver.flash_mut(), kept.start, running.size)? {
                None => self.job = Job::Kept(job),
                Some(hash) if hash == running.sha256 => self.install()?,
                Some(_) => self.job = self.give_up_backup()?,
            },
            Job::Copying(mut job) => {
                let done =
                    job.step(app, start, self.receiver.flash_mut(), kept, running.size, &mut NoCipher)?;
                self.job = if done { Job::Made(Digest::new()) } else { Job::Copying(job) };
            }
            Job::Made(mut job) => match job.step(self.receiver.flash_mut(), kept.start, running.size)? {
                None => self.job = Job::Made(job),
                Some(hash) if hash == running.sha256 => self.install()?,
                Some(_) if self.tries < 2 => {
                    self.tries = self.tries.saturating_add(1);
                    self.job = Job::Copying(Copy::default());
                }
                Some(_) => self.give_up(Reason::Copy)?,
            },
            Job::None | Job::Image(_) => self.job = Job::Running(Digest::new()),
        }
        Ok(if self.record.state == State::Installing { Step::Reset } else { Step::More })
    }

    /// Remembers that there is no copy any more, before it is erased.
    fn give_up_backup(&mut self) -> Result<Job<H>, FlashError> {
        if self.record.backup.size != 0 {
            self.record.backup = Program::default();
            self.commit()?;
        }
        Ok(Job::Copying(Copy::default()))
    }

    fn install(&mut self) -> Result<(), FlashError> {
        self.record.backup = self.record.running;
        self.record.copies = 0;
        self.enter(State::Installing)
    }

    fn give_up(&mut self, reason: Reason) -> Result<(), FlashError> {
        self.record.reason = reason;
        self.receiver.set_armed(false);
        self.enter(State::Verified)
    }
}
