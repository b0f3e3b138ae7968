//! The values in a reply's data: one, a block, or a record of many fields.

use crate::data::Data;
use crate::identifier::{Catalogue, Identifier, Standard};
use crate::layout::{Count, Format, Layout};
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
///
/// `data` are those of the whole answer: if it came in several frames, put their data together first. Members are
/// counted from the first octet.
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
    matches!(identifier, Identifier::V2007(_))
        && identifier.part(3) == 5
        && identifier.part(2) <= 7
        && identifier.part(1) == 0xFF
        && !matches!(identifier.part(0), 0 | 0xFF)
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
            items.freeze_record();
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
        let plain = len.saturating_sub(1);
        let last = self.rest.octet(plain);
        // Every item followed by a separator, the last one's sometimes left out or DDH. BCD has no octet AAH, so separators
        // in all places are that, even where the length would do for items without.
        let with = item.saturating_add(1);
        let count = len.saturating_add(1).checked_div(with).unwrap_or(0);
        let at = |n: usize| n.saturating_mul(with).saturating_add(item);
        let by_separator = len.is_multiple_of(with) || len.saturating_add(1).is_multiple_of(with);
        let bcd = layout.iter().all(|field| {
            matches!(
                field.format,
                Format::Number { .. }
                    | Format::Time(_)
                    | Format::Scheduled(_)
                    | Format::Digits(_)
                    | Format::Identifier
            )
        });
        let whole = fits(len) && (one || item == 0 || len.is_multiple_of(item));
        let separated = !one
            && count > 1
            && by_separator
            && (bcd || !whole)
            && fits(count.saturating_mul(item))
            && (0..count).all(|n| match self.rest.octet(at(n)) {
                None => at(n) == len,
                Some(TERMINATOR) => at(n) == plain,
                Some(octet) => octet == SEPARATOR,
            });
        if separated {
            self.separated = true;
        } else if whole {
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

    /// The parts of a freeze record, or plain octets where they are not certain.
    #[cfg(feature = "freeze")]
    fn freeze_record(&mut self) {
        match crate::freeze::record(self.identifier.part(2) == 4, self.rest) {
            Some((data, separated)) => {
                (self.rest, self.whole, self.separated) = (data, data.len(), separated)
            }
            None => self.freeze = false,
        }
    }

    #[cfg(not(feature = "freeze"))]
    fn freeze_record(&mut self) {
        self.freeze = false;
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
        // What no layout is known for, and one value, stand for themselves whatever their identifier looks like.
        let many = self.layout.is_some_and(|layout| layout.count() != Count::Times(1));
        let member = if self.freeze || many { self.identifier.member(self.index) } else { None };
        member.unwrap_or(self.identifier)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;
    #[cfg(feature = "events")]
    use std::string::ToString;
    use std::vec::Vec;

    fn read(identifier: &str, data: &[u8]) -> Vec<String> {
        items(identifier.parse().unwrap(), Data::plain(data))
            .map(|item| match item.value {
                Ok(value) => std::format!("{} {value}", item.identifier),
                Err(error) => std::format!("{} {error}", item.identifier),
            })
            .collect()
    }

    #[test]
    fn blocks_with_and_without_separators() {
        let plain = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0];
        let expected = ["00010000 0.01 kWh", "00010100 0.02 kWh", "00010200 0.03 kWh"];
        assert_eq!(read("0001FF00", &plain), expected);
        for end in [0xAA, 0xDD] {
            let mut ended = plain.to_vec();
            ended.push(end);
            assert_eq!(read("0001FF00", &ended), expected);
        }
        let between: Vec<u8> = plain.chunks(4).flat_map(|item| item.iter().copied().chain([0xAA])).collect();
        assert_eq!(read("0001FF00", &between), expected);
        assert_eq!(read("0001FF00", &between[..14]), expected);
        // Five items with four separators are as long as six items.
        let five: Vec<u8> = (1..=5).flat_map(|n| [n, 0, 0, 0, 0xAA]).take(24).collect();
        assert_eq!(read("901F", &five).len(), 5);
        assert_eq!(read("901F", &five)[4], "9014 0.05 kWh");
        assert_eq!(read("901F", &plain[..11]), ["901F 11 octets do not fit the layout"]);
        assert_eq!(read("00010000", &plain[..3]), ["00010000 3 octets where 4 are needed"]);
    }

    #[test]
    fn one_odd_item_does_not_cost_the_others() {
        let data = [1, 0, 0, 0, 2, 0, 0x0E, 0, 0xFF, 0xFF, 0xFF, 0xFF, 4, 0, 0, 0];
        assert_eq!(
            read("0001FF00", &data),
            ["00010000 0.01 kWh", "00010100 octet 2 is 0E, not BCD", "00010200 no data", "00010300 0.04 kWh"]
        );
    }

    #[test]
    fn demand_tables_and_unknown_identifiers() {
        let demand = [0x56, 0x34, 0x12, 0x30, 0x12, 0x24, 0x10, 0x26];
        assert_eq!(read("01010000", &demand), ["01010000 12.3456 kW", "01010000 2026-10-24 12:30"]);
        assert_eq!(
            read("04010001", &[1, 0, 8, 2, 0x30, 0x21]),
            ["04010001 08:00 -> 1", "04010001 21:30 -> 2"]
        );
        assert_eq!(read("E0000001", &[1, 2]), ["E0000001 0102"]);
        assert_eq!(read("E0000001", &[]), ["E0000001 "]);
        assert_eq!(read("04040101", &[0, 0, 1, 0]), ["04040101 00010000"]);
        assert_eq!(read("04040101", &[0, 0, 1, 0, 3]), ["04040101 00010000", "04040101 3"]);
    }

    #[cfg(feature = "freeze")]
    #[test]
    fn freeze_records_split_by_separator_or_by_length() {
        let mut parts: Vec<Vec<u8>> = Vec::from([Vec::from([0x00, 0x10, 0x24, 0x10, 0x26])]);
        for n in 1..=8 {
            parts.push(Vec::from([n, 0, 0, 0, n, 1, 0, 0]));
        }
        parts.extend((0..2).map(|_| [1, 0, 0, 0x30, 0x12, 0x24, 0x10, 0x26].repeat(2)));
        parts.push([0x00, 0x50, 0x81].repeat(8));
        let plain = parts.concat();
        let expected = read("0500FF01", &plain);
        assert_eq!(expected.len(), 1 + 8 * 2 + 2 * 4 + 8);
        assert_eq!(expected[0], "05000001 2026-10-24 10:00");
        assert_eq!(expected[6], "05000301 1.03 kvarh");
        assert_eq!(expected[17], "05000901 0.0001 kW");
        assert_eq!(expected.last().unwrap(), "05001001 -1.5000 kvar");
        assert_eq!(read("0500FF01", &parts.join(&0xAA)), expected);
        // A part that the meter does not freeze leaves its separator.
        parts[3].clear();
        let without = read("0500FF01", &parts.join(&0xAA));
        assert_eq!(without.len(), expected.len() - 2);
        assert!(!without.iter().any(|item| item.starts_with("05000301")));
        assert_eq!(
            read("0504FF01", &[0, 1, 2, 3, 4, 0xAA, 1, 0, 0, 0, 0xAA, 2, 0, 0, 0])[2],
            "05040201 0.02 kWh"
        );
    }

    #[cfg(feature = "freeze")]
    #[test]
    fn a_freeze_record_that_is_not_whole_names_no_parts() {
        let mut parts: Vec<Vec<u8>> = Vec::from([Vec::from([0x00, 0x10, 0x24, 0x10, 0x26])]);
        parts.extend((1..=8).map(|n| Vec::from([n, 0, 0, 0])));
        parts.extend((0..2).map(|_| Vec::from([1, 0, 0, 0x30, 0x12, 0x24, 0x10, 0x26])));
        parts.push([0x00, 0x50, 0x01].repeat(8));
        let expected = read("0500FF01", &parts.concat());
        assert_eq!(expected.len(), 1 + 8 + 2 * 2 + 8);
        for end in [0xAA, 0xDD] {
            for octets in [parts.concat(), parts.join(&0xAA)] {
                let ended: Vec<u8> = octets.into_iter().chain([end]).collect();
                assert_eq!(read("0500FF01", &ended), expected, "{end:02X}");
            }
        }
        let plain = |identifier: &str, data: &[u8]| {
            let read = read(identifier, data);
            assert_eq!(read, [std::format!("{identifier} {}", Data::plain(data))]);
        };
        // No totals, half a record, an octet too many, one part too few.
        plain("0500FF01", &parts.concat()[..29]);
        plain("0500FF01", &parts.concat()[..37]);
        plain("0500FF01", &[parts.concat().as_slice(), &[0]].concat());
        plain("0500FF01", &parts[..11].join(&0xAA));
        plain("0500FF01", &[parts[..2].concat(), parts[3..].concat()].concat());
        plain("0504FF01", &parts[..2].concat());
        // An AA that is no separator; a kind that the standard does not know.
        let mut odd = parts.concat();
        odd[7] = 0xAA;
        assert_eq!(read("0500FF01", &odd)[1], "05000101 octet 2 is AA, not BCD");
        plain("0520FF01", &[1, 2, 3, 4, 5, 6, 7, 8]);
        let hourly = [0, 1, 2, 3, 4, 1, 0, 0, 0, 2, 0, 0, 0];
        assert_eq!(read("0504FF01", &hourly)[2], "05040201 0.02 kWh");
        assert_eq!(read("0504FF01", &[&hourly[..], &[0xAA]].concat())[2], "05040201 0.02 kWh");
    }

    #[test]
    fn only_the_standards_blocks_have_members() {
        assert_eq!(read("E00001FF", &[1, 2]), ["E00001FF 0102"]);
        assert_eq!(read("061000FF", &[1, 2]), ["061000FF 0102"]);
        let volts =
            Layout::field(crate::layout::Field::number(2, 0, crate::layout::Sign::Unsigned, Unit::Volt));
        let identifier: Identifier = "E00001FF".parse().unwrap();
        let own = [crate::identifier::Definition::new(identifier, volts)];
        let read: Vec<_> = items_with(&&own[..], identifier, Data::plain(&[0x20, 2])).collect();
        assert_eq!((read.len(), read[0].identifier), (1, identifier));
        assert!(!identifier.is_block() && !"061000FF".parse::<Identifier>().unwrap().is_block());
    }

    #[test]
    fn separators_between_table_entries_and_before_the_end() {
        let items: Vec<[u8; 4]> = (1..=5).map(|n| [n, 0, 0, 0]).collect();
        let mut block = items.join(&0xAA);
        let expected = read("0001FF00", &items.concat());
        for end in [0xDD, 0xAA] {
            block.truncate(24);
            block.push(end);
            assert_eq!(read("0001FF00", &block), expected);
        }
        let entries = [[1u8, 0, 8], [2, 0x30, 0x21], [3, 0x45, 0x22]];
        let expected = ["04010001 08:00 -> 1", "04010001 21:30 -> 2", "04010001 22:45 -> 3"];
        assert_eq!(read("04010001", &entries.join(&0xAA)), expected);
        assert_eq!(read("04010001", &[entries.join(&0xAA).as_slice(), &[0xDD]].concat()), expected);
        // Three entries more would be as long as these four.
        let four = [entries[0], entries[1], entries[2], entries[0]].join(&0xAA);
        assert_eq!(read("04010001", &four).len(), 4);
    }

    #[cfg(feature = "events")]
    #[test]
    fn event_records_with_either_operator_code() {
        let time = [1, 2, 3, 4, 5, 0x26];
        let long: Vec<u8> =
            time.iter().copied().chain([0x78, 0x56, 0x34, 0x12, 0xFF, 0xFF, 0xFF, 0xFF]).collect();
        let short: Vec<u8> = time.iter().copied().chain([0x78, 0x56, 0xFF, 0xFF, 0x30, 0x03]).collect();
        assert_eq!(read("03300301", &long)[1], "03300301 78563412");
        assert_eq!(
            read("03300301", &short)[1..],
            ["03300301 7856".to_string(), "03300301 0330FFFF".to_string()]
        );
        let totals = read("03010000", &[1, 0, 0, 2, 0, 0].repeat(3));
        assert_eq!(totals[5], "03010000 2 min");
        assert_eq!(read("03110001", &[time, time].concat()).len(), 2);
    }
}
