//! APDUs: parsed to their end, block transfers put together, ciphered ones opened, lists named, trees written.
#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use obis::apdu::{Apdu, Ciphered, DataNotification, Gbt, Key, TagCheck};
use obis::han;
use obis::tree::Tree;

fuzz_target!(|octets: &[u8]| {
    let mut gbt = Gbt::new([0; 256]);
    let mut rest = octets;
    for _ in 0..=octets.len() {
        let Ok((apdu, behind)) = Apdu::parse(rest) else { break };
        assert!(behind.len() < rest.len() && rest.ends_with(behind), "an APDU of no octets");
        rest = behind;
        match apdu {
            Apdu::DataNotification(notification) => list(notification.body),
            Apdu::EventNotification(notification) => list(notification.value),
            Apdu::Block(block) => {
                let step = gbt.push(&block);
                if let Some(Ok((Apdu::DataNotification(notification), _))) = step.apdu.map(Apdu::parse) {
                    list(notification.body);
                }
            }
            Apdu::Ciphered(ciphered) => opened(&ciphered),
            _ => {}
        }
        assert!(gbt.held() <= 256);
    }
    if let (Ok(header), Ok((whole, _))) =
        (DataNotification::parse_header(octets), DataNotification::parse(octets))
    {
        assert_eq!((header.invoke, header.date_time), (whole.invoke, whole.date_time));
        assert!(header.body.starts_with(whole.body));
    }
    list(octets);
});

fn opened(ciphered: &Ciphered<'_>) {
    let mut storage = vec![0; ciphered.storage_needed()];
    for key in [Key::aes128([7; 16]), Key::aes256([7; 32])] {
        let plain = ciphered.decrypt_unauthenticated(&key, &mut storage);
        assert!(plain.is_ok_and(|plain| plain.octets.len() == ciphered.content.len()) || plain.is_err());
        if let Ok(plain) = ciphered.decrypt(&key, &key, &mut storage) {
            assert_eq!(plain.octets.len(), ciphered.content.len());
            assert_eq!(plain.tag, TagCheck::Absent, "nobody knows the key");
        }
    }
}

/// Work stays within the octets, entries come once each, and what is read as a list is the tree's whole element.
fn list(body: &[u8]) {
    let mut entries = han::entries(body);
    let mut count = 0;
    let mut sound = true;
    for entry in entries.by_ref() {
        count += 1;
        assert!(count <= 64 * body.len() + 64, "entries without end");
        match entry {
            Ok(entry) => drop(format!("{} {}", entry.path, entry.value)),
            Err(_) => sound = false,
        }
    }
    assert!(body.ends_with(entries.rest()));
    let mut text = String::new();
    let written = Tree::new(body).write(&mut text, 0).expect("a String takes all");
    assert_eq!(written, Tree::new(body).check(), "the tree and its check");
    let _ = write!(text, "{sound}");
}
