//! An image made into blocks with a signed manifest.

use sha2::Sha256;
use upgrade_proto::hash::{Hash256, crc32};
use upgrade_proto::install::PublicKey;
use upgrade_proto::message::Initiate;
use upgrade_proto::package::{Address, Manifest, Version};
use upgrade_proto::security::{Mac, MacKey, Trust, Verify, extension, signed_digest};
use upgrade_proto::session::{DigestAt, Geometry, Plane, Session};

/// Signs a digest.
pub trait Sign {
    fn algorithm(&self) -> u8;
    fn sign(&self, digest: &[u8; 32]) -> [u8; 64];
}

/// A toy that stands for a signature where thousands are checked: a hash with a secret that the verifier knows too.
#[derive(Copy, Clone, Debug)]
pub struct Toy;

fn toy(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = <Sha256 as Hash256>::start();
    hash.feed(secret);
    parts.iter().for_each(|part| hash.feed(part));
    hash.done()
}

impl Sign for Toy {
    fn algorithm(&self) -> u8 {
        1
    }
    fn sign(&self, digest: &[u8; 32]) -> [u8; 64] {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&toy(b"maker", &[digest]));
        signature
    }
}

impl Verify for Toy {
    fn verify(&mut self, key: &PublicKey, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        key.algorithm == 1 && Toy.sign(digest) == *signature
    }
}

impl Mac for Toy {
    fn mac(&mut self, key: MacKey, parts: &[&[u8]]) -> Option<[u8; 16]> {
        let secret: &[u8] = if key == MacKey::Meter { b"meter" } else { b"group" };
        toy(secret, parts).first_chunk().copied()
    }
}

impl Trust for Toy {
    fn root(&self) -> PublicKey {
        PublicKey::ed25519(&[1; 32])
    }
}

pub const MAKER: [u8; 4] = *b"TEST";

#[derive(Clone, Debug)]
pub struct Package {
    /// As it runs.
    pub program: Vec<u8>,
    /// As it is sent.
    pub image: Vec<u8>,
    pub manifest: Vec<u8>,
    pub meta: Vec<Vec<u8>>,
    pub geometry: Geometry,
    pub version: Version,
    pub session: Session,
    pub initiate: Initiate,
}

/// What to make of a program.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub version: Version,
    pub counter: u32,
    pub block: u16,
    /// Nonce and ciphertext.
    pub sealed: Option<([u8; 12], Vec<u8>)>,
    pub roll: Option<(u8, PublicKey)>,
    pub slot: u8,
    pub maker: [u8; 4],
    pub hardware: u32,
    pub id: u16,
}

impl Default for Recipe {
    fn default() -> Self {
        Recipe {
            version: Version { date: 20_240_116, number: 1 },
            counter: 1,
            block: 128,
            sealed: None,
            roll: None,
            slot: 0,
            maker: MAKER,
            hardware: 0,
            id: 7,
        }
    }
}

fn extend(to: &mut Vec<u8>, kind: u8, octets: &[u8]) {
    to.push(kind);
    to.extend_from_slice(&(octets.len() as u16).to_be_bytes());
    to.extend_from_slice(octets);
}

impl Package {
    pub fn new(program: Vec<u8>, recipe: &Recipe, signer: &impl Sign) -> Package {
        let mut extensions = Vec::new();
        let image = match &recipe.sealed {
            Some((nonce, image)) => {
                extend(&mut extensions, extension::NONCE, nonce);
                extend(&mut extensions, extension::PLAIN, &Sha256::of(&program));
                image.clone()
            }
            None => program.clone(),
        };
        if let Some((flags, key)) = &recipe.roll {
            let mut octets = vec![*flags, key.algorithm];
            octets.extend_from_slice(&key.octets);
            extend(&mut extensions, extension::ROLL, &octets);
        }
        let mut signature = vec![signer.algorithm(), recipe.slot];
        signature.extend_from_slice(&[0; 64]);
        extend(&mut extensions, extension::SIGNATURE, &signature);
        let fixed = Manifest {
            tagged: true,
            encrypted: recipe.sealed.is_some(),
            maker: recipe.maker,
            hardware: recipe.hardware,
            hardware_mask: u32::MAX,
            version: recipe.version,
            last: Address([0xFF; 6]),
            size: image.len() as u32,
            block: recipe.block,
            crc: crc32(&image),
            counter: recipe.counter,
            sha256: Sha256::of(&image),
            extensions: &extensions,
            ..Manifest::default()
        };
        let geometry = fixed.geometry().unwrap();
        let (mut meta, root) = tags(&geometry, &image);
        let mut manifest = vec![0; geometry.manifest().into()];
        Manifest { tag_root: root, ..fixed }.encode(&mut manifest).unwrap();
        let digest = signed_digest::<Sha256>(&manifest).unwrap();
        let at = manifest.len() - 64;
        manifest[at..].copy_from_slice(&signer.sign(&digest));
        for (to, part) in meta.iter_mut().zip(manifest.chunks(recipe.block.into())) {
            to.copy_from_slice(part);
        }
        Package::assemble(program, image, manifest, meta, geometry, recipe)
    }

    /// Around a manifest as it is.
    pub fn assemble(
        program: Vec<u8>,
        image: Vec<u8>,
        manifest: Vec<u8>,
        meta: Vec<Vec<u8>>,
        geometry: Geometry,
        recipe: &Recipe,
    ) -> Package {
        let digest: [u8; 16] = *Sha256::of(&manifest).first_chunk().unwrap();
        let session = Session { id: recipe.id, image: u32::from_be_bytes(*digest.first_chunk().unwrap()) };
        let initiate = Initiate {
            size: geometry.size(),
            block: geometry.block(),
            manifest: geometry.manifest(),
            tagged: geometry.tagged(),
            crc: crc32(&image),
            digest,
        };
        Package { program, image, manifest, meta, geometry, version: recipe.version, session, initiate }
    }

    pub fn block(&self, plane: Plane, index: u16) -> &[u8] {
        match plane {
            Plane::Meta => &self.meta[usize::from(index)],
            Plane::Data => self.image.chunks(self.geometry.block().into()).nth(index.into()).unwrap(),
        }
    }
}

/// The meta plane's blocks, the manifest's empty, and the root.
pub fn tags(geometry: &Geometry, image: &[u8]) -> (Vec<Vec<u8>>, [u8; 16]) {
    let block = u32::from(geometry.block());
    let count = geometry.count(Plane::Meta);
    let mut meta: Vec<Vec<u8>> =
        (0..count).map(|index| vec![0; geometry.block_len(Plane::Meta, index).into()]).collect();
    let mut root = [0; 16];
    let place = |meta: &mut Vec<Vec<u8>>, root: &mut [u8; 16], at: DigestAt, hash: [u8; 32]| match at {
        DigestAt::Nowhere => {}
        DigestAt::Root => root.copy_from_slice(&hash[..16]),
        DigestAt::Meta { index, offset, len } => {
            let (within, len) = ((offset % block) as usize, usize::from(len));
            meta[usize::from(index)][within..within + len].copy_from_slice(&hash[..len]);
        }
    };
    for (index, data) in image.chunks(block as usize).enumerate() {
        place(&mut meta, &mut root, geometry.digest_at(Plane::Data, index as u16), Sha256::of(data));
    }
    for index in (0..count).rev() {
        let hash = Sha256::of(&meta[usize::from(index)]);
        place(&mut meta, &mut root, geometry.digest_at(Plane::Meta, index), hash);
    }
    (meta, root)
}
