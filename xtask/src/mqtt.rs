//! An MQTT broker on loopback, and what arrives there.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::run::target_dir;

/// Nothing here takes longer, whatever else the machine does.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Who may publish and subscribe.
pub const USER: (&str, &str) = ("reader", "let me in");

const BROKER: &str = "/usr/sbin/mosquitto";

/// Whether a broker and its clients are installed.
pub fn is_there() -> bool {
    [BROKER, "/usr/bin/mosquitto_sub", "/usr/bin/mosquitto_passwd"]
        .iter()
        .all(|file| Path::new(file).exists())
}

/// A mosquitto of our own, which asks for a password, and keeps over a restart what its subscribers have not had yet.
pub struct Broker {
    child: Option<Child>,
    folder: PathBuf,
    pub port: u16,
}

impl Broker {
    pub fn start(name: &str) -> Result<Broker, String> {
        let text = |error: std::io::Error| error.to_string();
        let folder = target_dir().join("xtask").join(format!("broker-{name}"));
        // What an earlier run left.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(text)?;
        let folder = folder.canonicalize().map_err(text)?;
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).map_err(text)?.port();
        let mut passwords = Command::new("/usr/bin/mosquitto_passwd");
        passwords.args(["-c", "-b"]).arg(folder.join("passwords")).args([USER.0, USER.1]);
        let made = passwords.stderr(Stdio::null()).status().is_ok_and(|status| status.success());
        if !made {
            return Err("mosquitto_passwd failed".to_string());
        }
        let at = folder.display();
        let lines = format!(
            "user root\nlistener {port} 127.0.0.1\nallow_anonymous false\npassword_file {at}/passwords\n\
             persistence true\npersistence_location {at}/\n"
        );
        fs::write(folder.join("mosquitto.conf"), lines).map_err(text)?;
        let mut broker = Broker { child: None, folder, port };
        broker.up()?;
        Ok(broker)
    }

    /// Starts it, again.
    pub fn up(&mut self) -> Result<(), String> {
        let text = |error: std::io::Error| error.to_string();
        let log = File::options().create(true).append(true).open(self.folder.join("log")).map_err(text)?;
        let mut command = Command::new(BROKER);
        command.arg("-c").arg(self.folder.join("mosquitto.conf")).stdin(Stdio::null()).stdout(Stdio::null());
        self.child = Some(command.stderr(log).spawn().map_err(text)?);
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if Instant::now() > deadline {
                return Err("mosquitto does not answer".to_string());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Holds it where it is.
    pub fn hold(&self) {
        self.signal("-STOP");
    }

    /// Ends it in good order; it goes on first where it was held.
    pub fn down(&mut self) {
        self.signal("-TERM");
        self.signal("-CONT");
        if let Some(mut child) = self.child.take() {
            let _ = child.wait();
        }
    }

    /// Subscribes, and waits until the broker has said that it knows.
    pub fn subscribe(&self, topic: &str) -> Result<Subscriber, String> {
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub", "-d", "-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-u", USER.0, "-P", USER.1, "-q", "1", "-c", "-i", "checker", "-t", topic]);
        command.args(["-F", &format!("{MESSAGE}%t %p")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("mosquitto_sub: {error}"))?;
        let lines = lines(child.stdout.take());
        let subscriber = Subscriber { child, lines };
        loop {
            if subscriber.line()?.starts_with("Subscribed ") {
                return Ok(subscriber);
            }
        }
    }

    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let _ = Command::new("kill").arg(signal).arg(child.id().to_string()).status();
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.down();
    }
}

/// In front of a message, to tell it from what the subscriber says of itself.
const MESSAGE: &str = "message: ";

/// A client that notes what arrives.
pub struct Subscriber {
    child: Child,
    lines: Receiver<String>,
}

impl Subscriber {
    /// The next message: its topic and its payload.
    pub fn next(&self) -> Result<(String, String), String> {
        loop {
            let line = self.line()?;
            if let Some((topic, payload)) = line.strip_prefix(MESSAGE).and_then(|line| line.split_once(' ')) {
                return Ok((topic.to_string(), payload.to_string()));
            }
        }
    }

    fn line(&self) -> Result<String, String> {
        self.lines.recv_timeout(PATIENCE).map_err(|_| "nothing more arrived at the subscriber".to_string())
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that a program prints.
pub fn lines(output: Option<impl std::io::Read + Send + 'static>) -> Receiver<String> {
    let (sender, lines) = channel();
    if let Some(output) = output {
        thread::spawn(move || {
            let read = BufReader::new(output).lines().map_while(Result::ok);
            for line in read {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    lines
}
