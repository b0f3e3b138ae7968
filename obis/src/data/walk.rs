//! Where a tree walk stands: the open containers, and what comes next. Shared by the slice reader and the stream decoder.

use super::compact::split_types;
use super::error::ErrorKind;
use super::length;
use super::value::Container;

/// Deepest nesting that [`Events`](super::Events) and [`Decoder`](super::Decoder) follow. Pushes nest three or four deep.
pub const MAX_DEPTH: usize = 12;

/// Events in a compact-array that may follow one another without taking an octet of contents (nulls, empty arrays,
/// brackets): more are refused, so that a few octets cannot make endless work.
const MAX_IDLE: u8 = 64;

/// What the walk needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The data element is complete.
    Done,
    /// The innermost container is complete, and closed by this.
    End,
    /// An element with its tag.
    Tagged,
    /// A value of this type without its tag, in the contents of a compact-array.
    Typed(u8),
    /// A container that a type description opens; it takes no octets.
    Begin(Container),
}

/// The open containers. `left` counts elements to come; `role` says what kind of level it is.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    left: [u32; MAX_DEPTH],
    role: [u8; MAX_DEPTH],
    /// Octets of compact-array contents not yet taken.
    contents: u32,
    depth: u8,
    /// Where in the type description the next element is described.
    at: u8,
    idle: u8,
    started: bool,
}

/// An array or structure of tagged elements.
const PLAIN: u8 = 0xFF;
/// A compact-array.
const COMPACT: u8 = 0xFE;
/// A structure inside a compact-array.
const TYPED_STRUCTURE: u8 = 0xFD;
// Any other role: an array inside a compact-array, the role being where its element type is described (at most 250).

impl Walk {
    pub(super) const fn new() -> Self {
        Self {
            left: [0; MAX_DEPTH],
            role: [0; MAX_DEPTH],
            contents: 0,
            depth: 0,
            at: 0,
            idle: 0,
            started: false,
        }
    }

    pub(super) const fn depth(&self) -> u8 {
        self.depth
    }

    /// Octets of compact-array contents not yet taken.
    pub(super) const fn contents(&self) -> u32 {
        self.contents
    }

    pub(super) const fn is_done(&self) -> bool {
        self.started && self.depth == 0
    }

    /// Moves on to what comes next; `types` is the type description of the compact-array that is open.
    #[inline]
    pub(super) fn step(&mut self, types: &[u8]) -> Result<Step, ErrorKind> {
        let Some(top) = self.depth.checked_sub(1) else {
            if self.started {
                return Ok(Step::Done);
            }
            self.started = true;
            return Ok(Step::Tagged);
        };
        let (Some(left), Some(role)) = (self.left.get_mut(usize::from(top)), self.role.get(usize::from(top)))
        else {
            return Err(ErrorKind::Depth);
        };
        let role = *role;
        if role == COMPACT {
            if self.contents == 0 {
                self.depth = top;
                return Ok(Step::End);
            }
            self.at = 0;
            return self.typed(types);
        }
        let Some(others) = left.checked_sub(1) else {
            self.depth = top;
            return Ok(Step::End);
        };
        *left = others;
        match role {
            PLAIN => Ok(Step::Tagged),
            TYPED_STRUCTURE => self.typed(types),
            element => {
                self.at = element;
                self.typed(types)
            }
        }
    }

    /// A container of `count` tagged elements opens.
    #[inline]
    pub(super) fn open(&mut self, count: u32) -> Result<(), ErrorKind> {
        self.push(count, PLAIN)
    }

    /// A compact-array of so many octets of contents opens.
    pub(super) fn open_compact(&mut self, contents: u32) -> Result<(), ErrorKind> {
        self.contents = contents;
        self.idle = 0;
        self.push(0, COMPACT)
    }

    /// A value in a compact-array took so many octets.
    pub(super) fn took(&mut self, octets: u32) -> Result<(), ErrorKind> {
        self.contents = self.contents.checked_sub(octets).ok_or(ErrorKind::CompactArray)?;
        if octets > 0 {
            self.idle = 0;
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, count: u32, kind: u8) -> Result<(), ErrorKind> {
        let depth = usize::from(self.depth);
        let (Some(left), Some(role)) = (self.left.get_mut(depth), self.role.get_mut(depth)) else {
            return Err(ErrorKind::Depth);
        };
        *left = count;
        *role = kind;
        self.depth = self.depth.saturating_add(1);
        Ok(())
    }

    /// The element that the type description has at `at`.
    fn typed(&mut self, types: &[u8]) -> Result<Step, ErrorKind> {
        self.idle = self.idle.saturating_add(1);
        if self.idle > MAX_IDLE {
            return Err(ErrorKind::CompactArray);
        }
        match types.get(usize::from(self.at)..).unwrap_or_default() {
            [1, high, low, element @ ..] => {
                let count = u32::from(u16::from_be_bytes([*high, *low]));
                let start = position(types, element)?;
                // The walk goes on behind the element's description once the last element is read; of none, at once.
                self.at = if count > 0 { start } else { position(types, split_types(element)?.1)? };
                self.push(count, start)?;
                Ok(Step::Begin(Container::Array(count)))
            }
            [2, members @ ..] => {
                let (count, members) = length::length(members)?;
                self.at = position(types, members)?;
                self.push(count, TYPED_STRUCTURE)?;
                Ok(Step::Begin(Container::Structure(count)))
            }
            [tag, ..] => {
                self.at = self.at.saturating_add(1);
                Ok(Step::Typed(*tag))
            }
            [] => Err(ErrorKind::CompactArray),
        }
    }
}

/// Where in `types` its tail `rest` starts.
fn position(types: &[u8], rest: &[u8]) -> Result<u8, ErrorKind> {
    types.len().checked_sub(rest.len()).and_then(|at| u8::try_from(at).ok()).ok_or(ErrorKind::CompactArray)
}
