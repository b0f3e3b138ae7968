//! Programs for bare metal, run in QEMU: octets go in where the meter's line is, lines come out.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::linked::Symbols;
use crate::run::{root, target_dir};

/// No run of a short program takes longer, whatever else the machine does.
const PATIENCE: Duration = Duration::from_secs(90);
/// What a program says when it listens; octets sent before are lost.
const READY: &str = "READY\n";
/// What it says when its line has fallen idle: octets taken, octets lost on the way.
const IDLE: &str = "# idle ";
/// How often a run is repeated that the machine was too busy for.
const TRIES: u32 = 3;

/// What a program did.
pub struct Ran {
    /// The lines that came out.
    pub lines: String,
    /// The deepest stack, in octets; 0 where nothing was counted.
    pub stack: u64,
    /// Instructions by address, for each stretch between a read of the counter and the next; empty where they were not counted.
    pub stretches: Vec<Vec<(u64, u64)>>,
}

/// Runs a program until its line is idle behind `octets`.
///
/// The emulated line is idle when the program finds nothing in it for a while of its own time. Where the machine was so
/// busy that the octets came in two parts, the program says that it took fewer, and the run is repeated.
pub fn run(machine: &Machine, elf: &Path, octets: &[u8]) -> Result<Ran, String> {
    tried(machine, elf, octets, false)
}

/// Runs the program that measures, and counts its instructions where its counter can be seen.
pub fn count(machine: &Machine, elf: &Path) -> Result<Ran, String> {
    tried(machine, elf, &[], true)
}

fn tried(machine: &Machine, elf: &Path, octets: &[u8], counted: bool) -> Result<Ran, String> {
    let mut last = String::new();
    for _ in 0..TRIES {
        let ran = machine.once(elf, octets, counted)?;
        let Some((lines, idle)) = ran.lines.rsplit_once(IDLE) else {
            return Err(format!("the line never fell idle:\n{}", ran.lines));
        };
        last = idle.trim().to_string();
        if last == format!("{} 0", octets.len()) && !lines.contains(IDLE) {
            return Ok(Ran { lines: lines.to_string(), ..ran });
        }
    }
    Err(format!("{} octets sent, taken and lost: {last}", octets.len()))
}

/// An emulated machine.
pub struct Machine {
    program: &'static str,
    args: &'static [&'static str],
    /// Symbols of the end of the static memory and of the top of the stack.
    stack: (&'static str, &'static str),
    /// Address of the counter that the program that measures reads, and of the front and end of its code, where a plugin can see the
    /// counter read.
    counter: Option<[u64; 3]>,
}

/// STM32F405.
pub const NETDUINO: Machine = Machine {
    program: "qemu-system-arm",
    args: &["-M", "netduinoplus2", "-semihosting-config", "enable=on,target=native,chardev=log"],
    stack: ("__ebss", "_stack_start"),
    // TIM2_CNT, and the flash.
    counter: Some([0x4000_0024, 0x0800_0000, 0x0810_0000]),
};

/// RISC-V, the instructions of an ESP32-C3.
pub const VIRT: Machine = Machine {
    program: "qemu-system-riscv32",
    args: &["-M", "virt", "-bios", "none"],
    stack: ("__ebss", "_stack_start"),
    // A register of the processor.
    counter: None,
};

impl Machine {
    fn once(&self, elf: &Path, octets: &[u8], counted: bool) -> Result<Ran, String> {
        let folder = target_dir().join("xtask");
        let (log, depth) = (folder.join("semihosting.bin"), folder.join("stack.txt"));
        let counts = folder.join("counts.txt");
        let mut command = Command::new(self.program);
        command.args(self.args).args(["-nographic", "-monitor", "none", "-icount", "shift=0"]);
        command.args(["-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line"]);
        command.arg("-chardev").arg(format!("file,id=log,path={}", log.display()));
        let _ = fs::remove_file(&depth);
        if let Some(gauge) = self.gauge(&[elf])? {
            command.arg("-plugin").arg(format!("{gauge},out={}", depth.display()));
        }
        let _ = fs::remove_file(&counts);
        if counted && let Some(plugin) = self.counting()? {
            command.arg("-plugin").arg(format!("{plugin},out={}", counts.display()));
        }
        let mut emulator = Emulator::start(command.arg("-kernel").arg(elf))?;
        let lines = emulator.talk(octets);
        let errors = emulator.end();
        let lines = lines.map_err(|why| format!("{why}\n{errors}"))?;
        let stack = fs::read_to_string(&depth).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0);
        let stretches = stretches(&fs::read_to_string(&counts).unwrap_or_default());
        Ok(Ran { lines, stack, stretches })
    }

    /// QEMU's option for the plugin that measures the stack, of one program or of several that follow each other, without the file for
    /// the figure.
    pub fn gauge(&self, elves: &[&Path]) -> Result<Option<String>, String> {
        let Some(plugin) = plugin("stack") else { return Ok(None) };
        let (mut bottom, mut top) = (0, u64::MAX);
        for elf in elves {
            let symbols = Symbols::of(elf).ok_or("no symbols")?;
            let address = |name: &str| symbols.address(name).ok_or(format!("no symbol {name}"));
            (bottom, top) = (bottom.max(address(self.stack.0)?), top.min(address(self.stack.1)?));
        }
        Ok(Some(format!("{},bottom={bottom},top={top}", plugin.display())))
    }

    /// QEMU's option for the plugin that counts instructions, without the file for the counts.
    fn counting(&self) -> Result<Option<String>, String> {
        let Some([mark, bottom, top]) = self.counter else { return Ok(None) };
        let plugin = plugin("count").ok_or("cc does not compile xtask/plugin/count.c")?;
        Ok(Some(format!("{},mark={mark},bottom={bottom},top={top}", plugin.display())))
    }

    /// Whether instructions can be counted by address on it.
    pub fn counts(&self) -> bool {
        self.counter.is_some()
    }
}

/// A program on `virt` with the network of the host, and a text for it to read: its line is on standard input and output.
pub fn with_network(elf: &Path, config: &Path) -> std::io::Result<Child> {
    let mut command = Command::new(VIRT.program);
    command.args(VIRT.args).args(["-nographic", "-monitor", "none"]);
    command.args(["-chardev", "stdio,id=line,signal=off", "-serial", "chardev:line"]);
    command.args(["-netdev", "user,id=net", "-device", "virtio-net-device,netdev=net"]);
    command.arg("-device").arg(format!("loader,addr=0x81000000,force-raw=on,file={}", config.display()));
    command.arg("-kernel").arg(elf).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
}

/// What the plugin that counts wrote: `STRETCH ADDRESS INSTRUCTIONS`, the address in hexadecimal.
fn stretches(text: &str) -> Vec<Vec<(u64, u64)>> {
    let mut stretches: Vec<Vec<(u64, u64)>> = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split(' ').collect();
        let [stretch, address, count] = cells.as_slice() else { continue };
        let (Ok(stretch), Ok(address), Ok(count)) =
            (stretch.parse::<usize>(), u64::from_str_radix(address, 16), count.parse())
        else {
            continue;
        };
        stretches.resize_with(stretches.len().max(stretch + 1), Vec::new);
        stretches[stretch].push((address, count));
    }
    stretches
}

/// A plugin of `xtask/plugin`, compiled when it is first wanted.
fn plugin(name: &str) -> Option<PathBuf> {
    let library = target_dir().join("xtask").join(format!("{name}.so"));
    let folder = root().join("xtask/plugin");
    let source = folder.join(format!("{name}.c"));
    let age = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    if age(&library) < age(&source).max(age(&folder.join("qemu.h"))) {
        let mut compiler = Command::new("cc");
        compiler.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source);
        compiler.stdout(Stdio::null()).status().ok().filter(|status| status.success())?;
    }
    Some(library)
}

/// A running emulator with its line on standard input and output.
struct Emulator {
    child: Child,
    output: Receiver<Vec<u8>>,
}

impl Emulator {
    fn start(command: &mut Command) -> Result<Emulator, String> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            piped.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let (sender, output) = channel();
        if let Some(mut stdout) = child.stdout.take() {
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(len @ 1..) = stdout.read(&mut buffer) {
                    if sender.send(buffer[..len].to_vec()).is_err() {
                        break;
                    }
                }
            });
        }
        Ok(Emulator { child, output })
    }

    /// Waits until the program listens, says what it is to hear, and takes what it answers until its line is idle.
    fn talk(&mut self, octets: &[u8]) -> Result<String, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut text = self.until(String::new(), deadline, |text| text.contains(READY))?;
        let mut input = self.child.stdin.take().ok_or("no standard input")?;
        let sent = octets.to_vec();
        // The thread keeps the pipe open: at its end QEMU would close the line.
        let writer = thread::spawn(move || {
            let _ = input.write_all(&sent).and_then(|()| input.flush());
            input
        });
        // What a program says unasked may have come with it.
        if let Some((_, behind)) = text.split_once(READY) {
            text = behind.to_string();
        }
        let text = self.until(text, deadline, |text| {
            text.rsplit_once(IDLE).is_some_and(|(_, idle)| idle.ends_with('\n'))
        })?;
        let _ = writer.join();
        Ok(text)
    }

    fn until(
        &mut self,
        mut text: String,
        deadline: Instant,
        done: impl Fn(&str) -> bool,
    ) -> Result<String, String> {
        while !done(&text) {
            match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(octets) => text.push_str(&String::from_utf8_lossy(&octets)),
                Err(RecvTimeoutError::Timeout) => return Err(format!("no more came out after:\n{text}")),
                Err(RecvTimeoutError::Disconnected) => return Err(format!("ended after:\n{text}")),
            }
        }
        Ok(text)
    }

    /// Asks QEMU to end, so that its plugin says what it found; what QEMU complained about.
    fn end(mut self) -> String {
        let _ = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let _ = stderr.read_to_string(&mut errors);
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_by_stretch() {
        let text = "0 8000100 12\n0 8000102 3\n2 8000100 7\nnot a count\n";
        assert_eq!(
            stretches(text),
            [vec![(0x0800_0100, 12), (0x0800_0102, 3)], vec![], vec![(0x0800_0100, 7)]]
        );
    }
}
