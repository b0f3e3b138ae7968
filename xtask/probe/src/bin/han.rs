//! A HAN port from octets to named values: frames, reassembly, LLC, notification, list by every built-in profile.
#![no_std]
#![no_main]

use dlms_hdlc::{Assembler, Decoder, Llc};
use obis::apdu::DataNotification;
use obis::han;

/// Frames of up to 500 octets, messages of up to 600.
struct Reader {
    decoder: Decoder<[u8; 600]>,
    assembler: Assembler<[u8; 600]>,
}

probe::probe!(
    Reader = Reader { decoder: Decoder::new([0; 600]), assembler: Assembler::new([0; 600]) },
    |reader, mut octets| {
        let mut seen = 0;
        while let Some(event) = reader.decoder.decode(&mut octets) {
            let assembled = reader.assembler.accept(&event);
            seen ^= assembled.dropped.map_or(0, |dropped| dropped.octets);
            let apdu = assembled.message.and_then(Llc::parse).map(|(_, apdu)| apdu).unwrap_or_default();
            let Ok(notification) = DataNotification::parse_header(apdu) else { continue };
            for entry in han::entries(notification.body).flatten() {
                seen ^= entry.obis.map_or(0, |code| u32::from(code.c()) << 8 | u32::from(code.d()));
                seen ^= entry.value.number().map_or(0, |number| number.mantissa) as u32;
            }
        }
        seen ^ reader.decoder.finish().map_or(0, |event| u32::from(event.is_ok()))
    }
);
