//! Running check values: the FCS of ISO/IEC 13239 and the checksum of EN 13757-2.

/// A running FCS or HCS: CRC-16/X-25 (polynomial 0x8408 reflected, start 0xFFFF, sent complemented and low octet first).
///
/// A range that ends with its own check sequence leaves the value [`GOOD`](Self::GOOD). The HCS is such an end inside
/// a frame, so the FCS simply goes on from there: one pass serves both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fcs {
    lo: u8,
    hi: u8,
}

impl Fcs {
    /// The value before the first octet.
    pub const START: Self = Self { lo: 0xFF, hi: 0xFF };
    /// The value behind a range and its correct check sequence.
    pub const GOOD: Self = Self { lo: 0xB8, hi: 0xF0 };

    /// Takes one octet in. Kept in octets, without a table: 13 cycles less than in 16 bits on an AVR, and as fast
    /// as a 512-octet table elsewhere.
    #[inline]
    #[must_use]
    pub const fn octet(self, octet: u8) -> Self {
        let t = octet ^ self.lo;
        let t = t ^ (t << 4);
        let q = t >> 4;
        Self { lo: self.hi ^ (t << 3) ^ q, hi: t ^ (q >> 1) }
    }

    /// Takes a range in, with the sliced table of the `crc` crate where the target has the room for it.
    #[inline]
    #[must_use]
    pub fn octets(self, octets: &[u8]) -> Self {
        #[cfg(target_pointer_width = "64")]
        if octets.len() >= sliced::WORTH {
            return sliced::update(self, octets);
        }
        octets.iter().fold(self, |fcs, &octet| fcs.octet(octet))
    }

    /// The check sequence to send behind the octets taken in, first octet first.
    #[must_use]
    pub const fn sequence(self) -> [u8; 2] {
        [!self.lo, !self.hi]
    }
}

#[cfg(target_pointer_width = "64")]
mod sliced {
    use super::Fcs;
    use crc::{CRC_16_IBM_SDLC, Crc, Table};

    /// Shorter ranges are quicker without the table.
    pub(super) const WORTH: usize = 16;
    static X25: Crc<u16, Table<16>> = Crc::<u16, Table<16>>::new(&CRC_16_IBM_SDLC);

    #[inline]
    pub(super) fn update(fcs: Fcs, octets: &[u8]) -> Fcs {
        // The crate takes the start value unreflected and gives the end value complemented.
        let mut digest = X25.digest_with_initial(u16::from_le_bytes([fcs.lo, fcs.hi]).reverse_bits());
        digest.update(octets);
        let [lo, hi] = (!digest.finalize()).to_le_bytes();
        Fcs { lo, hi }
    }
}

/// Sum modulo 256 of `octets`, the checksum of EN 13757-2.
#[must_use]
pub(crate) fn sum(octets: &[u8]) -> u8 {
    octets.iter().fold(0, |sum, &octet| sum.wrapping_add(octet))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crc::{CRC_16_IBM_SDLC, Crc, NoTable};
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn every_path_agrees_with_the_crc_crate(octets: Vec<u8>, cut in 0usize..64) {
            let want = Crc::<u16, NoTable>::new(&CRC_16_IBM_SDLC).checksum(&octets).to_le_bytes();
            prop_assert_eq!(Fcs::START.octets(&octets).sequence(), want);
            let (a, b) = octets.split_at(cut.min(octets.len()));
            prop_assert_eq!(Fcs::START.octets(a).octets(b).sequence(), want);
            let by_octet = octets.iter().fold(Fcs::START, |fcs, &octet| fcs.octet(octet));
            prop_assert_eq!(by_octet.sequence(), want);
            prop_assert_eq!(by_octet.octets(&want), Fcs::GOOD);
        }
    }

    #[test]
    fn check_value_of_the_catalogue() {
        assert_eq!(Fcs::START.octets(b"123456789").sequence(), 0x906E_u16.to_le_bytes());
    }
}
