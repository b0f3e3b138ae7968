//! Streams to measure decoders with: clean ones, and ones made to be slow.

use dlms_hdlc::{Address, Builder, Control};
use dsmr::CheckKind;

/// Numbers that look random and are the same every time.
pub struct Random(u64);

impl Random {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    /// Octets.
    pub fn octets(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.below(256) as u8).collect()
    }
}

/// Good frames as meters send them, a flag between two.
#[must_use]
pub fn hdlc(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for len in [31, 226, 102, 480, 145, 321, 226, 40] {
        let information = random.octets(len);
        let builder = Builder {
            segmented: false,
            destination: Address::one(0x20),
            source: Address::two(0x10, 0x21),
            control: Control(0x13),
            information: &information,
        };
        stream.push(0x7E);
        stream.extend(builder.octets());
    }
    stream.push(0x7E);
    stream
}

/// Good telegrams.
#[must_use]
pub fn dsmr(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for _ in 0..3 {
        let mut lines = vec!["1-3:0.2.8(50)".to_string(), "0-0:1.0.0(261121031500W)".to_string()];
        for code in ["1.8.1", "1.8.2", "2.8.1", "2.8.2"] {
            lines.push(format!("1-0:{code}({:06}.{:03}*kWh)", random.below(999_999), random.below(1000)));
        }
        for code in ["1.7.0", "2.7.0", "21.7.0", "41.7.0", "61.7.0"] {
            lines.push(format!("1-0:{code}({:02}.{:03}*kW)", random.below(99), random.below(1000)));
        }
        for code in ["32.7.0", "52.7.0", "72.7.0"] {
            lines.push(format!("1-0:{code}(23{}.{}*V)", random.below(10), random.below(10)));
        }
        lines.push("0-1:24.1.0(003)".to_string());
        lines.push(format!(
            "0-1:24.2.1(261121031000W)({:05}.{:03}*m3)",
            random.below(99_999),
            random.below(1000)
        ));
        let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        let builder =
            dsmr::Builder { identification: b"MTR5\\2SAMPLE", lines: &lines, check: CheckKind::Arc };
        stream.extend(builder.octets());
    }
    stream
}

/// Good frames, with wake-up octets.
#[must_use]
pub fn dlt645(random: &mut Random) -> Vec<u8> {
    let mut stream = Vec::new();
    for len in [8, 50, 12, 200, 24, 100, 8, 200, 4] {
        let mut frame = vec![0x68];
        frame.extend(random.octets(6));
        frame.extend([0x68, 0x91, len as u8]);
        frame.extend(random.octets(len));
        frame.push(frame.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet)));
        frame.push(0x16);
        stream.extend([0xFE; 4]);
        stream.extend(frame);
    }
    stream
}

/// Streams that are not what the decoder hopes for: damaged ones, false starts that claim much, starts inside starts.
#[must_use]
pub fn hostile(name: &str, clean: &[u8], seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let len = 6000;
    let letters: &[u8] = match name {
        "hdlc" => &[0x7E, 0xA0, 0xA7, 0x08, 0x21, 0x13, 0x01, 0xFF],
        "dsmr" => b"/!\r\n(0*)",
        _ => &[0x68, 0x16, 0xFE, 0x00, 0xC8, 0x33, 0x91],
    };
    // A start as good as it gets before the check fails, repeated.
    let start: Vec<u8> = match name {
        "hdlc" => {
            let information = random.octets(400);
            let source = Address::two(0x10, 0x21);
            let (destination, control) = (Address::one(0x20), Control(0x13));
            let builder =
                Builder { segmented: false, destination, source, control, information: &information };
            std::iter::once(0x7E).chain(builder.octets().take(9)).collect()
        }
        "dsmr" => b"/KFM5MTR\r\n\r\n1-0:1.8.0(000001.000*kWh)\r\n!".to_vec(),
        _ => vec![0x68, 1, 2, 3, 4, 5, 6, 0x68, 0x91, 0xC8],
    };
    match seed % 6 {
        0 => random.octets(len),
        1 => (0..len).map(|_| letters[random.below(letters.len() as u64) as usize]).collect(),
        2 => start.iter().copied().cycle().take(len).collect(),
        // The start with a random gap.
        3 => {
            let mut stream = Vec::new();
            while stream.len() < len {
                stream.extend_from_slice(&start);
                let gap = random.below(9) as usize;
                stream.extend(random.octets(gap));
            }
            stream
        }
        // Clean frames with octets changed, lost or put in.
        4 => {
            let mut stream = Vec::new();
            while stream.len() < len {
                for octet in clean {
                    match random.below(60) {
                        0 => stream.push(random.below(256) as u8),
                        1 => {}
                        2 => stream.extend([*octet, letters[0]]),
                        _ => stream.push(*octet),
                    }
                }
            }
            stream
        }
        // Clean frames inside a false start.
        _ => {
            let mut stream = Vec::new();
            while stream.len() < len {
                stream.extend_from_slice(&start);
                let from = random.below(clean.len() as u64) as usize;
                stream.extend(clean.iter().skip(from).take(300));
            }
            stream
        }
    }
}
