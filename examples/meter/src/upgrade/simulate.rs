//! One simulated job: the crate's own sender and receivers on a modelled channel and modelled flash.

use std::sync::Arc;

use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::flash::Span;
use upgrade_proto::message::{BLOCK_HEADER_LEN, Identity};
use upgrade_proto::package::{Address, Manifest, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Outcome, Receiver, Work};
use upgrade_proto::sender::{Memory, Meter, Sender, Settings, State, To, Traffic};
use upgrade_proto::session::Plane;

use super::channel::{Channel, Rng, lower_bound};
use super::flash::{Content, MeterFlash, SECTOR};
use super::image::Image;
use super::memo::{self, Memo, MemoHash};
pub use super::scenario::{Octets, Outline, Scenario};

/// Longest block the simulated meters take.
const BLOCK_MAX: usize = 1024;

type Node = Receiver<MeterFlash, FlashMap, MemoHash, Vec<u8>, BLOCK_MAX>;

struct Seat {
    node: Option<Node>,
    /// When its flash is free again.
    busy: f64,
    /// Nothing to do before.
    wake: f64,
    /// Has work to do between frames.
    working: bool,
    off_until: f64,
    next_cut: f64,
    online_from: f64,
}

struct World {
    scenario: Scenario,
    seats: Vec<Seat>,
    channel: Channel,
    rng: Rng,
    now: f64,
    /// Until when the meters have worked.
    done: f64,
    /// Direction of the last frame: from the concentrator.
    down: bool,
    octets: Octets,
    carrier: f64,
    frame: u32,
    overruns: u64,
    coded: bool,
    /// Meters that have an answer to give.
    asked: Vec<usize>,
}

fn address(at: usize) -> Address {
    let [_, _, c, d, e, f, ..] = (at as u64).to_le_bytes();
    let [a, b, ..] = (at as u64).to_le_bytes();
    Address([f, e, d, c, b, a])
}

fn seat_of(address: Address) -> usize {
    let Address([_, _, d, c, b, a]) = address;
    u32::from_le_bytes([a, b, c, d]) as usize
}

fn sectors(octets: usize) -> u32 {
    (octets as u32).div_ceil(SECTOR) * SECTOR
}

/// A made-up image: incompressible, the same for the same seed.
fn image(scenario: &Scenario) -> Result<Image, String> {
    let mut rng = Rng::new(scenario.seed ^ 0x1AA6E);
    let octets =
        (0..scenario.size.div_ceil(8)).flat_map(|_| rng.next().to_le_bytes()).take(scenario.size).collect();
    let manifest = Manifest {
        tagged: true,
        maker: *b"SIMU",
        version: Version { date: 20_240_116, number: 1 },
        last: Address([0xFF; 6]),
        block: scenario.block,
        // A signature's worth of octets, so that the manifest is as long as a signed one.
        extensions: &[0; 67],
        ..Manifest::default()
    };
    Image::new(octets, manifest, !scenario.tags).map_err(|error| error.to_string())
}

fn settings(scenario: &Scenario, used: u16) -> Settings {
    let erase = f64::from(sectors(scenario.size) / SECTOR + 20) * (scenario.times.erase + 0.005) * 1000.0;
    let verify = scenario.size as f64 / scenario.times.read_rate * 1000.0 + 500.0;
    Settings {
        strategy: scenario.strategy,
        rate: scenario.rate as u32,
        overhead: scenario.overhead.saturating_sub(BLOCK_HEADER_LEN),
        longest: scenario.block.saturating_add(100),
        gap: (scenario.gap * 1000.0) as u16,
        turnaround: (scenario.turnaround * 1000.0) as u16,
        tries: 30,
        silences: 10,
        stalls: 12,
        rounds: 5000,
        erase: erase as u32,
        verify: verify as u32,
        silence: 20_000,
        group: used,
        ..Settings::default()
    }
}

impl World {
    fn new(scenario: &Scenario, image: &Image) -> Self {
        let frame = u32::from(scenario.block) + u32::from(scenario.overhead);
        let block = u32::from(scenario.block);
        let unit = block.max(SECTOR);
        let meta_span = (image.meta.len() as u32 * block).div_ceil(unit).max(1) * unit;
        let image_span = (scenario.size as u32).div_ceil(unit) * unit;
        let mut octets = Vec::with_capacity((meta_span + image_span) as usize);
        for block in &image.meta {
            octets.extend_from_slice(block);
            octets.resize(octets.len().div_ceil(scenario.block.into()) * usize::from(scenario.block), 0xFF);
        }
        octets.resize(meta_span as usize, 0xFF);
        octets.extend_from_slice(&image.octets);
        let content = Arc::new(Content { block, meta_span, image_span, octets });
        let mut rng = Rng::new(scenario.seed ^ 0x5EED);
        let seats = (0..scenario.meters)
            .map(|at| {
                let flash = MeterFlash::new(content.clone(), scenario.times, true);
                let next_cut = next_cut(&mut rng, scenario.cuts, 0.0);
                let late = at >= scenario.meters - scenario.late.min(scenario.meters);
                Seat {
                    node: Some(node(scenario, at, meta_span, image_span, flash)),
                    busy: 0.0,
                    wake: 0.0,
                    working: false,
                    off_until: 0.0,
                    next_cut,
                    online_from: if late { scenario.late_at } else { 0.0 },
                }
            })
            .collect();
        World {
            scenario: scenario.clone(),
            seats,
            channel: Channel::new(
                scenario.kind,
                scenario.loss,
                scenario.burst,
                scenario.meters,
                frame,
                scenario.seed,
            ),
            rng,
            now: 0.0,
            done: 0.0,
            down: true,
            octets: Octets::default(),
            carrier: f64::from(scenario.overhead.saturating_sub(BLOCK_HEADER_LEN)),
            frame,
            overruns: 0,
            coded: false,
            asked: Vec::new(),
        }
    }

    fn on_air(&mut self, octets: usize, traffic: Traffic, meta: bool, down: bool) {
        let all = octets as f64 + self.carrier;
        match traffic {
            Traffic::Data => self.octets.data += all,
            Traffic::Repair => self.octets.repair += all,
            Traffic::Feedback => self.octets.feedback += all,
            Traffic::Control => self.octets.other += all,
        }
        if meta {
            self.octets.meta += all;
        }
        if down != self.down {
            self.now += self.scenario.turnaround;
            self.down = down;
        }
        self.now += all / self.scenario.rate;
    }

    fn ms(&self) -> u64 {
        (self.now * 1000.0) as u64
    }

    /// Lets each meter that has something to do use the time since it last had.
    fn work(&mut self) {
        let until = self.now;
        for seat in self.seats.iter_mut().filter(|seat| seat.working) {
            let Some(node) = &mut seat.node else { continue };
            while seat.working && seat.busy <= until && seat.wake <= until {
                // Work goes on from when the meter was free, not from now.
                let from = seat.busy.max(seat.wake).max(self.done);
                match node.work((from * 1000.0) as u64) {
                    Ok(Work::More) => {}
                    Ok(Work::Until(ms)) => seat.wake = (ms as f64 + 1.0) / 1000.0,
                    _ => seat.working = false,
                }
                seat.busy = from + node.flash_mut().take_time();
            }
        }
        self.done = until;
    }

    fn hear(&mut self, at: usize, octets: &[u8], to: Addressed) {
        let now = self.now;
        let (block_time, ms) = (f64::from(self.frame) / self.scenario.rate, self.ms());
        let seat = &mut self.seats[at];
        if seat.off_until > now || seat.online_from > now {
            return;
        }
        let Some(node) = &mut seat.node else { return };
        if seat.busy > now + block_time {
            // One frame can wait in the link's buffer while the flash is busy, not two.
            self.overruns += 1;
            return;
        }
        let outcome = node.handle_message(octets, to, ms);
        seat.busy = seat.busy.max(now) + node.flash_mut().take_time();
        match outcome {
            Ok(Outcome::Taken | Outcome::Row) => {
                seat.working = true;
                seat.wake = 0.0;
                self.asked.push(at);
            }
            _ if to == Addressed::Me => self.asked.push(at),
            _ => {}
        }
    }

    fn transmit(&mut self, sender: &mut Sender<'_, &Image>, buffer: &mut [u8]) -> Result<bool, String> {
        let ms = self.ms();
        let Some(sent) = sender.poll_transmit(buffer, ms).map_err(|error| error.to_string())? else {
            return Ok(false);
        };
        let (to, traffic) = (sent.to, sent.traffic);
        let len = sent.octets.len();
        let octets = buffer[..len].to_vec();
        let kind = octets[0];
        let blocks = (0x10..=0x17).contains(&kind);
        self.coded |= kind & 0xFE == 0x16;
        self.on_air(len, traffic, blocks && kind & 1 != 0, true);
        sender.handle_sent(self.ms());
        let size = len as u32 + self.carrier as u32;
        match to {
            To::Group(group) => {
                let mut heard = Vec::new();
                if blocks {
                    self.channel.data(size, |at| heard.push(at));
                } else {
                    heard.extend((0..self.seats.len()).filter(|&at| self.channel.control(at, size)));
                }
                for at in heard {
                    self.hear(at, &octets, Addressed::Group(group));
                }
            }
            To::Meter(address) => {
                let me = seat_of(address);
                if blocks {
                    let mut heard = Vec::new();
                    self.channel.data(size, |at| heard.push(at));
                    for at in heard {
                        self.hear(at, &octets, if at == me { Addressed::Me } else { Addressed::Other });
                    }
                } else if me < self.seats.len() && self.channel.control(me, size) {
                    self.hear(me, &octets, Addressed::Me);
                }
            }
        }
        Ok(true)
    }

    /// When the next answer starts, and whose it is.
    fn next_answer(&mut self) -> Option<(f64, usize)> {
        let seats = &mut self.seats;
        self.asked.sort_unstable();
        self.asked.dedup();
        self.asked.retain(|&at| seats[at].node.as_ref().is_some_and(|node| node.poll_timeout().is_some()));
        let due = |at: usize| {
            let seat = &seats[at];
            let at_ms = seat.node.as_ref().and_then(Receiver::poll_timeout).unwrap_or(0);
            (at_ms as f64 / 1000.0).max(seat.busy)
        };
        self.asked.iter().map(|&at| (due(at), at)).min_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn answer(&mut self, at: usize, sender: &mut Sender<'_, &Image>, buffer: &mut [u8]) {
        let ms = self.ms() + 1;
        let seat = &mut self.seats[at];
        let Some(node) = &mut seat.node else { return };
        let reply = node.poll_transmit(buffer, ms).ok().flatten().map(<[u8]>::len);
        seat.busy = seat.busy.max(self.now) + node.flash_mut().take_time();
        self.asked.retain(|&other| other != at);
        let Some(len) = reply else { return };
        let octets = buffer[..len].to_vec();
        self.on_air(len, sender.traffic(), false, false);
        if self.channel.control(at, len as u32 + self.carrier as u32) {
            sender.handle_message(address(at), &octets, self.ms());
        }
    }

    fn cut(&mut self) {
        if self.scenario.cuts <= 0.0 {
            return;
        }
        for at in 0..self.seats.len() {
            if self.seats[at].next_cut > self.now {
                continue;
            }
            let next = next_cut(&mut self.rng, self.scenario.cuts, self.now);
            let seat = &mut self.seats[at];
            let Some(old) = seat.node.take() else { continue };
            let (flash, _) = old.into_parts();
            let (meta, image) = flash.spans();
            let mut fresh = node(&self.scenario, at, meta, image, flash);
            let _ = fresh.resume();
            let seat = &mut self.seats[at];
            seat.off_until = self.now + self.scenario.off;
            seat.busy = seat.off_until + fresh.flash_mut().take_time();
            seat.node = Some(fresh);
            seat.working = true;
            seat.wake = 0.0;
            seat.next_cut = next;
        }
    }
}

fn next_cut(rng: &mut Rng, rate: f64, now: f64) -> f64 {
    if rate <= 0.0 { f64::INFINITY } else { now - rng.unit().max(1e-12).ln() * 3600.0 / rate }
}

fn node(scenario: &Scenario, at: usize, meta_span: u32, image_span: u32, flash: MeterFlash) -> Node {
    let half = sectors(128 + (scenario.size / usize::from(scenario.block) + 400) / 8);
    let map = Span { start: meta_span + image_span, len: 2 * half };
    let row = usize::from(scenario.block) + 64;
    let scratch = Span { start: map.start + map.len, len: sectors(scenario.size / 2 + row * 64) };
    let config = Config {
        identity: Identity {
            maker: *b"SIMU",
            version: Version { date: 20_230_101, number: 0 },
            // Tens of microseconds for 512 octets.
            read_time: (512.0 / scenario.times.read_rate * 100_000.0).clamp(1.0, 65_535.0) as u16,
            ..Identity::default()
        },
        address: address(at),
        layout: Layout {
            meta: Span { start: 0, len: meta_span },
            image: Span { start: meta_span, len: image_span },
            scratch,
        },
        untagged: !scenario.tags,
    };
    let ram = scenario.ram.saturating_sub(usize::from(scenario.block));
    Receiver::new(flash, FlashMap::new(map), vec![0; ram], config)
}

/// Simulates one job.
pub fn simulate(scenario: &Scenario) -> Result<Outline, String> {
    if usize::from(scenario.block) > BLOCK_MAX {
        return Err(format!("--block: the simulated meters take up to {BLOCK_MAX} octets"));
    }
    if scenario.meters == 0 || scenario.meters > 65_000 {
        return Err("--meters: 1 to 65000".into());
    }
    if !(0.0..0.95).contains(&scenario.loss) {
        return Err("--loss: 0 to 0.95".into());
    }
    let image = Arc::new(image(scenario)?);
    memo::install(Arc::new(Memo::new(image.clone())));
    let geometry = image.geometry;
    let units = usize::from(geometry.units());
    let mut meters = vec![Meter::default(); scenario.meters];
    let mut missing = vec![0; scenario.meters.div_ceil(8) * (units + 3)];
    let most = geometry.count(Plane::Data).max(geometry.count(Plane::Meta));
    let mut order = vec![0; most.into()];
    let mut deficits = vec![0; scenario.meters * 32];
    let memory = Memory {
        meters: &mut meters,
        missing: &mut missing,
        order: &mut order,
        deficits: if scenario.ram > 0 { &mut deficits } else { &mut [] },
    };
    let image_ref: &Image = &image;
    let mut sender = Sender::new(settings(scenario, 1), &image.job(1), image_ref, memory)
        .map_err(|error| error.to_string())?;
    let prompt = scenario.meters - scenario.late.min(scenario.meters);
    for at in 0..prompt {
        sender.add_meter(address(at)).map_err(|error| error.to_string())?;
    }
    let mut late = prompt..scenario.meters;
    let mut world = World::new(scenario, &image);
    let mut buffer = vec![0u8; usize::from(scenario.block) + 128];
    loop {
        if !late.is_empty() && world.now >= scenario.late_at {
            for at in late.by_ref() {
                sender.add_meter(address(at)).map_err(|error| error.to_string())?;
            }
        }
        world.cut();
        world.work();
        if world.transmit(&mut sender, &mut buffer)? {
            continue;
        }
        let timer = sender.poll_timeout().map(|ms| ms as f64 / 1000.0);
        let answer = world.next_answer();
        match (answer, timer) {
            (Some((at, who)), timer) if timer.is_none_or(|timer| at <= timer) => {
                world.now = world.now.max(at);
                world.work();
                world.answer(who, &mut sender, &mut buffer);
            }
            (_, Some(timer)) => world.now = world.now.max(timer) + 0.0005,
            (_, None) if sender.is_finished() && late.is_empty() => break,
            (_, None) => world.now += 1.0,
        }
        if world.now > 1e8 {
            return Err("the simulated job never ends".into());
        }
    }
    Ok(outline(scenario, &image, &world, &sender))
}

fn outline(scenario: &Scenario, image: &Image, world: &World, sender: &Sender<'_, &Image>) -> Outline {
    let frame = f64::from(world.frame);
    let o = world.octets;
    let transfer = o.data + o.repair + o.feedback;
    let units = image.geometry.units();
    let bound = lower_bound(
        scenario.kind,
        scenario.loss,
        scenario.burst,
        scenario.meters,
        units.into(),
        scenario.seed,
    );
    let done = sender.meters().iter().filter(|meter| meter.state == State::Done).count();
    for (at, meter) in sender.meters().iter().enumerate() {
        // The books and the flash must agree; this is what makes the figures mean something.
        if meter.state == State::Done {
            let node = world.seats[at].node.as_ref();
            assert!(
                node.is_some_and(|node| node.missing(Plane::Data) == 0),
                "meter {at} is booked done and is not"
            );
        }
    }
    Outline {
        airtime_frames: transfer / frame,
        lower_bound_frames: bound,
        ratio: transfer / frame / bound,
        seconds: world.now,
        feedback_share: o.feedback / transfer,
        complete: done as f64,
        given_up: (sender.meters().len() - done) as f64,
        other_share: o.other / transfer,
        authenticity_share: o.meta / transfer,
        data_frames: o.data / frame,
        repair_frames: o.repair / frame,
        rounds: sender.progress().rounds.into(),
        overruns: world.overruns as f64,
        blocks: image.geometry.count(Plane::Data).into(),
        meta_blocks: image.geometry.count(Plane::Meta).into(),
        coded: f64::from(u8::from(world.coded)),
    }
}
