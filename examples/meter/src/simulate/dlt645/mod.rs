//! A virtual DL/T 645 meter on a line.

mod events;
mod front;
mod model;
mod old;
mod records;
mod registers;

use crate::civil::{self, Civil};
use clap::{Args as ClapArgs, ValueEnum};
use dlt645::{
    Address, Decoder, Frame, GAP, Handled, STORAGE, Service, Slave, SlaveConfig, SlaveEvent, Version,
};
use front::Front;
use model::Model;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

#[derive(ClapArgs)]
pub struct Args {
    /// `pty`, or tcp:HOST:PORT; port 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value = "pty")]
    port: String,

    /// Address of the meter.
    #[arg(long, value_name = "DIGITS", default_value = "202601020304")]
    address: Address,

    /// Editions that the meter answers in.
    #[arg(long = "dlt645-version", value_enum, default_value_t = Editions::Both)]
    editions: Editions,

    /// Password of level 02.
    #[arg(long, value_name = "DIGITS", default_value = "000000")]
    password: String,

    /// What the clock shows at the start, YYYY-MM-DDThh:mm:ss. Default: the time now at UTC+8.
    #[arg(long)]
    time: Option<String>,

    /// Seconds of the meter's clock in each second: its energies grow the faster.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    speed: u32,

    /// Most data octets of a reply; fewer make more follow-up frames.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u8).range(40..=200))]
    max_data: u8,

    /// Send each request back before the reply, as half-duplex adapters do.
    #[arg(long)]
    echo: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Editions {
    #[value(name = "1997")]
    V1997,
    #[value(name = "2007")]
    V2007,
    Both,
}

pub fn run(args: &Args) -> ExitCode {
    let result = Line::new(args).and_then(|line| match args.port.strip_prefix("tcp:") {
        Some(address) => tcp(address, line).map_err(|error| format!("{}: {error}", args.port)),
        None if args.port == "pty" => pty(line).map_err(|error| format!("pty: {error}")),
        None => Err(format!("{}: expected pty or tcp:HOST:PORT", args.port)),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("meter: {wrong}");
            ExitCode::from(2)
        }
    }
}

type Half = Slave<Front, Vec<u8>>;

/// The meter as its line knows it: one slave for each edition, one meter behind them.
#[derive(Clone)]
struct Line {
    halves: Arc<Mutex<Vec<Half>>>,
    start: Instant,
    echo: bool,
}

impl Line {
    fn new(args: &Args) -> Result<Self, String> {
        if !args.address.is_digits() || args.address.is_broadcast() {
            return Err(format!("{} is no address for a meter", args.address));
        }
        let digits = args.password.as_bytes();
        if digits.len() != 6 || !digits.iter().all(u8::is_ascii_digit) {
            return Err("--password: six digits".into());
        }
        let password = [4, 2, 0].map(|at| (digits[at] - b'0') << 4 | (digits[at + 1] - b'0'));
        let now = match &args.time {
            None => civil::utc() + 8 * 3600,
            Some(text) => {
                Civil::parse(text).ok_or_else(|| format!("{text}: expected YYYY-MM-DDThh:mm:ss"))?.seconds()
            }
        };
        let model = Arc::new(Mutex::new(Model::new(args.address, password, now, args.speed)));
        let half = |version| {
            let config = SlaveConfig { max_data: args.max_data, ..SlaveConfig::new(version, args.address) };
            Slave::new(config, Front::new(version, Arc::clone(&model)), vec![0; 300])
        };
        let halves = match args.editions {
            Editions::V1997 => vec![half(Version::V1997)],
            Editions::V2007 => vec![half(Version::V2007)],
            Editions::Both => vec![half(Version::V2007), half(Version::V1997)],
        };
        Ok(Self { halves: Arc::new(Mutex::new(halves)), start: Instant::now(), echo: args.echo })
    }

    /// The reply to a frame, and how long the meter takes for it.
    #[expect(clippy::cast_possible_truncation, reason = "the crate's clock wraps")]
    fn answer(&self, frame: &Frame<'_>) -> Option<(Vec<u8>, Duration)> {
        let now = self.start.elapsed().as_millis() as u32;
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        let at = halves.iter().position(|half| knows(half.config().version, frame)).unwrap_or(0);
        let half = halves.get_mut(at)?;
        if half.handle_frame(frame, now) != Handled::Replying {
            return None;
        }
        let due = half.poll_timeout().unwrap_or(now);
        let mut out = [0; 300];
        let reply = half.poll_transmit(&mut out, due)?.to_vec();
        if let Some(SlaveEvent::SwitchRate(rate)) = half.poll_event() {
            eprintln!("meter: rate octet {:02X} from now on; this line has no rate", rate.0);
        }
        let address = half.config().address;
        for half in halves.iter_mut().filter(|half| half.config().address != address) {
            let config = SlaveConfig { address, ..*half.config() };
            *half = Slave::new(config, half.meter.clone(), vec![0; 300]);
        }
        Some((reply, Duration::from_millis(due.wrapping_sub(now).into())))
    }

    /// Takes octets in, and writes what is answered.
    fn take(&self, decoder: &mut Decoder<Vec<u8>>, octets: &[u8], out: &mut dyn Write) -> io::Result<()> {
        let mut input = octets;
        while let Some(event) = decoder.decode(&mut input) {
            let Ok(frame) = event else { continue };
            self.reply(&frame, out)?;
        }
        Ok(())
    }

    /// The line is idle.
    fn idle(&self, decoder: &mut Decoder<Vec<u8>>, out: &mut dyn Write) -> io::Result<()> {
        while let Some(event) = decoder.finish() {
            let Ok(frame) = event else { continue };
            self.reply(&frame, out)?;
        }
        Ok(())
    }

    fn reply(&self, frame: &Frame<'_>, out: &mut dyn Write) -> io::Result<()> {
        if self.echo {
            out.write_all(frame.octets())?;
        }
        if let Some((reply, delay)) = self.answer(frame) {
            thread::sleep(delay);
            out.write_all(&reply)?;
        }
        Ok(())
    }
}

/// Whether the function of a request is one of `version`: a meter of both has to choose.
fn knows(version: Version, frame: &Frame<'_>) -> bool {
    let service = frame.control().service(version);
    // 03H is a re-read without data in 1997 and has data in 2007.
    let odd = service == Service::Security && frame.data().is_empty();
    !matches!(service, Service::Other(_)) && !odd
}

fn tcp(address: &str, line: Line) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("{}", listener.local_addr()?);
    for stream in listener.incoming() {
        let (stream, line) = (stream?, line.clone());
        thread::spawn(move || {
            if let Err(error) = connection(stream, &line) {
                eprintln!("meter: {error}");
            }
        });
    }
    Ok(())
}

fn connection(mut stream: TcpStream, line: &Line) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_millis(GAP.into())))?;
    let mut out = stream.try_clone()?;
    let mut decoder = Decoder::new(vec![0; STORAGE]);
    let mut chunk = [0; 512];
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => line.take(&mut decoder, chunk.get(..n).unwrap_or_default(), &mut out)?,
            Err(error) if waits(&error) => line.idle(&mut decoder, &mut out)?,
            Err(error) => return Err(error),
        }
    }
}

fn waits(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(unix)]
fn pty(line: Line) -> io::Result<()> {
    use serialport::{SerialPort, TTYPort};
    let (mut port, end) = TTYPort::pair()?;
    let mut out = port.try_clone_native()?;
    println!("{}", end.name().unwrap_or_default());
    let mut decoder = Decoder::new(vec![0; STORAGE]);
    let mut chunk = [0; 512];
    port.set_timeout(Duration::from_millis(GAP.into()))?;
    // `end` stays open to the end: without it the terminal is gone when its first user leaves.
    loop {
        match port.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(n) => line.take(&mut decoder, chunk.get(..n).unwrap_or_default(), &mut out)?,
            Err(error) if waits(&error) => line.idle(&mut decoder, &mut out)?,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(not(unix))]
fn pty(_: Line) -> io::Result<()> {
    Err(io::Error::new(ErrorKind::Unsupported, "no pseudo-terminals here; use tcp:HOST:PORT"))
}
