//! Values in a binary format, where they are numbers rather than text.
#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, missing_docs, reason = "test code")]

use obis::{Decimal, Obis, Prefix, Unit};
use serde::{Serialize, de::DeserializeOwned};

fn cbor(value: &impl Serialize) -> Vec<u8> {
    let mut octets = Vec::new();
    ciborium::into_writer(value, &mut octets).unwrap();
    octets
}

fn again<T: DeserializeOwned>(octets: &[u8]) -> Result<T, String> {
    ciborium::from_reader(octets).map_err(|error: ciborium::de::Error<std::io::Error>| error.to_string())
}

#[test]
fn codes_and_numbers_are_octets_where_machines_read_them() {
    let code = Obis::new(1, 0, 1, 8, 0, 255);
    assert_eq!(cbor(&code), [0x86, 1, 0, 1, 8, 0, 0x18, 255]);
    assert_eq!(again(&cbor(&code)), Ok(code));
    let number = Decimal::new(-23_920, -2);
    assert_eq!(again(&cbor(&number)), Ok(number));
    assert_eq!(cbor(&number), cbor(&(-23_920, -2)));
    assert_eq!(again(&cbor(&Unit::WATT_HOUR)), Ok(Unit::WATT_HOUR));
    assert_eq!(again(&cbor(&Prefix::Kilo)), Ok(Prefix::Kilo));
}

#[test]
fn another_type_is_an_error() {
    assert!(again::<Prefix>(&cbor(&7)).is_err());
    assert!(again::<Decimal>(&cbor(&[1])).is_err());
    assert!(again::<Obis>(&cbor(&[1, 2, 3])).is_err());
}
