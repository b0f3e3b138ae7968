//! A serial port: the interrupt puts octets into a ring, the main loop takes them out.

use core::cell::RefCell;
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};

use critical_section::Mutex;
use esp_hal::Blocking;
use esp_hal::gpio::interconnect::PeripheralInput;
use esp_hal::handler;
use esp_hal::peripherals::UART1;
use esp_hal::uart::{Config, Uart, UartInterrupt};
use heapless::spsc::{Consumer, Producer, Queue};
use logic::programs::{IDLE, Program};
use logic::sink::Sink;
use static_cell::StaticCell;

use crate::pins::Send;

/// Octets that wait for the main loop: 80 ms at 115,200 baud.
const RING: usize = 1024;
/// Octets that the chip's own queue holds.
const FIFO: usize = 128;

/// The end of the ring that the interrupt feeds, and the port, which both ends share.
struct Port {
    uart: Uart<'static, Blocking>,
    ring: Producer<'static, u8>,
}

static PORT: Mutex<RefCell<Option<Port>>> = Mutex::new(RefCell::new(None));
static QUEUE: StaticCell<Queue<u8, RING>> = StaticCell::new();
/// Octets that came damaged or found the ring full.
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
    pub(crate) fn new(
        uart: UART1<'static>,
        rx: impl PeripheralInput<'static>,
        tx: Send<'static>,
        config: Config,
    ) -> Option<Line> {
        let mut uart = Uart::new(uart, config).ok()?.with_rx(rx).with_tx(tx);
        let (producer, consumer) = QUEUE.try_init(Queue::new())?.split();
        uart.set_interrupt_handler(received);
        critical_section::with(|cs| {
            uart.listen(UartInterrupt::RxFifoFull | UartInterrupt::RxTimeout);
            PORT.borrow_ref_mut(cs).replace(Port { uart, ring: producer });
        });
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
        chunk.get(..len).unwrap_or_default()
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
        let mut sent = false;
        while !sent {
            critical_section::with(|cs| {
                if let Some(port) = PORT.borrow(cs).borrow_mut().as_mut() {
                    sent = port.uart.write_ready() && port.uart.write(&[octet]).is_ok();
                }
            });
        }
    }
}

/// Octets that came damaged, or that the ring had no room for.
pub fn lost() -> u32 {
    LOST.load(Ordering::Relaxed)
}

#[handler]
fn received() {
    critical_section::with(|cs| {
        if let Some(port) = PORT.borrow(cs).borrow_mut().as_mut() {
            let mut octets = [0; FIFO];
            let kept = match port.uart.read_buffered(&mut octets) {
                Ok(len) => octets.iter().take(len).all(|octet| port.ring.enqueue(*octet).is_ok()),
                Err(_) => false,
            };
            if !kept {
                LOST.store(lost().wrapping_add(1), Ordering::Relaxed);
            }
            port.uart.clear_interrupts(UartInterrupt::RxFifoFull | UartInterrupt::RxTimeout);
        }
    });
}
