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

fn every_operation<K: Kit>(name: &str) {
    let (old, package) = (old(), package());
    let operations = run::<K>(&old, &package, &[]);
    for tear in Tear::ALL {
        for at in 0..operations {
            run::<K>(&old, &package, &[(at, tear)]);
        }
    }
    println!(
        "{name}: {operations} operations, each cut in 4 ways, {} runs: no brick, no roll-back",
        operations * 4
    );
}

#[test]
fn every_operation_of_an_upgrade_may_be_cut() {
    every_operation::<Multi>("map in NOR, records in EEPROM");
}

#[test]
fn every_operation_of_an_upgrade_may_be_cut_without_eeprom() {
    every_operation::<Bare>("map and records in NOR");
}

#[test]
fn every_operation_of_an_upgrade_may_be_cut_on_write_once_flash() {
    every_operation::<Once>("write-once flash, map and records in EEPROM");
}
