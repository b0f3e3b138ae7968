//! Vectors made for this crate: every service, requests and replies, both versions, parsed and encoded to the same
//! octets; and what is too short for its service.
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::too_many_lines,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use common::{frame, unhex};
use dlt645::{
    Access, Address, BuildError, Control, Data, ErrorWord, Frame, FreezeTime, Identifier, Moment, Password,
    Query, Rate, Relay, Reply, Request, SecurityError, Service, ServiceError, Terminal, Version,
};

const ADDRESS: Address = Address::from_number(202_601_020_304);
const ACCESS: Access = Access {
    password: Password { level: 4, digits: [0x56, 0x34, 0x12] },
    operator: [0x78, 0x56, 0x34, 0x12],
};
const ACCESS_1997: Access = Access { operator: [0; 4], ..ACCESS };

fn request(name: &str, version: Version, hex: &str, expected: Request<'_>) {
    let octets = unhex(hex);
    let (frame, rest) = Frame::parse(&octets).unwrap();
    assert!(rest.is_empty());
    assert_eq!(Request::parse(&frame, version), Ok(expected), "{name}");
    let mut out = [0; 300];
    let encoded = expected.encode(version, frame.address(), 0, &mut out).unwrap();
    assert_eq!(encoded, octets, "{name}");
    let len = encoded.len();
    for short in 0..len {
        let result = expected.encode(version, frame.address(), 0, &mut out[..short]);
        assert_eq!(result, Err(BuildError::BufferTooSmall), "{name}");
    }
    assert_eq!(Reply::parse(&frame, version), Err(ServiceError::Direction), "{name}");
}

fn reply(name: &str, version: Version, hex: &str, expected: Reply<'_>) {
    let octets = unhex(hex);
    let (frame, rest) = Frame::parse(&octets).unwrap();
    assert!(rest.is_empty());
    assert_eq!(Reply::parse(&frame, version), Ok(expected), "{name}");
    let mut out = [0; 300];
    assert_eq!(expected.encode(version, frame.address(), 0, &mut out).unwrap(), octets, "{name}");
    assert_eq!(Request::parse(&frame, version), Err(ServiceError::Direction), "{name}");
}

#[test]
fn requests() {
    request(
        "read",
        Version::V2007,
        "68040302012620681104333334330216",
        Request::Read { identifier: Identifier::V2007(0x0001_0000), query: Query::All },
    );
    request(
        "read load records",
        Version::V2007,
        "6804030201262068110533333439384116",
        Request::Read { identifier: Identifier::V2007(0x0601_0000), query: Query::Records(5) },
    );
    request(
        "read load records since",
        Version::V2007,
        "6804030201262068110a34333439366345574359e016",
        Request::Read {
            identifier: Identifier::V2007(0x0601_0001),
            query: Query::Since(3, Moment::to_minute(26, 10, 24, 12, 30)),
        },
    );
    request(
        "read 1997",
        Version::V1997,
        "6804030201262068010243c32916",
        Request::Read { identifier: Identifier::V1997(0x9010), query: Query::All },
    );
    request(
        "read next",
        Version::V2007,
        "6804030201262068120533323438353d16",
        Request::ReadNext { identifier: Identifier::V2007(0x0501_FF00), query: Query::All, sequence: 2 },
    );
    request(
        "read next of load records",
        Version::V2007,
        "680403020126206812063333343938357816",
        Request::ReadNext {
            identifier: Identifier::V2007(0x0601_0000),
            query: Query::Records(5),
            sequence: 2,
        },
    );
    request(
        "read next of load records since",
        Version::V2007,
        "6804030201262068120b343334393663455743593a1c16",
        Request::ReadNext {
            identifier: Identifier::V2007(0x0601_0001),
            query: Query::Since(3, Moment::to_minute(26, 10, 24, 12, 30)),
            sequence: 7,
        },
    );
    request(
        "read next 1997",
        Version::V1997,
        "6804030201262068020252c33916",
        Request::ReadNext { identifier: Identifier::V1997(0x901F), query: Query::All, sequence: 0 },
    );
    request("re-read", Version::V1997, "680403020126206803002316", Request::ReRead);
    request("read address", Version::V2007, "68aaaaaaaaaaaa681300df16", Request::ReadAddress);
    request(
        "write",
        Version::V2007,
        "6804030201262068140d3634333737896745ab89674548a916",
        Request::Write {
            identifier: Identifier::V2007(0x0400_0103),
            access: ACCESS,
            data: Data::plain(&[0x15]),
        },
    );
    request(
        "write 1997",
        Version::V1997,
        "6804030201262068040744f437896745481716",
        Request::Write {
            identifier: Identifier::V1997(0xC111),
            access: ACCESS_1997,
            data: Data::plain(&[0x15]),
        },
    );
    request(
        "write address",
        Version::V2007,
        "68aaaaaaaaaaaa6815063736353459536916",
        Request::WriteAddress(ADDRESS),
    );
    request(
        "write address 1997",
        Version::V1997,
        "68aaaaaaaaaaaa680a063736353459535e16",
        Request::WriteAddress(ADDRESS),
    );
    request(
        "broadcast time",
        Version::V2007,
        "689999999999996808068967455743599c16",
        Request::BroadcastTime(Moment::to_second(26, 10, 24, 12, 34, 56)),
    );
    request(
        "broadcast time 1997",
        Version::V1997,
        "689999999999996808068967455743599c16",
        Request::BroadcastTime(Moment::to_second(26, 10, 24, 12, 34, 56)),
    );
    request(
        "freeze now",
        Version::V2007,
        "68999999999999681604ccccccccb016",
        Request::Freeze(FreezeTime::NOW),
    );
    request(
        "freeze hourly",
        Version::V2007,
        "6804030201262068160448cccccce616",
        Request::Freeze(FreezeTime::hourly(15)),
    );
    request(
        "freeze daily",
        Version::V2007,
        "680403020126206816046335cccc6a16",
        Request::Freeze(FreezeTime::daily(2, 30)),
    );
    request(
        "freeze monthly",
        Version::V2007,
        "68040302012620681604633534ccd216",
        Request::Freeze(FreezeTime::monthly(1, 2, 30)),
    );
    request(
        "freeze yearly",
        Version::V2007,
        "68040302012620681604633534454b16",
        Request::Freeze(FreezeTime::yearly(12, 1, 2, 30)),
    );
    request("change rate", Version::V2007, "68040302012620681701437b16", Request::ChangeRate(Rate(0x10)));
    request(
        "change rate 1997",
        Version::V1997,
        "68040302012620680c01538016",
        Request::ChangeRate(Rate(0x20)),
    );
    request(
        "change password",
        Version::V2007,
        "6804030201262068180c363f333735333333358967455b16",
        Request::ChangePassword {
            identifier: Some(Identifier::V2007(0x0400_0C03)),
            old: Password { level: 2, digits: [0, 0, 0] },
            new: Password { level: 2, digits: [0x56, 0x34, 0x12] },
        },
    );
    request(
        "change password 1997",
        Version::V1997,
        "68040302012620680f0835333333358967456f16",
        Request::ChangePassword {
            identifier: None,
            old: Password { level: 2, digits: [0, 0, 0] },
            new: Password { level: 2, digits: [0x56, 0x34, 0x12] },
        },
    );
    request(
        "clear demand",
        Version::V2007,
        "6804030201262068190837896745ab8967458d16",
        Request::ClearDemand(ACCESS),
    );
    request(
        "clear demand 1997",
        Version::V1997,
        "6804030201262068100437896745a016",
        Request::ClearDemand(ACCESS_1997),
    );
    request(
        "clear meter",
        Version::V2007,
        "68040302012620681a0837896745ab8967458e16",
        Request::ClearMeter(ACCESS),
    );
    request(
        "clear events",
        Version::V2007,
        "68040302012620681b0c37896745ab896745323232325b16",
        Request::ClearEvents { access: ACCESS, identifier: Identifier::V2007(u32::MAX) },
    );
    request(
        "clear one class of events",
        Version::V2007,
        "68040302012620681b0c37896745ab896745323363369116",
        Request::ClearEvents { access: ACCESS, identifier: Identifier::V2007(0x0330_00FF) },
    );
    request(
        "relay",
        Version::V2007,
        "68040302012620681c1037896745ab8967454d338c8c566445598816",
        Request::Relay {
            access: ACCESS,
            command: Relay::Trip,
            option: 0,
            until: Moment::to_second(26, 12, 31, 23, 59, 59),
        },
    );
    request(
        "relay, sealed",
        Version::V2007,
        "68040302012620681c1237896745ab896745d4e5f60718293a4b5c6ddf16",
        Request::RelaySealed {
            access: ACCESS,
            data: Data::plain(&[0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18, 0x29, 0x3A]),
        },
    );
    request(
        "terminal",
        Version::V2007,
        "68040302012620681d01347216",
        Request::Terminal(Terminal::DemandPeriod),
    );
    request(
        "security",
        Version::V2007,
        "680403020126206803103233b33aab8967453435363738393a3b2116",
        Request::Security {
            identifier: Identifier::V2007(0x0780_00FF),
            operator: [0x78, 0x56, 0x34, 0x12],
            data: Data::plain(&[1, 2, 3, 4, 5, 6, 7, 8]),
        },
    );
    request(
        "unknown",
        Version::V2007,
        "68040302012620681f04d888dd8d0d16",
        Request::Other { function: 0x1F, data: Data::plain(&[0xA5, 0x55, 0xAA, 0x5A]) },
    );
    request(
        "vendor 01",
        Version::V2007,
        "6804030201262068010243c32916",
        Request::Other { function: 0x01, data: Data::plain(&[0x10, 0x90]) },
    );
    request(
        "freeze is unknown in 1997",
        Version::V1997,
        "68040302012620681604cccccccc6a16",
        Request::Other { function: 0x16, data: Data::plain(&[0x99; 4]) },
    );
}

#[test]
fn replies() {
    reply(
        "read",
        Version::V2007,
        "6804030201262068910833333433ab8967456616",
        Reply::Data {
            service: Service::Read,
            identifier: Identifier::V2007(0x0001_0000),
            data: Data::plain(&[0x78, 0x56, 0x34, 0x12]),
            sequence: None,
            more: false,
        },
    );
    reply(
        "read, more",
        Version::V2007,
        "6804030201262068b1053332343834db16",
        Reply::Data {
            service: Service::Read,
            identifier: Identifier::V2007(0x0501_FF00),
            data: Data::plain(&[1]),
            sequence: None,
            more: true,
        },
    );
    reply(
        "read next, more",
        Version::V2007,
        "6804030201262068b20733323438ddee34a916",
        Reply::Data {
            service: Service::ReadNext,
            identifier: Identifier::V2007(0x0501_FF00),
            data: Data::plain(&[0xAA, 0xBB]),
            sequence: Some(1),
            more: true,
        },
    );
    reply(
        "read next, last",
        Version::V2007,
        "680403020126206892053332343835bd16",
        Reply::Data {
            service: Service::ReadNext,
            identifier: Identifier::V2007(0x0501_FF00),
            data: Data::plain(&[]),
            sequence: Some(2),
            more: false,
        },
    );
    reply(
        "read 1997, more",
        Version::V1997,
        "6804030201262068a10652c334353637b216",
        Reply::Data {
            service: Service::Read,
            identifier: Identifier::V1997(0x901F),
            data: Data::plain(&[1, 2, 3, 4]),
            sequence: None,
            more: true,
        },
    );
    reply(
        "read next 1997",
        Version::V1997,
        "6804030201262068820652c3343536379316",
        Reply::Data {
            service: Service::ReadNext,
            identifier: Identifier::V1997(0x901F),
            data: Data::plain(&[1, 2, 3, 4]),
            sequence: None,
            more: false,
        },
    );
    reply(
        "re-read",
        Version::V1997,
        "6804030201262068830652c3343536379416",
        Reply::Data {
            service: Service::ReRead,
            identifier: Identifier::V1997(0x901F),
            data: Data::plain(&[1, 2, 3, 4]),
            sequence: None,
            more: false,
        },
    );
    reply("read address", Version::V2007, "680403020126206893063736353459533b16", Reply::Address(ADDRESS));
    reply("write", Version::V2007, "68040302012620689400b416", Reply::Done(Service::Write));
    reply("write 1997", Version::V1997, "68040302012620688400a416", Reply::Done(Service::Write));
    reply("write address", Version::V2007, "68040302012620689500b516", Reply::Done(Service::WriteAddress));
    reply(
        "write address 1997",
        Version::V1997,
        "68040302012620688a00aa16",
        Reply::Done(Service::WriteAddress),
    );
    reply("freeze", Version::V2007, "68040302012620689600b616", Reply::Done(Service::Freeze));
    reply("change rate", Version::V2007, "6804030201262068970143fb16", Reply::Rate(Rate(0x10)));
    reply("change rate 1997", Version::V1997, "68040302012620688c0143f016", Reply::Rate(Rate(0x10)));
    reply(
        "change password",
        Version::V2007,
        "68040302012620689804358967452616",
        Reply::Password(Password { level: 2, digits: [0x56, 0x34, 0x12] }),
    );
    reply(
        "change password 1997",
        Version::V1997,
        "68040302012620688f04358967451d16",
        Reply::Password(Password { level: 2, digits: [0x56, 0x34, 0x12] }),
    );
    reply("clear demand", Version::V2007, "68040302012620689900b916", Reply::Done(Service::ClearDemand));
    reply("clear demand 1997", Version::V1997, "68040302012620689000b016", Reply::Done(Service::ClearDemand));
    reply("clear meter", Version::V2007, "68040302012620689a00ba16", Reply::Done(Service::ClearMeter));
    reply("clear events", Version::V2007, "68040302012620689b00bb16", Reply::Done(Service::ClearEvents));
    reply("relay", Version::V2007, "68040302012620689c00bc16", Reply::Done(Service::Relay));
    reply("terminal", Version::V2007, "68040302012620689d0135f316", Reply::Terminal(Terminal::PeriodSwitch));
    reply(
        "security",
        Version::V2007,
        "680403020126206883083233b33a34353637d316",
        Reply::Security { identifier: Identifier::V2007(0x0780_00FF), data: Data::plain(&[1, 2, 3, 4]) },
    );
    reply(
        "unknown",
        Version::V2007,
        "68040302012620689e0134f316",
        Reply::Other { control: Control::from_octet(0x9E), data: Data::plain(&[1]) },
    );
    reply(
        "refused",
        Version::V2007,
        "6804030201262068d101352716",
        Reply::Refused(Service::Read, ErrorWord { version: Version::V2007, bits: 2 }),
    );
    reply(
        "refused write",
        Version::V2007,
        "6804030201262068d401372c16",
        Reply::Refused(Service::Write, ErrorWord { version: Version::V2007, bits: 4 }),
    );
    reply(
        "refused rate",
        Version::V2007,
        "6804030201262068d7013b3316",
        Reply::Refused(Service::ChangeRate, ErrorWord { version: Version::V2007, bits: 8 }),
    );
    reply(
        "refused 1997",
        Version::V1997,
        "6804030201262068c101351716",
        Reply::Refused(Service::Read, ErrorWord { version: Version::V1997, bits: 2 }),
    );
    reply(
        "refused rate 1997",
        Version::V1997,
        "6804030201262068cc01342116",
        Reply::Refused(Service::ChangeRate, ErrorWord { version: Version::V1997, bits: 1 }),
    );
    reply(
        "refused clear demand 1997",
        Version::V1997,
        "6804030201262068d001372816",
        Reply::Refused(Service::ClearDemand, ErrorWord { version: Version::V1997, bits: 4 }),
    );
    reply(
        "refused by the security module",
        Version::V2007,
        "6804030201262068c3023b335316",
        Reply::SecurityRefused(Service::Security, SecurityError(8)),
    );
    reply(
        "relay refused",
        Version::V2007,
        "6804030201262068dc0237336816",
        Reply::SecurityRefused(Service::Relay, SecurityError(4)),
    );
}

#[test]
fn short_data_are_an_error_of_their_service() {
    // icprog copies Length - 4 octets where Length may be below 4, or 5 with SEQ: memory corruption there.
    for (control, service, least) in [
        (0x91, Service::Read, 4),
        (0xB1, Service::Read, 4),
        (0x92, Service::ReadNext, 5),
        (0xB2, Service::ReadNext, 5),
    ] {
        for len in 0..=6u8 {
            let octets = frame([1; 6], control, &[0x11; 6][..len.into()], 0);
            let (frame, _) = Frame::parse(&octets).unwrap();
            let reply = Reply::parse(&frame, Version::V2007);
            if len < least {
                assert_eq!(reply, Err(ServiceError::Length(service, len)));
            } else {
                assert!(
                    matches!(reply, Ok(Reply::Data { data, .. }) if data.len() == usize::from(len - least))
                );
            }
        }
    }
    for version in [Version::V1997, Version::V2007] {
        for control in 0..=255u8 {
            for len in 0..40u8 {
                let octets = frame([1; 6], control, &[0x99; 40][..len.into()], 0);
                let (frame, _) = Frame::parse(&octets).unwrap();
                let _ = (Request::parse(&frame, version), Reply::parse(&frame, version));
            }
        }
    }
}

#[test]
fn an_error_word_wraps_like_all_data() {
    // johngai19 reports 31H - 33H as FEH without asking what the wire said; here FEH is what was sent, all bits but 0.
    let octets = frame([1, 0, 0, 0, 0, 0], 0xD1, &[0xFE], 0);
    assert_eq!(octets[10], 0x31);
    let (frame, _) = Frame::parse(&octets).unwrap();
    let Ok(Reply::Refused(_, word)) = Reply::parse(&frame, Version::V2007) else { panic!("refused") };
    assert_eq!(word.bits, 0xFE);
    assert_eq!(word.reasons().count(), 7);
}

#[test]
fn a_borrow_stays_in_its_octet() {
    // The Java AmmeterUtils take 3 off each nibble, which is wrong whenever the low nibble borrows.
    let octets = frame([1; 6], 0x91, &[0, 0, 1, 0, 0xFD, 0x0D, 0xD0, 0x00], 0);
    assert_eq!(&octets[14..18], [0x30, 0x40, 0x03, 0x33]);
    let (frame, _) = Frame::parse(&octets).unwrap();
    assert!(frame.data().iter().eq([0, 0, 1, 0, 0xFD, 0x0D, 0xD0, 0x00]));
}

#[test]
fn limits_hold_when_building_only() {
    let write = |n: usize| Request::Write {
        identifier: Identifier::V2007(0x0400_0403),
        access: ACCESS,
        data: Data::plain(&[0x41; 250][..n]),
    };
    let mut out = [0; 300];
    assert!(write(38).encode(Version::V2007, ADDRESS, 4, &mut out).is_ok());
    assert_eq!(write(39).encode(Version::V2007, ADDRESS, 4, &mut out), Err(BuildError::TooLong));
    let octets = write(243).encode_unlimited(Version::V2007, ADDRESS, 4, &mut out).unwrap();
    assert_eq!(octets[4 + 9], 255);
    let (frame, _) = Frame::parse(octets).unwrap();
    assert_eq!(Request::parse(&frame, Version::V2007), Ok(write(243)));
    assert_eq!(write(244).encode_unlimited(Version::V2007, ADDRESS, 4, &mut out), Err(BuildError::TooLong));
}

#[test]
fn the_version_decides_and_wrong_ones_are_refused() {
    let mut out = [0; 60];
    let read = Request::Read { identifier: Identifier::V1997(0x9010), query: Query::All };
    assert_eq!(read.encode(Version::V2007, ADDRESS, 0, &mut out), Err(BuildError::Version));
    assert_eq!(Request::ReadAddress.encode(Version::V1997, ADDRESS, 0, &mut out), Err(BuildError::Version));
    // 81H with a 1997 identifier is a reply of 1997, and a vendor's service in 2007.
    let octets = frame([1; 6], 0x81, &[0x10, 0x90, 1, 0, 0, 0], 0);
    let (frame, _) = Frame::parse(&octets).unwrap();
    assert!(matches!(Reply::parse(&frame, Version::V1997), Ok(Reply::Data { .. })));
    assert!(matches!(Reply::parse(&frame, Version::V2007), Ok(Reply::Other { .. })));
}

#[test]
fn identifiers_are_masked_by_the_builder() {
    // Half of the "no answer" cases in the KTS log are frames whose author forgot 33H or summed wrongly.
    let mut out = [0; 40];
    let read = Request::Read { identifier: Identifier::V2007(0x0001_0000), query: Query::All };
    let octets = read.encode(Version::V2007, ADDRESS, 4, &mut out).unwrap();
    assert_eq!(&octets[..4], [0xFE; 4]);
    assert_eq!(&octets[14..18], [0x33, 0x33, 0x34, 0x33]);
    let sum = octets[4..18].iter().fold(0, |a: u8, b| a.wrapping_add(*b));
    assert_eq!(&octets[18..], [sum, 0x16]);
}

#[test]
fn replies_that_no_reader_would_understand_are_not_written() {
    let encode = |version, service, sequence, len: usize| {
        let identifier = Identifier::from_code(version, 0x9010);
        let data = vec![0; len];
        let reply = Reply::Data { service, identifier, data: Data::plain(&data), sequence, more: false };
        let mut out = [0; 300];
        reply.encode(version, Address::WILDCARD, 0, &mut out).map(<[u8]>::len)
    };
    let (new, old) = (Version::V2007, Version::V1997);
    assert_eq!(encode(new, Service::Read, None, 196), Ok(212));
    assert_eq!(encode(new, Service::Read, None, 197), Err(BuildError::TooLong));
    assert_eq!(encode(new, Service::ReadNext, Some(1), 195), Ok(212));
    assert_eq!(encode(new, Service::ReadNext, Some(1), 196), Err(BuildError::TooLong));
    for (version, service, sequence) in [
        (new, Service::Read, Some(1)),
        (new, Service::ReadNext, None),
        (old, Service::ReadNext, Some(1)),
        (old, Service::Read, Some(1)),
        (new, Service::Write, None),
    ] {
        assert_eq!(encode(version, service, sequence, 1), Err(BuildError::Service), "{service}");
    }
    let mut out = [0; 300];
    let long = Reply::Other { control: Control::from_octet(0x9F), data: Data::plain(&[0; 255]) };
    assert_eq!(long.encode(new, Address::WILDCARD, 0, &mut out), Err(BuildError::TooLong));
    assert_eq!(long.encode_unlimited(new, Address::WILDCARD, 0, &mut out).map(<[u8]>::len), Ok(267));
    let refused = |service| Reply::SecurityRefused(service, SecurityError(8));
    assert_eq!(refused(Service::Read).encode(new, Address::WILDCARD, 0, &mut out), Err(BuildError::Service));
    assert!(refused(Service::Relay).encode(new, Address::WILDCARD, 0, &mut out).is_ok());
}

#[test]
fn two_error_octets_are_serr_only_where_there_is_security() {
    let parse = |control| {
        let octets = frame([1; 6], control, &[0x02, 0x00], 0);
        Reply::parse(&Frame::parse(&octets).unwrap().0, Version::V2007).map(|reply| format!("{reply:?}"))
    };
    for control in [0xC3, 0xDC] {
        assert!(parse(control).unwrap().starts_with("SecurityRefused"), "{control:02X}");
    }
    for control in [0xD1, 0xD4, 0xDA] {
        assert!(parse(control).unwrap().starts_with("Refused"), "{control:02X}");
    }
}

#[test]
fn function_03_with_a_vendors_data() {
    for len in 0..8 {
        let data = vec![0x11; len];
        let octets = frame([1; 6], 0x03, &data, 0);
        assert_eq!(
            Request::parse(&Frame::parse(&octets).unwrap().0, Version::V2007),
            Ok(Request::Other { function: 3, data: Data::plain(&data) })
        );
        let octets = frame([1; 6], 0x83, &data, 0);
        let reply = Reply::parse(&Frame::parse(&octets).unwrap().0, Version::V2007).unwrap();
        assert_eq!(matches!(reply, Reply::Other { .. }), len < 4);
    }
}
