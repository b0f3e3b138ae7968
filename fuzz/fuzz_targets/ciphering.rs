//! Ciphered APDUs and encrypted telegrams, built, damaged, and of any octets: what was built comes back with its tag verified, and no other
//! octets ever give a text that passes as authentic.
//!
//! The first octet says which; a built one then has its security control, what is damaged where (0: nothing), and the plaintext.
#![no_main]

use dsmr::encrypted::{CheckPolicy, Frame, Security};
use libfuzzer_sys::fuzz_target;
use meter_fuzz::ciphered::Sealed;
use meter_fuzz::structured::damaged;
use obis::apdu::{CipherError, Ciphered, Key, TagCheck};

const ENCRYPTION: [u8; 32] = *b"encrypt with these octets, or 16";
const AUTHENTICATION: [u8; 32] = *b"and with these it is authentic..";
const TITLE: [u8; 8] = *b"FUZ01234";

/// General with either key set, and two services.
const TAGS: [u8; 4] = [0xDB, 0xDC, 0xC8, 0xD4];

fuzz_target!(|data: &[u8]| {
    let Some((&kind, rest)) = data.split_first() else { return };
    if kind & 0x80 != 0 {
        return any(rest);
    }
    let Some((&[security, at, with], plain)) = rest.split_first_chunk() else { return };
    let built = Sealed {
        tag: TAGS[usize::from(kind & 3)],
        security: (security & 0xF0) | ((security & 0x0F) % 3),
        title: &TITLE,
        counter: (u32::from(kind) << 16) | plain.len() as u32,
        encryption: &ENCRYPTION,
        authentication: &AUTHENTICATION,
        plain,
    };
    let whole = built.octets();
    let mut octets = whole.clone();
    if with != 0 || at != 0 {
        // A place from the front or from the end: a short input reaches the tag of a long text.
        let at = if at & 1 == 0 {
            usize::from(at >> 1)
        } else {
            octets.len() - 1 - usize::from(at >> 1) % octets.len()
        };
        damaged(&mut octets, at as u16, with);
    }
    apdu(&built, &whole, &octets);
    if kind & 4 != 0 {
        telegram(&built, &whole, &octets);
    }
});

fn apdu(built: &Sealed<'_>, whole: &[u8], octets: &[u8]) {
    let Ok((read, rest)) = Ciphered::parse(octets) else {
        return assert_ne!(octets, whole, "what was built");
    };
    let is_whole = octets == whole;
    assert!(!is_whole || rest.is_empty() && read.invocation_counter == built.counter);
    let read = if built.is_general() { read } else { Ciphered { system_title: &TITLE, ..read } };
    let (encryption, authentication) = (built.key(built.encryption), built.key(built.authentication));
    let mut storage = vec![0x5A; read.storage_needed()];
    match read.decrypt(&encryption, &authentication, &mut storage) {
        Ok(plain) => {
            assert_eq!(plain.octets.len(), read.content.len());
            assert_eq!(plain.is_compressed, read.security.is_compressed());
            match plain.tag {
                TagCheck::Verified => {
                    assert_eq!(plain.octets, built.plain, "authentic, and not what was sent")
                }
                TagCheck::Absent => assert!(!read.security.is_authenticated(), "a tag passed over"),
                TagCheck::NotChecked => panic!("both keys are there"),
            }
            if is_whole {
                assert_eq!(
                    (plain.octets, plain.tag == TagCheck::Verified),
                    (built.plain, built.is_authenticated())
                );
            }
        }
        Err(error) => {
            assert!(!is_whole, "{error}");
            let text = built.plain;
            let told = text.len() >= 8 && storage.windows(text.len()).any(|part| part == text);
            // What was sent in the clear is no secret; a text of one octet throughout may be the storage's own.
            let secret = read.security.is_encrypted() && text.iter().any(|octet| Some(octet) != text.first());
            assert!(!(error == CipherError::Tag && secret && told), "the text of what is not authentic");
        }
    }
    if !read.security.is_encrypted() {
        let key = &AUTHENTICATION[..16];
        let ours = built.plain.windows(16).any(|part| part == key);
        assert!(ours || !storage.windows(16).any(|part| part == key), "the key left behind");
    }
    // With the keys in each other's place, or one of them alone.
    for (encryption, authentication) in [(&authentication, &encryption), (&encryption, &encryption)] {
        if let Ok(plain) = read.decrypt(encryption, authentication, &mut storage) {
            assert_ne!(plain.tag, TagCheck::Verified, "another key");
        }
    }
    let open = read.decrypt_unauthenticated(&encryption, &mut storage);
    assert_ne!(open.err(), Some(CipherError::Tag));
    if let (true, Ok(open)) = (is_whole, open) {
        assert_eq!(open.octets, built.plain, "without its tag");
        assert_ne!(open.tag, TagCheck::Verified);
    }
}

/// The same octets as an encrypted telegram, by its safe default and by that with the check left out.
fn telegram(built: &Sealed<'_>, whole: &[u8], octets: &[u8]) {
    let Ok((frame, _)) = Frame::parse(octets) else { return };
    let mut security = Security::new(built.key(built.encryption));
    security.authentication = Some(built.key(built.authentication));
    let mut storage = vec![0; frame.ciphered().storage_needed()];
    for check in [CheckPolicy::RequireWithoutTag, CheckPolicy::Report] {
        security.check = check;
        match frame.open(&security, &mut storage) {
            Ok(opened) => assert_eq!(opened.octets(), built.plain, "authentic, and not what was sent"),
            Err(error) => {
                let compressed = built.security & 0x80 != 0;
                let general = octets == whole && built.tag == 0xDB && built.is_authenticated();
                assert!(compressed || !general, "{error}");
            }
        }
    }
}

/// Octets that nobody built: without the keys nothing passes.
fn any(octets: &[u8]) {
    let parsed = [Ciphered::parse(octets), Ciphered::parse_body(octets)];
    for (read, rest) in parsed.into_iter().flatten() {
        assert!(octets.ends_with(rest));
        let titled = Ciphered { system_title: &TITLE, ..read };
        let mut storage = vec![0; read.storage_needed()];
        for key in [Key::aes128([0; 16]), Key::aes256(AUTHENTICATION)] {
            for read in [read, titled] {
                if let Ok(plain) = read.decrypt(&key, &key, &mut storage) {
                    assert_eq!(plain.tag, TagCheck::Absent, "authentic");
                    assert!(!read.security.is_authenticated());
                }
                let short = storage.len().saturating_sub(1);
                let open = read.decrypt_unauthenticated(&key, &mut storage[..short]);
                assert!(open.is_err() || read.content.len() <= short);
            }
        }
    }
}
