//! The laws on raw octets: P1 telegrams.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::check;

fuzz_target!(|data: &[u8]| check::<dsmr::Decoder<Box<[u8]>>>(data, [4096, 200, 40]));
