//! Wired M-Bus: octets to frames, check sums checked, control information and data handed out.
#![no_std]
#![no_main]

use dlms_hdlc::mbus::Decoder;

probe::probe!(Decoder<[u8; 330]> = Decoder::new([0; 330]), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= event.map_or_else(|error| error.lost, |frame| {
            let control = u32::from(frame.control_information().unwrap_or(0));
            frame.data().iter().fold(control, |sum, octet| sum.wrapping_mul(31) ^ u32::from(*octet))
        });
    }
    seen ^ decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
});
