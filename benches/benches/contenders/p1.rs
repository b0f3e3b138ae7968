//! Who reads a P1 telegram: ours, and the peers; ours and dsmr5 to one sum of all values.

use core::hint::black_box;
use dsmr::{Content, Season};
use dsmr5::OBIS;
use dsmr5::types::{TST, UFixedDouble};

/// One number after another into one, so that none of them can be left out.
fn mix(sum: u64, next: u64) -> u64 {
    sum.rotate_left(7) ^ next
}

/// Check verified, every value of every line to number and unit, time, code or text, all of it in a sum.
pub fn values(octets: &[u8]) -> u64 {
    let mut sum = 0;
    for telegram in dsmr::telegrams(octets).flatten() {
        for line in telegram.lines() {
            let [a, b, c, d, e, f] = line.code().map_or([0; 6], obis::Obis::octets);
            sum = mix(sum, u64::from_le_bytes([a, b, c, d, e, f, 0, 0]));
            for value in line.values() {
                sum = mix(sum, content(value.content()));
            }
        }
    }
    sum
}

fn content(content: Content<'_>) -> u64 {
    match content {
        Content::Number(number) => {
            let scale = [number.value.exponent as u8, number.prefix as u8, number.unit.code(), 0];
            number.value.mantissa as u64 ^ u64::from(u32::from_le_bytes(scale)) << 32
        }
        Content::Time(time) => {
            let season = u8::from(time.season == Season::Summer);
            u64::from_le_bytes([
                time.year,
                time.month,
                time.day,
                time.hour,
                time.minute,
                time.second,
                season,
                0,
            ])
        }
        Content::Code(code) => {
            let [a, b, c, d, e, f] = code.octets();
            u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
        }
        Content::Text(text) => text.sent().len() as u64,
        _ => 1,
    }
}

/// How many values there are.
pub fn count(octets: &[u8]) -> usize {
    dsmr::telegrams(octets)
        .flatten()
        .flat_map(|telegram| telegram.lines().flat_map(|line| line.values()))
        .count()
}

/// Check verified, every line to what it means.
pub fn objects(octets: &[u8]) -> usize {
    let telegrams = dsmr::telegrams(octets).flatten();
    telegrams.flat_map(|telegram| telegram.lines()).fold(0, |lines, line| {
        black_box(line.object());
        lines + 1
    })
}

/// The check alone, with the table of the fastest crate.
pub fn crc_only(octets: &[u8]) -> u16 {
    static CRC: crc::Crc<u16, crc::Table<16>> = crc::Crc::<u16, crc::Table<16>>::new(&crc::CRC_16_ARC);
    CRC.checksum(checked(octets))
}

/// What the check is over: all up to the `!`.
pub fn checked(octets: &[u8]) -> &[u8] {
    let end = octets.iter().rposition(|octet| *octet == b'!').map_or(0, |at| at + 1);
    octets.get(..end).unwrap_or_default()
}

/// dsmr5 on the octets of one telegram, its values in a sum too; its numbers are to be had as f64. It skips the lines it
/// does not know, and much of its time is its check, which goes octet by octet, and the look for UTF-8 in its 2,048 octets.
pub fn dsmr5_objects(readout: &dsmr5::Readout) -> u64 {
    let Ok(telegram) = readout.to_telegram() else { return 0 };
    telegram.objects().flatten().fold(0, |sum, object| mix(sum, dsmr5_object(&object)))
}

fn dsmr5_object(object: &OBIS<'_>) -> u64 {
    let number = |number: &UFixedDouble| f64::from(number).to_bits();
    let time = |time: &TST| {
        u64::from_le_bytes([
            time.year,
            time.month,
            time.day,
            time.hour,
            time.minute,
            time.second,
            u8::from(time.dst),
            0,
        ])
    };
    match object {
        OBIS::Version(text)
        | OBIS::EquipmentIdentifier(text)
        | OBIS::TariffIndicator(text)
        | OBIS::SlaveEquipmentIdentifier(_, text) => {
            black_box(text);
            2
        }
        OBIS::DateTime(at) => time(at),
        OBIS::MeterReadingTo(_, value)
        | OBIS::MeterReadingBy(_, value)
        | OBIS::PowerDelivered(value)
        | OBIS::PowerReceived(value)
        | OBIS::InstantaneousVoltage(_, value)
        | OBIS::InstantaneousActivePowerPlus(_, value)
        | OBIS::InstantaneousActivePowerNeg(_, value) => number(value),
        OBIS::PowerFailures(count)
        | OBIS::LongPowerFailures(count)
        | OBIS::VoltageSags(_, count)
        | OBIS::VoltageSwells(_, count)
        | OBIS::InstantaneousCurrent(_, count) => count.0,
        OBIS::SlaveDeviceType(_, kind) => kind.as_ref().map_or(0, |kind| kind.0),
        OBIS::SlaveMeterReading(_, at, value) => time(at) ^ value.as_ref().map_or(0, number),
        _ => 3,
    }
}

/// dsmr5 as its documentation uses it, from a stream of octets.
pub fn dsmr5_reader(octets: &[u8]) -> u64 {
    let stream = octets.iter().map(|octet| Ok::<u8, core::convert::Infallible>(*octet));
    dsmr5::Reader::new(stream).flatten().fold(0, |sum, readout| mix(sum, dsmr5_objects(&readout)))
}

/// dsmr-parse: its own struct; rejects all but Dutch telegrams.
pub fn dsmr_parse(octets: &[u8]) -> bool {
    dsmr_parse::Telegram::read_from(octets).is_ok_and(|telegram| black_box(telegram).is_some())
}

/// han: made for Sweden; on others most lines fail.
pub fn han_objects(octets: &[u8]) -> usize {
    let mut count = 0;
    for readout in han::Reader::new(octets.iter().copied()) {
        let Ok(telegram) = readout.to_telegram() else { continue };
        count += telegram.objects().filter(|object| black_box(object).is_ok()).count();
    }
    count
}

pub fn readout(octets: &[u8]) -> dsmr5::Readout {
    let mut buffer = [0; 2048];
    for (place, octet) in buffer.iter_mut().zip(octets) {
        *place = *octet;
    }
    dsmr5::Readout { buffer }
}
