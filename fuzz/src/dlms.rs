//! The framings of `dlms-hdlc`.

use dlms_hdlc::{Error, ErrorKind, frame, mbus, transparent, wrapper};

use crate::streamed;

macro_rules! framing {
    ($module:ident) => {
        streamed!(
            $module::Decoder<Box<[u8]>>, Error, held: pending, unreported: true, says_too_long: true, octets: octets,
            sliced: |input| {
                let mut frames = $module::frames(input);
                let events = frames.by_ref().map(|event| event.map(|frame| frame.octets().to_vec())).collect();
                (events, frames.fill())
            },
            limited: ErrorKind::Overrun | ErrorKind::TooLong
        );
    };
}

framing!(frame);
framing!(mbus);
framing!(wrapper);
framing!(transparent);
