//! Which pins a meter is on.

#[cfg(feature = "esp32c3")]
pub(crate) use esp_hal::peripherals::{GPIO5 as Request, GPIO6 as Receive, GPIO7 as Send};
// Pins 6 to 11 of this chip belong to its flash.
#[cfg(not(feature = "esp32c3"))]
pub(crate) use esp_hal::peripherals::{GPIO4 as Request, GPIO16 as Receive, GPIO17 as Send};

/// The pins of a meter's port.
pub(crate) struct Pins {
    /// Data request line of a P1 port.
    pub(crate) request: Request<'static>,
    /// UART1 receives: from the transceiver, 3.3 V.
    pub(crate) receive: Receive<'static>,
    /// UART1 sends: lines of text.
    pub(crate) send: Send<'static>,
}

/// Takes them out of the chip.
#[cfg(feature = "esp32c3")]
macro_rules! of {
    ($chip:ident) => {
        $crate::pins::Pins { request: $chip.GPIO5, receive: $chip.GPIO6, send: $chip.GPIO7 }
    };
}
#[cfg(not(feature = "esp32c3"))]
macro_rules! of {
    ($chip:ident) => {
        $crate::pins::Pins { request: $chip.GPIO4, receive: $chip.GPIO16, send: $chip.GPIO17 }
    };
}
pub(crate) use of;
