//! `cargo xtask scaling`: what costs how much more when there is more of it: octets of input, threads, meters.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::run::{Step, cargo, target_dir};

/// Octets of the longest input.
const LONGEST: &str = "1073741824";

const METERS: [u32; 5] = [1, 10, 100, 1000, 10_000];

/// What the simulation of 10,000 meters may take at most.
const MEMORY_KIB: u64 = 1 << 20;

pub fn run(step: &mut Step) {
    let mut bench = cargo();
    bench.args(["bench", "-q", "-p", "benches", "--bench", "table", "--"]);
    bench.args(["--lengths", "--longest", LONGEST]);
    if let Some(table) = step.quietly("lengths and threads", &mut bench) {
        println!("{table}");
        step.pass(1);
    }
    let mut build = cargo();
    build.args(["build", "-q", "--release", "-p", "meter"]);
    if step.quietly("meter", &mut build).is_none() {
        return;
    }
    let meter = target_dir().join("release/meter");
    println!(
        "| simulated meters | seconds | seconds a meter | peak of memory | complete |\n|--:|--:|--:|--:|--:|"
    );
    for meters in METERS {
        match simulate(&meter, meters) {
            Ok(Run { seconds, peak, complete }) => {
                let a_meter = seconds / f64::from(meters);
                println!("| {meters} | {seconds:.2} | {a_meter:.5} | {} MiB | {complete} |", peak >> 10);
                if complete != meters.to_string() {
                    step.fail("simulation", &format!("{complete} of {meters} meters complete"));
                } else if peak > MEMORY_KIB {
                    step.fail("simulation", &format!("{peak} KiB for {meters} meters"));
                } else {
                    step.pass(1);
                }
            }
            Err(why) => step.fail("simulation", &why),
        }
    }
}

struct Run {
    seconds: f64,
    /// KiB.
    peak: u64,
    complete: String,
}

/// The usual job: an image of 1,024,000 octets, 1 % of the frames lost.
fn simulate(meter: &Path, meters: u32) -> Result<Run, String> {
    let started = Instant::now();
    let mut child = Command::new(meter)
        .args(["upgrade", "simulate", "--format", "json", "--meters", &meters.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", meter.display()))?;
    let mut peak = 0;
    // The peak only grows, so the last look before the end misses little.
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        peak = peak.max(high_water(child.id()));
        sleep(Duration::from_millis(2));
    }
    let seconds = started.elapsed().as_secs_f64();
    let output = child.wait_with_output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("{}: {text}", output.status));
    }
    let complete = text.split("\"complete\": ").nth(1).and_then(|rest| rest.split([',', '.']).next());
    Ok(Run { seconds, peak, complete: complete.unwrap_or_default().to_string() })
}

/// Most memory that a process has held so far, in KiB; 0 where the system does not say.
fn high_water(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
