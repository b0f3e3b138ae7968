//! The hash behind a trait, so that a meter may use its crypto peripheral, a secure element or any SHA-256 crate.

/// SHA-256, streamed. With feature `sha2`, the `sha2` crate's `Sha256` implements it.
pub trait Hash256: Clone {
    /// The hash of nothing, yet.
    fn start() -> Self;
    /// Takes more octets in.
    fn feed(&mut self, octets: &[u8]);
    /// The 32 octets.
    fn done(self) -> [u8; 32];

    /// The hash of one slice.
    #[must_use]
    fn of(octets: &[u8]) -> [u8; 32] {
        let mut hash = Self::start();
        hash.feed(octets);
        hash.done()
    }
}

#[cfg(feature = "sha2")]
impl Hash256 for sha2::Sha256 {
    fn start() -> Self {
        <sha2::Sha256 as sha2::Digest>::new()
    }
    fn feed(&mut self, octets: &[u8]) {
        sha2::Digest::update(self, octets);
    }
    fn done(self) -> [u8; 32] {
        sha2::Digest::finalize(self).into()
    }
}

/// For images without tags and manifest only: no hash at all, which leaves CRC-32 as the only check.
#[derive(Copy, Clone, Debug, Default)]
pub struct NoHash;

impl Hash256 for NoHash {
    fn start() -> Self {
        NoHash
    }
    fn feed(&mut self, _: &[u8]) {}
    fn done(self) -> [u8; 32] {
        [0; 32]
    }
}

/// CRC-32 (ISO-HDLC, the one of Ethernet and zip) of a slice.
#[must_use]
pub fn crc32(octets: &[u8]) -> u32 {
    crc_end(crc_step(CRC_START, octets))
}

/// CRC-32 in steps, without holding a digest object: `state` starts at [`CRC_START`], ends through [`crc_end`].
#[inline(never)]
pub(crate) fn crc_step(mut state: u32, octets: &[u8]) -> u32 {
    for &octet in octets {
        state ^= u32::from(octet);
        for _ in 0..8 {
            let mask = 0u32.wrapping_sub(state & 1);
            state = (state >> 1) ^ (0xEDB8_8320 & mask);
        }
    }
    state
}

pub(crate) const CRC_START: u32 = 0xFFFF_FFFF;

pub(crate) const fn crc_end(state: u32) -> u32 {
    !state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stepped_crc_is_the_catalogues() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        let catalogue = crc::Crc::<u32, crc::NoTable>::new(&crc::CRC_32_ISO_HDLC);
        assert_eq!(crc32(b"another"), catalogue.checksum(b"another"));
        let state = crc_step(crc_step(CRC_START, b"1234"), b"56789");
        assert_eq!(crc_end(state), 0xCBF4_3926);
    }
}
