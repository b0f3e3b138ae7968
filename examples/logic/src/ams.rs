//! The AMS reader: HAN frames of a Norwegian meter in, averages and hourly energies out over MQTT, voltages kept over a
//! power failure.
//!
//! | topic | when | payload (big-endian) |
//! |---|---|---|
//! | `avg/ID` | each period | `time u32, messages u16, fields u16, then for each bit set in fields, from bit 0: average u32, minimum u32, maximum u32` |
//! | `hr/ID` | each list 3 | `time u32, import u32 Wh, export u32 Wh, reactive import u32 varh, reactive export u32 varh` |
//! | `pf/ID` | first after a power failure | `phases u8, then for each record, newest first: time u32, voltages u16 in 0.1 V` |
//! | `freq` | to all readers | one octet, or decimal text: minutes of a period, 1 to 60 |
//!
//! Fields: 0 and 1 active power import and export in W, 2 and 3 reactive power in var, 4 to 6 currents in mA, 7 to 9
//! voltages in 0.1 V. Times are seconds since 1970-01-01 in the local time of the meter, 0 where no message has said one.

pub mod average;
pub mod client;
mod cursor;
pub mod meter;
pub mod modem;
pub mod reading;
pub mod record;
