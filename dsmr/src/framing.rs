//! The one place that knows where a telegram starts and ends: a machine that takes one octet at a time, and the
//! shortcuts over slices that leave it in the same state.

use crate::check::{self, Check, CheckKind};
use crate::error::ErrorKind;
use crate::wide;

/// How telegrams are taken from the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Options {
    /// The check on the check line.
    pub check: CheckKind,
    /// Hands out telegrams whose check does not agree, and those cut short, as [`Check::Bad`] instead of an error.
    pub lenient: bool,
    /// Clears bit 7 of each octet: for a meter that sends 7E1 (DSMR 2.2, 3.0, Slovenia) read by a port set to 8N1.
    pub strip_parity: bool,
}

impl Options {
    /// CRC-16/ARC, not lenient, octets as they are.
    pub const DEFAULT: Self = Self { check: CheckKind::Arc, lenient: false, strip_parity: false };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between telegrams.
    Idle,
    /// In the identification; what of it is known to be good: so many octets, and for a doubtful start [`NAME`] and
    /// [`LINES`] behind them, until it proves to be shaped like a telegram or not.
    Header(u8),
    /// Behind them, up to `!`.
    Body,
    /// Behind `!` at the start of a line.
    CheckLine,
}

/// What an octet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// CR, LF or NUL between telegrams.
    Fill,
    /// Anything else there.
    Noise,
    /// `/` that opens a telegram; the one in progress, if there is one, is at its end without a check line.
    Start,
    /// Part of the telegram in progress.
    More,
    /// The last octet of the telegram.
    End(Check),
    /// The telegram in progress is none. The octet has not been taken: it is to be fed again.
    Reject(ErrorKind),
}

/// The machine. Its state depends on the octets alone, not on how they came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Framing {
    pub(crate) options: Options,
    /// They are CRC-16/ARC and octets as they are.
    is_usual: bool,
    state: State,
    /// The octet before was a CR or LF, or there was none. Between telegrams, octets that are no text do not count.
    line_start: bool,
    /// But there were some, so a `/` has to show three letters before it is taken for a start.
    glitched: bool,
    /// The `/` stood behind text: a telegram only if its check says so, or the shape of its first two lines does.
    doubtful: bool,
    /// Digits on the check line so far; [`SPACED`] once something follows them, [`GARBLED`] if they are no check.
    digits: u8,
    running: check::Running,
    claimed: u16,
}

const SPACED: u8 = 0x80;
const GARBLED: u8 = 0x40;
const COUNT: u8 = 0x0F;

/// Octets of the identification that a doubtful start must show: the manufacturer's three letters.
const LETTERS: u8 = 3;
/// Behind the digit for the speed, up to the line end.
const NAME: u8 = 4;
/// Behind that, at the start of a line. If a digit follows, as in a data line, the start is doubtful no more.
const LINES: u8 = 5;

impl Framing {
    pub(crate) const fn new(options: Options) -> Self {
        Self {
            options,
            is_usual: matches!(options.check, CheckKind::Arc) && !options.strip_parity,
            state: State::Idle,
            line_start: true,
            glitched: false,
            doubtful: false,
            digits: 0,
            running: check::start(options.check),
            claimed: 0,
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.state == State::Idle
    }

    /// In the part of a telegram where only `/` and `!` mean anything.
    pub(crate) fn in_body(&self) -> bool {
        self.state == State::Body
    }

    /// In the part of a telegram that is told apart by nothing but its line ends.
    pub(crate) fn in_lines(&self) -> bool {
        matches!(self.state, State::Body | State::Header(LETTERS..))
    }

    /// On the check line, whose octets are no data.
    pub(crate) fn in_check_line(&self) -> bool {
        self.state == State::CheckLine
    }

    /// Inside a line of a telegram's body, where nothing means anything but a line end.
    #[inline]
    pub(crate) fn in_line(&self) -> bool {
        self.state == State::Body && !self.line_start
    }

    /// Whether an octet in the body ends a telegram, or its data.
    #[inline]
    pub(crate) const fn is_mark(&self, octet: u8) -> bool {
        self.line_start && matches!(octet, b'/' | b'!')
    }

    /// Takes one that does neither. Only in [`Framing::in_body`].
    #[inline]
    pub(crate) const fn take_plain(&mut self, octet: u8) {
        self.running = check::step(self.options.check, self.running, octet);
        self.line_start = is_line_end(octet);
    }

    /// Takes an octet if it is text for certain, and checked as most are. Only in [`Framing::in_line`].
    #[inline]
    pub(crate) const fn take_plain_text(&mut self, octet: u8) -> bool {
        let takes = self.is_usual && octet > b'\r';
        if takes {
            self.running = check::step(CheckKind::Arc, self.running, octet);
        }
        takes
    }

    /// Takes octets from the front of `input` into `room`, up to a line end: how many. Only in [`Framing::in_line`].
    pub(crate) fn take_text(&mut self, room: &mut [u8], input: &[u8]) -> usize {
        // That is told apart once and not for each octet.
        if self.is_usual {
            self.take_checked::<true>(room, input)
        } else {
            self.take_checked::<false>(room, input)
        }
    }

    #[inline]
    fn take_checked<const USUAL: bool>(&mut self, room: &mut [u8], input: &[u8]) -> usize {
        let (kind, mask) =
            if USUAL { (CheckKind::Arc, 0xFF) } else { (self.options.check, self.clean(0xFF)) };
        let mut running = self.running;
        let mut count = 0usize;
        for (place, octet) in room.iter_mut().zip(input) {
            let octet = octet & mask;
            if is_line_end(octet) {
                break;
            }
            *place = octet;
            running = check::step(kind, running, octet);
            count = count.wrapping_add(1);
        }
        self.running = running;
        count
    }

    /// The start of the telegram in progress is not one by itself, nor by its shape so far: only a good check makes it one.
    pub(crate) const fn is_doubtful(&self) -> bool {
        self.doubtful
    }

    /// Whether an octet begins a telegram while another is in progress: `/` at the start of a line, or on a check line
    /// whose line end was lost.
    #[inline]
    pub(crate) fn begins_another(&self, octet: u8) -> bool {
        octet == b'/' && (self.line_start || self.state == State::CheckLine)
    }

    /// The telegram in progress ends here, with the input or before another: what its check line is worth that has no
    /// line end, if one is in progress. With digits that agree it is as good as ended, with four others or with what is
    /// no check it is [`Check::Bad`]. With none it is [`Check::Absent`], for the caller to weigh, as they may have been
    /// cut off. Everything else is forgotten: what comes next stands at the start of a line.
    pub(crate) fn finish(&mut self) -> Option<Check> {
        let Self { state, digits, claimed, running, options, doubtful, .. } = *self;
        self.state = State::Idle;
        self.line_start = true;
        self.glitched = false;
        if state != State::CheckLine {
            return None;
        }
        match verdict(options.check, digits, claimed, running) {
            Check::Verified => Some(Check::Verified),
            Check::Absent if !doubtful => Some(Check::Absent),
            Check::Ignored if digits & COUNT == 4 && !doubtful => Some(Check::Ignored),
            Check::Bad if digits & COUNT == 4 || digits & GARBLED != 0 => Some(Check::Bad),
            _ => None,
        }
    }

    /// Gives up the telegram in progress. Where the line stands stays known.
    pub(crate) fn abandon(&mut self) {
        self.state = State::Idle;
    }

    /// The octet as the meter sent it.
    #[inline]
    pub(crate) const fn clean(&self, octet: u8) -> u8 {
        if self.options.strip_parity { octet & 0x7F } else { octet }
    }

    /// Takes one octet, cleaned already.
    #[inline]
    pub(crate) fn feed(&mut self, octet: u8) -> Step {
        match self.state {
            State::Body => self.feed_body(octet),
            State::Idle => match octet {
                b'/' => self.start(),
                b'\r' | b'\n' => {
                    self.line_start = true;
                    self.glitched = false;
                    Step::Fill
                }
                0 => Step::Fill,
                _ => {
                    self.line_start &= !is_text(octet);
                    self.glitched = true;
                    Step::Noise
                }
            },
            State::Header(good @ LETTERS..) => {
                self.state = match (good, octet) {
                    (LETTERS, b'0'..=b'9') | (NAME, b' '..=b'~') => State::Header(NAME),
                    (NAME | LINES, b'\r' | b'\n') => State::Header(LINES),
                    (LINES, b'0'..=b'9') => {
                        self.doubtful = false;
                        State::Body
                    }
                    _ => State::Body,
                };
                self.feed_body(octet)
            }
            State::Header(good) => {
                let fits = if self.doubtful {
                    octet.is_ascii_alphabetic()
                } else {
                    octet.is_ascii_graphic() && octet != b'/' && octet != b'!'
                };
                if !fits {
                    self.state = State::Idle;
                    return Step::Reject(ErrorKind::Noise);
                }
                self.running = check::step(self.options.check, self.running, octet);
                let good = good.wrapping_add(1);
                if good == LETTERS && self.glitched {
                    self.glitched = false;
                    self.doubtful = false;
                }
                self.state = if self.doubtful { State::Header(good) } else { State::Body };
                Step::More
            }
            State::CheckLine => self.feed_check_line(octet),
        }
    }

    fn feed_body(&mut self, octet: u8) -> Step {
        if self.line_start {
            if octet == b'/' {
                return self.start();
            }
            if octet == b'!' {
                self.state = State::CheckLine;
                self.digits = 0;
                self.claimed = 0;
            }
        }
        self.take_plain(octet);
        Step::More
    }

    fn start(&mut self) -> Step {
        self.doubtful = !self.line_start || self.glitched;
        self.glitched &= self.line_start;
        self.state = State::Header(0);
        self.line_start = false;
        self.running = check::step(self.options.check, check::start(self.options.check), b'/');
        Step::Start
    }

    fn feed_check_line(&mut self, octet: u8) -> Step {
        if is_line_end(octet) {
            self.state = State::Idle;
            self.line_start = true;
            return Step::End(verdict(self.options.check, self.digits, self.claimed, self.running));
        }
        match hex(octet) {
            Some(digit) if self.digits < 4 => {
                self.claimed = (self.claimed << 4) | u16::from(digit);
                self.digits = self.digits.wrapping_add(1);
                Step::More
            }
            None if matches!(octet, b' ' | 0) => {
                self.digits |= SPACED;
                Step::More
            }
            // Handed out as bad, and that takes its line end.
            _ if self.options.lenient => {
                self.digits |= GARBLED;
                Step::More
            }
            _ => {
                self.state = State::Idle;
                self.line_start = false;
                Step::Reject(ErrorKind::Check)
            }
        }
    }

    /// How many octets at the front of `octets` mean nothing to the framing of a telegram's body; takes them.
    /// Only in [`Framing::in_body`].
    pub(crate) fn skip_body(&mut self, octets: &[u8]) -> usize {
        let len = find_mark(octets);
        let run = octets.get(..len).unwrap_or_default();
        if let Some(last) = run.last() {
            self.running = check::run(self.options.check, self.running, run);
            self.line_start = is_line_end(*last);
        }
        len
    }

    /// How many octets at the front of `octets` lie before a `/`, and how many of them are fill; takes them.
    /// Only in [`Framing::is_idle`].
    pub(crate) fn skip_idle(&mut self, octets: &[u8]) -> (usize, usize) {
        let len = octets.iter().position(|octet| *octet == b'/').unwrap_or(octets.len());
        let run = octets.get(..len).unwrap_or_default();
        let fill = run.iter().filter(|octet| is_line_end(**octet) || **octet == 0).count();
        let is_glitch = |octet: &u8| !is_text(*octet) && !is_line_end(*octet);
        let glitches = run.iter().rev().take_while(|octet| is_glitch(octet)).count();
        let (front, glitches) = run.split_at_checked(run.len().wrapping_sub(glitches)).unwrap_or_default();
        if let Some(last) = front.last() {
            self.line_start = is_line_end(*last);
            self.glitched = false;
        }
        self.glitched |= glitches.iter().any(|octet| *octet != 0);
        (len, fill)
    }

    /// The whole good telegram at the front of `octets`, if one stands there: its length and its check.
    /// Takes it. `None` says nothing, and the octets are to be fed one by one. Only in [`Framing::is_idle`].
    pub(crate) fn whole(&mut self, octets: &[u8]) -> Option<(usize, Check)> {
        let doubtful = !self.line_start;
        let unsure = doubtful || self.glitched;
        let letters = |text: &[u8]| text.iter().all(u8::is_ascii_alphabetic);
        match octets {
            [b'/', text @ ..] if unsure && !letters(text.get(..LETTERS.into())?) => return None,
            [b'/', first, ..] if first.is_ascii_graphic() && *first != b'/' && *first != b'!' => {}
            _ => return None,
        }
        let mut at = 1usize;
        loop {
            let rest = octets.get(at..)?;
            at = at.checked_add(find_mark(rest))?;
            let (front, back) = octets.split_at_checked(at)?;
            let mark = *back.first()?;
            at = at.checked_add(1)?;
            if !is_line_end(*front.last()?) {
                continue;
            }
            if mark != b'!' {
                return None;
            }
            let (digits, claimed, line) = check_line(back.get(1..)?)?;
            let kind = self.options.check;
            let running = check::run(kind, check::start(kind), octets.get(..at)?);
            let verdict = verdict(kind, digits, claimed, running);
            if verdict == Check::Bad || (doubtful && verdict != Check::Verified) {
                return None;
            }
            self.line_start = true;
            self.glitched = false;
            return Some((at.checked_add(line)?, verdict));
        }
    }
}

/// The digits of a plain check line, their value, and its length with its line end.
fn check_line(text: &[u8]) -> Option<(u8, u16, usize)> {
    let (mut digits, mut claimed) = (0u8, 0u16);
    for octet in text.iter().take(5) {
        digits = digits.wrapping_add(1);
        match hex(*octet) {
            Some(digit) => claimed = (claimed << 4) | u16::from(digit),
            None if is_line_end(*octet) => return Some((digits.wrapping_sub(1), claimed, digits.into())),
            None => return None,
        }
    }
    None
}

fn verdict(kind: CheckKind, digits: u8, claimed: u16, running: check::Running) -> Check {
    match kind {
        _ if digits & GARBLED != 0 => Check::Bad,
        _ if digits & !SPACED == 0 => Check::Absent,
        CheckKind::Ignore => Check::Ignored,
        CheckKind::Arc | CheckKind::X25 => {
            if check::end(kind, running) == claimed {
                Check::Verified
            } else {
                Check::Bad
            }
        }
    }
}

/// Where the first `/` or `!` stands; the length if there is none.
#[inline]
pub(crate) fn find_mark(octets: &[u8]) -> usize {
    wide::find_mark(octets).unwrap_or(octets.len())
}

#[inline]
pub(crate) const fn is_line_end(octet: u8) -> bool {
    matches!(octet, b'\r' | b'\n')
}

/// What a line may begin with. Other octets between telegrams, spaces too, are glitches, and no line begins with them.
#[inline]
const fn is_text(octet: u8) -> bool {
    octet.is_ascii_graphic()
}

#[inline]
pub(crate) const fn hex(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet.wrapping_sub(b'0')),
        b'A'..=b'F' => Some(octet.wrapping_sub(b'A').wrapping_add(10)),
        b'a'..=b'f' => Some(octet.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}
