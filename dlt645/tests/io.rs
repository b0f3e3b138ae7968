//! The readers give the events of the slice iterator, whatever pieces the source reads in.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async"))]
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use core::convert::Infallible;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use common::dirty;
use dlt645::{Error, ReadError, Reader, STORAGE, frames};
use proptest::prelude::*;

struct Pieces<'a>(&'a [u8], usize);

impl embedded_io::ErrorType for Pieces<'_> {
    type Error = Infallible;
}

impl embedded_io::Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Infallible> {
        assert!(!out.is_empty(), "never asked for nothing");
        let n = self.0.len().min(out.len()).min(self.1);
        let (now, later) = self.0.split_at(n);
        out[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

impl embedded_io_async::Read for Pieces<'_> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, Infallible> {
        embedded_io::Read::read(self, out)
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a source in memory never waits"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn readers_agree_with_the_slice(input in dirty(), piece in 1..500usize) {
        let expected: Vec<Result<Vec<u8>, Error>> =
            frames(&input).map(|event| event.map(|frame| frame.octets().to_vec())).collect();
        let unwrap = |error| match error {
            ReadError::Frame(error) => error,
            ReadError::Io(never) => match never {},
        };
        let mut reader = Reader::new(Pieces(&input, piece), [0; STORAGE]);
        let mut events = vec![];
        while let Some(event) = reader.read_frame() {
            events.push(event.map(|frame| frame.octets().to_vec()).map_err(unwrap));
        }
        prop_assert_eq!(&events, &expected);
        let mut reader = Reader::new(Pieces(&input, piece), [0; STORAGE]);
        let mut events = vec![];
        while let Some(event) = now(reader.read_frame_async()) {
            events.push(event.map(|frame| frame.octets().to_vec()).map_err(unwrap));
        }
        prop_assert_eq!(&events, &expected);
    }
}

/// Fails before each read.
struct Shaky<'a>(Pieces<'a>, bool);

impl embedded_io::ErrorType for Shaky<'_> {
    type Error = embedded_io::ErrorKind;
}

impl embedded_io::Read for Shaky<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, Self::Error> {
        self.1 = !self.1;
        if self.1 {
            return Err(embedded_io::ErrorKind::TimedOut);
        }
        embedded_io::Read::read(&mut self.0, out).map_err(|never| match never {})
    }
}

impl embedded_io_async::Read for Shaky<'_> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, Self::Error> {
        embedded_io::Read::read(self, out)
    }
}

#[test]
fn a_source_that_fails_costs_nothing() {
    let builder = dlt645::Builder {
        wake_up: 4,
        address: dlt645::Address::from_number(7),
        control: dlt645::Control::from_octet(0x91),
        data: dlt645::Data::plain(&[1, 2, 3, 4, 5]),
    };
    let line: Vec<u8> = [builder.octets(), builder.octets()].into_iter().flatten().collect();
    let reads = line.len().div_ceil(7) + 1;
    let timeout = ReadError::Io(embedded_io::ErrorKind::TimedOut);
    assert_eq!(timeout.to_string(), "reading: TimedOut");
    let mut reader = Reader::new(Shaky(Pieces(&line, 7), false), [0; STORAGE]);
    let (mut whole, mut failed) = (0, 0);
    while let Some(event) = reader.read_frame() {
        match event {
            Ok(_) => whole += 1,
            Err(error) if error == timeout => failed += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((whole, failed, reader.decoder().stats().frames), (2, reads, 2));
    assert!(reader.into_source().0.0.is_empty());
    let mut reader = Reader::new(Shaky(Pieces(&line, 7), false), [0; STORAGE]);
    let (mut whole, mut failed) = (0, 0);
    while let Some(event) = now(reader.read_frame_async()) {
        match event {
            Ok(_) => whole += 1,
            Err(error) if error == timeout => failed += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!((whole, failed), (2, reads));
    let error = Error { kind: dlt645::ErrorKind::End, lost: 1 };
    assert_eq!(ReadError::<Infallible>::Frame(error).to_string(), error.to_string());
}
