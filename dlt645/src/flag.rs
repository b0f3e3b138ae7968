//! What the bits of the meter status words mean (annex C of the 2007 standard).

use crate::identifier::Identifier;

impl Identifier {
    /// What bit `bit` of this meter status word (04000501 to 04000506, 2007) says when it is set; `None` for other bits,
    /// which are reserved or not public (all of word 7, joint faults), and for other identifiers.
    ///
    /// Bits 1 and 2 of word 3 are one number, the supply: 0 main, 1 auxiliary, 2 battery; each is named for itself.
    #[must_use]
    pub const fn flag(self, bit: u16) -> Option<&'static str> {
        Some(match (self, bit) {
            (Self::V2007(0x0400_0501), 1) => "demand by sliding window",
            (Self::V2007(0x0400_0501), 2) => "clock battery low",
            (Self::V2007(0x0400_0501), 3) => "reading battery low",
            (Self::V2007(0x0400_0501), 4) => "active power reverse",
            (Self::V2007(0x0400_0501), 5) => "reactive power reverse",
            (Self::V2007(0x0400_0502), 0) => "active power reverse, phase A",
            (Self::V2007(0x0400_0502), 1) => "active power reverse, phase B",
            (Self::V2007(0x0400_0502), 2) => "active power reverse, phase C",
            (Self::V2007(0x0400_0502), 4) => "reactive power reverse, phase A",
            (Self::V2007(0x0400_0502), 5) => "reactive power reverse, phase B",
            (Self::V2007(0x0400_0502), 6) => "reactive power reverse, phase C",
            (Self::V2007(0x0400_0503), 0) => "second set of periods in use",
            (Self::V2007(0x0400_0503), 1) => "auxiliary supply",
            (Self::V2007(0x0400_0503), 2) => "battery supply",
            (Self::V2007(0x0400_0503), 3) => "programming permitted",
            (Self::V2007(0x0400_0503), 4) => "relay open",
            // Words 4 to 6 are those of phases A to C.
            (Self::V2007(0x0400_0504..=0x0400_0506), bit) => match bit {
                0 => "loss of voltage",
                1 => "undervoltage",
                2 => "overvoltage",
                3 => "loss of current",
                4 => "overcurrent",
                5 => "overload",
                6 => "power reverse",
                7 => "phase break",
                8 => "current break",
                _ => return None,
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_the_status_words() {
        let set = |code, word: u16| -> std::vec::Vec<_> {
            (0..16).filter(|bit| word >> bit & 1 != 0).map(|bit| Identifier::V2007(code).flag(bit)).collect()
        };
        assert_eq!(set(0x0400_0501, 0x0005), [None, Some("clock battery low")]);
        assert_eq!(set(0x0400_0503, 0x0012), [Some("auxiliary supply"), Some("relay open")]);
        assert_eq!(
            set(0x0400_0506, 0x0141),
            [Some("loss of voltage"), Some("power reverse"), Some("current break")]
        );
        assert_eq!(set(0x0400_0507, 0xFFFF), [None; 16]);
        assert_eq!(Identifier::V1997(0xC020).flag(1), None);
    }
}
