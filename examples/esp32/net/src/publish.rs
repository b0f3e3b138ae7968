//! Messages to an MQTT broker.

use logic::config::Config;
use logic::mqtt::{Client, Need, Payload, Session};
use logic::sink::Sink;
use smoltcp::phy::Device;

use crate::Network;

/// The name that a reader has at the broker: `meter` and its Ethernet address.
#[derive(Clone, Copy, Debug)]
pub struct Name([u8; 17]);

impl Name {
    /// Of the reader with this address.
    pub fn new(address: [u8; 6]) -> Self {
        let mut name = *b"meter000000000000";
        let mut places = name.iter_mut().skip(5);
        let mut out = |octet| {
            if let Some(place) = places.next() {
                *place = octet;
            }
        };
        address.iter().for_each(|octet| out.hex(*octet));
        Name(name)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// An MQTT client on a network's connection, which it opens again whenever it breaks.
#[derive(Debug)]
pub struct Publisher<'c> {
    client: Client<'c>,
    server: [u8; 4],
    port: u16,
}

impl<'c> Publisher<'c> {
    /// A client with this name; messages wait in `storage`.
    pub fn new(config: &Config<'c>, name: &'c Name, storage: &'c mut [u8]) -> Self {
        let session = Session {
            name: name.as_str(),
            user: config.user,
            password: config.key,
            topic: config.topic,
            confirmed: config.confirmed,
        };
        Publisher { client: Client::new(session, storage), server: config.server, port: config.port }
    }

    /// The client: what has been delivered, whether it is online.
    pub fn client(&self) -> &Client<'c> {
        &self.client
    }

    /// Puts a message behind those that wait; `false` where there is no room for it.
    pub fn publish(&mut self, write: impl FnOnce(&mut Payload<'_>)) -> bool {
        self.client.publish(write)
    }

    /// Moves what there is to move.
    pub fn work<D: Device>(&mut self, network: &mut Network<'_, D>, now: u64) {
        // Without an address it would be in vain, and the next attempt would have to wait.
        if !network.is_up() {
            return;
        }
        let time = now as u32;
        self.client.handle_octets(network.receive(&mut [0; 64]));
        match self.client.poll(network.link(), time) {
            // Where it cannot be opened it is closed at the next look.
            Need::Open => {
                let _ = network.open(self.server, self.port);
            }
            Need::Close => network.abort(),
            Need::Nothing => {}
        }
        network.send(|room| self.client.transmit(room, time));
    }
}
