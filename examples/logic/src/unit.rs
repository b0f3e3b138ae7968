//! The management unit of a meter (papers 000 and 001), without its chip: the duties of its main loop, a simulated meter behind it, the
//! virtual bus between its services, and where its memories hold what.

mod clock;
mod duties;
mod metering;
pub mod places;
mod services;

pub use clock::Clock;
pub use duties::{Due, Duties};
pub use metering::{Metering, Rate};
pub use services::{Facts, Unit};
