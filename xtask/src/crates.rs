//! The libraries and their features, read from their manifests.

use std::fs;

use crate::run::root;

/// One of the library crates.
pub struct Library {
    /// The package's name, as `cargo -p` wants it.
    pub package: &'static str,
    /// The features of its manifest, `default` left out.
    pub features: Vec<String>,
}

const LIBRARIES: &[(&str, &str)] = &[
    ("dlms-hdlc", "dlms-hdlc"),
    ("obis-cosem", "obis"),
    ("dsmr", "dsmr"),
    ("dlt645", "dlt645"),
    ("upgrade-proto", "upgrade-proto"),
];

/// The library crates, a crate after those that it depends on.
pub fn libraries() -> Vec<Library> {
    LIBRARIES
        .iter()
        .map(|&(package, folder)| {
            let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap_or_default();
            Library { package, features: features(&manifest) }
        })
        .collect()
}

/// A choice of features: what to call it, and what to tell cargo.
pub struct Choice {
    pub label: String,
    pub args: Vec<String>,
}

impl Choice {
    pub fn none() -> Choice {
        Choice { label: "no features".to_string(), args: vec!["--no-default-features".to_string()] }
    }

    pub fn of(label: &str, features: &[&str]) -> Choice {
        let mut choice = Choice::none();
        choice.label = label.to_string();
        if !features.is_empty() {
            choice.args.extend(["--features".to_string(), features.join(",")]);
        }
        choice
    }
}

/// No features, each feature alone, all of them: without those that `leave_out` names.
pub fn choices(library: &Library, leave_out: impl Fn(&str) -> bool) -> Vec<Choice> {
    let usable: Vec<&str> =
        library.features.iter().map(String::as_str).filter(|feature| !leave_out(feature)).collect();
    let mut choices = vec![Choice::none()];
    choices.extend(usable.iter().map(|feature| Choice::of(feature, &[*feature])));
    if usable.len() > 1 {
        choices.push(Choice::of("all features", &usable));
    }
    choices
}

/// The names in a manifest's `[features]`, which starts each of them on a line of its own.
fn features(manifest: &str) -> Vec<String> {
    let section = manifest.lines().skip_while(|line| line.trim() != "[features]").skip(1);
    section
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_alphanumeric()))
        .filter_map(|line| Some(line.split_once('=')?.0.trim().trim_matches('"').to_string()))
        .filter(|name| name != "default")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_from_their_section_only() {
        let manifest = "[package]\nname = \"x\"\n\n[features]\ndefault = []\nnames = []\n# why\nall = [\n  \"names\",\n]\n\n[dependencies]\ncrc = \"3\"\n";
        assert_eq!(features(manifest), ["names", "all"]);
    }

    #[test]
    fn every_library_has_a_manifest_with_features() {
        for library in libraries() {
            assert!(!library.features.is_empty(), "{}", library.package);
        }
    }
}
