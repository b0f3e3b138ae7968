//! The laws on raw octets: DL/T 645.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meter_fuzz::laws::check;

fuzz_target!(|data: &[u8]| check::<dlt645::Decoder<Box<[u8]>>>(data, [dlt645::STORAGE, 100, 60]));
