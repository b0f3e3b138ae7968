//! The ways that a P1 reader's readings can go.

use logic::config::{Config, Way};
use logic::p1::Reading;
use smoltcp::phy::Device;

use crate::{Name, Network, Poster, Publisher};

/// The way that the configuration says.
#[derive(Debug)]
pub enum Output<'c> {
    /// Each in an HTTP POST.
    Post(Poster<'c>),
    /// Each in a message to a broker.
    Mqtt {
        /// The client.
        publisher: Publisher<'c>,
        /// Readings whose arrival was told.
        told: u32,
        /// Readings that there was no room for, and that were not told yet.
        refused: u32,
    },
}

impl<'c> Output<'c> {
    /// Octets of storage that suit: a request, or readings that wait for a broker.
    pub const STORAGE: usize = 4096;

    /// Nothing is under way.
    pub fn new(config: &'c Config<'c>, name: &'c Name, storage: &'c mut [u8]) -> Self {
        match config.way {
            Way::Post => Output::Post(Poster::new(config, storage)),
            Way::Mqtt => {
                Output::Mqtt { publisher: Publisher::new(config, name, storage), told: 0, refused: 0 }
            }
        }
    }

    /// Sends a reading.
    pub fn send<D: Device>(&mut self, network: &mut Network<'_, D>, reading: &Reading, now: u64) {
        match self {
            Output::Post(poster) => poster.post(network, reading, now),
            Output::Mqtt { publisher, refused, .. } => {
                if !publisher.publish(|out| reading.json(out)) {
                    *refused += 1;
                }
            }
        }
    }

    /// Moves what there is to move. What became of a reading, once: whether it has arrived.
    pub fn work<D: Device>(&mut self, network: &mut Network<'_, D>, now: u64) -> Option<bool> {
        network.work(now);
        match self {
            Output::Post(poster) => poster.work(network, now),
            Output::Mqtt { publisher, told, refused } => {
                publisher.work(network, now);
                if *told != publisher.client().delivered() {
                    *told = told.wrapping_add(1);
                    Some(true)
                } else if *refused > 0 {
                    *refused -= 1;
                    Some(false)
                } else {
                    None
                }
            }
        }
    }
}
