//! Three emulated meters, one medium: upgraded from version 1 to 2 by `meter upgrade send` while frames are lost and meters lose their
//! supply; a version 3 that dies in its trial is rolled back; a forged image is refused; the event logs tell it.
//!
//!     unit-harness FOLDER METER [SEED]
//!
//! FOLDER holds the ELF files `boot`, `unit-1`, `unit-2` and `unit-3` and the key pairs `key.der` and `other.der`; METER is the tool.
//! STACK_GAUGE in the environment: the plugin that measures the stack of the first meter, with its bounds.

mod emulator;
mod medium;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Instant;

use emulator::{Ended, Meter};
use medium::Medium;
use upgrade_proto::message::{Event, Message, Packet};
use upgrade_proto::session::Session;

/// The versions, as they are built and as they are packed.
pub const VERSIONS: [&str; 3] = ["20260101.1", "20260301.2", "20260501.3"];
const FORGED: &str = "20260901.9";
/// Octets of a block.
const BLOCK: &str = "512";
/// Frames lost of a hundred.
const LOSS: u64 = 10;
/// How often the supply of each meter is cut.
const CUTS: u32 = 4;
/// Fault resets that a trial may have (`upgrade_proto::boot::Limits`).
const FAULTS: usize = 3;

/// The group's key; a meter's is its number, over and over.
const GROUP: [u8; 16] = *b"the group's key.";

/// The software's version, in a DL/T 645 meter's identifiers.
const SOFTWARE: u32 = 0x0480_0001;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(folder), Some(tool)) = (args.first(), args.get(1)) else {
        eprintln!("unit-harness FOLDER METER [SEED]");
        return ExitCode::from(2);
    };
    let seed = args.get(2).and_then(|seed| seed.parse().ok()).unwrap_or(1);
    match Test::new(Path::new(folder), Path::new(tool), seed).and_then(|mut test| test.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("unit-harness: {why}");
            ExitCode::FAILURE
        }
    }
}

struct Test {
    folder: PathBuf,
    tool: PathBuf,
    medium: Medium,
    started: Instant,
    /// The programs, as they stand in the flash.
    programs: Vec<Vec<u8>>,
}

impl Test {
    fn new(folder: &Path, tool: &Path, seed: u64) -> Result<Test, String> {
        let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
        let folder = folder.canonicalize().map_err(fail)?;
        let tool = tool.canonicalize().map_err(fail)?;
        let run = folder.join("run");
        let _ = std::fs::remove_dir_all(&run);
        std::fs::create_dir_all(&run).map_err(fail)?;
        let mut test = Test {
            medium: Medium::new(Vec::new(), seed)?,
            folder,
            tool,
            started: Instant::now(),
            programs: Vec::new(),
        };
        for (number, version) in VERSIONS.iter().enumerate() {
            let number = number + 1;
            test.package(&format!("unit-{number}"), version, "key.der", &format!("v{number}"))?;
            let program = run.join(format!("v{number}.bin"));
            let package = run.join(format!("v{number}"));
            test.tool(&["pack", "--unpack", &text(&package), "--out", &text(&program)])?;
            test.programs.push(std::fs::read(&program).map_err(fail)?);
        }
        test.package("unit-2", FORGED, "other.der", "forged")?;
        let boot = test.folder.join("boot");
        let meters: Result<Vec<Meter>, String> = (1..=3u8)
            .map(|number| {
                let folder = run.join(format!("meter-{number}"));
                let keys = [[number; 16], GROUP];
                Meter::new(&folder, [0, 0, 0, 0, 0x12, number], keys, &boot, &test.programs[0])
            })
            .collect();
        let digits = |key: [u8; 16]| key.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
        let ring = (1..=3u8).map(|number| format!("00000000120{number} = {}\n", digits([number; 16])));
        let ring = ring.collect::<String>() + &format!("group = {}\n", digits(GROUP));
        std::fs::write(run.join("keys"), ring).map_err(fail)?;
        let mut meters = meters?;
        meters[0].gauge = std::env::var("STACK_GAUGE").ok().filter(|gauge| !gauge.is_empty());
        test.medium = Medium::new(meters, seed)?;
        Ok(test)
    }

    /// Runs `meter upgrade …`.
    fn tool(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new(&self.tool).arg("upgrade").args(args).output();
        let output = output.map_err(|error| format!("{}: {error}", self.tool.display()))?;
        if !output.status.success() {
            return Err(format!("meter upgrade {args:?}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Packs and signs a program.
    fn package(&self, elf: &str, version: &str, key: &str, name: &str) -> Result<(), String> {
        let (elf, key) = (text(&self.folder.join(elf)), text(&self.folder.join(key)));
        let (plain, signed) = (self.file(&format!("{name}.plain")), self.file(name));
        let args = ["pack", &elf, "--maker", "UNIT", "--version", version, "--block", BLOCK, "--out", &plain];
        self.tool(&args)?;
        self.tool(&["sign", &plain, "--key", &key, "--out", &signed]).map(|_| ())
    }

    fn file(&self, name: &str) -> String {
        text(&self.folder.join("run").join(name))
    }

    fn run(&mut self) -> Result<(), String> {
        self.say("three meters start behind their boot loaders");
        self.settle()?;
        self.all_run(1)?;
        println!("   {} octets of program in each", self.programs[0].len());

        self.say(&format!(
            "version 2 is sent; {LOSS} % of frames are lost, each meter loses its supply {CUTS} times"
        ));
        self.medium.disturb(LOSS, CUTS);
        let report = self.send("v2", "1")?;
        // What was left of the cuts comes at starts that do not come any more.
        self.medium.disturb(0, 0);
        self.finish()?;
        self.all_run(2)?;
        let cuts: Vec<usize> = (0..3).map(|meter| self.medium.ends(meter, Ended::Killed)).collect();
        println!(
            "{report}   {} frames on the medium, {} not heard by somebody; cuts: {cuts:?}",
            self.medium.carried, self.medium.lost
        );
        if cuts.contains(&0) {
            return Err("a meter was never killed".into());
        }

        self.say("an image signed with another key is sent");
        self.medium.disturb(LOSS, 0);
        let report = self.send("forged", "2")?;
        println!("{report}");
        if report.contains("done") {
            return Err("somebody took the forged image".into());
        }
        self.all_run(2)?;

        self.say("version 3 is sent, which dies in its trial");
        let before: Vec<usize> = (0..3).map(|meter| self.deaths(meter)).collect();
        let report = self.send("v3", "3")?;
        println!("{report}");
        self.finish()?;
        self.all_run(2)?;
        for (meter, before) in before.into_iter().enumerate() {
            let died = self.deaths(meter) - before;
            println!("   meter {}: {died} fault resets in the trial", meter + 1);
            // Told to activate again, because its answer was lost, a meter tries again.
            if died == 0 || !died.is_multiple_of(FAULTS + 1) {
                return Err(format!("rolled back after {died} faults"));
            }
        }

        self.say("what the event logs tell");
        for meter in 0..3 {
            self.events(meter)?;
        }
        println!("   deepest stack of meter 1: {} octets", self.medium.meters[0].stack);
        self.say("done");
        Ok(())
    }

    fn say(&self, what: &str) {
        println!("{:5.1} s  {what}", self.started.elapsed().as_secs_f32());
    }

    fn deaths(&self, meter: usize) -> usize {
        self.medium.ends(meter, Ended::Fault) + self.medium.ends(meter, Ended::Watchdog)
    }

    /// Until all meters listen.
    fn settle(&mut self) -> Result<(), String> {
        self.medium.run(|medium| Ok(medium.meters.iter().all(|meter| meter.ready)))
    }

    /// Until no meter is in an installation or trial any more.
    fn finish(&mut self) -> Result<(), String> {
        for meter in 0..3 {
            let begin = Instant::now();
            // The states of the record: 4 to 7 and 9 are on the way.
            loop {
                let state = self.medium.read(meter, 0x04FE_0001)?.ok_or("the state's read was refused")?;
                if !matches!(state.as_slice(), [0x04..=0x07 | 0x09]) {
                    break;
                }
                if begin.elapsed() > medium::PATIENCE {
                    return Err(format!("meter {} stays in state {state:?}", meter + 1));
                }
            }
        }
        Ok(())
    }

    /// Each meter says over DL/T 645 that it runs this version, and its flash holds it.
    fn all_run(&mut self, number: usize) -> Result<(), String> {
        let wanted = VERSIONS[number - 1];
        for meter in 0..3 {
            let mut said = self.medium.read(meter, SOFTWARE)?.unwrap_or_default();
            said.reverse();
            let said = String::from_utf8_lossy(&said).trim().to_string();
            if said != wanted {
                return Err(format!("meter {} says {said}, wanted {wanted}", meter + 1));
            }
            let program = &self.programs[number - 1];
            if self.medium.meters[meter].program(program.len()) != *program {
                return Err(format!("meter {}: its flash does not hold version {number}", meter + 1));
            }
        }
        println!("   all three say over DL/T 645: {wanted}");
        Ok(())
    }

    /// `meter upgrade send`, to its end.
    fn send(&mut self, package: &str, session: &str) -> Result<String, String> {
        let port = format!("tcp:127.0.0.1:{}", self.medium.port);
        let meters = "000000001201,000000001202,000000001203";
        let mut command = Command::new(&self.tool);
        command.args(["upgrade", "send", "--quiet", "--echo", "--port", &port, "--meters", meters]);
        command.args(["--image", &self.file(package), "--session", session, "--rate", "100000"]);
        // A lost answer costs the turnaround; how long things may take on a slow host is in the others.
        command.args(["--turnaround", "1000", "--erase", "2", "--verify", "5", "--silence", "4"]);
        command.args(["--activate", "0", "--install", "15"]);
        command.args(["--keys", &self.file("keys"), "--numbers", &self.file("numbers")]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn();
        let mut sender = Sender(child.map_err(|error| format!("{}: {error}", self.tool.display()))?);
        self.medium.run(|_| match sender.0.try_wait() {
            Ok(status) => Ok(status.is_some()),
            Err(error) => Err(error.to_string()),
        })?;
        let mut report = String::new();
        let mut stdout = sender.0.stdout.take().ok_or("no standard output")?;
        std::io::Read::read_to_string(&mut stdout, &mut report).map_err(|error| error.to_string())?;
        Ok(report.lines().map(|line| format!("   {line}\n")).collect())
    }

    /// Reads a meter's event log through the protocol, oldest first; it must tell the story.
    fn events(&mut self, meter: usize) -> Result<(), String> {
        let packet =
            Packet { session: Session { id: 9, image: 0 }, message: Message::EventQuery { from: 0 } };
        let mut buffer = [0; 32];
        let asked = packet.encode(&mut buffer).map_err(|error| error.to_string())?.to_vec();
        let answer = self.medium.ask(meter, &asked)?;
        let packet = Packet::parse(&answer).map_err(|error| error.to_string())?;
        let Message::Events(entries) = packet.message else { return Err(format!("{:?}", packet.message)) };
        let mut events: Vec<Event> = entries.chunks_exact(11).filter_map(Event::parse).collect();
        events.reverse();
        println!("   meter {}:", meter + 1);
        for event in &events {
            let kind = ["?", "manifest accepted", "image verified", "failed", "activated", "rolled back"];
            let kind = kind.get(usize::from(event.kind)).unwrap_or(&"?");
            println!("      {} s  {kind}: version {}", event.time, event.version);
        }
        let mut story: Vec<(u8, u16)> =
            events.iter().map(|event| (event.kind, event.version.number)).collect();
        // As often as it was told to.
        story.dedup();
        if story != [(1, 2), (2, 2), (4, 2), (1, 3), (2, 3), (5, 3)] {
            return Err(format!("meter {} tells another story", meter + 1));
        }
        Ok(())
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Ended with the test, whatever becomes of it.
struct Sender(Child);

impl Drop for Sender {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
