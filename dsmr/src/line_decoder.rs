//! Line mode: data lines as they arrive, with no room for a telegram.

use core::cell::Cell;

use crate::check::Check;
use crate::decoder::wrapped;
use crate::error::{Error, ErrorKind, Stats};
use crate::framing::{Framing, Options, Step, is_line_end};
use crate::line::DataLine;
use crate::telegram::{Version, line_has_season, line_says_four_or_later};

/// Hands out the lines of telegrams one by one, and what is known of the check at the end.
///
/// The storage holds one line, not a telegram: 128 octets do for all but texts and logs, and a longer line comes in
/// parts, so that nothing is lost however long it is. A part ends behind a parenthesis where there is one, so values
/// stay whole; only a value longer than the storage is cut. Take 32 octets at least.
///
/// Lines are not verified until [`Verdict::Verified`] comes behind them: act on them then.
///
/// A line is handed out with the first octet of the next one, as the next may continue it (the gas reading of
/// DSMR 2.2 and 3.0); [`LineDecoder::finish`] does so when the line is idle.
///
/// ```
/// use dsmr::{LineDecoder, LineEvent};
/// let mut decoder = LineDecoder::new([0; 64]);
/// let mut input = b"/ISk5\\2MT382-1000\r\n\r\n1-0:1.8.1(12345.678*kWh)\r\n!\r\n".as_slice();
/// let mut energy = None;
/// while let Some(event) = decoder.decode(&mut input) {
///     match event {
///         Ok(LineEvent::Data(part)) => energy = part.line().value().and_then(|value| value.scaled()),
///         Ok(LineEvent::End(end)) if end.verdict.is_good() => assert_eq!(energy.unwrap().to_string(), "12345.678 kWh"),
///         _ => {}
///     }
/// }
/// # assert_eq!(decoder.stats().telegrams, 1);
/// ```
#[derive(Debug)]
pub struct LineDecoder<B> {
    storage: B,
    core: LineCore,
}

/// What comes out of line mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LineEvent<'a> {
    /// A telegram began: its identification without `/`.
    Identification(Part<'a>),
    /// A data line, not verified.
    Data(Part<'a>),
    /// The telegram is over.
    End(End),
}

/// A line, or a part of one that is longer than the storage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    octets: &'a [u8],
    first: bool,
    last: bool,
    cut: bool,
}

impl<'a> Part<'a> {
    /// The octets, without line ends. Behind the first part, they go on where the part before ended.
    #[must_use]
    pub const fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether the line begins here.
    #[must_use]
    pub const fn is_first(&self) -> bool {
        self.first
    }

    /// Whether the line ends here.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        self.last
    }

    /// Whether it is a whole line, with its line end.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.first && self.last && !self.cut
    }

    /// Whether the octets stopped coming, or another telegram began, in the middle of the line.
    #[must_use]
    pub const fn is_cut(&self) -> bool {
        self.cut
    }

    /// The part read as a data line. The code stands in the first part; the values of later ones can be had the same
    /// way, unless a value is longer than the storage.
    #[must_use]
    pub fn line(&self) -> DataLine<'a> {
        DataLine::parse(self.octets)
    }
}

impl core::fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (before, after) = (if self.first { "" } else { "… " }, if self.last { "" } else { " …" });
        write!(f, "{before}{}{after}", self.octets.escape_ascii())
    }
}

/// The end of a telegram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct End {
    /// What is known of it.
    pub verdict: Verdict,
    /// Its octets, from `/` to the line end of the check line.
    pub octets: u32,
}

/// What is known of a telegram at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Verdict {
    /// The check agrees with all octets.
    Verified,
    /// There was no check to compare: [`Check::Absent`], [`Check::Missing`] or [`Check::Ignored`].
    Unchecked(Check),
    /// The lines are not to be trusted, and why.
    Bad(ErrorKind),
}

impl Verdict {
    /// Whether the lines may be used: verified, or of a dialect that has no check, or the caller compares none.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Verified | Self::Unchecked(Check::Absent | Check::Ignored))
    }

    /// The same in the terms of [`Telegram::check`](crate::Telegram::check).
    #[must_use]
    pub const fn check(self) -> Check {
        match self {
            Self::Verified => Check::Verified,
            Self::Unchecked(check) => check,
            Self::Bad(_) => Check::Bad,
        }
    }
}

impl<B> LineDecoder<B> {
    /// A decoder with the caller's storage for one line and [`Options::DEFAULT`].
    pub const fn new(storage: B) -> Self {
        Self::with_options(storage, Options::DEFAULT)
    }

    /// A decoder with the caller's storage for one line. [`Options::lenient`] means nothing here.
    pub const fn with_options(storage: B, options: Options) -> Self {
        Self { storage, core: LineCore::new(options) }
    }

    /// Counters since the start or the last [`LineDecoder::reset`]. The octets of bad telegrams count as lost.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }

    /// Octets of the telegram in progress.
    #[must_use]
    pub const fn held(&self) -> u32 {
        self.core.held()
    }

    /// Forgets everything but the options, counters included.
    pub fn reset(&mut self) {
        self.core = LineCore::new(self.core.framing.options);
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> LineDecoder<B> {
    /// Takes octets from the front of `input` up to the next event. `None`: all of it has been taken in.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Noise`]: octets outside of any telegram were lost.
    pub fn decode<'s>(&'s mut self, input: &mut &[u8]) -> Option<Result<LineEvent<'s>, Error>> {
        if self.core.take_body(self.storage.as_mut(), input) {
            return None;
        }
        let found = self.core.locate(self.storage.as_mut(), input)?;
        Some(found.map(|found| self.event(found)))
    }

    /// The line is idle, or there is no more input: hands out and ends what is there. Call it until it returns `None`.
    ///
    /// # Errors
    ///
    /// As [`LineDecoder::decode`].
    pub fn finish(&mut self) -> Option<Result<LineEvent<'_>, Error>> {
        let found = self.core.end(self.storage.as_mut())?;
        Some(found.map(|found| self.event(found)))
    }

    fn event(&self, found: Found) -> LineEvent<'_> {
        match found {
            Found::End(verdict) => LineEvent::End(End { verdict, octets: self.core.over }),
            Found::Line { len, identification, first, last, cut } => {
                let octets = self.storage.as_ref().get(..len).unwrap_or_default();
                let part = Part { octets, first, last, cut };
                if identification { LineEvent::Identification(part) } else { LineEvent::Data(part) }
            }
        }
    }
}

/// An event without a borrow.
enum Found {
    Line { len: usize, identification: bool, first: bool, last: bool, cut: bool },
    End(Verdict),
}

/// Longest rest behind the last whole value that is moved to the front when a line is parted, so that the work stays
/// bounded: no number or time is longer.
const LONGEST_MOVE: usize = 20;

#[derive(Debug)]
struct LineCore {
    framing: Framing,
    /// Octets of the line in the storage.
    len: usize,
    /// How many were handed out by the last call.
    handed_out: usize,
    /// Octets of the telegram in progress, less the `len` in the storage.
    octets: u32,
    /// Octets of the last one that was over.
    over: u32,
    /// Octets lost since the last report.
    unreported: u32,
    stats: Stats,
    /// The line is the identification.
    identification: bool,
    /// A part of the line was handed out.
    parted: bool,
    /// A line of this telegram, or a part of one, was handed out.
    begun: bool,
    /// The line has its line end.
    ended: bool,
    /// Inside a data line, of which nothing was handed out that is still there: text follows up to a line end.
    in_text: bool,
    /// What the identification says of its version so far.
    version: Version,
    /// The version object says 4 or later.
    four_or_later: bool,
    /// The time has a season.
    season: bool,
}

impl LineCore {
    const fn new(options: Options) -> Self {
        Self {
            framing: Framing::new(options),
            len: 0,
            handed_out: 0,
            octets: 0,
            over: 0,
            unreported: 0,
            stats: Stats { telegrams: 0, errors: 0, lost: 0, fill: 0 },
            identification: false,
            parted: false,
            begun: false,
            ended: false,
            in_text: false,
            version: Version::NONE,
            four_or_later: false,
            season: false,
        }
    }

    const fn held(&self) -> u32 {
        self.octets.wrapping_add(wrapped(self.len))
    }

    /// Takes octets inside the lines of a telegram's body, up to what brings an event; nearly all are such. `true`:
    /// that was all of `input`.
    #[inline]
    fn take_body(&mut self, storage: &mut [u8], input: &mut &[u8]) -> bool {
        loop {
            match *input {
                [] => return true,
                [octet] if self.in_text => {
                    if let Some(place) = storage.get_mut(self.len)
                        && self.framing.take_plain_text(*octet)
                    {
                        *place = *octet;
                        self.len = self.len.wrapping_add(1);
                        *input = &[];
                        return true;
                    }
                }
                _ if self.in_text => {
                    let room = storage.get_mut(self.len..).unwrap_or_default();
                    let count = self.framing.take_text(room, input);
                    self.len = self.len.wrapping_add(count);
                    *input = input.get(count..).unwrap_or_default();
                }
                _ => {}
            }
            let Some((octet, rest)) = input.split_first() else { return true };
            if !self.framing.in_body() || !self.take_octet(storage, *octet) {
                return false;
            }
            *input = rest;
        }
    }

    /// Takes one of those octets. `false`: it is not.
    // On an AVR in a function of its own, so that `decode` need not save its registers.
    #[cfg_attr(target_pointer_width = "16", inline(never))]
    fn take_octet(&mut self, storage: &mut [u8], octet: u8) -> bool {
        let octet = self.framing.clean(octet);
        if is_line_end(octet) {
            if self.handed_out != 0 && !self.released() {
                return false;
            }
            self.octets = self.octets.wrapping_add(1);
            // An empty line is none.
            self.ended |= self.len != 0 || self.parted;
            self.in_text = false;
        } else {
            if self.ended || self.framing.is_mark(octet) || self.handed_out != 0 && !self.released() {
                return false;
            }
            let Some(place) = storage.get_mut(self.len) else { return false };
            *place = octet;
            self.len = self.len.wrapping_add(1);
            self.in_text = !self.identification;
        }
        if self.identification {
            self.version.feed(octet);
        }
        self.framing.take_plain(octet);
        true
    }

    /// Whether what was handed out was all there is. Then it is gone.
    #[inline]
    fn released(&mut self) -> bool {
        let is_all = self.handed_out == self.len;
        if is_all {
            self.release(self.len);
        }
        is_all
    }

    /// What was handed out is gone.
    fn release(&mut self, sent: usize) {
        self.octets = self.octets.wrapping_add(wrapped(sent));
        self.len = self.len.saturating_sub(sent);
        self.handed_out = 0;
    }

    #[cfg_attr(target_pointer_width = "16", inline(never))]
    fn locate(&mut self, storage: &mut [u8], input: &mut &[u8]) -> Option<Result<Found, Error>> {
        self.settle(storage);
        loop {
            let (first, rest) = input.split_first()?;
            let octet = self.framing.clean(*first);
            // What the octet says about the line before it comes first; it is then taken by a later turn.
            if !self.framing.is_idle() {
                if self.ended && !is_line_end(octet) {
                    if octet == b'(' && !self.identification {
                        self.ended = false;
                    } else {
                        return Some(self.hand_out(storage, true, false));
                    }
                }
                if self.framing.begins_another(octet) {
                    if self.len != 0 {
                        return Some(self.hand_out(storage, true, true));
                    }
                    let check = self.framing.finish();
                    return Some(Ok(Found::End(self.cut(check))));
                }
                if self.len >= storage.len()
                    && self.len != 0
                    && self.framing.in_lines()
                    && !is_line_end(octet)
                {
                    return Some(self.hand_out(storage, false, false));
                }
            }
            match self.framing.feed(octet) {
                Step::Fill => self.stats.fill = self.stats.fill.wrapping_add(1),
                Step::Noise => {
                    self.unreported = self.unreported.wrapping_add(1);
                    self.stats.lost = self.stats.lost.wrapping_add(1);
                }
                Step::Start => {
                    self.forget();
                    self.octets = 1;
                    (self.identification, self.begun) = (true, false);
                    (self.version, self.four_or_later, self.season) = (Version::NONE, false, false);
                }
                Step::More => {
                    if self.framing.in_check_line() || !self.store(storage, octet) {
                        self.octets = self.octets.wrapping_add(1);
                    }
                }
                Step::End(check) => {
                    *input = rest;
                    self.octets = self.octets.wrapping_add(1);
                    return Some(Ok(Found::End(self.verdict(check))));
                }
                Step::Reject(kind) => {
                    if self.begun {
                        return Some(Ok(Found::End(self.bad(kind))));
                    }
                    self.lose_all();
                    continue;
                }
            }
            *input = rest;
            if self.take_body(storage, input) {
                return None;
            }
        }
    }

    /// What was handed out is borrowed no more: what is left moves to the front.
    fn settle(&mut self, storage: &mut [u8]) {
        let sent = self.handed_out;
        if sent != 0 {
            // Octet by octet: they are few, and `memmove` is long and slow on the smallest machines.
            let octets = Cell::from_mut(storage).as_slice_of_cells();
            let rest = octets.get(sent..self.len).unwrap_or_default();
            rest.iter().zip(octets).for_each(|(from, to)| to.set(from.get()));
            self.release(sent);
        }
    }

    /// `true`: the octet has found a place in the storage.
    fn store(&mut self, storage: &mut [u8], octet: u8) -> bool {
        if self.identification {
            self.version.feed(octet);
        }
        if is_line_end(octet) {
            self.ended |= self.len != 0 || self.parted;
            self.in_text = false;
            return false;
        }
        let Some(place) = storage.get_mut(self.len) else { return false };
        *place = octet;
        self.len = self.len.saturating_add(1);
        self.in_text = !self.identification && self.framing.in_line();
        true
    }

    /// The line, or what there is of it. Lost octets are reported first, and then the same state leads here again.
    fn hand_out(&mut self, storage: &[u8], last: bool, cut: bool) -> Result<Found, Error> {
        if self.unreported != 0 {
            self.stats.errors = self.stats.errors.wrapping_add(1);
            return Err(Error { kind: ErrorKind::Noise, lost: core::mem::take(&mut self.unreported) });
        }
        let len = if last { self.len } else { end_of_part(storage.get(..self.len).unwrap_or_default()) };
        let first = !self.parted;
        let identification = self.identification;
        if first {
            let line = storage.get(..len).unwrap_or_default();
            // Told apart here, as most lines are neither.
            match line {
                [b'0', _, _, _, b'1', ..] if !identification => self.season |= line_has_season(line),
                [b'0', _, _, _, b'9', ..] | [b'1', _, b'3', ..] if !identification => {
                    self.four_or_later |= line_says_four_or_later(line);
                }
                _ => {}
            }
        }
        self.handed_out = len;
        self.in_text = false;
        self.begun = true;
        self.parted = !last;
        if last {
            self.ended = false;
            self.identification = false;
        }
        Ok(Found::Line { len, identification, first, last, cut })
    }

    fn says_four_or_later(&self) -> bool {
        self.four_or_later || self.version == Version::FOUR_OR_LATER
    }

    fn verdict(&mut self, check: Check) -> Verdict {
        let verdict = match check {
            Check::Verified => Verdict::Verified,
            Check::Bad => return self.bad(ErrorKind::Check),
            // Its start was none by itself, and nothing has made it one.
            _ if self.framing.is_doubtful() => return self.bad(ErrorKind::Noise),
            Check::Absent if self.says_four_or_later() => Verdict::Unchecked(Check::Missing),
            other => Verdict::Unchecked(other),
        };
        self.stats.telegrams = self.stats.telegrams.wrapping_add(1);
        self.over(verdict)
    }

    /// The telegram in progress goes no further: what its check line is worth without a line end.
    fn cut(&mut self, check: Option<Check>) -> Verdict {
        match check {
            Some(Check::Absent) if self.says_four_or_later() || self.season => self.bad(ErrorKind::Truncated),
            Some(check) => self.verdict(check),
            None => self.bad(ErrorKind::Truncated),
        }
    }

    fn bad(&mut self, kind: ErrorKind) -> Verdict {
        self.framing.abandon();
        self.stats.errors = self.stats.errors.wrapping_add(1);
        self.stats.lost = self.stats.lost.wrapping_add(self.held());
        self.over(Verdict::Bad(kind))
    }

    fn over(&mut self, verdict: Verdict) -> Verdict {
        self.over = self.held();
        self.forget();
        verdict
    }

    /// The octets of what is no telegram are lost, and not reported yet.
    fn lose_all(&mut self) {
        let lost = self.held();
        self.unreported = self.unreported.wrapping_add(lost);
        self.stats.lost = self.stats.lost.wrapping_add(lost);
        self.forget();
    }

    fn forget(&mut self) {
        (self.len, self.octets) = (0, 0);
        (self.ended, self.parted, self.in_text) = (false, false, false);
    }

    fn end(&mut self, storage: &mut [u8]) -> Option<Result<Found, Error>> {
        self.settle(storage);
        if !self.framing.is_idle() {
            if self.len != 0 || self.ended || self.parted {
                let cut = !self.ended;
                return Some(self.hand_out(storage, true, cut));
            }
            let check = self.framing.finish();
            if self.begun || check.is_some() {
                return Some(Ok(Found::End(self.cut(check))));
            }
            self.lose_all();
        }
        self.framing.finish();
        if self.unreported == 0 {
            return None;
        }
        self.stats.errors = self.stats.errors.wrapping_add(1);
        Some(Err(Error { kind: ErrorKind::Noise, lost: core::mem::take(&mut self.unreported) }))
    }
}

/// A part of a line ends with a whole value, if one ends not too far from its end.
fn end_of_part(part: &[u8]) -> usize {
    let (front, near) = part.split_at_checked(part.len().saturating_sub(LONGEST_MOVE)).unwrap_or_default();
    match near.iter().rposition(|octet| *octet == b')') {
        Some(at) => front.len().wrapping_add(at).wrapping_add(1),
        None => part.len(),
    }
}

// Beside the storage, all the state there is; stated for CI by the test of the same name.
const _: () = assert!(size_of::<LineCore>() <= 200, "line mode fits in 200 octets beside its storage");

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    fn events(storage: usize, input: &[u8], chunk: usize) -> Vec<String> {
        let mut decoder = LineDecoder::new(vec![0; storage]);
        let mut out = Vec::new();
        for mut piece in input.chunks(chunk) {
            while let Some(event) = decoder.decode(&mut piece) {
                out.push(format!("{event:?}"));
            }
        }
        while let Some(event) = decoder.finish() {
            out.push(format!("{event:?}"));
        }
        out
    }

    const GAS: &[u8] = b"noise/ISk5\\2MT382\r\n\r\n0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)\r\n(00124.477)\r\n0-1:24.4.0(1)\r\n!\r\n\r\n";

    #[test]
    fn state_fits_in_200_octets() {
        assert!(size_of::<LineDecoder<&mut [u8]>>() <= 200 + size_of::<&mut [u8]>());
    }

    #[test]
    fn continued_lines_are_joined_and_doubtful_starts_need_a_shape_or_a_check() {
        let all = events(128, GAS, usize::MAX);
        assert_eq!(
            all,
            [
                "Err(Error { kind: Noise, lost: 5 })",
                "Ok(Identification(ISk5\\\\2MT382))",
                "Ok(Data(0-1:24.3.0(120517020000)(08)(60)(1)(0-1:24.2.1)(m3)(00124.477)))",
                "Ok(Data(0-1:24.4.0(1)))",
                "Ok(End(End { verdict: Unchecked(Absent), octets: 99 }))",
            ]
        );
        assert_eq!(events(128, &GAS[5..], 1), all[1..]);
        // Without a digit for the speed it might be anything.
        let shapeless = [b"noise/ISkX", &GAS[10..]].concat();
        assert_eq!(
            events(128, &shapeless, 1).last().map(String::as_str),
            Some("Ok(End(End { verdict: Bad(Noise), octets: 99 }))")
        );
        for chunk in 1..40 {
            assert_eq!(events(128, GAS, chunk), all, "chunks of {chunk}");
        }
    }

    #[test]
    fn long_lines_come_in_parts_at_values() {
        assert_eq!(
            events(40, &GAS[5..], 7),
            [
                "Ok(Identification(ISk5\\\\2MT382))",
                "Ok(Data(0-1:24.3.0(120517020000)(08)(60)(1) …))",
                "Ok(Data(… (0-1:24.2.1)(m3)(00124.477)))",
                "Ok(Data(0-1:24.4.0(1)))",
                "Ok(End(End { verdict: Unchecked(Absent), octets: 99 }))",
            ]
        );
    }

    #[test]
    fn a_line_as_long_as_the_storage_is_whole() {
        let whole = events(14, b"/AAA5\r\n0-1:24.4.0(1)\r\n1\r\n", 1);
        assert_eq!(whole[1], "Ok(Data(0-1:24.4.0(1) …))".replace(" …", ""));
        assert_eq!(events(0, b"/AAA5\r\n0-1:24.4.0(1)\r\n!\r\n", 1).len(), 1);
    }

    #[test]
    fn partial_telegrams_give_their_lines() {
        assert_eq!(
            events(64, b"/SAG5\\2MT212 SMR5.5\r\n\r\n1-3:0.2.8(50)\r\n1-0:1.7.0(02.0", 3),
            [
                "Ok(Identification(SAG5\\\\2MT212 SMR5.5))",
                "Ok(Data(1-3:0.2.8(50)))",
                "Ok(Data(1-0:1.7.0(02.0))",
                "Ok(End(End { verdict: Bad(Truncated), octets: 52 }))",
            ]
        );
    }

    #[test]
    fn a_telegram_cut_off_at_its_check_line_is_told_alike() {
        // The same line, once with what continues it behind a line end: no time, and no version, is made of the two.
        for line in [
            "0-0:1.0.0(200W)()\r(m24.2.1)(m3)",
            "0-0:1.0.0(161113205757W)",
            "1-3:0.2.8\r\n(50)",
            "1-3:0.2.8(42)",
            "0-0:1.0.0\r(161113205757W)",
            "0-0:1.0.0(210\r\n\r101120000W)",
            "1-0:99.97.0(1\r\n0-0:1.0.0(161113205757W)",
        ] {
            let text = format!("/ABC5\\2\r\n\r\n{line}\r\n!");
            let end = events(89, text.as_bytes(), 1).pop();
            let good = crate::telegrams(text.as_bytes()).any(|telegram| telegram.is_ok());
            assert_eq!(end.is_some_and(|end| end.contains("Absent")), good, "{line}");
            assert_eq!(good, line.contains("m3") || line.contains("(210"), "{line}");
        }
    }

    #[test]
    fn missing_is_not_absent() {
        for (text, verdict) in [
            ("/SAG5\\2MT212 SMR5.5\n\n1-0:1.7.0(1)\n!\n", Check::Missing),
            ("/SAG5\\2MT212\n\n1-3:0.2.8(42)\n!\n", Check::Missing),
            ("/FLU5\\2\n\n0-0:96.1.4(50217)\n!\n", Check::Missing),
            ("/SAG5\\2MT212 SMR3.0\n\n1-0:1.7.0(1)\n!\n", Check::Absent),
        ] {
            let mut decoder = LineDecoder::new([0; 64]);
            let mut input = text.as_bytes();
            let mut found = None;
            while let Some(event) = decoder.decode(&mut input) {
                if let Ok(LineEvent::End(end)) = event {
                    found = Some(end.verdict);
                }
            }
            assert_eq!(found, Some(Verdict::Unchecked(verdict)), "{text}");
        }
    }
}
