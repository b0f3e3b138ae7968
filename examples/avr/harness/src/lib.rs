//! The firmware of `examples/avr` in simavr: a machine with ports, EEPROM, pins and figures.

pub mod meters;
pub mod net;
pub mod streams;

use std::ffi::CString;
use std::os::raw::{c_char, c_int};
use std::path::PathBuf;

/// Frequency of the crystal, in hertz.
pub const CLOCK: u64 = 11_059_200;

/// The port that the meter is on.
pub const METER: usize = 0;
/// The other one: report, or the Wi-Fi module.
pub const OTHER: usize = 1;

/// Where the linked programs are: `AVR_FIRMWARE`, or cargo's own place.
#[must_use]
pub fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("AVR_FIRMWARE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/avr-none/release"),
        PathBuf::from,
    );
    folder.join(format!("{name}.elf"))
}

#[repr(C)]
struct Raw {
    _private: [u8; 0],
}

unsafe extern "C" {
    fn machine_new(elf: *const c_char, hertz: u32) -> *mut Raw;
    fn machine_free(m: *mut Raw);
    fn machine_run(m: *mut Raw, until: u64) -> c_int;
    fn machine_cycle(m: *const Raw) -> u64;
    fn machine_pc(m: *const Raw) -> u32;
    fn machine_peek(m: *const Raw, at: u16) -> u8;
    fn machine_eeprom(m: *mut Raw) -> *mut u8;
    fn machine_programmed(m: *const Raw) -> u32;
    fn machine_static_ram(m: *const Raw) -> u32;
    fn machine_flash(m: *const Raw) -> u32;
    fn machine_resets(m: *const Raw) -> u32;
    fn machine_stack(m: *const Raw) -> u32;
    fn machine_cut(m: *mut Raw, which: u8);
    fn machine_octet_time(m: *mut Raw, port: c_int, cycles: u64);
    fn machine_feed(m: *mut Raw, port: c_int, octets: *const u8, len: usize);
    fn machine_waiting(m: *const Raw, port: c_int) -> usize;
    fn machine_worst(m: *const Raw, port: c_int) -> u64;
    fn machine_lost(m: *const Raw, port: c_int) -> u32;
    fn machine_sent(m: *mut Raw, port: c_int, into: *mut u8, room: usize) -> usize;
    fn machine_pin(m: *mut Raw, port: c_char, pin: c_int, high: c_int);
    fn machine_script(m: *mut Raw, octets: *const u8, len: usize, chunks: *const u8, count: usize);
    fn machine_costs(m: *const Raw, costs: *mut *const u32) -> usize;
    fn machine_spent(m: *const Raw, spent: *mut *const u64) -> usize;
}

/// A chip with a program in it.
pub struct Machine {
    raw: *mut Raw,
    octet_time: [u64; 2],
}

/// Octets of the EEPROM.
pub const EEPROM: usize = 1024;

impl Machine {
    /// With the program of this name, just switched on.
    ///
    /// # Panics
    /// If it has not been built.
    #[must_use]
    pub fn new(name: &str) -> Machine {
        let path = program(name);
        assert!(
            path.exists(),
            "{} is not there: build examples/avr first (cargo xtask firmware avr)",
            path.display()
        );
        let text = CString::new(path.to_string_lossy().as_bytes()).expect("a path without zeros");
        // simavr's look for a core of that name is not made for threads.
        static START: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let _guard = START.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // SAFETY: a path that ends with zero.
        let raw = unsafe { machine_new(text.as_ptr(), CLOCK as u32) };
        assert!(!raw.is_null(), "simavr cannot load {}", path.display());
        Machine { raw, octet_time: [960; 2] }
    }

    /// Sets a port's speed: `bits` of a character (10: 8N1, 11: 8E1).
    pub fn line(&mut self, port: usize, baud: u64, bits: u64) {
        self.octet_time[port] = CLOCK * bits / baud;
        // SAFETY: a machine and one of its ports.
        unsafe { machine_octet_time(self.raw, port as c_int, self.octet_time[port]) };
    }

    /// Cycles of a character on this port.
    #[must_use]
    pub fn octet_time(&self, port: usize) -> u64 {
        self.octet_time[port]
    }

    /// Runs to this cycle.
    ///
    /// # Panics
    /// If the program crashes or stops.
    pub fn run_until(&mut self, cycle: u64) {
        let state = self.run_raw(cycle);
        assert!(
            state == 0,
            "the program {} at {:04x}",
            if state == 1 { "stopped" } else { "crashed" },
            self.pc()
        );
    }

    /// Runs to this cycle; `false` if the program stopped before.
    pub fn run_to_stop(&mut self, cycle: u64) -> bool {
        let state = self.run_raw(cycle);
        assert!(state < 2, "the program crashed at {:04x}", self.pc());
        state == 0
    }

    fn run_raw(&mut self, cycle: u64) -> c_int {
        // SAFETY: a machine.
        unsafe { machine_run(self.raw, cycle) }
    }

    /// Runs for so many milliseconds.
    pub fn run_ms(&mut self, ms: u64) {
        self.run_until(self.cycle() + ms * CLOCK / 1000);
    }

    /// Lets octets come in on a port, behind those that are still to come.
    pub fn feed(&mut self, port: usize, octets: &[u8]) {
        // SAFETY: copied before the call returns.
        unsafe { machine_feed(self.raw, port as c_int, octets.as_ptr(), octets.len()) };
    }

    /// Runs until all octets have come in, and then for so many milliseconds.
    pub fn feed_all(&mut self, port: usize, octets: &[u8], silence_ms: u64) {
        self.feed(port, octets);
        while self.waiting(port) > 0 {
            self.run_ms(1);
        }
        self.run_ms(silence_ms);
    }

    /// Octets that are still to come in.
    #[must_use]
    pub fn waiting(&self, port: usize) -> usize {
        // SAFETY: a machine and one of its ports.
        unsafe { machine_waiting(self.raw, port as c_int) }
    }

    /// What the program has sent since the last call.
    pub fn sent(&mut self, port: usize) -> Vec<u8> {
        let mut all = Vec::new();
        let mut part = [0; 512];
        loop {
            // SAFETY: no more than there is room for.
            let n = unsafe { machine_sent(self.raw, port as c_int, part.as_mut_ptr(), part.len()) };
            if n == 0 {
                return all;
            }
            all.extend_from_slice(&part[..n]);
        }
    }

    /// Sets an input pin.
    pub fn pin(&mut self, port: u8, pin: u8, high: bool) {
        // SAFETY: simavr passes over what it does not know.
        unsafe { machine_pin(self.raw, port as c_char, pin.into(), high.into()) };
    }

    /// A register, or memory.
    #[must_use]
    pub fn peek(&self, at: u16) -> u8 {
        assert!(at < 0x900);
        // SAFETY: within the data space.
        unsafe { machine_peek(self.raw, at) }
    }

    /// The EEPROM.
    pub fn eeprom(&mut self) -> &mut [u8; EEPROM] {
        // SAFETY: lives as long as the machine.
        unsafe { &mut *machine_eeprom(self.raw).cast() }
    }

    /// Takes the power away, in the middle of whatever it is: what remains is the EEPROM.
    #[must_use]
    pub fn cut(mut self, which: u8) -> [u8; EEPROM] {
        // SAFETY: a machine.
        unsafe { machine_cut(self.raw, which) };
        *self.eeprom()
    }

    /// Octets of the EEPROM programmed so far.
    #[must_use]
    pub fn programmed(&self) -> u32 {
        // SAFETY: a machine.
        unsafe { machine_programmed(self.raw) }
    }

    /// Cycles since it was switched on.
    #[must_use]
    pub fn cycle(&self) -> u64 {
        // SAFETY: a machine.
        unsafe { machine_cycle(self.raw) }
    }

    /// Milliseconds since it was switched on.
    #[must_use]
    pub fn ms(&self) -> u64 {
        self.cycle() * 1000 / CLOCK
    }

    /// Octet address of the next instruction.
    #[must_use]
    pub fn pc(&self) -> u32 {
        // SAFETY: a machine.
        unsafe { machine_pc(self.raw) }
    }

    /// Octets of RAM for statics.
    #[must_use]
    pub fn static_ram(&self) -> u32 {
        // SAFETY: a machine.
        unsafe { machine_static_ram(self.raw) }
    }

    /// Octets of flash.
    #[must_use]
    pub fn flash(&self) -> u32 {
        // SAFETY: a machine.
        unsafe { machine_flash(self.raw) }
    }

    /// How often it was reset since it was switched on.
    #[must_use]
    pub fn resets(&self) -> u32 {
        // SAFETY: a machine.
        unsafe { machine_resets(self.raw) }
    }

    /// Octets of stack at its deepest so far.
    #[must_use]
    pub fn stack(&self) -> u32 {
        // SAFETY: a machine.
        unsafe { machine_stack(self.raw) }
    }

    /// Worst time from an octet being there to its being read, in cycles.
    #[must_use]
    pub fn worst_latency(&self, port: usize) -> u64 {
        // SAFETY: a machine and one of its ports.
        unsafe { machine_worst(self.raw, port as c_int) }
    }

    /// Octets lost because the chip's two octets of FIFO and its shift register were full.
    #[must_use]
    pub fn overruns(&self, port: usize) -> u32 {
        // SAFETY: a machine and one of its ports.
        unsafe { machine_lost(self.raw, port as c_int) }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // SAFETY: not used again.
        unsafe { machine_free(self.raw) };
    }
}

/// What a measuring program cost.
pub struct Costs {
    /// Cycles of each call of `decode`, chunk by chunk. A chunk takes a call more than it brings events.
    pub calls: Vec<Vec<u32>>,
    /// The same cycles by the octet address of the instruction that took them.
    pub places: Vec<(u32, u64)>,
}

/// What each call of `decode` in a measuring program cost when fed `octets` in chunks of these sizes.
#[must_use]
pub fn costs(name: &str, octets: &[u8], chunks: &[u8]) -> Costs {
    let mut machine = Machine::new(name);
    // SAFETY: both live until the machine has run.
    unsafe { machine_script(machine.raw, octets.as_ptr(), octets.len(), chunks.as_ptr(), chunks.len()) };
    assert!(!machine.run_to_stop(u64::MAX), "{name} went on");
    let (mut costs, mut spent) = (std::ptr::null(), std::ptr::null());
    // SAFETY: both live as long as the machine. There is at least what the first chunk began with.
    let (costs, spent) = unsafe {
        let (count, words) =
            (machine_costs(machine.raw, &raw mut costs), machine_spent(machine.raw, &raw mut spent));
        (std::slice::from_raw_parts(costs, count), std::slice::from_raw_parts(spent, words))
    };
    // A zero stands before each chunk, and before the end.
    let mut calls: Vec<Vec<u32>> = costs.split(|cost| *cost == 0).skip(1).map(<[u32]>::to_vec).collect();
    calls.pop();
    let places = (0u32..).step_by(2).zip(spent.iter().copied()).filter(|(_, cycles)| *cycles > 0).collect();
    Costs { calls, places }
}
