//! Data identifiers of both versions: DI3 DI2 DI1 DI0 (2007) and DI1 DI0 (1997).

use core::fmt;
use core::str::FromStr;

use crate::control::Version;
use crate::data::Data;
use crate::layout::Layout;
use crate::{table1997, table2007};

/// Which data are meant. Sent least significant octet first; any value is kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Identifier {
    /// Two octets: 9010H is the total forward active energy.
    V1997(u16),
    /// Four octets: 00010000H is the total forward active energy.
    V2007(u32),
}

impl Identifier {
    /// Its edition.
    #[must_use]
    pub const fn version(self) -> Version {
        match self {
            Self::V1997(_) => Version::V1997,
            Self::V2007(_) => Version::V2007,
        }
    }

    /// As a number.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::V1997(code) => code as u32,
            Self::V2007(code) => code,
        }
    }

    /// From a number; the upper half is cut off for 1997.
    #[must_use]
    pub const fn from_code(version: Version, code: u32) -> Self {
        match version {
            #[expect(clippy::cast_possible_truncation, reason = "documented")]
            Version::V1997 => Self::V1997(code as u16),
            Version::V2007 => Self::V2007(code),
        }
    }

    /// Octets on the wire: 2 or 4.
    #[must_use]
    pub const fn width(self) -> usize {
        Self::width_in(self.version())
    }

    pub(crate) const fn width_in(version: Version) -> usize {
        match version {
            Version::V1997 => 2,
            Version::V2007 => 4,
        }
    }

    /// The octets in the order of the wire.
    pub fn octets(self) -> impl ExactSizeIterator<Item = u8> {
        self.code().to_le_bytes().into_iter().take(self.width())
    }

    /// The identifier at the front of `data`, and the rest; `None` if there are too few octets.
    #[must_use]
    #[inline]
    pub fn split(version: Version, data: Data<'_>) -> Option<(Self, Data<'_>)> {
        let (_, rest) = data.split_at(Self::width_in(version))?;
        let identifier = match version {
            Version::V1997 => Self::V1997(u16::from_le_bytes(data.array(0)?)),
            Version::V2007 => Self::V2007(data.word(0)?),
        };
        Some((identifier, rest))
    }

    /// Octet DI`n`, DI0 being the lowest.
    pub(crate) const fn part(self, n: u8) -> u8 {
        let [di0, di1, di2, di3] = self.code().to_le_bytes();
        match n {
            0 => di0,
            1 => di1,
            2 => di2,
            _ => di3,
        }
    }

    /// The layout that the standard gives; `None` where it gives none, or the feature for the group (`events`,
    /// `freeze`, `load`) is off. For identifiers of your own see [`Catalogue`].
    #[must_use]
    #[inline]
    pub fn layout(self) -> Option<Layout> {
        match self {
            Self::V1997(code) => table1997::layout(code),
            Self::V2007(code) => table2007::layout(code),
        }
    }

    /// Which part, counted from DI0 in half octets, is "all of them", so that the identifier stands for a block.
    const fn block_part(self) -> Option<u8> {
        match self {
            Self::V1997(code) => match (code >> 8, code & 0xFF) {
                // In B6xx and the energy, demand and parameter groups the low half of DI0 counts.
                (0x90..=0xBF, di0) if di0 & 0x0F == 0x0F && di0 != 0xFF => Some(0),
                _ => None,
            },
            Self::V2007(code) => match code.to_le_bytes() {
                // Holiday and screen numbers go up to FE, so FF is a block there too.
                [0xFF, di1, _, 0x00..=0x05] if di1 != 0xFF => Some(0),
                [di0, 0xFF, _, 0x00..=0x02 | 0x05] if di0 != 0xFF => Some(1),
                _ => None,
            },
        }
    }

    /// Whether this stands for several identifiers at once.
    #[must_use]
    pub const fn is_block(self) -> bool {
        self.block_part().is_some()
    }

    /// Identifier number `index` of the block, in the order in which a meter sends them; `None` beyond the last or if
    /// this is no block. Meters send as many as they are configured for.
    #[must_use]
    pub const fn member(self, index: u8) -> Option<Self> {
        let Some(part) = self.block_part() else { return None };
        let first = self.first_member();
        match self {
            Self::V1997(code) => {
                let number = index.saturating_add(first);
                if number > 0x0E {
                    return None;
                }
                let code = code & 0xFFF0 | number as u16;
                Some(Self::V1997(code))
            }
            Self::V2007(code) => {
                let [mut di0, mut di1, di2, di3] = code.to_le_bytes();
                let number = match (di3, index) {
                    // Frozen variables follow the ten energies and demands.
                    (0x05, 11) if part == 1 => 0x10,
                    (0x05, 12..) if part == 1 => return None,
                    _ => index.saturating_add(first),
                };
                if number > self.last_member() {
                    return None;
                }
                if part == 0 {
                    di0 = number;
                } else {
                    di1 = number;
                }
                Some(Self::V2007(u32::from_le_bytes([di0, di1, di2, di3])))
            }
        }
    }

    /// 0 where the total or the present value comes first, 1 where phases, orders or records are counted.
    const fn first_member(self) -> u8 {
        match self {
            // Voltages and currents have no total; powers and power factors have.
            Self::V1997(0xB61F | 0xB62F) => 1,
            Self::V1997(_) => 0,
            Self::V2007(code) => match code.to_le_bytes() {
                [_, _, 0x03..=0x06 | 0x93..=0xA5, 0x02] => 0,
                [.., 0x02..=0x04] => 1,
                [0xFF, _, _, 0x05..=0x21] => 1,
                _ => 0,
            },
        }
    }

    const fn last_member(self) -> u8 {
        match self.code().to_le_bytes() {
            // Rates, then settlements.
            [di0, _, _, 0x00 | 0x01] if di0 != 0xFF => 0x3F,
            [.., 0x00 | 0x01] => 0x0C,
            [di0, _, _, 0x02] if di0 != 0xFF => 3,
            [.., 0x02] => 21,
            [.., 0x03] => 10,
            [0xFF, 0x05, 0x00, 0x04] => 7,
            [_, _, 0x04, 0x05] => 2,
            _ => 0xFE,
        }
    }
}

/// 4 or 8 hexadecimal digits, DI0 last.
impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V1997(code) => write!(f, "{code:04X}"),
            Self::V2007(code) => write!(f, "{code:08X}"),
        }
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({self})")
    }
}

/// 4 hexadecimal digits are 1997, 8 are 2007; `-` between octets is allowed.
impl FromStr for Identifier {
    type Err = IdentifierError;
    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let mut code = 0u32;
        let mut digits = 0u8;
        for character in text.chars().filter(|character| *character != '-') {
            let digit = character.to_digit(16).ok_or(IdentifierError)?;
            code = code << 4 | digit;
            digits = digits.saturating_add(1);
        }
        match digits {
            4 => Ok(Self::from_code(Version::V1997, code)),
            8 => Ok(Self::V2007(code)),
            _ => Err(IdentifierError),
        }
    }
}

/// Text that is no identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentifierError;

impl fmt::Display for IdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an identifier is 4 or 8 hexadecimal digits")
    }
}

impl core::error::Error for IdentifierError {}

/// Layouts of identifiers: the standard's, and the caller's own before them.
pub trait Catalogue {
    /// The layout of `identifier`.
    fn layout(&self, identifier: Identifier) -> Option<Layout>;
}

/// The standard's tables alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Standard;

impl Catalogue for Standard {
    #[inline]
    fn layout(&self, identifier: Identifier) -> Option<Layout> {
        identifier.layout()
    }
}

/// An identifier of the caller's own (extended application, vendor), or another reading of a standard one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// The identifier.
    pub identifier: Identifier,
    /// Bits of the identifier that must agree; all ones for exactly one identifier.
    pub mask: u32,
    /// Its layout.
    pub layout: Layout,
}

impl Definition {
    /// For exactly one identifier.
    #[must_use]
    pub const fn new(identifier: Identifier, layout: Layout) -> Self {
        Self { identifier, mask: u32::MAX, layout }
    }
}

/// The caller's definitions in their order, then the standard's tables.
impl Catalogue for &[Definition] {
    fn layout(&self, identifier: Identifier) -> Option<Layout> {
        self.iter()
            .find(|own| {
                own.identifier.version() == identifier.version()
                    && (own.identifier.code() ^ identifier.code()) & own.mask == 0
            })
            .map(|own| own.layout)
            .or_else(|| identifier.layout())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Field, Format, Sign};
    use crate::value::Unit;
    use std::string::ToString;
    use std::vec::Vec;

    fn members(text: &str) -> Vec<std::string::String> {
        let block: Identifier = text.parse().unwrap();
        (0..).map_while(|index| block.member(index)).map(|member| member.to_string()).collect()
    }

    #[test]
    fn text_there_and_back() {
        for text in ["00010000", "9010", "02FF0100"] {
            assert_eq!(text.parse::<Identifier>().unwrap().to_string(), text);
        }
        assert_eq!("02-01-01-00".parse(), Ok(Identifier::V2007(0x0201_0100)));
        assert!("".parse::<Identifier>().is_err() && "90101".parse::<Identifier>().is_err());
        let data = Data::plain(&[0x10, 0x90, 0x55]);
        assert_eq!(
            Identifier::split(Version::V1997, data).map(|(id, rest)| (id, rest.len())),
            Some((Identifier::V1997(0x9010), 1))
        );
        assert_eq!(Identifier::split(Version::V2007, data), None);
    }

    #[test]
    fn blocks_iterate_in_the_order_of_the_wire() {
        assert_eq!(&members("0001FF00")[..3], ["00010000", "00010100", "00010200"]);
        assert_eq!(members("0001FF00").len(), 64);
        assert_eq!(members("000100FF").len(), 13);
        assert_eq!(members("0201FF00"), ["02010100", "02010200", "02010300"]);
        assert_eq!(members("0203FF00"), ["02030000", "02030100", "02030200", "02030300"]);
        assert_eq!(members("020A01FF").len(), 21);
        assert_eq!(members("040005FF"), (1..=7).map(|n| std::format!("0400050{n}")).collect::<Vec<_>>());
        assert_eq!(members("0500FF01").last().unwrap(), "05001001");
        assert_eq!(members("0500FF01").len(), 12);
        assert_eq!(members("0504FF01"), ["05040001", "05040101", "05040201"]);
        assert_eq!(&members("901F")[..2], ["9010", "9011"]);
        assert_eq!(&members("B61F")[..2], ["B611", "B612"]);
        assert_eq!(&members("B63F")[..1], ["B630"]);
        assert!(members("00010000").is_empty() && members("0001FFFF").is_empty());
    }

    #[test]
    fn own_definitions_come_before_the_standard() {
        let tenths = Layout::field(Field::number(2, 1, Sign::Unsigned, Unit::Volt));
        let own = [Definition { identifier: Identifier::V1997(0xB610), mask: 0xFFF0, layout: tenths }];
        let own = &own[..];
        // Some meters send B61x as XXX.X; the standard's is XXX.
        assert_eq!(own.layout(Identifier::V1997(0xB611)), Some(tenths));
        assert_ne!(Standard.layout(Identifier::V1997(0xB611)), Some(tenths));
        let standard = own.layout(Identifier::V1997(0x9010)).unwrap();
        assert_eq!(standard.get(0).map(|field| field.format.octets()), Some(4));
        assert_eq!(own.layout(Identifier::V2007(0xB611)), None);
        assert_eq!(Field::plain(Format::Text(2)).format.octets(), 2);
    }
}
