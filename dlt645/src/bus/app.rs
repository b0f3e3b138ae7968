//! An application's end of the bus: its own data are answered in place, others' are asked for over the bus.

use super::packet::{Endpoint, Packet, PacketBuilder, Process, command};
use crate::address::Address;
use crate::control::Version;
use crate::error::BufferTooSmall;
use crate::frame::Frame;
use crate::service::{BuildError, Request};
use crate::slave::{Handled, Meter, Slave, SlaveConfig};

/// Where a module's request went.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome<'o> {
    /// Own data: this frame is the answer.
    Answered(Frame<'o>),
    /// Others' data: write these octets to the bus; the answer comes back to the thread that asked.
    Forward(&'o [u8]),
}

/// An application whose modules are a [`Meter`]: 11H and 12H get, 14H sets, the others act.
#[derive(Debug, Clone)]
pub struct App<M, B> {
    process: Process,
    slave: Slave<M, B>,
}

impl<M: Meter, B: AsRef<[u8]> + AsMut<[u8]>> App<M, B> {
    /// An application of the meter with `address`; `storage` holds one reply, 224 octets for the longest.
    #[must_use]
    pub const fn new(process: Process, address: Address, modules: M, storage: B) -> Self {
        let mut config = SlaveConfig::new(Version::V2007, address);
        config.wake_up = 0;
        config.delay = 0;
        Self { process, slave: Slave::new(config, modules, storage) }
    }

    /// Its modules.
    pub const fn modules(&mut self) -> &mut M {
        &mut self.slave.meter
    }

    /// Answers a request that the bus has distributed to this application, into `out`; `None` for an answer, or what
    /// is not to be answered.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn handle_packet<'o>(
        &mut self,
        packet: &Packet<'_>,
        out: &'o mut [u8],
    ) -> Result<Option<&'o [u8]>, BufferTooSmall> {
        let mut octets = [0; 280];
        let Some(frame) = self.ask(&packet.frame(), &mut octets) else { return Ok(None) };
        // The thread that was asked answers; what was sent to the bus is answered by the main one.
        let thread =
            if packet.destination().process() == self.process { packet.destination().thread() } else { 0 };
        packet.answer(Endpoint::new(self.process, thread), frame).encode(out).map(Some)
    }

    fn ask<'o>(&mut self, frame: &Frame<'_>, out: &'o mut [u8]) -> Option<&'o [u8]> {
        match self.slave.handle_frame(frame, 0) {
            Handled::Replying => self.slave.poll_transmit(out, 0),
            Handled::Ignored | Handled::Silent => None,
        }
    }

    /// A module's thread asks: its own application if `own` says so, the bus otherwise.
    ///
    /// # Errors
    /// [`BuildError`].
    pub fn request<'o>(
        &mut self,
        thread: u8,
        request: &Request<'_>,
        own: bool,
        out: &'o mut [u8],
    ) -> Result<Outcome<'o>, BuildError> {
        let address = self.slave.config().address;
        let mut octets = [0; 280];
        let frame = request.encode_unlimited(Version::V2007, address, 0, &mut octets)?;
        if own {
            let (frame, _) = Frame::parse(frame).map_err(|_| BuildError::BufferTooSmall)?;
            let answer = self.ask(&frame, out).ok_or(BuildError::BufferTooSmall)?;
            let (answer, _) = Frame::parse(answer).map_err(|_| BuildError::BufferTooSmall)?;
            return Ok(Outcome::Answered(answer));
        }
        let source = Endpoint::new(self.process, thread);
        let packet = PacketBuilder::new(source, Endpoint::new(Process::Bus, 0), address, frame);
        packet.encode(out).map(Outcome::Forward).map_err(BuildError::from)
    }

    /// The thread that an answer from the bus is for; `None` for a request, or another application's.
    #[must_use]
    pub fn answers(&self, packet: &Packet<'_>) -> Option<u8> {
        let here = packet.destination().process() == self.process;
        let answer = packet.frame().control().from_meter() || packet.command() & command::ANSWER != 0;
        (here && answer).then_some(packet.destination().thread())
    }
}
