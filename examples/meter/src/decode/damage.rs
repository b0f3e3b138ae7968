//! What was damaged, told on standard error.

use std::fmt::Display;

/// Counts and tells damage. Octets lost one after the other are told once, with the first reason.
#[derive(Debug, Default)]
pub struct Damage {
    count: u64,
    run: Option<Run>,
}

#[derive(Debug)]
struct Run {
    offset: u64,
    end: u64,
    octets: u64,
    reason: String,
}

impl Damage {
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
        self.count += 1;
        eprintln!("meter: {what}");
    }

    /// How much was told, all in all.
    pub fn count(&self) -> u64 {
        self.count + u64::from(self.run.is_some())
    }
}
