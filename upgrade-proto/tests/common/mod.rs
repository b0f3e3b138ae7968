//! What tests of transfers share.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "each test file uses its part")]

mod flash;
mod image;
mod story;
mod world;

pub use flash::*;
pub use image::*;
pub use story::*;
pub use world::*;

/// Where chance comes from: a script first, when there is one, then xorshift64*.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
    script: std::vec::IntoIter<u8>,
}

impl Chance {
    pub fn new(seed: u64) -> Self {
        Chance::scripted(Vec::new(), seed)
    }
    /// Each octet decides once: what a fuzzer changes, it changes one thing by.
    pub fn scripted(script: Vec<u8>, seed: u64) -> Self {
        Chance { state: seed | 1, script: script.into_iter() }
    }
    pub fn next(&mut self) -> u64 {
        if let Some(octet) = self.script.next() {
            return u64::from(octet).wrapping_mul(0x0101_0101_0101_0101);
        }
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}
