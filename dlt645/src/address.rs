//! Addresses of 12 digits, wildcards and broadcast (clause 5.2.2).

use core::fmt;
use core::str::FromStr;

/// Six octets A0..A5 as on the wire, the two lowest digits first.
///
/// Digits are BCD; AAH octets from the high end are wildcards (shortened addressing), 99H in all six is broadcast.
/// 1997 meters may fill unused high digits with AAH. Any octets are accepted when parsing: a meter with an odd
/// address still has to be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Address([u8; 6]);

/// The wildcard octet.
const ANY: u8 = 0xAA;

impl Address {
    /// 999999999999: every meter listens, none answers.
    pub const BROADCAST: Self = Self([0x99; 6]);
    /// AAAAAAAAAAAA: the only meter on the line answers.
    pub const WILDCARD: Self = Self([ANY; 6]);

    /// From the octets A0..A5 of the wire.
    #[must_use]
    pub const fn from_octets(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The octets A0..A5 of the wire.
    #[must_use]
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// From a number of up to 12 decimal digits; higher digits are cut off.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        Self([
            pair(number, 1),
            pair(number, 100),
            pair(number, 10_000),
            pair(number, 1_000_000),
            pair(number, 100_000_000),
            pair(number, 10_000_000_000),
        ])
    }

    /// From text of 1 to 12 digits, high digit first, missing high digits 0; pairs `AA` (either case) are wildcards.
    ///
    /// # Errors
    /// [`AddressError`] for other characters, an `A` that stands alone, or another length.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let mut octets = [0u8; 6];
        let text = text.as_bytes();
        if text.is_empty() || text.len() > 12 {
            return Err(AddressError);
        }
        let mut digits = text.iter().rev();
        for octet in &mut octets {
            let (low, high) = (digit(digits.next())?, digit(digits.next())?);
            if (low > 9) != (high > 9) {
                return Err(AddressError);
            }
            *octet = high << 4 | low;
        }
        Ok(Self(octets))
    }

    /// Whether this is the broadcast address.
    #[must_use]
    pub fn is_broadcast(self) -> bool {
        self == Self::BROADCAST
    }

    /// Whether any octet is a wildcard.
    #[must_use]
    pub fn has_wildcard(self) -> bool {
        self.0.contains(&ANY)
    }

    /// Whether all octets are BCD digits, so that a meter can have this address.
    #[must_use]
    pub fn is_digits(self) -> bool {
        self.0.iter().all(|&octet| crate::octets::bcd1(octet).is_some())
    }

    /// Whether a request to `self` addresses the meter `own`: equal, or with AAH octets in an unbroken run from the
    /// high end and the rest equal. AAH fill of a 1997 meter's own address counts as 00.
    #[must_use]
    pub fn selects(self, own: Self) -> bool {
        let mut open = true;
        for (asked, own) in self.0.iter().rev().zip(own.0.iter().rev()) {
            if open && *asked == ANY {
                continue;
            }
            open = false;
            if *asked != *own && !(*asked == 0 && *own == ANY) {
                return false;
            }
        }
        true
    }

    /// The same meter, where AAH fill of high digits (1997) stands for 00.
    #[must_use]
    pub fn same_meter(self, other: Self) -> bool {
        self.unfilled() == other.unfilled()
    }

    /// With AAH fill of the high digits replaced by 00; the wildcard to all stays as it is.
    #[must_use]
    pub fn unfilled(self) -> Self {
        if self == Self::WILDCARD {
            return self;
        }
        let mut octets = self.0;
        for octet in octets.iter_mut().rev() {
            if *octet != ANY {
                break;
            }
            *octet = 0;
        }
        Self(octets)
    }

    /// Only the lowest `known` octets of `self`, AAH above: what a prefix search asks for.
    #[must_use]
    pub fn with_wildcards(self, known: u8) -> Self {
        let mut octets = self.0;
        for octet in octets.iter_mut().skip(usize::from(known)) {
            *octet = ANY;
        }
        Self(octets)
    }
}

const fn pair(number: u64, unit: u64) -> u8 {
    let pair = match number.checked_div(unit) {
        Some(rest) => rest % 100,
        None => 0,
    };
    #[expect(clippy::cast_possible_truncation, reason = "below 100")]
    crate::octets::to_bcd1(pair as u8)
}

fn digit(character: Option<&u8>) -> Result<u8, AddressError> {
    match character {
        None => Ok(0),
        Some(digit @ b'0'..=b'9') => Ok(digit & 0x0F),
        Some(b'A' | b'a') => Ok(0x0A),
        Some(_) => Err(AddressError),
    }
}

/// High digit first, as printed on the meter.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

impl FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

/// Text that is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressError;

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address is 1 to 12 digits, or pairs AA")
    }
}

impl core::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn low_digits_come_first_on_the_wire() {
        assert_eq!(address("123456789012").octets(), [0x12, 0x90, 0x78, 0x56, 0x34, 0x12]);
        assert_eq!(Address::from_number(123_456_789_012), address("123456789012"));
        assert_eq!(address("161"), address("000000000161"));
        assert!(Address::parse("").is_err() && Address::parse("1234567890123").is_err());
        assert!(
            Address::parse("12x").is_err() && Address::parse("A1").is_err() && Address::parse("AAA").is_err()
        );
    }

    #[test]
    fn wildcards_are_an_unbroken_run_from_the_high_end() {
        let own = address("000000000161");
        assert!(Address::WILDCARD.selects(own));
        assert!(address("AAAAAAAAAA61").selects(own));
        assert!(address("AAAA00000161").selects(own));
        assert!(!address("AAAAAAAAAA62").selects(own));
        // 3jiliang: after the first octet that is compared no AA may follow.
        assert!(!address("0000000001AA").selects(own));
        assert!(!Address::BROADCAST.selects(own));
        assert_eq!(own.with_wildcards(2), address("AAAAAAAA0161"));
    }

    #[test]
    fn fill_of_1997_is_the_same_meter() {
        let filled = address("AAAA00063295");
        assert!(filled.same_meter(address("63295")));
        assert!(address("000000063295").selects(filled));
        assert!(!address("000000063295").same_meter(address("000000063296")));
        assert_eq!(Address::WILDCARD.unfilled(), Address::WILDCARD);
    }
}
