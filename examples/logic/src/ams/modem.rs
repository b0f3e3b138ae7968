//! What an ESP8266 with AT firmware says, octet by octet.

/// Something that the module said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `OK`.
    Ok,
    /// `ERROR` or `FAIL`, or `busy`.
    Error,
    /// `>`: the octets to send may come.
    Prompt,
    /// `SEND OK`.
    Sent,
    /// The connection was closed, or the network lost.
    Closed,
    /// `ready`: the module has started anew.
    Ready,
    /// An octet from the connection.
    Octet(u8),
}

const LINE: usize = 16;

/// Tells answers from octets.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    line: [u8; LINE],
    len: u8,
    /// Octets of `+IPD` still to come.
    data: u16,
}

impl Default for Parser {
    fn default() -> Self {
        Self::new()
    }
}

impl Parser {
    /// At the start of a line.
    #[must_use]
    pub const fn new() -> Self {
        Self { line: [0; LINE], len: 0, data: 0 }
    }

    /// Takes an octet.
    pub fn take(&mut self, octet: u8) -> Option<Answer> {
        if let Some(left) = self.data.checked_sub(1) {
            self.data = left;
            return Some(Answer::Octet(octet));
        }
        let line = self.line.get(..usize::from(self.len)).unwrap_or_default();
        match octet {
            b'\r' | b'\n' => {
                let answer = answer(line);
                self.len = 0;
                return answer;
            }
            b'>' if line.is_empty() => return Some(Answer::Prompt),
            b':' => {
                if let Some(len) = line.strip_prefix(b"+IPD,") {
                    let digit = |sum: u16, digit: &u8| {
                        sum.wrapping_mul(10).wrapping_add(u16::from(digit.wrapping_sub(b'0')))
                    };
                    self.data = len.iter().fold(0, digit);
                    self.len = 0;
                    return None;
                }
            }
            _ => {}
        }
        if let Some(place) = self.line.get_mut(usize::from(self.len)) {
            *place = octet;
            self.len = self.len.wrapping_add(1);
        }
        None
    }
}

fn answer(line: &[u8]) -> Option<Answer> {
    match line {
        [b'O', b'K'] => Some(Answer::Ok),
        [b'E', b'R', b'R', ..] | [b'F', b'A', b'I', ..] | [b'b', b'u', b's', ..] => Some(Answer::Error),
        [b'S', b'E', b'N', b'D', b' ', b'O', b'K'] => Some(Answer::Sent),
        [b'S', b'E', b'N', b'D', ..] => Some(Answer::Error),
        [b'C', b'L', b'O', b'S', ..] | [b'W', b'I', b'F', b'I', b' ', b'D', ..] => Some(Answer::Closed),
        [b'r', b'e', b'a', b'd', b'y'] => Some(Answer::Ready),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_of_the_connection_are_told_from_answers() {
        let mut parser = Parser::new();
        let mut heard = [None; 8];
        let all = b"\r\nOK\r\n> \r\nSEND OK\r\n\r\n+IPD,3:OK\nCLOSED\r\n";
        let answers = all.iter().filter_map(|octet| parser.take(*octet));
        heard.iter_mut().zip(answers).for_each(|(place, answer)| *place = Some(answer));
        use Answer::{Closed, Octet, Ok, Prompt, Sent};
        let expected = [Ok, Prompt, Sent, Octet(b'O'), Octet(b'K'), Octet(b'\n'), Closed];
        assert!(heard.iter().flatten().eq(expected.iter()), "{heard:?}");
    }
}
