//! Data lines: an OBIS code and its parenthesised values, borrowed. What is not understood stays raw.

use crate::framing::is_line_end;
use crate::value::Value;
use crate::wide::{self, Known};
use obis::Obis;

/// One data line, with the lines that continue it.
///
/// `1-0:1.8.1(000576.239*kWh)`: a code and any number of values. The gas reading of DSMR 2.2 and 3.0 stands on a line
/// of its own that begins with a parenthesis, and a long text may be wrapped: both belong to the line before.
#[derive(Clone, Copy)]
pub struct DataLine<'a> {
    /// Begins with the line. What stands behind it belongs to other lines.
    rest: &'a [u8],
    /// Octets of the line.
    len: usize,
    code: Option<Obis>,
    /// Octets before the first parenthesis.
    at: usize,
    /// What is known of the first value: whoever found the line has passed it.
    first: Known,
}

impl<'a> DataLine<'a> {
    /// Reads a line, without its line end. Every line is one: [`DataLine::code`] tells whether it was understood.
    #[must_use]
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Self {
        let (rest, len) = (octets, octets.len());
        match wide::line(octets) {
            Some(wide::Line { code, at, first }) => {
                // What stands behind the first value has to be looked at.
                let behind = at.wrapping_add(first.len()).wrapping_add(2);
                let plain = matches!(octets.get(behind..), Some([] | [b'(', ..]));
                Self { rest, len, code: Some(code), at, first: if plain { first } else { Known::NOTHING } }
            }
            None => Self::parse_odd(octets),
        }
    }

    #[cold]
    fn parse_odd(octets: &'a [u8]) -> Self {
        let at = octets.iter().position(|octet| *octet == b'(').unwrap_or(octets.len());
        let code = odd_code(octets.get(..at).unwrap_or_default());
        Self { rest: octets, len: octets.len(), code, at, first: Known::NOTHING }
    }

    /// The whole line as sent.
    #[must_use]
    #[inline]
    pub fn raw(&self) -> &'a [u8] {
        self.rest.get(..self.len).unwrap_or_default()
    }

    /// The code in front of the first parenthesis, in any spelling; `None`: the line is to be taken raw.
    #[must_use]
    #[inline]
    pub const fn code(&self) -> Option<Obis> {
        self.code
    }

    /// The values in parentheses, in order.
    #[must_use]
    #[inline]
    pub fn values(&self) -> Values<'a> {
        Values { rest: self.rest, at: self.at, end: self.len, first: self.first }
    }

    /// The first value.
    #[must_use]
    #[inline]
    pub fn value(&self) -> Option<Value<'a>> {
        self.values().next()
    }

    /// Whether the last value lacks its parenthesis, or something else stands behind it: octets were lost, and what there
    /// is of a number is another number.
    #[must_use]
    #[inline]
    pub fn is_unclosed(&self) -> bool {
        let line = self.raw();
        line.last() != Some(&b')') && line.contains(&b'(') && !line.trim_ascii_end().ends_with(b")")
    }

    /// The M-Bus channel, value group B of a code of medium 0: 1 to 4 by the standard. `None` for 0 and other media.
    #[must_use]
    pub fn channel(&self) -> Option<u8> {
        let code = self.code?;
        (code.a() == 0 && code.b() != 0).then_some(code.b())
    }
}

impl PartialEq for DataLine<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.raw() == other.raw()
    }
}

impl Eq for DataLine<'_> {}

impl core::fmt::Debug for DataLine<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.raw().escape_ascii())
    }
}

/// Any other spelling. It takes a dot to be a code: a plain word such as `FADE00112233` is none. And a medium takes a
/// colon: `1-021.7.0` has lost one octet or more, nobody knows which.
fn odd_code(front: &[u8]) -> Option<Obis> {
    let front = front.trim_ascii();
    if !front.contains(&b'.') || (front.contains(&b'-') && !front.contains(&b':')) {
        return None;
    }
    Obis::parse(front).ok()
}

/// Iterator of [`DataLine::values`].
///
/// A value ends at the parenthesis that is followed by another one, by a line end or by nothing, so that a text may
/// hold parentheses. Doubled parentheses, `((ER11))`, are one pair. A last value that is not closed goes to the end
/// and is a text: of a number nobody knows what is missing.
#[derive(Clone, Copy, Debug)]
pub struct Values<'a> {
    /// Begins with the line. What stands behind it belongs to other lines.
    rest: &'a [u8],
    /// Where the next value's parenthesis stands.
    at: usize,
    /// Octets of the line.
    end: usize,
    /// What is known of the first value: whoever found the line has passed it.
    first: Known,
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.at >= self.end {
            return None;
        }
        // Nothing is handed out by reference, so that the compiler may keep all of it in registers.
        let Self { rest, at, end, mut first } = *self;
        if first.is_nothing() {
            first = Self::look(rest, at, end);
            if first.is_nothing() {
                let (value, behind) = Self::next_odd(rest, at, end)?;
                *self = behind;
                return Some(value);
            }
        }
        let from = at.wrapping_add(1);
        let to = from.wrapping_add(first.len());
        *self = Self { at: to.wrapping_add(1), first: Known::NOTHING, ..*self };
        Some(Value::known(rest.get(from..to).unwrap_or_default(), first))
    }
}

impl<'a> Values<'a> {
    const fn new(rest: &'a [u8]) -> Self {
        Self { rest, at: 0, end: rest.len(), first: Known::NOTHING }
    }

    /// The value at `at`, if it holds no parenthesis and another one or nothing follows.
    #[inline(never)]
    fn look(rest: &[u8], at: usize, end: usize) -> Known {
        let Some([b'(', text @ ..]) = rest.get(at..) else { return Known::NOTHING };
        let known = wide::value(text);
        let behind = at.wrapping_add(known.len()).wrapping_add(2);
        let plain = matches!(rest.get(behind..end), Some([] | [b'(', ..]));
        if plain { known } else { Known::NOTHING }
    }

    #[cold]
    fn next_odd(rest: &'a [u8], at: usize, end: usize) -> Option<(Value<'a>, Self)> {
        let all = rest.get(at..end)?;
        let open = all.iter().position(|octet| *octet == b'(')?;
        let mut text = all.get(open.checked_add(1)?..)?;
        let doubled = match text {
            [b'(', inner @ ..] => {
                text = inner;
                true
            }
            _ => false,
        };
        let mut at = 0usize;
        loop {
            let found = text.get(at..).and_then(|ahead| ahead.iter().position(|octet| *octet == b')'));
            let Some(found) = found else {
                return Some((Value::unclosed(text), Self::new(&[])));
            };
            at = at.checked_add(found)?;
            let (value, after) = text.split_at_checked(at)?;
            let after = match after {
                [b')', b')', after @ ..] if doubled => after,
                [b')', after @ ..] => after,
                after => after,
            };
            match after.trim_ascii_start() {
                [] | [b'(', ..] => return Some((Value::new(value), Self::new(after))),
                _ if after.first().is_some_and(|octet| is_line_end(*octet)) => {
                    return Some((Value::new(value), Self::new(after)));
                }
                _ => at = at.checked_add(1)?,
            }
        }
    }
}

/// The data lines of a telegram's body, from behind the identification line to the check line.
#[derive(Clone, Copy, Debug)]
pub struct DataLines<'a> {
    rest: &'a [u8],
}

impl<'a> DataLines<'a> {
    pub(crate) const fn new(mut rest: &'a [u8]) -> Self {
        while let [b'\r' | b'\n', tail @ ..] = rest {
            rest = tail;
        }
        Self { rest }
    }
}

impl<'a> Iterator for DataLines<'a> {
    type Item = DataLine<'a>;

    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn next(&mut self) -> Option<DataLine<'a>> {
        // Nothing is handed out by reference, so that the compiler may keep all of it in registers.
        let (line, rest) = match self.next_frequent() {
            Some(found) => found,
            None => Self::next_other(self.rest)?,
        };
        *self = rest;
        Some(line)
    }
}

impl<'a> DataLines<'a> {
    /// The line at the front, if it is like most; and the lines behind it. All in one pass, and the value is read by the
    /// way.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    fn next_frequent(self) -> Option<(DataLine<'a>, Self)> {
        let rest = self.rest;
        let (wide::Line { code, at, first }, len, behind) = wide::frequent_line(rest)?;
        Some((DataLine { rest, len, code: Some(code), at, first }, Self { rest: behind }))
    }

    #[inline(never)]
    fn next_other(rest: &'a [u8]) -> Option<(DataLine<'a>, Self)> {
        let lines = Self { rest };
        match lines.next_plain() {
            Some(found) => Some(found),
            None => lines.next_odd(),
        }
    }

    /// The line at the front, if it is plain: a code, a value without parentheses, perhaps others, CR LF, and a line that
    /// does not continue it.
    fn next_plain(self) -> Option<(DataLine<'a>, Self)> {
        let rest = self.rest;
        let wide::Line { code, at, first } = wide::line(rest)?;
        let len = end_of_line(rest, at.wrapping_add(first.len()).wrapping_add(2))?;
        let behind = rest.get(len.wrapping_add(2)..)?;
        Some((DataLine { rest, len, code: Some(code), at, first }, Self { rest: behind }))
    }

    #[cold]
    fn next_odd(mut self) -> Option<(DataLine<'a>, Self)> {
        while let [b'\r' | b'\n', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if matches!(self.rest, [] | [b'!', ..]) {
            return None;
        }
        let (mut line, mut rest) = split_line(self.rest)?;
        while let [b'\r' | b'\n', tail @ ..] = rest {
            rest = tail;
        }
        if !line.ends_with(b")") || rest.first() == Some(&b'(') {
            line = continued(self.rest, line.len());
            rest = self.rest.get(line.len()..).unwrap_or_default();
        }
        Some((DataLine::parse(line), Self { rest }))
    }
}

/// Octets of the line at the front, of which all in front of `at` are known, if it goes on with nothing or other values,
/// ends with CR LF, and is not continued.
fn end_of_line(octets: &[u8], at: usize) -> Option<usize> {
    let behind = octets.get(at..)?;
    let more = behind.iter().position(|octet| is_line_end(*octet))?;
    let (values, end) = behind.split_at_checked(more)?;
    let closed = matches!(values, [] | [b'(', .., b')']);
    let alone = matches!(end, [b'\r', b'\n', next, ..] if !matches!(next, b'(' | b'\r' | b'\n'));
    (closed && alone).then_some(at.wrapping_add(more))
}

/// The line at the front and what follows it, its line end included.
#[inline]
fn split_line(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    octets.split_at_checked(wide::find_line_end(octets).unwrap_or(octets.len()))
}

/// The line of `len` octets at the front of `octets` with all lines that continue it.
#[cold]
fn continued(octets: &[u8], mut len: usize) -> &[u8] {
    loop {
        let line = octets.get(..len).unwrap_or_default();
        let after = octets.get(len..).unwrap_or_default();
        let blank = after.iter().take_while(|octet| is_line_end(**octet)).count();
        let next = after.get(blank..).unwrap_or_default();
        let next_line = split_line(next).map(|(line, _)| line).unwrap_or_default();
        let more = match next {
            [] | [b'!' | b'/', ..] => false,
            [b'(', ..] => true,
            // A text that is wrapped. A line that has only lost its last parenthesis must not swallow the next.
            _ => is_open(line) && !begins_object(next_line),
        };
        if !more {
            return line;
        }
        len = len.saturating_add(blank).saturating_add(next_line.len());
    }
}

/// Whether the last value of a line is not closed.
fn is_open(line: &[u8]) -> bool {
    let last = |mark: u8| line.iter().rposition(|octet| *octet == mark);
    match (last(b'('), last(b')')) {
        (Some(open), Some(close)) => open > close,
        (open, _) => open.is_some(),
    }
}

/// Whether a line begins with a code and a parenthesis.
fn begins_object(line: &[u8]) -> bool {
    let at = line.iter().position(|octet| *octet == b'(');
    at.and_then(|at| line.get(..at)).is_some_and(|front| odd_code(front).is_some())
}

#[cfg(test)]
mod tests;
