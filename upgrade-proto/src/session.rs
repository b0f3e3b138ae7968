//! What names a transfer and how its image is cut into blocks: [`Session`], [`Plane`], [`Geometry`].

use crate::codec::{Fields, Sink};

/// Smallest block of an image with a tag table (four digests of 16 octets).
pub const BLOCK_MIN_TAGGED: u16 = 64;

/// Octets of the truncated SHA-256 that stands for one data block in the tag table.
pub const TAG_LEN: u16 = 8;

/// Octets of the truncated SHA-256 that stands for one block of the tag table.
pub const NODE_LEN: u16 = 16;

/// Names one transfer; stands in every message.
///
/// Layout: `session u16 | image u32`, most significant octet first.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Session {
    /// Number the concentrator gave the transfer.
    pub id: u16,
    /// First four octets of the manifest's SHA-256 (of an image without manifest: its CRC-32), so that blocks of
    /// another image under a session number used again are told apart.
    pub image: u32,
}

impl Session {
    pub(crate) fn read(r: &mut Fields<'_>) -> Session {
        Session { id: r.u16(), image: r.u32() }
    }

    pub(crate) fn write(self, w: &mut Sink<'_>) {
        w.u16(self.id);
        w.number(self.image, 4);
    }
}

/// The two number ranges of blocks in a session.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Plane {
    /// Manifest and tag table, sent and confirmed before the data.
    Meta,
    /// The image itself.
    Data,
}

/// Why sizes do not make an image.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeometryError {
    /// Image or block size is zero, or the block size is no multiple of 16.
    Size,
    /// More than 65,535 data blocks, or more than 65,535 blocks in all.
    Count,
    /// A tag table was asked for with blocks shorter than [`BLOCK_MIN_TAGGED`].
    Tagged,
}

impl core::fmt::Display for GeometryError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            GeometryError::Size => "image or block size is zero or no multiple of 16",
            GeometryError::Count => "too many blocks",
            GeometryError::Tagged => "blocks too short for a tag table",
        })
    }
}

impl core::error::Error for GeometryError {}

/// Where the digest of a block is kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum DigestAt {
    /// No digest of its own: a manifest block, or an image without tag table.
    Nowhere,
    /// The root of the tag table, which stands in the manifest: 16 octets.
    Root,
    /// In a block of the tag table: at this octet of the meta plane, this many octets long (8 for data, 16 within the table).
    Meta {
        /// Meta block that holds it.
        index: u16,
        /// Octet within the meta plane (block size times index, plus the place in the block).
        offset: u32,
        /// Length of the digest in octets.
        len: u16,
    },
}

/// How an image is cut into blocks: `count` data blocks, and before them the blocks of manifest and tag table.
///
/// The tag table is a tree of block-sized pieces: the lowest level holds one tag of [`TAG_LEN`] octets for each data block,
/// each level above one digest of [`NODE_LEN`] octets for each block of the level below, up to a level of one block, whose
/// digest is in the manifest. Meta block numbers run manifest, top level, …, lowest level, so that blocks received in order can be
/// checked on arrival. 2000 blocks of 512 octets make 1 + 1 + 32 meta blocks, 1.7 % of the data.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Geometry {
    size: u32,
    block: u16,
    manifest: u16,
    tagged: bool,
    count: u16,
    meta: u16,
}

/// Blocks of one kind, one after the other over both planes: the image, a level of the tag table, or the manifest.
struct Level {
    /// Number of the first one, over both planes.
    start: u32,
    blocks: u32,
    octets: u32,
}

/// Rounding-up division; of no use when the divisor is zero. Bit by bit, so that a meter without divide instruction need not link the compiler's
/// routine, which is five times as long.
#[inline(never)]
pub(crate) const fn ceil_div(value: u32, by: u16) -> u32 {
    let mut left = value;
    let mut rest = 0u32;
    let mut bits = 0u8;
    while bits < 32 {
        rest = (rest << 1) | (left >> 31);
        left <<= 1;
        if rest >= by as u32 {
            rest = rest.wrapping_sub(by as u32);
            left |= 1;
        }
        bits = bits.wrapping_add(1);
    }
    if rest == 0 { left } else { left.wrapping_add(1) }
}

const fn narrow(value: u32) -> Option<u16> {
    if value <= 0xFFFF {
        #[expect(clippy::cast_possible_truncation, reason = "checked on the line above")]
        Some(value as u16)
    } else {
        None
    }
}

impl Geometry {
    /// Of no image.
    pub(crate) const NONE: Geometry =
        Geometry { size: 0, block: 0, manifest: 0, tagged: false, count: 0, meta: 0 };

    /// An image of `size` octets in blocks of `block` octets, with a manifest of `manifest` octets (0: none) and,
    /// if `tagged`, a tag table.
    ///
    /// # Errors
    /// [`GeometryError`] when the sizes make no image or too many blocks.
    pub const fn new(size: u32, block: u16, manifest: u16, tagged: bool) -> Result<Self, GeometryError> {
        if size == 0 || block == 0 || !block.is_multiple_of(16) {
            return Err(GeometryError::Size);
        }
        if tagged && (block < BLOCK_MIN_TAGGED || manifest == 0) {
            return Err(GeometryError::Tagged);
        }
        let count = ceil_div(size, block);
        let mut meta = ceil_div(manifest as u32, block);
        if tagged {
            let mut octets = count.wrapping_mul(TAG_LEN as u32);
            loop {
                let blocks = ceil_div(octets, block);
                meta = meta.wrapping_add(blocks);
                if blocks <= 1 {
                    break;
                }
                octets = blocks.wrapping_mul(NODE_LEN as u32);
            }
        }
        // Blocks have 16 octets at least, so that nothing wraps around.
        if count.wrapping_add(meta) > u16::MAX as u32 {
            return Err(GeometryError::Count);
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked on the lines above")]
        let (count, meta) = (count as u16, meta as u16);
        Ok(Geometry { size, block, manifest, tagged, count, meta })
    }

    /// Octets of the image.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Octets of a block (the last one of each plane or level may be shorter).
    #[must_use]
    pub const fn block(&self) -> u16 {
        self.block
    }

    /// Octets of the manifest, 0 when there is none.
    #[must_use]
    pub const fn manifest(&self) -> u16 {
        self.manifest
    }

    /// Whether the image has a tag table.
    #[must_use]
    pub const fn tagged(&self) -> bool {
        self.tagged
    }

    /// Blocks of a plane.
    #[must_use]
    pub const fn count(&self, plane: Plane) -> u16 {
        match plane {
            Plane::Meta => self.meta,
            Plane::Data => self.count,
        }
    }

    /// Blocks of both planes.
    #[must_use]
    pub const fn units(&self) -> u16 {
        self.meta.wrapping_add(self.count)
    }

    /// The number of a block over both planes, meta first; `None` when `index` is past the end.
    #[must_use]
    // Out of line, as it is asked for in many places, and its two branches would stand in each.
    #[inline(never)]
    pub const fn unit(&self, plane: Plane, index: u16) -> Option<u16> {
        if index >= self.count(plane) {
            return None;
        }
        match plane {
            Plane::Meta => Some(index),
            Plane::Data => self.meta.checked_add(index),
        }
    }

    /// The blocks of a plane, numbered over both: the first one, and the one past the last.
    pub(crate) const fn range(&self, plane: Plane) -> (u16, u16) {
        match plane {
            Plane::Meta => (0, self.meta),
            Plane::Data => (self.meta, self.units()),
        }
    }

    /// Plane and number of the block that has number `unit` over both planes; the reverse of [`unit`](Self::unit).
    pub(crate) const fn split(&self, unit: u16) -> (Plane, u16) {
        match unit.checked_sub(self.meta) {
            Some(index) => (Plane::Data, index),
            None => (Plane::Meta, unit),
        }
    }

    /// Blocks that hold the manifest.
    #[must_use]
    pub const fn manifest_blocks(&self) -> u16 {
        match narrow(ceil_div(self.manifest as u32, self.block)) {
            Some(n) => n,
            None => 0,
        }
    }

    /// Meta blocks without which a meter can check no other one: the manifest and the tag table's levels above the lowest.
    #[must_use]
    pub const fn head_blocks(&self) -> u16 {
        match self.above(&self.data()) {
            Some(lowest) => match narrow(lowest.start) {
                Some(start) => start,
                None => 0,
            },
            None => self.manifest_blocks(),
        }
    }

    const fn data(&self) -> Level {
        Level { start: self.meta as u32, blocks: self.count as u32, octets: self.size }
    }

    /// The level of the tag table that holds the digests of `below`; `None` above the one of one block, and where there is no table.
    const fn above(&self, below: &Level) -> Option<Level> {
        let data = below.start >= self.meta as u32;
        if !self.tagged || (!data && below.blocks <= 1) {
            return None;
        }
        // Up to 65,535 blocks of 16 octets.
        let octets = below.blocks.wrapping_mul(if data { TAG_LEN } else { NODE_LEN } as u32);
        let blocks = ceil_div(octets, self.block);
        Some(Level { start: below.start.wrapping_sub(blocks), blocks, octets })
    }

    /// What block `unit` (over both planes) is one of.
    #[inline(never)]
    const fn level_of(&self, unit: u16) -> Level {
        let mut level = self.data();
        while (unit as u32) < level.start {
            level = match self.above(&level) {
                Some(above) => above,
                None => Level { start: 0, blocks: 0, octets: self.manifest as u32 },
            };
        }
        level
    }

    /// Octets in block `index` of `plane`: the block size but for the last of the image, the manifest and each level of the
    /// tag table; 0 past the end.
    #[must_use]
    pub const fn block_len(&self, plane: Plane, index: u16) -> u16 {
        match self.unit(plane, index) {
            Some(unit) => self.unit_len(unit),
            None => 0,
        }
    }

    /// Octets in a block, numbered over both planes.
    pub(crate) const fn unit_len(&self, unit: u16) -> u16 {
        let level = self.level_of(unit);
        let before = (unit as u32).wrapping_sub(level.start).wrapping_mul(self.block as u32);
        match narrow(level.octets.saturating_sub(before)) {
            Some(left) if left < self.block => left,
            _ => self.block,
        }
    }

    /// Where a block starts within its plane, in octets.
    #[must_use]
    pub const fn offset(&self, index: u16) -> u32 {
        (index as u32).wrapping_mul(self.block as u32)
    }

    /// Where the digest of a block is.
    #[must_use]
    pub const fn digest_at(&self, plane: Plane, index: u16) -> DigestAt {
        match self.unit(plane, index) {
            Some(unit) => self.unit_digest(unit),
            None => DigestAt::Nowhere,
        }
    }

    /// Where the digest of a block is that is numbered over both planes.
    pub(crate) const fn unit_digest(&self, unit: u16) -> DigestAt {
        let own = self.level_of(unit);
        // With a table there is a manifest, and what starts first is it.
        if !self.tagged || own.start == 0 {
            return DigestAt::Nowhere;
        }
        let Some(above) = self.above(&own) else { return DigestAt::Root };
        let len = if own.start >= self.meta as u32 { TAG_LEN } else { NODE_LEN };
        let within = (unit as u32).wrapping_sub(own.start).wrapping_mul(len as u32);
        let offset = above.start.wrapping_mul(self.block as u32).wrapping_add(within);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the number of a meta block, of which there are 65,535 at most"
        )]
        let index = ceil_div(offset.wrapping_add(1), self.block).wrapping_sub(1) as u16;
        DigestAt::Meta { index, offset, len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paper_image_has_2000_blocks_and_34_meta_blocks() {
        let g = Geometry::new(1_024_000, 512, 180, true).unwrap();
        assert_eq!(g.count(Plane::Data), 2000);
        assert_eq!(g.count(Plane::Meta), 34);
        assert_eq!(g.block_len(Plane::Meta, 0), 180);
        assert_eq!(g.block_len(Plane::Meta, 1), 512);
        assert_eq!(g.digest_at(Plane::Meta, 1), DigestAt::Root);
        assert_eq!(g.digest_at(Plane::Meta, 2), DigestAt::Meta { index: 1, offset: 512, len: 16 });
        assert_eq!(g.digest_at(Plane::Data, 0), DigestAt::Meta { index: 2, offset: 1024, len: 8 });
        assert_eq!(g.digest_at(Plane::Data, 64), DigestAt::Meta { index: 3, offset: 1536, len: 8 });
        assert_eq!(
            g.block_len(Plane::Meta, 33),
            128,
            "16,000 octets of tags end 128 octets into the 32nd block"
        );
    }

    #[test]
    fn block_size_times_count_edges() {
        let exact = Geometry::new(1024, 512, 0, false).unwrap();
        assert_eq!((exact.count(Plane::Data), exact.block_len(Plane::Data, 1)), (2, 512));
        let one = Geometry::new(1025, 512, 0, false).unwrap();
        assert_eq!((one.count(Plane::Data), one.block_len(Plane::Data, 2)), (3, 1));
        let short = Geometry::new(1, 512, 0, false).unwrap();
        assert_eq!((short.count(Plane::Data), short.block_len(Plane::Data, 0)), (1, 1));
        assert_eq!(short.block_len(Plane::Data, 1), 0x200.min(short.block_len(Plane::Data, 1)));
        assert_eq!(Geometry::new(0, 512, 0, false), Err(GeometryError::Size));
        assert_eq!(Geometry::new(100, 24, 0, false), Err(GeometryError::Size));
        assert_eq!(Geometry::new(65_535 * 16, 16, 0, false).unwrap().count(Plane::Data), 65_535);
        assert_eq!(Geometry::new(65_535 * 16 + 1, 16, 0, false), Err(GeometryError::Count));
        assert_eq!(Geometry::new(100, 32, 10, true), Err(GeometryError::Tagged));
    }

    #[test]
    fn every_digest_precedes_its_block_and_no_two_share_a_place() {
        for (size, block) in [(100_000u32, 64u16), (1_000_000, 256), (5000, 128), (64, 64), (3_000_000, 64)] {
            let g = Geometry::new(size, block, 200, true).unwrap();
            let mut seen = std::collections::HashSet::new();
            let (mut root, mut none) = (0, 0);
            for (plane, index) in (0..g.count(Plane::Meta))
                .map(|i| (Plane::Meta, i))
                .chain((0..g.count(Plane::Data)).map(|i| (Plane::Data, i)))
            {
                assert!(g.block_len(plane, index) > 0);
                match g.digest_at(plane, index) {
                    DigestAt::Nowhere => none += 1,
                    DigestAt::Root => root += 1,
                    DigestAt::Meta { index: at, offset, len } => {
                        assert!(at < g.count(Plane::Meta));
                        if plane == Plane::Meta {
                            assert!(at < index, "{g:?} {index} {at}");
                        }
                        assert!(
                            offset % u32::from(block) + u32::from(len)
                                <= u32::from(g.block_len(Plane::Meta, at))
                        );
                        assert!(seen.insert(offset));
                    }
                }
            }
            assert_eq!((root, none), (1, g.manifest_blocks()));
        }
    }
}
