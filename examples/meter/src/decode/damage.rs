//! What was damaged, told on standard error.

use std::fmt::{Arguments, Display};
use std::io::{self, Write};

/// Counts and tells damage. Octets lost one after the other are told once, with the first reason.
#[derive(Debug, Default)]
pub struct Damage {
    count: u64,
    run: Option<Run>,
    /// Encrypted messages that came without a key being there, and the sender of the last.
    locked: u64,
    sender: String,
    /// Kept instead of told, until it is known whether it is true.
    kept: Option<Vec<Told>>,
}

#[derive(Debug)]
enum Told {
    Damage(String),
    Locked(String),
}

#[derive(Debug)]
struct Run {
    offset: u64,
    end: u64,
    octets: u64,
    reason: String,
}

impl Damage {
    /// Keeps what it is told, for [`append`](Self::append).
    pub fn keeping() -> Self {
        Self { kept: Some(Vec::new()), ..Self::default() }
    }

    /// Tells what another has kept, and goes on with what that one has in progress.
    pub fn append(&mut self, other: &mut Self) {
        self.flush();
        for told in other.kept.iter_mut().flat_map(core::mem::take) {
            match told {
                Told::Damage(what) => self.report(&what),
                Told::Locked(system_title) => self.lock(&system_title),
            }
        }
        self.run = other.run.take();
    }

    /// Whether octets lost are held back, for others may follow.
    pub fn is_open(&self) -> bool {
        self.run.is_some()
    }

    /// `octets` octets that end at offset `end` of the input are lost.
    pub fn lost(&mut self, end: u64, octets: u32, reason: &dyn Display) {
        let octets = u64::from(octets);
        match &mut self.run {
            Some(run) => {
                run.end = end;
                run.octets += octets;
            }
            None => {
                let offset = end.saturating_sub(octets);
                self.run = Some(Run { offset, end, octets, reason: reason.to_string() });
            }
        }
    }

    /// Something whole came: what is lost after it is told apart.
    pub fn flush(&mut self) {
        if let Some(run) = self.run.take() {
            let Run { offset, end, octets, reason } = run;
            self.report(&format!("offset {offset}, length {}: {reason}; {octets} octets lost", end - offset));
        }
    }

    /// Anything else that was not whole.
    pub fn report(&mut self, what: &str) {
        self.flush();
        if let Some(kept) = &mut self.kept {
            kept.push(Told::Damage(what.to_owned()));
            return;
        }
        self.count += 1;
        tell(format_args!("{what}"));
    }

    /// A message is encrypted and there is no key: each sender is told as it comes up.
    pub fn lock(&mut self, system_title: &str) {
        self.flush();
        if let Some(kept) = &mut self.kept {
            kept.push(Told::Locked(system_title.to_owned()));
            return;
        }
        self.locked += 1;
        if self.sender != system_title {
            self.sender = system_title.to_owned();
            tell(format_args!("encrypted by system title {system_title}, and no key given (--key)"));
        }
    }

    /// How many messages could not be opened for want of a key.
    pub fn locked(&self) -> u64 {
        self.locked
    }

    /// The input is at its end.
    pub fn finish(&mut self) {
        self.flush();
        if self.locked > 1 {
            tell(format_args!("{} messages not opened for want of a key", self.locked));
        }
    }

    /// How much was told, all in all.
    pub fn count(&self) -> u64 {
        self.count + u64::from(self.run.is_some())
    }
}

/// In one piece: standard error has no buffer, and a log with much damage has many of these. Nobody may be listening.
fn tell(what: Arguments<'_>) {
    let _ = io::stderr().write_all(format!("meter: {what}\n").as_bytes());
}
