//! Where a meter is: a serial port, a TCP gateway or a pseudo-terminal.

use crate::input::Line;
use serialport::SerialPort;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// A host that does not answer must not keep the caller for minutes.
const CONNECT: Duration = Duration::from_secs(10);

/// What `--port` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Serial(Line),
    Tcp(String),
    Pty(String),
}

impl Place {
    /// `PATH[@BAUD[,8E1]]`, `tcp:HOST:PORT` or `pty:PATH`; `baud` where none is said.
    pub fn parse(text: &str, baud: u32) -> Result<Self, String> {
        if let Some(address) = text.strip_prefix("tcp:") {
            let port = address.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
            return match port {
                Some(Ok(_)) => Ok(Self::Tcp(address.to_owned())),
                _ => Err(format!("{text}: expected tcp:HOST:PORT")),
            };
        }
        if let Some(path) = text.strip_prefix("pty:") {
            return Ok(Self::Pty(path.to_owned()));
        }
        let text = text.strip_prefix("serial:").unwrap_or(text);
        // The standard's frame is 8 data bits, even parity, 1 stop bit.
        let (path, settings) = match text.rsplit_once('@') {
            None => (text, format!("{baud},8E1")),
            Some((path, settings)) if settings.contains(',') => (path, settings.to_owned()),
            Some((path, settings)) => (path, format!("{settings},8E1")),
        };
        Line::parse(&format!("{path}@{settings}")).map(Self::Serial)
    }

    /// Whether the rate means anything.
    pub fn has_rate(&self) -> bool {
        matches!(self, Self::Serial(_))
    }

    pub fn open(&self) -> io::Result<Port> {
        Ok(match self {
            Self::Serial(line) => Port::Serial(
                serialport::new(&line.path, line.baud)
                    .data_bits(line.data_bits)
                    .parity(line.parity)
                    .stop_bits(line.stop_bits)
                    .open()?,
            ),
            // Whoever holds the other end keeps the terminal for the next one: no claim to it alone.
            Self::Pty(path) => Port::Serial(serialport::new(path, 9600).exclusive(false).open()?),
            Self::Tcp(address) => {
                let mut last = io::Error::new(ErrorKind::NotFound, "no such host");
                for address in address.to_socket_addrs()? {
                    match TcpStream::connect_timeout(&address, CONNECT) {
                        Ok(stream) => {
                            stream.set_nodelay(true)?;
                            return Ok(Port::Tcp(stream));
                        }
                        Err(error) => last = error,
                    }
                }
                return Err(last);
            }
        })
    }
}

/// An open line.
pub enum Port {
    Serial(Box<dyn SerialPort>),
    Tcp(TcpStream),
}

impl Port {
    /// Octets that have come, waiting for the first as long as `wait`; 0 if none came.
    pub fn read(&mut self, octets: &mut [u8], wait: Duration) -> io::Result<usize> {
        let wait = wait.max(Duration::from_millis(1));
        let result = match self {
            Self::Serial(port) => {
                port.set_timeout(wait)?;
                port.read(octets)
            }
            Self::Tcp(stream) => {
                stream.set_read_timeout(Some(wait))?;
                stream.read(octets)
            }
        };
        match result {
            Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "closed by the other end")),
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::TimedOut | ErrorKind::WouldBlock | ErrorKind::Interrupted
                ) =>
            {
                Ok(0)
            }
            result => result,
        }
    }

    pub fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Serial(port) => {
                port.set_timeout(CONNECT)?;
                port.write_all(octets)?;
                port.flush()
            }
            Self::Tcp(stream) => stream.write_all(octets),
        }
    }

    /// Sets the rate; nothing to a socket.
    pub fn set_rate(&mut self, rate: u32) -> io::Result<()> {
        match self {
            Self::Serial(port) => Ok(port.set_baud_rate(rate)?),
            Self::Tcp(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serialport::Parity;

    #[test]
    fn a_port_without_settings_is_as_the_standard_says() {
        let Ok(Place::Serial(line)) = Place::parse("/dev/ttyUSB0", 2400) else { panic!() };
        assert_eq!((line.path.as_str(), line.baud, line.parity), ("/dev/ttyUSB0", 2400, Parity::Even));
        let Ok(Place::Serial(line)) = Place::parse("COM3@9600", 2400) else { panic!() };
        assert_eq!((line.path.as_str(), line.baud, line.parity), ("COM3", 9600, Parity::Even));
        let Ok(Place::Serial(line)) = Place::parse("serial:/dev/ttyS0@1200,8N1", 2400) else { panic!() };
        assert_eq!((line.baud, line.parity), (1200, Parity::None));
        assert_eq!(Place::parse("pty:/dev/pts/3", 0), Ok(Place::Pty("/dev/pts/3".into())));
        assert_eq!(Place::parse("tcp:[::1]:502", 0), Ok(Place::Tcp("[::1]:502".into())));
        assert!(Place::parse("tcp:host", 0).is_err() && Place::parse("/dev/ttyS0@fast", 0).is_err());
    }
}
