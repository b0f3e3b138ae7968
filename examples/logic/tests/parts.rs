//! The drivers of the memories against models of the parts, which see nothing but the levels of the pins.
#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    unreachable_pub,
    reason = "test code"
)]

mod model;

use embedded_storage::nor_flash::{NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use embedded_storage::{ReadStorage, Storage};
use logic::parts::{Eeprom, EepromError, I2cError, Nor, NorError, Size, SoftI2c, SoftSpi};
use model::eeprom::{Lines, Part};
use model::nor;

type Bus<'p> = SoftI2c<Lines<'p>, Lines<'p>, model::Time<'p>>;

fn eeprom(part: &Part) -> Eeprom<Bus<'_>, model::Time<'_>> {
    let bus = SoftI2c::new(part.clock(), part.data(), part.time(), 5000).unwrap();
    Eeprom::new(bus, part.time(), 0x50, Size::C64)
}

#[test]
fn an_eeprom_gives_back_what_was_written_across_pages() {
    let part = Part::new(0x50, 8192, 32);
    let mut eeprom = eeprom(&part);
    let octets: Vec<u8> = (0..200u32).map(|at| (at * 7 + 3).to_le_bytes()[0]).collect();
    eeprom.write(1015, &octets).unwrap();
    let mut back = vec![0; 204];
    eeprom.read(1013, &mut back).unwrap();
    assert_eq!(back[2..202], octets[..]);
    assert_eq!((back[0], back[203]), (0xFF, 0xFF));
    // 1015..1024 is the first page, then six whole ones: none was written twice.
    assert_eq!(part.writes(), 7);
    assert!(part.microseconds() >= 7 * 5000, "a page takes 5 ms: {}", part.microseconds());
}

#[test]
fn an_eeprom_ends_where_it_ends() {
    let part = Part::new(0x50, 8192, 32);
    let mut eeprom = eeprom(&part);
    assert_eq!(eeprom.write(8190, &[1, 2, 3]), Err(EepromError::Range));
    assert_eq!(eeprom.read(8192, &mut [0]), Err(EepromError::Range));
    assert_eq!(part.writes(), 0);
    eeprom.write(8190, &[1, 2]).unwrap();
    let mut back = [0; 2];
    eeprom.read(8190, &mut back).unwrap();
    assert_eq!(back, [1, 2]);
}

#[test]
fn an_eeprom_that_is_not_there_is_told() {
    let part = Part::new(0x51, 8192, 32);
    let mut eeprom = eeprom(&part);
    assert_eq!(eeprom.write(0, &[1]), Err(EepromError::Busy));
}

#[test]
fn a_part_caught_in_an_answer_lets_the_bus_go() {
    let part = Part::new(0x50, 8192, 32);
    eeprom(&part).write(0, &[0; 4]).unwrap();
    part.stick(5);
    let mut again = eeprom(&part);
    let mut back = [9; 4];
    again.read(0, &mut back).unwrap();
    assert_eq!(back, [0; 4]);
    part.stick(u32::MAX);
    assert_eq!(SoftI2c::new(part.clock(), part.data(), part.time(), 5000).err(), Some(I2cError::Stuck));
}

type Flash<'p> =
    Nor<SoftSpi<nor::Pin<'p>, nor::Pin<'p>, nor::Pin<'p>, nor::Pin<'p>, model::Time<'p>>, model::Time<'p>>;

fn flash(part: &nor::Part) -> Flash<'_> {
    let [clock, output, input, select] = part.pins();
    let device = SoftSpi::new(clock, output, input, select, part.time()).unwrap();
    Nor::new(device, part.time(), 1 << 16)
}

#[test]
fn a_flash_gives_back_what_was_programmed_across_pages() {
    let part = nor::Part::new(1 << 16);
    let mut flash = flash(&part);
    flash.erase(4096, 12_288).unwrap();
    let octets: Vec<u8> = (0..700u32).map(|at| (at * 5 + 1).to_le_bytes()[0]).collect();
    flash.write(8000, &octets).unwrap();
    let mut back = vec![0; 702];
    flash.read(7999, &mut back).unwrap();
    assert_eq!(back[1..701], octets[..]);
    assert_eq!((back[0], back[701]), (0xFF, 0xFF));
    // What is programmed again loses ones only.
    flash.write(8000, &[0x0F]).unwrap();
    flash.read(8000, &mut back[..1]).unwrap();
    assert_eq!(back[0], octets[0] & 0x0F);
    // Sectors beside the erased ones kept what they had.
    flash.read(4095, &mut back[..2]).unwrap();
    assert_eq!(back[..2], [0, 0xFF]);
    flash.read(12_288, &mut back[..1]).unwrap();
    assert_eq!(back[0], 0);
}

#[test]
fn a_flash_refuses_what_no_part_can_do() {
    let part = nor::Part::new(1 << 16);
    let mut flash = flash(&part);
    let kind = |result: Result<(), NorError<_>>| result.map_err(|error| error.kind());
    assert_eq!(kind(flash.erase(100, 4096)), Err(NorFlashErrorKind::NotAligned));
    assert_eq!(kind(flash.erase(0, 1 << 17)), Err(NorFlashErrorKind::OutOfBounds));
    assert_eq!(kind(flash.write((1 << 16) - 1, &[0, 0])), Err(NorFlashErrorKind::OutOfBounds));
    assert_eq!(kind(flash.read(u32::MAX, &mut [0])), Err(NorFlashErrorKind::OutOfBounds));
}

#[test]
fn a_protected_flash_is_told_and_a_busy_one_waited_for() {
    let part = nor::Part::new(1 << 16);
    let mut flash = flash(&part);
    part.protect();
    assert_eq!(flash.erase(0, 4096), Err(NorError::Protected));
    let part = nor::Part::new(1 << 16);
    part.busy(200_000);
    let mut other = Nor::new(
        {
            let [clock, output, input, select] = part.pins();
            SoftSpi::new(clock, output, input, select, part.time()).unwrap()
        },
        part.time(),
        1 << 16,
    );
    let mut back = [9];
    other.read(0, &mut back).unwrap();
    assert_eq!(back, [0]);
    assert!(part.microseconds() >= 200_000);
}
