//! The services of the unit and the virtual bus between them (paper 001): metering and platform management, one extended application;
//! the communication service is the slave on the line, and asks the others over the bus.

use dlt645::bus::{
    App, Bus, BusConfig, Conflict, Endpoint, Packet, PacketBuilder, Pipes, Process, Registry, Route, command,
};
use dlt645::{
    Access, Address, Data, Identifier, Meter, Moment, Part, Query, Reason, Refusal, Reply, Request, Version,
};
use heapless::Vec;

use super::{Clock, Metering, Rate};

/// A packet on the bus: its header and the longest frame.
const PACKET: usize = 288;
/// Storage of an application: one reply.
const REPLY: usize = 224;
/// The extended application.
const WATCH: Process = Process::Extended(1);
/// What it answers for: 00FExxxx, which the standard leaves to makers.
const WATCHED: (u32, u32) = (0x00FE_0000, 0xFFFF_0000);
/// Its only datum: the highest power since the start, three octets, 0.1 W.
const HIGHEST: u32 = 0x00FE_0001;

/// What the platform service tells of the unit.
#[derive(Clone, Copy, Debug, Default)]
pub struct Facts {
    /// Version of the program, date and number.
    pub version: (u32, u16),
    /// State of the upgrade, in the record's code.
    pub upgrade: u8,
}

/// The unit's services on their bus. As a [`Meter`] it is the communication service: what comes from the line is asked over the bus.
#[derive(Debug)]
pub struct Unit {
    bus: Bus<8>,
    mail: Mail,
    metering: App<Measured, [u8; REPLY]>,
    platform: App<Platform, [u8; REPLY]>,
    watch: App<Watch, [u8; REPLY]>,
    address: Address,
    rate: Rate,
}

impl Unit {
    /// The unit of the meter with this address; the extended application has registered.
    #[must_use]
    pub fn new(address: Address, facts: Facts) -> Self {
        let mut registry = Registry::new(Conflict::Narrower);
        for (identifier, mask, owner) in [
            (0x0000_0000, 0xFF00_0000, Process::Metering),
            (0x0200_0000, 0xFF00_0000, Process::Metering),
            (0x0400_0000, 0xFF00_0000, Process::Platform),
        ] {
            // There is room for eight.
            let _ = registry.add(Route::new(identifier, mask, owner));
        }
        let mut unit = Self {
            bus: Bus::new(registry, BusConfig::new()),
            mail: Mail::default(),
            metering: App::new(
                Process::Metering,
                address,
                Measured { metering: Metering::default() },
                [0; REPLY],
            ),
            platform: App::new(
                Process::Platform,
                address,
                Platform { clock: Clock::default(), facts, address },
                [0; REPLY],
            ),
            watch: App::new(WATCH, address, Watch::default(), [0; REPLY]),
            address,
            rate: Rate::Flat,
        };
        unit.register();
        unit
    }

    /// The extended application tells the bus what it answers for.
    fn register(&mut self) {
        let mut data = [0u8; 8];
        let octets = WATCHED.0.to_le_bytes().into_iter().chain(WATCHED.1.to_le_bytes());
        data.iter_mut().zip(octets).for_each(|(place, octet)| *place = octet);
        let frame = dlt645::Builder {
            address: self.address,
            control: dlt645::Control::from_octet(0x14),
            data: Data::plain(&data),
            wake_up: 0,
        };
        let (mut octets, mut out) = ([0; 40], [0; 60]);
        let Ok(frame) = frame.encode(&mut octets) else { return };
        let to = Endpoint::new(Process::Bus, 0);
        let packet = PacketBuilder {
            command: command::REGISTER,
            ..PacketBuilder::new(Endpoint::new(WATCH, 0), to, self.address, frame)
        };
        if let Ok(packet) = packet.encode(&mut out)
            && let Ok((packet, _)) = Packet::parse(packet)
        {
            self.bus.handle_packet(&packet, 0, &mut self.mail);
            // The bus's answer says that it was taken; without it the identifiers are nobody's, which the line tells.
            self.mail.to = None;
        }
    }

    /// A second has passed: metering, and the extended application looks at what was measured.
    pub fn second(&mut self) {
        self.platform.modules().clock.tick();
        let metering = &mut self.metering.modules().metering;
        metering.second(self.rate);
        let power = metering.power;
        let watch = self.watch.modules();
        watch.highest = watch.highest.max(power);
    }

    /// The rate that the clock's hour has.
    pub fn time_of_use(&mut self) -> Rate {
        self.rate = Rate::of(self.platform.modules().clock.hour());
        self.rate
    }

    /// What the meter measures and counts.
    pub fn metering(&mut self) -> &Metering {
        &self.metering.modules().metering
    }

    /// The clock, in seconds since 2000-01-01, if it is set.
    pub fn time(&mut self) -> Option<u32> {
        self.platform.modules().clock.seconds()
    }

    /// Where the upgrade stands, for whoever asks the platform service.
    pub fn set_upgrade(&mut self, state: u8) {
        self.platform.modules().facts.upgrade = state;
    }

    /// Carries packets until one is for the communication service, or none is left.
    fn carry(&mut self, asked: &[u8], out: &mut Vec<u8, PACKET>) -> Option<()> {
        let (packet, _) = Packet::parse(asked).ok()?;
        self.bus.handle_packet(&packet, 0, &mut self.mail);
        // A combined read takes a turn for each member of its block.
        for _ in 0..64 {
            let to = self.mail.to.take()?;
            let packet = self.mail.packet.clone();
            if to == Process::Communication {
                *out = packet;
                return Some(());
            }
            let (packet, _) = Packet::parse(&packet).ok()?;
            let mut answer = [0; PACKET];
            let answer = match to {
                Process::Metering => self.metering.handle_packet(&packet, &mut answer),
                Process::Platform => self.platform.handle_packet(&packet, &mut answer),
                WATCH => self.watch.handle_packet(&packet, &mut answer),
                _ => return None,
            };
            let (answer, _) = Packet::parse(answer.ok()??).ok()?;
            self.bus.handle_packet(&answer, 0, &mut self.mail);
        }
        None
    }
}

impl Meter for Unit {
    fn get(
        &mut self,
        identifier: Identifier,
        query: Query,
        part: u8,
        out: &mut [u8],
    ) -> Result<Part, Reason> {
        if part != 0 {
            // Nothing here is longer than a frame.
            return Err(Reason::NoData);
        }
        let (mut frame, mut asked) = ([0; 40], [0; 60]);
        let request = Request::Read { identifier, query };
        let frame = request.encode(Version::V2007, self.address, 0, &mut frame).map_err(|_| Reason::Other)?;
        let (from, to) = (Endpoint::new(Process::Communication, 1), Endpoint::new(Process::Bus, 0));
        let asked = PacketBuilder::new(from, to, self.address, frame).encode(&mut asked);
        let mut answer = Vec::new();
        self.carry(asked.map_err(|_| Reason::Other)?, &mut answer).ok_or(Reason::Other)?;
        let (answer, _) = Packet::parse(&answer).map_err(|_| Reason::Other)?;
        match Reply::parse(&answer.frame(), Version::V2007) {
            Ok(Reply::Data { data, .. }) => {
                let len = data.copy_to(out).ok_or(Reason::Other)?.len();
                Ok(Part { len, more: false })
            }
            Ok(Reply::Refused(_, word)) if word.has(Reason::NoData) => Err(Reason::NoData),
            _ => Err(Reason::Other),
        }
    }

    fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
        Err(Reason::Password)
    }

    fn action(&mut self, request: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        match request {
            Request::BroadcastTime(moment) if self.platform.modules().clock.set(*moment) => {
                self.time_of_use();
                Ok(0)
            }
            _ => Err(Refusal::Silent),
        }
    }

    fn clock(&self) -> Option<Moment> {
        // Each start has lost the time, and is told it once: the rules for a clock that goes are left out.
        None
    }
}

/// The pipes: one packet at a time, since each is carried to its end before the next.
#[derive(Debug, Default)]
struct Mail {
    to: Option<Process>,
    packet: Vec<u8, PACKET>,
}

impl Pipes for Mail {
    type Error = ();

    fn open(&mut self, process: Process) -> Result<(), ()> {
        if process == WATCH { Ok(()) } else { Err(()) }
    }

    fn send(&mut self, process: Process, packet: &[u8]) -> Result<(), ()> {
        self.packet = Vec::from_slice(packet).map_err(|_| ())?;
        self.to = Some(process);
        Ok(())
    }
}

/// Writes a number as BCD pairs, lowest first; its highest digits are cut off.
fn bcd(number: u64, octets: usize, out: &mut [u8]) -> Result<usize, Reason> {
    let mut left = number;
    for place in out.get_mut(..octets).ok_or(Reason::Other)? {
        let pair = u8::try_from(left % 100).unwrap_or(0);
        *place = ((pair / 10) << 4) | (pair % 10);
        left /= 100;
    }
    Ok(octets)
}

const fn whole(len: usize) -> Part {
    Part { len, more: false }
}

/// The metering service.
#[derive(Debug)]
struct Measured {
    metering: Metering,
}

impl Meter for Measured {
    fn get(&mut self, identifier: Identifier, _: Query, _: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let metering = &self.metering;
        let len = match identifier.code() {
            0x0000_0000 | 0x0001_0000 => bcd(metering.energy(None), 4, out)?,
            0x0001_0200 => bcd(metering.energy(Some(Rate::Peak)), 4, out)?,
            0x0001_0300 => bcd(metering.energy(Some(Rate::Flat)), 4, out)?,
            0x0001_0400 => bcd(metering.energy(Some(Rate::Valley)), 4, out)?,
            0x0201_0100 => bcd(metering.voltage.into(), 2, out)?,
            0x0202_0100 => bcd(metering.current().into(), 3, out)?,
            0x0203_0000 | 0x0203_0100 => bcd(u64::from(metering.power).saturating_mul(10), 3, out)?,
            _ => return Err(Reason::NoData),
        };
        Ok(whole(len))
    }

    fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
        Err(Reason::Password)
    }

    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        Err(Refusal::Silent)
    }
}

/// The platform service.
#[derive(Debug)]
struct Platform {
    clock: Clock,
    facts: Facts,
    address: Address,
}

impl Platform {
    /// `YYYYMMDD.N`, blanks behind it up to 32 letters, sent last letter first as the standard has it for numbers and texts.
    fn version(&self, out: &mut [u8]) -> Option<usize> {
        let mut text: Vec<u8, 32> = Vec::new();
        let (date, number) = self.facts.version;
        let mut power = 10_000_000;
        while power > 0 {
            text.push(b'0'.saturating_add(u8::try_from(date.checked_div(power)? % 10).ok()?)).ok()?;
            power /= 10;
        }
        text.push(b'.').ok()?;
        let mut power = 10_000;
        while power > 0 {
            let digit = number.checked_div(power)? % 10;
            if number >= power || power == 1 {
                text.push(b'0'.saturating_add(u8::try_from(digit).ok()?)).ok()?;
            }
            power /= 10;
        }
        text.resize(32, b' ').ok()?;
        let out = out.get_mut(..32)?;
        out.iter_mut().zip(text.iter().rev()).for_each(|(place, octet)| *place = *octet);
        Some(32)
    }
}

impl Meter for Platform {
    fn get(&mut self, identifier: Identifier, _: Query, _: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let time = |moment: Option<Moment>, out: &mut [u8]| {
            let moment = moment.ok_or(Reason::NoData)?;
            let out = out.get_mut(..6).ok_or(Reason::Other)?;
            out.iter_mut().zip(moment.octets()).for_each(|(place, octet)| *place = octet);
            Ok(6)
        };
        let len = match identifier.code() {
            // Date and time, ss mm hh DD MM YY.
            0x0400_010C => time(self.clock.moment(), out)?,
            0x0400_0401 => {
                let out = out.get_mut(..6).ok_or(Reason::Other)?;
                out.iter_mut().zip(self.address.octets()).for_each(|(place, octet)| *place = octet);
                6
            }
            // The maker's version of the software.
            0x0480_0001 => self.version(out).ok_or(Reason::Other)?,
            // The state of the upgrade.
            0x04FE_0001 => bcd(self.facts.upgrade.into(), 1, out)?,
            _ => return Err(Reason::NoData),
        };
        Ok(whole(len))
    }

    fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
        Err(Reason::Password)
    }

    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        Err(Refusal::Silent)
    }
}

/// The extended application: keeps the highest power.
#[derive(Debug, Default)]
struct Watch {
    highest: u32,
}

impl Meter for Watch {
    fn get(&mut self, identifier: Identifier, _: Query, _: u8, out: &mut [u8]) -> Result<Part, Reason> {
        if identifier.code() != HIGHEST {
            return Err(Reason::NoData);
        }
        bcd(u64::from(self.highest).saturating_mul(10), 3, out).map(whole)
    }

    fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
        Err(Reason::Password)
    }

    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        Err(Refusal::Silent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit() -> Unit {
        let facts = Facts { version: (20_260_301, 2), upgrade: 8 };
        let mut unit = Unit::new(Address::from_number(12), facts);
        for _ in 0..100 {
            unit.second();
        }
        unit
    }

    fn read(unit: &mut Unit, code: u32) -> Result<([u8; 40], usize), Reason> {
        let mut out = [0; 40];
        let part = unit.get(Identifier::V2007(code), Query::All, 0, &mut out)?;
        Ok((out, part.len))
    }

    #[test]
    fn services_and_the_extended_application_answer_over_the_bus() {
        let mut unit = unit();
        let (voltage, len) = read(&mut unit, 0x0201_0100).unwrap();
        assert_eq!((&voltage[..len], unit.metering().voltage), (&[0x10, 0x23][..], 2310));
        let (version, len) = read(&mut unit, 0x0480_0001).unwrap();
        let text: Vec<u8, 40> = version[..len].iter().rev().copied().collect();
        assert_eq!(text, *b"20260301.2                      ");
        let (highest, len) = read(&mut unit, HIGHEST).unwrap();
        assert_eq!(&highest[..len], &[0x00, 0x40, 0x01], "1400.0 W");
        assert_eq!(read(&mut unit, 0x0202_0300), Err(Reason::NoData));
        assert_eq!(read(&mut unit, 0x0300_0000), Err(Reason::NoData), "nobody's");
        assert_eq!(read(&mut unit, 0x0400_010C), Err(Reason::NoData), "no clock yet");
    }

    #[test]
    fn the_time_to_all_sets_clock_and_rate() {
        let mut unit = unit();
        let time = Moment::to_second(26, 11, 21, 9, 0, 0);
        assert_eq!(unit.action(&Request::BroadcastTime(time), &mut []), Ok(0));
        assert_eq!(unit.rate, Rate::Peak);
        let (time, len) = read(&mut unit, 0x0400_010C).unwrap();
        assert_eq!(&time[..len], &[0x00, 0x00, 0x09, 0x21, 0x11, 0x26]);
        let before = unit.time().unwrap();
        unit.second();
        assert_eq!(unit.time(), Some(before + 1));
    }
}
