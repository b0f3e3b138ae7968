//! A serial port: the interrupt puts octets into a ring, the main loop takes them out.

use core::cell::RefCell;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use critical_section::Mutex;
use heapless::spsc::{Consumer, Producer, Queue};
use logic::programs::{IDLE, Program};
use logic::sink::Sink;
use stm32f4xx_hal::gpio::{PA9, PA10};
use stm32f4xx_hal::pac::{NVIC, USART1, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Rcc;
use stm32f4xx_hal::serial::{Rx, RxListen, Serial, Tx, config};

/// Octets that wait for the main loop: 80 ms at 115,200 baud.
const RING: usize = 1024;

/// The end of the ring that the interrupt feeds.
struct Port {
    rx: Rx<USART1>,
    ring: Producer<'static, u8>,
}

static PORT: Mutex<RefCell<Option<Port>>> = Mutex::new(RefCell::new(None));
/// The ring is full, and no octet is read before the main loop has made room: what comes meanwhile overruns, which the port tells.
static STOPPED: AtomicBool = AtomicBool::new(false);
/// Octets that came damaged, and overruns.
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
    pub(crate) fn new(usart: USART1, tx: PA9, rx: PA10, baud: u32, rcc: &mut Rcc) -> Option<Line> {
        let config = config::Config::default().baudrate(baud.bps());
        let (tx, mut rx) = Serial::new(usart, (tx, rx), config, rcc).ok()?.split();
        let (producer, consumer) = cortex_m::singleton!(: Queue<u8, RING> = Queue::new())?.split();
        rx.listen();
        critical_section::with(|cs| PORT.borrow(cs).replace(Some(Port { rx, ring: producer })));
        // SAFETY: the handler below takes what it needs from PORT, which is filled.
        unsafe { NVIC::unmask(interrupt::USART1) };
        Some(Line { receiver: Receiver { ring: consumer, taken: 0 }, sender: Sender { tx } })
    }

    /// Runs a program on this line for ever: its lines go out where the octets came in.
    ///
    /// When the line falls idle, a remark says how many octets came and how many were lost before they reached the program.
    pub fn run(mut self, mut program: impl Program) -> ! {
        let mut last = crate::now();
        let mut busy = false;
        self.sender.text(b"READY\n");
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
                crate::info!("idle after {} octets, {} lost", self.receiver.taken, lost());
            } else {
                // An octet that came since the look at the ring waits for the next millisecond at most.
                cortex_m::asm::wfi();
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
        if len > 0 && STOPPED.swap(false, Ordering::Relaxed) {
            critical_section::with(|cs| {
                if let Some(port) = PORT.borrow(cs).borrow_mut().as_mut() {
                    port.rx.listen();
                }
            });
        }
        chunk.get(..len).unwrap_or_default()
    }
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// Sends, and waits while the port is busy; receiving goes on meanwhile.
pub struct Sender {
    tx: Tx<USART1>,
}

impl Sender {
    /// Sends text.
    pub fn text(&mut self, text: &[u8]) {
        self.put_all(text);
    }

    /// `# idle taken lost`.
    pub fn remark(&mut self, taken: u32, lost: u32) {
        self.text(b"# idle ");
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
        // The port's only error when sending is that it is busy.
        while self.tx.write(octet).is_err() {}
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

/// Octets that were lost on the way to the ring.
pub fn lost() -> u32 {
    LOST.load(Ordering::Relaxed)
}

#[interrupt]
fn USART1() {
    critical_section::with(|cs| {
        if let Some(port) = PORT.borrow(cs).borrow_mut().as_mut() {
            if !port.ring.ready() {
                port.rx.unlisten();
                STOPPED.store(true, Ordering::Relaxed);
                return;
            }
            let kept = match port.rx.read() {
                Ok(octet) => port.ring.enqueue(octet).is_ok(),
                // Nothing to read: the interrupt was for an error that reading has cleared.
                Err(stm32f4xx_hal::nb::Error::WouldBlock) => true,
                Err(stm32f4xx_hal::nb::Error::Other(_)) => false,
            };
            if !kept {
                LOST.store(lost().wrapping_add(1), Ordering::Relaxed);
            }
        }
    });
}
