//! compact-array \[19\] (Green Book 9.5): one type description, then the elements without their tags.

use super::error::ErrorKind;
use super::length;
use super::value::{Size, size};

/// Longest type description that is read, in octets.
pub(super) const MAX_TYPES: usize = 250;

/// A compact-array in a slice: type description · length · contents.
///
/// Type description: a tag; after `01` (array) a count (2, high first) and the description of an element; after `02`
/// (structure) a length and as many descriptions. [`Events`](super::Events) walks the contents as if each value had its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CompactArray<'a> {
    types: &'a [u8],
    contents: &'a [u8],
}

impl<'a> CompactArray<'a> {
    /// The type description.
    #[must_use]
    pub const fn type_description(&self) -> &'a [u8] {
        self.types
    }

    /// The contents, values without tags.
    #[must_use]
    pub const fn contents(&self) -> &'a [u8] {
        self.contents
    }

    /// What follows the tag 0x13.
    pub(super) fn parse(octets: &'a [u8]) -> Result<(Self, &'a [u8]), ErrorKind> {
        let (types, rest) = split_types(octets)?;
        let (contents, rest) = length::counted(rest)?;
        Ok((Self { types, contents }, rest))
    }
}

/// One whole type description off the front of `octets`.
pub(super) fn split_types(octets: &[u8]) -> Result<(&[u8], &[u8]), ErrorKind> {
    let mut rest = octets;
    let mut owed: u32 = 1;
    while let Some(others) = owed.checked_sub(1) {
        let [tag, after @ ..] = rest else { return Err(ErrorKind::Truncated) };
        owed = match (tag, size(*tag)) {
            (1, _) => {
                let [_, _, after @ ..] = after else { return Err(ErrorKind::Truncated) };
                rest = after;
                others.saturating_add(1)
            }
            (2, _) => {
                let (members, after) = length::length(after)?;
                rest = after;
                others.saturating_add(members)
            }
            (_, Size::NoLeaf) => return Err(ErrorKind::CompactArray),
            _ => {
                rest = after;
                others
            }
        };
        // Every description takes at least an octet; one too long to hold is refused before it is all there.
        let owed_octets = usize::try_from(owed).unwrap_or(usize::MAX);
        if octets.len().saturating_sub(rest.len()).saturating_add(owed_octets) > MAX_TYPES {
            return Err(ErrorKind::CompactArray);
        }
    }
    octets.split_at_checked(octets.len().saturating_sub(rest.len())).ok_or(ErrorKind::Truncated)
}
