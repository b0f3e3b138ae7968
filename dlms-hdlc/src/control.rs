//! Control field (IEC 62056-46, 6.4.3; ISO/IEC 13239, 5.3): which kind of frame this is.

use core::fmt;

/// The control field, one octet; P/F is bit 4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Control(pub u8);

/// Kind of a frame, by its control field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Kind {
    /// Information, `RRR P SSS 0`.
    I {
        /// Send sequence number N(S), 0..=7.
        send: u8,
        /// Receive sequence number N(R), 0..=7.
        receive: u8,
    },
    /// Receive ready, `RRR P/F 0001`, with N(R), 0..=7.
    Rr(u8),
    /// Receive not ready, `RRR P/F 0101`, with N(R), 0..=7.
    Rnr(u8),
    /// Set normal response mode, `100 P 0011`.
    Snrm,
    /// Disconnect, `010 P 0011`.
    Disc,
    /// Unnumbered acknowledge, `011 F 0011`.
    Ua,
    /// Disconnected mode, `000 F 1111`.
    Dm,
    /// Frame reject, `100 F 0111`.
    Frmr,
    /// Unnumbered information, `000 P/F 0011`: what a HAN port pushes.
    Ui,
    /// A control field that IEC 62056-46 does not use.
    Other,
}

impl Control {
    /// Unnumbered information with P/F set, the usual control field of a push.
    pub const UI: Self = Self(0x13);
    /// Set normal response mode, with P.
    pub const SNRM: Self = Self(0x93);
    /// Disconnect, with P.
    pub const DISC: Self = Self(0x53);
    /// Unnumbered acknowledge, with F.
    pub const UA: Self = Self(0x73);
    /// Disconnected mode, with F.
    pub const DM: Self = Self(0x1F);
    /// Frame reject, with F.
    pub const FRMR: Self = Self(0x97);

    /// An information frame; sequence numbers 0..=7.
    #[must_use]
    pub const fn i(send: u8, receive: u8, poll_final: bool) -> Self {
        Self((receive & 7) << 5 | pf(poll_final) | (send & 7) << 1)
    }

    /// Receive ready; sequence number 0..=7.
    #[must_use]
    pub const fn rr(receive: u8, poll_final: bool) -> Self {
        Self((receive & 7) << 5 | pf(poll_final) | 0x01)
    }

    /// Receive not ready; sequence number 0..=7.
    #[must_use]
    pub const fn rnr(receive: u8, poll_final: bool) -> Self {
        Self((receive & 7) << 5 | pf(poll_final) | 0x05)
    }

    /// The kind of frame.
    #[must_use]
    pub const fn kind(self) -> Kind {
        let receive = self.0 >> 5;
        match self.0 & 0xEF {
            c if c & 1 == 0 => Kind::I { send: c >> 1 & 7, receive },
            c if c & 0x0F == 0x01 => Kind::Rr(receive),
            c if c & 0x0F == 0x05 => Kind::Rnr(receive),
            0x83 => Kind::Snrm,
            0x43 => Kind::Disc,
            0x63 => Kind::Ua,
            0x0F => Kind::Dm,
            0x87 => Kind::Frmr,
            0x03 => Kind::Ui,
            _ => Kind::Other,
        }
    }

    /// The P/F bit.
    #[must_use]
    pub const fn poll_final(self) -> bool {
        self.0 & 0x10 != 0
    }
}

const fn pf(set: bool) -> u8 {
    if set { 0x10 } else { 0 }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Control({:#04x} {self})", self.0)
    }
}

/// The standard's abbreviation, with the sequence numbers: `UI`, `RR r=2`, `I s=1 r=0`; `control 0x..` for others.
impl fmt::Display for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind() {
            Kind::I { send, receive } => return write!(f, "I s={send} r={receive}"),
            Kind::Rr(receive) => return write!(f, "RR r={receive}"),
            Kind::Rnr(receive) => return write!(f, "RNR r={receive}"),
            Kind::Other => return write!(f, "control {:#04x}", self.0),
            Kind::Snrm => "SNRM",
            Kind::Disc => "DISC",
            Kind::Ua => "UA",
            Kind::Dm => "DM",
            Kind::Frmr => "FRMR",
            Kind::Ui => "UI",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_standard() {
        let forms = [
            (0x13, Kind::Ui, true),
            (0x03, Kind::Ui, false),
            (0x10, Kind::I { send: 0, receive: 0 }, true), // Kaifa pushes with this one
            (0x54, Kind::I { send: 2, receive: 2 }, true),
            (0x31, Kind::Rr(1), true),
            (0xE5, Kind::Rnr(7), false),
            (0x93, Kind::Snrm, true),
            (0x53, Kind::Disc, true),
            (0x73, Kind::Ua, true),
            (0x1F, Kind::Dm, true),
            (0x97, Kind::Frmr, true),
            (0xFF, Kind::Other, true),
        ];
        for (octet, kind, poll_final) in forms {
            assert_eq!(
                (Control(octet).kind(), Control(octet).poll_final()),
                (kind, poll_final),
                "{octet:02x}"
            );
        }
        assert_eq!(Control::i(2, 2, true), Control(0x54));
        assert_eq!(Control::rr(1, true), Control(0x31));
        assert_eq!(Control::rnr(7, false), Control(0xE5));
    }
}
