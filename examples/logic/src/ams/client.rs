//! An MQTT 3.1.1 client over a module with AT commands: QoS 0 and 1, keep-alive, and reconnection after whatever fails.
//!
//! Sans-IO: octets from the module and the time go in; commands and octets for it come out. At most one message that is
//! not yet acknowledged; it is kept, and sent again (DUP) after a reconnection.

use super::average::LONGEST;
use super::modem::{Answer, Parser};
use crate::mqtt::{DUP, Incoming, QOS1, Taken, head, kind, protocol};
use crate::sink::Sink;

/// Octets of the reader's name.
pub const NAME: usize = 8;
/// The same, and the octets of the topics with it in them.
const NAME_LEN: u8 = 8;
const AVERAGE_LEN: u8 = 12;
const OTHER_LEN: u8 = 11;
/// Keep-alive that the broker is told, in seconds; half of it without a message brings a ping.
pub const KEEP_ALIVE: u16 = 30;

/// Time for the module or the broker to answer, in milliseconds.
const PATIENCE: u32 = 10_000;
/// Time for the module to join a network.
const JOIN: u32 = 30_000;
/// Time between a failure and the next attempt.
const PAUSE: u32 = 2_000;
/// Time without a message after which a ping is due.
const QUIET: u32 = KEEP_ALIVE as u32 * 500;
/// Failures in a row after which the module is reset.
const FAILURES: u8 = 5;

/// A command to the module. The board writes its text, which it keeps where it has room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// `AT`.
    Attention,
    /// `ATE0`: no echo.
    EchoOff,
    /// `AT+CIPCLOSE`: a connection left from before goes.
    Close,
    /// `AT+CWMODE=1`.
    Station,
    /// `AT+CWJAP="network","password"`.
    Join,
    /// `AT+CIPSTART="SSL","host",port`.
    Open,
    /// `AT+CIPSEND=` this many octets.
    Send(u8),
}

/// The module, as the board has it.
pub trait Module: Sink {
    /// Writes a command with its line end.
    fn command(&mut self, command: Command);

    /// Pulls the reset pin for a moment.
    fn reset(&mut self);
}

/// Under what a message is published, `ID` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// `avg/`
    Average,
    /// `hr/`
    Hour,
    /// `pf/`
    PowerFail,
}

/// What the reader hears of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The broker acknowledged the message (QoS 1), or it was sent (QoS 0).
    Delivered(Topic),
    /// Minutes of a period, 1 to 60, from `freq`.
    Minutes(u8),
}

// The first is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum State {
    /// Nothing until the pause is over.
    Pause,
    /// A command was given.
    Setup(Command),
    /// CONNECT, CONNACK.
    Greeting,
    /// SUBSCRIBE, SUBACK.
    Subscribing,
    Online,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packet {
    Connect,
    Subscribe,
    Publish,
    Acknowledge,
    Ping,
}

// The first is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Sending {
    Idle,
    /// `AT+CIPSEND` was given.
    Asked(Packet),
    /// The octets are with the module.
    Given(Packet),
}

/// The message that is being published.
#[derive(Clone, Copy, Debug)]
struct Outbox {
    topic: Topic,
    payload: [u8; LONGEST],
    len: u8,
    id: u16,
    /// QoS 1.
    confirmed: bool,
    full: bool,
    tried: bool,
    /// Given to the module on this connection.
    sent: bool,
}

/// Takes the payload of a message; what is longer than [`LONGEST`] is cut.
#[derive(Debug)]
pub struct Payload<'a>(&'a mut Outbox);

impl Sink for Payload<'_> {
    fn put(&mut self, octet: u8) {
        if let Some(place) = self.0.payload.get_mut(usize::from(self.0.len)) {
            *place = octet;
            self.0.len = self.0.len.wrapping_add(1);
        }
    }
}

/// The client.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    name: [u8; NAME],
    state: State,
    sending: Sending,
    parser: Parser,
    incoming: Incoming<24>,
    outbox: Outbox,
    /// The present state, or what is being waited for, began.
    since: u32,
    /// Anything was sent to the broker.
    spoke: u32,
    /// A ping without answer since `since`.
    pinged: bool,
    acknowledge: Option<u16>,
    /// SUBSCRIBE was sent.
    asked: bool,
    failures: u8,
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

impl Client {
    /// Without a name yet. All zeros, so that a static one takes no flash.
    #[must_use]
    pub const fn new() -> Self {
        let outbox = Outbox {
            topic: Topic::Average,
            payload: [0; LONGEST],
            len: 0,
            id: 0,
            confirmed: false,
            full: false,
            tried: false,
            sent: false,
        };
        Self {
            name: [0; NAME],
            state: State::Pause,
            sending: Sending::Idle,
            parser: Parser::new(),
            incoming: Incoming::new(),
            outbox,
            since: 0,
            spoke: 0,
            pinged: false,
            acknowledge: None,
            asked: false,
            failures: 0,
        }
    }

    /// Names the reader; nobody else at the broker has that name.
    pub const fn set_name(&mut self, name: [u8; NAME]) {
        self.name = name;
    }

    /// Whether the broker has the reader's subscription.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.state == State::Online
    }

    /// Whether a message is under way, so that no other can be given.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        self.outbox.full
    }

    /// Publishes what `write` writes, at QoS 1 if `confirmed`. Not while [`is_busy`](Self::is_busy).
    pub fn publish(&mut self, topic: Topic, confirmed: bool, write: impl FnOnce(&mut Payload<'_>)) {
        let outbox = &mut self.outbox;
        outbox.topic = topic;
        outbox.len = 0;
        outbox.id = outbox.id.checked_add(1).unwrap_or(1);
        outbox.confirmed = confirmed;
        outbox.full = true;
        outbox.tried = false;
        outbox.sent = false;
        write(&mut Payload(outbox));
    }

    /// Takes an octet from the module.
    #[inline(never)]
    pub fn handle_octet(&mut self, octet: u8, now: u32, module: &mut impl Module) -> Option<Event> {
        let answer = self.parser.take(octet)?;
        match answer {
            Answer::Octet(octet) => match self.incoming.take(octet) {
                Taken::More => {}
                Taken::Whole => {
                    let event = self.handle_packet(now);
                    self.incoming = Incoming::new();
                    return event;
                }
                Taken::Malformed => self.fail(now, module),
            },
            Answer::Ok => {
                if let State::Setup(command) = self.state {
                    self.next(command, now, module);
                }
            }
            Answer::Error => match self.state {
                State::Setup(Command::Close) => self.next(Command::Close, now, module),
                State::Pause => {}
                _ => self.fail(now, module),
            },
            Answer::Prompt => {
                if let Sending::Asked(packet) = self.sending {
                    self.write(packet, module);
                    self.sending = Sending::Given(packet);
                    self.since = now;
                }
            }
            Answer::Sent => {
                if let Sending::Given(packet) = self.sending {
                    self.sending = Sending::Idle;
                    self.since = now;
                    self.spoke = now;
                    if packet == Packet::Publish && !self.outbox.confirmed {
                        self.outbox.full = false;
                        return Some(Event::Delivered(self.outbox.topic));
                    }
                }
            }
            // Closed on our own word, or not yet open: no failure.
            Answer::Closed if matches!(self.state, State::Setup(_) | State::Pause) => {}
            Answer::Ready if self.state == State::Pause => {}
            Answer::Closed | Answer::Ready => self.fail(now, module),
        }
        None
    }

    /// Does what is due.
    #[inline(never)]
    pub fn poll(&mut self, now: u32, module: &mut impl Module) {
        let waited = now.wrapping_sub(self.since);
        if self.state == State::Pause {
            if waited >= PAUSE {
                self.give(Command::Attention, now, module);
            }
            return;
        }
        // Joining a network takes its time.
        let patience = if self.state == State::Setup(Command::Join) { JOIN } else { PATIENCE };
        let waits = self.state != State::Online
            || self.sending != Sending::Idle
            || self.pinged
            || (self.outbox.full && self.outbox.sent);
        if waits && waited >= patience {
            return self.fail(now, module);
        }
        if self.sending == Sending::Idle && self.state == State::Subscribing && !self.asked {
            // The module may have said `SEND OK` only behind the broker's answer.
            self.asked = true;
            return self.send(Packet::Subscribe, now, module);
        }
        if self.sending != Sending::Idle || self.state != State::Online {
            return;
        }
        if self.acknowledge.is_some() {
            self.send(Packet::Acknowledge, now, module);
        } else if self.outbox.full && !self.outbox.sent {
            self.outbox.sent = true;
            self.send(Packet::Publish, now, module);
        } else if !self.pinged && now.wrapping_sub(self.spoke) >= QUIET {
            self.pinged = true;
            self.send(Packet::Ping, now, module);
        }
    }

    fn give(&mut self, command: Command, now: u32, module: &mut impl Module) {
        self.state = State::Setup(command);
        self.since = now;
        module.command(command);
    }

    fn next(&mut self, done: Command, now: u32, module: &mut impl Module) {
        let next = match done {
            Command::Attention => Command::EchoOff,
            Command::EchoOff => Command::Close,
            Command::Close => Command::Station,
            Command::Station => Command::Join,
            Command::Join => Command::Open,
            Command::Open | Command::Send(_) => {
                self.state = State::Greeting;
                self.incoming = Incoming::new();
                return self.send(Packet::Connect, now, module);
            }
        };
        self.give(next, now, module);
    }

    #[inline(never)]
    fn fail(&mut self, now: u32, module: &mut impl Module) {
        self.failures = self.failures.wrapping_add(1);
        if self.failures >= FAILURES {
            self.failures = 0;
            module.reset();
        }
        self.state = State::Pause;
        self.since = now;
        self.sending = Sending::Idle;
        self.parser = Parser::new();
        self.pinged = false;
        self.acknowledge = None;
        self.outbox.sent = false;
    }

    #[inline(never)]
    fn send(&mut self, packet: Packet, now: u32, module: &mut impl Module) {
        self.sending = Sending::Asked(packet);
        self.since = now;
        // The longest packet is a full outbox.
        let len = self.remaining(packet);
        let len = len.wrapping_add(if len < 128 { 2 } else { 3 });
        module.command(Command::Send(len));
    }

    /// The remaining length of a packet.
    fn remaining(&self, packet: Packet) -> u8 {
        match packet {
            Packet::Connect => 20,
            Packet::Subscribe => 9,
            Packet::Acknowledge => 2,
            Packet::Ping => 0,
            Packet::Publish => {
                let topic = if self.outbox.topic == Topic::Average { AVERAGE_LEN } else { OTHER_LEN };
                let id = if self.outbox.confirmed { 4 } else { 2 };
                self.outbox.len.wrapping_add(topic).wrapping_add(id)
            }
        }
    }

    #[inline(never)]
    fn write(&mut self, packet: Packet, out: &mut impl Sink) {
        let first = match packet {
            Packet::Connect => kind::CONNECT,
            Packet::Subscribe => kind::SUBSCRIBE,
            Packet::Acknowledge => kind::PUBACK,
            Packet::Ping => kind::PINGREQ,
            Packet::Publish => {
                let again = if self.outbox.tried && self.outbox.confirmed { DUP } else { 0 };
                kind::PUBLISH | again | if self.outbox.confirmed { QOS1 } else { 0 }
            }
        };
        head(first, self.remaining(packet).into(), out);
        match packet {
            Packet::Connect => {
                // Clean session: whoever was away has missed nothing that still holds but `freq`, which is retained.
                protocol(2, KEEP_ALIVE, out);
                out.put(0);
                out.put(NAME_LEN);
                out.put_all(&self.name);
            }
            Packet::Subscribe => {
                out.put(0);
                out.put(1);
                out.put(0);
                out.put(4);
                out.put(b'f');
                out.put(b'r');
                out.put(b'e');
                out.put(b'q');
                out.put(1);
            }
            Packet::Acknowledge => out.put_all(&self.acknowledge.take().unwrap_or(0).to_be_bytes()),
            Packet::Ping => {}
            Packet::Publish => {
                out.put(0);
                match self.outbox.topic {
                    Topic::Average => {
                        out.put(AVERAGE_LEN);
                        out.put(b'a');
                        out.put(b'v');
                        out.put(b'g');
                    }
                    Topic::Hour => {
                        out.put(OTHER_LEN);
                        out.put(b'h');
                        out.put(b'r');
                    }
                    Topic::PowerFail => {
                        out.put(OTHER_LEN);
                        out.put(b'p');
                        out.put(b'f');
                    }
                }
                out.put(b'/');
                out.put_all(&self.name);
                if self.outbox.confirmed {
                    out.put_all(&self.outbox.id.to_be_bytes());
                }
                out.put_all(self.outbox.payload.get(..usize::from(self.outbox.len)).unwrap_or_default());
                self.outbox.tried = true;
            }
        }
    }

    fn handle_packet(&mut self, now: u32) -> Option<Event> {
        match (self.incoming.first() & 0xF0, self.incoming.body()) {
            (kind::CONNACK, [_, 0]) if self.state == State::Greeting => {
                self.state = State::Subscribing;
                self.since = now;
                self.asked = false;
            }
            (kind::SUBACK, [0, 1, 0..=2]) if self.state == State::Subscribing => {
                self.state = State::Online;
                self.since = now;
                self.failures = 0;
            }
            (kind::PUBACK, [high, low])
                if self.outbox.full
                    && self.outbox.sent
                    && u16::from_be_bytes([*high, *low]) == self.outbox.id =>
            {
                self.outbox.full = false;
                return Some(Event::Delivered(self.outbox.topic));
            }
            (kind::PINGRESP, _) => self.pinged = false,
            (kind::PUBLISH, [0, 4, b'f', b'r', b'e', b'q', rest @ ..]) => {
                let payload = if self.incoming.first() & 0x06 == 0 {
                    rest
                } else {
                    let [high, low, payload @ ..] = rest else { return None };
                    self.acknowledge = Some(u16::from_be_bytes([*high, *low]));
                    payload
                };
                return minutes(payload).map(Event::Minutes);
            }
            _ => {}
        }
        None
    }
}

/// Minutes as one octet or as decimal text, if they are 1 to 60.
fn minutes(payload: &[u8]) -> Option<u8> {
    let number = match payload {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => {
            tens.wrapping_sub(b'0').wrapping_mul(10).wrapping_add(ones.wrapping_sub(b'0'))
        }
        // The digits 1 to 9 are 49 to 57 as octets: text has the preference.
        [ones @ b'1'..=b'9'] => ones.wrapping_sub(b'0'),
        [number] => *number,
        _ => return None,
    };
    (1..=60).contains(&number).then_some(number)
}
