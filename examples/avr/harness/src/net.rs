//! A broker, a subscriber, and a Wi-Fi module that reaches the broker over TLS: everything real but the radio.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What the tests need; `None` (and says so) where it is not there, on CI a failure.
///
/// # Panics
/// On CI, if mosquitto or openssl are missing.
#[must_use]
pub fn there() -> bool {
    let found = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto_sub", "/usr/bin/openssl"]
        .iter()
        .all(|p| Path::new(p).exists());
    let on_ci =
        std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0");
    assert!(found || !on_ci, "mosquitto, mosquitto-clients or openssl missing");
    if !found {
        println!("SKIPPED: mosquitto, mosquitto-clients or openssl not found");
    }
    found
}

/// A mosquitto of our own on loopback: TLS for readers, plain for the tests.
pub struct Broker {
    child: Option<Child>,
    folder: PathBuf,
    pub tls: u16,
    pub plain: u16,
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port()
}

impl Broker {
    /// Starts one; `name` must differ between tests.
    #[must_use]
    pub fn start(name: &str) -> Broker {
        let folder = std::env::temp_dir().join(format!("avr-harness-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let (tls, plain) = (free_port(), free_port());
        let status = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(&folder)
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok_and(|status| status.success()), "openssl made no certificate");
        let at = folder.display();
        let configuration = format!(
            "user root\nallow_anonymous true\nlistener {tls} 127.0.0.1\ncertfile {at}/cert.pem\nkeyfile {at}/key.pem\n\
             listener {plain} 127.0.0.1\n"
        );
        std::fs::write(folder.join("mosquitto.conf"), configuration).expect("a file");
        let mut broker = Broker { child: None, folder, tls, plain };
        broker.up();
        broker
    }

    /// Starts it again.
    pub fn up(&mut self) {
        let log = std::fs::File::create(self.folder.join("log")).expect("a file");
        let child = Command::new("/usr/sbin/mosquitto")
            .arg("-c")
            .arg(self.folder.join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.child = child.ok();
        let limit = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.plain)).is_err() {
            assert!(Instant::now() < limit, "mosquitto does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it.
    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Publishes on a topic, retained.
    pub fn publish(&self, topic: &str, payload: &str, qos: &str) {
        let status = Command::new("mosquitto_pub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &self.plain.to_string(),
                "-r",
                "-t",
                topic,
                "-m",
                payload,
                "-q",
                qos,
            ])
            .status();
        assert!(status.is_ok_and(|status| status.success()), "mosquitto_pub failed");
    }

    /// What arrives under every topic, from now on.
    #[must_use]
    pub fn subscribe(&self) -> Subscriber {
        let mut child = Command::new("stdbuf")
            .args(["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", &self.plain.to_string()])
            .args(["-q", "1", "-t", "avg/#", "-t", "hr/#", "-t", "pf/#", "-F", "%t %x"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto_sub");
        let out = child.stdout.take().expect("a pipe");
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let (topic, hex) = line.split_once(' ').unwrap_or((&line, ""));
                let octets = (0..hex.len() / 2)
                    .filter_map(|i| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok());
                if sender.send((topic.to_string(), octets.collect())).is_err() {
                    return;
                }
            }
        });
        // Its subscription must stand before anything is published.
        std::thread::sleep(Duration::from_millis(400));
        Subscriber { child, lines }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.down();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client that notes what arrives: topic and payload.
pub struct Subscriber {
    child: Child,
    lines: Receiver<(String, Vec<u8>)>,
}

impl Subscriber {
    /// The next message that has arrived.
    #[must_use]
    pub fn next(&self) -> Option<(String, Vec<u8>)> {
        self.lines.recv_timeout(Duration::from_millis(1)).ok()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Connection {
    child: Child,
    input: ChildStdin,
    octets: Receiver<Vec<u8>>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The module: AT commands on one side, TLS with a checked certificate on the other (by `openssl s_client`).
pub struct Modem {
    broker: u16,
    certificate: PathBuf,
    /// Whether there is a network to join.
    pub network: bool,
    /// Whether acknowledgements of messages are lost on the way.
    pub swallow: bool,
    connection: Option<Connection>,
    line: Vec<u8>,
    /// Octets of `AT+CIPSEND` still to come, and those that have.
    wanted: usize,
    packet: Vec<u8>,
    /// To the program.
    pub out: VecDeque<u8>,
    /// Packets sent to the broker, in order.
    pub sent: Vec<Vec<u8>>,
    pub opened: u32,
    /// Octets from the broker.
    pub heard: u32,
    due: Option<Instant>,
}

impl Modem {
    /// For this broker.
    #[must_use]
    pub fn new(broker: &Broker) -> Modem {
        Modem {
            broker: broker.tls,
            certificate: broker.certificate(),
            network: true,
            swallow: false,
            connection: None,
            line: Vec::new(),
            wanted: 0,
            packet: Vec::new(),
            out: VecDeque::new(),
            sent: Vec::new(),
            opened: 0,
            heard: 0,
            due: None,
        }
    }

    fn say(&mut self, text: &str) {
        self.out.extend(text.bytes());
    }

    /// The network goes, or comes back.
    pub fn set_network(&mut self, network: bool) {
        self.network = network;
        if !network {
            if self.connection.take().is_some() {
                self.say("CLOSED\r\n");
            }
            self.due = None;
            self.say("WIFI DISCONNECT\r\n");
        }
    }

    /// Takes an octet from the program.
    pub fn take(&mut self, octet: u8) {
        if self.wanted > 0 {
            self.packet.push(octet);
            self.wanted -= 1;
            if self.wanted == 0 {
                self.transmit();
            }
            return;
        }
        self.line.push(octet);
        if self.line.ends_with(b"\r\n") {
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line).trim_end().to_string();
            self.command(&line);
        }
    }

    fn command(&mut self, line: &str) {
        match line.split(['=', '?']).next().unwrap_or_default() {
            "AT" | "ATE0" | "AT+CWMODE" => self.say("\r\nOK\r\n"),
            "AT+CIPCLOSE" if self.connection.take().is_some() => self.say("CLOSED\r\n\r\nOK\r\n"),
            "AT+CIPCLOSE" => self.say("\r\nERROR\r\n"),
            "AT+CWJAP" if self.network => self.say("WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n"),
            "AT+CWJAP" => self.say("+CWJAP:3\r\n\r\nFAIL\r\n"),
            "AT+CIPSTART" if !line.contains("\"SSL\"") => self.say("\r\nERROR\r\n"),
            "AT+CIPSTART" if self.connection.is_some() => self.say("ALREADY CONNECTED\r\n\r\nERROR\r\n"),
            "AT+CIPSTART" => match self.network.then(|| self.open()).flatten() {
                Some(connection) => {
                    self.connection = Some(connection);
                    self.opened += 1;
                    self.say("CONNECT\r\n\r\nOK\r\n");
                }
                None => self.say("\r\nERROR\r\nCLOSED\r\n"),
            },
            "AT+CIPSEND" if self.connection.is_some() => {
                self.wanted = line.split('=').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
                self.packet.clear();
                self.say("\r\nOK\r\n> ");
            }
            "AT+CIPSEND" => self.say("link is not valid\r\n\r\nERROR\r\n"),
            _ => self.say("\r\nERROR\r\n"),
        }
    }

    fn open(&self) -> Option<Connection> {
        TcpStream::connect(("127.0.0.1", self.broker)).ok()?;
        let mut child = Command::new("openssl")
            .args([
                "s_client",
                "-quiet",
                "-verify_quiet",
                "-verify_return_error",
                "-verify_hostname",
                "localhost",
            ])
            .args(["-servername", "localhost", "-connect", &format!("127.0.0.1:{}", self.broker), "-CAfile"])
            .arg(&self.certificate)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let (input, mut out) = (child.stdin.take()?, child.stdout.take()?);
        let (sender, octets) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok(n @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Connection { child, input, octets })
    }

    fn transmit(&mut self) {
        let packet = std::mem::take(&mut self.packet);
        self.out.extend(format!("\r\nRecv {} bytes\r\n", packet.len()).bytes());
        let written = self.connection.as_mut().is_some_and(|connection| {
            connection.input.write_all(&packet).and_then(|()| connection.input.flush()).is_ok()
        });
        self.say(if written { "\r\nSEND OK\r\n" } else { "\r\nSEND FAIL\r\n" });
        // These the broker answers: simulated time stands still meanwhile.
        let first = packet.first().copied().unwrap_or(0);
        if written && (matches!(first & 0xF0, 0x10 | 0x80 | 0xC0) || first & 0xF6 == 0x32) {
            self.due = Some(Instant::now() + Duration::from_secs(5));
        }
        self.sent.push(packet);
    }

    /// Brings in what the broker has sent; waits for it where an answer is due.
    pub fn poll(&mut self) {
        let Some(connection) = &self.connection else { return };
        let wait = self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(Instant::now()));
        match connection.octets.recv_timeout(wait) {
            Ok(octets) => {
                self.due = None;
                self.heard += octets.len() as u32;
                if self.swallow && octets.first() == Some(&0x40) {
                    return;
                }
                self.out.extend(format!("\r\n+IPD,{}:", octets.len()).bytes());
                self.out.extend(octets);
            }
            Err(RecvTimeoutError::Timeout) => self.due = None,
            Err(RecvTimeoutError::Disconnected) => {
                self.connection = None;
                self.due = None;
                self.say("CLOSED\r\n");
            }
        }
    }
}
