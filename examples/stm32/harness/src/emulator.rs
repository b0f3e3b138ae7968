//! One emulated meter: a folder with the files that are its memories, and the QEMU that runs on them, started again as often as it ends.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use upgrade_proto::carrier::plain;

/// Where the boot loader and the program agree that things stand (`logic::unit::places`).
const PROGRAM: usize = 0x7_0000;
const EXTERNAL: usize = 0x10_0000;
const EEPROM: usize = 0x2000;
const ADDRESS: usize = 0x1000;
const KEYS: usize = 0x1010;

/// What came out of a meter's port.
pub enum Out {
    /// It listens from now on.
    Ready,
    /// A frame of the upgrade, as it stands on the line.
    Message(Vec<u8>),
    /// A DL/T 645 frame.
    Frame(Vec<u8>),
}

/// Why QEMU ended, for the log of the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Killed,
    Programmed,
    Software,
    Fault,
    Watchdog,
}

pub struct Meter {
    pub address: [u8; 6],
    folder: PathBuf,
    boot: PathBuf,
    run: Option<Run>,
    /// It has said that it listens.
    pub ready: bool,
    /// How its runs ended, in order.
    pub ends: Vec<Ended>,
    /// What measures the stack, as QEMU's option wants it, but for the file of the figure.
    pub gauge: Option<String>,
    /// Its deepest stack so far, in octets, of the runs that were not killed.
    pub stack: u64,
}

struct Run {
    child: Child,
    input: ChildStdin,
    output: Receiver<Vec<u8>>,
    messages: plain::Decoder<Vec<u8>>,
    frames: dlt645::Decoder<Vec<u8>>,
    text: Vec<u8>,
    /// When it is to be killed, whatever it does then.
    kill: Option<Instant>,
}

impl Meter {
    /// A meter as it leaves the factory: program, address, its own key and its group's, nothing in its other memories.
    pub fn new(
        folder: &Path,
        address: [u8; 6],
        keys: [[u8; 16]; 2],
        boot: &Path,
        program: &[u8],
    ) -> Result<Meter, String> {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let save = |name: &str, octets: &[u8]| {
            fs::write(folder.join(name), octets).map_err(|error| format!("{name}: {error}"))
        };
        let mut flash = program.to_vec();
        flash.resize(PROGRAM, 0xFF);
        let mut eeprom = vec![0xFF; EEPROM];
        eeprom[ADDRESS..ADDRESS + 6].copy_from_slice(&address);
        eeprom[KEYS..KEYS + 32].copy_from_slice(keys.as_flattened());
        save("program", &flash)?;
        save("external", &vec![0xFF; EXTERNAL])?;
        save("eeprom", &eeprom)?;
        Ok(Meter {
            address,
            folder: folder.to_path_buf(),
            boot: boot.to_path_buf(),
            run: None,
            ready: false,
            ends: Vec::new(),
            gauge: None,
            stack: 0,
        })
    }

    /// The front of its program flash.
    pub fn program(&self, len: usize) -> Vec<u8> {
        fs::read(self.folder.join("program")).unwrap_or_default().into_iter().take(len).collect()
    }

    /// Starts it; what ended the run before is what the chip's reset flags would say.
    pub fn start(&mut self, kill: Option<Instant>) -> Result<(), String> {
        let cause = match self.ends.last() {
            None | Some(Ended::Killed) => "P",
            Some(Ended::Programmed) => "O",
            Some(Ended::Software) => "S",
            Some(Ended::Fault | Ended::Watchdog) => "F",
        };
        fs::write(self.folder.join("cause"), cause).map_err(|error| error.to_string())?;
        let mut command = Command::new("qemu-system-arm");
        let log = format!("file,id=log,append=on,path={}", self.folder.join("log").display());
        command.current_dir(&self.folder);
        command.args(["-M", "netduinoplus2", "-nographic", "-monitor", "none", "-icount", "shift=0"]);
        command.args(["-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line", "-chardev", &log]);
        command.args(["-semihosting-config", "enable=on,target=native,chardev=log"]);
        command.args(["-device", "loader,addr=0x08004000,force-raw=on,file=program"]);
        if let Some(gauge) = &self.gauge {
            command.arg("-plugin").arg(format!("{gauge},out=stack"));
        }
        command.arg("-kernel").arg(&self.boot);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(|error| format!("qemu-system-arm: {error}"))?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let mut stdout = child.stdout.take().ok_or("no standard output")?;
        let (to, output) = channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(len @ 1..) = stdout.read(&mut buffer) {
                if to.send(buffer[..len].to_vec()).is_err() {
                    break;
                }
            }
        });
        self.ready = false;
        self.run = Some(Run {
            child,
            input,
            output,
            messages: plain::Decoder::new(vec![0; 2048]),
            frames: dlt645::Decoder::new(vec![0; dlt645::STORAGE]),
            text: Vec::new(),
            kill,
        });
        Ok(())
    }

    /// Puts octets on its line, if it listens. QEMU takes them as fast as the program does.
    pub fn put(&mut self, octets: &[u8]) {
        if self.ready
            && let Some(run) = &mut self.run
        {
            // A meter that has just ended is found out when its output is looked at.
            let _ = run.input.write_all(octets).and_then(|()| run.input.flush());
        }
    }

    /// Pulls the plug.
    pub fn kill(&mut self) {
        if let Some(mut run) = self.run.take() {
            let _ = run.child.kill();
            let _ = run.child.wait();
            self.ready = false;
            self.ends.push(Ended::Killed);
        }
    }

    pub fn kill_at(&mut self, at: Instant) {
        if let Some(run) = &mut self.run {
            run.kill = Some(at);
        }
    }

    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    /// What has come out of its port; `Err` where it ended in a way that it must not.
    pub fn look(&mut self, wait: Duration) -> Result<Vec<Out>, String> {
        let Some(run) = &mut self.run else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut gone = false;
        let mut octets = run.output.recv_timeout(wait).unwrap_or_default();
        let quiet = octets.is_empty() && !wait.is_zero();
        loop {
            match run.output.try_recv() {
                Ok(more) => octets.extend(more),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    gone = true;
                    break;
                }
            }
        }
        if !self.ready {
            run.text.extend(&octets);
            const READY: &[u8] = b"READY\n";
            if let Some(at) = run.text.windows(READY.len()).position(|window| window == READY) {
                octets = run.text.split_off(at + READY.len());
                self.ready = true;
                found.push(Out::Ready);
            } else {
                octets.clear();
            }
        }
        let mut input = &octets[..];
        while let Some(frame) = run.messages.decode(&mut input) {
            let mut whole = vec![0; frame.message.len() + plain::OVERHEAD];
            let len = frame.encode(&mut whole).map_err(|error| error.to_string())?.len();
            whole.truncate(len);
            found.push(Out::Message(whole));
        }
        let mut input = &octets[..];
        while let Some(event) = run.frames.decode(&mut input) {
            if let Ok(frame) = event {
                found.push(Out::Frame(frame.octets().to_vec()));
            }
        }
        // What looked like the start of a long frame was none.
        while quiet && let Some(event) = run.frames.finish() {
            if let Ok(frame) = event {
                found.push(Out::Frame(frame.octets().to_vec()));
            }
        }
        if run.kill.is_some_and(|at| Instant::now() >= at) {
            self.kill();
        } else if gone {
            let status = run.child.wait().map_err(|error| error.to_string())?;
            self.run = None;
            self.ready = false;
            let stack = fs::read_to_string(self.folder.join("stack")).unwrap_or_default();
            self.stack = self.stack.max(stack.trim().parse().unwrap_or(0));
            // The codes of `host::End`.
            self.ends.push(match status.code() {
                Some(20) => Ended::Programmed,
                Some(21) => Ended::Software,
                Some(22) => Ended::Fault,
                Some(23) => Ended::Watchdog,
                _ => return Err(format!("{}: QEMU ended with {status}", self.folder.display())),
            });
        }
        Ok(found)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.kill();
    }
}
