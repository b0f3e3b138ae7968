//! What a reader is told by its owner.

use core::fmt;
use core::str;

/// What a reader must know, borrowed from the text that it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config<'t> {
    /// `ssid`: name of the radio network; empty where there is none.
    pub ssid: &'t str,
    /// `password` of the radio network.
    pub password: &'t str,
    /// `server`: IPv4 address to post to.
    pub server: [u8; 4],
    /// `port`: 80 unless said.
    pub port: u16,
    /// `uri`: the path to post to, `/` unless said.
    pub uri: &'t str,
    /// `key`: goes with each post as `X-Api-Key`; none when empty.
    pub key: &'t str,
    /// `period`: seconds between two posts, 1 to 86,400; 60 unless said.
    pub period: u32,
}

/// What is wrong with a text, and in which of its lines, from 1; line 0 is of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The line.
    pub line: u16,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// Octets that are no UTF-8.
    Text,
    /// No `=`.
    Form,
    /// A name that nothing is known by.
    Name,
    /// A value that is no address or number, or out of its range; or text with control characters in it.
    Value,
    /// `server` is missing.
    Server,
}

impl<'t> Config<'t> {
    /// Reads lines `name=value`, ended by LF or CR LF; empty lines and lines that start with `#` are remarks. Spaces at the
    /// ends of names and values do not count. Where a name comes twice, the last counts.
    ///
    /// # Errors
    /// The first line that cannot be read: a misspelt name must not leave a default in force unnoticed.
    pub fn parse(text: &'t [u8]) -> Result<Self, ConfigError> {
        let text = str::from_utf8(text).map_err(|_| ConfigError { line: 0, problem: Problem::Text })?;
        let mut config =
            Config { ssid: "", password: "", server: [0; 4], port: 80, uri: "/", key: "", period: 60 };
        let mut server = None;
        for (line, number) in text.lines().zip(1u16..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |problem| ConfigError { line: number, problem };
            let (name, value) = line.split_once('=').ok_or(error(Problem::Form))?;
            let value = value.trim();
            // A line end in a value would start a header of its own in a request.
            if value.chars().any(char::is_control) {
                return Err(error(Problem::Value));
            }
            let bad = error(Problem::Value);
            match name.trim() {
                "ssid" => config.ssid = value,
                "password" => config.password = value,
                "server" => server = Some(address(value).ok_or(bad)?),
                "port" => config.port = value.parse().ok().filter(|port| *port != 0).ok_or(bad)?,
                "uri" if value.starts_with('/') && !value.contains(' ') => config.uri = value,
                "uri" => return Err(bad),
                "key" => config.key = value,
                "period" => {
                    let period = value.parse().ok().filter(|period| (1..=86_400).contains(period));
                    config.period = period.ok_or(bad)?;
                }
                _ => return Err(error(Problem::Name)),
            }
        }
        config.server = server.ok_or(ConfigError { line: 0, problem: Problem::Server })?;
        Ok(config)
    }
}

/// `192.0.2.7`.
fn address(text: &str) -> Option<[u8; 4]> {
    let mut parts = text.split('.').map(str::parse::<u8>);
    let address = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    parts.next().is_none().then_some(address)
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.problem {
            Problem::Text => "not UTF-8",
            Problem::Form => "not of the form name=value",
            Problem::Name => "unknown name",
            Problem::Value => "bad value",
            Problem::Server => "no server",
        };
        write!(f, "line {}: {what}", self.line)
    }
}

impl core::error::Error for ConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (u16, Problem) {
        let error = Config::parse(text.as_bytes()).err();
        error.map_or((u16::MAX, Problem::Text), |error| (error.line, error.problem))
    }

    #[test]
    fn every_name_is_read() {
        let text = b"# my meter\r\nssid = home\r\npassword=a=b c\r\n\r\nserver=192.0.2.7\nport=8080\nuri=/meter.php\nkey=k1\nperiod=300";
        let config = Config {
            ssid: "home",
            password: "a=b c",
            server: [192, 0, 2, 7],
            port: 8080,
            uri: "/meter.php",
            key: "k1",
            period: 300,
        };
        assert_eq!(Config::parse(text), Ok(config));
    }

    #[test]
    fn only_the_server_is_needed() {
        let config = Config::parse(b"server=10.0.2.2").map(|config| (config.port, config.uri, config.period));
        assert_eq!(config, Ok((80, "/", 60)));
        assert_eq!(problem("port=80"), (0, Problem::Server));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        assert_eq!(problem("server=10.0.2.2\nsevrer=10.0.2.3"), (2, Problem::Name));
        assert_eq!(problem("\nserver 10.0.2.2"), (2, Problem::Form));
        for bad in
            ["server=10.0.2", "server=10.0.2.2.2", "server=10.0.2.256", "port=0", "port=65536", "period=0"]
        {
            assert_eq!(problem(bad), (1, Problem::Value), "{bad}");
        }
        assert_eq!(problem("key=a\u{7}b"), (1, Problem::Value));
        assert_eq!(problem("uri=meter.php"), (1, Problem::Value));
    }
}
