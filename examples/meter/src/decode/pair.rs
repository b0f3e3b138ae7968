//! Two threads on one input, whose output is that of one.
//!
//! A piece of input is cut near its middle, at a place where the protocol may start anew. A handler that knows nothing of
//! the input before decodes the second half while the first is decoded. If the handler of the first half then stands as
//! a fresh one would (nothing held, nothing in progress), the second half has been decoded as it would have been after
//! the first: its output is put behind and its handler goes on. Otherwise it is thrown away and decoded again, in order.

use super::damage::Damage;
use super::{Context, Handler};
use std::io;
use std::thread;

/// Octets that are worth a thread.
const WORTH: usize = 1 << 18;

/// A handler, and where in the input it is.
pub struct Pair {
    handler: Box<dyn Handler + Send>,
    offset: u64,
    /// What the second half is printed to, kept for its memory.
    ahead: Option<Context>,
}

impl Pair {
    pub fn new(handler: Box<dyn Handler + Send>) -> Self {
        Self { handler, offset: 0, ahead: None }
    }

    /// Takes octets in.
    ///
    /// # Errors
    /// What standard output says.
    pub fn take(&mut self, octets: &[u8], context: &mut Context) -> io::Result<()> {
        let end = self.offset + octets.len() as u64;
        let (front, back) = self.cut(octets);
        let joint = self.offset + front.len() as u64;
        match self.handler.fresh(joint) {
            Some(fresh) if !back.is_empty() => self.both(front, back, joint, fresh, context)?,
            _ => self.handler.take(octets, context),
        }
        self.offset = end;
        Ok(())
    }

    pub fn finish(&mut self, context: &mut Context) {
        self.handler.finish(context);
    }

    fn cut<'a>(&self, octets: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let middle = octets.len() / 2;
        let joint = if octets.len() < WORTH { None } else { self.handler.joint(&octets[middle..]) };
        octets.split_at(joint.map_or(octets.len(), |joint| middle + joint))
    }

    fn both(
        &mut self,
        front: &[u8],
        back: &[u8],
        joint: u64,
        mut fresh: Box<dyn Handler + Send>,
        context: &mut Context,
    ) -> io::Result<()> {
        let ahead = self.ahead.get_or_insert_with(|| Context {
            printer: context.printer.behind(),
            damage: Damage::keeping(),
            keys: context.keys.clone(),
            energy_unit: context.energy_unit,
        });
        thread::scope(|scope| {
            scope.spawn(|| fresh.take(back, ahead));
            self.handler.take(front, context);
        });
        if self.handler.is_fresh(joint) && !context.damage.is_open() {
            self.handler = fresh;
            context.damage.append(&mut ahead.damage);
            context.printer.append(&mut ahead.printer)
        } else {
            ahead.printer.clear();
            ahead.damage = Damage::keeping();
            self.handler.take(back, context);
            Ok(())
        }
    }
}
