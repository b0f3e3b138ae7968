//! The frames of `dlt645`.

use dlt645::{Decoder, Error, ErrorKind, frames};

use crate::streamed;

streamed!(
    Decoder<Box<[u8]>>, Error, held: held, unreported: true, says_too_long: true, octets: octets,
    sliced: |input| {
        let mut all = frames(input);
        let events = all.by_ref().map(|event| event.map(|frame| frame.octets().to_vec())).collect();
        (events, all.stats().fill)
    },
    limited: ErrorKind::TooLong
);
