//! `meter dlt645`: asks DL/T 645 meters, over a serial port, a socket or a pseudo-terminal.

mod access;
mod actions;
mod args;
mod discover;
mod port;
mod read;
mod session;
mod value;

pub use args::Args;

use crate::decode::Context;
use crate::decode::dlt645::Answers;
use args::{Action, Line};
use dlt645::{Address, Frame, Identifier, MasterConfig, Query, Request, Version};
use port::Place;
use session::{Answer, Failed, Session};
use std::process::ExitCode;

const NO_REPLY: u8 = 1;
const USAGE: u8 = 2;

/// What ends a command early.
pub enum Stop {
    Usage(String),
    Failed(String),
}

impl From<String> for Stop {
    fn from(wrong: String) -> Self {
        Self::Usage(wrong)
    }
}

impl From<&str> for Stop {
    fn from(wrong: &str) -> Self {
        Self::Usage(wrong.to_owned())
    }
}

pub fn run(args: &Args) -> ExitCode {
    let result = match &args.action {
        Action::Read(args) => read::run(args),
        Action::Discover(args) => discover::run(args),
        action => actions::run(action),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NO_REPLY),
        Err(Stop::Failed(why)) => {
            eprintln!("meter: {why}");
            ExitCode::from(NO_REPLY)
        }
        Err(Stop::Usage(wrong)) => {
            eprintln!("meter: {wrong}");
            ExitCode::from(USAGE)
        }
    }
}

/// A meter on an open line, and what is printed of its answers.
struct Peer {
    session: Session,
    address: Address,
    version: Version,
    context: Context,
    /// Everything asked so far has been answered, and not refused.
    good: bool,
}

impl Peer {
    /// Opens the line, and finds out the edition if that is asked for.
    fn open(line: &Line) -> Result<Self, Stop> {
        let place = Place::parse(&line.port, if line.edition == args::Edition::V1997 { 1200 } else { 2400 })?;
        let port = place.open().map_err(|error| Stop::Usage(format!("{}: {error}", line.port)))?;
        let version = if line.edition == args::Edition::V1997 { Version::V1997 } else { Version::V2007 };
        let config = MasterConfig {
            wake_up: line.wake_up,
            reply_timeout: line.timeout,
            retries: line.retries,
            max_frames: line.max_frames,
            ..MasterConfig::new(version)
        };
        let session = Session::new(port, config);
        let context = Context::new(line.format);
        let mut peer = Self { session, address: line.address, version, context, good: true };
        if line.edition == args::Edition::Auto {
            peer.probe()?;
        }
        Ok(peer)
    }

    /// 11H, then 01H: meters of one edition are silent to, or refuse, the read of the other.
    fn probe(&mut self) -> Result<(), Stop> {
        for identifier in [Identifier::V2007(0x0400_0401), Identifier::V1997(0x9010)] {
            self.version = identifier.version();
            self.session.config().version = self.version;
            match self.session.ask(self.address, &Request::Read { identifier, query: Query::All }) {
                Ok(_) => return Ok(()),
                Err(Failed::NoReply) => {}
                Err(failed) => return Err(stop(&failed)),
            }
        }
        Err(Stop::Failed(format!("{}: no reply in either edition", self.address)))
    }

    /// Asks and prints the answer. No reply is told, not an end: what else is asked still is.
    fn ask(&mut self, what: &str, request: &Request<'_>) -> Result<bool, Stop> {
        match self.session.ask(self.address, request) {
            Ok(answer) => {
                let good = !answer.refused && !answer.cut;
                if answer.cut {
                    eprintln!(
                        "meter: {} {what}: the answer goes on, but was not taken to its end",
                        self.address
                    );
                }
                self.good &= good;
                self.print(&answer)?;
                Ok(good)
            }
            Err(Failed::NoReply) => {
                self.good = false;
                eprintln!("meter: {} {what}: no reply", self.address);
                Ok(false)
            }
            Err(failed) => Err(stop(&failed)),
        }
    }

    fn print(&mut self, answer: &Answer) -> Result<(), Stop> {
        let mut answers = Answers::new(self.version);
        for octets in &answer.frames {
            if let Ok((frame, _)) = Frame::parse(octets) {
                answers.frame(&frame, &mut self.context);
            }
        }
        answers.finish(&mut self.context);
        self.good &= self.context.damage.count() == 0;
        self.context.printer.flush().map_err(|error| Stop::Failed(error.to_string()))
    }
}

fn stop(failed: &Failed) -> Stop {
    match failed {
        Failed::Start(error) => Stop::Usage(error.to_string()),
        Failed::NoReply => Stop::Failed("no reply".to_owned()),
        Failed::Port(error) => Stop::Failed(error.to_string()),
    }
}
