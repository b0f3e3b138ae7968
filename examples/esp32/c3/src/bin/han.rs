//! The HAN reader whole: frames from an M-Bus transceiver, each message over MQTT as it comes, by the radio.
//!
//! What it is told stands in `han.txt`, which is built in. Without the feature `wifi` it says each message on its line instead.
#![no_std]
#![no_main]

#[cfg(not(feature = "wifi"))]
#[board::entry]
fn main() -> ! {
    use board::port::{Meter, Port};
    use logic::config::Config;
    use logic::programs::Han;

    let Ok(config) = Config::parse(include_bytes!("../../han.txt")) else { board::restart() };
    let Some(port) = Port::take(Meter::Han { even: config.even }) else { board::restart() };
    port.line.run(Han::new([0; 2356], [0; 2048], [0; 2048]))
}

#[cfg(feature = "wifi")]
#[board::entry]
fn main() -> ! {
    use board::port::Meter;
    use board::radio::Reader as Board;
    use board::{now, restart};
    use logic::config::{Config, Way};
    use net::{Buffers, Han, Name, Network};

    let config = Config::parse(include_bytes!("../../han.txt")).ok();
    let Some(config) = config.filter(|config| config.way == Way::Mqtt) else { restart() };
    let meter = Meter::Han { even: config.even };
    let Some(board) = Board::take(meter, config.ssid, config.password) else { restart() };
    let (mut line, mut radio) = (board.port.line, board.radio);
    let Some(device) = radio.device() else { restart() };
    let (mut buffers, mut storage) = (Buffers::new(), [0; Han::STORAGE]);
    let address = device.address();
    let milliseconds = || u64::from(now());
    let seed = esp_hal::rng::Rng::new().random();
    let mut network = Network::new(device, address, u64::from(seed), milliseconds(), &mut buffers);
    let name = Name::new(address);
    let mut reader = Han::new(&config, &name, &mut storage);
    loop {
        radio.join();
        let receive = |chunk: &mut [u8]| line.receiver.take(chunk).len();
        reader.work(&mut network, receive, milliseconds(), &mut line.sender);
    }
}
