//! The telegrams of `dsmr`.

use dsmr::{Decoder, Error, ErrorKind, telegrams};

use crate::streamed;

streamed!(
    Decoder<Box<[u8]>>, Error, held: held, unreported: false, says_too_long: false, octets: octets,
    sliced: |input| {
        let mut all = telegrams(input);
        let events = all.by_ref().map(|event| event.map(|telegram| telegram.octets().to_vec())).collect();
        (events, all.stats().fill)
    },
    limited: ErrorKind::TooLong
);
