//! A flash that keeps the NorFlash contract and can be cut, and a channel with a sender and receivers on it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use embedded_storage::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use sha2::Sha256;
use upgrade_proto::bitmap::{BlockMap, Eeprom};
use upgrade_proto::flash::{FlashError, Span};
use upgrade_proto::hash::{Hash256, crc32};
use upgrade_proto::message::{Identity, Packet, Phase};
use upgrade_proto::package::{Address, Manifest, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver, Work};
use upgrade_proto::sender::{Job, Memory, Meter, Sender, Settings, Source, State, To};
use upgrade_proto::session::{DigestAt, Geometry, Plane};

pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

/// How a cut operation leaves the flash.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Tear {
    Nothing,
    FirstHalf,
    SecondHalf,
    Bits(u64),
}

/// `MULTI`: programming again is allowed and ANDs. Else a second write to a unit panics, as it breaks the contract.
#[derive(Clone, Debug)]
pub struct SimFlash<const W: usize, const E: usize, const MULTI: bool> {
    pub octets: Vec<u8>,
    pub written: Vec<bool>,
    pub erases: Vec<u32>,
    /// Operations until the supply goes.
    pub cut: Option<(u64, Tear)>,
    pub dead: bool,
    pub operations: u64,
}

#[derive(Debug)]
pub struct Cut;

impl NorFlashError for Cut {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> SimFlash<W, E, MULTI> {
    pub fn new(len: usize) -> Self {
        SimFlash {
            octets: vec![0xFF; len],
            written: vec![false; len / W],
            erases: vec![0; len / E],
            cut: None,
            dead: false,
            operations: 0,
        }
    }

    /// `None`: dead. `Some(None)`: go on. `Some(Some(tear))`: this one is cut.
    fn operate(&mut self) -> Result<Option<Tear>, Cut> {
        if self.dead {
            return Err(Cut);
        }
        self.operations += 1;
        match &mut self.cut {
            Some((0, tear)) => {
                let tear = *tear;
                self.cut = None;
                self.dead = true;
                Ok(Some(tear))
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(None)
            }
            None => Ok(None),
        }
    }

    fn touched(tear: Option<Tear>, len: usize) -> Vec<u8> {
        // Mask of bits that the operation reaches.
        match tear {
            None => vec![0xFF; len],
            Some(Tear::Nothing) => vec![0; len],
            Some(Tear::FirstHalf) => (0..len).map(|at| if at < len / 2 { 0xFF } else { 0 }).collect(),
            Some(Tear::SecondHalf) => (0..len).map(|at| if at >= len / 2 { 0xFF } else { 0 }).collect(),
            Some(Tear::Bits(seed)) => {
                let mut rng = Rng(seed | 1);
                (0..len).map(|_| rng.next() as u8).collect()
            }
        }
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> ErrorType for SimFlash<W, E, MULTI> {
    type Error = Cut;
}

impl<const W: usize, const E: usize, const MULTI: bool> ReadNorFlash for SimFlash<W, E, MULTI> {
    const READ_SIZE: usize = W;
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Cut> {
        if self.dead {
            return Err(Cut);
        }
        assert!((offset as usize).is_multiple_of(W) && bytes.len().is_multiple_of(W), "unaligned read");
        bytes.copy_from_slice(&self.octets[offset as usize..][..bytes.len()]);
        Ok(())
    }
    fn capacity(&self) -> usize {
        self.octets.len()
    }
}

impl<const W: usize, const E: usize, const MULTI: bool> NorFlash for SimFlash<W, E, MULTI> {
    const WRITE_SIZE: usize = W;
    const ERASE_SIZE: usize = E;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Cut> {
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(E) && to.is_multiple_of(E) && to <= self.octets.len(), "unaligned erase");
        let tear = self.operate()?;
        let mask = Self::touched(tear, to - from);
        for (octet, mask) in self.octets[from..to].iter_mut().zip(mask) {
            *octet |= mask;
        }
        self.written[from / W..to / W].fill(tear.is_some());
        self.erases[from / E..to / E].iter_mut().for_each(|count| *count += 1);
        if tear.is_some() { Err(Cut) } else { Ok(()) }
    }
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Cut> {
        let offset = offset as usize;
        assert!(offset.is_multiple_of(W) && bytes.len().is_multiple_of(W), "unaligned write");
        let tear = self.operate()?;
        for unit in offset / W..(offset + bytes.len()) / W {
            assert!(MULTI || !self.written[unit], "unit {unit} written twice");
            self.written[unit] = true;
        }
        let mask = Self::touched(tear, bytes.len());
        for ((octet, new), mask) in self.octets[offset..].iter_mut().zip(bytes).zip(mask) {
            *octet &= new | !mask;
        }
        if tear.is_some() { Err(Cut) } else { Ok(()) }
    }
}

impl<const W: usize, const E: usize> MultiwriteNorFlash for SimFlash<W, E, true> {}

/// An EEPROM with pages whose writes are counted, cut like the flash.
#[derive(Clone, Debug)]
pub struct SimEeprom {
    pub octets: Vec<u8>,
    pub page: usize,
    pub writes: Vec<u32>,
    pub cut: Option<(u64, u64)>,
    pub dead: bool,
}

impl SimEeprom {
    pub fn new(len: usize, page: usize) -> Self {
        SimEeprom { octets: vec![0xA5; len], page, writes: vec![0; len / page], cut: None, dead: false }
    }
}

impl Eeprom for SimEeprom {
    const PAGE: u32 = 32;
    fn read(&mut self, at: u32, out: &mut [u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        out.copy_from_slice(&self.octets[at as usize..][..out.len()]);
        Ok(())
    }
    fn write(&mut self, at: u32, octets: &[u8]) -> Result<(), FlashError> {
        if self.dead {
            return Err(FlashError);
        }
        let at = at as usize;
        for page in at / self.page..=(at + octets.len() - 1) / self.page {
            self.writes[page] += 1;
        }
        let cut = match &mut self.cut {
            Some((0, seed)) => Some(*seed),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if let Some(seed) = cut {
            // The page being written is anything.
            let mut rng = Rng(seed | 1);
            let from = at / self.page * self.page;
            for octet in &mut self.octets[from..from + self.page] {
                *octet = rng.next() as u8;
            }
            self.dead = true;
            self.cut = None;
            return Err(FlashError);
        }
        self.octets[at..at + octets.len()].copy_from_slice(octets);
        Ok(())
    }
}

/// An image with its manifest and tag table, as blocks.
#[derive(Clone, Debug)]
pub struct Image {
    pub octets: Vec<u8>,
    pub meta: Vec<Vec<u8>>,
    pub manifest: Manifest<'static>,
    pub digest: [u8; 16],
    pub geometry: Geometry,
}

impl Image {
    pub fn new(
        octets: Vec<u8>,
        block: u16,
        tagged: bool,
        with_manifest: bool,
        extension: &'static [u8],
    ) -> Image {
        let mut manifest = Manifest {
            tagged,
            maker: *b"TEST",
            version: Version { date: 20_240_116, number: 1 },
            last: Address([0xFF; 6]),
            size: octets.len() as u32,
            block,
            crc: crc32(&octets),
            sha256: Sha256::of(&octets),
            extensions: extension,
            ..Manifest::default()
        };
        let length = if with_manifest { manifest.encoded_len().unwrap() } else { 0 };
        let geometry = Geometry::new(manifest.size, block, length, tagged).unwrap();
        let count = geometry.count(Plane::Meta);
        let mut meta: Vec<Vec<u8>> =
            (0..count).map(|index| vec![0; usize::from(geometry.block_len(Plane::Meta, index))]).collect();
        let place = |meta: &mut Vec<Vec<u8>>, at: DigestAt, hash: [u8; 32], root: &mut [u8; 16]| match at {
            DigestAt::Nowhere => {}
            DigestAt::Root => root.copy_from_slice(&hash[..16]),
            DigestAt::Meta { index, offset, len } => {
                let within = (offset % u32::from(block)) as usize;
                meta[usize::from(index)][within..within + usize::from(len)]
                    .copy_from_slice(&hash[..usize::from(len)]);
            }
        };
        let mut root = [0; 16];
        for (index, data) in octets.chunks(block.into()).enumerate() {
            place(&mut meta, geometry.digest_at(Plane::Data, index as u16), Sha256::of(data), &mut root);
        }
        for index in (0..count).rev() {
            let hash = Sha256::of(&meta[usize::from(index)]);
            place(&mut meta, geometry.digest_at(Plane::Meta, index), hash, &mut root);
        }
        manifest.tag_root = root;
        let mut digest = [0; 16];
        if with_manifest {
            let mut buffer = vec![0; length.into()];
            let encoded = manifest.encode(&mut buffer).unwrap();
            digest.copy_from_slice(&Sha256::of(encoded)[..16]);
            for (block, part) in meta.iter_mut().zip(encoded.chunks(block.into())) {
                block.copy_from_slice(part);
            }
        } else {
            digest.copy_from_slice(&manifest.sha256[..16]);
        }
        Image { octets, meta, manifest, digest, geometry }
    }

    pub fn job(&self, session: u16) -> Job<'static> {
        Job {
            session,
            manifest: self.manifest,
            digest: self.digest,
            meta: self.geometry.count(Plane::Meta) > 0,
        }
    }

    pub fn block(&self, plane: Plane, index: u16) -> &[u8] {
        match plane {
            Plane::Meta => &self.meta[usize::from(index)],
            Plane::Data => self.octets.chunks(self.geometry.block().into()).nth(index.into()).unwrap(),
        }
    }
}

impl Source for &Image {
    fn add(&mut self, plane: Plane, index: u16, sum: &mut [u8]) -> bool {
        for (to, octet) in sum.iter_mut().zip(self.block(plane, index)) {
            *to ^= octet;
        }
        true
    }
}

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
    for unit in 0..record.units {
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
    pub rng: Rng,
    pub trouble: Trouble,
    pub frames: u64,
}

impl<'i, F: NorFlash, M: BlockMap<F>> World<'i, F, M> {
    pub fn new(image: &'i Image, nodes: Vec<(F, M)>, trouble: Trouble, seed: u64) -> Self {
        let nodes: Vec<_> = nodes
            .into_iter()
            .enumerate()
            .map(|(at, (flash, map))| Some(Receiver::new(flash, map, [0; 1024], config(at as u8))))
            .collect();
        let down = vec![0; nodes.len()];
        World { image, nodes, down, held: Vec::new(), now: 0, rng: Rng(seed | 1), trouble, frames: 0 }
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
        if (0x10..=0x16).contains(&octets[0]) && self.rng.unit() < corrupt {
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
}
