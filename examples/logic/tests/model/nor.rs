//! A 25-series NOR flash, by its data sheet: write enable, page that wraps, sectors of 4 KiB, time that things take.

use core::cell::{Cell, RefCell};

use embedded_hal::digital::{ErrorType, InputPin, OutputPin};

use super::{Never, Time};

const PROGRAM_TIME: u64 = 700_000;
const ERASE_TIME: u64 = 45_000_000;

#[derive(Debug, Default)]
struct Inside {
    clock: bool,
    output: bool,
    selected: bool,
    answer: bool,
    bits: u32,
    shift: u8,
    command: Vec<u8>,
    out: u8,
    memory: Vec<u8>,
    enabled: bool,
    protected: bool,
    busy: u64,
}

#[derive(Debug)]
pub struct Part {
    inside: RefCell<Inside>,
    time: Cell<u64>,
}

impl Part {
    /// All octets 0: nothing may be taken for erased.
    pub fn new(octets: usize) -> Part {
        let inside = Inside { memory: vec![0; octets], ..Inside::default() };
        Part { inside: RefCell::new(inside), time: Cell::new(0) }
    }

    /// Clock, data to the part, data from it, select.
    pub fn pins(&self) -> [Pin<'_>; 4] {
        [Role::Clock, Role::Output, Role::Input, Role::Select].map(|role| Pin { part: self, role })
    }

    pub fn time(&self) -> Time<'_> {
        Time(&self.time)
    }

    pub fn microseconds(&self) -> u64 {
        self.time.get() / 1000
    }

    pub fn protect(&self) {
        self.inside.borrow_mut().protected = true;
    }

    /// Something that began before keeps the part busy for so many microseconds.
    pub fn busy(&self, microseconds: u64) {
        self.inside.borrow_mut().busy = self.time.get() + microseconds * 1000;
    }

    fn select(&self, selected: bool) {
        let mut inside = self.inside.borrow_mut();
        let ends = inside.selected && !selected;
        inside.selected = selected;
        if ends {
            self.end(&mut inside);
        }
        inside.command.clear();
        (inside.bits, inside.shift) = (0, 0);
    }

    /// What a command does when the part is let go.
    fn end(&self, inside: &mut Inside) {
        let busy = self.time.get() < inside.busy;
        let command = core::mem::take(&mut inside.command);
        match command[..] {
            [0x06] if !busy && !inside.protected => inside.enabled = true,
            [code @ (0x02 | 0x20), high, middle, low, ref data @ ..] if !busy && inside.enabled => {
                inside.enabled = false;
                let at = u32::from_be_bytes([0, high, middle, low]) as usize % inside.memory.len();
                if code == 0x20 {
                    let sector = at / 4096 * 4096;
                    inside.memory[sector..sector + 4096].fill(0xFF);
                    inside.busy = self.time.get() + ERASE_TIME;
                } else {
                    for (index, octet) in data.iter().enumerate() {
                        inside.memory[at / 256 * 256 + (at + index) % 256] &= octet;
                    }
                    inside.busy = self.time.get() + PROGRAM_TIME;
                }
            }
            _ => {}
        }
    }

    fn clock(&self, high: bool) {
        let mut inside = self.inside.borrow_mut();
        let rises = !inside.clock && high;
        inside.clock = high;
        if !rises || !inside.selected {
            return;
        }
        if inside.bits == 0 {
            inside.out = self.answer(&inside);
        }
        inside.answer = inside.out >> (7 - inside.bits) & 1 == 1;
        inside.shift = inside.shift << 1 | u8::from(inside.output);
        inside.bits += 1;
        if inside.bits == 8 {
            let octet = inside.shift;
            inside.command.push(octet);
            (inside.bits, inside.shift) = (0, 0);
        }
    }

    /// The octet that the part gives out next.
    fn answer(&self, inside: &Inside) -> u8 {
        let busy = self.time.get() < inside.busy;
        match inside.command[..] {
            [0x05, ..] => u8::from(busy) | u8::from(inside.enabled) << 1,
            [0x03, high, middle, low, ref data @ ..] if !busy => {
                let at = u32::from_be_bytes([0, high, middle, low]) as usize + data.len();
                inside.memory[at % inside.memory.len()]
            }
            _ => 0xA5,
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Role {
    Clock,
    Output,
    Input,
    Select,
}

/// A pin of the controller.
#[derive(Debug, Clone, Copy)]
pub struct Pin<'p> {
    part: &'p Part,
    role: Role,
}

impl Pin<'_> {
    fn set(&self, high: bool) {
        match self.role {
            Role::Clock => self.part.clock(high),
            Role::Output => self.part.inside.borrow_mut().output = high,
            Role::Input => {}
            Role::Select => self.part.select(!high),
        }
    }
}

impl ErrorType for Pin<'_> {
    type Error = Never;
}

impl OutputPin for Pin<'_> {
    fn set_low(&mut self) -> Result<(), Never> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Never> {
        self.set(true);
        Ok(())
    }
}

impl InputPin for Pin<'_> {
    fn is_high(&mut self) -> Result<bool, Never> {
        Ok(self.part.inside.borrow().answer)
    }

    fn is_low(&mut self) -> Result<bool, Never> {
        self.is_high().map(|high| !high)
    }
}
