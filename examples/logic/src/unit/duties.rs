//! The main loop of paper 000, 3.3: what is due in this turn of it.

/// What is due in a turn. Communication is in each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// The supply has just failed, or come back.
    pub supply: Option<bool>,
    /// Seconds that the meter has to count: more than one when a turn took long.
    pub metering: u32,
    /// Look at the clock for the rate: each minute, and first of all.
    pub time_of_use: bool,
    /// The number of the item to show next: each five seconds.
    pub display: Option<u8>,
}

/// Items that the display goes through.
const ITEMS: u8 = 3;

/// Remembers when each duty was done last.
#[derive(Clone, Copy, Debug)]
pub struct Duties {
    supplied: bool,
    /// There was a turn before.
    begun: bool,
    second: u32,
    seconds: u32,
    item: u8,
}

impl Duties {
    /// From `now` on, in milliseconds.
    #[must_use]
    pub const fn new(now: u32) -> Self {
        Self { supplied: true, begun: false, second: now, seconds: 0, item: 0 }
    }

    /// A turn at `now`, with the supply as it is.
    pub fn turn(&mut self, now: u32, supplied: bool) -> Due {
        let mut due = Due { time_of_use: !self.begun, ..Due::default() };
        self.begun = true;
        if supplied != self.supplied {
            self.supplied = supplied;
            due.supply = Some(supplied);
        }
        while now.wrapping_sub(self.second) >= 1000 {
            self.second = self.second.wrapping_add(1000);
            self.seconds = self.seconds.wrapping_add(1);
            due.metering = due.metering.saturating_add(1);
            due.time_of_use |= self.seconds.is_multiple_of(60);
            // Without supply the display stays dark.
            if self.seconds.is_multiple_of(5) && supplied {
                due.display = Some(self.item);
                self.item = self.item.wrapping_add(1) % ITEMS;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duty_in_its_time_and_none_lost_in_a_long_turn() {
        let mut duties = Duties::new(u32::MAX - 100);
        assert!(duties.turn(u32::MAX - 100, true).time_of_use, "first of all");
        let (mut seconds, mut minutes, mut shown) = (0, 0, 0);
        for turn in 1..=300u32 {
            // 0.4 s a turn, and one that takes a whole minute.
            let late = if turn > 150 { 60_000 } else { 0 };
            let due = duties.turn((turn * 400 + late).wrapping_sub(101), true);
            seconds += due.metering;
            minutes += u32::from(due.time_of_use);
            shown += u32::from(due.display.is_some());
        }
        assert_eq!(seconds, 180);
        assert_eq!(minutes, 3);
        assert_eq!(shown, 12 + 12 + 1, "one item for the long turn");
        let now = 180_000 - 101;
        assert_eq!(duties.turn(now, false).supply, Some(false));
        assert_eq!(duties.turn(now, false).supply, None);
        assert_eq!(duties.turn(now + 1, true).supply, Some(true));
    }
}
