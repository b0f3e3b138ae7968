//! The P1 reader whole: telegrams from the serial port, one HTTP POST a period over the emulated network, or one message to a
//! broker: the configuration says which.
//!
//! The data request line, a pin on a chip, is told as `# request on` and `# request off`; what became of a post as `# posted`
//! and `# not posted`. The configuration is the text that the emulator has loaded (see [`board::text`]).
#![no_std]
#![no_main]

use board::net::Port;
use board::{Board, entry, milliseconds, now, text};
use logic::config::Config;
use logic::p1::Reader;
use logic::sink::Sink;
use net::{Buffers, Name, Network, Output};

#[entry]
fn main() -> ! {
    let (Some(board), Some(port)) = (Board::take(115_200), Port::take()) else { board::restart() };
    let mut sender = board.line.sender;
    let mut receiver = board.line.receiver;
    let config = match Config::parse(text::config()) {
        Ok(config) => config,
        Err(error) => {
            sender.put_all(b"# bad configuration in line ");
            sender.decimal(u32::from(error.line));
            sender.put(b'\n');
            board::restart()
        }
    };
    let (mut buffers, mut storage) = (Buffers::new(), [0; Output::STORAGE]);
    let address = port.address();
    let mut network = Network::new(port, address, milliseconds(), milliseconds(), &mut buffers);
    let name = Name::new(address);
    let mut output = Output::new(&config, &name, &mut storage);
    while !network.is_up() {
        network.work(milliseconds());
        board::sleep();
    }
    sender.put_all(b"READY\n");
    let mut reader = Reader::new(config.period, now());
    let mut asked = false;
    loop {
        let mut chunk = [0; 64];
        let octets = receiver.take(&mut chunk);
        reader.handle_time(now());
        reader.handle_octets(octets);
        if reader.asks() != asked {
            asked = !asked;
            sender.put_all(if asked { b"# request on\n" } else { b"# request off\n" });
        }
        if let Some(reading) = reader.poll_post() {
            output.send(&mut network, &reading, milliseconds());
        }
        match output.work(&mut network, milliseconds()) {
            Some(true) => sender.put_all(b"# posted\n"),
            Some(false) => sender.put_all(b"# not posted\n"),
            None => {}
        }
        if octets.is_empty() {
            board::sleep();
        }
    }
}
