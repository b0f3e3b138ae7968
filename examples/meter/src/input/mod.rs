//! Where octets come from: files, standard input, serial ports and sockets.

pub mod hex;

use serialport::{DataBits, Parity, StopBits};
use std::fs::File;
use std::io::{self, Read};
use std::net::TcpStream;
use std::time::Duration;

/// A silence as long as this ends a frame in progress.
pub const IDLE: Duration = Duration::from_millis(1500);

/// What `--source` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Stdin,
    File(String),
    Serial(Line),
    Tcp(String),
}

/// A serial line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub path: String,
    pub baud: u32,
    pub data_bits: DataBits,
    pub parity: Parity,
    pub stop_bits: StopBits,
}

impl Source {
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if let Some(line) = text.strip_prefix("serial:") {
            return Line::parse(line).map(Self::Serial);
        }
        if let Some(address) = text.strip_prefix("tcp:") {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            return match port {
                Some(Ok(_)) => Ok(Self::Tcp(address.to_owned())),
                _ => Err(format!("tcp:{address}: expected tcp:HOST:PORT")),
            };
        }
        Ok(Self::File(text.to_owned()))
    }

    /// Whether the source goes on for ever, and is opened again when it fails.
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Serial(_) | Self::Tcp(_))
    }

    /// Opens it; with the number of octets, where that is known.
    pub fn open(&self) -> io::Result<(Box<dyn Read>, Option<u64>)> {
        Ok(match self {
            Self::Stdin => (Box::new(io::stdin().lock()), None),
            Self::File(path) => {
                let file = File::open(path)?;
                let len = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|data| data.len());
                (Box::new(file), len)
            }
            Self::Serial(line) => {
                let port = serialport::new(&line.path, line.baud)
                    .data_bits(line.data_bits)
                    .parity(line.parity)
                    .stop_bits(line.stop_bits)
                    .timeout(IDLE)
                    .open()?;
                (Box::new(port), None)
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address)?;
                stream.set_read_timeout(Some(IDLE))?;
                (Box::new(stream), None)
            }
        })
    }
}

impl Line {
    /// `PATH`, `PATH@BAUD` or `PATH@BAUD,8N1`; 2400 8N1 where nothing is said.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path, settings) = text.rsplit_once('@').unwrap_or((text, "2400"));
        let (baud, mode) = settings.split_once(',').unwrap_or((settings, "8N1"));
        let wrong = || format!("serial:{text}: expected serial:PATH@BAUD,8N1 (or 8E1, 7E1, …)");
        let baud = baud.parse().map_err(|_| wrong())?;
        let [data, parity, stop] = *mode.as_bytes() else { return Err(wrong()) };
        let data_bits = match data {
            b'7' => DataBits::Seven,
            b'8' => DataBits::Eight,
            _ => return Err(wrong()),
        };
        let parity = match parity.to_ascii_uppercase() {
            b'N' => Parity::None,
            b'E' => Parity::Even,
            b'O' => Parity::Odd,
            _ => return Err(wrong()),
        };
        let stop_bits = match stop {
            b'1' => StopBits::One,
            b'2' => StopBits::Two,
            _ => return Err(wrong()),
        };
        Ok(Self { path: path.to_owned(), baud, data_bits, parity, stop_bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        assert_eq!(Source::parse("-"), Ok(Source::Stdin));
        assert_eq!(Source::parse("a.hex"), Ok(Source::File("a.hex".into())));
        assert_eq!(Source::parse("tcp:[::1]:4059"), Ok(Source::Tcp("[::1]:4059".into())));
        assert!(Source::parse("tcp:host").is_err());
        let Ok(Source::Serial(line)) = Source::parse("serial:/dev/ttyUSB0@115200,7e1") else { panic!() };
        assert_eq!((line.path.as_str(), line.baud), ("/dev/ttyUSB0", 115_200));
        assert_eq!((line.data_bits, line.parity), (DataBits::Seven, Parity::Even));
        assert!(Source::parse("serial:/dev/ttyUSB0@2400,9N1").is_err());
        assert!(Source::parse("serial:/dev/ttyUSB0@fast").is_err());
    }
}
