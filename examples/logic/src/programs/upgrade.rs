//! Messages of a firmware upgrade on the plain carrier.

use upgrade_proto::carrier::plain::Decoder;
use upgrade_proto::message::{Message, Packet};
use upgrade_proto::session::Plane;

use super::{Program, lost};
use crate::sink::Sink;

/// A line for each message: `session kind`, the kind a letter, behind it what the message says.
///
/// | kind | message | behind it |
/// |---|---|---|
/// | `Q` | query | |
/// | `I` | initiate | octets of the image, octets of a block |
/// | `B` | block | plane (`m` manifest and tags, `d` data), number, octets, their sum |
/// | `S` | status query | |
/// | `-` | another | |
///
/// `? X lost` where octets were given up, `? M octets` for a frame with no message in it. The receiver that these messages
/// are for takes more flash than the smallest chip has.
#[derive(Debug)]
pub struct Upgrade<B> {
    decoder: Decoder<B>,
    lost: u32,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Upgrade<B> {
    /// In this storage, which holds the longest frame.
    pub const fn new(storage: B) -> Self {
        Self { decoder: Decoder::new(storage), lost: 0 }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Program for Upgrade<B> {
    fn take(&mut self, mut octets: &[u8], out: &mut impl Sink) {
        while let Some(frame) = self.decoder.decode(&mut octets) {
            match Packet::parse(frame.message) {
                Ok(packet) => report(&packet, out),
                Err(_) => lost(out, b'M', length(frame.message)),
            }
        }
    }

    fn idle(&mut self, out: &mut impl Sink) {
        let all = self.decoder.lost();
        let new = all.wrapping_sub(self.lost);
        if new != 0 {
            lost(out, b'X', new);
        }
        self.lost = all;
    }
}

fn report(packet: &Packet<'_>, out: &mut impl Sink) {
    out.decimal(u32::from(packet.session.id));
    out.put(b' ');
    match packet.message {
        Message::Query => out.put(b'Q'),
        Message::StatusQuery(_) => out.put(b'S'),
        Message::Initiate(initiate) => {
            out.put(b'I');
            out.put(b' ');
            out.decimal(initiate.size);
            out.put(b' ');
            out.decimal(u32::from(initiate.block));
        }
        Message::Block { plane, index, data, .. } => {
            out.put(b'B');
            out.put(b' ');
            out.put(if plane == Plane::Meta { b'm' } else { b'd' });
            let sum = data.iter().fold(0u32, |sum, octet| sum.wrapping_add(u32::from(*octet)));
            for number in [u32::from(index), length(data), sum] {
                out.put(b' ');
                out.decimal(number);
            }
        }
        _ => out.put(b'-'),
    }
    out.put(b'\n');
}

fn length(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or(u32::MAX)
}
