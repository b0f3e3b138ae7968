//! What a code means, in words, from the structure of its value groups (IEC 62056-6-1, clauses 5 to 7).

mod electricity;
mod general;
mod media;

use core::fmt;

use crate::Obis;

impl Obis {
    /// What the code stands for, in words: `active energy import (+A), tariff 1`.
    ///
    /// Made from the meaning of each value group, so that it covers codes that no list has; a group without a meaning
    /// known here is named by its number. Codes that the standard leaves to manufacturers or countries are called that.
    ///
    /// ```
    /// let code = obis::obis!("1-0:32.7.0");
    /// assert_eq!(code.description().to_string(), "voltage L1");
    /// ```
    #[must_use]
    pub fn description(self) -> Description {
        let mut words = Description::EMPTY;
        match self.a() {
            0 => general::describe(self, &mut words),
            1 => electricity::describe(self, &mut words),
            _ => media::describe(self, &mut words),
        }
        words
    }
}

/// What an OBIS code means, in words; made by [`Obis::description`].
#[derive(Clone, Copy, Debug)]
pub struct Description {
    parts: [Part; Self::PARTS],
    len: u8,
}

/// A piece of a description.
#[derive(Clone, Copy, Debug)]
enum Part {
    Text(&'static str),
    Number(u16),
}

impl Description {
    const PARTS: usize = 16;
    const EMPTY: Self = Self { parts: [Part::Text(""); Self::PARTS], len: 0 };

    /// Hands out the text piece by piece: the way that needs neither formatting nor a buffer.
    pub fn for_each(&self, mut piece: impl FnMut(&str)) {
        for part in self.parts() {
            match part {
                Part::Text(text) => piece(text),
                Part::Number(number) => {
                    let (text, at) = digits(*number);
                    piece(core::str::from_utf8(text.get(at..).unwrap_or_default()).unwrap_or_default());
                }
            }
        }
    }

    /// Writes the text to the front of `out` and says how many octets that took; `None` where it does not fit.
    ///
    /// No description is longer than 120 octets.
    #[must_use]
    pub fn encode(&self, out: &mut [u8]) -> Option<usize> {
        let mut len = Some(0usize);
        self.for_each(|piece| {
            len = len.and_then(|at| {
                let end = at.checked_add(piece.len())?;
                out.get_mut(at..end)?.copy_from_slice(piece.as_bytes());
                Some(end)
            });
        });
        len
    }

    fn parts(&self) -> &[Part] {
        self.parts.get(..usize::from(self.len)).unwrap_or_default()
    }

    fn push(&mut self, part: Part) -> &mut Self {
        if let Some(place) = self.parts.get_mut(usize::from(self.len)) {
            *place = part;
            self.len = self.len.saturating_add(1);
        }
        self
    }

    /// Adds words as they are.
    fn text(&mut self, text: &'static str) -> &mut Self {
        if text.is_empty() { self } else { self.push(Part::Text(text)) }
    }

    /// Adds words and a number behind them.
    fn number(&mut self, text: &'static str, number: impl Into<u16>) -> &mut Self {
        self.text(text).push(Part::Number(number.into()))
    }

    /// Names the channel, where the code has one.
    fn channel(&mut self, channel: u8) -> &mut Self {
        if channel == 0 { self } else { self.number(", channel ", channel) }
    }

    /// Names the billing period, where the code has one (value group F).
    fn billing_period(&mut self, period: u8) -> &mut Self {
        match period {
            255 => self,
            101 => self.text(", last billing period"),
            126 => self.text(", all billing periods"),
            period => self.number(", billing period ", period),
        }
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.width().is_some() || f.precision().is_some() {
            let mut text = [0; 128];
            let len = self.encode(&mut text).unwrap_or(0);
            return f.pad(core::str::from_utf8(text.get(..len).unwrap_or_default()).unwrap_or_default());
        }
        let mut result = Ok(());
        self.for_each(|piece| result = result.and_then(|()| f.write_str(piece)));
        result
    }
}

/// The digits of a number, and where they start.
fn digits(mut number: u16) -> ([u8; 5], usize) {
    let mut text = [b'0'; 5];
    let mut at = text.len();
    for (place, digit) in text.iter_mut().enumerate().rev() {
        *digit = b'0'.wrapping_add((number % 10).to_le_bytes()[0]);
        number /= 10;
        at = place;
        if number == 0 {
            break;
        }
    }
    (text, at)
}

#[cfg(test)]
#[allow(clippy::std_instead_of_alloc, clippy::arithmetic_side_effects, reason = "test code")]
mod tests {
    extern crate std;
    use super::*;
    use proptest::prelude::*;
    use std::format;
    use std::string::ToString;

    #[test]
    fn names_that_a_person_reads() {
        for (code, name) in [
            ("1-0:1.7.0", "active power import (+P), total"),
            ("1-0:2.7.0", "active power export (-P), total"),
            ("1-0:1.8.0", "active energy import (+A), total"),
            ("1-0:1.8.1", "active energy import (+A), tariff 1"),
            ("1-1:1.8.0", "active energy import (+A), total"),
            ("1-0:2.8.2", "active energy export (-A), tariff 2"),
            ("1-0:21.7.0", "active power import (+P), L1"),
            ("1-0:41.8.1", "active energy import (+A), L2, tariff 1"),
            ("1-0:3.7.0", "reactive power import (+Q), total"),
            ("1-0:3.8.0", "reactive energy import (+R), total"),
            ("1-0:64.8.0", "reactive energy export (-R), L3"),
            ("1-0:5.8.0", "reactive energy quadrant 1, total"),
            ("1-0:8.7.0", "reactive power quadrant 4, total"),
            ("1-0:9.7.0", "apparent power import (+VA), total"),
            ("1-0:10.8.0", "apparent energy export (-VA), total"),
            ("1-0:15.8.0", "active energy import + export (|+A|+|-A|), total"),
            ("1-0:16.7.0", "active power import - export (|+P|-|-P|), total"),
            ("1-0:31.7.0", "current L1"),
            ("1-0:52.7.0", "voltage L2"),
            ("1-0:91.7.0", "current neutral"),
            ("1-0:13.7.0", "power factor, total"),
            ("1-0:53.7.0", "power factor L2"),
            ("1-0:14.7.0", "frequency"),
            ("1-0:1.4.0", "active power import (+P), current average demand"),
            ("1-0:1.5.0", "active power import (+P), last average demand"),
            ("1-0:1.6.0", "active power import (+P), maximum demand"),
            ("1-0:1.6.2*12", "active power import (+P), maximum demand, tariff 2, billing period 12"),
            ("1-0:21.6.0", "active power import (+P), L1, maximum demand"),
            ("1-0:31.4.0", "current L1, current average"),
            ("1-0:32.3.0", "voltage L1, minimum"),
            ("1-0:32.32.0", "voltage sags L1"),
            ("1-0:72.36.0", "voltage swells L3"),
            ("1-0:31.7.124", "current L1, total harmonic distortion"),
            ("1-0:32.7.5", "voltage L1, harmonic 5"),
            ("1-0:81.7.40", "phase angle I(L1) to U(L1)"),
            ("1-0:99.97.0", "power failure log"),
            ("1-0:99.1.0", "load profile 1"),
            ("1-1:0.2.129", "list version"),
            ("1-1:0.0.5", "meter ID 6"),
            ("1-3:0.2.8", "version of P1 output"),
            ("1-2:1.8.0", "active energy import (+A), total, channel 2"),
            ("1-0:1.8.0*1", "active energy import (+A), total, billing period 1"),
            ("1-0:0.4.2", "current transformer ratio"),
            ("0-0:1.0.0", "clock"),
            ("0-1:1.0.0", "clock"),
            ("0-0:96.1.0", "serial number"),
            ("0-0:96.1.1", "device ID 2"),
            ("0-0:96.1.7", "device ID 8 (meter type)"),
            ("0-1:96.1.0", "serial number, channel 1"),
            ("0-0:42.0.0", "logical device name"),
            ("0-0:96.14.0", "tariff in force"),
            ("0-0:96.13.0", "consumer message text"),
            ("0-0:96.13.1", "consumer message code"),
            ("0-0:96.7.21", "power failures, any phase"),
            ("0-0:96.7.9", "long power failures, any phase"),
            ("0-0:96.7.19", "duration of last long power failure, any phase"),
            ("0-0:96.3.10", "disconnect control"),
            ("0-1:96.3.10", "disconnect control, channel 1"),
            ("0-0:17.0.0", "limiter"),
            ("0-1:24.1.0", "M-Bus device type, channel 1"),
            ("0-1:24.2.1", "M-Bus value 1, channel 1"),
            ("0-2:24.4.0", "M-Bus valve or breaker, channel 2"),
            ("0-0:25.9.0", "push setup"),
            ("0-8:25.9.0", "push setup 8"),
            ("0-0:97.97.0", "error register 1"),
            ("0-0:98.1.0", "billing data 1"),
            ("0-0:99.98.0", "event log 1"),
            ("0-0:94.32.1", "country specific (Belgium), 1"),
            ("0-0:43.1.0", "invocation counter"),
            ("7-0:3.0.0", "gas volume, forward, absolute"),
            ("6-0:1.0.0", "heat energy"),
            ("8-0:1.0.0", "cold water volume"),
            ("9-1:1.0.0", "hot water volume, channel 1"),
            ("1-0:199.130.0", "manufacturer specific, electricity 199.130.0"),
            ("0-0:200.1.2", "general 200.1.2"),
            ("3-0:1.2.3", "medium 3 1.2.3"),
        ] {
            let parsed = Obis::parse(code.as_bytes()).unwrap();
            assert_eq!(parsed.description().to_string(), name, "{code}");
        }
    }

    #[test]
    fn width_is_honoured() {
        let frequency = crate::obis!("1-0:14.7.0").description();
        assert_eq!(
            format!("[{frequency:12}] [{frequency:>10}] [{frequency:.4}]"),
            "[frequency   ] [ frequency] [freq]"
        );
    }

    #[test]
    fn numbers() {
        for number in [0, 1, 9, 10, 99, 100, 255, 256, 65535] {
            let (text, at) = digits(number);
            assert_eq!(core::str::from_utf8(&text[at..]).unwrap(), number.to_string());
        }
    }

    /// Every medium, quantity, processing and distinction: a name, never one that lost a piece.
    #[test]
    fn every_code_has_a_name_that_fits() {
        for a in [0, 1, 4, 5, 6, 7, 8, 9, 15] {
            for c in 0..=255 {
                for d in 0..=255 {
                    for e in [0, 1, 40, 99, 124, 255] {
                        let words = Obis::new(a, 200, c, d, e, 200).description();
                        assert!(usize::from(words.len) < Description::PARTS, "{a} {c} {d} {e}");
                        let mut out = [0; 120];
                        assert!(words.encode(&mut out).is_some_and(|len| len > 2), "{a} {c} {d} {e}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn both_ways_to_text_agree(octets: [u8; 6], room in 0usize..120) {
            let words = Obis::from_octets(octets).description();
            let text = words.to_string();
            let mut out = std::vec![0; room];
            match words.encode(&mut out) {
                Some(len) => prop_assert_eq!(&out[..len], text.as_bytes()),
                None => prop_assert!(room < text.len()),
            }
            prop_assert_eq!(format!("{words:1}"), text);
        }
    }
}
