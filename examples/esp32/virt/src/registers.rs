//! Addresses of the board's devices (QEMU's hw/riscv/virt.c has the map).

/// A register of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Register(usize);

impl Register {
    /// The register so many octets further.
    pub(crate) const fn at(self, offset: usize) -> Register {
        Register(self.0 + offset)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: the addresses below are of device registers, which stand at all times.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: as above.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }

    /// The register as one of 8 bits.
    pub(crate) fn octet(self) -> u8 {
        // SAFETY: as above.
        unsafe { (self.0 as *const u8).read_volatile() }
    }

    /// Writes one of 8 bits.
    pub(crate) fn set_octet(self, value: u8) {
        // SAFETY: as above.
        unsafe { (self.0 as *mut u8).write_volatile(value) }
    }
}

/// Ends the emulator.
pub(crate) const TEST: Register = Register(0x10_0000);
/// Machine timer.
pub(crate) const CLINT: Register = Register(0x200_0000);
/// Interrupt controller.
pub(crate) const PLIC: Register = Register(0xC00_0000);
/// Serial port, a 16550.
pub(crate) const UART: Register = Register(0x1000_0000);
