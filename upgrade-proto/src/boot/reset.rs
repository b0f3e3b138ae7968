//! Why the processor was reset.

/// What ended the run before this one, from the processor's reset flags.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ResetCause {
    /// The supply came, or fell below the brown-out level.
    Power,
    /// A watchdog, or a fault that the processor answers with a reset.
    Fault,
    /// The program asked for it (a panic handler does).
    Software,
    /// Any other, or unknown: the reset pin, a debugger.
    Other,
}

impl ResetCause {
    /// From the flags, worst first: a supply that falls sets its flag beside the others, and explains them.
    #[must_use]
    pub const fn from_flags(power: bool, watchdog: bool, software: bool) -> Self {
        if power {
            ResetCause::Power
        } else if watchdog {
            ResetCause::Fault
        } else if software {
            ResetCause::Software
        } else {
            ResetCause::Other
        }
    }

    pub(super) const fn is_fault(self) -> bool {
        matches!(self, ResetCause::Fault | ResetCause::Software)
    }
}
