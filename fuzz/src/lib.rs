//! What the fuzz targets share: the laws that every stream decoder of the family keeps, asserted on any input.

pub mod laws;

mod dlms;
mod dlt645;
mod dsmr;
