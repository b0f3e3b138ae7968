//! The image package: [`Manifest`], then the tag table, then the image.
//!
//! A package file is `manifest | tag table, top level first | image`, which is also the order of the blocks of a session. The
//! tag table's blocks start right after the manifest in the file (no padding); in a session each level starts a new block.

use crate::codec::{Fields, Reader, Writer};
use crate::error::{BufferTooSmall, Refusal};
use crate::message::{Announced, IDENTITY_LEN, Identity, part};
use crate::session::{Geometry, GeometryError, NODE_LEN};

/// Octets of a manifest without extensions.
pub const MANIFEST_LEN: u16 = 112;

const MAGIC: [u8; 4] = *b"MUP1";
const FLAG_TAGGED: u16 = 1;
const FLAG_ENCRYPTED: u16 = 2;

/// Version of a program: date first, number second, compared in this order (paper 002, equation 1: by date).
///
/// Layout: `date u32 | number u16`.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// Date as the decimal number YYYYMMDD.
    pub date: u32,
    /// Number among the versions of one date.
    pub number: u16,
}

impl Version {
    pub(crate) fn read(r: &mut Reader<'_>) -> Option<Self> {
        Some(Version { date: r.u32()?, number: r.u16()? })
    }
    pub(crate) const fn octets(self) -> [u8; 6] {
        let ([a, b, c, d], [e, f]) = (self.date.to_be_bytes(), self.number.to_be_bytes());
        [a, b, c, d, e, f]
    }
    pub(crate) fn write(self, w: &mut Writer<'_>) -> Result<(), BufferTooSmall> {
        w.u32(self.date)?;
        w.u16(self.number)
    }
}

impl core::fmt::Display for Version {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (rest, day) = (self.date / 100, self.date % 100);
        write!(f, "{:04}-{:02}-{:02}.{}", rest / 100, rest % 100, day, self.number)
    }
}

/// Address of a meter as its carrier writes it; shorter ones fill the last octets.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 6]);

impl core::fmt::Display for Address {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

/// Why octets are no manifest.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageError {
    /// Does not start with `MUP1`.
    Magic,
    /// Shorter than it says, or than [`MANIFEST_LEN`].
    Length,
    /// Its sizes make no image.
    Geometry(GeometryError),
    /// Its block count is not image size by block size.
    Count,
}

impl core::fmt::Display for PackageError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            PackageError::Magic => f.write_str("not an image package"),
            PackageError::Length => f.write_str("manifest shorter than it says"),
            PackageError::Geometry(error) => error.fmt(f),
            PackageError::Count => f.write_str("block count does not fit the sizes"),
        }
    }
}

impl core::error::Error for PackageError {}

/// Says what an image is and for whom.
///
/// Layout, most significant octet first: `"MUP1" | length u16 | flags u16 (1 tagged, 2 encrypted) | maker 4 | model u32 |
/// model mask u32 | hardware u32 | hardware mask u32 | version date u32, number u16 | module u16 | scope first 6 | scope last 6 |
/// image size u32 | block size u16 | block count u16 | CRC-32 u32 | security counter u32 | SHA-256 32 | tag root 16 | extensions`,
/// each extension `kind u8 | length u16 | octets` (signature, nonce, wrapped keys).
///
/// CRC-32 and SHA-256 cover the image as it is sent (an encrypted one: the ciphertext), without padding; a tag is the first
/// 8 octets of the SHA-256 of a block as sent, the last one in its own length.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest<'a> {
    /// The blocks have tags.
    pub tagged: bool,
    /// The image is ciphertext.
    pub encrypted: bool,
    /// Maker's code.
    pub maker: [u8; 4],
    /// Model, under the mask.
    pub model: u32,
    /// Bits of the model that must agree.
    pub model_mask: u32,
    /// Hardware, under the mask.
    pub hardware: u32,
    /// Bits of the hardware that must agree.
    pub hardware_mask: u32,
    /// Version of the program.
    pub version: Version,
    /// Module the program is for (0: the whole meter).
    pub module: u16,
    /// Lowest meter address it is for.
    pub first: Address,
    /// Highest meter address it is for.
    pub last: Address,
    /// Octets of the image.
    pub size: u32,
    /// Octets of a block.
    pub block: u16,
    /// CRC-32 of the image.
    pub crc: u32,
    /// Security counter; a meter refuses one below its own.
    pub counter: u32,
    /// SHA-256 of the image.
    pub sha256: [u8; 32],
    /// Digest of the top block of the tag table.
    pub tag_root: [u8; NODE_LEN as usize],
    /// Extensions, raw.
    pub extensions: &'a [u8],
}

impl<'a> Manifest<'a> {
    /// The manifest at the front of `octets`, and what follows it.
    ///
    /// # Errors
    /// [`PackageError`] when it is none or contradicts itself.
    pub fn parse(octets: &'a [u8]) -> Result<(Manifest<'a>, &'a [u8]), PackageError> {
        if octets.first_chunk() != Some(&MAGIC) {
            return Err(PackageError::Magic);
        }
        let mut manifest = Manifest::default();
        let (len, count) = manifest.fill(&mut Fields::new(octets));
        let (own, rest) = octets.split_at_checked(len.into()).ok_or(PackageError::Length)?;
        let extensions = own.get(usize::from(MANIFEST_LEN)..).ok_or(PackageError::Length)?;
        let manifest = Manifest { extensions, ..manifest };
        let geometry = manifest.geometry().map_err(PackageError::Geometry)?;
        if geometry.count(crate::session::Plane::Data) != count {
            return Err(PackageError::Count);
        }
        Ok((manifest, rest))
    }

    /// The fixed fields alone, from the first octets of a manifest already checked as a whole; none set where it is no manifest.
    pub(crate) fn head(octets: &[u8; MANIFEST_LEN as usize]) -> Manifest<'static> {
        let mut manifest = Manifest::default();
        if octets.first_chunk() == Some(&MAGIC) {
            manifest.fill(&mut Fields::new(octets));
        }
        manifest
    }

    /// Where the SHA-256 of the image is.
    pub(crate) const SHA256: u32 = 64;

    /// Where the digest of the top of the tag table is.
    pub(crate) const TAG_ROOT: u32 = 96;

    /// Takes in the fixed fields, zeros where `r` is too short; length and block count. Each into its place: a literal would be put
    /// together beside it first.
    fn fill(&mut self, r: &mut Fields<'_>) -> (u16, u16) {
        let (_, len, flags) = (r.u32(), r.u16(), r.u16());
        let m = self;
        m.tagged = flags & FLAG_TAGGED != 0;
        m.encrypted = flags & FLAG_ENCRYPTED != 0;
        r.copy(&mut m.maker);
        m.model = r.u32();
        m.model_mask = r.u32();
        m.hardware = r.u32();
        m.hardware_mask = r.u32();
        m.version.date = r.u32();
        m.version.number = r.u16();
        m.module = r.u16();
        r.copy(&mut m.first.0);
        r.copy(&mut m.last.0);
        m.size = r.u32();
        m.block = r.u16();
        let count = r.u16();
        m.crc = r.u32();
        m.counter = r.u32();
        r.copy(&mut m.sha256);
        r.copy(&mut m.tag_root);
        (len, count)
    }

    /// Octets of the manifest with its extensions; `None` past 65,535.
    #[must_use]
    pub fn encoded_len(&self) -> Option<u16> {
        u16::try_from(self.extensions.len()).ok()?.checked_add(MANIFEST_LEN)
    }

    /// How the image is cut.
    ///
    /// # Errors
    /// [`GeometryError`] when the sizes make no image.
    pub fn geometry(&self) -> Result<Geometry, GeometryError> {
        Geometry::new(self.size, self.block, self.encoded_len().ok_or(GeometryError::Count)?, self.tagged)
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when `out` is shorter than [`encoded_len`](Self::encoded_len), which is also what sizes that make no
    /// image give.
    pub fn encode<'b>(&self, out: &'b mut [u8]) -> Result<&'b [u8], BufferTooSmall> {
        let geometry = self.geometry().map_err(|_| BufferTooSmall)?;
        let mut w = Writer::new(out);
        w.put(&MAGIC)?;
        w.u16(geometry.manifest())?;
        w.u16(u16::from(self.tagged) | (u16::from(self.encrypted) << 1))?;
        w.put(&self.maker)?;
        for field in [self.model, self.model_mask, self.hardware, self.hardware_mask] {
            w.u32(field)?;
        }
        self.version.write(&mut w)?;
        w.u16(self.module)?;
        w.put(&self.first.0)?;
        w.put(&self.last.0)?;
        w.u32(self.size)?;
        w.u16(self.block)?;
        w.u16(geometry.count(crate::session::Plane::Data))?;
        w.u32(self.crc)?;
        w.u32(self.counter)?;
        w.put(&self.sha256)?;
        w.put(&self.tag_root)?;
        w.put(self.extensions)?;
        Ok(w.finish())
    }

    /// Whether a meter is one of the set M_Q of paper 002: same maker, a model and hardware the image is for, an older
    /// version, an address in scope.
    ///
    /// # Errors
    /// [`Refusal`] with the first reason why not.
    pub fn applies_to(&self, meter: &Identity, address: Address) -> Result<(), Refusal> {
        if meter.maker != self.maker {
            Err(Refusal::Maker)
        } else if (meter.model ^ self.model) & self.model_mask != 0 {
            Err(Refusal::Model)
        } else if (meter.hardware ^ self.hardware) & self.hardware_mask != 0 {
            Err(Refusal::Hardware)
        } else if meter.version >= self.version {
            Err(Refusal::Version)
        } else if address < self.first || address > self.last {
            Err(Refusal::Scope)
        } else if meter.block_max < self.block {
            Err(Refusal::Memory)
        } else {
            Ok(())
        }
    }

    /// Whether a manifest, given its fixed fields, is the one announced and for the meter that calls itself `identity`: as
    /// [`applies_to`](Self::applies_to), on octets as they stand in the messages. Their numbers have the most significant octet first, and
    /// compare as they are.
    pub(crate) fn suits(
        head: &[u8; MANIFEST_LEN as usize],
        announced: Announced<'_>,
        identity: &[u8; IDENTITY_LEN],
        address: &Address,
    ) -> bool {
        const HEAD: usize = MANIFEST_LEN as usize;
        const ID: usize = IDENTITY_LEN;
        let [_, flags] = part::<6, 2, HEAD>(head);
        let tagged = u16::from(*flags) & FLAG_TAGGED != 0;
        tagged == announced.is_tagged()
            && part::<0, 4, HEAD>(head) == &MAGIC
            && part::<48, 6, HEAD>(head) == announced.sizes()
            && part::<56, 4, HEAD>(head) == announced.crc()
            && part::<8, 4, HEAD>(head) == part::<0, 4, ID>(identity)
            && agree(part::<12, 8, HEAD>(head), part::<4, 4, ID>(identity))
            && agree(part::<20, 8, HEAD>(head), part::<8, 4, ID>(identity))
            && part::<12, 6, ID>(identity) < part::<28, 6, HEAD>(head)
            && part::<36, 6, HEAD>(head) <= &address.0
            && part::<42, 6, HEAD>(head) >= &address.0
            && part::<20, 2, ID>(identity) >= part::<52, 2, HEAD>(head)
    }

    /// The extensions in their order: kind and octets; ends at the first one cut short.
    pub fn extensions(&self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut r = Reader(self.extensions);
        core::iter::from_fn(move || {
            let kind = r.u8()?;
            let len = r.u16()?;
            Some((kind, r.take(usize::from(len))?))
        })
    }
}

/// Whether a number is the one wanted, under the mask that follows it.
#[inline(never)]
fn agree(want: &[u8; 8], is: &[u8; 4]) -> bool {
    let (want, mask) = want.split_at(4);
    want.iter().zip(mask).zip(is).all(|((want, mask), is)| (want ^ is) & mask == 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::prelude::rust_2024::*;

    fn sample() -> Manifest<'static> {
        Manifest {
            tagged: true,
            maker: *b"HLY ",
            model: 7,
            model_mask: 0xFF,
            version: Version { date: 20_240_116, number: 3 },
            last: Address([0xFF; 6]),
            size: 1_024_000,
            block: 512,
            crc: 0x1234_5678,
            sha256: [9; 32],
            extensions: &[1, 0, 2, 0xAA, 0xBB],
            ..Manifest::default()
        }
    }

    /// A meter that [`sample`] is for.
    fn meter() -> Identity {
        Identity {
            maker: *b"HLY ",
            model: 0x107,
            version: Version { date: 20_230_101, number: 9 },
            block_max: 512,
            ..Identity::default()
        }
    }

    #[test]
    fn encodes_and_parses_to_the_same() {
        let mut buffer = [0; 200];
        let octets = sample().encode(&mut buffer).unwrap().to_vec();
        assert_eq!(octets.len(), 117);
        let mut more = octets.clone();
        more.extend_from_slice(b"tail");
        let (parsed, rest) = Manifest::parse(&more).unwrap();
        assert_eq!(parsed, sample());
        assert_eq!(rest, b"tail");
        assert_eq!(parsed.extensions().collect::<Vec<_>>(), [(1u8, &[0xAA, 0xBB][..])]);
        for cut in 0..octets.len() {
            assert!(Manifest::parse(&octets[..cut]).is_err());
        }
        let mut wrong = octets.clone();
        wrong[55] ^= 1;
        assert_eq!(Manifest::parse(&wrong), Err(PackageError::Count));
    }

    #[test]
    fn target_set_is_equation_1() {
        let meter = meter();
        let m = sample();
        let at = Address([1; 6]);
        assert_eq!(m.applies_to(&meter, at), Ok(()));
        assert_eq!(m.applies_to(&Identity { maker: *b"XXXX", ..meter }, at), Err(Refusal::Maker));
        assert_eq!(m.applies_to(&Identity { model: 8, ..meter }, at), Err(Refusal::Model));
        assert_eq!(m.applies_to(&Identity { version: m.version, ..meter }, at), Err(Refusal::Version));
        assert_eq!(m.applies_to(&Identity { block_max: 256, ..meter }, at), Err(Refusal::Memory));
        assert_eq!(Manifest { first: Address([2; 6]), ..m }.applies_to(&meter, at), Err(Refusal::Scope));
    }

    #[test]
    fn a_meter_takes_what_a_concentrator_would_send_it() {
        use crate::bitmap::Record;
        use crate::message::Initiate;
        use crate::session::Session;
        let address = Address([1; 6]);
        let sample = Manifest { hardware: 0x0102_0304, hardware_mask: 0x00FF_0000, ..sample() };
        let meter = Identity { hardware: 0x7702_7777, ..meter() };
        let initiate = Initiate {
            size: sample.size,
            block: sample.block,
            manifest: sample.encoded_len().unwrap(),
            tagged: sample.tagged,
            crc: sample.crc,
            digest: [0; 16],
        };
        let suits = |m: &Manifest<'_>, initiate: &Initiate, meter: &Identity, address| {
            let mut buffer = [0; 200];
            let head = *m.encode(&mut buffer).unwrap().first_chunk().unwrap();
            let record = Record::new(Session::default(), initiate, 1);
            Manifest::suits(&head, record.announced(), &meter.octets(), &address)
        };
        assert!(suits(&sample, &initiate, &meter, address));
        for wrong in [
            Initiate { size: initiate.size - 1, ..initiate },
            Initiate { block: 256, ..initiate },
            Initiate { tagged: false, ..initiate },
            Initiate { crc: 0, ..initiate },
        ] {
            assert!(!suits(&sample, &wrong, &meter, address), "{wrong:?}");
        }
        // Every bit of what either says of itself.
        for bit in 0..27 * 8 {
            let mut octets = meter.octets();
            octets[bit / 8] ^= 0x80 >> (bit % 8);
            let other = Identity::read(&mut Fields::new(&octets));
            let takes = sample.applies_to(&other, address).is_ok();
            assert_eq!(suits(&sample, &initiate, &other, address), takes, "{other:?}");
        }
        for bit in 0..MANIFEST_LEN * 8 {
            let mut buffer = [0; 200];
            sample.encode(&mut buffer).unwrap();
            let mut head = *buffer.first_chunk().unwrap();
            head[usize::from(bit / 8)] ^= 0x80 >> (bit % 8);
            let m = Manifest::head(&head);
            let same = (m.size, m.block, m.tagged, m.crc)
                == (initiate.size, initiate.block, initiate.tagged, initiate.crc);
            let takes = same && m.applies_to(&meter, address).is_ok();
            let record = Record::new(Session::default(), &initiate, 1);
            assert_eq!(Manifest::suits(&head, record.announced(), &meter.octets(), &address), takes, "{m:?}");
        }
    }

    #[test]
    fn version_prints_as_a_date() {
        assert_eq!(std::format!("{}", sample().version), "2024-01-16.3");
    }
}
