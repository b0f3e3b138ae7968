//! The master's session: one request at a time, its follow-up frames, retries and time-outs.
//!
//! No clock and no port inside: octets to send come from [`Master::poll_transmit`], frames go to
//! [`Master::handle_frame`], and the time is the caller's monotonic milliseconds, which may wrap.

use core::fmt;

use crate::address::Address;
use crate::control::{Control, Service, Version};
use crate::frame::Frame;
use crate::identifier::Identifier;
use crate::service::{BuildError, Query, Reply, Request};

/// How a master behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MasterConfig {
    /// Edition that the meter speaks.
    pub version: Version,
    /// Wake-up octets before a request.
    pub wake_up: u8,
    /// Milliseconds from handing out a request to giving it up, its own time on the line included. A meter answers
    /// within 500 ms; gateways and radio modules need seconds.
    pub reply_timeout: u32,
    /// Repetitions after the first try.
    pub retries: u8,
    /// Frames of one answer at most; a meter whose D5 never clears is cut off here.
    pub max_frames: u8,
    /// Whose replies are taken.
    pub addresses: AddressPolicy,
}

impl MasterConfig {
    /// Four wake-up octets, 1.5 s, two repetitions, 64 frames, lenient addresses.
    #[must_use]
    pub const fn new(version: Version) -> Self {
        let addresses = AddressPolicy::Lenient;
        Self { version, wake_up: 4, reply_timeout: 1_500, retries: 2, max_frames: 64, addresses }
    }
}

/// Whose replies are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Of the meters that the asked address selects, AAH fill of 1997 counting as 00.
    Exact,
    /// Also a reply that echoes a wildcard address, and any reply to a read that was sent to 99…: some meters do so.
    Lenient,
}

/// What a frame or the passing of time led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MasterEvent<'f> {
    /// A reply to the request.
    ///
    /// The data of an answer in several frames are one run of octets, which a frame may cut anywhere: put the data of
    /// all its parts together before [`items`](crate::items()) reads them. The items of a later part alone would be
    /// given the identifiers of the first members of the block again.
    Reply {
        /// Who answered.
        address: Address,
        /// What.
        reply: Reply<'f>,
        /// Number of this frame in the answer, from 0.
        part: u8,
        /// Whether the answer goes on.
        end: End,
    },
    /// The request failed; the next of a row of reads is under way.
    Failed {
        /// What was read, if the request names an identifier.
        identifier: Option<Identifier>,
        /// Why.
        failure: Failure,
    },
    /// A frame that is not for this request.
    Ignored(Ignored),
}

/// Whether an answer goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The master asks for more by itself.
    More,
    /// That was all.
    Whole,
    /// The meter has more, but [`MasterConfig::max_frames`] is reached or its numbers run out.
    Cut,
}

/// Why a request failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// No reply, all repetitions done.
    Timeout,
}

/// Why a frame is not for the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ignored {
    /// The own request, heard on a half-duplex line.
    Echo,
    /// Another master's request, another meter's reply, or a reply to something else.
    Foreign,
    /// A follow-up frame that has already come, or is out of turn.
    Duplicate,
    /// A reply whose data do not fit its service.
    Malformed,
    /// Nothing has been asked.
    Idle,
}

/// The session is at work on another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartError {
    /// A request is under way.
    Busy,
    /// The request cannot be written.
    Build(BuildError),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("a request is under way"),
            Self::Build(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for StartError {}

/// Milliseconds that a frame of 267 octets and its wake-up octets take at 300 bit/s.
const LONGEST_REPLY: u32 = 10_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    /// The frame in the storage is to be handed out.
    Send,
    /// Waiting for a reply until then.
    Wait(u32),
}

/// A session. `B` holds the request for repetitions and for knowing its echo: 267 octets and the wake-up octets hold
/// any request, 40 hold a read.
#[derive(Debug, Clone)]
pub struct Master<'i, B> {
    config: MasterConfig,
    storage: B,
    len: u16,
    state: State,
    tries: u8,
    address: Address,
    /// Where the reply to "write address" comes from.
    new_address: Option<Address>,
    control: Control,
    identifier: Option<Identifier>,
    query: Query,
    part: u8,
    /// Time-out that no activity puts off any further.
    limit: u32,
    /// What is still to be read.
    queue: &'i [Identifier],
}

impl<'i, B: AsRef<[u8]> + AsMut<[u8]>> Master<'i, B> {
    /// An idle session.
    #[must_use]
    pub const fn new(config: MasterConfig, storage: B) -> Self {
        Self {
            config,
            storage,
            len: 0,
            state: State::Idle,
            tries: 0,
            address: Address::WILDCARD,
            new_address: None,
            control: Control::from_octet(0),
            identifier: None,
            query: Query::All,
            part: 0,
            limit: 0,
            queue: &[],
        }
    }

    /// Its settings, to be changed between requests.
    pub const fn config_mut(&mut self) -> &mut MasterConfig {
        &mut self.config
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// Sends `request` to `address`.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn start(&mut self, address: Address, request: &Request<'_>) -> Result<(), StartError> {
        if !self.is_idle() {
            return Err(StartError::Busy);
        }
        self.address = address;
        self.queue = &[];
        self.begin(request).map_err(StartError::Build)
    }

    /// Reads `identifiers` from `address`, one after another, each with its follow-up frames; one that fails does not
    /// stop the others.
    ///
    /// # Errors
    /// [`StartError`]; one identifier of the other edition is enough.
    pub fn read(&mut self, address: Address, identifiers: &'i [Identifier]) -> Result<(), StartError> {
        if !self.is_idle() {
            return Err(StartError::Busy);
        }
        if identifiers.iter().any(|identifier| identifier.version() != self.config.version) {
            return Err(StartError::Build(BuildError::Version));
        }
        self.address = address;
        self.queue = identifiers;
        self.next().map_err(StartError::Build)?;
        Ok(())
    }

    /// Gives up what is under way, without an event.
    pub fn cancel(&mut self) {
        self.state = State::Idle;
        self.queue = &[];
    }

    fn begin(&mut self, request: &Request<'_>) -> Result<(), BuildError> {
        let MasterConfig { version, wake_up, .. } = self.config;
        let control = request.control(version)?;
        let octets = request.encode_unlimited(version, self.address, wake_up, self.storage.as_mut())?;
        self.len = u16::try_from(octets.len()).map_err(|_| BuildError::BufferTooSmall)?;
        self.control = control;
        self.identifier = match request {
            // Only an answer with data names what it answers.
            Request::Read { identifier, .. } | Request::ReadNext { identifier, .. } => Some(*identifier),
            _ => None,
        };
        self.query = match request {
            Request::Read { query, .. } | Request::ReadNext { query, .. } => *query,
            _ => Query::All,
        };
        self.new_address = match request {
            Request::WriteAddress(address) => Some(*address),
            _ => None,
        };
        self.part = match request {
            Request::ReadNext { sequence, .. } => *sequence,
            _ => 0,
        };
        self.tries = 0;
        self.state = State::Send;
        Ok(())
    }

    /// The next of a row of reads, or idle.
    fn next(&mut self) -> Result<(), BuildError> {
        self.state = State::Idle;
        let Some((&identifier, rest)) = self.queue.split_first() else { return Ok(()) };
        self.queue = rest;
        self.begin(&Request::Read { identifier, query: Query::All })
    }

    /// As [`next`](Self::next), when the first of the row has been written: the others are as long.
    fn go_on(&mut self) {
        if self.next().is_err() {
            self.cancel();
        }
    }

    /// The octets to be sent now, if any, copied to the front of `out`.
    pub fn poll_transmit<'o>(&mut self, out: &'o mut [u8], now: u32) -> Option<&'o [u8]> {
        if self.state != State::Send {
            return None;
        }
        let octets = self.storage.as_ref().get(..usize::from(self.len))?;
        let out = out.get_mut(..octets.len())?;
        out.copy_from_slice(octets);
        if self.expects_reply() {
            let until = now.wrapping_add(self.config.reply_timeout);
            self.state = State::Wait(until);
            self.limit = until.wrapping_add(LONGEST_REPLY);
        } else {
            self.go_on();
        }
        Some(out)
    }

    fn service(&self) -> Service {
        self.control.service(self.config.version)
    }

    fn expects_reply(&self) -> bool {
        let reads = matches!(self.service(), Service::Read | Service::ReadNext | Service::ReadAddress);
        match self.service() {
            Service::BroadcastTime => false,
            _ if self.address.is_broadcast() => reads && self.config.addresses == AddressPolicy::Lenient,
            _ => true,
        }
    }

    /// A frame has come.
    pub fn handle_frame<'f>(&mut self, frame: &Frame<'f>, _now: u32) -> MasterEvent<'f> {
        if !matches!(self.state, State::Wait(_)) {
            return MasterEvent::Ignored(Ignored::Idle);
        }
        let sent = self.storage.as_ref().get(..usize::from(self.len)).unwrap_or_default();
        if frame.is_echo_of(sent) {
            return MasterEvent::Ignored(Ignored::Echo);
        }
        if !frame.control().answers(self.control) || !self.takes(frame.address()) {
            return MasterEvent::Ignored(Ignored::Foreign);
        }
        let Ok(reply) = Reply::parse(frame, self.config.version) else {
            return MasterEvent::Ignored(Ignored::Malformed);
        };
        let (part, mut end) = (self.part, End::Whole);
        if let Reply::Data { identifier, sequence, more, service, .. } = reply {
            if self.identifier.is_some_and(|asked| asked != identifier) {
                return MasterEvent::Ignored(Ignored::Foreign);
            }
            if service == Service::ReadNext && sequence.is_some_and(|sequence| sequence != self.part) {
                return MasterEvent::Ignored(Ignored::Duplicate);
            }
            if more {
                end = self.ask_next(identifier);
            }
        }
        if end != End::More {
            self.go_on();
        }
        MasterEvent::Reply { address: frame.address(), reply, part, end }
    }

    /// Asks for the frame after the one that has just come.
    fn ask_next(&mut self, identifier: Identifier) -> End {
        let next = self.part.wrapping_add(1);
        if next == 0 || next >= self.config.max_frames {
            return End::Cut;
        }
        let sequence = if self.config.version == Version::V2007 { next } else { 0 };
        match self.begin(&Request::ReadNext { identifier, query: self.query, sequence }) {
            Ok(()) => {
                self.part = next;
                End::More
            }
            Err(_) => End::Cut,
        }
    }

    fn takes(&self, from: Address) -> bool {
        let exact = self.address.selects(from)
            || self.address.same_meter(from)
            || self.new_address.is_some_and(|address| address.same_meter(from));
        let wild = self.address.has_wildcard() || self.address.is_broadcast();
        exact || (wild && self.config.addresses == AddressPolicy::Lenient)
    }

    /// Octets are coming in: a long reply at a slow rate outlasts the time-out, and a repetition would collide with
    /// it. The wait goes on for at least one gap between octets, but not for more than the longest frame takes: on a
    /// line that is never quiet the request fails after all.
    pub fn handle_activity(&mut self, now: u32) {
        let after = now.wrapping_add(crate::GAP);
        let earliest = if reached(self.limit, after) { self.limit } else { after };
        if let State::Wait(until) = self.state
            && !reached(until, earliest)
        {
            return;
        }
        if let State::Wait(until) = &mut self.state {
            *until = earliest;
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u32> {
        match self.state {
            State::Wait(until) => Some(until),
            _ => None,
        }
    }

    /// The time has come: the request is repeated, or has failed. A "read next" of 1997 is never repeated.
    pub fn handle_timeout(&mut self, now: u32) -> Option<MasterEvent<'static>> {
        match self.state {
            State::Wait(until) if reached(until, now) => {}
            _ => return None,
        }
        // A meter of 1997 counts the parts itself: "read next" again would pass over the part that was lost, and
        // nothing in the answer would tell.
        let repeats = self.config.version == Version::V2007 || self.service() != Service::ReadNext;
        if repeats && self.tries < self.config.retries {
            self.tries = self.tries.saturating_add(1);
            self.state = State::Send;
            return None;
        }
        let identifier = self.identifier;
        self.go_on();
        Some(MasterEvent::Failed { identifier, failure: Failure::Timeout })
    }
}

/// Whether `now` is at or after `until`, both modulo 2^32.
pub(crate) const fn reached(until: u32, now: u32) -> bool {
    now.wrapping_sub(until) < 1 << 31
}
