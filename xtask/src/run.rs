//! A step, and the commands in it: each with a time limit, its output kept for when it fails.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// The repository's root. Cargo says at run time where this package stands, which holds when a checkout has moved.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or(env!("CARGO_MANIFEST_DIR").into());
        PathBuf::from(package).join("..")
    })
}

/// Where build output goes: cargo's own place, unless the caller moved it.
pub fn target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// On CI a step that cannot run because the set-up fell short is a failure, not a skip.
pub fn on_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// The toolchain that runs this program, in the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root());
    command
}

/// Whether a program answers to `--version` (or the like) with success.
pub fn works(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// What a program prints, if it succeeds.
pub fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// One line of the closing table.
pub struct Done {
    pub name: String,
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
    pub notes: Vec<String>,
    pub seconds: u64,
    /// Of processor time, all cores together: what counts on a machine that does other work as well.
    pub cpu_seconds: u64,
}

/// A step that runs: its commands, what became of them, and the time that is left.
pub struct Step {
    done: Done,
    started: Instant,
    cpu_before: u64,
    limit: Duration,
    log: PathBuf,
    pub fuzz_seconds: u64,
    /// Figures go into the budget table instead of being checked against it.
    pub record: bool,
}

impl Step {
    pub fn new(name: &str, limit: Duration) -> Step {
        println!("\n== {name}");
        let logs = target_dir().join("xtask");
        // A folder that cannot be made shows at the first command, whose log it holds.
        let _ = fs::create_dir_all(&logs);
        let done = Done {
            name: name.to_string(),
            passed: 0,
            failed: 0,
            skipped: 0,
            notes: Vec::new(),
            seconds: 0,
            cpu_seconds: 0,
        };
        Step {
            done,
            started: Instant::now(),
            cpu_before: cpu_seconds(),
            limit,
            log: logs.join(format!("{name}.log")),
            fuzz_seconds: 60,
            record: false,
        }
    }

    pub fn finish(mut self) -> Done {
        self.done.seconds = self.started.elapsed().as_secs();
        self.done.cpu_seconds = cpu_seconds().saturating_sub(self.cpu_before);
        self.done
    }

    /// Runs a command, counts it as one check and says how it went. The output, when it succeeds.
    pub fn check(&mut self, label: &str, command: &mut Command) -> Option<String> {
        let started = Instant::now();
        let output = self.quietly(label, command)?;
        self.pass(1);
        println!("   ok {label} ({:.1} s)", started.elapsed().as_secs_f32());
        Some(output)
    }

    /// Runs test programs, and counts each test in them.
    pub fn tests(&mut self, label: &str, command: &mut Command) {
        let started = Instant::now();
        let before = self.done.failed;
        let result = self.execute(command);
        let (output, failure) = match &result {
            Ok(output) => (output, None),
            Err((output, why)) => (output, Some(why)),
        };
        let count = Tests::count(output);
        self.done.passed += count.passed;
        self.done.failed += count.failed;
        self.done.skipped += count.ignored;
        if count.ignored > 0 {
            self.note(&format!("{label}: {} tests marked #[ignore]", count.ignored));
        }
        if let Some(why) = failure {
            println!("{output}");
            self.fail(label, why);
            // The tests that failed were counted one by one above; anything else counts as one.
            self.done.failed = before + count.failed.max(1);
        } else {
            println!("   ok {label}: {} tests ({:.1} s)", count.passed, started.elapsed().as_secs_f32());
        }
    }

    /// Runs a command and is silent, and counts nothing, unless it fails.
    pub fn quietly(&mut self, label: &str, command: &mut Command) -> Option<String> {
        match self.execute(command) {
            Ok(output) => Some(output),
            Err((output, why)) => {
                println!("{output}\n   $ {}", describe(command));
                self.fail(label, &why);
                None
            }
        }
    }

    pub fn pass(&mut self, checks: u32) {
        self.done.passed += checks;
    }

    pub fn fail(&mut self, label: &str, why: &str) {
        println!("   FAILED {label}: {why}");
        self.done.failed += 1;
        self.note(&format!("{label}: {why}"));
    }

    /// Something that set-up provides is not there: SKIPPED on a desk, a failure on CI.
    pub fn missing(&mut self, label: &str, why: &str) {
        if on_ci() {
            self.fail(label, why);
        } else {
            self.skip(label, why);
        }
    }

    /// Something that this repository does not hold is not there.
    pub fn skip(&mut self, label: &str, why: &str) {
        println!("   SKIPPED {label}: {why}");
        self.done.skipped += 1;
        self.note(&format!("SKIPPED {label}: {why}"));
    }

    fn note(&mut self, note: &str) {
        self.done.notes.push(note.to_string());
    }

    fn execute(&self, command: &mut Command) -> Result<String, (String, String)> {
        let spoiled = |why: String| (String::new(), why);
        let log = File::create(&self.log).map_err(|e| spoiled(format!("{}: {e}", self.log.display())))?;
        let errors = log.try_clone().map_err(|e| spoiled(e.to_string()))?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|e| spoiled(format!("{}: {e}", command.get_program().display())))?;
        let verdict = loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => break Ok(()),
                Ok(Some(status)) => break Err(status.to_string()),
                Ok(None) if self.started.elapsed() < self.limit => sleep(Duration::from_millis(20)),
                Ok(None) => {
                    end_family(child.id());
                    let _ = child.wait();
                    break Err(format!("the step's {} minutes are over", self.limit.as_secs() / 60));
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        let output = fs::read(&self.log).unwrap_or_default();
        let output = String::from_utf8_lossy(&output).into_owned();
        verdict.map(|()| output.clone()).map_err(|why| (output, why))
    }
}

/// What the test programs in an output said at their ends.
#[derive(Default)]
struct Tests {
    passed: u32,
    failed: u32,
    ignored: u32,
}

impl Tests {
    fn count(output: &str) -> Tests {
        let mut tests = Tests::default();
        for line in output.lines().filter(|line| line.starts_with("test result:")) {
            // test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
            for part in line.split([';', '.']) {
                let mut words = part.split_whitespace();
                let (Some(number), Some(what)) = (words.next(), words.next()) else { continue };
                let number: u32 = number.parse().unwrap_or(0);
                match what {
                    "passed" => tests.passed += number,
                    "failed" => tests.failed += number,
                    "ignored" => tests.ignored += number,
                    _ => {}
                }
            }
        }
        tests
    }
}

/// Processor time of all processes that were run so far; 0 where the system does not say.
fn cpu_seconds() -> u64 {
    let status = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name in parentheses, the times of waited-for children stand at 13 and 14, in hundredths of seconds.
    let behind = status.rsplit_once(')').map_or("", |(_, behind)| behind);
    let times = behind.split_whitespace().skip(13).take(2);
    times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() / 100
}

/// Ends a process and all that it started; cargo alone would leave a running test behind.
fn end_family(pid: u32) {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(children(parent));
        next += 1;
    }
    let ids: Vec<String> = family.iter().map(u32::to_string).collect();
    let _ = Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status();
}

fn children(parent: u32) -> Vec<u32> {
    let listed = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).unwrap_or_default();
    listed.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

fn describe(command: &Command) -> String {
    let environment = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}='{}'", name.display(), value?.display())));
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    environment.chain(words.map(|word| word.display().to_string())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_several_programs_are_added_up() {
        let output = "running 3 tests\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n\
                      test result: FAILED. 2 passed; 4 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.03s";
        let tests = Tests::count(output);
        assert_eq!((tests.passed, tests.failed, tests.ignored), (5, 4, 1));
    }

    #[test]
    fn a_command_over_its_time_is_ended_with_its_children() {
        let started = Instant::now();
        let mut step = Step::new("xtask-self-test", Duration::from_secs(1));
        let output = step.quietly("sleeper", Command::new("sh").args(["-c", "sleep 60 & wait"]));
        assert!(output.is_none());
        assert!(started.elapsed() < Duration::from_secs(20));
        assert_eq!(step.finish().failed, 1);
    }
}
