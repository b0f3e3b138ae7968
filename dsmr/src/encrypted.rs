//! Encrypted telegrams (Luxembourg, Austria, and Elgama and Kaifa meters in Poland): found in a stream by their length,
//! and, with feature `aes-gcm`, decrypted.
//!
//! Two forms, with sc the security control (bit 5 encrypted, bit 4 authenticated) and ic the invocation counter:
//!
//! * `DB` · `08` · system title (8) · length (`82` and two octets; one octet and `81` and one octet are taken too) ·
//!   sc · ic (4) · ciphertext · tag (12)
//! * `/` identification CR LF CR LF · `00` · length · sc · ic (4) · ciphertext · tag (12): no `DB` and no system title,
//!   which the owner has to supply
//!
//! There is no check that can be seen without the key. So a false start whose header looks right takes in what follows
//! it; whoever has the key and finds a frame to be false says so with [`Decoder::reject`], and nothing is lost.

use crate::error::{Error, ErrorKind, Stats};
use crate::framing::is_line_end;
use obis::apdu::Ciphered;

#[cfg(feature = "aes-gcm")]
pub use crate::opened::{CheckPolicy, OpenError, Opened, Security, TagPolicy, TagVerdict};

/// An encrypted telegram, from `DB` or `/` to the last octet of the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    octets: &'a [u8],
    identification: Option<&'a [u8]>,
    ciphered: Ciphered<'a>,
}

impl<'a> Frame<'a> {
    /// The frame at the front of `octets`, and what follows it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Truncated`] where the octets end first, [`ErrorKind::Noise`] where they begin with no frame.
    pub fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), Error> {
        let total = match header(octets) {
            Header::Total(total) => total,
            Header::More => {
                return Err(Error {
                    kind: ErrorKind::Truncated,
                    lost: crate::decoder::wrapped(octets.len()),
                });
            }
            Header::Bad => return Err(Error { kind: ErrorKind::Noise, lost: 1 }),
        };
        let Some((frame, rest)) = octets.split_at_checked(total) else {
            return Err(Error { kind: ErrorKind::Truncated, lost: crate::decoder::wrapped(octets.len()) });
        };
        match Self::of(frame) {
            Some(frame) => Ok((frame, rest)),
            None => Err(Error { kind: ErrorKind::Noise, lost: 1 }),
        }
    }

    fn of(octets: &'a [u8]) -> Option<Self> {
        if octets.first() == Some(&b'/') {
            let len = octets.iter().position(|octet| is_line_end(*octet))?;
            let (front, rest) = octets.split_at_checked(len)?;
            let blank = rest.iter().take_while(|octet| is_line_end(**octet)).count();
            let (ciphered, _) = Ciphered::parse_body(rest.get(blank..)?).ok()?;
            return Some(Self { octets, identification: front.get(1..), ciphered });
        }
        let (ciphered, _) = Ciphered::parse(octets).ok()?;
        Some(Self { octets, identification: None, ciphered })
    }

    /// The whole frame.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// The identification in the clear, without `/`, of the form that has one.
    #[must_use]
    pub const fn identification(&self) -> Option<&'a [u8]> {
        self.identification
    }

    /// Security control, invocation counter, ciphertext and tag.
    #[must_use]
    pub const fn ciphered(&self) -> Ciphered<'a> {
        self.ciphered
    }

    /// The system title; `None` in the form that has none.
    #[must_use]
    pub fn system_title(&self) -> Option<[u8; 8]> {
        self.ciphered.system_title.try_into().ok()
    }
}

/// Longest identification in the clear.
const LONGEST_IDENTIFICATION: usize = 64;

enum Header {
    /// Good as far as it goes.
    More,
    Bad,
    /// The frame has so many octets.
    Total(usize),
}

/// What the first octets say. It looks at the header alone.
fn header(octets: &[u8]) -> Header {
    match octets {
        [] => Header::More,
        [0xDB, rest @ ..] => match rest {
            [] => Header::More,
            [8, rest @ ..] => match rest.get(8..) {
                None => Header::More,
                Some(rest) => length(rest, 10),
            },
            _ => Header::Bad,
        },
        [b'/', text @ ..] => {
            let front =
                text.get(..text.len().min(LONGEST_IDENTIFICATION.saturating_add(1))).unwrap_or_default();
            let len = front.iter().position(|octet| is_line_end(*octet)).unwrap_or(front.len());
            let name = text.get(..len).unwrap_or_default();
            let letters = name.iter().take(3).all(u8::is_ascii_alphabetic);
            let printable = name.iter().all(|octet| matches!(octet, b' '..=b'~'));
            if !letters || !printable || len > LONGEST_IDENTIFICATION {
                return Header::Bad;
            }
            let rest = text.get(len..).unwrap_or_default();
            let blank = rest.iter().take_while(|octet| is_line_end(**octet)).count();
            if len < 3 && !rest.is_empty() || blank > 4 {
                return Header::Bad;
            }
            match rest.get(blank..) {
                None | Some([]) => Header::More,
                Some([0, rest @ ..]) => length(rest, len.saturating_add(blank).saturating_add(2)),
                Some(_) => Header::Bad,
            }
        }
        _ => Header::Bad,
    }
}

/// Length and security control, behind `before` octets.
fn length(octets: &[u8], before: usize) -> Header {
    let (len, width, rest) = match octets {
        [0x82, high, low, rest @ ..] => (u16::from_be_bytes([*high, *low]), 3usize, rest),
        [0x81, len, rest @ ..] => (u16::from(*len), 2, rest),
        [len @ ..=0x7F, rest @ ..] => (u16::from(*len), 1, rest),
        [] | [0x81] | [0x82] | [0x82, _] => return Header::More,
        _ => return Header::Bad,
    };
    let len = usize::from(len);
    let Some(security) = rest.first() else { return Header::More };
    // Suites 0 to 2, encrypted; uncompressed or not, whichever key set.
    let shortest = if security & 0x10 == 0 { 5 } else { 17 };
    if security & 0x0F > 2 || security & 0x20 == 0 || len < shortest {
        return Header::Bad;
    }
    Header::Total(before.saturating_add(width).saturating_add(len))
}

/// Finds encrypted telegrams in octets that come in any pieces, in the caller's storage, which is as long as the
/// longest frame that is to be had. A longer one is reported as [`ErrorKind::TooLong`] as soon as its length is known.
///
/// An octet that turns out to begin no frame is given up, and those behind it are looked at again, a bounded number of
/// them for each octet that comes.
#[derive(Debug)]
pub struct Decoder<B> {
    storage: B,
    core: Core,
}

#[derive(Debug)]
struct Core {
    /// Octets of the frame in progress, or of the one handed out.
    held: usize,
    /// Its length, once known.
    total: Option<usize>,
    /// Octets that wait to be looked at: committed ones, and those of a frame that was none.
    read: usize,
    write: usize,
    unreported: u32,
    handed_out: bool,
    stats: Stats,
}

/// Octets that may be looked at again for each one that comes.
const AGAIN: u8 = 8;

impl<B> Decoder<B> {
    /// A decoder with the caller's storage.
    pub const fn new(storage: B) -> Self {
        Self { storage, core: Core::new() }
    }

    /// Counters since the start or the last [`Decoder::reset`]; frames count as telegrams.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }

    /// Octets that are held.
    #[must_use]
    pub const fn held(&self) -> usize {
        let waiting = self.core.write.saturating_sub(self.core.read);
        if self.core.handed_out { waiting } else { self.core.held.saturating_add(waiting) }
    }

    /// Forgets everything, counters included.
    pub fn reset(&mut self) {
        self.core = Core::new();
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// Takes octets from the front of `input` up to the next event. `None`: all of it has been taken in.
    ///
    /// # Errors
    ///
    /// [`Error`] says that octets were lost; the decoder goes on behind them.
    pub fn decode<'s>(&'s mut self, input: &mut &[u8]) -> Option<Result<Frame<'s>, Error>> {
        let found = self.core.locate(self.storage.as_mut(), input, false)?;
        Some(found.and_then(|len| self.frame(len)))
    }

    /// The line is idle, or there is no more input: gives up what is held. Call it until it returns `None`. A gap of
    /// 100 ms or so is the only thing that ends a frame that lost octets before the next one fills it up.
    ///
    /// # Errors
    ///
    /// As [`Decoder::decode`].
    pub fn finish(&mut self) -> Option<Result<Frame<'_>, Error>> {
        let found = self.core.locate(self.storage.as_mut(), &mut [].as_slice(), true)?;
        Some(found.and_then(|len| self.frame(len)))
    }

    /// The frame just handed out is none, as its tag does not fit: one octet is given up, and the others are looked at
    /// again by the next calls. Only straight behind that frame; otherwise nothing happens.
    pub fn reject(&mut self) {
        self.core.reject(self.storage.as_mut());
    }

    /// Free storage for a driver to write to; [`Decoder::commit`] says how much came, and [`Decoder::decode`] with
    /// empty input then takes it. Never empty after `decode` or `finish` returned `None`, unless the storage is.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.core.compact(self.storage.as_mut());
        self.storage.as_mut().get_mut(self.core.write..).unwrap_or_default()
    }

    /// The first `n` octets of [`Decoder::spare_mut`] have been written.
    pub fn commit(&mut self, n: usize) {
        self.core.compact(self.storage.as_mut());
        self.core.write = self.core.write.saturating_add(n).min(self.storage.as_ref().len());
    }

    fn frame(&self, len: usize) -> Result<Frame<'_>, Error> {
        // The header was looked at already, so there is a frame.
        let octets = self.storage.as_ref().get(..len).unwrap_or_default();
        Frame::of(octets).ok_or(Error { kind: ErrorKind::Noise, lost: 0 })
    }
}

impl Core {
    const fn new() -> Self {
        Self {
            held: 0,
            total: None,
            read: 0,
            write: 0,
            unreported: 0,
            handed_out: false,
            stats: Stats { telegrams: 0, errors: 0, lost: 0, fill: 0 },
        }
    }

    fn lose(&mut self, n: u32) {
        self.unreported = self.unreported.wrapping_add(n);
        self.stats.lost = self.stats.lost.wrapping_add(n);
    }

    fn report(&mut self, kind: ErrorKind) -> Error {
        self.stats.errors = self.stats.errors.wrapping_add(1);
        Error { kind, lost: core::mem::take(&mut self.unreported) }
    }

    fn settle(&mut self) {
        if self.handed_out {
            (self.handed_out, self.held, self.total) = (false, 0, None);
        }
    }

    /// Brings what waits up to what is held, so that all free room is at the end.
    fn compact(&mut self, storage: &mut [u8]) {
        self.settle();
        if self.read >= self.write {
            (self.read, self.write) = (self.held, self.held);
        } else if self.read > self.held {
            storage.copy_within(self.read..self.write, self.held);
            self.write = self.held.saturating_add(self.write.saturating_sub(self.read));
            self.read = self.held;
        }
    }

    /// Gives up the first octet held; the others wait to be looked at again, in front of those that wait already.
    fn give_up(&mut self, storage: &mut [u8]) {
        let again = self.held.saturating_sub(1);
        if self.read >= self.write {
            (self.read, self.write) = (self.held, self.held);
        }
        let to = self.read.saturating_sub(again);
        storage.copy_within(1..self.held.max(1), to);
        (self.read, self.held, self.total) = (to, 0, None);
        self.lose(1);
    }

    fn reject(&mut self, storage: &mut [u8]) {
        if self.handed_out {
            self.handed_out = false;
            self.stats.telegrams = self.stats.telegrams.wrapping_sub(1);
            self.give_up(storage);
        }
    }

    fn locate(&mut self, storage: &mut [u8], input: &mut &[u8], end: bool) -> Option<Result<usize, Error>> {
        self.settle();
        let mut budget = 64u8;
        loop {
            if self.total == Some(self.held) {
                if Frame::of(storage.get(..self.held).unwrap_or_default()).is_none() {
                    self.give_up(storage);
                    continue;
                }
                if self.unreported != 0 {
                    return Some(Err(self.report(ErrorKind::Noise)));
                }
                self.handed_out = true;
                self.stats.telegrams = self.stats.telegrams.wrapping_add(1);
                return Some(Ok(self.held));
            }
            let waiting = self.write.saturating_sub(self.read);
            if waiting != 0 && budget == 0 && !end {
                if self.write >= storage.len() && self.read > self.held {
                    self.compact(storage);
                }
                // With no room left it goes on looking, whatever that costs: it ends with the room to be had.
                if self.write < storage.len() {
                    let (first, rest) = input.split_first()?;
                    if let Some(place) = storage.get_mut(self.write) {
                        *place = *first;
                    }
                    self.write = self.write.saturating_add(1);
                    *input = rest;
                    budget = AGAIN;
                    continue;
                }
            }
            let octet = if waiting != 0 {
                budget = budget.saturating_sub(1);
                let octet = storage.get(self.read).copied()?;
                self.read = self.read.saturating_add(1);
                octet
            } else if let Some((first, rest)) = input.split_first() {
                *input = rest;
                *first
            } else if !end {
                return None;
            } else if self.held != 0 {
                self.give_up(storage);
                return Some(Err(self.report(ErrorKind::Truncated)));
            } else if self.unreported != 0 {
                return Some(Err(self.report(ErrorKind::Noise)));
            } else {
                return None;
            };
            if let Some(error) = self.take(storage, octet) {
                return Some(Err(error));
            }
        }
    }

    fn take(&mut self, storage: &mut [u8], octet: u8) -> Option<Error> {
        if self.held == 0 && !matches!(octet, 0xDB | b'/') {
            if is_line_end(octet) {
                self.stats.fill = self.stats.fill.wrapping_add(1);
            } else {
                self.lose(1);
            }
            return None;
        }
        let Some(place) = storage.get_mut(self.held) else {
            // Only storage of less than a header comes here: a longer claim is refused below.
            self.lose(1);
            if self.held != 0 {
                self.give_up(storage);
            }
            return Some(self.report(ErrorKind::TooLong));
        };
        *place = octet;
        self.held = self.held.saturating_add(1);
        if self.total.is_some() {
            return None;
        }
        let front = storage.get(..self.held).unwrap_or_default();
        let kind = match header(front) {
            Header::More if self.held < storage.len() => return None,
            Header::Total(total) if total <= storage.len() => {
                self.total = Some(total);
                return None;
            }
            Header::Bad => ErrorKind::Noise,
            Header::More | Header::Total(_) => ErrorKind::TooLong,
        };
        self.give_up(storage);
        (kind != ErrorKind::Noise).then(|| self.report(kind))
    }
}

/// The encrypted telegrams of a slice, with nothing copied: the same events as a [`Decoder`] with storage enough.
#[must_use]
pub const fn frames(input: &[u8]) -> Frames<'_> {
    Frames { rest: input, unreported: 0 }
}

/// Iterator of [`frames`].
#[derive(Clone, Debug)]
pub struct Frames<'i> {
    rest: &'i [u8],
    unreported: u32,
}

impl<'i> Iterator for Frames<'i> {
    type Item = Result<Frame<'i>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let report = |kind, lost: &mut u32| Some(Err(Error { kind, lost: core::mem::take(lost) }));
            let Some((first, behind)) = self.rest.split_first() else {
                return if self.unreported == 0 {
                    None
                } else {
                    report(ErrorKind::Noise, &mut self.unreported)
                };
            };
            if is_line_end(*first) {
                self.rest = behind;
                continue;
            }
            let kind = match header(self.rest) {
                Header::Total(total) => match self.rest.split_at_checked(total) {
                    None => ErrorKind::Truncated,
                    Some(_) if self.unreported != 0 => return report(ErrorKind::Noise, &mut self.unreported),
                    Some((octets, rest)) => match Frame::of(octets) {
                        None => ErrorKind::Noise,
                        Some(frame) => {
                            self.rest = rest;
                            return Some(Ok(frame));
                        }
                    },
                },
                Header::More => ErrorKind::Truncated,
                Header::Bad => ErrorKind::Noise,
            };
            self.rest = behind;
            self.unreported = self.unreported.wrapping_add(1);
            if kind != ErrorKind::Noise {
                return report(kind, &mut self.unreported);
            }
        }
    }
}
