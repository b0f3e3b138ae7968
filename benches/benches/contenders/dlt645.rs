//! Who reads a DL/T 645 reply: ours, and straightforward C, built by gcc -O2.
#![allow(unsafe_code, reason = "calls the C baselines")]

use benches as _; // its build script has the C baselines
use dlt645::{Address, Builder, Control, Data, Frame, Reply, Value, Version, items};

/// One reply: four wake-up octets, 20 octets of frame.
pub fn reply(n: u32) -> Vec<u8> {
    let bcd = |octet: u32| (((octet / 10 % 10) << 4) | (octet % 10)) as u8;
    let data = [0x00, 0x00, 0x01, 0x00, bcd(n), bcd(n / 100), bcd(n / 10_000), bcd(n / 1_000_000)];
    let builder = Builder {
        wake_up: 4,
        address: Address::from_number(161 + u64::from(n)),
        control: Control::from_octet(0x91),
        data: Data::plain(&data),
    };
    builder.octets().collect()
}

/// The value with layout, scale, sign and unit from the identifier.
#[inline(never)]
pub fn quantity(octets: &[u8]) -> Option<(Address, i64, i8)> {
    let (frame, _) = Frame::parse(octets).ok()?;
    let Reply::Data { identifier, data, .. } = Reply::parse(&frame, Version::V2007).ok()? else {
        return None;
    };
    match items(identifier, data).next()?.value {
        Ok(Value::Number(number, _)) => Some((frame.address(), number.mantissa, number.exponent)),
        _ => None,
    }
}

#[repr(C)]
#[derive(Default, Debug, PartialEq)]
pub struct Reading {
    address: [u8; 6],
    control: u8,
    identifier: u32,
    pub value: u32,
}

/// Frame, reply, identifier and number, as a meter's or collector's firmware reads one register, into the same struct
/// as the baseline. How many octets were taken.
#[inline(never)]
pub fn read(octets: &[u8], out: &mut Reading) -> Option<usize> {
    let (frame, rest) = Frame::parse(octets).ok()?;
    let Reply::Data { identifier, data, .. } = Reply::parse(&frame, Version::V2007).ok()? else {
        return None;
    };
    out.value = u32::try_from(data.bcd().ok()?).ok()?;
    out.address = frame.address().octets();
    out.control = frame.control().octet();
    out.identifier = identifier.code();
    octets.len().checked_sub(rest.len())
}

unsafe extern "C" {
    fn dlt645_read(octets: *const u8, len: usize, out: *mut Reading) -> core::ffi::c_long;
    #[cfg(dlt645_yardstick)]
    fn dlt_c(octets: *const u8, len: usize, out: *mut Reading) -> core::ffi::c_int;
}

pub fn baseline(octets: &[u8], out: &mut Reading) -> i64 {
    // SAFETY: pointer and length are of one slice, and `out` has the layout of the C struct.
    unsafe { dlt645_read(octets.as_ptr(), octets.len(), out) }
}

#[cfg(dlt645_yardstick)]
pub fn yardstick(octets: &[u8], out: &mut Reading) -> i64 {
    // SAFETY: as above.
    unsafe { dlt_c(octets.as_ptr(), octets.len(), out) }.into()
}
