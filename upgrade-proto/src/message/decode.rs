//! Reading a message: the fields of each kind.

use super::{Ask, Event, Identity, Indices, Initiate, Message, Row, Status, kind};
use crate::codec::Fields;
use crate::error::{MessageError, Refusal};

/// The fields after the header.
pub(super) fn body<'a>(kind: u8, r: &mut Fields<'a>) -> Result<Message<'a>, MessageError> {
    Ok(match kind {
        kind::BLOCK..=kind::BLOCK_META_ACK => Message::Block {
            plane: kind::plane(kind),
            acknowledge: kind & 2 != 0,
            index: r.u16(),
            data: r.rest(),
        },
        kind::XOR | kind::XOR_META => {
            Message::Xor { plane: kind::plane(kind), indices: Indices::read(r)?, data: r.rest() }
        }
        kind::CODED | kind::CODED_META => {
            Message::Coded { plane: kind::plane(kind), row: Row::read(r)?, data: r.rest() }
        }
        kind::QUERY => Message::Query,
        kind::JOIN => Message::Join { group: r.u16(), member: r.u16() },
        kind::INITIATE => Message::Initiate(Initiate::read(r)),
        kind::STATUS_QUERY => Message::StatusQuery(Ask::read(r)),
        kind::ROLL_CALL => {
            Message::RollCall { ask: Ask::read(r), slot: r.u16(), first: r.u16(), members: r.rest() }
        }
        kind::VERIFY => Message::Verify,
        kind::ACTIVATE => Message::Activate { at: r.u32() },
        kind::CANCEL => Message::Cancel,
        kind::EVENT_QUERY => Message::EventQuery { from: r.u8() },
        kind::IDENTITY => Message::Identity(Identity::read(r)),
        kind::JOINED => Message::Joined { group: r.u16(), member: r.u16() },
        kind::STATUS => Message::Status(Status::read(r).ok_or(MessageError::Length)?),
        kind::REFUSED => Message::Refused(Refusal::from_code(r.u8())),
        kind::EVENTS if r.peek().len().is_multiple_of(Event::LEN) => Message::Events(r.rest()),
        kind::EVENTS => return Err(MessageError::Length),
        kind => return Err(MessageError::Kind(kind)),
    })
}
