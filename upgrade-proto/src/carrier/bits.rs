//! Block status strings in which 1 means received, as DLMS IC 18 and 698.45 F001 have them, and this protocol's status word, where 1 means
//! missing.

use crate::message::{Phase, Report, Status};
use crate::session::Plane;

/// Which bit of an octet is the lowest block.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// The most significant, as A-XDR bit strings are written.
    HighFirst,
    /// The least significant.
    LowFirst,
}

impl Order {
    const fn mask(self, block: u16) -> u8 {
        match self {
            Order::HighFirst => 0x80u8 >> (block & 7),
            Order::LowFirst => 1u8 << (block & 7),
        }
    }
}

/// Blocks that a status string says are missing; those past its end are.
pub fn missing(bits: &[u8], order: Order, count: u16) -> impl Iterator<Item = u16> {
    (0..count).filter(move |&block| {
        bits.get(usize::from(block >> 3)).is_none_or(|octet| octet & order.mask(block) == 0)
    })
}

/// Writes the status string of `count` blocks of which `missing` are missing; `None` when `out` is too short.
pub fn write(
    order: Order,
    count: u16,
    missing: impl IntoIterator<Item = u16>,
    out: &mut [u8],
) -> Option<&[u8]> {
    let out = out.get_mut(..usize::from(count.div_ceil(8)))?;
    out.fill(0);
    for block in 0..count {
        *out.get_mut(usize::from(block >> 3))? |= order.mask(block);
    }
    for block in missing {
        if let Some(octet) = out.get_mut(usize::from(block >> 3)) {
            *octet &= !order.mask(block);
        }
    }
    Some(out)
}

/// The status string that a meter's status word says, if the word has all of it: a bitmap from block 0 on, or all or none missing.
pub fn from_status<'b>(status: &Status<'_>, order: Order, count: u16, out: &'b mut [u8]) -> Option<&'b [u8]> {
    let lacks = |block: u16| match status.report {
        Report::Bitmap { octets, .. } => {
            octets.get(usize::from(block >> 3)).is_none_or(|octet| octet & (0x80u8 >> (block & 7)) != 0)
        }
        _ => status.missing > 0,
    };
    let said = match status.report {
        Report::Bitmap { from, .. } => from == 0 && !status.more,
        _ => status.missing == 0 || status.missing == count,
    };
    if !said || status.plane != Plane::Data {
        return None;
    }
    write(order, count, (0..count).filter(|&block| lacks(block)), out)
}

/// The status word that a status string makes; `out` takes the bitmap.
pub fn to_status<'b>(
    bits: &[u8],
    order: Order,
    count: u16,
    phase: Phase,
    out: &'b mut [u8],
) -> Option<Status<'b>> {
    let octets = out.get_mut(..usize::from(count.div_ceil(8)))?;
    octets.fill(0);
    let (mut lacked, mut first) = (0u16, count);
    for block in missing(bits, order, count) {
        first = first.min(block);
        lacked = lacked.saturating_add(1);
        *octets.get_mut(usize::from(block >> 3))? |= 0x80u8 >> (block & 7);
    }
    Some(Status {
        phase,
        plane: Plane::Data,
        first_missing: first,
        missing: lacked,
        more: false,
        report: if lacked == 0 || lacked == count {
            Report::Count
        } else {
            Report::Bitmap { from: 0, octets }
        },
    })
}
