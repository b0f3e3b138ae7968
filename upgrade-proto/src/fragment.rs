//! Link-layer sub-framing: a message cut to what a short frame carries, and put together again in any order.
//!
//! Fragment: `message u8 | part u8 (bit 7: last) | octets`. Every part but the last has the same length, so a part's number says where it
//! belongs. A lost fragment costs its message alone. 521 octets (a block of 512) take 11 fragments of 50 octets, 22 octets of which are
//! headers (4 %), or 3 of 200 (6 octets, 1 %).

/// Octets before the data of a fragment.
pub const FRAGMENT_HEADER: usize = 2;
const LAST: u8 = 0x80;

/// Cuts a message; an iterator would have to own the output, so [`next`](Fragments::next) writes into the caller's.
#[derive(Clone, Debug)]
pub struct Fragments<'a> {
    rest: &'a [u8],
    number: u8,
    part: u8,
    size: usize,
    done: bool,
}

impl<'a> Fragments<'a> {
    /// Cuts `message` into fragments of up to `size` octets, header included; `number` tells neighbouring messages apart. `None` when
    /// `size` leaves no room or would take more than 128 fragments.
    #[must_use]
    pub fn new(message: &'a [u8], number: u8, size: usize) -> Option<Self> {
        let room = size.checked_sub(FRAGMENT_HEADER).filter(|&room| room > 0)?;
        (message.len().div_ceil(room) <= 128).then_some(Fragments {
            rest: message,
            number,
            part: 0,
            size,
            done: false,
        })
    }

    /// Writes the next fragment; `None` after the last, or when `out` is shorter than the size.
    pub fn next<'b>(&mut self, out: &'b mut [u8]) -> Option<&'b [u8]> {
        if self.done {
            return None;
        }
        let len = self.rest.len().min(self.size.saturating_sub(FRAGMENT_HEADER));
        let (now, later) = self.rest.split_at_checked(len)?;
        let out = out.get_mut(..len.saturating_add(FRAGMENT_HEADER))?;
        let (head, data) = out.split_first_chunk_mut::<FRAGMENT_HEADER>()?;
        *head = [self.number, self.part | if later.is_empty() { LAST } else { 0 }];
        data.copy_from_slice(now);
        self.rest = later;
        self.part = self.part.wrapping_add(1);
        self.done = later.is_empty();
        Some(out)
    }
}

/// Puts fragments together. `N` octets hold the longest message.
#[derive(Clone, Debug)]
pub struct Reassembler<const N: usize> {
    buffer: [u8; N],
    room: usize,
    have: u128,
    number: Option<u8>,
    last: Option<u8>,
    len: usize,
}

impl<const N: usize> Reassembler<N> {
    /// For fragments of `size` octets, header included (the sender's parameter).
    #[must_use]
    pub const fn new(size: usize) -> Self {
        Reassembler {
            buffer: [0; N],
            room: size.saturating_sub(FRAGMENT_HEADER),
            have: 0,
            number: None,
            last: None,
            len: 0,
        }
    }

    /// Takes a fragment; the message when it is the one that completes it. A fragment of another message drops what there is.
    pub fn push(&mut self, fragment: &[u8]) -> Option<&[u8]> {
        let (&[number, part], data) = fragment.split_first_chunk::<FRAGMENT_HEADER>()?;
        let last = part & LAST != 0;
        let part = part & !LAST;
        if (!last && data.len() != self.room) || data.len() > self.room {
            return None;
        }
        if self.number != Some(number) {
            self.number = Some(number);
            self.have = 0;
            self.last = None;
        }
        let from = self.room.checked_mul(part.into())?;
        self.buffer.get_mut(from..from.checked_add(data.len())?)?.copy_from_slice(data);
        if last {
            self.last = Some(part);
            self.len = from.saturating_add(data.len());
        }
        let whole = u128::MAX >> 127u8.saturating_sub(self.last.unwrap_or(127));
        let before = self.have & whole == whole && self.last.is_some();
        self.have |= 1u128 << part;
        if self.last.is_none() || self.have & whole != whole || before {
            return None;
        }
        self.buffer.get(..self.len)
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, clippy::cast_possible_truncation, reason = "test code")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::prelude::rust_2024::*;
    use std::vec;

    fn cut(message: &[u8], number: u8, size: usize) -> Vec<Vec<u8>> {
        let mut fragments = Fragments::new(message, number, size).unwrap();
        let mut out = vec![0; size];
        core::iter::from_fn(|| fragments.next(&mut out).map(<[u8]>::to_vec)).collect()
    }

    #[test]
    fn overhead_at_dlt645_limits() {
        let message = [7u8; 521];
        for (size, count) in [(50usize, 11usize), (200, 3)] {
            let parts = cut(&message, 1, size);
            assert_eq!(parts.len(), count);
            assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 521 + 2 * count);
        }
    }

    #[test]
    fn a_lost_fragment_costs_its_message_alone() {
        let (first, second) = (vec![1u8; 300], vec![2u8; 300]);
        let mut whole = Reassembler::<600>::new(50);
        for (at, part) in cut(&first, 1, 50).iter().enumerate() {
            if at != 3 {
                assert_eq!(whole.push(part), None);
            }
        }
        let parts = cut(&second, 2, 50);
        let (last, before) = parts.split_last().unwrap();
        for part in before {
            assert_eq!(whole.push(part), None);
        }
        assert_eq!(whole.push(last), Some(&second[..]));
        assert_eq!(whole.push(last), None, "given once");
    }

    proptest! {
        #[test]
        fn any_order_gives_the_message(message in prop::collection::vec(any::<u8>(), 0..600), size in 8usize..250, seed: u64) {
            let mut parts = cut(&message, 9, size);
            let mut state = seed | 1;
            for at in (1..parts.len()).rev() {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                parts.swap(at, (state >> 33) as usize % (at + 1));
            }
            let mut whole = Reassembler::<700>::new(size);
            let mut got = None;
            for part in &parts { if let Some(m) = whole.push(part) { got = Some(m.to_vec()); } }
            prop_assert_eq!(got, Some(message));
        }

        #[test]
        fn any_octets_do_no_harm(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..40)) {
            let mut whole = Reassembler::<300>::new(50);
            for part in &parts { let _ = whole.push(part); }
        }
    }
}
