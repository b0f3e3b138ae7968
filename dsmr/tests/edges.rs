//! What stands beside the telegrams: words for what is wrong, a fresh start, a reader that fails, lines out of the ordinary.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use common::checked;
use dsmr::{
    BufferTooSmall, Check, Content, DataLine, Decoder, DeviceKind, Error, ErrorKind, LineDecoder, LineEvent,
    Object, Phase, Processing, Quantity, Reading, Stats, SwitchState, Telegram, Value, Verdict,
};

fn telegram() -> Vec<u8> {
    checked("/EST5\\253710000_A\n\n1-3:0.2.8(50)\n1-0:1.8.0(006545.766*kWh)\n")
}

#[test]
fn what_is_wrong_is_said_in_words_that_differ() {
    let mut words: Vec<String> =
        [ErrorKind::Noise, ErrorKind::Check, ErrorKind::TooLong, ErrorKind::Truncated]
            .map(|kind| kind.to_string())
            .into();
    words.push(BufferTooSmall.to_string());
    words.extend(
        [Check::Verified, Check::Absent, Check::Missing, Check::Ignored, Check::Bad]
            .map(|check| check.to_string()),
    );
    let count = words.len();
    words.sort();
    words.dedup();
    assert!(words.len() == count && words.iter().all(|text| !text.contains(char::is_uppercase)), "{words:?}");
    assert_eq!(Error { kind: ErrorKind::Check, lost: 7 }.to_string(), "check does not agree, 7 octets lost");
    assert_eq!(format!("{:>8}|", Check::Bad), "     bad|");
}

#[test]
fn a_front_that_is_no_telegram_says_how_far_the_next_start_is() {
    let octets = telegram();
    let wrong = |octets: &[u8]| Telegram::parse(octets).unwrap_err();
    assert_eq!(wrong(b""), Error { kind: ErrorKind::Noise, lost: 0 });
    assert_eq!(wrong(b"noise"), Error { kind: ErrorKind::Noise, lost: 5 });
    assert_eq!(wrong(&[b"noise\r\n", &octets[..]].concat()), Error { kind: ErrorKind::Noise, lost: 7 });
    assert_eq!(wrong(&octets[..40]).kind, ErrorKind::Truncated);
    let (whole, rest) = Telegram::parse(&octets).unwrap();
    assert!(rest.trim_ascii().is_empty() && format!("{whole:?}").contains("EST5"), "{whole:?}");
}

#[test]
fn reset_forgets_octets_and_counters() {
    let octets = telegram();
    let twice = [&octets[..], &octets[..40]].concat();
    let mut decoder = Decoder::new([0; 512]);
    let mut input = &twice[..];
    while decoder.decode(&mut input).is_some() {}
    assert_eq!((decoder.held(), decoder.stats().telegrams), (40, 1));
    decoder.reset();
    assert_eq!((decoder.held(), decoder.stats()), (0, Stats::default()));
    assert!(decoder.finish().is_none() && decoder.decode(&mut &octets[..]).unwrap().is_ok());

    let mut decoder = LineDecoder::new([0; 64]);
    let mut input = &twice[..];
    while decoder.decode(&mut input).is_some() {}
    assert_eq!((decoder.held(), decoder.stats().telegrams), (40, 1));
    decoder.reset();
    assert_eq!((decoder.held(), decoder.stats()), (0, Stats::default()));
    assert!(decoder.finish().is_none());
}

/// Per part: first, whole, cut.
fn parts(octets: &[u8], storage: usize) -> (Vec<(bool, bool, bool)>, Vec<Verdict>) {
    let mut decoder = LineDecoder::new(vec![0; storage]);
    let (mut parts, mut verdicts) = (Vec::new(), Vec::new());
    let mut note = |event: Result<LineEvent<'_>, Error>| match event {
        Ok(LineEvent::Data(part)) => parts.push((part.is_first(), part.is_whole(), part.is_cut())),
        Ok(LineEvent::End(end)) => verdicts.push(end.verdict),
        _ => {}
    };
    let mut input = octets;
    while let Some(event) = decoder.decode(&mut input) {
        note(event);
    }
    while let Some(event) = decoder.finish() {
        note(event);
    }
    (parts, verdicts)
}

#[test]
fn lines_longer_than_the_storage_come_in_parts() {
    let octets = telegram();
    let (all, verdicts) = parts(&octets, 64);
    assert_eq!(all, [(true, true, false); 2]);
    assert!(verdicts == [Verdict::Verified] && verdicts[0].is_good());
    let (all, verdicts) = parts(&octets, 20);
    assert_eq!(all, [(true, true, false), (true, false, false), (false, false, false)]);
    assert_eq!(verdicts, [Verdict::Verified]);
    // Another telegram begins in the middle of a line.
    let cut = [&octets[..octets.len() - 12], b"\n/"].concat();
    let (_, verdicts) = parts(&cut, 64);
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| !verdict.is_good()), "{verdicts:?}");
    let (all, _) = parts(b"/EST5\\2\r\n\r\n1-0:1.8.0(0065", 64);
    assert_eq!(all.last(), Some(&(true, false, true)));
    assert!(Verdict::Unchecked(Check::Absent).is_good() && !Verdict::Unchecked(Check::Missing).is_good());
    assert!(!Verdict::Bad(ErrorKind::Check).is_good());
}

#[test]
fn values_out_of_the_ordinary() {
    // A line end between two values, and text behind one.
    let line = DataLine::parse(b"1-0:1.8.0(1*kWh)\r\n(2*kWh)");
    let values: Vec<&[u8]> = line.values().map(Value::octets).collect();
    assert_eq!(values, [&b"1*kWh"[..], b"2*kWh"]);
    assert_eq!(line, DataLine::parse(b"1-0:1.8.0(1*kWh)\r\n(2*kWh)"));
    assert_ne!(line, DataLine::parse(b"1-0:1.8.0(1*kWh)"));
    assert!(
        Value::new(b"  ").is_empty() && !Value::new(b"0").is_empty() && Value::new(b"0") == Value::new(b"0")
    );
    // More digits than a number may have are text.
    let long = Value::new(b"12345678901234567890123");
    assert!(!matches!(long.content(), Content::Number(_)), "{long:?}");
}

#[test]
fn objects_seldom_met() {
    let object = |line: &'static str| DataLine::parse(line.as_bytes()).object();
    let switch = |text: &'static str| match object(text) {
        Object::Switch { state, .. } | Object::Valve { state, .. } => state,
        other => panic!("{other:?}"),
    };
    assert_eq!(switch("0-0:96.3.10(ON)"), SwitchState::On);
    assert_eq!(switch("0-0:96.3.10(off)"), SwitchState::Off);
    assert_eq!(switch("0-1:24.4.0(2)"), SwitchState::ReadyForReconnection);
    assert_eq!(DeviceKind::from_number(6), DeviceKind::HotWater);
    assert_eq!(DeviceKind::from_number(21), DeviceKind::HotWater);
    let reading = |line: &'static str| DataLine::parse(line.as_bytes()).reading();
    assert!(matches!(reading("0-0:17.0.0(999.9*kW)"), Reading::Number { time: None, .. }));
    assert!(matches!(reading("1-0:32.7.255(230.0*V)"), Reading::Number { time: None, .. }));
    assert!(matches!(reading("0-0:42.0.9(190324150541W)"), Reading::Time(_)));
    assert_eq!(Quantity::of(90), Some((Quantity::CurrentSum, Phase::Total)));
    assert_eq!(Quantity::of(91), Some((Quantity::NeutralCurrent, Phase::Total)));
    assert_eq!((Quantity::of(0), Quantity::of(92), Processing::of(9)), (None, None, None));
}

#[test]
fn a_peak_history_says_how_long_it_claims_to_be() {
    let line = DataLine::parse(
        b"0-0:98.1.0(2)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)(200401000000S)(200305122139S)(05.980*kW)",
    );
    let Object::PeakHistory(history) = line.object() else { panic!("{:?}", line.object()) };
    assert_eq!((history.claimed(), history.count()), (Some(2), 2));
    assert_eq!(history.map(|peak| peak.month.full_year()).collect::<Vec<_>>(), [2020, 2020]);
}

#[cfg(all(feature = "embedded-io", feature = "embedded-io-async"))]
mod reader {
    use super::*;
    use core::future::Future;
    use core::pin::pin;
    use core::task::{Context, Poll, Waker};
    use dsmr::{ReadError, Reader};
    use embedded_io::ErrorKind::{self as Failure, TimedOut};

    /// Fails before each read.
    struct Shaky<'a>(&'a [u8], bool);

    impl embedded_io::ErrorType for Shaky<'_> {
        type Error = Failure;
    }

    impl embedded_io::Read for Shaky<'_> {
        fn read(&mut self, out: &mut [u8]) -> Result<usize, Failure> {
            self.1 = !self.1;
            if self.1 {
                return Err(TimedOut);
            }
            let (now, later) = self.0.split_at(self.0.len().min(out.len()).min(7));
            out[..now.len()].copy_from_slice(now);
            self.0 = later;
            Ok(now.len())
        }
    }

    impl embedded_io_async::Read for Shaky<'_> {
        async fn read(&mut self, out: &mut [u8]) -> Result<usize, Failure> {
            embedded_io::Read::read(self, out)
        }
    }

    #[test]
    fn a_source_that_fails_costs_nothing() {
        let octets = telegram();
        let failures = octets.len().div_ceil(7) + 1;
        let mut reader = Reader::new(Shaky(&octets, false), [0; 512]);
        let (mut failed, mut whole) = (0, 0);
        while let Some(event) = reader.read() {
            match event {
                Ok(telegram) => whole += usize::from(octets.starts_with(telegram.octets())),
                Err(error) => {
                    assert_eq!(
                        (error, error.to_string().as_str()),
                        (ReadError::Io(TimedOut), "reading: TimedOut")
                    );
                    failed += 1;
                }
            }
        }
        assert_eq!((whole, failed, reader.decoder().stats().telegrams), (1, failures, 1));
        let mut reader = Reader::new(Shaky(&octets, false), [0; 512]);
        let (mut failed, mut whole) = (0, 0);
        loop {
            let next = pin!(reader.read_async());
            let Poll::Ready(event) = next.poll(&mut Context::from_waker(Waker::noop())) else {
                panic!("waits")
            };
            match event {
                None => break,
                Some(Ok(_)) => whole += 1,
                Some(Err(_)) => failed += 1,
            }
        }
        assert_eq!((whole, failed), (1, failures));
        let error = Error { kind: ErrorKind::Truncated, lost: 3 };
        assert_eq!(ReadError::<Failure>::Telegram(error).to_string(), error.to_string());
    }
}
