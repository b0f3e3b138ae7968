//! Writing a message, whole, or its head with the data put in place by the sender.

#[cfg(feature = "coded")]
use super::Row;
use super::{Indices, Message, kind};
use crate::codec::Sink;
use crate::error::BufferTooSmall;
use crate::session::{Plane, Session};

impl Message<'_> {
    pub(super) const fn kind(&self) -> u8 {
        match self {
            Message::Query => kind::QUERY,
            Message::Identity(_) => kind::IDENTITY,
            Message::Join { .. } => kind::JOIN,
            Message::Joined { .. } => kind::JOINED,
            Message::Initiate(_) => kind::INITIATE,
            Message::Block { plane, acknowledge, .. } => block_kind(*plane, *acknowledge),
            Message::Xor { plane, .. } => xor_kind(*plane),
            Message::Coded { plane, .. } => coded_kind(*plane),
            Message::StatusQuery(_) => kind::STATUS_QUERY,
            Message::RollCall { .. } => kind::ROLL_CALL,
            Message::Status(_) => kind::STATUS,
            Message::Verify => kind::VERIFY,
            Message::Activate { .. } => kind::ACTIVATE,
            Message::Cancel => kind::CANCEL,
            Message::Refused(_) => kind::REFUSED,
            Message::EventQuery { .. } => kind::EVENT_QUERY,
            Message::Events(_) => kind::EVENTS,
        }
    }

    pub(super) fn fields(&self, w: &mut Sink<'_>) {
        match self {
            Message::Query | Message::Verify | Message::Cancel => {}
            Message::Identity(identity) => identity.write(w),
            Message::Join { group, member } | Message::Joined { group, member } => {
                w.u16(*group);
                w.u16(*member);
            }
            Message::Initiate(initiate) => initiate.write(w),
            Message::Block { index, data, .. } => {
                w.u16(*index);
                w.put(data);
            }
            Message::Xor { indices, data, .. } => {
                indices.write(w);
                w.put(data);
            }
            Message::Coded { row, data, .. } => {
                row.write(w);
                w.put(data);
            }
            Message::StatusQuery(ask) => ask.write(w),
            Message::RollCall { ask, slot, first, members } => {
                ask.write(w);
                w.u16(*slot);
                w.u16(*first);
                w.put(members);
            }
            Message::Status(status) => status.write(w),
            Message::Activate { at } => w.number(*at, 4),
            Message::Refused(refusal) => w.u8(refusal.code()),
            Message::EventQuery { from } => w.u8(*from),
            Message::Events(entries) => w.put(entries),
        }
    }
}

const fn block_kind(plane: Plane, acknowledge: bool) -> u8 {
    match (plane, acknowledge) {
        (Plane::Data, false) => kind::BLOCK,
        (Plane::Meta, false) => kind::BLOCK_META,
        (Plane::Data, true) => kind::BLOCK_ACK,
        (Plane::Meta, true) => kind::BLOCK_META_ACK,
    }
}

const fn xor_kind(plane: Plane) -> u8 {
    match plane {
        Plane::Data => kind::XOR,
        Plane::Meta => kind::XOR_META,
    }
}

const fn coded_kind(plane: Plane) -> u8 {
    match plane {
        Plane::Data => kind::CODED,
        Plane::Meta => kind::CODED_META,
    }
}

/// The octets every message starts with.
pub(crate) fn header(w: &mut Sink<'_>, kind: u8, session: Session) {
    w.u8(kind);
    session.write(w);
}

/// Writes a block, XOR or coded message whose data `fill` puts in place, so that a sender needs no second block buffer.
///
/// # Errors
/// [`BufferTooSmall`] when it does not fit.
pub(crate) fn encode_in_place<'b>(
    out: &'b mut [u8],
    session: Session,
    head: &Head<'_>,
    len: usize,
    fill: impl FnOnce(&mut [u8]) -> Option<()>,
) -> Result<&'b [u8], BufferTooSmall> {
    let mut w = Sink::new(out);
    let kind = match *head {
        Head::Block { plane, acknowledge, .. } => block_kind(plane, acknowledge),
        Head::Xor { plane, .. } => xor_kind(plane),
        #[cfg(feature = "coded")]
        Head::Coded { plane, .. } => coded_kind(plane),
    };
    header(&mut w, kind, session);
    match head {
        Head::Block { index, .. } => w.u16(*index),
        Head::Xor { indices, .. } => indices.write(&mut w),
        #[cfg(feature = "coded")]
        Head::Coded { row, .. } => row.write(&mut w),
    }
    let room = w.spare().get_mut(..len).ok_or(BufferTooSmall)?;
    room.fill(0);
    fill(room).ok_or(BufferTooSmall)?;
    w.skip(len);
    w.finish()
}

/// A data-bearing message without its data.
#[derive(Debug)]
pub(crate) enum Head<'a> {
    Block {
        plane: Plane,
        index: u16,
        acknowledge: bool,
    },
    Xor {
        plane: Plane,
        indices: &'a Indices,
    },
    #[cfg(feature = "coded")]
    Coded {
        plane: Plane,
        row: Row,
    },
}
