//! Passwords and operator codes from the command line, the environment or a file. They are never printed.

use clap::Args;
use dlt645::{Access, Password};
use std::fs;
use std::path::PathBuf;

#[derive(Args)]
pub struct Secrets {
    /// Level and six digits, as 02:123456. Others on the machine can see it here: METER_DLT645_PASSWORD or
    /// --password-file hide it.
    #[arg(long, value_name = "LEVEL:DIGITS", env = "METER_DLT645_PASSWORD", hide_env_values = true)]
    password: Option<String>,

    /// Operator code that the meter records (2007): 8 hex digits, C0 first.
    #[arg(long, value_name = "HEX", env = "METER_DLT645_OPERATOR", hide_env_values = true)]
    operator: Option<String>,

    /// File whose first line is the password, and its second, if any, the operator code.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["password", "operator"])]
    password_file: Option<PathBuf>,
}

impl Secrets {
    pub fn access(&self) -> Result<Access, String> {
        let (text, operator) = match &self.password_file {
            None => (self.password.clone(), self.operator.clone()),
            Some(path) => {
                let text =
                    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
                let mut lines = text.lines().map(|line| line.trim().to_owned());
                (lines.next(), lines.next().filter(|line| !line.is_empty()))
            }
        };
        let text =
            text.ok_or("a password is needed: --password, METER_DLT645_PASSWORD or --password-file")?;
        let operator = match operator {
            None => [0; 4],
            Some(text) => {
                pairs(&text, 16).ok_or("the operator code is 8 hex digits; it is not shown here")?
            }
        };
        Ok(Access { password: password(&text)?, operator })
    }
}

/// `02:123456`; an error does not quote it.
pub fn password(text: &str) -> Result<Password, String> {
    let read = || {
        let (level, digits) = text.trim().split_once(':')?;
        let [level] = pairs::<1>(level, 16)?;
        let [p2, p1, p0] = pairs::<3>(digits, 10)?;
        Some(Password { level, digits: [p0, p1, p2] })
    };
    read().ok_or_else(|| "a password is LEVEL:DIGITS, as 02:123456; it is not shown here".to_owned())
}

/// `N` octets from pairs of digits, which are below `radix`.
fn pairs<const N: usize>(text: &str, radix: u32) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let mut octets = [0; N];
    for (at, octet) in octets.iter_mut().enumerate() {
        *octet = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_sent_low_pair_first() {
        assert_eq!(password("02:123456"), Ok(Password { level: 2, digits: [0x56, 0x34, 0x12] }));
        for wrong in ["987654", "2:987654", "02:98765A", "02:98765", "02:98765é"] {
            let error = password(wrong).unwrap_err();
            assert!(!error.contains(wrong), "{error}");
        }
    }
}
