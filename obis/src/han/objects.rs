//! Push lists that begin with their object list (Blue Book 4.4.8, push_object_list): names first, values after.

use crate::Obis;
use crate::data::{Element, Reader};

/// Interface class 40, push setup: attribute 1 is its name, attribute 2 the object list.
pub(super) const PUSH_SETUP: u16 = 40;

/// One element of the object list: `structure { class, logical name, attribute, data index [, …] }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Object {
    pub(super) class: u16,
    pub(super) obis: Obis,
    pub(super) attribute: u8,
}

/// The objects still to come, in step with the values.
#[derive(Clone, Copy, Debug)]
pub(super) struct Objects<'a> {
    cursor: Reader<'a>,
    left: u32,
    count: u32,
}

impl<'a> Objects<'a> {
    /// The object list at the front of `reader`, if one stands there; the reader then stands behind it.
    pub(super) fn take(reader: &mut Reader<'a>) -> Option<Self> {
        let mut cursor = *reader;
        let count = cursor.array().ok()?;
        let objects = Self { cursor, left: count, count };
        objects.clone().next()?;
        for _ in 0..count {
            match plain(cursor) {
                Some((_, rest)) => cursor.advance_to(rest),
                None => _ = cursor.skip().ok()?,
            }
        }
        *reader = cursor;
        Some(objects)
    }

    /// Lines the objects up with the values of a structure, given how many members of it are values or the object list
    /// itself. `false` where the numbers do not fit, and nothing can be named.
    ///
    /// The push setup may list its own attribute 2, the object list: then the list stands in the place of that value.
    pub(super) fn align(&mut self, values: u32) -> bool {
        if self.count == values.saturating_add(1) {
            let itself = self.next();
            return itself.is_some_and(|object| object.class == PUSH_SETUP && object.attribute == 2);
        }
        self.count == values
    }

    pub(super) fn next(&mut self) -> Option<Object> {
        self.left = self.left.checked_sub(1)?;
        if let Some((object, rest)) = plain(self.cursor) {
            self.cursor.advance_to(rest);
            return Some(object);
        }
        let members = self.cursor.structure().ok()?;
        let class = u16::try_from(self.cursor.integer().ok()?).ok()?;
        let obis = self.cursor.obis().ok()?;
        let attribute = u8::try_from(self.cursor.integer().ok()?).ok()?;
        let _data_index = self.cursor.integer().ok()?;
        for _ in 4..members.min(8) {
            self.cursor.skip().ok()?;
        }
        Some(Object { class, obis, attribute })
    }

    /// Takes the next object if it is the scaler and unit (attribute 3) of this one.
    pub(super) fn next_if_scaler_of(&mut self, object: Object) -> bool {
        let mut ahead = *self;
        let found = ahead.next() == Some(Object { attribute: 3, ..object }) && matches!(object.class, 3..=5);
        if found {
            *self = ahead;
        }
        found
    }
}

/// The common form of an element, of four members, recognised whole.
#[inline]
fn plain(cursor: Reader<'_>) -> Option<(Object, &[u8])> {
    let (&[2, 4, 18, high, low, 9, 6, a, b, c, d, e, f, 15, attribute @ 0..=127, 18, _, _], rest) =
        cursor.rest().split_first_chunk()?
    else {
        return None;
    };
    let class = u16::from_be_bytes([high, low]);
    Some((Object { class, obis: Obis::new(a, b, c, d, e, f), attribute }, rest))
}

/// The first two elements, if this is an object list; for profiles.
pub(super) fn first_two(members: Reader<'_>) -> Option<(Object, Object)> {
    let mut reader = members;
    let Ok(Element::Array(count)) = reader.element() else { return None };
    let mut objects = Objects { cursor: reader, left: count, count };
    Some((objects.next()?, objects.next()?))
}
