//! `meter decode` on DLMS notifications that need to be told something.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

struct Input(PathBuf);

impl Input {
    fn new(name: &str, octets: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("meter-{name}-{}.bin", std::process::id()));
        fs::write(&path, octets).unwrap();
        Self(path)
    }

    fn decode(&self, protocol: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meter"));
        command.args(["decode", "--protocol", protocol, "--format", "json"]).args(arguments).arg(&self.0);
        command.env_remove("METER_KEY").env_remove("METER_AUTH_KEY").output().unwrap()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn text(octets: Vec<u8>) -> String {
    String::from_utf8(octets).unwrap()
}

#[test]
fn the_unit_of_energies_of_a_kamstrup_list_without_a_type_can_be_given() {
    let mut octets = vec![0x0F, 0, 0, 0, 0, 0, 0x02, 3, 0x0A, 14];
    octets.extend(b"Kamstrup_V9999");
    octets.extend([0x09, 6, 1, 1, 1, 8, 0, 0xFF, 0x06, 0, 0, 0, 123]);
    let input = Input::new("kamstrup", &octets);
    for (arguments, value) in [
        (&[][..], "\"value\":123}"),
        (&["--energy-unit", "1"], "\"value\":123,\"unit\":\"Wh\"}"),
        (&["--energy-unit", "10"], "\"value\":1230,\"unit\":\"Wh\"}"),
    ] {
        let output = input.decode("apdu", arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(output.stderr));
        let json = text(output.stdout);
        assert!(json.contains("\"list\":\"Kamstrup\"") && json.contains(value), "{json}");
    }
    assert_eq!(input.decode("apdu", &["--energy-unit", "100"]).status.code(), Some(2));
}

#[test]
fn what_is_encrypted_and_cannot_be_opened_is_no_success() {
    // A wrapper header; general-glo-ciphering, system title, length, security control, invocation counter, ciphertext.
    let message = |title: u8| {
        let mut octets = vec![0, 1, 0, 1, 0, 1, 0, 26];
        octets.extend([0xDB, 8, b'M', b'T', b'R', 0, 0, 0, 0, title, 15, 0x20, 0, 0, 0, 1]);
        octets.extend([0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x00, 0x11, 0x22, 0x33]);
        octets
    };
    let input = Input::new("encrypted", &[message(1), message(1), message(2)].concat());
    let output = input.decode("wrapper", &[]);
    assert_eq!(output.status.code(), Some(1));
    let json = text(output.stdout);
    assert_eq!(json.matches("\"encrypted\":\"no key\"").count(), 3, "{json}");
    // Each sender once, then how many messages.
    let told = text(output.stderr);
    assert_eq!(told.matches("no key given").count(), 2, "{told}");
    assert!(told.contains("3 messages not opened for want of a key"), "{told}");
}
