//! The HAN reader of `examples/esp32` whole: a meter that sends, a broker on loopback, and a subscriber who must get every
//! message.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin};
use std::sync::mpsc::Receiver;

use crate::emulator::with_network;
use crate::mqtt::{Broker, PATIENCE, Subscriber, USER, is_there, lines};
use crate::run::{Step, root, target_dir};
use crate::short::{captures, hexadecimal, on_host};

/// Messages that come before the broker is stopped, and while it is.
const BEFORE: usize = 5;
const AWAY: usize = 4;

/// Runs the reader in QEMU and checks what arrives.
pub fn run(step: &mut Step, elf: &Path) {
    if !is_there() {
        return step.missing("HAN reader", "no mosquitto; `cargo xtask setup` installs it");
    }
    match story(elf) {
        Ok((messages, captured)) => {
            println!(
                "   ok HAN reader: {messages} messages over MQTT, {captured} of them from captures; {AWAY} while the broker was away"
            );
            step.pass(1);
        }
        Err(why) => step.fail("HAN reader", &why),
    }
}

/// How many messages arrived, and how many of them were captured ones.
fn story(elf: &Path) -> Result<(usize, usize), String> {
    let messages = messages().ok_or("no vector")?;
    let mut broker = Broker::start("han")?;
    let subscriber = broker.subscribe("house/han")?;
    let config = target_dir().join("xtask").join("han-config.txt");
    let text =
        format!("server=mqtt://10.0.2.2:{}\ntopic=house/han\nuser={}\nkey={}\n", broker.port, USER.0, USER.1);
    fs::write(&config, text).map_err(|error| error.to_string())?;
    let mut reader = Reader::start(elf, &config)?;
    let mut arrived = Arrived { subscriber, last: String::new() };
    reader.until("# online")?;
    let (before, rest) = messages.split_at_checked(BEFORE).ok_or("too few messages")?;
    let (away, behind) = rest.split_at_checked(AWAY).ok_or("too few messages")?;
    for (octets, json) in before {
        reader.feed(octets)?;
        arrived.expect(json)?;
    }
    reader.until(&format!("# delivered {BEFORE}"))?;
    // The first of these leaves for a broker that does not answer any more, and ends.
    broker.hold();
    for (number, (octets, _)) in (BEFORE + 1..).zip(away) {
        reader.feed(octets)?;
        reader.until(&format!("# message {number}"))?;
        if number == BEFORE + 1 {
            broker.down();
        }
    }
    reader.until("# offline")?;
    broker.up()?;
    away.iter().try_for_each(|(_, json)| arrived.expect(json))?;
    for (octets, json) in behind {
        reader.feed(octets)?;
        arrived.expect(json)?;
    }
    let captures = captures("han");
    let captured = if captures.is_empty() { String::new() } else { on_host("han", &captures)? };
    let captured: Vec<&str> = captured.lines().filter(|line| line.starts_with('{')).collect();
    reader.feed(&captures)?;
    captured.iter().try_for_each(|json| arrived.expect(json))?;
    let all = messages.len() + captured.len();
    reader.until(&format!("# delivered {all}"))?;
    Ok((all, captured.len()))
}

/// The vector's octets, message by message, and what must arrive of each.
fn messages() -> Option<Vec<(Vec<u8>, String)>> {
    let folder = root().join("examples/logic/vectors");
    let octets = fs::read_to_string(folder.join("han.hex")).ok()?;
    let lines = fs::read_to_string(folder.join("han.txt")).ok()?;
    let octets: Option<Vec<Vec<u8>>> = octets.split("\n# ").skip(1).map(behind_remark).collect();
    let octets = octets?;
    let objects: Vec<String> =
        lines.lines().filter(|line| line.starts_with('{')).map(str::to_string).collect();
    (octets.len() == objects.len()).then(|| octets.into_iter().zip(objects).collect())
}

fn behind_remark(part: &str) -> Option<Vec<u8>> {
    hexadecimal(part.split_once('\n')?.1)
}

/// What the subscriber has.
struct Arrived {
    subscriber: Subscriber,
    last: String,
}

impl Arrived {
    /// The next message must be this one. The one before may come twice: QoS 1 promises no less, and no more.
    fn expect(&mut self, json: &str) -> Result<(), String> {
        loop {
            let (topic, payload) = self.subscriber.next()?;
            if (topic.as_str(), payload.as_str()) == ("house/han", json) {
                self.last = payload;
                return Ok(());
            }
            if payload != self.last {
                return Err(format!("wanted:\n{json}\narrived under {topic}:\n{payload}"));
            }
        }
    }
}

/// The program in QEMU.
struct Reader {
    child: Child,
    line: ChildStdin,
    telling: Receiver<String>,
    told: Vec<String>,
}

impl Reader {
    fn start(elf: &Path, config: &Path) -> Result<Reader, String> {
        let mut child = with_network(elf, config).map_err(|error| error.to_string())?;
        let telling = lines(child.stdout.take());
        let line = child.stdin.take().ok_or("no standard input")?;
        Ok(Reader { child, line, telling, told: Vec::new() })
    }

    /// The meter sends.
    fn feed(&mut self, octets: &[u8]) -> Result<(), String> {
        self.line.write_all(octets).and_then(|()| self.line.flush()).map_err(|error| error.to_string())
    }

    /// Waits until the program has said this, now or before.
    fn until(&mut self, wanted: &str) -> Result<(), String> {
        while !self.told.iter().any(|line| line == wanted) {
            match self.telling.recv_timeout(PATIENCE) {
                Ok(line) => self.told.push(line),
                Err(_) => return Err(format!("the reader never said {wanted:?}, but: {:?}", self.told)),
            }
        }
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
