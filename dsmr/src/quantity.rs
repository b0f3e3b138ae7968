//! Value groups C and D of electricity.

/// What is measured; value group C of medium 1 (Blue Book, value group C codes for electricity).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Quantity {
    /// Active power or energy taken from the grid (+A), C = 1.
    ActiveImport,
    /// Active, given to the grid (−A), C = 2.
    ActiveExport,
    /// Reactive, import (+R), C = 3.
    ReactiveImport,
    /// Reactive, export (−R), C = 4.
    ReactiveExport,
    /// Reactive in one quadrant, 1–4; C = 5–8.
    ReactiveQuadrant(u8),
    /// Apparent, import, C = 9.
    ApparentImport,
    /// Apparent, export, C = 10.
    ApparentExport,
    /// Current, C = 11.
    Current,
    /// Voltage, C = 12.
    Voltage,
    /// Power factor, no unit, C = 13.
    PowerFactor,
    /// Frequency, C = 14.
    Frequency,
    /// Active, import and export added up, C = 15.
    ActiveAbsolute,
    /// Active, import less export, C = 16.
    ActiveNet,
    /// Algebraic sum of the phase currents, C = 90.
    CurrentSum,
    /// Current of the neutral, C = 91.
    NeutralCurrent,
}

impl Quantity {
    /// The quantity and the phase by value group C; `None` for codes that are neither.
    #[must_use]
    pub const fn of(c: u8) -> Option<(Self, Phase)> {
        let base = match c {
            1..=20 => c,
            21..=80 => match c % 20 {
                0 => 20,
                base => base,
            },
            90 => return Some((Self::CurrentSum, Phase::Total)),
            91 => return Some((Self::NeutralCurrent, Phase::Total)),
            _ => return None,
        };
        let quantity = match base {
            1 => Self::ActiveImport,
            2 => Self::ActiveExport,
            3 => Self::ReactiveImport,
            4 => Self::ReactiveExport,
            5..=8 => Self::ReactiveQuadrant(base.wrapping_sub(4)),
            9 => Self::ApparentImport,
            10 => Self::ApparentExport,
            11 => Self::Current,
            12 => Self::Voltage,
            13 => Self::PowerFactor,
            14 => Self::Frequency,
            15 => Self::ActiveAbsolute,
            16 => Self::ActiveNet,
            _ => return None,
        };
        Some((quantity, Phase::of(c)))
    }
}

/// Which phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Phase {
    /// All phases, or any.
    Total,
    /// Phase 1.
    L1,
    /// Phase 2.
    L2,
    /// Phase 3.
    L3,
}

impl Phase {
    /// By value group C.
    pub(crate) const fn of(c: u8) -> Self {
        match c {
            21..=40 => Self::L1,
            41..=60 => Self::L2,
            61..=80 => Self::L3,
            _ => Self::Total,
        }
    }
}

/// How a measurement is made of what is measured; value group D.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Processing {
    /// Minimum, D = 3.
    Minimum,
    /// Mean of the period that runs now, D = 4: in Belgium the quarter of an hour.
    CurrentMean,
    /// Mean of the last full period, D = 5.
    LastMean,
    /// Maximum, D = 6: in Belgium the highest quarter of an hour of the month.
    Maximum,
    /// At this moment, D = 7.
    Instantaneous,
    /// Added up over time, D = 8: energy.
    Total,
    /// Mean, D = 24.
    Mean,
}

impl Processing {
    /// By value group D.
    #[must_use]
    pub const fn of(d: u8) -> Option<Self> {
        Some(match d {
            3 => Self::Minimum,
            4 => Self::CurrentMean,
            5 => Self::LastMean,
            6 => Self::Maximum,
            7 => Self::Instantaneous,
            8 => Self::Total,
            24 => Self::Mean,
            _ => return None,
        })
    }
}
