//! The quick way: the items that lists are made of, recognised whole. Everything else goes the long way and comes out alike.

use crate::{Obis, Unit};

/// An item of a list, and what follows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Item<'a> {
    pub(super) shape: Shape,
    pub(super) code: Obis,
    pub(super) number: i64,
    pub(super) scale: Option<(i8, Unit)>,
    pub(super) rest: &'a [u8],
}

/// How the item is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `structure { code, number, { scaler, unit } }`
    Structure,
    /// Code and number, two members.
    Pair,
    /// Code, number and `{ scaler, unit }`, three members.
    Triple,
}

/// The item at the front of `octets`, in a container with so many members to come; `None` for anything but numbers.
#[inline(always)]
pub(super) fn item(octets: &[u8], left: u32) -> Option<Item<'_>> {
    // Signatures are compared as whole numbers.
    let (&signature, behind) = octets.split_first_chunk()?;
    match u32::from_be_bytes(signature) {
        0x0203_0906 => {
            let (&code, tail) = behind.split_first_chunk()?;
            let (number, tail) = number(tail)?;
            let (scale, rest) = scaler_unit(tail)?;
            let code = Obis::from_octets(code);
            Some(Item { shape: Shape::Structure, code, number, scale: Some(scale), rest })
        }
        0x0906_0000..=0x0906_FFFF if left >= 2 => {
            let (&code, tail) = octets.get(2..)?.split_first_chunk()?;
            let (number, rest) = number(tail)?;
            let code = Obis::from_octets(code);
            match scaler_unit(rest) {
                Some((scale, rest)) if left >= 3 => {
                    Some(Item { shape: Shape::Triple, code, number, scale: Some(scale), rest })
                }
                _ => Some(Item { shape: Shape::Pair, code, number, scale: None, rest }),
            }
        }
        _ => None,
    }
}

/// A number of one of the common types at the front of `octets`, and the rest.
#[inline(always)]
pub(super) fn number(octets: &[u8]) -> Option<(i64, &[u8])> {
    let (tag, octets) = octets.split_first()?;
    match tag {
        6 => {
            let (value, rest) = octets.split_first_chunk()?;
            Some((i64::from(u32::from_be_bytes(*value)), rest))
        }
        18 => {
            let (value, rest) = octets.split_first_chunk()?;
            Some((i64::from(u16::from_be_bytes(*value)), rest))
        }
        16 => {
            let (value, rest) = octets.split_first_chunk()?;
            Some((i64::from(i16::from_be_bytes(*value)), rest))
        }
        5 => {
            let (value, rest) = octets.split_first_chunk()?;
            Some((i64::from(i32::from_be_bytes(*value)), rest))
        }
        _ => None,
    }
}

#[inline(always)]
fn scaler_unit(octets: &[u8]) -> Option<((i8, Unit), &[u8])> {
    let (&[s0, s1, s2, scaler, s3, unit], rest) = octets.split_first_chunk()?;
    let is = u32::from_be_bytes([s0, s1, s2, scaler]) >> 8 == 0x02_020F && s3 == 0x16;
    if is { Some(((i8::from_be_bytes([scaler]), Unit::new(unit)), rest)) } else { None }
}
