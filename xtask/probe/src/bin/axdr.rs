//! COSEM data fed in pieces: events, their integers and octets handed out.
#![no_std]
#![no_main]

use obis::data::{Decoder, Event};

probe::probe!(Decoder = Decoder::new(), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= match event {
            Ok(Event::Value(value)) => {
                let octets = value.as_octets().unwrap_or_default();
                let number = value.as_integer().unwrap_or(0) as u32;
                octets.iter().fold(number, |sum, octet| sum.wrapping_mul(31) ^ u32::from(*octet))
            }
            Ok(Event::Part(part)) => part.total ^ part.octets.len() as u32,
            Ok(Event::Begin(_)) => 1,
            Ok(Event::End) => 2,
            Err(error) => error.offset,
        };
    }
    seen ^ u32::from(decoder.finish().is_some())
});
