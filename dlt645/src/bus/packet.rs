//! The header codec, and packets out of a pipe.

use core::fmt;

use crate::address::Address;
use crate::error::{BufferTooSmall, Error, ErrorKind};
use crate::frame::{self, END, Frame, OVERHEAD, START};
use crate::machine::{self, Found, Machine, Stats};
use crate::slices::Slices;
use crate::wire::{First, Front, Wire};

/// Octets of the header.
pub const HEADER: u16 = 15;
/// Octets of the longest packet.
pub const LONGEST: u16 = HEADER + frame::LONGEST;
/// Storage octets that hold any packet, see [`crate::STORAGE`].
pub const STORAGE: usize = 385;

const _: () = assert!(machine::longest(STORAGE) >= LONGEST, "a decoder of STORAGE octets takes any packet");

/// A process on the bus, bits 7..4 of an address octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Process {
    /// 0: not set.
    Initial,
    /// 1: the basic application.
    Basic,
    /// 2: communication management.
    Communication,
    /// 3: metering management.
    Metering,
    /// 4: platform management.
    Platform,
    /// 5..=14: extended application 1..=10.
    Extended(u8),
    /// 15: the bus itself.
    Bus,
}

impl Process {
    /// From a number 0..=15.
    #[must_use]
    pub const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Initial,
            1 => Self::Basic,
            2 => Self::Communication,
            3 => Self::Metering,
            4 => Self::Platform,
            5..=14 => Self::Extended(number.wrapping_sub(4)),
            15 => Self::Bus,
            _ => return None,
        })
    }

    /// Its number 0..=15; an extended application beyond 10 counts as 10.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Initial => 0,
            Self::Basic => 1,
            Self::Communication => 2,
            Self::Metering => 3,
            Self::Platform => 4,
            Self::Extended(n @ 1..=10) => n.wrapping_add(4),
            Self::Extended(0) => 5,
            Self::Extended(_) => 14,
            Self::Bus => 15,
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Initial => "initial",
            Self::Basic => "basic application",
            Self::Communication => "communication service",
            Self::Metering => "metering service",
            Self::Platform => "platform service",
            Self::Extended(n) => return write!(f, "extended application {n}"),
            Self::Bus => "bus",
        })
    }
}

/// An address octet: process, bit 3 reserved (0), thread 0..=7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Endpoint(u8);

impl Endpoint {
    /// A thread of a process; its lowest three bits count.
    #[must_use]
    pub const fn new(process: Process, thread: u8) -> Self {
        Self(process.number() << 4 | thread & 7)
    }

    /// From the octet; `None` if the reserved bit is set.
    #[must_use]
    pub const fn from_octet(octet: u8) -> Option<Self> {
        if octet & 8 == 0 { Some(Self(octet)) } else { None }
    }

    /// The octet.
    #[must_use]
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// Its process.
    #[must_use]
    pub const fn process(self) -> Process {
        match Process::from_number(self.0 >> 4) {
            Some(process) => process,
            None => Process::Initial,
        }
    }

    /// Its thread, 0 the main one. Basic application: 1 time-sharing metering, 2 demand, 3 freezing, 4 display, 5 cost
    /// control, 6 events; communication: 1 uplink carrier, 2 downlink Bluetooth, 3 load identification.
    #[must_use]
    pub const fn thread(self) -> u8 {
        self.0 & 7
    }
}

/// Command types of this crate; others are kept and routed as data.
pub mod command {
    /// A request or reply between applications.
    pub const DATA: u8 = 0x00;
    /// Register identifiers: the frame's data are `identifier (4) mask (4)`, repeated.
    pub const REGISTER: u8 = 0x01;
    /// Take registrations back: the same, or no data for all of the sender's.
    pub const UNREGISTER: u8 = 0x02;
    /// Read back what is registered for the sender.
    pub const READ_BACK: u8 = 0x03;
    /// Set in the answer to one of the above.
    pub const ANSWER: u8 = 0x80;
}

/// A whole packet: header, and a frame whose checks have passed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    octets: &'a [u8],
}

impl<'a> Packet<'a> {
    /// One packet at the front of `octets`, and what follows it.
    ///
    /// # Errors
    /// The kind says what is wrong at the first octet; [`ErrorKind::Truncated`] if more octets are needed; `lost` is 0.
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let sum = |from: u16, to: u16| {
            crate::octets::sum(octets.get(usize::from(from)..usize::from(to)).unwrap_or_default())
        };
        let kind = match Pipe::front(octets, LONGEST, sum) {
            Front::Frame(n) => match octets.split_at_checked(usize::from(n)) {
                Some((octets, rest)) => return Ok((Self { octets }, rest)),
                None => ErrorKind::Truncated,
            },
            Front::Wait(_) => ErrorKind::Truncated,
            Front::Noise | Front::Fill => ErrorKind::Noise,
            Front::Reject(kind) => kind,
        };
        Err(Error { kind, lost: 0 })
    }

    fn octet(&self, at: usize) -> u8 {
        self.octets.get(at).copied().unwrap_or_default()
    }

    /// All octets.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// CA: who sent it.
    #[must_use]
    pub fn source(&self) -> Endpoint {
        Endpoint(self.octet(1))
    }

    /// SA: who is to have it.
    #[must_use]
    pub fn destination(&self) -> Endpoint {
        Endpoint(self.octet(2))
    }

    /// Encryption method; not interpreted.
    #[must_use]
    pub fn encryption(&self) -> u8 {
        self.octet(3)
    }

    /// The communication address that the exchange outside uses.
    #[must_use]
    pub fn meter_address(&self) -> Address {
        Address::from_octets(
            self.octets.get(4..10).and_then(|a| a.first_chunk().copied()).unwrap_or_default(),
        )
    }

    /// Protocol type; not interpreted.
    #[must_use]
    pub fn protocol(&self) -> u8 {
        self.octet(10)
    }

    /// Command type, see [`command`].
    #[must_use]
    pub fn command(&self) -> u8 {
        self.octet(11)
    }

    /// The frame inside.
    #[must_use]
    pub fn frame(&self) -> Frame<'a> {
        Frame::checked(self.octets.get(usize::from(HEADER)..).unwrap_or_default())
    }

    /// The header of an answer to this packet from `source`, with `frame` in it.
    #[must_use]
    pub fn answer<'f>(&self, source: Endpoint, frame: &'f [u8]) -> PacketBuilder<'f> {
        PacketBuilder {
            source,
            destination: self.source(),
            encryption: self.encryption(),
            meter_address: self.meter_address(),
            protocol: self.protocol(),
            command: self.command(),
            frame,
        }
    }
}

impl fmt::Debug for Packet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("source", &self.source())
            .field("destination", &self.destination())
            .field("command", &self.command())
            .field("frame", &self.frame())
            .finish()
    }
}

/// A packet to be sent, from its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketBuilder<'a> {
    /// CA.
    pub source: Endpoint,
    /// SA.
    pub destination: Endpoint,
    /// Encryption method.
    pub encryption: u8,
    /// Communication address.
    pub meter_address: Address,
    /// Protocol type.
    pub protocol: u8,
    /// Command type.
    pub command: u8,
    /// One whole frame, 68H to 16H, without wake-up octets.
    pub frame: &'a [u8],
}

impl<'a> PacketBuilder<'a> {
    /// A packet of data, not encrypted, protocol type 0.
    #[must_use]
    pub const fn new(
        source: Endpoint,
        destination: Endpoint,
        meter_address: Address,
        frame: &'a [u8],
    ) -> Self {
        Self { source, destination, encryption: 0, meter_address, protocol: 0, command: command::DATA, frame }
    }

    /// Octets on the pipe.
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        self.frame.len().saturating_add(HEADER as usize)
    }

    /// Writes the packet to the front of `out`.
    ///
    /// # Errors
    /// [`BufferTooSmall`]; also for a frame above 65535 octets.
    pub fn encode<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let len = u16::try_from(self.frame.len()).map_err(|_| BufferTooSmall)?;
        let out = out.get_mut(..self.encoded_len()).ok_or(BufferTooSmall)?;
        let header = [START, self.source.0, self.destination.0, self.encryption]
            .into_iter()
            .chain(self.meter_address.octets())
            .chain([self.protocol, self.command, 0])
            .chain(len.to_le_bytes());
        for (place, octet) in out.iter_mut().zip(header.chain(self.frame.iter().copied())) {
            *place = octet;
        }
        Ok(out)
    }
}

/// The wire format of a pipe.
#[derive(Debug, Clone, Copy)]
struct Pipe;

impl Wire for Pipe {
    const IS_LINE: bool = false;

    fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16, u16) -> u8) -> Front {
        let wait = |at: u16| Front::Wait(at.wrapping_add(1));
        let header = Front::Reject(ErrorKind::Header);
        match octets.first() {
            None => return wait(0),
            Some(&START) => {}
            Some(_) => return Front::Noise,
        }
        for at in [1, 2] {
            match octets.get(usize::from(at)).copied().map(Endpoint::from_octet) {
                None => return wait(at),
                Some(None) => return header,
                Some(Some(_)) => {}
            }
        }
        let Some(&[low, high]) = octets.get(13..15).and_then(|len| len.first_chunk::<2>()) else {
            return wait(14);
        };
        let len = u16::from_le_bytes([low, high]);
        if len > frame::LONGEST || len.wrapping_add(HEADER) > longest {
            return Front::Reject(ErrorKind::TooLong);
        }
        let inner = len.wrapping_sub(OVERHEAD);
        let expect = [(15, START), (22, START), (24, inner.to_le_bytes()[0])];
        if len < OVERHEAD {
            return header;
        }
        for (at, octet) in expect {
            match octets.get(usize::from(at)) {
                None => return wait(at),
                Some(found) if *found != octet => return header,
                Some(_) => {}
            }
        }
        let whole = len.wrapping_add(HEADER);
        let check = whole.wrapping_sub(2);
        let mut tail = octets.get(usize::from(check)..).unwrap_or_default().iter();
        match tail.next() {
            None => return wait(check),
            Some(found) if *found == sum(HEADER, check) => {}
            Some(_) => return Front::Reject(ErrorKind::Checksum),
        }
        match tail.next() {
            None => Front::Wait(whole),
            Some(&END) => Front::Frame(whole),
            Some(_) => Front::Reject(ErrorKind::End),
        }
    }

    fn first(octet: u8) -> First {
        if octet == START { First::Start } else { First::Noise }
    }

    fn noise(octets: &[u8]) -> usize {
        octets.iter().position(|&octet| octet == START).unwrap_or(octets.len())
    }
}

/// Finds packets in the octets of a pipe, whatever pieces they come in; as [`crate::Decoder`].
#[derive(Debug, Clone)]
pub struct Decoder<B> {
    machine: Machine<Pipe>,
    storage: B,
}

impl<B> Decoder<B> {
    /// Works in a `static`.
    #[must_use]
    pub const fn new(storage: B) -> Self {
        Self { machine: Machine::new(), storage }
    }

    /// What has passed so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.machine.stats()
    }

    /// Octets taken in that have led to no event yet.
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.machine.held()
    }

    /// Forgets what is held.
    pub fn reset(&mut self) {
        self.machine.reset();
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// The next packet or error, see [`crate::Decoder::decode`].
    pub fn decode<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Result<Packet<'s>, Error>> {
        let found = self.machine.advance(self.storage.as_mut(), input)?;
        Some(found.map(|found| self.packet(found)))
    }

    /// The pipe has been closed; call until `None`.
    pub fn finish(&mut self) -> Option<Result<Packet<'_>, Error>> {
        let found = self.machine.finish(self.storage.as_mut())?;
        Some(found.map(|found| self.packet(found)))
    }

    /// Storage for octets read in place, see [`crate::Decoder::spare_mut`].
    pub fn spare_mut(&mut self) -> &mut [u8] {
        let storage = self.storage.as_mut();
        let spare = self.machine.spare(storage.len());
        storage.get_mut(spare).unwrap_or_default()
    }

    /// So many octets have been read in place.
    pub fn commit(&mut self, n: usize) {
        self.machine.commit(n, self.storage.as_ref().len());
    }

    fn packet<'s, 'i: 's>(&'s self, found: Found<'i>) -> Packet<'s> {
        let octets = match found {
            Found::Input(octets) => octets,
            Found::Stored(from, to) => {
                self.storage.as_ref().get(usize::from(from)..usize::from(to)).unwrap_or_default()
            }
        };
        Packet { octets }
    }
}

/// All packets and errors of a whole slice.
#[must_use]
pub fn packets(input: &[u8]) -> Packets<'_> {
    Packets { slices: Slices::new(input) }
}

/// See [`packets`].
#[derive(Debug, Clone)]
pub struct Packets<'i> {
    slices: Slices<'i, Pipe>,
}

impl<'i> Iterator for Packets<'i> {
    type Item = Result<Packet<'i>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.slices.next(LONGEST).map(|event| event.map(|octets| Packet { octets }))
    }
}
