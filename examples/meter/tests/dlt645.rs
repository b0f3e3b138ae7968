//! `meter dlt645`, `meter simulate dlt645` and `meter decode --protocol dlt645`, as processes on real lines.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const ADDRESS: &str = "202601020304";

fn meter() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meter"));
    for name in ["METER_DLT645_PASSWORD", "METER_DLT645_OPERATOR", "METER_DLT645_NEW_PASSWORD"] {
        command.env_remove(name);
    }
    command
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A simulated meter that ends with the test.
struct Simulated {
    child: Child,
    port: String,
}

impl Simulated {
    fn start(port: &str, arguments: &[&str]) -> Self {
        let mut command = meter();
        command.args(["simulate", "dlt645", "--port", port, "--time", "2026-11-20T10:00:00"]);
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let kind = if port == "pty" { "pty" } else { "tcp" };
        assert!(!line.trim().is_empty(), "the simulator says where it is");
        Self { child, port: format!("{kind}:{}", line.trim()) }
    }

    /// `meter dlt645 ACTION --port … ARGUMENTS`; status and standard output.
    fn ask(&self, action: &str, arguments: &[&str]) -> (Option<i32>, String) {
        let output = self.run(action, arguments);
        (output.status.code(), text(&output.stdout))
    }

    fn run(&self, action: &str, arguments: &[&str]) -> Output {
        let mut command = meter();
        command.args(["dlt645", action, "--port", &self.port, "--format", "json"]).args(arguments);
        command.output().unwrap()
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The numbers called `value` in JSON output.
fn values(json: &str) -> Vec<f64> {
    json.split("\"value\":").skip(1).filter_map(|rest| rest.split([',', '}']).next()?.parse().ok()).collect()
}

fn lines() -> Vec<&'static str> {
    if cfg!(unix) { vec!["pty", "tcp:127.0.0.1:0"] } else { vec!["tcp:127.0.0.1:0"] }
}

#[test]
fn a_meter_is_read_on_every_line_in_both_editions() {
    for port in lines() {
        let simulated = Simulated::start(port, &[]);
        let of2007 = ["--address", ADDRESS, "--di", "00010000,0001FF00,0203FF00,04000101"];
        let (status, json) = simulated.ask("read", &of2007);
        assert_eq!(status, Some(0), "{port}: {json}");
        let lines: Vec<_> = json.lines().collect();
        let head = "{\"protocol\":\"dlt645\",\"check\":\"ok\",\"address\":\"202601020304\",\"control\":\"91\",\
                    \"direction\":\"reply\",\"identifier\":\"00010000\",";
        assert!(lines[0].starts_with(head), "{json}");
        assert!(lines[0].contains("\"obis\":\"1-0:1.8.0*255\"") && lines[0].contains("\"unit\":\"kWh\""));
        let total = values(lines[0])[0];
        assert!(total > 1000.0);
        let block = values(lines[1]);
        assert_eq!(block.len(), 5, "total and four rates");
        assert!((block[0] - block[1..].iter().sum::<f64>()).abs() < 0.001, "{block:?}");
        let powers = values(lines[2]);
        assert!(powers[3] < 0.0 && (powers[0] - powers[1..].iter().sum::<f64>()).abs() < 0.001, "{powers:?}");
        assert!(lines[3].contains("\"value\":\"2026-11-20\"") && lines[3].contains("\"value\":5"), "{json}");

        let of1997 = ["--dlt645-version", "1997", "--address", ADDRESS, "--di", "9010,901F,B611"];
        let (status, json) = simulated.ask("read", &of1997);
        assert_eq!(status, Some(0), "{port}: {json}");
        let lines: Vec<_> = json.lines().collect();
        assert!(lines[0].contains("\"control\":\"81\"") && values(lines[0])[0] >= total, "{json}");
        assert_eq!(values(lines[1]).len(), 5);
        assert!((200.0..240.0).contains(&values(lines[2])[0]));
    }
}

#[test]
fn editions_are_found_out() {
    for (edition, di) in [("1997", "9010"), ("2007", "00010000")] {
        let simulated = Simulated::start("tcp:127.0.0.1:0", &["--dlt645-version", edition]);
        let quick = ["--dlt645-version", "auto", "--timeout", "300", "--retries", "0", "--di", di];
        let (status, json) = simulated.ask("read", &quick);
        assert_eq!((status, values(&json).len()), (Some(0), 1), "{json}");
        let other = if edition == "1997" { "2007" } else { "1997" };
        let (status, json) = simulated.ask("discover", &["--window", "200"]);
        assert_eq!(status, Some(0));
        assert!(json.contains(ADDRESS) && json.contains(&format!("\"version\":\"{edition}\"")), "{json}");
        assert!(!json.contains(&format!("\"version\":\"{other}\"")), "{json}");
    }
}

#[test]
fn a_meter_of_both_editions_is_discovered_in_both() {
    for port in lines() {
        let simulated = Simulated::start(port, &[]);
        let (status, json) = simulated.ask("discover", &["--window", "200", "--all"]);
        assert_eq!((status, json.lines().count()), (Some(0), 2), "{json}");
        assert!(json.lines().all(|line| line.contains(ADDRESS)), "{json}");
        let (status, json) = simulated.ask("address", &[]);
        assert_eq!(status, Some(0));
        assert!(json.contains("\"name\":\"communication address\",\"value\":\"202601020304\""), "{json}");
    }
}

#[test]
fn the_time_is_set_with_a_password_and_by_broadcast() {
    for (edition, di) in [("2007", "04000101,04000102"), ("1997", "C010,C011")] {
        let simulated = Simulated::start("tcp:127.0.0.1:0", &[]);
        let line = ["--dlt645-version", edition, "--address", ADDRESS];
        let set = |password: &str| {
            let mut command = meter();
            command.args(["dlt645", "set-time", "--port", &simulated.port, "--format", "json"]);
            command.args(line).args(["--time", "2027-02-03T04:05:06"]);
            command.env("METER_DLT645_PASSWORD", password).output().unwrap()
        };
        let wrong = set("02:314159");
        assert_eq!(wrong.status.code(), Some(1));
        assert!(text(&wrong.stdout).contains("\"error\":\"ERR 04: wrong password or no authority\""));
        for output in [&wrong.stdout, &wrong.stderr] {
            assert!(!text(output).contains("314159"), "a password is never printed");
        }
        let right = set("02:000000");
        assert_eq!(right.status.code(), Some(0), "{}", text(&right.stderr));
        let (_, json) = simulated.ask("read", &[&line[..], &["--di", di]].concat());
        assert!(json.contains("\"value\":\"2027-02-03\"") && json.contains("\"value\":\"04:05:"), "{json}");

        // Two minutes off is taken, once a day; nobody answers.
        let (status, json) = simulated.ask("set-time", &["--broadcast", "--time", "2027-02-03T04:07:00"]);
        assert_eq!(status, Some(0));
        assert!(json.contains("\"direction\":\"request\",\"service\":\"broadcast time\""), "{json}");
        let (_, json) = simulated.ask("read", &["--di", "04000102"]);
        assert!(json.contains("\"value\":\"04:07:"), "{json}");
    }
}

#[test]
fn long_answers_come_in_follow_up_frames() {
    for port in lines() {
        // As a half-duplex adapter, and with short frames.
        let simulated = Simulated::start(port, &["--max-data", "60", "--echo"]);
        assert_eq!(simulated.ask("freeze", &["--address", ADDRESS]).0, Some(0));
        let (status, json) = simulated.ask("read", &["--address", ADDRESS, "--di", "0501FF01"]);
        assert_eq!(status, Some(0), "{json}");
        // Time, 8 energies of 5 values, 2 demands of 5, 8 powers, in 281 octets by 55.
        assert_eq!(json.matches("\"name\":").count() - 1, 1 + 40 + 10 + 8, "{json}");
        assert!(
            json.contains("\"frames\":\"6\"") && json.contains("\"value\":\"2026-11-20T10:00\""),
            "{json}"
        );
        assert!(json.contains("forward active energy, rate 4\",\"value\":"), "{json}");

        let newest = ["--address", ADDRESS, "--di", "06000002", "--records", "3"];
        let (status, json) = simulated.ask("read", &newest);
        assert_eq!(status, Some(0), "{json}");
        for time in ["2026-11-20T09:30", "2026-11-20T09:45", "2026-11-20T10:00"] {
            assert_eq!(
                json.matches(&format!("\"time\":\"{time}\"")).count(),
                7 + 8 + 4 + 4 + 4 + 2,
                "{json}"
            );
        }
        let since = ["--di", "06010001", "--records", "1", "--since", "2026-11-01T00:05"];
        let (_, json) = simulated.ask("read", &since);
        assert_eq!(json.matches("\"time\":\"2026-11-01T00:15\"").count(), 7, "{json}");

        let (status, json) = simulated.ask("read", &["--dlt645-version", "1997", "--di", "901F"]);
        assert_eq!((status, values(&json).len()), (Some(0), 5), "{json}");
        // Cut off: what is there is shown, and told to be part of it.
        let cut = simulated.run("read", &["--di", "0501FF01", "--max-frames", "2"]);
        assert_eq!(cut.status.code(), Some(1));
        assert!(text(&cut.stderr).contains("cut short"), "{}", text(&cut.stderr));
    }
}

#[test]
fn refusals_and_silence_are_failures() {
    let simulated = Simulated::start("tcp:127.0.0.1:0", &[]);
    let (status, json) = simulated.ask("read", &["--di", "00FE0000,00010000"]);
    assert_eq!(status, Some(1));
    assert!(
        json.contains("\"control\":\"D1\"") && json.contains("\"error\":\"ERR 02: no such data\""),
        "{json}"
    );
    assert_eq!(values(&json).len(), 1, "one refusal does not cost the next value: {json}");
    let (status, json) = simulated.ask("read", &["--dlt645-version", "1997", "--di", "9FFF"]);
    assert_eq!(status, Some(1));
    assert!(json.contains("\"error\":\"ERR 02: wrong data identifier\""), "{json}");
    let quick = ["--address", "1", "--timeout", "100", "--retries", "1", "--di", "00010000"];
    let silent = simulated.run("read", &quick);
    assert_eq!((silent.status.code(), text(&silent.stdout)), (Some(1), String::new()));
    assert!(text(&silent.stderr).contains("no reply"));
    // Usage: an identifier of the other edition, no password, no whole address, no such port.
    assert_eq!(simulated.ask("read", &["--di", "9010"]).0, Some(2));
    assert_eq!(simulated.ask("clear-demand", &["--address", ADDRESS]).0, Some(2));
    assert_eq!(simulated.ask("clear-meter", &["--password", "02:000000"]).0, Some(2));
    let nowhere = ["dlt645", "read", "--port", "/dev/no-such-port", "--di", "00010000"];
    assert_eq!(meter().args(nowhere).output().unwrap().status.code(), Some(2));
}

#[test]
fn what_is_changed_shows() {
    let simulated = Simulated::start("tcp:127.0.0.1:0", &[]);
    let access = ["--address", ADDRESS, "--password", "02:000000"];
    let ask = |action: &str, arguments: &[&str]| {
        let (status, json) = simulated.ask(action, &[&access[..], arguments].concat());
        assert_eq!(status, Some(0), "{action}: {json}");
    };
    let read = |di: &str| simulated.ask("read", &["--di", di]).1;
    ask("write", &["--di", "04000E03", "--value", "253.5", "--operator", "11223344"]);
    assert_eq!(values(&read("04000E03")), [253.5]);
    assert!(read("03300001").contains("\"value\":\"11223344\""));
    ask("relay", &["trip", "--until", "2026-11-20T11:00:00"]);
    assert!(read("04000503").contains("\"value\":\"0000000000010000\""));
    assert_eq!(values(&read("02030000")), [0.0]);
    ask("relay", &["close", "--until", "2026-11-20T11:00:00"]);
    assert!(values(&read("02030000"))[0] > 0.0);
    assert!(values(&read("01010000"))[0] > 0.0);
    ask("clear-demand", &[]);
    assert!(read("01010000").contains("\"value\":0.0000,\"unit\":\"kW\"}"));
    ask("clear-meter", &[]);
    assert!(values(&read("00010000"))[0] < 1.0);
    let line = ["--address", ADDRESS];
    let daily = simulated.ask("freeze", &[&line[..], &["--at", "99990730"]].concat());
    assert_eq!(daily.0, Some(0));
    assert!(read("05000001").contains("\"value\":\"2026-11-20T07:30\""));
    assert_eq!(simulated.ask("terminal", &[&line[..], &["demand"]].concat()).0, Some(0));
    assert_eq!(simulated.ask("set-rate", &[&line[..], &["--rate", "9600"]].concat()).0, Some(0));
    let renamed = simulated.ask("write-address", &[&line[..], &["--new", "77"]].concat());
    assert_eq!(renamed.0, Some(0), "{}", renamed.1);
    assert!(renamed.1.contains("\"address\":\"000000000077\""), "{}", renamed.1);
    for edition in [["2007", "00010000"], ["1997", "9010"]] {
        let (status, json) =
            simulated.ask("read", &["--dlt645-version", edition[0], "--address", "77", "--di", edition[1]]);
        assert_eq!(status, Some(0), "{json}");
    }
}

#[test]
fn energies_grow() {
    let simulated = Simulated::start("tcp:127.0.0.1:0", &["--speed", "3600"]);
    let read = || values(&simulated.ask("read", &["--di", "00000000"]).1)[0];
    let first = read();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(read() > first);
}

fn decode(hex: &str, arguments: &[&str]) -> Output {
    let mut command = meter();
    command.args(["decode", "--format", "json"]).args(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(hex.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn frames_are_recognised_and_shown_as_documented() {
    // Made here: 11H reply of 1.23 kWh, two wake-up octets before it.
    let frame = "FE FE 68 04 03 02 01 26 20 68 91 08 33 33 34 33 56 34 33 33";
    let octets: Vec<u8> =
        frame.split(' ').skip(2).map(|octet| u8::from_str_radix(octet, 16).unwrap()).collect();
    let sum = octets.iter().fold(0_u8, |sum, octet| sum.wrapping_add(*octet));
    let hex = format!("{frame} {sum:02X} 16");
    let expected = "{\"protocol\":\"dlt645\",\"check\":\"ok\",\"address\":\"202601020304\",\"control\":\"91\",\
                    \"direction\":\"reply\",\"identifier\":\"00010000\",\
                    \"name\":\"forward active energy, total, current\",\"service\":\"read\",\
                    \"objects\":[{\"obis\":\"1-0:1.8.0*255\",\
                    \"name\":\"forward active energy, total, current\",\"value\":1.23,\"unit\":\"kWh\"}]}\n";
    for arguments in [&[][..], &["--protocol", "dlt645"]] {
        let output = decode(&hex, arguments);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), expected.to_owned()));
    }
    let wrong = decode(&hex.replace("56 34", "57 34"), &["--protocol", "dlt645"]);
    assert_eq!((wrong.status.code(), text(&wrong.stdout)), (Some(1), String::new()));
    assert!(text(&wrong.stderr).contains("wrong check sum"));
}

/// A frame of the simulated meter's address with these data.
fn frame(control: u8, data: &[u8]) -> String {
    let mut octets = vec![0x68, 0x04, 0x03, 0x02, 0x01, 0x26, 0x20, 0x68, control];
    octets.push(u8::try_from(data.len()).unwrap());
    octets.extend(data.iter().map(|octet| octet.wrapping_add(0x33)));
    octets.push(octets.iter().fold(0, |sum: u8, octet| sum.wrapping_add(*octet)));
    octets.push(0x16);
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn a_block_in_several_frames_is_read_as_one() {
    let first = frame(0xB1, &[0x00, 0xFF, 0x01, 0x00, 0x10, 0, 0, 0, 0x20, 0, 0, 0]);
    let next = frame(0x92, &[0x00, 0xFF, 0x01, 0x00, 0x30, 0, 0, 0, 1]);
    let asked = frame(0x12, &[0x00, 0xFF, 0x01, 0x00, 1]);
    // With the request between, and with repetitions.
    for order in [vec![&first, &next], vec![&first, &asked, &next], vec![&first, &first, &asked, &next]] {
        let text_of: String = order.into_iter().map(String::as_str).collect();
        let output = decode(&text_of, &["--protocol", "dlt645"]);
        let json = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let reply = json.lines().last().unwrap();
        assert!(reply.contains("\"frames\":\"2\"") && reply.contains("\"obis\":\"1-0:1.8.2*255\""), "{json}");
        assert_eq!(values(reply), [0.1, 0.2, 0.3]);
    }
    // Without its beginning a part does not say whose values it holds.
    let output = decode(&next, &["--protocol", "dlt645"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("\"objects\":[{\"raw\":\"30000000\"}]"));
    // Without its end, or with a hole in it, it is told to be cut.
    let later = frame(0x92, &[0x00, 0xFF, 0x01, 0x00, 0x30, 0, 0, 0, 2]);
    for hex in [first.clone(), format!("{first}{later}")] {
        let output = decode(&hex, &["--protocol", "dlt645"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(values(&text(&output.stdout)), [0.1, 0.2], "{}", text(&output.stdout));
        assert!(text(&output.stderr).contains("cut short"));
    }
}

/// The columns of a line of CSV.
fn columns(line: &str) -> Vec<String> {
    let (mut columns, mut quoted) = (vec![String::new()], false);
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                columns.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => columns.push(String::new()),
            character => columns.last_mut().unwrap().push(character),
        }
    }
    columns
}

/// What `expected` says, looked for in the JSON of the frame.
fn agrees(json: &str, row: &[String]) -> bool {
    let expected = row[7].split(" addr=").next().unwrap();
    let words: Vec<&str> = expected.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let quoted = |text: &str| json.contains(&format!("\"value\":\"{text}\""));
    let pairs = |words: &[&str]| {
        let unit = words.last().unwrap();
        let numbers: Vec<&&str> = words.iter().filter(|word| word.parse::<f64>().is_ok()).collect();
        let found: Vec<&str> = json
            .split("\"value\":")
            .skip(1)
            .filter_map(|rest| rest.strip_suffix("}]}\n").or(Some(rest))?.split([',', '}']).next())
            .collect();
        let units = json.matches(&format!("\"unit\":\"{unit}\"")).count();
        !numbers.is_empty()
            && found == numbers.into_iter().copied().collect::<Vec<_>>()
            && (units == found.len() || unit.parse::<f64>().is_ok())
    };
    match expected {
        "wildcard" => json.contains("\"service\":\"read address\""),
        text if text.starts_with("di=") => words.iter().all(|word| {
            let (key, value) = word.split_once('=').unwrap();
            match key {
                "di" => json.contains(&format!("\"identifier\":\"{value}\"")),
                _ => json.contains(&format!("\"name\":\"sequence\",\"value\":{value}")),
            }
        }),
        text if text.starts_with("ERR=") => json.contains(&format!("\"error\":\"ERR {}: ", &words[0][4..])),
        text if text.starts_with("PA=") => {
            json.contains("\"password_level\":\"02\",\"operator\":\"00000000\"") && json.contains("(1A)")
        }
        text if text.starts_with("N1=") => {
            json.contains("\"operator\":\"30303030\"") && json.contains("(1B)")
        }
        text if text.starts_with('"') => quoted(text[1..].split('"').next().unwrap()),
        text if text.contains("weekday") => {
            quoted(words[0]) && json.contains(&format!("Sunday\",\"value\":{}", words[2]))
        }
        text if text.contains("(ss=") => quoted(&format!("{}T{}", words[0], words[1])),
        text => quoted(text) || pairs(&words),
    }
}

#[test]
fn every_capture_decodes_to_its_expected_value() {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/dlt645/frames645.csv"));
    let Ok(table) = fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} not found", path.display());
        return;
    };
    let (mut valid, mut negative) = (0, 0);
    for line in table.lines().skip(1) {
        let row = columns(line);
        let output = decode(&row[0], &["--protocol", "dlt645", "--dlt645-version", &row[1]]);
        let (json, told) = (text(&output.stdout), text(&output.stderr));
        if row[8] == "negative" {
            assert_eq!(output.status.code(), Some(1), "{line}");
            let reason = match row[7].as_str() {
                "Err Header" => "no second start octet",
                "Err Checksum" => "wrong check sum",
                _ => "octet 2 is 0E, not BCD; raw 00000e00",
            };
            assert!(told.contains(reason) && !json.contains("\"value\""), "{line}: {json} {told}");
            negative += 1;
            continue;
        }
        assert_eq!(output.status.code(), Some(0), "{line}: {told}");
        let heads = [("address", row[3].to_uppercase()), ("control", row[2].to_uppercase())];
        for (key, value) in heads {
            assert!(json.contains(&format!("\"{key}\":\"{value}\"")), "{line}: {json}");
        }
        if !row[4].is_empty() {
            assert!(
                json.contains(&format!("\"identifier\":\"{}\"", row[4].to_uppercase())),
                "{line}: {json}"
            );
        }
        assert!(agrees(&json, &row), "{line}\n{json}");
        valid += 1;
    }
    eprintln!("{valid} frames give their expected values, {negative} negatives are refused");
    assert!(valid > 40 && negative >= 3);
}

#[test]
fn captures_of_one_edition_are_recognised_by_themselves() {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/captures/dlt645/frames645.csv"));
    let Ok(table) = fs::read_to_string(&path) else {
        eprintln!("SKIPPED: {} not found", path.display());
        return;
    };
    for edition in ["1997", "2007"] {
        let rows: Vec<_> =
            table.lines().skip(1).map(columns).filter(|row| row[1] == edition && row[8] == "valid").collect();
        let hex: String = rows.iter().map(|row| format!("fefefefe{}\n", row[0])).collect();
        let output = decode(&hex, &["--dlt645-version", edition]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        assert_eq!(text(&output.stdout).lines().count(), rows.len());
    }
}
