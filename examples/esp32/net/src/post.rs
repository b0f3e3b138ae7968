//! A reading in an HTTP POST.

use logic::config::Config;
use logic::mqtt::Link;
use logic::p1::{Post, Reading};
use smoltcp::phy::Device;

use crate::Network;

/// How long a post may take, in milliseconds.
const PATIENCE: u64 = 5000;

/// Posts one reading at a time.
#[derive(Debug)]
pub struct Poster<'c> {
    config: &'c Config<'c>,
    request: &'c mut [u8],
    /// Octets of the request, and of those handed over; 0 where nothing is under way.
    len: usize,
    sent: usize,
    began: u64,
    answer: [u8; 16],
    answered: usize,
}

impl<'c> Poster<'c> {
    /// Nothing is under way. A request takes room in `storage`.
    pub fn new(config: &'c Config<'c>, storage: &'c mut [u8]) -> Self {
        Poster { config, request: storage, len: 0, sent: 0, began: 0, answer: [0; 16], answered: 0 }
    }

    /// Starts a post; one that is still under way is given up.
    pub fn post<D: Device>(&mut self, network: &mut Network<'_, D>, reading: &Reading, now: u64) {
        let (mut len, most) = (0, self.request.len());
        let request = &mut self.request;
        Post { config: self.config, reading }.write(&mut |octet| {
            if let Some(place) = request.get_mut(len) {
                *place = octet;
            }
            len += 1;
        });
        let opened = network.open(self.config.server, self.config.port);
        // A request that is longer than its room is not sent in part. `work` tells of what could not be opened.
        self.len = len.min(most);
        self.sent = if opened && len <= most { 0 } else { self.len };
        (self.answered, self.began) = (0, now);
    }

    /// Moves what there is to move. What became of a post, once: whether the server took it.
    pub fn work<D: Device>(&mut self, network: &mut Network<'_, D>, now: u64) -> Option<bool> {
        if self.len == 0 {
            return None;
        }
        let (request, sent) = (self.request.get(..self.len).unwrap_or_default(), &mut self.sent);
        network.send(|room| {
            let rest = request.get(*sent..).unwrap_or_default();
            let len = rest.len().min(room.len());
            let parts = room.iter_mut().zip(rest);
            parts.for_each(|(place, octet)| *place = *octet);
            *sent += len;
            len
        });
        self.answered += network.receive(self.answer.get_mut(self.answered..).unwrap_or_default()).len();
        let answer = Post::answered(self.answer.get(..self.answered).unwrap_or_default());
        let waits = network.link() != Link::Closed && now.saturating_sub(self.began) <= PATIENCE;
        if answer.is_none() && waits {
            return None;
        }
        network.close();
        self.len = 0;
        Some(answer == Some(true))
    }
}
