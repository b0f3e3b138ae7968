//! The reader of a P1 port that sends what it reads to a server: everything of it but pins, ports and sockets.
//!
//! Every period the meter is asked for telegrams (its data request line), until one has come whose check is right; what it
//! says goes out as one JSON object, in an HTTP POST or over MQTT: the [configuration](crate::config::Config) says which.

mod post;
mod reader;
mod reading;

pub use post::Post;
pub use reader::{PATIENCE, Reader};
pub use reading::{ITEMS, Reading};
