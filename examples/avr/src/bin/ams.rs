//! The AMS reader: a HAN port at 2400 8E1 on one side, a Wi-Fi module with AT commands at 115200 8N1 on the other.
//!
//! What goes over the wire stands with [`logic::ams`]. Name, network and broker are constants below.
#![no_std]
#![no_main]
#![feature(abi_avr_interrupt)]

use core::cell::UnsafeCell;

use board::{Board, Memory, clock, eeprom, pins, receive, sleep_if, text, uart};
use dlms_hdlc::Decoder;
use logic::ams::client::{Client, Command, Event, Module, NAME, Topic};
use logic::ams::meter::Meter;
use logic::ams::record;
use logic::sink::Sink;

receive!(METER: 32, USART0_RX, USART0, udr0);
receive!(WIFI: 128, USART1_RX, USART1, udr1);

/// A list of Aidon with three phases takes 579 octets and a third of that for a search behind a bad frame; the lists of
/// Norway are shorter than 400.
const STORAGE: usize = 468;
static MEMORY: Memory<STORAGE> = Memory::new();

struct Wifi {
    port: uart::Port1,
    pins: pins::Pins,
}

impl Sink for Wifi {
    fn put(&mut self, octet: u8) {
        self.port.put(octet);
    }
}

impl Wifi {
    fn text(&mut self, text: board::text::Text) {
        text.octets().for_each(|octet| self.port.put(octet));
    }
}

impl Module for Wifi {
    fn command(&mut self, command: Command) {
        self.text(text!(b"AT"));
        match command {
            Command::Attention => {}
            Command::EchoOff => self.text(text!(b"E0")),
            Command::Close => self.text(text!(b"+CIPCLOSE")),
            Command::Station => self.text(text!(b"+CWMODE=1")),
            Command::Join => self.text(text!(b"+CWJAP=\"network\",\"password\"")),
            Command::Open => self.text(text!(b"+CIPSTART=\"SSL\",\"broker.example\",8883")),
            Command::Send(len) => {
                self.text(text!(b"+CIPSEND="));
                self.decimal(len.into());
            }
        }
        self.text(text!(b"\r\n"));
    }

    fn reset(&mut self) {
        self.pins.module(false);
        let start = clock::now();
        while clock::now().wrapping_sub(start) < 5 {}
        self.pins.module(true);
    }
}

/// The EEPROM as a place to write to from its start on.
struct Saved<'a> {
    eeprom: &'a mut eeprom::Memory,
    at: u16,
}

impl Sink for Saved<'_> {
    fn put(&mut self, octet: u8) {
        self.eeprom.program(self.at, octet, eeprom::Mode::Write);
        self.at = self.at.wrapping_add(1);
    }
}

#[board::entry]
fn main() -> ! {
    // SAFETY: once, at the start.
    let (board, storage) =
        unsafe { (Board::take(uart::Line::even(2400), uart::Line::plain(115_200)), MEMORY.take()) };
    let Board { other, mut eeprom, pins, mut watchdog, .. } = board;
    watchdog.start();
    let mut wifi = Wifi { port: other, pins };
    let mut decoder = Decoder::new(storage);
    // SAFETY: once.
    let (client, meter) = unsafe { &mut *STATE.0.get() };
    client.set_name(*NAME_OF_READER);
    let mut minutes = 1u8;
    let mut closed = clock::now();
    let mut heard = closed;
    // Until what the last power failure left is with the broker, nothing else goes there.
    let mut failed = record::has_failed(eeprom.read(0));
    let mut chunk = [0; 16];
    loop {
        watchdog.feed();
        let now = clock::now();
        let mut octets = METER.take(&mut chunk);
        let idle = octets.is_empty() && now.wrapping_sub(heard) >= logic::programs::IDLE;
        if idle || !octets.is_empty() {
            heard = now;
        }
        while let Some(event) = if idle { decoder.finish() } else { decoder.decode(&mut octets) } {
            if event.is_ok_and(|frame| meter.take(frame.information(), now)) {
                wifi.pins.orange(true);
            }
        }

        let mut space = [0; 8];
        for octet in WIFI.take(&mut space) {
            match client.handle_octet(*octet, now, &mut wifi) {
                Some(Event::Minutes(wanted)) => minutes = wanted,
                Some(Event::Delivered(Topic::PowerFail)) => {
                    failed = false;
                    erase(&mut eeprom, &mut watchdog);
                }
                _ => {}
            }
        }
        client.poll(now, &mut wifi);
        wifi.pins.yellow(client.is_online());

        if !client.is_busy() {
            if failed {
                client.publish(Topic::PowerFail, true, |out| record::publish(|at| eeprom.read(at), out));
            } else if meter.has_hour() {
                client.publish(Topic::Hour, true, |out| meter.hour(out));
            } else if client.is_online()
                && !meter.period.is_empty()
                && now.wrapping_sub(closed) >= u32::from(minutes) * 60_000
            {
                closed = now;
                client.publish(Topic::Average, true, |out| meter.period.close(out));
            }
        }

        if pins::power_failed() {
            if !failed {
                meter.recent.save(&mut Saved { eeprom: &mut eeprom, at: 0 });
                while eeprom.is_busy() {}
            }
            // If it was not the power after all, the program starts anew.
            watchdog.reset_now();
        }
        if METER.is_empty() && WIFI.is_empty() {
            sleep_if(|| METER.is_empty() && WIFI.is_empty());
        }
    }
}

/// What lives as long as the program; all zeros at the start.
struct State(UnsafeCell<(Client, Meter)>);

// SAFETY: only the main loop has it.
unsafe impl Sync for State {}

static STATE: State = State(UnsafeCell::new((Client::new(), Meter::new())));

const NAME_OF_READER: &[u8; NAME] = b"meter001";

fn erase(eeprom: &mut eeprom::Memory, watchdog: &mut board::watchdog::Watchdog) {
    // The flags last: a cut before leaves what was published, which is then published once more.
    for at in (0..record::SIZE).rev() {
        watchdog.feed();
        if eeprom.read(at) != 0xFF {
            eeprom.program(at, 0xFF, eeprom::Mode::Erase);
        }
    }
}
