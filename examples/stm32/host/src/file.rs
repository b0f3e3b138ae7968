//! A file of the host, by semihosting calls (Arm's "Semihosting for AArch32 and AArch64").

use core::ffi::CStr;

use cortex_m_semihosting::syscall;

const SYS_OPEN: usize = 0x01;
const SYS_WRITE: usize = 0x05;
const SYS_READ: usize = 0x06;
const SYS_SEEK: usize = 0x0A;
const SYS_EXIT_EXTENDED: usize = 0x20;
/// "r+b": there already, read and written.
const READ_AND_WRITE: usize = 3;
const APPLICATION_EXIT: usize = 0x2_0026;

/// An open file; closed when the emulator ends.
#[derive(Debug)]
pub struct File(usize);

impl File {
    /// Opens a file in the folder where QEMU was started.
    pub fn open(name: &CStr) -> Option<File> {
        let arguments = [name.as_ptr() as usize, READ_AND_WRITE, name.to_bytes().len()];
        // SAFETY: name, mode and length of the name, as SYS_OPEN wants them.
        let handle = unsafe { syscall(SYS_OPEN, &arguments) };
        (handle != usize::MAX).then_some(File(handle))
    }

    fn seek(&self, at: u32) -> Option<()> {
        // SAFETY: handle and place, as SYS_SEEK wants them.
        let done = unsafe { syscall(SYS_SEEK, &[self.0, at as usize]) };
        (done == 0).then_some(())
    }

    /// Octets at a place.
    pub fn read(&self, at: u32, octets: &mut [u8]) -> Option<()> {
        self.seek(at)?;
        let arguments = [self.0, octets.as_mut_ptr() as usize, octets.len()];
        // SAFETY: handle, memory to be written to and its length, as SYS_READ wants them.
        let left = unsafe { syscall(SYS_READ, &arguments) };
        (left == 0).then_some(())
    }

    /// Writes octets at a place.
    pub fn write(&self, at: u32, octets: &[u8]) -> Option<()> {
        self.seek(at)?;
        let arguments = [self.0, octets.as_ptr() as usize, octets.len()];
        // SAFETY: handle, memory to be read and its length, as SYS_WRITE wants them.
        let left = unsafe { syscall(SYS_WRITE, &arguments) };
        (left == 0).then_some(())
    }
}

/// Ends the emulator with a code.
pub fn exit(code: u32) -> ! {
    loop {
        // SAFETY: reason and code, as SYS_EXIT_EXTENDED wants them.
        unsafe { syscall(SYS_EXIT_EXTENDED, &[APPLICATION_EXIT, code as usize]) };
    }
}
