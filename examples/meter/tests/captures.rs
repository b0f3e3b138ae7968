//! `meter decode` on real captures: the expected trees, the exit statuses, and every whole frame of a damaged one.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Capture {
    name: String,
    path: PathBuf,
    text: String,
    expected: Vec<String>,
}

impl Capture {
    fn is_good(&self) -> bool {
        self.text.contains("class: good")
    }

    /// The keys in the comments at the head of the file.
    fn keys(&self) -> Vec<String> {
        let key = |mark: &str| {
            self.text.lines().find_map(|line| line.strip_prefix(mark)).map(|key| key.trim().to_owned())
        };
        let flags = [("--key", key("# ek:")), ("--auth-key", key("# ak:"))];
        flags.into_iter().filter_map(|(flag, key)| Some([flag.to_owned(), key?])).flatten().collect()
    }

    fn decode(&self, format: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meter"));
        command.args(["decode", "--format", format]).args(self.keys()).arg(&self.path);
        command.output().unwrap()
    }
}

fn captures() -> Vec<Capture> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/dlms"));
    let Ok(entries) = fs::read_dir(&folder) else {
        eprintln!("SKIPPED: no captures, {} not found", folder.display());
        return Vec::new();
    };
    let mut captures: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "hex"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            let decoded =
                fs::read_to_string(folder.join("decoded").join(&name).with_extension("txt")).unwrap();
            let text = fs::read_to_string(&path).unwrap();
            Capture { expected: tree(&decoded), name, path, text }
        })
        .collect();
    captures.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(captures.len() > 100, "captures are there but few");
    captures
}

/// The lines of the A-XDR tree: those indented by an even number of spaces.
fn tree(text: &str) -> Vec<String> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    text.lines().filter(|line| indent(line) > 0 && indent(line) % 2 == 0).map(str::to_owned).collect()
}

#[test]
fn good_captures_give_the_expected_trees() {
    for capture in captures().iter().filter(|capture| capture.is_good()) {
        let output = capture.decode("tree");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert_eq!(tree(&printed), capture.expected, "{}", capture.name);
    }
}

/// Cut out of a longer exchange, so that what is left is whole in its frames and not in its blocks or ciphering.
const PARTS: [&str; 2] = ["kaifa-gh539-2", "lg-em-ct623-2"];

#[test]
fn good_captures_are_not_called_damaged_and_defect_ones_are() {
    for capture in captures() {
        let output = capture.decode("json");
        // Some are encrypted, and their keys are not known.
        let locked = String::from_utf8_lossy(&output.stdout).contains("\"encrypted\":\"no key\"");
        let damaged = !capture.is_good() || locked || PARTS.contains(&capture.name.as_str());
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(i32::from(damaged)), "{}: {told}", capture.name);
        assert!(!damaged || !told.is_empty(), "{}", capture.name);
    }
}

/// What the reference decoder made of a damaged capture, as far as it was whole, is in our output too.
#[test]
fn defect_captures_still_give_their_whole_messages() {
    for capture in captures().iter().filter(|capture| capture.name == "iss-aidon-988-corrupt") {
        let output = capture.decode("tree");
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(printed.contains("data-notification"), "{}: {printed}", capture.name);
    }
}
