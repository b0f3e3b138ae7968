//! The crate's session on a port and a clock.

use super::port::Port;
use dlt645::{
    Address, Decoder, Discovery, DiscoveryConfig, DiscoveryEvent, End, ErrorKind, Frame, GAP, Ignored,
    Master, MasterConfig, MasterEvent, Reply, Request, STORAGE, StartError,
};
use std::io;
use std::time::{Duration, Instant};

/// How long octets that make no reply can put off the time-out: the longest reply takes 5 s at 600 bit/s.
const PATIENCE: u32 = 10_000;

/// Why there is no answer.
#[derive(Debug)]
pub enum Failed {
    /// The request cannot be made.
    Start(StartError),
    NoReply,
    Port(io::Error),
}

impl From<io::Error> for Failed {
    fn from(error: io::Error) -> Self {
        Self::Port(error)
    }
}

/// The frames of an answer, none for a request that nobody answers.
#[derive(Debug, Default)]
pub struct Answer {
    pub frames: Vec<Vec<u8>>,
    pub refused: bool,
    /// The meter had more than was taken.
    pub cut: bool,
}

pub struct Session {
    port: Port,
    decoder: Decoder<Vec<u8>>,
    config: MasterConfig,
    start: Instant,
    last_octet: u32,
}

impl Session {
    pub fn new(port: Port, config: MasterConfig) -> Self {
        Self { port, decoder: Decoder::new(vec![0; STORAGE]), config, start: Instant::now(), last_octet: 0 }
    }

    pub fn config(&mut self) -> &mut MasterConfig {
        &mut self.config
    }

    pub fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        self.port.set_rate(rate)
    }

    /// Milliseconds since the session began, modulo 2^32 as the crate has it.
    #[expect(clippy::cast_possible_truncation, reason = "the crate's clock wraps")]
    fn now(&self) -> u32 {
        self.start.elapsed().as_millis() as u32
    }

    /// Waits for octets until `until` or for as long as a gap in a frame; gives all frames and counts errors.
    fn listen(
        &mut self,
        until: u32,
        mut take: impl FnMut(&Frame<'_>, u32),
    ) -> io::Result<(usize, Vec<ErrorKind>)> {
        let left = until.wrapping_sub(self.now());
        // Behind the time: look once, do not wait.
        let wait = if left > 1 << 31 { 0 } else { left.min(GAP) };
        let mut chunk = [0; 512];
        let n = self.port.read(&mut chunk, Duration::from_millis(wait.into()))?;
        let now = self.now();
        let mut errors = Vec::new();
        let mut input = chunk.get(..n).unwrap_or_default();
        if n > 0 {
            self.last_octet = now;
            while let Some(event) = self.decoder.decode(&mut input) {
                match event {
                    Ok(frame) => take(&frame, now),
                    Err(error) => errors.push(error.kind),
                }
            }
        } else if now.wrapping_sub(self.last_octet) >= GAP {
            while let Some(event) = self.decoder.finish() {
                match event {
                    Ok(frame) => take(&frame, now),
                    Err(error) => errors.push(error.kind),
                }
            }
        }
        Ok((n, errors))
    }

    /// Gives up a frame in progress; whether there was anything.
    fn give_up(&mut self) -> bool {
        let held = self.decoder.held() > 0;
        while self.decoder.finish().is_some() {}
        held
    }

    /// Sends a request and takes its whole answer.
    pub fn ask(&mut self, address: Address, request: &Request<'_>) -> Result<Answer, Failed> {
        let mut master = Master::new(self.config, vec![0; 400]);
        master.start(address, request).map_err(Failed::Start)?;
        let mut answer = Answer::default();
        let mut out = [0; 400];
        let mut sent_at = self.now();
        loop {
            let now = self.now();
            if let Some(octets) = master.poll_transmit(&mut out, now) {
                self.port.write(octets)?;
                sent_at = now;
                if master.is_idle() {
                    answer.frames.push(octets.to_vec());
                }
            }
            let Some(until) = master.poll_timeout() else { return Ok(answer) };
            let mut take = |frame: &Frame<'_>, now: u32| match master.handle_frame(frame, now) {
                MasterEvent::Reply { reply, end, .. } => {
                    answer.frames.push(frame.octets().to_vec());
                    answer.refused |= matches!(reply, Reply::Refused(..) | Reply::SecurityRefused(..));
                    answer.cut |= end == End::Cut;
                }
                MasterEvent::Ignored(Ignored::Malformed) => {
                    eprintln!("meter: a reply whose data do not fit its control code is passed over");
                }
                _ => {}
            };
            let (n, _) = self.listen(until, &mut take)?;
            let now = self.now();
            if n > 0 && now.wrapping_sub(sent_at) < self.config.reply_timeout.saturating_add(PATIENCE) {
                master.handle_activity(now);
            }
            if let Some(MasterEvent::Failed { .. }) = master.handle_timeout(now) {
                return if answer.frames.is_empty() {
                    Err(Failed::NoReply)
                } else {
                    answer.cut = true;
                    Ok(answer)
                };
            }
        }
    }

    /// Searches for meters; `found` hears of every event.
    pub fn discover(
        &mut self,
        config: DiscoveryConfig<'_>,
        mut found: impl FnMut(DiscoveryEvent),
    ) -> io::Result<()> {
        let mut search = Discovery::new(config);
        let mut out = [0; 64];
        loop {
            while let Some(event) = search.poll_event() {
                found(event);
                match event {
                    DiscoveryEvent::SetRate(rate) => self.port.set_rate(rate.into())?,
                    DiscoveryEvent::Done => return Ok(()),
                    _ => {}
                }
            }
            let now = self.now();
            if let Ok(Some(octets)) = search.poll_transmit(&mut out, now) {
                self.port.write(octets)?;
            }
            let Some(until) = search.poll_timeout() else { continue };
            let mut frames = Vec::new();
            let (_, errors) = self.listen(until, |frame, _| frames.push(frame.octets().to_vec()))?;
            for octets in &frames {
                if let Ok((frame, _)) = Frame::parse(octets) {
                    search.handle_frame(&frame);
                    while let Some(event) = search.poll_event() {
                        found(event);
                    }
                }
            }
            // What is left of a collision belongs to this question, not to the next.
            let left = until.wrapping_sub(self.now());
            let over = left == 0 || left > 1 << 31;
            errors.into_iter().for_each(|kind| search.handle_error(kind));
            if over && self.give_up() {
                search.handle_noise();
            }
            search.handle_timeout(self.now());
        }
    }
}
