//! The check of a telegram: CRC-16 over `/` up to and including `!`, run along octet by octet or over a slice.

/// Which check the check line carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum CheckKind {
    /// CRC-16/ARC (polynomial 8005 reflected, start 0), as DSMR 4.0 and later, e-MUCS and all their neighbours say.
    #[default]
    Arc,
    /// CRC-16/X-25 (polynomial 1021 reflected, start and final FFFF), reported of Holley meters in Hungary.
    X25,
    /// None: digits on the check line are not compared, and telegrams are handed out as [`Check::Ignored`].
    Ignore,
}

/// What is known of a telegram's check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Check {
    /// The digits agree with the octets.
    Verified,
    /// There are no digits, and nothing in the telegram says that there should be: clean for DSMR 2.2 and 3.0.
    Absent,
    /// There are no digits although the version or the identification says 4 or later.
    Missing,
    /// The caller chose not to compare ([`CheckKind::Ignore`]).
    Ignored,
    /// The digits do not agree, or are none. Handed out only where the caller asked for it ([`Options::lenient`](crate::Options::lenient)).
    Bad,
}

impl Check {
    /// `ok`, `absent`, `missing`, `ignored`, `bad`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Verified => "ok",
            Self::Absent => "absent",
            Self::Missing => "missing",
            Self::Ignored => "ignored",
            Self::Bad => "bad",
        }
    }
}

impl core::fmt::Display for Check {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

/// The running check value. In octets, so that the smallest machines need not take it apart and put it together for each
/// octet; in an array the compiler does that all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    low: u8,
    high: u8,
}

impl Running {
    pub(crate) const fn new(value: u16) -> Self {
        let [low, high] = value.to_le_bytes();
        Self { low, high }
    }

    pub(crate) const fn value(self) -> u16 {
        u16::from_le_bytes([self.low, self.high])
    }
}

/// The value before the first octet.
pub(crate) const fn start(kind: CheckKind) -> Running {
    Running::new(match kind {
        CheckKind::X25 => 0xFFFF,
        CheckKind::Arc | CheckKind::Ignore => 0,
    })
}

/// The value that the check line writes down.
pub(crate) const fn end(kind: CheckKind, running: Running) -> u16 {
    match kind {
        CheckKind::X25 => !running.value(),
        CheckKind::Arc | CheckKind::Ignore => running.value(),
    }
}

/// One octet, without a table (a table would land in the RAM of an AVR).
#[inline]
pub(crate) const fn step(kind: CheckKind, running: Running, octet: u8) -> Running {
    let Running { low, high } = running;
    match kind {
        CheckKind::Arc => {
            // A table entry of this polynomial is the index shifted by 6 and by 7, and C001 where its parity is odd.
            let index = low ^ octet;
            let folded = index ^ index.rotate_left(4);
            let folded = folded ^ (folded >> 2);
            let odd = (folded ^ (folded >> 1)) & 1;
            // The index has parity for its bit 8.
            let half = index >> 1 | odd << 7;
            let twice = index ^ index << 1;
            Running { low: high ^ odd ^ twice << 6, high: half ^ half >> 1 }
        }
        CheckKind::X25 => {
            let data = octet ^ low;
            let data = data ^ (data << 4);
            let rest = data >> 4;
            Running { low: high ^ (data << 3) ^ rest, high: data ^ (rest >> 1) }
        }
        CheckKind::Ignore => Running { low: 0, high: 0 },
    }
}

/// A whole run of octets.
pub(crate) fn run(kind: CheckKind, running: Running, octets: &[u8]) -> Running {
    match kind {
        #[cfg(target_pointer_width = "64")]
        CheckKind::Arc if octets.len() >= crate::fold::WORTH => {
            Running::new(crate::fold::arc(running.value(), octets))
        }
        CheckKind::Ignore => Running { low: 0, high: 0 },
        kind => octets.iter().fold(running, |running, octet| step(kind, running, *octet)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    #[test]
    fn check_values_of_the_catalogue() {
        for (kind, expected) in [(CheckKind::Arc, 0xBB3D), (CheckKind::X25, 0x906E)] {
            let running = b"123456789".iter().fold(start(kind), |running, octet| step(kind, running, *octet));
            assert_eq!(end(kind, running), expected);
            assert_eq!(end(kind, run(kind, start(kind), b"123456789")), expected);
        }
    }

    proptest! {
        #[test]
        fn octet_step_and_run_agree(octets: Vec<u8>, at in 0usize..64) {
            for kind in [CheckKind::Arc, CheckKind::X25, CheckKind::Ignore] {
                let by_step = octets.iter().fold(start(kind), |running, octet| step(kind, running, *octet));
                let (front, back) = octets.split_at(at.min(octets.len()));
                prop_assert_eq!(run(kind, run(kind, start(kind), front), back), by_step);
            }
        }
    }
}
