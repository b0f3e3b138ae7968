//! The LLC sublayer (IEC 62056-46, 5; ISO/IEC 8802-2): three octets before each APDU.

/// Which way an LLC PDU goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Llc {
    /// From the client, `E6 E6 00`.
    Command,
    /// From the meter, `E6 E7 00`: what a HAN port pushes.
    Response,
}

impl Llc {
    /// The three octets: destination LSAP, source LSAP, quality.
    #[must_use]
    pub const fn octets(self) -> [u8; 3] {
        match self {
            Self::Command => [0xE6, 0xE6, 0x00],
            Self::Response => [0xE6, 0xE7, 0x00],
        }
    }

    /// Takes the LLC header off the front of `octets`; `None` where there is none.
    ///
    /// An information field can hold several LLC PDUs. A notification carries no length, so the APDU reader gives back
    /// what it left unread, and this is applied to that again.
    #[inline]
    #[must_use]
    pub const fn parse(octets: &[u8]) -> Option<(Self, &[u8])> {
        match octets {
            [0xE6, 0xE6, 0x00, apdu @ ..] => Some((Self::Command, apdu)),
            [0xE6, 0xE7, 0x00, apdu @ ..] => Some((Self::Response, apdu)),
            _ => None,
        }
    }
}
