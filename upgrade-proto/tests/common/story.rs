//! A whole transfer with everything that can go wrong on the way, told from a few numbers.

use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::sender::{Sender, Settings, Strategy};

use super::*;

/// What happens.
#[derive(Clone, Debug)]
pub struct Story {
    pub meters: usize,
    /// Of them, how many come late, and after how many frames.
    pub late: usize,
    pub late_at: u64,
    pub len: usize,
    pub block: u16,
    pub strategy: Strategy,
    pub trouble: Trouble,
    /// Flash operations between power cuts of a meter, at most; 0: none.
    pub cut_every: u64,
    /// Power cuts of all meters together.
    pub cuts: u32,
    /// How often the concentrator loses all it knows.
    pub restarts: u32,
}

pub fn octets(len: usize, seed: u64) -> Vec<u8> {
    let mut rng = Chance::new(seed.wrapping_mul(2));
    (0..len).map(|_| rng.next() as u8).collect()
}

pub fn flash_nodes(count: usize) -> Vec<(Flash, FlashMap)> {
    (0..count).map(|_| (Flash::new(FLASH_LEN), FlashMap::new(map_span()))).collect()
}

/// Cuts a supply within the next `every` operations, in some way.
pub fn arm(flash: &mut Flash, every: u64, rng: &mut Chance) {
    let tears = [Tear::Nothing, Tear::FirstHalf, Tear::SecondHalf, Tear::Bits(rng.next())];
    flash.cut = Some((rng.below(every), tears[rng.below(4) as usize]));
}

impl Story {
    /// Tells it to its end: how many meters are done; the others were given up. Panics where something is wrong.
    pub fn tell(&self, mut rng: Chance) -> usize {
        let image = Image::new(octets(self.len, 7), self.block, true, true, &[]);
        let mut chance = Chance::new(rng.next());
        let mut world = World::with(&image, flash_nodes(self.meters), self.trouble, rng);
        if self.cut_every > 0 {
            for node in world.nodes.iter_mut().flatten() {
                arm(node.flash_mut(), self.cut_every, &mut chance);
            }
        }
        let (mut cuts, mut restarts) = (0, 0);
        loop {
            let mut tables = Tables::new(self.meters, &image.geometry);
            let settings = Settings { strategy: self.strategy, ..settings() };
            let mut sender = Sender::new(settings, &image.job(7), &image, tables.memory()).unwrap();
            let mut added = 0;
            let prompt = self.meters - self.late.min(self.meters - 1);
            let end = if restarts < self.restarts { world.frames + 5 + chance.below(200) } else { u64::MAX };
            let mut turns = 0;
            loop {
                let due = if world.frames >= self.late_at { self.meters } else { prompt };
                while added < due {
                    sender.add_meter(config(added as u8).address).unwrap();
                    added += 1;
                }
                let going = world.turn(&mut sender);
                for at in 0..self.meters {
                    if world.nodes[at].as_mut().unwrap().flash_mut().dead {
                        cuts += 1;
                        let again = self.cut_every > 0 && cuts < self.cuts;
                        world.reboot(at, 30, |mut flash, map| {
                            flash.dead = false;
                            if again {
                                arm(&mut flash, self.cut_every, &mut chance);
                            }
                            (flash, map)
                        });
                    }
                }
                if !going && added == self.meters {
                    let done = world.check(&sender);
                    world.check_maps();
                    return done;
                }
                if !going {
                    // Finished before the late ones came.
                    world.now += 10;
                    world.frames = world.frames.max(self.late_at);
                }
                if world.frames >= end {
                    restarts += 1;
                    break;
                }
                turns += 1;
                assert!(turns < 2_000_000, "never ends: {:?}", sender.meters());
            }
        }
    }
}
