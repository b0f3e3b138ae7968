//! The medium that three meters and a concentrator share: half duplex, with echo, losing frames. A frame is on it until each meter that has
//! supply has worked it off, which a read over DL/T 645 shows; its sender hears it back then. So nobody is overrun, however slow the host is.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use dlt645::{Address, Identifier, Moment, Query, Reply, Request, Version};
use upgrade_proto::carrier::plain::{Decoder, Frame, OVERHEAD};

use crate::emulator::{Ended, Meter, Out};

/// No single thing takes longer, unless something is wrong.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The clock that meters are told at each start: the first second of the test.
const START: (u8, u8, u8, u8, u8, u8) = (26, 11, 21, 9, 0, 0);
/// A read that is not answered is sent again, as every master does.
const AGAIN: Duration = Duration::from_secs(3);
/// From the frame of this number on, a meter that has been spared so far is killed.
const LATE: u32 = 150;
/// The concentrator's address.
const CONCENTRATOR: [u8; 6] = [0; 6];

/// Numbers that look random and are the same each time (xorshift).
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % most
    }
}

pub struct Medium {
    pub meters: Vec<Meter>,
    rng: Rng,
    /// Frames lost of a hundred, for each that hears them.
    loss: u64,
    /// How many more times each meter is killed.
    kills: Vec<u32>,
    /// One frame in so many kills a meter that works on it.
    pub every: u64,
    frames: Receiver<Vec<u8>>,
    concentrator: Option<TcpStream>,
    streams: Receiver<TcpStream>,
    pub port: u16,
    /// Frames on the medium, and how often one did not reach somebody.
    pub carried: u32,
    pub lost: u32,
}

impl Medium {
    pub fn new(meters: Vec<Meter>, seed: u64) -> Result<Medium, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        let (to, frames) = channel();
        let (opened, streams) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = stream.set_nodelay(true);
                let Ok(copy) = stream.try_clone() else { continue };
                if opened.send(copy).is_err() {
                    return;
                }
                let to = to.clone();
                thread::spawn(move || listen(stream, |frame| to.send(frame).is_ok()));
            }
        });
        let kills = vec![0; meters.len()];
        Ok(Medium {
            meters,
            rng: Rng::new(seed),
            loss: 0,
            kills,
            every: 40,
            frames,
            concentrator: None,
            streams,
            port,
            carried: 0,
            lost: 0,
        })
    }

    /// From now on, so many frames of a hundred are lost, and each meter is killed so many times.
    pub fn disturb(&mut self, loss: u64, kills: u32) {
        self.loss = loss;
        self.kills.fill(kills);
    }

    fn loses(&mut self) -> bool {
        let lost = self.rng.below(100) < self.loss;
        self.lost += u32::from(lost);
        lost
    }

    /// Whether this meter's time has come.
    fn strikes(&mut self, meter: usize, every: u64) -> bool {
        let never = self.carried > LATE && !self.meters[meter].ends.contains(&Ended::Killed);
        let strikes = self.kills[meter] > 0 && (self.rng.below(every) == 0 || never);
        self.kills[meter] -= u32::from(strikes);
        strikes
    }

    /// Lets all go on until `done` says so.
    pub fn run(&mut self, mut done: impl FnMut(&mut Medium) -> Result<bool, String>) -> Result<(), String> {
        let mut active = Instant::now();
        while !done(self)? {
            let frame = self.frames.recv_timeout(Duration::from_millis(2));
            // Behind the frame: what a concentrator says first may come before it is looked for.
            if let Ok(stream) = self.streams.try_recv() {
                self.concentrator = Some(stream);
            }
            if let Ok(frame) = frame {
                self.carry(&frame, None)?;
                active = Instant::now();
            }
            for meter in 0..self.meters.len() {
                let found = self.look(meter, Duration::ZERO)?;
                for out in found {
                    active = Instant::now();
                    if let Out::Message(frame) = out {
                        self.carry(&frame, Some(meter))?;
                    }
                }
            }
            if active.elapsed() > PATIENCE {
                return Err(format!("nothing happened for {} s", PATIENCE.as_secs()));
            }
        }
        Ok(())
    }

    /// What has come out of a meter; starts it when it is down, and tells it the time when it is up.
    fn look(&mut self, meter: usize, wait: Duration) -> Result<Vec<Out>, String> {
        if !self.meters[meter].is_running() {
            // One start in three is cut short, wherever the boot loader or the program is then.
            let kill = self.strikes(meter, 3).then(|| self.rng.below(400));
            let kill = kill.map(|time| Instant::now() + Duration::from_millis(time));
            self.meters[meter].start(kill)?;
        }
        let found = self.meters[meter].look(wait)?;
        if found.iter().any(|out| matches!(out, Out::Ready)) {
            let (year, month, day, hour, minute, second) = START;
            let request = Request::BroadcastTime(Moment::to_second(year, month, day, hour, minute, second));
            let mut buffer = [0; 40];
            let octets = request.encode(Version::V2007, Address::BROADCAST, 4, &mut buffer);
            let octets = octets.map_err(|error| error.to_string())?;
            self.meters[meter].put(octets);
        }
        Ok(found)
    }

    /// One frame on the medium, from the concentrator or a meter; what is said to it follows it.
    fn carry(&mut self, frame: &[u8], from: Option<usize>) -> Result<(), String> {
        let mut waiting = vec![(frame.to_vec(), from)];
        while let Some((frame, from)) = waiting.pop() {
            self.carried += 1;
            let mut reached = Vec::new();
            for meter in 0..self.meters.len() {
                // One's own frame is heard back whole.
                if from == Some(meter) || !self.loses() {
                    self.meters[meter].put(&frame);
                    reached.push(meter);
                }
            }
            for meter in reached {
                if from.is_none() && self.strikes(meter, self.every) {
                    let soon = Duration::from_millis(self.rng.below(10));
                    self.meters[meter].kill_at(Instant::now() + soon);
                }
                for answer in self.settle(meter)? {
                    waiting.insert(0, (answer, Some(meter)));
                }
            }
            if (from.is_none() || !self.loses())
                && let Some(stream) = &mut self.concentrator
                && stream.write_all(&frame).is_err()
            {
                self.concentrator = None;
            }
        }
        Ok(())
    }

    /// Waits until a meter has worked off all that was put on its line; what it said to it.
    fn settle(&mut self, meter: usize) -> Result<Vec<Vec<u8>>, String> {
        let mut messages = Vec::new();
        if self.meters[meter].ready {
            let octets = request(self.meters[meter].address, 0x0201_0100)?;
            self.meters[meter].put(&octets);
            let begin = Instant::now();
            let (mut answered, mut asked) = (false, begin);
            while self.meters[meter].ready && !answered {
                if asked.elapsed() > AGAIN {
                    self.meters[meter].put(&octets);
                    asked = Instant::now();
                }
                for out in self.look(meter, Duration::from_millis(20))? {
                    match out {
                        Out::Message(frame) => messages.push(frame),
                        Out::Frame(_) => answered = true,
                        Out::Ready => {}
                    }
                }
                if begin.elapsed() > PATIENCE {
                    return Err(format!("meter {meter} does not answer a read"));
                }
            }
        }
        Ok(messages)
    }

    /// Reads a datum over DL/T 645; octets as they are sent, without 33H. `None` where the meter refuses.
    pub fn read(&mut self, meter: usize, identifier: u32) -> Result<Option<Vec<u8>>, String> {
        let octets = request(self.meters[meter].address, identifier)?;
        let begin = Instant::now();
        let mut asked: Option<Instant> = None;
        loop {
            if self.meters[meter].ready && asked.is_none_or(|asked| asked.elapsed() > AGAIN) {
                self.meters[meter].put(&octets);
                asked = Some(Instant::now());
            }
            for out in self.look(meter, Duration::from_millis(20))? {
                let Out::Frame(frame) = out else { continue };
                let (frame, _) = dlt645::Frame::parse(&frame).map_err(|error| error.to_string())?;
                match Reply::parse(&frame, Version::V2007) {
                    Ok(Reply::Data { identifier: is, data, .. }) if is.code() == identifier => {
                        return Ok(Some(data.iter().collect()));
                    }
                    Ok(Reply::Refused(..)) => return Ok(None),
                    _ => {}
                }
            }
            asked = asked.filter(|_| self.meters[meter].ready);
            if begin.elapsed() > PATIENCE {
                return Err(format!("meter {meter} does not answer a read of {identifier:08X}"));
            }
        }
    }

    /// Asks a meter something of the upgrade, and waits for its answer's message.
    pub fn ask(&mut self, meter: usize, message: &[u8]) -> Result<Vec<u8>, String> {
        let to = upgrade_proto::package::Address(self.meters[meter].address);
        let from = upgrade_proto::package::Address(CONCENTRATOR);
        let mut buffer = vec![0; message.len() + OVERHEAD];
        let octets =
            Frame { to, from, message }.encode(&mut buffer).map_err(|error| error.to_string())?.to_vec();
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if self.meters[meter].ready {
                self.meters[meter].put(&octets);
                if let Some(frame) = self.settle(meter)?.into_iter().next() {
                    return Ok(frame[16..frame.len() - 4].to_vec());
                }
            }
            self.look(meter, Duration::from_millis(20))?;
        }
        Err(format!("meter {meter} does not answer"))
    }

    /// How often a meter's runs ended so.
    pub fn ends(&self, meter: usize, how: Ended) -> usize {
        self.meters[meter].ends.iter().filter(|end| **end == how).count()
    }
}

fn request(address: [u8; 6], identifier: u32) -> Result<Vec<u8>, String> {
    let mut octets = address;
    octets.reverse();
    let request = Request::Read { identifier: Identifier::V2007(identifier), query: Query::All };
    let mut buffer = [0; 40];
    let octets = request.encode(Version::V2007, Address::from_octets(octets), 4, &mut buffer);
    Ok(octets.map_err(|error| error.to_string())?.to_vec())
}

/// Hands on each frame that comes from the concentrator.
fn listen(mut stream: TcpStream, mut each: impl FnMut(Vec<u8>) -> bool) {
    let mut decoder = Decoder::new(vec![0; 2048]);
    let mut buffer = [0; 1024];
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        let mut input = &buffer[..len];
        while let Some(frame) = decoder.decode(&mut input) {
            let mut whole = vec![0; frame.message.len() + OVERHEAD];
            let Ok(len) = frame.encode(&mut whole).map(<[u8]>::len) else { return };
            whole.truncate(len);
            if !each(whole) {
                return;
            }
        }
    }
}
