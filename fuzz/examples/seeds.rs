//! Writes the seeds of every fuzz target into `fuzz/corpus`, made by the crates' own builders.

use std::fs;
use std::path::Path;

use dlms_hdlc::{Address, Builder, Control, mbus, transparent, wrapper};
use dsmr::CheckKind;
use meter_fuzz::ciphered::Sealed;
use obis::Obis;
use obis::data::{Value, Writer};

fn main() {
    let notification = notification();
    let hdlc = hdlc(&notification);
    seed("hdlc_decode", "one", &with_tail(&hdlc));
    seed("hdlc_decode", "shared-flag", &with_tail(&[&hdlc[..], &hdlc[1..]].concat()));
    seed("hdlc_decode", "false-start", &with_tail(&[&hdlc[..9], &hdlc[..]].concat()));
    seed("mbus_decode", "one", &with_tail(&m_bus(&notification)));
    seed("mbus_decode", "short", &with_tail(&[0xE5, 0x10, 0x40, 0xF0, 0x30, 0x16]));
    seed("wrapper_decode", "one", &with_tail(&wrapped(&notification)));
    seed("transparent_decode", "one", &with_tail(&escaped(&notification)));
    seed("dlt645_decode", "one", &with_tail(&dlt645()));
    seed("axdr", "notification", &[&notification[9..], &[7]].concat());
    seed("axdr", "compact-array", &[0x13, 2, 2, 18, 9, 8, 0, 1, 1, 0xAA, 0, 2, 1, 0xBB, 7]);
    seed("apdu", "notification", &notification[3..]);
    seed("apdu", "block", &[&[0xE0, 0xC0, 0, 1, 0, 0, 9][..], &notification[3..12]].concat());
    let counter_and_content = [0x30, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    seed("apdu", "ciphered", &[&[0xDB, 2, 0x41, 0x42, 21][..], &counter_and_content].concat());
    seed("p1_decode", "one", &with_tail(&telegram(CheckKind::Arc)));
    seed("p1_decode", "two", &with_tail(&telegram(CheckKind::Arc).repeat(2)));
    seed("p1_decode", "no-check", &with_tail(&telegram(CheckKind::Ignore)));
    seed("p1_encrypted", "two", &with_tail(&encrypted().repeat(2)));
    seed("p1_line", "one", &with_tail(&telegram(CheckKind::Arc)));
    seed("p1_differential", "two", &with_tail(&telegram(CheckKind::Arc).repeat(2)));
    for (at, line) in LINES.iter().enumerate() {
        seed("p1_differential", &format!("line-{at}"), &with_tail(line));
    }
    ciphering(&notification[3..]);
    for (at, line) in LINES.iter().enumerate() {
        seed("p1_value", &format!("line-{at}"), line);
    }
    for (name, text) in [
        ("full", "1-0:1.8.0*255"),
        ("letters", "C.1.0"),
        ("hex", "0100010800FF"),
        ("decimal", "-001581.1230"),
    ] {
        seed("obis_text", name, text.as_bytes());
    }
    upgrade();
    boot();
}

/// Each way to secure an APDU, whole and damaged, and what another key sealed.
fn ciphering(apdu: &[u8]) {
    for (name, kind, security) in
        [("both", 4, 0x30), ("encrypted", 1, 0x21), ("authenticated", 2, 0x10), ("suite-2", 3, 0x32)]
    {
        seed("ciphering", name, &[&[kind, security, 0, 0], apdu].concat());
        seed("ciphering", &format!("{name}-damaged"), &[&[kind, security, 1, 4], apdu].concat());
    }
    let telegram = telegram(CheckKind::Arc);
    seed("ciphering", "telegram", &[&[4, 0x30, 0, 0], &telegram[..]].concat());
    let sealed = Sealed {
        tag: 0xDB,
        security: 0x30,
        title: b"FUZ01234",
        counter: 1,
        encryption: &[7; 32],
        authentication: &[8; 32],
        plain: apdu,
    };
    seed("ciphering", "another-key", &[&[0x80], &sealed.octets()[..]].concat());
}

/// Cuts at several operations, each way a cut tears one; memories with a record changed, and with content changed.
fn boot() {
    for (name, kit) in [("multi", 0), ("bare", 1), ("once", 2)] {
        let cuts = [[0, 40, 0, 0], [0, 90, 1, 0], [0, 140, 2, 0], [0, 200, 3, 7]].concat();
        seed("boot", &format!("cuts-{name}"), &[&[0, kit][..], &cuts].concat());
        seed("boot", &format!("cut-and-failure-{name}"), &[2, kit, 1, 44, 3, 9]);
    }
    seed("boot", "record", &[1, 0, 3, 0b0100, 0, 0, 1, 5, 0, 0, 20, 0xFF]);
    seed("boot", "content", &[1, 0, 1, 0b0101_0101, 2, 0, 60, 0xAA, 3, 0, 9, 0, 1, 0, 30, 0x55]);
}

/// Messages of every kind, a package, stories calm and wild.
fn upgrade() {
    use upgrade_proto::message::{Ask, Indices, Initiate, Message, Packet, Phase, Report, Row, Status};
    use upgrade_proto::package::{Manifest, Version};
    use upgrade_proto::session::{Plane, Session};
    let session = Session { id: 7, image: 0xDEAD_BEEF };
    let mut indices = Indices::new();
    for index in [3, 90, 91, 700] {
        indices.insert(index);
    }
    let status = Status {
        phase: Phase::Receiving,
        plane: Plane::Data,
        first_missing: 3,
        missing: 2,
        more: false,
        report: Report::List { from: 3, octets: &[4, 0x3F, 0xFF] },
    };
    let messages = [
        ("query", Message::Query),
        ("join", Message::Join { group: 1, member: 2 }),
        ("initiate", Message::Initiate(Initiate { size: 9, block: 16, ..Initiate::default() })),
        ("block", Message::Block { plane: Plane::Data, index: 1, acknowledge: false, data: &[1; 20] }),
        ("xor", Message::Xor { plane: Plane::Data, indices, data: &[1; 20] }),
        (
            "coded",
            Message::Coded {
                plane: Plane::Data,
                row: Row { generation: 1, generations: 4, seed: 9, density: 64 },
                data: &[2; 20],
            },
        ),
        ("status-query", Message::StatusQuery(Ask::COUNT)),
        ("roll-call", Message::RollCall { ask: Ask::COUNT, slot: 50, first: 0, members: &[0xFF; 8] }),
        ("status", Message::Status(status)),
        ("activate", Message::Activate { at: 0 }),
        ("events", Message::Events(&[1; 22])),
    ];
    let mut buffer = [0; 200];
    for (name, message) in messages {
        let octets = Packet { session, message }.encode(&mut buffer).expect("room");
        seed("upgrade_message_decode", name, octets);
    }
    let manifest = Manifest {
        tagged: true,
        version: Version { date: 20_240_116, number: 1 },
        size: 5000,
        block: 64,
        extensions: &[1, 0, 2, 8, 8],
        ..Manifest::default()
    };
    seed("upgrade_package", "tagged", manifest.encode(&mut buffer).expect("room"));
    seed("upgrade_package", "sizes", &[0, 9, 9, 0, 0x40, 0, 0x70, 1]);
    seed("upgrade_session", "calm", &[0, 1, 0, 0, 90, 0, 0, 0, 0, 0]);
    seed("upgrade_session", "lossy", &[0x40, 3, 1, 60, 200, 90, 0x31, 20, 0, 0]);
    seed("upgrade_session", "cut", &[0x80, 2, 0, 0, 120, 40, 0, 0, 0x9F, 1]);
    seed("upgrade_session", "raw", &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 0, 0, 0, 0, 16, 0x22, 0, 7]);
}

/// A data-notification that holds a list of two registers.
fn notification() -> Vec<u8> {
    let mut octets = [0; 128];
    let mut writer = Writer::new(&mut octets);
    let written = (|| {
        writer.array(2)?;
        for (code, value) in [(Obis::new(1, 0, 1, 7, 0, 255), 1234), (Obis::new(1, 0, 32, 7, 0, 255), 2301)] {
            writer.structure(3)?;
            writer.obis(code)?;
            writer.value(&Value::DoubleLongUnsigned(value))?;
            writer.scaler_unit(-1, 27)?;
        }
        Ok::<(), obis::data::BufferTooSmall>(())
    })();
    written.expect("128 octets are enough");
    [&[0xE6, 0xE7, 0x00, 0x0F, 0, 0, 0, 1, 0][..], writer.finish()].concat()
}

const LINES: &[&[u8]] = &[
    b"0-0:1.0.0(210203123456W)",
    b"1-0:1.8.1(000123.456*kWh)",
    b"1-0:99.97.0(1)(0-0:96.7.19)(200101120000W)(0000000240*s)",
    b"0-1:24.2.1(210203120000W)(00012.345*m3)",
    b"0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)",
    b"(00124.477)",
    b"0-0:96.13.0(48656C6C6F)",
];

fn telegram(check: CheckKind) -> Vec<u8> {
    dsmr::Builder { identification: b"ABC5\\2FUZZ", lines: LINES, check }.octets().collect()
}

/// What frames an encrypted telegram; its content opens with no key.
fn encrypted() -> Vec<u8> {
    let content = telegram(CheckKind::Arc);
    let length = u16::try_from(content.len() + 17).expect("one telegram");
    let [high, low] = length.to_be_bytes();
    let header = [0xDB, 8, b'F', b'U', b'Z', 1, 2, 3, 4, 5, 0x82, high, low, 0x30, 0, 0, 0, 1];
    [&header[..], &content, &[0x5A; 12]].concat()
}

fn hdlc(information: &[u8]) -> Vec<u8> {
    let (destination, source) = (Address::one(0x20), Address::two(1, 0x11));
    let builder = Builder { segmented: false, destination, source, control: Control::UI, information };
    [0x7E].into_iter().chain(builder.octets()).chain([0x7E]).collect()
}

fn m_bus(data: &[u8]) -> Vec<u8> {
    mbus::Builder { control: 0x53, address: 0xFF, control_information: 0x10, data }.octets().collect()
}

fn wrapped(apdu: &[u8]) -> Vec<u8> {
    let mut octets = [0; 256];
    wrapper::Builder { source: 1, destination: 16, apdu }.encode(&mut octets).expect("room").to_vec()
}

fn escaped(content: &[u8]) -> Vec<u8> {
    transparent::octets(content).collect()
}

fn dlt645() -> Vec<u8> {
    use dlt645::{Address, Builder, Control, Data};
    let address = Address::from_octets([1, 0, 0, 0, 0, 0]);
    let data = Data::plain(&[0, 0, 1, 0, 0x26, 0x45, 1, 0]);
    Builder { wake_up: 4, address, control: Control::from_octet(0x91), data }.octets().collect()
}

/// The laws take the choice of storage and the chunk length from the last two octets.
fn with_tail(octets: &[u8]) -> Vec<u8> {
    [octets, &[0, 16]].concat()
}

fn seed(target: &str, name: &str, octets: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder).expect("the corpus folder");
    fs::write(folder.join(format!("seed-{name}")), octets).expect("a seed");
}
