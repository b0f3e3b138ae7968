//! A data line and all that can be read from it: numbers print as text that reads the same, times stay in their ranges.
#![no_main]

use dsmr::{Content, DataLine, Reading, Telegram, Timestamp};
use libfuzzer_sys::fuzz_target;
use obis::Decimal;

fuzz_target!(|octets: &[u8]| {
    let line = DataLine::parse(octets);
    assert_eq!(line.raw(), octets);
    let values: Vec<_> = line.values().collect();
    assert!(values.len() <= octets.len());
    for value in values {
        assert!(value.octets().len() <= octets.len());
        if let Some((number, rest)) = value.decimal() {
            let again = Decimal::parse(number.text().as_bytes()).expect("its own text");
            assert!(again.compare(number).is_eq(), "{number}");
            assert!(rest.len() < value.octets().len());
        }
        if let Content::Time(time) = value.content() {
            check_time(time);
        }
    }
    match line.reading() {
        Reading::Number { value, time } => {
            assert!(!value.to_string().is_empty());
            if let Some(time) = time {
                check_time(time);
            }
        }
        Reading::Time(time) => check_time(time),
        Reading::Text(text) => drop(text.to_string()),
        _ => {}
    }
    // The same octets as the body of a telegram whose check nobody compares.
    let telegram = Telegram::lenient(octets);
    assert!(telegram.lines().count() <= octets.len() + 1);
    for device in telegram.devices() {
        drop(format!("{device:?}"));
    }
    if let Some(time) = telegram.time() {
        check_time(time);
    }
});

fn check_time(time: Timestamp) {
    if let (Some(seconds), Some(unix)) = (time.local_seconds(), time.unix_seconds(60)) {
        // Winter is one hour ahead of UTC here, summer two.
        let ahead = 946_684_800 + i64::from(seconds) - unix;
        assert!([3600, 7200].contains(&ahead), "{time:?}");
    }
    assert!(!time.iso(60).to_string().is_empty());
}
