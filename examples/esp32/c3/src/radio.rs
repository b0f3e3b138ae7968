//! The chip's radio as a network for smoltcp, and the pins of a P1 port.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embassy_net_driver::Driver;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Flex, Input, InputConfig, Pull};
use esp_hal::timer::timg::TimerGroup;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::Line;

/// What the radio's code takes from the heap: 47 to 57 KB by its makers, and some room.
const RADIO_HEAP: usize = 72 * 1024;

/// The board of a P1 reader.
pub struct Reader {
    /// The port: UART1, GPIO6 receives inverted, as P1 ports send.
    pub line: Line,
    /// The data request line.
    pub request: Request,
    /// The radio, in a network.
    pub radio: Radio,
}

impl Reader {
    /// Sets the board up and enters the network, if that takes for ever.
    ///
    /// `None` when the network's name or password is too long, or the radio does not start.
    pub fn take(ssid: &str, password: &str) -> Option<Reader> {
        let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        esp_alloc::heap_allocator!(size: RADIO_HEAP);
        let input = Input::new(chip.GPIO6, InputConfig::default().with_pull(Pull::Up));
        let input = input.peripheral_input().with_input_inverter(true);
        let line = Line::new(chip.UART1, input, chip.GPIO7, 115_200)?;
        let request = Request::new(Flex::new(chip.GPIO5));
        // The radio's tasks run beside the program's.
        let timers = TimerGroup::new(chip.TIMG0);
        esp_rtos::start(timers.timer0, chip.FROM_CPU_INTR0);
        let mut station = StationConfig::default().with_ssid(ssid.try_into().ok()?);
        if !password.is_empty() {
            let password = password.try_into().ok()?;
            station = station.with_authentication(AuthenticationMethodConfig::WpaWpa2Personal(password));
        }
        let mut controller = WifiController::new(chip.WIFI, Default::default()).ok()?;
        controller.set_config(&Config::Station(station)).ok()?;
        let port = Port(Interface::try_station()?);
        let mut radio = Radio { controller, port: Some(port) };
        radio.join();
        Some(Reader { line, request, radio })
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

/// The radio.
pub struct Radio {
    controller: WifiController<'static>,
    port: Option<Port>,
}

impl Radio {
    /// The network port, once.
    pub fn port(&mut self) -> Option<Port> {
        self.port.take()
    }

    /// Enters the network again where it has been left; returns when it has succeeded.
    pub fn join(&mut self) {
        while !self.controller.is_connected() {
            let _ = wait(self.controller.connect_async());
        }
    }
}

/// Waits for a task of the radio, which the scheduler runs meanwhile.
fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
    }
}

/// The radio's network port.
pub struct Port(Interface);

impl Port {
    /// The Ethernet address.
    pub fn address(&self) -> [u8; 6] {
        self.0.mac_address()
    }
}

impl phy::Device for Port {
    type RxToken<'p> = Received<<Interface as Driver>::RxToken<'p>>;
    type TxToken<'p> = Sending<<Interface as Driver>::TxToken<'p>>;

    fn receive(&mut self, _now: Instant) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let mut context = Context::from_waker(Waker::noop());
        let (received, sending) = Driver::receive(&mut self.0, &mut context)?;
        Some((Received(received), Sending(sending)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Self::TxToken<'_>> {
        let mut context = Context::from_waker(Waker::noop());
        Driver::transmit(&mut self.0, &mut context).map(Sending)
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = Driver::capabilities(&self.0).max_transmission_unit;
        capabilities
    }
}

/// A frame that has come.
pub struct Received<T>(T);

impl<T: embassy_net_driver::RxToken> phy::RxToken for Received<T> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        self.0.consume(|octets| take(octets))
    }
}

/// Leave to send a frame.
pub struct Sending<T>(T);

impl<T: embassy_net_driver::TxToken> phy::TxToken for Sending<T> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        self.0.consume(len, fill)
    }
}
