//! Whole transfers over a bad channel, with supplies that fail.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::float_arithmetic,
    clippy::panic,
    clippy::expect_used,
    reason = "test code"
)]

mod common;

use common::*;
use proptest::prelude::*;
use upgrade_proto::bitmap::{EepromMap, FlashMap};
use upgrade_proto::message::{Initiate, Message, Packet, Phase};
use upgrade_proto::receiver::{Addressed, Receiver};
use upgrade_proto::sender::{Reason, Sender, State, Strategy as Repair};
use upgrade_proto::session::{Plane, Session};

const CLEAN: Trouble = Trouble { loss: 0.0, duplicate: 0.0, reorder: 0.0, corrupt: 0.0 };

fn run(image: &Image, meters: usize, strategy: Repair, trouble: Trouble, seed: u64) -> (usize, u64) {
    let mut tables = Tables::new(meters, &image.geometry);
    let settings = upgrade_proto::sender::Settings { strategy, ..settings() };
    let mut sender = Sender::new(settings, &image.job(7), image, tables.memory()).unwrap();
    for at in 0..meters {
        sender.add_meter(config(at as u8).address).unwrap();
    }
    let mut world = World::new(image, flash_nodes(meters), trouble, seed);
    for _ in 0..2_000_000 {
        if !world.turn(&mut sender) {
            let done = world.check(&sender);
            if done < meters {
                eprintln!("{:?}", sender.meters().iter().map(|m| m.state).collect::<Vec<_>>());
            }
            return (done, world.frames);
        }
    }
    panic!("never ends: {:?}", sender.meters());
}

#[test]
fn clean_channel_takes_each_block_once() {
    for strategy in [Repair::Auto, Repair::Union, Repair::Xor, Repair::Paper] {
        let image =
            Image::new(octets(10_000, 1), 256, strategy != Repair::Paper, strategy != Repair::Paper, &[]);
        let (done, frames) = run(&image, 5, strategy, CLEAN, 1);
        assert_eq!(done, 5, "{strategy:?}");
        let blocks = u64::from(image.geometry.units());
        assert!(frames > blocks && frames < blocks + 60, "{strategy:?}: {frames} for {blocks}");
    }
}

#[test]
fn one_meter_on_an_optical_port() {
    let image = Image::new(octets(5_000, 2), 128, true, true, &[]);
    let (done, _) = run(&image, 1, Repair::Auto, Trouble { loss: 0.1, ..CLEAN }, 3);
    assert_eq!(done, 1);
}

#[test]
fn sizes_at_the_edges_of_a_block() {
    for len in [1usize, 15, 16, 127, 128, 129, 256, 1280, 1281] {
        for tagged in [false, true] {
            let image = Image::new(octets(len, 5), 128, tagged, tagged, &[]);
            assert_eq!(
                run(&image, 3, Repair::Auto, Trouble { loss: 0.2, ..CLEAN }, len as u64).0,
                3,
                "{len} {tagged}"
            );
        }
    }
}

#[test]
fn manifest_of_several_blocks() {
    static EXTENSION: [u8; 300] = [7; 300];
    let image = Image::new(octets(3_000, 5), 64, true, true, &EXTENSION);
    assert_eq!(image.geometry.manifest_blocks(), 7);
    assert_eq!(run(&image, 3, Repair::Auto, Trouble { loss: 0.2, corrupt: 0.05, ..CLEAN }, 9).0, 3);
}

fn cuts(image: &Image, meters: usize, strategy: Repair, trouble: Trouble, seed: u64, every: u64) {
    let settings = upgrade_proto::sender::Settings { strategy, ..settings() };
    let mut tables = Tables::new(meters, &image.geometry);
    let mut sender = Sender::new(settings, &image.job(7), image, tables.memory()).unwrap();
    for at in 0..meters {
        sender.add_meter(config(at as u8).address).unwrap();
    }
    let mut world = World::new(image, flash_nodes(meters), trouble, seed);
    let mut rng = Chance::new(seed ^ 0xABCD);
    for node in world.nodes.iter_mut().flatten() {
        arm(node.flash_mut(), every, &mut rng);
    }
    let mut reboots = 0;
    for _ in 0..2_000_000 {
        let going = world.turn(&mut sender);
        for at in 0..meters {
            if world.nodes[at].as_mut().unwrap().flash_mut().dead {
                reboots += 1;
                world.reboot(at, 30, |mut flash, map| {
                    flash.dead = false;
                    if reboots < 30 {
                        arm(&mut flash, every, &mut rng);
                    }
                    (flash, map)
                });
            }
        }
        if !going {
            let done = world.check(&sender);
            assert_eq!(done, meters, "{:?}", sender.meters());
            assert!(world.frames < 10_000, "{} frames for {} blocks", world.frames, image.geometry.units());
            return;
        }
    }
    panic!("never ends: {:?}", sender.meters());
}

#[test]
fn meters_cut_again_and_again_still_complete() {
    let image = Image::new(octets(6_000, 2), 128, true, true, &[]);
    for seed in 0..30 {
        cuts(&image, 3, Repair::Auto, Trouble { loss: 0.05, ..CLEAN }, seed, 40);
    }
}

#[test]
fn concentrator_cut_resumes_without_starting_again() {
    let image = Image::new(octets(12_000, 2), 128, true, true, &[]);
    let meters = 4;
    let mut world = World::new(&image, flash_nodes(meters), Trouble { loss: 0.05, ..CLEAN }, 5);
    let mut most = vec![u16::MAX; meters];
    for life in 0..40 {
        let mut tables = Tables::new(meters, &image.geometry);
        let mut sender = Sender::new(settings(), &image.job(7), &image, tables.memory()).unwrap();
        for at in 0..meters {
            sender.add_meter(config(at as u8).address).unwrap();
        }
        let lives = if life == 39 { 1_000_000 } else { 60 };
        for _ in 0..lives {
            if !world.turn(&mut sender) {
                assert_eq!(world.check(&sender), meters);
                assert!(life > 2, "the cuts came too late to test anything");
                return;
            }
            for (at, most) in most.iter_mut().enumerate() {
                let node = world.nodes[at].as_ref().unwrap();
                if node.session().is_some() {
                    let missing = node.missing(Plane::Data);
                    assert!(missing <= *most, "progress was lost");
                    *most = missing;
                }
            }
        }
    }
    panic!("never completes");
}

#[test]
fn a_dead_meter_is_given_up_and_the_others_finish() {
    let image = Image::new(octets(4_000, 2), 128, true, true, &[]);
    let mut tables = Tables::new(3, &image.geometry);
    let mut sender = Sender::new(settings(), &image.job(7), &image, tables.memory()).unwrap();
    for at in 0..3 {
        sender.add_meter(config(at).address).unwrap();
    }
    let mut world = World::new(&image, flash_nodes(3), CLEAN, 5);
    let mut turns = 0;
    while world.turn(&mut sender) {
        turns += 1;
        if world.frames > 20 {
            world.down[1] = u64::MAX;
        }
        assert!(turns < 1_000_000);
    }
    assert_eq!(sender.meters()[1].state, State::GivenUp(Reason::Silent));
    assert_eq!(world.check(&sender), 2);
}

#[test]
fn a_meter_that_joins_late_gets_tags_and_image() {
    let image = Image::new(octets(4_000, 2), 128, true, true, &[]);
    let mut tables = Tables::new(3, &image.geometry);
    let mut sender = Sender::new(settings(), &image.job(7), &image, tables.memory()).unwrap();
    for at in 0..2 {
        sender.add_meter(config(at).address).unwrap();
    }
    let mut world = World::new(&image, flash_nodes(3), CLEAN, 5);
    let mut late = false;
    while world.turn(&mut sender) {
        if world.frames == 30 && !late {
            late = true;
            sender.add_meter(config(2).address).unwrap();
        }
    }
    assert!(late);
    assert_eq!(world.check(&sender), 3);
}

/// Who comes in the middle of the first pass is taken in there: it gets the tags, then the rest of the pass as the others do, and only what was
/// sent before it came again.
#[test]
fn a_meter_that_joins_in_the_middle_of_a_pass_hears_the_rest_of_it() {
    for tagged in [true, false] {
        let image = Image::new(octets(6_400, 2), 64, tagged, tagged, &[]);
        let mut tables = Tables::new(3, &image.geometry);
        let mut sender = Sender::new(settings(), &image.job(7), &image, tables.memory()).unwrap();
        for at in 0..2 {
            sender.add_meter(config(at).address).unwrap();
        }
        let mut world = World::new(&image, flash_nodes(3), CLEAN, 5);
        world.down[2] = u64::MAX;
        let meta = image.geometry.count(Plane::Meta);
        let mut before = None;
        while world.turn(&mut sender) {
            let sent = u16::try_from(sender.progress().frames).unwrap();
            if before.is_none() && sent > meta + 40 {
                before = Some(sent);
                world.down[2] = 0;
                sender.add_meter(config(2).address).unwrap();
            }
        }
        assert_eq!(world.check(&sender), 3);
        // Tags once more, and the forty blocks; some frames go by while it makes room.
        let frames = u16::try_from(sender.progress().frames).unwrap();
        let (least, all) = (meta + 100 + meta + 40, meta + 100 + meta + 100);
        assert!(frames >= least && frames < least + 20, "{frames}, {least} to {all}");
    }
}

/// Write-once flash with the map in an EEPROM: nothing is ever programmed twice, and a cut costs the blocks of one sector.
fn once(seed: u64, every: u64) -> u32 {
    type Once = SimFlash<8, 1024, false>;
    let image = Image::new(octets(6_000, 2), 128, true, true, &[]);
    let meters = 2;
    let nodes = (0..meters)
        .map(|_| {
            let eeprom = SimEeprom::new(1024, 32);
            (Once::new(FLASH_LEN), EepromMap::<_, 16>::new(eeprom, 0, 96, 3, 8))
        })
        .collect();
    let mut tables = Tables::new(meters, &image.geometry);
    let mut sender = Sender::new(settings(), &image.job(7), &image, tables.memory()).unwrap();
    for at in 0..meters {
        sender.add_meter(config(at as u8).address).unwrap();
    }
    let mut world = World::new(&image, nodes, Trouble { loss: 0.05, ..CLEAN }, seed);
    let mut rng = Chance::new(seed);
    let mut reboots = 0;
    for node in world.nodes.iter_mut().flatten() {
        node.flash_mut().cut = Some((rng.below(every), Tear::Bits(rng.next())));
    }
    for _ in 0..2_000_000 {
        let going = world.turn(&mut sender);
        for at in 0..meters {
            if world.nodes[at].as_mut().unwrap().flash_mut().dead {
                reboots += 1;
                world.reboot(at, 30, |mut flash, map| {
                    flash.dead = false;
                    // RAM is gone: the map is what the EEPROM holds.
                    let map = EepromMap::new(map.into_inner(), 0, 96, 3, 8);
                    if reboots < 20 {
                        flash.cut = Some((rng.below(every), Tear::Bits(rng.next())));
                    }
                    (flash, map)
                });
            }
        }
        if !going {
            assert_eq!(world.check(&sender), meters);
            let (_, map) = world.nodes[0].take().unwrap().into_parts();
            return map.into_inner().writes.into_iter().max().unwrap();
        }
    }
    panic!("never ends: {:?}", sender.meters());
}

#[test]
fn write_once_flash_with_the_map_in_an_eeprom() {
    for seed in 1..20 {
        once(seed, 40);
    }
    // No cut: 49 + 2 blocks, a write for every 8, session, erased, verified: about 10 writes over 3 places.
    let writes = once(3, 1 << 40);
    assert!(writes <= 5, "{writes}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Loss, duplication, reordering, corruption: complete and identical on every meter.
    #[test]
    fn any_channel_ends_complete(
        meters in 1usize..6, len in 1usize..9000, block in prop::sample::select(vec![64u16, 128, 512]),
        loss in 0.0f64..0.35, duplicate in 0.0f64..0.3, reorder in 0.0f64..0.3, corrupt in 0.0f64..0.2,
        strategy in prop::sample::select(vec![Repair::Auto, Repair::Union, Repair::Xor, Repair::Coded]), seed: u64,
    ) {
        let image = Image::new(octets(len, seed), block, true, true, &[]);
        let (done, _) = run(&image, meters, strategy, Trouble { loss, duplicate, reorder, corrupt }, seed);
        prop_assert_eq!(done, meters);
    }

    /// The same with supplies that fail inside flash operations.
    #[test]
    fn any_channel_and_any_cut_ends_complete(
        meters in 1usize..4, len in 1usize..6000, loss in 0.0f64..0.2, duplicate in 0.0f64..0.2, reorder in 0.0f64..0.2,
        every in 3u64..200, seed: u64,
    ) {
        let image = Image::new(octets(len, seed), 128, true, true, &[]);
        cuts(&image, meters, Repair::Auto, Trouble { loss, duplicate, reorder, corrupt: 0.0 }, seed, every);
    }

    /// Everything at once: meters that come late, meters and concentrator that are cut, a bad channel, any repair.
    #[test]
    fn any_story_ends_complete(
        meters in 2usize..7, late in 0usize..4, late_at in 0u64..400, len in 1usize..7000,
        loss in 0.0f64..0.3, duplicate in 0.0f64..0.2, reorder in 0.0f64..0.2, corrupt in 0.0f64..0.1,
        strategy in prop::sample::select(vec![Repair::Auto, Repair::Coded, Repair::Xor]),
        cut_every in prop::sample::select(vec![0u64, 20, 200]), restarts in 0u32..4, seed: u64,
    ) {
        let trouble = Trouble { loss, duplicate, reorder, corrupt };
        let story = Story { meters, late, late_at, len, block: 64, strategy, trouble, cut_every, cuts: 20, restarts };
        prop_assert_eq!(story.tell(Chance::new(seed)), meters);
    }

    /// However bad it gets, the sender ends, and what it calls done is right.
    #[test]
    fn a_hopeless_channel_ends_too(meters in 1usize..4, loss in 0.5f64..1.0, seed: u64) {
        let image = Image::new(octets(2000, seed), 128, true, true, &[]);
        run(&image, meters, Repair::Auto, Trouble { loss, duplicate: 0.0, reorder: 0.0, corrupt: 0.0 }, seed);
    }
}

/// Pointers and `u64` are no smaller on a 32-bit meter, so this bounds it there too.
#[test]
fn state_of_a_meter_fits_a_kilobyte() {
    let rest = size_of::<Flash>() + 1024 + size_of::<sha2::Sha256>();
    let state = size_of::<Node<Flash, FlashMap>>() - rest;
    assert!(state <= 1024, "{state} octets, block buffer of 512 included, without hash state");
    eprintln!(
        "receiver state: {state} octets with a block buffer of 512, without flash driver, hash state and coded RAM"
    );
}

/// A cut may come between a manifest's last block and the judgement of it.
#[test]
fn an_image_for_others_is_refused_wherever_the_supply_fails() {
    let image = Image::new(octets(3000, 5), 128, true, true, &[]);
    let session = Session { id: 9, image: u32::from_be_bytes(*image.digest.first_chunk().unwrap()) };
    let say = |message: Message<'_>| {
        let mut buffer = [0; 600];
        Packet { session, message }.encode(&mut buffer).unwrap().to_vec()
    };
    let initiate = Initiate {
        size: image.geometry.size(),
        block: image.geometry.block(),
        manifest: image.geometry.manifest(),
        tagged: true,
        crc: image.manifest.crc,
        digest: image.digest,
    };
    let block = |index| {
        let data = image.block(Plane::Meta, index);
        say(Message::Block { plane: Plane::Meta, index, acknowledge: false, data })
    };
    let mut cuts = 0;
    for at in 0.. {
        let mut other = config(0);
        other.identity.maker = *b"ELSE";
        let mut node: Node<Flash, FlashMap> =
            Receiver::new(Flash::new(FLASH_LEN), FlashMap::new(map_span()), [0; 1024], other);
        node.handle_message(&say(Message::Initiate(initiate)), Addressed::Me, 0).unwrap();
        while node.phase() == Phase::Erasing {
            node.work(0).unwrap();
        }
        node.flash_mut().cut = Some((at, Tear::Nothing));
        let done = node.handle_message(&block(0), Addressed::Me, 0).is_ok();
        let (mut flash, map) = node.into_parts();
        (flash.dead, flash.cut) = (false, None);
        let mut node: Node<Flash, FlashMap> = Receiver::new(flash, map, [0; 1024], other);
        node.resume().unwrap();
        if node.phase() != Phase::Failed {
            node.handle_message(&block(0), Addressed::Me, 0).unwrap();
        }
        assert_eq!(node.phase(), Phase::Failed, "cut at {at}");
        if done {
            break;
        }
        cuts += 1;
    }
    assert!(cuts > 2, "{cuts}");
}
