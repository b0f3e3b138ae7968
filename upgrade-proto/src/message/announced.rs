//! A session's name and parameters as they stand in the message that opens it, which is how a meter keeps and compares them.

use super::Initiate;
use crate::codec::Fields;
use crate::session::{Geometry, GeometryError, Session};

/// Octets of a session's name and parameters.
pub(crate) const ANNOUNCED_LEN: usize = 34;

/// What an initiate message says.
///
/// Layout: `session u16 | image u32 | size u32 | block u16 | manifest length u16 (bit 15: tagged) | CRC-32 u32 | manifest digest 16`.
#[derive(Copy, Clone, PartialEq, Eq)]
pub struct Announced<'a>(pub(crate) &'a [u8; ANNOUNCED_LEN]);

impl<'a> Announced<'a> {
    /// The session's name.
    #[must_use]
    pub fn session(self) -> Session {
        Session::read(&mut Fields::new(self.0))
    }

    /// Its parameters.
    #[must_use]
    pub fn initiate(self) -> Initiate {
        let (_, parameters) = self.0.split_at(6);
        Initiate::read(&mut Fields::new(parameters))
    }

    /// How the image is cut.
    ///
    /// # Errors
    /// [`GeometryError`] when the sizes make no image.
    pub(crate) fn geometry(self) -> Result<Geometry, GeometryError> {
        let (_, sizes) = self.0.split_at(6);
        let mut fields = Fields::new(sizes);
        let (size, block, manifest) = (fields.u32(), fields.u16(), fields.u16());
        Geometry::new(size, block, manifest & 0x7FFF, manifest & 0x8000 != 0)
    }

    /// Octets of the image and of a block, as the manifest has them too.
    pub(crate) const fn sizes(self) -> &'a [u8; 6] {
        self.part::<6, 6>()
    }

    pub(crate) const fn is_tagged(self) -> bool {
        self.part::<12, 1>()[0] & 0x80 != 0
    }

    /// CRC-32 of the image.
    pub(crate) const fn crc(self) -> &'a [u8; 4] {
        self.part::<14, 4>()
    }

    /// Digest of the manifest.
    pub(crate) const fn digest(self) -> &'a [u8; 16] {
        self.part::<18, 16>()
    }

    const fn part<const AT: usize, const N: usize>(self) -> &'a [u8; N] {
        part::<AT, N, ANNOUNCED_LEN>(self.0)
    }
}

/// `N` octets from octet `AT` on of a layout, checked when it is compiled.
pub(crate) const fn part<const AT: usize, const N: usize, const L: usize>(octets: &[u8; L]) -> &[u8; N] {
    const { assert!(AT + N <= L) };
    let (_, rest) = octets.split_at(AT);
    match rest.first_chunk() {
        Some(part) => part,
        None => &[0; N],
    }
}

impl core::fmt::Debug for Announced<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Announced").field(&self.session()).field(&self.initiate()).finish()
    }
}
