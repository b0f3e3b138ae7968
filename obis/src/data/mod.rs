//! COSEM data (A-XDR, IEC 61334-6 as used by the DLMS Green Book 9.5 and Blue Book 4.1.5): read, stream, write.
//!
//! | who | use |
//! |---|---|
//! | code that knows the layout of a push | [`Reader`], a cursor that takes one element at a time and never nests |
//! | code that does not | [`Events`], the whole tree as `Begin` / `Value` / `End`, bounded depth and work |
//! | firmware that cannot hold the whole push | [`Decoder`], fed in pieces, the same events, under 200 octets of state |
//! | who sends | [`Writer`] into a slice |
//!
//! All three readers take **one** data element and say where it ended: a notification carries no length, so what follows
//! it (another LLC PDU, padding) is known only then. Nothing recurses, and nothing runs longer than the octets allow:
//! an array of four billion nulls is refused at its count, before the first of them.
//!
//! ```
//! use obis::data::{Container, Event, Events, Value};
//! // structure { octet-string(2), integer }, then two octets that belong to somebody else
//! let mut events = Events::new(&[0x02, 0x02, 0x09, 0x02, 0xCA, 0xFE, 0x0F, 0xFF, 0xE6, 0xE7]);
//! assert_eq!(events.next(), Some(Ok(Event::Begin(Container::Structure(2)))));
//! assert_eq!(events.next(), Some(Ok(Event::Value(Value::OctetString(&[0xCA, 0xFE])))));
//! assert_eq!(events.next(), Some(Ok(Event::Value(Value::Integer(-1)))));
//! assert_eq!(events.next(), Some(Ok(Event::End)));
//! assert_eq!(events.next(), None);
//! assert_eq!(events.rest(), &[0xE6, 0xE7]);
//! ```

mod compact;
mod decoder;
mod error;
mod events;
pub(crate) mod length;
mod reader;
mod value;
mod walk;
mod writer;

pub use compact::CompactArray;
pub use decoder::{Decoder, Part, StringKind};
pub use error::{BufferTooSmall, Error, ErrorKind};
pub use events::{Events, Quirks};
pub use reader::{Element, Entry, Reader, ScalerUnit};
pub use value::{AttributeDescriptor, Container, Event, Value};
pub use walk::MAX_DEPTH;
pub use writer::Writer;
