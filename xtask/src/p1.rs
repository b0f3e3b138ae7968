//! The P1 reader of `examples/esp32` whole: a meter that sends when it is asked, and a server on loopback that it posts to, or
//! a broker that it publishes at.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::emulator::with_network;
use crate::mqtt::{self, Broker, USER};
use crate::run::{Step, target_dir};
use crate::short;

/// Octets of the first telegram of the vector; the one behind it is damaged, and as long.
const TELEGRAM: usize = 662;
/// Posts that are waited for. The second is refused.
const POSTS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);

/// What the reader makes of the first telegram; the host's tests of the logic say the same.
const JSON: &str = concat!(
    r#"{"meter":"4530303030303030303030303030303031","time":"2026-11-20T18:15:30+01:00","import_t1_kwh":4217.385,"#,
    r#""import_t2_kwh":3981.006,"export_t1_kwh":102.870,"export_t2_kwh":241.553,"import_kw":0.412,"export_kw":0.000,"#,
    r#""voltage_l1_v":231.4,"current_l1_a":2,"gas_m3":1844.512,"gas_time":"2026-11-20T18:15:00+01:00"}"#
);

/// Runs the reader in QEMU and checks what arrives.
pub fn run(step: &mut Step, elf: &Path) {
    match story(elf) {
        Ok(()) => {
            println!(
                "   ok P1 reader: {POSTS} posts checked, damaged telegrams left out, a refused post told"
            );
            step.pass(1);
        }
        Err(why) => step.fail("P1 reader", &why),
    }
    if !mqtt::is_there() {
        return step.missing("P1 reader over MQTT", "no mosquitto; `cargo xtask setup` installs it");
    }
    match published(elf) {
        Ok(()) => {
            println!("   ok P1 reader over MQTT: {POSTS} messages checked");
            step.pass(1);
        }
        Err(why) => step.fail("P1 reader over MQTT", &why),
    }
}

/// The other way out, by configuration: each reading is a message to a broker.
fn published(elf: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let (good, damaged) = telegrams()?;
    let broker = Broker::start("p1")?;
    let subscriber = broker.subscribe("house/p1")?;
    let config = target_dir().join("xtask").join("config.txt");
    let (user, key) = USER;
    let lines =
        format!("server=mqtt://10.0.2.2:{}\ntopic=house/p1\nuser={user}\nkey={key}\nperiod=2\n", broker.port);
    fs::write(&config, lines).map_err(text)?;
    let mut emulator = with_network(elf, &config).map_err(text)?;
    let told = meter(&mut emulator, &good, &damaged);
    let arrived = (0..POSTS).try_for_each(|_| match subscriber.next()? {
        (topic, json) if topic == "house/p1" && json == JSON => Ok(()),
        (topic, json) => Err(format!("arrived under {topic}: {json}")),
    });
    let _ = emulator.kill();
    let _ = emulator.wait();
    let told: Vec<String> = told.iter().collect();
    arrived.map_err(|why| format!("{why}; told: {told:?}"))
}

/// A good telegram and a damaged one.
fn telegrams() -> Result<(Vec<u8>, Vec<u8>), String> {
    let (octets, _) = short::vector("dsmr").ok_or("no vector")?;
    Ok((octets[..TELEGRAM].to_vec(), octets[TELEGRAM..2 * TELEGRAM].to_vec()))
}

fn story(elf: &Path) -> Result<(), String> {
    let text = |error: std::io::Error| error.to_string();
    let (good, damaged) = telegrams()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(text)?;
    let port = listener.local_addr().map_err(text)?.port();
    let config = target_dir().join("xtask").join("config.txt");
    let lines = format!(
        "# where the emulator reaches the host\nserver=10.0.2.2\nport={port}\nuri=/meter\nkey=k1\nperiod=2\n"
    );
    fs::write(&config, lines).map_err(text)?;
    let posts = serve(listener);
    let mut emulator = with_network(elf, &config).map_err(text)?;
    let told = meter(&mut emulator, &good, &damaged);
    let mut result = Ok(());
    for number in 0..POSTS {
        result =
            posts.recv_timeout(PATIENCE).map_err(|_| format!("post {number} did not come")).and_then(check);
        if result.is_err() {
            break;
        }
    }
    // What is told of the last post comes behind it.
    let deadline = Instant::now() + PATIENCE;
    let mut lines: Vec<String> = Vec::new();
    while lines.iter().filter(|line| line.contains("posted")).count() < POSTS && Instant::now() < deadline {
        lines.extend(told.recv_timeout(Duration::from_millis(200)));
    }
    let _ = emulator.kill();
    let _ = emulator.wait();
    let outcomes: Vec<&str> =
        lines.iter().map(String::as_str).filter(|line| line.contains("posted")).collect();
    result.map_err(|why| format!("{why}; told: {lines:?}"))?;
    if outcomes != ["# posted", "# not posted", "# posted"] {
        return Err(format!("told of the posts: {outcomes:?}"));
    }
    Ok(())
}

/// The meter: while it is asked it sends, the damaged telegram first. Hands on what the reader says.
fn meter(emulator: &mut Child, good: &[u8], damaged: &[u8]) -> Receiver<String> {
    let (sender, told) = channel();
    if let (Some(output), Some(mut line)) = (emulator.stdout.take(), emulator.stdin.take()) {
        let telegrams = [damaged, good].concat();
        thread::spawn(move || {
            for said in BufReader::new(output).lines().map_while(Result::ok) {
                let sent =
                    said != "# request on" || line.write_all(&telegrams).and_then(|()| line.flush()).is_ok();
                if !sent || sender.send(said).is_err() {
                    break;
                }
            }
        });
    }
    told
}

/// The server: takes a request on each connection, refuses the second.
fn serve(listener: TcpListener) -> Receiver<String> {
    let (sender, posts) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().take(POSTS).enumerate() {
            let status = if number == 1 { "500 Internal Server Error" } else { "204 No Content" };
            let request = stream.and_then(|stream| answer(stream, status));
            if sender.send(request.unwrap_or_else(|error| error.to_string())).is_err() {
                break;
            }
        }
    });
    posts
}

/// Takes a whole request in, by its `Content-Length`, and answers it.
fn answer(mut stream: TcpStream, status: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut request = Vec::new();
    let mut buffer = [0; 512];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
            {
                break;
            }
        }
        match stream.read(&mut buffer)? {
            0 => break,
            len => request.extend_from_slice(&buffer[..len]),
        }
    }
    stream.write_all(
        format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    Ok(String::from_utf8_lossy(&request).into_owned())
}

/// Whether a request is what it must be.
fn check(request: String) -> Result<(), String> {
    let whole = request.split_once("\r\n\r\n").is_some_and(|(head, body)| {
        head.starts_with("POST /meter HTTP/1.1\r\nHost: 10.0.2.2:")
            && head.contains("\r\nContent-Type: application/json\r\n")
            && head.contains(&format!("\r\nContent-Length: {}\r\n", JSON.len()))
            && head.contains("\r\nX-Api-Key: k1\r\n")
            && body == JSON
    });
    if whole { Ok(()) } else { Err(format!("came: {request:?}")) }
}
