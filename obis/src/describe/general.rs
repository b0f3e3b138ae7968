//! Abstract objects, value group A = 0, and the service entries that every medium shares (IEC 62056-6-1, clause 6).

use super::Description;
use crate::Obis;

pub(super) fn describe(code: Obis, words: &mut Description) {
    let [_, b, c, d, e, f] = code.octets();
    let name = match (c, d, e) {
        (0, 0, 0..=9) => {
            words.number("device ID ", u16::from(e).wrapping_add(1));
            ""
        }
        (0, 1, 0) => "billing period counter",
        (0, 1, 1) => "available billing periods",
        (0, 1, 2) => "time stamp of billing period",
        (0, 2, 0) => "firmware version",
        (0, 2, 1) => "parameter version",
        (0, 2, 8) => "firmware signature",
        (0, 9, 1) => "local time",
        (0, 9, 2) => "local date",
        // The clock has channels of its own (0-1:1.0.0), which say nothing to a reader.
        (1, ..) => {
            words.text("clock").billing_period(f);
            return;
        }
        (2, 0, _) => "modem setup",
        (2, 1, _) => "auto connect",
        (2, 2, _) => "auto answer",
        (10, 0, 0) => "meter reset script",
        (10, 0, 1) => "billing reset script",
        (10, 0, 100) => "tariff script",
        (10, 0, 106) => "disconnect script",
        (10, 0, 107) => "image activation script",
        (10, 0, 108) => "push script",
        (10, ..) => "script table",
        (11, ..) => "special days",
        (12, ..) => "schedule",
        (13, ..) => "activity calendar",
        (14, ..) => "register activation",
        (15, ..) => "single action schedule",
        (16, ..) => "register monitor",
        (17, ..) => "limiter",
        (19, ..) => "payment metering",
        (20, ..) => "local port setup",
        (21, ..) => "readout definition",
        (22, ..) => "HDLC setup",
        (23, ..) => "twisted pair setup",
        (24, 0, _) => "M-Bus slave port setup",
        (24, 1, _) => "M-Bus device type",
        (24, 2, _) => {
            words.number("M-Bus value ", e);
            ""
        }
        (24, 3, _) => "M-Bus reading of the last hour",
        (24, 4, _) => "M-Bus valve or breaker",
        (24, 5, _) => "M-Bus control log",
        (24, 6, _) => "M-Bus master port setup",
        (25, 0, _) => "TCP-UDP setup",
        (25, 1, _) => "IPv4 setup",
        (25, 2, _) => "MAC address setup",
        (25, 3, _) => "PPP setup",
        (25, 4, _) => "GPRS modem setup",
        (25, 5, _) => "SMTP setup",
        (25, 6, _) => "GSM diagnostic",
        (25, 7, _) => "IPv6 setup",
        // Several push setups differ by channel alone.
        (25, 9, _) if b != 0 => {
            words.number("push setup ", b).billing_period(f);
            return;
        }
        (25, 9, _) => "push setup",
        (25, 10, _) => "NTP setup",
        (26, ..) => "S-FSK PLC setup",
        (27, ..) => "LLC setup",
        (28, ..) => "PRIME PLC setup",
        (29, ..) => "G3-PLC setup",
        (31, ..) => "wireless M-Bus setup",
        (40, ..) => "association",
        (41, ..) => "SAP assignment",
        (42, ..) => "logical device name",
        (43, 0, _) => "security setup",
        (43, 1, _) => "invocation counter",
        (44, ..) => "image transfer",
        (65, ..) => "utility table",
        (66, ..) => "compact data",
        (93..=99, ..) => {
            service(code, words);
            ""
        }
        (128..=199 | 240, ..) => {
            words.number("manufacturer specific, general ", c).number(".", d).number(".", e);
            ""
        }
        _ => {
            words.number("general ", c).number(".", d).number(".", e);
            ""
        }
    };
    words.text(name).channel(b).billing_period(f);
}

/// C = 93 to 99: consortia, countries, service entries, errors, lists and profiles; the same for all media.
pub(super) fn service(code: Obis, words: &mut Description) {
    let [_, _, c, d, e, _] = code.octets();
    let next = u16::from(e).wrapping_add(1);
    let name = match (c, d, e) {
        (93, ..) => {
            words.number("consortium specific, ", d).number(".", e);
            return;
        }
        (94, ..) => return country(d, e, words),
        (95, ..) => {
            words.number("general 95.", d).number(".", e);
            return;
        }
        (96, 1, 0) => "serial number",
        (96, 1, 7) => "device ID 8 (meter type)",
        (96, 1, 1..=9) => {
            words.number("device ID ", next);
            return;
        }
        (96, 1, 10) => "metering point ID",
        (96, 1, _) => "device IDs",
        (96, 2, 0) => "configuration changes",
        (96, 2, 1) => "date of last configuration change",
        (96, 2, _) => {
            words.number("configuration change ", e);
            return;
        }
        (96, 3, 0) => "input and output status",
        (96, 3, 1) => "input status",
        (96, 3, 2) => "output status",
        (96, 3, 10) => "disconnect control",
        (96, 3, 20) => "arbitrator",
        (96, 3, _) => {
            words.number("input and output status ", e);
            return;
        }
        (96, 4, _) => return numbered("internal control signals", e, words),
        (96, 5, _) => return numbered("operating status", e, words),
        (96, 6, 0) => "battery use time",
        (96, 6, 1) => "battery charge",
        (96, 6, 2) => "date of next battery change",
        (96, 6, 3) => "battery voltage",
        (96, 6, 4) => "battery initial capacity",
        (96, 6, 5) => "battery installation date",
        (96, 6, 6) => "battery remaining time",
        (96, 7, _) => return power_failure(e, words),
        (96, 8, 0) => "operating time",
        (96, 8, _) => {
            words.number("operating time, tariff ", e);
            return;
        }
        (96, 9, 0) => "ambient temperature",
        (96, 9, 1) => "ambient pressure",
        (96, 9, 2) => "relative humidity",
        (96, 10, _) => {
            words.number("status register ", next);
            return;
        }
        (96, 11, _) => {
            words.number("event code ", next);
            return;
        }
        (96, 12, 5) => "GSM field strength",
        (96, 12, 6) => "telephone number",
        (96, 12, _) => "communication port parameter",
        (96, 13, 0) => "consumer message text",
        (96, 13, 1) => "consumer message code",
        (96, 13, _) => {
            words.number("consumer message ", e);
            return;
        }
        (96, 14, 0) => "tariff in force",
        (96, 14, _) => {
            words.number("tariff in force ", e);
            return;
        }
        (96, 15, _) => {
            words.number("event counter ", next);
            return;
        }
        (96, 20, _) => {
            words.number("tamper register ", e);
            return;
        }
        (96, 50..=99, _) => {
            words.number("manufacturer specific, 96.", d).number(".", e);
            return;
        }
        (97, 97, 0..=9) => {
            words.number("error register ", next);
            return;
        }
        (97, 98, 0..=9) => {
            words.number("alarm register ", next);
            return;
        }
        (97, 98, 10..=19) => {
            words.number("alarm filter ", e.wrapping_sub(9));
            return;
        }
        (97, 98, 20..=29) => {
            words.number("alarm descriptor ", e.wrapping_sub(19));
            return;
        }
        (98, 1 | 2, _) => {
            words.number("billing data ", d);
            return;
        }
        (98, 10, _) => {
            words.number("list object ", e);
            return;
        }
        (99, 1 | 2, _) => {
            words.number("load profile ", d);
            return;
        }
        (99, 97, _) => "power failure log",
        (99, 98, _) => {
            words.number("event log ", next);
            return;
        }
        (99, 99, _) => "certification log",
        _ => {
            words.text(match c {
                96 => "service entry",
                97 => "error",
                98 => "list",
                _ => "profile",
            });
            {
                words.number(" ", c).number(".", d).number(".", e);
                return;
            }
        }
    };
    words.text(name);
}

fn numbered(name: &'static str, number: u8, words: &mut Description) {
    words.text(name);
    if number != 0 {
        words.number(" ", number);
    }
}

/// C = 96, D = 7: counts, then durations, for all phases, L1, L2, L3 and any phase.
fn power_failure(e: u8, words: &mut Description) {
    words.text(match e {
        0..=4 | 21 => "power failures",
        5..=9 => "long power failures",
        10..=14 => "time of power failure",
        15..=19 => "duration of last long power failure",
        20 => "time limit of long power failures",
        _ => {
            words.number("power failure data ", e);
            return;
        }
    });
    words.text(match (e, e % 5) {
        (20, _) => "",
        (21, _) => ", any phase",
        (4, _) => ", auxiliary supply",
        (_, 0) => ", all phases",
        (_, 1) => ", L1",
        (_, 2) => ", L2",
        (_, 3) => ", L3",
        _ => ", any phase",
    });
}

/// C = 94: the country in value group D, by its telephone code as a rule.
fn country(d: u8, e: u8, words: &mut Description) {
    let name = match d {
        1 => "Finland",
        2 => "USA",
        3 => "Canada",
        7 => "Russia",
        20 => "Egypt",
        27 => "South Africa",
        30 => "Greece",
        31 => "Netherlands",
        32 => "Belgium",
        33 => "France",
        34 => "Spain",
        35 => "Portugal",
        36 => "Hungary",
        37 => "Lithuania",
        38 => "Slovenia",
        39 => "Italy",
        40 => "Romania",
        41 => "Switzerland",
        42 => "Czech Republic",
        43 => "Austria",
        44 => "United Kingdom",
        45 => "Denmark",
        46 => "Sweden",
        47 => "Norway",
        48 => "Poland",
        49 => "Germany",
        50 => "Slovakia",
        55 => "Brazil",
        61 => "Australia",
        81 => "Japan",
        86 => "China",
        90 => "Turkey",
        91 => "India",
        _ => {
            words.number("country specific ", d).number(", ", e);
            return;
        }
    };
    words.text("country specific (").text(name).number("), ", e);
}
