//! How many octets the framing is given for each octet of input, on streams made to cost as much as they can. Counted,
//! not timed, so the bounds hold on any machine.

use crate::address::Address;
use crate::control::Control;
use crate::decoder::{Decoder, Framing, Step, sealed};
use crate::error::ErrorKind;
use crate::frame::{Builder, FLAG, Frame, Hdlc};
use crate::frames::Frames;
use core::cell::Cell;
use std::vec::Vec;

std::thread_local! {
    static GIVEN: Cell<usize> = const { Cell::new(0) };
}

fn given(octets: usize) {
    GIVEN.set(GIVEN.get().saturating_add(octets));
}

/// HDLC, counting the octets that it looks at.
#[derive(Clone)]
struct Counted(Hdlc);

impl sealed::Sealed for Counted {}

impl Framing for Counted {
    type Frame<'a> = Frame<'a>;
    const START: Self = Self(Hdlc::START);
    fn feed(&mut self, held: usize, octet: u8, capacity: usize) -> Step {
        given(1);
        self.0.feed(held, octet, capacity)
    }
    fn feed_many(&mut self, held: usize, octets: &[u8]) -> usize {
        let fed = self.0.feed_many(held, octets);
        given(fed);
        fed
    }
    fn whole(&self, octets: &[u8], capacity: usize) -> Option<Result<usize, ErrorKind>> {
        let found = self.0.whole(octets, capacity);
        match found {
            Some(Ok(len)) => given(len),
            Some(Err(_)) => given(usize::from(u16::from_be_bytes([octets[0] & 7, octets[1]]))),
            // The longest header with its HCS.
            None => given(13.min(octets.len())),
        }
        found
    }
    fn fill(&mut self, octets: &[u8]) -> usize {
        self.0.fill(octets)
    }
    fn noise(&self, octets: &[u8]) -> usize {
        self.0.noise(octets)
    }
    fn restart(&mut self, delivered: bool) {
        self.0.restart(delivered);
    }
    fn view(octets: &[u8]) -> Frame<'_> {
        Hdlc::view(octets)
    }
}

/// A flag and a header whose check sequence is good, without the information that it claims.
fn false_header(claimed: usize) -> Vec<u8> {
    let information = std::vec![0; claimed];
    let builder = Builder {
        segmented: false,
        destination: Address::one(0x20),
        source: Address::one(1),
        control: Control::UI,
        information: &information,
    };
    core::iter::once(FLAG).chain(builder.octets().take(7)).collect()
}

/// Octets given for each one of the stream, by a decoder that gets it in chunks.
fn in_chunks(stream: &[u8], chunk: usize) -> usize {
    GIVEN.set(0);
    let mut decoder = Decoder::<Counted, _>::new([0; 2356]);
    for mut chunk in stream.chunks(chunk) {
        while decoder.decode(&mut chunk).is_some() {}
    }
    GIVEN.get().div_ceil(stream.len())
}

fn in_a_slice(stream: &[u8]) -> usize {
    GIVEN.set(0);
    assert!(Frames::<Counted>::new(stream).count() > 0);
    GIVEN.get().div_ceil(stream.len())
}

#[test]
fn a_decoder_looks_at_an_octet_nine_times_whatever_the_stream() {
    for claimed in [1, 8, 11, 20, 45, 100, 500, 2000, 2038] {
        let stream = false_header(claimed).repeat(3000);
        for chunk in [1, 16, 64] {
            let times = in_chunks(&stream, chunk);
            assert!(times <= 9, "{claimed} claimed, chunks of {chunk}: {times}");
        }
    }
    for chunk in [1, 16, 64] {
        assert!(in_chunks(&[FLAG, 0xA0].repeat(10_000), chunk) <= 9);
    }
}

#[test]
fn a_slice_is_looked_at_once_for_each_claim_that_covers_an_octet() {
    for claimed in [1, 100, 2038] {
        let stream = false_header(claimed).repeat(3000);
        let (times, claims) = (in_a_slice(&stream), (claimed + 10).div_ceil(8));
        assert!(times <= claims + 2, "{claimed} claimed: {times}");
    }
}
