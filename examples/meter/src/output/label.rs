//! Code and name of an object, put in words once: a log repeats the same ones over and over.

use super::json;
use obis::{Obis, ObisText};
use std::cell::RefCell;
use std::rc::Rc;

/// What an object is called.
#[derive(Debug, Default)]
pub struct Label {
    /// As the protocol writes it.
    pub code: Option<ObisText>,
    pub name: Option<Box<str>>,
    /// Both as the beginning of a JSON object.
    pub json: Vec<u8>,
}

impl Label {
    pub fn new(code: Option<ObisText>, name: Option<&str>) -> Rc<Self> {
        let mut json = vec![b'{'];
        for (key, text) in [("obis", code.as_ref().map(ObisText::as_str)), ("name", name)] {
            if let Some(text) = text {
                json::member(&mut json, 1, key);
                json::string(&mut json, text);
            }
        }
        Rc::new(Self { code, name: name.map(Into::into), json })
    }

    pub fn code(&self) -> Option<&str> {
        self.code.as_ref().map(ObisText::as_str)
    }
}

/// Labels by code and by what else they depend on. One that finds its place taken replaces the one there.
pub struct Labels {
    known: RefCell<Vec<Option<Known>>>,
}

struct Known {
    code: Obis,
    kind: u8,
    label: Rc<Label>,
}

/// A meter sends some dozens.
const PLACES: usize = 1 << 10;

impl Labels {
    pub const fn new() -> Self {
        Self { known: RefCell::new(Vec::new()) }
    }

    /// The label of `code`, as `make` makes it; `kind` tells apart what `make` would make of the same code.
    pub fn of(&self, code: Obis, kind: u8, make: impl FnOnce() -> Rc<Label>) -> Rc<Label> {
        let [a, b, c, d, e, f] = code.octets();
        let key = u64::from_le_bytes([a, b, c, d, e, f, kind, 0]);
        // Multiplied by an odd number without pattern, the top bits depend on all octets.
        let place = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - PLACES.trailing_zeros());
        let mut known = self.known.borrow_mut();
        if known.is_empty() {
            known.resize_with(PLACES, || None);
        }
        let place = &mut known[place as usize];
        match place {
            Some(known) if known.code == code && known.kind == kind => known.label.clone(),
            _ => place.insert(Known { code, kind, label: make() }).label.clone(),
        }
    }
}
