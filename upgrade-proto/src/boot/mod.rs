//! The boot loader's part: what to do at a reset, the copies, the trial, the way back.
//!
//! Sources are never written while a copy runs (`UPLOAD` → `APP`, `BACKUP` → `APP`), so a cut at any instant means: start that copy again.
//!
//! ```
//! use embedded_storage::nor_flash::NorFlash;
//! use upgrade_proto::boot::{Boot, BootError, Judgement, Limits, Places, ResetCause};
//! use upgrade_proto::hash::Hash256;
//! use upgrade_proto::install::{NoCipher, Records};
//!
//! /// `Ok`: jump to the program. `Err`: reset.
//! fn main_of_boot<H: Hash256, E: NorFlash, A: NorFlash, R: Records<E>>(
//!     (external, internal, records): (&mut E, &mut A, &mut R),
//!     places: Places,
//!     (brown_out, watchdog, software): (bool, bool, bool),
//!     feed_watchdog: fn(),
//! ) -> Result<Judgement, BootError> {
//!     let cause = ResetCause::from_flags(brown_out, watchdog, software);
//!     Boot::new(external, internal, records, places, Limits::default()).start::<H>(cause, &mut NoCipher, feed_watchdog)
//! }
//! ```
//!
//! # What may end a trial
//! * More than [`Limits::faults`] resets by watchdog, fault or the program itself: rolled back. A program in its trial that resets itself is taken for
//!   one that fell into its panic handler.
//! * More than [`Limits::early`] starts in a row that did not live [`healthy`](crate::install::Policy::healthy) long, whatever ended them:
//!   rolled back. That is for a program that pulls its own supply down; a cut of the mains counts here too, so the limit is far above what the
//!   mains does in so short a time, and one long enough life starts the count again.
//! * The program's own check fails, or it is not confirmed in time: the application asks for the way back.
//!
//! Power cuts alone never end it otherwise. The boot loader should start the watchdog before the jump: a program that hangs with it off
//! is never reset, so never counted.

mod reset;
#[cfg(feature = "boot-verify")]
mod verify;

pub use reset::ResetCause;

use crate::flash::{FlashError, Span};
use crate::hash::Hash256;
use crate::install::{Copy, Decrypt, Digest, NoCipher, Program, Reason, Record, Records, State, event};
use embedded_storage::nor_flash::NorFlash;

/// Where programs stand. Spans start and end at sector borders of their flash.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// External flash: the image, as received ([`Layout::image`](crate::receiver::Layout)).
    pub upload: Span,
    /// External flash: manifest and tags ([`Layout::meta`](crate::receiver::Layout)).
    pub meta: Span,
    /// External flash: the program to go back to.
    pub backup: Span,
    /// Program flash: the program that runs.
    pub app: Span,
}

/// How often what may go wrong.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Fault resets in a trial; one more rolls back.
    pub faults: u8,
    /// Starts in a row in a trial that did not live long enough; one more rolls back.
    pub early: u16,
    /// Copies that do not compare; one more gives this source up.
    pub copies: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { faults: 3, early: 200, copies: 2 }
    }
}

/// What a reset calls for (paper 000's `upgrade_judge`).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Jump to the program.
    Run,
    /// Jump to the new program: it is in its trial.
    Trial,
    /// Copy the image over the program first.
    Upgrade,
    /// Copy the old program back first.
    Restore,
}

/// Why there is nothing to jump to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BootError {
    /// A flash fails.
    Flash,
    /// Neither the program nor its backup nor the image is whole. Never after a cut alone: memory was changed or wore out.
    NoProgram,
}

impl From<FlashError> for BootError {
    fn from(_: FlashError) -> Self {
        BootError::Flash
    }
}

impl core::fmt::Display for BootError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            BootError::Flash => "flash failure",
            BootError::NoProgram => "no whole program",
        })
    }
}

impl core::error::Error for BootError {}

/// The boot loader's hold on the memories, for the time of one start.
#[derive(Debug)]
pub struct Boot<'d, E, A, S> {
    external: &'d mut E,
    app: &'d mut A,
    records: &'d mut S,
    places: Places,
    limits: Limits,
    time: u32,
}

/// What became of a copy.
enum Copied {
    Whole,
    /// The source is not what it should be.
    Source,
    /// It does not compare, however often it is tried.
    Sink,
}

impl<'d, E: NorFlash, A: NorFlash, S: Records<E>> Boot<'d, E, A, S> {
    /// A boot loader over these memories.
    pub const fn new(
        external: &'d mut E,
        app: &'d mut A,
        records: &'d mut S,
        places: Places,
        limits: Limits,
    ) -> Self {
        Boot { external, app, records, places, limits, time: 0 }
    }

    /// Tells the time for the event log, in seconds since 2000-01-01; without it a rollback gets that of the event before.
    #[must_use]
    pub const fn with_time(mut self, time: u32) -> Self {
        self.time = time;
        self
    }

    /// Does all that a reset calls for: judges, copies, compares, counts the trial; then the caller jumps. `feed` is called before
    /// every slice (a sector erased, [`SLICE`](crate::install::SLICE) octets hashed or copied): feed the watchdog there.
    ///
    /// # Errors
    /// [`BootError`]; reset and try again.
    pub fn start<H: Hash256>(
        &mut self,
        cause: ResetCause,
        cipher: &mut dyn Decrypt,
        mut feed: impl FnMut(),
    ) -> Result<Judgement, BootError> {
        let judgement = self.upgrade_judge(cause)?;
        match judgement {
            Judgement::Run | Judgement::Trial => Ok(judgement),
            Judgement::Upgrade | Judgement::Restore => self.upgrade::<H>(cipher, &mut feed),
        }
    }

    /// What this reset calls for; counts a start in the trial, before it is made. Once a reset.
    ///
    /// # Errors
    /// [`BootError::Flash`] when the memory fails.
    pub fn upgrade_judge(&mut self, cause: ResetCause) -> Result<Judgement, BootError> {
        let Some(mut record) = self.load()? else { return Ok(Judgement::Run) };
        match record.state {
            State::Installing => Ok(Judgement::Upgrade),
            State::Rollback => Ok(Judgement::Restore),
            State::Trial => {
                if cause.is_fault() {
                    record.faults = record.faults.saturating_add(1);
                }
                record.early = record.early.saturating_add(1);
                let reason = if record.faults > self.limits.faults {
                    Reason::Faults
                } else if record.early > self.limits.early {
                    Reason::Early
                } else {
                    self.commit(&record)?;
                    return Ok(Judgement::Trial);
                };
                record.state = State::Rollback;
                record.reason = reason;
                self.commit(&record)?;
                Ok(Judgement::Restore)
            }
            _ => Ok(Judgement::Run),
        }
    }

    /// Paper 000's `Upgrade()`: finishes what is under way, image to program or backup to program, `feed` before every slice.
    ///
    /// # Errors
    /// [`BootError`].
    pub fn upgrade<H: Hash256>(
        &mut self,
        cipher: &mut dyn Decrypt,
        feed: &mut dyn FnMut(),
    ) -> Result<Judgement, BootError> {
        // Ways out of a copy that fails lead to the other one, so it ends after few turns.
        for _ in 0..4 {
            let Some(record) = self.load()? else { return Ok(Judgement::Run) };
            match record.state {
                State::Installing => self.install::<H>(record, cipher, feed)?,
                State::Rollback => self.restore::<H>(record, cipher, feed)?,
                State::Trial => return Ok(Judgement::Trial),
                _ => return Ok(Judgement::Run),
            }
        }
        Err(BootError::NoProgram)
    }

    fn load(&mut self) -> Result<Option<Record>, FlashError> {
        self.records.load(self.external)
    }

    fn commit(&mut self, record: &Record) -> Result<(), FlashError> {
        self.records.store(self.external, record)
    }

    /// Whether the program flash holds this program.
    fn app_is<H: Hash256>(&mut self, program: &Program, feed: &mut dyn FnMut()) -> Result<bool, FlashError> {
        if program.size == 0 || program.size > self.places.app.len {
            return Ok(false);
        }
        Ok(hash_of::<H, A>(self.app, self.places.app.start, program.size, feed)? == program.sha256)
    }

    fn external_is<H: Hash256>(
        &mut self,
        span: Span,
        size: u32,
        sha256: &[u8; 32],
        feed: &mut dyn FnMut(),
    ) -> Result<bool, FlashError> {
        if size == 0 || size > span.len || size > self.places.app.len {
            return Ok(false);
        }
        Ok(hash_of::<H, E>(self.external, span.start, size, feed)? == *sha256)
    }

    /// Checks the source, copies it over the program, compares; again if it does not.
    fn copy<H: Hash256>(
        &mut self,
        source: Span,
        program: &Program,
        sent: &[u8; 32],
        cipher: &mut dyn Decrypt,
        feed: &mut dyn FnMut(),
    ) -> Result<Copied, BootError> {
        if !self.external_is::<H>(source, program.size, sent, feed)? {
            return Ok(Copied::Source);
        }
        for _ in 0..=self.limits.copies {
            let mut job = Copy::default();
            loop {
                feed();
                // A write that fails is one more reason why the comparison does.
                if job.step(self.external, source.start, self.app, self.places.app, program.size, cipher)
                    != Ok(false)
                {
                    break;
                }
            }
            if self.app_is::<H>(program, feed)? {
                return Ok(Copied::Whole);
            }
        }
        Ok(Copied::Sink)
    }

    fn install<H: Hash256>(
        &mut self,
        mut record: Record,
        cipher: &mut dyn Decrypt,
        feed: &mut dyn FnMut(),
    ) -> Result<(), BootError> {
        let key = match &record.enciphered {
            Some(enciphered) => cipher.begin(enciphered),
            None => true,
        };
        let enciphered = record.enciphered.is_some();
        let mut plain = NoCipher;
        let cipher: &mut dyn Decrypt = if enciphered { cipher } else { &mut plain };
        let (upload, sent) = (record.upload, record.sent);
        let reason = if key {
            match self.copy::<H>(self.places.upload, &upload, &sent, cipher, feed)? {
                Copied::Whole => {
                    record.state = State::Trial;
                    record.faults = 0;
                    // The start that follows is the first.
                    record.early = 1;
                    return Ok(self.commit(&record)?);
                }
                Copied::Source => Reason::Image,
                // Deciphered with a wrong key, it never compares.
                Copied::Sink if enciphered => Reason::Key,
                Copied::Sink => Reason::Copy,
            }
        } else {
            Reason::Key
        };
        record.state = State::Rollback;
        record.reason = reason;
        Ok(self.commit(&record)?)
    }

    fn restore<H: Hash256>(
        &mut self,
        mut record: Record,
        cipher: &mut dyn Decrypt,
        feed: &mut dyn FnMut(),
    ) -> Result<(), BootError> {
        let backup = record.backup;
        let whole = self.app_is::<H>(&backup, feed)?
            || matches!(
                self.copy::<H>(self.places.backup, &backup, &backup.sha256, &mut NoCipher, feed)?,
                Copied::Whole
            );
        if whole {
            record.state = State::RolledBack;
            record.running = backup;
            let last = record.events.iter().next().map_or(0, |event| event.time);
            record.log(event::ROLLED_BACK, self.time.max(last), record.upload.version);
            return Ok(self.commit(&record)?);
        }
        // No way back: a whole new program that failed is better than none.
        let upload = record.upload;
        if self.app_is::<H>(&upload, feed)? {
            record.state = State::Trial;
            (record.faults, record.early) = (0, 1);
            return Ok(self.commit(&record)?);
        }
        let ready = match &record.enciphered {
            Some(enciphered) => cipher.begin(enciphered),
            None => true,
        };
        if record.reason != Reason::Copy
            && ready
            && self.external_is::<H>(self.places.upload, upload.size, &record.sent, feed)?
        {
            record.state = State::Installing;
            return Ok(self.commit(&record)?);
        }
        Err(BootError::NoProgram)
    }
}

fn hash_of<H: Hash256, F: NorFlash>(
    flash: &mut F,
    start: u32,
    len: u32,
    feed: &mut dyn FnMut(),
) -> Result<[u8; 32], FlashError> {
    let mut job = Digest::<H>::new();
    loop {
        feed();
        if let Some(hash) = job.step(flash, start, len)? {
            return Ok(hash);
        }
    }
}
