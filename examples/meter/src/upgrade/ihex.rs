//! Intel HEX: records of 16 octets, with extended linear addresses.

use std::fmt::Write as _;

fn record(text: &mut String, address: u16, kind: u8, data: &[u8]) {
    let [high, low] = address.to_be_bytes();
    let mut sum = (data.len() as u8).wrapping_add(high).wrapping_add(low).wrapping_add(kind);
    let _ = write!(text, ":{:02X}{address:04X}{kind:02X}", data.len());
    for octet in data {
        sum = sum.wrapping_add(*octet);
        let _ = write!(text, "{octet:02X}");
    }
    let _ = writeln!(text, "{:02X}", sum.wrapping_neg());
}

/// Octets from `base` on, as text.
pub fn encode(base: u32, octets: &[u8]) -> Result<String, String> {
    let mut text = String::new();
    let mut upper = None;
    let mut left = octets;
    let mut at = base;
    while !left.is_empty() {
        // A record does not cross a border of 64 KiB.
        let room = (0x1_0000 - (at & 0xFFFF)) as usize;
        let (now, later) = left.split_at(left.len().min(16).min(room));
        if upper != Some(at >> 16) {
            upper = Some(at >> 16);
            record(&mut text, 0, 4, &((at >> 16) as u16).to_be_bytes());
        }
        record(&mut text, (at & 0xFFFF) as u16, 0, now);
        left = later;
        if !left.is_empty() {
            at = at.checked_add(now.len() as u32).ok_or("the program passes the end of 32 address bits")?;
        }
    }
    record(&mut text, 0, 1, &[]);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_known_form() {
        let text = encode(0x4000, &[0x02, 0x33, 0x7A]).unwrap();
        assert_eq!(text, ":020000040000FA\n:0340000002337A0E\n:00000001FF\n");
    }

    #[test]
    fn records_stop_at_64_kib() {
        let text = encode(0xFFF8, &[0; 16]).unwrap();
        assert!(text.contains(":08FFF800") && text.contains(":020000040001F9") && text.contains(":08000000"));
    }
}
