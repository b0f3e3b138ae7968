//! The Python libraries of the field, timed by `python/peers.py` on files of the same inputs.

use crate::dlt645::reply;
use crate::report::{Cell, Report};
use std::path::Path;
use std::process::Command;

/// Writes the inputs to a folder, runs the script and adds what it says.
///
/// # Errors
///
/// What the file system says, or that the script failed; a library that fails on an input is a cell without a time.
pub fn add(report: &mut Report, interpreter: &Path) -> Result<(), Box<dyn core::error::Error>> {
    let folder = std::env::temp_dir().join(format!("benches-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut inputs: Vec<(&str, String, Vec<u8>)> = Vec::new();
    let frames = benches::han::frames().into_iter();
    inputs.extend(frames.map(|input| ("HAN frame", format!("{}.hdlc", input.name), input.octets)));
    let telegrams = benches::p1::inputs().into_iter();
    inputs.extend(telegrams.map(|(name, octets)| ("P1 telegram", format!("{name}.p1"), octets)));
    inputs.push(("DL/T 645", "reply 91H.dlt645".to_owned(), reply(12_345_678)));
    for (_, name, octets) in &inputs {
        std::fs::write(folder.join(name), octets)?;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/python/peers.py");
    let output = Command::new(interpreter).arg(script).arg(&folder).output()?;
    std::fs::remove_dir_all(&folder)?;
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        return Err(format!("{script}: {}", output.status).into());
    }
    // One line for each figure: file, library, nanoseconds or nothing.
    for line in String::from_utf8(output.stdout)?.lines() {
        let [file, library, time] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        let Some((group, name, octets)) = inputs.iter().find(|(_, name, _)| name == file) else { continue };
        let input = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem).to_owned();
        let (contender, nanoseconds) = (format!("{library} (Python)"), time.parse().ok());
        report.add(Cell { group, input, octets: octets.len(), contender, nanoseconds, flash: None });
    }
    Ok(())
}
