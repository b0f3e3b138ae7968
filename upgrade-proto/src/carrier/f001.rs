//! DL/T 698.45 object F001 (file transfer by blocks): its block status bit string, where 1 means received, in either bit order, since
//! makers differ.

pub use super::bits::{Order, from_status, missing, to_status, write};

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
