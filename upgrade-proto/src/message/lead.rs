//! What a meter reads of a message before it knows what to do with it. [`Message`](super::Message) holds the fields of all messages at once;
//! a meter acts on those of one, which it takes from here as it goes, in half the program.

use super::kind;
use crate::codec::Fields;
use crate::session::Session;

/// Kind and session of a message for meters, and its fields, which are all there.
#[derive(Clone, Debug)]
pub(crate) struct Lead<'a> {
    pub(crate) kind: u8,
    pub(crate) session: Session,
    pub(crate) fields: Fields<'a>,
}

/// Octets of data, of which there may be any number, come last.
const DATA: u8 = 0x80;
const UNKNOWN: u8 = 0xFF;

/// Octets of a message's fields, [`DATA`] added where data follow them.
const fn length(kind: u8) -> u8 {
    match kind {
        kind::QUERY | kind::VERIFY | kind::CANCEL => 0,
        kind::EVENT_QUERY => 1,
        kind::JOIN | kind::ACTIVATE => 4,
        kind::STATUS_QUERY => 5,
        kind::INITIATE => 28,
        // What stands before a sum is checked when it is read.
        kind::BLOCK..=kind::CODED_META => DATA | 2,
        kind::ROLL_CALL => DATA | 9,
        _ => UNKNOWN,
    }
}

impl<'a> Lead<'a> {
    /// `None` where this is no message to a meter, or too short or long for its kind.
    #[inline(never)]
    pub(crate) fn parse(octets: &'a [u8]) -> Option<Lead<'a>> {
        let mut fields = Fields::new(octets);
        let (kind, session) = (fields.u8(), Session::read(&mut fields));
        let (length, is) = (length(kind), fields.peek().len());
        let least = usize::from(length & !DATA);
        let right = if length & DATA != 0 { is >= least } else { is == least };
        (right && !fields.is_short()).then(|| Lead { kind, session, fields: Fields::new(fields.peek()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, Packet};
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;

    proptest! {
        #[test]
        fn agrees_with_the_whole_parser(octets in prop::collection::vec(any::<u8>(), 0..60), kind in 0u8..0x40, exact: bool) {
            let mut octets = octets;
            if let Some(first) = octets.first_mut() { *first = kind; }
            if exact { octets.resize(7 + usize::from(length(kind) & 0x3F), 1); octets[0] = kind; }
            let reply = |message: &Message<'_>| matches!(message, Message::Identity(_) | Message::Joined { .. } | Message::Status(_) | Message::Refused(_) | Message::Events(_));
            match (Packet::parse(&octets), Lead::parse(&octets)) {
                (Ok(packet), Some(lead)) => {
                    prop_assert!(!reply(&packet.message));
                    prop_assert_eq!((lead.kind, lead.session), (octets[0], packet.session));
                }
                (Ok(packet), None) => prop_assert!(reply(&packet.message), "{packet:?}"),
                // Its numbers are too few or too many, or its generation is past the last.
                (Err(_), Some(lead)) => prop_assert!((kind::XOR..=kind::CODED_META).contains(&lead.kind), "{lead:?}"),
                (Err(_), None) => {}
            }
        }
    }
}
