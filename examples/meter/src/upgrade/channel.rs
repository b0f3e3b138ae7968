//! The shared channel: who loses which frame, and how many frames no scheme can do without.

/// xoshiro256++, seeded through splitmix64.
#[derive(Clone, Debug)]
pub struct Rng([u64; 4]);

impl Rng {
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Rng(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        }))
    }

    pub fn next(&mut self) -> u64 {
        let s = &mut self.0;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// Even between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// How losses come about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Each frame on its own.
    Independent,
    /// Gilbert–Elliott: a bad state that loses all, a good one that loses none, per meter.
    Bursts,
    /// A tenth of the meters lose 30 %, the others the given share.
    Mixed,
}

/// The channel as each meter sees it.
#[derive(Clone, Debug)]
pub struct Channel {
    kind: Kind,
    loss: Vec<f64>,
    bad: Vec<bool>,
    to_good: f64,
    to_bad: f64,
    frame: f64,
    rng: Rng,
}

/// Share of frames a meter loses.
pub fn loss_of(kind: Kind, loss: f64, meters: usize, at: usize) -> f64 {
    if kind == Kind::Mixed && at < (meters / 10).max(1) { 0.30 } else { loss }
}

impl Channel {
    /// `frame`: octets of a data frame with all overhead; shorter ones are lost less often, by the same bit error rate.
    pub fn new(kind: Kind, loss: f64, burst: f64, meters: usize, frame: u32, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let bad = (0..meters).map(|_| rng.unit() < loss).collect();
        let to_good = 1.0 / burst.max(1.0);
        Channel {
            kind,
            loss: (0..meters).map(|at| loss_of(kind, loss, meters, at)).collect(),
            bad,
            to_good,
            to_bad: to_good * loss / (1.0 - loss),
            frame: f64::from(frame),
            rng,
        }
    }

    /// Calls `hear` for every meter that gets a data frame.
    pub fn data(&mut self, octets: u32, mut hear: impl FnMut(usize)) {
        let long = f64::from(octets) / self.frame;
        for at in 0..self.loss.len() {
            let draw = self.rng.unit();
            let lost = if self.kind == Kind::Bursts {
                let was = self.bad[at];
                self.bad[at] = if was { draw >= self.to_good } else { draw < self.to_bad };
                was
            } else if octets as f64 == self.frame {
                draw < self.loss[at]
            } else {
                draw < 1.0 - (1.0 - self.loss[at]).powf(long)
            };
            if !lost {
                hear(at);
            }
        }
    }

    /// Whether a control frame of so many octets gets through between the concentrator and one meter.
    pub fn control(&mut self, at: usize, octets: u32) -> bool {
        let lost = 1.0 - (1.0 - self.loss[at]).powf(f64::from(octets) / self.frame);
        self.rng.unit() >= lost
    }
}

/// Expected frames until every meter has received `blocks` of them: no scheme, with whatever code and free feedback, does with fewer.
pub fn lower_bound(kind: Kind, loss: f64, burst: f64, meters: usize, blocks: u32, seed: u64) -> f64 {
    if kind == Kind::Bursts {
        let trials = (2_000_000 / (meters * blocks as usize)).clamp(4, 40);
        let sum: u64 = (0..trials as u64)
            .map(|trial| simulate_bound(loss, burst, meters, blocks, seed ^ (trial << 32)))
            .sum();
        return sum as f64 / trials as f64;
    }
    // Negative binomial per meter; the mean of the largest is the sum of 1 - product of the distribution functions.
    let mut losses: Vec<(f64, usize)> = Vec::new();
    for at in 0..meters {
        let loss = loss_of(kind, loss, meters, at);
        match losses.iter_mut().find(|entry| entry.0 == loss) {
            Some(entry) => entry.1 += 1,
            None => losses.push((loss, 1)),
        }
    }
    let blocks_f = f64::from(blocks);
    let mut state: Vec<(f64, f64)> =
        losses.iter().map(|(loss, _)| (blocks_f * (1.0 - loss).ln(), 0.0)).collect();
    let mut mean = blocks_f;
    let mut n = blocks_f;
    loop {
        let mut all = 1.0;
        for ((loss, count), (log, sum)) in losses.iter().zip(&mut state) {
            *sum += log.exp();
            *log += (n / (n - blocks_f + 1.0)).ln() + loss.max(1e-300).ln();
            all *= sum.min(1.0).powi(*count as i32);
        }
        n += 1.0;
        if 1.0 - all < 1e-9 || n > blocks_f * 100.0 {
            return mean;
        }
        mean += 1.0 - all;
    }
}

fn simulate_bound(loss: f64, burst: f64, meters: usize, blocks: u32, seed: u64) -> u64 {
    let mut worst = 0;
    let mut rng = Rng::new(seed);
    let to_good = 1.0 / burst.max(1.0);
    let to_bad = to_good * loss / (1.0 - loss);
    for _ in 0..meters {
        let mut bad = rng.unit() < loss;
        let (mut got, mut sent) = (0, 0u64);
        while got < blocks {
            sent += 1;
            got += u32::from(!bad);
            let draw = rng.unit();
            bad = if bad { draw >= to_good } else { draw < to_bad };
        }
        worst = worst.max(sent);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_is_the_reference_models() {
        for (loss, frames) in
            [(0.001, 2006.0), (0.01, 2031.0), (0.05, 2130.0), (0.1, 2259.0), (0.2, 2554.0), (0.3, 2936.0)]
        {
            let bound = lower_bound(Kind::Independent, loss, 10.0, 61, 2000, 1);
            assert!((bound / frames - 1.0).abs() < 0.005, "{loss}: {bound}");
        }
    }

    #[test]
    fn bursts_lose_their_share() {
        let mut channel = Channel::new(Kind::Bursts, 0.1, 10.0, 50, 551, 7);
        let mut heard = 0;
        for _ in 0..20_000 {
            channel.data(551, |_| heard += 1);
        }
        let share = 1.0 - f64::from(heard) / 1_000_000.0;
        assert!((share - 0.1).abs() < 0.01, "{share}");
    }
}
