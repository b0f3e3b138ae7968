//! An HTTP/1.1 request with a reading in it, and the answer's first line.

use super::Reading;
use crate::config::Config;
use crate::sink::Sink;

/// A POST of one reading.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Where to.
    pub config: &'a Config<'a>,
    /// What.
    pub reading: &'a Reading,
}

impl Post<'_> {
    /// Writes the whole request: head, then the JSON object. The server is asked to close the connection behind its answer.
    pub fn write(&self, out: &mut impl Sink) {
        let mut len = 0u32;
        self.reading.json(&mut |_| len = len.wrapping_add(1));
        let Config { uri, key, server, port, .. } = *self.config;
        out.put_all(b"POST ");
        out.put_all(uri.as_bytes());
        out.put_all(b" HTTP/1.1\r\nHost: ");
        for (part, behind) in server.into_iter().zip(*b"...:") {
            out.decimal(u32::from(part));
            out.put(behind);
        }
        out.decimal(u32::from(port));
        out.put_all(b"\r\nContent-Type: application/json\r\nContent-Length: ");
        out.decimal(len);
        if !key.is_empty() {
            out.put_all(b"\r\nX-Api-Key: ");
            out.put_all(key.as_bytes());
        }
        out.put_all(b"\r\nConnection: close\r\n\r\n");
        self.reading.json(out);
    }

    /// Whether an answer's front says that the reading was taken (2xx); `None` until enough of it has come.
    #[must_use]
    pub fn answered(octets: &[u8]) -> Option<bool> {
        // HTTP/1.1 204
        let [_, _, _, _, _, _, _, _, b' ', hundreds, tens, ones, ..] = octets else {
            return (octets.len() >= 12).then_some(false);
        };
        let digits = hundreds.is_ascii_digit() && tens.is_ascii_digit() && ones.is_ascii_digit();
        Some(octets.starts_with(b"HTTP/1.") && digits && *hundreds == b'2')
    }
}
