//! Telegrams out of a stream in any pieces, and out of a slice.

use crate::check::Check;
use crate::error::{Error, ErrorKind, Stats};
use crate::framing::{Framing, Options, Step};
use crate::telegram::Telegram;

/// Finds telegrams in octets that come in any pieces, in the caller's storage.
///
/// The storage is as long as the longest telegram that is to be had: 1,024 octets do for most Dutch meters, 4,096 for
/// all that were ever seen. A longer one is reported as [`ErrorKind::TooLong`] and skipped; the next is not touched.
///
/// A telegram goes from its `/` to the CR or LF that ends its check line, that one included, and is handed out with
/// that octet. At the end of the input, and before the `/` of another, a check line with the right digits needs none,
/// nor does one without digits where nothing in the telegram looks like 4 or later. Further CR and LF up to the next `/` (the LF of CR LF) and NUL are fill.
///
/// `/` at the start of a line always begins a telegram, whatever is in progress; inside a telegram nothing else does, so
/// that a `/` in a text never ends one. Between telegrams octets that are no text (control characters, spaces, those above
/// 7E) do not count: a `/` behind such a glitch still stands at the start of a line, if three letters follow. Behind text,
/// as of a modem, a `/` begins a telegram if two lines are shaped like one (three letters, a digit, and nothing but
/// printable octets to the line end; then, perhaps after empty lines, a digit), or else if its check proves to be good.
///
/// ```
/// use dsmr::{Check, Decoder};
/// let mut decoder = Decoder::new([0; 1024]);
/// let mut input = b"/ISk5\\2MT382-1000\r\n\r\n1-0:1.8.1(12345.678*kWh)\r\n!\r\n".as_slice();
/// let telegram = decoder.decode(&mut input).unwrap().unwrap();
/// assert_eq!(telegram.identification(), b"ISk5\\2MT382-1000");
/// assert_eq!(telegram.check(), Check::Absent);
/// ```
#[derive(Debug)]
pub struct Decoder<B> {
    storage: B,
    /// Octets of `storage` that were committed and not taken yet.
    read: usize,
    write: usize,
    core: Core,
}

/// Where a telegram that was found stands.
enum Found {
    /// The last so many octets of the input that were taken.
    Input(usize, Check),
    /// The first so many octets of the storage.
    Stored(usize, Check),
}

impl<B> Decoder<B> {
    /// A decoder with the caller's storage and [`Options::DEFAULT`].
    pub const fn new(storage: B) -> Self {
        Self::with_options(storage, Options::DEFAULT)
    }

    /// A decoder with the caller's storage.
    pub const fn with_options(storage: B, options: Options) -> Self {
        Self { storage, read: 0, write: 0, core: Core::new(options) }
    }

    /// Counters since the start or the last [`Decoder::reset`].
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }

    /// Octets that are held: those of the telegram in progress and those that were committed and not taken yet.
    #[must_use]
    pub const fn held(&self) -> usize {
        let waiting = self.write.saturating_sub(self.read);
        if self.core.handed_out { waiting } else { self.core.held.saturating_add(waiting) }
    }

    /// Forgets everything but the options, counters included.
    pub fn reset(&mut self) {
        (self.read, self.write) = (0, 0);
        self.core = Core::new(self.core.framing.options);
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Decoder<B> {
    /// Takes octets from the front of `input` up to the next event. `None`: all of it has been taken in.
    ///
    /// A telegram that lies whole in `input` is not copied.
    ///
    /// # Errors
    ///
    /// [`Error`] says that octets were lost; the decoder goes on behind them.
    pub fn decode<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Result<Telegram<'s>, Error>> {
        // Nearly every octet that comes alone is text inside a line.
        if self.read >= self.write && input.len() < SHORT && self.core.take_text(self.storage.as_mut(), input)
        {
            return None;
        }
        let whole: &'i [u8] = input;
        Some(match self.locate(input)? {
            Err(error) => Err(error),
            Ok(Found::Stored(len, check)) => Ok(self.stored(len, check)),
            Ok(Found::Input(len, check)) => {
                let taken = whole.len().saturating_sub(input.len());
                let octets = whole.get(taken.saturating_sub(len)..taken).unwrap_or_default();
                Ok(Telegram::framed(octets, check))
            }
        })
    }

    /// The line is idle, or there is no more input: gives up what is held. Call it until it returns `None`.
    ///
    /// # Errors
    ///
    /// As [`Decoder::decode`].
    pub fn finish(&mut self) -> Option<Result<Telegram<'_>, Error>> {
        let found = match self.locate(&mut [].as_slice()) {
            Some(found) => Some(found),
            None => {
                let end = self.core.end(self.storage.as_ref());
                end.map(|end| end.map(|(len, check)| Found::Stored(len, check)))
            }
        };
        Some(match found? {
            Err(error) => Err(error),
            Ok(Found::Stored(len, check) | Found::Input(len, check)) => Ok(self.stored(len, check)),
        })
    }

    /// Free storage for a driver to write to; [`Decoder::commit`] says how much came, and [`Decoder::decode`] with
    /// empty input then takes it. Never empty after `decode` or `finish` returned `None`, unless the storage is.
    pub fn spare_mut(&mut self) -> &mut [u8] {
        self.core.settle();
        if self.read >= self.write {
            (self.read, self.write) = (self.core.held, self.core.held);
        }
        self.storage.as_mut().get_mut(self.write..).unwrap_or_default()
    }

    /// The first `n` octets of [`Decoder::spare_mut`] have been written.
    pub fn commit(&mut self, n: usize) {
        if self.read >= self.write {
            self.core.settle();
            (self.read, self.write) = (self.core.held, self.core.held);
        }
        self.write = self.write.saturating_add(n).min(self.storage.as_ref().len());
    }

    fn stored(&self, len: usize, check: Check) -> Telegram<'_> {
        Telegram::framed(self.storage.as_ref().get(..len).unwrap_or_default(), check)
    }

    fn locate(&mut self, input: &mut &[u8]) -> Option<Result<Found, Error>> {
        locate(&mut self.core, self.storage.as_mut(), &mut self.read, &mut self.write, input)
    }

    /// For the adaptors: the next event with the telegram's place instead of a borrow of it.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn poll(&mut self, end: bool) -> Option<Result<(usize, Check), Error>> {
        let found = match self.locate(&mut [].as_slice()) {
            None if end => return self.core.end(self.storage.as_ref()),
            found => found?,
        };
        Some(found.map(|(Found::Stored(len, check) | Found::Input(len, check))| (len, check)))
    }

    /// The telegram that [`Decoder::poll`] found.
    #[cfg(any(feature = "embedded-io", feature = "embedded-io-async"))]
    pub(crate) fn polled(&self, (len, check): (usize, Check)) -> Telegram<'_> {
        self.stored(len, check)
    }
}

/// The telegrams of a slice, with nothing copied: the same events as a [`Decoder`] with storage enough.
///
/// ```
/// let log = b"noise\r\n/ISk5\\2MT382-1000\r\n\r\n1-0:1.8.1(12345.678*kWh)\r\n!\r\n";
/// assert_eq!(dsmr::telegrams(log).filter(Result::is_ok).count(), 1);
/// ```
#[must_use]
pub const fn telegrams(input: &[u8]) -> Telegrams<'_> {
    telegrams_with(input, Options::DEFAULT)
}

/// As [`telegrams`]; [`Options::strip_parity`] has no effect, as octets in a slice cannot be changed.
#[must_use]
pub const fn telegrams_with(input: &[u8], options: Options) -> Telegrams<'_> {
    Telegrams { input, at: 0, core: Core::new(Options { strip_parity: false, ..options }) }
}

/// Iterator of [`telegrams`].
#[derive(Clone, Debug)]
pub struct Telegrams<'i> {
    input: &'i [u8],
    at: usize,
    core: Core,
}

impl<'i> Telegrams<'i> {
    /// Counters of what has been iterated so far.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.core.stats
    }

    /// Where in the slice the iterator stands: behind the telegram or the error that it returned last.
    ///
    /// The octets that an error calls lost are the last [`Error::lost`] before it, fill between them left aside.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    fn found(&self, len: usize, check: Check) -> Telegram<'i> {
        let octets = self.input.get(self.at.saturating_sub(len)..self.at).unwrap_or_default();
        Telegram::framed(octets, check)
    }
}

impl<'i> Iterator for Telegrams<'i> {
    type Item = Result<Telegram<'i>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.core.settle();
        loop {
            if let Some(due) = self.core.due() {
                return Some(due.map(|(len, check)| self.found(len, check)));
            }
            let rest = self.input.get(self.at..).unwrap_or_default();
            let Some(octet) = rest.first() else {
                let held = self.input.get(self.at.saturating_sub(self.core.held)..).unwrap_or_default();
                return Some(self.core.end(held)?.map(|(len, check)| self.found(len, check)));
            };
            match self.core.shortcut(rest, usize::MAX) {
                Shortcut::None => {}
                Shortcut::Taken(n) | Shortcut::Kept(n) => {
                    self.at = self.at.saturating_add(n);
                    continue;
                }
                Shortcut::Noise(error) => return Some(Err(error)),
                Shortcut::Whole(len, check) => {
                    self.at = self.at.saturating_add(len);
                    return Some(Ok(self.found(len, check)));
                }
            }
            if self.core.begins_another(*octet) {
                let held =
                    self.input.get(self.at.saturating_sub(self.core.held)..self.at).unwrap_or_default();
                match self.core.cut(held) {
                    Some(error) => return Some(Err(error)),
                    None => continue,
                }
            }
            let taken = self.core.take(*octet, usize::MAX);
            self.at = self.at.saturating_add(usize::from(taken.consumed));
            if let Some(error) = taken.error {
                return Some(Err(error));
            }
        }
    }
}

/// What decoder and iterator share: framing, the length of the telegram in progress, and what is to be reported.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    framing: Framing,
    /// Octets of the telegram in progress, or of the whole one that is due or was handed out.
    held: usize,
    /// Octets lost since the last report.
    unreported: u32,
    /// A whole telegram is held and not handed out.
    ready: Option<Check>,
    /// A whole telegram was handed out and its octets may still be borrowed.
    handed_out: bool,
    stats: Stats,
}

/// What became of an octet.
struct Taken {
    /// It was taken; otherwise it is to come again.
    consumed: bool,
    /// It belongs to the telegram in progress, at index `held - 1`.
    kept: bool,
    error: Option<Error>,
}

/// What could be done with a run of octets at once.
enum Shortcut {
    None,
    /// So many octets belong to no telegram.
    Taken(usize),
    /// So many octets belong to the telegram in progress.
    Kept(usize),
    /// A whole telegram lies ahead, but lost octets have to be reported first.
    Noise(Error),
    /// A whole telegram of so many octets.
    Whole(usize, Check),
}

impl Core {
    const fn new(options: Options) -> Self {
        Self {
            framing: Framing::new(options),
            held: 0,
            unreported: 0,
            ready: None,
            handed_out: false,
            stats: Stats { telegrams: 0, errors: 0, lost: 0, fill: 0 },
        }
    }

    /// What was handed out is borrowed no more.
    fn settle(&mut self) {
        if self.handed_out {
            self.handed_out = false;
            self.held = 0;
        }
    }

    fn lose(&mut self, n: usize) {
        let n = wrapped(n);
        self.unreported = self.unreported.wrapping_add(n);
        self.stats.lost = self.stats.lost.wrapping_add(n);
    }

    /// Takes text inside a line of a telegram: whether that was all of the input.
    fn take_text(&mut self, storage: &mut [u8], input: &mut &[u8]) -> bool {
        if !self.framing.in_line() {
            return false;
        }
        // The octet that fills the storage is decided on by `take`.
        let room = storage.len().saturating_sub(1);
        let room = storage.get_mut(self.held..room).unwrap_or_default();
        let count = self.framing.take_text(room, input);
        self.held = self.held.saturating_add(count);
        *input = input.get(count..).unwrap_or_default();
        input.is_empty()
    }

    /// Gives up the telegram in progress: an event, or just more noise where its start was doubtful.
    fn give_up(&mut self, kind: ErrorKind) -> Option<Error> {
        let held = core::mem::take(&mut self.held);
        self.lose(held);
        (kind != ErrorKind::Noise && !self.framing.is_doubtful()).then(|| self.report(kind))
    }

    fn report(&mut self, kind: ErrorKind) -> Error {
        self.stats.errors = self.stats.errors.wrapping_add(1);
        Error { kind, lost: core::mem::take(&mut self.unreported) }
    }

    /// What has to be handed out before any other octet is taken.
    fn due(&mut self) -> Option<Result<(usize, Check), Error>> {
        let check = self.ready?;
        if self.unreported != 0 {
            return Some(Err(self.report(ErrorKind::Noise)));
        }
        self.ready = None;
        self.handed_out = true;
        self.stats.telegrams = self.stats.telegrams.wrapping_add(1);
        Some(Ok((self.held, check)))
    }

    /// As [`Core::due`], at the end of input. `octets` begin with those that are held.
    fn end(&mut self, octets: &[u8]) -> Option<Result<(usize, Check), Error>> {
        self.settle();
        if self.ready.is_none() {
            let held = octets.get(..self.held).unwrap_or_default();
            let error = self.cut(held);
            if self.ready.is_some() {
                return self.due();
            }
            if let Some(error) = error {
                return Some(Err(error));
            }
            if self.unreported != 0 {
                return Some(Err(self.report(ErrorKind::Noise)));
            }
        }
        self.due()
    }

    /// The telegram in progress, if there is one, goes no further than `held`: it is ready if its check line is worth
    /// something without a line end, or the caller wants all.
    #[cold]
    fn cut(&mut self, held: &[u8]) -> Option<Error> {
        let check = self.framing.finish();
        if held.is_empty() {
            return None;
        }
        let kind = match check {
            Some(Check::Absent) if Telegram::framed(held, Check::Absent).should_have_check() => {
                ErrorKind::Truncated
            }
            None => ErrorKind::Truncated,
            Some(Check::Bad) => ErrorKind::Check,
            good => {
                self.ready = good;
                return None;
            }
        };
        if self.framing.options.lenient && !self.framing.is_doubtful() {
            self.ready = Some(Check::Bad);
            return None;
        }
        self.give_up(kind)
    }

    /// Whether an octet begins a telegram while another is in progress, which [`Core::cut`] then ends.
    fn begins_another(&self, octet: u8) -> bool {
        self.held != 0 && self.ready.is_none() && self.framing.begins_another(self.framing.clean(octet))
    }

    /// Takes one octet. `capacity` is the longest telegram.
    fn take(&mut self, octet: u8, capacity: usize) -> Taken {
        let octet = self.framing.clean(octet);
        let nothing = Taken { consumed: true, kept: false, error: None };
        match self.framing.feed(octet) {
            Step::Fill => {
                self.stats.fill = self.stats.fill.wrapping_add(1);
                nothing
            }
            Step::Noise => {
                self.lose(1);
                nothing
            }
            Step::Start | Step::More => self.keep(capacity),
            Step::End(check) => {
                self.held = self.held.saturating_add(1);
                let doubtful = self.framing.is_doubtful() && check != Check::Verified;
                if doubtful || (check == Check::Bad && !self.framing.options.lenient) {
                    let kind = if doubtful { ErrorKind::Noise } else { ErrorKind::Check };
                    return Taken { error: self.give_up(kind), ..nothing };
                }
                self.ready = Some(check);
                Taken { kept: true, ..nothing }
            }
            Step::Reject(kind) => Taken { consumed: false, error: self.give_up(kind), ..nothing },
        }
    }

    /// The octet just fed belongs to the telegram in progress.
    fn keep(&mut self, capacity: usize) -> Taken {
        self.held = self.held.saturating_add(1);
        let full = self.held >= capacity;
        if full {
            self.framing.abandon();
        }
        let error = if full { self.give_up(ErrorKind::TooLong) } else { None };
        Taken { consumed: true, kept: !full, error }
    }

    /// What can be done at once with the front of `rest`.
    fn shortcut(&mut self, rest: &[u8], capacity: usize) -> Shortcut {
        // Shorter runs are done sooner octet by octet.
        if self.framing.options.strip_parity || rest.len() < SHORT {
            return Shortcut::None;
        }
        if self.framing.in_body() {
            // One octet short of full: the one that fills the storage is decided on by `take`.
            let room = capacity.saturating_sub(self.held).saturating_sub(1).min(rest.len());
            let n = self.framing.skip_body(rest.get(..room).unwrap_or_default());
            self.held = self.held.saturating_add(n);
            return if n == 0 { Shortcut::None } else { Shortcut::Kept(n) };
        }
        if !self.framing.is_idle() {
            return Shortcut::None;
        }
        if rest.first() != Some(&b'/') {
            let (n, fill) = self.framing.skip_idle(rest);
            self.stats.fill = self.stats.fill.wrapping_add(wrapped(fill));
            self.lose(n.saturating_sub(fill));
            return if n == 0 { Shortcut::None } else { Shortcut::Taken(n) };
        }
        let before = self.framing;
        let longest = rest.get(..capacity.min(rest.len())).unwrap_or_default();
        match self.framing.whole(longest) {
            None => Shortcut::None,
            Some(_) if self.unreported != 0 => {
                self.framing = before;
                Shortcut::Noise(self.report(ErrorKind::Noise))
            }
            Some((len, check)) => {
                self.stats.telegrams = self.stats.telegrams.wrapping_add(1);
                Shortcut::Whole(len, check)
            }
        }
    }
}

/// Runs of fewer octets are taken octet by octet.
const SHORT: usize = 16;

/// The one loop of the decoder, free of its storage's type. Apart, so that an octet of text does not save the registers
/// that all this takes.
#[inline(never)]
fn locate(
    core: &mut Core,
    storage: &mut [u8],
    read: &mut usize,
    write: &mut usize,
    input: &mut &[u8],
) -> Option<Result<Found, Error>> {
    core.settle();
    let capacity = storage.len();
    loop {
        if *read >= *write && input.is_empty() && core.ready.is_none() {
            return None;
        }
        if let Some(due) = core.due() {
            return Some(due.map(|(len, check)| Found::Stored(len, check)));
        }
        let octet = if *read < *write {
            let at = core.held;
            let waiting = storage.get(*read..*write).unwrap_or_default();
            // A whole telegram is not looked for here: it would have to be moved to the front all the same.
            if !(core.framing.is_idle() && waiting.first() == Some(&b'/')) {
                match core.shortcut(waiting, capacity) {
                    Shortcut::Taken(n) => {
                        *read = read.saturating_add(n);
                        continue;
                    }
                    Shortcut::Kept(n) => {
                        if *read != at {
                            move_down(storage, *read, n, at);
                        }
                        *read = read.saturating_add(n);
                        continue;
                    }
                    _ => {}
                }
            }
            storage.get(*read).copied()
        } else {
            let first = input.first().copied();
            match core.shortcut(input, capacity) {
                Shortcut::None => {}
                Shortcut::Taken(n) => {
                    *input = input.get(n..).unwrap_or_default();
                    continue;
                }
                Shortcut::Kept(n) => {
                    let at = core.held.saturating_sub(n);
                    let (run, rest) = input.split_at_checked(n)?;
                    if let Some(room) = storage.get_mut(at..).and_then(|behind| behind.get_mut(..run.len())) {
                        room.copy_from_slice(run);
                    }
                    *input = rest;
                    continue;
                }
                Shortcut::Noise(error) => return Some(Err(error)),
                Shortcut::Whole(len, check) => {
                    *input = input.get(len..).unwrap_or_default();
                    return Some(Ok(Found::Input(len, check)));
                }
            }
            first
        }?;
        if core.begins_another(octet) {
            match core.cut(storage.get(..core.held).unwrap_or_default()) {
                Some(error) => return Some(Err(error)),
                None => continue,
            }
        }
        let taken = core.take(octet, capacity);
        if taken.kept
            && let Some(place) = storage.get_mut(core.held.saturating_sub(1))
        {
            *place = core.framing.clean(octet);
        }
        if taken.consumed {
            if *read < *write {
                *read = read.saturating_add(1);
            } else {
                *input = input.get(1..).unwrap_or_default();
            }
        }
        if let Some(error) = taken.error {
            return Some(Err(error));
        }
    }
}

/// Moves `count` octets to a place in front of them. Asks first all that `copy_within` would panic about, in its terms,
/// so that no panic code is linked.
fn move_down(storage: &mut [u8], from: usize, count: usize, at: usize) {
    let by = from.saturating_sub(at);
    if let Some(part) = storage.get_mut(at..from.saturating_add(count))
        && by <= part.len()
    {
        part.copy_within(by.., 0);
    }
}

/// Counters wrap.
#[expect(clippy::cast_possible_truncation, reason = "the counters are documented to wrap")]
pub(crate) const fn wrapped(n: usize) -> u32 {
    n as u32
}
