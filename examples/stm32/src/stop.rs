//! What happens when something goes wrong: a word in the log, and a fresh start.

use core::panic::PanicInfo;

use cortex_m_rt::{ExceptionFrame, exception};
#[cfg(feature = "log")]
use defmt_semihosting as _;

#[panic_handler]
fn panic(_info: &PanicInfo<'_>) -> ! {
    crate::info!("panic");
    cortex_m::peripheral::SCB::sys_reset()
}

#[exception]
unsafe fn HardFault(_frame: &ExceptionFrame) -> ! {
    cortex_m::peripheral::SCB::sys_reset()
}

#[cfg(feature = "log")]
defmt::timestamp!("{=u32:ms}", crate::now());
