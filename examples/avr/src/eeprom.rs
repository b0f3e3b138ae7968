//! The EEPROM: 1,024 octets. An octet takes 3.4 ms, or 1.8 ms where it need only be erased or only be written.

use crate::{interrupt, pac};

/// Octets.
pub const SIZE: u16 = 1024;

/// How an octet is programmed: EEPM1:0 of EECR.
#[derive(Clone, Copy)]
pub enum Mode {
    /// Erased, then written: 3.4 ms.
    Both = 0,
    /// To FF: 1.8 ms.
    Erase = 0x10,
    /// Bits go from 1 to 0 only: 1.8 ms.
    Write = 0x20,
}

/// The EEPROM of the chip.
pub struct Memory(pac::EEPROM);

impl Memory {
    pub(crate) const fn new(eeprom: pac::EEPROM) -> Self {
        Self(eeprom)
    }

    /// Whether the last octet is still being programmed.
    pub fn is_busy(&self) -> bool {
        self.0.eecr().read().eepe().bit_is_set()
    }

    /// An octet; waits while another is being programmed.
    pub fn read(&self, at: u16) -> u8 {
        while self.is_busy() {}
        // SAFETY: the address register takes any value; the upper bits are not there.
        self.0.eear().write(|w| unsafe { w.bits(at) });
        self.0.eecr().modify(|_, w| w.eere().set_bit());
        self.0.eedr().read().bits()
    }

    /// Starts to program an octet; waits while another is being programmed.
    pub fn program(&mut self, at: u16, octet: u8, mode: Mode) {
        while self.is_busy() {}
        // SAFETY: as above.
        self.0.eear().write(|w| unsafe { w.bits(at) });
        // SAFETY: any value.
        self.0.eedr().write(|w| unsafe { w.bits(octet) });
        interrupt::free(|_| {
            // EEPE counts within four cycles of EEMPE only.
            let mode = mode as u8;
            // SAFETY: the mode, EEMPE (bit 2) and EEPE (bit 1) are all that is set.
            self.0.eecr().write(|w| unsafe { w.bits(mode | 0x04) });
            self.0.eecr().write(|w| unsafe { w.bits(mode | 0x06) });
        });
    }

    /// Programs an octet if it is not that already: the EEPROM stands 100,000 times.
    pub fn update(&mut self, at: u16, octet: u8) {
        if self.read(at) != octet {
            self.program(at, octet, Mode::Both);
        }
    }
}
