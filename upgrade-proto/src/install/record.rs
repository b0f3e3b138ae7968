//! What is remembered of an installation: one record of [`RECORD_LEN`] octets, written as a whole at each step, the event log in it.

use crate::codec::{Reader, Writer};
use crate::error::BufferTooSmall;
use crate::hash::crc32;
use crate::message::Event;
use crate::package::Version;
use crate::session::Session;

/// Octets of a record with sequence number and check value: four pages of an EEPROM with pages of 128 octets.
pub const RECORD_LEN: usize = 512;

/// Events a record keeps; an upgrade makes three.
pub const EVENTS: usize = 16;

const MAGIC: [u8; 4] = *b"UPS1";

/// Where an installation stands.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Nothing was ever installed.
    #[default]
    Idle,
    /// Room is being made for an image.
    Erasing,
    /// The manifest was accepted; blocks come in.
    Receiving,
    /// The whole image was checked.
    Verified,
    /// Told to install it, now or at a time.
    Armed,
    /// The running program is being copied to the external flash.
    Backup,
    /// The boot loader copies the image over the program.
    Installing,
    /// The new program runs and has not proved itself yet.
    Trial,
    /// The new program has proved itself.
    Confirmed,
    /// The boot loader copies the old program back.
    Rollback,
    /// The old program runs again.
    RolledBack,
    /// A state that this version has no name for; nothing is installed in it.
    Other(u8),
}

impl State {
    /// The state as the record has it.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            State::Idle => 0,
            State::Erasing => 1,
            State::Receiving => 2,
            State::Verified => 3,
            State::Armed => 4,
            State::Backup => 5,
            State::Installing => 6,
            State::Trial => 7,
            State::Confirmed => 8,
            State::Rollback => 9,
            State::RolledBack => 10,
            State::Other(code) => code,
        }
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => State::Idle,
            1 => State::Erasing,
            2 => State::Receiving,
            3 => State::Verified,
            4 => State::Armed,
            5 => State::Backup,
            6 => State::Installing,
            7 => State::Trial,
            8 => State::Confirmed,
            9 => State::Rollback,
            10 => State::RolledBack,
            code => State::Other(code),
        }
    }

    /// Image and backup are in use: a new session must not touch them.
    #[must_use]
    pub const fn is_committed(self) -> bool {
        matches!(self, State::Armed | State::Backup | State::Installing | State::Trial | State::Rollback)
    }
}

/// Why an installation went back, or did not go on.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It went on.
    #[default]
    None,
    /// More watchdog and fault resets in the trial than allowed.
    Faults,
    /// More starts in a row than allowed that did not live long enough, whatever ended them.
    Early,
    /// The new program's own check failed.
    SelfTest,
    /// The new program was not confirmed in time.
    Safety,
    /// The image in the external flash is not the one that was verified.
    Image,
    /// What was copied does not read back as it should, however often it is tried.
    Copy,
    /// The running program is not what the record says, so that no backup can be made of it.
    Program,
    /// Nobody started the installation before it expired.
    Expired,
    /// The key to the image is not there or is wrong.
    Key,
    /// A reason that this version has no name for.
    Other(u8),
}

impl Reason {
    const fn code(self) -> u8 {
        match self {
            Reason::None => 0,
            Reason::Faults => 1,
            Reason::Early => 2,
            Reason::SelfTest => 3,
            Reason::Safety => 4,
            Reason::Image => 5,
            Reason::Copy => 6,
            Reason::Program => 7,
            Reason::Expired => 8,
            Reason::Key => 9,
            Reason::Other(code) => code,
        }
    }

    const fn from_code(code: u8) -> Self {
        match code {
            0 => Reason::None,
            1 => Reason::Faults,
            2 => Reason::Early,
            3 => Reason::SelfTest,
            4 => Reason::Safety,
            5 => Reason::Image,
            6 => Reason::Copy,
            7 => Reason::Program,
            8 => Reason::Expired,
            9 => Reason::Key,
            code => Reason::Other(code),
        }
    }
}

/// A program: how long it is, which, and its check value. Size 0: there is none.
///
/// Layout: `size u32 | version 6 | SHA-256 32`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// Octets.
    pub size: u32,
    /// Version.
    pub version: Version,
    /// SHA-256 of the octets as they stand in the program flash.
    pub sha256: [u8; 32],
}

impl Program {
    fn read(r: &mut Reader<'_>) -> Option<Self> {
        Some(Program { size: r.u32()?, version: Version::read(r)?, sha256: r.array()? })
    }

    fn write(&self, w: &mut Writer<'_>) -> Result<(), BufferTooSmall> {
        w.u32(self.size)?;
        self.version.write(w)?;
        w.put(&self.sha256)
    }
}

/// How the image in the external flash is enciphered: `1 octet | nonce 12 | wrapped key 24`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Enciphered {
    /// First twelve octets of the counter block; the last four count from 0.
    pub nonce: [u8; 12],
    /// The image's key under this meter's (RFC 3394); zeros until it came.
    pub key: [u8; 24],
}

/// A public key: `algorithm u8 | octets 33` (Ed25519: 32 and a zero; P-256: compressed point). Algorithm 0: none.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// 1 Ed25519, 2 ECDSA P-256 with SHA-256.
    pub algorithm: u8,
    /// The key.
    pub octets: [u8; 33],
}

impl PublicKey {
    /// No key.
    pub const NONE: PublicKey = PublicKey { algorithm: 0, octets: [0; 33] };

    /// An Ed25519 key.
    #[must_use]
    pub const fn ed25519(key: &[u8; 32]) -> Self {
        let mut octets = [0; 33];
        if let Some((to, _)) = octets.split_first_chunk_mut::<32>() {
            *to = *key;
        }
        PublicKey { algorithm: 1, octets }
    }

    /// A P-256 key, as compressed point (SEC 1).
    #[must_use]
    pub const fn p256(point: &[u8; 33]) -> Self {
        PublicKey { algorithm: 2, octets: *point }
    }
}

impl Default for PublicKey {
    fn default() -> Self {
        Self::NONE
    }
}

/// The last [`EVENTS`] events, and how many there ever were (paper 002 2.3).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Log {
    total: u32,
    ring: [[u8; Event::LEN]; EVENTS],
}

impl Log {
    const fn new() -> Self {
        Log { total: 0, ring: [[0; Event::LEN]; EVENTS] }
    }

    /// Events there ever were.
    #[must_use]
    pub const fn total(&self) -> u32 {
        self.total
    }

    fn place(number: u32) -> usize {
        // EVENTS is 16: the remainder fits.
        usize::try_from(number & 15).unwrap_or(0)
    }

    pub(crate) fn push(&mut self, event: &Event) {
        if let Some(place) = self.ring.get_mut(Self::place(self.total)) {
            // Cannot fail: the place is as long as an event.
            let _ = event.encode(place);
            self.total = self.total.wrapping_add(1);
        }
    }

    /// The `back`-th newest event as it is sent, 0 the newest.
    #[must_use]
    pub fn octets(&self, back: u8) -> Option<&[u8; Event::LEN]> {
        let back = u32::from(back);
        if back >= self.total || usize::try_from(back).map_or(true, |back| back >= EVENTS) {
            return None;
        }
        self.ring.get(Self::place(self.total.wrapping_sub(back).wrapping_sub(1)))
    }

    /// The events, newest first.
    pub fn iter(&self) -> impl Iterator<Item = Event> {
        (0..).map_while(|back| self.octets(back)).filter_map(|octets| Event::parse(octets))
    }
}

/// The kinds of [`Event`]s.
pub mod event {
    /// A manifest was accepted.
    pub const INITIALISED: u8 = 1;
    /// The whole image was checked and is right.
    pub const VERIFIED: u8 = 2;
    /// The image or its manifest was checked and is wrong.
    pub const FAILED: u8 = 3;
    /// The new program was confirmed.
    pub const ACTIVATED: u8 = 4;
    /// The old program was put back, or never replaced.
    pub const ROLLED_BACK: u8 = 5;
}

/// All that is remembered.
///
/// Layout: `"UPS1" | sequence u32 | state u8 | reason u8 | faults u8 | copies u8 | early u16 | session 6 | at u32 | until u32 |
/// running 42 | backup 42 | upload 42 | sent SHA-256 32 | enciphered 37 | counter u32 | floor u32 | control u32 | key 34 | next key 34 |
/// retired u8 | events u32, 16 × 11 | … zeros | CRC-32 u32`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where the installation stands.
    pub state: State,
    /// Why it went back last.
    pub reason: Reason,
    /// Fault resets in this trial.
    pub faults: u8,
    /// Copies that did not compare.
    pub copies: u8,
    /// Starts in a row in this trial that did not live long enough.
    pub early: u16,
    /// The transfer that brought the image.
    pub session: Session,
    /// Not to be installed before, in seconds since 2000-01-01 of the meter's clock; 0: now.
    pub at: u32,
    /// Not to be installed from here on; 0: never too late.
    pub until: u32,
    /// What runs, as far as is known.
    pub running: Program,
    /// What to go back to.
    pub backup: Program,
    /// What the image becomes.
    pub upload: Program,
    /// SHA-256 of the image as sent.
    pub sent: [u8; 32],
    /// How it is enciphered, if it is.
    pub enciphered: Option<Enciphered>,
    /// Security counter of the image.
    pub counter: u32,
    /// Least security counter that is taken; raised with [`State::Confirmed`].
    pub floor: u32,
    /// Freshness number of the last authenticated command.
    pub control: u32,
    /// Second slot for the key that images are signed with.
    pub key: PublicKey,
    /// Key that the image brings, for the second slot.
    pub next_key: PublicKey,
    /// The built-in key is not taken any more: bit 0 now, bit 1 once the image is confirmed.
    pub retired: u8,
    /// The event log.
    pub events: Log,
}

impl Default for Record {
    fn default() -> Self {
        Record {
            state: State::Idle,
            reason: Reason::None,
            faults: 0,
            copies: 0,
            early: 0,
            session: Session::default(),
            at: 0,
            until: 0,
            running: Program::default(),
            backup: Program::default(),
            upload: Program::default(),
            sent: [0; 32],
            enciphered: None,
            counter: 0,
            floor: 0,
            control: 0,
            key: PublicKey::NONE,
            next_key: PublicKey::NONE,
            retired: 0,
            events: Log::new(),
        }
    }
}

impl Record {
    /// Logs an event about `version`.
    pub fn log(&mut self, kind: u8, time: u32, version: Version) {
        self.events.push(&Event { kind, time, version });
    }

    /// Writes the record.
    #[must_use]
    pub fn encode(&self, sequence: u32) -> [u8; RECORD_LEN] {
        let mut octets = [0u8; RECORD_LEN];
        if let Some((fields, tail)) = octets.split_last_chunk_mut::<4>() {
            // Cannot fail: the fields are shorter than a record.
            let _ = self.fields(sequence, &mut Writer::new(fields));
            *tail = crc32(fields).to_be_bytes();
        }
        octets
    }

    fn fields(&self, sequence: u32, w: &mut Writer<'_>) -> Result<(), BufferTooSmall> {
        w.put(&MAGIC)?;
        w.u32(sequence)?;
        w.put(&[self.state.code(), self.reason.code(), self.faults, self.copies])?;
        w.u16(self.early)?;
        w.u16(self.session.id)?;
        w.u32(self.session.image)?;
        w.u32(self.at)?;
        w.u32(self.until)?;
        for program in [&self.running, &self.backup, &self.upload] {
            program.write(w)?;
        }
        w.put(&self.sent)?;
        let enciphered = self.enciphered.unwrap_or_default();
        w.u8(u8::from(self.enciphered.is_some()))?;
        w.put(&enciphered.nonce)?;
        w.put(&enciphered.key)?;
        for number in [self.counter, self.floor, self.control] {
            w.u32(number)?;
        }
        for key in [&self.key, &self.next_key] {
            w.u8(key.algorithm)?;
            w.put(&key.octets)?;
        }
        w.u8(self.retired)?;
        w.u32(self.events.total)?;
        for event in &self.events.ring {
            w.put(event)?;
        }
        Ok(())
    }

    /// The record and its sequence number, if the check value is right.
    #[must_use]
    pub fn decode(octets: &[u8; RECORD_LEN]) -> Option<(Record, u32)> {
        let (fields, tail) = octets.split_last_chunk::<4>()?;
        let mut r = Reader(fields);
        if r.array::<4>()? != MAGIC || u32::from_be_bytes(*tail) != crc32(fields) {
            return None;
        }
        let sequence = r.u32()?;
        let mut record = Record {
            state: State::from_code(r.u8()?),
            reason: Reason::from_code(r.u8()?),
            faults: r.u8()?,
            copies: r.u8()?,
            early: r.u16()?,
            session: Session { id: r.u16()?, image: r.u32()? },
            at: r.u32()?,
            until: r.u32()?,
            ..Record::default()
        };
        record.running = Program::read(&mut r)?;
        record.backup = Program::read(&mut r)?;
        record.upload = Program::read(&mut r)?;
        record.sent = r.array()?;
        let is_enciphered = r.u8()? != 0;
        let enciphered = Enciphered { nonce: r.array()?, key: r.array()? };
        record.enciphered = is_enciphered.then_some(enciphered);
        record.counter = r.u32()?;
        record.floor = r.u32()?;
        record.control = r.u32()?;
        record.key = PublicKey { algorithm: r.u8()?, octets: r.array()? };
        record.next_key = PublicKey { algorithm: r.u8()?, octets: r.array()? };
        record.retired = r.u8()?;
        record.events.total = r.u32()?;
        for place in &mut record.events.ring {
            *place = r.array()?;
        }
        Some((record, sequence))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    fn sample() -> Record {
        let program = |n: u8| Program {
            size: u32::from(n) << 10,
            version: Version { date: 20_240_116, number: 3 },
            sha256: [n; 32],
        };
        let mut record = Record {
            state: State::Trial,
            reason: Reason::Faults,
            faults: 2,
            copies: 1,
            early: 700,
            session: Session { id: 7, image: 0xDEAD_BEEF },
            at: 9,
            until: 10,
            running: program(1),
            backup: program(2),
            upload: program(3),
            sent: [4; 32],
            enciphered: Some(Enciphered { nonce: [5; 12], key: [6; 24] }),
            counter: 11,
            floor: 12,
            control: 13,
            key: PublicKey::ed25519(&[7; 32]),
            next_key: PublicKey::p256(&[8; 33]),
            retired: 2,
            events: Log::new(),
        };
        for n in 0..20 {
            record.log(event::VERIFIED, n, Version::default());
        }
        record
    }

    #[test]
    fn record_round_trips_and_any_flipped_octet_voids_it() {
        let octets = sample().encode(99);
        assert_eq!(Record::decode(&octets), Some((sample(), 99)));
        for at in 0..octets.len() {
            let mut wrong = octets;
            wrong[at] ^= 0x11;
            assert_eq!(Record::decode(&wrong), None, "{at}");
        }
        // A place that was torn anywhere is none.
        for at in 0..octets.len() - 1 {
            let mut wrong = [0xFF; RECORD_LEN];
            wrong[..at].copy_from_slice(&octets[..at]);
            assert_eq!(Record::decode(&wrong), None, "{at}");
        }
    }

    #[test]
    fn fields_fit_the_record() {
        let mut buffer = [0u8; RECORD_LEN - 4];
        assert!(sample().fields(1, &mut Writer::new(&mut buffer)).is_ok());
    }

    #[test]
    fn log_keeps_the_newest() {
        let record = sample();
        let times: Vec<u32> = record.events.iter().map(|event| event.time).collect();
        assert_eq!(times, (4..20).rev().collect::<Vec<_>>());
        assert_eq!(record.events.total(), 20);
        assert_eq!(Record::default().events.iter().count(), 0);
    }
}
