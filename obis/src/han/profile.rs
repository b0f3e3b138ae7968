//! What a profile says, and how profiles are put together.

use core::fmt::Debug;

use super::{aidon, iskra, kaifa, kamstrup, landis_gyr, sagemcom};
use crate::data::{Element, Quirks, Reader, Value};
use crate::{Obis, Unit};

/// Knowledge about the lists of one kind of meter: which values stand where, and how they are scaled.
///
/// A profile recognises a list by its front and then answers questions about it. It never sees values that the meter
/// names and scales itself. Profiles are put together in a tuple, the first that recognises a list has it:
/// `(MyMeter, BuiltIn)`.
///
/// ```
/// use obis::han::{self, BuiltIn, Head, Profile, Scale};
/// use obis::{Obis, Unit};
///
/// /// structure { "ACME", active power in 10 W }
/// struct Acme;
/// impl Profile for Acme {
///     type List = ();
///     fn recognise(&self, head: &Head<'_>) -> Option<()> {
///         (head.structure() == Some(2) && head.first_text() == Some(b"ACME")).then_some(())
///     }
///     fn name((): &()) -> &'static str {
///         "Acme"
///     }
///     fn code((): &(), member: u16) -> Option<Obis> {
///         (member == 1).then_some(obis::obis!("1-0:1.7.0"))
///     }
///     fn scale((): &(), _: Obis, _: i64) -> Option<Scale> {
///         Some(Scale::new(1, Unit::WATT))
///     }
/// }
///
/// let body = [2, 2, 9, 4, b'A', b'C', b'M', b'E', 18, 0, 42];
/// let mut entries = han::entries_with(&body, &(Acme, BuiltIn));
/// assert_eq!(entries.nth(1).unwrap().unwrap().value.to_string(), "420 W");
/// ```
pub trait Profile {
    /// What is known about a list once it is recognised.
    type List: Copy + Debug;

    /// Whether this is a list of this kind. Should look at the front of the data only.
    fn recognise(&self, head: &Head<'_>) -> Option<Self::List>;

    /// What a list of this kind is called.
    fn name(list: &Self::List) -> &'static str;

    /// The code of a member of the outermost structure that stands alone, without a code of its own.
    fn code(list: &Self::List, member: u16) -> Option<Obis> {
        let _ = (list, member);
        None
    }

    /// Scale and unit of a number that has a code but that the meter sent without scaler and unit.
    ///
    /// `None` where it is not known for sure: the number then comes out as it is, without a unit.
    fn scale(list: &Self::List, code: Obis, number: i64) -> Option<Scale> {
        let _ = (list, code, number);
        None
    }

    /// Departures from A-XDR that this kind of list makes.
    fn quirks(list: &Self::List) -> Quirks {
        let _ = list;
        Quirks::NONE
    }

    /// Whether a deviation of 0 in the date-times of the list means UTC. Where it does not, [`Value::DateTime`] comes out
    /// with the deviation not specified, and is local time.
    ///
    /// [`Value::DateTime`]: super::Value::DateTime
    fn is_zero_deviation_sound(list: &Self::List) -> bool {
        let _ = list;
        true
    }
}

/// How a number is to be read: times `10^exponent`, in this unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Scale {
    /// The power of ten.
    pub exponent: i8,
    /// The unit.
    pub unit: Unit,
}

impl Scale {
    /// Times `10^exponent`, in this unit.
    #[must_use]
    pub const fn new(exponent: i8, unit: Unit) -> Self {
        Self { exponent, unit }
    }
}

/// The front of a list, for a profile to recognise it by.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    root: Option<Element<'a>>,
    first: Option<Value<'a>>,
    members: Reader<'a>,
}

impl<'a> Head<'a> {
    /// The front of this data.
    #[must_use]
    pub fn new(body: &'a [u8]) -> Self {
        let mut members = Reader::new(body);
        let root = members.element().ok();
        let first = members.clone().value().ok();
        Self { root, first, members }
    }

    /// How many members the outermost structure has, if it is one.
    #[must_use]
    pub const fn structure(&self) -> Option<u32> {
        match self.root {
            Some(Element::Structure(count)) => Some(count),
            _ => None,
        }
    }

    /// How many elements the outermost array has, if it is one.
    #[must_use]
    pub const fn array(&self) -> Option<u32> {
        match self.root {
            Some(Element::Array(count)) => Some(count),
            _ => None,
        }
    }

    /// The first member, if it is a value.
    #[must_use]
    pub const fn first(&self) -> Option<Value<'a>> {
        self.first
    }

    /// The octets of the first member, if that is a string of any kind.
    #[must_use]
    pub const fn first_text(&self) -> Option<&'a [u8]> {
        match &self.first {
            Some(value) => value.as_octets(),
            None => None,
        }
    }

    /// A cursor at the first member.
    #[must_use]
    pub const fn members(&self) -> Reader<'a> {
        self.members
    }

    /// Whether the members are values of these types, by their tags, for as far as the tags go.
    #[must_use]
    pub fn has_types(&self, tags: &[u8]) -> bool {
        let mut members = self.members;
        tags.iter().all(|tag| members.value().is_ok_and(|value| value.tag() == Some(*tag)))
    }
}

/// No profile: lists that name and scale their values themselves.
impl Profile for () {
    type List = core::convert::Infallible;

    fn recognise(&self, _: &Head<'_>) -> Option<Self::List> {
        None
    }

    fn name(list: &Self::List) -> &'static str {
        match *list {}
    }
}

/// A list that one of two profiles recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// The first one did.
    First(A),
    /// The second one did.
    Second(B),
}

/// The first profile that recognises the list has it.
impl<A: Profile, B: Profile> Profile for (A, B) {
    type List = Either<A::List, B::List>;

    fn recognise(&self, head: &Head<'_>) -> Option<Self::List> {
        match self.0.recognise(head) {
            Some(list) => Some(Either::First(list)),
            None => self.1.recognise(head).map(Either::Second),
        }
    }

    fn name(list: &Self::List) -> &'static str {
        match list {
            Either::First(list) => A::name(list),
            Either::Second(list) => B::name(list),
        }
    }

    fn code(list: &Self::List, member: u16) -> Option<Obis> {
        match list {
            Either::First(list) => A::code(list, member),
            Either::Second(list) => B::code(list, member),
        }
    }

    fn scale(list: &Self::List, code: Obis, number: i64) -> Option<Scale> {
        match list {
            Either::First(list) => A::scale(list, code, number),
            Either::Second(list) => B::scale(list, code, number),
        }
    }

    fn quirks(list: &Self::List) -> Quirks {
        match list {
            Either::First(list) => A::quirks(list),
            Either::Second(list) => B::quirks(list),
        }
    }

    fn is_zero_deviation_sound(list: &Self::List) -> bool {
        match list {
            Either::First(list) => A::is_zero_deviation_sound(list),
            Either::Second(list) => B::is_zero_deviation_sound(list),
        }
    }
}

macro_rules! built_in {
    ($($(#[$doc:meta])* $name:ident: $profile:ty = $value:expr,)+) => {
        /// Every profile of this crate; the one that recognises a list has it.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct BuiltIn;

        /// A list that one of the built-in profiles recognised.
        #[derive(Clone, Copy, Debug)]
        pub enum BuiltInList {
            $($(#[$doc])* $name(<$profile as Profile>::List),)+
        }

        impl Profile for BuiltIn {
            type List = BuiltInList;

            fn recognise(&self, head: &Head<'_>) -> Option<BuiltInList> {
                $(if let Some(list) = $value.recognise(head) {
                    return Some(BuiltInList::$name(list));
                })+
                None
            }

            fn name(list: &BuiltInList) -> &'static str {
                match list {
                    $(BuiltInList::$name(list) => <$profile as Profile>::name(list),)+
                }
            }

            fn code(list: &BuiltInList, member: u16) -> Option<Obis> {
                match list {
                    $(BuiltInList::$name(list) => <$profile as Profile>::code(list, member),)+
                }
            }

            fn scale(list: &BuiltInList, code: Obis, number: i64) -> Option<Scale> {
                match list {
                    $(BuiltInList::$name(list) => <$profile as Profile>::scale(list, code, number),)+
                }
            }

            fn quirks(list: &BuiltInList) -> Quirks {
                match list {
                    $(BuiltInList::$name(list) => <$profile as Profile>::quirks(list),)+
                }
            }

            fn is_zero_deviation_sound(list: &BuiltInList) -> bool {
                match list {
                    $(BuiltInList::$name(list) => <$profile as Profile>::is_zero_deviation_sound(list),)+
                }
            }
        }
    };
}

built_in! {
    /// Aidon.
    Aidon: aidon::Aidon = aidon::Aidon,
    /// Kamstrup.
    Kamstrup: kamstrup::Kamstrup = kamstrup::Kamstrup::BY_TYPE,
    /// Kaifa, values by position.
    KaifaPositional: kaifa::Positional = kaifa::Positional,
    /// Kaifa, pairs.
    KaifaPairs: kaifa::Pairs = kaifa::Pairs,
    /// Kaifa, Austria.
    KaifaAustria: kaifa::Austria = kaifa::Austria,
    /// Landis+Gyr E350.
    LandisGyrE350: landis_gyr::E350 = landis_gyr::E350,
    /// Iskraemeco, Slovenia.
    IskraSlovenia: iskra::Slovenia = iskra::Slovenia,
    /// Iskraemeco, Croatia.
    IskraCroatia: iskra::Croatia = iskra::Croatia,
    /// Object list first, Switzerland.
    Swiss: landis_gyr::Swiss = landis_gyr::Swiss,
    /// Landis+Gyr E450, pairs.
    LandisGyrPairs: landis_gyr::Pairs = landis_gyr::Pairs,
    /// Landis+Gyr E450, Burgenland.
    Burgenland: landis_gyr::Burgenland = landis_gyr::Burgenland,
    /// Netz Niederösterreich.
    NetzNoe: sagemcom::NetzNoe = sagemcom::NetzNoe,
    /// EG.D and Sagemcom XT211, Czech Republic.
    Czech: sagemcom::Czech = sagemcom::Czech,
}

/// The unit that a measured quantity of electricity is in, from its code alone: W, var, VA, Wh, A, V, Hz, or none for a
/// power factor. Says nothing about the scale.
pub(super) const fn base_unit(code: Obis) -> Option<Unit> {
    let c = match code.c() {
        c @ 1..=80 => c % 20,
        _ => return None,
    };
    if code.a() != 1 {
        return None;
    }
    Some(match (code.d(), c) {
        (4..=7, 0..=2 | 15..=19) => Unit::WATT,
        (4..=7, 3..=8) => Unit::VAR,
        (4..=7, 9 | 10) => Unit::VOLT_AMPERE,
        (8 | 9, 0..=2 | 15..=19) => Unit::WATT_HOUR,
        (8 | 9, 3..=8) => Unit::VAR_HOUR,
        (8 | 9, 9 | 10) => Unit::VOLT_AMPERE_HOUR,
        (3..=7, 11) => Unit::AMPERE,
        (3..=7, 12) => Unit::VOLT,
        (7, 13) => Unit::NONE,
        (7, 14) => Unit::HERTZ,
        _ => return None,
    })
}
