//! The events of a decoder over a whole slice, nothing copied.

use crate::error::{Error, ErrorKind};
use crate::machine::{Found, Machine, Stats};
use crate::octets;
use crate::wire::{Front, Wire};

#[derive(Debug, Clone)]
pub(crate) struct Slices<'i, W> {
    rest: &'i [u8],
    machine: Machine<W>,
}

impl<'i, W: Wire> Slices<'i, W> {
    pub(crate) const fn new(input: &'i [u8]) -> Self {
        Self { rest: input, machine: Machine::new() }
    }

    pub(crate) const fn stats(&self) -> Stats {
        self.machine.stats()
    }

    #[inline]
    pub(crate) fn next(&mut self, longest: u16) -> Option<Result<&'i [u8], Error>> {
        match self.machine.bulk(&mut self.rest, longest) {
            Some(Ok(Found::Input(octets))) => return Some(Ok(octets)),
            Some(Err(error)) => return Some(Err(error)),
            Some(Ok(Found::Stored(..))) | None => {}
        }
        let run = self.rest;
        let verdict = W::front(run, longest, |s, e| {
            octets::sum(run.get(usize::from(s)..usize::from(e)).unwrap_or_default())
        });
        let kind = match verdict {
            Front::Reject(kind) => kind,
            _ if run.is_empty() => return self.machine.noise_before_end().map(Err),
            _ => ErrorKind::Truncated,
        };
        self.rest = run.get(1..)?;
        self.machine.lose(1);
        Some(Err(self.machine.error(kind)))
    }
}
