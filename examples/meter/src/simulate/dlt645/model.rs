//! What the virtual meter measures: functions of its clock, so that registers, settlements, frozen values and load
//! records agree with each other.

use crate::civil::{Civil, DAY};
use dlt645::{Address, FreezeTime};
use std::collections::BTreeMap;
use std::time::Instant;

/// Installed: counting begins here.
const EPOCH: i64 = 1_735_689_600;

/// Active power in watts of each phase in each hour of the day. Phase C has a solar roof.
const POWER: [[i64; 24]; 3] = [
    [
        310, 290, 280, 280, 300, 380, 620, 900, 1150, 1210, 1180, 1240, 1310, 1220, 1150, 1130, 1200, 1480,
        1930, 2240, 2110, 1560, 820, 430,
    ],
    [
        260, 250, 240, 240, 260, 330, 540, 760, 980, 1010, 1000, 1060, 1100, 1030, 990, 970, 1010, 1260,
        1610, 1890, 1750, 1300, 690, 370,
    ],
    [
        220, 210, 200, 200, 220, 290, 410, 380, 120, -640, -1450, -2380, -2760, -2430, -1520, -590, 240, 930,
        1340, 1560, 1480, 1110, 600, 310,
    ],
];

/// Tariff in each hour: 1 sharp, 2 peak, 3 flat, 4 valley.
const RATE: [u8; 24] = [4, 4, 4, 4, 4, 4, 4, 3, 2, 2, 2, 3, 3, 3, 3, 2, 2, 2, 2, 1, 1, 2, 3, 4];

pub const RATES: u8 = 4;

/// What an energy counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    Forward,
    Reverse,
    /// Of a quadrant 1 to 4.
    Quadrant(u8),
    ApparentForward,
    ApparentReverse,
}

pub struct Model {
    pub address: Address,
    /// P0 P1 P2.
    pub password: [u8; 3],
    start: Instant,
    speed: i64,
    /// What the clock showed at `start`.
    clock: i64,
    /// Clock at which the meter was cleared last, and the demand.
    pub cleared: i64,
    pub demand_cleared: i64,
    pub relay_open: bool,
    /// Parameters that have been written.
    pub written: BTreeMap<u32, Vec<u8>>,
    /// Instantaneous freezes, the last one first.
    pub frozen: Vec<i64>,
    /// When to freeze.
    pub freeze: FreezeTime,
    pub log: Log,
}

/// What happened to the meter, the last one first.
#[derive(Default)]
pub struct Log {
    pub outages: Vec<(i64, i64)>,
    pub covers: Vec<(i64, i64)>,
    /// When, by whom, which identifier.
    pub programmed: Vec<(i64, [u8; 4], u32)>,
    /// By whom, from, to.
    pub times_set: Vec<([u8; 4], i64, i64)>,
    pub demands_cleared: Vec<(i64, [u8; 4])>,
}

impl Model {
    pub fn new(address: Address, password: [u8; 3], now: i64, speed: u32) -> Self {
        let midnight = now.div_euclid(DAY) * DAY;
        Self {
            address,
            password,
            start: Instant::now(),
            speed: speed.into(),
            clock: now,
            cleared: EPOCH,
            demand_cleared: EPOCH,
            relay_open: false,
            written: BTreeMap::new(),
            frozen: Vec::new(),
            freeze: FreezeTime::daily(0, 0),
            log: Log {
                outages: vec![
                    (midnight - 9 * DAY + 11_525, midnight - 9 * DAY + 12_540),
                    (midnight - 40 * DAY + 60_007, midnight - 40 * DAY + 60_072),
                ],
                covers: vec![(midnight - 200 * DAY + 34_200, midnight - 200 * DAY + 34_950)],
                ..Log::default()
            },
        }
    }

    /// The meter's clock, in seconds.
    pub fn now(&self) -> i64 {
        let passed = i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX / 100_000);
        self.clock + passed * self.speed / 1000
    }

    pub fn time(&self) -> Civil {
        Civil::from_seconds(self.now())
    }

    pub fn set_clock(&mut self, to: i64) {
        self.clock = to;
        self.start = Instant::now();
    }

    /// Active power in watts of a phase 1 to 3, or of all (0), at a time.
    pub fn power(&self, phase: u8, at: i64) -> i64 {
        if self.relay_open && at >= self.now() - 1 {
            return 0;
        }
        let one = |phase: usize| {
            let base = planned(phase, hour(at));
            // A little unrest, the same whenever it is asked for.
            base + (at / 60 * 7_919 + i64::try_from(phase).unwrap_or_default() * 31).rem_euclid(41) - 20
        };
        match phase {
            0 => (0..3).map(one).sum(),
            _ => one(usize::from(phase) - 1),
        }
    }

    /// Reactive power in var: a quarter of the power drawn; half of that in the second quadrant where it is fed in.
    pub fn reactive(&self, phase: u8, at: i64) -> i64 {
        match phase {
            0 => (1..=3).map(|phase| self.reactive(phase, at)).sum(),
            _ => {
                let power = self.power(phase, at);
                if power >= 0 { power / 4 } else { -power / 8 }
            }
        }
    }

    /// Apparent power in VA, with the sign of the active power.
    pub fn apparent(&self, phase: u8, at: i64) -> i64 {
        let power = self.power(phase, at);
        apparent(power, self.reactive(phase, at)) * power.signum()
    }

    /// In tenths of a volt.
    pub fn voltage(&self, phase: u8, at: i64) -> i64 {
        [2_203, 2_197, 2_211].get(usize::from(phase) - 1).copied().unwrap_or_default()
            + (at / 30 * 104_729 + i64::from(phase)).rem_euclid(13)
            - 6
    }

    /// In milliampere, negative where power is fed in.
    pub fn current(&self, phase: u8, at: i64) -> i64 {
        self.apparent(phase, at) * 10_000 / self.voltage(phase, at)
    }

    /// Energy in hundredths of a kWh, kvarh or kVAh: of a phase or all (0), at a rate or all (0), until a time.
    pub fn energy(&self, what: Counted, phase: u8, rate: u8, until: i64) -> i64 {
        if rate == 0 {
            return (1..=RATES).map(|rate| self.energy(what, phase, rate, until)).sum();
        }
        let from = self.cleared.max(EPOCH);
        (watt_seconds(what, phase, rate, until) - watt_seconds(what, phase, rate, from)).max(0) / 36_000
    }

    /// Highest demand in watts (or var) in the month up to `until`, and when it ended; `None` if there was none.
    pub fn demand(&self, what: Counted, phase: u8, rate: u8, until: i64) -> Option<(i64, i64)> {
        let now = Civil::from_seconds(until - 1);
        let month = Civil { day: 1, hour: 0, minute: 0, second: 0, ..now }.seconds();
        let from = month.max(self.demand_cleared).max(self.cleared);
        let mut best: Option<(i64, i64)> = None;
        for hour in (0..24).filter(|&hour| rate == 0 || RATE[hour] == rate) {
            // The first period of 15 minutes of that hour since the demand was cleared.
            let offset = i64::try_from(hour).unwrap_or_default() * 3600;
            let first = from.div_euclid(DAY) * DAY + offset;
            let end = if first < from { first + DAY } else { first } + 900;
            let power = counted(what, phase, hour);
            if end <= until && power > best.map_or(0, |(power, _)| power) {
                best = Some((power, end));
            }
        }
        best
    }

    /// The beginning of the month `back` months before that of `at`.
    pub fn settlement(at: i64, back: u8) -> i64 {
        let now = Civil::from_seconds(at);
        let months = now.year * 12 + i64::from(now.month) - 1 - (i64::from(back) - 1);
        Civil {
            year: months.div_euclid(12),
            month: u8::try_from(months.rem_euclid(12) + 1).unwrap_or(1),
            day: 1,
            hour: 0,
            minute: 0,
            second: 0,
        }
        .seconds()
    }
}

fn hour(at: i64) -> usize {
    usize::try_from(at.rem_euclid(DAY) / 3600).unwrap_or_default().min(23)
}

fn planned(phase: usize, hour: usize) -> i64 {
    POWER.get(phase).and_then(|hours| hours.get(hour)).copied().unwrap_or_default()
}

fn apparent(power: i64, reactive: i64) -> i64 {
    (power * power + reactive * reactive).unsigned_abs().isqrt().cast_signed()
}

/// Watts that are counted in an hour of the day.
fn counted(what: Counted, phase: u8, hour: usize) -> i64 {
    let power = match phase {
        0 => (0..3).map(|phase| planned(phase, hour)).sum(),
        _ => planned(usize::from(phase) - 1, hour),
    };
    let reactive = if power >= 0 { power / 4 } else { -power / 8 };
    match what {
        Counted::Forward => power.max(0),
        Counted::Reverse => (-power).max(0),
        Counted::Quadrant(1) if power >= 0 => reactive,
        Counted::Quadrant(2) if power < 0 => reactive,
        Counted::Quadrant(_) => 0,
        Counted::ApparentForward if power >= 0 => apparent(power, reactive),
        Counted::ApparentReverse if power < 0 => apparent(power, reactive),
        Counted::ApparentForward | Counted::ApparentReverse => 0,
    }
}

/// Since the epoch: whole days, whole hours, and the rest.
fn watt_seconds(what: Counted, phase: u8, rate: u8, until: i64) -> i64 {
    let passed = (until - EPOCH).max(0);
    let hours = |n: usize| {
        (0..n).filter(|&hour| RATE[hour] == rate).map(|hour| counted(what, phase, hour) * 3600).sum::<i64>()
    };
    let now = hour(passed);
    let rest = if RATE[now] == rate { counted(what, phase, now) * (passed % 3600) } else { 0 };
    passed / DAY * hours(24) + hours(now) + rest
}
