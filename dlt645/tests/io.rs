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
