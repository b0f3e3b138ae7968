//! The closing table.

use std::process::ExitCode;

use crate::run::Done;

/// Notes of one step that the table has room for; all of them stand above it, where they happened.
const NOTES: usize = 12;

/// Prints the table, the notes under it and, as the last line, the sums; fails if anything did.
pub fn print(steps: &[Done]) -> ExitCode {
    let width = steps.iter().map(|step| step.name.len()).max().unwrap_or(0).max(4);
    println!("\n{:width$}  result    passed  failed  skipped  seconds  (CPU)", "step");
    for step in steps {
        println!(
            "{:width$}  {:8}  {:6}  {:6}  {:7}  {:7}  {:5}",
            step.name,
            verdict(step),
            step.passed,
            step.failed,
            step.skipped,
            step.seconds,
            step.cpu_seconds
        );
        for note in step.notes.iter().take(NOTES) {
            println!("{:width$}    {note}", "");
        }
        if let Some(more) = step.notes.len().checked_sub(NOTES + 1) {
            println!("{:width$}    … and {} more", "", more + 1);
        }
    }
    let sum = |count: fn(&Done) -> u32| steps.iter().map(count).sum::<u32>();
    let (passed, failed, skipped) = (sum(|s| s.passed), sum(|s| s.failed), sum(|s| s.skipped));
    println!("\n{passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(step: &Done) -> &'static str {
    match step {
        Done { failed: 1.., .. } => "FAILED",
        Done { passed: 0, skipped: 1.., .. } => "SKIPPED",
        Done { passed: 0, .. } => "empty",
        _ => "passed",
    }
}
