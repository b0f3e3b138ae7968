//! Marks for the emulator that counts cycles: writes to general purpose registers, which do nothing on the chip.

use core::arch::asm;

/// Most octets that the emulator hands out at a time.
pub const MOST: usize = 64;

/// What is measured starts behind this.
#[inline(always)]
pub fn start() {
    set(1);
}

/// What is measured ends before this.
#[inline(always)]
pub fn end() {
    set(2);
}

/// The next octets to measure with; none when there are no more.
pub fn octets(buffer: &mut [u8; MOST + 1]) -> &[u8] {
    let at = buffer.as_mut_ptr() as u16;
    let [low, high] = at.to_le_bytes();
    // SAFETY: the emulator writes the number of octets and the octets to the buffer. The registers have no effect.
    unsafe {
        asm!("out 0x2A, {low}", "out 0x2B, {high}", "ldi {mark}, 3", "out 0x1E, {mark}",
            low = in(reg) low, high = in(reg) high, mark = out(reg_upper) _);
    }
    let len = usize::from(buffer[0]).min(MOST);
    buffer.get(1..=len).unwrap_or_default()
}

/// Nothing more to measure.
pub fn stop() -> ! {
    avr_device::interrupt::disable();
    loop {
        // SAFETY: does nothing but stop.
        unsafe { asm!("sleep") };
    }
}

#[inline(always)]
fn set(mark: u8) {
    // SAFETY: the register has no effect. Memory is clobbered, so that nothing moves past the mark.
    unsafe { asm!("out 0x1E, {mark}", mark = in(reg) mark) };
}

/// A program that decodes what the emulator hands out, each call of `decode` between marks.
#[macro_export]
macro_rules! cycles {
    ($decoder:ty, $storage:expr) => {
        // Where the programs have theirs: what lies on the stack behind 63 octets takes AVR three times as long.
        static STORAGE: $crate::Memory<{ $storage }> = $crate::Memory::new();
        static BUFFER: $crate::Memory<{ $crate::mark::MOST + 1 }> = $crate::Memory::new();

        #[board::entry]
        fn main() -> ! {
            // SAFETY: once, at the start. Sleep must be enabled to stop.
            let (storage, buffer) = unsafe {
                (*$crate::pac::CPU::ptr()).smcr().write(|w| w.se().set_bit());
                (STORAGE.take(), BUFFER.take())
            };
            let mut decoder = <$decoder>::new(storage);
            loop {
                let octets = $crate::mark::octets(buffer);
                if octets.is_empty() {
                    $crate::mark::stop();
                }
                let mut input = octets;
                while let Some(event) = {
                    $crate::mark::start();
                    let event = decoder.decode(&mut input);
                    $crate::mark::end();
                    event
                } {
                    let _ = core::hint::black_box(&event);
                }
            }
        }
    };
}
