//! What happens when something goes wrong: a word in the log, and a fresh start.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
#[cfg(feature = "log")]
use defmt_semihosting as _;

/// Starts the chip again; in the emulator, the harness does.
pub fn reset() -> ! {
    #[cfg(feature = "emulated")]
    host::end(host::End::Software);
    #[cfg(not(feature = "emulated"))]
    cortex_m::peripheral::SCB::sys_reset()
}

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    crate::info!("panic");
    reset()
}

#[exception]
unsafe fn HardFault(_frame: &ExceptionFrame) -> ! {
    #[cfg(feature = "emulated")]
    host::end(host::End::Fault);
    #[cfg(not(feature = "emulated"))]
    cortex_m::peripheral::SCB::sys_reset()
}

#[cfg(feature = "log")]
defmt::timestamp!("{=u32:ms}", crate::now());
