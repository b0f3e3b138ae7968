//! DL/T 698.45 object F001 (file transfer by blocks): its block status bit string, where 1 means received, in either bit order, since
//! makers differ.

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

/// Whether a string tells its bit order: the last octet's unused bits are 0, so of a complete file only one order fits. `None` when both do.
#[must_use]
pub fn order_of_complete(bits: &[u8], count: u16) -> Option<Order> {
    let full = |order| missing(bits, order, count).next().is_none();
    match (full(Order::HighFirst), full(Order::LowFirst)) {
        (true, false) => Some(Order::HighFirst),
        (false, true) => Some(Order::LowFirst),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    #[test]
    fn both_orders_round_trip_and_differ() {
        let lacked = [0u16, 9, 10];
        let mut out = [0; 4];
        for (order, octets) in [(Order::HighFirst, [0x7F, 0x80]), (Order::LowFirst, [0xFE, 0x01])] {
            let bits = write(order, 11, lacked, &mut out).unwrap();
            assert_eq!(bits, octets);
            assert_eq!(missing(bits, order, 11).collect::<Vec<_>>(), lacked);
        }
    }

    #[test]
    fn a_complete_file_shows_its_order() {
        assert_eq!(order_of_complete(&[0xFF, 0xE0], 11), Some(Order::HighFirst));
        assert_eq!(order_of_complete(&[0xFF, 0x07], 11), Some(Order::LowFirst));
        assert_eq!(order_of_complete(&[0xFF, 0xFF], 16), None);
        assert_eq!(order_of_complete(&[0xFF], 11), None, "a short string is not complete");
    }
}
