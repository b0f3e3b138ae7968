//! The P1 reader, from telegrams to the octets of a request.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use logic::config::Config;
use logic::p1::{PATIENCE, Post, Reader, Reading};
use logic::vectors::DSMR;

/// The first telegram of the vector is good, the second damaged.
const TELEGRAM: usize = 662;

const JSON: &str = r#"{"meter":"4530303030303030303030303030303031","time":"2026-11-20T18:15:30+01:00","import_t1_kwh":4217.385,"import_t2_kwh":3981.006,"export_t1_kwh":102.870,"export_t2_kwh":241.553,"import_kw":0.412,"export_kw":0.000,"voltage_l1_v":231.4,"current_l1_a":2,"gas_m3":1844.512,"gas_time":"2026-11-20T18:15:00+01:00"}"#;

fn json(reading: &Reading) -> String {
    let mut text = Vec::new();
    reading.json(&mut |octet| text.push(octet));
    String::from_utf8(text).unwrap()
}

#[test]
fn a_telegram_becomes_one_json_object() {
    for chunk in [1, 7, 64, TELEGRAM] {
        let mut reader = Reader::new(60, 0);
        DSMR.octets[..TELEGRAM].chunks(chunk).for_each(|octets| reader.handle_octets(octets));
        assert_eq!(json(&reader.poll_post().unwrap()), JSON);
        assert!(reader.poll_post().is_none());
    }
}

#[test]
fn the_request_names_the_length_of_its_body_and_the_key() {
    let mut reader = Reader::new(60, 0);
    reader.handle_octets(&DSMR.octets[..TELEGRAM]);
    let reading = reader.poll_post().unwrap();
    let config = Config::parse(b"server=192.0.2.7\nport=8080\nuri=/meter\nkey=k1").unwrap();
    let mut text = Vec::new();
    Post { config: &config, reading: &reading }.write(&mut |octet| text.push(octet));
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body, JSON);
    assert_eq!(
        head,
        format!(
            "POST /meter HTTP/1.1\r\nHost: 192.0.2.7:8080\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nX-Api-Key: k1\r\nConnection: close",
            JSON.len()
        )
    );
}

#[test]
fn the_meter_is_asked_until_a_telegram_is_whole_and_then_left_alone() {
    let mut reader = Reader::new(60, 0);
    assert!(reader.asks());
    // Damaged: it is asked on.
    reader.handle_octets(&DSMR.octets[TELEGRAM..2 * TELEGRAM]);
    assert!(reader.asks() && reader.poll_post().is_none());
    reader.handle_octets(&DSMR.octets[..TELEGRAM]);
    assert!(!reader.asks() && reader.poll_post().is_some());
    // What a meter sends on is not looked at.
    reader.handle_octets(&DSMR.octets[..TELEGRAM]);
    assert!(reader.poll_post().is_none());
    reader.handle_time(59_999);
    assert!(!reader.asks());
    reader.handle_time(60_000);
    assert!(reader.asks());
    reader.handle_octets(&DSMR.octets[..TELEGRAM]);
    assert!(reader.poll_post().is_some());
}

#[test]
fn a_silent_meter_is_left_alone_until_the_next_period() {
    let start = u32::MAX - 1000;
    let mut reader = Reader::new(60, start);
    reader.handle_time(start.wrapping_add(PATIENCE - 1));
    assert!(reader.asks());
    reader.handle_time(start.wrapping_add(PATIENCE));
    assert!(!reader.asks());
    reader.handle_time(start.wrapping_add(60_500));
    assert!(reader.asks());
    // The beat is kept: the third period begins at 120,000.
    reader.handle_time(start.wrapping_add(60_500 + PATIENCE));
    reader.handle_time(start.wrapping_add(119_999));
    assert!(!reader.asks());
    reader.handle_time(start.wrapping_add(120_000));
    assert!(reader.asks());
}

#[test]
fn what_a_telegram_does_not_say_is_left_out() {
    assert_eq!(json(&Reading::new()), "{}");
    let mut reader = Reader::new(60, 0);
    reader.handle_octets(b"/ABC5X\r\n\r\n0-0:96.1.1(4\"2)\r\n1-0:1.7.0(412*W)\r\n1-0:99.9.9(1)\r\n!\r\n");
    assert_eq!(json(&reader.poll_post().unwrap()), r#"{"meter":"4\"2","import_kw":0.412}"#);
}

#[test]
fn answers_are_told_by_their_first_line() {
    assert_eq!(Post::answered(b"HTTP/1.1 20"), None);
    assert_eq!(Post::answered(b"HTTP/1.1 204 No Content\r\n"), Some(true));
    assert_eq!(Post::answered(b"HTTP/1.1 500 Oops\r\n"), Some(false));
    assert_eq!(Post::answered(b"SSH-2.0-OpenSSH_9.2"), Some(false));
}
