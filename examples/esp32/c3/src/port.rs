//! The pins of a meter's customer port.

use esp_hal::gpio::{Flex, Input, InputConfig, Pull};
use esp_hal::peripherals::UART1;
use esp_hal::uart::{Config, Parity};

use crate::Line;
use crate::pins::{self, Pins};

/// Whose port it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// P1: 115200 8N1, inverted.
    P1,
    /// HAN behind an M-Bus transceiver: 2400 baud, eight data bits.
    Han {
        /// Even parity; none otherwise.
        even: bool,
    },
}

/// A customer port.
pub struct Port {
    /// UART1.
    pub line: Line,
    /// The data request line of a P1 port.
    pub request: Request,
}

impl Port {
    /// Sets the chip up with this port and nothing else; `None` when the rate cannot be had.
    pub fn take(meter: Meter) -> Option<Port> {
        let chip = esp_hal::init(esp_hal::Config::default());
        let port = Port::new(meter, chip.UART1, pins::of!(chip))?;
        crate::listen();
        Some(port)
    }

    pub(crate) fn new(meter: Meter, uart: UART1<'static>, pins: Pins) -> Option<Port> {
        let config = Config::default();
        let config = match meter {
            Meter::P1 => config.with_baudrate(115_200),
            Meter::Han { even: true } => config.with_baudrate(2400).with_parity(Parity::Even),
            Meter::Han { even: false } => config.with_baudrate(2400),
        };
        let input = Input::new(pins.receive, InputConfig::default().with_pull(Pull::Up));
        let input = input.peripheral_input().with_input_inverter(meter == Meter::P1);
        let line = Line::new(uart, input, pins.send, config)?;
        Some(Port { line, request: Request::new(Flex::new(pins.request)) })
    }
}

/// The data request line, through a buffer with three states: high asks, in the air it rests. It is never pulled low.
pub struct Request(Flex<'static>);

impl Request {
    fn new(mut pin: Flex<'static>) -> Request {
        pin.set_high();
        pin.set_output_enable(false);
        Request(pin)
    }

    /// Asks the meter for telegrams, or lets it be.
    pub fn set(&mut self, asks: bool) {
        self.0.set_output_enable(asks);
    }
}
