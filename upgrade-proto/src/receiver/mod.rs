//! The meter's side: takes blocks from whoever sends them, answers questions, checks the image.

#[cfg(feature = "coded")]
mod coded;
mod status;
mod store;

use crate::bitmap::{BlockMap, Mark, Record};
use crate::error::Refusal;
use crate::flash::{self, FlashError, Span};
use crate::hash::{CRC_START, Hash256, crc_end, crc_step};
use crate::message::{Ask, Identity, Indices, Initiate, Message, Packet, Phase};
use crate::package::{Address, Manifest, Version};
use crate::session::{Geometry, Plane, Session};
use embedded_storage::nor_flash::NorFlash;
use store::{Open, Put, Store};

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

#[derive(Clone, Debug)]
enum Job<H> {
    None,
    Erase { at: u32 },
    Rebuild { unit: u16 },
    Check { at: u32, crc: u32, hash: H },
}

#[derive(Copy, Clone, Debug)]
enum Reply {
    Identity,
    Joined,
    Refused(Refusal),
    Status(Ask),
}

#[derive(Copy, Clone, Debug)]
struct Pending {
    at: u64,
    session: Session,
    reply: Reply,
}

/// A meter's side of a transfer; see the module docs for who calls what.
///
/// `F` is the external flash, `M` remembers the blocks, `H` is SHA-256, `B` the longest block, `R` memory for the `coded` decoder
/// (`[u8; 0]` without).
#[derive(Debug)]
pub struct Receiver<F, M, H, R, const B: usize> {
    store: Store<F, M>,
    config: Config,
    open: Option<Open>,
    job: Job<H>,
    phase: Phase,
    pending: Option<Pending>,
    group: Option<(u16, u16)>,
    #[cfg_attr(not(feature = "coded"), expect(dead_code, reason = "memory of the coded decoder"))]
    ram: R,
    #[cfg(feature = "coded")]
    coder: coded::Coder,
    buffer: [u8; B],
}

impl<F: NorFlash, M: BlockMap<F>, H: Hash256, R: AsMut<[u8]>, const B: usize> Receiver<F, M, H, R, B> {
    /// A receiver with no session; [`resume`](Self::resume) takes up the one in `map`.
    pub fn new(flash: F, map: M, ram: R, config: Config) -> Self {
        let layout = config.layout;
        Receiver {
            store: Store { flash, map, layout, forgot: false },
            config,
            open: None,
            job: Job::None,
            phase: Phase::Idle,
            pending: None,
            group: None,
            ram,
            #[cfg(feature = "coded")]
            coder: coded::Coder::new(),
            buffer: [0; B],
        }
    }

    /// Takes up the session remembered, after a reset.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails.
    pub fn resume(&mut self) -> Result<(), FlashError> {
        let done = self.take_up();
        if done.is_err() {
            // Half taken up is not taken up.
            self.open = None;
            self.phase = Phase::Idle;
            self.job = Job::None;
        }
        done
    }

    fn take_up(&mut self) -> Result<(), FlashError> {
        self.open = None;
        self.job = Job::None;
        self.phase = Phase::Idle;
        self.pending = None;
        self.group = None;
        let Some(record) = self.store.map.load(&mut self.store.flash)? else { return Ok(()) };
        let Ok(geometry) = self.fits(&record.initiate) else { return Ok(()) };
        if geometry.units() != record.units {
            return Ok(());
        }
        let open = self.open.insert(Open { record, geometry, root: None, missing_meta: 0, missing_data: 0 });
        self.store.clear_pending(open)?;
        self.store.count(open)?;
        if self.store.manifest_here(open)? {
            // A cut may have come between its last block and its check.
            if self.store.manifest_genuine::<H>(open)? {
                open.root = self.store.read_manifest(open)?.map(|manifest| manifest.tag_root);
            } else {
                self.store.forget_manifest(open)?;
            }
        }
        let vouched = open.root.is_some() || geometry.manifest() == 0;
        let mut marked = |mark| self.store.map.marked(&mut self.store.flash, mark);
        (self.phase, self.job) = if !marked(Mark::Erased)? {
            (Phase::Erasing, Job::Erase { at: 0 })
        } else if marked(Mark::Failed)? {
            (Phase::Failed, Job::None)
        } else if marked(Mark::Verified)? {
            (if vouched { Phase::Verified } else { Phase::Failed }, Job::None)
        } else if M::LAGS && geometry.tagged() {
            (Phase::Receiving, Job::Rebuild { unit: 0 })
        } else {
            (Phase::Receiving, Job::None)
        };
        #[cfg(feature = "coded")]
        self.coder.reset();
        self.settle();
        Ok(())
    }

    /// Where the meter stands.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.phase {
            Phase::Receiving if self.solving() => Phase::Working,
            Phase::Receiving if !matches!(self.job, Job::None) => Phase::Working,
            phase => phase,
        }
    }

    /// The session that is open.
    #[must_use]
    pub fn session(&self) -> Option<Session> {
        self.open.as_ref().map(|open| open.record.session)
    }

    /// How the open session's image is cut.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry> {
        self.open.as_ref().map(|open| open.geometry)
    }

    /// Blocks missing of a plane; 0 without session.
    #[must_use]
    pub fn missing(&self, plane: Plane) -> u16 {
        self.open.as_ref().map_or(0, |open| open.missing(plane))
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
        match &self.open {
            Some(open) if open.root.is_some() => self.store.read_manifest(open),
            _ => Ok(None),
        }
    }

    /// The meter's address.
    pub(crate) const fn address(&self) -> Address {
        self.config.address
    }

    /// Says whether the verified image waits for its installation.
    pub(crate) const fn set_armed(&mut self, armed: bool) {
        self.phase = match (self.phase, armed) {
            (Phase::Verified, true) => Phase::Armed,
            (Phase::Armed, false) => Phase::Verified,
            (phase, _) => phase,
        };
    }

    /// Gives the open session up: its manifest is not one to take.
    pub(crate) fn reject(&mut self) -> Result<(), FlashError> {
        self.fail()
    }

    /// Answers a command that was not passed on.
    pub(crate) fn refuse(&mut self, session: Session, refusal: Refusal, now: u64) {
        self.answer(session, Reply::Refused(refusal), now);
    }

    /// Answers with where the session stands.
    pub(crate) fn answer_status(&mut self, session: Session, ask: Ask, now: u64) {
        self.answer(session, Reply::Status(ask), now);
    }

    /// The program that runs now, after an installation: what the read-back answers.
    pub fn set_version(&mut self, version: Version) {
        self.config.identity.version = version;
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

    /// Takes a message in.
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails; the block is not marked as there.
    pub fn handle_message(&mut self, octets: &[u8], to: Addressed, now: u64) -> Result<Outcome, FlashError> {
        let Ok(packet) = Packet::parse_some::<false>(octets) else { return Ok(Outcome::Ignored) };
        match packet.message {
            Message::Block { plane, index, acknowledge, data } => {
                let outcome = self.block(packet.session, plane, index, data)?;
                if acknowledge && to == Addressed::Me && outcome != Outcome::Ignored {
                    self.answer(packet.session, Reply::Status(Ask::COUNT), now);
                }
                Ok(outcome)
            }
            Message::Xor { plane, ref indices, data } => self.xor(packet.session, plane, indices, data),
            #[cfg(feature = "coded")]
            Message::Coded { ref row, data } => self.coded(packet.session, row, data, now),
            ref message => match to {
                Addressed::Other => Ok(Outcome::Ignored),
                to => self.control(packet.session, message, to, now),
            },
        }
    }

    #[inline(never)]
    fn answer(&mut self, session: Session, reply: Reply, at: u64) {
        self.pending = Some(Pending { at, session, reply });
    }

    fn control(
        &mut self,
        session: Session,
        message: &Message<'_>,
        to: Addressed,
        now: u64,
    ) -> Result<Outcome, FlashError> {
        let mine = to == Addressed::Me;
        let current = self.session() == Some(session);
        let reply = match *message {
            Message::Query => Reply::Identity,
            Message::Join { group, member } if mine => {
                self.group = Some((group, member));
                Reply::Joined
            }
            Message::Initiate(ref initiate) => match self.initiate(session, initiate, to)? {
                Ok(()) => Reply::Status(Ask::COUNT),
                Err(refusal) => Reply::Refused(refusal),
            },
            // A meter that lost its session must say so, or it would be taken for a silent one.
            Message::StatusQuery(_) if mine && !current => Reply::Refused(Refusal::State),
            Message::StatusQuery(ask) if mine => Reply::Status(ask),
            Message::RollCall { ask, slot, first, members } if current => {
                let Some(place) = self.place(to, first, members) else { return Ok(Outcome::Ignored) };
                let wait = u64::from(slot).saturating_mul(u64::from(place).saturating_add(1));
                self.answer(session, Reply::Status(ask), now.saturating_add(wait));
                return Ok(Outcome::Taken);
            }
            Message::Verify if current => {
                self.verify();
                Reply::Status(Ask::COUNT)
            }
            Message::Verify | Message::Activate { .. } | Message::Cancel if mine && !current => {
                Reply::Refused(Refusal::State)
            }
            Message::Activate { at } if current => {
                let refusal = match self.phase {
                    Phase::Verified | Phase::Armed => {
                        self.phase = Phase::Armed;
                        if mine {
                            self.answer(session, Reply::Status(Ask::COUNT), now);
                        }
                        return Ok(Outcome::Activate { at });
                    }
                    Phase::Failed => Refusal::Verify,
                    _ => Refusal::Incomplete,
                };
                Reply::Refused(refusal)
            }
            Message::Cancel if current => {
                if self.phase == Phase::Armed {
                    self.phase = Phase::Verified;
                }
                if mine {
                    self.answer(session, Reply::Status(Ask::COUNT), now);
                }
                return Ok(Outcome::Cancel);
            }
            _ => return Ok(Outcome::Ignored),
        };
        // Only a question to one meter is answered at once: sixty answers at a time are none.
        if mine {
            self.answer(session, reply, now);
        }
        Ok(Outcome::Taken)
    }

    /// This member's slot in a roll call, if it is called.
    fn place(&self, to: Addressed, first: u16, members: &[u8]) -> Option<u16> {
        let (group, member) = self.group?;
        if to != Addressed::Group(group) {
            return None;
        }
        let bit = member.checked_sub(first)?;
        let (before, rest) = members.split_at_checked(usize::from(bit >> 3))?;
        let octet = *rest.first()?;
        let mask = 0x80u8 >> (bit & 7);
        if octet & mask == 0 {
            return None;
        }
        let above = (octet & !(mask | mask.wrapping_sub(1))).count_ones();
        let ones = before.iter().fold(above, |sum, octet| sum.saturating_add(octet.count_ones()));
        u16::try_from(ones).ok()
    }

    /// Whether this meter has room for such an image.
    fn fits(&self, initiate: &Initiate) -> Result<Geometry, Refusal> {
        let Ok(geometry) = Geometry::new(initiate.size, initiate.block, initiate.manifest, initiate.tagged)
        else {
            return Err(Refusal::Geometry);
        };
        let unit = u16::try_from(F::WRITE_SIZE).map_err(|_| Refusal::Memory)?;
        let room = |plane: Plane, span: Span| geometry.offset(geometry.count(plane)) <= span.len;
        if usize::from(geometry.block()) > B
            || F::WRITE_SIZE > flash::CHUNK
            || F::READ_SIZE > flash::CHUNK
            || geometry.block().checked_rem(unit) != Some(0)
            || !room(Plane::Data, self.config.layout.image)
            || !room(Plane::Meta, self.config.layout.meta)
        {
            return Err(Refusal::Memory);
        }
        if !geometry.tagged() && !self.config.untagged {
            return Err(Refusal::Manifest);
        }
        Ok(geometry)
    }

    fn initiate(
        &mut self,
        session: Session,
        initiate: &Initiate,
        to: Addressed,
    ) -> Result<Result<(), Refusal>, FlashError> {
        let geometry = match self.fits(initiate) {
            Ok(geometry) => geometry,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let record = Record { session, initiate: *initiate, units: geometry.units() };
        if let Some(open) = &self.open {
            // The same once more opens nothing: progress stays (IC 18's re-initiate loses it).
            if open.record == record && self.phase != Phase::Failed {
                return Ok(Ok(()));
            }
            // A group frame never throws away what another session has brought.
            let started = open.missing_data < open.geometry.count(Plane::Data);
            if to != Addressed::Me && started && self.phase != Phase::Failed {
                return Ok(Err(Refusal::State));
            }
        }
        // Until the new record stands, the old session is what a cut comes back to.
        self.store.map.begin(&mut self.store.flash, &record)?;
        self.open = Some(Open {
            record,
            geometry,
            root: None,
            missing_meta: geometry.count(Plane::Meta),
            missing_data: geometry.count(Plane::Data),
        });
        self.phase = Phase::Erasing;
        self.job = Job::Erase { at: 0 };
        #[cfg(feature = "coded")]
        self.coder.reset();
        Ok(Ok(()))
    }

    /// Whether blocks of this session are taken.
    fn receiving(&self, session: Session) -> bool {
        self.phase == Phase::Receiving && self.session() == Some(session)
    }

    fn block(
        &mut self,
        session: Session,
        plane: Plane,
        index: u16,
        data: &[u8],
    ) -> Result<Outcome, FlashError> {
        let Some(open) = self.open.as_mut().filter(|open| open.record.session == session) else {
            return Ok(Outcome::Ignored);
        };
        if self.phase != Phase::Receiving {
            // An acknowledged block that comes late still deserves its answer.
            return Ok(Outcome::Duplicate);
        }
        let put = Self::take(&mut self.store, open, plane, index, data);
        self.finish(plane, index, put)
    }

    fn finish(
        &mut self,
        plane: Plane,
        index: u16,
        put: Result<Put, FlashError>,
    ) -> Result<Outcome, FlashError> {
        #[cfg(feature = "coded")]
        self.check_forgotten();
        match put? {
            Put::Had => Ok(Outcome::Duplicate),
            Put::Refused => Ok(Outcome::Unusable),
            Put::Stored => {
                if plane == Plane::Meta && self.open.as_ref().is_some_and(|open| open.root.is_none()) {
                    self.try_manifest()?;
                }
                #[cfg(feature = "coded")]
                if plane == Plane::Data {
                    self.known_column(index);
                }
                self.settle();
                Ok(Outcome::Stored { plane, index })
            }
        }
    }

    /// Checks and stores one block.
    fn take(
        store: &mut Store<F, M>,
        open: &mut Open,
        plane: Plane,
        index: u16,
        data: &[u8],
    ) -> Result<Put, FlashError> {
        let geometry = open.geometry;
        if index >= geometry.count(plane) || data.len() != usize::from(geometry.block_len(plane, index)) {
            return Ok(Put::Refused);
        }
        if store.has(open, plane, index)? {
            return Ok(Put::Had);
        }
        if plane == Plane::Meta && index < geometry.manifest_blocks() {
            // A manifest of one block is checked before it is programmed; a longer one when its last block is there.
            let digest = &open.record.initiate.digest;
            if geometry.manifest_blocks() == 1 && H::of(data).first_chunk() != Some(digest) {
                return Ok(Put::Refused);
            }
        } else if !store.genuine::<H>(open, plane, index, data)? {
            return Ok(Put::Refused);
        }
        store.put(open, plane, index, data)
    }

    fn xor(
        &mut self,
        session: Session,
        plane: Plane,
        indices: &Indices,
        data: &[u8],
    ) -> Result<Outcome, FlashError> {
        if !self.receiving(session) {
            return Ok(Outcome::Ignored);
        }
        let Some(open) = &mut self.open else { return Ok(Outcome::Ignored) };
        if data.len() != usize::from(open.geometry.block()) {
            return Ok(Outcome::Unusable);
        }
        let mut wanted = None;
        for &index in indices.as_slice() {
            if index >= open.geometry.count(plane) {
                return Ok(Outcome::Unusable);
            }
            if !self.store.has(open, plane, index)? {
                if wanted.is_some() {
                    return Ok(Outcome::Unusable);
                }
                wanted = Some(index);
            }
        }
        let Some(wanted) = wanted else { return Ok(Outcome::Duplicate) };
        let Some(sum) = self.buffer.get_mut(..data.len()) else { return Ok(Outcome::Unusable) };
        sum.copy_from_slice(data);
        for &index in indices.as_slice().iter().filter(|&&index| index != wanted) {
            self.store.xor_into(open, plane, index, sum)?;
        }
        let (block, padding) =
            sum.split_at_checked(open.geometry.block_len(plane, wanted).into()).ok_or(FlashError)?;
        let put = if padding.iter().all(|&octet| octet == 0) {
            Self::take(&mut self.store, open, plane, wanted, block)
        } else {
            Ok(Put::Refused)
        };
        self.finish(plane, wanted, put)
    }

    /// Once the last block of the manifest is there: is it the one that was announced, and for this meter?
    fn try_manifest(&mut self) -> Result<(), FlashError> {
        let identity = self.identity();
        let Some(open) = &mut self.open else { return Ok(()) };
        if !self.store.manifest_here(open)? {
            return Ok(());
        }
        if !self.store.manifest_genuine::<H>(open)? {
            return self.store.forget_manifest(open);
        }
        let initiate = &open.record.initiate;
        let manifest = self.store.read_manifest(open)?;
        let same = manifest.as_ref().filter(|manifest| {
            manifest.size == initiate.size
                && manifest.block == initiate.block
                && manifest.tagged == initiate.tagged
                && manifest.crc == initiate.crc
                && manifest.applies_to(&identity, self.config.address).is_ok()
        });
        match same {
            Some(manifest) => {
                open.root = Some(manifest.tag_root);
                // All else can be found again in the flash once the manifest is known to be there.
                self.store.map.flush(&mut self.store.flash)
            }
            None => self.fail(),
        }
    }

    fn fail(&mut self) -> Result<(), FlashError> {
        self.job = Job::None;
        self.store.map.mark(&mut self.store.flash, Mark::Failed)?;
        self.phase = Phase::Failed;
        Ok(())
    }

    /// Moves on when nothing is missing any more.
    #[inline(never)]
    fn settle(&mut self) {
        if let Some(open) = &self.open
            && self.phase == Phase::Receiving
            && open.missing_meta == 0
            && open.missing_data == 0
        {
            self.phase = Phase::Complete;
            self.job = Job::None;
        }
    }

    fn verify(&mut self) {
        if self.phase == Phase::Complete {
            self.phase = Phase::Verifying;
            self.job = Job::Check { at: 0, crc: CRC_START, hash: H::start() };
        }
    }

    #[inline(never)]
    pub(crate) fn identity(&mut self) -> Identity {
        let block_max = u16::try_from(B).unwrap_or(u16::MAX);
        Identity { phase: self.phase(), block_max, rows: self.rows(), ..self.config.identity }
    }

    /// Does one bounded piece of the work that no frame waits for: erasing one sector, finding one block again, checking one
    /// block's octets of the image, solving one row. Call it between the application's other duties while it says [`Work::More`].
    ///
    /// # Errors
    /// [`FlashError`] when the memory fails; the step is tried again with the next call.
    pub fn work(&mut self, now: u64) -> Result<Work, FlashError> {
        let Some(mut open) = self.open else { return Ok(Work::Idle) };
        match core::mem::replace(&mut self.job, Job::None) {
            Job::None => return self.solve(now),
            Job::Erase { at } => match self.erase_step(&open, at) {
                Ok(Some(next)) => self.job = Job::Erase { at: next },
                Ok(None) => {
                    self.store.map.mark(&mut self.store.flash, Mark::Erased)?;
                    self.phase = Phase::Receiving;
                }
                Err(error) => {
                    self.job = Job::Erase { at };
                    return Err(error);
                }
            },
            Job::Rebuild { unit } => {
                if M::LAGS {
                    self.rebuild_step(&mut open, unit)?;
                }
                self.open = Some(open);
                let next = unit.wrapping_add(1);
                if next < open.geometry.units() && self.phase == Phase::Receiving {
                    self.job = Job::Rebuild { unit: next };
                } else {
                    self.store.map.flush(&mut self.store.flash)?;
                }
                self.settle();
            }
            Job::Check { at, mut crc, mut hash } => {
                let left = open.geometry.size().saturating_sub(at);
                let len = left.min(open.geometry.block().into());
                let from = self.config.layout.image.start.wrapping_add(at);
                flash::scan(&mut self.store.flash, from, len, &mut |part| {
                    crc = crc_step(crc, part);
                    hash.feed(part);
                    true
                })?;
                if len == left {
                    self.verdict(&open, crc_end(crc), &hash.done())?;
                } else {
                    self.job = Job::Check { at: at.saturating_add(len), crc, hash };
                }
            }
        }
        Ok(Work::More)
    }

    fn erase_step(&mut self, open: &Open, at: u32) -> Result<Option<u32>, FlashError> {
        let sector = u32::try_from(F::ERASE_SIZE).map_err(|_| FlashError)?;
        let image = open.geometry.size().div_ceil(sector).saturating_mul(sector);
        let meta =
            open.geometry.offset(open.geometry.count(Plane::Meta)).div_ceil(sector).saturating_mul(sector);
        let address = if at < image {
            self.config.layout.image.start.wrapping_add(at)
        } else if at.wrapping_sub(image) < meta {
            self.config.layout.meta.start.wrapping_add(at.wrapping_sub(image))
        } else {
            return Ok(None);
        };
        flash::erase_sector(&mut self.store.flash, address, !M::REWRITES)?;
        Ok(Some(at.saturating_add(sector)))
    }

    /// Looks whether a block the map lost is in the flash all the same; its digest says so.
    fn rebuild_step(&mut self, open: &mut Open, unit: u16) -> Result<(), FlashError> {
        let meta = open.geometry.count(Plane::Meta);
        let (plane, index) = match unit.checked_sub(meta) {
            Some(index) => (Plane::Data, index),
            None => (Plane::Meta, unit),
        };
        if self.store.has_unit(unit)? || (plane == Plane::Meta && index < open.geometry.manifest_blocks()) {
            return Ok(());
        }
        let at = self.store.address(open, plane, index);
        let len = open.geometry.block_len(plane, index);
        if flash::is_blank(&mut self.store.flash, at, u32::from(len).min(16))? {
            return Ok(());
        }
        let Some(block) = self.buffer.get_mut(..usize::from(len)) else { return Ok(()) };
        flash::read(&mut self.store.flash, at, block)?;
        if self.store.genuine::<H>(open, plane, index, block)? {
            self.store.put(open, plane, index, block)?;
        }
        Ok(())
    }

    fn verdict(&mut self, open: &Open, crc: u32, hash: &[u8; 32]) -> Result<(), FlashError> {
        let mut right = crc == open.record.initiate.crc;
        if open.geometry.manifest() > 0 {
            right &= self.store.read_manifest(open)?.is_some_and(|manifest| manifest.sha256 == *hash);
        }
        // Said only once it is remembered; if that fails, it is checked again when the concentrator asks again.
        self.phase = Phase::Complete;
        if right {
            self.store.map.mark(&mut self.store.flash, Mark::Verified)?;
            self.phase = Phase::Verified;
            Ok(())
        } else {
            self.fail()
        }
    }

    /// When [`poll_transmit`](Self::poll_transmit) has something to send.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.pending.map(|pending| pending.at)
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
