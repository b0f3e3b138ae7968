//! The P1 reader whole: data request pin, inverted receive line, one HTTP POST or one MQTT message a period over the radio.
//!
//! What it is told stands in `p1.txt`, which is built in. Without the feature `wifi` it always asks, and says each telegram on
//! its line instead.
#![no_std]
#![no_main]

#[cfg(not(feature = "wifi"))]
#[board::entry]
fn main() -> ! {
    use board::port::{Meter, Port};

    let Some(mut port) = Port::take(Meter::P1) else { board::restart() };
    port.request.set(true);
    port.line.run(logic::programs::P1::new())
}

#[cfg(feature = "wifi")]
#[board::entry]
fn main() -> ! {
    use board::port::Meter;
    use board::radio::Reader as Board;
    use board::{now, restart};
    use logic::config::Config;
    use logic::p1::Reader;
    use logic::sink::Sink;
    use net::{Buffers, Name, Network, Output};

    let Ok(config) = Config::parse(include_bytes!("../../p1.txt")) else { restart() };
    let Some(board) = Board::take(Meter::P1, config.ssid, config.password) else { restart() };
    let (mut line, mut request, mut radio) = (board.port.line, board.port.request, board.radio);
    let Some(device) = radio.device() else { restart() };
    let (mut buffers, mut storage) = (Buffers::new(), [0; Output::STORAGE]);
    let address = device.address();
    let milliseconds = || u64::from(now());
    let seed = esp_hal::rng::Rng::new().random();
    let mut network = Network::new(device, address, u64::from(seed), milliseconds(), &mut buffers);
    let name = Name::new(address);
    let mut output = Output::new(&config, &name, &mut storage);
    let mut reader = Reader::new(config.period, now());
    loop {
        radio.join();
        let mut chunk = [0; 64];
        reader.handle_time(now());
        reader.handle_octets(line.receiver.take(&mut chunk));
        request.set(reader.asks());
        if let Some(reading) = reader.poll_post() {
            output.send(&mut network, &reading, milliseconds());
        }
        if let Some(posted) = output.work(&mut network, milliseconds()) {
            line.sender.put_all(if posted { b"# posted\n" } else { b"# not posted\n" });
        }
    }
}
