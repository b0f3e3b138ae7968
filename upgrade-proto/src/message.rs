//! The messages, their kinds and layouts (table in the crate docs).

use crate::codec::{Reader, Writer};
use crate::error::{BufferTooSmall, MessageError, Refusal};
use crate::gaps::{GapReader, GapWriter};
use crate::package::Version;
use crate::session::{Plane, Session};

/// Octets before the fields of every message: kind, session id, image digest prefix.
pub const HEADER_LEN: u16 = 7;

/// Octets before the data of a block message: header and block number.
pub const BLOCK_HEADER_LEN: u16 = 9;

/// Most blocks in one XOR frame.
pub const XOR_MAX: usize = 32;

/// What a meter says about itself.
///
/// Layout: `maker 4 | model u32 | hardware u32 | version date u32, number u16 | module u16 | block_max u16 |
/// rows u16 | read_time u16 | phase u8`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// Maker's code.
    pub maker: [u8; 4],
    /// Model.
    pub model: u32,
    /// Hardware.
    pub hardware: u32,
    /// Version of the running program.
    pub version: Version,
    /// Module it is about.
    pub module: u16,
    /// Longest block it takes, in octets.
    pub block_max: u16,
    /// Most missing blocks of one generation its `coded` decoder has memory for; 0: none.
    pub rows: u16,
    /// Time its external flash takes to read 512 octets, in tens of microseconds; sets the pace of coded frames.
    pub read_time: u16,
    /// Where it stands with the transfer the query named, or with any.
    pub phase: Phase,
}

/// Where a meter stands with an image.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// No session.
    #[default]
    Idle,
    /// Making room; blocks are not taken yet.
    Erasing,
    /// Taking blocks.
    Receiving,
    /// Solving coded rows, or finding again what it has; blocks are taken.
    Working,
    /// Has every block.
    Complete,
    /// Checking the whole image.
    Verifying,
    /// The image is right.
    Verified,
    /// The image's check value is wrong.
    Failed,
    /// Told to activate.
    Armed,
    /// One this version has no name for.
    Other(u8),
}

impl Phase {
    /// The code, 0 to 15.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Phase::Idle => 0,
            Phase::Erasing => 1,
            Phase::Receiving => 2,
            Phase::Working => 3,
            Phase::Complete => 4,
            Phase::Verifying => 5,
            Phase::Verified => 6,
            Phase::Failed => 7,
            Phase::Armed => 8,
            Phase::Other(code) => code & 15,
        }
    }

    /// From the low four bits.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code & 15 {
            0 => Phase::Idle,
            1 => Phase::Erasing,
            2 => Phase::Receiving,
            3 => Phase::Working,
            4 => Phase::Complete,
            5 => Phase::Verifying,
            6 => Phase::Verified,
            7 => Phase::Failed,
            8 => Phase::Armed,
            code => Phase::Other(code),
        }
    }
}

/// Opens a session on a meter.
///
/// Layout: `size u32 | block u16 | manifest length u16 (bit 15: tagged) | CRC-32 u32 | manifest digest 16`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Initiate {
    /// Octets of the image.
    pub size: u32,
    /// Octets of a block.
    pub block: u16,
    /// Octets of the manifest, 0 when there is none; below 32,768.
    pub manifest: u16,
    /// The blocks have tags.
    pub tagged: bool,
    /// CRC-32 of the image.
    pub crc: u32,
    /// First 16 octets of the manifest's SHA-256; without manifest, of the image's.
    pub digest: [u8; 16],
}

/// What a status query wants to hear.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// First missing and count only.
    Count,
    /// The missing blocks in the shortest form.
    Missing,
    /// The whole bitmap, whatever it costs.
    Bitmap,
    /// Rows still lacking in each generation.
    Deficits,
}

/// A question about blocks: `form u8 | from u16 | limit u16`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Kind of answer.
    pub form: Form,
    /// First block it asks about; of [`Form::Deficits`] the number of generations, for a meter that has no rows yet.
    pub from: u16,
    /// Most octets of list or bitmap in the reply.
    pub limit: u16,
}

impl Ask {
    /// First missing and count.
    pub const COUNT: Ask = Ask { form: Form::Count, from: 0, limit: 0 };
}

/// Which blocks a meter lacks.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Report<'a> {
    /// Not said.
    Count,
    /// Rice-coded numbers from a block on ([`crate::gaps`]); all of them if their count says so.
    List {
        /// First block it is about.
        from: u16,
        /// The coded numbers.
        octets: &'a [u8],
    },
    /// One bit a block from a block on, the most significant bit first, 1 = missing; blocks past its end are not spoken of.
    Bitmap {
        /// First block it is about.
        from: u16,
        /// The bits.
        octets: &'a [u8],
    },
    /// Rows still lacking, a u16 for each generation; 65,535 when the generation cannot be solved.
    Deficits(&'a [u8]),
}

/// The block status word of a meter.
///
/// Layout: `phase and plane and form u8 (bits 0–3 phase, 4 meta plane, 5–6 form, 7 more) | first missing u16 | missing u16 | report`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// Where the meter stands.
    pub phase: Phase,
    /// The plane the numbers are of: meta until manifest and tags are complete.
    pub plane: Plane,
    /// First block it lacks; the block count when complete (DLMS IC 18, attribute 4).
    pub first_missing: u16,
    /// How many it lacks.
    pub missing: u16,
    /// The report goes on past its end.
    pub more: bool,
    /// Which.
    pub report: Report<'a>,
}

/// A coded frame's place: `generation u8 | generations u8 | seed u16 | density u8`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Generation, below `generations`; block `n` is of generation `n mod generations`.
    pub generation: u8,
    /// How many generations the image is cut into.
    pub generations: u8,
    /// Seed of the row's pattern.
    pub seed: u16,
    /// Share of blocks in the row, in 1/256.
    pub density: u8,
}

/// Block numbers of an XOR frame, rising, 1 to [`XOR_MAX`].
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Indices {
    at: [u16; XOR_MAX],
    len: u8,
}

impl Indices {
    /// None yet.
    #[must_use]
    pub const fn new() -> Self {
        Indices { at: [0; XOR_MAX], len: 0 }
    }

    /// Puts a number in its place; `false` when full or already there.
    pub fn insert(&mut self, index: u16) -> bool {
        let len = usize::from(self.len);
        let place = self.as_slice().iter().position(|&at| at >= index).unwrap_or(len);
        if len >= XOR_MAX || self.as_slice().get(place) == Some(&index) {
            return false;
        }
        self.len = self.len.wrapping_add(1);
        if let Some(tail) = self.at.get_mut(place..=len) {
            tail.rotate_right(1);
            if let Some(first) = tail.first_mut() {
                *first = index;
            }
        }
        true
    }

    /// The numbers, rising.
    #[must_use]
    pub fn as_slice(&self) -> &[u16] {
        self.at.get(..usize::from(self.len)).unwrap_or(&[])
    }

    /// Adds a number above all others; `false` when full.
    fn push(&mut self, index: u16) -> bool {
        let Some(place) = self.at.get_mut(usize::from(self.len)) else { return false };
        *place = index;
        self.len = self.len.wrapping_add(1);
        true
    }

    fn span(&self) -> u16 {
        match (self.as_slice().first(), self.as_slice().last()) {
            (Some(first), Some(last)) => last.wrapping_sub(*first).saturating_add(1),
            _ => 1,
        }
    }
}

impl Default for Indices {
    fn default() -> Self {
        Self::new()
    }
}

impl core::fmt::Debug for Indices {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// One thing said on the channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Who are you, and what do you run? (request phase, read-back)
    Query,
    /// The answer.
    Identity(Identity),
    /// You are member `member` of group `group`.
    Join {
        /// Group address.
        group: u16,
        /// Place in roll calls.
        member: u16,
    },
    /// Taken.
    Joined {
        /// Group address.
        group: u16,
        /// Place in roll calls.
        member: u16,
    },
    /// Open a session.
    Initiate(Initiate),
    /// A block.
    Block {
        /// Its plane.
        plane: Plane,
        /// Its number.
        index: u16,
        /// The meter shall acknowledge it with a short status (point-to-point only).
        acknowledge: bool,
        /// Its octets.
        data: &'a [u8],
    },
    /// The XOR of some blocks, short ones filled with zeros.
    Xor {
        /// Their plane.
        plane: Plane,
        /// Their numbers.
        indices: Indices,
        /// The octets.
        data: &'a [u8],
    },
    /// The XOR of a pseudo-random half or less of a generation of data blocks.
    Coded {
        /// Which.
        row: Row,
        /// The octets.
        data: &'a [u8],
    },
    /// What do you lack? To one meter.
    StatusQuery(Ask),
    /// What do you lack? To a group: member `first + i` answers if bit `i` is set (most significant bit first), in the slot that is the count
    /// of set bits before its own.
    RollCall {
        /// The question.
        ask: Ask,
        /// Time from the end of this frame to the first slot and from slot to slot, in milliseconds.
        slot: u16,
        /// Member of the first bit.
        first: u16,
        /// One bit a member.
        members: &'a [u8],
    },
    /// The answer to both.
    Status(Status<'a>),
    /// Check the whole image now.
    Verify,
    /// Install the verified image, whose digest prefix is in the header: `at u32` seconds of the meter's clock (0: now).
    Activate {
        /// When, in seconds since 2000-01-01 of the meter's clock; 0: now.
        at: u32,
    },
    /// Forget an activation that has not started.
    Cancel,
    /// No, and why.
    Refused(Refusal),
    /// Read the event log from the `from`-th newest entry.
    EventQuery {
        /// Entries to pass over.
        from: u8,
    },
    /// Log entries, newest first, 11 octets each ([`Event`]).
    Events(&'a [u8]),
}

/// One entry of the upgrade event log (paper 002 2.3): `kind u8 | time u32 | version 6`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// 1 initialised, 2 verified, 3 verification failed, 4 activated, 5 rolled back.
    pub kind: u8,
    /// Seconds since 2000-01-01 of the meter's clock.
    pub time: u32,
    /// The version it is about.
    pub version: Version,
}

impl Event {
    /// Octets of an entry.
    pub const LEN: usize = 11;

    /// Reads an entry.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Event> {
        let mut r = Reader(octets);
        Some(Event { kind: r.u8()?, time: r.u32()?, version: Version::read(&mut r)? })
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when `out` is shorter than [`Event::LEN`].
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let mut w = Writer::new(out);
        w.u8(self.kind)?;
        w.u32(self.time)?;
        self.version.write(&mut w)?;
        Ok(w.finish())
    }
}

mod kind {
    pub(super) const QUERY: u8 = 0x01;
    pub(super) const IDENTITY: u8 = 0x02;
    pub(super) const JOIN: u8 = 0x03;
    pub(super) const JOINED: u8 = 0x04;
    pub(super) const INITIATE: u8 = 0x05;
    pub(super) const BLOCK: u8 = 0x10;
    pub(super) const BLOCK_META: u8 = 0x11;
    pub(super) const BLOCK_ACK: u8 = 0x12;
    pub(super) const BLOCK_META_ACK: u8 = 0x13;
    pub(super) const XOR: u8 = 0x14;
    pub(super) const XOR_META: u8 = 0x15;
    pub(super) const CODED: u8 = 0x16;
    pub(super) const STATUS_QUERY: u8 = 0x20;
    pub(super) const ROLL_CALL: u8 = 0x21;
    pub(super) const STATUS: u8 = 0x22;
    pub(super) const VERIFY: u8 = 0x30;
    pub(super) const ACTIVATE: u8 = 0x31;
    pub(super) const CANCEL: u8 = 0x32;
    pub(super) const REFUSED: u8 = 0x33;
    pub(super) const EVENT_QUERY: u8 = 0x38;
    pub(super) const EVENTS: u8 = 0x39;
}

/// A message and the session it is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The session.
    pub session: Session,
    /// The message.
    pub message: Message<'a>,
}

impl<'a> Packet<'a> {
    /// Reads a message that fills `octets` exactly.
    ///
    /// # Errors
    /// [`MessageError`] when it is none.
    pub fn parse(octets: &'a [u8]) -> Result<Packet<'a>, MessageError> {
        Self::parse_some::<true>(octets)
    }

    /// With `REPLIES` false, without the messages only meters send: a meter's program need not hold their layouts.
    pub(crate) fn parse_some<const REPLIES: bool>(octets: &'a [u8]) -> Result<Packet<'a>, MessageError> {
        let mut r = Reader(octets);
        let Some((kind, id, image)) = header(&mut r) else { return Err(MessageError::Length) };
        let message = body::<REPLIES>(kind, &mut r)?.ok_or(MessageError::Length)?;
        if r.0.is_empty() {
            Ok(Packet { session: Session { id, image }, message })
        } else {
            Err(MessageError::Length)
        }
    }

    /// Writes the message.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when it does not fit.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let mut w = Writer::new(out);
        w.u8(self.message.kind())?;
        w.u16(self.session.id)?;
        w.u32(self.session.image)?;
        self.message.fields(&mut w)?;
        Ok(w.finish())
    }
}

fn header(r: &mut Reader<'_>) -> Option<(u8, u16, u32)> {
    Some((r.u8()?, r.u16()?, r.u32()?))
}

/// The fields after the header. `None`: too short.
fn body<'a, const REPLIES: bool>(kind: u8, r: &mut Reader<'a>) -> Result<Option<Message<'a>>, MessageError> {
    Ok(match kind {
        kind::QUERY => Some(Message::Query),
        kind::IDENTITY if REPLIES => identity(r).map(Message::Identity),
        kind::JOIN => pair(r).map(|(group, member)| Message::Join { group, member }),
        kind::JOINED if REPLIES => pair(r).map(|(group, member)| Message::Joined { group, member }),
        kind::INITIATE => initiate(r).map(Message::Initiate),
        kind::BLOCK..=kind::BLOCK_META_ACK => r.u16().map(|index| Message::Block {
            plane: plane(kind & 1 != 0),
            index,
            acknowledge: kind & 2 != 0,
            data: r.rest(),
        }),
        kind::XOR | kind::XOR_META => return xor(kind, r).map(Some),
        kind::CODED => match row(r) {
            Some(row) if row.generation >= row.generations => return Err(MessageError::Field),
            row => row.map(|row| Message::Coded { row, data: r.rest() }),
        },
        kind::STATUS_QUERY => ask(r).map(Message::StatusQuery),
        kind::ROLL_CALL => roll_call(r),
        kind::STATUS if REPLIES => status(r).map(Message::Status),
        kind::VERIFY => Some(Message::Verify),
        kind::ACTIVATE => r.u32().map(|at| Message::Activate { at }),
        kind::CANCEL => Some(Message::Cancel),
        kind::REFUSED if REPLIES => r.u8().map(|code| Message::Refused(Refusal::from_code(code))),
        kind::EVENT_QUERY => r.u8().map(|from| Message::EventQuery { from }),
        kind::EVENTS if REPLIES && r.0.len().is_multiple_of(Event::LEN) => Some(Message::Events(r.rest())),
        kind::EVENTS if REPLIES => None,
        kind => return Err(MessageError::Kind(kind)),
    })
}

const fn plane(meta: bool) -> Plane {
    if meta { Plane::Meta } else { Plane::Data }
}

fn pair(r: &mut Reader<'_>) -> Option<(u16, u16)> {
    Some((r.u16()?, r.u16()?))
}

fn identity(r: &mut Reader<'_>) -> Option<Identity> {
    Some(Identity {
        maker: r.array()?,
        model: r.u32()?,
        hardware: r.u32()?,
        version: Version::read(r)?,
        module: r.u16()?,
        block_max: r.u16()?,
        rows: r.u16()?,
        read_time: r.u16()?,
        phase: Phase::from_code(r.u8()?),
    })
}

fn initiate(r: &mut Reader<'_>) -> Option<Initiate> {
    let (size, block, manifest) = (r.u32()?, r.u16()?, r.u16()?);
    let (crc, digest) = (r.u32()?, r.array()?);
    Some(Initiate { size, block, manifest: manifest & 0x7FFF, tagged: manifest & 0x8000 != 0, crc, digest })
}

/// `count u8 | first u16 | gaps | data`: the gaps of the `count - 1` numbers after the first; none when count is 1.
fn xor<'a>(kind: u8, r: &mut Reader<'a>) -> Result<Message<'a>, MessageError> {
    let (Some(count), Some(first)) = (r.u8(), r.u16()) else { return Err(MessageError::Length) };
    if count == 0 || usize::from(count) > XOR_MAX {
        return Err(MessageError::Field);
    }
    let mut indices = Indices::new();
    indices.push(first);
    if count > 1 {
        let from = first.checked_add(1).ok_or(MessageError::Field)?;
        let mut gaps = GapReader::new(r.0, from);
        for _ in 1..count {
            indices.push(gaps.next().ok_or(MessageError::Field)?);
        }
        r.take(gaps.used()).ok_or(MessageError::Length)?;
    }
    Ok(Message::Xor { plane: plane(kind & 1 != 0), indices, data: r.rest() })
}

fn row(r: &mut Reader<'_>) -> Option<Row> {
    Some(Row { generation: r.u8()?, generations: r.u8()?, seed: r.u16()?, density: r.u8()? })
}

fn ask(r: &mut Reader<'_>) -> Option<Ask> {
    let form = match r.u8()? & 3 {
        0 => Form::Count,
        1 => Form::Missing,
        2 => Form::Bitmap,
        _ => Form::Deficits,
    };
    Some(Ask { form, from: r.u16()?, limit: r.u16()? })
}

fn roll_call<'a>(r: &mut Reader<'a>) -> Option<Message<'a>> {
    Some(Message::RollCall { ask: ask(r)?, slot: r.u16()?, first: r.u16()?, members: r.rest() })
}

fn status<'a>(r: &mut Reader<'a>) -> Option<Status<'a>> {
    let bits = r.u8()?;
    let (first_missing, missing) = pair(r)?;
    let report = match (bits >> 5) & 3 {
        0 => Report::Count,
        1 => Report::List { from: r.u16()?, octets: r.rest() },
        2 => Report::Bitmap { from: r.u16()?, octets: r.rest() },
        _ if r.0.len() & 1 == 0 => Report::Deficits(r.rest()),
        _ => return None,
    };
    Some(Status {
        phase: Phase::from_code(bits),
        plane: plane(bits & 0x10 != 0),
        first_missing,
        missing,
        more: bits & 0x80 != 0,
        report,
    })
}

impl Message<'_> {
    const fn kind(&self) -> u8 {
        match self {
            Message::Query => kind::QUERY,
            Message::Identity(_) => kind::IDENTITY,
            Message::Join { .. } => kind::JOIN,
            Message::Joined { .. } => kind::JOINED,
            Message::Initiate(_) => kind::INITIATE,
            Message::Block { plane, acknowledge, .. } => match (plane, acknowledge) {
                (Plane::Data, false) => kind::BLOCK,
                (Plane::Meta, false) => kind::BLOCK_META,
                (Plane::Data, true) => kind::BLOCK_ACK,
                (Plane::Meta, true) => kind::BLOCK_META_ACK,
            },
            Message::Xor { plane: Plane::Data, .. } => kind::XOR,
            Message::Xor { .. } => kind::XOR_META,
            Message::Coded { .. } => kind::CODED,
            Message::StatusQuery(_) => kind::STATUS_QUERY,
            Message::RollCall { .. } => kind::ROLL_CALL,
            Message::Status(_) => kind::STATUS,
            Message::Verify => kind::VERIFY,
            Message::Activate { .. } => kind::ACTIVATE,
            Message::Cancel => kind::CANCEL,
            Message::Refused(_) => kind::REFUSED,
            Message::EventQuery { .. } => kind::EVENT_QUERY,
            Message::Events(_) => kind::EVENTS,
        }
    }

    fn fields(&self, w: &mut Writer<'_>) -> Result<(), BufferTooSmall> {
        match self {
            Message::Query | Message::Verify | Message::Cancel => Ok(()),
            Message::Identity(identity) => identity_fields(w, identity),
            Message::Join { group, member } | Message::Joined { group, member } => {
                w.u16(*group)?;
                w.u16(*member)
            }
            Message::Initiate(initiate) => {
                w.u32(initiate.size)?;
                w.u16(initiate.block)?;
                w.u16((initiate.manifest & 0x7FFF) | (u16::from(initiate.tagged) << 15))?;
                w.u32(initiate.crc)?;
                w.put(&initiate.digest)
            }
            Message::Block { index, data, .. } => {
                w.u16(*index)?;
                w.put(data)
            }
            Message::Xor { indices, data, .. } => {
                xor_head(w, indices)?;
                w.put(data)
            }
            Message::Coded { row, data } => {
                row_head(w, row)?;
                w.put(data)
            }
            Message::StatusQuery(ask) => ask_fields(w, ask),
            Message::RollCall { ask, slot, first, members } => {
                ask_fields(w, ask)?;
                w.u16(*slot)?;
                w.u16(*first)?;
                w.put(members)
            }
            Message::Status(status) => status_fields(w, status),
            Message::Activate { at } => w.u32(*at),
            Message::Refused(refusal) => w.u8(refusal.code()),
            Message::EventQuery { from } => w.u8(*from),
            Message::Events(entries) => w.put(entries),
        }
    }
}

fn identity_fields(w: &mut Writer<'_>, identity: &Identity) -> Result<(), BufferTooSmall> {
    w.put(&identity.maker)?;
    w.u32(identity.model)?;
    w.u32(identity.hardware)?;
    identity.version.write(w)?;
    for field in [identity.module, identity.block_max, identity.rows, identity.read_time] {
        w.u16(field)?;
    }
    w.u8(identity.phase.code())
}

/// What a meter says; [`Message`] without the concentrator's part.
#[derive(Debug)]
pub(crate) enum Answer<'a> {
    Identity(Identity),
    Joined { group: u16, member: u16 },
    Refused(Refusal),
    Status(Status<'a>),
    Events(&'a [u8]),
}

/// Writes an answer; the octets are those of the [`Message`].
pub(crate) fn encode_answer<'b>(
    out: &'b mut [u8],
    session: Session,
    answer: &Answer<'_>,
) -> Result<&'b [u8], BufferTooSmall> {
    let mut w = Writer::new(out);
    w.u8(match answer {
        Answer::Identity(_) => kind::IDENTITY,
        Answer::Joined { .. } => kind::JOINED,
        Answer::Refused(_) => kind::REFUSED,
        Answer::Status(_) => kind::STATUS,
        Answer::Events(_) => kind::EVENTS,
    })?;
    w.u16(session.id)?;
    w.u32(session.image)?;
    match answer {
        Answer::Identity(identity) => identity_fields(&mut w, identity)?,
        Answer::Joined { group, member } => {
            w.u16(*group)?;
            w.u16(*member)?;
        }
        Answer::Refused(refusal) => w.u8(refusal.code())?,
        Answer::Status(status) => status_fields(&mut w, status)?,
        Answer::Events(entries) => w.put(entries)?,
    }
    Ok(w.finish())
}

fn ask_fields(w: &mut Writer<'_>, ask: &Ask) -> Result<(), BufferTooSmall> {
    w.u8(match ask.form {
        Form::Count => 0,
        Form::Missing => 1,
        Form::Bitmap => 2,
        Form::Deficits => 3,
    })?;
    w.u16(ask.from)?;
    w.u16(ask.limit)
}

fn status_fields(w: &mut Writer<'_>, status: &Status<'_>) -> Result<(), BufferTooSmall> {
    let form = match status.report {
        Report::Count => 0,
        Report::List { .. } => 1 << 5,
        Report::Bitmap { .. } => 2 << 5,
        Report::Deficits(_) => 3 << 5,
    };
    w.u8(status.phase.code()
        | (u8::from(status.plane == Plane::Meta) << 4)
        | form
        | (u8::from(status.more) << 7))?;
    w.u16(status.first_missing)?;
    w.u16(status.missing)?;
    match &status.report {
        Report::Count => Ok(()),
        Report::List { from, octets } | Report::Bitmap { from, octets } => {
            w.u16(*from)?;
            w.put(octets)
        }
        Report::Deficits(octets) => w.put(octets),
    }
}

fn xor_head(w: &mut Writer<'_>, indices: &Indices) -> Result<(), BufferTooSmall> {
    let numbers = indices.as_slice();
    w.u8(indices.len)?;
    let Some((&first, rest)) = numbers.split_first() else { return Err(BufferTooSmall) };
    w.u16(first)?;
    if !rest.is_empty() {
        let from = first.saturating_add(1);
        let mut gaps =
            GapWriter::new(w.spare(), from, indices.len.into(), indices.span()).ok_or(BufferTooSmall)?;
        if !rest.iter().all(|&number| gaps.push(number)) {
            return Err(BufferTooSmall);
        }
        let len = gaps.len();
        w.skip(len);
    }
    Ok(())
}

fn row_head(w: &mut Writer<'_>, row: &Row) -> Result<(), BufferTooSmall> {
    for field in [row.generation, row.generations] {
        w.u8(field)?;
    }
    w.u16(row.seed)?;
    w.u8(row.density)
}

/// Writes a block, XOR or coded message whose data `fill` puts in place, so that a sender needs no second block buffer.
///
/// # Errors
/// [`BufferTooSmall`] when it does not fit.
pub(crate) fn encode_in_place<'b>(
    out: &'b mut [u8],
    session: Session,
    head: &Head<'_>,
    len: usize,
    fill: impl FnOnce(&mut [u8]) -> Option<()>,
) -> Result<&'b [u8], BufferTooSmall> {
    let mut w = Writer::new(out);
    w.u8(head.kind())?;
    w.u16(session.id)?;
    w.u32(session.image)?;
    match head {
        Head::Block { index, .. } => w.u16(*index)?,
        Head::Xor { indices, .. } => xor_head(&mut w, indices)?,
        #[cfg(feature = "coded")]
        Head::Coded(row) => row_head(&mut w, row)?,
    }
    let room = w.spare().get_mut(..len).ok_or(BufferTooSmall)?;
    room.fill(0);
    fill(room).ok_or(BufferTooSmall)?;
    w.skip(len);
    Ok(w.finish())
}

/// A data-bearing message without its data.
#[derive(Debug)]
pub(crate) enum Head<'a> {
    Block {
        plane: Plane,
        index: u16,
        acknowledge: bool,
    },
    Xor {
        plane: Plane,
        indices: &'a Indices,
    },
    #[cfg(feature = "coded")]
    Coded(Row),
}

impl Head<'_> {
    fn kind(&self) -> u8 {
        match *self {
            Head::Block { plane, index, acknowledge } => {
                Message::Block { plane, index, acknowledge, data: &[] }.kind()
            }
            Head::Xor { plane: Plane::Data, .. } => kind::XOR,
            Head::Xor { .. } => kind::XOR_META,
            #[cfg(feature = "coded")]
            Head::Coded(_) => kind::CODED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    const SESSION: Session = Session { id: 0x1234, image: 0xDEAD_BEEF };

    fn same(message: Message<'_>) -> usize {
        let packet = Packet { session: SESSION, message };
        let mut buffer = [0u8; 700];
        let octets = packet.encode(&mut buffer).unwrap();
        assert_eq!(Packet::parse(octets).as_ref(), Ok(&packet));
        octets.len()
    }

    #[test]
    fn layouts_have_the_lengths_the_docs_give() {
        assert_eq!(same(Message::Query), 7);
        assert_eq!(same(Message::Identity(Identity { rows: 3, ..Identity::default() })), 7 + 27);
        assert_eq!(same(Message::Join { group: 1, member: 2 }), 11);
        assert_eq!(same(Message::Joined { group: 1, member: 2 }), 11);
        let initiate = Initiate { size: 9, block: 16, manifest: 112, tagged: true, crc: 5, digest: [3; 16] };
        assert_eq!(same(Message::Initiate(initiate)), 7 + 28);
        for plane in [Plane::Meta, Plane::Data] {
            for acknowledge in [false, true] {
                assert_eq!(same(Message::Block { plane, index: 77, acknowledge, data: &[1; 512] }), 521);
            }
        }
        let ask = Ask { form: Form::Missing, from: 3, limit: 250 };
        assert_eq!(same(Message::StatusQuery(ask)), 12);
        assert_eq!(same(Message::RollCall { ask, slot: 100, first: 0, members: &[0xFF; 8] }), 24);
        let status = Status {
            phase: Phase::Receiving,
            plane: Plane::Data,
            first_missing: 4,
            missing: 2000,
            more: false,
            report: Report::Bitmap { from: 0, octets: &[0; 250] },
        };
        assert_eq!(same(Message::Status(status)), 264);
        assert_eq!(same(Message::Status(Status { report: Report::Count, ..status })), 12);
        assert_eq!(same(Message::Refused(Refusal::Version)), 8);
        let row = Row { generation: 1, generations: 4, seed: 9, density: 25 };
        assert_eq!(same(Message::Coded { row, data: &[7; 512] }), 7 + 5 + 512);
        assert_eq!(same(Message::Activate { at: 0 }), 11);
        assert_eq!(same(Message::Events(&[0; 22])), 29);
    }

    #[test]
    fn block_header_leaves_room_in_the_papers_39_octets() {
        const { assert!(BLOCK_HEADER_LEN < 39) };
    }

    #[test]
    fn octet_for_octet() {
        let mut buffer = [0; 64];
        let block = Message::Block { plane: Plane::Data, index: 0x0102, acknowledge: false, data: &[0xAA] };
        let octets = Packet { session: SESSION, message: block }.encode(&mut buffer).unwrap();
        assert_eq!(octets, [0x10, 0x12, 0x34, 0xDE, 0xAD, 0xBE, 0xEF, 0x01, 0x02, 0xAA]);
    }

    #[test]
    fn unknown_kinds_and_wrong_lengths_are_errors() {
        assert_eq!(Packet::parse(&[0x99, 0, 0, 0, 0, 0, 0]), Err(MessageError::Kind(0x99)));
        assert_eq!(Packet::parse(&[0x01, 0, 0, 0, 0, 0]), Err(MessageError::Length));
        assert_eq!(Packet::parse(&[0x01, 0, 0, 0, 0, 0, 0, 0]), Err(MessageError::Length));
        assert_eq!(Packet::parse(&[0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(MessageError::Field));
        assert_eq!(Packet::parse(&[0x14, 0, 0, 0, 0, 0, 0, 33, 0, 0]), Err(MessageError::Field));
        assert_eq!(Packet::parse(&[0x16, 0, 0, 0, 0, 0, 0, 4, 4, 0, 0, 0]), Err(MessageError::Field));
    }

    proptest! {
        #[test]
        fn xor_frames_round_trip(numbers in prop::collection::btree_set(any::<u16>(), 1..=32), data in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut indices = Indices::new();
            for n in numbers.iter().rev() { prop_assert!(indices.insert(*n)); }
            prop_assert!(indices.as_slice().iter().eq(numbers.iter()));
            let packet = Packet { session: SESSION, message: Message::Xor { plane: Plane::Data, indices, data: &data } };
            let mut buffer = [0u8; 1400];
            // A set whose outliers would need a run of more than 1024 ones is refused, never written wrong.
            if let Ok(octets) = packet.encode(&mut buffer) {
                prop_assert_eq!(Packet::parse(octets), Ok(packet));
            }
        }

        #[test]
        fn any_octets_parse_or_not_and_what_parses_encodes_to_an_equal(octets in prop::collection::vec(any::<u8>(), 0..80), kind in 0u8..0x40) {
            let mut octets = octets;
            if let Some(first) = octets.first_mut() { *first = kind; }
            if let Ok(packet) = Packet::parse(&octets) {
                let mut buffer = [0u8; 2000];
                if let Ok(again) = packet.encode(&mut buffer) {
                    prop_assert_eq!(Packet::parse(again), Ok(packet));
                }
            }
        }
    }
}
