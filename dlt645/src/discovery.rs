//! Finding unknown meters: which rate, which edition, which address.
//!
//! At each rate: 13H, 11H and 01H to the wildcard address. One clean answer is a meter; several, or garbage, are a
//! collision, and a prefix search follows: the two lowest digits 00 to 99 with wildcards above, and where that still
//! collides, two digits more.

use crate::address::Address;
use crate::control::{Service, Version};
use crate::error::{BufferTooSmall, ErrorKind};
use crate::frame::Frame;
use crate::identifier::Identifier;
use crate::master::reached;
use crate::octets::{bcd1, to_bcd1};
use crate::service::{Query, Reply, Request};

/// Rates in the order in which meters are likely to have them: the defaults of 2007 and 1997 first.
pub const RATES: &[u16] = &[2400, 1200, 9600, 4800, 600, 19_200, 300];

/// Addresses that are not reported twice.
const REMEMBERED: usize = 16;

/// Meters that have answered and have not been reported yet. One more is not remembered either: as the others have
/// answered too, the question is asked again in parts.
const WAITING: usize = 4;

/// Questions in a row that end in a collision and not in one clean answer. A search of meters goes down to the first
/// that answers alone within six; a line that is never quiet would keep it at work for days.
const COLLISIONS: u8 = 12;

/// How a search is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiscoveryConfig<'r> {
    /// Rates to try, in bit/s.
    pub rates: &'r [u16],
    /// Milliseconds to listen after each question; the whole time, since several meters may answer one after another.
    pub window: u32,
    /// Wake-up octets before a question.
    pub wake_up: u8,
    /// End the search with the first rate and edition at which a meter has answered.
    pub first_only: bool,
}

impl DiscoveryConfig<'static> {
    /// All rates, 2 s, four wake-up octets, until something is found.
    #[must_use]
    pub const fn new() -> Self {
        Self { rates: RATES, window: 2_000, wake_up: 4, first_only: true }
    }
}

impl Default for DiscoveryConfig<'static> {
    fn default() -> Self {
        Self::new()
    }
}

/// What the search has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DiscoveryEvent {
    /// Set the line to this rate (8 data bits, even parity, 1 stop bit) before the next question.
    SetRate(u16),
    /// A meter.
    Found {
        /// Its address; the wildcard if the meter is alone and keeps its address to itself.
        address: Address,
        /// Edition that it answered in.
        version: Version,
        /// Rate that it answered at.
        rate: u16,
    },
    /// The search is over.
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probe {
    /// 13H.
    Address,
    /// 11H 04000401, the address.
    Read2007,
    /// 01H 9010.
    Read1997,
}

impl Probe {
    const fn version(self) -> Version {
        match self {
            Self::Address | Self::Read2007 => Version::V2007,
            Self::Read1997 => Version::V1997,
        }
    }

    const fn request(self) -> Request<'static> {
        match self {
            Self::Address => Request::ReadAddress,
            Self::Read2007 => Request::Read { identifier: Identifier::V2007(0x0400_0401), query: Query::All },
            Self::Read1997 => Request::Read { identifier: Identifier::V1997(0x9010), query: Query::All },
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    SetRate,
    Send,
    Listen(u32),
    Done,
    Over,
}

/// A search. Frames go to [`handle_frame`](Self::handle_frame), decoder errors to
/// [`handle_noise`](Self::handle_noise); events are polled.
#[derive(Debug, Clone)]
pub struct Discovery<'r> {
    config: DiscoveryConfig<'r>,
    rate: usize,
    probe: Probe,
    /// Digit pairs tried at each depth, lowest first.
    prefix: [u8; 6],
    depth: u8,
    state: State,
    answers: u8,
    /// Octets that began as a frame; and any others.
    collision: bool,
    noise: bool,
    /// Collisions since the last clean answer.
    collisions: u8,
    /// Something has answered at this rate.
    any: bool,
    /// First come first.
    pending: [Option<DiscoveryEvent>; WAITING],
    found: [Option<(Address, Version)>; REMEMBERED],
    oldest: usize,
}

impl<'r> Discovery<'r> {
    /// A search that has not begun.
    #[must_use]
    pub const fn new(config: DiscoveryConfig<'r>) -> Self {
        Self {
            config,
            rate: 0,
            probe: Probe::Address,
            prefix: [0; 6],
            depth: 0,
            state: State::SetRate,
            answers: 0,
            collision: false,
            noise: false,
            collisions: 0,
            any: false,
            pending: [None; WAITING],
            found: [None; REMEMBERED],
            oldest: 0,
        }
    }

    fn rate(&self) -> Option<u16> {
        self.config.rates.get(self.rate).copied()
    }

    /// What there is to know or to do; call until `None` before sending.
    pub fn poll_event(&mut self) -> Option<DiscoveryEvent> {
        if let Some(event) = self.pending.first_mut().and_then(Option::take) {
            self.pending.rotate_left(1);
            return Some(event);
        }
        match self.state {
            State::SetRate => match self.rate() {
                Some(rate) => {
                    self.state = State::Send;
                    Some(DiscoveryEvent::SetRate(rate))
                }
                None => {
                    self.state = State::Over;
                    Some(DiscoveryEvent::Done)
                }
            },
            State::Done => {
                self.state = State::Over;
                Some(DiscoveryEvent::Done)
            }
            _ => None,
        }
    }

    /// Address that is asked now.
    fn asked(&self) -> Address {
        let mut octets = [0; 6];
        for (octet, pair) in octets.iter_mut().zip(self.prefix) {
            *octet = to_bcd1(pair);
        }
        Address::from_octets(octets).with_wildcards(self.depth)
    }

    /// The octets to be sent now, if any, written to the front of `out`; 40 octets are enough.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn poll_transmit<'o>(
        &mut self,
        out: &'o mut [u8],
        now: u32,
    ) -> Result<Option<&'o [u8]>, BufferTooSmall> {
        if self.state != State::Send || self.pending.iter().any(Option::is_some) {
            return Ok(None);
        }
        // 13H is answered to the full wildcard only, so a prefix search reads.
        let probe = if self.depth > 0 && self.probe == Probe::Address { Probe::Read2007 } else { self.probe };
        let octets = probe
            .request()
            .encode(probe.version(), self.asked(), self.config.wake_up, out)
            .map_err(|_| BufferTooSmall)?;
        self.state = State::Listen(now.wrapping_add(self.config.window));
        (self.answers, self.collision, self.noise) = (0, false, false);
        Ok(Some(octets))
    }

    /// A frame has come.
    pub fn handle_frame(&mut self, frame: &Frame<'_>) {
        let State::Listen(_) = self.state else { return };
        if !frame.control().from_meter() {
            return;
        }
        let version = self.probe.version();
        let service = frame.control().service(version);
        if !matches!(service, Service::ReadAddress | Service::Read) {
            return;
        }
        let address = match Reply::parse(frame, version) {
            Ok(Reply::Address(address)) => address,
            // Some meters echo the wildcard; the address that they were asked for stands in the data.
            Ok(Reply::Data { data, .. }) if self.probe != Probe::Read1997 => match data.array::<6>(0) {
                Some(octets) if data.len() == 6 && octets.iter().all(|octet| bcd1(*octet).is_some()) => {
                    Address::from_octets(octets)
                }
                _ => frame.address(),
            },
            // A refusal comes from a meter too.
            Ok(Reply::Data { .. } | Reply::Refused(..)) => frame.address(),
            _ => return,
        };
        self.answers = self.answers.saturating_add(1);
        self.any = true;
        let known = (address, version);
        if self.found.contains(&Some(known)) {
            return;
        }
        let rate = self.rate().unwrap_or_default();
        let Some(place) = self.pending.iter_mut().find(|place| place.is_none()) else { return };
        *place = Some(DiscoveryEvent::Found { address, version, rate });
        if let Some(place) = self.found.get_mut(self.oldest) {
            *place = Some(known);
        }
        self.oldest = self.oldest.wrapping_add(1) % REMEMBERED;
    }

    /// Octets that are no frame have come, which is what a collision sounds like. Where the decoder's error is at hand,
    /// [`handle_error`](Self::handle_error) tells collisions from octets behind a single answer.
    pub const fn handle_noise(&mut self) {
        if let State::Listen(_) = self.state {
            self.collision = true;
        }
    }

    /// The decoder has reported an error. Octets that do not even begin as a frame are no collision beside one clean
    /// answer: drivers that switch on and off leave such.
    pub const fn handle_error(&mut self, kind: ErrorKind) {
        match (self.state, kind) {
            (State::Listen(_), ErrorKind::Noise | ErrorKind::TooLong) => self.noise = true,
            (State::Listen(_), _) => self.collision = true,
            _ => {}
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u32> {
        match self.state {
            State::Listen(until) => Some(until),
            _ => None,
        }
    }

    /// The time has come: on to the next question.
    pub fn handle_timeout(&mut self, now: u32) {
        match self.state {
            State::Listen(until) if reached(until, now) => {}
            _ => return,
        }
        self.state = State::Send;
        let collision = self.collision || self.answers > 1 || (self.noise && self.answers == 0);
        self.collisions = match (self.answers, collision) {
            (0, true) => self.collisions.saturating_add(1),
            (0, false) => self.collisions,
            _ => 0,
        };
        if self.collisions > COLLISIONS {
            // No meters, but a line that is never quiet.
            self.depth = 0;
            self.next_probe();
            return;
        }
        if collision && self.depth < 6 {
            if let Some(pair) = self.prefix.get_mut(usize::from(self.depth)) {
                *pair = 0;
            }
            self.depth = self.depth.saturating_add(1);
            return;
        }
        while self.depth > 0 {
            let place = usize::from(self.depth.saturating_sub(1));
            match self.prefix.get_mut(place) {
                Some(pair) if *pair < 99 => {
                    *pair = pair.saturating_add(1);
                    return;
                }
                _ => self.depth = self.depth.saturating_sub(1),
            }
        }
        self.next_probe();
    }

    fn next_probe(&mut self) {
        self.collisions = 0;
        if self.any && self.config.first_only {
            self.state = State::Done;
            return;
        }
        match self.probe {
            // A meter that has answered 13H needs no second question in the same edition.
            Probe::Address if !self.any => self.probe = Probe::Read2007,
            Probe::Address | Probe::Read2007 => self.probe = Probe::Read1997,
            Probe::Read1997 => {
                self.probe = Probe::Address;
                self.rate = self.rate.saturating_add(1);
                self.any = false;
                self.state = State::SetRate;
            }
        }
    }
}
