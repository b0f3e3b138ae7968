//! The meter's side: takes blocks from whoever sends them, answers questions, checks the image.

mod blocks;
#[cfg(feature = "coded")]
mod coded;
mod control;
mod status;
mod store;
mod work;

use crate::bitmap::{BlockMap, Mark, Record};
use crate::error::Refusal;
use crate::flash::{FlashError, Span};
use crate::hash::Hash256;
use crate::message::{Ask, IDENTITY_LEN, Identity, Phase, kind};
use crate::package::{Address, MANIFEST_LEN, Manifest, Version};
use crate::session::{Geometry, Plane, Session};
use embedded_storage::nor_flash::NorFlash;
use store::Store;

/// Where the parts of an image go. All spans are of one flash, start and end at sector borders and do not overlap.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// The image.
    pub image: Span,
    /// Manifest and tag table: 2 % of the image and a sector.
    pub meta: Span,
    /// Rows of the `coded` decoder (length 0: it is not used).
    pub scratch: Span,
}

/// What a meter is and what it insists on.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// Its answer to a query; `phase`, `block_max` and `rows` are filled in by the receiver.
    pub identity: Identity,
    /// Its address.
    pub address: Address,
    /// Where things go.
    pub layout: Layout,
    /// Takes images without tag table too (IC 18, F001 and paper 000 know none).
    pub untagged: bool,
}

/// To whom a frame was addressed, as its carrier saw it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Addressed {
    /// To this meter.
    Me,
    /// To this group address (a carrier that has none: its broadcast, group 0).
    Group(u16),
    /// To another meter; blocks are taken all the same.
    Other,
}

/// What came of a frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// Nothing: not a message, not for this meter, of another session, or late.
    Ignored,
    /// A command or question was taken.
    Taken,
    /// A block was taken.
    Stored {
        /// Its plane.
        plane: Plane,
        /// Its number.
        index: u16,
    },
    /// A block that was there already.
    Duplicate,
    /// A block whose digest is wrong or not known yet, or that cannot be decoded.
    Unusable,
    /// A coded row was kept.
    Row,
    /// The concentrator wants the verified image installed at this time (0: now).
    Activate {
        /// Seconds since 2000-01-01 of the meter's clock.
        at: u32,
    },
    /// The concentrator takes an activation back.
    Cancel,
}

/// What [`Receiver::work`] has left to do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing.
    Idle,
    /// Call again.
    More,
    /// Nothing before this time.
    Until(u64),
}

/// An answer that waits for its time. Flat: which of the fields count follows from the kind.
#[derive(Copy, Clone, Debug)]
struct Pending {
    at: u64,
    session: Session,
    /// Of the message.
    kind: u8,
    /// The reason's, of a refusal.
    code: u8,
    ask: Ask,
}

impl Pending {
    const fn status(session: Session, at: u64) -> Self {
        Pending { at, session, kind: kind::STATUS, code: 0, ask: Ask::COUNT }
    }

    const fn refuse(&mut self, refusal: Refusal) {
        self.kind = kind::REFUSED;
        self.code = refusal.code();
    }
}

/// A meter's side of a transfer; see the module docs for who calls what.
///
/// `F` is the external flash, `M` remembers the blocks, `H` is SHA-256, `B` the longest block, `R` memory for the `coded` decoder
/// (`[u8; 0]` without).
// In the order written, or the block buffer comes first and nothing after it is within reach of a short instruction (Thumb-1: 31 to 124 octets).
#[derive(Debug)]
#[repr(C)]
pub struct Receiver<F, M, H, R, const B: usize> {
    /// `Idle` where no session is open.
    phase: Phase,
    /// Takes images without tag table too.
    untagged: bool,
    /// Blocks that the map may have lost are looked for.
    rebuilding: bool,
    /// How far the phase's work has come.
    at: u32,
    crc: u32,
    store: Store<F, M>,
    pending: Option<Pending>,
    /// As it stands in the message; phase and rows are filled in when it is asked for.
    identity: [u8; IDENTITY_LEN],
    address: Address,
    /// Group and member.
    group: Option<(u16, u16)>,
    hash: Option<H>,
    #[cfg(feature = "coded")]
    coder: coded::Coder,
    #[cfg_attr(not(feature = "coded"), allow(dead_code, reason = "memory of the coded decoder"))]
    ram: R,
    buffer: [u8; B],
}

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// A receiver with no session; [`resume`](Self::resume) takes up the one in `map`.
    pub const fn new(flash: F, map: M, ram: R, config: Config) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "where it is longer, so much of it is used")]
        let block_max = if B > u16::MAX as usize { u16::MAX } else { B as u16 };
        let identity = Identity { block_max, ..config.identity };
        Receiver {
            phase: Phase::Idle,
            untagged: config.untagged,
            rebuilding: false,
            at: 0,
            crc: 0,
            group: None,
            pending: None,
            identity: identity.octets(),
            address: config.address,
            hash: None,
            #[cfg(feature = "coded")]
            coder: coded::Coder::new(),
            store: Store::new(flash, map, config.layout),
            ram,
            buffer: [0; B],
        }
    }

    /// Takes up the session remembered, after a reset.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    pub fn resume(&mut self) -> Result<(), FlashError> {
        self.pending = None;
        self.group = None;
        let done = self.take_up();
        if done.is_err() {
            // Half taken up is not taken up.
            self.phase = Phase::Idle;
        }
        done
    }

    #[inline(never)]
    fn take_up(&mut self) -> Result<(), FlashError> {
        self.phase = Phase::Idle;
        let store = &mut self.store;
        let Some(record) = store.map.load(&mut store.flash)? else { return Ok(()) };
        let Ok(geometry) = self.fits(record.announced()) else { return Ok(()) };
        if geometry.units() != record.units() {
            return Ok(());
        }
        self.open(&record, &geometry);
        let store = &mut self.store;
        store.clear_pending()?;
        store.count()?;
        // A cut may have come between its last block and its check.
        let manifest = store.manifest_genuine::<H>()?;
        self.phase = if !store.marked(Mark::Erased)? {
            Phase::Erasing
        } else if store.marked(Mark::Failed)? {
            Phase::Failed
        } else if store.marked(Mark::Verified)? {
            Phase::Verified
        } else {
            self.rebuilding = M::LAGS && geometry.tagged();
            Phase::Receiving
        };
        if manifest {
            self.heed_manifest()?;
        }
        if self.phase == Phase::Verified && !self.store.vouched() {
            self.phase = Phase::Failed;
        }
        self.settle();
        Ok(())
    }

    /// Goes over to a session of which no block is there, yet.
    #[inline(never)]
    fn open(&mut self, record: &Record, geometry: &Geometry) {
        self.rebuilding = false;
        self.at = 0;
        self.store.open(record, geometry);
        #[cfg(feature = "coded")]
        self.coder.reset();
    }

    /// Where the meter stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.phase {
            Phase::Receiving if self.solving() || self.rebuilding => Phase::Working,
            phase => phase,
        }
    }

    /// The session that is open.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.is_open().then(|| self.store.session())
    }

    /// How the open session's image is cut.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry> {
        self.is_open().then_some(self.store.geometry)
    }

    /// Blocks missing of a plane; 0 without session.
    #[must_use]
    pub fn missing(&self, plane: Plane) -> u16 {
        if self.is_open() { self.store.missing(plane) } else { 0 }
    }

    /// The flash, for the installer.
    pub fn flash_mut(&mut self) -> &mut F {
        &mut self.store.flash
    }

    /// The fixed fields of the open session's manifest, once it is there and is the one announced.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    pub fn manifest(&mut self) -> Result<Option<Manifest<'static>>, FlashError> {
        if !self.is_open() || !self.store.heeded {
            return Ok(None);
        }
        let mut head = [0; MANIFEST_LEN as usize];
        self.store.read_manifest(0, &mut head)?;
        Ok(Some(Manifest::head(&head)))
    }

    /// The meter's address.
    pub(crate) const fn address(&self) -> Address {
        self.address
    }

    /// Says whether the verified image waits for its installation.
    pub(crate) fn set_armed(&mut self, armed: bool) {
        let (from, to) =
            if armed { (Phase::Verified, Phase::Armed) } else { (Phase::Armed, Phase::Verified) };
        if self.phase == from {
            self.phase = to;
        }
    }

    /// Gives the open session up: its manifest is not one to take.
    pub(crate) fn reject(&mut self) -> Result<(), FlashError> {
        self.fail()
    }

    /// Answers a command that was not passed on.
    pub(crate) fn refuse(&mut self, session: Session, refusal: Refusal, now: u64) {
        let answer = self.pending.insert(Pending::status(session, now));
        answer.refuse(refusal);
    }

    /// Answers with where the session stands.
    pub(crate) fn answer_status(&mut self, session: Session, ask: Ask, now: u64) {
        let answer = self.pending.insert(Pending { ask, ..Pending::status(session, now) });
        if self.phase == Phase::Idle {
            answer.refuse(Refusal::State);
        }
    }

    /// The program that runs now, after an installation: what the read-back answers.
    pub const fn set_version(&mut self, version: Version) {
        let (_, rest) = self.identity.split_at_mut(12);
        if let Some(place) = rest.first_chunk_mut() {
            *place = version.octets();
        }
    }

    /// Gives flash and map back.
    pub fn into_parts(self) -> (F, M) {
        (self.store.flash, self.store.map)
    }

    /// Brings what the map holds back to its memory; call it when the supply fails.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    pub fn flush(&mut self) -> Result<(), FlashError> {
        self.store.map.flush(&mut self.store.flash)
    }

    fn is_open(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Whether this is the open session.
    #[inline(never)]
    fn is_current(&self, session: Session) -> bool {
        self.is_open() && self.store.session() == session
    }

    /// The open session's image is not one to take.
    #[inline(never)]
    fn fail(&mut self) -> Result<(), FlashError> {
        self.store.map.mark(&mut self.store.flash, Mark::Failed)?;
        self.phase = Phase::Failed;
        Ok(())
    }

    /// Moves on when nothing is missing any more.
    #[inline(never)]
    fn settle(&mut self) {
        if self.phase == Phase::Receiving && self.store.missing_meta == 0 && self.store.missing_data == 0 {
            self.phase = Phase::Complete;
        }
    }

    #[cfg(not(feature = "coded"))]
    const fn solving(&self) -> bool {
        false
    }

    #[cfg(not(feature = "coded"))]
    const fn rows(&self) -> u16 {
        0
    }

    #[cfg(not(feature = "coded"))]
    fn solve(&mut self, _: u64) -> Result<Work, FlashError> {
        Ok(Work::Idle)
    }
}
