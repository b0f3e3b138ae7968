//! OBIS codes and decimals from text: what is read prints as text that reads the same.
#![no_main]

use std::str;

use libfuzzer_sys::fuzz_target;
use obis::{Decimal, Obis};

fuzz_target!(|text: &[u8]| {
    if let Ok((code, rest)) = Obis::parse_prefix(text) {
        assert!(text.ends_with(rest) && rest.len() < text.len());
        assert_eq!(Obis::parse(text).is_ok(), rest.is_empty());
        assert_eq!(Obis::parse(code.text().as_bytes()), Ok(code));
        assert_eq!(Obis::parse(code.reduced_text().as_bytes()), Ok(code));
        assert_eq!(code.to_string().parse(), Ok(code));
        assert_eq!(Obis::from_text(code.text().as_str()), Some(code));
        assert!(!code.description().to_string().contains('\0'));
    }
    if let Ok(text) = str::from_utf8(text)
        && let Some(code) = Obis::from_text(text)
    {
        assert_eq!(text.parse(), Ok(code));
    }
    if let Ok(value) = Decimal::parse(text) {
        let again = Decimal::parse(value.text().as_bytes()).expect("its own text");
        assert_eq!((again.mantissa, again.exponent), (value.mantissa, value.exponent), "{value}");
        assert!(value.compare(value.normalized()).is_eq());
        assert_eq!(value.to_string(), value.text().as_str());
    }
});
