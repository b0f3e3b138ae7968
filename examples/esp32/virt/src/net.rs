//! The board's network: virtio-net over memory-mapped registers, as a device of smoltcp.

use core::ptr::{NonNull, addr_of_mut};
use core::sync::atomic::{AtomicUsize, Ordering};

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::time::Instant;
use virtio_drivers::device::net::VirtIONetRaw;
use virtio_drivers::transport::mmio::{MmioTransport, VirtIOHeader};
use virtio_drivers::transport::{DeviceType, Transport};
use virtio_drivers::{BufferDirection, Hal, PAGE_SIZE, PhysAddr};

/// Entries of each of the device's two queues.
const QUEUE: usize = 4;
/// Longest Ethernet frame.
const FRAME: usize = 1514;
/// What the device puts in front of a frame, at most.
const HEADER: usize = 12;
/// Where QEMU puts its eight virtio devices, a page each.
const DEVICES: usize = 0x1000_1000;

/// The network port.
pub struct Port {
    device: VirtIONetRaw<Memory, MmioTransport<'static>, QUEUE>,
    buffer: &'static mut [u8; HEADER + FRAME],
    /// The frame that is being received, by the device's number for it.
    waiting: Option<u16>,
}

impl Port {
    /// The first network device; `None` where there is none, or when it was taken before.
    pub fn take() -> Option<Port> {
        static BUFFER: static_cell::StaticCell<[u8; HEADER + FRAME]> = static_cell::StaticCell::new();
        let transport = (0..8).find_map(|place| {
            let header = NonNull::new((DEVICES + place * PAGE_SIZE) as *mut VirtIOHeader)?;
            // SAFETY: QEMU has a virtio device at each of these places, if only an empty one.
            let transport = unsafe { MmioTransport::new(header, PAGE_SIZE) }.ok()?;
            (transport.device_type() == DeviceType::Network).then_some(transport)
        })?;
        let device = VirtIONetRaw::new(transport).ok()?;
        let buffer = BUFFER.try_init([0; HEADER + FRAME])?;
        Some(Port { device, buffer, waiting: None })
    }

    /// The Ethernet address.
    pub fn address(&self) -> [u8; 6] {
        self.device.mac_address()
    }

    /// A frame that has come, in a buffer of its own.
    fn frame(&mut self) -> Option<Frame> {
        let token = match self.waiting {
            Some(token) => token,
            None => {
                // SAFETY: the buffer is not touched until the device has given it back below.
                let token = unsafe { self.device.receive_begin(self.buffer) }.ok()?;
                *self.waiting.insert(token)
            }
        };
        self.device.poll_receive()?;
        self.waiting = None;
        // SAFETY: the buffer and the token are those of `receive_begin`.
        let (from, len) = unsafe { self.device.receive_complete(token, self.buffer) }.ok()?;
        let mut frame = Frame { octets: [0; FRAME], len: 0 };
        let received = self.buffer.get(from..).and_then(|rest| rest.get(..len))?;
        frame.octets.get_mut(..len)?.copy_from_slice(received);
        frame.len = len;
        Some(frame)
    }
}

impl core::fmt::Debug for Port {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Port")
    }
}

/// A frame that has come.
#[derive(Debug)]
pub struct Frame {
    octets: [u8; FRAME],
    len: usize,
}

impl RxToken for Frame {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, take: F) -> R {
        take(self.octets.get(..self.len).unwrap_or_default())
    }
}

/// Leave to send a frame.
#[derive(Debug)]
pub struct Sending<'p>(&'p mut Port);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, fill: F) -> R {
        let mut octets = [0; FRAME];
        let frame = octets.get_mut(..len).unwrap_or_default();
        let result = fill(frame);
        // A frame that is lost is sent again by whoever wanted it to arrive.
        let _ = self.0.device.send(frame);
        result
    }
}

impl Device for Port {
    type RxToken<'p> = Frame;
    type TxToken<'p> = Sending<'p>;

    fn receive(&mut self, _now: Instant) -> Option<(Frame, Sending<'_>)> {
        let frame = self.frame()?;
        Some((frame, Sending(self)))
    }

    fn transmit(&mut self, _now: Instant) -> Option<Sending<'_>> {
        Some(Sending(self))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = Medium::Ethernet;
        capabilities.max_transmission_unit = FRAME;
        capabilities
    }
}

/// Memory that program and device share: the program's own, as there is no other kind on this board.
struct Memory;

/// Pages for the queues, handed out once.
const PAGES: usize = 8;

#[repr(C, align(4096))]
struct Pages([[u8; PAGE_SIZE]; PAGES]);

static mut SHARED: Pages = Pages([[0; PAGE_SIZE]; PAGES]);
static TAKEN: AtomicUsize = AtomicUsize::new(0);

// SAFETY: pages are aligned, zeroed, and never handed out twice; addresses are the same for program and device.
unsafe impl Hal for Memory {
    fn dma_alloc(pages: usize, _direction: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = TAKEN.load(Ordering::Relaxed);
        // The address 0 says that there is no memory.
        let none = (0, NonNull::dangling());
        if first + pages > PAGES {
            return none;
        }
        // One core, and interrupts do not come here.
        TAKEN.store(first + pages, Ordering::Relaxed);
        let start = addr_of_mut!(SHARED).cast::<u8>().wrapping_add(first * PAGE_SIZE);
        NonNull::new(start).map_or(none, |page| (start as PhysAddr, page))
    }

    unsafe fn dma_dealloc(_address: PhysAddr, _page: NonNull<u8>, _pages: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _size: usize) -> NonNull<u8> {
        NonNull::new(address as usize as *mut u8).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _direction: BufferDirection) -> PhysAddr {
        buffer.cast::<u8>().as_ptr() as usize as PhysAddr
    }

    unsafe fn unshare(_address: PhysAddr, _buffer: NonNull<[u8]>, _direction: BufferDirection) {}
}
