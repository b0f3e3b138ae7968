//! The receiver of an upgrade: messages to blocks in flash, what is there in a bitmap beside them, answers.
//!
//! Without the hash, which is the caller's (a crypto peripheral or a crate).
#![no_std]
#![no_main]

use embedded_storage::nor_flash::{ErrorType, MultiwriteNorFlash, NorFlash, ReadNorFlash};
use upgrade_proto::bitmap::FlashMap;
use upgrade_proto::flash::Span;
use upgrade_proto::hash::NoHash;
use upgrade_proto::receiver::{Addressed, Config, Layout, Receiver};

type Meter = Receiver<Memory, FlashMap, NoHash, [u8; 0], 512>;

/// Stands for a flash driver: memory that the compiler knows nothing of.
struct Memory;

impl ErrorType for Memory {
    type Error = core::convert::Infallible;
}

impl ReadNorFlash for Memory {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Self::Error> {
        for (place, at) in octets.iter_mut().zip(offset..) {
            // SAFETY: never run.
            *place = unsafe { (at as usize as *const u8).read_volatile() };
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        0x8000
    }
}

impl NorFlash for Memory {
    const WRITE_SIZE: usize = 1;
    const ERASE_SIZE: usize = 4096;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
        (from..to).for_each(|at| put(at, 0xFF));
        Ok(())
    }

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Self::Error> {
        octets.iter().zip(offset..).for_each(|(octet, at)| put(at, *octet));
        Ok(())
    }
}

impl MultiwriteNorFlash for Memory {}

fn put(at: u32, octet: u8) {
    // SAFETY: never run.
    unsafe { (at as usize as *mut u8).write_volatile(octet) };
}

fn meter() -> Meter {
    let span = |start, len| core::hint::black_box(Span { start, len });
    let layout = Layout { image: span(0, 0x40000), meta: span(0x40000, 0x2000), scratch: span(0, 0) };
    let config = Config {
        identity: core::hint::black_box(Default::default()),
        address: Default::default(),
        layout,
        untagged: false,
    };
    Receiver::new(Memory, FlashMap::new(span(0x42000, 0x4000)), [], config)
}

probe::probe!(Option<Meter> = None, |state, octets| {
    let meter = state.get_or_insert_with(meter);
    let now = u64::from(octets.len() as u32);
    let mut answer = [0; 64];
    let done = [
        meter.resume().is_ok(),
        meter.handle_message(octets, Addressed::Me, now).is_ok(),
        meter.work(now).is_ok(),
        meter.poll_transmit(&mut answer, now).is_ok_and(|sent| sent.is_some()),
    ];
    done.iter().fold(u32::from(answer[0]), |sum, done| sum << 1 | u32::from(*done))
});
