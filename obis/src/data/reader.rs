//! The cursor: one element at a time off the front of a slice, for code that knows the layout it reads.

use super::compact::CompactArray;
use super::error::{Error, ErrorKind};
use super::length;
use super::value::{self, Size, Value};
use crate::Obis;

/// A cursor over COSEM data in a slice.
///
/// It takes one element at a time and keeps no stack: an array or structure comes as its element count, and its elements
/// are the next ones read. After an error the cursor stands where it stood before the call.
///
/// ```
/// use obis::data::{Element, Reader, Value};
/// let mut reader = Reader::new(&[0x01, 0x02, 0x12, 0x08, 0xFC, 0x00, 0xE6]);
/// assert_eq!(reader.element(), Ok(Element::Array(2)));
/// assert_eq!(reader.value(), Ok(Value::LongUnsigned(2300)));
/// assert_eq!(reader.value(), Ok(Value::Null));
/// assert_eq!(reader.rest(), &[0xE6]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

/// One element: a value, or the bracket that opens a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Element<'a> {
    /// array \[1\] of so many elements, which follow.
    Array(u32),
    /// structure \[2\] of so many members, which follow.
    Structure(u32),
    /// compact-array \[19\], taken whole.
    CompactArray(CompactArray<'a>),
    /// A value.
    Value(Value<'a>),
}

/// One entry of the layout most HAN lists are made of: `structure { octet-string(6), value [, structure { scaler, unit }] }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Entry<'a> {
    /// The code.
    pub obis: Obis,
    /// The value as sent.
    pub value: Value<'a>,
    /// Scaler and unit, where sent.
    pub scaler_unit: Option<ScalerUnit>,
}

/// A scaler and unit as registers carry them: `structure { integer scaler, enum unit }` (Blue Book 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ScalerUnit {
    /// The value is times 10 to this power.
    pub scaler: i8,
    /// Code of the unit (Blue Book table 4); 255 is none.
    pub unit: u8,
}

impl<'a> Reader<'a> {
    /// A cursor at the front of `octets`.
    #[inline]
    #[must_use]
    pub const fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets, len: octets.len() }
    }

    /// What has not been read.
    #[inline]
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Octets read so far.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> u32 {
        u32::try_from(self.len.saturating_sub(self.rest.len())).unwrap_or(u32::MAX)
    }

    /// Takes one element: a value whole, an array or structure up to its count.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`], [`ErrorKind::Type`], [`ErrorKind::Length`], [`ErrorKind::CompactArray`], and
    /// [`ErrorKind::Count`] if the container claims more elements than there are octets left (each takes at least one).
    #[inline]
    pub fn element(&mut self) -> Result<Element<'a>, Error> {
        if let Some((value, rest)) = value::common(self.rest) {
            self.rest = rest;
            return Ok(Element::Value(value));
        }
        match any_element(self.rest) {
            Ok((element, rest)) => {
                self.rest = rest;
                Ok(element)
            }
            Err(kind) => Err(self.error(kind)),
        }
    }

    /// Takes one value.
    ///
    /// # Errors
    /// As [`Reader::element`]; [`ErrorKind::Unexpected`] if a container stands here.
    #[inline]
    pub fn value(&mut self) -> Result<Value<'a>, Error> {
        if let Some((value, rest)) = value::common(self.rest) {
            self.rest = rest;
            return Ok(value);
        }
        match any_value(self.rest) {
            Ok((value, rest)) => {
                self.rest = rest;
                Ok(value)
            }
            Err(kind) => Err(self.error(kind)),
        }
    }

    /// Opens an array and gives its element count.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] if something else stands here; else as [`Reader::element`].
    #[inline]
    pub fn array(&mut self) -> Result<u32, Error> {
        self.container(1)
    }

    /// Opens a structure and gives its member count.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] if something else stands here; else as [`Reader::element`].
    #[inline]
    pub fn structure(&mut self) -> Result<u32, Error> {
        self.container(2)
    }

    /// Takes an octet-string.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] if something else stands here; else as [`Reader::element`].
    #[inline]
    pub fn octet_string(&mut self) -> Result<&'a [u8], Error> {
        match self.clone_value()? {
            (Value::OctetString(octets), rest) => {
                self.rest = rest;
                Ok(octets)
            }
            (other, _) => Err(self.unexpected(&other)),
        }
    }

    /// Takes an octet-string of six octets, an OBIS code.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] if something else stands here; else as [`Reader::element`].
    #[inline]
    pub fn obis(&mut self) -> Result<Obis, Error> {
        if let Some((&[0x09, 0x06, a, b, c, d, e, f], rest)) = self.rest.split_first_chunk() {
            self.rest = rest;
            return Ok(Obis::new(a, b, c, d, e, f));
        }
        let (value, rest) = self.clone_value()?;
        match value.as_obis() {
            Some(obis) => {
                self.rest = rest;
                Ok(obis)
            }
            None => Err(self.unexpected(&value)),
        }
    }

    /// Takes any of the integer types as a number.
    ///
    /// # Errors
    /// [`ErrorKind::Unexpected`] if something else stands here, or a long64-unsigned above `i64::MAX`; else as
    /// [`Reader::element`].
    #[inline]
    pub fn integer(&mut self) -> Result<i64, Error> {
        let (value, rest) = self.clone_value()?;
        match value.as_integer() {
            Some(number) => {
                self.rest = rest;
                Ok(number)
            }
            None => Err(self.unexpected(&value)),
        }
    }

    /// Takes `structure { integer, enum }`, if that stands here; else takes nothing.
    #[inline]
    pub fn scaler_unit(&mut self) -> Option<ScalerUnit> {
        let (scaler_unit, rest) = split_scaler_unit(self.rest)?;
        self.rest = rest;
        Some(scaler_unit)
    }

    /// Takes one whole [`Entry`], if one stands here; else takes nothing.
    ///
    /// This is the hot path of Nordic lists: a few nanoseconds an entry.
    #[inline(always)]
    pub fn entry(&mut self) -> Option<Entry<'a>> {
        // Signatures are compared as whole numbers: one comparison instead of one for each octet.
        let (&signature, rest) = self.rest.split_first_chunk()?;
        let is_scaled = signature == [2, 3, 9, 6];
        if !is_scaled && signature != [2, 2, 9, 6] {
            return None;
        }
        let (&code, rest) = rest.split_first_chunk()?;
        let (value, rest) = match value::common(rest) {
            Some(found) => found,
            None => any_value(rest).ok()?,
        };
        let (scaler_unit, rest) = if is_scaled {
            let (scaler_unit, rest) = split_scaler_unit(rest)?;
            (Some(scaler_unit), rest)
        } else {
            (None, rest)
        };
        self.rest = rest;
        Some(Entry { obis: Obis::from_octets(code), value, scaler_unit })
    }

    /// Skips one whole element with all it contains, and gives its octets.
    ///
    /// No stack and no depth limit: elements still owed are counted, and can never be more than the octets left. The
    /// contents of a compact-array are passed over by their length.
    ///
    /// # Errors
    /// As [`Reader::element`], with the offset of the inner element that is wrong.
    pub fn skip(&mut self) -> Result<&'a [u8], Error> {
        let start = self.rest;
        let mut ahead = *self;
        let mut owed: usize = 1;
        while let Some(others) = owed.checked_sub(1) {
            let count = match skip_one(ahead.rest) {
                Ok((count, rest)) => {
                    let others = others.saturating_add(count);
                    if others > rest.len() {
                        return Err(ahead.error(ErrorKind::Count));
                    }
                    ahead.rest = rest;
                    others
                }
                Err(kind) => return Err(ahead.error(kind)),
            };
            owed = count;
        }
        *self = ahead;
        Ok(start.get(..start.len().saturating_sub(ahead.rest.len())).unwrap_or_default())
    }

    /// An error here, where the next element starts.
    #[cold]
    pub(crate) fn error(self, kind: ErrorKind) -> Error {
        kind.at(self.offset())
    }

    /// Goes on at `rest`, a tail of what is left.
    pub(crate) const fn advance_to(&mut self, rest: &'a [u8]) {
        self.rest = rest;
    }

    #[cold]
    fn unexpected(self, value: &Value<'_>) -> Error {
        self.error(ErrorKind::Unexpected(value.tag().unwrap_or_default()))
    }

    #[inline]
    fn clone_value(&self) -> Result<(Value<'a>, &'a [u8]), Error> {
        let mut ahead = *self;
        let value = ahead.value()?;
        Ok((value, ahead.rest))
    }

    #[inline]
    fn container(&mut self, tag: u8) -> Result<u32, Error> {
        let result = match self.rest {
            [found, rest @ ..] if *found == tag => count(rest),
            [found, ..] => Err(ErrorKind::Unexpected(*found)),
            [] => Err(ErrorKind::Truncated),
        };
        match result {
            Ok((count, rest)) => {
                self.rest = rest;
                Ok(count)
            }
            Err(kind) => Err(self.error(kind)),
        }
    }
}

#[inline(never)]
fn any_value(octets: &[u8]) -> Result<(Value<'_>, &[u8]), ErrorKind> {
    match octets {
        [tag @ (1 | 2 | 19), ..] => Err(ErrorKind::Unexpected(*tag)),
        [tag, rest @ ..] => value::leaf(*tag, rest),
        [] => Err(ErrorKind::Truncated),
    }
}

#[inline(never)]
fn any_element(octets: &[u8]) -> Result<(Element<'_>, &[u8]), ErrorKind> {
    Ok(match octets {
        [1, rest @ ..] => {
            let (count, rest) = count(rest)?;
            (Element::Array(count), rest)
        }
        [2, rest @ ..] => {
            let (count, rest) = count(rest)?;
            (Element::Structure(count), rest)
        }
        [19, rest @ ..] => {
            let (array, rest) = CompactArray::parse(rest)?;
            (Element::CompactArray(array), rest)
        }
        [tag, rest @ ..] => {
            let (value, rest) = value::leaf(*tag, rest)?;
            (Element::Value(value), rest)
        }
        [] => return Err(ErrorKind::Truncated),
    })
}

/// `structure { integer, enum }` off the front of `octets`.
#[inline]
fn split_scaler_unit(octets: &[u8]) -> Option<(ScalerUnit, &[u8])> {
    let (&[s0, s1, s2, scaler, s3, unit], rest) = octets.split_first_chunk()?;
    // The first four are one load.
    let is = u32::from_be_bytes([s0, s1, s2, scaler]) >> 8 == 0x02_020F && s3 == 0x16;
    if is { Some((ScalerUnit { scaler: i8::from_be_bytes([scaler]), unit }, rest)) } else { None }
}

/// An element count that the octets left can hold.
#[inline]
fn count(octets: &[u8]) -> Result<(u32, &[u8]), ErrorKind> {
    let (count, rest) = length::length(octets)?;
    match usize::try_from(count) {
        Ok(needed) if needed <= rest.len() => Ok((count, rest)),
        _ => Err(ErrorKind::Count),
    }
}

/// Skips a value, or the head of a container, and says how many elements that owes.
#[inline]
fn skip_one(octets: &[u8]) -> Result<(usize, &[u8]), ErrorKind> {
    let [tag, rest @ ..] = octets else { return Err(ErrorKind::Truncated) };
    match value::size(*tag) {
        Size::Fixed(n) => match rest.get(usize::from(n)..) {
            Some(rest) => Ok((0, rest)),
            None => Err(ErrorKind::Truncated),
        },
        Size::Octets => Ok((0, length::counted(rest)?.1)),
        Size::Bits => {
            let (bits, rest) = length::length(rest)?;
            Ok((0, length::split(rest, bits.div_ceil(8))?.1))
        }
        Size::NoLeaf => match tag {
            1 | 2 => {
                let (count, rest) = count(rest)?;
                Ok((usize::try_from(count).map_err(|_| ErrorKind::Count)?, rest))
            }
            19 => Ok((0, CompactArray::parse(rest)?.1)),
            tag => Err(ErrorKind::Type(*tag)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_with_and_without_scaler_and_unit() {
        let octets = [
            2, 3, 9, 6, 1, 0, 32, 7, 0, 255, 18, 0x09, 0x1A, 2, 2, 15, 0xFF, 22, 35, // 233.0 V
            2, 2, 9, 6, 0, 0, 96, 1, 0, 255, 10, 4, b'6', b'5', b'3', b'4', 0xE6,
        ];
        let mut reader = Reader::new(&octets);
        let voltage = reader.entry().unwrap();
        assert_eq!(voltage.obis, Obis::new(1, 0, 32, 7, 0, 255));
        assert_eq!(voltage.value, Value::LongUnsigned(2330));
        assert_eq!(voltage.scaler_unit, Some(ScalerUnit { scaler: -1, unit: 35 }));
        let serial = reader.entry().unwrap();
        assert_eq!((serial.value, serial.scaler_unit), (Value::VisibleString(b"6534"), None));
        assert_eq!((reader.entry(), reader.rest()), (None, &[0xE6][..]));
        for cut in 0..19 {
            let mut reader = Reader::new(&octets[..cut]);
            assert_eq!((reader.entry(), reader.offset()), (None, 0), "nothing taken at {cut}");
        }
    }

    #[test]
    fn a_typed_read_of_another_type_takes_nothing() {
        let mut reader = Reader::new(&[18, 0x08, 0xFC]);
        assert_eq!(reader.octet_string(), Err(ErrorKind::Unexpected(18).at(0)));
        assert_eq!(reader.obis(), Err(ErrorKind::Unexpected(18).at(0)));
        assert_eq!(reader.array(), Err(ErrorKind::Unexpected(18).at(0)));
        assert_eq!(reader.scaler_unit(), None);
        assert_eq!(reader.integer(), Ok(2300));
        assert_eq!(reader.integer(), Err(ErrorKind::Truncated.at(3)));
        assert_eq!(Reader::new(&[1, 0]).value(), Err(ErrorKind::Unexpected(1).at(0)));
    }

    #[test]
    fn a_count_of_more_elements_than_octets_is_refused_at_once() {
        let huge = [1, 0x84, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0];
        assert_eq!(Reader::new(&huge).element(), Err(ErrorKind::Count.at(0)));
        assert_eq!(Reader::new(&huge).skip(), Err(ErrorKind::Count.at(0)));
        // Two structures that each claim what is left: together they cannot have it.
        let twice = [2, 2, 2, 4, 0, 0, 0, 0];
        assert_eq!(Reader::new(&twice).skip(), Err(ErrorKind::Count.at(2)));
    }

    #[test]
    fn skip_takes_whole_trees_however_deep() {
        let mut deep = [0x01; 201];
        for head in deep.chunks_exact_mut(2) {
            head[0] = 2;
        }
        deep[200] = 0;
        let mut reader = Reader::new(&deep);
        assert_eq!(reader.skip().map(<[u8]>::len), Ok(201));
        assert!(reader.rest().is_empty());
        assert_eq!(Reader::new(&deep[..200]).skip().unwrap_err().kind, ErrorKind::Count);
    }

    #[test]
    fn the_offset_is_that_of_the_element_that_is_wrong() {
        let mut reader = Reader::new(&[2, 2, 17, 5, 0x2A]);
        assert_eq!(reader.skip(), Err(ErrorKind::Type(0x2A).at(4)));
        assert_eq!(reader.offset(), 0);
        reader.element().unwrap();
        reader.element().unwrap();
        assert_eq!(reader.element(), Err(ErrorKind::Type(0x2A).at(4)));
    }
}
