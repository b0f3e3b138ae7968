//! P1, whole telegrams: octets to telegrams, the check compared, each line's meaning looked at.
#![no_std]
#![no_main]

use dsmr::{Decoder, Object};

probe::probe!(Decoder<[u8; 1024]> = Decoder::new([0; 1024]), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= match event {
            Ok(telegram) => telegram.lines().fold(1, |sum, line| {
                sum ^ match line.object() {
                    Object::Measurement { value, .. } | Object::Number(value) => value.value.mantissa as u32,
                    Object::Time(time) => time.local_seconds().unwrap_or(0),
                    _ => line.raw().len() as u32,
                }
            }),
            Err(error) => error.lost,
        };
    }
    seen ^ decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
});
