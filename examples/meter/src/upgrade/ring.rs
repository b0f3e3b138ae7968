//! The keys that `meter upgrade send` seals commands with, and the numbers it has used. No key is ever printed.

use std::collections::HashMap;
use std::io::Write as _;

use upgrade_proto::package::Address;
use upgrade_proto::security::cmac;
use upgrade_proto::sender::{KeyRing, Whose};

use super::{keys, pack};

/// Meters' keys by address, and the group's.
pub struct Ring {
    meters: HashMap<[u8; 6], [u8; 16]>,
    group: Option<[u8; 16]>,
}

impl KeyRing for Ring {
    fn mac(&mut self, whose: Whose, parts: &[&[u8]]) -> Option<[u8; 16]> {
        let key = match whose {
            Whose::Meter(address) => self.meters.get(&address.0)?,
            Whose::Group => self.group.as_ref()?,
        };
        Some(cmac(key, parts))
    }

    fn has_group(&self) -> bool {
        self.group.is_some()
    }
}

impl Ring {
    /// Lines, or parts between `;`, of `address = key` or `group = key`; what stands after `#` is a remark.
    fn parse(text: &str) -> Result<Ring, String> {
        let mut ring = Ring { meters: HashMap::new(), group: None };
        for (number, line) in text.lines().flat_map(|line| line.split(';')).enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            // Not what stands there: it may be a key.
            let wrong = |what| format!("keys, entry {}: {what}", number + 1);
            let (name, key) = line.split_once('=').ok_or_else(|| wrong("no `=`"))?;
            let key = keys::hex(key.trim()).ok_or_else(|| wrong("a key is 32 hex digits"))?;
            let known = match name.trim() {
                "group" => ring.group.replace(key).is_some(),
                name => {
                    let address = pack::address(name).map_err(|_| wrong("neither an address nor `group`"))?;
                    ring.meters.insert(address.0, key).is_some()
                }
            };
            if known {
                return Err(wrong("a second key"));
            }
        }
        Ok(ring)
    }

    /// Whether each of the meters has a key.
    pub fn covers(&self, meters: &[Address]) -> Result<(), String> {
        match meters.iter().find(|meter| !self.meters.contains_key(&meter.0)) {
            Some(meter) => Err(format!("no key for {meter}")),
            None => Ok(()),
        }
    }
}

/// The ring in a file, or in the environment; `None` where neither is given.
pub fn load(path: Option<&str>) -> Result<Option<Ring>, String> {
    let text = match path {
        Some(path) => std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?,
        None => match std::env::var("METER_UPGRADE_KEYS") {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(_) => return Err("METER_UPGRADE_KEYS is no text".into()),
        },
    };
    Ring::parse(&text).map(Some)
}

/// How far ahead numbers are kept: that many are lost when the program is ended.
const AHEAD: u32 = 256;

/// The numbers that may have been used, in a file.
pub struct Numbers {
    path: String,
    kept: u32,
}

impl Numbers {
    /// A file that is not there yet is made with the first number.
    pub fn open(path: &str) -> Result<Numbers, String> {
        let kept = match std::fs::read_to_string(path) {
            Ok(text) => text.trim().parse().map_err(|_| format!("{path}: not a number"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
            Err(error) => return Err(format!("{path}: {error}")),
        };
        Ok(Numbers { path: path.into(), kept })
    }

    /// The last number that may have been used.
    pub fn last(&self) -> u32 {
        self.kept
    }

    /// Makes sure that a number is not used again by whoever opens the file next.
    pub fn use_up_to(&mut self, number: u32) -> Result<(), String> {
        if number <= self.kept {
            return Ok(());
        }
        let kept = number.saturating_add(AHEAD);
        // The old file stays until the new one is whole.
        let fresh = format!("{}.new", self.path);
        let written = std::fs::File::create(&fresh)
            .and_then(|mut file| writeln!(file, "{kept}").and_then(|()| file.sync_all()))
            .and_then(|()| std::fs::rename(&fresh, &self.path));
        written.map_err(|error| format!("{}: {error}", self.path))?;
        self.kept = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_read_and_mistakes_do_not_show_keys() {
        let key = "000102030405060708090a0b0c0d0e0f";
        let text = format!("# keys\n000000000001 = {key}; 02={key} # the second\n\ngroup = {key}\n");
        let ring = Ring::parse(&text).unwrap();
        assert!(ring.has_group());
        let address = |last| Address([0, 0, 0, 0, 0, last]);
        assert_eq!(ring.covers(&[address(1), address(2)]), Ok(()));
        assert!(ring.covers(&[address(1), address(3)]).is_err());
        for wrong in [key.to_string(), format!("01={key}ff"), format!("x={key}"), format!("1={key};1={key}")]
        {
            let said = Ring::parse(&wrong).err().unwrap();
            assert!(!said.contains("0405"), "{said}");
        }
    }

    #[test]
    fn numbers_are_never_used_again() {
        let path = std::env::temp_dir().join(format!("meter-numbers-{}", std::process::id()));
        let path = path.to_string_lossy().into_owned();
        let _ = std::fs::remove_file(&path);
        let mut first = Numbers::open(&path).unwrap();
        for number in 1..1000 {
            first.use_up_to(number).unwrap();
            assert!(Numbers::open(&path).unwrap().last() >= number);
        }
        std::fs::write(&path, "no number").unwrap();
        assert!(Numbers::open(&path).is_err());
        std::fs::remove_file(&path).unwrap();
    }
}
