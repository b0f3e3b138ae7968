//! Where a frame starts and ends, and what an octet is.

use crate::error::ErrorKind;
use crate::frame::{END, OVERHEAD, START, WAKE_UP};

/// What stands at the front of a run of octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Front {
    /// Cannot be told before there are so many octets.
    Wait(u16),
    /// One octet that the standard lets stand between frames.
    Fill,
    /// One octet that starts nothing.
    Noise,
    /// A whole good frame of so many octets.
    Frame(u16),
    /// A start octet that starts no frame.
    Reject(ErrorKind),
}

/// What one octet is with nothing before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum First {
    /// It may start a frame.
    Start,
    Fill,
    Noise,
}

/// A wire format: what is at the front of a run. `sum(from, to)` is the sum of these octets of the run.
pub(crate) trait Wire {
    /// Whether frames are those of [`Line`], so that the machine may follow them octet by octet.
    const IS_LINE: bool;
    fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16, u16) -> u8) -> Front;
    /// As `front` of a run of one.
    fn first(octet: u8) -> First;
    /// The next octet of `octets` that is not plain noise, for skipping in bulk.
    fn noise(octets: &[u8]) -> usize;
}

/// DL/T 645 itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line;

impl Wire for Line {
    const IS_LINE: bool = true;
    #[inline]
    fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16, u16) -> u8) -> Front {
        front(octets, longest, |n| sum(0, n))
    }
    #[inline]
    fn first(octet: u8) -> First {
        match octet {
            START => First::Start,
            WAKE_UP => First::Fill,
            _ => First::Noise,
        }
    }
    #[inline]
    fn noise(octets: &[u8]) -> usize {
        octets.iter().position(|&octet| octet == START || octet == WAKE_UP).unwrap_or(octets.len())
    }
}

/// Where a frame starts and ends: start octets at +0 and +7, length, sum, end octet. `sum(n)` is the sum of the first
/// `n` octets.
#[inline]
pub(crate) fn front(octets: &[u8], longest: u16, sum: impl FnOnce(u16) -> u8) -> Front {
    match octets.first() {
        None => return Front::Wait(1),
        Some(&START) => {}
        Some(&WAKE_UP) => return Front::Fill,
        Some(_) => return Front::Noise,
    }
    match octets.get(7) {
        None => return Front::Wait(8),
        Some(&START) => {}
        Some(_) => return Front::Reject(ErrorKind::Header),
    }
    let Some(&len) = octets.get(9) else { return Front::Wait(10) };
    let whole = u16::from(len).wrapping_add(OVERHEAD);
    if whole > longest {
        return Front::Reject(ErrorKind::TooLong);
    }
    let body = whole.wrapping_sub(2);
    let mut tail = octets.get(usize::from(body)..).unwrap_or_default().iter();
    match tail.next() {
        None => return Front::Wait(body.wrapping_add(1)),
        Some(&check) if check == sum(body) => {}
        Some(_) => return Front::Reject(ErrorKind::Checksum),
    }
    match tail.next() {
        None => Front::Wait(whole),
        Some(&END) => Front::Frame(whole),
        Some(_) => Front::Reject(ErrorKind::End),
    }
}
