//! The supply fails at every operation of a whole upgrade, inside it: never a brick, never a roll-back, never a lost block or event.
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

use device::memory::{Rng, Tear};
use device::package::{Package, Recipe, Toy};
use device::*;

fn old() -> Vec<u8> {
    Rng::new(1).octets(7000)
}

/// 64 blocks of 128 octets over 8 sectors of 1024, the last block short.
fn package() -> Package {
    let package = Package::new(Rng::new(2).octets(8150), &Recipe::default(), &Toy);
    assert_eq!(package.geometry.count(upgrade_proto::session::Plane::Data), 64);
    package
}

fn every_operation<K: Kit>(name: &str, failures: usize) {
    let (old, package) = (old(), package());
    let operations = run_with::<K>(&old, &package, &[], failures);
    for tear in Tear::ALL {
        for at in 0..operations {
            run_with::<K>(&old, &package, &[(at, tear)], failures);
        }
    }
    println!(
        "{name}: {operations} operations, each cut in 4 ways, {} runs: no brick, no roll-back",
        operations * 4
    );
}

#[test]
fn every_operation_of_an_upgrade_may_be_cut() {
    every_operation::<Multi>("map in NOR, records in EEPROM", 0);
}

#[test]
fn every_operation_of_an_upgrade_may_be_cut_without_eeprom() {
    every_operation::<Bare>("map and records in NOR", 0);
}

#[test]
fn every_operation_of_an_upgrade_may_be_cut_on_write_once_flash() {
    every_operation::<Once>("write-once flash, map and records in EEPROM", 0);
}

/// Through Trial, Rollback and RolledBack, and armed again from there.
#[test]
fn every_operation_of_a_roll_back_may_be_cut() {
    every_operation::<Multi>("roll-back, map in NOR, records in EEPROM", 1);
    every_operation::<Bare>("roll-back, map and records in NOR", 1);
    every_operation::<Once>("roll-back, write-once flash", 1);
}

/// A cut in the operation, another one soon after the supply is back, and sometimes a third.
#[test]
fn cuts_of_what_a_cut_left() {
    let (old, package) = (old(), package());
    let mut rng = Rng::new(78);
    let operations = run::<Multi>(&old, &package, &[]);
    for _ in 0..1500 {
        let mut cuts = vec![(rng.below(operations), Tear::random(&mut rng))];
        for _ in 0..1 + rng.below(2) {
            cuts.push((rng.below(20), Tear::random(&mut rng)));
        }
        run::<Multi>(&old, &package, &cuts);
        run::<Bare>(&old, &package, &cuts);
        run::<Once>(&old, &package, &cuts);
    }
}

/// 1 MiB in 2048 blocks of 512 octets over 256 sectors of 4 KiB, cut at a sample of its operations.
#[test]
fn full_size_cut_at_a_sample_of_operations() {
    let old = Rng::new(5).octets(900_000);
    let recipe = Recipe { block: 512, ..Recipe::default() };
    let package = Package::new(Rng::new(6).octets(1 << 20), &recipe, &Toy);
    let operations = run::<Full>(&old, &package, &[]);
    let mut rng = Rng::new(7);
    for (part, tear) in (0..12).zip(Tear::ALL.into_iter().cycle()) {
        let at = (part * operations + rng.below(operations)) / 12;
        run::<Full>(&old, &package, &[(at, tear), (rng.below(operations / 4), Tear::random(&mut rng))]);
    }
    println!("full size: {operations} operations, 12 of them cut");
}
