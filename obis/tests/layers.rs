//! A push through every layer and back: notification, ciphering, block transfer. Vectors made here.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "test code"
)]

use obis::apdu::{Apdu, DateTimeForm, Gbt, GbtProblem, Tag};
use obis::data::{Value, Writer};
use obis::datetime::{Date, DateTime, Time};
use obis::{Obis, tree::Tree};

const CLOCK: DateTime = DateTime::new(Date::new(2024, 2, 29, 4), Time::new(12, 30, 5, 0), Some(-60), 0x00);

/// A push of 18 registers, with the date-time as the standard has it.
fn notification() -> Vec<u8> {
    let mut body = [0; 600];
    let mut writer = Writer::new(&mut body);
    writer.array(18).unwrap();
    for register in 0..18 {
        writer.structure(3).unwrap();
        writer.obis(Obis::new(1, 0, register, 7, 0, 255)).unwrap();
        writer.value(&Value::DoubleLongUnsigned(u32::from(register) * 1000)).unwrap();
        writer.scaler_unit(-1, 27).unwrap();
    }
    [&[0x0F, 0, 0, 0, 9, 12][..], &CLOCK.octets(), writer.octets()].concat()
}

/// The inner APDU in blocks of 50 octets.
fn blocks(inner: &[u8]) -> Vec<Vec<u8>> {
    let last = inner.len().div_ceil(50);
    let block = |(index, octets): (usize, &[u8])| {
        let number = u8::try_from(index + 1).unwrap();
        let control = if index + 1 == last { 0xC0 } else { 0x40 };
        [&[0xE0, control, 0, number, 0, 0, u8::try_from(octets.len()).unwrap()], octets].concat()
    };
    inner.chunks(50).enumerate().map(block).collect()
}

fn assemble<'s>(gbt: &'s mut Gbt<[u8; 1024]>, blocks: &[Vec<u8>]) -> Option<&'s [u8]> {
    let (last, others) = blocks.split_last().unwrap();
    for block in others {
        let (Apdu::Block(block), []) = Apdu::parse(block).unwrap() else { panic!("a block") };
        let step = gbt.push(&block);
        assert_eq!((step.apdu, step.problem), (None, None));
    }
    let (Apdu::Block(block), []) = Apdu::parse(last).unwrap() else { panic!("a block") };
    gbt.push(&block).apdu
}

fn check(plain: &[u8]) {
    let (Apdu::DataNotification(read), []) = Apdu::parse(plain).unwrap() else { panic!("a notification") };
    assert_eq!((read.date_time, read.date_time_form), (Some(CLOCK), DateTimeForm::Untagged));
    assert_eq!(read.date_time.unwrap().to_utc().unwrap().to_string(), "2024-02-29T11:30:05Z");
    let tree = Tree::new(read.body).to_string();
    assert_eq!(tree.lines().count(), 1 + 18 * 6);
    assert!(tree.ends_with("  structure(3)\n    octet-string obis 1-0:17.7.0*255\n    u32 17000\n    structure(2)\n      i8 -1\n      enum 27\n"));
}

#[test]
fn a_plain_push_in_blocks() {
    let blocks = blocks(&notification());
    assert_eq!(blocks.len(), 8);
    let mut gbt = Gbt::new([0; 1024]);
    check(assemble(&mut gbt, &blocks).unwrap());
    // The sequence breaks off and starts over: told, and the second one is whole.
    let (Apdu::Block(first), _) = Apdu::parse(&blocks[0]).unwrap() else { panic!("a block") };
    gbt.push(&first);
    let step = gbt.push(&first);
    assert_eq!((step.problem, step.dropped), (Some(GbtProblem::Unfinished), 50));
    check(assemble(&mut gbt, &blocks[1..]).unwrap());
}

#[cfg(feature = "aes-gcm")]
#[test]
fn an_encrypted_push_in_blocks() {
    use obis::apdu::{Ciphered, Key, SecurityControl, TagCheck};
    let key = Key::aes128(*b"not a secret key");
    let plain = notification();
    // Counter mode is its own inverse, so the reader makes the ciphertext too.
    let mut ciphertext = vec![0; plain.len()];
    let header = Ciphered {
        tag: Tag::GENERAL_GLO_CIPHERING,
        system_title: b"ABC\x00\x00\x00\x00\x01",
        security: SecurityControl(0x20),
        invocation_counter: 7,
        content: &plain,
        authentication_tag: None,
    };
    header.decrypt_unauthenticated(&key, &mut ciphertext).unwrap();
    assert_ne!(ciphertext, plain);
    let length = u16::try_from(ciphertext.len() + 5).unwrap().to_be_bytes();
    let security = [0x82, length[0], length[1], 0x20, 0, 0, 0, 7];
    let inner = [&[0xDB, 8][..], header.system_title, &security, &ciphertext].concat();

    let mut gbt = Gbt::new([0; 1024]);
    let whole = assemble(&mut gbt, &blocks(&inner)).unwrap();
    let (Apdu::Ciphered(read), []) = Apdu::parse(whole).unwrap() else { panic!("ciphered") };
    assert_eq!(read.tag.to_string(), "general-glo-ciphering");
    let mut storage = [0; 1024];
    let decrypted = read.decrypt_unauthenticated(&key, &mut storage).unwrap();
    assert_eq!(decrypted.tag, TagCheck::Absent);
    check(decrypted.apdu().unwrap());
    assert!(whole.ends_with(&ciphertext), "the caller's octets are as they were");
}

#[test]
fn several_notifications_in_one_information_field() {
    // Each behind its LLC header; only reading the first tells where the second starts.
    let one = [&[0xE6, 0xE7, 0x00][..], &notification()].concat();
    let field = [&one[..], &one, &one].concat();
    let (mut rest, mut seen) = (&field[..], 0);
    while let [0xE6, 0xE7, 0x00, apdu @ ..] = rest {
        let (apdu, tail) = Apdu::parse(apdu).unwrap();
        assert_eq!(apdu.tag(), Tag::DATA_NOTIFICATION);
        (rest, seen) = (tail, seen + 1);
    }
    assert_eq!((seen, rest), (3, &[][..]));
}
