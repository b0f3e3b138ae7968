//! The writer: COSEM data into a slice, lengths in their shortest form.

use super::error::BufferTooSmall;
use super::length;
use super::value::Value;
use crate::Obis;

/// Writes COSEM data into a slice, element by element.
///
/// The caller says how many elements a container has before it writes them; nothing is counted here. A call that does
/// not fit writes nothing.
///
/// ```
/// use obis::Obis;
/// use obis::data::{Value, Writer};
/// let mut octets = [0; 32];
/// let mut writer = Writer::new(&mut octets);
/// writer.structure(3)?;
/// writer.obis(Obis::new(1, 0, 32, 7, 0, 255))?;
/// writer.value(&Value::LongUnsigned(2330))?;
/// writer.scaler_unit(-1, 35)?;
/// assert_eq!(writer.octets()[..12], [2, 3, 9, 6, 1, 0, 32, 7, 0, 255, 18, 0x09]);
/// # Ok::<(), obis::data::BufferTooSmall>(())
/// ```
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    /// A writer at the front of `out`.
    #[must_use]
    pub const fn new(out: &'a mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    /// What is written so far.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        self.out.get(..self.len).unwrap_or_default()
    }

    /// What was written, for as long as the slice lives.
    #[must_use]
    pub fn finish(self) -> &'a [u8] {
        let Self { out, len } = self;
        out.get(..len).unwrap_or_default()
    }

    /// Opens an array of `count` elements, which follow.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn array(&mut self, count: u32) -> Result<(), BufferTooSmall> {
        self.counted(&[1], count, &[])
    }

    /// Opens a structure of `count` members, which follow.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn structure(&mut self, count: u32) -> Result<(), BufferTooSmall> {
        self.counted(&[2], count, &[])
    }

    /// Writes a compact-array: its type description and its contents, both as they are.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn compact_array(&mut self, type_description: &[u8], contents: &[u8]) -> Result<(), BufferTooSmall> {
        let start = self.len;
        let length = u32::try_from(contents.len()).map_err(|_| BufferTooSmall)?;
        let result = self.put(&[&[19], type_description]).and_then(|()| self.counted(&[], length, contents));
        if result.is_err() {
            self.len = start;
        }
        result
    }

    /// Writes an octet-string of six octets.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn obis(&mut self, obis: Obis) -> Result<(), BufferTooSmall> {
        self.value(&Value::OctetString(&obis.octets()))
    }

    /// Writes `structure { integer scaler, enum unit }`.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn scaler_unit(&mut self, scaler: i8, unit: u8) -> Result<(), BufferTooSmall> {
        let [scaler] = scaler.to_be_bytes();
        self.put(&[&[2, 2, 15, scaler, 22, unit]])
    }

    /// Writes a value with its tag.
    ///
    /// A bit-string is written with as many octets as its bits take, and fails if it has fewer.
    ///
    /// # Errors
    /// [`BufferTooSmall`].
    pub fn value(&mut self, value: &Value<'_>) -> Result<(), BufferTooSmall> {
        let tag = value.tag().map(|tag| [tag]);
        let tag = tag.as_ref().map_or(&[][..], |tag| &tag[..]);
        match *value {
            Value::Null | Value::DontCare => self.put(&[tag]),
            Value::Boolean(value) => self.put(&[tag, &[u8::from(value)]]),
            Value::BitString { bits, octets } => {
                let needed = usize::try_from(bits.div_ceil(8)).map_err(|_| BufferTooSmall)?;
                self.counted(tag, bits, octets.get(..needed).ok_or(BufferTooSmall)?)
            }
            Value::OctetString(octets) | Value::VisibleString(octets) | Value::Utf8String(octets) => {
                let length = u32::try_from(octets.len()).map_err(|_| BufferTooSmall)?;
                self.counted(tag, length, octets)
            }
            Value::DoubleLong(value) | Value::DeltaDoubleLong(value) => {
                self.put(&[tag, &value.to_be_bytes()])
            }
            Value::DoubleLongUnsigned(value)
            | Value::DeltaDoubleLongUnsigned(value)
            | Value::Float32(value) => self.put(&[tag, &value.to_be_bytes()]),
            Value::Integer(value) | Value::DeltaInteger(value) => self.put(&[tag, &value.to_be_bytes()]),
            Value::Long(value) | Value::DeltaLong(value) => self.put(&[tag, &value.to_be_bytes()]),
            Value::Bcd(value) | Value::Unsigned(value) | Value::DeltaUnsigned(value) | Value::Enum(value) => {
                self.put(&[tag, &[value]])
            }
            Value::LongUnsigned(value) | Value::DeltaLongUnsigned(value) => {
                self.put(&[tag, &value.to_be_bytes()])
            }
            Value::Long64(value) => self.put(&[tag, &value.to_be_bytes()]),
            Value::Long64Unsigned(value) | Value::Float64(value) => self.put(&[tag, &value.to_be_bytes()]),
            Value::DateTime(value) => self.put(&[tag, &value.octets()]),
            Value::Date(value) => self.put(&[tag, &value.octets()]),
            Value::Time(value) => self.put(&[tag, &value.octets()]),
            Value::AttributeDescriptor(value) => self.put(&[&value.octets()]),
        }
    }

    /// A tag, a length and the octets it counts (or of a container, none yet).
    fn counted(&mut self, tag: &[u8], length: u32, octets: &[u8]) -> Result<(), BufferTooSmall> {
        let (head, n) = length::encode(length);
        self.put(&[tag, head.get(..usize::from(n)).unwrap_or_default(), octets])
    }

    fn put(&mut self, pieces: &[&[u8]]) -> Result<(), BufferTooSmall> {
        let mut at = self.len;
        for piece in pieces {
            let end = at.checked_add(piece.len()).ok_or(BufferTooSmall)?;
            self.out.get_mut(at..end).ok_or(BufferTooSmall)?.copy_from_slice(piece);
            at = end;
        }
        self.len = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_does_not_fit_writes_nothing() {
        let mut out = [0; 4];
        let mut writer = Writer::new(&mut out);
        writer.value(&Value::Unsigned(7)).unwrap();
        assert_eq!(writer.value(&Value::LongUnsigned(7)), Err(BufferTooSmall));
        assert_eq!(writer.compact_array(&[17], &[1]), Err(BufferTooSmall));
        assert_eq!(writer.octets(), [17, 7]);
        writer.value(&Value::OctetString(&[])).unwrap();
        assert_eq!(writer.finish(), [17, 7, 9, 0]);
    }

    #[test]
    fn a_bit_string_needs_the_octets_of_its_bits() {
        let mut out = [0; 8];
        let mut writer = Writer::new(&mut out);
        assert_eq!(writer.value(&Value::BitString { bits: 9, octets: &[0xFF] }), Err(BufferTooSmall));
        writer.value(&Value::BitString { bits: 9, octets: &[0xFF, 0x80, 0x55] }).unwrap();
        assert_eq!(writer.octets(), [4, 9, 0xFF, 0x80]);
    }
}
