//! Encrypted telegrams made here: found in dirty streams, opened, or refused.
#![cfg(feature = "aes-gcm")]
#![allow(
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::std_instead_of_core,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod common;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use common::checked;
use dsmr::encrypted::{CheckPolicy, Decoder, Frame, OpenError, Security, TagPolicy, TagVerdict, frames};
use dsmr::{Check, Error, ErrorKind};
use obis::apdu::Key;
use proptest::prelude::*;

const KEY: [u8; 16] = *b"key of the meter";
const TITLE: [u8; 8] = *b"MAK01234";
const PUBLIC: [u8; 16] =
    [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF];

/// Security control, counter, ciphertext and tag.
fn sealed(plain: &[u8], counter: u32) -> Vec<u8> {
    let cipher = aes_gcm::Aes128Gcm::new(&KEY.into());
    let mut nonce = [0; 12];
    nonce[..8].copy_from_slice(&TITLE);
    nonce[8..].copy_from_slice(&counter.to_be_bytes());
    let aad = [&[0x30][..], &PUBLIC].concat();
    let mut body = cipher.encrypt(&nonce.into(), Payload { msg: plain, aad: &aad }).unwrap();
    // The cipher makes 16 octets of tag, of which 12 are sent.
    body.truncate(body.len() - 4);
    [&[0x30][..], &counter.to_be_bytes(), &body].concat()
}

fn general(plain: &[u8], counter: u32) -> Vec<u8> {
    let body = sealed(plain, counter);
    let len = (body.len() as u16).to_be_bytes();
    [&[0xDB, 8][..], &TITLE, &[0x82], &len, &body].concat()
}

fn headless(plain: &[u8], counter: u32) -> Vec<u8> {
    let body = sealed(plain, counter);
    let len = (body.len() as u16).to_be_bytes();
    [&b"/EGM5 Meter\r\n\r\n"[..], &[0, 0x82], &len, &body].concat()
}

fn telegram() -> Vec<u8> {
    checked("/EST5\\253710000_A\n\n1-3:0.2.8(50)\n1-0:1.8.0(006545766*Wh)\n")
}

fn events(octets: &[u8], cuts: &[usize], storage: usize, dma: bool) -> Vec<Result<Vec<u8>, Error>> {
    let mut decoder = Decoder::new(vec![0; storage]);
    let mut events = Vec::new();
    let (mut rest, mut turn) = (octets, 0);
    while !rest.is_empty() {
        let (mut piece, behind) = rest.split_at(cuts[turn % cuts.len()].clamp(1, rest.len()));
        (rest, turn) = (behind, turn + 1);
        while dma && !piece.is_empty() {
            let spare = decoder.spare_mut();
            let n = spare.len().min(piece.len());
            assert_ne!(n, 0, "spare room after None");
            spare[..n].copy_from_slice(&piece[..n]);
            piece = &piece[n..];
            decoder.commit(n);
            while let Some(event) = decoder.decode(&mut [].as_slice()) {
                events.push(event.map(|frame| frame.octets().to_vec()));
            }
        }
        while let Some(event) = decoder.decode(&mut piece) {
            events.push(event.map(|frame| frame.octets().to_vec()));
        }
        assert!(piece.is_empty());
    }
    while let Some(event) = decoder.finish() {
        events.push(event.map(|frame| frame.octets().to_vec()));
    }
    assert_eq!(decoder.held(), 0);
    let stats = decoder.stats();
    let whole: usize = events.iter().flatten().map(Vec::len).sum();
    assert_eq!(whole + (stats.lost + stats.fill) as usize, octets.len(), "conservation");
    assert_eq!(
        stats.lost,
        events.iter().filter_map(|event| event.as_ref().err()).map(|error| error.lost).sum::<u32>()
    );
    events
}

#[test]
fn both_forms_open() {
    let plain = telegram();
    let mut storage = [0; 512];
    for (octets, title) in [(general(&plain, 7), None), (headless(&plain, 7), Some(TITLE))] {
        let mut decoder = Decoder::new([0; 512]);
        let mut input = octets.as_slice();
        let frame = decoder.decode(&mut input).unwrap().unwrap();
        assert_eq!(frame.octets(), octets);
        assert_eq!(frame.identification().is_some(), title.is_some());
        let mut security = Security::new(Key::aes128(KEY));
        if title.is_some() {
            assert_eq!(frame.open(&security, &mut storage).err(), Some(OpenError::SystemTitle));
        }
        security.system_title = title;
        let opened = frame.open(&security, &mut storage).unwrap();
        assert_eq!(
            (opened.tag, opened.check(), opened.octets()),
            (TagVerdict::Verified, Check::Verified, &plain[..])
        );
        assert_eq!(opened.lines().count(), 2);
        assert_eq!(frame.open(&security, &mut [0; 16]).err(), Some(OpenError::BufferTooSmall));
    }
}

#[test]
fn tag_and_check_are_each_the_callers_choice() {
    let open = |octets: &[u8], change: &dyn Fn(&mut Security)| {
        let (frame, _) = Frame::parse(octets).unwrap();
        let mut security = Security::new(Key::aes128(KEY));
        change(&mut security);
        let mut storage = [0; 512];
        frame.open(&security, &mut storage).map(|opened| (opened.tag, opened.check()))
    };
    let good = general(&telegram(), 1);
    let mut wrong_check = telegram();
    let digit = wrong_check.len() - 3;
    wrong_check[digit] ^= 1;
    let wrong_check = general(&wrong_check, 1);
    let mut wrong_tag = good.clone();
    *wrong_tag.last_mut().unwrap() ^= 1;

    assert_eq!(open(&good, &|_| {}), Ok((TagVerdict::Verified, Check::Verified)));
    // A good tag vouches for a wrong check, unless that is required too.
    assert_eq!(open(&wrong_check, &|_| {}), Ok((TagVerdict::Verified, Check::Bad)));
    assert_eq!(open(&wrong_check, &|s| s.check = CheckPolicy::Require), Err(OpenError::Check(Check::Bad)));
    // A wrong tag is refused; waived, the check inside stands in, unless that is waived too.
    assert_eq!(open(&wrong_tag, &|_| {}), Err(OpenError::Tag(TagVerdict::Failed)));
    assert_eq!(open(&wrong_tag, &|s| s.tag = TagPolicy::Report), Ok((TagVerdict::Failed, Check::Verified)));
    let unknown = |s: &mut Security| {
        s.authentication = None;
        s.tag = TagPolicy::Report;
    };
    assert_eq!(open(&good, &unknown), Ok((TagVerdict::NotChecked, Check::Verified)));
    assert_eq!(open(&good, &|s| s.authentication = None), Err(OpenError::Tag(TagVerdict::NotChecked)));
    assert_eq!(open(&wrong_check, &unknown), Err(OpenError::Check(Check::Bad)));
    assert_eq!(
        open(&wrong_check, &|s| {
            unknown(s);
            s.check = CheckPolicy::Report;
        }),
        Ok((TagVerdict::NotChecked, Check::Bad))
    );
    // Another key gives garbage, which nothing vouches for.
    let garbage = open(&good, &|s| {
        s.encryption = Key::aes128([1; 16]);
        s.tag = TagPolicy::Report;
    });
    assert!(matches!(garbage, Err(OpenError::Check(_))), "{garbage:?}");
    // A check line without line end is ended by the plaintext.
    let unended = telegram();
    assert_eq!(
        open(&general(&unended[..unended.len() - 2], 1), &|_| {}),
        Ok((TagVerdict::Verified, Check::Verified))
    );
    // Lines without an identification can be had too.
    let (frame, storage) = (general(b"1-0:1.8.0(1*kWh)\r\n1-0:2.8.0(2*kWh)\r\n", 1), &mut [0; 512]);
    let opened = Frame::parse(&frame).unwrap().0.open(&Security::new(Key::aes128(KEY)), storage).unwrap();
    assert_eq!((opened.telegram().is_none(), opened.lines().count()), (true, 2));
}

#[test]
fn what_is_not_opened_says_why() {
    let open = |octets: &[u8], encryption: Key| {
        let (frame, _) = Frame::parse(octets).unwrap();
        frame.open(&Security::new(encryption), &mut [0; 512]).map(|opened| opened.tag)
    };
    let good = general(&telegram(), 1);
    assert_eq!(Frame::parse(&good).unwrap().0.system_title(), Some(TITLE));
    assert_eq!(Frame::parse(&headless(&telegram(), 1)).unwrap().0.system_title(), None);
    assert_eq!(open(&good, Key::aes128(KEY)), Ok(TagVerdict::Verified));
    assert_eq!(open(&good, Key::aes256([0; 32])), Err(OpenError::Cipher), "a key of the wrong length");
    let errors = [
        OpenError::Tag(TagVerdict::Failed),
        OpenError::Tag(TagVerdict::Absent),
        OpenError::Check(Check::Bad),
        OpenError::SystemTitle,
        OpenError::Compressed,
        OpenError::BufferTooSmall,
        OpenError::Cipher,
    ];
    let mut words = errors.map(|error| error.to_string()).to_vec();
    words.sort();
    words.dedup();
    assert_eq!(words.len(), errors.len(), "{words:?}");
}

#[test]
fn a_front_that_is_no_frame() {
    let good = general(&telegram(), 1);
    let wrong = |octets: &[u8]| Frame::parse(octets).unwrap_err();
    assert_eq!(wrong(&good[..5]), Error { kind: ErrorKind::Truncated, lost: 5 });
    assert_eq!(wrong(&good[..90]), Error { kind: ErrorKind::Truncated, lost: 90 });
    assert_eq!(wrong(b"noise"), Error { kind: ErrorKind::Noise, lost: 1 });
}

#[test]
fn reset_forgets_octets_and_counters() {
    let good = general(&telegram(), 1);
    let mut decoder = Decoder::new([0; 512]);
    assert!(decoder.decode(&mut &good[..]).unwrap().is_ok());
    assert!(decoder.decode(&mut &good[..40]).is_none());
    assert_eq!((decoder.held(), decoder.stats().telegrams), (40, 1));
    decoder.reset();
    assert_eq!((decoder.held(), decoder.stats().telegrams), (0, 0));
    assert!(decoder.decode(&mut &good[..]).unwrap().is_ok());
}

#[test]
fn a_false_frame_that_is_rejected_costs_one_octet() {
    let good = general(&telegram(), 3);
    // A start that claims what follows it.
    let mut octets = vec![0xDB, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x81, 100, 0x30];
    let false_start = octets.len();
    octets.extend(&good);
    let mut decoder = Decoder::new([0; 512]);
    let security = Security::new(Key::aes128(KEY));
    let (mut input, mut opened, mut lost) = (octets.as_slice(), 0, 0);
    let mut step = |event: Option<Result<Frame<'_>, Error>>| match event {
        None => None,
        Some(Err(error)) => {
            lost += error.lost;
            Some(false)
        }
        Some(Ok(frame)) => {
            let good = frame.open(&security, &mut [0; 512]).is_ok();
            opened += usize::from(good);
            Some(!good)
        }
    };
    loop {
        let reject = step(decoder.decode(&mut input));
        match reject {
            None => break,
            Some(true) => decoder.reject(),
            Some(false) => {}
        }
    }
    loop {
        let reject = step(decoder.finish());
        match reject {
            None => break,
            Some(true) => decoder.reject(),
            Some(false) => {}
        }
    }
    assert_eq!((opened, lost as usize), (1, false_start));
}

#[test]
fn a_claim_that_does_not_fit_is_refused_at_once() {
    let good = general(&telegram(), 3);
    let mut octets = vec![0xDB, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0x82, 0xFF, 0xFF, 0x30];
    let start = octets.len() as u32;
    octets.extend(&good);
    assert_eq!(
        events(&octets, &[1], good.len(), false),
        [
            Err(Error { kind: ErrorKind::TooLong, lost: 1 }),
            Err(Error { kind: ErrorKind::Noise, lost: start - 1 }),
            Ok(good.clone())
        ]
    );
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => (any::<u32>(), any::<bool>()).prop_map(|(counter, form)| {
            if form { general(&telegram(), counter) } else { headless(&telegram(), counter) }
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(prop::sample::select(vec![0xDB, 8, 0x82, 0x81, 0, 0x30, b'/', b'A', b'\r', b'\n']), 0..60),
        1 => any::<prop::sample::Index>().prop_map(|at| {
            let whole = general(&telegram(), 9);
            whole[..at.index(whole.len())].to_vec()
        }),
        1 => any::<prop::sample::Index>().prop_map(|at| {
            let whole = headless(&telegram(), 9);
            whole[..at.index(whole.len())].to_vec()
        }),
        1 => Just(telegram()),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold(octets in stream(), cuts in prop::collection::vec(1usize..90, 1..6), small in 1usize..300) {
        // Storage for the longest claim there can be, so that nothing is too long.
        let storage = 70_000;
        let whole: Vec<_> = frames(&octets).map(|event| event.map(|frame| frame.octets().to_vec())).collect();
        for cuts in [&cuts[..], &[usize::MAX], &[1]] {
            for dma in [false, true] {
                prop_assert_eq!(&events(&octets, cuts, storage, dma), &whole);
                prop_assert_eq!(&events(&octets, cuts, small, dma), &events(&octets, &[usize::MAX], small, false));
            }
        }
    }

    #[test]
    fn a_frame_behind_noise_without_starts_is_found(noise: Vec<u8>, counter: u32) {
        let noise: Vec<u8> = noise.into_iter().filter(|octet| !matches!(octet, 0xDB | b'/')).collect();
        for frame in [general(&telegram(), counter), headless(&telegram(), counter)] {
            let octets = [&noise[..], &frame].concat();
            prop_assert!(events(&octets, &[7], 512, false).contains(&Ok(frame)));
        }
    }
}

#[test]
fn no_storage_at_all_is_no_panic() {
    let octets = [0xDB, b'/', 0xDB, b'A'];
    let lost = |dma| -> u32 {
        events(&octets, &[1], 0, dma).into_iter().filter_map(Result::err).map(|error| error.lost).sum()
    };
    assert_eq!(lost(false), 4);
}
