//! A client that publishes under one topic, over whatever connection a board has.
//!
//! Sans-IO: octets of the connection and the time go in; octets for it, and the wish for a connection, come out. Messages wait
//! in order in storage that the caller lends. At QoS 1 the first stays there until the broker has acknowledged it, and goes
//! out again, marked as sent before, over the next connection when one breaks.

use core::cell::Cell;

use super::packet::{DUP, Incoming, QOS1, Taken, head, kind, protocol};
use crate::sink::Sink;

/// Keep-alive that the broker is told, in seconds; half of it without a packet brings a ping.
pub const KEEP_ALIVE: u16 = 30;

/// Time for a connection, an answer or the way out of a packet, in milliseconds.
const PATIENCE: u32 = 10_000;
/// Time between a failure and the next attempt.
const PAUSE: u32 = 2_000;
/// Time without a packet after which a ping is due.
const QUIET: u32 = KEEP_ALIVE as u32 * 500;
/// Octets in front of a message in the storage: its length, high first.
const LENGTH: usize = 2;

/// Who publishes where, and how. Texts are shorter than 16,384 octets.
#[derive(Clone, Copy, Debug)]
pub struct Session<'c> {
    /// Nobody else at the broker has this name; 1 to 23 letters and digits are taken by every broker (3.1.3.1).
    pub name: &'c str,
    /// For brokers that ask who is there; neither is sent when empty.
    pub user: &'c str,
    /// Goes with the user, and not without one.
    pub password: &'c str,
    /// Where to; no `+` or `#`.
    pub topic: &'c str,
    /// QoS 1: each message arrives, now and then twice. Otherwise QoS 0: it may be lost with the connection.
    pub confirmed: bool,
}

/// The connection to the broker, as the board sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There is none, or no more.
    Closed,
    /// It is being opened.
    Opening,
    /// Octets may go both ways.
    Open,
}

/// What the client wants of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// That it be opened.
    Open,
    /// That it be given up, if it still stands.
    Close,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing until the pause is over.
    Pause,
    /// A connection was asked for.
    Opening,
    /// CONNECT, CONNACK.
    Greeting,
    Online,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packet {
    Connect,
    Publish,
    Ping,
}

/// The client; times are milliseconds that may wrap.
#[derive(Debug)]
pub struct Client<'c> {
    session: Session<'c>,
    /// Messages, oldest first: length (2) · payload.
    storage: &'c mut [u8],
    used: usize,
    state: State,
    /// The present state, or what is being waited for, began.
    since: u32,
    pause: u32,
    /// Anything was sent to the broker.
    spoke: u32,
    incoming: Incoming<4>,
    /// The packet that is going out, and how much of it has.
    sending: Option<Packet>,
    gone: usize,
    greeted: bool,
    /// The first message went out on this connection, or on an earlier one, and was not acknowledged.
    published: bool,
    tried: bool,
    id: u16,
    /// A ping without answer since `since`.
    pinged: bool,
    /// What came from the broker is not MQTT, or it refused.
    broken: bool,
    refused: u8,
    delivered: u32,
}

/// Takes the payload of a message.
#[derive(Debug)]
pub struct Payload<'p> {
    room: &'p mut [u8],
    len: usize,
}

impl Sink for Payload<'_> {
    fn put(&mut self, octet: u8) {
        if let Some(place) = self.room.get_mut(self.len) {
            *place = octet;
        }
        self.len = self.len.saturating_add(1);
    }
}

impl<'c> Client<'c> {
    /// A client that asks for a connection at once. In `storage` a message takes two octets more than its payload.
    pub const fn new(session: Session<'c>, storage: &'c mut [u8]) -> Self {
        Self {
            session,
            storage,
            used: 0,
            state: State::Pause,
            since: 0,
            pause: 0,
            spoke: 0,
            incoming: Incoming::new(),
            sending: None,
            gone: 0,
            greeted: false,
            published: false,
            tried: false,
            id: 1,
            pinged: false,
            broken: false,
            refused: 0,
            delivered: 0,
        }
    }

    /// Whether the broker has let the client in.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Messages that the broker acknowledged (QoS 1), or that were sent (QoS 0); wraps.
    #[must_use]
    pub const fn delivered(&self) -> u32 {
        self.delivered
    }

    /// Why the broker last refused the client, by CONNACK's return code (3.2.2.3); 0 when it has let it in since, or never said.
    #[must_use]
    pub const fn refused(&self) -> u8 {
        self.refused
    }

    /// Whether there is room for a message of so many octets.
    #[must_use]
    pub fn has_room(&self, octets: usize) -> bool {
        let free = self.storage.len().saturating_sub(self.used);
        octets.saturating_add(LENGTH) <= free && u16::try_from(self.remaining(octets)).is_ok()
    }

    /// Puts the message that `write` writes behind those that wait; `false`, and nothing of it is kept, where there is no room.
    pub fn publish(&mut self, write: impl FnOnce(&mut Payload<'_>)) -> bool {
        let behind = self.storage.get_mut(self.used..).unwrap_or_default();
        let Some((length, room)) = behind.split_at_mut_checked(LENGTH) else { return false };
        let mut payload = Payload { room, len: 0 };
        write(&mut payload);
        let len = payload.len;
        let Ok(short) = u16::try_from(len) else { return false };
        length.copy_from_slice(&short.to_be_bytes());
        if !self.has_room(len) {
            return false;
        }
        self.used = self.used.saturating_add(LENGTH).saturating_add(len);
        true
    }

    /// Says what is to be done with the connection. Call whenever something may have happened, and once a second.
    pub fn poll(&mut self, link: Link, now: u32) -> Need {
        let waited = now.wrapping_sub(self.since);
        match self.state {
            State::Pause if waited >= self.pause => {
                self.state = State::Opening;
                self.since = now;
                return Need::Open;
            }
            State::Pause => return Need::Nothing,
            State::Opening if link == Link::Open => {
                self.state = State::Greeting;
                self.since = now;
                self.incoming = Incoming::new();
                (self.sending, self.greeted, self.pinged, self.published) = (None, false, false, false);
            }
            State::Opening if link == Link::Opening && waited < PATIENCE => {}
            State::Opening => return self.fail(now),
            State::Greeting | State::Online => {
                let waits =
                    self.state == State::Greeting || self.sending.is_some() || self.published || self.pinged;
                if link != Link::Open || self.broken || (waits && waited >= PATIENCE) {
                    return self.fail(now);
                }
            }
        }
        Need::Nothing
    }

    /// Takes octets from the broker, as they came, in any pieces.
    pub fn handle_octets(&mut self, octets: &[u8]) {
        for octet in octets {
            match self.incoming.take(*octet) {
                Taken::More => {}
                Taken::Malformed => self.broken = true,
                Taken::Whole => {
                    self.handle_packet();
                    self.incoming = Incoming::new();
                }
            }
            if self.broken {
                return;
            }
        }
    }

    /// Writes what is to go to the broker next; how many octets that are. They must go, in this order; call again until none.
    pub fn transmit(&mut self, out: &mut [u8], now: u32) -> usize {
        let mut len = 0;
        while let Some(packet) = self.sending.or_else(|| self.next(now)) {
            let Some(room) = out.get_mut(len..).filter(|room| !room.is_empty()) else { break };
            if self.sending.is_none() {
                (self.sending, self.gone, self.since) = (Some(packet), 0, now);
            }
            let mut window = Window { room, before: self.gone, seen: 0, filled: 0 };
            self.write(packet, &mut window);
            let (filled, total) = (window.filled, window.seen);
            len = len.saturating_add(filled);
            self.gone = self.gone.saturating_add(filled);
            if self.gone >= total {
                self.sent(packet, now);
            }
        }
        len
    }

    /// The packet that is due.
    fn next(&self, now: u32) -> Option<Packet> {
        match self.state {
            State::Greeting if !self.greeted => Some(Packet::Connect),
            State::Online if self.used > 0 && !self.published => Some(Packet::Publish),
            State::Online if !self.pinged && now.wrapping_sub(self.spoke) >= QUIET => Some(Packet::Ping),
            _ => None,
        }
    }

    /// The packet is with the connection.
    fn sent(&mut self, packet: Packet, now: u32) {
        (self.sending, self.since, self.spoke) = (None, now, now);
        match packet {
            Packet::Connect => self.greeted = true,
            Packet::Ping => self.pinged = true,
            Packet::Publish if self.session.confirmed => self.published = true,
            Packet::Publish => self.done(),
        }
    }

    /// The oldest message has arrived.
    fn done(&mut self) {
        let taken = self.front().len().saturating_add(LENGTH).min(self.used);
        self.used = self.used.saturating_sub(taken);
        // `copy_within` would bring panic code along.
        let cells = Cell::from_mut(&mut *self.storage).as_slice_of_cells();
        let moved = cells.iter().zip(cells.iter().skip(taken)).take(self.used);
        moved.for_each(|(to, from)| to.set(from.get()));
        (self.published, self.tried) = (false, false);
        self.id = self.id.checked_add(1).unwrap_or(1);
        self.delivered = self.delivered.wrapping_add(1);
    }

    /// Payload of the oldest message; empty where there is none.
    fn front(&self) -> &[u8] {
        let Some(([high, low], rest)) = self.storage.split_first_chunk() else { return &[] };
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        rest.get(..len).filter(|_| self.used > 0).unwrap_or_default()
    }

    fn fail(&mut self, now: u32) -> Need {
        // What has gone out in part or whole may have arrived.
        self.tried |= self.published || self.sending == Some(Packet::Publish);
        (self.state, self.since, self.pause) = (State::Pause, now, PAUSE);
        (self.sending, self.published, self.broken) = (None, false, false);
        Need::Close
    }

    fn handle_packet(&mut self) {
        match (self.incoming.first() & 0xF0, self.incoming.body()) {
            (kind::CONNACK, [_, 0]) if self.state == State::Greeting => {
                self.state = State::Online;
                self.refused = 0;
            }
            (kind::CONNACK, [_, code]) if self.state == State::Greeting => {
                self.refused = *code;
                self.broken = true;
            }
            // Nothing else may come before it (3.2).
            _ if self.state == State::Greeting => self.broken = true,
            (kind::PUBACK, [high, low]) if self.published && u16::from_be_bytes([*high, *low]) == self.id => {
                self.done();
            }
            (kind::PINGRESP, _) => self.pinged = false,
            _ => {}
        }
    }

    /// The remaining length of a PUBLISH.
    fn remaining(&self, payload: usize) -> usize {
        let id = if self.session.confirmed { 2 } else { 0 };
        LENGTH.saturating_add(self.session.topic.len()).saturating_add(id).saturating_add(payload)
    }

    fn write(&self, packet: Packet, out: &mut impl Sink) {
        let Session { name, user, password, topic, confirmed } = self.session;
        let short = |len| u16::try_from(len).unwrap_or(u16::MAX);
        match packet {
            Packet::Connect => {
                let texts = [name, user, password];
                let texts = texts.get(..if user.is_empty() { 1 } else { 3 }).unwrap_or_default();
                let octets = texts.iter().map(|text| text.len().saturating_add(LENGTH));
                let len = octets.fold(10, usize::saturating_add);
                head(kind::CONNECT, short(len), out);
                // Not a clean session: the broker goes on with what was not acknowledged (3.1.2.4).
                protocol(if user.is_empty() { 0 } else { 0xC0 }, KEEP_ALIVE, out);
                texts.iter().for_each(|text| string(text, out));
            }
            Packet::Ping => head(kind::PINGREQ, 0, out),
            Packet::Publish => {
                let payload = self.front();
                let again = if self.tried && confirmed { DUP } else { 0 };
                let flags = again | if confirmed { QOS1 } else { 0 };
                head(kind::PUBLISH | flags, short(self.remaining(payload.len())), out);
                string(topic, out);
                if confirmed {
                    out.put_all(&self.id.to_be_bytes());
                }
                out.put_all(payload);
            }
        }
    }
}

/// Length (2, high first) · text.
fn string(text: &str, out: &mut impl Sink) {
    out.put_all(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.put_all(text.as_bytes());
}

/// The part of a packet that is due, of all that is written.
struct Window<'o> {
    room: &'o mut [u8],
    /// Octets that have gone before.
    before: usize,
    seen: usize,
    filled: usize,
}

impl Sink for Window<'_> {
    fn put(&mut self, octet: u8) {
        if self.seen >= self.before
            && let Some(place) = self.room.get_mut(self.filled)
        {
            *place = octet;
            self.filled = self.filled.saturating_add(1);
        }
        self.seen = self.seen.saturating_add(1);
    }
}
