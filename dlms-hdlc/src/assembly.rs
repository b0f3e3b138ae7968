//! Reassembly of segmented messages, on any framing, into storage that the caller lends.

use crate::control::Kind;
use crate::error::{Error, ErrorKind};
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

/// Tag of a general-block-transfer APDU, whose blocks have numbers of their own.
const GENERAL_BLOCK_TRANSFER: u8 = 0xE0;

/// HDLC (IEC 62056-46, 6.4.1.3): more segments follow while the S bit is set. The LLC header stands in the first one
/// alone, so it tells which that is. Landis+Gyr sends the second and later blocks of a block transfer without it, each in
/// a frame alone.
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
        let first = if Llc::parse(octets).is_some() {
            Some(true)
        } else if !self.segmented() && octets.first() == Some(&GENERAL_BLOCK_TRANSFER) {
            None
        } else {
            Some(false)
        };
        let segment = Segment { octets, link: Link(link), first, last: !self.segmented(), number };
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
/// them may be missing, and a message with a hole in it is dropped rather than spliced. Where segments have numbers
/// (I frames; M-Bus, up to 16 segments there), the numbers say it instead, and a segment sent again is passed over.
#[derive(Debug)]
pub struct Assembler<B> {
    storage: B,
    len: usize,
    state: State,
    /// Octets lost since the last segment.
    lost: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    /// In a message: whose, and the number of its last segment.
    Open(Link, Option<u8>),
    /// The rest of a message is being dropped.
    Dropping(Link),
}

impl State {
    fn is_of(self, link: Link) -> bool {
        matches!(self, Self::Open(open, _) | Self::Dropping(open) if open == link)
    }
}

/// Octets of noise that cannot have been a segment, but a damaged flag or two.
const HARMLESS: u32 = 2;

impl<B> Assembler<B> {
    /// An assembler over `storage`, whose length is the longest message.
    pub const fn new(storage: B) -> Self {
        Self { storage, len: 0, state: State::Idle, lost: 0 }
    }
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Assembler<B> {
    /// Takes in what the frame decoder reported.
    #[must_use]
    pub fn accept<'s, 'i: 's, C: Carrier<'i>>(&'s mut self, event: &Result<C, Error>) -> Assembled<'s> {
        match event {
            Ok(frame) => frame.segment().map(|segment| self.segment(segment)).unwrap_or_default(),
            Err(error) => Assembled { dropped: self.damaged(*error), message: None },
        }
    }

    /// Ends the message in progress: the line is idle, or the input at its end.
    #[must_use]
    pub fn finish(&mut self) -> Option<Dropped> {
        let open = matches!(self.state, State::Open(..));
        self.state = State::Idle;
        open.then(|| self.dropped(DropReason::Truncated, 0))
    }

    fn damaged(&mut self, error: Error) -> Option<Dropped> {
        let State::Open(link, None) = self.state else { return None };
        self.lost = self.lost.saturating_add(error.lost);
        // Whatever is more than noise began as a frame.
        if error.kind == ErrorKind::Noise && self.lost <= HARMLESS {
            return None;
        }
        self.state = State::Dropping(link);
        Some(self.dropped(DropReason::Damage, 0))
    }

    fn segment<'s, 'i: 's>(&'s mut self, segment: Segment<'i>) -> Assembled<'s> {
        let Segment { octets, link, first, last, number } = segment;
        let ours = self.state.is_of(link);
        match first.unwrap_or(!ours) {
            true if last => self.whole(octets, link),
            true => self.first(octets, link, number),
            false if ours => self.next(octets, link, last, number),
            // The rest of a message that began unheard.
            false => {
                if !last && self.state == State::Idle {
                    self.state = State::Dropping(link);
                }
                let octets = u32::try_from(octets.len()).unwrap_or(u32::MAX);
                Assembled { dropped: Some(Dropped { reason: DropReason::NoFirst, octets }), message: None }
            }
        }
    }

    /// A message in one piece. One from elsewhere does not disturb the one in progress.
    fn whole<'s>(&mut self, octets: &'s [u8], link: Link) -> Assembled<'s> {
        let open = matches!(self.state, State::Open(..));
        let mut dropped = None;
        if self.state.is_of(link) {
            self.state = State::Idle;
            dropped = open.then(|| self.dropped(DropReason::Interrupted, 0));
        }
        Assembled { dropped, message: Some(octets) }
    }

    fn first(&mut self, octets: &[u8], link: Link, number: Option<(u8, u8)>) -> Assembled<'_> {
        let open = matches!(self.state, State::Open(..));
        let mut dropped = open.then(|| self.dropped(DropReason::Interrupted, 0));
        self.len = 0;
        self.state = State::Open(link, number.map(|(number, _)| number));
        if let Some(too_long) = self.append(octets, link, false) {
            let before = dropped.map_or(0, |dropped| dropped.octets);
            dropped = Some(Dropped { octets: too_long.octets.saturating_add(before), ..too_long });
        }
        Assembled { dropped, message: None }
    }

    fn next(&mut self, octets: &[u8], link: Link, last: bool, number: Option<(u8, u8)>) -> Assembled<'_> {
        let after = if last { State::Idle } else { State::Dropping(link) };
        let State::Open(_, before) = self.state else {
            // Being dropped, as has been reported.
            self.state = after;
            return Assembled::default();
        };
        if let (Some(before), Some((number, numbers))) = (before, number) {
            if number == before {
                return Assembled::default();
            }
            if before.wrapping_add(1).checked_rem(numbers) != Some(number) {
                self.state = after;
                let dropped = Some(self.dropped(DropReason::OutOfOrder, octets.len()));
                return Assembled { dropped, message: None };
            }
        }
        self.state = State::Open(link, number.map(|(number, _)| number));
        let dropped = self.append(octets, link, last);
        if !last || dropped.is_some() {
            return Assembled { dropped, message: None };
        }
        self.state = State::Idle;
        let len = core::mem::take(&mut self.len);
        Assembled { dropped, message: self.storage.as_ref().get(..len) }
    }

    fn append(&mut self, octets: &[u8], link: Link, last: bool) -> Option<Dropped> {
        self.lost = 0;
        // In these terms the compiler sees that both lengths agree, and links no panic code.
        let behind = self.storage.as_mut().get_mut(self.len..).unwrap_or_default();
        let Some(place) = behind.get_mut(..octets.len()) else {
            self.state = if last { State::Idle } else { State::Dropping(link) };
            return Some(self.dropped(DropReason::TooLong, octets.len()));
        };
        place.copy_from_slice(octets);
        self.len = self.len.saturating_add(octets.len());
        None
    }

    fn dropped(&mut self, reason: DropReason, more: usize) -> Dropped {
        let octets = core::mem::take(&mut self.len).saturating_add(more);
        Dropped { reason, octets: u32::try_from(octets).unwrap_or(u32::MAX) }
    }
}
