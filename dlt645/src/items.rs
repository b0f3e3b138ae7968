//! The values in a reply's data: one, a block, or a record of many fields.

use crate::data::Data;
use crate::identifier::{Catalogue, Identifier, Standard};
use crate::layout::{Count, Layout};
use crate::value::{Unit, Value, ValueError};

/// Between the items of a block in some meters.
const SEPARATOR: u8 = 0xAA;
/// At the end of a block in some meters, besides [`SEPARATOR`].
const TERMINATOR: u8 = 0xDD;

/// One value of a data item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Item<'a> {
    /// What it is of: the member's own identifier inside a block.
    pub identifier: Identifier,
    /// Number of the item in a repetition that has no identifiers of its own (table entries), from 0.
    pub index: u8,
    /// Number of the field in its item, from 0.
    pub field: u16,
    /// Unit of its number.
    pub unit: Unit,
    /// The value, or why it is none; the items after it are not lost.
    pub value: Result<Value<'a>, ValueError>,
}

/// The values of `identifier` in `data` (which stands behind the identifier), by the standard's layout.
///
/// Without a layout there is one item of plain octets. Blocks give their members in the order of the wire, and
/// separators AAH between items, and AAH or DDH at the end, are accepted as meters in the field send them.
#[must_use]
#[inline]
pub fn items(identifier: Identifier, data: Data<'_>) -> Items<'_> {
    items_with(&Standard, identifier, data)
}

/// As [`items`], by the layouts of `catalogue`.
#[must_use]
#[inline]
pub fn items_with<'a>(catalogue: &impl Catalogue, identifier: Identifier, data: Data<'a>) -> Items<'a> {
    let layout = catalogue.layout(identifier);
    let freeze = cfg!(feature = "freeze") && layout.is_none() && is_freeze_block(identifier);
    Items::new(identifier, layout, freeze, data)
}

/// The values of fields in `layout` that have no identifier: a class of a load record, say. Their `identifier` is 0.
#[must_use]
pub fn items_in(layout: Layout, data: Data<'_>) -> Items<'_> {
    Items::new(Identifier::V2007(0), Some(layout), false, data)
}

fn is_freeze_block(identifier: Identifier) -> bool {
    matches!(identifier, Identifier::V2007(_)) && identifier.part(3) == 5 && identifier.part(1) == 0xFF
}

/// See [`items`].
#[derive(Debug, Clone)]
pub struct Items<'a> {
    identifier: Identifier,
    /// Of the present item.
    layout: Option<Layout>,
    rest: Data<'a>,
    /// Octets of the present item that have not been read.
    item: Data<'a>,
    index: u8,
    field: u16,
    state: State,
    separated: bool,
    /// A whole freeze record: members have layouts of their own.
    freeze: bool,
    whole: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Item,
    Field,
    Wrong(ValueError),
    Done,
}

impl<'a> Items<'a> {
    fn new(identifier: Identifier, layout: Option<Layout>, freeze: bool, data: Data<'a>) -> Self {
        let mut items = Self {
            identifier,
            layout,
            rest: data,
            item: Data::plain(&[]),
            index: 0,
            field: 0,
            state: State::Item,
            separated: false,
            freeze,
            whole: data.len(),
        };
        if let Some(layout) = layout {
            items.check(layout);
            if items.state != State::Item
                && let Some(layout) = layout.with_short_operator()
                && data.len().is_multiple_of(usize::from(layout.item_len()).max(1))
            {
                items.layout = Some(layout);
                items.state = State::Item;
                items.check(layout);
            }
        } else if freeze {
            items.separated = data.iter().any(|octet| octet == SEPARATOR);
        }
        items
    }

    /// Whether so many octets are a whole number of items, with or without separators.
    fn check(&mut self, layout: Layout) {
        let len = self.rest.len();
        let item = usize::from(layout.item_len());
        let (least, most) = layout.len();
        let fits = |len: usize| (usize::from(least)..=usize::from(most)).contains(&len);
        let one = layout.count() == Count::Times(1);
        if fits(len) && (one || item == 0 || len.is_multiple_of(item)) {
            return;
        }
        let plain = len.saturating_sub(1);
        let last = self.rest.octet(plain);
        // Every item followed by a separator, the last one's sometimes left out.
        let with = item.saturating_add(1);
        let count = len.saturating_add(1).checked_div(with).unwrap_or(0);
        let at = |n: usize| n.saturating_mul(with).saturating_add(item);
        let separators = (0..count).all(|n| at(n) == len || self.rest.octet(at(n)) == Some(SEPARATOR));
        let by_separator = len.is_multiple_of(with) || len.saturating_add(1).is_multiple_of(with);
        if !one && count > 1 && by_separator && separators && fits(count.saturating_mul(item)) {
            self.separated = true;
        } else if fits(plain)
            && plain.is_multiple_of(item.max(1))
            && matches!(last, Some(SEPARATOR | TERMINATOR))
        {
            if let Some((front, _)) = self.rest.split_at(plain) {
                self.rest = front;
            }
        } else {
            let expected = if least == most { least } else { 0 };
            let found = u16::try_from(len).unwrap_or(u16::MAX);
            self.state = State::Wrong(ValueError::Length { expected, found });
        }
    }

    /// Cuts the next item off the rest.
    fn cut(&mut self) -> Option<()> {
        self.field = 0;
        let len = if self.freeze {
            self.layout = self.identifier.member(self.index)?.layout();
            self.freeze_part()
        } else {
            self.layout.map_or(self.rest.len(), |layout| usize::from(layout.item_len()))
        };
        let (item, rest) = self.rest.split_at(len.min(self.rest.len()))?;
        self.item = item;
        self.rest = rest;
        if self.separated
            && let Some((_, after)) = rest.split_at(1)
        {
            self.rest = after;
        }
        Some(())
    }

    #[cfg(feature = "freeze")]
    fn freeze_part(&self) -> usize {
        let hourly = self.identifier.part(2) == 4;
        crate::freeze::part_len(hourly, self.index, self.rest, self.whole, self.separated)
    }

    #[cfg(not(feature = "freeze"))]
    fn freeze_part(&self) -> usize {
        self.whole
    }

    fn here(&self) -> Identifier {
        self.identifier.member(self.index).unwrap_or(self.identifier)
    }

    fn give(&self, unit: Unit, value: Result<Value<'a>, ValueError>) -> Item<'a> {
        Item { identifier: self.here(), index: self.index, field: self.field, unit, value }
    }
}

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    #[inline]
    fn next(&mut self) -> Option<Item<'a>> {
        loop {
            match self.state {
                State::Done => return None,
                State::Wrong(error) => {
                    self.state = State::Done;
                    return Some(Item { identifier: self.identifier, ..self.give(Unit::None, Err(error)) });
                }
                State::Item => {
                    let first = self.index == 0;
                    if self.rest.is_empty() && !(first && self.layout.is_none()) {
                        return None;
                    }
                    if self.cut().is_none() {
                        self.state = State::Wrong(ValueError::length(self.rest.len()));
                        continue;
                    }
                    self.state = State::Field;
                }
                State::Field => {
                    let Some(layout) = self.layout else {
                        self.state = if self.freeze { State::Item } else { State::Done };
                        let item = self.give(Unit::None, Ok(Value::Octets(self.item)));
                        self.index = self.index.saturating_add(1);
                        return Some(item);
                    };
                    // A freeze part repeats its fields per rate; elsewhere an item ends with its last field.
                    if self.freeze
                        && self.field != 0
                        && layout.get(self.field).is_none()
                        && !self.item.is_empty()
                    {
                        self.field = 0;
                    }
                    match layout.get(self.field) {
                        Some(field) if !self.item.is_empty() => {
                            let len = usize::from(field.format.octets()).min(self.item.len());
                            let (data, rest) = self.item.split_at(len)?;
                            let item = self.give(field.unit, field.value(data));
                            self.item = rest;
                            self.field = self.field.saturating_add(1);
                            return Some(item);
                        }
                        _ => {
                            self.index = self.index.saturating_add(1);
                            self.state = State::Item;
                        }
                    }
                }
            }
        }
    }
}
