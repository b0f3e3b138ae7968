//! What ends a trial, what starts an installation, what is remembered.
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

use device::memory::{self, Rng, Tear};
use device::package::{Package, Recipe, Toy};
use device::*;
use embedded_storage::nor_flash::NorFlash;
use upgrade_proto::bitmap::Eeprom;
use upgrade_proto::boot::{BootError, Judgement, ResetCause};
use upgrade_proto::install::{FlashRecords, Program, Reason, Record, Records, State, Step, event};
use upgrade_proto::message::{Event, Message, Packet};
use upgrade_proto::package::Version;
use upgrade_proto::receiver::{Addressed, Outcome};

fn old() -> Vec<u8> {
    Rng::new(1).octets(7000)
}

fn package() -> Package {
    Package::new(Rng::new(2).octets(8150), &Recipe::default(), &Toy)
}

/// A meter whose new program stands in its trial; no start counted but the first.
fn in_trial(package: &Package) -> Device<Multi> {
    let mut device = Device::<Multi>::new(&old());
    let mut head = Head::new(package);
    assert_eq!(device.boot(ResetCause::Power), Ok(Judgement::Run));
    assert_eq!(live(&mut device, &mut head), End::Reset);
    assert_eq!(device.boot(ResetCause::Software), Ok(Judgement::Trial));
    assert_eq!(device.runs(package), Some(package.version));
    device
}

#[test]
fn mains_cuts_alone_never_roll_back() {
    let package = package();
    let mut device = in_trial(&package);
    let faults = u32::from(device.limits.faults);
    for _ in 0..10 * faults {
        assert_eq!(device.boot(ResetCause::Power), Ok(Judgement::Trial));
    }
    assert_eq!(device.record().faults, 0);
    // Ten times as many again, with lives long enough in between.
    for _ in 0..10 {
        let mut app = device.application(Toy, package.version).unwrap();
        let mut flash = device.kit.app();
        app.work(&mut flash, 0, None).unwrap();
        assert_eq!(app.work(&mut flash, u64::from(device.policy.healthy), None), Ok(Step::More));
        assert_eq!(device.record().early, 0);
        for _ in 0..10 * faults {
            assert_eq!(device.boot(ResetCause::Power), Ok(Judgement::Trial));
        }
    }
    assert_eq!(live(&mut device, &mut Head::new(&package)), End::Done);
}

#[test]
fn more_fault_resets_than_allowed_roll_back_even_with_mains_cuts_between() {
    let package = package();
    for cause in [ResetCause::Fault, ResetCause::Software] {
        let mut device = in_trial(&package);
        for _ in 0..device.limits.faults {
            assert_eq!(device.boot(cause), Ok(Judgement::Trial));
            assert_eq!(device.boot(ResetCause::Power), Ok(Judgement::Trial));
        }
        assert_eq!(device.boot(cause), Ok(Judgement::Run));
        assert_eq!(device.runs(&package), Some(OLD));
        let record = device.record();
        assert_eq!((record.state, record.reason), (State::RolledBack, Reason::Faults));
        assert_eq!(record.events.iter().next().unwrap().kind, event::ROLLED_BACK);
        assert_eq!(record.floor, 0, "the counter is not raised by a trial that failed");
    }
}

#[test]
fn a_program_that_pulls_its_own_supply_down_is_rolled_back() {
    let package = package();
    let mut device = in_trial(&package);
    let mut starts = 1;
    while device.boot(ResetCause::Power) == Ok(Judgement::Trial) {
        starts += 1;
        assert!(starts < 1000);
    }
    assert_eq!(starts, device.limits.early);
    assert_eq!(device.record().reason, Reason::Early);
    assert_eq!(device.runs(&package), Some(OLD));
}

#[test]
fn not_confirmed_in_time_is_rolled_back_and_contact_may_be_asked_for() {
    let package = package();
    let mut device = in_trial(&package);
    device.policy.contact = true;
    let mut app = device.application(Toy, package.version).unwrap();
    let mut flash = device.kit.app();
    app.handle_self_test(true);
    assert!(
        matches!(app.work(&mut flash, 0, None), Ok(Step::Until(_))),
        "the concentrator was not heard yet"
    );
    let query = Head::new(&package).sealed(Message::Query);
    let forged: Vec<u8> = query.iter().enumerate().map(|(at, o)| o ^ u8::from(at == 9)).collect();
    app.handle_message(&forged, Addressed::Me, 1).unwrap();
    assert!(matches!(app.work(&mut flash, 2, None), Ok(Step::Until(_))), "a forged question is no contact");
    app.handle_message(&query, Addressed::Me, 3).unwrap();
    assert_eq!(app.work(&mut flash, 4, None), Ok(Step::More));
    assert_eq!(app.record().state, State::Confirmed);

    let mut device = in_trial(&package);
    let safety = u64::from(device.policy.safety);
    let mut app = device.application(Toy, package.version).unwrap();
    app.work(&mut flash, 7, None).unwrap();
    assert_eq!(app.work(&mut flash, 7 + safety, None), Ok(Step::Reset));
    assert_eq!(device.boot(ResetCause::Software), Ok(Judgement::Run));
    assert_eq!(device.record().reason, Reason::Safety);
}

/// Armed for a time: no clock, too early, in the window, past it, next day, expired, cancelled.
#[test]
fn activation_at_a_time_keeps_window_and_expiry() {
    const DAY: u32 = 86_400;
    let package = package();
    let prepare = || {
        let mut device = Device::<Multi>::new(&old());
        device.policy.window = 3600;
        device.policy.expiry = 3 * DAY;
        let mut head = Head::new(&package);
        let mut app = device.application(Toy, OLD).unwrap();
        let mut flash = device.kit.app();
        let octets = head.sealed(Message::Initiate(package.initiate));
        app.handle_message(&octets, Addressed::Me, 0).unwrap();
        while app.work(&mut flash, 0, None) == Ok(Step::More) {}
        feed(&mut app, &mut device, &head);
        let octets = head.sealed(Message::Activate { at: 10 * DAY });
        assert_eq!(app.handle_message(&octets, Addressed::Me, 0), Ok(Outcome::Activate { at: 10 * DAY }));
        (device, app, flash, head)
    };
    let (device, mut app, mut flash, mut head) = prepare();
    assert_eq!(app.work(&mut flash, 0, None), Ok(Step::Idle), "no clock: hold");
    assert_eq!(app.work(&mut flash, 0, Some(10 * DAY - 1)), Ok(Step::Idle), "too early");
    // A reset changes nothing.
    let mut app2 = device.application(Toy, OLD).unwrap();
    assert_eq!(app2.record().state, State::Armed);
    assert_eq!(app2.work(&mut flash, 0, Some(10 * DAY + 3600)), Ok(Step::Idle), "past the window");
    assert_eq!(app2.work(&mut flash, 0, Some(11 * DAY + 10)), Ok(Step::More), "the next day's");
    assert_eq!(app2.record().state, State::Backup);
    // Committed: neither cancelled nor replaced.
    let octets = head.sealed(Message::Cancel);
    assert_eq!(app2.handle_message(&octets, Addressed::Me, 0), Ok(Outcome::Ignored));

    let (_, mut app, mut flash, _) = prepare();
    assert_eq!(app.work(&mut flash, 0, Some(13 * DAY)), Ok(Step::More));
    assert_eq!((app.record().state, app.record().reason), (State::Verified, Reason::Expired));

    let (_, mut app, mut flash, mut head) = prepare();
    head.number += 5;
    let octets = head.sealed(Message::Cancel);
    assert_eq!(app.handle_message(&octets, Addressed::Me, 0), Ok(Outcome::Cancel));
    assert_eq!(app.work(&mut flash, 0, Some(10 * DAY)), Ok(Step::Idle));
    assert_eq!(app.record().state, State::Verified);
}

/// Gives all blocks and has the image verified.
fn feed(app: &mut App<Multi, Toy>, device: &mut Device<Multi>, head: &Head<'_>) {
    use upgrade_proto::session::Plane;
    let mut flash = device.kit.app();
    for plane in [Plane::Meta, Plane::Data] {
        for index in 0..head.package.geometry.count(plane) {
            let data = head.package.block(plane, index);
            let octets = head.octets(Message::Block { plane, index, acknowledge: false, data });
            let outcome = app.handle_message(&octets, Addressed::Group(1), 0);
            assert_eq!(outcome, Ok(Outcome::Stored { plane, index }));
            while app.work(&mut flash, 0, None) == Ok(Step::More) {}
        }
    }
    app.handle_message(&head.octets(Message::Verify), Addressed::Group(1), 0).unwrap();
    while app.work(&mut flash, 0, None) == Ok(Step::More) {}
    assert_eq!(app.record().state, State::Verified);
}

#[test]
fn image_changed_in_the_external_flash_is_not_installed() {
    let package = package();
    let mut device = Device::<Multi>::new(&old());
    device.boot(ResetCause::Power).unwrap();
    assert_eq!(live(&mut device, &mut Head::new(&package)), End::Reset);
    // One octet cleared between verification and installation.
    device.kit.ext().write(4096, &[0; 4]).unwrap();
    assert_eq!(device.boot(ResetCause::Software), Ok(Judgement::Run));
    assert_eq!(device.runs(&package), Some(OLD));
    assert_eq!(device.record().reason, Reason::Image);
}

#[test]
fn without_backup_a_failed_program_is_better_than_none_and_none_is_said() {
    let package = package();
    let mut device = in_trial(&package);
    let backup = device.places().backup;
    device.kit.ext().erase(backup.start, backup.start + 1024).unwrap();
    for _ in 0..=device.limits.faults {
        assert_eq!(device.boot(ResetCause::Fault), Ok(Judgement::Trial));
    }
    assert_eq!(device.runs(&package), Some(package.version));
    // Now the program too, and the image.
    device.kit.app().erase(0, 1024).unwrap();
    device.kit.ext().erase(0, 1024).unwrap();
    for _ in 0..device.limits.faults {
        assert_eq!(device.boot(ResetCause::Fault), Ok(Judgement::Trial));
    }
    assert_eq!(device.boot(ResetCause::Fault), Err(BootError::NoProgram));
}

#[test]
fn second_upgrade_backs_up_the_first_and_events_are_read_out() {
    let first = package();
    let recipe =
        Recipe { version: Version { date: 20_240_301, number: 0 }, counter: 2, id: 8, ..Recipe::default() };
    let second = Package::new(Rng::new(9).octets(6000), &recipe, &Toy);
    let mut device = Device::<Multi>::new(&old());
    let mut head = Head::new(&first);
    upgrade(&mut device, &mut head);
    let number = head.number;
    device.old = first.program.clone();
    let mut head = Head::new(&second);
    head.number = number;
    // What `runs` takes for the old program is the first now; its version is asked of the record.
    device.identity.version = first.version;
    upgrade(&mut device, &mut head);
    let record = device.record();
    assert_eq!(record.backup.version, first.version);
    assert_eq!((record.floor, record.events.total()), (2, 6));

    let mut app = device.application(Toy, second.version).unwrap();
    let mut out = [0; 60];
    app.handle_message(&head.octets(Message::EventQuery { from: 1 }), Addressed::Me, 0).unwrap();
    let reply = app.poll_transmit(&mut out, 0).unwrap().unwrap().to_vec();
    let Ok(Packet { message: Message::Events(entries), .. }) = Packet::parse(&reply) else {
        panic!("{reply:?}")
    };
    let kinds: Vec<u8> = entries.chunks(Event::LEN).map(|e| Event::parse(e).unwrap().kind).collect();
    assert_eq!(kinds, [event::VERIFIED, event::INITIALISED, event::ACTIVATED, event::VERIFIED], "what fits");
}

/// What ten thousand upgrades wear, counted over some and multiplied.
#[test]
fn ten_thousand_upgrades_fit_a_hundred_thousand_cycles() {
    fn wear<const P: usize>() -> u32 {
        let line = Default::default();
        let rom = memory::Rom::<P>::new(&line, 4096);
        let mut records = upgrade_proto::install::EepromRecords::new(rom.clone(), 0);
        let mut record = Record::default();
        // Join, erasing, image key, receiving, verified, armed, backup given up, backup, installing, trial, healthy, confirmed, and four
        // starts more in the trial.
        for step in 0..16 * 100 {
            record.control = step;
            Records::<()>::store(&mut records, &mut (), &record).unwrap();
        }
        let most = *rom.writes.borrow().iter().max().unwrap();
        println!("EEPROM page {P}: {} writes of a page in an upgrade", f64::from(most) / 100.0);
        most
    }
    for most in [wear::<1>(), wear::<16>(), wear::<32>(), wear::<64>(), wear::<128>(), wear::<256>()] {
        assert!(most <= 100_000 / 10_000 * 100, "{most} in 100 upgrades");
    }
    assert_eq!(<memory::Rom<128> as Eeprom>::PAGE, 128);

    // A whole upgrade, every memory.
    let (old, package) = (old(), package());
    let mut device = Device::<Multi>::new(&old);
    upgrade(&mut device, &mut Head::new(&package));
    let rom = *device.kit.rom.writes.borrow().iter().max().unwrap();
    let ext = *device.kit.ext().cells.borrow().erases.iter().max().unwrap();
    let app = *device.kit.app().cells.borrow().erases.iter().max().unwrap();
    println!(
        "one upgrade: {rom} writes of an EEPROM page, {ext} erases of an external, {app} of a program sector"
    );
    assert!(rom <= 10 && ext <= 2 && app == 1);

    let mut device = Device::<Bare>::new(&old);
    upgrade(&mut device, &mut Head::new(&package));
    let ext = *device.kit.ext().cells.borrow().erases.iter().max().unwrap();
    println!("without EEPROM: {ext} erases of an external sector");
    assert!(ext <= 10);
}

#[test]
fn records_in_flash_survive_tears_and_reuse_no_place() {
    let line: memory::Line = Default::default();
    let mut flash = memory::Nor::<16, 2048, false>::new(&line, 8192);
    let span = upgrade_proto::flash::Span { start: 0, len: 8192 };
    let mut rng = Rng::new(3);
    let mut stored = 0;
    let mut records = FlashRecords::new(span);
    for turn in 0..2000u32 {
        line.borrow_mut().dead = false;
        let found = records.load(&mut flash).unwrap().unwrap_or_default().control;
        assert!(found == stored || found == stored + 1, "{found} {stored}");
        stored = found;
        line.borrow_mut().cuts = vec![(rng.below(12), Tear::random(&mut rng))];
        let mut record =
            Record { running: Program { size: turn, ..Program::default() }, ..Record::default() };
        loop {
            record.control = stored + 1;
            if records.store(&mut flash, &record).is_err() {
                break;
            }
            stored += 1;
        }
        records = FlashRecords::new(span);
    }
    assert!(stored > 5000, "{stored}");
}
