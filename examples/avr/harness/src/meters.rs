//! Lists of made-up meters, in frames.

use dlms_hdlc::{Address, Builder, Control};

/// What a meter shows: powers in W and var, currents in mA, voltages in 0.1 V, energies in Wh and varh.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub powers: [u32; 4],
    pub currents: [u32; 3],
    pub voltages: [u32; 3],
    pub energies: Option<[u32; 4]>,
}

/// Makers and phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    Kaifa(u8),
    Kamstrup(u8),
    Aidon(u8),
}

/// Seconds since 2026-11-21 00:00:00 as a date-time.
fn clock(seconds: u32) -> [u8; 12] {
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    [0x07, 0xEA, 11, 21, 6, hour as u8, minute as u8, second as u8, 0xFF, 0x80, 0, 0]
}

/// Local time of the above, in seconds since 1970.
#[must_use]
pub fn unix(seconds: u32) -> u32 {
    1_795_219_200 + seconds
}

fn u32_at(list: &mut Vec<u8>, number: u32) {
    list.push(6);
    list.extend(number.to_be_bytes());
}

fn code(list: &mut Vec<u8>, b: u8, c: u8, d: u8) {
    list.extend([9, 6, 1, b, c, d, 0, 255]);
}

fn text(list: &mut Vec<u8>, tag: u8, text: &[u8]) {
    list.extend([tag, text.len() as u8]);
    list.extend(text);
}

/// A frame with list 2, or list 3 where there are energies.
#[must_use]
pub fn frame(make: Make, shown: &Shown, seconds: u32) -> Vec<u8> {
    let mut list = vec![0xE6, 0xE7, 0, 0x0F, 0x40, 0, 0, 0];
    let extra = shown.energies.map_or(0, |_| 5u8);
    match make {
        Make::Kaifa(phases) => {
            list.extend([9, 12]);
            list.extend(clock(seconds));
            list.extend([2, 7 + 2 * phases + extra]);
            text(&mut list, 9, b"KFM_001");
            text(&mut list, 9, b"6970630000000001");
            text(&mut list, 9, b"MA304H3E");
            let phases = usize::from(phases);
            let all = shown.powers.iter().chain(&shown.currents[..phases]).chain(&shown.voltages[..phases]);
            all.for_each(|number| u32_at(&mut list, *number));
            if let Some(energies) = shown.energies {
                text(&mut list, 9, &clock(seconds));
                energies.iter().for_each(|number| u32_at(&mut list, *number));
            }
        }
        Make::Kamstrup(phases) => {
            list.push(12);
            list.extend(clock(seconds));
            let pairs = if shown.energies.is_some() { 17 } else { 12 };
            list.extend([2, 1 + 2 * pairs]);
            text(&mut list, 10, b"Kamstrup_V0001");
            code(&mut list, 1, 0, 5);
            text(&mut list, 10, b"5706560000000001");
            list.extend([9, 6, 1, 1, 96, 1, 1, 255]);
            text(&mut list, 10, b"000000000000000000");
            for (c, number) in (1..).zip(shown.powers) {
                code(&mut list, 1, c, 7);
                u32_at(&mut list, number);
            }
            for (first, numbers, unit, wide) in
                [(31u8, shown.currents, 10, true), (32, shown.voltages, 10, false)]
            {
                for (phase, number) in (0u8..3).zip(numbers) {
                    if phase >= phases {
                        list.extend([0, 0]);
                        continue;
                    }
                    code(&mut list, 1, first + 20 * phase, 7);
                    if wide {
                        u32_at(&mut list, number / unit);
                    } else {
                        list.push(18);
                        list.extend(((number / unit) as u16).to_be_bytes());
                    }
                }
            }
            if let Some(energies) = shown.energies {
                list.extend([9, 6, 0, 1, 1, 0, 0, 255]);
                text(&mut list, 9, &clock(seconds));
                for (c, number) in (1..).zip(energies) {
                    code(&mut list, 1, c, 8);
                    u32_at(&mut list, number / 10);
                }
            }
        }
        Make::Aidon(phases) => {
            list.push(0);
            list.extend([1, 7 + 2 * phases + extra]);
            for (octets, value) in [
                ([1, 1, 0, 2, 129, 255], &b"AIDON_V0001"[..]),
                ([0, 0, 96, 1, 0, 255], b"7359990000000001"),
                ([0, 0, 96, 1, 7, 255], b"6525"),
            ] {
                list.extend([2, 2, 9, 6]);
                list.extend(octets);
                text(&mut list, 10, value);
            }
            for (c, number) in (1..).zip(shown.powers) {
                list.extend([2, 3]);
                code(&mut list, 0, c, 7);
                u32_at(&mut list, number);
                list.extend([2, 2, 15, 0, 22, if c < 3 { 27 } else { 29 }]);
            }
            for phase in 0..phases {
                list.extend([2, 3]);
                code(&mut list, 0, 31 + 20 * phase, 7);
                list.push(16);
                list.extend(((shown.currents[usize::from(phase)] / 100) as u16).to_be_bytes());
                list.extend([2, 2, 15, 0xFF, 22, 33]);
            }
            for phase in 0..phases {
                list.extend([2, 3]);
                code(&mut list, 0, 32 + 20 * phase, 7);
                list.push(18);
                list.extend((shown.voltages[usize::from(phase)] as u16).to_be_bytes());
                list.extend([2, 2, 15, 0xFF, 22, 35]);
            }
            if let Some(energies) = shown.energies {
                list.extend([2, 2, 9, 6, 0, 0, 1, 0, 0, 255]);
                text(&mut list, 9, &clock(seconds));
                for (c, number) in (1..).zip(energies) {
                    list.extend([2, 3]);
                    code(&mut list, 0, c, 8);
                    u32_at(&mut list, number / 10);
                    list.extend([2, 2, 15, 1, 22, if c < 3 { 30 } else { 32 }]);
                }
            }
        }
    }
    let builder = Builder {
        segmented: false,
        destination: Address::one(0x20),
        source: Address::two(0x10, 0x21),
        control: Control(0x13),
        information: &list,
    };
    std::iter::once(0x7E).chain(builder.octets()).chain(std::iter::once(0x7E)).collect()
}
