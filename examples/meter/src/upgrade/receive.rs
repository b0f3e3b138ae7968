//! `meter upgrade receive`: a meter on a real pipe, its flash a file that survives being killed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, NorFlashErrorKind, ReadNorFlash};
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::boot::{Boot, Limits, Places, ResetCause};
use upgrade_proto::carrier::plain::address_group;
use upgrade_proto::flash::Span;
use upgrade_proto::install::{FlashRecords, NoCipher, Policy, Program, PublicKey, State, Step, Upgrader};
use upgrade_proto::message::Identity;
use upgrade_proto::package::{Address, Version};
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver};
use upgrade_proto::security::{Ed25519, Keys, P256};
use upgrade_proto::session::Plane;

use super::channel::Rng;
use super::link::Link;
use super::options::Options;
use super::{keys, pack};

pub const HELP: &str = "\
meter upgrade receive --port PORT --address HEX --flash FILE [options]
  --port tcp:HOST:PORT | listen:HOST:PORT | /dev/ttyX (--baud 9600)
  --flash FILE        made when it is not there; a killed meter goes on from it
  --maker TEXT4 --running YYYYMMDD.N   what the meter is and runs
  --out APP.bin       where the program goes once it is installed, or the image once it is verified without --wait
  --root KEY.pub.pem  takes images signed with this key alone; without, any
  --key FILE --group-key FILE   takes commands sealed under these AES-128 keys alone (16 octets or 32 hex digits)
  --wait              stay until told to activate and the version was read back
  --loss 0 --seed 1   share of frames it does not hear
";

const SECTOR: u32 = 4096;
const IMAGE: Span = Span { start: 0, len: 4 << 20 };
const META: Span = after(IMAGE, 256 << 10);
const SCRATCH: Span = after(META, 1 << 20);
const MAP: Span = after(SCRATCH, 64 << 10);
const BACKUP: Span = after(MAP, 4 << 20);
const RECORDS: Span = after(BACKUP, 2 * SECTOR);
/// What would be the processor's own flash stands behind the external one in the file.
const APP: Span = after(RECORDS, 4 << 20);

const fn after(span: Span, len: u32) -> Span {
    Span { start: span.start + span.len, len }
}

/// Part of a file as a flash.
struct FileFlash {
    file: File,
    part: Span,
}

impl FileFlash {
    /// The external flash, and the program's.
    fn open(path: &str) -> Result<(Self, Self), String> {
        let fail = |error: std::io::Error| format!("{path}: {error}");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(fail)?;
        let all = u64::from(APP.start + APP.len);
        let len = file.seek(SeekFrom::End(0)).map_err(fail)?;
        if len < all {
            let rest = usize::try_from(all - len).map_err(|error| error.to_string())?;
            file.write_all(&vec![0xFF; rest]).map_err(fail)?;
        }
        let app = file.try_clone().map_err(fail)?;
        let part = Span { start: 0, len: APP.start };
        Ok((FileFlash { file, part }, FileFlash { file: app, part: APP }))
    }

    fn seek(&mut self, offset: u32) -> std::io::Result<&mut File> {
        self.file.seek(SeekFrom::Start(u64::from(self.part.start) + u64::from(offset)))?;
        Ok(&mut self.file)
    }
}

impl ErrorType for FileFlash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for FileFlash {
    const READ_SIZE: usize = 1;
    fn read(&mut self, offset: u32, out: &mut [u8]) -> Result<(), Self::Error> {
        let done = self.seek(offset).and_then(|file| file.read_exact(out));
        done.map_err(|_| NorFlashErrorKind::Other)
    }
    fn capacity(&self) -> usize {
        self.part.len as usize
    }
}

impl NorFlash for FileFlash {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = SECTOR as usize;
    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        let ones = vec![0xFF; (to - from) as usize];
        let done = self.seek(from).and_then(|file| file.write_all(&ones));
        done.map_err(|_| NorFlashErrorKind::Other)
    }
    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Self::Error> {
        let mut now = vec![0; octets.len()];
        self.read(offset, &mut now)?;
        for (to, octet) in now.iter_mut().zip(octets) {
            *to &= octet;
        }
        let done = self.seek(offset).and_then(|file| file.write_all(&now));
        done.map_err(|_| NorFlashErrorKind::Other)
    }
}

impl MultiwriteNorFlash for FileFlash {}

type Trust = Keys<(Ed25519, P256)>;
type App = Upgrader<FileFlash, FlashMap, sha2::Sha256, Vec<u8>, FlashRecords, Trust, 1024>;

const PLACES: Places =
    Places { upload: IMAGE, meta: META, backup: BACKUP, app: Span { start: 0, len: APP.len } };

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The meter's application in front of its boot loader.
struct Meter {
    app: App,
    program: FileFlash,
    config: Config,
    trust: Trust,
    policy: Policy,
}

impl Meter {
    fn new(
        (flash, program): (FileFlash, FileFlash),
        config: Config,
        trust: Trust,
        policy: Policy,
    ) -> Result<Self, String> {
        let app = application(flash, config, &trust, policy)?;
        Ok(Meter { app, program, config, trust, policy })
    }

    /// One step of its main loop; `true`: there is more to do.
    fn work(self, now: u64) -> Result<(Self, bool), String> {
        let Meter { mut app, mut program, config, trust, policy } = self;
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        // 2000-01-01.
        let clock = u32::try_from(clock.saturating_sub(946_684_800)).unwrap_or(u32::MAX);
        let step = app.work(&mut program, now, Some(clock)).map_err(said)?;
        if step == Step::Reset {
            let (receiver, mut records) = app.into_parts();
            let (mut flash, _) = receiver.into_parts();
            let mut boot = Boot::new(&mut flash, &mut program, &mut records, PLACES, Limits::default());
            boot.start::<sha2::Sha256>(ResetCause::Software, &mut NoCipher, || {}).map_err(said)?;
            app = application(flash, config, &trust, policy)?;
        }
        let more = matches!(step, Step::More | Step::Reset);
        Ok((Meter { app, program, config, trust, policy }, more))
    }

    /// Writes the program that runs to a file.
    fn save_program(&mut self, path: Option<&str>) -> Result<(), String> {
        let size = self.app.record().running.size;
        save(&mut self.program, size, path)
    }

    /// The image that came.
    fn save_image(&mut self, path: Option<&str>) -> Result<(), String> {
        let size = self.app.receiver().geometry().map_or(0, |geometry| geometry.size());
        save(self.app.receiver().flash_mut(), size, path)
    }
}

fn application(flash: FileFlash, config: Config, trust: &Trust, policy: Policy) -> Result<App, String> {
    let receiver = Receiver::new(flash, FlashMap::new(MAP), vec![0; 3584], config);
    let mut app = App::new(receiver, FlashRecords::new(RECORDS), trust.clone(), PLACES, policy);
    app.resume().map_err(said)?;
    // As if a first sector of program had come from the factory.
    let running = Program { size: SECTOR, version: config.identity.version, sha256: [0; 32] };
    app.provision(running, false).map_err(said)?;
    let record = app.record();
    let runs = if record.state == State::Trial { record.upload } else { record.running };
    if runs.version != Version::default() {
        app.receiver().set_version(runs.version);
    }
    // Nothing of it can fail here.
    app.handle_self_test(true);
    Ok(app)
}

fn save(flash: &mut FileFlash, size: u32, path: Option<&str>) -> Result<(), String> {
    let Some(path) = path else { return Ok(()) };
    let mut image = vec![0; size as usize];
    flash.read(0, &mut image).map_err(|error| format!("{error:?}"))?;
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
    let key = |path: Option<String>| path.map(|path| keys::symmetric(&path)).transpose();
    let (root, meter, group) = (options.text("root"), options.text("key"), options.text("group-key"));
    let (meter, group) = (key(meter)?, key(group)?);
    options.finish()?;
    let policy =
        Policy { signed: root.is_some(), sealed: meter.is_some() || group.is_some(), ..Policy::default() };
    let root = root.map_or(Ok(PublicKey::NONE), |path| keys::public(&path))?;
    let trust = Keys { verify: (Ed25519, P256), root, meter, group };
    let config = Config {
        identity: Identity { maker, version: running, read_time: 10, ..Identity::default() },
        address,
        layout: Layout { image: IMAGE, meta: META, scratch: SCRATCH },
        untagged: false,
    };
    let meter = Meter::new(flash, config, trust, policy)?;
    let link = Link::open(&port, baud)?;
    listen(meter, &link, address, Noise { loss, rng: Rng::new(seed) }, wait, out.as_deref())
}

struct Noise {
    loss: f64,
    rng: Rng,
}

fn listen(
    mut meter: Meter,
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
    let mut before = meter.app.record().state;
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
            meter.app.handle_message(&message, to, now).map_err(said)?;
        }
        (meter, busy) = meter.work(now)?;
        if let Some(reply) = meter.app.poll_transmit(&mut buffer, now).map_err(said)? {
            link.send(Address::default(), address, reply)?;
        }
        let state = meter.app.record().state;
        if state == State::Confirmed && before != State::Confirmed {
            meter.save_program(out)?;
            // Long enough for the version to be read back.
            until = Some(Instant::now() + Duration::from_secs(30));
        }
        before = state;
        if state == State::Verified && !wait && until.is_none() {
            meter.save_image(out)?;
            // The concentrator still asks whether all is well.
            until = Some(Instant::now() + Duration::from_secs(3));
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            let receiver = meter.app.receiver();
            return Ok(format!(
                "{address}: {:?}, {} blocks missing\n",
                receiver.phase(),
                receiver.missing(Plane::Data)
            ));
        }
    }
}
