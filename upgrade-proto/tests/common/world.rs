//! A channel with a sender and receivers on it.

use embedded_storage::nor_flash::NorFlash;
use sha2::Sha256;
use upgrade_proto::bitmap::{BlockMap, FlashMap};
use upgrade_proto::flash::Span;
use upgrade_proto::message::{Identity, Packet, Phase};
use upgrade_proto::package::{Address, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver, Work};
use upgrade_proto::sender::{Memory, Meter, Sender, Settings, Source, State, To};
use upgrade_proto::session::{Geometry, Plane};

use super::{Chance, Image, SimFlash};

pub const IMAGE_SPAN: u32 = 0x8000;
pub const META_SPAN: u32 = 0x2000;
pub const SCRATCH_SPAN: u32 = 0x8000;
pub const MAP_SPAN: u32 = 0x2000;
pub const FLASH_LEN: usize = (IMAGE_SPAN + META_SPAN + SCRATCH_SPAN + MAP_SPAN) as usize;

pub fn map_span() -> Span {
    Span { start: IMAGE_SPAN + META_SPAN + SCRATCH_SPAN, len: MAP_SPAN }
}

pub fn config(number: u8) -> Config {
    Config {
        identity: Identity {
            maker: *b"TEST",
            version: Version { date: 20_230_101, number: 0 },
            read_time: 5,
            ..Identity::default()
        },
        address: Address([0, 0, 0, 0, 0, number]),
        layout: Layout {
            image: Span { start: 0, len: IMAGE_SPAN },
            meta: Span { start: IMAGE_SPAN, len: META_SPAN },
            scratch: Span { start: IMAGE_SPAN + META_SPAN, len: SCRATCH_SPAN },
        },
        untagged: true,
    }
}

pub type Flash = SimFlash<4, 1024, true>;
pub type Node<F, M> = Receiver<F, M, Sha256, [u8; 1024], 512>;

/// Says whether every block the map has is in the flash as it should be.
pub fn map_leads<F: NorFlash, M: BlockMap<F>>(flash: &mut F, map: &mut M, image: &Image) -> Option<u16> {
    let record = map.load(flash).ok()??;
    let layout = config(0).layout;
    // A manifest of several blocks is checked as a whole, when the last one is there.
    let unchecked = match image.geometry.manifest_blocks() {
        1 => 0,
        blocks => blocks,
    };
    for unit in unchecked..record.units() {
        let mut octet = [0];
        map.read(flash, unit / 8, &mut octet).unwrap();
        if octet[0] & (0x80 >> (unit % 8)) != 0 {
            continue;
        }
        let meta = image.geometry.count(Plane::Meta);
        let (plane, index, start) = if unit < meta {
            (Plane::Meta, unit, layout.meta.start)
        } else {
            (Plane::Data, unit - meta, layout.image.start)
        };
        let want = image.block(plane, index);
        let mut is = vec![0; want.len().div_ceil(F::READ_SIZE) * F::READ_SIZE];
        flash.read(start + image.geometry.offset(index), &mut is).unwrap();
        if &is[..want.len()] != want {
            return Some(unit);
        }
    }
    None
}

/// What the channel does to frames.
#[derive(Copy, Clone, Debug)]
pub struct Trouble {
    pub loss: f64,
    pub duplicate: f64,
    pub reorder: f64,
    /// Data octets changed on the way, past the carrier's check.
    pub corrupt: f64,
}

pub struct Tables {
    pub meters: Vec<Meter>,
    pub missing: Vec<u8>,
    pub order: Vec<u16>,
    pub deficits: Vec<u16>,
}

impl Tables {
    pub fn new(meters: usize, geometry: &Geometry) -> Tables {
        let stride = meters.div_ceil(8);
        Tables {
            meters: vec![Meter::default(); meters],
            missing: vec![0; stride * (usize::from(geometry.units()) + 3)],
            order: vec![0; usize::from(geometry.count(Plane::Data).max(geometry.count(Plane::Meta)))],
            deficits: vec![0; meters * 16],
        }
    }
    pub fn memory(&mut self) -> Memory<'_> {
        Memory {
            meters: &mut self.meters,
            missing: &mut self.missing,
            order: &mut self.order,
            deficits: &mut self.deficits,
        }
    }
}

pub fn settings() -> Settings {
    Settings {
        erase: 50,
        verify: 50,
        silence: 200,
        stalls: 40,
        rounds: 500,
        tries: 6,
        silences: 6,
        rate: 12_000,
        ..Settings::default()
    }
}

/// Runs frames between a sender and meters until the sender is done; `cut` is asked before each frame what happens to the meters.
pub struct World<'i, F, M> {
    pub image: &'i Image,
    pub nodes: Vec<Option<Node<F, M>>>,
    pub down: Vec<u64>,
    pub held: Vec<(usize, Vec<u8>, Addressed)>,
    pub now: u64,
    pub rng: Chance,
    pub trouble: Trouble,
    pub frames: u64,
    /// Frames of each kind.
    pub kinds: [u64; 64],
}

impl<'i, F: NorFlash, M: BlockMap<F>> World<'i, F, M> {
    pub fn new(image: &'i Image, nodes: Vec<(F, M)>, trouble: Trouble, seed: u64) -> Self {
        World::with(image, nodes, trouble, Chance::new(seed))
    }

    pub fn with(image: &'i Image, nodes: Vec<(F, M)>, trouble: Trouble, rng: Chance) -> Self {
        let nodes: Vec<_> = nodes
            .into_iter()
            .enumerate()
            .map(|(at, (flash, map))| Some(Receiver::new(flash, map, [0; 1024], config(at as u8))))
            .collect();
        let down = vec![0; nodes.len()];
        World { image, nodes, down, held: Vec::new(), now: 0, rng, trouble, frames: 0, kinds: [0; 64] }
    }

    fn give(&mut self, at: usize, octets: &[u8], to: Addressed) {
        if self.down[at] > self.now {
            return;
        }
        if let Some(node) = &mut self.nodes[at] {
            // A cut shows as an error; `revive` looks for it.
            let _ = node.handle_message(octets, to, self.now);
        }
    }

    fn deliver(&mut self, at: usize, octets: &[u8], to: Addressed) {
        let Trouble { loss, duplicate, reorder, corrupt } = self.trouble;
        if self.rng.unit() < loss {
            return;
        }
        let mut octets = octets.to_vec();
        if (0x10..=0x17).contains(&octets[0]) && self.rng.unit() < corrupt {
            let place = 7 + self.rng.below(octets.len() as u64 - 7) as usize;
            octets[place] ^= 1 << self.rng.below(8);
        }
        if self.rng.unit() < reorder {
            self.held.push((at, octets, to));
            return;
        }
        self.give(at, &octets, to);
        if self.rng.unit() < duplicate {
            self.give(at, &octets, to);
        }
        if let Some((at, octets, to)) = self.held.pop() {
            self.give(at, &octets, to);
        }
    }

    /// One turn; `false` when the sender is finished.
    pub fn turn<S: Source>(&mut self, sender: &mut Sender<'_, S>) -> bool {
        let mut buffer = [0u8; 800];
        match sender.poll_transmit(&mut buffer, self.now).unwrap() {
            Some(transmit) => {
                self.frames += 1;
                self.now += 1 + transmit.octets.len() as u64 / 12;
                let octets = transmit.octets.to_vec();
                self.kinds[usize::from(octets[0] & 0x3F)] += 1;
                Packet::parse(&octets).expect("what the sender says parses");
                for at in 0..self.nodes.len() {
                    let to = match transmit.to {
                        To::Group(group) => Addressed::Group(group),
                        To::Meter(address) if address == config(at as u8).address => Addressed::Me,
                        To::Meter(_) => Addressed::Other,
                    };
                    self.deliver(at, &octets, to);
                }
                sender.handle_sent(self.now);
            }
            None if sender.is_finished() => return false,
            None => self.now += 1,
        }
        for at in 0..self.nodes.len() {
            if self.down[at] > self.now {
                continue;
            }
            let Some(node) = &mut self.nodes[at] else { continue };
            for _ in 0..4 {
                if node.work(self.now) != Ok(Work::More) {
                    break;
                }
            }
            if let Ok(Some(reply)) = node.poll_transmit(&mut buffer, self.now) {
                let reply = reply.to_vec();
                self.now += 1 + reply.len() as u64 / 12;
                if self.rng.unit() >= self.trouble.loss {
                    sender.handle_message(config(at as u8).address, &reply, self.now);
                    if self.rng.unit() < self.trouble.duplicate {
                        sender.handle_message(config(at as u8).address, &reply, self.now);
                    }
                }
            }
        }
        true
    }

    /// Takes a meter's supply away and gives it back, through `revive`.
    pub fn reboot(&mut self, at: usize, off: u64, revive: impl FnOnce(F, M) -> (F, M)) {
        let (flash, map) = self.nodes[at].take().unwrap().into_parts();
        let (mut flash, mut map) = revive(flash, map);
        assert_eq!(map_leads(&mut flash, &mut map, self.image), None, "the map leads the data");
        let mut node = Receiver::new(flash, map, [0; 1024], config(at as u8));
        // Cut again while it gets up: `dead` shows it, and the next turn tries again.
        let _ = node.resume();
        self.nodes[at] = Some(node);
        self.down[at] = self.now + off;
    }

    /// Every meter the sender calls done has the whole image, verified.
    pub fn check<S: Source>(&mut self, sender: &Sender<'_, S>) -> usize {
        let mut done = 0;
        for (at, meter) in sender.meters().iter().enumerate() {
            assert!(meter.state.is_final(), "{:?}", meter.state);
            if meter.state == State::Done {
                done += 1;
                let node = self.nodes[at].as_mut().unwrap();
                assert_eq!(node.phase(), Phase::Verified);
                let mut is = vec![0; self.image.octets.len().div_ceil(F::READ_SIZE) * F::READ_SIZE];
                node.flash_mut().read(0, &mut is).unwrap();
                assert!(is[..self.image.octets.len()] == self.image.octets[..], "image differs");
            }
        }
        done
    }
    /// No map says more than the flash holds.
    pub fn check_maps(&mut self) {
        for node in &mut self.nodes {
            let (mut flash, mut map) = node.take().unwrap().into_parts();
            assert_eq!(map_leads(&mut flash, &mut map, self.image), None, "the map leads the data");
        }
    }
}
