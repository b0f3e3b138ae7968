//! An image with manifest and tags, made from octets.

use sha2::Sha256;
use upgrade_proto::hash::{Hash256, crc32};
use upgrade_proto::package::{Address, Manifest, Version};
use upgrade_proto::sender::{Job, Source};
use upgrade_proto::session::{DigestAt, Geometry, Plane};

/// An image with its manifest and tag table, as blocks.
#[derive(Clone, Debug)]
pub struct Image {
    pub octets: Vec<u8>,
    pub meta: Vec<Vec<u8>>,
    pub manifest: Manifest<'static>,
    pub digest: [u8; 16],
    pub geometry: Geometry,
}

impl Image {
    pub fn new(
        octets: Vec<u8>,
        block: u16,
        tagged: bool,
        with_manifest: bool,
        extension: &'static [u8],
    ) -> Image {
        let mut manifest = Manifest {
            tagged,
            maker: *b"TEST",
            version: Version { date: 20_240_116, number: 1 },
            last: Address([0xFF; 6]),
            size: octets.len() as u32,
            block,
            crc: crc32(&octets),
            sha256: Sha256::of(&octets),
            extensions: extension,
            ..Manifest::default()
        };
        let length = if with_manifest { manifest.encoded_len().unwrap() } else { 0 };
        let geometry = Geometry::new(manifest.size, block, length, tagged).unwrap();
        let count = geometry.count(Plane::Meta);
        let mut meta: Vec<Vec<u8>> =
            (0..count).map(|index| vec![0; usize::from(geometry.block_len(Plane::Meta, index))]).collect();
        let place = |meta: &mut Vec<Vec<u8>>, at: DigestAt, hash: [u8; 32], root: &mut [u8; 16]| match at {
            DigestAt::Nowhere => {}
            DigestAt::Root => root.copy_from_slice(&hash[..16]),
            DigestAt::Meta { index, offset, len } => {
                let within = (offset % u32::from(block)) as usize;
                meta[usize::from(index)][within..within + usize::from(len)]
                    .copy_from_slice(&hash[..usize::from(len)]);
            }
        };
        let mut root = [0; 16];
        for (index, data) in octets.chunks(block.into()).enumerate() {
            place(&mut meta, geometry.digest_at(Plane::Data, index as u16), Sha256::of(data), &mut root);
        }
        for index in (0..count).rev() {
            let hash = Sha256::of(&meta[usize::from(index)]);
            place(&mut meta, geometry.digest_at(Plane::Meta, index), hash, &mut root);
        }
        manifest.tag_root = root;
        let mut digest = [0; 16];
        if with_manifest {
            let mut buffer = vec![0; length.into()];
            let encoded = manifest.encode(&mut buffer).unwrap();
            digest.copy_from_slice(&Sha256::of(encoded)[..16]);
            for (block, part) in meta.iter_mut().zip(encoded.chunks(block.into())) {
                block.copy_from_slice(part);
            }
        } else {
            digest.copy_from_slice(&manifest.sha256[..16]);
        }
        Image { octets, meta, manifest, digest, geometry }
    }

    pub fn job(&self, session: u16) -> Job<'static> {
        Job {
            session,
            manifest: self.manifest,
            digest: self.digest,
            meta: self.geometry.count(Plane::Meta) > 0,
        }
    }

    pub fn block(&self, plane: Plane, index: u16) -> &[u8] {
        match plane {
            Plane::Meta => &self.meta[usize::from(index)],
            Plane::Data => self.octets.chunks(self.geometry.block().into()).nth(index.into()).unwrap(),
        }
    }
}

impl Source for &Image {
    fn add(&mut self, plane: Plane, index: u16, sum: &mut [u8]) -> bool {
        for (to, octet) in sum.iter_mut().zip(self.block(plane, index)) {
            *to ^= octet;
        }
        true
    }
}
