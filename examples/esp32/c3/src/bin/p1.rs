//! The P1 reader whole: data request pin, inverted receive line, one HTTP POST a period over the radio.
//!
//! What it is told stands in `config.txt`, which is built in.
#![no_std]
#![no_main]

use board::radio::Reader as Board;
use board::{entry, now, restart};
use logic::p1::{Config, Reader};
use logic::sink::Sink;
use net::{Buffers, Network};

#[entry]
fn main() -> ! {
    let Ok(config) = Config::parse(include_bytes!("../../config.txt")) else { restart() };
    let Some(board) = Board::take(config.ssid, config.password) else { restart() };
    let (mut line, mut request, mut radio) = (board.line, board.request, board.radio);
    let Some(port) = radio.port() else { restart() };
    let mut buffers = Buffers::new();
    let address = port.address();
    let milliseconds = || u64::from(now());
    let seed = esp_hal::rng::Rng::new().random();
    let mut network = Network::new(port, address, u64::from(seed), milliseconds(), &mut buffers);
    let mut reader = Reader::new(config.period, now());
    loop {
        radio.join();
        let mut chunk = [0; 64];
        reader.handle_time(now());
        reader.handle_octets(line.receiver.take(&mut chunk));
        request.set(reader.asks());
        if let Some(reading) = reader.poll_post() {
            network.post(&config, &reading, milliseconds());
        }
        if let Some(posted) = network.work(milliseconds()) {
            line.sender.put_all(if posted { b"# posted\n" } else { b"# not posted\n" });
        }
    }
}
