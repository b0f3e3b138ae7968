//! What the probes share.

#![no_std]

/// Linked only if something can panic, which is what `cargo xtask test probe` looks for.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// The entry point of a probe: octets that the linker cannot know go in, a number that depends on what was read comes out.
///
/// The state lives in a static, as in firmware; `$decode` gets it and the octets.
#[macro_export]
macro_rules! probe {
    ($state:ty = $initial:expr, $decode:expr) => {
        static mut STATE: $state = $initial;

        /// # Safety
        /// `octets` points to `len` octets, and no call runs inside another.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn probe(octets: *const u8, len: usize) -> u32 {
            let decode: fn(&mut $state, &[u8]) -> u32 = $decode;
            // SAFETY: as above.
            let (state, octets) =
                unsafe { (&mut *(&raw mut STATE), core::slice::from_raw_parts(octets, len)) };
            decode(state, octets)
        }
    };
}
