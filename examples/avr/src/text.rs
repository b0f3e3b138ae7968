//! Text in flash. A string literal would be copied to RAM at the start, of which there are 2,048 octets.

/// Octets in flash.
#[derive(Clone, Copy)]
pub struct Text {
    at: u16,
    len: u8,
}

impl Text {
    /// For [`text!`](crate::text!): the octets of a static in `.progmem.data`.
    ///
    /// # Safety
    /// `at` is the address of `len` octets in flash.
    pub const unsafe fn new(at: u16, len: u8) -> Self {
        Self { at, len }
    }

    /// How many octets.
    pub const fn len(self) -> u8 {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The octet at this place, which must be less than [`len`](Self::len).
    pub fn octet(self, index: u8) -> u8 {
        let at = self.at.wrapping_add(u16::from(index));
        let octet: u8;
        // SAFETY: reads flash, all of which may be read.
        unsafe {
            core::arch::asm!("lpm {octet}, Z", octet = out(reg) octet, in("Z") at, options(pure, readonly, nostack))
        };
        octet
    }

    /// The octets in turn.
    pub fn octets(self) -> impl Iterator<Item = u8> {
        (0..self.len).map(move |index| self.octet(index))
    }
}

/// A [`Text`] from a byte string literal.
#[macro_export]
macro_rules! text {
    ($literal:literal) => {{
        #[unsafe(link_section = ".progmem.data")]
        static TEXT: [u8; $literal.len()] = *$literal;
        // SAFETY: the static stands in flash.
        unsafe { $crate::text::Text::new((&raw const TEXT) as u16, $literal.len() as u8) }
    }};
}
