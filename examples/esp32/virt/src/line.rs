//! The serial port: the interrupt puts octets into a ring, the main loop takes them out.

use core::cell::RefCell;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use critical_section::Mutex;
use heapless::spsc::{Consumer, Producer, Queue};
use logic::programs::{IDLE, Program};
use logic::sink::Sink;
use riscv::interrupt::Interrupt;
use static_cell::StaticCell;

use crate::registers::{PLIC, Register, UART};

/// Octets that wait for the main loop.
const RING: usize = 1024;
/// The port's number at the interrupt controller.
const SOURCE: u32 = 10;
const CLAIM: Register = PLIC.at(0x20_0004);
/// Interrupt enable: for each octet received.
const INTERRUPTS: Register = UART.at(1);
/// Line status: octet received, octet overrun, room to send.
const STATUS: Register = UART.at(5);
const RECEIVED: u8 = 0x01;
const OVERRUN: u8 = 0x02;
const ROOM: u8 = 0x20;

static QUEUE: StaticCell<Queue<u8, RING>> = StaticCell::new();
static RECEIVING: Mutex<RefCell<Option<Producer<'static, u8>>>> = Mutex::new(RefCell::new(None));
/// The ring is full, and octets stay in the port. The emulated line has no baud rate: its far end waits.
static STOPPED: AtomicBool = AtomicBool::new(false);
/// Octets that the port overran.
static LOST: AtomicU32 = AtomicU32::new(0);

/// Both directions of the port.
#[derive(Debug)]
pub struct Line {
    /// What was received.
    pub receiver: Receiver,
    /// Where to send.
    pub sender: Sender,
}

impl Line {
    pub(crate) fn new() -> Option<Line> {
        let (producer, consumer) = QUEUE.try_init(Queue::new())?.split();
        critical_section::with(|cs| RECEIVING.borrow(cs).replace(Some(producer)));
        // Priority above the threshold of 0, enabled for this core.
        PLIC.at(4 * SOURCE as usize).write(1);
        PLIC.at(0x2000).write(1 << SOURCE);
        PLIC.at(0x20_0000).write(0);
        INTERRUPTS.set_octet(1);
        Some(Line { receiver: Receiver { ring: consumer, taken: 0 }, sender: Sender(()) })
    }

    /// Runs a program on this line for ever: its lines go out where the octets came in.
    ///
    /// When the line falls idle, a remark says how many octets came and how many were lost before they reached the program.
    pub fn run(mut self, mut program: impl Program) -> ! {
        let mut last = crate::now();
        let mut busy = false;
        self.sender.put_all(b"READY\n");
        loop {
            let mut chunk = [0; 32];
            let octets = self.receiver.take(&mut chunk);
            if !octets.is_empty() {
                program.take(octets, &mut self.sender);
                (last, busy) = (crate::now(), true);
            } else if busy && crate::now().wrapping_sub(last) >= IDLE {
                program.idle(&mut self.sender);
                busy = false;
                self.sender.remark(self.receiver.taken, lost());
            } else {
                crate::sleep();
            }
        }
    }
}

/// Octets from the ring.
pub struct Receiver {
    ring: Consumer<'static, u8>,
    taken: u32,
}

impl Receiver {
    /// Moves what is there into `chunk`, as far as it goes.
    pub fn take<'c>(&mut self, chunk: &'c mut [u8]) -> &'c [u8] {
        let mut len = 0;
        for place in chunk.iter_mut() {
            let Some(octet) = self.ring.dequeue() else { break };
            *place = octet;
            len += 1;
        }
        self.taken = self.taken.wrapping_add(len as u32);
        if len > 0 && STOPPED.load(Ordering::Relaxed) {
            STOPPED.store(false, Ordering::Relaxed);
            INTERRUPTS.set_octet(1);
        }
        chunk.get(..len).unwrap_or_default()
    }

    /// Octets taken so far.
    pub fn taken(&self) -> u32 {
        self.taken
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// Sends, and waits while the port is busy; receiving goes on meanwhile.
#[derive(Debug)]
pub struct Sender(());

impl Sender {
    /// `# idle taken lost`.
    pub fn remark(&mut self, taken: u32, lost: u32) {
        self.put_all(b"# idle ");
        self.decimal(taken);
        self.put(b' ');
        self.decimal(lost);
        self.put(b'\n');
    }
}

impl Sink for Sender {
    // By itself, so that the HAL's panics in it are not charged to whoever writes.
    #[inline(never)]
    fn put(&mut self, octet: u8) {
        while STATUS.octet() & ROOM == 0 {}
        UART.set_octet(octet);
    }
}

/// Octets that were lost on the way to the ring.
pub fn lost() -> u32 {
    LOST.load(Ordering::Relaxed)
}

#[riscv_rt::core_interrupt(Interrupt::MachineExternal)]
fn external() {
    let source = CLAIM.read();
    if source == SOURCE {
        critical_section::with(|cs| {
            let mut receiving = RECEIVING.borrow(cs).borrow_mut();
            let Some(ring) = receiving.as_mut() else { return };
            loop {
                let status = STATUS.octet();
                if status & OVERRUN != 0 {
                    LOST.store(lost().wrapping_add(1), Ordering::Relaxed);
                }
                if status & RECEIVED == 0 {
                    break;
                }
                if !ring.ready() {
                    INTERRUPTS.set_octet(0);
                    STOPPED.store(true, Ordering::Relaxed);
                    break;
                }
                // There is room.
                let _ = ring.enqueue(UART.octet());
            }
        });
    }
    if source != 0 {
        CLAIM.write(source);
    }
}
