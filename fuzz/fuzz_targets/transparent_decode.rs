//! The laws on raw octets: HDLC with control-octet transparency.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::check;

fuzz_target!(|data: &[u8]| check::<dlms_hdlc::transparent::Decoder<Box<[u8]>>>(data, [2406, 60, 18]));
