//! A text that the emulator is told to put into memory, where a chip would have a card or a part of its flash:
//! `-device loader,addr=0x81000000,force-raw=on,file=config.txt`.

const AT: *const u8 = 0x8100_0000 as *const u8;
const MOST: usize = 4096;

/// The text, up to the first octet 0.
pub fn config() -> &'static [u8] {
    // SAFETY: the board has 128 MiB of memory from 0x80000000 on, the program's own ends below, nobody writes there.
    let text = unsafe { core::slice::from_raw_parts(AT, MOST) };
    text.split(|octet| *octet == 0).next().unwrap_or_default()
}
