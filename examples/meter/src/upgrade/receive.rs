//! `meter upgrade receive`: a meter on a real pipe, its flash a file that survives being killed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::carrier::plain::address_group;
use upgrade_proto::flash::Span;
use upgrade_proto::message::{Identity, Phase};
use upgrade_proto::package::{Address, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Outcome, Receiver, Work};
use upgrade_proto::session::Plane;

use super::channel::Rng;
use super::link::Link;
use super::options::Options;
use super::pack;

pub const HELP: &str = "\
meter upgrade receive --port PORT --address HEX --flash FILE [options]
  --port tcp:HOST:PORT | listen:HOST:PORT | /dev/ttyX (--baud 9600)
  --flash FILE        made when it is not there; a killed meter goes on from it
  --maker TEXT4 --running YYYYMMDD.N   what the meter is and runs
  --out APP.bin       where the image goes once it is told to activate, or verified without --wait
  --wait              stay until told to activate and the version was read back
  --loss 0 --seed 1   share of frames it does not hear
";

const SECTOR: u32 = 4096;
const IMAGE: u32 = 4 << 20;
const META: u32 = 256 << 10;
const SCRATCH: u32 = 1 << 20;
const MAP: u32 = 64 << 10;

struct FileFlash(File);

impl FileFlash {
    fn open(path: &str) -> Result<Self, String> {
        let fail = |error: std::io::Error| format!("{path}: {error}");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fail)?;
        let all = u64::from(IMAGE + META + SCRATCH + MAP);
        let len = file.seek(SeekFrom::End(0)).map_err(fail)?;
        if len < all {
            let rest = usize::try_from(all - len).map_err(|error| error.to_string())?;
            file.write_all(&vec![0xFF; rest]).map_err(fail)?;
        }
        Ok(FileFlash(file))
    }
}

impl ErrorType for FileFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error> {
        let done = self.0.seek(SeekFrom::Start(offset.into())).and_then(|_| self.0.read_exact(out));
        done.map_err(|_| NorFlashErrorKind::Other)
    }
    fn capacity(&self) -> usize {
        (IMAGE + META + SCRATCH + MAP) as usize
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR as usize;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let ones = vec![0xFF; (to - from) as usize];
        let done = self.0.seek(SeekFrom::Start(from.into())).and_then(|_| self.0.write_all(&ones));
        done.map_err(|_| NorFlashErrorKind::Other)
    }
    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Self::Error> {
        let mut now = vec![0; octets.len()];
        self.read(offset, &mut now)?;
        for (to, octet) in now.iter_mut().zip(octets) {
            *to &= octet;
        }
        let done = self.0.seek(SeekFrom::Start(offset.into())).and_then(|_| self.0.write_all(&now));
        done.map_err(|_| NorFlashErrorKind::Other)
    }
}

impl MultiwriteNorFlash for FileFlash {}

type Node = Receiver<FileFlash, FlashMap, sha2::Sha256, Vec<u8>, 1024>;

fn save(node: &mut Node, path: Option<&str>) -> Result<(), String> {
    let (Some(path), Some(geometry)) = (path, node.geometry()) else { return Ok(()) };
    let mut image = vec![0; geometry.size() as usize];
    node.flash_mut().read(0, &mut image).map_err(|error| format!("{error:?}"))?;
    std::fs::write(path, image).map_err(|error| format!("{path}: {error}"))
}

/// Runs the subcommand; what it prints.
pub fn run(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, &["help", "wait"])?;
    if options.flag("help") || args.is_empty() {
        return Ok(HELP.into());
    }
    let address = pack::address(&options.text("address").ok_or("--address is missing")?)?;
    let flash = FileFlash::open(&options.text("flash").ok_or("--flash is missing")?)?;
    let port = options.text("port").ok_or("--port is missing")?;
    let mut maker = *b"    ";
    for (to, octet) in maker.iter_mut().zip(options.text("maker").unwrap_or_default().bytes()) {
        *to = octet;
    }
    let running = match options.text("running") {
        Some(text) => pack::version(&text)?,
        None => Version::default(),
    };
    let (out, wait, baud) = (options.text("out"), options.flag("wait"), options.value("baud", 9600)?);
    let (loss, seed): (f64, u64) = (options.value("loss", 0.0)?, options.value("seed", 1)?);
    options.finish()?;
    let config = Config {
        identity: Identity { maker, version: running, read_time: 10, ..Identity::default() },
        address,
        layout: Layout {
            image: Span { start: 0, len: IMAGE },
            meta: Span { start: IMAGE, len: META },
            scratch: Span { start: IMAGE + META, len: SCRATCH },
        },
        untagged: false,
    };
    let map = FlashMap::new(Span { start: IMAGE + META + SCRATCH, len: MAP });
    let mut node = Node::new(flash, map, vec![0; 3584], config);
    node.resume().map_err(|error| error.to_string())?;
    let link = Link::open(&port, baud)?;
    listen(&mut node, &link, address, Noise { loss, rng: Rng::new(seed) }, wait, out.as_deref())
}

struct Noise {
    loss: f64,
    rng: Rng,
}

fn listen(
    node: &mut Node,
    link: &Link,
    address: Address,
    mut noise: Noise,
    wait: bool,
    out: Option<&str>,
) -> Result<String, String> {
    let start = Instant::now();
    let mut buffer = [0u8; 1024];
    let mut busy = false;
    let mut until: Option<Instant> = None;
    loop {
        let pause = if busy { Duration::ZERO } else { Duration::from_millis(2) };
        let frame = match link.receive(pause) {
            Ok(frame) => frame,
            Err(_) if until.is_some() => None,
            Err(error) => return Err(error),
        };
        let now = start.elapsed().as_millis() as u64;
        if let Some((to, _, message)) = frame
            && noise.rng.unit() >= noise.loss
        {
            let to = match address_group(to) {
                Some(group) => Addressed::Group(group),
                None if to == address => Addressed::Me,
                None => Addressed::Other,
            };
            if let Outcome::Activate { .. } =
                node.handle_message(&message, to, now).map_err(|e| e.to_string())?
            {
                save(node, out)?;
                let manifest = node.manifest().map_err(|error| error.to_string())?;
                if let Some(manifest) = manifest {
                    node.set_version(manifest.version);
                }
                // Long enough for the version to be read back.
                until = Some(Instant::now() + Duration::from_secs(30));
            }
        }
        busy = node.work(now).map_err(|error| error.to_string())? == Work::More;
        if let Some(reply) = node.poll_transmit(&mut buffer, now).map_err(|error| error.to_string())? {
            link.send(Address::default(), address, reply)?;
        }
        if node.phase() == Phase::Verified && !wait && until.is_none() {
            save(node, out)?;
            // The concentrator still asks whether all is well.
            until = Some(Instant::now() + Duration::from_secs(3));
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(format!(
                "{address}: {:?}, {} blocks missing\n",
                node.phase(),
                node.missing(Plane::Data)
            ));
        }
    }
}
