//! Octet pipes that frames travel on: a TCP connection, a listening port whose connections share one medium, a serial port or PTY.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use upgrade_proto::carrier::plain::{Decoder, Frame, OVERHEAD};
use upgrade_proto::package::Address;

const FRAME_MAX: usize = 2048;

type Writers = Arc<Mutex<Vec<Box<dyn Write + Send>>>>;

/// What came in: for whom, from whom, what.
pub type Incoming = (Address, Address, Vec<u8>);

/// The medium.
pub struct Link {
    writers: Writers,
    frames: Receiver<Incoming>,
    // Kept so that `frames` stays open while a listener waits for its first connection.
    _open: Sender<Incoming>,
}

fn listen_to(mut from: impl Read + Send + 'static, to: Sender<Incoming>) {
    std::thread::spawn(move || {
        let mut decoder = Decoder::new(vec![0u8; FRAME_MAX]);
        let mut buffer = [0u8; 1024];
        loop {
            let len = match from.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => len,
                Err(error)
                    if matches!(
                        error.kind(),
                        std::io::ErrorKind::TimedOut | std::io::ErrorKind::Interrupted
                    ) =>
                {
                    continue;
                }
                Err(_) => return,
            };
            let mut input = &buffer[..len];
            while let Some(frame) = decoder.decode(&mut input) {
                if to.send((frame.to, frame.from, frame.message.to_vec())).is_err() {
                    return;
                }
            }
        }
    });
}

impl Link {
    /// `tcp:HOST:PORT` connects, `listen:HOST:PORT` takes any number of connections, anything else is a serial port or PTY.
    pub fn open(port: &str, baud: u32) -> Result<Link, String> {
        let fail = |error: &dyn std::fmt::Display| format!("{port}: {error}");
        let (to, frames) = channel();
        let writers: Writers = Arc::default();
        let push = |writer: Box<dyn Write + Send>| {
            if let Ok(mut writers) = writers.lock() {
                writers.push(writer);
            }
        };
        if let Some(address) = port.strip_prefix("tcp:") {
            let stream = TcpStream::connect(address).map_err(|error| fail(&error))?;
            let _ = stream.set_nodelay(true);
            listen_to(stream.try_clone().map_err(|error| fail(&error))?, to.clone());
            push(Box::new(stream));
        } else if let Some(address) = port.strip_prefix("listen:") {
            let listener = TcpListener::bind(address).map_err(|error| fail(&error))?;
            let (to, writers) = (to.clone(), writers.clone());
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let _ = stream.set_nodelay(true);
                    let Ok(reader) = stream.try_clone() else { continue };
                    listen_to(reader, to.clone());
                    if let Ok(mut writers) = writers.lock() {
                        writers.push(Box::new(stream));
                    }
                }
            });
        } else {
            let serial = serialport::new(port, baud).timeout(Duration::from_millis(200)).open();
            let serial = serial.map_err(|error| fail(&error))?;
            listen_to(serial.try_clone().map_err(|error| fail(&error))?, to.clone());
            push(Box::new(serial));
        }
        Ok(Link { writers, frames, _open: to })
    }

    /// Sends a frame to everyone on the medium; those who are gone are forgotten.
    pub fn send(&self, to: Address, from: Address, message: &[u8]) -> Result<(), String> {
        let mut buffer = vec![0; message.len() + OVERHEAD];
        let octets = Frame { to, from, message }.encode(&mut buffer).map_err(|error| error.to_string())?;
        let mut writers = self.writers.lock().map_err(|_| "a reader thread failed")?;
        writers.retain_mut(|writer| writer.write_all(octets).and_then(|()| writer.flush()).is_ok());
        Ok(())
    }

    /// The next frame, if one comes within the time. `Err`: the pipe is closed.
    pub fn receive(&self, wait: Duration) -> Result<Option<Incoming>, String> {
        match self.frames.recv_timeout(wait) {
            Ok(frame) => Ok(Some(frame)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err("connection closed".into()),
        }
    }
}
