//! How messages travel on other protocols. Each carrier is a feature of its own.

#[cfg(any(feature = "carrier-dlms-image", feature = "carrier-f001"))]
pub mod bits;
#[cfg(feature = "carrier-dlms-image")]
pub mod dlms_image;
#[cfg(feature = "carrier-dlt645")]
pub mod dlt645;
#[cfg(feature = "carrier-f001")]
pub mod f001;
#[cfg(feature = "carrier-plain")]
pub mod plain;
