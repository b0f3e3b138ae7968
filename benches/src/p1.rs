//! P1 telegrams of four dialects: captured ones where those stand, and self-made ones of the same objects and lengths.

use dsmr::{Builder, CheckKind};
use std::path::Path;

/// Name and octets.
pub type Input = (&'static str, Vec<u8>);

/// Lines of one phase of a three-phase meter, as Dutch meters order them.
const PHASES: [&str; 3] = ["3", "5", "7"];

fn telegram(identification: &str, lines: &[String]) -> Vec<u8> {
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
    Builder { identification: identification.as_bytes(), lines: &lines, check: CheckKind::Arc }
        .octets()
        .collect()
}

/// Self-made telegrams with the objects and the lengths of the four that stand for their dialects.
pub fn self_made() -> Vec<Input> {
    let line = |text: &str| text.to_owned();
    let serial = "4B30303034303030303130303034303136";
    let energies = ["1.8.1(001581.123", "1.8.2(001435.706", "2.8.1(000000.000", "2.8.2(000000.000"];
    let energies: Vec<String> = energies.iter().map(|energy| format!("1-0:{energy}*kWh)")).collect();
    let per_phase = |c: u8, rest: &str| -> Vec<String> {
        (0..3u8).map(|phase| format!("1-0:{}.7.0({rest})", c + 20 * phase)).collect()
    };
    let counts = |d: &str| -> Vec<String> {
        PHASES.iter().map(|phase| format!("1-0:{phase}2.{d}.0(00001)")).collect()
    };

    let mut nl42 =
        vec![line("1-3:0.2.8(42)"), line("0-0:1.0.0(161113205757W)"), format!("0-0:96.1.1({serial})")];
    nl42.extend(energies.clone());
    nl42.extend(
        [
            "0-0:96.14.0(0002)",
            "1-0:1.7.0(02.027*kW)",
            "1-0:2.7.0(00.000*kW)",
            "0-0:96.7.21(00015)",
            "0-0:96.7.9(00007)",
        ]
        .map(line),
    );
    nl42.push(line("1-0:99.97.0(3)(0-0:96.7.19)(000104180320W)(0000237126*s)(000101000001W)(2147583646*s)(000102000003W)(2317482647*s)"));
    nl42.extend(counts("32").into_iter().chain(counts("36")));
    nl42.extend(["0-0:96.13.1()", "0-0:96.13.0()"].map(line));
    nl42.extend(
        per_phase(31, "000*A")
            .into_iter()
            .chain(per_phase(21, "00.170*kW"))
            .chain(per_phase(22, "00.000*kW")),
    );
    nl42.extend([
        "0-1:24.1.0(003)".to_owned(),
        format!("0-1:96.1.0({serial})"),
        line("0-1:24.2.1(161129200000W)(00981.443*m3)"),
    ]);

    let mut nl50 =
        vec![line("1-3:0.2.8(50)"), line("0-0:1.0.0(190324150541W)"), format!("0-0:96.1.1({serial})")];
    nl50.extend(energies.clone());
    nl50.extend(
        [
            "0-0:96.14.0(0001)",
            "1-0:1.7.0(00.433*kW)",
            "1-0:2.7.0(00.000*kW)",
            "0-0:96.7.21(00005)",
            "0-0:96.7.9(00003)",
            "1-0:99.97.0(1)(0-0:96.7.19)(180417201458S)(0000000236*s)",
        ]
        .map(line),
    );
    nl50.extend(counts("32").into_iter().chain(counts("36")));
    nl50.push(line("0-0:96.13.0()"));
    nl50.extend(per_phase(32, "236.7*V").into_iter().chain(per_phase(31, "002*A")));
    nl50.extend(per_phase(21, "00.045*kW").into_iter().chain(per_phase(22, "00.000*kW")));

    let mut be =
        vec![line("0-0:96.1.4(50217)"), format!("0-0:96.1.1({serial})"), line("0-0:1.0.0(200512135409S)")];
    be.extend(energies);
    be.extend(["1-0:1.4.0(02.351*kW)", "1-0:1.6.0(200509134558S)(02.589*kW)", "0-0:98.1.0(3)(1-0:1.6.0)(1-0:1.6.0)(200501000000S)(200423192538S)(03.695*kW)(200401000000S)(200305122139S)(05.980*kW)(200301000000S)(200210035421W)(04.318*kW)", "0-0:96.14.0(0001)", "1-0:1.7.0(00.000*kW)", "1-0:2.7.0(00.000*kW)"].map(line));
    be.extend(per_phase(21, "00.000*kW").into_iter().chain(per_phase(22, "00.000*kW")));
    be.extend(per_phase(32, "234.7*V").into_iter().chain(per_phase(31, "000.00*A")));
    be.extend(
        [
            "0-0:96.3.10(1)",
            "0-0:17.0.0(999.9*kW)",
            "1-0:31.4.0(999*A)",
            "0-0:96.13.0()",
            "0-1:24.1.0(003)",
            "0-1:96.1.1(37464C4F32313139303333373333)",
            "0-1:24.4.0(1)",
            "0-1:24.2.3(200512134558S)(00112.384*m3)",
            "0-2:24.1.0(007)",
            "0-2:96.1.1(3853414731323334353637383930)",
            "0-2:24.2.1(200512134558S)(00872.234*m3)",
        ]
        .map(line),
    );

    let mut se = vec![line("0-0:1.0.0(221022162844W)")];
    se.extend(
        [
            "1-0:1.8.0(00006136.936*kWh)",
            "1-0:2.8.0(00000000.000*kWh)",
            "1-0:3.8.0(00000000.000*kVArh)",
            "1-0:4.8.0(00000486.492*kVArh)",
            "1-0:1.7.0(0000.806*kW)",
            "1-0:2.7.0(0000.000*kW)",
            "1-0:3.7.0(0000.000*kVAr)",
            "1-0:4.7.0(0000.367*kVAr)",
        ]
        .map(line),
    );
    for (c, unit) in [(21, "kW"), (22, "kW"), (23, "kVAr"), (24, "kVAr")] {
        se.extend(per_phase(c, &format!("0000.247*{unit}")));
    }
    se.extend(per_phase(32, "234.9*V").into_iter().chain(per_phase(31, "001.3*A")));

    vec![
        ("NL 4.2", telegram("KFM5KAIFA-METER", &nl42)),
        ("NL 5.0", telegram("ISK5\\2M550T-1012", &nl50)),
        ("BE", telegram("FLU5\\253769484_A", &be)),
        ("SE", telegram("ELL5\\253833635_A", &se)),
    ]
}

/// The captures that the figures of other libraries were taken with, where that folder stands.
pub fn captured() -> Vec<Input> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/captures/dsmr"));
    if !folder.is_dir() {
        eprintln!("SKIPPED: {} not found", folder.display());
        return Vec::new();
    }
    let files = [
        ("capture NL 4.2", "nl42-kfm-kaifa-1.p1"),
        ("capture NL 5.0", "nl50-isk-am550t-1012.p1"),
        ("capture BE", "be-flu5-50217-1.p1"),
        ("capture SE", "se-ell5-1.p1"),
    ];
    files.map(|(name, file)| (name, std::fs::read(folder.join(file)).expect(file))).into()
}

pub fn inputs() -> Vec<Input> {
    self_made().into_iter().chain(captured()).collect()
}
