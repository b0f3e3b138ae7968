//! Control packets of MQTT 3.1.1 (clause 2 and 3), octet by octet: a string literal would stand in RAM on AVR.

use crate::sink::Sink;

/// Flag of a PUBLISH: it was sent before (3.3.1.1).
pub const DUP: u8 = 0x08;
/// Flag of a PUBLISH: it wants a PUBACK (3.3.1.2).
pub const QOS1: u8 = 0x02;

/// Kinds of packets: the upper half of the first octet, with the flags below it that are fixed (2.2).
pub mod kind {
    /// Client to broker.
    pub const CONNECT: u8 = 0x10;
    /// Broker to client.
    pub const CONNACK: u8 = 0x20;
    /// Both ways; flags apart.
    pub const PUBLISH: u8 = 0x30;
    /// Both ways.
    pub const PUBACK: u8 = 0x40;
    /// Client to broker.
    pub const SUBSCRIBE: u8 = 0x82;
    /// Broker to client.
    pub const SUBACK: u8 = 0x90;
    /// Client to broker.
    pub const PINGREQ: u8 = 0xC0;
    /// Broker to client.
    pub const PINGRESP: u8 = 0xD0;
}

/// Writes a fixed header: kind and flags · remaining length, the octets behind it, 7 bits an octet (2.2.3).
pub fn head(first: u8, mut remaining: u16, out: &mut impl Sink) {
    out.put(first);
    loop {
        let [_, low] = remaining.to_be_bytes();
        remaining >>= 7;
        if remaining == 0 {
            return out.put(low & 0x7F);
        }
        out.put(low | 0x80);
    }
}

/// Writes the variable header of a CONNECT, 10 octets: protocol name · level 4 · flags · keep-alive in seconds (3.1.2).
pub fn protocol(flags: u8, keep_alive: u16, out: &mut impl Sink) {
    out.put(0);
    out.put(4);
    out.put(b'M');
    out.put(b'Q');
    out.put(b'T');
    out.put(b'T');
    out.put(4);
    out.put(flags);
    out.put_all(&keep_alive.to_be_bytes());
}

/// A packet as it comes in; of what is behind its fixed header the first `N` octets are kept.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<const N: usize> {
    first: u8,
    /// Octets of the remaining length taken so far, and the first octet; 0xFF: all.
    step: u8,
    left: u32,
    held: u8,
    body: [u8; N],
}

/// What an octet made of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// More octets are to come.
    More,
    /// The packet is whole.
    Whole,
    /// A remaining length of more than four octets: no packet starts here, or ever again (2.2.3).
    Malformed,
}

impl<const N: usize> Default for Incoming<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Incoming<N> {
    /// At the start of a packet.
    #[must_use]
    pub const fn new() -> Self {
        Self { first: 0, step: 0, left: 0, held: 0, body: [0; N] }
    }

    /// The packet's first octet: kind and flags.
    #[must_use]
    pub const fn first(&self) -> u8 {
        self.first
    }

    /// What is behind its fixed header.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.body.get(..usize::from(self.held)).unwrap_or_default()
    }

    /// Takes an octet. Behind one that ended a packet, begin with a [new](Self::new) one.
    pub fn take(&mut self, octet: u8) -> Taken {
        match self.step {
            0 => {
                self.first = octet;
                self.step = 1;
            }
            0xFF => {
                if let Some(place) = self.body.get_mut(usize::from(self.held)) {
                    *place = octet;
                    self.held = self.held.wrapping_add(1);
                }
                self.left = self.left.wrapping_sub(1);
                if self.left == 0 {
                    return Taken::Whole;
                }
            }
            step @ 1..=4 => {
                let shift = u32::from(step.wrapping_sub(1)).wrapping_mul(7);
                self.left |= u32::from(octet & 0x7F).wrapping_shl(shift);
                self.step = step.wrapping_add(1);
                if octet & 0x80 == 0 {
                    self.step = 0xFF;
                    if self.left == 0 {
                        return Taken::Whole;
                    }
                }
            }
            _ => return Taken::Malformed,
        }
        if self.step == 5 { Taken::Malformed } else { Taken::More }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(octets: &[u8]) -> (Taken, Incoming<4>) {
        let mut incoming = Incoming::new();
        let taken = octets.iter().map(|octet| incoming.take(*octet)).last();
        (taken.unwrap_or(Taken::More), incoming)
    }

    #[test]
    fn lengths_are_written_as_the_standard_has_them() {
        // The ends of each number of octets (2.2.3, table 2.4).
        for (len, octets) in [
            (0, &[0x30, 0][..]),
            (127, &[0x30, 0x7F]),
            (128, &[0x30, 0x80, 0x01]),
            (16_383, &[0x30, 0xFF, 0x7F]),
            (16_384, &[0x30, 0x80, 0x80, 0x01]),
            (u16::MAX, &[0x30, 0xFF, 0xFF, 0x03]),
        ] {
            let mut written = heapless::Vec::<u8, 8>::new();
            head(kind::PUBLISH, len, &mut |octet| assert!(written.push(octet).is_ok()));
            assert_eq!(written, octets);
            let (taken, incoming) = take(octets);
            assert_eq!((taken == Taken::Whole, incoming.left), (len == 0, len.into()));
        }
    }

    #[test]
    fn a_packet_is_whole_with_its_last_octet_and_not_before() {
        let packet = [0x40, 2, 0x12, 0x34];
        for cut in 0..packet.len() {
            assert_eq!(take(packet.get(..cut).unwrap_or_default()).0, Taken::More);
        }
        let (taken, incoming) = take(&packet);
        assert_eq!((taken, incoming.first(), incoming.body()), (Taken::Whole, 0x40, &[0x12, 0x34][..]));
    }

    #[test]
    fn of_a_long_packet_the_front_is_kept() {
        let mut incoming = Incoming::<4>::new();
        // C8 01 is 200.
        assert_eq!(incoming.take(0x30), Taken::More);
        assert_eq!(incoming.take(0xC8), Taken::More);
        assert_eq!(incoming.take(0x01), Taken::More);
        assert!((0..199).all(|_| incoming.take(7) == Taken::More));
        assert_eq!((incoming.take(7), incoming.body()), (Taken::Whole, &[7; 4][..]));
    }

    #[test]
    fn a_length_of_five_octets_is_malformed() {
        let (taken, mut incoming) = take(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF]);
        assert_eq!((taken, incoming.take(0)), (Taken::Malformed, Taken::Malformed));
        assert_eq!(take(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F]).0, Taken::More);
    }
}
