//! An image cut into blocks with manifest and tag table, and the package file.

use upgrade_proto::hash::{Hash256, crc32};
use upgrade_proto::package::Manifest;
use upgrade_proto::sender::{Job, Source};
use upgrade_proto::session::{DigestAt, Geometry, GeometryError, Plane};

type Sha = sha2::Sha256;

/// Everything a sender needs.
#[derive(Clone, Debug)]
pub struct Image {
    pub octets: Vec<u8>,
    /// Blocks of the meta plane.
    pub meta: Vec<Vec<u8>>,
    pub manifest: Manifest<'static>,
    pub extensions: Vec<u8>,
    pub digest: [u8; 16],
    pub geometry: Geometry,
}

impl Image {
    /// Fills in size, check values and tags of `manifest`; with `bare`, no manifest is sent.
    pub fn new(octets: Vec<u8>, manifest: Manifest<'_>, bare: bool) -> Result<Image, GeometryError> {
        let extensions = manifest.extensions.to_vec();
        let tagged = manifest.tagged && !bare;
        let size = u32::try_from(octets.len()).map_err(|_| GeometryError::Count)?;
        let mut manifest = Manifest {
            size,
            tagged,
            crc: crc32(&octets),
            sha256: Sha::of(&octets),
            extensions: &[],
            ..manifest
        };
        let full = Manifest { extensions: &extensions, ..manifest };
        let length = if bare { 0 } else { full.encoded_len().ok_or(GeometryError::Count)? };
        let geometry = Geometry::new(size, manifest.block, length, tagged)?;
        let count = geometry.count(Plane::Meta);
        let mut meta: Vec<Vec<u8>> =
            (0..count).map(|index| vec![0; geometry.block_len(Plane::Meta, index).into()]).collect();
        let mut root = [0; 16];
        let block = u32::from(geometry.block());
        let mut place = |meta: &mut Vec<Vec<u8>>, at: DigestAt, hash: [u8; 32]| match at {
            DigestAt::Nowhere => {}
            DigestAt::Root => root.copy_from_slice(&hash[..16]),
            DigestAt::Meta { index, offset, len } => {
                let (within, len) = ((offset % block) as usize, usize::from(len));
                meta[usize::from(index)][within..within + len].copy_from_slice(&hash[..len]);
            }
        };
        if tagged {
            for (index, data) in octets.chunks(block as usize).enumerate() {
                let index = u16::try_from(index).map_err(|_| GeometryError::Count)?;
                place(&mut meta, geometry.digest_at(Plane::Data, index), Sha::of(data));
            }
            for index in (0..count).rev() {
                let hash = Sha::of(&meta[usize::from(index)]);
                place(&mut meta, geometry.digest_at(Plane::Meta, index), hash);
            }
        }
        manifest.tag_root = root;
        let mut digest = [0; 16];
        if bare {
            digest.copy_from_slice(&manifest.sha256[..16]);
        } else {
            let mut buffer = vec![0; length.into()];
            let full = Manifest { extensions: &extensions, ..manifest };
            let encoded = full.encode(&mut buffer).map_err(|_| GeometryError::Size)?;
            digest.copy_from_slice(&Sha::of(encoded)[..16]);
            for (to, part) in meta.iter_mut().zip(encoded.chunks(block as usize)) {
                to.copy_from_slice(part);
            }
        }
        Ok(Image { octets, meta, manifest, extensions, digest, geometry })
    }

    pub fn job(&self, session: u16) -> Job<'_> {
        let manifest = Manifest { extensions: &self.extensions, ..self.manifest };
        Job { session, manifest, digest: self.digest, meta: self.geometry.count(Plane::Meta) > 0 }
    }

    pub fn block(&self, plane: Plane, index: u16) -> &[u8] {
        match plane {
            Plane::Meta => self.meta.get(usize::from(index)).map_or(&[], |block| block),
            Plane::Data => {
                let from = self.geometry.offset(index) as usize;
                let len = usize::from(self.geometry.block_len(plane, index));
                self.octets.get(from..from + len).unwrap_or(&[])
            }
        }
    }

    /// The package file: manifest, tag table, image.
    pub fn package(&self) -> Vec<u8> {
        let mut file: Vec<u8> = self.meta.concat();
        file.extend_from_slice(&self.octets);
        file
    }
}

impl Source for &Image {
    fn add(&mut self, plane: Plane, index: u16, sum: &mut [u8]) -> bool {
        let block = self.block(plane, index);
        for (to, octet) in sum.iter_mut().zip(block) {
            *to ^= octet;
        }
        !block.is_empty()
    }
}
