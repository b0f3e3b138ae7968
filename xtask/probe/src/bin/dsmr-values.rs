//! P1, line mode with values: the code of each line and its number, exact and with its unit.
#![no_std]
#![no_main]

use dsmr::{LineDecoder, LineEvent};

probe::probe!(LineDecoder<[u8; 128]> = LineDecoder::new([0; 128]), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= match event {
            Ok(LineEvent::Data(part)) => {
                let line = part.line();
                let code = line.code().map_or(0, |code| u32::from(code.c()) << 8 | u32::from(code.d()));
                let number = line.value().and_then(|value| value.scaled()).map_or(0, |scaled| scaled.value.mantissa);
                code ^ number as u32
            }
            Ok(LineEvent::End(end)) => u32::from(end.verdict.is_good()),
            Ok(_) => 0,
            Err(error) => error.lost,
        };
    }
    seen ^ decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
});
