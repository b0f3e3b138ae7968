//! The virtual bus inside a meter: services and applications talk through one router over pipes.
//!
//! After "Development of application software for the new generation of smart meters" (tables 2 to 4, sections 6.5
//! and 7.1). The paper names the fields of the header but neither their widths nor their order of octets nor any code:
//! those here are **this crate's own choice**, and no compatibility on the wire with any product is claimed.
//!
//! ```text
//! 68 | CA | SA | encryption | meter address (6) | protocol | command | reserved | DataLen (2, low first) | frame
//! ```
//!
//! CA is the source, SA the destination, each a process (bits 7..4) and one of its threads (bits 2..0); the frame is
//! one whole DL/T 645 frame, 68H to 16H. [`Bus`] routes by destination, and what is sent to the bus itself by the
//! data identifier and control code of the frame; a read whose parts have several owners is split and put together
//! again. Everything is plain logic on fixed tables: pipes are the caller's, behind [`Pipes`].

mod app;
mod packet;
mod registry;
mod router;

pub use app::{App, Outcome};
pub use packet::{
    Decoder, Endpoint, HEADER, LONGEST, Packet, PacketBuilder, Packets, Process, STORAGE, command, packets,
};
pub use registry::{Conflict, RegisterError, Registry, Route};
pub use router::{Bus, BusConfig, Dropped, Pipes, Routed};
