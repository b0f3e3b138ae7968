//! Data lines: an OBIS code and its parenthesised values, borrowed. What is not understood stays raw.

use crate::framing::is_line_end;
use crate::value::Value;
#[cfg(target_pointer_width = "64")]
use crate::wide;
use obis::Obis;

/// One data line, with the lines that continue it.
///
/// `1-0:1.8.1(000576.239*kWh)`: a code and any number of values. The gas reading of DSMR 2.2 and 3.0 stands on a line
/// of its own that begins with a parenthesis, and a long text may be wrapped: both belong to the line before.
#[derive(Clone, Copy)]
pub struct DataLine<'a> {
    octets: &'a [u8],
    code: Option<Obis>,
    values: Values<'a>,
}

impl<'a> DataLine<'a> {
    /// Reads a line, without its line end. Every line is one: [`DataLine::code`] tells whether it was understood.
    #[must_use]
    #[inline]
    pub fn parse(octets: &'a [u8]) -> Self {
        if let Some((code, rest)) = plain_code(octets) {
            return Self { octets, code: Some(code), values: Values { rest, len: rest.len(), known: 0 } };
        }
        Self::parse_odd(octets)
    }

    #[cold]
    fn parse_odd(octets: &'a [u8]) -> Self {
        let at = octets.iter().position(|octet| *octet == b'(').unwrap_or(octets.len());
        let (front, rest) = octets.split_at_checked(at).unwrap_or_default();
        Self { octets, code: odd_code(front), values: Values { rest, len: rest.len(), known: 0 } }
    }

    /// The whole line as sent.
    #[must_use]
    pub const fn raw(&self) -> &'a [u8] {
        self.octets
    }

    /// The code in front of the first parenthesis, in any spelling; `None`: the line is to be taken raw.
    #[must_use]
    pub const fn code(&self) -> Option<Obis> {
        self.code
    }

    /// The values in parentheses, in order.
    #[must_use]
    #[inline]
    pub const fn values(&self) -> Values<'a> {
        self.values
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
        self.octets.last() != Some(&b')')
            && self.octets.contains(&b'(')
            && !self.octets.trim_ascii_end().ends_with(b")")
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
        self.octets == other.octets
    }
}

impl Eq for DataLine<'_> {}

impl core::fmt::Debug for DataLine<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.octets.escape_ascii())
    }
}

/// `A-B:C.D.E(` as nearly all lines begin: the code, and the line from the parenthesis on.
#[inline]
fn plain_code(octets: &[u8]) -> Option<(Obis, &[u8])> {
    #[cfg(target_pointer_width = "64")]
    if let Some((code, len)) = wide::code(octets) {
        return Some((code, octets.get(len..)?));
    }
    code_by_octets(octets)
}

/// The same, an octet at a time.
fn code_by_octets(octets: &[u8]) -> Option<(Obis, &[u8])> {
    let [a, b'-', b, b':', rest @ ..] = octets else { return None };
    let (a, b) = (a.wrapping_sub(b'0'), b.wrapping_sub(b'0'));
    let (c, rest) = group(rest)?;
    let [b'.', rest @ ..] = rest else { return None };
    let (d, rest) = group(rest)?;
    let [b'.', rest @ ..] = rest else { return None };
    let (e, rest) = group(rest)?;
    (a < 10 && b < 10 && rest.first() == Some(&b'(')).then(|| (Obis::new(a, b, c, d, e, 255), rest))
}

/// A value group of one or two digits.
#[inline]
fn group(octets: &[u8]) -> Option<(u8, &[u8])> {
    let [first, rest @ ..] = octets else { return None };
    let first = first.wrapping_sub(b'0');
    if first > 9 {
        return None;
    }
    match rest {
        [second, rest @ ..] if second.is_ascii_digit() => {
            Some((first.wrapping_mul(10).wrapping_add(second.wrapping_sub(b'0')), rest))
        }
        _ => Some((first, rest)),
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
    /// Begins with the values. What stands behind them belongs to other lines.
    rest: &'a [u8],
    /// Octets of the values.
    len: usize,
    /// Octets of the first value with its parentheses, where that is known: whoever found the line has passed it.
    known: usize,
}

impl<'a> Iterator for Values<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if self.len == 0 {
            return None;
        }
        let (at, after) = if self.known != 0 {
            (self.known, self.rest.get(self.known..)?)
        } else {
            let [b'(', text @ ..] = self.rest.get(..self.len)? else { return self.next_odd() };
            let Some(at) = value_end(text) else { return self.next_odd() };
            let after = self.rest.get(at.wrapping_add(2)..self.len)?;
            if !matches!(after, [] | [b'(', ..]) {
                return self.next_odd();
            }
            (at.wrapping_add(2), self.rest.get(at.wrapping_add(2)..)?)
        };
        let value = Value::within(self.rest.get(1..)?, at.wrapping_sub(2));
        self.rest = after;
        self.len = self.len.wrapping_sub(at);
        self.known = 0;
        Some(value)
    }
}

/// The octets of a value that is plain: no parenthesis and no control character in it, a closing parenthesis behind it.
#[inline]
fn value_end(octets: &[u8]) -> Option<usize> {
    #[cfg(target_pointer_width = "64")]
    return wide::value_end(octets);
    #[cfg(not(target_pointer_width = "64"))]
    {
        let at = octets.iter().position(|octet| matches!(octet, b'(' | b')' | 0..0x20))?;
        (octets.get(at) == Some(&b')')).then_some(at)
    }
}

impl<'a> Values<'a> {
    #[cold]
    fn next_odd(&mut self) -> Option<Value<'a>> {
        self.known = 0;
        let all = self.rest.get(..self.len)?;
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
                self.go_on(&[]);
                return Some(Value::unclosed(text));
            };
            at = at.checked_add(found)?;
            let (value, after) = text.split_at_checked(at)?;
            let after = match after {
                [b')', b')', after @ ..] if doubled => after,
                [b')', after @ ..] => after,
                after => after,
            };
            match after.trim_ascii_start() {
                [] | [b'(', ..] => {
                    self.go_on(after);
                    return Some(Value::new(value));
                }
                _ if after.first().is_some_and(|octet| is_line_end(*octet)) => {
                    self.go_on(after);
                    return Some(Value::new(value));
                }
                _ => at = at.checked_add(1)?,
            }
        }
    }

    fn go_on(&mut self, rest: &'a [u8]) {
        (self.rest, self.len) = (rest, rest.len());
    }
}

/// The data lines of a telegram's body, from behind the identification line to the check line.
#[derive(Clone, Copy, Debug)]
pub struct DataLines<'a> {
    rest: &'a [u8],
}

impl<'a> DataLines<'a> {
    pub(crate) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }
}

impl<'a> Iterator for DataLines<'a> {
    type Item = DataLine<'a>;

    #[inline]
    fn next(&mut self) -> Option<DataLine<'a>> {
        match self.next_plain() {
            Some(line) => Some(line),
            None => self.next_odd(),
        }
    }
}

impl<'a> DataLines<'a> {
    /// The line at the front, if it is plain: a code, values of which none holds a parenthesis, CR LF, and a line that
    /// does not continue it. All in one pass.
    #[inline]
    fn next_plain(&mut self) -> Option<DataLine<'a>> {
        let octets = self.rest;
        let (code, values) = plain_code(octets)?;
        let known = value_end(values.get(1..)?)?.wrapping_add(2);
        let mut rest = values.get(known..)?;
        while let [b'(', more @ ..] = rest {
            rest = more.get(value_end(more)?..)?.get(1..)?;
        }
        let [b'\r', b'\n', next @ ..] = rest else { return None };
        if matches!(next, [] | [b'(', ..]) {
            return None;
        }
        self.rest = next;
        let line = octets.get(..octets.len().wrapping_sub(rest.len()))?;
        let len = values.len().wrapping_sub(rest.len());
        Some(DataLine { octets: line, code: Some(code), values: Values { rest: values, len, known } })
    }

    fn next_odd(&mut self) -> Option<DataLine<'a>> {
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
        self.rest = rest;
        Some(DataLine::parse(line))
    }
}

/// The line at the front and what follows it, its line end included.
#[inline]
fn split_line(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = octets.iter().position(|octet| is_line_end(*octet)).unwrap_or(octets.len());
    octets.split_at_checked(len)
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
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    fn values(line: &str) -> Vec<String> {
        DataLine::parse(line.as_bytes())
            .values()
            .map(|value| value.octets().escape_ascii().to_string())
            .collect()
    }

    #[test]
    fn values_of_every_shape() {
        assert_eq!(values("1-0:1.8.1(000576.239*kWh)"), ["000576.239*kWh"]);
        assert_eq!(values("0-0:96.13.0()"), [""]);
        assert_eq!(values("1-0:99.97.0()"), [""]);
        assert_eq!(values("0-1:24.2.1(1)()(3)"), ["1", "", "3"]);
        assert_eq!(values("1-0:0.2.0((ER11))"), ["ER11"]);
        assert_eq!(values("0-0:96.13.0(see (a) and b)"), ["see (a) and b"]);
        assert_eq!(values("0-1:24.3.0(1)(m3)\r\n(00124.477)"), ["1", "m3", "00124.477"]);
        assert_eq!(values("1-0:1.8.1(000576.239*kWh) "), ["000576.239*kWh"]);
        assert_eq!(values("1-0:1.8.1(000576.239*kW"), ["000576.239*kW"]);
        assert_eq!(values("1-0:1.8.1"), Vec::<String>::new());
        assert_eq!(values("1-0:1.7.0(00.193*kW)/ISK5"), ["00.193*kW)/ISK5"]);
    }

    #[test]
    fn codes_of_every_spelling() {
        let code = |line: &str| DataLine::parse(line.as_bytes()).code();
        let expected = Some(Obis::new(1, 0, 1, 8, 0, 255));
        for line in [
            "1-0:1.8.0(1)",
            "1-0:1.8.0*255(1)",
            "1-0:1.8.0.255(1)",
            "1.8.0(1)",
            "01-00:01.08.00(1)",
            " 1-0:1.8.0 (1)",
        ] {
            assert_eq!(code(line), expected, "{line}");
        }
        assert_eq!(code("1-0:31.7.0.255(001*A)"), Some(Obis::new(1, 0, 31, 7, 0, 255)));
        assert_eq!(code("0-0:96.1.255*255(1)"), Some(Obis::new(0, 0, 96, 1, 255, 255)));
        assert_eq!(code("1-0:1.8.0*1(1)"), Some(Obis::new(1, 0, 1, 8, 0, 1)));
        assert_eq!(code("0-12:24.2.1(1)"), Some(Obis::new(0, 12, 24, 2, 1, 255)));
        for line in [
            "",
            "(00124.477)",
            "k0.000*kW)",
            "1-021.7.0(1)",
            "***NO CARIER***",
            "FADE00112233(1)",
            "1-0:1.8.256(1)",
            "1-0:4:24.7.0(0)",
        ] {
            assert_eq!(code(line), None, "{line}");
        }
    }

    #[test]
    fn lines_are_joined_and_never_swallowed() {
        let lines = |body: &str| -> Vec<String> {
            DataLines::new(body.as_bytes()).map(|line| line.raw().escape_ascii().to_string()).collect()
        };
        assert_eq!(lines("\r\n\r\n0-0:1.0.0(1)\r\n\n0-0:2.0.0(2)\r!"), ["0-0:1.0.0(1)", "0-0:2.0.0(2)"]);
        assert_eq!(
            lines("0-1:24.3.0(m3)\n(1.0)\n0-1:24.4.0(1)\n!"),
            ["0-1:24.3.0(m3)\\n(1.0)", "0-1:24.4.0(1)"]
        );
        assert_eq!(
            lines("0-0:96.13.0(3031\r\n3233)\r\n0-0:1.0.0(1)\r\n!"),
            ["0-0:96.13.0(3031\\r\\n3233)", "0-0:1.0.0(1)"]
        );
        assert_eq!(
            lines("1-0:1.7.0(00.1\r\n1-0:2.7.0(00.2*kW)\r\n!"),
            ["1-0:1.7.0(00.1", "1-0:2.7.0(00.2*kW)"]
        );
        assert_eq!(lines("NO CARRIER\r\n1-0:2.7.0(00.2*kW)"), ["NO CARRIER", "1-0:2.7.0(00.2*kW)"]);
        assert_eq!(lines("a\tb\x0b(x)\r\n!"), ["a\\tb\\x0b(x)"]);
        assert_eq!(lines(""), Vec::<String>::new());
    }
}
