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
    /// How readings go out: `server` begins with `http://`, which can be left away, or `mqtt://`.
    pub way: Way,
    /// `server`: IPv4 address that readings go to.
    pub server: [u8; 4],
    /// Behind `:` in `server`, or `port`: 80 unless said, for MQTT 1883.
    pub port: u16,
    /// `uri`: the path to post to, `/` unless said.
    pub uri: &'t str,
    /// `topic`: what is published under, `meter` unless said.
    pub topic: &'t str,
    /// `user`: who the broker is told that publishes; nobody when empty.
    pub user: &'t str,
    /// `key`: goes with each post as `X-Api-Key`, to the broker as the password of `user`; none when empty.
    pub key: &'t str,
    /// `qos`: whether the broker acknowledges each message (1), as it does unless said, or not (0).
    pub confirmed: bool,
    /// `parity`: whether octets of a HAN port come with even parity (`even`), as they do unless said, or none (`none`).
    pub even: bool,
    /// `period`: seconds between two posts, 1 to 86,400; 60 unless said.
    pub period: u32,
}

/// How readings go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Each in an HTTP POST.
    Post,
    /// To an MQTT broker.
    Mqtt,
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
        let mut config = Config {
            ssid: "",
            password: "",
            way: Way::Post,
            server: [0; 4],
            port: 80,
            uri: "/",
            topic: "meter",
            user: "",
            key: "",
            confirmed: true,
            even: true,
            period: 60,
        };
        let (mut server, mut port) = (None, None);
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
                "server" => {
                    let (way, host) = match value.strip_prefix("mqtt://") {
                        Some(host) => (Way::Mqtt, host),
                        None => (Way::Post, value.strip_prefix("http://").unwrap_or(value)),
                    };
                    let host = match host.split_once(':') {
                        Some((host, behind)) => {
                            port = Some(tcp_port(behind).ok_or(bad)?);
                            host
                        }
                        None => host,
                    };
                    server = Some((way, address(host).ok_or(bad)?));
                }
                "port" => port = Some(tcp_port(value).ok_or(bad)?),
                "uri" if value.starts_with('/') && !value.contains(' ') => config.uri = value,
                "uri" => return Err(bad),
                // Wildcards are for those who subscribe.
                "topic" if !value.is_empty() && !value.contains(['+', '#']) => config.topic = value,
                "topic" => return Err(bad),
                "user" => config.user = value,
                "key" => config.key = value,
                "qos" => {
                    config.confirmed = match value {
                        "0" => false,
                        "1" => true,
                        _ => return Err(bad),
                    };
                }
                "parity" => {
                    config.even = match value {
                        "even" => true,
                        "none" => false,
                        _ => return Err(bad),
                    };
                }
                "period" => {
                    let period = value.parse().ok().filter(|period| (1..=86_400).contains(period));
                    config.period = period.ok_or(bad)?;
                }
                _ => return Err(error(Problem::Name)),
            }
        }
        (config.way, config.server) = server.ok_or(ConfigError { line: 0, problem: Problem::Server })?;
        config.port = port.unwrap_or(match config.way {
            Way::Post => 80,
            Way::Mqtt => 1883,
        });
        Ok(config)
    }
}

/// A TCP port; 0 is none.
fn tcp_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
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
        let text = b"# my meter\r\nssid = home\r\npassword=a=b c\r\n\r\nserver=192.0.2.7\nport=8080\nuri=/meter.php\ntopic=house/p1\nuser=me\nkey=k1\nqos=0\nparity=none\nperiod=300";
        let config = Config {
            ssid: "home",
            password: "a=b c",
            way: Way::Post,
            server: [192, 0, 2, 7],
            port: 8080,
            uri: "/meter.php",
            topic: "house/p1",
            user: "me",
            key: "k1",
            confirmed: false,
            even: false,
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
    fn the_server_says_how_readings_go_out() {
        let way = |text: &str| {
            let config = Config::parse(text.as_bytes()).ok()?;
            Some((config.way, config.server, config.port))
        };
        let there = [192, 0, 2, 7];
        for (text, expected) in [
            ("server=192.0.2.7", (Way::Post, there, 80)),
            ("server=192.0.2.7:8080", (Way::Post, there, 8080)),
            ("server=http://192.0.2.7", (Way::Post, there, 80)),
            ("server=mqtt://192.0.2.7", (Way::Mqtt, there, 1883)),
            ("server=mqtt://192.0.2.7:1884", (Way::Mqtt, there, 1884)),
            ("port=99\nserver=mqtt://192.0.2.7", (Way::Mqtt, there, 99)),
        ] {
            assert_eq!(way(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        assert_eq!(problem("server=10.0.2.2\nsevrer=10.0.2.3"), (2, Problem::Name));
        assert_eq!(problem("\nserver 10.0.2.2"), (2, Problem::Form));
        for bad in [
            "server=10.0.2",
            "server=10.0.2.2.2",
            "server=10.0.2.256",
            "port=0",
            "port=65536",
            "period=0",
            "server=mqtts://10.0.2.2",
            "server=10.0.2.2:",
            "server=10.0.2.2/",
            "topic=",
            "topic=a/#",
            "qos=2",
            "parity=odd",
        ] {
            assert_eq!(problem(bad), (1, Problem::Value), "{bad}");
        }
        assert_eq!(problem("key=a\u{7}b"), (1, Problem::Value));
        assert_eq!(problem("uri=meter.php"), (1, Problem::Value));
    }
}
