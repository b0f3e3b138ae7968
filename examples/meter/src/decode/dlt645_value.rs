//! Values of DL/T 645 data: numbers with units, ISO times, and raw octets where nothing else is sure.

use super::damage::Damage;
use crate::output::{Item as Shown, Label, Measure, Value as Output, Values, summary};
use dlt645::load::records;
use dlt645::{Address, Data, Identifier, Item, Moment, Text, Value, items, items_in};
use obis::{Decimal, ObisText};
use std::borrow::Cow;

/// One object of a message, with everything it shows its own.
#[derive(Debug, Default)]
pub struct Object {
    pub code: Option<ObisText>,
    pub path: Option<String>,
    pub name: Option<String>,
    pub time: Option<String>,
    pub values: Vec<Output<'static>>,
    /// Hex digits of what could not be read.
    pub raw: Option<String>,
}

impl Object {
    pub fn new(name: &str, value: Output<'static>) -> Self {
        Self { name: Some(name.to_owned()), values: vec![value], ..Self::default() }
    }

    /// A time of a request: as it is written where it is no calendar time.
    pub fn at(name: &str, time: Moment) -> Self {
        let value = match iso(time) {
            Iso::Time(text) => text_value(text),
            Iso::Nothing => Output::Null,
            Iso::Odd => text_value(time.to_string()),
        };
        Self::new(name, value)
    }

    pub fn item(&self) -> Shown<'_> {
        Shown {
            label: Some(Label::new(self.code, self.name.as_deref())),
            path: self.path.clone(),
            time: self.time.clone(),
            values: Values::Many(self.values.clone()),
            raw: self.raw.as_deref().map(str::as_bytes),
            ..Shown::default()
        }
    }

    /// A line of the tree.
    pub fn line(&self) -> String {
        let mut line = String::from("value");
        let code = self.code.as_ref().map(ObisText::as_str);
        for part in [code, self.path.as_deref(), self.name.as_deref()].into_iter().flatten() {
            line.push(' ');
            line.push_str(part);
        }
        let shown = match (&self.raw, &self.values[..]) {
            (Some(raw), _) => format!("raw {raw}"),
            (None, [Output::Null]) => "no data".to_owned(),
            (None, values) => summary(values),
        };
        line.push_str(": ");
        line.push_str(&shown);
        if let Some(time) = &self.time {
            line.push_str(" at ");
            line.push_str(time);
        }
        line
    }
}

pub fn number(number: impl Into<i64>) -> Output<'static> {
    Output::Number(Decimal::new(number.into(), 0), None)
}

pub fn text(text: String) -> Output<'static> {
    text_value(text)
}

fn text_value(text: String) -> Output<'static> {
    Output::Text(Cow::Owned(text))
}

/// Hex digits in the order of the wire.
pub fn octets(data: Data<'_>) -> String {
    data.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The name of an identifier, unless its digits are all there is.
pub fn name(identifier: Identifier) -> Option<String> {
    let name = identifier.name().to_string();
    (name != identifier.to_string()).then_some(name)
}

/// The objects in the data of `identifier`. What cannot be read is told in `damage` and comes as raw octets.
pub fn objects(address: Address, identifier: Identifier, data: Data<'_>, damage: &mut Damage) -> Vec<Object> {
    if let Identifier::V2007(code @ 0x0400_0C00..=0x0400_0C0A) = identifier {
        let object = Object { name: name(Identifier::V2007(code)), ..Object::default() };
        return vec![Object { values: vec![text_value("not shown".into())], ..object }];
    }
    if data.is_empty() {
        return vec![Object { values: vec![Output::Null], ..named(identifier) }];
    }
    if let Identifier::V2007(0x0600_0000..=0x06FF_FFFF) = identifier
        && let Some(objects) = load(address, identifier, data, damage)
    {
        return objects;
    }
    let found: Vec<_> = items(identifier, data).collect();
    let places = places(&found, data.len());
    let mut objects: Vec<Object> = Vec::new();
    for (at, item) in found.iter().enumerate() {
        if let (Ok(Value::Time(time)), Some(last)) = (item.value, objects.last_mut())
            && item.field == 1
            && is_demand(item.identifier)
        {
            // When the demand was at its highest: the time of the value before it.
            match iso(time) {
                Iso::Time(text) => last.time = Some(text),
                Iso::Nothing => {}
                Iso::Odd => odd(address, item, data, places.get(at).copied(), "no calendar time", damage)
                    .into_iter()
                    .for_each(|object| objects.push(object)),
            }
            continue;
        }
        let mut object = described(&found, at);
        if let (Some(rate), Some(name)) = (frozen_rate(&found, at), &mut object.name) {
            name.push_str(&rate);
        }
        fill(&mut object, address, item, data, places.get(at).copied(), damage);
        let weekday = match item.value {
            Ok(Value::Time(time)) if !object.values.is_empty() => time.weekday(),
            _ => None,
        };
        let dated = matches!(object.values[..], [Output::Text(_)]);
        objects.push(object);
        if let Some(weekday) = weekday.filter(|_| dated) {
            objects.push(Object::new("weekday, 0 = Sunday", number(weekday)));
        }
    }
    objects
}

/// Code and name of an identifier.
fn named(identifier: Identifier) -> Object {
    Object {
        code: identifier.obis().map(obis::Obis::text),
        name: Some(name(identifier).unwrap_or_else(|| identifier.to_string())),
        ..Object::default()
    }
}

fn is_demand(identifier: Identifier) -> bool {
    match identifier {
        Identifier::V1997(_) => false,
        Identifier::V2007(code) => match code.to_be_bytes() {
            [0x01, ..] => true,
            [0x05, _, part, _] => matches!(part, 0x09 | 0x0A),
            _ => false,
        },
    }
}

/// What item number `at` is: a quantity of its own, or a field of a record.
fn described(found: &[Item<'_>], at: usize) -> Object {
    let Some(item) = found.get(at) else { return Object::default() };
    let mut object = named(item.identifier);
    let neighbours = found.iter().filter(|other| other.identifier == item.identifier);
    let fields = neighbours.clone().map(|other| other.field).max().unwrap_or_default();
    let repeated = neighbours.map(|other| other.index).any(|index| index != item.index);
    if repeated {
        object.path = Some(match fields {
            0 => (item.index + 1).to_string(),
            _ => format!("{}.{}", item.index + 1, item.field),
        });
    } else if fields > 0 && !(is_demand(item.identifier) && fields == 1) {
        object.path = Some(item.field.to_string());
    }
    if fields > 0 && !is_demand(item.identifier) {
        object.code = None;
        let what = field_name(found, at);
        object.name = object.name.map(|name| format!("{name}{what}"));
    }
    object
}

/// What a field of a record is, as far as its place tells.
fn field_name(found: &[Item<'_>], at: usize) -> String {
    let Some(item) = found.get(at) else { return String::new() };
    let is_time = |item: Option<&Item<'_>>, field: u16| {
        item.is_some_and(|item| item.field == field && matches!(item.value, Ok(Value::Time(_))))
    };
    match (item.identifier, item.field) {
        (Identifier::V2007(code @ 0x0500_0000..=0x05FF_FFFF), field) if code >> 8 & 0xFF == 0x10 => {
            // The name of the record ends in what all of its fields are.
            variable(field).map_or(String::new(), |name| format!(": {name}"))
        }
        (Identifier::V2007(0x0330_0401..=0x0330_040A), 1) => ", before".into(),
        (Identifier::V2007(0x0330_0401..=0x0330_040A), 2) => ", after".into(),
        (_, 0) if is_time(Some(item), 0) && is_time(found.get(at + 1), 1) => ", begin".into(),
        (_, 0) if is_time(Some(item), 0) => ", time".into(),
        (_, 1) if is_time(Some(item), 1) && at > 0 && is_time(found.get(at - 1), 0) => ", end".into(),
        _ if matches!(item.value, Ok(Value::Octets(_))) => ", operator".into(),
        _ => String::new(),
    }
}

/// Frozen energies and demands are those of all rates, then of each.
fn frozen_rate(found: &[Item<'_>], at: usize) -> Option<String> {
    let item = found.get(at)?;
    let Identifier::V2007(code @ 0x0500_0000..=0x05FF_FFFF) = item.identifier else { return None };
    if !matches!(code >> 8 & 0xFF, 1..=0x0A) {
        return None;
    }
    let same = |other: &&Item<'_>| other.identifier == item.identifier && other.field == item.field;
    Some(match found.iter().take(at).filter(same).count() {
        0 => ", total".to_owned(),
        rate => format!(", rate {rate}"),
    })
}

/// Frozen variables: powers of all and each phase.
fn variable(field: u16) -> Option<String> {
    let field = u32::from(field);
    let code = match field {
        0..=3 => 0x0203_0000 | field << 8,
        4..=7 => 0x0204_0000 | (field - 4) << 8,
        _ => return None,
    };
    name(Identifier::V2007(code))
}

/// Records of the load profile; `None` where there is no record in the data.
fn load(
    address: Address,
    identifier: Identifier,
    data: Data<'_>,
    damage: &mut Damage,
) -> Option<Vec<Object>> {
    let mut found = records(data);
    let mut objects = Vec::new();
    let mut any = false;
    for record in found.by_ref() {
        let record = match record {
            Ok(record) => record,
            Err(kind) => {
                if any || data.octet(0) == Some(0xA0) {
                    damage.report(&format!("{address} {identifier}: load record: {kind}"));
                    any = true;
                }
                continue;
            }
        };
        any = true;
        let time = record.time().map(iso);
        let Ok(Iso::Time(time)) = time else {
            damage.report(&format!("{address} {identifier}: load record without a calendar time"));
            objects.push(Object { raw: Some(octets(record.body())), ..named(identifier) });
            continue;
        };
        for class in 1..=6 {
            let Some((layout, data)) = record.class(class) else { continue };
            let values: Vec<_> = items_in(layout, data).collect();
            let places = places(&values, data.len());
            for (at, item) in values.iter().enumerate() {
                let mut object = match quantity(class, item.field) {
                    Some(quantity) => named(quantity),
                    None => Object { path: Some(format!("{class}.{}", item.field)), ..named(identifier) },
                };
                object.time = Some(time.clone());
                fill(&mut object, address, item, data, places.get(at).copied(), damage);
                objects.push(object);
            }
        }
    }
    let rest = found.rest();
    if any && !rest.is_empty() {
        damage.report(&format!("{address} {identifier}: last load record cut short"));
        objects.push(Object { raw: Some(octets(rest)), ..named(identifier) });
    }
    any.then_some(objects)
}

/// The quantity that a field of a load record class is.
fn quantity(class: u8, field: u16) -> Option<Identifier> {
    let field = u32::from(field);
    let code = match (class, field) {
        (1, 0..=2) => 0x0201_0000 | (field + 1) << 8,
        (1, 3..=5) => 0x0202_0000 | (field - 2) << 8,
        (1, 6) => 0x0280_0002,
        (2, 0..=3) => 0x0203_0000 | field << 8,
        (2, 4..=7) => 0x0204_0000 | (field - 4) << 8,
        (3, 0..=3) => 0x0206_0000 | field << 8,
        (4, 0..=3) => (field + 1) << 16,
        (5, 0..=3) => (field + 5) << 16,
        (6, 0 | 1) => 0x0280_0004 + field,
        _ => return None,
    };
    Some(Identifier::V2007(code))
}

/// Where in the data each item stands: one behind the other, with one octet between repetitions if so many are left.
fn places(found: &[Item<'_>], len: usize) -> Vec<(usize, usize)> {
    let width = |item: &Item<'_>| {
        let octets = match item.value {
            Ok(Value::Octets(data)) => Some(data.len()),
            _ => item
                .identifier
                .layout()
                .and_then(|layout| layout.get(item.field).or_else(|| layout.get(0)))
                .map(|field| usize::from(field.format.octets())),
        };
        octets.unwrap_or(len)
    };
    let sum: usize = found.iter().map(width).sum();
    if found.len() == 1 || sum > len {
        return vec![(0, len); found.len()];
    }
    let separator = usize::from(sum < len);
    let (mut at, mut index) = (0, found.first().map_or(0, |item| item.index));
    let mut places = Vec::with_capacity(found.len());
    for item in found {
        if item.index != index {
            index = item.index;
            at += separator;
        }
        let end = (at + width(item)).min(len);
        places.push((at.min(end), end));
        at = end;
    }
    places
}

fn fill(
    object: &mut Object,
    address: Address,
    item: &Item<'_>,
    data: Data<'_>,
    place: Option<(usize, usize)>,
    damage: &mut Damage,
) {
    let wrong = match item.value {
        Ok(Value::Octets(octets)) if item.identifier.layout().is_none() => {
            // An identifier that no table has: its octets are all there is to say.
            object.raw = Some(self::octets(octets));
            return;
        }
        Ok(value) => match shown(value) {
            Ok(values) => {
                object.values = values;
                return;
            }
            Err(wrong) => wrong.to_owned(),
        },
        Err(error) => error.to_string(),
    };
    if let Some(raw) = odd(address, item, data, place, &wrong, damage) {
        object.raw = raw.raw;
    }
}

/// Tells what is wrong with an item, and gives its octets.
fn odd(
    address: Address,
    item: &Item<'_>,
    data: Data<'_>,
    place: Option<(usize, usize)>,
    wrong: &str,
    damage: &mut Damage,
) -> Option<Object> {
    let (from, to) = place.unwrap_or((0, data.len()));
    let raw: String = data.iter().skip(from).take(to - from).map(|octet| format!("{octet:02x}")).collect();
    damage.report(&format!("{address} {}: {wrong}; raw {raw}", item.identifier));
    Some(Object { raw: Some(raw), ..named(item.identifier) })
}

/// The value as JSON has it, or why it is none.
fn shown(value: Value<'_>) -> Result<Vec<Output<'static>>, &'static str> {
    let moment = |time: Moment| match iso(time) {
        Iso::Time(text) => Ok(text_value(text)),
        Iso::Nothing => Ok(Output::Null),
        Iso::Odd => Err("no calendar time"),
    };
    Ok(match value {
        Value::Number(number, unit) => {
            vec![Output::Number(number.into(), Measure::of(unit.symbol()))]
        }
        Value::Time(time) => vec![moment(time)?],
        Value::Scheduled(time, which) => vec![moment(time)?, number(which)],
        Value::Digits(digits) => vec![text_value(digits.to_string())],
        Value::Text(text) => vec![text_value(ascii(text)?)],
        // Bit 0 last, as numbers are written.
        Value::Bits(bits) => {
            vec![text_value(bits.data().iter().rev().map(|octet| format!("{octet:08b}")).collect::<String>())]
        }
        Value::Identifier(identifier) => vec![text_value(identifier.to_string())],
        Value::Octets(data) => vec![text_value(octets(data))],
        Value::NoData => vec![Output::Null],
        _ => return Err("value of an unknown kind"),
    })
}

/// Text that is certain: a vendor's code page is not guessed.
fn ascii(text: Text<'_>) -> Result<String, &'static str> {
    if text.octets().all(|octet| matches!(octet, b' '..=b'~')) {
        Ok(text.to_string())
    } else {
        Err("text is not ASCII")
    }
}

enum Iso {
    Time(String),
    /// All zero or all 99: never, or not in use.
    Nothing,
    Odd,
}

/// ISO 8601; parts that a form lacks at the front show as hyphens (`--02-01` is a month and day).
fn iso(time: Moment) -> Iso {
    let date = [time.year(), time.month(), time.day()];
    let clock = [time.hour(), time.minute(), time.second()];
    let mut parts = date.into_iter().chain(clock).chain([time.weekday()]).flatten();
    let dated = date.iter().any(Option::is_some);
    if (dated && parts.clone().all(|part| part == 0)) || parts.all(|part| part == 99) {
        return Iso::Nothing;
    }
    if !time.is_calendar() {
        return Iso::Odd;
    }
    let mut text = String::new();
    if let Some(year) = time.year() {
        text.push_str(&format!("20{year:02}"));
    }
    if let Some(month) = time.month() {
        text.push_str(&format!("{}{month:02}", if time.year().is_some() { "-" } else { "--" }));
    }
    if let Some(day) = time.day() {
        text.push_str(&format!("{}{day:02}", if time.month().is_some() { "-" } else { "---" }));
    }
    if dated && clock.iter().any(Option::is_some) {
        text.push('T');
    }
    let clock: Vec<_> = clock.into_iter().flatten().map(|part| format!("{part:02}")).collect();
    text.push_str(&clock.join(":"));
    Iso::Time(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(identifier: Identifier, data: &[u8]) -> (Vec<String>, u64) {
        let mut damage = Damage::default();
        let found = objects(Address::WILDCARD, identifier, Data::plain(data), &mut damage);
        (found.iter().map(Object::line).collect(), damage.count())
    }

    #[test]
    fn what_is_no_value_is_raw_and_told() {
        let total = "1-0:1.8.0*255 forward active energy, total, current";
        assert_eq!(
            lines(Identifier::V2007(0x0001_0000), &[0, 0, 0x0E, 0]),
            (vec![format!("value {total}: raw 00000e00")], 1)
        );
        assert_eq!(
            lines(Identifier::V2007(0x0001_0000), &[0xFF; 4]),
            (vec![format!("value {total}: no data")], 0)
        );
        let (block, damage) = lines(Identifier::V2007(0x0001_FF00), &[0x10, 0, 0, 0, 0xAA, 0x0A, 0, 0, 0]);
        assert_eq!(
            block,
            [
                format!("value {total}: 0.10 kWh"),
                "value 1-0:1.8.1*255 forward active energy, rate 1, current: raw 0a000000".into()
            ]
        );
        assert_eq!(damage, 1);
        // A month 13 is BCD, but no time; FF is no text; neither is shown as one.
        assert_eq!(lines(Identifier::V2007(0x0400_0106), &[0, 0, 1, 0x13, 0x26]).1, 1);
        assert_eq!(lines(Identifier::V2007(0x0400_0405), &[0, 0, 0x80, 0x30, 0x2E, 0x35]).1, 1);
    }

    #[test]
    fn a_demand_has_its_time() {
        let (found, damage) =
            lines(Identifier::V2007(0x0101_0000), &[0x34, 0x12, 0x00, 0x15, 0x10, 0x02, 0x11, 0x26]);
        assert_eq!(damage, 0);
        assert_eq!(
            found,
            [
                "value 1-0:1.6.0*255 forward active max demand and time, total, current: 0.1234 kW at 2026-11-02T10:15"
            ]
        );
    }

    #[test]
    fn times_of_every_form() {
        for (identifier, data, shown) in [
            (0x0400_0102, &[0x32, 0x53, 0x18][..], "18:53:32"),
            (0x0400_0B01, &[0x00, 0x01], "---01T00"),
            (0x0400_0B02, &[0x99, 0x99], "no data"),
            (0x0400_0106, &[0, 0, 0, 0, 0], "no data"),
            (0x0400_1203, &[0x30, 0x07], "07:30"),
        ] {
            let (found, damage) = lines(Identifier::V2007(identifier), data);
            assert!(found[0].ends_with(&format!(": {shown}")) && damage == 0, "{found:?}");
        }
        let (found, _) = lines(Identifier::V2007(0x0400_0101), &[0x06, 0x29, 0x12, 0x18]);
        assert!(found[0].ends_with(": 2018-12-29") && found[1].ends_with(": 6"), "{found:?}");
    }
}
