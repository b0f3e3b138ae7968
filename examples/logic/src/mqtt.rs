//! MQTT 3.1.1: the packets that every reader needs, and a client that publishes.

mod client;
mod packet;

pub use client::{Client, KEEP_ALIVE, Link, Need, Payload, Session};
pub use packet::{DUP, Incoming, QOS1, Taken, head, kind, protocol};
