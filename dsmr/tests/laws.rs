//! The five laws on dirty streams.
#![allow(
    clippy::unwrap_used,
    clippy::unreachable,
    clippy::std_instead_of_core,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

mod common;

use common::{checked, unchecked};
use dsmr::{Check, Decoder, Error, LineDecoder, LineEvent, Options, Telegram, Verdict};
use proptest::prelude::*;

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Telegram(Vec<u8>, Check),
    Lost(Error),
}

fn event(event: Result<Telegram<'_>, Error>) -> Event {
    match event {
        Ok(telegram) => Event::Telegram(telegram.octets().to_vec(), telegram.check()),
        Err(error) => Event::Lost(error),
    }
}

fn decode(
    octets: &[u8],
    cuts: &[usize],
    storage: usize,
    options: Options,
    dma: bool,
) -> (Vec<Event>, dsmr::Stats) {
    let mut decoder = Decoder::with_options(vec![0; storage], options);
    let mut events = Vec::new();
    let (mut rest, mut turn) = (octets, 0);
    let mut fed = 0;
    while !rest.is_empty() {
        let (mut piece, behind) = rest.split_at(cuts[turn % cuts.len()].clamp(1, rest.len()));
        (rest, turn) = (behind, turn + 1);
        fed += piece.len();
        while dma && !piece.is_empty() {
            let spare = decoder.spare_mut();
            let n = spare.len().min(piece.len());
            assert_ne!(n, 0, "spare room after None");
            spare[..n].copy_from_slice(&piece[..n]);
            piece = &piece[n..];
            decoder.commit(n);
            while let Some(found) = decoder.decode(&mut [].as_slice()) {
                events.push(event(found));
            }
        }
        while let Some(found) = decoder.decode(&mut piece) {
            events.push(event(found));
        }
        assert!(piece.is_empty(), "None leaves the input empty");
        // Conservation at every stop; a telegram that waits behind a report is none here.
        let in_telegrams: usize = events
            .iter()
            .map(|event| if let Event::Telegram(octets, _) = event { octets.len() } else { 0 })
            .sum();
        let stats = decoder.stats();
        assert_eq!(in_telegrams + stats.lost as usize + stats.fill as usize + decoder.held(), fed);
    }
    let mut turns = 0;
    while let Some(found) = decoder.finish() {
        events.push(event(found));
        turns += 1;
        assert!(turns < 10, "finish drains");
    }
    assert_eq!(decoder.held(), 0);
    let stats = decoder.stats();
    let reported: u32 =
        events.iter().map(|event| if let Event::Lost(error) = event { error.lost } else { 0 }).sum();
    assert_eq!(stats.lost, reported, "all that is lost is reported");
    let telegrams: usize = events
        .iter()
        .map(|event| if let Event::Telegram(octets, _) = event { octets.len() } else { 0 })
        .sum();
    assert_eq!(telegrams + (stats.lost + stats.fill) as usize, octets.len());
    (events, stats)
}

fn slice(octets: &[u8], options: Options) -> Vec<Event> {
    let mut telegrams = dsmr::telegrams_with(octets, options);
    let events: Vec<Event> = telegrams.by_ref().map(event).collect();
    let stats = telegrams.stats();
    let in_telegrams: usize = events
        .iter()
        .map(|event| if let Event::Telegram(octets, _) = event { octets.len() } else { 0 })
        .sum();
    assert_eq!(in_telegrams + (stats.lost + stats.fill) as usize, octets.len());
    events
}

/// Verified telegrams up to `!`, and verdicts, of line mode.
fn lines(octets: &[u8], cuts: &[usize], storage: usize) -> Vec<String> {
    let mut decoder = LineDecoder::new(vec![0; storage]);
    let mut events = Vec::new();
    let (mut rest, mut turn) = (octets, 0);
    let (mut good, mut reported) = (0u32, 0u32);
    let mut take = |event: Result<LineEvent<'_>, Error>, held: u32, stats: dsmr::Stats| {
        match event {
            Ok(LineEvent::End(end)) => match end.verdict {
                Verdict::Bad(_) => reported += end.octets,
                _ => good += end.octets,
            },
            Err(error) => reported += error.lost,
            _ => {}
        }
        let _ = (held, stats);
        events.push(format!("{event:?}"));
    };
    while !rest.is_empty() {
        let (mut piece, behind) = rest.split_at(cuts[turn % cuts.len()].clamp(1, rest.len()));
        (rest, turn) = (behind, turn + 1);
        while let Some(event) = decoder.decode(&mut piece) {
            take(event, 0, dsmr::Stats::default());
        }
        assert!(piece.is_empty());
    }
    while let Some(event) = decoder.finish() {
        take(event, 0, dsmr::Stats::default());
    }
    let stats = decoder.stats();
    assert_eq!(decoder.held(), 0);
    assert_eq!(stats.lost, reported);
    assert_eq!((good + stats.lost + stats.fill) as usize, octets.len());
    events
}

fn good() -> impl Strategy<Value = Vec<u8>> {
    let line = prop_oneof![
        Just("1-0:1.8.1(001581.123*kWh)\n".to_owned()),
        Just("0-1:24.2.1(161129200000W)(00981.443*m3)\n".to_owned()),
        Just("0-0:96.13.0(a/b!c)\n".to_owned()),
        Just("0-1:24.3.0(120517020000)(m3)\n(00124.477)\n".to_owned()),
        "[ -~]{0,40}".prop_filter("marks", |text| !text.starts_with(['/', '!'])).prop_map(|text| text + "\n"),
    ];
    let ident = prop_oneof![
        Just("/ISK5\\2M550T-1012\n\n"),
        Just("/HLY5/D545-METER\n\n"),
        Just("/KAM5\n\n"),
        Just("/NWA-WARMTELINK\n")
    ];
    (ident, prop::collection::vec(line, 0..8), 0..6).prop_map(|(ident, lines, ends)| {
        let text = ident.to_owned() + &lines.concat();
        match ends {
            0 => unchecked(&text),
            1 => String::from_utf8(checked(&text)).unwrap().to_lowercase().into_bytes().into_iter().collect(),
            2 => {
                // LF alone, checked as sent.
                let mut octets = text.into_bytes();
                octets.push(b'!');
                let check = common::crc(&octets);
                octets.extend(format!("{check:x}\n").bytes());
                octets
            }
            3 => {
                let mut octets = text.replace('\n', "\r").into_bytes();
                octets.push(b'!');
                let check = common::crc(&octets);
                octets.extend(format!("{check:04X}\r").bytes());
                octets
            }
            _ => checked(&text),
        }
    })
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => good(),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => prop::collection::vec(prop::sample::select(b"/!\r\nAb5(0".to_vec()), 0..40),
        1 => (good(), any::<prop::sample::Index>()).prop_map(|(octets, at)| octets[..at.index(octets.len())].to_vec()),
        1 => (good(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut octets, at, flip)| {
            let at = at.index(octets.len());
            octets[at] ^= flip;
            octets
        }),
        1 => good().prop_map(|octets| {
            let mark = octets.windows(2).rposition(|pair| matches!(pair, [b'\r' | b'\n', b'!'])).unwrap();
            [&octets[..mark + 2], b"<CRC>\r\n"].concat()
        }),
        1 => Just(b"\r\nNO CARRIER\r\n".to_vec()),
        1 => Just(b"\0\r\n\n\r".to_vec()),
        1 => good().prop_map(|octets| octets.trim_ascii_end().to_vec()),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(piece(), 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn conservation_chunks_and_agreement(
        octets in stream(),
        cuts in prop::collection::vec(1usize..90, 1..6),
        lenient: bool,
    ) {
        let options = Options { lenient, ..Options::DEFAULT };
        let whole = slice(&octets, options);
        for cuts in [&cuts[..], &[usize::MAX], &[1]] {
            for dma in [false, true] {
                let (events, _) = decode(&octets, cuts, 4096, options, dma);
                prop_assert_eq!(&events, &whole, "cuts {:?} dma {}", cuts, dma);
            }
        }
    }

    #[test]
    fn chunks_do_not_matter_where_telegrams_do_not_fit(
        octets in stream(),
        cuts in prop::collection::vec(1usize..90, 1..6),
        storage in 1usize..200,
        lenient: bool,
    ) {
        let options = Options { lenient, ..Options::DEFAULT };
        let (whole, _) = decode(&octets, &[usize::MAX], storage, options, false);
        for cuts in [&cuts[..], &[1]] {
            for dma in [false, true] {
                let (events, _) = decode(&octets, cuts, storage, options, dma);
                prop_assert_eq!(&events, &whole, "cuts {:?} dma {}", cuts, dma);
            }
        }
    }

    #[test]
    fn line_mode_conserves_and_does_not_see_the_cuts(
        octets in stream(),
        cuts in prop::collection::vec(1usize..90, 1..6),
        storage in 0usize..150,
    ) {
        let whole = lines(&octets, &[usize::MAX], storage);
        prop_assert_eq!(&lines(&octets, &[1], storage), &whole);
        prop_assert_eq!(&lines(&octets, &cuts, storage), &whole);
        // Both modes say the same of what they verified.
        let verified = slice(&octets, Options::DEFAULT);
        let verified = verified.iter().filter(|event| matches!(event, Event::Telegram(_, Check::Verified))).count();
        prop_assert_eq!(whole.iter().filter(|event| event.contains("Verified")).count(), verified);
    }

    #[test]
    fn a_good_telegram_is_never_lost(
        before in stream(),
        telegram in good(),
        after in stream(),
        on_a_line: bool,
    ) {
        // At the start of a line whatever stood before; elsewhere its check or its shape must prove it, and no `/` may
        // stand so near before it that its own begins in an identification.
        let noise: Vec<u8> = before.iter().copied().filter(|octet| *octet != b'/').collect();
        // What is only a glitch takes three letters, which all have here.
        let glitch = !noise.iter().any(u8::is_ascii_graphic);
        let mut octets = if on_a_line { before } else { noise };
        if on_a_line {
            octets.push(b'\n');
        }
        octets.extend(&telegram);
        octets.extend(b"\n");
        octets.extend(&after);
        let events = slice(&octets, Options::DEFAULT);
        let counts = |check: Check| on_a_line || glitch || is_shaped(&telegram) || check == Check::Verified;
        let found = |found: &Event| matches!(found, Event::Telegram(octets, check) if telegram.starts_with(octets) && counts(*check));
        let stands = Telegram::parse(&telegram).is_ok_and(|(parsed, _)| counts(parsed.check()));
        prop_assert!(!stands || events.iter().any(found), "{:?}", events);
    }

    #[test]
    fn parity_bits_are_stripped(octets in stream(), cuts in prop::collection::vec(1usize..90, 1..6)) {
        let plain: Vec<u8> = octets.iter().map(|octet| octet & 0x7F).collect();
        let with_parity: Vec<u8> = plain.iter().map(|octet| octet | ((octet.count_ones() as u8 & 1) << 7)).collect();
        let options = Options { strip_parity: true, ..Options::DEFAULT };
        let (events, _) = decode(&with_parity, &cuts, 4096, options, false);
        let (dma, _) = decode(&with_parity, &cuts, 4096, options, true);
        prop_assert_eq!(&events, &slice(&plain, Options::DEFAULT));
        prop_assert_eq!(&dma, &events);
    }

    #[test]
    fn anything_at_all_is_read_without_panic(octets: Vec<u8>) {
        let telegram = Telegram::lenient(&octets);
        for line in telegram.lines() {
            let _ = (line.object(), line.reading(), format!("{line:?} {:?} {:?}", line.object(), line.reading()));
        }
        let _ = (telegram.time(), telegram.version(), telegram.devices().count(), telegram.check());
        for line in octets.split(|octet| *octet == b'\n') {
            let line = dsmr::DataLine::parse(line);
            let _ = format!("{:?}", line.reading());
        }
    }
}

/// Three letters, a digit, printable octets; the next line begins with a digit.
fn is_shaped(telegram: &[u8]) -> bool {
    let [b'/', a, b, c, d, rest @ ..] = telegram else { return false };
    let letters = [a, b, c].iter().all(|octet| octet.is_ascii_alphabetic());
    let len = rest.iter().take_while(|octet| matches!(octet, b' '..=b'~')).count();
    let lines = &rest[len..];
    let blank = lines.iter().take_while(|octet| matches!(octet, b'\r' | b'\n')).count();
    letters && d.is_ascii_digit() && blank != 0 && lines.get(blank).is_some_and(u8::is_ascii_digit)
}

/// What one stream gives, the same in every way to feed it.
fn agreed(octets: &[u8], options: Options) -> Vec<Event> {
    let whole = slice(octets, options);
    for cut in [usize::MAX, 1, 7] {
        for dma in [false, true] {
            let (events, _) = decode(octets, &[cut], 4096, options, dma);
            assert_eq!(events, whole, "cuts of {cut}, dma {dma}: {}", octets.escape_ascii());
        }
    }
    whole
}

/// Verdicts of line mode, the same for all cuts.
fn verdicts(octets: &[u8]) -> Vec<Verdict> {
    let all = [usize::MAX, 1, 7].map(|cut| {
        let mut decoder = LineDecoder::new([0; 64]);
        let mut found = Vec::new();
        for mut piece in octets.chunks(cut) {
            while let Some(event) = decoder.decode(&mut piece) {
                if let Ok(LineEvent::End(end)) = event {
                    found.push(end.verdict);
                }
            }
        }
        while let Some(event) = decoder.finish() {
            if let Ok(LineEvent::End(end)) = event {
                found.push(end.verdict);
            }
        }
        found
    });
    assert_eq!((&all[0], &all[0]), (&all[1], &all[2]));
    all[0].clone()
}

const V50: &str =
    "/ISK5\\2M550T-1012\n\n1-3:0.2.8(50)\n0-0:1.0.0(190324150541W)\n1-0:1.8.1(003432.829*kWh)\n";
const LENIENT: Options = Options { lenient: true, ..Options::DEFAULT };

#[test]
fn a_check_line_that_is_no_number_is_bad() {
    for line in ["<CRC>", "xxxx", "****", "0ABCD", " 0000", "12 34", "zz"] {
        for end in ["\r\n", "\n", ""] {
            let telegram =
                [unchecked(V50).strip_suffix(b"\r\n").unwrap(), line.as_bytes(), end.as_bytes()].concat();
            let octets = [&telegram, checked(V50).as_slice()].concat();
            if !end.is_empty() {
                let events = agreed(&octets, LENIENT);
                let taken = telegram.len() - usize::from(end == "\r\n");
                assert_eq!(events.len(), 2, "{line}");
                assert_eq!(events[0], Event::Telegram(telegram[..taken].to_vec(), Check::Bad), "{line}");
                assert!(matches!(events[1], Event::Telegram(_, Check::Verified)), "{line}");
                let events = agreed(&octets, Options::DEFAULT);
                assert!(
                    matches!(events[0], Event::Lost(Error { kind: dsmr::ErrorKind::Check, .. })),
                    "{line}"
                );
                assert!(matches!(verdicts(&octets)[0], Verdict::Bad(dsmr::ErrorKind::Check)));
            }
            assert!(matches!(agreed(&telegram, LENIENT)[..], [Event::Telegram(_, Check::Bad)]), "{line}");
        }
    }
}

const V22: &str = "/KMP5 KA6U000000000000\n\n1-0:1.8.1(07041.882*kWh)\n";

#[test]
fn a_glitch_before_a_start_costs_nothing() {
    let (old, good) = (unchecked(V22), checked(V50));
    let glitches: [&[u8]; 9] = [
        b"\xFF",
        b"\0",
        b"  ",
        b"\xEF\xBB\xBF",
        b"\x1B\x7F\x80",
        b"NO CARRIER",
        b"+++ATH0",
        b"(0012.3*kWh)",
        b"CONNECT 9600 ",
    ];
    for (glitch, line_end) in glitches.iter().flat_map(|glitch| [(*glitch, ""), (*glitch, "\r\n")]) {
        for (telegram, check) in [(&old, Check::Absent), (&good, Check::Verified)] {
            let octets = [line_end.as_bytes(), glitch, telegram, glitch, telegram].concat();
            let kept = |events: Vec<Event>| -> Vec<Event> {
                events.into_iter().filter(|event| matches!(event, Event::Telegram(..))).collect()
            };
            let whole = Event::Telegram(telegram[..telegram.len() - 1].to_vec(), check);
            let events = kept(agreed(&octets, Options::DEFAULT));
            assert_eq!(events, [whole.clone(), whole], "{}", octets.escape_ascii());
            let verdict = if check == Check::Absent { Verdict::Unchecked(check) } else { Verdict::Verified };
            assert_eq!(verdicts(&octets), [verdict; 2], "{}", octets.escape_ascii());
        }
    }
}

#[test]
fn a_slash_inside_is_no_start() {
    let shaped = "0-0:96.13.0(see /ISk5\\2MT382-1000\n1-0:1.8.1(1)\n";
    for text in [
        "0-0:96.13.0(a/b)\n",
        "0-0:96.13.0(/ISk5\\2MT382-1000)\n",
        "0-0:96.13.0(\n \u{FF}/ISk5)\n",
        "\u{1}/ISk5\n",
        shaped,
    ] {
        let telegram = unchecked(&(V22.to_owned() + text));
        let whole = Event::Telegram(telegram[..telegram.len() - 1].to_vec(), Check::Absent);
        assert_eq!(agreed(&telegram, Options::DEFAULT), [whole], "{text}");
        assert_eq!(verdicts(&telegram), [Verdict::Unchecked(Check::Absent)], "{text}");
    }
}

#[test]
fn what_is_not_shaped_like_a_start_needs_a_check() {
    for start in [
        "/ISkX\n\n1-0:1.8.1(1)\n",
        "/IS5\n\n1-0:1.8.1(1)\n",
        "/ISk5\u{1}\n1-0:1.8.1(1)\n",
        "/ISk5\n\n(1)\n",
        "/ISk5 a\n\n",
    ] {
        let octets = [b"text", unchecked(start).as_slice()].concat();
        assert!(matches!(agreed(&octets, Options::DEFAULT)[..], [Event::Lost(_)]), "{start}");
        let octets = [b"text", checked(start).as_slice()].concat();
        let checked = agreed(&octets, Options::DEFAULT);
        let letters = start.as_bytes()[1..4].iter().all(u8::is_ascii_alphabetic);
        assert_eq!(matches!(checked.last(), Some(Event::Telegram(_, Check::Verified))), letters, "{start}");
    }
}

#[test]
fn a_lost_line_end_behind_the_check_costs_nothing() {
    use dsmr::ErrorKind;
    let whole = |octets: &[u8], check| Event::Telegram(octets.to_vec(), check);
    let kept = |octets: Vec<u8>| octets[..octets.len() - 1].to_vec();
    let (good, old) = (checked(V50), unchecked(V22));
    let (open, old_open) = (good.trim_ascii_end(), old.trim_ascii_end());
    // Before another telegram, and at the end of the input.
    let (first, last) = (whole(open, Check::Verified), whole(&kept(good.clone()), Check::Verified));
    assert_eq!(agreed(&[open, &good].concat(), Options::DEFAULT), [first.clone(), last]);
    assert_eq!(agreed(open, Options::DEFAULT), [first]);
    assert_eq!(verdicts(&[open, &good].concat()), [Verdict::Verified; 2]);
    let (first, last) = (whole(old_open, Check::Absent), whole(&kept(old.clone()), Check::Absent));
    assert_eq!(agreed(&[old_open, &old].concat(), Options::DEFAULT), [first, last]);
    assert_eq!(verdicts(&[old_open, &old].concat()), [Verdict::Unchecked(Check::Absent); 2]);
    // Digits that were cut off, wrong ones.
    for (digits, kind) in
        [("", ErrorKind::Truncated), ("0", ErrorKind::Truncated), ("0123", ErrorKind::Check)]
    {
        let cut = [open.strip_suffix(&open[open.len() - 4..]).unwrap(), digits.as_bytes()].concat();
        for (octets, telegrams) in [(cut.clone(), 0), ([&cut, good.as_slice()].concat(), 1)] {
            let events = agreed(&octets, Options::DEFAULT);
            assert!(
                matches!(events[0], Event::Lost(Error { kind: found, .. }) if found == kind),
                "{digits} {events:?}"
            );
            assert_eq!(events.len(), 1 + telegrams);
            assert_eq!(verdicts(&octets)[0], Verdict::Bad(kind), "{digits}");
            assert_eq!(agreed(&octets, LENIENT)[0], whole(&cut, Check::Bad));
        }
    }
}

#[test]
fn an_identification_is_no_time() {
    let octets = b"/0-0:1.0.0(190324150541W)\r\n!";
    assert_eq!(agreed(octets, Options::DEFAULT), [Event::Telegram(octets.to_vec(), Check::Absent)]);
    assert_eq!(verdicts(octets), [Verdict::Unchecked(Check::Absent)]);
}

#[cfg(feature = "embedded-io")]
mod reader {
    use super::*;
    use dsmr::{ReadError, Reader};

    struct Pieces<'a>(&'a [u8], usize);

    impl embedded_io::ErrorType for Pieces<'_> {
        type Error = core::convert::Infallible;
    }

    impl embedded_io::Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
            let n = self.1.min(buffer.len()).min(self.0.len());
            buffer[..n].copy_from_slice(&self.0[..n]);
            self.0 = &self.0[n..];
            Ok(n)
        }
    }

    #[cfg(feature = "embedded-io-async")]
    impl embedded_io_async::Read for Pieces<'_> {
        async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
            embedded_io::Read::read(self, buffer)
        }
    }

    proptest! {
        #[test]
        fn the_adaptors_give_the_same_events(octets in stream(), piece in 1usize..300) {
            let whole = slice(&octets, Options::DEFAULT);
            let mut reader = Reader::new(Pieces(&octets, piece), [0; 4096]);
            let mut events = Vec::new();
            while let Some(found) = reader.read() {
                events.push(match found {
                    Ok(telegram) => event(Ok(telegram)),
                    Err(ReadError::Telegram(error)) => event(Err(error)),
                    Err(ReadError::Io(_)) => unreachable!(),
                });
            }
            prop_assert_eq!(&events, &whole);
            #[cfg(feature = "embedded-io-async")]
            {
                use std::future::Future;
                use std::task::{Context, Poll, Waker};
                let mut reader = Reader::new(Pieces(&octets, piece), [0; 4096]);
                let mut events = Vec::new();
                loop {
                    let next = std::pin::pin!(reader.read_async());
                    let Poll::Ready(found) = next.poll(&mut Context::from_waker(Waker::noop())) else { unreachable!() };
                    match found {
                        None => break,
                        Some(Ok(telegram)) => events.push(event(Ok(telegram))),
                        Some(Err(ReadError::Telegram(error))) => events.push(event(Err(error))),
                        Some(Err(ReadError::Io(_))) => unreachable!(),
                    }
                }
                prop_assert_eq!(&events, &whole);
            }
        }
    }
}
