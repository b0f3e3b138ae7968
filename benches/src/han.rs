//! HAN frames of the sizes that the figures are about: captured ones where those stand, else self-made ones of the
//! same layout and nearly the same length.

use dlms_hdlc::{Address, Builder, Control};
use obis::Obis;
use obis::data::{Value, Writer};
use std::path::Path;

/// A frame and what it is.
#[derive(Clone, Debug)]
pub struct Input {
    /// Vendor and length.
    pub name: &'static str,
    /// One frame, flags included.
    pub octets: Vec<u8>,
}

/// The frames of the Nordic vendors.
#[must_use]
pub fn frames() -> Vec<Input> {
    let input =
        |name, capture, made: fn() -> Vec<u8>| Input { name, octets: captured(capture).unwrap_or_else(made) };
    vec![
        input("kaifa 123", "kaifa-gh180-2", || frame(&[0x10], &kaifa())),
        input("kamstrup 228", "kamstrup-em001-2", || frame(&[0x13], &kamstrup(10))),
        input("kamstrup 302", "kamstrup-em001-3", || frame(&[0x13], &kamstrup(15))),
        input("aidon 396", "aidon-gh1119-1", || frame(&[0x13], &aidon(17))),
        input("aidon 581", "aidon-gh143-2", || frame(&[0x13], &aidon(26))),
    ]
}

/// A captured frame, where captures stand beside the checkout.
#[must_use]
pub fn captured(name: &str) -> Option<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dlms");
    let text = std::fs::read_to_string(Path::new(folder).join(name).with_extension("hex")).ok()?;
    let digits: Vec<u8> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.chars().filter_map(|digit| digit.to_digit(16)))
        .map(|digit| digit as u8)
        .collect();
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn frame(control: &[u8; 1], body: &[u8]) -> Vec<u8> {
    let information = [&[0xE6, 0xE7, 0, 0x0F, 0x40, 0, 0, 0, 0][..], body].concat();
    let builder = Builder {
        segmented: false,
        destination: Address::one(0x20),
        source: Address::two(4, 0x41),
        control: Control(control[0]),
        information: &information,
    };
    [0x7E].into_iter().chain(builder.octets()).chain([0x7E]).collect()
}

fn written(write: impl FnOnce(&mut Writer<'_>) -> Option<()>) -> Vec<u8> {
    let mut out = [0; 1024];
    let mut writer = Writer::new(&mut out);
    write(&mut writer).expect("1024 octets are enough");
    writer.finish().to_vec()
}

/// array of structure { code, value, structure { scaler, unit } }
fn aidon(registers: u8) -> Vec<u8> {
    written(|writer| {
        writer.array(u32::from(registers)).ok()?;
        for at in 0..registers {
            writer.structure(3).ok()?;
            writer.obis(Obis::new(1, 0, at + 1, 7, 0, 255)).ok()?;
            writer.value(&Value::DoubleLongUnsigned(1000 + u32::from(at))).ok()?;
            writer.scaler_unit(-1, 27).ok()?;
        }
        Some(())
    })
}

/// structure of a list id and pairs of code and value
fn kamstrup(registers: u8) -> Vec<u8> {
    written(|writer| {
        writer.value(&Value::Null).ok()?;
        writer.structure(5 + 2 * u32::from(registers)).ok()?;
        writer.value(&Value::VisibleString(b"Kamstrup_V0001")).ok()?;
        for (code, text) in [(5, &b"0000000000000000"[..]), (1, b"000000000000000000")] {
            writer.obis(Obis::new(1, 1, 96, 1, code, 255)).ok()?;
            writer.value(&Value::VisibleString(text)).ok()?;
        }
        for at in 0..registers {
            writer.obis(Obis::new(1, 1, at + 1, 7, 0, 255)).ok()?;
            writer.value(&Value::DoubleLongUnsigned(1000 + u32::from(at))).ok()?;
        }
        Some(())
    })
}

/// structure of values by position
fn kaifa() -> Vec<u8> {
    written(|writer| {
        writer.value(&Value::Null).ok()?;
        writer.structure(13).ok()?;
        for text in [&b"KFM_001"[..], b"6970630000000000", b"MA304H3E"] {
            writer.value(&Value::OctetString(text)).ok()?;
        }
        for value in 0..10 {
            writer.value(&Value::DoubleLongUnsigned(2300 + value)).ok()?;
        }
        Some(())
    })
}
