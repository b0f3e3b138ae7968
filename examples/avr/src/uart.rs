//! The two ports: interrupts fill a ring, the main loop empties it; sending waits for the port.

use core::cell::UnsafeCell;

use avr_device::interrupt::{self, CriticalSection};
use heapless::spsc::Queue;
use logic::sink::Sink;

use crate::{CLOCK, pac};

/// Speed and parity of a line. Eight data bits, one stop bit.
#[derive(Clone, Copy)]
pub struct Line {
    /// UBRR with U2X.
    divisor: u16,
    /// UCSRC.
    format: u8,
}

impl Line {
    /// 8N1 at so many baud.
    pub const fn plain(baud: u32) -> Self {
        Self { divisor: (CLOCK / 8 / baud - 1) as u16, format: 0x06 }
    }

    /// 8E1 at so many baud.
    pub const fn even(baud: u32) -> Self {
        Self { divisor: Self::plain(baud).divisor, format: 0x26 }
    }
}

/// What an interrupt received and the main loop has not taken yet: one octet less than `N`, a power of two.
///
/// Both sides have it to themselves while they are at it: the interrupt because interrupts do not nest, the main loop
/// because it turns them off for the few cycles that an octet takes. That lets `heapless` see `N` as a constant, and
/// spares a division for each octet.
pub struct Ring<const N: usize> {
    queue: UnsafeCell<Queue<u8, N>>,
    lost: UnsafeCell<u8>,
}

// SAFETY: only accessed with interrupts off.
unsafe impl<const N: usize> Sync for Ring<N> {}

impl<const N: usize> Ring<N> {
    /// Empty.
    pub const fn new() -> Self {
        Self { queue: UnsafeCell::new(Queue::new()), lost: UnsafeCell::new(0) }
    }

    /// For the interrupt. What finds no room is counted.
    #[inline(always)]
    pub fn push(&self, _: CriticalSection<'_>, octet: u8) {
        // SAFETY: interrupts are off, as the argument proves, and nobody keeps a reference.
        let (queue, lost) = unsafe { (&mut *self.queue.get(), &mut *self.lost.get()) };
        if queue.enqueue(octet).is_err() {
            *lost = lost.saturating_add(1);
        }
    }

    /// Takes octets that have come, up to the length of `into`.
    pub fn take<'b>(&self, into: &'b mut [u8]) -> &'b [u8] {
        let mut taken = 0;
        for place in into.iter_mut() {
            // SAFETY: as above. Interrupts are let in between octets.
            let octet = interrupt::free(|_| unsafe { (*self.queue.get()).dequeue() });
            let Some(octet) = octet else { break };
            *place = octet;
            taken += 1;
        }
        into.get(..taken).unwrap_or_default()
    }

    /// Whether nothing waits; to be asked with interrupts off if the answer must hold.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        // SAFETY: only reads two indices.
        unsafe { (*self.queue.get()).is_empty() }
    }

    /// Octets that found no room since the last call, up to 255.
    pub fn lost(&self) -> u8 {
        // SAFETY: as above.
        interrupt::free(|_| unsafe { core::mem::take(&mut *self.lost.get()) })
    }
}

impl<const N: usize> Default for Ring<N> {
    fn default() -> Self {
        Self::new()
    }
}

macro_rules! port {
    ($name:ident, $usart:ident, $ucsra:ident, $ucsrb:ident, $ucsrc:ident, $ubrr:ident, $udr:ident, $u2x:ident, $udre:ident) => {
        /// A port that has been set up; receives by interrupt, into the ring that the program names.
        pub struct $name(pac::$usart);

        impl $name {
            pub(crate) fn new(port: pac::$usart, line: Line) -> Self {
                // U2X first: the emulator takes the baud rate when UBRR is written.
                port.$ucsra().write(|w| w.$u2x().set_bit());
                // SAFETY: any divisor of 12 bits.
                port.$ubrr().write(|w| unsafe { w.bits(line.divisor) });
                // SAFETY: formats of `Line` only.
                port.$ucsrc().write(|w| unsafe { w.bits(line.format) });
                // SAFETY: RXCIE, RXEN, TXEN.
                port.$ucsrb().write(|w| unsafe { w.bits(0x98) });
                Self(port)
            }
        }

        impl Sink for $name {
            fn put(&mut self, octet: u8) {
                while self.0.$ucsra().read().$udre().bit_is_clear() {}
                // SAFETY: any octet.
                self.0.$udr().write(|w| unsafe { w.bits(octet) });
            }
        }
    };
}

port!(Port0, USART0, ucsr0a, ucsr0b, ucsr0c, ubrr0, udr0, u2x0, udre0);
port!(Port1, USART1, ucsr1a, ucsr1b, ucsr1c, ubrr1, udr1, u2x1, udre1);

/// The receive interrupt of a port and its ring: `receive!(METER: 128, USART0_RX, USART0, udr0)`.
#[macro_export]
macro_rules! receive {
    ($ring:ident: $size:literal, $interrupt:ident, $usart:ident, $udr:ident) => {
        static $ring: $crate::uart::Ring<$size> = $crate::uart::Ring::new();

        #[avr_device::interrupt(atmega324pa)]
        fn $interrupt() {
            // SAFETY: this interrupt alone reads the data register.
            let octet = unsafe { (*$crate::pac::$usart::ptr()).$udr().read().bits() };
            // SAFETY: interrupts do not nest.
            $ring.push(unsafe { avr_device::interrupt::CriticalSection::new() }, octet);
        }
    };
}
