//! `meter decode` on a source that goes on: each message as it comes, and the connection opened again.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Ended with the test, whatever becomes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn sample() -> Vec<u8> {
    let text = include_str!("../samples/han.hex");
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    let octet = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    (0..digits.len()).step_by(2).map(octet).collect()
}

#[test]
fn messages_come_as_they_are_sent_and_a_lost_connection_is_opened_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp:{}", listener.local_addr().unwrap());
    let mut child = Running(
        Command::new(env!("CARGO_BIN_EXE_meter"))
            .args(["decode", "--format", "json", &source])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut next = || lines.next().unwrap().unwrap();
    let octets = sample();

    let (mut port, _) = listener.accept().unwrap();
    // Flag, 42 octets of the first frame, flag; the second frame comes in two parts.
    port.write_all(&octets[..44]).unwrap();
    assert!(next().contains("\"value\":1273,\"unit\":\"W\""));
    port.write_all(&octets[44..100]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    port.write_all(&octets[100..331]).unwrap();
    assert!(next().contains("\"value\":231.4,\"unit\":\"V\""));
    // A frame cut by the end of the connection is lost, the one after it is not.
    port.write_all(&octets[331..400]).unwrap();
    drop(port);

    let (mut port, _) = listener.accept().unwrap();
    port.write_all(&octets).unwrap();
    assert!(next().contains("\"value\":1273,"));
    assert!(next().contains("\"value\":1292,"));
    assert!(next().contains("\"time\":\"2026-11-20T18:00:00\""));
}

/// Ciphering is complete a few octets before the frame around it: no reason to take it for an encrypted telegram.
#[test]
fn an_encrypted_frame_that_comes_octet_by_octet_is_still_a_frame() {
    // general-glo-ciphering in a UI frame; the key is that of nobody.
    let apdu = "db084d5452303030303119300000000100112233445566778899aabbccddeeff00112233";
    let mut information = vec![0xE6, 0xE7, 0x00];
    information
        .extend((0..apdu.len()).step_by(2).map(|at| u8::from_str_radix(&apdu[at..at + 2], 16).unwrap()));
    let address = |octets: &[u8]| dlms_hdlc::Address::parse(octets).unwrap().0;
    let builder = dlms_hdlc::Builder {
        segmented: false,
        destination: address(&[0x41]),
        source: address(&[0x03]),
        control: dlms_hdlc::Control::UI,
        information: &information,
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let source = format!("tcp:{}", listener.local_addr().unwrap());
    let mut child = Running(
        Command::new(env!("CARGO_BIN_EXE_meter"))
            .args(["decode", "--format", "json", &source])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let (mut port, _) = listener.accept().unwrap();
    port.set_nodelay(true).unwrap();
    for octet in [0x7E].into_iter().chain(builder.octets()).chain([0x7E]) {
        port.write_all(&[octet]).unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
    let line = BufReader::new(child.0.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert!(line.starts_with("{\"protocol\":\"hdlc\""), "{line}");
}

#[test]
fn a_port_that_is_not_there_is_a_matter_of_usage() {
    for source in ["serial:/dev/no-such-port", "tcp:127.0.0.1:1", "no-such-file"] {
        let output = Command::new(env!("CARGO_BIN_EXE_meter")).args(["decode", source]).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{source}");
        assert!(!output.stderr.is_empty());
    }
}
