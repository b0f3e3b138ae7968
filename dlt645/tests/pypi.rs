//! Against an independent implementation: the PyPI package `dlt645` 3.x, over TCP, both ways round.
//!
//! Installed into a virtual environment under the target directory when that can be done. Avoided, since it is wrong
//! there: its 17H sends the digits of the rate as hexadecimal; its 08H and 16H send the year or month first; its
//! addresses stand the other way round in its API (`129078563412` is 123456789012 on the wire). Its client reads the
//! time of a demand the other way round too (its server sends it right), and has no value for a good write.
#![allow(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    missing_docs,
    reason = "test code"
)]

use core::time::Duration;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use dlt645::{
    Access, Address, Data, Decoder, Discovery, DiscoveryConfig, DiscoveryEvent, Identifier, Master,
    MasterConfig, MasterEvent, Meter, Part, Password, Query, Reason, Refusal, Reply, Request, STORAGE, Slave,
    SlaveConfig, Version, items,
};

const OWN: Address = Address::from_number(123_456_789_012);

/// Python of an environment that has the package; `None`, said loudly, where it cannot be had.
fn python() -> Option<PathBuf> {
    static ONCE: std::sync::OnceLock<Option<PathBuf>> = std::sync::OnceLock::new();
    ONCE.get_or_init(|| {
        let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pypi-dlt645");
        let python = home.join("bin/python");
        let has = |python: &PathBuf| {
            Command::new(python)
                .args(["-c", "import dlt645"])
                .output()
                .is_ok_and(|done| done.status.success())
        };
        if !has(&python) {
            let made = Command::new("python3").args(["-m", "venv"]).arg(&home).output();
            if made.is_ok_and(|done| done.status.success()) {
                let pip =
                    ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "dlt645>=3.2,<4"];
                let _ = Command::new(&python).args(pip).output();
            }
        }
        if has(&python) {
            return Some(python);
        }
        eprintln!("SKIPPED: python3 with the PyPI package dlt645 3.x cannot be installed here");
        None
    })
    .clone()
}

struct Script(Child);

impl Drop for Script {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SERVER: &str = "
import sys, time
from datetime import datetime
from dlt645 import MeterServerService, Demand
s = MeterServerService.new_tcp_server('127.0.0.1', int(sys.argv[1]))
assert s.set_address('129078563412')
assert s.set_00(0x00010000, 1234.56) and s.set_00(0x00020101, 7.0)
assert s.set_02(0x02010100, 229.7) and s.set_02(0x02800002, 50.03) and s.set_02(0x02020100, 1.25)
assert s.set_02(0x02030000, 0.4331)
assert s.set_01(0x01010000, Demand(12.3456, datetime(2026, 10, 24, 12, 30)))
assert s.set_04(0x04000103, '15') and s.set_04(0x04000101, '26102406')
assert s.start()
time.sleep(120)
";

const CLIENT: &str = "
import sys
from dlt645 import MeterClientService
c = MeterClientService.new_tcp_client('127.0.0.1', int(sys.argv[1]), timeout=1)
assert c.connect()
print('address', c.read_address().value)
c.set_address('129078563412')
print('energy', c.read_00(0x00010000).value)
print('demand', c.read_01(0x01010000).value.value)
print('voltage', c.read_02(0x02010100).value)
print('frequency', c.read_02(0x02800002).value)
print('power', c.read_02(0x02030000).value)
print('period', c.read_04(0x04000103).value)
c.write_04(0x04000104, '07', '00123456')
print('step', c.read_04(0x04000104).value)
print('unknown', c.read_00(0x00010100))
";

fn connect(port: u16) -> TcpStream {
    let start = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => return stream,
            Err(_) if start.elapsed() < Duration::from_secs(20) => {
                std::thread::sleep(Duration::from_millis(100))
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Carries one request over the line until the master is idle again; what came as text.
fn exchange(master: &mut Master<'_, [u8; 300]>, stream: &mut TcpStream) -> Vec<String> {
    let start = Instant::now();
    let now = || u32::try_from(start.elapsed().as_millis()).unwrap();
    let mut decoder = Decoder::new([0; STORAGE]);
    let mut log = vec![];
    let mut out = [0; 300];
    while !master.is_idle() {
        if let Some(octets) = master.poll_transmit(&mut out, now()) {
            stream.write_all(octets).unwrap();
        }
        let Some(until) = master.poll_timeout() else { continue };
        let wait = u64::from(until.wrapping_sub(now()).clamp(1, 5_000));
        stream.set_read_timeout(Some(Duration::from_millis(wait))).unwrap();
        match stream.read(decoder.spare_mut()) {
            Ok(n) => decoder.commit(n),
            Err(_) => log.extend(master.handle_timeout(now()).map(|event| format!("{event:?}"))),
        }
        while let Some(event) = decoder.decode(&mut &[][..]) {
            match master.handle_frame(&event.unwrap(), now()) {
                MasterEvent::Reply { reply: Reply::Data { identifier, data, .. }, .. } => {
                    let values: Vec<_> =
                        items(identifier, data).map(|item| item.value.unwrap().to_string()).collect();
                    log.push(format!("{identifier} {}", values.join(" ")));
                }
                MasterEvent::Reply { reply, .. } => log.push(format!("{reply:?}")),
                event => log.push(format!("{event:?}")),
            }
        }
    }
    log
}

#[test]
fn our_master_reads_its_server() {
    let Some(python) = python() else { return };
    let port = free_port();
    let script =
        Command::new(python).args(["-c", SERVER, &port.to_string()]).stdout(Stdio::null()).spawn().unwrap();
    let _script = Script(script);
    let mut stream = connect(port);
    let ids = [
        0x0001_0000,
        0x0002_0101,
        0x0101_0000,
        0x0201_0100,
        0x0202_0100,
        0x0203_0000,
        0x0280_0002,
        0x0400_0101,
        0x0400_0103,
    ]
    .map(Identifier::V2007);
    let mut master = Master::new(MasterConfig::new(Version::V2007), [0; 300]);
    master.read(OWN, &ids).unwrap();
    assert_eq!(
        exchange(&mut master, &mut stream),
        [
            "00010000 1234.56 kWh",
            "00020101 7.00 kWh",
            "01010000 12.3456 kW 2026-10-24 12:30",
            "02010100 229.7 V",
            "02020100 1.250 A",
            "02030000 0.4331 kW",
            "02800002 50.03 Hz",
            "04000101 2026-10-24 weekday 6",
            "04000103 15 min",
        ]
    );
    // Refusals, and the other services that it does as the standard says.
    let access = Access { password: Password { level: 0, digits: [9; 3] }, operator: [0; 4] };
    for (request, address, expected) in [
        (Request::ReadAddress, Address::WILDCARD, format!("Address({OWN:?})")),
        (
            Request::Write { identifier: ids[8], access, data: Data::plain(&[0x30]) },
            OWN,
            "Refused(Write, ERR 04: wrong password or no authority)".to_owned(),
        ),
    ] {
        master.start(address, &request).unwrap();
        assert_eq!(exchange(&mut master, &mut stream), [expected]);
    }
    discover(&mut stream);
}

/// The search finds it by 13H at once.
fn discover(stream: &mut TcpStream) {
    let mut discovery =
        Discovery::new(DiscoveryConfig { rates: &[2400], window: 400, ..DiscoveryConfig::new() });
    let start = Instant::now();
    let now = || u32::try_from(start.elapsed().as_millis()).unwrap();
    let mut decoder = Decoder::new([0; STORAGE]);
    let mut found = vec![];
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    loop {
        match discovery.poll_event() {
            Some(DiscoveryEvent::Found { address, .. }) => found.push(address),
            Some(DiscoveryEvent::Done) => break,
            Some(_) => {}
            None => {
                let mut out = [0; 40];
                if let Some(octets) = discovery.poll_transmit(&mut out, now()).unwrap() {
                    stream.write_all(octets).unwrap();
                }
                if let Ok(n) = stream.read(decoder.spare_mut()) {
                    decoder.commit(n);
                }
                while let Some(event) = decoder.decode(&mut &[][..]) {
                    match event {
                        Ok(frame) => discovery.handle_frame(&frame),
                        Err(_) => discovery.handle_noise(),
                    }
                }
                discovery.handle_timeout(now());
            }
        }
    }
    assert_eq!(found, [OWN]);
}

struct Registers(BTreeMap<Identifier, Vec<u8>>);

impl Meter for Registers {
    fn get(&mut self, identifier: Identifier, _: Query, _: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let data = self.0.get(&identifier).ok_or(Reason::NoData)?;
        out[..data.len()].copy_from_slice(data);
        Ok(Part { len: data.len(), more: false })
    }
    fn set(&mut self, identifier: Identifier, access: &Access, data: Data<'_>) -> Result<(), Reason> {
        if access.password != (Password { level: 0, digits: [0x12, 0x34, 0x56] }) {
            return Err(Reason::Password);
        }
        self.0.insert(identifier, data.iter().collect());
        Ok(())
    }
    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        Err(Refusal::Silent)
    }
}

#[test]
fn its_client_reads_our_slave() {
    let Some(python) = python() else { return };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        let registers = [
            (0x0001_0000, vec![0x56, 0x34, 0x12, 0x00]),
            (0x0101_0000, vec![0x56, 0x34, 0x12, 0x30, 0x12, 0x24, 0x10, 0x26]),
            (0x0201_0100, vec![0x97, 0x22]),
            (0x0203_0000, vec![0x31, 0x43, 0x00]),
            (0x0280_0002, vec![0x03, 0x50]),
            (0x0400_0103, vec![0x15]),
        ];
        let registers = registers.into_iter().map(|(di, data)| (Identifier::V2007(di), data)).collect();
        let mut slave = Slave::new(SlaveConfig::new(Version::V2007, OWN), Registers(registers), [0; 300]);
        let (mut stream, _) = listener.accept().unwrap();
        let start = Instant::now();
        let now = || u32::try_from(start.elapsed().as_millis()).unwrap();
        let mut decoder = Decoder::new([0; STORAGE]);
        loop {
            match stream.read(decoder.spare_mut()) {
                Ok(0) | Err(_) => return,
                Ok(n) => decoder.commit(n),
            }
            while let Some(event) = decoder.decode(&mut &[][..]) {
                slave.handle_frame(&event.unwrap(), now());
                while let Some(due) = slave.poll_timeout() {
                    std::thread::sleep(Duration::from_millis(due.wrapping_sub(now()).min(100).into()));
                    let mut out = [0; 300];
                    if let Some(octets) = slave.poll_transmit(&mut out, now()) {
                        stream.write_all(octets).unwrap();
                    }
                }
            }
        }
    });
    let done = Command::new(python).args(["-c", CLIENT, &port.to_string()]).output().unwrap();
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}{}", String::from_utf8_lossy(&done.stderr));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(
        lines,
        [
            "address 129078563412",
            "energy 1234.56",
            "demand 12.3456",
            "voltage 229.7",
            "frequency 50.03",
            "power 0.4331",
            "period 15",
            "step 07",
            "unknown None",
        ]
    );
    server.join().unwrap();
}
