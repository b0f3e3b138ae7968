//! The HAN reader whole: frames from the serial port, each message over MQTT as it comes.
//!
//! What it tells stands with [`net::Han`]. The configuration is the text that the emulator has loaded (see [`board::text`]).
#![no_std]
#![no_main]

use board::net::Port;
use board::{Board, entry, milliseconds, text};
use logic::config::{Config, Way};
use logic::sink::Sink;
use net::{Buffers, Han, Name, Network};

#[entry]
fn main() -> ! {
    let (Some(board), Some(port)) = (Board::take(2400), Port::take()) else { board::restart() };
    let mut sender = board.line.sender;
    let mut receiver = board.line.receiver;
    let config = match Config::parse(text::config()) {
        Ok(config) if config.way == Way::Mqtt => config,
        other => {
            sender.put_all(b"# bad configuration in line ");
            sender.decimal(other.err().map_or(0, |error| u32::from(error.line)));
            sender.put(b'\n');
            board::restart()
        }
    };
    let (mut buffers, mut storage) = (Buffers::new(), [0; Han::STORAGE]);
    let address = port.address();
    let name = Name::new(address);
    let mut network = Network::new(port, address, milliseconds(), milliseconds(), &mut buffers);
    let mut reader = Han::new(&config, &name, &mut storage);
    sender.put_all(b"READY\n");
    loop {
        let receive = |chunk: &mut [u8]| receiver.take(chunk).len();
        if !reader.work(&mut network, receive, milliseconds(), &mut sender) {
            board::sleep();
        }
    }
}
