//! When to ask the meter, what to keep of its telegrams, when to post.

use dsmr::{LineDecoder, LineEvent, Stats};

use super::Reading;

/// How long a meter is asked before it is left alone until the next period, in milliseconds: DSMR 5 and e-MUCS meters send
/// every second, older ones every ten.
pub const PATIENCE: u32 = 25_000;
/// The longest line that is looked at.
const LINE: usize = 160;

/// The reader; time is in milliseconds that may wrap.
#[derive(Debug)]
pub struct Reader {
    decoder: LineDecoder<[u8; LINE]>,
    /// Of the telegram under way.
    reading: Reading,
    /// Of the last whole telegram; to be posted.
    ready: Option<Reading>,
    period: u32,
    /// When the present period began.
    began: u32,
    asking: bool,
}

impl Reader {
    /// A reader that asks at once, and every `seconds` from `now` on.
    #[must_use]
    pub const fn new(seconds: u32, now: u32) -> Self {
        Self {
            decoder: LineDecoder::new([0; LINE]),
            reading: Reading::new(),
            ready: None,
            period: seconds.saturating_mul(1000),
            began: now,
            asking: true,
        }
    }

    /// What the data request line is to be: `true` high, `false` in the air (it must not be pulled low).
    #[must_use]
    pub const fn asks(&self) -> bool {
        self.asking
    }

    /// Time passes. Call at least once a second.
    pub fn handle_time(&mut self, now: u32) {
        let passed = now.wrapping_sub(self.began);
        if passed >= self.period {
            // Not `now`: posts keep their beat though the loop is late.
            self.began =
                self.began.wrapping_add(passed.wrapping_sub(passed.checked_rem(self.period).unwrap_or(0)));
            self.begin();
        } else if self.asking && passed >= PATIENCE {
            self.end();
        }
    }

    /// Takes octets from the meter. What comes while it was not asked is left aside.
    pub fn handle_octets(&mut self, mut octets: &[u8]) {
        while self.asking {
            let Some(event) = self.decoder.decode(&mut octets) else { return };
            match event {
                Ok(LineEvent::Identification(_)) => self.reading = Reading::new(),
                Ok(LineEvent::Data(part)) if part.is_whole() => self.reading.take(&part.line()),
                Ok(LineEvent::End(end)) if end.verdict.is_good() && !self.reading.is_empty() => {
                    self.ready = Some(core::mem::take(&mut self.reading));
                    self.end();
                }
                _ => {}
            }
        }
    }

    /// The reading that is to be posted, once. If it cannot be, the next period brings another.
    pub const fn poll_post(&mut self) -> Option<Reading> {
        self.ready.take()
    }

    /// Telegrams and octets seen so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.decoder.stats()
    }

    fn begin(&mut self) {
        self.decoder.reset();
        self.asking = true;
    }

    fn end(&mut self) {
        self.asking = false;
        self.reading = Reading::new();
    }
}
