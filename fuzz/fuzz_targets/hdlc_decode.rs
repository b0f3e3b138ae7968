//! The laws on raw octets: HDLC frame format type 3.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::check;

fuzz_target!(|data: &[u8]| check::<dlms_hdlc::Decoder<Box<[u8]>>>(data, [2406, 120, 18]));
