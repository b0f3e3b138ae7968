//! The chip's radio as a network for smoltcp.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use embassy_net_driver::Driver;
use esp_hal::clock::CpuClock;
use esp_hal::timer::timg::TimerGroup;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{AuthenticationMethodConfig, Config, Interface, WifiController};
use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

use crate::pins;
use crate::port::{Meter, Port};

/// What the radio's code takes from the heap: 47 to 57 KB by its makers, and some room.
const RADIO_HEAP: usize = 72 * 1024;

/// The board of a reader.
pub struct Reader {
    /// The meter's port.
    pub port: Port,
    /// The radio, in a network.
    pub radio: Radio,
}

impl Reader {
    /// Sets the board up and enters the network, if that takes for ever.
    ///
    /// `None` when the network's name or password is too long, or the radio does not start.
    pub fn take(meter: Meter, ssid: &str, password: &str) -> Option<Reader> {
        let chip = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
        esp_alloc::heap_allocator!(size: RADIO_HEAP);
        let port = Port::new(meter, chip.UART1, pins::of!(chip))?;
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
        let device = Device(Interface::try_station()?);
        let mut radio = Radio { controller, device: Some(device) };
        radio.join();
        Some(Reader { port, radio })
    }
}

/// The radio.
pub struct Radio {
    controller: WifiController<'static>,
    device: Option<Device>,
}

impl Radio {
    /// The network port, once.
    pub fn device(&mut self) -> Option<Device> {
        self.device.take()
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
pub struct Device(Interface);

impl Device {
    /// The Ethernet address.
    pub fn address(&self) -> [u8; 6] {
        self.0.mac_address()
    }
}

impl phy::Device for Device {
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
