//! `meter upgrade pack`, `send` and `receive`: an image from file to file, over TCP to several meters and over PTYs to one.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Ended with the test, whatever becomes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("meter-upgrade-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn meter(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meter"));
    command.arg("upgrade").args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A program of `len` octets and its package.
fn package(folder: &Folder, len: u32) -> Vec<u8> {
    let program: Vec<u8> = (0..len).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(folder.file("app.bin"), &program).unwrap();
    let (app, out) = (folder.file("app.bin"), folder.file("app.mup"));
    let args = ["pack", &app, "--maker", "TEST", "--version", "20240116.3", "--block", "128", "--out", &out];
    let done = meter(&args).output().unwrap();
    assert!(done.status.success(), "{}", text(&done));
    program
}

fn receive(folder: &Folder, port: &str, address: &str, loss: &str) -> Running {
    receive_sealed(folder, port, address, loss, &[])
}

fn receive_sealed(folder: &Folder, port: &str, address: &str, loss: &str, keys: &[&str]) -> Running {
    let (flash, out) = (folder.file(&format!("flash-{address}")), folder.file(&format!("out-{address}")));
    let args = ["receive", "--port", port, "--address", address, "--flash", &flash, "--out", &out];
    let more = ["--maker", "TEST", "--running", "20230101.0", "--wait", "--loss", loss, "--seed", address];
    Running(meter(&args).args(more).args(keys).spawn().unwrap())
}

const JOB: &str = "
# What the concentrator is told.
image = {image}
meters = {meters}
session = 7
group = 3
rate = 100000
turnaround = 100
erase = 1
verify = 1
silence = 1
activate = 0
install = 0.2
";

fn job(folder: &Folder, meters: &str) -> String {
    let path = folder.file("job");
    let text = JOB.replace("{image}", &folder.file("app.mup")).replace("{meters}", meters);
    std::fs::write(&path, text).unwrap();
    path
}

/// Waits for an end; a test must not hang.
fn finish(mut sender: Running) -> (bool, String) {
    let start = Instant::now();
    while sender.0.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(120), "send never ends");
        std::thread::sleep(Duration::from_millis(50));
    }
    let ok = sender.0.try_wait().unwrap().unwrap().success();
    let (mut out, mut error) = (String::new(), String::new());
    sender.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    sender.0.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    (ok, out + &error)
}

#[test]
fn three_meters_over_tcp_and_one_that_is_not_there() {
    let folder = Folder::new("tcp");
    let program = package(&folder, 20_001);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let job = job(&folder, "01,02,03,09");
    let report = folder.file("report");
    let listen = format!("listen:127.0.0.1:{port}");
    let sender = Running(
        meter(&["send", "--port", &listen, "--job", &job, "--report", &report, "--quiet"]).spawn().unwrap(),
    );
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let connect = format!("tcp:127.0.0.1:{port}");
    let _meters: Vec<Running> = ["01", "02", "03"].map(|at| receive(&folder, &connect, at, "0.1")).into();
    let (ok, said) = finish(sender);
    assert!(ok, "{said}");
    let report = std::fs::read_to_string(report).unwrap();
    for at in ["01", "02", "03"] {
        let line = report.lines().find(|line| line.starts_with(&format!("0000000000{at}"))).unwrap();
        assert!(line.contains("done") && line.contains("version 2024-01-16.3"), "{report}");
        assert_eq!(std::fs::read(folder.file(&format!("out-{at}"))).unwrap(), program, "{at}");
    }
    assert!(report.contains("given up: Silent"), "{report}");
}

/// Signed image, sealed commands: who has the keys upgrades, who has not is refused, and no number is used again.
#[test]
fn meters_that_take_sealed_commands_alone() {
    let folder = Folder::new("sealed");
    let program = package(&folder, 9_001);
    let (key, root) = (folder.file("maker.pem"), folder.file("maker.pub.pem"));
    let (image, signed) = (folder.file("app.mup"), folder.file("signed.mup"));
    for args in [&["keygen", "--out", &key][..], &["sign", "--key", &key, &image, "--out", &signed][..]] {
        let done = meter(args).output().unwrap();
        assert!(done.status.success(), "{}", text(&done));
    }
    std::fs::copy(&signed, &image).unwrap();
    let group = "6b".repeat(16);
    std::fs::write(folder.file("group"), &group).unwrap();
    let mut ring = format!("group = {group}\n");
    for at in ["01", "02", "03"] {
        std::fs::write(folder.file(&format!("key-{at}")), at.repeat(16)).unwrap();
        // The third meter has another key than is thought.
        let known = if at == "03" { "04" } else { at };
        ring += &format!("{at} = {}\n", known.repeat(16));
    }
    std::fs::write(folder.file("ring"), &ring).unwrap();
    let job = job(&folder, "01,02,03");
    let numbers = folder.file("numbers");
    let run = |keys: &[&str], environment: &[(&str, &str)]| {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let listen = format!("listen:127.0.0.1:{port}");
        let mut send = meter(&["send", "--port", &listen, "--job", &job, "--silence", "0.2", "--quiet"]);
        let sender = Running(send.args(keys).envs(environment.iter().copied()).spawn().unwrap());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let connect = format!("tcp:127.0.0.1:{port}");
        let _meters: Vec<Running> = ["01", "02", "03"]
            .map(|at| {
                let (key, group) = (folder.file(&format!("key-{at}")), folder.file("group"));
                let keys = ["--key", &key, "--group-key", &group, "--root", &root];
                receive_sealed(&folder, &connect, at, "0.05", &keys)
            })
            .into();
        finish(sender)
    };
    let (ok, said) = run(&[], &[]);
    assert!(ok, "{said}");
    for at in ["01", "02", "03"] {
        assert!(said.contains(&format!("{at}  given up: Refused(Authentication)")), "{said}");
    }
    let ring_file = folder.file("ring");
    let keys = ["--keys", &ring_file, "--numbers", &numbers];
    let (ok, said) = run(&keys, &[]);
    assert!(ok, "{said}");
    for at in ["01", "02"] {
        assert!(said.contains(&format!("0000000000{at}  done")), "{said}");
        assert_eq!(std::fs::read(folder.file(&format!("out-{at}"))).unwrap(), program, "{at}");
    }
    assert!(said.contains("000000000003  given up: Silent"), "{said}");
    assert!(!said.contains(&group) && !said.contains(&"01".repeat(16)), "a key was printed");
    let used: u32 = std::fs::read_to_string(&numbers).unwrap().trim().parse().unwrap();
    assert!(used > 0);
    // The third as well, with its own key, from the environment; the others run this version already.
    let ring = ring.replace(&"04".repeat(16), &"03".repeat(16));
    let (ok, said) = run(&["--numbers", &numbers], &[("METER_UPGRADE_KEYS", &ring.replace('\n', ";"))]);
    assert!(ok, "{said}");
    assert!(said.contains("000000000003  done") && said.contains("01  given up: Refused(Version)"), "{said}");
    assert_eq!(std::fs::read(folder.file("out-03")).unwrap(), program);
    // A file of numbers that was lost: refused, and said why.
    std::fs::remove_file(&numbers).unwrap();
    let newer =
        ["pack", &folder.file("app.bin"), "--maker", "TEST", "--version", "20240117.1", "--block", "128"];
    let made = meter(&newer).args(["--out", &image]).output().unwrap();
    assert!(made.status.success(), "{}", text(&made));
    let (ok, said) = run(&["--numbers", &numbers], &[("METER_UPGRADE_KEYS", &ring.replace('\n', ";"))]);
    assert!(ok, "{said}");
    assert!(said.contains("000000000001  given up: Refused(Stale)"), "{said}");
}

#[cfg(unix)]
#[test]
fn one_meter_over_ptys() {
    use serialport::{SerialPort, TTYPort};
    let folder = Folder::new("pty");
    let program = package(&folder, 3_000);
    let job = job(&folder, "05");
    let open = || {
        let (mut ours, theirs) = TTYPort::pair().unwrap();
        ours.set_timeout(Duration::from_millis(100)).unwrap();
        // The program opens its end itself, and for itself alone.
        (ours, theirs.name().unwrap())
    };
    let (mut near, near_name) = open();
    let (mut far, far_name) = open();
    // The line between the two: what goes in at one end comes out at the other.
    let (mut near_out, mut far_out) = (near.try_clone_native().unwrap(), far.try_clone_native().unwrap());
    let carry = |from: &mut TTYPort, to: &mut TTYPort| {
        let mut buffer = [0; 512];
        loop {
            // While the other end is not open, reading fails; the threads end with the test.
            match from.read(&mut buffer) {
                Ok(len) => {
                    let _ = to.write_all(&buffer[..len]);
                }
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
    };
    std::thread::spawn(move || carry(&mut near, &mut far_out));
    std::thread::spawn(move || carry(&mut far, &mut near_out));
    let _meter = receive(&folder, &far_name, "05", "0.05");
    let (ok, said) =
        finish(Running(meter(&["send", "--port", &near_name, "--job", &job, "--quiet"]).spawn().unwrap()));
    assert!(ok, "{said}");
    assert!(said.contains("000000000005  done") && said.contains("version 2024-01-16.3"), "{said}");
    assert_eq!(std::fs::read(folder.file("out-05")).unwrap(), program);
}

/// A channel on which one hears oneself: each frame goes to everybody, its sender too, and takes its time.
fn channel_with_echo() -> u16 {
    use std::sync::{Arc, Mutex};
    use upgrade_proto::carrier::plain::{Decoder, OVERHEAD};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let all: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (mut from, all) = (stream.try_clone().unwrap(), all.clone());
            all.lock().unwrap().push(stream);
            std::thread::spawn(move || {
                let mut decoder = Decoder::new(vec![0; 2048]);
                let mut buffer = [0; 512];
                while let Ok(len @ 1..) = from.read(&mut buffer) {
                    let mut input = &buffer[..len];
                    while let Some(frame) = decoder.decode(&mut input) {
                        let mut whole = vec![0; frame.message.len() + OVERHEAD];
                        frame.encode(&mut whole).unwrap();
                        std::thread::sleep(Duration::from_millis(2));
                        all.lock().unwrap().retain_mut(|to| to.write_all(&whole).is_ok());
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_channel_with_echo_sets_the_pace() {
    let folder = Folder::new("echo");
    let program = package(&folder, 6_000);
    let job = job(&folder, "06,07");
    let port = format!("tcp:127.0.0.1:{}", channel_with_echo());
    let _meters: Vec<Running> = ["06", "07"].map(|at| receive(&folder, &port, at, "0.1")).into();
    // A rate at which all would be sent at once: only the echo holds it back.
    let args = ["send", "--port", &port, "--job", &job, "--echo", "--rate", "100000000", "--quiet"];
    let (ok, said) = finish(Running(meter(&args).spawn().unwrap()));
    assert!(ok, "{said}");
    for at in ["06", "07"] {
        assert!(said.contains(&format!("0000000000{at}  done")), "{said}");
        assert_eq!(std::fs::read(folder.file(&format!("out-{at}"))).unwrap(), program, "{at}");
    }
}
