//! The router: distribution, registration, combined reads, errors back to the source.

use heapless::Vec;

use super::packet::{Endpoint, Packet, PacketBuilder, Process, command};
use super::registry::{RegisterError, Registry, Route};
use crate::address::Address;
use crate::control::{Control, Service, Version};
use crate::data::Data;
use crate::frame::{Builder, Frame, MAX_READ};
use crate::identifier::Identifier;
use crate::layout::Count;
use crate::master::reached;
use crate::service::{Query, Reply, Request};
use crate::word::{ErrorWord, Reason};

/// The pipes of the bus, one per process.
pub trait Pipes {
    /// Why a pipe fails.
    type Error;

    /// Makes the pipe of an extended application that has registered.
    ///
    /// # Errors
    /// The pipe's.
    fn open(&mut self, process: Process) -> Result<(), Self::Error>;

    /// The extended application has been refused, and told so: its pipe is not written to again unless it is opened
    /// again. Nothing is done by default.
    fn close(&mut self, process: Process) {
        let _ = process;
    }

    /// Writes one packet to the pipe of `process`.
    ///
    /// # Errors
    /// The pipe's.
    fn send(&mut self, process: Process, packet: &[u8]) -> Result<(), Self::Error>;
}

/// How the bus behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusConfig {
    /// Milliseconds for each part of a combined read.
    pub part_timeout: u32,
    /// Function code `D4..D0` that passes through to the communication service, whatever its data; the paper names a
    /// "transparent transmission control code" without its value.
    pub transparent: Option<u8>,
}

impl BusConfig {
    /// 1 s; no transparent code.
    #[must_use]
    pub const fn new() -> Self {
        Self { part_timeout: 1_000, transparent: None }
    }
}

impl Default for BusConfig {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Routed {
    /// Written unchanged to this process.
    To(Process),
    /// A combined read has begun or gone on.
    Combined,
    /// Registrations were changed or read back; the answer has been sent.
    Registered,
    /// Refused; the source has been told with an error frame, where it can be.
    Refused(Dropped),
}

/// Why a packet goes nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Dropped {
    /// The source is no process that may send: not set, the bus itself, or not registered.
    Source,
    /// The destination has no pipe.
    Destination,
    /// Nobody owns the identifier or service.
    Owner,
    /// All threads of the bus are at work on combined reads.
    Busy,
    /// An answer to no question of the bus, or the wrong one.
    Unasked,
    /// The registration is refused.
    Registration(RegisterError),
    /// The pipe has failed.
    Pipe,
    /// The combined data do not fit one frame.
    TooLong,
    /// A part of a combined read is refused for another reason than that there is none, goes on in another frame, or
    /// is not as long as its layout.
    Part,
}

/// A combined read under way.
#[derive(Debug, Clone)]
struct Combined {
    /// Who asked.
    source: Endpoint,
    meter_address: Address,
    protocol: u8,
    /// Address and control code of the frame that asked.
    address: Address,
    control: Control,
    block: Identifier,
    /// Member that is being waited for.
    index: u8,
    owner: Process,
    deadline: u32,
    data: Vec<u8, { MAX_READ as usize }>,
}

/// Owners of a block's members; members without one do not count.
enum Members {
    Unowned,
    One(Process),
    Split,
}

/// Threads of the bus, and so combined reads at a time.
const THREADS: usize = 8;

/// The bus: a registry of at most `ROUTES` ranges, and up to eight combined reads at a time, told apart by the thread
/// number of their answers.
#[derive(Debug, Clone)]
pub struct Bus<const ROUTES: usize> {
    /// Who owns what; the four services' ranges are added at the start.
    pub registry: Registry<ROUTES>,
    config: BusConfig,
    /// One bit per process that has a pipe.
    open: u16,
    combined: [Option<Combined>; THREADS],
}

impl<const ROUTES: usize> Bus<ROUTES> {
    /// A bus with the pipes of the basic application and the four services, and its own.
    #[must_use]
    pub const fn new(registry: Registry<ROUTES>, config: BusConfig) -> Self {
        Self { registry, config, open: 0b1000_0000_0001_1110, combined: [const { None }; THREADS] }
    }

    /// Whether a process has a pipe.
    #[must_use]
    pub const fn has_pipe(&self, process: Process) -> bool {
        self.open >> process.number() & 1 != 0
    }

    /// A packet has come out of a pipe.
    pub fn handle_packet(&mut self, packet: &Packet<'_>, now: u32, pipes: &mut impl Pipes) -> Routed {
        let source = packet.source().process();
        let registers =
            matches!(packet.command(), command::REGISTER | command::UNREGISTER | command::READ_BACK);
        if registers && packet.destination().process() == Process::Bus {
            return self.register(packet, pipes);
        }
        if matches!(source, Process::Initial | Process::Bus) || !self.has_pipe(source) {
            return Routed::Refused(Dropped::Source);
        }
        match packet.destination().process() {
            Process::Initial | Process::Bus if packet.frame().control().from_meter() => {
                self.collect(packet, now, pipes)
            }
            Process::Initial | Process::Bus => self.distribute(packet, now, pipes),
            to if self.has_pipe(to) => forward(packet, to, pipes),
            _ => self.refuse(packet, Dropped::Destination, pipes),
        }
    }

    /// By control code and identifier.
    fn distribute(&mut self, packet: &Packet<'_>, now: u32, pipes: &mut impl Pipes) -> Routed {
        let frame = packet.frame();
        let function = frame.control().function();
        if self.config.transparent == Some(function) {
            return forward(packet, Process::Communication, pipes);
        }
        let Ok(request) = Request::parse(&frame, Version::V2007) else {
            return self.refuse(packet, Dropped::Owner, pipes);
        };
        let identifier = request.identifier();
        let mut owner = match identifier {
            Some(identifier) => self.registry.owner(identifier.code()),
            None => self.registry.service_owner(function),
        };
        if let (Request::Read { .. } | Request::ReadNext { .. }, Some(block)) = (&request, identifier) {
            match self.members(block) {
                Members::Unowned => {}
                // Whoever has the members has the block, whatever range its FF falls into.
                Members::One(process) => owner = Some(process),
                Members::Split if matches!(request, Request::Read { query: Query::All, .. }) => {
                    return self.begin(packet, block, now, pipes);
                }
                Members::Split => {}
            }
        }
        match owner.or_else(|| self.registry.service_owner(function)) {
            Some(to) if self.has_pipe(to) => forward(packet, to, pipes),
            Some(_) => self.refuse(packet, Dropped::Destination, pipes),
            None => self.refuse(packet, Dropped::Owner, pipes),
        }
    }

    /// Whose the members of a block are; [`Members::Unowned`] for what is no block.
    fn members(&self, block: Identifier) -> Members {
        let mut owners = (0..=u8::MAX)
            .map_while(|index| block.member(index))
            .filter_map(|member| self.registry.owner(member.code()));
        match owners.next() {
            None => Members::Unowned,
            Some(first) if owners.all(|owner| owner == first) => Members::One(first),
            Some(_) => Members::Split,
        }
    }

    fn begin(&mut self, packet: &Packet<'_>, block: Identifier, now: u32, pipes: &mut impl Pipes) -> Routed {
        let free = self.combined.iter().position(Option::is_none);
        let Some(thread) = free.and_then(|thread| u8::try_from(thread).ok()) else {
            return self.refuse(packet, Dropped::Busy, pipes);
        };
        let frame = packet.frame();
        self.put(
            thread,
            Some(Combined {
                source: packet.source(),
                meter_address: packet.meter_address(),
                protocol: packet.protocol(),
                address: frame.address(),
                control: frame.control(),
                block,
                index: 0,
                owner: Process::Initial,
                deadline: now,
                data: Vec::new(),
            }),
        );
        self.ask(thread, now, pipes)
    }

    fn put(&mut self, thread: u8, combined: Option<Combined>) {
        if let Some(place) = self.combined.get_mut(usize::from(thread)) {
            *place = combined;
        }
    }

    fn take(&mut self, thread: u8) -> Option<Combined> {
        self.combined.get_mut(usize::from(thread))?.take()
    }

    /// Asks the owner of the next member, or ends the read after the last.
    fn ask(&mut self, thread: u8, now: u32, pipes: &mut impl Pipes) -> Routed {
        let Some(mut combined) = self.take(thread) else { return Routed::Refused(Dropped::Unasked) };
        let member = combined.block.member(combined.index);
        let owner = member.and_then(|member| self.registry.owner(member.code()));
        let (Some(identifier), Some(owner)) = (member, owner) else {
            return self.end(&combined, member.is_some(), pipes);
        };
        let mut octets = [0; 32];
        let request = Request::Read { identifier, query: Query::All };
        let Ok(frame) = request.encode(Version::V2007, combined.address, 0, &mut octets) else {
            return Routed::Refused(Dropped::TooLong);
        };
        let to = Endpoint::new(owner, 0);
        let own = Endpoint::new(Process::Bus, thread);
        let packet = PacketBuilder {
            protocol: combined.protocol,
            ..PacketBuilder::new(own, to, combined.meter_address, frame)
        };
        let mut out = [0; 48];
        let sent = match packet.encode(&mut out) {
            Ok(octets) if self.has_pipe(owner) => pipes.send(owner, octets).is_ok(),
            _ => false,
        };
        if !sent {
            return self.fail(&combined, Dropped::Pipe, pipes);
        }
        combined.owner = owner;
        combined.deadline = now.wrapping_add(self.config.part_timeout);
        self.put(thread, Some(combined));
        Routed::Combined
    }

    /// An answer to a question of the bus.
    fn collect(&mut self, packet: &Packet<'_>, now: u32, pipes: &mut impl Pipes) -> Routed {
        let thread = packet.destination().thread();
        let Some(combined) = self.combined.get_mut(usize::from(thread)).and_then(Option::as_mut) else {
            return Routed::Refused(Dropped::Unasked);
        };
        if packet.source().process() != combined.owner {
            return Routed::Refused(Dropped::Unasked);
        }
        match Reply::parse(&packet.frame(), Version::V2007) {
            Ok(Reply::Data { identifier, data, more, .. })
                if Some(identifier) == combined.block.member(combined.index) =>
            {
                // The parts stand one behind the other: one octet too few would shift all that follow.
                let part =
                    identifier.layout().is_none_or(|layout| data.len() == usize::from(layout.item_len()));
                if more || !part {
                    return self.give_up(thread, Dropped::Part, pipes);
                }
                let room = usize::from(MAX_READ).saturating_sub(combined.block.width());
                let fits = combined.data.len().saturating_add(data.len()) <= room
                    && data.iter().all(|octet| combined.data.push(octet).is_ok());
                if fits {
                    combined.index = combined.index.saturating_add(1);
                    return self.ask(thread, now, pipes);
                }
                self.give_up(thread, Dropped::TooLong, pipes)
            }
            // The owner has no such member: the end of a block that has as many as are configured.
            Ok(Reply::Refused(Service::Read, word)) if word.has(Reason::NoData) => match self.take(thread) {
                Some(combined) => self.end(&combined, true, pipes),
                None => Routed::Refused(Dropped::Unasked),
            },
            // It has one, and does not give it.
            Ok(Reply::Refused(Service::Read, _)) => self.give_up(thread, Dropped::Part, pipes),
            _ => Routed::Refused(Dropped::Unasked),
        }
    }

    /// Sends what has been collected; an error if a member of a block of fixed length is `missing`.
    fn end(&mut self, combined: &Combined, missing: bool, pipes: &mut impl Pipes) -> Routed {
        let fixed = !matches!(combined.block.layout().map(|layout| layout.count()), Some(Count::UpTo(_)));
        if combined.data.is_empty() || (missing && fixed) {
            return self.fail(combined, Dropped::Owner, pipes);
        }
        let reply = Reply::Data {
            service: Service::Read,
            identifier: combined.block,
            data: Data::plain(&combined.data),
            sequence: None,
            more: false,
        };
        self.tell(combined, &reply, pipes);
        Routed::Combined
    }

    fn give_up(&mut self, thread: u8, why: Dropped, pipes: &mut impl Pipes) -> Routed {
        match self.take(thread) {
            Some(combined) => self.fail(&combined, why, pipes),
            None => Routed::Refused(Dropped::Unasked),
        }
    }

    fn fail(&mut self, combined: &Combined, why: Dropped, pipes: &mut impl Pipes) -> Routed {
        let service = combined.control.service(Version::V2007);
        let reason = if why == Dropped::Owner { Reason::NoData } else { Reason::Other };
        self.tell(combined, &Reply::Refused(service, ErrorWord::new(Version::V2007, reason)), pipes);
        Routed::Refused(why)
    }

    fn tell(&self, combined: &Combined, reply: &Reply<'_>, pipes: &mut impl Pipes) {
        let mut octets = [0; 220];
        let Ok(frame) = reply.encode(Version::V2007, combined.address, 0, &mut octets) else { return };
        let packet = PacketBuilder {
            protocol: combined.protocol,
            ..PacketBuilder::new(
                Endpoint::new(Process::Bus, 0),
                combined.source,
                combined.meter_address,
                frame,
            )
        };
        self.send(&packet, pipes);
    }

    fn send(&self, packet: &PacketBuilder<'_>, pipes: &mut impl Pipes) {
        let mut out = [0; 240];
        let to = packet.destination.process();
        if let Ok(octets) = packet.encode(&mut out)
            && self.has_pipe(to)
        {
            // A source that cannot be told notices by its own time-out.
            let _ = pipes.send(to, octets);
        }
    }

    /// Tells the source with an error frame; an answer that goes nowhere is dropped in silence.
    fn refuse(&self, packet: &Packet<'_>, why: Dropped, pipes: &mut impl Pipes) -> Routed {
        let frame = packet.frame();
        if !frame.control().from_meter() {
            let reason = if why == Dropped::Owner { Reason::NoData } else { Reason::Other };
            let word = ErrorWord::new(Version::V2007, reason);
            self.answer(packet, frame.control().refusal(), &[word.bits], pipes);
        }
        Routed::Refused(why)
    }

    fn answer(&self, packet: &Packet<'_>, control: Control, data: &[u8], pipes: &mut impl Pipes) {
        let address = packet.frame().address();
        let builder = Builder { wake_up: 0, address, control, data: Data::plain(data) };
        let mut octets = [0; 220];
        let Ok(frame) = builder.encode(&mut octets) else { return };
        let mut answer = packet.answer(Endpoint::new(Process::Bus, 0), frame);
        if answer.command != command::DATA {
            answer.command |= command::ANSWER;
        }
        self.send(&answer, pipes);
    }

    fn register(&mut self, packet: &Packet<'_>, pipes: &mut impl Pipes) -> Routed {
        let process = packet.source().process();
        let frame = packet.frame();
        if !matches!(process, Process::Extended(_)) || frame.control().from_meter() {
            return self.refuse(packet, Dropped::Registration(RegisterError::Source), pipes);
        }
        let known = self.has_pipe(process);
        if !known && packet.command() == command::REGISTER {
            // Without a pipe the application could not even be told.
            if pipes.open(process).is_err() {
                return Routed::Refused(Dropped::Pipe);
            }
            self.open |= 1 << process.number();
        } else if !known {
            return Routed::Refused(Dropped::Source);
        }
        let result = self.change(packet.command(), &frame, process);
        if let Err(error) = result {
            let refused = self.refuse(packet, Dropped::Registration(error), pipes);
            if !known {
                // Opened for the answer only.
                self.open &= !(1 << process.number());
                pipes.close(process);
            }
            return refused;
        }
        // What is stored goes back, as far as one frame holds.
        let mut stored: Vec<u8, { MAX_READ as usize }> = Vec::new();
        for octet in self.registry.of(process).flat_map(Route::octets).take(usize::from(MAX_READ)) {
            let _ = stored.push(octet);
        }
        self.answer(packet, frame.control().reply(false), &stored, pipes);
        Routed::Registered
    }

    fn change(&mut self, what: u8, frame: &Frame<'_>, process: Process) -> Result<(), RegisterError> {
        let routes = Route::parse(frame.data(), process).ok_or(RegisterError::Malformed)?;
        match what {
            command::REGISTER => self.registry.add_all(routes),
            command::UNREGISTER if frame.data().is_empty() => {
                self.registry.remove_all(process);
                Ok(())
            }
            command::UNREGISTER => {
                routes.for_each(|route| {
                    self.registry.remove(&route);
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due: the earliest part of a combined read.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u32> {
        let deadlines = self.combined.iter().flatten().map(|combined| combined.deadline);
        deadlines.reduce(|a, b| if reached(a, b) { a } else { b })
    }

    /// The time has come: combined reads with a part missing are answered with an error.
    pub fn handle_timeout(&mut self, now: u32, pipes: &mut impl Pipes) {
        for thread in 0..u8::try_from(THREADS).unwrap_or_default() {
            let late = self.combined.get(usize::from(thread)).and_then(Option::as_ref);
            if late.is_some_and(|combined| reached(combined.deadline, now))
                && let Some(combined) = self.take(thread)
            {
                self.fail(&combined, Dropped::Pipe, pipes);
            }
        }
    }
}

/// The octets as they came: what is distributed is not touched.
fn forward(packet: &Packet<'_>, to: Process, pipes: &mut impl Pipes) -> Routed {
    match pipes.send(to, packet.octets()) {
        Ok(()) => Routed::To(to),
        Err(_) => Routed::Refused(Dropped::Pipe),
    }
}
