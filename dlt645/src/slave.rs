//! The meter's side: who answers what, and when, over a trait that the firmware implements (clause 7).

use crate::address::Address;
use crate::control::{Control, Service, Version};
use crate::data::{Data, MASK};
use crate::frame::{Frame, MAX_READ};
use crate::identifier::Identifier;
use crate::master::reached;
use crate::moment::Moment;
use crate::octets::bcd1;
use crate::service::{Access, Query, Rate, Reply, Request};
use crate::word::{ErrorWord, Reason};

/// Data for a read: octets written, and whether more frames follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Octets written to the front of the buffer.
    pub len: usize,
    /// The data go on in the next part.
    pub more: bool,
}

/// Why the meter does not do as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// With an error word.
    Reason(Reason),
    /// Without an answer: what a meter does with a service that it does not know.
    Silent,
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Reason(reason)
    }
}

/// What the meter's firmware does.
pub trait Meter {
    /// Writes the data of `identifier` (without it) to the front of `out`: part 0 for the read, 1 and following for
    /// "read next". `out` is as long as a reply may be; a meter with more data says so.
    ///
    /// # Errors
    /// The reason for the error word.
    fn get(&mut self, identifier: Identifier, query: Query, part: u8, out: &mut [u8])
    -> Result<Part, Reason>;

    /// Writes `data` to `identifier`; checks the password.
    ///
    /// # Errors
    /// The reason for the error word.
    fn set(&mut self, identifier: Identifier, access: &Access, data: Data<'_>) -> Result<(), Reason>;

    /// Does anything else: time, freeze, address, password, clearing, relay, terminal, security and unknown functions.
    /// For the last two the reply's data (without identifier) are written to `out` and their number returned; for the
    /// others 0.
    ///
    /// # Errors
    /// A refusal.
    fn action(&mut self, request: &Request<'_>, out: &mut [u8]) -> Result<usize, Refusal>;

    /// Whether the line can be set to `rate`.
    fn supports_rate(&self, rate: Rate) -> bool {
        let _ = rate;
        false
    }

    /// The meter's clock, for the rules of broadcast time; without one they are left to [`action`](Self::action).
    fn clock(&self) -> Option<Moment> {
        None
    }
}

/// How a slave behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlaveConfig {
    /// Edition that it speaks.
    pub version: Version,
    /// Its address.
    pub address: Address,
    /// Wake-up octets before a reply.
    pub wake_up: u8,
    /// Most data octets of a reply, identifier included.
    pub max_data: u8,
    /// Milliseconds between request and reply: 20 to 500.
    pub delay: u32,
    /// Milliseconds for which [`Slave::open_programming`] permits writes and clearing; `None`: always permitted.
    pub programming: Option<u32>,
    /// Milliseconds without a frame after which a changed rate is taken back; `None`: never.
    pub revert_rate: Option<u32>,
}

impl SlaveConfig {
    /// 200 data octets, 20 ms, no programming key, a changed rate is kept.
    #[must_use]
    pub const fn new(version: Version, address: Address) -> Self {
        let (max_data, delay) = (MAX_READ, 20);
        Self { version, address, wake_up: 4, max_data, delay, programming: None, revert_rate: None }
    }
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    /// Not for this meter, or not to be answered by it.
    Ignored,
    /// Done; nobody is to be answered.
    Silent,
    /// A reply is on its way.
    Replying,
}

/// What the firmware has to do to its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlaveEvent {
    /// Once the last octet of the reply is out, set this rate.
    SwitchRate(Rate),
    /// Nothing came at the new rate: set the old one again.
    RevertRate,
}

/// A meter's end of the line. `B` holds one reply: 228 octets for the standard's longest with four wake-up octets.
#[derive(Debug, Clone)]
pub struct Slave<M, B> {
    /// The firmware.
    pub meter: M,
    config: SlaveConfig,
    storage: B,
    len: u16,
    due: Option<u32>,
    /// Until when writing is permitted.
    programming: Option<u32>,
    /// Last read, for "read next" and re-read of 1997.
    last: Option<(Identifier, u8)>,
    rate: Option<Rate>,
    event: Option<SlaveEvent>,
    revert: Option<u32>,
    /// Day of the last broadcast time that was taken.
    set_day: Option<(u8, u8)>,
}

impl<M: Meter, B: AsRef<[u8]> + AsMut<[u8]>> Slave<M, B> {
    /// A slave that has heard nothing yet.
    #[must_use]
    pub const fn new(config: SlaveConfig, meter: M, storage: B) -> Self {
        Self {
            meter,
            config,
            storage,
            len: 0,
            due: None,
            programming: None,
            last: None,
            rate: None,
            event: None,
            revert: None,
            set_day: None,
        }
    }

    /// Its settings; the address changes when it is written.
    #[must_use]
    pub const fn config(&self) -> &SlaveConfig {
        &self.config
    }

    /// The programming key has been pressed, or an authentication has succeeded.
    pub fn open_programming(&mut self, now: u32) {
        self.programming = self.config.programming.map(|time| now.wrapping_add(time));
    }

    /// Ends the programming window.
    pub fn close_programming(&mut self) {
        self.programming = None;
    }

    /// Looked at whenever the time is told: an end that nobody has noticed would lie ahead again after 2^31 ms.
    fn expire_programming(&mut self, now: u32) {
        if self.programming.is_some_and(|until| reached(until, now)) {
            self.programming = None;
        }
    }

    fn may_program(&self) -> bool {
        self.config.programming.is_none() || self.programming.is_some()
    }

    /// A frame has come.
    pub fn handle_frame(&mut self, frame: &Frame<'_>, now: u32) -> Handled {
        self.expire_programming(now);
        // Nor does a request refuse anything, or have a part behind it.
        let control = frame.control();
        if control.from_meter() || control.is_refusal() || control.more() {
            return Handled::Ignored;
        }
        if let Some(revert) = &mut self.revert {
            *revert = now.wrapping_add(self.config.revert_rate.unwrap_or_default());
        }
        let version = self.config.version;
        let service = control.service(version);
        let address = frame.address();
        if !self.addressed(service, address) {
            return Handled::Ignored;
        }
        let request = match Request::parse(frame, version) {
            Ok(request) => request,
            Err(_) if address.is_broadcast() || service == Service::WriteAddress => return Handled::Ignored,
            Err(_) => return self.refuse(service, Reason::Other, now),
        };
        if address.is_broadcast() {
            return self.broadcast(&request);
        }
        self.answer(&request, control, now)
    }

    /// Whether a request for `service` to `address` is for this meter to handle.
    fn addressed(&self, service: Service, address: Address) -> bool {
        let own = self.config.address;
        if address.is_broadcast() {
            return matches!(service, Service::BroadcastTime | Service::Freeze | Service::Terminal);
        }
        if !address.selects(own) {
            return false;
        }
        match service {
            // Its rules hold for all meters at once, and it has no reply.
            Service::BroadcastTime => false,
            // To all at once only, or to one.
            Service::ReadAddress | Service::WriteAddress => {
                address == Address::WILDCARD || address.same_meter(own)
            }
            Service::Read | Service::ReadNext | Service::ReRead | Service::Freeze => true,
            // What changes something must name its meter.
            _ => !address.has_wildcard() || address.same_meter(own),
        }
    }

    fn broadcast(&mut self, request: &Request<'_>) -> Handled {
        if let Request::BroadcastTime(time) = request
            && !self.takes_time(*time)
        {
            return Handled::Ignored;
        }
        if self.meter.action(request, &mut []).is_err() {
            return Handled::Ignored;
        }
        if let Request::BroadcastTime(time) = request {
            // Within the same day as the clock was: takes_time has seen to that.
            self.set_day = self.meter.clock().map(|_| day(*time));
        }
        Handled::Silent
    }

    /// Broadcast time is taken once a day, not within 5 minutes of midnight, and only within 5 minutes of the clock.
    fn takes_time(&self, time: Moment) -> bool {
        let Some(clock) = self.meter.clock() else { return true };
        let seconds = |moment: Moment| {
            let part = |part: Option<u8>| u32::from(part.unwrap_or_default());
            part(moment.hour())
                .saturating_mul(3600)
                .saturating_add(part(moment.minute()).saturating_mul(60))
                .saturating_add(part(moment.second()))
        };
        let (own, new) = (seconds(clock), seconds(time));
        let quiet = |at: u32| (5 * 60..=24 * 3600 - 5 * 60).contains(&at);
        time.is_calendar()
            && day(clock) == day(time)
            && clock.year() == time.year()
            && quiet(own)
            && quiet(new)
            && own.abs_diff(new) <= 5 * 60
            && self.set_day != Some(day(clock))
    }

    fn answer(&mut self, request: &Request<'_>, control: Control, now: u32) -> Handled {
        let service = request.service();
        let programs = matches!(
            service,
            Service::Write
                | Service::ChangePassword
                | Service::ClearDemand
                | Service::ClearMeter
                | Service::ClearEvents
                | Service::WriteAddress
        );
        if programs && !self.may_program() {
            return if service == Service::WriteAddress {
                Handled::Ignored
            } else {
                self.refuse(service, Reason::Password, now)
            };
        }
        match request {
            Request::Read { identifier, query } => self.read(control, *identifier, *query, 0, None, now),
            // No meter can be told apart by such an address any more.
            Request::WriteAddress(address) if !names_one(*address) => Handled::Ignored,
            Request::ReadNext { identifier, query, sequence } => {
                let part = match (self.config.version, self.last) {
                    (Version::V2007, _) => *sequence,
                    (Version::V1997, Some((last, part))) if last == *identifier => part.saturating_add(1),
                    (Version::V1997, _) => return self.refuse(service, Reason::IllegalData, now),
                };
                let sequence = (self.config.version == Version::V2007).then_some(*sequence);
                self.read(control, *identifier, *query, part, sequence, now)
            }
            Request::ReRead => match self.last {
                Some((identifier, part)) => self.read(control, identifier, Query::All, part, None, now),
                None => self.refuse(service, Reason::IllegalData, now),
            },
            Request::ReadAddress => self.reply(&Reply::Address(self.config.address), now),
            Request::Write { identifier, access, data } => match self.meter.set(*identifier, access, *data) {
                Ok(()) => self.reply(&Reply::Done(service), now),
                Err(reason) => self.refuse(service, reason, now),
            },
            Request::ChangeRate(rate) => {
                let one = rate.bits_per_second(self.config.version).is_some();
                if !one || !self.meter.supports_rate(*rate) {
                    return self.refuse(service, Reason::Rate, now);
                }
                self.rate = Some(*rate);
                self.reply(&Reply::Rate(*rate), now)
            }
            _ => self.act(request, control, now),
        }
    }

    fn act(&mut self, request: &Request<'_>, control: Control, now: u32) -> Handled {
        let service = request.service();
        let prefix = match request {
            Request::Security { identifier, .. } => Some(*identifier),
            _ => None,
        };
        let with_data = matches!(request, Request::Security { .. } | Request::Other { .. });
        let at = self.data_at(prefix);
        let room = self.room(prefix, 0);
        let out = self.storage.as_mut().get_mut(at..at.saturating_add(room)).unwrap_or_default();
        let len = match self.meter.action(request, out) {
            Ok(len) => len.min(out.len()),
            Err(Refusal::Silent) => return Handled::Ignored,
            // There is no error reply to "write address".
            Err(Refusal::Reason(_)) if service == Service::WriteAddress => return Handled::Ignored,
            Err(Refusal::Reason(reason)) => return self.refuse(service, reason, now),
        };
        match request {
            Request::WriteAddress(address) => {
                self.config.address = *address;
                self.reply(&Reply::Done(service), now)
            }
            Request::ChangePassword { new, .. } => self.reply(&Reply::Password(*new), now),
            Request::Terminal(output) => self.reply(&Reply::Terminal(*output), now),
            _ if with_data => self.send_in_place(control.reply(false), prefix, len, None, now),
            _ => self.reply(&Reply::Done(service), now),
        }
    }

    fn read(
        &mut self,
        control: Control,
        identifier: Identifier,
        query: Query,
        part: u8,
        sequence: Option<u8>,
        now: u32,
    ) -> Handled {
        let at = self.data_at(Some(identifier));
        let room = self.room(Some(identifier), sequence.iter().count());
        let out = self.storage.as_mut().get_mut(at..at.saturating_add(room)).unwrap_or_default();
        let room = out.len();
        match self.meter.get(identifier, query, part, out) {
            Ok(Part { len, more }) => {
                self.last = Some((identifier, part));
                self.send_in_place(control.reply(more), Some(identifier), len.min(room), sequence, now)
            }
            Err(reason) => self.refuse(control.service(self.config.version), reason, now),
        }
    }

    /// Where data behind an identifier stand in the reply.
    fn data_at(&self, identifier: Option<Identifier>) -> usize {
        usize::from(self.config.wake_up)
            .saturating_add(10)
            .saturating_add(identifier.map_or(0, Identifier::width))
    }

    fn room(&self, identifier: Option<Identifier>, tail: usize) -> usize {
        usize::from(self.config.max_data)
            .saturating_sub(identifier.map_or(0, Identifier::width))
            .saturating_sub(tail)
    }

    /// Makes the frame around plain data that stand in their place already.
    fn send_in_place(
        &mut self,
        control: Control,
        identifier: Option<Identifier>,
        len: usize,
        tail: Option<u8>,
        now: u32,
    ) -> Handled {
        let SlaveConfig { wake_up, address, .. } = self.config;
        let at = self.data_at(identifier);
        let storage = self.storage.as_mut();
        for octet in storage.get_mut(at..).into_iter().flatten().take(len) {
            *octet = octet.wrapping_add(MASK);
        }
        let mut writer = crate::service::Writer::new(storage, wake_up, address, control);
        writer.octets(identifier.into_iter().flat_map(Identifier::octets));
        writer.skip(len);
        writer.octets(tail);
        let written = writer.finish().map(<[u8]>::len);
        self.queue(written.ok(), now)
    }

    fn refuse(&mut self, service: Service, reason: Reason, now: u32) -> Handled {
        let word = ErrorWord::new(self.config.version, reason);
        self.reply(&Reply::Refused(service, word), now)
    }

    fn reply(&mut self, reply: &Reply<'_>, now: u32) -> Handled {
        let SlaveConfig { version, wake_up, address, .. } = self.config;
        let written = reply.encode(version, address, wake_up, self.storage.as_mut()).map(<[u8]>::len);
        self.queue(written.ok(), now)
    }

    /// A reply that does not fit the storage is none: the storage is the firmware's mistake, silence is the safe side.
    fn queue(&mut self, len: Option<usize>, now: u32) -> Handled {
        let Some(len) = len.and_then(|len| u16::try_from(len).ok()) else { return Handled::Ignored };
        self.len = len;
        self.due = Some(now.wrapping_add(self.config.delay));
        Handled::Replying
    }

    /// The reply, copied to the front of `out`, once its delay is over.
    pub fn poll_transmit<'o>(&mut self, out: &'o mut [u8], now: u32) -> Option<&'o [u8]> {
        if !reached(self.due?, now) {
            return None;
        }
        let octets = self.storage.as_ref().get(..usize::from(self.len))?;
        let out = out.get_mut(..octets.len())?;
        out.copy_from_slice(octets);
        self.due = None;
        if let Some(rate) = self.rate.take() {
            self.event = Some(SlaveEvent::SwitchRate(rate));
            self.revert = self.config.revert_rate.map(|time| now.wrapping_add(time));
        }
        Some(out)
    }

    /// What is to be done to the port, after [`poll_transmit`](Self::poll_transmit) and
    /// [`handle_timeout`](Self::handle_timeout).
    pub fn poll_event(&mut self) -> Option<SlaveEvent> {
        self.event.take()
    }

    /// When [`poll_transmit`](Self::poll_transmit) or [`handle_timeout`](Self::handle_timeout) is due.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<u32> {
        match (self.due, self.revert, self.programming) {
            (Some(due), ..) => Some(due),
            (None, Some(revert), Some(until)) => Some(if reached(until, revert) { until } else { revert }),
            (None, Some(time), None) | (None, None, Some(time)) => Some(time),
            (None, None, None) => None,
        }
    }

    /// The time has come.
    pub fn handle_timeout(&mut self, now: u32) {
        self.expire_programming(now);
        if self.due.is_none() && self.revert.is_some_and(|until| reached(until, now)) {
            self.revert = None;
            self.event = Some(SlaveEvent::RevertRate);
        }
    }
}

/// Month and day.
fn day(moment: Moment) -> (u8, u8) {
    (moment.month().unwrap_or_default(), moment.day().unwrap_or_default())
}

/// Whether an address is one meter's: digits only, and not all 99.
fn names_one(address: Address) -> bool {
    !address.is_broadcast() && address.octets().into_iter().all(|octet| bcd1(octet).is_some())
}
