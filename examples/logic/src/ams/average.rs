//! Average, minimum and maximum of each field over a period.

use super::reading::{FIELDS, Reading};
use crate::sink::Sink;

/// Most octets of a payload.
pub const LONGEST: usize = 8 + 12 * FIELDS;

#[derive(Clone, Copy, Debug)]
struct Field {
    sum: u32,
    count: u16,
    /// Complement of the least value, so that an empty field is all zeros and a static one takes no flash.
    least: u32,
    most: u32,
}

const EMPTY: Field = Field { sum: 0, count: 0, least: 0, most: 0 };

/// What came since the last payload.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    fields: [Field; FIELDS],
    messages: u16,
    time: u32,
}

impl Default for Period {
    fn default() -> Self {
        Self::new()
    }
}

impl Period {
    /// With nothing in it.
    #[inline(always)]
    #[must_use]
    pub const fn new() -> Self {
        Self { fields: [EMPTY; FIELDS], messages: 0, time: 0 }
    }

    /// Takes the values of a message. Beyond 65,535 messages, or sums of 32 bits, a period takes no more.
    pub fn take(&mut self, reading: &Reading, time: u32) {
        let mut present = reading.present;
        for (field, value) in self.fields.iter_mut().zip(reading.values) {
            if present & 1 != 0
                && let (Some(sum), Some(count)) = (field.sum.checked_add(value), field.count.checked_add(1))
            {
                field.sum = sum;
                field.count = count;
                field.least = field.least.max(!value);
                field.most = field.most.max(value);
            }
            present >>= 1;
        }
        self.messages = self.messages.saturating_add(1);
        self.time = time;
    }

    /// Whether nothing was taken.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.messages == 0
    }

    /// The payload of `avg/ID`, and a new period.
    pub fn close(&mut self, out: &mut impl Sink) {
        out.put_all(&self.time.to_be_bytes());
        out.put_all(&self.messages.to_be_bytes());
        let mut present = 0u16;
        for field in self.fields.iter().rev() {
            present = present << 1 | u16::from(field.count != 0);
        }
        out.put_all(&present.to_be_bytes());
        for field in &self.fields {
            if let Some(average) = field.sum.checked_div(u32::from(field.count)) {
                for number in [average, !field.least, field.most] {
                    out.put_all(&number.to_be_bytes());
                }
            }
        }
        // In place: a new one would stand on the stack first.
        self.fields.iter_mut().for_each(|field| *field = EMPTY);
        self.messages = 0;
    }
}
