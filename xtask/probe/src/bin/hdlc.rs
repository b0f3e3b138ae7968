//! HDLC frame format type 3: octets to frames, HCS and FCS checked, control and information handed out.
#![no_std]
#![no_main]

use dlms_hdlc::Decoder;

probe::probe!(Decoder<[u8; 696]> = Decoder::new([0; 696]), |decoder, mut octets| {
    let mut seen = 0;
    while let Some(event) = decoder.decode(&mut octets) {
        seen ^= event.map_or_else(|error| error.lost, |frame| {
            let control = u32::from(frame.control().0);
            frame.information().iter().fold(control, |sum, octet| sum.wrapping_mul(31) ^ u32::from(*octet))
        });
    }
    seen ^ decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
});
