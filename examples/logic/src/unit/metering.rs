//! The simulated meter behind the unit: a voltage, a load, and what they add up to.

/// The tariffs of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// 8 to 11 and 18 to 21 h.
    Peak,
    /// The rest of the day, and as long as no clock is set.
    Flat,
    /// 22 to 6 h.
    Valley,
}

impl Rate {
    /// The rate of an hour of the day.
    #[must_use]
    pub const fn of(hour: Option<u32>) -> Self {
        match hour {
            Some(8..=10 | 18..=20) => Rate::Peak,
            Some(22.. | 0..=5) => Rate::Valley,
            _ => Rate::Flat,
        }
    }

    const fn index(self) -> usize {
        match self {
            Rate::Peak => 0,
            Rate::Flat => 1,
            Rate::Valley => 2,
        }
    }
}

/// What the meter measures and counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Metering {
    turns: u32,
    /// Watt seconds by rate.
    energy: [u64; 3],
    /// Voltage in 0.1 V.
    pub voltage: u32,
    /// Active power in W.
    pub power: u32,
}

impl Metering {
    /// One second, at this rate.
    pub fn second(&mut self, rate: Rate) {
        self.turns = self.turns.wrapping_add(1);
        // A saw tooth of four minutes for the load, one of a minute for the voltage.
        self.power = 400u32.saturating_add((self.turns % 240).saturating_mul(10));
        self.voltage = 2290u32.saturating_add(self.turns % 60 / 2);
        if let Some(sum) = self.energy.get_mut(rate.index()) {
            *sum = sum.saturating_add(self.power.into());
        }
    }

    /// Current in mA.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.power.saturating_mul(10_000).checked_div(self.voltage).unwrap_or(0)
    }

    /// Energy of a rate, or of all, in 0.01 kWh.
    #[must_use]
    pub fn energy(&self, rate: Option<Rate>) -> u64 {
        let sum = match rate {
            Some(rate) => self.energy.get(rate.index()).copied().unwrap_or(0),
            None => self.energy.iter().fold(0u64, |sum, part| sum.saturating_add(*part)),
        };
        sum / 36_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn energy_goes_to_the_rate_of_its_hour() {
        let mut metering = Metering::default();
        for hour in [Some(9), Some(3), None] {
            for _ in 0..3600 {
                metering.second(Rate::of(hour));
            }
        }
        let parts = [Rate::Peak, Rate::Valley, Rate::Flat].map(|rate| metering.energy(Some(rate)));
        // An hour at 1595 W on average.
        assert_eq!(parts, [159; 3]);
        assert_eq!(metering.energy(None), 478);
        assert_eq!(metering.current(), metering.power * 10_000 / metering.voltage);
    }
}
