//! What an attacker may try, one test each. Real keys: Ed25519 (and P-256, salty), AES-128.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::panic,
    clippy::expect_used,
    reason = "test code"
)]
#![cfg_attr(
    not(all(feature = "coded", feature = "boot-verify")),
    allow(unused_imports, reason = "some attacks are on what these features add")
)]

mod device;

use device::memory::{self, Rng};
use device::package::{Package, Recipe, Sign, tags};
use device::*;
use ed25519_dalek::{Signer as _, SigningKey};
use embedded_storage::nor_flash::NorFlash;
use sha2::Sha256;
use upgrade_proto::boot::{Boot, Judgement, ResetCause};
use upgrade_proto::error::Refusal;
use upgrade_proto::hash::{Hash256, crc32};
use upgrade_proto::install::{Decrypt, NoCipher, PublicKey, Reason, Record, Records, State, Step, event};
use upgrade_proto::message::{Ask, Indices, Message, Packet, Phase};
use upgrade_proto::package::{MANIFEST_LEN, Manifest, Version};
use upgrade_proto::receiver::{Addressed, Outcome};
use upgrade_proto::security::{
    Ed25519, Keys, MANIFEST_MAX, MeterKey, RETIRE, Verify, check_manifest, open_reply, seal_command,
    seal_group, seal_image_key, signed_digest, wrap,
};
use upgrade_proto::session::Plane;

const METER: [u8; 16] = [0x11; 16];
const GROUP: [u8; 16] = [0x22; 16];
const WRAPPING: [u8; 16] = [0x33; 16];

struct Maker(SigningKey);

impl Maker {
    fn new(seed: u8) -> Self {
        Maker(SigningKey::from_bytes(&[seed; 32]))
    }
    fn public(&self) -> PublicKey {
        PublicKey::ed25519(&self.0.verifying_key().to_bytes())
    }
}

impl Sign for Maker {
    fn algorithm(&self) -> u8 {
        1
    }
    fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        self.0.sign(digest).to_bytes()
    }
}

fn keys() -> Keys<Ed25519> {
    Keys { verify: Ed25519, root: Maker::new(1).public(), meter: Some(METER), group: Some(GROUP) }
}

fn program(seed: u64) -> Vec<u8> {
    Rng::new(seed).octets(8150)
}

fn recipe(number: u16, counter: u32) -> Recipe {
    Recipe { version: Version { date: 20_240_116, number }, counter, id: number, ..Recipe::default() }
}

fn genuine() -> Package {
    Package::new(program(2), &recipe(1, 1), &Maker::new(1))
}

/// A meter with its application, and a concentrator that has its key.
struct Meter {
    device: Device<Multi>,
    app: App<Multi, Keys<Ed25519>>,
    number: u32,
}

impl Meter {
    fn new() -> Self {
        Meter::of(Device::new(&Rng::new(1).octets(7000)), OLD)
    }

    fn of(device: Device<Multi>, running: Version) -> Self {
        let mut app = device.application(keys(), running).unwrap();
        let number = app.record().control;
        app.receiver().set_version(running);
        Meter { device, app, number }
    }

    fn work(&mut self) -> Step {
        let mut flash = self.device.kit.app();
        loop {
            match self.app.work(&mut flash, 0, Some(1000)).unwrap() {
                Step::More => {}
                step => return step,
            }
        }
    }

    fn give(&mut self, octets: &[u8], to: Addressed) -> Outcome {
        let outcome = self.app.handle_message(octets, to, 0).unwrap();
        self.work();
        outcome
    }

    fn plain(&mut self, package: &Package, message: Message<'_>, to: Addressed) -> Outcome {
        self.give(&octets(package, message), to)
    }

    fn command(&mut self, package: &Package, message: Message<'_>) -> Outcome {
        self.number += 1;
        let sealed = sealed(self.number, package, message);
        self.give(&sealed, Addressed::Me)
    }

    fn reply(&mut self) -> Option<Vec<u8>> {
        let mut out = [0; 200];
        self.app.poll_transmit(&mut out, 0).unwrap().map(<[u8]>::to_vec)
    }

    fn refusal(&mut self) -> Option<Refusal> {
        let reply = self.reply()?;
        let inner = if reply[0] == 0x51 { &reply[5..reply.len() - 8] } else { &reply };
        match Packet::parse(inner).unwrap().message {
            Message::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Opens the session and gives the meta plane.
    fn open(&mut self, package: &Package) {
        assert_eq!(self.command(package, Message::Initiate(package.initiate)), Outcome::Taken);
        self.reply();
        self.meta(package);
    }

    fn meta(&mut self, package: &Package) {
        for index in 0..package.geometry.count(Plane::Meta) {
            self.plain(package, block(package, Plane::Meta, index), Addressed::Group(1));
        }
    }

    /// Gives the blocks it lacks; how many frames that took.
    fn fill(&mut self, package: &Package) -> u32 {
        let mut frames = 0;
        for index in 0..package.geometry.count(Plane::Data) {
            match self.plain(package, block(package, Plane::Data, index), Addressed::Group(1)) {
                Outcome::Stored { .. } => frames += 1,
                Outcome::Duplicate => {}
                other => panic!("{other:?}"),
            }
        }
        frames
    }

    fn verify(&mut self, package: &Package) {
        self.plain(package, Message::Verify, Addressed::Group(1));
    }

    /// Installs a verified image; what the boot loader says.
    fn install(mut self, package: &Package, cipher: &mut dyn Decrypt) -> (Device<Multi>, Judgement) {
        assert_eq!(self.command(package, Message::Activate { at: 0 }), Outcome::Activate { at: 0 });
        assert_eq!(self.work(), Step::Reset);
        let mut device = self.device;
        let judgement = boot(&mut device, cipher);
        (device, judgement)
    }

    /// A whole upgrade to the end.
    fn upgrade(mut self, package: &Package) -> Meter {
        self.open(package);
        self.fill(package);
        self.verify(package);
        let (device, judgement) = self.install(package, &mut NoCipher);
        assert_eq!(judgement, Judgement::Trial);
        let mut meter = Meter::of(device, package.version);
        meter.app.handle_self_test(true);
        meter.work();
        assert_eq!(meter.app.record().state, State::Confirmed);
        meter
    }
}

fn boot(device: &mut Device<Multi>, cipher: &mut dyn Decrypt) -> Judgement {
    let (mut ext, mut app, mut records) = (device.kit.ext(), device.kit.app(), device.kit.records());
    let mut boot = Boot::new(&mut ext, &mut app, &mut records, device.places(), device.limits);
    boot.start::<Sha256>(ResetCause::Software, cipher, || {}).unwrap()
}

fn octets(package: &Package, message: Message<'_>) -> Vec<u8> {
    let mut buffer = [0; 700];
    Packet { session: package.session, message }.encode(&mut buffer).unwrap().to_vec()
}

fn sealed(number: u32, package: &Package, message: Message<'_>) -> Vec<u8> {
    let mut buffer = [0; 700];
    seal_command(&mut keys(), ADDRESS, number, &octets(package, message), &mut buffer).unwrap().to_vec()
}

fn block(package: &Package, plane: Plane, index: u16) -> Message<'_> {
    Message::Block { plane, index, acknowledge: false, data: package.block(plane, index) }
}

/// Poison amplification: frames sent again because of forged ones, by forged ones.
#[test]
fn forged_block_is_not_stored_and_costs_nothing_but_itself() {
    let package = genuine();
    let mut meter = Meter::new();
    meter.open(&package);
    let count = package.geometry.count(Plane::Data);
    let mut rng = Rng::new(3);
    for index in 0..count {
        let mut wrong = package.block(Plane::Data, index).to_vec();
        let at = rng.below(wrong.len() as u64) as usize;
        wrong[at] ^= 1 << rng.below(8);
        for to in [Addressed::Group(1), Addressed::Me, Addressed::Other] {
            let forged = Message::Block { plane: Plane::Data, index, acknowledge: false, data: &wrong };
            assert_eq!(meter.plain(&package, forged, to), Outcome::Unusable);
        }
    }
    // Each forged frame caused no other: the image takes as many as without.
    assert_eq!(meter.fill(&package), u32::from(count));
    println!("forged blocks: {} frames, 0 sent again", 3 * count);
    // Over blocks that are there, with numbers past the end, in the wrong length: nothing either.
    for (index, len) in [(0, 128), (count, 128), (u16::MAX, 128), (3, 127), (3, 0), (count - 1, 128)] {
        let forged = Message::Block { plane: Plane::Data, index, acknowledge: false, data: &[0; 128][..len] };
        let outcome = meter.plain(&package, forged, Addressed::Group(1));
        assert!(matches!(outcome, Outcome::Unusable | Outcome::Duplicate), "{outcome:?}");
    }
    meter.verify(&package);
    assert_eq!(meter.app.record().state, State::Verified);
}

#[test]
fn forged_block_by_xor_is_not_stored_and_costs_nothing_but_itself() {
    let package = genuine();
    let mut meter = Meter::new();
    meter.open(&package);
    let count = package.geometry.count(Plane::Data);
    for index in (0..count).filter(|index| index % 4 != 1) {
        meter.plain(&package, block(&package, Plane::Data, index), Addressed::Group(1));
    }
    let mut forged = 0;
    for wanted in (1..count).step_by(4) {
        let mut indices = Indices::new();
        for index in [wanted - 1, wanted, wanted + 1] {
            indices.insert(index);
        }
        // The right sum with one bit wrong, and noise.
        let mut sum = vec![0; 128];
        for index in [wanted - 1, wanted, wanted + 1] {
            sum.iter_mut().zip(package.block(Plane::Data, index)).for_each(|(a, b)| *a ^= b);
        }
        let right = sum.clone();
        sum[wanted as usize % 128] ^= 0x40;
        for data in [&sum[..], &[0xA5; 128]] {
            forged += 1;
            let message = Message::Xor { plane: Plane::Data, indices, data };
            assert_eq!(meter.plain(&package, message, Addressed::Group(1)), Outcome::Unusable);
        }
        let message = Message::Xor { plane: Plane::Data, indices, data: &right };
        let stored = Outcome::Stored { plane: Plane::Data, index: wanted };
        assert_eq!(meter.plain(&package, message, Addressed::Group(1)), stored);
    }
    assert_eq!(meter.app.receiver().missing(Plane::Data), 0);
    println!("forged XOR frames: {forged}, 0 sent again");
}

#[test]
fn forged_tag_table_is_refused_block_by_block() {
    let package = genuine();
    // Tags of another image under this session.
    let (other, _) = tags(&package.geometry, &program(99));
    let mut meter = Meter::new();
    meter.command(&package, Message::Initiate(package.initiate));
    let manifest = package.geometry.manifest_blocks();
    for index in 0..package.geometry.count(Plane::Meta) {
        if index >= manifest {
            let data = &other[usize::from(index)];
            let forged = Message::Block { plane: Plane::Meta, index, acknowledge: false, data };
            assert_eq!(meter.plain(&package, forged, Addressed::Group(1)), Outcome::Unusable, "{index}");
        }
        let outcome = meter.plain(&package, block(&package, Plane::Meta, index), Addressed::Group(1));
        assert!(matches!(outcome, Outcome::Stored { .. }));
    }
}

#[test]
fn replayed_older_image_is_refused_by_version_and_by_counter() {
    let first = genuine();
    let second = Package::new(program(5), &recipe(2, 2), &Maker::new(1));
    let mut meter = Meter::new().upgrade(&second);
    assert_eq!(meter.app.record().floor, 2);
    // Authentic, signed, older.
    meter.open(&first);
    assert_eq!(meter.app.receiver().phase(), Phase::Failed);
    assert_eq!(meter.app.record().state, State::Idle);
    // The same by a maker's mistake: a newer version number with an older counter.
    let newer = Package::new(program(6), &recipe(9, 1), &Maker::new(1));
    meter.open(&newer);
    assert_eq!((meter.app.receiver().phase(), meter.app.record().state), (Phase::Failed, State::Idle));
    assert_eq!(meter.command(&newer, Message::Activate { at: 0 }), Outcome::Ignored);
    let check = |package: &Package, record: &Record| {
        check_manifest::<Sha256, _>(&package.manifest, Some(&mut Ed25519), &Maker::new(1).public(), record)
    };
    assert_eq!(check(&newer, meter.app.record()), Err(Refusal::Counter));
    assert!(check(&newer, &Record::default()).is_ok());
    // An image with the floor itself still goes: a repaired one of the same generation.
    let same = Package::new(program(7), &recipe(10, 2), &Maker::new(1));
    meter.upgrade(&same);
}

#[test]
fn cut_and_spliced_image_is_refused() {
    let (a, b) = (genuine(), Package::new(program(5), &recipe(2, 2), &Maker::new(1)));
    assert_eq!(a.geometry, b.geometry);
    let mut meter = Meter::new();
    meter.open(&b);
    for index in 0..b.geometry.count(Plane::Data) {
        let data = a.block(Plane::Data, index);
        let spliced = Message::Block { plane: Plane::Data, index, acknowledge: false, data };
        assert_eq!(meter.plain(&b, spliced, Addressed::Group(1)), Outcome::Unusable);
    }
    // Two of the same image's own blocks exchanged.
    let data = b.block(Plane::Data, 7);
    let moved = Message::Block { plane: Plane::Data, index: 8, acknowledge: false, data };
    assert_eq!(meter.plain(&b, moved, Addressed::Group(1)), Outcome::Unusable);
    // Manifest of one, tag table of the other, consistent digests in the initiate message: no block of the table fits the signed root.
    let mut mixed = b.meta.clone();
    for (to, from) in mixed.iter_mut().zip(&a.meta) {
        if to.len() == from.len() && to[..4] != *b"MUP1" {
            to.clone_from(from);
        }
    }
    let splice = Package { meta: mixed, ..b.clone() };
    let mut meter = Meter::new();
    meter.open(&splice);
    assert!(meter.app.receiver().missing(Plane::Meta) > 0);
}

/// Paper 002 2.2: CRC over the image, AES-128 over image and CRC. In counter mode whoever knows no key flips any bit and mends the CRC.
fn paper_seals(key: &[u8; 16], nonce: &[u8; 12], image: &[u8]) -> Vec<u8> {
    let mut all = image.to_vec();
    all.extend_from_slice(&crc32(image).to_be_bytes());
    MeterKey::image(key, nonce).apply(0, &mut all);
    all
}

fn paper_accepts(key: &[u8; 16], nonce: &[u8; 12], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut all = sealed.to_vec();
    MeterKey::image(key, nonce).apply(0, &mut all);
    let (image, crc) = all.split_last_chunk::<4>()?;
    (crc32(image) == u32::from_be_bytes(*crc)).then(|| image.to_vec())
}

#[test]
fn flipped_ciphertext_with_repaired_crc_passes_the_papers_scheme_and_not_this_one() {
    let (key, nonce, plain) = ([7; 16], [8; 12], program(2));
    let sealed = paper_seals(&key, &nonce, &plain);
    assert_eq!(paper_accepts(&key, &nonce, &sealed).as_deref(), Some(&plain[..]));
    // What the attacker wants changed; the CRC of the difference, without the constants, is the CRC's difference: no key needed.
    let mut difference = vec![0; plain.len()];
    difference[100] = 0xFF;
    difference[5000] = 0x80;
    let change = crc32(&difference) ^ crc32(&vec![0; plain.len()]);
    let mut forged = sealed.clone();
    forged.iter_mut().zip(&difference).for_each(|(octet, flip)| *octet ^= flip);
    let at = plain.len();
    forged[at..].iter_mut().zip(change.to_be_bytes()).for_each(|(octet, flip)| *octet ^= flip);
    let taken = paper_accepts(&key, &nonce, &forged).expect("the paper's scheme takes the forgery");
    assert_ne!(taken, plain);
    assert_eq!(taken[100], plain[100] ^ 0xFF);

    // Ours: the same flips in the ciphertext, CRC-32 repaired in the initiate message.
    let mut image = plain.clone();
    MeterKey::image(&key, &nonce).apply(0, &mut image);
    let recipe = Recipe { sealed: Some((nonce, image.clone())), ..recipe(1, 1) };
    let package = Package::new(plain, &recipe, &Maker::new(1));
    let mut forged = package.clone();
    forged.image.iter_mut().zip(&difference).for_each(|(octet, flip)| *octet ^= flip);
    forged.initiate.crc = crc32(&forged.image);
    let mut meter = Meter::new();
    // The initiate contradicts the signed manifest.
    meter.open(&forged);
    assert_eq!(meter.app.receiver().phase(), Phase::Failed);
    // With the right one, the blocks that were touched are not taken.
    let mut meter = Meter::new();
    meter.open(&package);
    for index in [0, 39] {
        let outcome = meter.plain(&forged, block(&forged, Plane::Data, index), Addressed::Group(1));
        assert_eq!(outcome, Outcome::Unusable);
    }
}

#[test]
fn enciphered_image_runs_with_its_key_and_goes_back_without() {
    let (key, nonce, plain) = ([7; 16], [8; 12], program(2));
    let mut image = plain.clone();
    MeterKey::image(&key, &nonce).apply(0, &mut image);
    let recipe = Recipe { sealed: Some((nonce, image)), ..recipe(1, 1) };
    let package = Package::new(plain, &recipe, &Maker::new(1));
    let key_message = |number: u32, wrapped: &[u8; 24]| {
        let mut buffer = [0; 80];
        seal_image_key(&mut keys(), ADDRESS, number, package.session, wrapped, &mut buffer).unwrap().to_vec()
    };
    for (wrapping, right) in [(WRAPPING, true), ([0x44; 16], false)] {
        let mut meter = Meter::new();
        let wrapped = wrap(&WRAPPING, &key).unwrap();
        meter.number += 1;
        let early = key_message(meter.number, &wrapped);
        assert_eq!(meter.give(&early, Addressed::Me), Outcome::Ignored, "no session it could be for");
        meter.open(&package);
        meter.fill(&package);
        meter.verify(&package);
        assert_eq!(meter.command(&package, Message::Activate { at: 0 }), Outcome::Ignored);
        assert_eq!(meter.refusal(), Some(Refusal::Incomplete), "the key is not there");
        meter.number += 1;
        let message = key_message(meter.number, &wrapped);
        let mut forged = message.clone();
        forged[20] ^= 1;
        assert_eq!(meter.give(&forged, Addressed::Me), Outcome::Ignored);
        assert_eq!(meter.give(&message, Addressed::Me), Outcome::Taken);
        let (device, judgement) = meter.install(&package, &mut MeterKey::new(wrapping));
        if right {
            assert_eq!(judgement, Judgement::Trial);
            assert_eq!(device.runs(&package), Some(package.version));
        } else {
            assert_eq!(judgement, Judgement::Run);
            assert_eq!(device.runs(&package), Some(OLD));
        }
    }
    // A key that unwraps and is another image's: what comes out does not compare, and the old program comes back.
    let mut meter = Meter::new();
    meter.open(&package);
    meter.fill(&package);
    meter.verify(&package);
    meter.number += 1;
    let message = key_message(meter.number, &wrap(&WRAPPING, &[9; 16]).unwrap());
    assert_eq!(meter.give(&message, Addressed::Me), Outcome::Taken);
    let (mut device, judgement) = meter.install(&package, &mut MeterKey::new(WRAPPING));
    assert_eq!((judgement, device.record().reason), (Judgement::Run, Reason::Key));
    assert_eq!(device.runs(&package), Some(OLD));
}

#[test]
fn forged_or_replayed_initiate_neither_opens_nor_wipes() {
    let (package, other) = (genuine(), Package::new(program(5), &recipe(2, 2), &Maker::new(1)));
    let initiate = |package: &Package| octets(package, Message::Initiate(package.initiate));
    let mut meter = Meter::new();
    // To the meter without envelope, under a wrong key, to the group by one who has not its key.
    assert_eq!(meter.give(&initiate(&package), Addressed::Me), Outcome::Ignored);
    assert_eq!(meter.refusal(), Some(Refusal::Authentication));
    assert_eq!(meter.give(&initiate(&package), Addressed::Group(1)), Outcome::Ignored);
    let mut stranger = Keys { meter: Some([0x66; 16]), group: Some([0x66; 16]), ..keys() };
    let mut buffer = [0; 100];
    let forged = seal_command(&mut stranger, ADDRESS, 1, &initiate(&package), &mut buffer).unwrap().to_vec();
    assert_eq!(meter.give(&forged, Addressed::Me), Outcome::Ignored);
    let forged = seal_group(&mut stranger, &initiate(&package), &mut buffer).unwrap().to_vec();
    assert_eq!(meter.give(&forged, Addressed::Group(1)), Outcome::Ignored);
    assert_eq!(meter.app.receiver().session(), None);
    // Another meter's envelope.
    let address = upgrade_proto::package::Address([9; 6]);
    let theirs = seal_command(&mut keys(), address, 1, &initiate(&package), &mut buffer).unwrap().to_vec();
    assert_eq!(meter.give(&theirs, Addressed::Me), Outcome::Ignored);

    meter.open(&package);
    meter.fill(&package);
    let missing = meter.app.receiver().missing(Plane::Data);
    assert_eq!(missing, 0);
    // An insider of the group does not wipe what an accepted manifest brought.
    let insider = seal_group(&mut keys(), &initiate(&other), &mut buffer).unwrap().to_vec();
    assert_eq!(meter.give(&insider, Addressed::Group(1)), Outcome::Ignored);
    assert_eq!(meter.app.receiver().session(), Some(package.session));
    meter.verify(&package);
    assert_eq!(meter.give(&insider, Addressed::Group(1)), Outcome::Ignored);
    assert_eq!(meter.app.record().state, State::Verified);
    // A recorded initiate of another session, played again after it was replaced.
    meter.number += 1;
    let recorded = sealed(meter.number, &other, Message::Initiate(other.initiate));
    assert_eq!(meter.give(&recorded, Addressed::Me), Outcome::Taken);
    meter.command(&package, Message::Initiate(package.initiate));
    meter.reply();
    assert_eq!(meter.give(&recorded, Addressed::Me), Outcome::Ignored);
    assert_eq!(meter.refusal(), Some(Refusal::Stale));
    assert_eq!(meter.app.receiver().session(), Some(package.session));
    // Also after a reset.
    let mut meter = Meter::of(meter.device, OLD);
    assert_eq!(meter.give(&recorded, Addressed::Me), Outcome::Ignored);
}

#[test]
fn forged_activate_cancel_and_join_do_nothing() {
    let package = genuine();
    let mut meter = Meter::new();
    meter.open(&package);
    let recorded = sealed(50, &package, Message::Activate { at: 0 });
    assert_eq!(meter.give(&recorded, Addressed::Me), Outcome::Ignored, "not before the image is verified");
    meter.fill(&package);
    meter.verify(&package);
    let group = seal_group(&mut keys(), &octets(&package, Message::Activate { at: 0 }), &mut [0; 99])
        .unwrap()
        .to_vec();
    for (message, to) in [
        (octets(&package, Message::Activate { at: 0 }), Addressed::Me),
        (octets(&package, Message::Activate { at: 0 }), Addressed::Group(1)),
        (octets(&package, Message::Join { group: 6, member: 6 }), Addressed::Me),
        (group.clone(), Addressed::Group(1)),
        (group, Addressed::Me),
        // A command sealed for one meter, put on a group address.
        (sealed(60, &package, Message::Activate { at: 0 }), Addressed::Group(1)),
    ] {
        assert_eq!(meter.give(&message, to), Outcome::Ignored);
        assert_eq!(meter.app.record().state, State::Verified);
    }
    meter.reply();
    // Right key, another session's name or another image's digest.
    let wrong = Package::new(program(5), &recipe(1, 1), &Maker::new(1));
    assert_eq!(wrong.session.id, package.session.id);
    assert_eq!(meter.command(&wrong, Message::Activate { at: 0 }), Outcome::Ignored);
    assert_eq!(meter.refusal(), Some(Refusal::State));
    meter.number = 100;
    assert_eq!(
        meter.command(&package, Message::Activate { at: 5_000_000 }),
        Outcome::Activate { at: 5_000_000 }
    );
    assert_eq!(meter.app.record().state, State::Armed);
    assert_eq!(meter.give(&octets(&package, Message::Cancel), Addressed::Me), Outcome::Ignored);
    assert_eq!(meter.app.record().state, State::Armed);
    assert_eq!(meter.give(&recorded, Addressed::Me), Outcome::Ignored, "the number was passed");
}

#[test]
fn forged_and_replayed_status_is_told_from_the_meters() {
    let package = genuine();
    let mut meter = Meter::new();
    meter.open(&package);
    let ask =
        Message::StatusQuery(Ask { form: upgrade_proto::message::Form::Missing, limit: 60, ..Ask::COUNT });
    let first = meter.command(&package, ask);
    assert_eq!(first, Outcome::Taken);
    let (one, reply) = (meter.number, meter.reply().unwrap());
    let inner = open_reply(&mut keys(), ADDRESS, one, &reply).expect("the meter's own");
    assert!(matches!(Packet::parse(inner).unwrap().message, Message::Status(_)));
    // Any octet changed, another question's, another meter's, without envelope.
    for at in 0..reply.len() {
        let mut forged = reply.clone();
        forged[at] ^= 1;
        assert_eq!(open_reply(&mut keys(), ADDRESS, one, &forged), None, "{at}");
    }
    assert_eq!(open_reply(&mut keys(), ADDRESS, one + 1, &reply), None);
    assert_eq!(open_reply(&mut keys(), upgrade_proto::package::Address([3; 6]), one, &reply), None);
    assert_eq!(open_reply(&mut keys(), ADDRESS, one, inner), None);
    for cut in 0..reply.len() {
        assert_eq!(open_reply(&mut keys(), ADDRESS, one, &reply[..cut]), None);
    }
    // The meter takes no answers for commands.
    assert_eq!(meter.give(&reply, Addressed::Me), Outcome::Ignored);
    // An answer to a question in no envelope is in none.
    meter.plain(&package, Message::Query, Addressed::Me);
    assert_eq!(meter.reply().unwrap()[0], 0x02);
}

#[test]
fn wrong_maker_or_hardware_is_refused_though_signed() {
    for recipe in [Recipe { maker: *b"ELSE", ..recipe(1, 1) }, Recipe { hardware: 0xBAD, ..recipe(1, 1) }] {
        let package = Package::new(program(2), &recipe, &Maker::new(1));
        let mut meter = Meter::new();
        meter.open(&package);
        assert_eq!((meter.app.receiver().phase(), meter.app.record().state), (Phase::Failed, State::Idle));
        let outcome = meter.plain(&package, block(&package, Plane::Data, 0), Addressed::Group(1));
        assert!(!matches!(outcome, Outcome::Stored { .. }));
    }
}

#[test]
fn manifest_that_nobody_signed_is_refused_before_any_data() {
    let genuine = genuine();
    let stranger = Package::new(program(2), &recipe(1, 1), &Maker::new(9));
    let mut flipped = genuine.manifest.clone();
    let at = flipped.len() - 30;
    flipped[at] ^= 4;
    let mut meta = genuine.meta.clone();
    for (to, part) in meta.iter_mut().zip(flipped.chunks(128)) {
        to.copy_from_slice(part);
    }
    let flipped =
        Package::assemble(program(2), genuine.image.clone(), flipped, meta, genuine.geometry, &recipe(1, 1));
    for package in [stranger, flipped] {
        let mut meter = Meter::new();
        meter.command(&package, Message::Initiate(package.initiate));
        meter.reply();
        for index in 0..package.geometry.manifest_blocks() {
            meter.plain(&package, block(&package, Plane::Meta, index), Addressed::Group(1));
        }
        assert_eq!((meter.app.receiver().phase(), meter.app.record().state), (Phase::Failed, State::Idle));
        assert_eq!(meter.app.record().events.total(), 0, "who is not trusted does not fill the log");
        // A genuine session follows without ado, even from the group.
        let initiate = octets(&genuine, Message::Initiate(genuine.initiate));
        let group = seal_group(&mut keys(), &initiate, &mut [0; 99]).unwrap().to_vec();
        let fresh = Package {
            session: upgrade_proto::session::Session { id: 77, ..genuine.session },
            ..genuine.clone()
        };
        let _ = group;
        let initiate = octets(&fresh, Message::Initiate(fresh.initiate));
        let group = seal_group(&mut keys(), &initiate, &mut [0; 99]).unwrap().to_vec();
        assert_eq!(meter.give(&group, Addressed::Group(1)), Outcome::Taken);
        meter.meta(&fresh);
        meter.fill(&fresh);
        meter.verify(&fresh);
        assert_eq!(meter.app.record().state, State::Verified);
    }
}

#[test]
fn truncated_oversize_and_odd_manifests_are_refused() {
    let package = genuine();
    let root = Maker::new(1).public();
    let check = |octets: &[u8]| {
        check_manifest::<Sha256, _>(octets, Some(&mut Ed25519), &root, &Record::default()).map(|_| ())
    };
    let good = &package.manifest;
    assert_eq!(check(good), Ok(()));
    for cut in 0..good.len() {
        assert!(check(&good[..cut]).is_err(), "{cut}");
    }
    for at in 0..good.len() {
        for bit in [1, 0x80] {
            let mut wrong = good.clone();
            wrong[at] ^= bit;
            assert!(check(&wrong).is_err(), "{at}");
        }
    }
    let mut longer = good.clone();
    longer.push(0);
    assert_eq!(check(&longer), Err(Refusal::Manifest));
    // Signed as they are, and still not taken: too long, twice the same, lengths that lie, something behind the signature.
    let signed = |extensions: Vec<u8>| {
        let fixed = Manifest::parse(good).unwrap().0;
        let mut octets = vec![0; usize::from(MANIFEST_LEN) + extensions.len()];
        Manifest { extensions: &extensions, ..fixed }.encode(&mut octets).unwrap();
        if let Some(digest) = signed_digest::<Sha256>(&octets) {
            let at = octets.len() - 64;
            octets[at..].copy_from_slice(&Maker::new(1).sign(&digest));
        }
        octets
    };
    let signature = || [&[1u8, 0, 66, 1, 0][..], &[0; 64]].concat();
    let nonce = || [&[2u8, 0, 12][..], &[5; 12]].concat();
    assert_eq!(check(&signed(signature())), Ok(()));
    assert_eq!(check(&signed([vec![99, 0, 2, 1, 1], signature()].concat())), Ok(()), "unknown, signed");
    let huge = [vec![99, 1, 0], vec![0; 256], signature()].concat();
    assert!(usize::from(MANIFEST_LEN) + huge.len() > usize::from(MANIFEST_MAX));
    assert_eq!(check(&signed(huge)), Err(Refusal::Manifest));
    for odd in [
        vec![],
        vec![1, 0, 66],
        [signature(), vec![99, 0, 0]].concat(),
        [signature(), signature()].concat(),
        [nonce(), signature()].concat(),
        [nonce(), nonce(), signature()].concat(),
        [vec![2, 0, 11], vec![5; 11], signature()].concat(),
        [vec![4, 0, 3, 1, 1, 1], signature()].concat(),
        [vec![99, 0xFF, 0xFF], signature()].concat(),
        [vec![99, 0], signature()].concat(),
    ] {
        assert!(check(&signed(odd.clone())).is_err(), "{odd:?}");
    }
    // A session whose manifest is longer than a meter looks at.
    let mut meter = Meter::new();
    let mut oversize = package.clone();
    oversize.initiate.manifest = 0x7FFF;
    let outcome = meter.command(&oversize, Message::Initiate(oversize.initiate));
    assert_eq!(outcome, Outcome::Taken);
    assert_eq!(meter.refusal(), Some(Refusal::Memory));
}

#[test]
fn key_rolls_to_the_second_slot_once_confirmed_and_retires_the_first() {
    let (old_maker, new_maker) = (Maker::new(1), Maker::new(2));
    let roll = Recipe { roll: Some((RETIRE, new_maker.public())), ..recipe(1, 1) };
    let rolling = Package::new(program(2), &roll, &old_maker);
    let by_new = Package::new(program(5), &Recipe { slot: 1, ..recipe(2, 2) }, &new_maker);
    let by_old = Package::new(program(6), &recipe(3, 3), &old_maker);
    // Not before the image that brings it has run.
    let mut meter = Meter::new();
    meter.open(&by_new);
    assert_eq!(meter.app.receiver().phase(), Phase::Failed);
    let mut meter = meter.upgrade(&rolling);
    meter.open(&by_old);
    assert_eq!(meter.app.receiver().phase(), Phase::Failed, "the built-in key is retired");
    let meter = meter.upgrade(&by_new);
    assert_eq!(meter.app.record().floor, 2);
}

#[test]
fn roll_back_does_not_raise_the_counter_nor_take_the_key() {
    let roll = Recipe { roll: Some((RETIRE, Maker::new(2).public())), ..recipe(1, 7) };
    let package = Package::new(program(2), &roll, &Maker::new(1));
    let mut meter = Meter::new();
    meter.open(&package);
    meter.fill(&package);
    meter.verify(&package);
    let (device, _) = meter.install(&package, &mut NoCipher);
    let mut meter = Meter::of(device, package.version);
    meter.app.handle_self_test(false);
    assert_eq!(meter.work(), Step::Reset);
    let mut device = meter.device;
    assert_eq!(boot(&mut device, &mut NoCipher), Judgement::Run);
    let record = device.record();
    assert_eq!((record.floor, record.retired & 1, record.key), (0, 0, PublicKey::NONE));
    assert_eq!(record.events.iter().next().unwrap().kind, event::ROLLED_BACK);
}

/// Who rewrites external flash and record is believed without `boot-verify`, and not with it.
#[test]
#[cfg(feature = "boot-verify")]
fn swapped_flash_and_record_pass_the_record_and_not_boot_verify() {
    let package = genuine();
    let prepare = || {
        let mut meter = Meter::new();
        meter.open(&package);
        meter.fill(&package);
        meter.verify(&package);
        meter.command(&package, Message::Activate { at: 0 });
        assert_eq!(meter.work(), Step::Reset);
        meter.device
    };
    let evil = program(666);
    let swap = |device: &mut Device<Multi>| {
        let mut ext = device.kit.ext();
        ext.erase(0, 8192).unwrap();
        let mut padded = evil.clone();
        padded.resize(8152, 0xFF);
        ext.write(0, &padded).unwrap();
        let mut record = device.record();
        record.upload.sha256 = Sha256::of(&evil);
        record.sent = record.upload.sha256;
        let mut records = device.kit.records();
        Records::load(&mut records, &mut ext).unwrap();
        records.store(&mut ext, &record).unwrap();
    };
    let mut device = prepare();
    swap(&mut device);
    assert_eq!(boot(&mut device, &mut NoCipher), Judgement::Trial);
    assert_eq!(device.kit.dump_app(evil.len()), evil, "the attack that remains without boot-verify");

    for swapped in [true, false] {
        let mut device = prepare();
        if swapped {
            swap(&mut device);
        }
        let (mut ext, mut app, mut records) = (device.kit.ext(), device.kit.app(), device.kit.records());
        let mut boot = Boot::new(&mut ext, &mut app, &mut records, device.places(), device.limits);
        assert_eq!(boot.upgrade_judge(ResetCause::Software), Ok(Judgement::Upgrade));
        let judgement = boot.check_manifest::<Sha256, _>(&mut Ed25519, &Maker::new(1).public()).unwrap();
        assert_eq!(judgement, if swapped { Judgement::Restore } else { Judgement::Upgrade });
        boot.upgrade::<Sha256>(&mut NoCipher, &mut || {}).unwrap();
        let runs = device.runs(&package);
        assert_eq!(runs, Some(if swapped { OLD } else { package.version }));
    }
}

/// The same manifest under each library that checks Ed25519, and under P-256.
#[test]
fn every_signature_library_takes_the_genuine_and_nothing_else() {
    fn all(verify: &mut impl Verify, key: &PublicKey, signature: [u8; 64]) {
        let digest = [0x5A; 32];
        assert!(verify.verify(key, &digest, &signature));
        for at in 0..64 {
            let mut wrong = signature;
            wrong[at] ^= 0x10;
            assert!(!verify.verify(key, &digest, &wrong), "{at}");
        }
        assert!(!verify.verify(key, &[0x5B; 32], &signature));
        assert!(!verify.verify(&PublicKey::NONE, &digest, &signature));
        assert!(!verify.verify(&PublicKey { algorithm: 3, ..*key }, &digest, &signature));
        assert!(!verify.verify(&PublicKey { octets: [0xFF; 33], ..*key }, &digest, &signature));
    }
    let maker = Maker::new(4);
    all(&mut Ed25519, &maker.public(), maker.sign(&[0x5A; 32]));
    #[cfg(feature = "salty")]
    all(&mut upgrade_proto::security::Salty, &maker.public(), maker.sign(&[0x5A; 32]));
    #[cfg(feature = "p256")]
    {
        use p256::ecdsa::signature::hazmat::PrehashSigner as _;
        let key = p256::ecdsa::SigningKey::from_slice(&[5; 32]).unwrap();
        let signature: p256::ecdsa::Signature = key.sign_prehash(&[0x5A; 32]).unwrap();
        let point = key.verifying_key().to_sec1_point(true);
        let public = PublicKey::p256(point.as_bytes().try_into().unwrap());
        all(&mut upgrade_proto::security::P256, &public, signature.to_bytes().into());
        // Either kind, by the key's algorithm.
        let mut both = (Ed25519, upgrade_proto::security::P256);
        assert!(both.verify(&public, &[0x5A; 32], &signature.to_bytes().into()));
        assert!(both.verify(&maker.public(), &[0x5A; 32], &maker.sign(&[0x5A; 32])));
    }
}

/// Rows that cannot be checked one by one: outsiders need the group's key; an insider's forged row costs the generation it is in.
#[test]
#[cfg(feature = "coded")]
fn forged_coded_row_costs_at_most_its_generation() {
    use upgrade_proto::bitmap::FlashMap;
    use upgrade_proto::coding::RowBlocks;
    use upgrade_proto::flash::Span;
    use upgrade_proto::install::{EepromRecords, Upgrader};
    use upgrade_proto::message::{Identity, Row};
    use upgrade_proto::receiver::{Config, Layout, Receiver};

    let package = genuine();
    let device = Device::<Multi>::new(&Rng::new(1).octets(7000));
    let places = device.places();
    let chip = memory::Nor::<4, 1024, true>::new(&device.line, 0x1_0000);
    let layout =
        Layout { image: places.upload, meta: places.meta, scratch: Span { start: 0x8000, len: 0x8000 } };
    let identity = Identity { version: OLD, ..device.identity };
    let config = Config { identity, address: ADDRESS, layout, untagged: false };
    let map = FlashMap::new(Span { start: 0x7000, len: 0x1000 });
    let receiver: Receiver<_, _, Sha256, _, 512> = Receiver::new(chip, map, [0u8; 2048], config);
    let records = EepromRecords::new(device.kit.rom.clone(), 0);
    let mut app = Upgrader::new(receiver, records, keys(), places, device.policy);
    app.resume().unwrap();
    let mut flash = device.kit.app();
    let mut now = 0;
    let mut give = |app: &mut Upgrader<_, _, _, _, _, _, 512>, octets: &[u8], to: Addressed| {
        now += 1000;
        let outcome = app.handle_message(octets, to, now).unwrap();
        for _ in 0..10_000 {
            now += 1000;
            if app.work(&mut flash, now, Some(1000)) != Ok(Step::More) {
                break;
            }
        }
        outcome
    };
    let count = package.geometry.count(Plane::Data);
    assert_eq!(
        give(&mut app, &sealed(1, &package, Message::Initiate(package.initiate)), Addressed::Me),
        Outcome::Taken
    );
    for index in 0..package.geometry.count(Plane::Meta) {
        give(&mut app, &octets(&package, block(&package, Plane::Meta, index)), Addressed::Group(1));
    }
    // Two generations, 6 blocks of each missing.
    let missing = |index: u16| index % 10 < 2;
    for index in (0..count).filter(|&index| !missing(index) || index >= 60) {
        give(&mut app, &octets(&package, block(&package, Plane::Data, index)), Addressed::Group(1));
    }
    let lacked = app.receiver().missing(Plane::Data);
    assert_eq!(lacked, 12);
    let row_of = |generation: u8, seed: u16| {
        let row = Row { generation, generations: 2, seed, density: 128 };
        let mut data = vec![0; 128];
        for index in RowBlocks::new(count, &row) {
            data.iter_mut().zip(package.block(Plane::Data, index)).for_each(|(a, b)| *a ^= b);
        }
        (row, data)
    };
    let (row, mut data) = row_of(0, 1);
    data[5] ^= 1;
    let forged = octets(&package, Message::Coded { plane: Plane::Data, row, data: &data });
    // Without the group's key: not looked at.
    assert_eq!(give(&mut app, &forged, Addressed::Group(1)), Outcome::Ignored);
    let tags = octets(&package, Message::Coded { plane: Plane::Meta, row, data: &data });
    assert_eq!(give(&mut app, &tags, Addressed::Group(1)), Outcome::Ignored);
    let mut buffer = [0; 200];
    let mut stranger = Keys { group: Some([0x66; 16]), ..keys() };
    let outside = seal_group(&mut stranger, &forged, &mut buffer).unwrap().to_vec();
    assert_eq!(give(&mut app, &outside, Addressed::Group(1)), Outcome::Ignored);
    // With it.
    let inside = seal_group(&mut keys(), &forged, &mut buffer).unwrap().to_vec();
    assert_eq!(give(&mut app, &inside, Addressed::Group(1)), Outcome::Row);
    let mut rows = [0u16; 2];
    for generation in [0, 1] {
        for seed in 2..40 {
            let (row, data) = row_of(generation, seed);
            let message = octets(&package, Message::Coded { plane: Plane::Data, row, data: &data });
            let message = seal_group(&mut keys(), &message, &mut buffer).unwrap().to_vec();
            let before = app.receiver().missing(Plane::Data);
            if matches!(give(&mut app, &message, Addressed::Group(1)), Outcome::Row) {
                rows[usize::from(generation)] += 1;
            }
            if app.receiver().missing(Plane::Data) < before || rows[usize::from(generation)] >= 6 {
                break;
            }
        }
    }
    let left = app.receiver().missing(Plane::Data);
    println!(
        "one forged row by an insider: {} rows of its generation for nothing, {left} blocks sent again as XOR",
        rows[0] + 1
    );
    assert!(rows[0] <= 6 && left <= 6, "no more than the generation");
    // XOR goes on as if there had been no rows.
    for index in (0..count).filter(|&index| missing(index) && index < 60) {
        let mut indices = Indices::new();
        indices.insert(index);
        indices.insert(63);
        let mut sum = package.block(Plane::Data, index).to_vec();
        sum.iter_mut().zip(package.block(Plane::Data, 63)).for_each(|(a, b)| *a ^= b);
        let xor = octets(&package, Message::Xor { plane: Plane::Data, indices, data: &sum });
        let outcome = give(&mut app, &xor, Addressed::Group(1));
        assert_eq!(matches!(outcome, Outcome::Stored { .. }), index % 2 == 0, "{index} {outcome:?}");
    }
    assert_eq!(app.receiver().missing(Plane::Data), 0);
}
