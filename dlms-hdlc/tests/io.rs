//! A reader gives the events of the slice iterator, whatever pieces the source reads in, and goes on after it failed.
#![cfg(all(feature = "embedded-io", feature = "embedded-io-async"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

mod common;

use common::sliced;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use dlms_hdlc::frame::Hdlc;
use dlms_hdlc::io::{ReadError, Reader};
use dlms_hdlc::{Address, Builder, Control, Error};
use embedded_io::ErrorKind::{self, TimedOut};

/// Reads in pieces, and fails before each of them.
struct Pieces<'a> {
    octets: &'a [u8],
    piece: usize,
    failed: bool,
}

impl embedded_io::ErrorType for Pieces<'_> {
    type Error = ErrorKind;
}

impl embedded_io::Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        assert!(!out.is_empty(), "never asked for nothing");
        self.failed = !self.failed;
        if self.failed {
            return Err(TimedOut);
        }
        let (now, later) = self.octets.split_at(self.octets.len().min(out.len()).min(self.piece));
        out[..now.len()].copy_from_slice(now);
        self.octets = later;
        Ok(now.len())
    }
}

impl embedded_io_async::Read for Pieces<'_> {
    async fn read(&mut self, out: &mut [u8]) -> Result<usize, ErrorKind> {
        embedded_io::Read::read(self, out)
    }
}

fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("a source in memory never waits"),
    }
}

fn line() -> Vec<u8> {
    let frame = |information| {
        let (destination, source) = (Address::one(0x20), Address::one(1));
        let control = Control::UI;
        Builder { segmented: false, destination, source, control, information }.octets().collect::<Vec<u8>>()
    };
    [&[0x7E][..], &frame(b"one"), &[0x7E, 0x00, 0x01, 0x7E], &frame(b"two"), &frame(b"cut short")[..9]]
        .concat()
}

type Read = Result<Vec<u8>, ReadError<ErrorKind>>;

/// Events without the source's failures, which are counted.
fn sorted(events: impl Iterator<Item = Read>) -> (Vec<Result<Vec<u8>, Error>>, usize) {
    let mut failures = 0;
    let of_the_line = events.filter_map(|event| match event {
        Ok(frame) => Some(Ok(frame)),
        Err(ReadError::Frame(error)) => Some(Err(error)),
        Err(ReadError::Io(TimedOut)) => {
            failures += 1;
            None
        }
        Err(ReadError::Io(other)) => panic!("{other:?}"),
    });
    (of_the_line.collect(), failures)
}

#[test]
fn a_source_that_fails_costs_nothing() {
    let line = line();
    for piece in [1, 2, 7, 100] {
        let source = || Pieces { octets: &line, piece, failed: false };
        let reads = line.len().div_ceil(piece) + 1;
        let mut reader = Reader::<_, Hdlc, _>::new(source(), [0; 100]);
        let blocking = core::iter::from_fn(|| Some(reader.read()?.map(|frame| frame.octets().to_vec())));
        assert_eq!(sorted(blocking), (sliced::<Hdlc>(&line), reads), "pieces of {piece}");
        assert_eq!(reader.decoder().stats().frames, 2);
        assert!(reader.into_inner().octets.is_empty());
        let mut reader = Reader::<_, Hdlc, _>::new(source(), [0; 100]);
        let waiting =
            core::iter::from_fn(|| Some(now(reader.read_async())?.map(|frame| frame.octets().to_vec())));
        assert_eq!(sorted(waiting), (sliced::<Hdlc>(&line), reads), "pieces of {piece}");
    }
}

#[test]
fn an_idle_line_ends_a_frame() {
    let line = line();
    let octets = &line[..line.len() - 9];
    let mut reader =
        Reader::<_, Hdlc, _>::new(Pieces { octets: &octets[..8], piece: 100, failed: true }, [0; 100]);
    let error = reader.read().unwrap().unwrap_err();
    assert_eq!(error, ReadError::Io(TimedOut));
    assert_eq!(error.to_string(), "reading: TimedOut");
    let error = ReadError::<ErrorKind>::Frame(reader.decoder_mut().finish().unwrap().unwrap_err());
    assert_eq!(error.to_string(), "truncated frame (1 octets lost)");
}
