//! What the fuzz targets share: the laws that every stream decoder of the family keeps, asserted on any input, and what holds
//! of streams that were built.

pub mod ciphered;
pub mod laws;
pub mod structured;

mod dlms;
mod dlt645;
mod dsmr;
