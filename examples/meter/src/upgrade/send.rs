//! `meter upgrade send`: the concentrator's side on a real pipe, from a job file to a report.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use upgrade_proto::carrier::plain::{OVERHEAD, group_address};
use upgrade_proto::package::Address;
use upgrade_proto::sender::{Envelopes, Memory, Meter, NoSeal, Seal, Sender, Settings, State, To};
use upgrade_proto::session::Plane;

use super::command::strategy;
use super::link::Link;
use super::options::Options;
use super::pack;
use super::ring::{self, Numbers, Ring};

pub const HELP: &str = "\
meter upgrade send --port PORT [options]
  --port tcp:HOST:PORT | listen:HOST:PORT | /dev/ttyX (--baud 9600)
  --job FILE          lines `name = value` with the options below; options on the command line win
  --image PACKAGE     made by `meter upgrade pack`
  --meters HEX,HEX    addresses
  --session 1 --group 1 --strategy auto
  --rate 1200         octets per second of the channel; frames are paced to it
  --echo              the channel gives back what is sent on it: the next frame waits for that instead
  --erase 15 --verify 5   seconds meters take to make room, to check
  --activate T        0: now; without it the meters are left verified
  --install 10        seconds until the version is read back; without it, it is not
  --keys FILE         for meters that take sealed commands alone: lines `HEX-ADDRESS = 32 hex digits`, and `group = 32 hex digits`;
                      without the group's key each meter is asked alone. METER_UPGRADE_KEYS in the environment does too
  --numbers FILE      where the number of the last sealed command is kept, one file for all jobs; needed with keys
  --report FILE       per meter: state, blocks repaired, loss, version
";

const FLAGS: &[&str] = &["help", "quiet", "echo"];

/// What a frame waits for.
#[derive(Clone, Copy)]
enum Pace {
    /// As long as the channel takes for the frame before.
    Rate,
    /// The frame before, given back by a channel on which one hears oneself.
    Echo,
}

/// How long a channel may take to give a frame back.
const ECHO: Duration = Duration::from_secs(120);

/// A job file's lines as options.
fn job(path: &str) -> Result<Vec<String>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let mut args = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or("").trim();
        if line.is_empty() {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or_else(|| format!("{path}:{}: no `=`", number + 1))?;
        args.push(format!("--{}={}", name.trim(), value.trim()));
    }
    Ok(args)
}

/// Runs the subcommand; what it prints.
pub fn run(args: &[String]) -> Result<String, String> {
    let mut options = Options::parse(args, FLAGS)?;
    if options.flag("help") || args.is_empty() {
        return Ok(HELP.into());
    }
    if let Some(path) = options.text("job") {
        let mut all = args.to_vec();
        all.extend(job(&path)?);
        options = Options::parse(&all, FLAGS)?;
        options.text("job");
    }
    let quiet = options.flag("quiet");
    let pace = if options.flag("echo") { Pace::Echo } else { Pace::Rate };
    let port = options.text("port").ok_or("--port is missing")?;
    let image = pack::load(&options.text("image").ok_or("--image is missing")?)?;
    let meters = options.text("meters").ok_or("--meters is missing")?;
    let meters: Vec<Address> =
        meters.split(',').map(|text| pack::address(text.trim())).collect::<Result<_, _>>()?;
    let seconds = |value: f64| (value * 1000.0) as u32;
    let install: Option<f64> = match options.text("install") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| "--install: seconds")?),
    };
    let activate = match options.text("activate") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| "--activate: a number")?),
    };
    let settings = Settings {
        strategy: strategy(&options.text("strategy").unwrap_or_else(|| "auto".into()))?,
        rate: options.value("rate", 1200)?,
        overhead: OVERHEAD as u16,
        longest: image.geometry.block().saturating_add(100),
        turnaround: options.value("turnaround", 200)?,
        erase: seconds(options.value("erase", 15.0)?),
        verify: seconds(options.value("verify", 5.0)?),
        silence: seconds(options.value("silence", 30.0)?),
        group: options.value("group", 1)?,
        activate,
        install: install.map(seconds),
        ..Settings::default()
    };
    let (session, baud) = (options.value("session", 1)?, options.value("baud", 9600)?);
    let report = options.text("report");
    let ring = ring::load(options.text("keys").as_deref())?;
    let numbers = options.text("numbers");
    // For repeated options of a job file, the command line's came first and was taken.
    let link = Link::open(&port, baud)?;
    let how = (pace, quiet);
    let text = match ring {
        None => transfer(&image, &settings, session, &meters, &link, how, NoSeal, |_| Ok(()))?,
        Some(ring) => {
            ring.covers(&meters)?;
            let mut numbers = Numbers::open(&numbers.ok_or("--numbers is missing")?)?;
            let seal = Envelopes::new(ring, numbers.last());
            transfer(&image, &settings, session, &meters, &link, how, seal, |seal: &Envelopes<Ring>| {
                numbers.use_up_to(seal.number())
            })?
        }
    };
    if let Some(path) = report {
        std::fs::write(&path, &text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(text)
}

/// Waits until the channel has given back what was sent; what others said before is kept for later.
fn heard_back(
    link: &Link,
    own: Address,
    sent: &[u8],
    early: &mut Vec<(Address, Vec<u8>)>,
) -> Result<(), String> {
    let start = Instant::now();
    while let Some(left) = ECHO.checked_sub(start.elapsed()) {
        match link.receive(left)? {
            Some((_, from, message)) if from == own && message == sent => return Ok(()),
            Some((_, from, message)) => early.push((from, message)),
            None => break,
        }
    }
    Err("--echo: the channel does not give back what is sent on it".into())
}

/// `keep` is told what seals before each frame goes out, to remember its numbers.
#[allow(clippy::too_many_arguments, reason = "the parts of one job, each of its own kind")]
fn transfer<K: Seal>(
    image: &super::image::Image,
    settings: &Settings,
    session: u16,
    addresses: &[Address],
    link: &Link,
    (pace, quiet): (Pace, bool),
    seal: K,
    mut keep: impl FnMut(&K) -> Result<(), String>,
) -> Result<String, String> {
    let geometry = image.geometry;
    let mut meters = vec![Meter::default(); addresses.len()];
    let mut missing = vec![0; addresses.len().div_ceil(8) * (usize::from(geometry.units()) + 3)];
    let mut order = vec![0; usize::from(geometry.count(Plane::Data).max(geometry.count(Plane::Meta)))];
    let mut deficits = vec![0; addresses.len() * 32];
    let memory =
        Memory { meters: &mut meters, missing: &mut missing, order: &mut order, deficits: &mut deficits };
    let mut sender = Sender::sealed(*settings, &image.job(session), image, memory, seal)
        .map_err(|error| error.to_string())?;
    for &address in addresses {
        sender.add_meter(address).map_err(|error| error.to_string())?;
    }
    let bar =
        if quiet { ProgressBar::hidden() } else { ProgressBar::new(u64::from(geometry.count(Plane::Data))) };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} blocks at the slowest meter  {msg}")
    {
        bar.set_style(style);
    }
    let start = Instant::now();
    let mut buffer = vec![0u8; usize::from(geometry.block()) + 128];
    let own = Address::default();
    let mut early = Vec::new();
    while !sender.is_finished() {
        let now = start.elapsed().as_millis() as u64;
        let mut wait = Duration::from_millis(5);
        let sent = sender.poll_transmit(&mut buffer, now).map_err(|error| error.to_string())?;
        if let Some((to, len)) = sent.map(|sent| (sent.to, sent.octets.len())) {
            keep(sender.seal())?;
            let to = match to {
                To::Meter(address) => address,
                To::Group(group) => group_address(group),
            };
            let octets = &buffer[..len];
            link.send(to, own, octets)?;
            match pace {
                // The pipe takes a frame at once; the channel it stands for takes its time.
                Pace::Rate => {
                    let rate = f64::from(settings.rate.max(1));
                    std::thread::sleep(Duration::from_secs_f64((len + OVERHEAD) as f64 / rate));
                }
                Pace::Echo => heard_back(link, own, octets, &mut early)?,
            }
            sender.handle_sent(start.elapsed().as_millis() as u64);
            wait = Duration::ZERO;
        }
        for (from, message) in early.drain(..) {
            sender.handle_message(from, &message, start.elapsed().as_millis() as u64);
        }
        while let Some((_, from, message)) = link.receive(wait)? {
            sender.handle_message(from, &message, start.elapsed().as_millis() as u64);
            wait = Duration::ZERO;
        }
        let progress = sender.progress();
        bar.set_position(u64::from(geometry.count(Plane::Data).saturating_sub(progress.worst)));
        bar.set_message(format!(
            "{} of {} complete, {} given up, about {} s left",
            progress.complete, progress.meters, progress.given_up, progress.seconds_left
        ));
    }
    bar.finish_and_clear();
    let progress = sender.progress();
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} s, {} block frames, {} rounds",
        start.elapsed().as_secs(),
        progress.frames,
        progress.rounds
    );
    for meter in sender.meters() {
        let state = match meter.state {
            State::Done => "done".to_string(),
            State::GivenUp(reason) => format!("given up: {reason:?}"),
            other => format!("{other:?}"),
        };
        let _ = writeln!(
            text,
            "{}  {state}, {} blocks repaired, {:.1} % lost, version {}",
            meter.address,
            meter.repairs,
            f64::from(meter.loss) / 655.36,
            meter.identity.version
        );
    }
    Ok(text)
}
