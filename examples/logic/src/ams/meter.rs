//! What the reader makes of the frames of its meter.

use super::average::Period;
use super::reading::Reading;
use super::record::Recent;
use crate::sink::Sink;

/// Numbers of the meter, gathered until they are sent.
#[derive(Clone, Debug)]
pub struct Meter {
    /// For `avg/ID`.
    pub period: Period,
    /// For `pf/ID`.
    pub recent: Recent,
    /// For `hr/ID`: time and energies.
    hour: Option<[u32; 5]>,
    /// What the meter's clock said last, and when.
    clock: (u32, u32),
}

impl Default for Meter {
    #[inline(always)]
    fn default() -> Self {
        Self::new()
    }
}

impl Meter {
    /// With nothing heard yet.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { period: Period::new(), recent: Recent::new(), hour: None, clock: (0, 0) }
    }

    /// Takes the information field of a good frame; `false` if it is no list that is known.
    #[inline(never)]
    pub fn take(&mut self, information: &[u8], now: u32) -> bool {
        let mut reading = Reading::default();
        if !reading.parse(information) {
            return false;
        }
        if reading.time != 0 {
            self.clock = (reading.time, now);
        }
        let (said, when) = self.clock;
        let passed = now.wrapping_sub(when).div_euclid(1000);
        let time = if said == 0 { 0 } else { said.wrapping_add(passed) };
        self.period.take(&reading, time);
        self.recent.take(&reading, time);
        if reading.energies_present == 0x0F {
            let [import, export, reactive_import, reactive_export] = reading.energies;
            self.hour = Some([time, import, export, reactive_import, reactive_export]);
        }
        true
    }

    /// Whether the energies of an hour wait to be sent.
    #[must_use]
    pub const fn has_hour(&self) -> bool {
        self.hour.is_some()
    }

    /// The payload of `hr/ID`, once.
    pub fn hour(&mut self, out: &mut impl Sink) {
        for number in self.hour.take().unwrap_or_default() {
            out.put_all(&number.to_be_bytes());
        }
    }
}
