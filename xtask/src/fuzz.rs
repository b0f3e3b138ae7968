//! Fuzzing: a short run of every target as a step of the test, a long one by `cargo xtask fuzz`.
//!
//! With rustup's nightly the targets run under AddressSanitizer, on stable without it (`-s none`).

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::run::{Step, answer, cargo, root, target_dir, works};

/// No target gets less than this in the short run, however many there are.
const LEAST_SECONDS: u64 = 2;

/// The step of `cargo xtask test`.
pub fn run(step: &mut Step) {
    let Some(fuzzer) = Fuzzer::ready(step) else { return };
    let targets = fuzzer.targets();
    let share = (step.fuzz_seconds / (targets.len() as u64).max(1)).max(LEAST_SECONDS);
    for target in targets {
        fuzzer.run(step, &target, &format!("-max_total_time={share}"));
    }
}

/// `cargo xtask fuzz`: one target or all of them, for so many seconds or executions each.
pub struct Long {
    target: String,
    limit: String,
}

impl Long {
    pub fn parse<'a>(mut words: impl Iterator<Item = &'a str>) -> Result<Long, String> {
        let target = words.next().ok_or("fuzz wants a target, or all")?.to_string();
        let limit = match (words.next(), words.next().map(str::parse::<u64>)) {
            (None, _) => "-max_total_time=600".to_string(),
            (Some("--seconds"), Some(Ok(seconds))) => format!("-max_total_time={seconds}"),
            (Some("--runs"), Some(Ok(runs))) => format!("-runs={runs}"),
            (Some(other), _) => return Err(other.to_string()),
        };
        Ok(Long { target, limit })
    }

    pub fn run(&self, step: &mut Step) {
        let Some(fuzzer) = Fuzzer::ready(step) else { return };
        let all = self.target == "all";
        let targets: Vec<String> =
            fuzzer.targets().into_iter().filter(|target| all || *target == self.target).collect();
        if targets.is_empty() {
            step.fail(&self.target, "no such target in fuzz/Cargo.toml");
        }
        let mut rows = Vec::new();
        for target in targets {
            if let Some(figures) = fuzzer.run(step, &target, &self.limit) {
                rows.push(format!(
                    "| {target} | {} | {} | {} |",
                    figures.runs, figures.coverage, figures.corpus
                ));
            }
        }
        println!("\n| target | executions | coverage | corpus |\n|---|--:|--:|--:|\n{}", rows.join("\n"));
    }
}

struct Fuzzer {
    sanitizer: bool,
}

impl Fuzzer {
    /// Builds every target and lays the seeds down.
    fn ready(step: &mut Step) -> Option<Fuzzer> {
        if !works("cargo", &["fuzz", "--version"]) {
            step.missing("every target", "cargo-fuzz is not installed; `cargo xtask setup` installs it");
            return None;
        }
        let fuzzer = Fuzzer { sanitizer: works("cargo", &["+nightly", "--version"]) };
        println!(
            "   {}",
            if fuzzer.sanitizer { "nightly, AddressSanitizer" } else { "stable, no sanitizer" }
        );
        step.quietly("build", &mut fuzzer.cargo_fuzz("build", &[]))?;
        let mut seeds = cargo();
        seeds.args(["run", "--quiet", "--manifest-path", "fuzz/Cargo.toml"]);
        seeds.args(["--no-default-features", "--example", "seeds"]);
        step.quietly("seeds", seeds.env("CARGO_TARGET_DIR", target_dir().join("fuzz")))?;
        Some(fuzzer)
    }

    fn cargo_fuzz(&self, verb: &str, args: &[&str]) -> Command {
        let mut command = cargo();
        if self.sanitizer {
            command.args(["+nightly", "fuzz", verb]);
        } else {
            command.args(["fuzz", verb, "--sanitizer", "none"]);
        }
        command.args(args).env("CARGO_TARGET_DIR", target_dir().join("fuzz"));
        command
    }

    fn targets(&self) -> Vec<String> {
        let listed = answer(cargo().args(["fuzz", "list"])).unwrap_or_default();
        listed.lines().map(str::to_string).collect()
    }

    fn run(&self, step: &mut Step, target: &str, limit: &str) -> Option<Figures> {
        let corpus = format!("fuzz/corpus/{target}");
        let mut args = vec![target.to_string(), corpus.clone()];
        let regressions = format!("fuzz/regressions/{target}");
        if root().join(&regressions).is_dir() {
            args.push(regressions);
        }
        // libFuzzer creates no corpus folder, and a target without seeds starts from nothing.
        let _ = fs::create_dir_all(root().join(&corpus));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = self.cargo_fuzz("run", &args);
        command.args(["--", limit, "-print_final_stats=1", "-timeout=10"]);
        let dictionary = PathBuf::from(format!("fuzz/dictionaries/{target}.txt"));
        if root().join(&dictionary).is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let figures = Figures::read(&step.quietly(target, &mut command)?);
        step.pass(1);
        println!("   ok {target}: {figures}");
        Some(figures)
    }
}

/// What libFuzzer says at its end.
struct Figures {
    runs: String,
    coverage: String,
    corpus: String,
}

impl Figures {
    fn read(output: &str) -> Figures {
        let runs = output.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        // #2097152 pulse  cov: 301 ft: 1012 corp: 120/8213b lim: 4096 exec/s: 120000 rss: 500Mb
        let last = output.lines().rev().find(|line| line.starts_with('#') && line.contains("cov: "));
        let after = |key: &str| {
            last.and_then(|line| line.split(key).nth(1)).and_then(|rest| rest.split_whitespace().next())
        };
        Figures {
            runs: runs.unwrap_or("?").trim().to_string(),
            coverage: after("cov: ").unwrap_or("?").to_string(),
            corpus: after("corp: ").unwrap_or("?").to_string(),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} executions, coverage {}, corpus {}", self.runs, self.coverage, self.corpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_from_the_last_line_that_has_them() {
        let output = "#2\tINITED cov: 3 ft: 3 corp: 1/1b exec/s: 0 rss: 30Mb\n\
                      #524288\tpulse  cov: 301 ft: 1012 corp: 120/8213b lim: 4096 exec/s: 1200 rss: 50Mb\n\
                      stat::number_of_executed_units: 600000\n";
        let figures = Figures::read(output);
        assert_eq!(figures.to_string(), "600000 executions, coverage 301, corpus 120/8213b");
    }
}
