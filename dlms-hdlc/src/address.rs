//! Address fields (IEC 62056-46, 6.4.2; ISO/IEC 13239, 4.7.1).

use core::fmt;

/// An address field: 1, 2 or 4 octets, high octet first; bit 0 is set in the last octet alone.
///
/// A client address has one octet. A server address has 1 octet (upper), 2 (upper, lower) or 4 (two each).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Address {
    len: u8,
    octets: [u8; 4],
}

impl Address {
    /// A one-octet address, 0..=127; 0 is "no station", 127 is "all stations". Larger values lose their top bit.
    #[must_use]
    pub const fn one(value: u8) -> Self {
        Self { len: 1, octets: [value << 1 | 1, 0, 0, 0] }
    }

    /// A two-octet server address: upper (logical device) and lower (physical device), 0..=127 each.
    #[must_use]
    pub const fn two(upper: u8, lower: u8) -> Self {
        Self { len: 2, octets: [upper << 1, lower << 1 | 1, 0, 0] }
    }

    /// A four-octet server address: upper and lower, 0..=16383 each.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "seven bits of the value go to each octet")]
    pub const fn four(upper: u16, lower: u16) -> Self {
        let octets =
            [(upper >> 7 << 1) as u8, (upper << 1) as u8, (lower >> 7 << 1) as u8, (lower << 1) as u8 | 1];
        Self { len: 4, octets }
    }

    /// The address field at the front of `octets` and what stands behind it; `None` where no field of 1, 2 or
    /// 4 octets ends there.
    #[inline]
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<(Self, &[u8])> {
        let len = field_len(octets)?;
        let (field, rest) = octets.split_at_checked(usize::from(len))?;
        let octets = match *field {
            [a] => [a, 0, 0, 0],
            [a, b] => [a, b, 0, 0],
            [a, b, c, d] => [a, b, c, d],
            _ => return None,
        };
        Some((Self { len, octets }, rest))
    }

    /// The field as it goes on the wire, 1, 2 or 4 octets.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// Octets of the field: 1, 2 or 4.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no field is empty")]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Upper address: the client address, or the logical device, 0..=16383.
    #[must_use]
    pub const fn upper(self) -> u16 {
        let [a, b, ..] = self.octets;
        if self.len == 4 { seven(a) << 7 | seven(b) } else { seven(a) }
    }

    /// Lower address: the physical device, 0..=16383; `None` in a one-octet field.
    #[must_use]
    pub const fn lower(self) -> Option<u16> {
        let [_, b, c, d] = self.octets;
        match self.len {
            1 => None,
            2 => Some(seven(b)),
            _ => Some(seven(c) << 7 | seven(d)),
        }
    }
}

/// Length of the address field at the front of `octets`; bit 0 is set in its last octet alone.
#[inline]
pub(crate) fn field_len(octets: &[u8]) -> Option<u8> {
    match octets {
        [a, ..] if a & 1 == 1 => Some(1),
        [_, b, ..] if b & 1 == 1 => Some(2),
        [_, _, c, d, ..] if c & 1 == 0 && d & 1 == 1 => Some(4),
        _ => None,
    }
}

const fn seven(octet: u8) -> u16 {
    (octet >> 1) as u16
}

/// Upper address, and behind a slash the lower one: `16`, `1/17`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lower() {
            Some(lower) => write!(f, "{}/{lower}", self.upper()),
            None => write!(f, "{}", self.upper()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_seen_on_han_ports() {
        let (address, rest) = Address::parse(&[0x08, 0x83, 0x13]).unwrap();
        assert_eq!((address.upper(), address.lower(), rest), (4, Some(65), &[0x13][..]));
        let (address, _) = Address::parse(&[0x00, 0x02, 0x2C, 0x29]).unwrap();
        assert_eq!((address.upper(), address.lower()), (1, Some(0x16 << 7 | 0x14)));
        assert_eq!(Address::parse(&[0x41]).unwrap().0, Address::one(0x20));
    }

    #[test]
    fn three_octets_and_fields_without_end_are_refused() {
        assert_eq!(Address::parse(&[2, 2, 3]), None);
        assert_eq!(Address::parse(&[2, 2, 2, 2, 3]), None);
        assert_eq!(Address::parse(&[2]), None);
        assert_eq!(Address::parse(&[]), None);
    }

    proptest! {
        #[test]
        fn built_fields_parse_back(upper in 0u16..16384, lower in 0u16..16384) {
            let four = Address::four(upper, lower);
            prop_assert_eq!(Address::parse(four.octets()), Some((four, &[][..])));
            prop_assert_eq!((four.upper(), four.lower()), (upper, Some(lower)));
            let (u, l) = ((upper & 0x7F) as u8, (lower & 0x7F) as u8);
            let two = Address::two(u, l);
            prop_assert_eq!(Address::parse(two.octets()), Some((two, &[][..])));
            prop_assert_eq!((two.upper(), two.lower()), (u.into(), Some(l.into())));
            let one = Address::one(u);
            prop_assert_eq!(Address::parse(one.octets()), Some((one, &[][..])));
        }
    }
}
