//! The walk: one pass over the data, an entry for each value.

use super::objects::{Object, Objects, PUSH_SETUP};
use super::profile::{BuiltIn, Head, Profile};
use super::quick::{self, Shape};
use super::value::{self, Entry, MAX_DEPTH, Path, Value};
use crate::data::{self, Element, Error, Quirks, Reader};
use crate::{Decimal, Obis, Scaled, Unit};

/// The entries in the data of a notification, by the built-in profiles.
#[must_use]
pub fn entries(body: &[u8]) -> Entries<'_, BuiltIn> {
    entries_with(body, &BuiltIn)
}

/// The entries in the data of a notification, by this profile.
#[must_use]
pub fn entries_with<'a, P: Profile>(body: &'a [u8], profile: &P) -> Entries<'a, P> {
    Entries::new(body, profile)
}

/// The entries in the data of a notification: an iterator that takes one data element off the front of the octets.
///
/// It ends after that element, or after the first error; what came before the error was sound. [`Entries::rest`] is what
/// follows the element.
#[derive(Clone, Debug)]
pub struct Entries<'a, P: Profile> {
    reader: Reader<'a>,
    /// The innermost open container; the ones around it are in `outer`.
    top: Level,
    outer: [Level; MAX_DEPTH],
    depth: u8,
    path: Path,
    list: Option<P::List>,
    quirks: Quirks,
    objects: Option<Objects<'a>>,
    /// The depth at which the values of the object list stand; 0 where there is none.
    objects_at: u8,
    /// Whether the next member may go the quick way.
    is_plain: bool,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    Inside,
    Done,
}

/// An open container.
#[derive(Clone, Copy, Debug)]
struct Level {
    /// Members still to come.
    left: u32,
    /// The member that comes next.
    next: u16,
    /// A code, with the attribute, whose value comes next.
    pending: Option<(Obis, u8)>,
    /// The object that this container is the value of: its members all bear that name.
    owner: Option<(Obis, u8)>,
}

impl Level {
    const NONE: Self = Self { left: 0, next: 0, pending: None, owner: None };

    /// Goes on to the next member; `false` where there is none.
    fn step(&mut self) -> bool {
        let more = self.left != 0;
        if more {
            self.pass(1);
        }
        more
    }

    /// Goes past so many members, which must be there.
    #[inline]
    const fn pass(&mut self, members: u16) {
        self.left = self.left.saturating_sub(members as u32);
        self.next = self.next.saturating_add(members);
    }

    /// The member gone to last.
    const fn current(&self) -> u16 {
        self.next.saturating_sub(1)
    }
}

impl<'a, P: Profile> Entries<'a, P> {
    fn new(body: &'a [u8], profile: &P) -> Self {
        let list = profile.recognise(&Head::new(body));
        let quirks = list.as_ref().map_or(Quirks::NONE, P::quirks);
        Self {
            reader: Reader::new(body),
            top: Level::NONE,
            outer: [Level::NONE; MAX_DEPTH],
            depth: 0,
            path: Path::ROOT,
            list,
            quirks,
            objects: None,
            objects_at: 0,
            is_plain: false,
            state: State::Start,
        }
    }

    /// Accepts these departures from A-XDR as well, besides those of the profile.
    #[must_use]
    pub fn with_quirks(mut self, quirks: Quirks) -> Self {
        self.quirks.untagged_descriptors |= quirks.untagged_descriptors;
        self.quirks.swapped_octet_strings |= quirks.swapped_octet_strings;
        self
    }

    /// What the list is called, if a profile recognised it.
    #[must_use]
    pub fn layout(&self) -> Option<&'static str> {
        self.list.as_ref().map(P::name)
    }

    /// What the profile knows about the list, if it recognised it.
    #[must_use]
    pub const fn list(&self) -> Option<&P::List> {
        self.list.as_ref()
    }

    /// What has not been read: at the end, what follows the data element.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.reader.rest()
    }

    /// The way most lists go: the next members are a whole item with a number, or a number that the profile names.
    ///
    /// Gives what [`Iterator::next`] gives, so that the entry is made in its place: moving it costs as much as reading it.
    #[inline(always)]
    fn quick(&mut self) -> Option<Result<Entry<'a>, Error>> {
        if !self.is_plain || self.top.left == 0 {
            return None;
        }
        let octets = self.reader.rest();
        let Some(item) = quick::item(octets, self.top.left) else { return self.by_position(octets) };
        if !is_code(item.code) {
            return None;
        }
        let scale = match (&item.scale, &self.list) {
            (None, Some(list)) => {
                P::scale(list, item.code, item.number).map(|scale| (scale.exponent, scale.unit))
            }
            (sent, _) => *sent,
        };
        self.reader.advance_to(item.rest);
        let member = self.top.next;
        let path = match item.shape {
            Shape::Structure => {
                self.top.pass(1);
                self.path.member(member).inner().member(1)
            }
            Shape::Pair => {
                self.top.pass(2);
                self.path.member(member.saturating_add(1))
            }
            Shape::Triple => {
                self.top.pass(3);
                self.path.member(member.saturating_add(1))
            }
        };
        Some(Ok(Entry { obis: Some(item.code), attribute: 2, path, value: with_scale(item.number, scale) }))
    }

    #[inline(always)]
    fn by_position(&mut self, octets: &'a [u8]) -> Option<Result<Entry<'a>, Error>> {
        let list = self.list.as_ref().filter(|_| self.depth == 1)?;
        let (number, rest) = quick::number(octets)?;
        let code = P::code(list, self.top.next)?;
        let scale = P::scale(list, code, number).map(|scale| (scale.exponent, scale.unit));
        self.reader.advance_to(rest);
        let path = self.path.member(self.top.next);
        self.top.pass(1);
        Some(Ok(Entry { obis: Some(code), attribute: 2, path, value: with_scale(number, scale) }))
    }

    /// The value of a code: by the scaler and unit that came with it, else by the profile.
    #[inline]
    fn scaled(&self, value: data::Value<'a>, code: Obis, sent: Option<(i8, Unit)>) -> Value<'a> {
        let Some(number) = value::number(&value) else { return Value::plain(value, Some(code)) };
        let scale = sent.or_else(|| {
            let scale = P::scale(self.list.as_ref()?, code, number)?;
            Some((scale.exponent, scale.unit))
        });
        with_scale(number, scale)
    }

    /// The value, without a deviation of 0 that does not mean UTC.
    fn dated(&self, value: Value<'a>) -> Value<'a> {
        match value {
            Value::DateTime(time)
                if time.deviation() == Some(0)
                    && self.list.as_ref().is_some_and(|list| !P::is_zero_deviation_sound(list)) =>
            {
                Value::DateTime(time.without_deviation())
            }
            value => value,
        }
    }

    /// The next member, whatever it is; `None` for one that is not a value of its own.
    fn member(&mut self) -> Result<Option<Entry<'a>>, Error> {
        if self.depth == self.objects_at && self.depth != 0 {
            return self.object();
        }
        if self.quirks != Quirks::NONE && self.quirk() {
            return Ok(None);
        }
        let before = self.reader;
        match self.reader.element()? {
            Element::Value(value) => Ok(self.value(value)),
            Element::Array(count) | Element::Structure(count) => {
                let owner = self.top.pending.take().or(self.top.owner);
                self.open(before, count, owner)
            }
            Element::CompactArray(_) => {
                let owner = self.top.pending.take().or(self.top.owner);
                self.whole(before, owner).map(Some)
            }
        }
    }

    /// A value that stands alone or behind its code, or the code of the value that comes next.
    fn value(&mut self, value: data::Value<'a>) -> Option<Entry<'a>> {
        if let Some((code, attribute)) = self.top.pending.take() {
            // A scale that cannot be applied is left, and comes out by itself.
            let is_scaled = self.top.left > 0 && attribute == 2 && !value::is_other_number(&value);
            let sent = if is_scaled { self.reader.scaler_unit() } else { None };
            let sent_scale = sent.map(|sent| (sent.scaler, Unit::new(sent.unit)));
            let value = match value.as_obis() {
                Some(name) if attribute == 1 => Value::Code(name),
                _ if attribute != 2 => Value::plain(value, Some(code)),
                _ => self.scaled(value, code, sent_scale),
            };
            let entry = self.entry(Some(code), attribute, value);
            if sent.is_some() {
                self.top.step();
            }
            return Some(entry);
        }
        if let Some((code, attribute)) = self.top.owner {
            return Some(self.entry(Some(code), attribute, Value::plain(value, Some(code))));
        }
        if self.top.left > 0
            && let Some(code) = value.as_obis().filter(|code| is_code(*code))
        {
            self.top.pending = Some((code, 2));
            return None;
        }
        // A null that nothing names fills the place of a value that the meter does not have.
        if value == data::Value::Null && self.depth > 0 {
            return None;
        }
        let list = self.list.as_ref().filter(|_| self.depth == 1);
        let code = list.and_then(|list| P::code(list, self.top.current()));
        let value = match code {
            Some(code) => self.scaled(value, code, None),
            None => Value::plain(value, None),
        };
        Some(self.entry(code, 2, value))
    }

    /// A value that the object list names.
    fn object(&mut self) -> Result<Option<Entry<'a>>, Error> {
        let object = self.objects.as_mut().and_then(Objects::next);
        let before = self.reader;
        let element = self.reader.element()?;
        let Some(object) = object else { return self.unnamed(before, element) };
        let Object { class, obis, attribute } = object;
        match element {
            Element::Value(value) if attribute == 2 => {
                let mut ahead = self.objects;
                let follows = self.top.left > 0
                    && !value::is_other_number(&value)
                    && ahead.as_mut().is_some_and(|objects| objects.next_if_scaler_of(object));
                let sent = if follows { self.reader.scaler_unit() } else { None };
                if sent.is_some() {
                    self.objects = ahead;
                }
                let sent_scale = sent.map(|sent| (sent.scaler, Unit::new(sent.unit)));
                let entry = self.entry(Some(obis), attribute, self.scaled(value, obis, sent_scale));
                if sent.is_some() {
                    self.top.step();
                }
                Ok(Some(entry))
            }
            Element::Value(value) => {
                let value = match value.as_obis() {
                    Some(name) if attribute == 1 && class == PUSH_SETUP => Value::Code(name),
                    _ => Value::plain(value, Some(obis)),
                };
                Ok(Some(self.entry(Some(obis), attribute, value)))
            }
            Element::Array(count) | Element::Structure(count) => {
                self.open(before, count, Some((obis, attribute)))
            }
            Element::CompactArray(_) => self.whole(before, Some((obis, attribute))).map(Some),
        }
    }

    /// A value of an object list that does not say what it is.
    fn unnamed(&mut self, before: Reader<'a>, element: Element<'a>) -> Result<Option<Entry<'a>>, Error> {
        match element {
            Element::Value(value) => Ok(Some(self.entry(None, 2, Value::plain(value, None)))),
            Element::Array(count) | Element::Structure(count) => self.open(before, count, None),
            Element::CompactArray(_) => self.whole(before, None).map(Some),
        }
    }

    /// Goes into a container, or takes it whole where it lies too deep.
    fn open(
        &mut self,
        before: Reader<'a>,
        count: u32,
        owner: Option<(Obis, u8)>,
    ) -> Result<Option<Entry<'a>>, Error> {
        let Some(place) =
            self.outer.get_mut(usize::from(self.depth)).filter(|_| usize::from(self.depth) < MAX_DEPTH)
        else {
            return self.whole(before, owner).map(Some);
        };
        *place = self.top;
        self.path = self.path.member(self.top.current()).inner();
        self.top = Level { left: count, next: 0, pending: None, owner };
        self.depth = self.depth.saturating_add(1);
        self.object_list();
        Ok(None)
    }

    /// At the front of the outermost container: takes the object list, and finds where its values stand.
    fn object_list(&mut self) {
        if self.top.left == 0 {
            return;
        }
        if self.depth == 1 {
            let mut reader = self.reader;
            let Some(mut objects) = Objects::take(&mut reader) else { return };
            self.top.step();
            self.reader = reader;
            let all = objects;
            if objects.align(self.top.left) {
                (self.objects, self.objects_at) = (Some(objects), 1);
            } else if self.top.left == 1
                && matches!(reader.element(), Ok(Element::Array(_) | Element::Structure(_)))
            {
                // One member more: the values are in a container of their own.
                self.objects = Some(all);
            } else {
                (self.objects, self.objects_at) = (None, 1);
            }
        } else if self.depth == 2
            && self.objects_at == 0
            && let Some(mut objects) = self.objects
        {
            self.objects_at = 2;
            self.objects = objects.align(self.top.left).then_some(objects);
        }
    }

    /// Takes an element whole, from its front.
    fn whole(&mut self, before: Reader<'a>, owner: Option<(Obis, u8)>) -> Result<Entry<'a>, Error> {
        self.reader = before;
        let octets = self.reader.skip()?;
        let (code, attribute) = owner.map_or((None, 2), |(code, attribute)| (Some(code), attribute));
        Ok(self.entry(code, attribute, Value::Nested(octets)))
    }

    /// Leaves a container; a code that no value followed is a value itself.
    fn close(&mut self) -> Option<Entry<'a>> {
        let orphan = self.top.pending.take().map(|(code, _)| self.entry(None, 2, Value::Code(code)));
        if self.objects_at == self.depth {
            (self.objects, self.objects_at) = (None, 0);
        }
        self.depth = self.depth.saturating_sub(1);
        self.path = self.path.outer();
        self.top = self.outer.get(usize::from(self.depth)).copied().unwrap_or(Level::NONE);
        if self.depth == 0 {
            self.state = State::Done;
        }
        orphan
    }

    /// A member that departs from A-XDR in an accepted way; it is always the code of what follows.
    fn quirk(&mut self) -> bool {
        // Asked once a member is counted: the first one has left its number 0 behind.
        if self.top.next != 1 {
            return false;
        }
        let rest = self.reader.rest();
        let found = match rest {
            [0, 1..=255, a, b, c, d, e, 255, attribute @ 1..=32, rest @ ..]
                if self.quirks.untagged_descriptors && self.top.left == 1 =>
            {
                Some((Obis::new(*a, *b, *c, *d, *e, 255), *attribute, rest))
            }
            [6, 9, a @ (0 | 1), b, c, d, e, 255, rest @ ..] if self.quirks.swapped_octet_strings => {
                Some((Obis::new(*a, *b, *c, *d, *e, 255), 2, rest))
            }
            _ => None,
        };
        let Some((code, attribute, rest)) = found else { return false };
        self.reader.advance_to(rest);
        self.top.pending = Some((code, attribute));
        true
    }

    #[inline]
    fn entry(&self, obis: Option<Obis>, attribute: u8, value: Value<'a>) -> Entry<'a> {
        Entry { obis, attribute, path: self.path.member(self.top.current()), value: self.dated(value) }
    }

    /// One step of the long way, for what the quick one does not take; `None` for no entry yet.
    #[inline(never)]
    fn long(&mut self) -> Option<Result<Entry<'a>, Error>> {
        if self.is_plain
            && self.top.left != 0
            && let Some(entry) = self.named()
        {
            return Some(Ok(entry));
        }
        let entry = self.walk();
        self.is_plain = self.depth != 0
            && self.depth != self.objects_at
            && usize::from(self.depth) < MAX_DEPTH
            && self.top.pending.is_none()
            && self.top.owner.is_none();
        if entry.is_err() {
            self.state = State::Done;
        }
        entry.transpose()
    }

    /// A whole `{code, value[, {scaler, unit}]}` with a value of any kind.
    fn named(&mut self) -> Option<Entry<'a>> {
        let mut reader = self.reader;
        let entry = reader.entry().filter(|entry| is_code(entry.obis))?;
        if entry.scaler_unit.is_some() && value::is_other_number(&entry.value) {
            return None;
        }
        self.reader = reader;
        let path = self.path.member(self.top.next).inner().member(1);
        self.top.pass(1);
        let scale = entry.scaler_unit.map(|sent| (sent.scaler, Unit::new(sent.unit)));
        let value = self.dated(self.scaled(entry.value, entry.obis, scale));
        Some(Entry { obis: Some(entry.obis), attribute: 2, path, value })
    }

    /// One step of the walk.
    fn walk(&mut self) -> Result<Option<Entry<'a>>, Error> {
        match self.state {
            State::Start => {
                self.state = State::Inside;
                let entry = self.member()?;
                if self.depth == 0 {
                    self.state = State::Done;
                }
                Ok(entry)
            }
            State::Inside => {
                if self.top.step() {
                    self.member()
                } else {
                    Ok(self.close())
                }
            }
            State::Done => Ok(None),
        }
    }
}

impl<'a, P: Profile> Iterator for Entries<'a, P> {
    type Item = Result<Entry<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let entry = self.quick();
            if entry.is_some() {
                return entry;
            }
            let entry = self.long();
            if entry.is_some() {
                return entry;
            }
            if self.state == State::Done {
                return None;
            }
        }
    }
}

impl<P: Profile> core::iter::FusedIterator for Entries<'_, P> {}

#[inline]
fn with_scale<'a>(number: i64, scale: Option<(i8, Unit)>) -> Value<'a> {
    match scale {
        Some((exponent, unit)) => Value::Scaled(Scaled::new(Decimal::new(number, exponent), unit)),
        None => Value::Plain(Decimal::new(number, 0)),
    }
}

/// Whether six octets can be a code: the media of the standard end far below the first printable character, so that a
/// text of six characters is none.
#[inline]
const fn is_code(code: Obis) -> bool {
    code.a() < 0x20
}
