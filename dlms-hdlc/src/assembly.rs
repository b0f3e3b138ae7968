//! Reassembly of segmented messages, on any framing, into storage that the caller lends.

use crate::control::Kind;
use crate::error::Error;
use crate::frame::Frame;
use crate::llc::Llc;
use core::fmt;

/// Who talks to whom: segments of one message agree in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link([u8; 8]);

impl From<[u8; 4]> for Link {
    fn from([a, b, c, d]: [u8; 4]) -> Self {
        Self([a, b, c, d, 0, 0, 0, 0])
    }
}

/// What one frame carries of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Octets of the message.
    pub octets: &'a [u8],
    /// Who talks to whom.
    pub link: Link,
    /// Whether this is the first segment; `None` where the framing does not tell.
    pub first: Option<bool>,
    /// Whether this is the last segment.
    pub last: bool,
    /// Number of the segment and how many numbers there are, where the framing counts.
    pub number: Option<(u8, u8)>,
}

/// A frame that carries a message or a segment of one.
pub trait Carrier<'a> {
    /// What this frame carries, if anything.
    fn segment(&self) -> Option<Segment<'a>>;
}

/// HDLC (IEC 62056-46, 6.4.1.3): more segments follow while the S bit is set. The LLC header stands in the first one
/// alone, so it tells which that is.
impl<'a> Carrier<'a> for Frame<'a> {
    fn segment(&self) -> Option<Segment<'a>> {
        // The information of a SNRM, UA or FRMR frame is for the link itself.
        let number = match self.control().kind() {
            Kind::I { send, .. } => Some((send, 8)),
            Kind::Ui => None,
            _ => return None,
        };
        let octets = self.information();
        let mut link = [0; 8];
        let (destination, source) = (self.destination(), self.source());
        let addresses = destination.octets().iter().chain(source.octets());
        link.iter_mut().zip(addresses).for_each(|(place, &octet)| *place = octet);
        let first = Llc::parse(octets).is_some();
        let segment =
            Segment { octets, link: Link(link), first: Some(first), last: !self.segmented(), number };
        (!octets.is_empty()).then_some(segment)
    }
}

/// Why the segments of a message were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum DropReason {
    /// The first segment never came.
    NoFirst,
    /// Octets were lost between two segments.
    Damage,
    /// A segment with another number was due.
    OutOfOrder,
    /// Another message began before this one was complete.
    Interrupted,
    /// The message is longer than the storage.
    TooLong,
    /// The input ended, or the line fell idle, inside the message.
    Truncated,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoFirst => "first segment missing",
            Self::Damage => "octets lost between segments",
            Self::OutOfOrder => "segment out of order",
            Self::Interrupted => "interrupted by another message",
            Self::TooLong => "message longer than the storage",
            Self::Truncated => "last segment missing",
        })
    }
}

/// Segments that were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Dropped {
    /// Why.
    pub reason: DropReason,
    /// Octets of the message dropped with this report.
    pub octets: u32,
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} octets of the message dropped)", self.reason, self.octets)
    }
}

impl core::error::Error for Dropped {}

/// What came of one frame: segments dropped, a whole message, both or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Assembled<'a> {
    /// Segments dropped before the message, if any.
    pub dropped: Option<Dropped>,
    /// A whole message: LLC PDUs in HDLC, an APDU elsewhere.
    pub message: Option<&'a [u8]>,
}

/// Puts segments together in storage that the caller lends; an unsegmented message is passed on where it stands.
///
/// Give it everything that the frame decoder reports, errors included: damage between two segments means that one of
/// them may be missing, and a message with a hole in it is dropped rather than spliced.
#[derive(Debug)]
pub struct Assembler<B> {
    storage: B,
    len: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// In a message: whose, and the number of the next segment.
    Open(Link, Option<u8>),
    /// The rest of a message is being dropped.
    Dropping(Link),
}

/// Octets lost that cannot have been a segment, but a damaged flag or two.
const HARMLESS: u32 = 2;

impl<B> Assembler<B> {
    /// An assembler over `storage`, whose length is the longest message.
    pub const fn new(storage: B) -> Self {
        Self { storage, len: 0, state: State::Idle }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Assembler<B> {
    /// Takes in what the frame decoder reported.
    pub fn accept<'s, 'i: 's, C: Carrier<'i>>(&'s mut self, event: &Result<C, Error>) -> Assembled<'s> {
        match event {
            Ok(frame) => frame.segment().map(|segment| self.segment(segment)).unwrap_or_default(),
            Err(error) => Assembled { dropped: self.damaged(*error), message: None },
        }
    }

    /// Ends the message in progress: the line is idle, or the input at its end.
    pub fn finish(&mut self) -> Option<Dropped> {
        let open = matches!(self.state, State::Open(..));
        self.state = State::Idle;
        open.then(|| self.dropped(DropReason::Truncated, 0))
    }

    fn damaged(&mut self, error: Error) -> Option<Dropped> {
        match self.state {
            State::Open(link, _) if error.lost > HARMLESS => {
                self.state = State::Dropping(link);
                Some(self.dropped(DropReason::Damage, 0))
            }
            _ => None,
        }
    }

    fn segment<'s, 'i: 's>(&'s mut self, segment: Segment<'i>) -> Assembled<'s> {
        let Segment { octets, link, first, last, number } = segment;
        let in_progress = matches!(self.state, State::Open(open, _) | State::Dropping(open) if open == link);
        let first = first.unwrap_or(!in_progress);
        if first && last {
            let dropped = match self.state {
                State::Open(open, _) if open == link => Some(self.dropped(DropReason::Interrupted, 0)),
                // A whole message from elsewhere does not disturb the one in progress.
                State::Open(..) => return Assembled { dropped: None, message: Some(octets) },
                _ => None,
            };
            self.state = State::Idle;
            return Assembled { dropped, message: Some(octets) };
        }
        let next = number.map(|(number, numbers)| number.wrapping_add(1).checked_rem(numbers).unwrap_or(0));
        let due = number.map(|(number, _)| number);
        let mut dropped = None;
        match self.state {
            State::Open(open, expected) if open == link && !first => {
                if expected != due {
                    self.state = if last { State::Idle } else { State::Dropping(link) };
                    return self.drop_with(DropReason::OutOfOrder, octets);
                }
            }
            State::Open(..) if first => dropped = Some(self.dropped(DropReason::Interrupted, 0)),
            _ if first => self.len = 0,
            // Behind a segment lost or given up, or from elsewhere.
            State::Dropping(open) if open == link => {
                if last {
                    self.state = State::Idle;
                }
                return Assembled::default();
            }
            // A last segment alone may as well be a message without LLC header: the layer above will see.
            State::Idle if last && number.is_none() => {
                return Assembled { dropped: None, message: Some(octets) };
            }
            _ => {
                self.state = if last { State::Idle } else { State::Dropping(link) };
                return self.drop_with(DropReason::NoFirst, octets);
            }
        }
        // In these terms the compiler sees that both lengths agree, and links no panic code.
        let behind = self.storage.as_mut().get_mut(self.len..).unwrap_or_default();
        let Some(place) = behind.get_mut(..octets.len()) else {
            self.state = if last { State::Idle } else { State::Dropping(link) };
            return self.drop_with(DropReason::TooLong, octets);
        };
        place.copy_from_slice(octets);
        self.len = self.len.saturating_add(octets.len());
        self.state = State::Open(link, next);
        if !last {
            return Assembled { dropped, message: None };
        }
        self.state = State::Idle;
        let len = core::mem::take(&mut self.len);
        Assembled { dropped, message: self.storage.as_ref().get(..len) }
    }

    fn drop_with(&mut self, reason: DropReason, octets: &[u8]) -> Assembled<'static> {
        Assembled { dropped: Some(self.dropped(reason, octets.len())), message: None }
    }

    fn dropped(&mut self, reason: DropReason, more: usize) -> Dropped {
        let octets = core::mem::take(&mut self.len).saturating_add(more);
        Dropped { reason, octets: u32::try_from(octets).unwrap_or(u32::MAX) }
    }
}
