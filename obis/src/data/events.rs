//! The tree walk over a slice: `Begin`, `Value`, `End`, without recursion.

use super::compact::CompactArray;
use super::error::{Error, ErrorKind};
use super::reader::{Element, Reader};
use super::value::{AttributeDescriptor, Container, Event, Value, leaf};
use super::walk::{Step, Walk};

/// Departures from A-XDR that meters send, accepted only when asked for. [`Quirks::NONE`] is the standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Quirks {
    /// Sagemcom XT211 and the push of EG.D (CZ): the first member of a structure of two is a cosem-attribute-descriptor
    /// **without tags**, nine octets of class, code and attribute.
    ///
    /// Read as one if class is 1 to 255, the code's last octet is 255 and attribute is 1 to 32. The same octets can
    /// also be A-XDR (`00 01 …` is a null and an array), so this is for a meter that is known to send it.
    pub untagged_descriptors: bool,
    /// Landis+Gyr E350/ZMF100 logs: `06 09` where `09 06` should open an OBIS code as first member of a structure.
    ///
    /// Read as one if the octets that follow are a code of medium 0 or 1 that ends in 255.
    pub swapped_octet_strings: bool,
}

impl Quirks {
    /// The standard to the letter.
    pub const NONE: Self = Self { untagged_descriptors: false, swapped_octet_strings: false };
    /// Every departure that is known.
    pub const ALL: Self = Self { untagged_descriptors: true, swapped_octet_strings: true };
}

/// The events of one data element at the front of a slice.
///
/// Ends after that element, or after the first error; [`Events::rest`] is what follows. Work is bounded by the octets:
/// at most two events for each, in a compact-array of 64 for each.
#[derive(Clone, Debug)]
pub struct Events<'a> {
    reader: Reader<'a>,
    walk: Walk,
    types: &'a [u8],
    quirks: Quirks,
    /// Members of the structure that just opened; 0 behind its first member.
    opened: u32,
    failed: bool,
}

impl<'a> Events<'a> {
    /// The events of the data element at the front of `octets`, to the letter of the standard.
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self::with_quirks(octets, Quirks::NONE)
    }

    /// The events of the data element at the front of `octets`, with these departures from the standard accepted.
    #[must_use]
    pub const fn with_quirks(octets: &'a [u8], quirks: Quirks) -> Self {
        Self { reader: Reader::new(octets), walk: Walk::new(), types: &[], quirks, opened: 0, failed: false }
    }

    /// What has not been read: after the last event, what follows the data element.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// Octets read so far.
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.reader.offset()
    }

    /// Containers open now.
    #[must_use]
    pub const fn depth(&self) -> u8 {
        self.walk.depth()
    }

    /// Whether the data element is complete.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        self.walk.is_done() && !self.failed
    }

    #[inline]
    fn event(&mut self) -> Result<Option<Event<'a>>, Error> {
        match self.walk.step(self.types) {
            Ok(Step::Done) => Ok(None),
            Ok(Step::End) => Ok(Some(Event::End)),
            Ok(Step::Tagged) => self.tagged(),
            Ok(Step::Typed(tag)) => self.typed(tag).map_err(|kind| self.reader.error(kind)),
            Ok(Step::Begin(container)) => Ok(Some(Event::Begin(container))),
            Err(kind) => Err(self.reader.error(kind)),
        }
    }

    #[inline]
    fn tagged(&mut self) -> Result<Option<Event<'a>>, Error> {
        let opened = core::mem::take(&mut self.opened);
        if opened > 0
            && self.quirks != Quirks::NONE
            && let Some((value, rest)) = quirk(self.reader.rest(), opened, self.quirks)
        {
            self.reader.advance_to(rest);
            return Ok(Some(Event::Value(value)));
        }
        let before = self.reader;
        let container = match self.reader.element()? {
            Element::Value(value) => return Ok(Some(Event::Value(value))),
            Element::Array(count) => self.walk.open(count).map(|()| Container::Array(count)),
            Element::Structure(count) => {
                self.opened = count;
                self.walk.open(count).map(|()| Container::Structure(count))
            }
            Element::CompactArray(array) => self.compact(&before, array),
        };
        match container {
            Ok(container) => Ok(Some(Event::Begin(container))),
            Err(kind) => Err(before.error(kind)),
        }
    }

    /// Opens a compact-array, which stands where `before` does.
    fn compact(&mut self, before: &Reader<'a>, array: CompactArray<'a>) -> Result<Container, ErrorKind> {
        let octets = u32::try_from(array.contents().len()).map_err(|_| ErrorKind::CompactArray)?;
        self.walk.open_compact(octets)?;
        self.types = array.type_description();
        // The contents are read next, so the cursor goes back to their front.
        let all = before.rest();
        let from = array.contents().len().saturating_add(self.reader.rest().len());
        self.reader.advance_to(all.get(all.len().saturating_sub(from)..).ok_or(ErrorKind::Truncated)?);
        Ok(Container::CompactArray { octets })
    }

    fn typed(&mut self, tag: u8) -> Result<Option<Event<'a>>, ErrorKind> {
        let octets = self.reader.rest();
        let (value, rest) = leaf(tag, octets).map_err(|kind| match kind {
            ErrorKind::Truncated => ErrorKind::CompactArray,
            kind => kind,
        })?;
        let taken = octets.len().saturating_sub(rest.len());
        self.walk.took(u32::try_from(taken).map_err(|_| ErrorKind::CompactArray)?)?;
        self.reader.advance_to(rest);
        Ok(Some(Event::Value(value)))
    }
}

impl<'a> Iterator for Events<'a> {
    type Item = Result<Event<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.event() {
            Ok(event) => event.map(Ok),
            Err(error) => {
                self.failed = true;
                Some(Err(error))
            }
        }
    }
}

impl core::iter::FusedIterator for Events<'_> {}

/// A first member of a structure of `members` that departs from the standard in a known way.
fn quirk(octets: &[u8], members: u32, quirks: Quirks) -> Option<(Value<'_>, &[u8])> {
    match octets {
        [0, 1..=255, _, _, _, _, _, 255, 1..=32, ..] if quirks.untagged_descriptors && members == 2 => {
            let (descriptor, rest) = octets.split_first_chunk()?;
            Some((Value::AttributeDescriptor(AttributeDescriptor::from_octets(*descriptor)), rest))
        }
        [6, 9, rest @ ..] if quirks.swapped_octet_strings => match rest.split_at_checked(6)? {
            (code @ [0 | 1, .., 255], rest) => Some((Value::OctetString(code), rest)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn all(octets: &[u8]) -> Result<Vec<Event<'_>>, Error> {
        Events::new(octets).collect()
    }

    #[test]
    fn a_compact_array_reads_as_an_array_of_its_elements() {
        // structure { long-unsigned, octet-string, array(2) of unsigned }, two elements of 6 and 5 octets
        let octets = [
            0x13, 2, 3, 18, 9, 1, 0, 2, 17, 11, // type description, length of the contents
            0x08, 0xFC, 1, 0xAA, 7, 8, 0x08, 0xFD, 0, 9, 10, 0xE6,
        ];
        let mut events = Events::new(&octets);
        let element = |number, text, a, b| {
            [
                Event::Begin(Container::Structure(3)),
                Event::Value(Value::LongUnsigned(number)),
                Event::Value(Value::OctetString(text)),
                Event::Begin(Container::Array(2)),
                Event::Value(Value::Unsigned(a)),
                Event::Value(Value::Unsigned(b)),
                Event::End,
                Event::End,
            ]
        };
        let mut expected = Vec::from([Event::Begin(Container::CompactArray { octets: 11 })]);
        expected.extend(element(2300, &[0xAA], 7, 8));
        expected.extend(element(2301, &[], 9, 10));
        expected.push(Event::End);
        let read: Result<Vec<_>, _> = events.by_ref().collect();
        assert_eq!(read, Ok(expected));
        assert_eq!(events.rest(), &[0xE6]);
        assert!(events.is_done());
        let mut reader = Reader::new(&octets);
        assert_eq!(reader.skip().map(<[u8]>::len), Ok(octets.len() - 1));
    }

    #[test]
    fn a_compact_array_inside_a_structure_goes_on_behind_it() {
        let octets = [2, 3, 17, 1, 0x13, 18, 4, 0, 1, 0, 2, 17, 9];
        let read = all(&octets).unwrap();
        assert_eq!(read.len(), 8);
        assert_eq!(read[6..], [Event::Value(Value::Unsigned(9)), Event::End]);
    }

    #[test]
    fn an_array_of_none_in_a_type_description_is_passed_over() {
        let octets = [0x13, 2, 2, 1, 0, 0, 2, 1, 17, 18, 2, 0, 5];
        let read = all(&octets).unwrap();
        assert_eq!(
            read[2..5],
            [Event::Begin(Container::Array(0)), Event::End, Event::Value(Value::LongUnsigned(5))]
        );
    }

    #[test]
    fn compact_arrays_that_would_never_end_or_do_not_fit_are_refused() {
        for octets in [
            &[0x13, 0, 1, 0xAA][..], // nulls, and an octet that no null takes
            &[0x13, 1, 0xFF, 0xFF, 1, 0xFF, 0xFF, 0, 1, 0xAA], // 65,535 times 65,535 nulls
            &[0x13, 18, 3, 0, 1, 0], // half an element
            &[0x13, 9, 2, 5, 0, 0, 0, 0, 0, 0], // a string longer than the contents
            &[0x13, 0x13, 0, 0],     // a compact-array in a type description
            &[0x13, 2, 0x82, 0xFF, 0xFF, 17], // a type description without end
        ] {
            let error = all(octets).unwrap_err();
            assert_eq!(error.kind, ErrorKind::CompactArray, "{octets:02x?}");
            assert!(Events::new(octets).count() < 80);
        }
        assert_eq!(all(&[0x13, 17, 0]).unwrap().len(), 2, "an empty one is fine");
        assert_eq!(all(&[0x13, 0, 0]).unwrap().len(), 2, "of nulls too");
    }

    #[test]
    fn nesting_is_bounded() {
        let mut octets = [1; 2 * 12 + 1];
        octets[24] = 0;
        assert_eq!(all(&octets).unwrap().len(), 25);
        let mut deeper = [1; 2 * 13 + 1];
        deeper[26] = 0;
        assert_eq!(all(&deeper), Err(ErrorKind::Depth.at(24)));
    }

    #[test]
    fn an_untagged_descriptor_is_read_only_when_asked_for() {
        let octets = [2, 2, 0, 3, 1, 0, 1, 7, 0, 255, 2, 6, 0, 0, 0, 9];
        // To the letter these octets are a null and a true, and the rest belongs to somebody else.
        assert_eq!(
            all(&octets).unwrap()[1..3],
            [Event::Value(Value::Null), Event::Value(Value::Boolean(true))]
        );
        let read: Result<Vec<_>, _> = Events::with_quirks(&octets, Quirks::ALL).collect();
        let descriptor =
            AttributeDescriptor { class: 3, obis: crate::Obis::new(1, 0, 1, 7, 0, 255), attribute: 2 };
        assert_eq!(
            read.unwrap()[1..3],
            [
                Event::Value(Value::AttributeDescriptor(descriptor)),
                Event::Value(Value::DoubleLongUnsigned(9))
            ]
        );
        // What the standard reads as a null and an empty array stays that, since no code ends there.
        let standard = [2, 2, 0, 1, 0];
        let read: Result<Vec<_>, _> = Events::with_quirks(&standard, Quirks::ALL).collect();
        assert_eq!(read, all(&standard));
    }

    #[test]
    fn a_swapped_octet_string_is_read_only_when_asked_for() {
        let octets = [2, 2, 6, 9, 1, 0, 31, 7, 0, 255, 18, 0, 5];
        assert!(all(&octets).is_err());
        let read: Result<Vec<_>, _> = Events::with_quirks(&octets, Quirks::ALL).collect();
        assert_eq!(read.unwrap()[1], Event::Value(Value::OctetString(&[1, 0, 31, 7, 0, 255])));
    }
}
