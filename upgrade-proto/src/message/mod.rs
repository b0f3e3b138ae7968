//! The messages, their kinds and layouts (table in the crate docs).

mod announced;
mod decode;
mod encode;
mod identity;
mod indices;
mod lead;
mod status;

pub use announced::Announced;
pub(crate) use announced::{ANNOUNCED_LEN, part};
pub(crate) use encode::{Head, encode_in_place, header};
pub(crate) use identity::IDENTITY_LEN;
pub use identity::{Event, Identity, Phase};
pub use indices::{Indices, Row, XOR_MAX};
pub(crate) use lead::Lead;
pub use status::{Ask, Form, Initiate, Quiet, Report, Status};

use crate::codec::{Fields, Sink};
use crate::error::{BufferTooSmall, MessageError, Refusal};
use crate::session::{Plane, Session};

/// Octets before the fields of every message: kind, session id, image digest prefix.
pub const HEADER_LEN: u16 = 7;

/// Octets before the data of a block message: header and block number.
pub const BLOCK_HEADER_LEN: u16 = 9;

/// One thing said on the channel.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message<'a> {
    /// Who are you, and what do you run? (request phase, read-back)
    Query,
    /// The answer.
    Identity(Identity),
    /// You are member `member` of group `group`.
    Join {
        /// Group address.
        group: u16,
        /// Place in roll calls.
        member: u16,
    },
    /// Taken.
    Joined {
        /// Group address.
        group: u16,
        /// Place in roll calls.
        member: u16,
    },
    /// Open a session.
    Initiate(Initiate),
    /// A block.
    Block {
        /// Its plane.
        plane: Plane,
        /// Its number.
        index: u16,
        /// The meter shall acknowledge it with a short status (point-to-point only).
        acknowledge: bool,
        /// Its octets.
        data: &'a [u8],
    },
    /// The XOR of some blocks, short ones filled with zeros.
    Xor {
        /// Their plane.
        plane: Plane,
        /// Their numbers.
        indices: Indices,
        /// The octets.
        data: &'a [u8],
    },
    /// The XOR of a pseudo-random half or less of a generation of blocks.
    Coded {
        /// Their plane.
        plane: Plane,
        /// Which.
        row: Row,
        /// The octets.
        data: &'a [u8],
    },
    /// What do you lack? To one meter.
    StatusQuery(Ask),
    /// What do you lack? To a group: member `first + i` answers if bit `i` is set (most significant bit first), in the slot that is the count
    /// of set bits before its own.
    RollCall {
        /// The question.
        ask: Ask,
        /// Time from the end of this frame to the first slot and from slot to slot, in milliseconds.
        slot: u16,
        /// Member of the first bit.
        first: u16,
        /// One bit a member.
        members: &'a [u8],
    },
    /// The answer to both.
    Status(Status<'a>),
    /// Check the whole image now.
    Verify,
    /// Install the verified image, whose digest prefix is in the header: `at u32` seconds of the meter's clock (0: now).
    Activate {
        /// When, in seconds since 2000-01-01 of the meter's clock; 0: now.
        at: u32,
    },
    /// Forget an activation that has not started.
    Cancel,
    /// No, and why.
    Refused(Refusal),
    /// Read the event log from the `from`-th newest entry.
    EventQuery {
        /// Entries to pass over.
        from: u8,
    },
    /// Log entries, newest first, 11 octets each ([`Event`]).
    Events(&'a [u8]),
}

/// A message and the session it is of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The session.
    pub session: Session,
    /// The message.
    pub message: Message<'a>,
}

impl<'a> Packet<'a> {
    /// Reads a message that fills `octets` exactly.
    ///
    /// # Errors
    /// [`MessageError`] when it is none.
    pub fn parse(octets: &'a [u8]) -> Result<Packet<'a>, MessageError> {
        let mut r = Fields::new(octets);
        let (kind, session) = (r.u8(), Session::read(&mut r));
        if r.is_short() {
            return Err(MessageError::Length);
        }
        let message = decode::body(kind, &mut r)?;
        if r.is_short() || !r.peek().is_empty() {
            return Err(MessageError::Length);
        }
        Ok(Packet { session, message })
    }

    /// Writes the message.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when it does not fit.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let mut w = Sink::new(out);
        header(&mut w, self.message.kind(), self.session);
        self.message.fields(&mut w);
        w.finish()
    }
}

pub(crate) mod kind {
    use crate::session::Plane;

    pub(crate) const QUERY: u8 = 0x01;
    pub(crate) const IDENTITY: u8 = 0x02;
    pub(crate) const JOIN: u8 = 0x03;
    pub(crate) const JOINED: u8 = 0x04;
    pub(crate) const INITIATE: u8 = 0x05;
    pub(crate) const BLOCK: u8 = 0x10;
    pub(crate) const BLOCK_META: u8 = 0x11;
    pub(crate) const BLOCK_ACK: u8 = 0x12;
    pub(crate) const BLOCK_META_ACK: u8 = 0x13;
    pub(crate) const XOR: u8 = 0x14;
    pub(crate) const XOR_META: u8 = 0x15;
    pub(crate) const CODED: u8 = 0x16;
    pub(crate) const CODED_META: u8 = 0x17;
    pub(crate) const STATUS_QUERY: u8 = 0x20;
    pub(crate) const ROLL_CALL: u8 = 0x21;
    pub(crate) const STATUS: u8 = 0x22;
    pub(crate) const VERIFY: u8 = 0x30;
    pub(crate) const ACTIVATE: u8 = 0x31;
    pub(crate) const CANCEL: u8 = 0x32;
    pub(crate) const REFUSED: u8 = 0x33;
    pub(crate) const EVENT_QUERY: u8 = 0x38;
    pub(crate) const EVENTS: u8 = 0x39;

    /// Brings blocks, or sums of them.
    pub(crate) const fn is_block(kind: u8) -> bool {
        matches!(kind, BLOCK..=CODED_META)
    }

    /// A meter that is meant alone answers.
    pub(crate) const fn is_answered(kind: u8) -> bool {
        !is_block(kind) || matches!(kind, BLOCK_ACK | BLOCK_META_ACK)
    }

    /// The plane of the blocks in a message of such a kind.
    pub(crate) const fn plane(kind: u8) -> Plane {
        if kind & 1 != 0 { Plane::Meta } else { Plane::Data }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    const SESSION: Session = Session { id: 0x1234, image: 0xDEAD_BEEF };

    fn same(message: Message<'_>) -> usize {
        let packet = Packet { session: SESSION, message };
        let mut buffer = [0u8; 700];
        let octets = packet.encode(&mut buffer).unwrap();
        assert_eq!(Packet::parse(octets).as_ref(), Ok(&packet));
        octets.len()
    }

    #[test]
    fn layouts_have_the_lengths_the_docs_give() {
        assert_eq!(same(Message::Query), 7);
        assert_eq!(same(Message::Identity(Identity { rows: 3, ..Identity::default() })), 7 + 27);
        assert_eq!(same(Message::Join { group: 1, member: 2 }), 11);
        assert_eq!(same(Message::Joined { group: 1, member: 2 }), 11);
        let initiate = Initiate { size: 9, block: 16, manifest: 112, tagged: true, crc: 5, digest: [3; 16] };
        assert_eq!(same(Message::Initiate(initiate)), 7 + 28);
        for plane in [Plane::Meta, Plane::Data] {
            for acknowledge in [false, true] {
                assert_eq!(same(Message::Block { plane, index: 77, acknowledge, data: &[1; 512] }), 521);
            }
        }
        let ask = Ask { form: Form::Missing, quiet: Quiet::Complete, from: 3, limit: 250 };
        assert_eq!(same(Message::StatusQuery(ask)), 12);
        assert_eq!(same(Message::RollCall { ask, slot: 100, first: 0, members: &[0xFF; 8] }), 24);
        let status = Status {
            phase: Phase::Receiving,
            plane: Plane::Data,
            first_missing: 4,
            missing: 2000,
            more: false,
            report: Report::Bitmap { from: 0, octets: &[0; 250] },
        };
        assert_eq!(same(Message::Status(status)), 264);
        assert_eq!(same(Message::Status(Status { report: Report::Count, ..status })), 12);
        assert_eq!(same(Message::Refused(Refusal::Version)), 8);
        let row = Row { generation: 1, generations: 4, seed: 9, density: 25 };
        for plane in [Plane::Meta, Plane::Data] {
            assert_eq!(same(Message::Coded { plane, row, data: &[7; 512] }), 7 + 5 + 512);
        }
        assert_eq!(same(Message::Activate { at: 0 }), 11);
        assert_eq!(same(Message::Events(&[0; 22])), 29);
    }

    #[test]
    fn block_header_leaves_room_in_the_papers_39_octets() {
        const { assert!(BLOCK_HEADER_LEN < 39) };
    }

    #[test]
    fn octet_for_octet() {
        let mut buffer = [0; 64];
        let block = Message::Block { plane: Plane::Data, index: 0x0102, acknowledge: false, data: &[0xAA] };
        let octets = Packet { session: SESSION, message: block }.encode(&mut buffer).unwrap();
        assert_eq!(octets, [0x10, 0x12, 0x34, 0xDE, 0xAD, 0xBE, 0xEF, 0x01, 0x02, 0xAA]);
    }

    #[test]
    fn unknown_kinds_and_wrong_lengths_are_errors() {
        assert_eq!(Packet::parse(&[0x99, 0, 0, 0, 0, 0, 0]), Err(MessageError::Kind(0x99)));
        assert_eq!(Packet::parse(&[0x01, 0, 0, 0, 0, 0]), Err(MessageError::Length));
        assert_eq!(Packet::parse(&[0x01, 0, 0, 0, 0, 0, 0, 0]), Err(MessageError::Length));
        assert_eq!(Packet::parse(&[0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Err(MessageError::Field));
        assert_eq!(Packet::parse(&[0x14, 0, 0, 0, 0, 0, 0, 33, 0, 0]), Err(MessageError::Field));
        assert_eq!(Packet::parse(&[0x16, 0, 0, 0, 0, 0, 0, 4, 4, 0, 0, 0]), Err(MessageError::Field));
    }

    proptest! {
        #[test]
        fn xor_frames_round_trip(numbers in prop::collection::btree_set(any::<u16>(), 1..=32), data in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut indices = Indices::new();
            for n in numbers.iter().rev() { prop_assert!(indices.insert(*n)); }
            prop_assert!(indices.as_slice().iter().eq(numbers.iter()));
            let packet = Packet { session: SESSION, message: Message::Xor { plane: Plane::Data, indices, data: &data } };
            let mut buffer = [0u8; 1400];
            // A set whose outliers would need a run of more than 1024 ones is refused, never written wrong.
            if let Ok(octets) = packet.encode(&mut buffer) {
                prop_assert_eq!(Packet::parse(octets), Ok(packet));
            }
        }

        #[test]
        fn any_octets_parse_or_not_and_what_parses_encodes_to_an_equal(octets in prop::collection::vec(any::<u8>(), 0..80), kind in 0u8..0x40) {
            let mut octets = octets;
            if let Some(first) = octets.first_mut() { *first = kind; }
            if let Ok(packet) = Packet::parse(&octets) {
                let mut buffer = [0u8; 2000];
                if let Ok(again) = packet.encode(&mut buffer) {
                    prop_assert_eq!(Packet::parse(again), Ok(packet));
                }
            }
        }
    }
}
