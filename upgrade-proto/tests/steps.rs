//! Steps that an installation takes when something is not as it should be, and what is said of it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::expect_used,
    reason = "test code"
)]

mod device;

use device::memory::Rng;
use device::package::{Package, Recipe, Toy};
use device::*;
use embedded_storage::nor_flash::NorFlash;
use sha2::Sha256;
use std::collections::BTreeSet;
use upgrade_proto::boot::{BootError, Judgement, ResetCause};
use upgrade_proto::error::{BufferTooSmall, MessageError, Refusal};
use upgrade_proto::flash::{FlashError, Span};
use upgrade_proto::hash::{Hash256, NoHash, crc32};
use upgrade_proto::install::{Program, Reason, Record, Records, State, Step, Upgrader, digest};
use upgrade_proto::message::{Initiate, Message, Packet};
use upgrade_proto::package::Version;
use upgrade_proto::receiver::{Addressed, Config, Layout, Outcome, Receiver};
use upgrade_proto::session::{Plane, Session};

fn old() -> Vec<u8> {
    Rng::new(1).octets(7000)
}

fn package() -> Package {
    Package::new(Rng::new(2).octets(8150), &Recipe::default(), &Toy)
}

#[test]
fn what_is_wrong_is_said_in_words_that_differ() {
    let refusals = (0..=17).map(|code| {
        let refusal = Refusal::from_code(code);
        assert_eq!(refusal.code(), code);
        refusal.to_string()
    });
    let mut words: Vec<String> = refusals.collect();
    words.extend(
        [MessageError::Length, MessageError::Kind(9), MessageError::Field].map(|error| error.to_string()),
    );
    words.push(BootError::NoProgram.to_string());
    words.push(BufferTooSmall.to_string());
    let set: BTreeSet<&String> = words.iter().collect();
    assert!(set.len() == words.len() && words.iter().all(|text| !text.is_empty()), "{words:?}");
    assert_eq!(FlashError.to_string(), BootError::Flash.to_string());
}

#[test]
fn a_falling_supply_explains_the_other_reset_flags() {
    for flags in 0..8 {
        let [power, watchdog, software] = [1, 2, 4].map(|bit| flags & bit != 0);
        let expected = match (power, watchdog, software) {
            (true, ..) => ResetCause::Power,
            (_, true, _) => ResetCause::Fault,
            (_, _, true) => ResetCause::Software,
            _ => ResetCause::Other,
        };
        assert_eq!(ResetCause::from_flags(power, watchdog, software), expected);
    }
}

#[test]
fn a_program_is_hashed_where_it_stands() {
    let device = Device::<Multi>::new(&old());
    let mut app = device.kit.app();
    assert_eq!(digest::<Sha256, _>(&mut app, 0, 7000), Ok(Sha256::of(&old())));
    assert_eq!(digest::<Sha256, _>(&mut app, 1, 2500), Ok(Sha256::of(&old()[1..2501])));
    assert_eq!(digest::<Sha256, _>(&mut app, 0, Multi::SPAN + 1), Err(FlashError));
    assert_eq!(digest::<Sha256, _>(&mut app, u32::MAX, 2), Err(FlashError));
    assert_eq!(digest::<NoHash, _>(&mut app, 0, 7000), Ok([0; 32]));
}

/// A meter that has the image and was told to install it.
fn armed() -> (Device<Multi>, App<Multi, Toy>) {
    let package = package();
    let mut device = Device::<Multi>::new(&old());
    device.boot(ResetCause::Power).unwrap();
    let mut head = Head::new(&package);
    let mut app = device.application(Toy, OLD).unwrap();
    let mut flash = device.kit.app();
    let octets = head.sealed(Message::Initiate(package.initiate));
    app.handle_message(&octets, Addressed::Me, 0).unwrap();
    while app.work(&mut flash, 0, None) == Ok(Step::More) {}
    for plane in [Plane::Meta, Plane::Data] {
        for index in 0..package.geometry.count(plane) {
            let data = package.block(plane, index);
            let octets = head.octets(Message::Block { plane, index, acknowledge: false, data });
            app.handle_message(&octets, Addressed::Group(1), 0).unwrap();
            while app.work(&mut flash, 0, None) == Ok(Step::More) {}
        }
    }
    app.handle_message(&head.octets(Message::Verify), Addressed::Group(1), 0).unwrap();
    while app.work(&mut flash, 0, None) == Ok(Step::More) {}
    let octets = head.sealed(Message::Activate { at: 0 });
    assert_eq!(app.handle_message(&octets, Addressed::Me, 0), Ok(Outcome::Activate { at: 0 }));
    (device, app)
}

/// Works until there is nothing more; `between` the steps something may happen.
fn work(device: &Device<Multi>, app: &mut App<Multi, Toy>, mut between: impl FnMut()) -> Step {
    let mut flash = device.kit.app();
    for _ in 0..1000 {
        match app.work(&mut flash, 0, None).unwrap() {
            Step::More => between(),
            step => return step,
        }
    }
    panic!("no end in {:?}", app.record().state)
}

#[test]
fn a_program_that_is_not_the_one_on_record_is_no_backup() {
    let (device, mut app) = armed();
    device.kit.load_app(b"changed");
    assert_eq!(work(&device, &mut app, || {}), Step::Idle);
    assert_eq!((app.record().state, app.record().reason), (State::Verified, Reason::Program));
}

#[test]
fn a_backup_that_is_not_what_the_record_says_is_made_again() {
    let (mut device, app) = armed();
    let (receiver, mut records) = app.into_parts();
    let (mut external, _) = receiver.into_parts();
    let mut record: Record = records.load(&mut external).unwrap().unwrap();
    assert_eq!(record.state, State::Armed);
    record.backup = record.running;
    records.store(&mut external, &record).unwrap();
    let mut app = device.application(Toy, OLD).unwrap();
    assert_eq!(work(&device, &mut app, || {}), Step::Reset);
    let backup = device.places().backup;
    assert_eq!(device.kit.ext().dump(backup.start, 7000), old());
    // With a whole one nothing is copied.
    let erases = device.kit.ext().cells.borrow().erases.clone();
    record.state = State::Armed;
    device.kit.records().store(&mut external, &record).unwrap();
    let mut records = device.kit.records();
    records.load(&mut external).unwrap();
    records.store(&mut external, &record).unwrap();
    let mut app = device.application(Toy, OLD).unwrap();
    assert_eq!(work(&device, &mut app, || {}), Step::Reset);
    assert_eq!(device.kit.ext().cells.borrow().erases, erases);
    assert_eq!(device.boot(ResetCause::Software), Ok(Judgement::Trial));
}

#[test]
fn a_flash_that_does_not_keep_the_backup_ends_the_installation() {
    let (device, mut app) = armed();
    let mut external = device.kit.ext();
    let start = device.places().backup.start;
    // Whatever is copied there, some of it falls to zero.
    let step = work(&device, &mut app, || external.write(start, &[0; 4]).unwrap());
    assert_eq!(step, Step::Idle);
    assert_eq!((app.record().state, app.record().reason), (State::Verified, Reason::Copy));
    let copies = device.kit.ext().cells.borrow().erases[(start / 1024) as usize];
    assert_eq!(copies, 3, "tried three times");
}

#[test]
fn where_nothing_is_known_of_what_runs_all_of_it_is_kept() {
    let (device, app) = armed();
    let (receiver, mut records) = app.into_parts();
    let (mut external, _) = receiver.into_parts();
    let mut record: Record = records.load(&mut external).unwrap().unwrap();
    record.running = Program::default();
    records.store(&mut external, &record).unwrap();
    let places = device.places();
    let layout = Layout { image: places.upload, meta: places.meta, scratch: Span::default() };
    let config = Config { identity: device.identity, address: ADDRESS, layout, untagged: false };
    let receiver = Receiver::<_, _, Sha256, _, 512>::new(external, device.kit.map(), [], config);
    let mut app = Upgrader::new(receiver, device.kit.records(), Toy, places, device.policy);
    app.resume().unwrap();
    let mut flash = device.kit.app();
    while app.work(&mut flash, 0, None).unwrap() != Step::Reset {}
    assert_eq!(app.record().backup.size, Multi::SPAN);
    assert_eq!(
        device.kit.ext().dump(places.backup.start, Multi::SPAN as usize),
        device.kit.dump_app(Multi::SPAN as usize)
    );
}

/// As the simplest of carriers have it: no manifest, no tags, no signature, a CRC-32 alone.
#[test]
fn an_image_without_manifest_is_taken_where_the_policy_says_so() {
    let image = Rng::new(5).octets(3000);
    let session = Session { id: 3, image: crc32(&image) };
    let initiate =
        Initiate { size: 3000, block: 128, manifest: 0, tagged: false, crc: crc32(&image), digest: [0; 16] };
    for signed in [true, false] {
        let mut device = Device::<Multi>::new(&old());
        device.policy.signed = signed;
        device.policy.sealed = false;
        let places = device.places();
        let layout = Layout { image: places.upload, meta: places.meta, scratch: Span::default() };
        let config = Config { identity: device.identity, address: ADDRESS, layout, untagged: true };
        let receiver = Receiver::<_, _, Sha256, _, 512>::new(device.kit.ext(), device.kit.map(), [], config);
        let mut app = Upgrader::new(receiver, device.kit.records(), Toy, places, device.policy);
        app.resume().unwrap();
        let running = Program { size: 7000, version: OLD, sha256: Sha256::of(&old()) };
        app.provision(running, false).unwrap();
        let mut flash = device.kit.app();
        let mut say = |app: &mut Upgrader<_, _, _, _, _, _, 512>, message| {
            let mut buffer = [0; 200];
            let octets = Packet { session, message }.encode(&mut buffer).unwrap();
            app.handle_message(octets, Addressed::Me, 0).unwrap();
            for _ in 0..1000 {
                match app.work(&mut flash, 0, None).unwrap() {
                    Step::More => {}
                    step => return step,
                }
            }
            panic!("no end")
        };
        say(&mut app, Message::Initiate(initiate));
        if signed {
            assert_eq!(app.record().state, State::Idle);
            continue;
        }
        assert_eq!((app.record().state, app.poll_timeout().is_some()), (State::Receiving, true));
        for (index, data) in (0..).zip(image.chunks(128)) {
            say(&mut app, Message::Block { plane: Plane::Data, index, acknowledge: false, data });
        }
        say(&mut app, Message::Verify);
        let upload = app.record().upload;
        assert_eq!((app.record().state, upload.sha256), (State::Verified, Sha256::of(&image)));
        assert_eq!(upload.version, Version::default());
        assert_eq!(say(&mut app, Message::Activate { at: 0 }), Step::Reset);
        assert_eq!(device.boot(ResetCause::Software), Ok(Judgement::Trial));
        assert_eq!(device.kit.dump_app(3000), image);
    }
}

#[cfg(feature = "carrier-dlms-image")]
#[test]
fn every_method_of_image_transfer_is_read_as_it_was_written() {
    use upgrade_proto::carrier::dlms_image::{message, method};
    let data = [7; 300];
    let blocks = [0, 1, 127, 128, 255, 256, 300].map(|len| Message::Block {
        plane: Plane::Data,
        index: 259,
        acknowledge: false,
        data: &data[..len],
    });
    let mut out = [0; 320];
    for said in blocks.into_iter().chain([Message::Verify, Message::Activate { at: 0 }]) {
        let (number, octets) = method(&said, &mut out).unwrap().unwrap();
        assert_eq!(message(number, octets), Some(said));
        if number == 2 {
            assert!((0..octets.len()).all(|cut| message(2, &octets[..cut]).is_none()));
            for (at, wrong) in [(0, 1), (3, 0xFF), (7, 4), (8, 0x83)] {
                let mut octets = octets.to_vec();
                octets[at] = wrong;
                assert_eq!(message(2, &octets), None, "octet {at}");
            }
        }
    }
    assert_eq!(message(5, &[0x0F, 0]), None);
    assert_eq!(method(&Message::Cancel, &mut out), Ok(None));
}

#[cfg(feature = "control")]
#[test]
fn a_key_is_never_printed() {
    let key = upgrade_proto::security::MeterKey::new([0x5A; 16]);
    assert_eq!(format!("{key:?}"), "MeterKey");
}

#[test]
fn indices_print_as_a_list_and_take_each_number_once() {
    let mut indices = upgrade_proto::message::Indices::default();
    assert!(indices.insert(9) && indices.insert(3) && !indices.insert(9));
    assert_eq!(format!("{indices:?}"), "[3, 9]");
    for index in 100..130 {
        assert!(indices.insert(index));
    }
    assert!(!indices.insert(50), "32 are all there is room for");
    assert_eq!(indices.as_slice().len(), 32);
}
