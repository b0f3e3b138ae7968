//! A 24C-series EEPROM, by its data sheet: start, stop, acknowledge, page that wraps, 5 ms of deafness behind a write.

use core::cell::{Cell, RefCell};

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};

use super::{Never, Time};

const WRITE_TIME: u64 = 5_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits for a start.
    Idle,
    /// Takes an octet in: the control octet, the address, data.
    Listens,
    /// Gives octets out.
    Speaks,
}

#[derive(Debug)]
struct Inside {
    /// As the controller drives them.
    clock: bool,
    data: bool,
    /// The part pulls the data line.
    pulls: bool,
    state: State,
    /// Clocks since the octet began, 0 to 8.
    bits: u8,
    shift: u8,
    /// Octets taken in since the start: control, address high, address low, data.
    taken: usize,
    at: usize,
    page: Vec<(usize, u8)>,
    memory: Vec<u8>,
    busy: u64,
    writes: u32,
    stuck: u32,
}

#[derive(Debug)]
pub struct Part {
    address: u8,
    page: usize,
    inside: RefCell<Inside>,
    time: Cell<u64>,
}

impl Part {
    pub fn new(address: u8, octets: usize, page: usize) -> Part {
        let inside = Inside {
            clock: true,
            data: true,
            pulls: false,
            state: State::Idle,
            bits: 0,
            shift: 0,
            taken: 0,
            at: 0,
            page: Vec::new(),
            memory: vec![0xFF; octets],
            busy: 0,
            writes: 0,
            stuck: 0,
        };
        Part { address, page, inside: RefCell::new(inside), time: Cell::new(0) }
    }

    pub fn clock(&self) -> Lines<'_> {
        Lines { part: self, clock: true }
    }

    pub fn data(&self) -> Lines<'_> {
        Lines { part: self, clock: false }
    }

    pub fn time(&self) -> Time<'_> {
        Time(&self.time)
    }

    pub fn microseconds(&self) -> u64 {
        self.time.get() / 1000
    }

    pub fn writes(&self) -> u32 {
        self.inside.borrow().writes
    }

    /// The part holds the data line for so many clocks.
    pub fn stick(&self, clocks: u32) {
        self.inside.borrow_mut().stuck = clocks;
    }

    fn drive(&self, clock: Option<bool>, data: Option<bool>) {
        let mut inside = self.inside.borrow_mut();
        let (clock, data) = (clock.unwrap_or(inside.clock), data.unwrap_or(inside.data));
        let (before_clock, before_data) = (inside.clock, inside.data);
        (inside.clock, inside.data) = (clock, data);
        if inside.stuck > 0 {
            if before_clock && !clock && inside.stuck != u32::MAX {
                inside.stuck -= 1;
            }
            return;
        }
        if before_clock && clock && before_data != data && !inside.pulls {
            if data { self.stop(&mut inside) } else { self.start(&mut inside) }
        } else if !before_clock && clock {
            self.rise(&mut inside);
        } else if before_clock && !clock {
            self.fall(&mut inside);
        }
    }

    fn start(&self, inside: &mut Inside) {
        inside.page.clear();
        // A start behind a write's address: what is read next begins there.
        inside.state = if self.time.get() < inside.busy { State::Idle } else { State::Listens };
        (inside.bits, inside.shift, inside.taken) = (0, 0, 0);
    }

    fn stop(&self, inside: &mut Inside) {
        inside.state = State::Idle;
        if !inside.page.is_empty() {
            for (at, octet) in core::mem::take(&mut inside.page) {
                inside.memory[at] = octet;
            }
            inside.busy = self.time.get() + WRITE_TIME;
            inside.writes += 1;
        }
    }

    fn rise(&self, inside: &mut Inside) {
        match inside.state {
            State::Listens if inside.bits < 8 => inside.shift = inside.shift << 1 | u8::from(inside.data),
            // The controller's acknowledge; without it the part is silent from here on.
            State::Speaks if inside.bits == 8 && inside.data => inside.state = State::Idle,
            _ => {}
        }
        inside.bits += 1;
    }

    fn fall(&self, inside: &mut Inside) {
        inside.pulls = false;
        if inside.bits == 9 {
            inside.bits = 0;
            if inside.state == State::Listens && inside.taken == 1 && inside.shift & 1 == 1 {
                inside.state = State::Speaks;
            }
            inside.shift = 0;
        }
        match inside.state {
            State::Listens if inside.bits == 8 => self.octet(inside),
            State::Speaks if inside.bits < 8 => {
                let octet = inside.memory[inside.at];
                inside.pulls = octet >> (7 - inside.bits) & 1 == 0;
                if inside.bits == 7 {
                    inside.at = (inside.at + 1) % inside.memory.len();
                }
            }
            _ => {}
        }
    }

    /// A whole octet has come: it is acknowledged, or the part is not meant.
    fn octet(&self, inside: &mut Inside) {
        let octet = inside.shift;
        match inside.taken {
            0 if octet >> 1 != self.address => {
                inside.state = State::Idle;
                return;
            }
            0 => {}
            1 => inside.at = usize::from(octet) << 8,
            2 => inside.at = (inside.at | usize::from(octet)) % inside.memory.len(),
            _ => {
                let at = inside.at;
                inside.page.push((at, octet));
                inside.at = at / self.page * self.page + (at + 1) % self.page;
            }
        }
        inside.taken += 1;
        inside.pulls = true;
    }
}

/// A line of the bus, as a pin of the controller.
#[derive(Debug, Clone, Copy)]
pub struct Lines<'p> {
    part: &'p Part,
    clock: bool,
}

impl ErrorType for Lines<'_> {
    type Error = Never;
}

impl OutputPin for Lines<'_> {
    fn set_low(&mut self) -> Result<(), Never> {
        if self.clock {
            self.part.drive(Some(false), None)
        } else {
            self.part.drive(None, Some(false))
        }
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Never> {
        if self.clock {
            self.part.drive(Some(true), None)
        } else {
            self.part.drive(None, Some(true))
        }
        Ok(())
    }
}

impl InputPin for Lines<'_> {
    fn is_high(&mut self) -> Result<bool, Never> {
        let inside = self.part.inside.borrow();
        Ok(if self.clock { inside.clock } else { inside.data && !inside.pulls && inside.stuck == 0 })
    }

    fn is_low(&mut self) -> Result<bool, Never> {
        self.is_high().map(|high| !high)
    }
}
