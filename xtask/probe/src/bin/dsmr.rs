//! P1, line mode: octets to lines, the check compared, lines handed out as they are.
#![no_std]
#![no_main]

use dsmr::{LineDecoder, LineEvent};

probe::probe!(LineDecoder<[u8; 128]> = LineDecoder::new([0; 128]), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= match event {
            Ok(LineEvent::Identification(part) | LineEvent::Data(part)) => {
                part.octets().iter().fold(1, |sum, octet| u32::wrapping_mul(sum, 31) ^ u32::from(*octet))
            }
            Ok(LineEvent::End(end)) => end.octets ^ u32::from(end.verdict.is_good()),
            Ok(_) => 0,
            Err(error) => error.lost,
        };
    }
    seen ^ decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
});
