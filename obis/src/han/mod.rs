//! HAN lists: the named, scaled values in the data of a notification.
//!
//! [`entries`] walks the data once and hands out an [`Entry`] for each value: its OBIS code where the list names it, its
//! place in the tree, and the value, exact and in its unit. Nothing is allocated, nesting is bounded, and the work is
//! bounded by the octets.
//!
//! Where the names come from, in this order:
//!
//! | layout | example | named by |
//! |---|---|---|
//! | `{code, value, {scaler, unit}}`, nested or flat | Aidon, L+G E350, Kaifa AT, Sagemcom | itself |
//! | `{code, value}` pairs without unit | Kamstrup, Kaifa SE, L+G E450 AT | code itself; unit by a [`Profile`] |
//! | object list first, values after | L+G and Iskra CH | the object list; unit by a profile |
//! | values by position alone | Kaifa NO, Iskra SI and HR, L+G Burgenland | a profile |
//! | untagged cosem-attribute-descriptors | Sagemcom XT211, EG.D CZ | a profile that accepts them |
//!
//! **A value that is not sure is not a value**: where neither the meter nor a profile says how a number is scaled, it
//! comes out as [`Value::Plain`], as sent and without unit. Values that nobody names come out with their place alone.
//!
//! ```
//! use obis::han;
//! // structure { 1-0:32.7.0, 2392, { scaler -1, unit V } }
//! let body = [2, 3, 9, 6, 1, 0, 32, 7, 0, 255, 18, 0x09, 0x58, 2, 2, 0x0F, 0xFF, 0x16, 35];
//! let voltage = han::entries(&body).next().unwrap().unwrap();
//! assert_eq!(voltage.obis, Some(obis::obis!("1-0:32.7.0")));
//! assert_eq!(voltage.value.to_string(), "239.2 V");
//! ```

pub mod aidon;
mod entries;
mod float;
pub mod iskra;
pub mod kaifa;
pub mod kamstrup;
pub mod landis_gyr;
mod objects;
mod profile;
mod quick;
pub mod sagemcom;
#[cfg(test)]
mod tests;
mod value;

pub use entries::{Entries, entries, entries_with};
pub use profile::{BuiltIn, BuiltInList, Either, Head, Profile, Scale};
pub use value::{Entry, MAX_DEPTH, Path, Value};
