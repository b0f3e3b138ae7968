//! Keys from the command line, the environment or a file. They are never printed.

use crate::args;
use obis::apdu::Key;
use std::fs;

#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub encryption: Option<Key>,
    pub authentication: Option<Key>,
    pub system_title: Option<[u8; 8]>,
}

impl Keys {
    pub fn read(args: &args::Keys) -> Result<Self, String> {
        let mut keys = Self::read_keys(args)?;
        if let Some(text) = &args.system_title {
            let title = octets(text).and_then(|octets| octets.try_into().ok());
            keys.system_title = Some(title.ok_or("system title: expected 16 hex digits")?);
        }
        Ok(keys)
    }

    fn read_keys(args: &args::Keys) -> Result<Self, String> {
        if let Some(path) = &args.key_file {
            // The file's text may be a key: an error never quotes it.
            let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let mut lines =
                text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            let encryption = lines.next().ok_or_else(|| format!("{}: no key in it", path.display()))?;
            return Self::from_text(Some(encryption), lines.next());
        }
        Self::from_text(args.key.as_deref(), args.auth_key.as_deref())
    }

    fn from_text(encryption: Option<&str>, authentication: Option<&str>) -> Result<Self, String> {
        let encryption = encryption.map(|text| key("encryption key", text)).transpose()?;
        let authentication = authentication.map(|text| key("authentication key", text)).transpose()?;
        if encryption.is_none() && authentication.is_some() {
            return Err("an authentication key without an encryption key decrypts nothing".into());
        }
        Ok(Self { encryption, authentication, system_title: None })
    }
}

fn key(what: &str, text: &str) -> Result<Key, String> {
    let key = octets(text).and_then(|octets| Key::from_slice(&octets));
    key.ok_or_else(|| format!("{what}: expected 32 or 64 hex digits"))
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: char| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let digits: Vec<u8> = text.trim().chars().map(digit).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_both_lengths_and_nothing_else() {
        assert!(key("k", &"0f".repeat(16)).is_ok());
        assert!(key("k", &format!(" {}\n", "0F".repeat(32))).is_ok());
        for wrong in ["", "0f", &"0g".repeat(16), &"0f".repeat(24), &"f".repeat(31), &"é".repeat(16)] {
            assert!(key("k", wrong).unwrap_err().starts_with("k: expected"));
        }
        assert!(Keys::from_text(None, Some(&"0f".repeat(16))).is_err());
    }
}
