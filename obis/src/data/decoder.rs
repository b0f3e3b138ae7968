//! The stream decoder: the same events as [`Events`](super::Events), from octets that come in pieces.

use super::compact::split_types;
use super::error::{Error, ErrorKind};
use super::length;
use super::value::{Container, Event, Size, Value, leaf, size};
use super::walk::{Step, Walk};

/// Longest string that comes in one piece, and longest piece of a longer one, in octets.
const PART: usize = 64;
/// Longest type description of a compact-array, in octets.
const TYPES: usize = 40;

/// Reads one data element from octets fed in pieces, with under 200 octets of state.
///
/// The events are those of [`Events`](super::Events), whatever the pieces. Strings of up to 64 octets are one
/// [`Event::Value`]; longer ones come as [`Event::Part`]s of 64 octets, the last one shorter. What a slice reader
/// can refuse at once (a count of more elements than there are octets) is found here when the octets run out. Type
/// descriptions of compact-arrays may be 40 octets long.
///
/// ```
/// use obis::data::{Decoder, Event, Value};
/// let mut decoder = Decoder::new();
/// let mut values = 0;
/// for piece in [&[0x02, 0x02, 0x12][..], &[0x08], &[0xFC, 0x16, 0x1B, 0xE6, 0xE7]] {
///     let mut input = piece;
///     while let Some(event) = decoder.decode(&mut input) {
///         if let Event::Value(value) = event? {
///             assert!(matches!(value, Value::LongUnsigned(2300) | Value::Enum(27)));
///             values += 1;
///         }
///     }
///     // Once the element is complete the decoder takes no more: the rest is somebody else's.
///     assert_eq!(input, if decoder.is_done() { &[0xE6, 0xE7][..] } else { &[] });
/// }
/// assert_eq!(values, 2);
/// assert_eq!(decoder.finish(), None);
/// # Ok::<(), obis::data::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Decoder {
    walk: Walk,
    /// Octets taken in, at the front of the element that is being read and in all.
    element_at: u32,
    taken: u32,
    phase: Phase,
    hold: [u8; PART],
    held: u8,
    types: [u8; TYPES],
    types_len: u8,
}

/// A piece of a long string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Part<'a> {
    /// The type of string.
    pub kind: StringKind,
    /// Octets of the whole string.
    pub total: u32,
    /// Octets of the string before this piece.
    pub offset: u32,
    /// The piece.
    pub octets: &'a [u8],
}

/// The type of a string that comes in parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum StringKind {
    /// bit-string \[4\] of so many bits.
    Bits(u32),
    /// octet-string \[9\].
    Octets,
    /// visible-string \[10\].
    Visible,
    /// utf8-string \[12\].
    Utf8,
}

impl Part<'_> {
    /// Whether the string ends with this piece.
    #[must_use]
    pub fn is_last(&self) -> bool {
        let end = usize::try_from(self.offset).ok().and_then(|offset| offset.checked_add(self.octets.len()));
        end.and_then(|end| u32::try_from(end).ok()) == Some(self.total)
    }
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing of the next element is read.
    Step,
    /// A tag is to come.
    Tag,
    /// The length of an array, structure, string or compact-array contents is to come, octet by octet.
    Length { tag: u8, typed: bool },
    /// So many octets of a value are to come, all held together.
    Body { tag: u8, octets: u8, bits: u32, typed: bool },
    /// Parts of a string are to come.
    Parts { tag: u8, total: u32, done: u32, bits: u32, typed: bool },
    /// The type description of a compact-array is to come.
    Types,
    /// An error was reported; nothing more is read.
    Failed,
}

/// What one turn of the machine gives: an event whose octets lie in the input or in `hold`.
enum Turn<'i> {
    Event(Event<'i>),
    /// The value of type `tag` whose octets are the first so many of `hold`.
    Held {
        octets: u8,
        kind: Held,
    },
    /// The input is used up.
    Hungry,
    /// Nothing to report yet.
    Go,
}

#[derive(Clone, Copy)]
enum Held {
    Value { tag: u8, bits: u32 },
    Part { kind: StringKind, total: u32, offset: u32 },
}

impl Decoder {
    /// A decoder before the first octet.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            walk: Walk::new(),
            element_at: 0,
            taken: 0,
            phase: Phase::Step,
            hold: [0; PART],
            held: 0,
            types: [0; TYPES],
            types_len: 0,
        }
    }

    /// Takes octets off the front of `input` up to the next event.
    ///
    /// `None`: the input is used up, or the data element is complete ([`Decoder::is_done`]) and what is left of the
    /// input is not part of it, or an error was reported before.
    ///
    /// # Errors
    /// As [`Reader::element`](super::Reader::element), [`ErrorKind::Depth`]; the decoder then stands still until
    /// [`Decoder::reset`].
    pub fn decode<'s, 'i: 's>(&'s mut self, input: &mut &'i [u8]) -> Option<Result<Event<'s>, Error>> {
        loop {
            if matches!(self.phase, Phase::Failed) || (matches!(self.phase, Phase::Step) && self.is_done()) {
                return None;
            }
            let before = input.len();
            let turn = self.turn(input);
            let took = before.saturating_sub(input.len());
            self.taken = self.taken.saturating_add(u32::try_from(took).unwrap_or(u32::MAX));
            match turn {
                Ok(Turn::Go) => {}
                Ok(Turn::Hungry) => return None,
                Ok(Turn::Event(event)) => return Some(Ok(event)),
                Ok(Turn::Held { octets, kind }) => {
                    let content = self.hold.get(..usize::from(octets)).unwrap_or_default();
                    return Some(build(kind, content).map_err(|kind| kind.at(self.element_at)));
                }
                Err(kind) => {
                    self.phase = Phase::Failed;
                    return Some(Err(kind.at(self.element_at)));
                }
            }
        }
    }

    /// The octets have ended: an error if the data element is not complete.
    ///
    /// An error that [`Decoder::decode`] has reported is not reported again.
    pub fn finish(&mut self) -> Option<Error> {
        if self.is_done() || matches!(self.phase, Phase::Failed) {
            return None;
        }
        self.phase = Phase::Failed;
        Some(ErrorKind::Truncated.at(self.element_at))
    }

    /// Whether the data element is complete.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Step) && self.walk.is_done()
    }

    /// Octets of the data element taken in so far.
    #[must_use]
    pub const fn offset(&self) -> u32 {
        self.taken
    }

    /// Containers open now.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        self.walk.depth()
    }

    /// Starts over, before the first octet of another data element.
    pub const fn reset(&mut self) {
        *self = Self::new();
    }

    fn turn<'i>(&mut self, input: &mut &'i [u8]) -> Result<Turn<'i>, ErrorKind> {
        match self.phase {
            Phase::Step => self.step(),
            Phase::Tag => self.tag(input),
            Phase::Length { tag, typed } => self.length(tag, typed, input),
            Phase::Body { tag, octets, bits, typed } => {
                let Some(gathered) = self.gather(octets, input) else { return Ok(Turn::Hungry) };
                self.phase = Phase::Step;
                self.account(typed, u32::from(octets))?;
                let kind = Held::Value { tag, bits };
                match gathered {
                    Gathered::Input(content) => build(kind, content).map(Turn::Event),
                    Gathered::Held => Ok(Turn::Held { octets, kind }),
                }
            }
            Phase::Parts { tag, total, done, bits, typed } => {
                let left = total.saturating_sub(done);
                let octets = u8::try_from(left).map_or(PART_OCTETS, |left| left.min(PART_OCTETS));
                let Some(gathered) = self.gather(octets, input) else { return Ok(Turn::Hungry) };
                self.account(typed, u32::from(octets))?;
                let after = done.saturating_add(u32::from(octets));
                self.phase = if after == total {
                    Phase::Step
                } else {
                    Phase::Parts { tag, total, done: after, bits, typed }
                };
                let kind = Held::Part { kind: string_kind(tag, bits), total, offset: done };
                match gathered {
                    Gathered::Input(content) => build(kind, content).map(Turn::Event),
                    Gathered::Held => Ok(Turn::Held { octets, kind }),
                }
            }
            Phase::Types => self.type_description(input),
            Phase::Failed => Ok(Turn::Hungry),
        }
    }

    fn step<'i>(&mut self) -> Result<Turn<'i>, ErrorKind> {
        self.element_at = self.taken;
        let types = self.types.get(..usize::from(self.types_len)).unwrap_or_default();
        match self.walk.step(types)? {
            Step::Done => Ok(Turn::Hungry),
            Step::End => Ok(Turn::Event(Event::End)),
            Step::Begin(container) => Ok(Turn::Event(Event::Begin(container))),
            Step::Tagged => {
                self.phase = Phase::Tag;
                Ok(Turn::Go)
            }
            Step::Typed(tag) => {
                self.phase = after_tag(tag, true)?;
                Ok(Turn::Go)
            }
        }
    }

    fn tag<'i>(&mut self, input: &mut &'i [u8]) -> Result<Turn<'i>, ErrorKind> {
        let [tag, rest @ ..] = *input else { return Ok(Turn::Hungry) };
        *input = rest;
        self.phase = match tag {
            1 | 2 => Phase::Length { tag: *tag, typed: false },
            19 => Phase::Types,
            tag => after_tag(*tag, false)?,
        };
        Ok(Turn::Go)
    }

    fn length<'i>(&mut self, tag: u8, typed: bool, input: &mut &'i [u8]) -> Result<Turn<'i>, ErrorKind> {
        let Some(held) = self.hold_one(input) else { return Ok(Turn::Hungry) };
        let count = match length::length(held) {
            Ok((count, _)) => count,
            Err(ErrorKind::Truncated) => return Ok(Turn::Go),
            Err(kind) => return Err(kind),
        };
        let header = u32::from(core::mem::take(&mut self.held));
        self.phase = Phase::Step;
        match tag {
            1 => {
                self.walk.open(count)?;
                return Ok(Turn::Event(Event::Begin(Container::Array(count))));
            }
            2 => {
                self.walk.open(count)?;
                return Ok(Turn::Event(Event::Begin(Container::Structure(count))));
            }
            19 => {
                self.walk.open_compact(count)?;
                return Ok(Turn::Event(Event::Begin(Container::CompactArray { octets: count })));
            }
            _ => {}
        }
        self.account(typed, header)?;
        let (total, bits) = if tag == BIT_STRING { (count.div_ceil(8), count) } else { (count, 0) };
        if typed && total > self.walk.contents() {
            return Err(ErrorKind::CompactArray);
        }
        self.phase = match u8::try_from(total) {
            Ok(octets) if octets <= PART_OCTETS => Phase::Body { tag, octets, bits, typed },
            _ => Phase::Parts { tag, total, done: 0, bits, typed },
        };
        Ok(Turn::Go)
    }

    fn type_description<'i>(&mut self, input: &mut &'i [u8]) -> Result<Turn<'i>, ErrorKind> {
        let [octet, rest @ ..] = *input else { return Ok(Turn::Hungry) };
        *input = rest;
        let held = usize::from(self.held);
        let place = self.types.get_mut(held).ok_or(ErrorKind::CompactArray)?;
        *place = *octet;
        self.held = self.held.saturating_add(1);
        match split_types(self.types.get(..=held).unwrap_or_default()) {
            Ok(_) => {
                self.types_len = core::mem::take(&mut self.held);
                self.phase = Phase::Length { tag: 19, typed: false };
                Ok(Turn::Go)
            }
            Err(ErrorKind::Truncated) => Ok(Turn::Go),
            Err(kind) => Err(kind),
        }
    }

    /// In a compact-array, takes octets off its contents.
    fn account(&mut self, typed: bool, octets: u32) -> Result<(), ErrorKind> {
        if typed { self.walk.took(octets) } else { Ok(()) }
    }

    /// Moves one octet into `hold`, and gives what is held.
    fn hold_one(&mut self, input: &mut &[u8]) -> Option<&[u8]> {
        let (octet, rest) = input.split_first()?;
        let held = usize::from(self.held);
        *self.hold.get_mut(held)? = *octet;
        *input = rest;
        self.held = self.held.saturating_add(1);
        self.hold.get(..=held)
    }

    /// The next `octets` octets together, from the input as they lie there if they all do, else by way of `hold`.
    fn gather<'i>(&mut self, octets: u8, input: &mut &'i [u8]) -> Option<Gathered<'i>> {
        let wanted = usize::from(octets);
        if self.held == 0
            && let Some((content, rest)) = input.split_at_checked(wanted)
        {
            *input = rest;
            return Some(Gathered::Input(content));
        }
        let free = self.hold.get_mut(usize::from(self.held)..wanted)?;
        let n = free.len().min(input.len());
        let (taken, rest) = input.split_at_checked(n)?;
        free.get_mut(..n)?.copy_from_slice(taken);
        *input = rest;
        self.held = self.held.saturating_add(u8::try_from(n).unwrap_or(u8::MAX));
        if self.held < octets {
            return None;
        }
        self.held = 0;
        Some(Gathered::Held)
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

enum Gathered<'i> {
    Input(&'i [u8]),
    Held,
}

const BIT_STRING: u8 = 4;
const PART_OCTETS: u8 = 64;

/// What follows the tag of a value.
const fn after_tag(tag: u8, typed: bool) -> Result<Phase, ErrorKind> {
    match size(tag) {
        Size::Fixed(octets) => Ok(Phase::Body { tag, octets, bits: 0, typed }),
        Size::Octets | Size::Bits => Ok(Phase::Length { tag, typed }),
        Size::NoLeaf => Err(ErrorKind::Type(tag)),
    }
}

const fn string_kind(tag: u8, bits: u32) -> StringKind {
    match tag {
        BIT_STRING => StringKind::Bits(bits),
        10 => StringKind::Visible,
        12 => StringKind::Utf8,
        _ => StringKind::Octets,
    }
}

fn build(kind: Held, octets: &[u8]) -> Result<Event<'_>, ErrorKind> {
    match kind {
        Held::Part { kind, total, offset } => Ok(Event::Part(Part { kind, total, offset, octets })),
        Held::Value { tag: BIT_STRING, bits } => Ok(Event::Value(Value::BitString { bits, octets })),
        Held::Value { tag: 9, .. } => Ok(Event::Value(Value::OctetString(octets))),
        Held::Value { tag: 10, .. } => Ok(Event::Value(Value::VisibleString(octets))),
        Held::Value { tag: 12, .. } => Ok(Event::Value(Value::Utf8String(octets))),
        Held::Value { tag, .. } => leaf(tag, octets).map(|(value, _)| Event::Value(value)),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_state_is_under_200_octets() {
        assert!(size_of::<Decoder>() <= 200, "{}", size_of::<Decoder>());
    }

    /// Every event in its printed form, fed `piece` octets at a time.
    fn fed(octets: &[u8], piece: usize) -> Vec<std::string::String> {
        let mut decoder = Decoder::new();
        let mut events = Vec::new();
        for chunk in octets.chunks(piece) {
            let mut input = chunk;
            while let Some(event) = decoder.decode(&mut input) {
                events.push(std::format!("{event:?}"));
            }
        }
        events.extend(decoder.finish().map(|error| std::format!("{error:?}")));
        events
    }

    #[test]
    fn long_strings_come_in_the_same_parts_however_cut() {
        let mut octets = std::vec![2, 2, 9, 0x81, 200];
        octets.extend([0x5A; 200]);
        octets.extend([4, 0x82, 2, 0x07]);
        octets.extend([0xFF; 65]);
        let whole = fed(&octets, octets.len());
        assert_eq!(whole.len(), 1 + 4 + 2 + 1);
        for piece in 1..octets.len() {
            assert_eq!(fed(&octets, piece), whole, "pieces of {piece}");
        }
        let mut decoder = Decoder::new();
        let mut input = &octets[..];
        let mut joined = Vec::new();
        while let Some(event) = decoder.decode(&mut input) {
            if let Event::Part(part @ Part { kind: StringKind::Octets, .. }) = event.unwrap() {
                assert_eq!((part.total, part.offset), (200, u32::try_from(joined.len()).unwrap()));
                joined.extend_from_slice(part.octets);
                assert_eq!(part.is_last(), joined.len() == 200);
            }
        }
        assert_eq!(joined, [0x5A; 200]);
    }

    #[test]
    fn an_error_stops_it_and_is_told_once() {
        let mut decoder = Decoder::new();
        let mut input = &[2, 2, 17, 5, 0x2A, 0, 0][..];
        for _ in 0..2 {
            assert!(decoder.decode(&mut input).unwrap().is_ok());
        }
        assert_eq!(decoder.decode(&mut input), Some(Err(ErrorKind::Type(0x2A).at(4))));
        assert_eq!(decoder.decode(&mut input), None);
        assert_eq!(decoder.finish(), None);
        decoder.reset();
        let mut input = &[17, 5, 6][..];
        assert_eq!(decoder.decode(&mut input), Some(Ok(Event::Value(Value::Unsigned(5)))));
        assert_eq!(decoder.decode(&mut input), None);
        assert_eq!((input, decoder.is_done()), (&[6][..], true));
    }

    #[test]
    fn octets_that_end_too_soon_are_told_at_the_end() {
        let mut decoder = Decoder::new();
        let mut input = &[1, 2, 18, 0][..];
        assert!(decoder.decode(&mut input).unwrap().is_ok());
        assert_eq!(decoder.decode(&mut input), None);
        assert!(!decoder.is_done());
        assert_eq!(decoder.finish(), Some(ErrorKind::Truncated.at(2)));
        assert_eq!(decoder.finish(), None);
    }
}
