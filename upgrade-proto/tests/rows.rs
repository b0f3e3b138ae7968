//! Manifest and tags as coded rows, which are kept before anything can be checked: lost, late, forged, and with a reset in between.
#![cfg(feature = "coded")]
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
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::coding::RowBlocks;
use upgrade_proto::message::{Ask, Form, Initiate, Message, Packet, Phase, Quiet, Report, Row};
use upgrade_proto::receiver::{Addressed, Outcome, Receiver, Work};
use upgrade_proto::sender::{Sender, Settings, Strategy as Repair};
use upgrade_proto::session::{Plane, Session};

/// One meter and what is said to it.
struct Bench<'i> {
    image: &'i Image,
    session: Session,
    node: Option<Node<Flash, FlashMap>>,
    now: u64,
}

impl<'i> Bench<'i> {
    fn new(image: &'i Image) -> Self {
        let (flash, map) = flash_nodes(1).remove(0);
        let session = Session { id: 9, image: u32::from_be_bytes(*image.digest.first_chunk().unwrap()) };
        let node = Receiver::new(flash, map, [0; 1024], config(0));
        let mut bench = Bench { image, session, node: Some(node), now: 0 };
        let initiate = Initiate {
            size: image.geometry.size(),
            block: image.geometry.block(),
            manifest: image.geometry.manifest(),
            tagged: true,
            crc: image.manifest.crc,
            digest: image.digest,
        };
        bench.say(Message::Initiate(initiate));
        bench.work();
        bench
    }

    fn node(&mut self) -> &mut Node<Flash, FlashMap> {
        self.node.as_mut().unwrap()
    }

    fn say(&mut self, message: Message<'_>) -> Outcome {
        let mut buffer = [0; 700];
        let octets = Packet { session: self.session, message }.encode(&mut buffer).unwrap().to_vec();
        self.now += 10;
        let now = self.now;
        self.node().handle_message(&octets, Addressed::Me, now).unwrap()
    }

    /// All there is to do, as if no frame came for a while.
    fn work(&mut self) {
        self.now += 2000;
        for _ in 0..10_000 {
            let now = self.now;
            if self.node().work(now).unwrap() != Work::More {
                return;
            }
        }
        panic!("works for ever");
    }

    fn row(&mut self, plane: Plane, seed: u16, flip: Option<usize>) -> Outcome {
        let row = Row { generation: 0, generations: 1, seed, density: 128 };
        let mut data = vec![0; self.image.geometry.block().into()];
        for index in RowBlocks::new(self.image.geometry.count(plane), &row) {
            data.iter_mut().zip(self.image.block(plane, index)).for_each(|(sum, octet)| *sum ^= octet);
        }
        if let Some(at) = flip {
            let len = data.len();
            data[at % len] ^= 0x10;
        }
        self.say(Message::Coded { plane, row, data: &data })
    }

    fn rows(&mut self, seeds: core::ops::Range<u16>) {
        for seed in seeds {
            self.row(Plane::Meta, seed, None);
        }
    }

    fn block(&mut self, plane: Plane, index: u16) -> Outcome {
        let data = self.image.block(plane, index);
        self.say(Message::Block { plane, index, acknowledge: false, data })
    }

    /// What the meter says it lacks: of which plane, and the rows of its only generation.
    fn deficit(&mut self) -> (Plane, Option<u16>) {
        let ask = Ask { form: Form::Deficits, quiet: Quiet::Nobody, from: 1, limit: 64 };
        self.say(Message::StatusQuery(ask));
        let mut buffer = [0; 200];
        let now = self.now;
        let reply = self.node().poll_transmit(&mut buffer, now).unwrap().unwrap().to_vec();
        let Message::Status(status) = Packet::parse(&reply).unwrap().message else { panic!("{reply:?}") };
        let Report::Deficits(words) = status.report else { return (status.plane, None) };
        (status.plane, words.first_chunk().map(|word| u16::from_be_bytes(*word)))
    }

    fn reset(&mut self) {
        let (mut flash, mut map) = self.node.take().unwrap().into_parts();
        assert_eq!(map_leads(&mut flash, &mut map, self.image), None, "the map leads the data");
        self.node = Some(Receiver::new(flash, map, [0; 1024], config(0)));
        self.node().resume().unwrap();
    }

    fn missing(&mut self, plane: Plane) -> u16 {
        self.node().missing(plane)
    }

    /// Data by rows, then the check of the whole image.
    fn finish(&mut self) {
        for seed in 0..self.image.geometry.count(Plane::Data) + 30 {
            self.row(Plane::Data, seed, None);
        }
        self.work();
        assert_eq!(self.node().phase(), Phase::Complete);
        self.say(Message::Verify);
        self.work();
        assert_eq!(self.node().phase(), Phase::Verified);
    }
}

/// A manifest of one block, and one of several, which is checked only as a whole.
fn images() -> [Image; 2] {
    static EXTENSION: [u8; 120] = [7; 120];
    let one = Image::new(octets(6000, 5), 128, true, true, &[]);
    let several = Image::new(octets(3000, 5), 64, true, true, &EXTENSION);
    assert_eq!((one.geometry.manifest_blocks(), several.geometry.manifest_blocks() > 2), (1, true));
    [one, several]
}

#[test]
fn rows_alone_bring_manifest_and_tags_and_late_ones_change_nothing() {
    for image in &images() {
        let mut bench = Bench::new(image);
        let count = image.geometry.count(Plane::Meta);
        assert_eq!(bench.deficit(), (Plane::Meta, Some(count)));
        let mut kept = 0;
        // Every third is lost.
        for seed in (0..200).filter(|seed| seed % 3 > 0) {
            assert_eq!(bench.row(Plane::Data, seed, None), Outcome::Unusable, "data before their tags");
            if bench.row(Plane::Meta, seed, None) == Outcome::Row {
                kept += 1;
                assert_eq!(bench.missing(Plane::Meta), count, "solved before there were enough");
                assert_eq!(bench.deficit(), (Plane::Meta, Some(count - kept)));
            }
        }
        assert_eq!(kept, count);
        bench.work();
        assert_eq!(bench.missing(Plane::Meta), 0);
        assert_eq!(bench.row(Plane::Meta, 1, None), Outcome::Unusable, "late");
        assert_eq!(bench.deficit().0, Plane::Data);
        bench.finish();
    }
}

#[test]
fn a_reset_in_the_middle_loses_no_row() {
    for image in &images() {
        let count = image.geometry.count(Plane::Meta);
        for cut in 1..count {
            let mut bench = Bench::new(image);
            let mut kept = 0;
            let mut seed = 0;
            while kept < count {
                kept += u16::from(bench.row(Plane::Meta, seed, None) == Outcome::Row);
                seed += 1;
                if kept == cut {
                    bench.reset();
                    assert_eq!(bench.deficit(), (Plane::Meta, Some(count - cut)));
                }
            }
            bench.reset();
            bench.row(Plane::Meta, 0, None);
            bench.work();
            assert_eq!(bench.missing(Plane::Meta), 0, "cut after {cut}");
        }
        let mut bench = Bench::new(image);
        bench.rows(0..count + 20);
        bench.work();
        bench.reset();
        bench.finish();
    }
}

/// Blocks that come by themselves while rows are kept count as solved.
#[test]
fn rows_and_blocks_together() {
    for image in &images() {
        let count = image.geometry.count(Plane::Meta);
        let mut bench = Bench::new(image);
        bench.rows(0..count / 2);
        let (_, before) = bench.deficit();
        for index in 0..image.geometry.head_blocks() {
            assert!(matches!(bench.block(Plane::Meta, index), Outcome::Stored { .. }), "{index}");
        }
        assert!(bench.deficit().1 <= before);
        bench.rows(100..100 + count + 20);
        bench.work();
        assert_eq!(bench.missing(Plane::Meta), 0);
        bench.finish();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// A forged row costs at most the rows of this plane: nothing wrong is ever taken for there, the meter says that it cannot solve them, and
    /// blocks bring it what the rows should have; rows of the data are not concerned.
    #[test]
    fn a_forged_row_voids_the_rows_and_not_the_session(
        several: bool, forged_at in 0u16..20, flip in 0usize..128, blocks in 0u16..3, reset: bool,
    ) {
        let image = &images()[usize::from(several)];
        let count = image.geometry.count(Plane::Meta);
        let mut bench = Bench::new(image);
        for index in 0..blocks.min(image.geometry.manifest_blocks()) {
            bench.block(Plane::Meta, index);
        }
        let forged_at = forged_at % (count - blocks);
        for seed in 0..count + 30 {
            bench.row(Plane::Meta, seed, (seed == forged_at).then_some(flip));
        }
        bench.work();
        if reset {
            bench.reset();
            bench.work();
        }
        // Padding of a short block may be what was hit: then nothing came of it.
        if bench.missing(Plane::Meta) > 0 {
            if !reset {
                let (plane, deficit) = bench.deficit();
                prop_assert_eq!((plane, deficit), (Plane::Meta, Some(u16::MAX)));
            }
            // The blocks of a manifest cannot be told apart: taking one may cost those beside it in its sector, which were forged or not.
            for _ in 0..2 {
                for index in 0..count {
                    bench.block(Plane::Meta, index);
                }
            }
        }
        prop_assert_eq!(bench.missing(Plane::Meta), 0);
        bench.reset();
        bench.finish();
    }
}

/// A sender on a channel that loses much sends manifest and tags as rows; on a good one, and to few meters, as blocks.
#[test]
fn rows_are_sent_where_much_is_lost() {
    let image = Image::new(octets(20_000, 3), 64, true, true, &[]);
    for (meters, loss) in [(8, 0.3), (8, 0.0), (2, 0.3)] {
        let mut tables = Tables::new(meters, &image.geometry);
        let settings = Settings { strategy: Repair::Auto, ..settings() };
        let mut sender = Sender::new(settings, &image.job(7), &image, tables.memory()).unwrap();
        for at in 0..meters {
            sender.add_meter(config(at as u8).address).unwrap();
        }
        let trouble = Trouble { loss, duplicate: 0.0, reorder: 0.0, corrupt: 0.0 };
        let mut world = World::new(&image, flash_nodes(meters), trouble, 7);
        while world.turn(&mut sender) {}
        assert_eq!(world.check(&sender), meters);
        let rows = world.kinds[0x17];
        let tags = u64::from(image.geometry.count(Plane::Meta));
        if meters > 2 && loss > 0.0 {
            assert!(rows >= tags && rows < 2 * tags + 20, "{rows} rows for {tags} blocks");
        } else {
            assert_eq!(rows, 0);
        }
    }
}
