//! `meter decode`: octets in, messages out.

mod apdu;
mod damage;
mod detect;
pub mod dlt645;
mod dlt645_value;
mod han;
mod keys;
mod link;
mod p1;
mod pair;

use crate::args;
use crate::input::Source;
use crate::input::hex::{self, Hex};
use crate::output::Printer;
use damage::Damage;
use indicatif::{ProgressBar, ProgressStyle};
use keys::Keys;
use pair::Pair;
use std::io::{self, ErrorKind, IsTerminal, Read};
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

const CHUNK: usize = 1 << 16;
/// What two threads share at a time.
const BLOCK: usize = 1 << 20;
const RECONNECT: Duration = Duration::from_secs(1);
const DAMAGED: u8 = 1;
const USAGE: u8 = 2;

/// What decoding writes to and needs to know.
pub struct Context {
    pub printer: Printer,
    pub damage: Damage,
    pub keys: Keys,
    /// What Kamstrup meters count in, where the caller says.
    pub energy_unit: Option<args::EnergyUnit>,
}

impl Context {
    /// For output in `format`, or what suits standard output, and no keys.
    pub fn new(format: Option<args::Format>) -> Self {
        Self {
            printer: Printer::new(format),
            damage: Damage::default(),
            keys: Keys::default(),
            energy_unit: None,
        }
    }
}

/// One protocol, from octets to printed messages.
pub trait Handler {
    /// Takes octets in.
    fn take(&mut self, octets: &[u8], context: &mut Context);
    /// The line is silent or the input at its end: nothing in progress goes on.
    fn finish(&mut self, context: &mut Context);

    /// Where octets may be cut so that a handler that starts there comes to the same as one that has seen all before;
    /// a guess, which [`is_fresh`](Self::is_fresh) confirms.
    fn joint(&self, _octets: &[u8]) -> Option<usize> {
        None
    }
    /// A handler that starts so many octets into the input.
    fn fresh(&self, _offset: u64) -> Option<Box<dyn Handler + Send>> {
        None
    }
    /// Whether this one, at `offset` and in front of a [`joint`](Self::joint), goes on as one that starts there would.
    fn is_fresh(&self, _offset: u64) -> bool {
        false
    }
}

pub fn run(args: &args::Decode) -> ExitCode {
    let source = match Source::parse(&args.source) {
        Ok(source) => source,
        Err(wrong) => return usage(&wrong),
    };
    let keys = match Keys::read(&args.keys) {
        Ok(keys) => keys,
        Err(wrong) => return usage(&wrong),
    };
    let mut context = Context { keys, energy_unit: args.energy_unit, ..Context::new(args.format) };
    let mut handler = detect::handler(args, source.is_live());
    let result = if source.is_live() {
        Err(forever(&source, &mut *handler, &mut context))
    } else {
        once(&source, handler, &mut context)
    };
    match result {
        // Whoever read our output has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => usage(&format!("{}: {error}", args.source)),
        Ok(()) if context.damage.count() > 0 || context.damage.locked() > 0 => ExitCode::from(DAMAGED),
        Ok(()) => ExitCode::SUCCESS,
    }
}

fn usage(wrong: &str) -> ExitCode {
    eprintln!("meter: {wrong}");
    ExitCode::from(USAGE)
}

/// A file or standard input, from its beginning to its end.
fn once(source: &Source, handler: Box<dyn Handler + Send>, context: &mut Context) -> io::Result<()> {
    let (mut reader, len) = source.open()?;
    let progress = progress(len);
    // A long file is read in pieces that two threads share.
    let is_long = len.is_some_and(|len| len > BLOCK as u64);
    let mut chunk = vec![0; if is_long { BLOCK } else { CHUNK }];
    let mut text: Option<Hex> = None;
    let mut octets = Vec::new();
    let mut first = true;
    let mut pair = Pair::new(handler);
    loop {
        // A pipe gives small pieces; whether they are hex text is told by the first full one.
        let n = match first {
            true => fill(&mut reader, &mut chunk[..CHUNK])?,
            false if is_long => fill(&mut reader, &mut chunk)?,
            false => read(&mut reader, &mut chunk)?,
        };
        if n == 0 {
            break;
        }
        if core::mem::take(&mut first) && hex::is_hex(&chunk[..n]) {
            text = Some(Hex::default());
        }
        match &mut text {
            Some(text) => {
                octets.clear();
                text.decode(&chunk[..n], &mut octets);
                pair.take(&octets, context)?;
            }
            None => pair.take(&chunk[..n], context)?,
        }
        context.printer.flush_if_full()?;
        progress.inc(n as u64);
    }
    if let Some(at) = text.as_mut().and_then(Hex::finish) {
        context.damage.report(&format!("text offset {at}: not two hex digits"));
    }
    pair.finish(context);
    context.damage.finish();
    progress.finish_and_clear();
    context.printer.flush()
}

/// A port or socket: message by message, opened again whenever it fails. Gives the error that ends it all.
fn forever(source: &Source, handler: &mut dyn Handler, context: &mut Context) -> io::Error {
    let mut chunk = vec![0; CHUNK];
    let mut opened_before = false;
    loop {
        match source.open() {
            // What was never there is a matter of usage; what was there may come back.
            Err(error) if !opened_before => return error,
            Err(error) => eprintln!("meter: {error}; trying again"),
            Ok((mut reader, _)) => {
                opened_before = true;
                loop {
                    match reader.read(&mut chunk) {
                        Ok(0) => break,
                        Ok(n) => handler.take(&chunk[..n], context),
                        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {
                            handler.finish(context);
                        }
                        Err(error) if error.kind() == ErrorKind::Interrupted => {}
                        Err(error) => {
                            eprintln!("meter: {error}");
                            break;
                        }
                    }
                    context.damage.flush();
                    if let Err(error) = context.printer.flush() {
                        return error;
                    }
                }
                eprintln!("meter: connection lost; opening it again");
            }
        }
        handler.finish(context);
        context.damage.flush();
        if let Err(error) = context.printer.flush() {
            return error;
        }
        thread::sleep(RECONNECT);
    }
}

fn read(reader: &mut dyn Read, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn fill(reader: &mut dyn Read, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match read(reader, &mut chunk[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}

fn progress(len: Option<u64>) -> ProgressBar {
    match len {
        Some(len) if len > 1 << 22 && io::stderr().is_terminal() && !io::stdout().is_terminal() => {
            let style = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
            let bar = ProgressBar::new(len);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        }
        _ => ProgressBar::hidden(),
    }
}
