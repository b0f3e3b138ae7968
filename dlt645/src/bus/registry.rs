//! Who owns which identifiers.

use core::fmt;

use heapless::Vec;

use super::packet::Process;
use crate::control::Service;
use crate::data::Data;

/// A range of 2007 identifiers and its owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Route {
    /// Identifier; only the bits under the mask count.
    pub identifier: u32,
    /// Bits that must agree: all ones for one identifier, FF000000 for a whole DI3.
    pub mask: u32,
    /// Number of the owning process, see [`Process::number`].
    pub owner: u8,
}

impl Route {
    /// A range for `owner`.
    #[must_use]
    pub const fn new(identifier: u32, mask: u32, owner: Process) -> Self {
        Self { identifier, mask, owner: owner.number() }
    }

    const fn covers(&self, identifier: u32) -> bool {
        (self.identifier ^ identifier) & self.mask == 0
    }

    const fn overlaps(&self, other: &Self) -> bool {
        (self.identifier ^ other.identifier) & self.mask & other.mask == 0
    }

    /// The eight octets of a registration: identifier and mask, low octet first.
    pub(crate) fn octets(&self) -> impl Iterator<Item = u8> {
        self.identifier.to_le_bytes().into_iter().chain(self.mask.to_le_bytes())
    }

    /// The registrations in `data`; `None` if its length is no multiple of 8.
    pub(crate) fn parse(data: Data<'_>, owner: Process) -> Option<impl Iterator<Item = Self>> {
        let whole = data.len().is_multiple_of(8);
        whole.then_some((0..data.len()).step_by(8).filter_map(move |at| {
            let identifier = u32::from_le_bytes(data.array(at)?);
            let mask = u32::from_le_bytes(data.array(at.saturating_add(4))?);
            Some(Self::new(identifier, mask, owner))
        }))
    }
}

/// What happens when a range meets another owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// It is refused.
    Refuse,
    /// It is taken if its mask is narrower than the other's; the narrowest range decides. Otherwise refused.
    Narrower,
}

/// Why a registration is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegisterError {
    /// The very same range stands there already.
    Duplicate,
    /// Another owner has identifiers of this range.
    Conflict,
    /// The table is full.
    Full,
    /// The data are no row of identifiers and masks.
    Malformed,
    /// Only extended applications register.
    Source,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Duplicate => "registered already",
            Self::Conflict => "identifiers of another owner",
            Self::Full => "registry full",
            Self::Malformed => "no row of identifiers and masks",
            Self::Source => "not an extended application",
        })
    }
}

impl core::error::Error for RegisterError {}

/// A table of at most `N` ranges, and of owners of services that name no identifier.
#[derive(Debug, Clone)]
pub struct Registry<const N: usize> {
    routes: Vec<Route, N>,
    /// Owner of each function `D4..D0`; 0 for none.
    services: [u8; 32],
    conflict: Conflict,
}

impl<const N: usize> Registry<N> {
    /// An empty table.
    #[must_use]
    pub const fn new(conflict: Conflict) -> Self {
        Self { routes: Vec::new(), services: [0; 32], conflict }
    }

    /// Adds a range.
    ///
    /// # Errors
    /// [`RegisterError`]; the table is unchanged then.
    pub fn add(&mut self, route: Route) -> Result<(), RegisterError> {
        self.permits(&route)?;
        self.routes.push(route).map_err(|_| RegisterError::Full)
    }

    fn permits(&self, route: &Route) -> Result<(), RegisterError> {
        for other in &self.routes {
            if other.overlaps(route) {
                if other.mask == route.mask && other.owner == route.owner {
                    return Err(RegisterError::Duplicate);
                }
                let narrower = route.mask.count_ones() > other.mask.count_ones();
                let permitted =
                    other.owner == route.owner || (self.conflict == Conflict::Narrower && narrower);
                if !permitted {
                    return Err(RegisterError::Conflict);
                }
            }
        }
        Ok(())
    }

    /// Adds all of a row or none.
    pub(crate) fn add_all(&mut self, routes: impl Iterator<Item = Route>) -> Result<(), RegisterError> {
        let before = self.routes.len();
        for route in routes {
            if let Err(error) = self.add(route) {
                self.routes.truncate(before);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes one range of `owner`; whether there was one.
    pub fn remove(&mut self, route: &Route) -> bool {
        let before = self.routes.len();
        self.routes.retain(|other| other != route);
        self.routes.len() != before
    }

    /// Removes all of `owner`.
    pub fn remove_all(&mut self, owner: Process) {
        self.routes.retain(|route| route.owner != owner.number());
    }

    /// Makes `owner` answer `service` where it names no identifier.
    pub fn own_service(&mut self, service: Service, owner: Process) {
        let function = service.function(crate::Version::V2007).unwrap_or_default();
        if let Some(place) = self.services.get_mut(usize::from(function)) {
            *place = owner.number();
        }
    }

    /// Owner of a service that names no identifier.
    #[must_use]
    pub fn service_owner(&self, function: u8) -> Option<Process> {
        match self.services.get(usize::from(function)).copied() {
            None | Some(0) => None,
            Some(number) => Process::from_number(number),
        }
    }

    /// Owner of `identifier`: of the narrowest range that covers it.
    #[must_use]
    pub fn owner(&self, identifier: u32) -> Option<Process> {
        self.routes
            .iter()
            .filter(|route| route.covers(identifier))
            .max_by_key(|route| route.mask.count_ones())
            .and_then(|route| Process::from_number(route.owner))
    }

    /// All ranges, in the order of registration: to be stored, and added again at the next start.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The ranges of `owner`.
    pub fn of(&self, owner: Process) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(move |route| route.owner == owner.number())
    }
}
