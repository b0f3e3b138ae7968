//! The laws on raw octets: wired M-Bus.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::check;

fuzz_target!(|data: &[u8]| check::<dlms_hdlc::mbus::Decoder<Box<[u8]>>>(data, [330, 60, 18]));
