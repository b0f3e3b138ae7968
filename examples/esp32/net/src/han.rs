//! HAN messages to an MQTT broker, every one as it comes.

use logic::config::Config;
use logic::han::{Event, IDLE, Reader, too_long};
use logic::sink::Sink;
use smoltcp::phy::Device;

use crate::{Name, Network, Publisher};

/// The longest frame of HDLC, and the room that its decoder wants beside it.
const FRAME: usize = 2356;
/// The longest message of several frames.
const MESSAGE: usize = 2048;

/// A reader on the line of a HAN port. It says on the way, a line each: `# online`, `# offline`, `# refused` and CONNACK's return
/// code, `# message` and `# delivered` and how many there were, `# lost` and how many octets.
#[derive(Debug)]
pub struct Han<'c> {
    reader: Reader<[u8; FRAME], [u8; MESSAGE]>,
    outbox: Outbox<'c>,
    /// When octets last came, and whether that was since the line was idle.
    last: u64,
    busy: bool,
    online: bool,
    refused: u8,
    delivered: u32,
}

#[derive(Debug)]
struct Outbox<'c> {
    publisher: Publisher<'c>,
    messages: u32,
}

impl<'c> Han<'c> {
    /// Octets of storage that suit: half of it for messages that wait for a broker, half for the next, however long.
    pub const STORAGE: usize = 16 * 1024;

    /// For this broker.
    pub fn new(config: &Config<'c>, name: &'c Name, storage: &'c mut [u8]) -> Self {
        let publisher = Publisher::new(config, name, storage);
        Han {
            reader: Reader::new([0; FRAME], [0; MESSAGE], [0; MESSAGE]),
            outbox: Outbox { publisher, messages: 0 },
            last: 0,
            busy: false,
            online: false,
            refused: 0,
            delivered: 0,
        }
    }

    /// Moves what there is to move. `receive` writes octets of the line and says how many; it is not called while messages
    /// wait and another may find no room. Whether octets came.
    pub fn work<D: Device>(
        &mut self,
        network: &mut Network<'_, D>,
        receive: impl FnOnce(&mut [u8]) -> usize,
        now: u64,
        out: &mut impl Sink,
    ) -> bool {
        let mut chunk = [0; 64];
        let mut octets: &[u8] = &[];
        let Han { reader, outbox, .. } = self;
        if outbox.publisher.client().has_room(Self::STORAGE / 2) {
            let len = receive(&mut chunk);
            octets = chunk.get(..len).unwrap_or_default();
            if !octets.is_empty() {
                reader.handle_octets(octets, |event| outbox.take(event, out));
                (self.last, self.busy) = (now, true);
            } else if self.busy && now.saturating_sub(self.last) >= u64::from(IDLE) {
                reader.finish(|event| outbox.take(event, out));
                self.busy = false;
            }
        }
        network.work(now);
        self.outbox.publisher.work(network, now);
        self.tell(out);
        !octets.is_empty()
    }

    fn tell(&mut self, out: &mut impl Sink) {
        let client = self.outbox.publisher.client();
        if client.is_online() != self.online {
            self.online = !self.online;
            out.put_all(if self.online { b"# online\n" } else { b"# offline\n" });
        }
        if client.refused() != self.refused {
            self.refused = client.refused();
            line(out, b"# refused ", u32::from(self.refused));
        }
        if client.delivered() != self.delivered {
            self.delivered = client.delivered();
            line(out, b"# delivered ", self.delivered);
        }
    }
}

impl Outbox<'_> {
    fn take(&mut self, event: Event<'_>, out: &mut impl Sink) {
        match event {
            Event::Message(message) => {
                let fits = self.publisher.publish(|out| message.json(out));
                if fits || self.publisher.publish(|out| too_long(out)) {
                    self.messages = self.messages.wrapping_add(1);
                    line(out, b"# message ", self.messages);
                }
            }
            Event::Lost(error) => line(out, b"# lost ", error.lost),
            Event::Dropped(octets) => line(out, b"# lost ", octets),
        }
    }
}

fn line(out: &mut impl Sink, what: &[u8], number: u32) {
    out.put_all(what);
    out.decimal(number);
    out.put(b'\n');
}
